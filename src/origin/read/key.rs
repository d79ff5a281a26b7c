//! The identity of bytes in storage, by which reads are shared and fragments are kept.

use std::ops::Range;

use crate::base::FileId;

/// A range of a file, as the file was in one opening.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::origin) struct Key {
    pub(super) opening: u64,
    pub(super) file: FileId,
    pub(super) range: Range<u64>,
}

impl Key {
    /// Number of bytes.
    pub(super) fn len(&self) -> u64 {
        self.range.end - self.range.start
    }
}
