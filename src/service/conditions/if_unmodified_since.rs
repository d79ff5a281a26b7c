//! `If-Unmodified-Since`, RFC 9110, 13.1.4.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::IF_UNMODIFIED_SINCE;

use super::{Current, date, only};

/// The request is for what there was at this time alone.
pub(super) struct IfUnmodifiedSince(SystemTime);

impl IfUnmodifiedSince {
    /// `None` for what is no date, or more than one: it is ignored.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        only(headers, &IF_UNMODIFIED_SINCE).and_then(date).map(Self)
    }

    /// There was no change since. Where nobody knows, the field is ignored.
    pub(super) fn is_met(&self, current: Current<'_>) -> bool {
        current.modified.is_none_or(|modified| modified <= self.0)
    }
}
