//! Errors of an `object_store`, as a store reports them: the kind that the floors above expect, and a
//! sentence for the operator.
//!
//! No text of the store is passed on. Such texts have the URL of the request, which may hold a
//! password or a signature, and the body of the answer, which may hold parts of a key.

use std::error::Error as StdError;
use std::io;

use object_store::Error;

use super::NoBucket;
use crate::storage::{ChangedError, SlowDown};

/// The meaning of an answer, or of the lack of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// There is no object of this name.
    Missing,
    /// The object is not the version that was asked for.
    Changed,
    /// The range is not in the object.
    Range,
    /// The store wants fewer requests.
    SlowDown(SlowDown),
    /// There is no such bucket. Only the connector of this crate sees that.
    #[cfg_attr(
        not(any(feature = "s3", feature = "azure", feature = "gcs", feature = "http-store")),
        allow(dead_code)
    )]
    NoBucket,
    /// A kind of error, and what the operator should know.
    Told(io::ErrorKind, String),
}

impl Problem {
    pub(super) fn told(kind: io::ErrorKind, sentence: impl Into<String>) -> Self {
        Self::Told(kind, sentence.into())
    }

    /// The problem that the client below the store has found.
    pub(super) fn known(error: &Error) -> Option<Self> {
        chain(error).into_iter().find_map(|cause| cause.downcast_ref::<Self>()).cloned()
    }

    /// The same problem of the service that gives the credentials: it says nothing about objects.
    #[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
    pub(super) fn of_credentials(self) -> Self {
        let why = match self {
            Self::Missing => {
                "their service has none (status 404): check the role of this machine".into()
            }
            other => other.to_string().replace("the store", "their service"),
        };
        Self::told(io::ErrorKind::Other, format!("the credentials cannot be fetched: {why}"))
    }

    /// The meaning of an error.
    pub(super) fn of(error: &Error) -> Self {
        if let Some(known) = Self::known(error) {
            return known;
        }
        let is_precondition = |cause: &(dyn StdError + 'static)| {
            matches!(cause.downcast_ref(), Some(Error::Precondition { .. }))
        };
        if chain(error).into_iter().any(is_precondition) {
            return Self::Changed;
        }
        match error {
            Error::NotFound { .. } => Self::Missing,
            Error::PermissionDenied { .. } => Self::told(
                io::ErrorKind::PermissionDenied,
                "the store refuses access: check the rights of the credentials",
            ),
            Error::Unauthenticated { .. } => Self::told(
                io::ErrorKind::Other,
                "the store does not accept the credentials: check that they are right and have not expired",
            ),
            Error::InvalidPath { .. } => Self::told(
                io::ErrorKind::InvalidFilename,
                "the store cannot have an object of this name",
            ),
            Error::NotSupported { .. } | Error::NotImplemented { .. } => {
                Self::told(io::ErrorKind::Unsupported, "the store does not support this request")
            }
            other => Self::of_generic(other),
        }
    }

    fn of_generic(error: &Error) -> Self {
        let io = chain(error).into_iter().find_map(|cause| cause.downcast_ref::<io::Error>());
        if let Some(kind) = io.map(io::Error::kind) {
            return match kind {
                io::ErrorKind::NotFound => Self::Missing,
                // Not the end of the object, of which the size is known.
                io::ErrorKind::UnexpectedEof => Self::told(
                    io::ErrorKind::ConnectionAborted,
                    "the store's answer ended before its time",
                ),
                kind => Self::told(kind, format!("the store failed: {kind}")),
            };
        }
        // Texts are looked at, and not passed on.
        let text: String =
            chain(error).iter().map(|cause| cause.to_string()).collect::<Vec<_>>().join(": ");
        let has = |words: &str| text.contains(words);
        if has("416 Range Not Satisfiable")
            || has("Requested range was invalid")
            || has("Range started at")
            || has("Wanted range starting at")
        {
            return Self::Range;
        }
        if has("Received non-partial response") || has("Content-Range header not present") {
            return Self::told(io::ErrorKind::Unsupported, NO_RANGES);
        }
        if has("Content-Length Header missing") || has("Failed to parse value for CONTENT_RANGE") {
            return Self::told(io::ErrorKind::Unsupported, NO_LENGTH);
        }
        if has("503 Service Unavailable") || has("429 Too Many Requests") {
            return Self::SlowDown(SlowDown::default());
        }
        let known = KNOWN.iter().find(|(words, _)| has(words));
        let sentence = known.map_or("the request to the store failed", |(_, sentence)| sentence);
        Self::told(io::ErrorKind::Other, sentence)
    }
}

/// The sentence about a server that ignores `Range`.
pub(super) const NO_RANGES: &str = "the server answers a request for a range with something else: \
     it must support ranges (status 206); use a server or a proxy that does";

/// The sentence about a server whose ranges have no length.
pub(super) const NO_LENGTH: &str = "the server gives ranges without Content-Length or without the \
     object's size in Content-Range: switch off chunked encoding and compression in the server or proxy";

/// Words in errors, and what they mean.
const KNOWN: &[(&str, &str)] = &[
    (
        "invalid peer certificate",
        "the certificate of the store is not trusted: add its root certificate",
    ),
    (
        "onnection refused",
        "the store refuses connections: check that its endpoint is right and that it runs",
    ),
    ("dns error", "the name of the store's host is not known: check the endpoint"),
    ("timed out", "the store did not answer in time"),
    ("timeout", "the store did not answer in time"),
];

impl From<Problem> for io::Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Missing => io::ErrorKind::NotFound.into(),
            Problem::Changed => ChangedError.into(),
            Problem::Range => Self::other("the store says that the range is not in the object"),
            Problem::SlowDown(slow_down) => slow_down.into(),
            Problem::NoBucket => Self::other(NoBucket),
            Problem::Told(kind, sentence) => Self::new(kind, sentence),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        io::Error::from(self.clone()).fmt(f)
    }
}

impl StdError for Problem {}

/// An error and its causes. A chain that is longer than any real one is cut.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut all = vec![error];
    let mut last = error;
    while let Some(source) = last.source().filter(|_| all.len() < 32) {
        all.push(source);
        last = source;
    }
    all
}
