//! Parts of a document that captions cannot keep.

use std::fmt;

/// Something in a document that WebVTT cannot express, or that the document leaves unclear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// The kind.
    pub kind: LossKind,
    /// Line of the first occurrence, from 1.
    pub line: u32,
    /// Number of occurrences.
    pub count: u32,
}

/// The kind of a [`Loss`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossKind {
    /// Captions that are pictures (`smpte:backgroundImage`, `image`). They are left out.
    Image,
    /// A time or a parameter of times that cannot be read. Content with an unreadable `begin` is left
    /// out; an unreadable `end` or `dur` is ignored.
    Time,
    /// Content without a region in a document that has regions, which TTML does not show, or with the name
    /// of a region that is not defined. The text is shown at the default place.
    Region,
    /// A length, position or vertical layout that has no equivalent; a region that is shown for a time, of
    /// which the text is shown at its own time.
    Layout,
    /// A change during a cue (`set`, `animate`). The text keeps its first look.
    Animation,
    /// Ruby annotations. Their text is shown in line.
    Ruby,
    /// A colour that is not one of the eight with a class in WebVTT. The text keeps the default colour.
    Colour,
    /// Fonts, sizes, outlines and other properties of the look, and references to styles that are not
    /// defined.
    Style,
}

impl fmt::Display for LossKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Image => "captions that are images are left out",
            Self::Time => "a time cannot be read",
            Self::Region => "a text has no region, or one that is not defined",
            Self::Layout => "a length or a layout has no equivalent in WebVTT",
            Self::Animation => "a change of style during a cue is left out",
            Self::Ruby => "ruby annotations are shown in line",
            Self::Colour => "a colour is not one of the eight of WebVTT",
            Self::Style => "fonts, sizes or effects are left out",
        })
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind)?;
        match self.count {
            1 => Ok(()),
            count => write!(f, " ({count} times)"),
        }
    }
}

/// The losses of a document: one entry per kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    list: Vec<Loss>,
}

impl Losses {
    /// Adds an occurrence at a byte of the text.
    pub(super) fn note(&mut self, kind: LossKind, text: &str, at: usize) {
        if let Some(loss) = self.list.iter_mut().find(|loss| loss.kind == kind) {
            loss.count = loss.count.saturating_add(1);
            return;
        }
        // Counted once per kind.
        let before = &text.as_bytes()[..at.min(text.len())];
        let line = 1 + memchr::memchr_iter(b'\n', before).count() as u32;
        self.list.push(Loss { kind, line, count: 1 });
    }

    pub(super) fn into_list(self) -> Vec<Loss> {
        self.list
    }
}
