//! `If-Match`, RFC 9110, 13.1.1.

use http::HeaderMap;
use http::header::IF_MATCH;

use super::Current;
use crate::presentation::entity_tag;

/// The condition that the current version is one of those listed.
pub(super) struct IfMatch<'a>(&'a HeaderMap);

impl<'a> IfMatch<'a> {
    /// The condition of a request that has the field.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        Self(headers)
    }

    /// Compares the tags by the strong comparison. A malformed tag matches nothing.
    pub(super) fn is_met(&self, current: Current<'_>) -> bool {
        self.0.get_all(IF_MATCH).iter().any(|field| {
            let field = field.as_bytes().trim_ascii();
            field == b"*" || entity_tag::list(field).any(|tag| tag.is_strongly(current.etag))
        })
    }
}
