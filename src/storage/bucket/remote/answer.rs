//! Answers of a store over HTTP that are not what was asked for, and what they mean.

use std::fmt;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use http::header::{
    AGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION,
    RETRY_AFTER,
};
use http::{Method, StatusCode};

use super::super::problem::{NO_LENGTH, NO_RANGES, Problem};
use crate::storage::SlowDown;

/// A request as far as its answer depends on it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// The path ends in these words if it is of a page.
    pub(super) path: String,
    pub(super) is_ranged: bool,
    /// A server of files, on which a folder is a page and a name may lead to another place.
    pub(super) is_plain: bool,
}

/// The longest time for which a store is left alone because it asks for that.
const LONGEST_RETRY: Duration = Duration::from_secs(600);

/// Clocks that differ by no more than this are right: Azure and S3 accept 15 minutes.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// Returns the problem of an answer whose status is no success, with the beginning of its body. `now` is
/// the time by the clock of this machine.
pub(super) fn refused(
    asked: &Asked,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: SystemTime,
) -> Problem {
    let code = code(headers, body);
    if let Some(problem) = code.as_deref().and_then(|code| of_code(code, body)) {
        return problem;
    }
    let is_refusal = matches!(status.as_u16(), 400 | 401 | 403);
    // Nothing that is sent to a server of files depends on the time.
    if is_refusal && !asked.is_plain && has_other_clock(headers, now) {
        return other(OTHER_CLOCK);
    }
    if code.as_deref().is_some_and(is_of_signature) {
        return other(
            "the store does not accept the credentials: check the secret key, the token, and the clock of this machine",
        );
    }
    let named = code.map_or_else(String::new, |code| format!(", code {code}"));
    let told = |kind, sentence: &str| Problem::told(kind, sentence);
    match status.as_u16() {
        301 | 302 | 303 | 307 | 308 => redirected(asked, status, headers),
        404 | 410 => Problem::Missing,
        412 => Problem::Changed,
        416 => Problem::Range,
        429 | 503 => Problem::SlowDown(SlowDown::new(retry_after(headers, now))),
        // Says nothing about the object, as all that the credentials are the reason of.
        401 => other(format!(
            "the store does not accept the credentials (status 401{named}): check that they are right and have not expired"
        )),
        403 => told(
            ErrorKind::PermissionDenied,
            &format!(
                "the store refuses access (status 403{named}): check the rights of the credentials; some stores also say so of a missing object if the credentials may not list"
            ),
        ),
        // What WebDAV says of a folder (RFC 4918, 9.4).
        405 if asked.is_plain && asked.is_ranged => {
            told(ErrorKind::IsADirectory, "the name is that of a folder")
        }
        405 | 501 => told(
            ErrorKind::Unsupported,
            &format!(
                "the store does not know this request ({}, status {})",
                asked.method,
                status.as_u16()
            ),
        ),
        408 | 504 => told(ErrorKind::TimedOut, "the store, or a proxy before it, ran out of time"),
        status => other(format!("the store failed (status {status}{named})")),
    }
}

/// The meanings of the codes of the stores. Texts beside them are not passed on.
fn of_code(code: &str, text: &[u8]) -> Option<Problem> {
    // Azure has one code for all, and a text in which the reason stands.
    let has = |words: &str| memchr::memmem::find(text, words.as_bytes()).is_some();
    Some(match code {
        "NoSuchBucket" | "ContainerNotFound" | "InvalidBucketName" => Problem::NoBucket,
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => other(EXPIRED),
        _ if is_of_signature(code) && has("not valid in the specified time frame") => {
            other(EXPIRED)
        }
        "InvalidAuthenticationInfo" if has("expired") => other(EXPIRED),
        "InvalidAccessKeyId" => {
            other("the store does not know the access key: check its name and the endpoint")
        }
        "RequestTimeTooSkewed" => other(OTHER_CLOCK),
        _ if is_of_signature(code) && has("date header too old") => other(OTHER_CLOCK),
        "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            other("the credentials are for another region: set AWS_REGION to that of the bucket")
        }
        "KeyTooLongError" | "OutOfRangeInput" | "InvalidResourceName" | "InvalidUri" => {
            Problem::told(
                ErrorKind::InvalidFilename,
                "the store cannot have an object of this name",
            )
        }
        _ => return None,
    })
}

fn is_of_signature(code: &str) -> bool {
    matches!(
        code,
        "SignatureDoesNotMatch" | "AuthenticationFailed" | "AuthorizationFailure" | "InvalidToken"
    )
}

