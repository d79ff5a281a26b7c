//! Failures in the form of RFC 9457.

use std::time::Duration;

use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::json::escaped;
use super::{CacheClass, Failure, ServiceBody};
use crate::base::{Error, ErrorKind, Name, ReadError};
use crate::storage::slow_down;

/// A failure as it is reported to a client.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// A stable word.
    code: &'static str,
    /// The failure in a sentence without any name of a file.
    detail: Option<String>,
    /// A sentence for the host alone, if there is no detail.
    cause: Option<String>,
    /// Seconds for `Retry-After`, used with 503.
    retry_after: u64,
    /// The missing thing may be there at any moment.
    is_awaited: bool,
}

/// Most characters of a detail. A longer one is cut, because it may quote a document.
const MAX_DETAIL: usize = 300;

pub(super) const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, detail: None, cause: None, retry_after: 1, is_awaited: false }
    }

    /// A malformed request: 400 with a sentence.
    pub(super) fn malformed(detail: &str) -> Self {
        let (status, code) = (StatusCode::BAD_REQUEST, "malformed-request");
        Self { detail: Some(detail.into()), ..Self::new(status, code) }
    }

    /// Adds a sentence for the client.
    #[cfg(feature = "live")]
    pub(super) fn saying(self, detail: &str) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Adds a sentence for the host. The client does not get it.
    pub(super) fn because(self, cause: String) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// Says whether what is not there may be there at any moment.
    pub(super) fn awaited_if(self, is_awaited: bool) -> Self {
        Self { is_awaited, ..self }
    }

    /// Returns the cause of the failure for the host.
    pub(super) fn failure(&self, presentation: Option<Name>) -> Failure {
        let detail = self.detail.as_ref().or(self.cause.as_ref());
        Failure::of_request(self.code, detail.cloned(), presentation)
    }

    /// The class of the response for caches; `None` if they never keep it.
    pub(super) fn class(&self) -> Option<CacheClass> {
        Some(match self.status {
            StatusCode::BAD_REQUEST => CacheClass::Malformed,
            StatusCode::FORBIDDEN => CacheClass::Refused,
            StatusCode::NOT_FOUND if self.is_awaited => CacheClass::LiveEdge,
            StatusCode::NOT_FOUND | StatusCode::GONE => CacheClass::NotFound,
            // Any other 412 is about the request's conditions.
            StatusCode::PRECONDITION_FAILED if self.code == ErrorKind::NotYet.code() => {
                CacheClass::LiveEdge
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => CacheClass::NotServed,
            StatusCode::INTERNAL_SERVER_ERROR => CacheClass::Broken,
            StatusCode::SERVICE_UNAVAILABLE => CacheClass::Busy,
            _ => return None,
        })
    }

    /// The response without the fields that policies add.
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
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, self.retry_after.into());
            }
            _ => {}
        }
        *response.body_mut() = ServiceBody::text(text.into());
        response
    }

    fn text(&self) -> String {
        let Self { status, code, detail, .. } = self;
        let status = status.as_u16();
        match detail {
            Some(detail) => {
                let detail = escaped(detail);
                format!("{{\"status\":{status},\"code\":\"{code}\",\"detail\":\"{detail}\"}}\n")
            }
            None => format!("{{\"status\":{status},\"code\":\"{code}\"}}\n"),
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let status = StatusCode::from_u16(error.kind.status());
        Self {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: error.kind.code(),
            detail: error.public().map(cut),
            cause: None,
            retry_after: error.settles_in().or_else(|| asked_to_wait(error)).map_or(1, seconds),
            is_awaited: false,
        }
    }
}

/// Returns the time for which the storage wants no request, if it said so. The storage is asked again long
/// before the end of a long time, and so are we.
fn asked_to_wait(error: &Error) -> Option<Duration> {
    let ErrorKind::Read(ReadError { source: Some(source), .. }) = &error.kind else { return None };
    Some(slow_down(source)?.retry_after?.min(LONGEST_WAIT))
}

/// The longest time for which a client is asked to wait because the storage wants no request.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Rounds up to whole seconds, at least one, but treats 1.01 s as one second, because a client
/// takes some time as well.
fn seconds(wait: Duration) -> u64 {
    let wait = wait.saturating_sub(Duration::from_millis(50));
    wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1)
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_DETAIL) {
        let last = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        text.truncate(last);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_as_none() {
        let millis = [(0, 1), (1, 1), (1010, 1), (1500, 2), (2010, 2), (60_000, 60)];
        for (wait, told) in millis {
            assert_eq!(seconds(Duration::from_millis(wait)), told, "{wait}");
        }
    }

    #[test]
    fn a_long_detail_is_cut_between_characters() {
        for (len, expected) in [(299, 299), (300, 300), (301, 300), (5000, 300)] {
            let cut = cut("é".repeat(len));
            assert_eq!((cut.chars().count(), cut.ends_with('…')), (expected, len > 300), "{len}");
        }
    }
}
