//! Meaning of the errors of a store.

use std::io;
use std::sync::Arc;

use crate::base::{ReadError, ReadErrorKind};

/// The error of a source whose object is no longer the version that was opened. Convert it into an
/// [`io::Error`].
///
/// ```
/// use std::io;
/// use smooth_origin::storage::ChangedError;
///
/// fn check(etag: &str, opened: &str) -> io::Result<()> {
///     if etag == opened { Ok(()) } else { Err(ChangedError.into()) }
/// }
/// let error = check("b", "a").unwrap_err();
/// assert!(error.get_ref().is_some_and(|inner| inner.is::<ChangedError>()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the object has changed since it was opened")]
pub struct ChangedError;

impl From<ChangedError> for io::Error {
    fn from(changed: ChangedError) -> Self {
        Self::other(changed)
    }
}

/// Returns what an error of a store means to the floors above.
pub(crate) fn read_error(error: io::Error) -> ReadError {
    ReadError { kind: read_error_kind(&error), source: Some(Arc::new(error)) }
}

pub(in crate::storage) fn read_error_kind(error: &io::Error) -> ReadErrorKind {
    use io::ErrorKind::{InvalidFilename, IsADirectory, NotADirectory, NotFound, PermissionDenied};
    match error.kind() {
        NotFound | IsADirectory | NotADirectory | InvalidFilename => ReadErrorKind::Gone,
        PermissionDenied => ReadErrorKind::Denied,
        _ if error.get_ref().is_some_and(|inner| inner.is::<ChangedError>()) => {
            ReadErrorKind::Changed
        }
        _ => ReadErrorKind::Transient,
    }
}
