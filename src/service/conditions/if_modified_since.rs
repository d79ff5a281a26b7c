//! `If-Modified-Since`, RFC 9110, 13.1.3.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::IF_MODIFIED_SINCE;

use super::{Current, date, only};

/// The client has what there was at this time.
pub(super) struct IfModifiedSince(SystemTime);

impl IfModifiedSince {
    /// `None` for what is no date, or more than one: it is ignored.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        only(headers, &IF_MODIFIED_SINCE).and_then(date).map(Self)
    }

    /// There was a change since, or nobody knows.
    pub(super) fn is_met(&self, current: Current<'_>) -> bool {
        current.modified.is_none_or(|modified| modified > self.0)
    }
}