const EXPIRED: &str = "the credentials have expired: renew them; those of the environment are read at the \
     start, those of a file (AWS_SHARED_CREDENTIALS_FILE, AZURE_STORAGE_SAS_TOKEN_FILE) again and again";

const OTHER_CLOCK: &str =
    "the clock of this machine and that of the store differ too much: set the clock";

fn other(sentence: impl Into<String>) -> Problem {
    Problem::told(ErrorKind::Other, sentence)
}

/// Compares the clocks, if the answer comes from the store itself and not from a cache.
fn has_other_clock(headers: &HeaderMap, now: SystemTime) -> bool {
    let Some(theirs) = date(headers, DATE).filter(|_| !headers.contains_key(AGE)) else {
        return false;
    };
    let difference = match now.duration_since(theirs) {
        Ok(behind) => behind,
        Err(ahead) => ahead.duration(),
    };
    difference > SKEW
}

/// Reads an HTTP date (RFC 9110, 5.6.7).
pub(super) fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok()
}

fn redirected(asked: &Asked, status: StatusCode, headers: &HeaderMap) -> Problem {
    let region = HeaderName::from_static("x-amz-bucket-region");
    if let Some(region) = headers.get(region).and_then(|value| word(value.as_bytes())) {
        return other(format!("the bucket is in the region {region}: set AWS_REGION to it"));
    }
    let target = headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = target.split(['?', '#']).next().unwrap_or_default();
    if asked.is_plain && path.ends_with('/') {
        return Problem::told(ErrorKind::IsADirectory, "the name is that of a folder");
    }
    other(format!(
        "the store redirects to another place (status {}), and redirects are not followed: give the \
         endpoint that answers itself",
        status.as_u16()
    ))
}

/// Checks an answer that is a success. Returns how many bytes it has, if it is ranged.
pub(super) fn checked(
    asked: &Asked,
    wanted: Option<&RangeHeader>,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<u64>, Problem> {
    let is_of = |kind: &[u8]| {
        let value = headers.get(CONTENT_TYPE).map(|value| value.as_bytes().to_ascii_lowercase());
        value.is_some_and(|value| value.starts_with(kind))
    };
    let is_page = is_of(b"text/html");
    let may_be_page = asked.path.ends_with(".html") || asked.path.ends_with(".htm");
    let gets_object = asked.is_ranged || asked.method == Method::HEAD;
    if asked.is_plain && gets_object && is_page && !may_be_page {
        return Err(Problem::told(
            ErrorKind::IsADirectory,
            "the server answers with a page (text/html) and not with a file: the name may be that of a folder, or the server may want a login",
        ));
    }
    let Some(wanted) = wanted else { return Ok(None) };
    let unsupported = |sentence: &str| Err(Problem::told(ErrorKind::Unsupported, sentence));
    if status != StatusCode::PARTIAL_CONTENT {
        return unsupported(NO_RANGES);
    }
    let Some(value) = headers.get(CONTENT_RANGE) else { return unsupported(NO_RANGES) };
    // Its body has boundaries and headers among the bytes (RFC 9110, 15.3.7.2).
    if is_of(b"multipart/") {
        return Err(other(
            "the store answers a request for one range with several parts (Content-Type: multipart/…): \
             if that goes on, look at the proxy or cache before it, or set the object's type to video/mp4",
        ));
    }
    let Some((range, size)) = value.to_str().ok().and_then(content_range) else {
        return unsupported(NO_LENGTH);
    };
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let Some(length) = length.and_then(|value| value.parse::<u64>().ok()) else {
        return unsupported(NO_LENGTH);
    };
    // No overflow: the end is less than the size.
    let len = range.end() - range.start() + 1;
    if len != length || !wanted.is_answered_by(&range, size) {
        return Err(other(format!(
            "the store gives bytes {}-{} of {size} for {wanted}, in {length} bytes",
            range.start(),
            range.end()
        )));
    }
    Ok(Some(len))
}

/// The value of `Range`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RangeHeader {
    Bounded(RangeInclusive<u64>),
    From(u64),
    Suffix(u64),
}

impl RangeHeader {
    /// Reads what `object_store` writes: one range.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
        match (first, last) {
            ("", last) => last.parse().ok().map(Self::Suffix),
            (first, "") => first.parse().ok().map(Self::From),
            (first, last) => Some(Self::Bounded(first.parse().ok()?..=last.parse().ok()?)),
        }
    }

    fn is_answered_by(&self, range: &RangeInclusive<u64>, size: u64) -> bool {
        // The size is not zero: the range lies in it.
        let expected = match self {
            Self::Bounded(wanted) => *wanted.start()..=*wanted.end().min(&(size - 1)),
            Self::From(start) => *start..=size - 1,
            Self::Suffix(len) => size.saturating_sub(*len)..=size - 1,
        };
        expected == *range
    }
}

