//! Colours of TTML, as far as WebVTT has classes for them.

/// A colour of text or of its background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// One of the eight colours that have a class: red, green and blue as bits 2, 1 and 0.
    Plain(u8),
    /// Nothing at all.
    Transparent,
    /// Any other.
    Other,
}

/// Names of the classes by the bits of the colour (WebVTT, 5.1).
const CLASSES: [&str; 8] = ["black", "blue", "lime", "cyan", "red", "magenta", "yellow", "white"];

impl Colour {
    pub(super) const BLACK: Self = Self::Plain(0);
    pub(super) const WHITE: Self = Self::Plain(7);

    /// Returns the class of WebVTT.
    pub(super) fn class(self) -> Option<&'static str> {
        match self {
            Self::Plain(bits) => CLASSES.get(usize::from(bits)).copied(),
            _ => None,
        }
    }

    /// Reads `#rrggbb`, `#rrggbbaa`, `rgb(…)`, `rgba(…)` or a name; `None` if it is none of them.
    ///
    /// Spec: TTML1, 8.3.2.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix('#') {
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_hex || !matches!(digits.len(), 6 | 8) {
                return None;
            }
            let channel = |at: usize| {
                let digits = digits.get(at..at + 2)?;
                u8::from_str_radix(digits, 16).ok()
            };
            let alpha = channel(6).unwrap_or(255);
            return Some(Self::of([channel(0)?, channel(2)?, channel(4)?], alpha));
        }
        if let Some((function, rest)) = text.split_once('(') {
            let mut channels = rest.strip_suffix(')')?.split(',').map(|part| part.trim().parse());
            let mut channel = || channels.next()?.ok();
            let rgb = [channel()?, channel()?, channel()?];
            return match function {
                "rgb" => Some(Self::of(rgb, 255)),
                "rgba" => Some(Self::of(rgb, channel()?)),
                _ => None,
            };
        }
        match text {
            "transparent" => Some(Self::Transparent),
            "aqua" => Some(Self::Plain(3)),
            "fuchsia" => Some(Self::Plain(5)),
            "silver" | "gray" | "maroon" | "purple" | "green" | "olive" | "navy" | "teal" => {
                Some(Self::Other)
            }
            name => {
                let bits = CLASSES.iter().position(|class| *class == name)?;
                Some(Self::Plain(bits as u8))
            }
        }
    }

    /// A channel counts as full or empty within a fifth of its range: encoders write `#FEFEFE` for
    /// white.
    fn of(channels: [u8; 3], alpha: u8) -> Self {
        if alpha == 0 {
            return Self::Transparent;
        }
        let bits = channels.iter().try_fold(0, |bits, &channel| match channel {
            ..=0x33 => Some(bits << 1),
            0xcc.. => Some(bits << 1 | 1),
            _ => None,
        });
        bits.map_or(Self::Other, Self::Plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_with_a_class_are_found_in_every_notation() {
        for (text, class) in [
            ("white", Some("white")),
            ("#FFFFFF", Some("white")),
            ("#ffff00ff", Some("yellow")),
            ("rgb(0, 255,255)", Some("cyan")),
            ("rgba(255,0,0,255)", Some("red")),
            ("aqua", Some("cyan")),
            ("fuchsia", Some("magenta")),
            ("lime", Some("lime")),
            ("#00f000", Some("lime")),
            ("green", None),
            ("#808080", None),
            ("transparent", None),
            ("#00000000", None),
        ] {
            assert_eq!(Colour::read(text).unwrap().class(), class, "{text}");
        }
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for text in [
            "",
            "#",
            "#fff",
            "#gggggg",
            "#+1+1+1",
            "rgb(1,2)",
            "rgb(256,0,0)",
            "hsl(1,2,3)",
            "#é0000",
            "beige",
        ] {
            assert_eq!(Colour::read(text), None, "{text}");
        }
    }
}
