//! Places of cues in a WebVTT file: settings and regions.

use super::cue::{Alignment, CueSettings, Line, LineAlignment, Percent, Vertical};
use super::cue_text::is_right_to_left;

/// The whole picture, in hundredths of a percent.
const WHOLE: i64 = 10_000;

/// Height of a line: a player's default is 5 % of the picture's height, and a third of it between lines.
const LINE: i64 = 667;

/// Height of a line of a region (WebVTT, 6.1).
const REGION_LINE: i64 = 533;

/// A region that ends below this height is at the default place, as in captions of TTML.
const BOTTOM: i64 = 9_000;

/// A region of a WebVTT file, in hundredths of a percent.
///
/// Spec: WebVTT, 3.2 and 4.3.
#[derive(Clone, Debug)]
pub(super) struct Region {
    pub(super) id: String,
    width: i64,
    lines: i64,
    anchor: (i64, i64),
    viewport: (i64, i64),
}

impl Region {
    /// Reads the settings of a region. What cannot be read has its default.
    pub(super) fn read(text: &str) -> Self {
        let mut region = Self {
            id: String::new(),
            width: WHOLE,
            lines: 3,
            anchor: (0, WHOLE),
            viewport: (0, WHOLE),
        };
        let point = |value: &str| {
            let (x, y) = value.split_once(',')?;
            Some((percent(x)?, percent(y)?))
        };
        for setting in text.split_ascii_whitespace() {
            let Some((name, value)) = setting.split_once(':') else { continue };
            match name {
                "id" => region.id = value.to_owned(),
                "width" => region.width = percent(value).unwrap_or(region.width),
                "lines" => region.lines = value.parse::<u8>().map_or(region.lines, i64::from),
                "regionanchor" => region.anchor = point(value).unwrap_or(region.anchor),
                "viewportanchor" => region.viewport = point(value).unwrap_or(region.viewport),
                _ => {}
            }
        }
        region
    }

    /// Left edge, width and lower edge.
    fn shape(&self) -> (i64, i64, i64) {
        let height = (self.lines * REGION_LINE).min(WHOLE);
        let left = self.viewport.0 - self.width * self.anchor.0 / WHOLE;
        let low = self.viewport.1 - height * self.anchor.1 / WHOLE + height;
        (left.clamp(0, WHOLE), self.width, low.clamp(0, WHOLE))
    }
}

/// Side of a cue's box that its position names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Center,
    Right,
}

/// Reads the settings of a cue with this text. Returns its place, and whether all of them were read.
///
/// Spec: WebVTT, 4.4.
pub(super) fn settings(text: &str, regions: &[Region], cue: &str) -> (CueSettings, bool) {
    let mut settings = CueSettings::default();
    let (mut size, mut position, mut side, mut region) = (WHOLE, None, None, None);
    let mut is_read = true;
    for setting in text.split_ascii_whitespace() {
        let (name, value) = setting.split_once(':').unwrap_or((setting, ""));
        let known = match name {
            "vertical" => vertical(value).map(|vertical| settings.vertical = Some(vertical)),
            "line" => line(value).map(|line| settings.line = line),
            "size" => percent(value).map(|value| size = value),
            "position" => {
                let (at, named) = value.split_once(',').unwrap_or((value, ""));
                side = match named {
                    "line-left" => Some(Side::Left),
                    "center" => Some(Side::Center),
                    "line-right" => Some(Side::Right),
                    _ => None,
                };
                percent(at).map(|value| position = Some(value))
            }
            "align" => align(value, cue).map(|align| settings.align = align),
            "region" => {
                region = regions.iter().rev().find(|region| region.id == value);
                region.map(|_| ())
            }
            _ => None,
        };
        is_read &= known.is_some();
    }
    let own = match settings.align {
        Some(Alignment::Left) => Side::Left,
        Some(Alignment::Right) => Side::Right,
        None => Side::Center,
    };
    // A cue with a line or size of its own, or with vertical text, is in no region.
    let is_in = settings.vertical.is_none() && settings.line.is_none() && size == WHOLE;
    let (left, width) = match region.filter(|_| is_in) {
        Some(region) => {
            let (left, width, low) = region.shape();
            if low < BOTTOM {
                let distance = Percent::from_hundredths(low);
                settings.line = Some(Line { distance, alignment: LineAlignment::End });
            }
            (left, width.min(WHOLE - left))
        }
        None => extent(position, side.unwrap_or(own), size),
    };
    let at = match own {
        Side::Left => (left, 0),
        Side::Center => (left + width / 2, WHOLE / 2),
        Side::Right => (left + width, WHOLE),
    };
    let unless = |value, default| (value != default).then(|| Percent::from_hundredths(value));
    settings.position = unless(at.0, at.1);
    // Nothing fits into an empty box.
    settings.size = unless(if width == 0 { WHOLE } else { width }, WHOLE);
    (settings, is_read)
}