impl fmt::Display for RangeHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bounded(range) => write!(f, "bytes {} to {}", range.start(), range.end()),
            Self::From(start) => write!(f, "all bytes from {start} on"),
            Self::Suffix(len) => write!(f, "the last {len} bytes"),
        }
    }
}

/// Reads `bytes 0-9/100`: a range, not empty, and the size in which it lies.
fn content_range(value: &str) -> Option<(RangeInclusive<u64>, u64)> {
    let (range, size) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, size): (u64, u64, u64) =
        (first.parse().ok()?, last.parse().ok()?, size.parse().ok()?);
    (first <= last && last < size).then_some((first..=last, size))
}

/// Reads `Retry-After`: seconds, or a time (RFC 9110, 10.2.3) by the clock of the store.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let asked_for = if is_number {
        // A number that is too large is a long time.
        value.parse().map_or(Duration::MAX, Duration::from_secs)
    } else {
        let now = date(headers, DATE).unwrap_or(now);
        date(headers, RETRY_AFTER)?.duration_since(now).unwrap_or_default()
    };
    Some(asked_for.min(LONGEST_RETRY))
}

/// The code of an error: Azure has it in a header, S3 and Google in the body.
fn code(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if let Some(value) = headers.get(HeaderName::from_static("x-ms-error-code")) {
        return word(value.as_bytes());
    }
    let text = String::from_utf8_lossy(body);
    let (_, rest) = text.split_once("<Code>")?;
    word(rest.split_once("</Code>")?.0.as_bytes())
}

/// A word that may be shown to an operator as it is.
fn word(bytes: &[u8]) -> Option<String> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let is_short = (1..=64).contains(&bytes.len());
    (is_short && bytes.iter().all(is_word)).then(|| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// 1994-11-06 08:49:37
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn with(values: &[(HeaderName, &str)]) -> HeaderMap {
        let value = |value| HeaderValue::from_str(value).unwrap();
        values.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }

    #[test]
    fn a_time_to_wait_is_a_number_of_seconds_or_a_date_and_has_a_bound() {
        let asked_for = |text| retry_after(&with(&[(RETRY_AFTER, text)]), now());
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(asked_for("0"), seconds(0));
        assert_eq!(asked_for(" 120 "), seconds(120));
        assert_eq!(asked_for("Sun, 06 Nov 1994 08:50:07 GMT"), seconds(30));
        assert_eq!(asked_for("Sunday, 06-Nov-94 08:50:07 GMT"), seconds(30));
        // It has passed: at once.
        assert_eq!(asked_for("Sun, 06 Nov 1994 08:49:00 GMT"), seconds(0));
        for long in ["601", "18446744073709551615", "99999999999999999999999"] {
            assert_eq!(asked_for(long), Some(LONGEST_RETRY), "{long}");
        }
        assert_eq!(asked_for("Fri, 31 Dec 9999 23:59:59 GMT"), Some(LONGEST_RETRY));
        for none in ["", "-1", "+5", "1.5", "soon", "Sun, 32 Nov 1994 08:50:07 GMT"] {
            assert_eq!(asked_for(none), None, "{none}");
        }
    }

    #[test]
    fn a_date_to_wait_for_is_by_the_clock_of_the_store() {
        let headers = with(&[
            (RETRY_AFTER, "Sun, 29 Nov 2026 08:00:07 GMT"),
            (DATE, "Sun, 29 Nov 2026 08:00:00 GMT"),
        ]);
        assert_eq!(retry_after(&headers, now()), Some(Duration::from_secs(7)));
    }

    #[test]
    fn clocks_are_compared_by_the_date_of_an_answer_that_no_cache_gave() {
        let differ = |headers: &[(HeaderName, &str)]| has_other_clock(&with(headers), now());
        assert!(!differ(&[]));
        assert!(!differ(&[(DATE, "Sun, 06 Nov 1994 08:54:37 GMT")]));
        assert!(differ(&[(DATE, "Sun, 06 Nov 1994 08:54:38 GMT")]));
        assert!(differ(&[(DATE, "Sun, 06 Nov 1994 08:44:36 GMT")]));
        assert!(!differ(&[(DATE, "Sun, 06 Nov 1994 07:00:00 GMT"), (AGE, "6577")]));
        assert!(!differ(&[(DATE, "today")]));
    }
}
