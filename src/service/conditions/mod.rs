//! Conditional requests: one header field per file, in the order of RFC 9110, 13.2.2.

mod if_match;
mod if_modified_since;
mod if_none_match;
mod if_range;
mod if_unmodified_since;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderName, HeaderValue};

use if_match::IfMatch;
use if_modified_since::IfModifiedSince;
use if_none_match::IfNoneMatch;
pub(super) use if_range::IfRange;
use if_unmodified_since::IfUnmodifiedSince;

/// The current version, with which the conditions of a request are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Current<'a> {
    /// The ETag with its quotes. It is strong.
    pub(super) etag: &'a [u8],
    /// Time of change in whole seconds, as header fields have it.
    pub(super) modified: Option<SystemTime>,
}

/// The outcome of the conditions of a GET or a HEAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The request is answered.
    Met,
    /// The client has the current version: 304.
    NotModified,
    /// The request must not be answered: 412.
    Failed,
}

/// The kinds of conditions that a request has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Present {
    if_match: bool,
    if_unmodified_since: bool,
    if_none_match: bool,
    if_modified_since: bool,
}

impl Present {
    /// Takes note of the name of a field.
    #[inline]
    pub(super) fn note(&mut self, name: &HeaderName) {
        self.if_match |= *name == IF_MATCH;
        self.if_unmodified_since |= *name == IF_UNMODIFIED_SINCE;
        self.if_none_match |= *name == IF_NONE_MATCH;
        self.if_modified_since |= *name == IF_MODIFIED_SINCE;
    }

    /// Returns whether there is any.
    pub(super) fn any(self) -> bool {
        self != Self::default()
    }
}

/// Evaluates conditions by RFC 9110, 13.2.2, steps 1 to 4.
pub(super) fn evaluate(present: Present, headers: &HeaderMap, current: Current<'_>) -> Verdict {
    let is_failed = match present {
        Present { if_match: true, .. } => !IfMatch::of(headers).is_met(current),
        Present { if_unmodified_since: true, .. } => {
            IfUnmodifiedSince::of(headers).is_some_and(|condition| !condition.is_met(current))
        }
        _ => false,
    };
    if is_failed {
        return Verdict::Failed;
    }
    let is_new = match present {
        Present { if_none_match: true, .. } => IfNoneMatch::of(headers).is_met(current),
        Present { if_modified_since: true, .. } => {
            IfModifiedSince::of(headers).is_none_or(|condition| condition.is_met(current))
        }
        _ => true,
    };
    if is_new { Verdict::Met } else { Verdict::NotModified }
}

/// Returns a time in whole seconds, as header fields have it.
pub(super) fn whole_seconds(time: SystemTime) -> Option<SystemTime> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(since.as_secs()))
}

/// Returns the value of a field that has one value; `None` if it has several lines.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut lines = headers.get_all(name).iter();
    lines.next().filter(|_| lines.next().is_none())
}

/// Reads a date in any of the three formats of RFC 9110, 5.6.7.
fn date(field: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(field.to_str().ok()?.trim()).ok()
}
