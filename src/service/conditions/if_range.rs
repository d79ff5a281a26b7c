//! `If-Range`, RFC 9110, 13.1.5.

use std::time::{Duration, SystemTime};

use http::header::IF_RANGE;
use http::{HeaderMap, HeaderValue};

use super::entity_tag::EntityTag;
use super::{Current, date};

/// A range is wanted of this version; of any other, the whole.
pub(in crate::service) struct IfRange<'a>(&'a HeaderValue);

/// A time of change tells versions apart when it is so long ago (8.8.2.2).
const STRONG_AFTER: Duration = Duration::from_secs(1);

impl<'a> IfRange<'a> {
    pub(in crate::service) fn of(headers: &'a HeaderMap) -> Option<Self> {
        headers.get(IF_RANGE).map(Self)
    }

    /// A tag by the strong comparison, a date exactly.
    pub(in crate::service) fn is_met(&self, current: Current<'_>, now: SystemTime) -> bool {
        if let Some((tag, rest)) = EntityTag::read(self.0.as_bytes().trim_ascii()) {
            return rest.is_empty() && tag.is_strongly(current.etag);
        }
        let is_strong = |modified| now.duration_since(modified).is_ok_and(|age| age > STRONG_AFTER);
        current
            .modified
            .is_some_and(|modified| date(self.0) == Some(modified) && is_strong(modified))
    }
}
