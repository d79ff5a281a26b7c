//! Cues as values.

use std::fmt;

/// A text that is shown for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cue {
    /// Start within the window, in ticks of the window's timescale.
    pub start: u64,
    /// End within the window, in ticks; after `start`.
    pub end: u64,
    /// Start of the whole cue in ticks: before `start` if the cue began before the window.
    pub whole_start: u64,
    /// End of the whole cue in ticks: after `end` if the cue continues after the window.
    pub whole_end: u64,
    /// Place of the text.
    pub settings: CueSettings,
    /// Text with the markup of WebVTT. Everything else is escaped; no line is empty.
    pub text: String,
}

/// Place of a cue. The default is the default of WebVTT: centred, at the bottom.
///
/// Written as in a WebVTT file: `line:10% position:5% size:90% align:left`.
///
/// Spec: WebVTT, 4.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct CueSettings {
    /// Direction of vertical text.
    pub vertical: Option<Vertical>,
    /// Distance from the top.
    pub line: Option<Line>,
    /// Distance from the left; from the top for vertical text.
    pub position: Option<Percent>,
    /// Width; height for vertical text.
    pub size: Option<Percent>,
    /// Alignment of the text within its box.
    pub align: Option<Alignment>,
}

/// Direction in which the lines of vertical text follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vertical {
    /// Lines follow each other from right to left.
    RightToLeft,
    /// Lines follow each other from left to right.
    LeftToRight,
}

/// Distance of a cue from the top of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// The distance.
    pub distance: Percent,
    /// The part of the cue that is at this distance.
    pub alignment: LineAlignment,
}

/// Part of a cue that its line names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineAlignment {
    /// The top.
    Start,
    /// The middle.
    Center,
    /// The bottom.
    End,
}

/// Alignment of text that is not centred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alignment {
    /// Each line begins at the left.
    Left,
    /// Each line ends at the right.
    Right,
}

/// A part of the picture, from 0 % to 100 % in steps of 0.01 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u16);

impl Percent {
    /// Converts hundredths of a percent. Values outside of the picture become its edge.
    pub fn from_hundredths(hundredths: i64) -> Self {
        // Clamped to what fits.
        Self(hundredths.clamp(0, 10_000) as u16)
    }

    /// Returns hundredths of a percent.
    pub fn hundredths(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}%"),
        }
    }
}

impl fmt::Display for CueSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut put = |name: &str, value: fmt::Arguments<'_>| {
            write!(f, "{separator}{name}:{value}")?;
            separator = " ";
            Ok(())
        };
        if let Some(vertical) = self.vertical {
            let direction = match vertical {
                Vertical::RightToLeft => "rl",
                Vertical::LeftToRight => "lr",
            };
            put("vertical", format_args!("{direction}"))?;
        }
        if let Some(Line { distance, alignment }) = self.line {
            let alignment = match alignment {
                LineAlignment::Start => "",
                LineAlignment::Center => ",center",
                LineAlignment::End => ",end",
            };
            put("line", format_args!("{distance}{alignment}"))?;
        }
        if let Some(position) = self.position {
            put("position", format_args!("{position}"))?;
        }
        if let Some(size) = self.size {
            put("size", format_args!("{size}"))?;
        }
        if let Some(align) = self.align {
            let align = match align {
                Alignment::Left => "left",
                Alignment::Right => "right",
            };
            put("align", format_args!("{align}"))?;
        }
        Ok(())
    }
}

impl CueSettings {
    /// Returns whether the cue is at the default place.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_webvtt_has_them() {
        assert_eq!(CueSettings::default().to_string(), "");
        let settings = CueSettings {
            vertical: Some(Vertical::RightToLeft),
            line: Some(Line {
                distance: Percent::from_hundredths(8_550),
                alignment: LineAlignment::End,
            }),
            position: Some(Percent::from_hundredths(1_005)),
            size: Some(Percent::from_hundredths(20_000)),
            align: Some(Alignment::Left),
        };
        let text = "vertical:rl line:85.5%,end position:10.05% size:100% align:left";
        assert_eq!(settings.to_string(), text);
        assert_eq!(Percent::from_hundredths(-1).hundredths(), 0);
    }
}
