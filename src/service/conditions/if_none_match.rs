//! `If-None-Match`, RFC 9110, 13.1.2.

use http::HeaderMap;
use http::header::IF_NONE_MATCH;

use super::Current;
use crate::presentation::entity_tag;

/// The condition that the current version is none of those that the client has.
pub(super) struct IfNoneMatch<'a>(&'a HeaderMap);

impl<'a> IfNoneMatch<'a> {
    /// The condition of a request that has the field.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        Self(headers)
    }

    /// Compares the tags by the weak comparison. The condition is met if the client has another
    /// version.
    pub(super) fn is_met(&self, current: Current<'_>) -> bool {
        !self.0.get_all(IF_NONE_MATCH).iter().any(|field| {
            let field = field.as_bytes().trim_ascii();
            field == b"*" || entity_tag::list(field).any(|tag| tag.is_weakly(current.etag))
        })
    }
}
