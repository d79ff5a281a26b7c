//! The error of a connection that cannot be set up.

/// The reason for which a [`Location`](super::Location) is refused, or a bucket cannot be connected:
/// a sentence for the operator, without anything secret in it.
///
/// ```
/// use smooth_origin::storage::Location;
/// let error = Location::parse("ftp://host/films").unwrap_err();
/// assert!(error.to_string().contains("s3://"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(String);

impl ConnectError {
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}
