//! The answer to a plain GET, with a head that was prepared as bytes.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, ETAG};
use http::{HeaderMap, HeaderName};

use super::resource;
use crate::origin::Served;
use crate::presentation::{Reply, ReplyClass, Validator};
use crate::service::fields::{DIGITS, digits};
use crate::service::policy::class_of;
use crate::service::prepared::{Prepared, Text};
use crate::service::reply_fields::prepared;
use crate::service::{CacheClass, OriginService, ServiceBody};

impl OriginService {
    /// Answers a plain GET of a manifest, a playlist or a fragment, if there is nothing to wait for, and appends
    /// the header fields of the response to `fields`, as lines of HTTP/1.1. The status of the response
    /// is 200. Returns `None`, and appends nothing, if the request must be answered by
    /// [`respond`](Self::respond). That one would give the same response, from a
    /// [`Request`](http::Request) that takes longer to make and with a [`HeaderMap`] that takes longer
    /// to write.
    ///
    /// A GET is plain if it has no `Range` field and no condition (`If-Match`, `If-None-Match`,
    /// `If-Modified-Since`, `If-Unmodified-Since`). The host has checked it, as RFC 9112 requires. `path`
    /// is the path of its URL, percent-encoded; a URL with a query is left to `respond`.
    /// `accept_encoding` is the value of its `Accept-Encoding` field, or empty if it has none.
    ///
    /// The fields include `Content-Length`, and end with a line feed. `Date` and `Connection` are left
    /// to the host, as in every response of the service.
    ///
    /// ```
    /// # #[cfg(feature = "fs")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use smooth_origin::origin::{Origin, block_on};
    /// # use smooth_origin::service::OriginService;
    /// # use smooth_origin::storage::LocalStore;
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
    /// let service = OriginService::new(Origin::new(LocalStore::new(root)?));
    /// let path = "/ffmpeg/ffmpeg.ism/Manifest";
    /// // The presentation is not open yet.
    /// assert!(service.respond_plain(path, b"", &mut Vec::new()).is_none());
    /// let request = http::Request::get(format!("http://localhost{path}")).body(())?;
    /// block_on(service.respond(&request));
    ///
    /// let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
    /// let body = service.respond_plain(path, b"gzip", &mut head);
    /// assert!(body.is_some());
    /// assert!(head.starts_with(b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.ms-sstr+xml\r\n"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "fs"))]
    /// # fn main() {}
    /// ```
    pub fn respond_plain(
        &self,
        path: &str,
        accept_encoding: &[u8],
        fields: &mut Vec<u8>,
    ) -> Option<ServiceBody> {
        if self.differs_by_request() {
            return None;
        }
        let (opened, reply) = self.inner.origin.reply_now(path, self.inner.options.outputs)?;
        let representation = *reply.representation();
        // Some files are of the edge of a live presentation, and the others are not.
        if class_of(&representation) == CacheClass::LiveEdge {
            return None;
        }
        let prepared = prepared(&opened)?;
        let is_text = representation.class() == ReplyClass::Text;
        let text = if is_text { Some(prepared.text(&representation)?) } else { None };
        let form = text.and_then(|text| self.form_of(&reply, text, accept_encoding));
        let coding = form.as_ref().map(|(coding, _)| *coding);
        let write = || {
            let length = form.as_ref().map_or(reply.length(), |(_, form)| form.len() as u64);
            lines(&self.describe(&reply, Some(prepared), coding, length), is_text)
        };
        let lines = match text {
            Some(text) => text.lines(self.inner.id, coding, write)?,
            None => prepared.media_lines(self.inner.id, &representation, write)?,
        };
        let own = (!is_text).then(|| (reply.length(), reply.validator()));
        let body = match form {
            Some((_, form)) => resource::Content::Text(form),
            None => resource::Content::Served(Served::of(Arc::clone(&opened), reply)),
        };
        // An error is made by `respond`.
        body.admit().ok()?;
        fields.extend_from_slice(lines);
        if let Some((length, validator)) = own {
            write_own(fields, length, prepared, validator);
        }
        Some(body.into_body())
    }

    /// Returns whether responses with one content differ between requests: by the site whose page asks,
    /// by the path, by the name that was asked for, or by what a live presentation has of sparse streams.
    fn differs_by_request(&self) -> bool {
        let caching = self.inner.options.caching.as_ref();
        self.inner.options.requested
            || self.inner.options.sparse_pointers.is_some()
            || self.asks_for_site()
            || caching.is_some_and(|caching| caching.has_paths())
    }

    #[cfg(feature = "compression")]
    fn form_of(
        &self,
        reply: &Reply,
        text: Text<'_>,
        accept_encoding: &[u8],
    ) -> Option<(&'static str, Bytes)> {
        use crate::service::content_coding::ContentCoding;
        if accept_encoding.is_empty() {
            return None;
        }
        let accepted = ContentCoding::accepted_by(accept_encoding);
        self.compressed_in(reply, text, accepted)
    }

    #[cfg(not(feature = "compression"))]
    fn form_of(&self, _: &Reply, _: Text<'_>, _: &[u8]) -> Option<(&'static str, Bytes)> {
        None
    }
}

/// Writes header fields as lines; those of media without the two in which fragments differ.
fn lines(fields: &HeaderMap, is_text: bool) -> Box<[u8]> {
    let is_own = |name: &HeaderName| [CONTENT_LENGTH, ETAG].contains(name);
    let mut lines = Vec::new();
    for (name, value) in fields {
        if is_text || !is_own(name) {
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(value.as_bytes());
            lines.extend_from_slice(b"\r\n");
        }
    }
    lines.into()
}

/// Appends the two fields in which fragments differ.
fn write_own(fields: &mut Vec<u8>, length: u64, prepared: &Prepared, validator: Validator) {
    let mut etag = validator.text_after(&prepared.content);
    let etag = etag.quoted();
    let mut room = [0; DIGITS];
    let length = digits(length, &mut room);
    for part in [b"content-length: ", length, b"\r\netag: ", etag, b"\r\n"] {
        fields.extend_from_slice(part);
    }
}
