//! Cues as a TTML document whose times count from the start of the presentation.

use std::fmt::Write;

use crate::base::{Error, Limits, Timescale};
use crate::captions::Cue;

/// The document before its cues: one region at the bottom, where WebVTT shows text too. White space in
/// cues was collapsed before; RxPlayer 4.5.0 would also drop the space before a `span`.
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
    <tt xmlns=\"http://www.w3.org/ns/ttml\" xmlns:tts=\"http://www.w3.org/ns/ttml#styling\" xml:lang=\"\" \
    xml:space=\"preserve\">\
    <head><layout><region xml:id=\"bottom\" tts:origin=\"10% 10%\" tts:extent=\"80% 80%\" \
    tts:displayAlign=\"after\" tts:textAlign=\"center\"/></layout></head>\
    <body region=\"bottom\"><div>\n";

const TAIL: &str = "</div></body></tt>\n";

const MILLISECONDS: Timescale = Timescale::new(1000).unwrap();

/// Writes a document of these cues. Bold, italics and underlines are kept.
///
/// # Errors
/// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) if it exceeds [`Limits::caption_bytes`].
pub(super) fn write(cues: &[Cue], timescale: Timescale, limits: &Limits) -> Result<String, Error> {
    let mut document = String::from(HEAD);
    for cue in cues {
        let time = |ticks| Time(timescale.rescale_round(ticks, MILLISECONDS).unwrap_or(u64::MAX));
        let (begin, end) = (time(cue.start), time(cue.end));
        if begin.0 >= end.0 {
            continue;
        }
        // Writing into a `String` cannot fail.
        let _ = write!(document, "<p begin=\"{begin}\" end=\"{end}\">");
        content(&mut document, &cue.text);
        document.push_str("</p>\n");
        Limits::check("bytes of captions", document.len() as u64, limits.caption_bytes)?;
    }
    document.push_str(TAIL);
    Ok(document)
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
                    "<b>" => Some("fontWeight=\"bold\""),
                    "<i>" => Some("fontStyle=\"italic\""),
                    "<u>" => Some("textDecoration=\"underline\""),
                    _ => None,
                };
                if let Some(style) = style {
                    let _ = write!(document, "<span tts:{style}>");
                }
                spans.push(style.is_some());
            }
            _ => {}
        }
    }
    document.push_str(rest);
}

/// A time in milliseconds, written with three digits behind the point: some players read no others.
struct Time(u64);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (hours, minutes) = (self.0 / 3_600_000, self.0 / 60_000 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}.{:03}", self.0 / 1000 % 60, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_webvtt_becomes_spans() {
        let written = |text: &str| {
            let mut document = String::new();
            content(&mut document, text);
            document
        };
        assert_eq!(written("a &amp; b\nc"), "a &amp; b<br/>c");
        assert_eq!(written("<i>a <c.red>b</c></i>"), "<span tts:fontStyle=\"italic\">a b</span>");
        assert_eq!(written("1 &lt; 2&nbsp;"), "1 &lt; 2\u{a0}");
        assert_eq!(Time(3_661_007).to_string(), "01:01:01.007");
    }
}