/// Returns the left edge and the width of a cue's box (WebVTT, 7.2).
fn extent(position: Option<i64>, side: Side, size: i64) -> (i64, i64) {
    let at = position.unwrap_or(match side {
        Side::Left => 0,
        Side::Center => WHOLE / 2,
        Side::Right => WHOLE,
    });
    match side {
        Side::Left => (at, size.min(WHOLE - at)),
        Side::Center => {
            let width = size.min(2 * at.min(WHOLE - at));
            (at - width / 2, width)
        }
        Side::Right => {
            let width = size.min(at);
            (at - width, width)
        }
    }
}

fn vertical(value: &str) -> Option<Vertical> {
    match value {
        "rl" => Some(Vertical::RightToLeft),
        "lr" => Some(Vertical::LeftToRight),
        _ => None,
    }
}

/// The sides `start` and `end` depend on the direction of the text.
fn align(value: &str, cue: &str) -> Option<Option<Alignment>> {
    let (start, end) = match is_right_to_left(cue) {
        false => (Alignment::Left, Alignment::Right),
        true => (Alignment::Right, Alignment::Left),
    };
    Some(match value {
        "center" | "middle" => None,
        "left" => Some(Alignment::Left),
        "right" => Some(Alignment::Right),
        "start" => Some(start),
        "end" => Some(end),
        _ => return None,
    })
}

/// Reads a part of the picture, or a number of lines from the top or, if negative, from the bottom. The
/// lowest line is the default place.
fn line(value: &str) -> Option<Option<Line>> {
    let (at, named) = value.split_once(',').unwrap_or((value, "start"));
    let alignment = match named {
        "start" => LineAlignment::Start,
        "center" => LineAlignment::Center,
        "end" => LineAlignment::End,
        _ => return None,
    };
    let line = |hundredths, alignment| {
        Some(Line { distance: Percent::from_hundredths(hundredths), alignment })
    };
    if at.ends_with('%') {
        return Some(line(percent(at)?, alignment));
    }
    Some(match at.parse::<i16>().ok()? {
        -1 => None,
        from_top @ 0.. => line(i64::from(from_top) * LINE, LineAlignment::Start),
        below => line(WHOLE + (i64::from(below) + 1) * LINE, LineAlignment::End),
    })
}

/// Reads a percentage from 0 % to 100 % in hundredths.
fn percent(text: &str) -> Option<i64> {
    let number = text.strip_suffix('%')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || !(1..=3).contains(&whole.len()) {
        return None;
    }
    let digit = |at: usize| fraction.as_bytes().get(at).map_or(0, |digit| i64::from(digit - b'0'));
    let hundredths = whole.parse::<i64>().ok()? * 100 + digit(0) * 10 + digit(1);
    (hundredths <= WHOLE && !fraction.is_empty()).then_some(hundredths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_become_places() {
        let place = |text| {
            let (settings, is_read) = settings(text, &[], "a");
            (settings.to_string(), is_read)
        };
        for (text, expected) in [
            ("", ""),
            ("align:center position:50% size:100% line:-1", ""),
            ("align:start", "align:left"),
            ("align:middle line:90%", "line:90%"),
            ("line:5.5%,end", "line:5.5%,end"),
            ("line:0 align:end", "line:0% align:right"),
            ("line:-3", "line:86.66%,end"),
            ("position:10% align:left size:50%", "position:10% size:50% align:left"),
            ("position:10%,line-left size:80%", "size:80%"),
            ("position:30%", "position:30% size:60%"),
            ("position:90%,line-right align:left size:40%", "position:50% size:40% align:left"),
            ("vertical:rl", "vertical:rl"),
        ] {
            assert_eq!(place(text), (expected.to_owned(), true), "{text}");
        }
        for text in
            ["line:x", "position:-1%", "size:101%", "align:up", "region:none", "a", "line:5%,x"]
        {
            assert!(!place(text).1, "{text}");
        }
        assert_eq!(settings("align:start", &[], "- שלום").0.to_string(), "align:right");
    }

    #[test]
    fn a_region_is_a_place_unless_the_cue_has_its_own() {
        let of = |text: &str| [Region::read(text)];
        let top = of("id:a width:40% lines:3\nregionanchor:0%,100% viewportanchor:10%,90%");
        assert_eq!(settings("region:a", &top, "a").0.to_string(), "position:30% size:40%");
        let top = of("id:a width:40% viewportanchor:10%,30%");
        let expected = "line:30%,end position:10% size:40% align:left";
        assert_eq!(settings("region:a align:left", &top, "a").0.to_string(), expected);
        assert_eq!(settings("region:a line:0%", &top, "a").0.to_string(), "line:0%");
    }
}
