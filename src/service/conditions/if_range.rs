//! `If-Range`, RFC 9110, 13.1.5.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::IF_RANGE;

use super::{Current, date, only};
use crate::presentation::entity_tag::EntityTag;

/// The condition that a range is of this version. Of another version, the whole is sent.
pub(in crate::service) struct IfRange<'a>(&'a HeaderMap);

/// Age from which a time of change distinguishes versions (8.8.2.2).
const STRONG_AFTER: Duration = Duration::from_secs(1);

impl<'a> IfRange<'a> {
    pub(in crate::service) fn of(headers: &'a HeaderMap) -> Option<Self> {
        headers.contains_key(IF_RANGE).then_some(Self(headers))
    }

    /// Compares a tag by the strong comparison, and a date exactly. Two values never match.
    pub(in crate::service) fn is_met(&self, current: Current<'_>, now: SystemTime) -> bool {
        let Some(field) = only(self.0, &IF_RANGE) else { return false };
        if let Some((tag, rest)) = EntityTag::read(field.as_bytes().trim_ascii()) {
            return rest.is_empty() && tag.is_strongly(current.etag);
        }
        let is_strong = |modified| now.duration_since(modified).is_ok_and(|age| age > STRONG_AFTER);
        current
            .modified
            .is_some_and(|modified| date(field) == Some(modified) && is_strong(modified))
    }
}
