//! Header fields for caches.

use http::header::{CACHE_CONTROL, ETAG, VARY};
use http::{HeaderMap, HeaderValue};

use super::{CacheClass, OriginService};
use crate::presentation::{Liveness, ReplyClass, Representation};

impl OriginService {
    /// Adds the fields for caches.
    pub(super) fn add_policy(
        &self,
        class: CacheClass,
        path: &str,
        surrogate_key: Option<&HeaderValue>,
        fields: &mut HeaderMap,
    ) {
        self.add_class_policy(class, surrogate_key, fields);
        if let Some(control) = self.control_of(class, path) {
            fields.insert(CACHE_CONTROL, control.clone());
        }
    }

    /// Adds the fields for caches that do not depend on the path.
    pub(super) fn add_class_policy(
        &self,
        class: CacheClass,
        surrogate_key: Option<&HeaderValue>,
        fields: &mut HeaderMap,
    ) {
        let Some(caching) = &self.inner.options.caching else { return };
        fields.insert(CACHE_CONTROL, caching.of_class(class).clone());
        if let (Some(name), Some(key)) = (caching.surrogate_key_name(), surrogate_key) {
            fields.insert(name.clone(), key.clone());
        }
    }

    /// Returns the `Cache-Control` that the options have for this path, if any.
    pub(super) fn control_of(&self, class: CacheClass, path: &str) -> Option<&HeaderValue> {
        self.inner.options.caching.as_ref()?.of_path(class, path)
    }

    /// Returns those of the fields that a 304 has (RFC 9110, 15.4.5).
    pub(super) fn told_again(&self, mut fields: HeaderMap) -> HeaderMap {
        let caching = self.inner.options.caching.as_ref();
        let mut again = HeaderMap::new();
        for name in [ETAG, VARY, CACHE_CONTROL] {
            again.extend(fields.remove(&name).map(|value| (name, value)));
        }
        if let Some(name) = caching.and_then(|caching| caching.surrogate_key_name()) {
            again.extend(fields.remove(name).map(|value| (name.clone(), value)));
        }
        again
    }
}

/// Returns the class of a reply for caches. An initialization segment stays the same as long as the
/// segments do.
#[inline]
pub(super) fn class_of(representation: &Representation) -> CacheClass {
    match (representation.class(), representation.liveness()) {
        (ReplyClass::Text, Liveness::Final) => CacheClass::Manifest,
        (ReplyClass::Text, Liveness::Live | Liveness::Ahead) => CacheClass::LiveManifest,
        (ReplyClass::Media | ReplyClass::Init, Liveness::Final) => CacheClass::Fragment,
        (ReplyClass::Media | ReplyClass::Init, Liveness::Live) => CacheClass::LiveFragment,
        (ReplyClass::Media | ReplyClass::Init, Liveness::Ahead) => CacheClass::LiveEdge,
        (ReplyClass::File, _) => CacheClass::File,
    }
}
