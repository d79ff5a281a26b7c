//! Cues as a TTML document.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;

use super::cue::{Alignment, Cue, CueSettings, LineAlignment, Percent, Vertical};
use crate::base::{Error, Limits, Timescale};

/// The document before its regions. White space in cues was collapsed before; RxPlayer 4.5.0 would also
/// drop the space before a `span`.
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
    <tt xmlns=\"http://www.w3.org/ns/ttml\" xmlns:tts=\"http://www.w3.org/ns/ttml#styling\" xml:lang=\"\" \
    xml:space=\"preserve\"><head><layout>";

/// The region of cues at the default place: at the bottom, where WebVTT shows them too.
const DEFAULT: &str = "<region xml:id=\"bottom\" tts:origin=\"10% 10%\" tts:extent=\"80% 80%\" \
    tts:displayAlign=\"after\" tts:textAlign=\"center\"/>";

/// The document between its regions and its cues. Each cue names its region: a region of the body would
/// exclude cues of all others (TTML1, 9.3.2), as it does in dash.js 5.2.1.
const BODY: &str = "</layout></head><body><div>\n";

const TAIL: &str = "</div></body></tt>\n";

const MILLISECONDS: Timescale = Timescale::new(1000).unwrap();

/// Writes a TTML document of these cues, whose times are ticks of `timescale` and count from the start of
/// the presentation. Places, colours, bold, italics and underlines are kept.
///
/// # Errors
/// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) if it exceeds [`Limits::caption_bytes`].
///
/// Spec: W3C TTML1; ISO/IEC 14496-30, 5.
pub fn ttml_document(cues: &[Cue], timescale: Timescale, limits: &Limits) -> Result<String, Error> {
    let check = |document: &String| {
        Limits::check("bytes of captions", document.len() as u64, limits.caption_bytes)
    };
    let mut document = String::from(HEAD);
    document.push_str(DEFAULT);
    let mut regions = BTreeMap::new();
    for cue in cues.iter().filter(|cue| !cue.settings.is_default()) {
        let number = regions.len();
        if let Entry::Vacant(vacant) = regions.entry(cue.settings) {
            vacant.insert(number);
            region(&mut document, number, cue.settings);
            check(&document)?;
        }
    }
    document.push_str(BODY);
    for cue in cues {
        let time = |ticks| Time(timescale.rescale_round(ticks, MILLISECONDS).unwrap_or(u64::MAX));
        let (begin, end) = (time(cue.start), time(cue.end));
        if begin.0 >= end.0 {
            continue;
        }
        // Writing into a `String` cannot fail.
        let _ = write!(document, "<p begin=\"{begin}\" end=\"{end}\"");
        let _ = match regions.get(&cue.settings) {
            Some(number) => write!(document, " region=\"r{number}\">"),
            None => write!(document, " region=\"bottom\">"),
        };
        content(&mut document, &cue.text);
        document.push_str("</p>\n");
        check(&document)?;
    }
    document.push_str(TAIL);
    Ok(document)
}

/// The whole picture, in hundredths of a percent.
const WHOLE: i64 = 10_000;

/// Writes the region of cues at a place.
fn region(document: &mut String, number: usize, place: CueSettings) {
    let CueSettings { vertical, line, position, size, align, .. } = place;
    let hundredths = |percent: Option<Percent>, default| {
        percent.map_or(default, |percent| i64::from(percent.hundredths()))
    };
    let size = hundredths(size, WHOLE);
    // The position is that of the edge at which the text is aligned.
    let start = match align {
        Some(Alignment::Left) => hundredths(position, 0),
        Some(Alignment::Right) => hundredths(position, WHOLE) - size,
        None => hundredths(position, WHOLE / 2) - size / 2,
    };
    let start = start.clamp(0, WHOLE);
    let along = (start, size.min(WHOLE - start));
    let line = line.map(|line| (i64::from(line.distance.hundredths()), line.alignment));
    let (across, display) = match line {
        Some((at, LineAlignment::Start)) if at < WHOLE => ((at, WHOLE - at), "before"),
        Some((at, LineAlignment::End)) if at > 0 => ((0, at), "after"),
        Some((at, LineAlignment::Center)) if at > 0 && at < WHOLE => {
            let half = at.min(WHOLE - at);
            ((at - half, 2 * half), "center")
        }
        _ if vertical.is_some() => ((0, WHOLE), "before"),
        _ => ((1000, 8000), "after"),
    };
    let (horizontal, upright) = if vertical.is_some() { (across, along) } else { (along, across) };
    let percent = Percent::from_hundredths;
    let align = match align {
        Some(Alignment::Left) => "left",
        Some(Alignment::Right) => "right",
        None => "center",
    };
    // Writing into a `String` cannot fail.
    let _ = write!(
        document,
        "<region xml:id=\"r{number}\" tts:origin=\"{} {}\" tts:extent=\"{} {}\" \
         tts:displayAlign=\"{display}\" tts:textAlign=\"{align}\"",
        percent(horizontal.0),
        percent(upright.0),
        percent(horizontal.1),
        percent(upright.1),
    );
    document.push_str(match vertical {
        Some(Vertical::RightToLeft) => " tts:writingMode=\"tbrl\"/>",
        Some(Vertical::LeftToRight) => " tts:writingMode=\"tblr\"/>",
        None => "/>",
    });
}

