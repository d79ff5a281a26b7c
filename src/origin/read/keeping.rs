//! Fragments that were read to make an answer, on their way into the cache.

use super::looked::{Looked, LookedIn};
use super::opened::Opened;

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

impl Opened {
    /// Keeps a fragment in the cache, if all of it was read. `is_ahead` if no request has asked for it.
    pub(in crate::origin) fn keep(&self, looked: &Looked, is_ahead: bool) -> Use {
        let lent = match &looked.source {
            LookedIn::Cache => return Use::Hit,
            LookedIn::Store(lent) => lent,
            LookedIn::Part => return Use::Part,
        };
        let Looked { file, range, .. } = looked;
        let whole = self.presentation().stored_around(*file, range.start);
        match (&self.shared().fragments, whole) {
            (Some(fragments), Some(whole))
                if whole.start == range.start && whole.end <= range.end =>
            {
                fragments.keep(self.key(*file, whole), lent, is_ahead);
                Use::Kept
            }
            _ => Use::Part,
        }
    }
}
