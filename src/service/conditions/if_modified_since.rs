//! `If-Modified-Since`, RFC 9110, 13.1.3.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::IF_MODIFIED_SINCE;

use super::{Current, date, only};

/// The condition that there was a change after this time.
pub(super) struct IfModifiedSince(SystemTime);

impl IfModifiedSince {
    /// Reads the field. `None` if it is not one date: then it is ignored.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        only(headers, &IF_MODIFIED_SINCE).and_then(date).map(Self)
    }

    /// Returns whether there was a change since, or the time of change is unknown.
    pub(super) fn is_met(&self, current: Current<'_>) -> bool {
        current.modified.is_none_or(|modified| modified > self.0)
    }
}
