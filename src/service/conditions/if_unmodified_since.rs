//! `If-Unmodified-Since`, RFC 9110, 13.1.4.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::IF_UNMODIFIED_SINCE;

use super::{Current, date, only};

/// The condition that there was no change after this time.
pub(super) struct IfUnmodifiedSince(SystemTime);

impl IfUnmodifiedSince {
    /// Reads the field. `None` if it is not one date: then it is ignored.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        only(headers, &IF_UNMODIFIED_SINCE).and_then(date).map(Self)
    }

    /// Returns whether there was no change since. If the time of change is unknown, the field is
    /// ignored.
    pub(super) fn is_met(&self, current: Current<'_>) -> bool {
        current.modified.is_none_or(|modified| modified <= self.0)
    }
}
