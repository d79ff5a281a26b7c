//! The writes to an archive.

use bytes::Bytes;

use super::point_record::PointRecord;
use crate::base::Name;

/// Something that is to be written to the archive of an event, after all before it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveWrite {
    /// Bytes at this offset of a file. What the file has there and behind is replaced.
    Append {
        /// The file.
        name: Name,
        /// Offset of the first of the bytes: the length of the file, or less.
        offset: u64,
        /// The bytes; without any, the file is cut.
        bytes: Bytes,
    },
    /// A whole file, in place of one of the same name, at once.
    Put {
        /// The file.
        name: Name,
        /// All of its bytes.
        content: Bytes,
    },
    /// The last event of this record has ended: from now on, beside the writes behind this one, its journal may be read back,
    /// and the writes of a [`Closing`](super::Closing) be made.
    Close {
        /// The record as it was when the event went on.
        record: Box<PointRecord>,
    },
}

impl ArchiveWrite {
    /// The bytes that are to be written.
    pub fn len(&self) -> u64 {
        match self {
            Self::Append { bytes, .. } => bytes.len() as u64,
            Self::Put { content, .. } => content.len() as u64,
            Self::Close { .. } => 0,
        }
    }
}
