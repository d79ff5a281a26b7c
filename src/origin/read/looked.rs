//! The bytes that were read to make an answer.

use std::ops::Range;

use bytes::Bytes;

use super::lent::Lent;
use super::opened::Opened;
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

/// The use that a look has for later requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::origin) enum Use {
    /// It had the whole fragment, which was in the cache.
    Hit,
    /// It read the whole fragment, which is in the cache now.
    Kept,
    /// It had a part of the fragment.
    Part,
}

impl Looked {
    /// Keeps the fragment in the cache, if this is all of it. `is_ahead` if no request has asked for it.
    pub(in crate::origin) fn keep(&self, opened: &Opened, is_ahead: bool) -> Use {
        let lent = match &self.source {
            LookedIn::Cache => return Use::Hit,
            LookedIn::Store(lent) => lent,
            LookedIn::Part => return Use::Part,
        };
        let whole = opened.presentation().stored_around(self.file, self.range.start);
        match (&opened.shared().fragments, whole) {
            (Some(fragments), Some(whole))
                if whole.start == self.range.start && whole.end <= self.range.end =>
            {
                fragments.keep(opened.key(self.file, whole), lent, is_ahead);
                Use::Kept
            }
            _ => Use::Part,
        }
    }
}
