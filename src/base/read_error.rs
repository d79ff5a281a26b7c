//! Failed reads and openings, as a driver of steps reports them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A read, or an opening, that failed.
///
/// ```
/// use std::{io, sync::Arc};
/// use smooth_origin::base::{ReadError, ReadErrorKind};
///
/// /// Converts an error of the storage, for a driver of steps.
/// fn read_error(error: io::Error) -> ReadError {
///     let mut failed = ReadError::new(match error.kind() {
///         io::ErrorKind::NotFound => ReadErrorKind::Gone,
///         io::ErrorKind::PermissionDenied => ReadErrorKind::Denied,
///         _ => ReadErrorKind::Transient,
///     });
///     failed.source = Some(Arc::new(error));
///     failed
/// }
/// assert_eq!(read_error(io::ErrorKind::NotFound.into()).kind, ReadErrorKind::Gone);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadError {
    /// Kind of the failure.
    pub kind: ReadErrorKind,
    /// The error of the storage.
    pub source: Option<Arc<std::io::Error>>,
}

/// Meaning of a failed read for the file that was opened.
///
/// ```
/// use smooth_origin::base::{Error, ReadError, ReadErrorKind};
///
/// let error = Error::from(ReadError::new(ReadErrorKind::Transient));
/// assert_eq!((error.kind.status(), error.kind.code()), (503, "read-failed"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// There is no such file (or it is no regular file, or lies outside the root).
    Gone,
    /// The file is not the one that was opened any more.
    Changed,
    /// The process has no permission to read the file.
    Denied,
    /// The file changed a moment ago, so a write may still be in progress. It is read once it has
    /// not changed for
    /// [`OriginBuilder::settling_time`](crate::origin::OriginBuilder::settling_time).
    Unsettled {
        /// Time until the file has settled, if it does not change again.
        wait: Duration,
    },
    /// Anything else: the same read may succeed later.
    Transient,
}

impl ReadError {
    /// Without a cause from the storage.
    pub fn new(kind: ReadErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ReadErrorKind::Gone => "the file is not there",
            ReadErrorKind::Changed => "the file has changed since it was opened",
            ReadErrorKind::Denied => "the file cannot be read",
            ReadErrorKind::Unsettled { .. } => "the file changed a moment ago",
            ReadErrorKind::Transient => "reading failed",
        };
        // The kind alone says no more than these words.
        let says_more = |source: &&Arc<std::io::Error>| {
            self.kind != ReadErrorKind::Gone
                || source.get_ref().is_some()
                || source.raw_os_error().is_some()
        };
        match self.source.as_ref().filter(says_more) {
            Some(source) => write!(f, "{what}: {source}"),
            None => f.write_str(what),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_said_once() {
        let of = |source: std::io::Error| {
            let source = Some(Arc::new(source));
            ReadError { source, ..ReadError::new(ReadErrorKind::Gone) }.to_string()
        };
        assert_eq!(of(std::io::ErrorKind::NotFound.into()), "the file is not there");
        assert_eq!(of(std::io::Error::other("x")), "the file is not there: x");
    }
}
