//! `If-None-Match`, RFC 9110, 13.1.2.

use http::HeaderMap;
use http::header::IF_NONE_MATCH;

use super::{Current, entity_tag};

/// The client has these versions already.
pub(super) struct IfNoneMatch<'a>(&'a HeaderMap);

impl<'a> IfNoneMatch<'a> {
    /// Of a request that has the field.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        Self(headers)
    }

    /// By the weak comparison: the client has not this one.
    pub(super) fn is_met(&self, current: Current<'_>) -> bool {
        !self.0.get_all(IF_NONE_MATCH).iter().any(|field| {
            let field = field.as_bytes().trim_ascii();
            field == b"*" || entity_tag::list(field).any(|tag| tag.is_weakly(current.etag))
        })
    }
}
