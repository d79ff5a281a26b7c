//! Failures, as RFC 9457 writes them for machines.

use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::{CacheClass, ServiceBody};
use crate::base::{Error, ErrorKind, Group};

/// A failure that a client is told of.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// A stable word.
    code: &'static str,
    /// The client's own fault in words; of ours it learns the code alone.
    detail: Option<String>,
}

pub(super) const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, detail: None }
    }

    /// For caches; `None` for what they never keep.
    pub(super) fn class(&self) -> Option<CacheClass> {
        Some(match self.status {
            StatusCode::BAD_REQUEST => CacheClass::Malformed,
            StatusCode::FORBIDDEN => CacheClass::Refused,
            StatusCode::NOT_FOUND => CacheClass::NotFound,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => CacheClass::NotServed,
            StatusCode::INTERNAL_SERVER_ERROR => CacheClass::Broken,
            StatusCode::SERVICE_UNAVAILABLE => CacheClass::Busy,
            _ => return None,
        })
    }

    /// The response, without what policies add to it.
    pub(super) fn response(&self) -> Response<ServiceBody> {
        let text = self.text();
        let mut response = Response::new(ServiceBody::empty());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.reserve(8);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LENGTH, text.len().into());
        match self.status {
            StatusCode::METHOD_NOT_ALLOWED => drop(headers.insert(ALLOW, METHODS)),
            StatusCode::SERVICE_UNAVAILABLE => drop(headers.insert(RETRY_AFTER, 1.into())),
            _ => {}
        }
        *response.body_mut() = ServiceBody::text(text.into());
        response
    }

    fn text(&self) -> String {
        let Self { status, code, detail } = self;
        let status = status.as_u16();
        match detail {
            // It holds neither quotes nor backslashes.
            Some(detail) => {
                format!("{{\"status\":{status},\"code\":\"{code}\",\"detail\":\"{detail}\"}}\n")
            }
            None => format!("{{\"status\":{status},\"code\":\"{code}\"}}\n"),
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let kind: &ErrorKind = &error.kind;
        let status = StatusCode::from_u16(kind.status());
        let detail =
            (kind.group() == Group::Request).then(|| kind.to_string().replace(['"', '\\'], "'"));
        Self {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: kind.code(),
            detail,
        }
    }
}
