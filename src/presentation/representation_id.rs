//! The id of one representation among those that the outputs make of a presentation.

/// Distinguishes what the outputs other than Smooth Streaming make of a presentation: a text, an
/// initialization segment, a segment. It is a part of the validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RepresentationId {
    /// Kind of the representation.
    pub(crate) tag: Tag,
    /// Revision of the code that makes it: a change of the bytes that it makes needs another.
    pub(crate) revision: u8,
    /// Number of the track or of the stream; 0 if it is of all.
    pub(crate) track: u32,
    /// First byte of the fragment in its file, or a number that distinguishes texts of one track.
    pub(crate) start: u64,
}

/// A kind of representations: two letters in a validator.
///
/// Each output has constants of its own. Two kinds of representations never have the same tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tag([u8; 2]);

impl Tag {
    /// Letters from `g` to `z`, which cannot be taken for hexadecimal digits.
    #[cfg_attr(
        not(any(feature = "dash", feature = "hls")),
        allow(dead_code, reason = "Smooth Streaming has no tags")
    )]
    pub(crate) const fn new(letters: [u8; 2]) -> Self {
        assert!(matches!(letters, [b'g'..=b'z', b'g'..=b'z']));
        Self(letters)
    }

    pub(super) const fn letters(self) -> [u8; 2] {
        self.0
    }
}
