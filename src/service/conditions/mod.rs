//! Conditional requests: one header field a file, in the order of RFC 9110, 13.2.2.

mod entity_tag;
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

/// What the conditions of a request are compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Current<'a> {
    /// With its quotes. Strong, as all of ours are.
    pub(super) etag: &'a [u8],
    /// In whole seconds, as the header fields have it.
    pub(super) modified: Option<SystemTime>,
}

/// What the conditions of a GET or a HEAD come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The request is answered.
    Met,
    /// 304.
    NotModified,
    /// 412.
    Failed,
}

/// Returns whether a field is a condition.
pub(super) fn is_condition(name: &HeaderName) -> bool {
    [IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_MATCH, IF_UNMODIFIED_SINCE].contains(name)
}

/// RFC 9110, 13.2.2, steps 1 to 4.
pub(super) fn evaluate(headers: &HeaderMap, current: Current<'_>) -> Verdict {
    match IfMatch::of(headers) {
        Some(condition) if !condition.is_met(current) => return Verdict::Failed,
        Some(_) => {}
        None => {
            if IfUnmodifiedSince::of(headers).is_some_and(|condition| !condition.is_met(current)) {
                return Verdict::Failed;
            }
        }
    }
    let is_new = match IfNoneMatch::of(headers) {
        Some(condition) => condition.is_met(current),
        None => IfModifiedSince::of(headers).is_none_or(|condition| condition.is_met(current)),
    };
    if is_new { Verdict::Met } else { Verdict::NotModified }
}

/// A time without what a header field cannot hold.
pub(super) fn whole_seconds(time: SystemTime) -> Option<SystemTime> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(since.as_secs()))
}

/// The value of a field that has one value: of several lines none is it.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut lines = headers.get_all(name).iter();
    lines.next().filter(|_| lines.next().is_none())
}

/// A date in any of the three formats of RFC 9110, 5.6.7.
fn date(field: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(field.to_str().ok()?.trim()).ok()
}
