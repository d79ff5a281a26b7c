//! The bytes that were read to make an answer.

use std::ops::Range;

use bytes::Bytes;

use super::lent::Lent;
use crate::base::FileId;

/// A range that was read to make an answer.
#[derive(Debug)]
pub(in crate::origin) struct Looked {
    pub(in crate::origin) file: FileId,
    pub(in crate::origin) range: Range<u64>,
    pub(in crate::origin) bytes: Bytes,
    pub(in crate::origin) source: LookedIn,
}

/// Where the bytes of a look were.
#[derive(Debug)]
pub(in crate::origin) enum LookedIn {
    /// In the cache of fragments.
    Cache,
    /// In the store, from which they were read for all requests that wanted them.
    Store(Lent),
    /// In the store, for which reads are cheap: they are a small part of a fragment.
    Part,
}
