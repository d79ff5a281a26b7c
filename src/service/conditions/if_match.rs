//! `If-Match`, RFC 9110, 13.1.1.

use http::HeaderMap;
use http::header::IF_MATCH;

use super::{Current, entity_tag};

/// The request is for one of these versions alone.
pub(super) struct IfMatch<'a>(&'a HeaderMap);

impl<'a> IfMatch<'a> {
    /// Of a request that has the field.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        Self(headers)
    }

    /// By the strong comparison. What is no tag matches nothing.
    pub(super) fn is_met(&self, current: Current<'_>) -> bool {
        self.0.get_all(IF_MATCH).iter().any(|field| {
            let field = field.as_bytes().trim_ascii();
            field == b"*" || entity_tag::list(field).any(|tag| tag.is_strongly(current.etag))
        })
    }
}
