//! Style properties of TTML that have an equivalent in WebVTT.

use super::colour::Colour;
use super::length::{Hundredths, Units};
use super::loss::LossKind;

/// Values of the properties that an element sets or inherits; `None` where nothing is said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    pub(super) colour: Option<Colour>,
    pub(super) background: Option<Colour>,
    pub(super) is_bold: Option<bool>,
    pub(super) is_italic: Option<bool>,
    pub(super) is_underlined: Option<bool>,
    /// `visibility`, which is inherited and may be switched on again inside.
    pub(super) is_hidden: Option<bool>,
    /// `display="none"`, which holds for everything inside.
    pub(super) is_left_out: Option<bool>,
    pub(super) align: Option<TextAlign>,
    pub(super) display_align: Option<DisplayAlign>,
    pub(super) is_right_to_left: Option<bool>,
    pub(super) writing: Option<Writing>,
    pub(super) origin: Option<(Hundredths, Hundredths)>,
    pub(super) extent: Option<(Hundredths, Hundredths)>,
}

/// Value of `tts:textAlign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextAlign {
    Left,
    Center,
    Right,
    Start,
    End,
}

/// Value of `tts:displayAlign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DisplayAlign {
    Before,
    Center,
    After,
}

/// Value of `tts:writingMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    Horizontal,
    /// Vertical, with lines from right to left.
    VerticalRightToLeft,
    /// Vertical, with lines from left to right.
    VerticalLeftToRight,
}

impl Style {
    /// Returns this style, completed by another one.
    pub(super) fn over(self, base: Self) -> Self {
        Self {
            colour: self.colour.or(base.colour),
            background: self.background.or(base.background),
            is_bold: self.is_bold.or(base.is_bold),
            is_italic: self.is_italic.or(base.is_italic),
            is_underlined: self.is_underlined.or(base.is_underlined),
            is_hidden: self.is_hidden.or(base.is_hidden),
            is_left_out: self.is_left_out.or(base.is_left_out),
            align: self.align.or(base.align),
            display_align: self.display_align.or(base.display_align),
            is_right_to_left: self.is_right_to_left.or(base.is_right_to_left),
            writing: self.writing.or(base.writing),
            origin: self.origin.or(base.origin),
            extent: self.extent.or(base.extent),
        }
    }

    /// Sets a property by its local name. Returns what is lost, if anything is.
    ///
    /// Spec: TTML1, 8.2; TTML2, 10.2.
    pub(super) fn set(&mut self, name: &str, value: &str, units: &Units) -> Option<LossKind> {
        let value = value.trim();
        match name {
            "color" => {
                self.colour = Some(Colour::read(value).unwrap_or(Colour::Other));
                let is_plain = self.colour.and_then(Colour::class).is_some();
                return (!is_plain).then_some(LossKind::Colour);
            }
            "backgroundColor" => {
                self.background = Some(Colour::read(value).unwrap_or(Colour::Other));
                return (self.background == Some(Colour::Other)).then_some(LossKind::Colour);
            }
            "fontWeight" => self.is_bold = Some(value == "bold"),
            "fontStyle" => self.is_italic = Some(matches!(value, "italic" | "oblique")),
            "textDecoration" => {
                for word in value.split_ascii_whitespace() {
                    match word {
                        "underline" => self.is_underlined = Some(true),
                        "none" | "noUnderline" => self.is_underlined = Some(false),
                        "noOverline" | "noLineThrough" => {}
                        _ => return Some(LossKind::Style),
                    }
                }
            }
            "visibility" => self.is_hidden = Some(value == "hidden"),
            "display" => self.is_left_out = Some(value == "none"),
            "direction" => self.is_right_to_left = Some(value == "rtl"),
            "textAlign" => {
                self.align = Some(match value {
                    "left" => TextAlign::Left,
                    "center" => TextAlign::Center,
                    "right" => TextAlign::Right,
                    "start" => TextAlign::Start,
                    "end" => TextAlign::End,
                    _ => return Some(LossKind::Layout),
                });
            }
            "displayAlign" => {
                self.display_align = Some(match value {
                    "before" => DisplayAlign::Before,
                    "center" => DisplayAlign::Center,
                    "after" => DisplayAlign::After,
                    _ => return Some(LossKind::Layout),
                });
            }
            "writingMode" => {
                self.writing = Some(match value {
                    "tb" | "tbrl" => Writing::VerticalRightToLeft,
                    "tblr" => Writing::VerticalLeftToRight,
                    _ => Writing::Horizontal,
                });
            }
            "origin" if value == "auto" => {}
            "extent" if value == "auto" => {}
            "origin" => match units.read_two(value) {
                Some(origin) => self.origin = Some(origin),
                None => return Some(LossKind::Layout),
            },
            "extent" => match units.read_two(value) {
                Some(extent) => self.extent = Some(extent),
                None => return Some(LossKind::Layout),
            },
            "position" => return Some(LossKind::Layout),
            "backgroundImage" if value != "none" => return Some(LossKind::Image),
            "ruby" if value != "none" => return Some(LossKind::Ruby),
            "fontFamily" | "fontSize" | "fontShear" | "shear" | "lineShear" | "letterSpacing"
            | "lineHeight" | "opacity" | "textCombine" | "textEmphasis" | "textOutline"
            | "textShadow" | "border" => return Some(LossKind::Style),
            _ => {}
        }
        None
    }

    /// Drops what concerns the box of an element and not the text inside.
    pub(super) fn of_text(self) -> Self {
        Self { background: None, ..self }
    }
}