/// Writes text with the markup of WebVTT, which is balanced and escaped, as content of TTML.
fn content(document: &mut String, text: &str) {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '\n', '&']) {
        let (before, from) = rest.split_at(at);
        document.push_str(before);
        let (token, after) = match from.find(['>', ';']).filter(|_| !from.starts_with('\n')) {
            Some(end) => from.split_at(end + 1),
            None => from.split_at(1),
        };
        rest = after;
        match token {
            "\n" => document.push_str("<br/>"),
            "&amp;" | "&lt;" | "&gt;" => document.push_str(token),
            "&nbsp;" => document.push('\u{a0}'),
            "&lrm;" => document.push('\u{200e}'),
            "&rlm;" => document.push('\u{200f}'),
            _ if token.starts_with("</") => {
                let is_span = spans.pop().unwrap_or(false);
                document.push_str(if is_span { "</span>" } else { "" });
            }
            _ if token.starts_with('<') => {
                let style = match token {
                    "<b>" => Some(" tts:fontWeight=\"bold\"".to_owned()),
                    "<i>" => Some(" tts:fontStyle=\"italic\"".to_owned()),
                    "<u>" => Some(" tts:textDecoration=\"underline\"".to_owned()),
                    _ => colours(token),
                };
                if let Some(style) = &style {
                    let _ = write!(document, "<span{style}>");
                }
                spans.push(style.is_some());
            }
            _ => {}
        }
    }
    document.push_str(rest);
}

/// Returns the colours of a tag of classes: `<c.red.bg_blue>`. Classes have the names of colours in TTML.
fn colours(tag: &str) -> Option<String> {
    let classes = tag.strip_prefix("<c.")?.strip_suffix('>')?;
    let attribute = |class: &str| match class.strip_prefix("bg_") {
        Some(colour) => format!(" tts:backgroundColor=\"{colour}\""),
        None => format!(" tts:color=\"{class}\""),
    };
    Some(classes.split('.').map(attribute).collect())
}

/// A time in milliseconds, written with three digits behind the point: some players read no others.
pub(super) struct Time(pub(super) u64);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (hours, minutes) = (self.0 / 3_600_000, self.0 / 60_000 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}.{:03}", self.0 / 1000 % 60, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captions::cue::Line;

    #[test]
    fn places_of_webvtt_become_regions() {
        let line = |distance, alignment| {
            Some(Line { distance: Percent::from_hundredths(distance), alignment })
        };
        let percent = |hundredths| Some(Percent::from_hundredths(hundredths));
        let default = CueSettings::default();
        let top =
            CueSettings { line: line(500, LineAlignment::Start), size: percent(8000), ..default };
        let left = CueSettings { align: Some(Alignment::Left), position: percent(1000), ..default };
        let right = CueSettings {
            align: Some(Alignment::Right),
            size: percent(3000),
            line: line(5000, LineAlignment::Center),
            ..default
        };
        let vertical = CueSettings { vertical: Some(Vertical::RightToLeft), ..default };
        for (place, expected) in [
            (
                top,
                "\"10% 5%\" tts:extent=\"80% 95%\" tts:displayAlign=\"before\" tts:textAlign=\"center\"/>",
            ),
            (
                left,
                "\"10% 10%\" tts:extent=\"90% 80%\" tts:displayAlign=\"after\" tts:textAlign=\"left\"/>",
            ),
            (
                right,
                "\"70% 0%\" tts:extent=\"30% 100%\" tts:displayAlign=\"center\" tts:textAlign=\"right\"/>",
            ),
            (
                vertical,
                "\"0% 0%\" tts:extent=\"100% 100%\" tts:displayAlign=\"before\" \
              tts:textAlign=\"center\" tts:writingMode=\"tbrl\"/>",
            ),
        ] {
            let mut document = String::new();
            region(&mut document, 0, place);
            assert_eq!(document, format!("<region xml:id=\"r0\" tts:origin={expected}"));
        }
    }

    #[test]
    fn markup_of_webvtt_becomes_spans() {
        let written = |text: &str| {
            let mut document = String::new();
            content(&mut document, text);
            document
        };
        assert_eq!(written("a &amp; b\nc"), "a &amp; b<br/>c");
        assert_eq!(
            written("<i>a <c.red>b</c></i>"),
            "<span tts:fontStyle=\"italic\">a \
            <span tts:color=\"red\">b</span></span>"
        );
        let both = "<span tts:color=\"red\" tts:backgroundColor=\"blue\">a</span>";
        assert_eq!(written("<c.red.bg_blue>a</c>"), both);
        assert_eq!(written("1 &lt; 2&nbsp;"), "1 &lt; 2\u{a0}");
        assert_eq!(Time(3_661_007).to_string(), "01:01:01.007");
    }
}
