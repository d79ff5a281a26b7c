//! Settings of WebVTT from regions of TTML.

use super::cue::{Alignment, CueSettings, Line, LineAlignment, Percent, Vertical};
use super::length::Hundredths;
use super::style::{DisplayAlign, Style, TextAlign, Writing};

/// The whole picture.
const WHOLE: Hundredths = 10_000;

/// Text that ends below this height is at the default place, which is kept free of a player's controls.
/// Chromium 156 has no alignment of lines: with `line:90%,end`, the text would begin there.
const BOTTOM: Hundredths = 9_000;

/// Returns the place of a paragraph from its style, which its region completes.
///
/// A paragraph that has no region and no place of its own is at the default place of WebVTT, at the
/// bottom, and not at that of TTML, at the top left: documents without a layout mean the player's.
pub(super) fn settings(style: &Style, has_region: bool) -> CueSettings {
    let has_box = has_region
        || style.origin.is_some()
        || style.extent.is_some()
        || style.display_align.is_some();
    let mut settings = CueSettings {
        vertical: match style.writing {
            None | Some(Writing::Horizontal) => None,
            Some(Writing::VerticalRightToLeft) => Some(Vertical::RightToLeft),
            Some(Writing::VerticalLeftToRight) => Some(Vertical::LeftToRight),
        },
        ..CueSettings::default()
    };
    let is_right_to_left = style.is_right_to_left == Some(true);
    let align = match (style.align, has_box) {
        (None, false) | (Some(TextAlign::Center), _) => None,
        (Some(TextAlign::Left), _) => Some(Alignment::Left),
        (Some(TextAlign::Right), _) => Some(Alignment::Right),
        (Some(TextAlign::End), _) if is_right_to_left => Some(Alignment::Left),
        (Some(TextAlign::End), _) => Some(Alignment::Right),
        // The initial value is `start`.
        (_, _) if is_right_to_left => Some(Alignment::Right),
        (_, _) => Some(Alignment::Left),
    };
    settings.align = align;
    if !has_box {
        return settings;
    }
    let (x, y) = style.origin.unwrap_or((0, 0));
    let (x, y) = (x.clamp(0, WHOLE), y.clamp(0, WHOLE));
    let (width, height) = style.extent.unwrap_or((WHOLE, WHOLE));
    let (width, height) = (width.clamp(0, WHOLE - x), height.clamp(0, WHOLE - y));
    if settings.vertical.is_some() {
        // Lines of vertical text follow each other from side to side; the region's height is the
        // length of a line.
        (settings.position, settings.size) = position_and_size(y, height, align);
    } else {
        (settings.position, settings.size) = position_and_size(x, width, align);
        settings.line = line(y, height, style.display_align);
    }
    settings
}

/// Spec: WebVTT, 6.1: the position is that of the edge at which the text is aligned.
fn position_and_size(
    start: Hundredths,
    size: Hundredths,
    align: Option<Alignment>,
) -> (Option<Percent>, Option<Percent>) {
    let (position, default) = match align {
        Some(Alignment::Left) => (start, 0),
        Some(Alignment::Right) => (start + size, WHOLE),
        None => (start + size / 2, WHOLE / 2),
    };
    let unless = |value: Hundredths, default: Hundredths| {
        (value != default).then(|| Percent::from_hundredths(value))
    };
    // Nothing fits into an empty box.
    (unless(position, default), unless(if size == 0 { WHOLE } else { size }, WHOLE))
}

fn line(y: Hundredths, height: Hundredths, align: Option<DisplayAlign>) -> Option<Line> {
    let (distance, alignment) = match align.unwrap_or(DisplayAlign::Before) {
        DisplayAlign::Before => (y, LineAlignment::Start),
        DisplayAlign::Center => (y + height / 2, LineAlignment::Center),
        DisplayAlign::After if y + height >= BOTTOM => return None,
        DisplayAlign::After => (y + height, LineAlignment::End),
    };
    Some(Line { distance: Percent::from_hundredths(distance), alignment })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captions::length::Units;

    fn settings_of(properties: &[(&str, &str)], has_region: bool) -> String {
        let mut style = Style::default();
        for (name, value) in properties {
            assert_eq!(style.set(name, value, &Units::default()), None, "{name}");
        }
        settings(&style, has_region).to_string()
    }

    #[test]
    fn a_region_becomes_the_place_of_the_cue() {
        let bottom = [("origin", "10% 80%"), ("extent", "80% 18%"), ("displayAlign", "after")];
        for (more, expected) in [
            (&[][..], "position:10% size:80% align:left"),
            (&[("textAlign", "center")], "size:80%"),
            (&[("textAlign", "end")], "position:90% size:80% align:right"),
            (&[("direction", "rtl")], "position:90% size:80% align:right"),
            (&[("textAlign", "end"), ("direction", "rtl")], "position:10% size:80% align:left"),
            (&[("displayAlign", "before"), ("textAlign", "center")], "line:80% size:80%"),
            (&[("displayAlign", "center"), ("textAlign", "center")], "line:89%,center size:80%"),
            (&[("origin", "10% 60%"), ("textAlign", "center")], "line:78%,end size:80%"),
            (&[("writingMode", "tbrl")], "vertical:rl position:80% size:18% align:left"),
        ] {
            let properties: Vec<_> = bottom.iter().chain(more).copied().collect();
            assert_eq!(settings_of(&properties, true), expected, "{more:?}");
        }
    }

    #[test]
    fn text_without_a_place_is_at_the_default_place() {
        assert_eq!(settings_of(&[], false), "");
        assert_eq!(settings_of(&[("textAlign", "left")], false), "align:left");
        assert_eq!(settings_of(&[], true), "line:0% align:left");
    }

    #[test]
    fn boxes_outside_of_the_picture_are_moved_into_it() {
        let wide = [("origin", "-10% 120%"), ("extent", "300% 300%")];
        assert_eq!(settings_of(&wide, true), "line:100% align:left");
        let empty = [("origin", "100% 0%"), ("extent", "0% 0%")];
        assert_eq!(settings_of(&empty, true), "line:0% position:100% align:left");
    }
}
