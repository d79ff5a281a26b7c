//! Responses in words and in JSON.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};

use crate::site::SiteBody;

/// A response with a sentence.
pub(super) fn words(status: StatusCode, sentence: &str) -> Response<SiteBody> {
    of(status, "text/plain; charset=utf-8", format!("{sentence}\n"))
}

/// A response that must not be kept.
pub(super) fn of(
    status: StatusCode,
    media_type: &'static str,
    text: impl Into<Bytes>,
) -> Response<SiteBody> {
    let mut response = Response::new(SiteBody::from(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A response to a method that a path does not have.
pub(super) fn other_method(allowed: &'static str) -> Response<SiteBody> {
    let sentence = format!("this path takes {} alone", allowed.replace(", ", " and "));
    let mut response = words(StatusCode::METHOD_NOT_ALLOWED, &sentence);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
