//! An answer of the page as a response: compressed, and with the headers that keep other pages out.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Response, StatusCode};
use hyper::Request;
use serde::Serialize;

use super::assets::Asset;
use super::failure::Failure;
use super::unsent::{Room, room};
use crate::site::SiteBody;

/// An answer of the page.
pub(super) struct Answer {
    status: StatusCode,
    media_type: &'static str,
    plain: Bytes,
    gzip: Option<Bytes>,
    etag: Option<HeaderValue>,
}

/// Scripts, styles, pictures and media come from this server alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; media-src 'self' data: blob:; connect-src 'self'; \
     worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SAFETY: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

const JSON: &str = "application/json";

/// A body of fewer bytes is sent as it is.
const SMALL: usize = 1024;

impl Answer {
    /// JSON, compressed if it is long. This takes as long as the text is, so that of many fragments is made by a
    /// thread that may wait.
    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        // Numbers, texts and lists alone: nothing that JSON could not have.
        let plain = Bytes::from(serde_json::to_vec(value).unwrap_or_default());
        let gzip = (plain.len() >= SMALL).then(|| compressed(&plain)).flatten();
        Self { status, media_type: JSON, plain, gzip, etag: None }
    }

    /// A sentence for people.
    pub(super) fn sentence(status: StatusCode, sentence: &'static str) -> Self {
        let plain = Bytes::from_static(sentence.as_bytes());
        Self { status, media_type: "text/plain; charset=utf-8", plain, gzip: None, etag: None }
    }

    /// Other methods than GET and HEAD.
    pub(super) fn not_allowed() -> Self {
        Self::sentence(StatusCode::METHOD_NOT_ALLOWED, "The page is only read: use GET or HEAD.")
    }

    /// A file of the page.
    pub(super) fn file(asset: Asset) -> Self {
        let Asset { media_type, etag, plain, gzip } = asset;
        let etag = HeaderValue::try_from(etag).ok();
        Self { status: StatusCode::OK, media_type, plain, gzip, etag }
    }

    /// Returns the response: this answer, or 503 if too many others wait to be sent.
    pub(super) fn into_response<B>(self, request: &Request<B>) -> Response<SiteBody> {
        match self.room(request) {
            Ok(room) => self.into_response_in(room, request),
            Err(busy) => busy.into_answer().into_response_in(None, request),
        }
    }

    /// Takes room for the body. Files of the page and sentences take none, because all clients share them.
    fn room<B>(&self, request: &Request<B>) -> Result<Room, Failure> {
        if self.media_type != JSON || *request.method() == Method::HEAD {
            return Ok(None);
        }
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip(request.headers()));
        room(gzip.unwrap_or(&self.plain).len()).map_err(|_| {
            let what = "too many answers of the page wait until their clients take them";
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, what).advise("ask again in a moment")
        })
    }

    fn into_response_in<B>(self, room: Room, request: &Request<B>) -> Response<SiteBody> {
        let has_gzip = self.gzip.is_some();
        let gzip = self.gzip.filter(|_| accepts_gzip(request.headers()));
        let is_compressed = gzip.is_some();
        let body = gzip.unwrap_or(self.plain);
        let is_known = self.etag.as_ref().is_some_and(|etag| {
            let asked = request.headers().get_all(IF_NONE_MATCH).iter();
            let mut tags = asked.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
            tags.any(|tag| strong(tag) == etag.as_bytes())
        });
        let mut headers = HeaderMap::new();
        for (name, value) in SAFETY {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let caching = match self.etag.is_some() {
            // A validator asks each time, so that a new build shows at once.
            true => "no-cache",
            false => "no-store",
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        if let Some(etag) = self.etag {
            headers.insert(ETAG, etag);
        }
        if has_gzip {
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        let (status, body) = match is_known {
            true => (StatusCode::NOT_MODIFIED, Bytes::new()),
            false => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
                headers.insert(CONTENT_LENGTH, body.len().into());
                if is_compressed {
                    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                }
                let is_head = request.method() == Method::HEAD;
                (self.status, if is_head { Bytes::new() } else { body })
            }
        };
        let mut response = Response::new(SiteBody::in_room(body, room));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

/// Returns a validator without the mark of a weak one.
fn strong(tag: &[u8]) -> &[u8] {
    let tag = tag.trim_ascii();
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

fn compressed(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    encoder.write_all(plain).ok()?;
    let gzip = encoder.finish().ok()?;
    (gzip.len() < plain.len()).then(|| gzip.into())
}

/// Returns whether a client takes gzip.
///
/// Spec: RFC 9110, 12.5.3.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut any = false;
    for coding in values.flat_map(|value| value.split(',')) {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
        let is_accepted = quality.is_ok_and(|quality: f32| quality > 0.0);
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            return is_accepted;
        }
        any |= name == "*" && is_accepted;
    }
    any
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use http_body::Body;

    use super::*;

    #[test]
    fn answers_that_nobody_takes_leave_no_room_for_more() {
        let request = Request::new(());
        let answer = || Answer {
            status: StatusCode::OK,
            media_type: JSON,
            plain: Bytes::from(vec![b' '; 24 << 20]),
            gzip: None,
            etag: None,
        };
        let mut waiting = [answer().into_response(&request), answer().into_response(&request)];
        let refused = answer().into_response(&request);
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[RETRY_AFTER], "1");
        assert!(!refused.body().is_end_stream(), "the refusal says why");

        let mut head = Request::new(());
        *head.method_mut() = Method::HEAD;
        assert_eq!(answer().into_response(&head).status(), StatusCode::OK);

        // A part that the system has not taken yet keeps the room of its answer.
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Some(Ok(part))) = Pin::new(waiting[0].body_mut()).poll_frame(&mut context)
        else {
            panic!("a body of bytes has parts");
        };
        let [first, _second] = waiting;
        drop(first);
        assert_eq!(answer().into_response(&request).status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(part);
        assert_eq!(answer().into_response(&request).status(), StatusCode::OK);
    }

    #[test]
    fn gzip_is_sent_to_clients_that_take_it() {
        for (value, wanted) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0, *", false),
            ("br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts_gzip(&headers), wanted, "{value}");
        }
    }
}
