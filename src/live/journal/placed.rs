//! The place of a fragment in an archive.

use crate::fragment::Lengths;

/// A published fragment, and its place in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Number of the file, from 1.
    pub(crate) file: u32,
    /// Start and duration, in ticks of the track.
    pub(crate) time: u64,
    pub(crate) duration: u64,
    /// Offset of its first byte.
    pub(crate) start: u64,
    pub(crate) lengths: Lengths,
    /// Hash of its bytes.
    pub(crate) hash: u64,
}

impl Placed {
    /// Returns the offset behind its last byte.
    pub(crate) fn end(&self) -> u64 {
        self.start.saturating_add(self.lengths.len)
    }
}
