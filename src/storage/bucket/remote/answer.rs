//! Answers of a store over HTTP that are not what was asked for, and what they mean.

use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::time::Duration;

use http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER,
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

/// Returns the problem of an answer whose status is no success, with the beginning of its body.
pub(super) fn refused(
    asked: &Asked,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Problem {
    let code = code(headers, body);
    if let Some(problem) = code.as_deref().and_then(of_code) {
        return problem;
    }
    let named = code.map_or_else(String::new, |code| format!(", code {code}"));
    let told = |kind, sentence: &str| Problem::told(kind, sentence);
    match status.as_u16() {
        301 | 302 | 303 | 307 | 308 => redirected(asked, status, headers),
        404 | 410 => Problem::Missing,
        412 => Problem::Changed,
        416 => Problem::Range,
        429 | 503 => Problem::SlowDown(SlowDown::new(retry_after(headers))),
        401 => told(
            ErrorKind::PermissionDenied,
            &format!(
                "the store does not accept the credentials (status 401{named}): check that they are right and have not expired"
            ),
        ),
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
        other => told(ErrorKind::Other, &format!("the store failed (status {other}{named})")),
    }
}

/// The meanings of the codes of the stores. Texts beside them are not passed on.
fn of_code(code: &str) -> Option<Problem> {
    let denied = |sentence: &str| Some(Problem::told(ErrorKind::PermissionDenied, sentence));
    match code {
        "NoSuchBucket" | "ContainerNotFound" | "InvalidBucketName" => Some(Problem::NoBucket),
        "ExpiredToken" | "TokenRefreshRequired" => {
            denied("the credentials have expired: renew them")
        }
        "InvalidAccessKeyId" => {
            denied("the store does not know the access key: check its name and the endpoint")
        }
        "SignatureDoesNotMatch"
        | "AuthenticationFailed"
        | "AuthorizationFailure"
        | "InvalidToken" => denied(
            "the store does not accept the credentials: check the secret key, the token, and the clock of this machine",
        ),
        "RequestTimeTooSkewed" => {
            denied("the clock of this machine and that of the store differ too much: set the clock")
        }
        "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            denied("the credentials are for another region: set AWS_REGION to that of the bucket")
        }
        "KeyTooLongError" | "OutOfRangeInput" | "InvalidResourceName" | "InvalidUri" => {
            Some(Problem::told(
                ErrorKind::InvalidFilename,
                "the store cannot have an object of this name",
            ))
        }
        _ => None,
    }
}

fn redirected(asked: &Asked, status: StatusCode, headers: &HeaderMap) -> Problem {
    let region = HeaderName::from_static("x-amz-bucket-region");
    if let Some(region) = headers.get(region).and_then(|value| word(value.as_bytes())) {
        let sentence = format!("the bucket is in the region {region}: set AWS_REGION to it");
        return Problem::told(ErrorKind::Other, sentence);
    }
    let target = headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = target.split(['?', '#']).next().unwrap_or_default();
    if asked.is_plain && path.ends_with('/') {
        return Problem::told(ErrorKind::IsADirectory, "the name is that of a folder");
    }
    let sentence = format!(
        "the store redirects to another place (status {}), and redirects are not followed: give the \
         endpoint that answers itself",
        status.as_u16()
    );
    Problem::told(ErrorKind::Other, sentence)
}

/// Checks an answer that is a success. Returns how many bytes it has, if it is ranged.
pub(super) fn checked(
    asked: &Asked,
    wanted: Option<&RangeHeader>,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<u64>, Problem> {
    let is_page = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().to_ascii_lowercase().starts_with(b"text/html"));
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
        let sentence = format!(
            "the store gives bytes {}-{} of {size} for {wanted:?}, in {length} bytes",
            range.start(),
            range.end()
        );
        return Err(Problem::told(ErrorKind::Other, sentence));
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

/// Reads `bytes 0-9/100`: a range, not empty, and the size in which it lies.
fn content_range(value: &str) -> Option<(RangeInclusive<u64>, u64)> {
    let (range, size) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, size): (u64, u64, u64) =
        (first.parse().ok()?, last.parse().ok()?, size.parse().ok()?);
    (first <= last && last < size).then_some((first..=last, size))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse::<u32>().ok()?;
    Some(Duration::from_secs(seconds.into()))
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
