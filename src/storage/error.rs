//! Meaning of the errors of a store.

use std::error::Error;
use std::io;
use std::sync::Arc;

use super::SlowDown;
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

/// Returns whether an error says nothing about the object: the same operation may succeed when it is
/// tried again.
pub(super) fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, UnexpectedEof, Unsupported};
    let is_answer = matches!(error.kind(), InvalidInput | UnexpectedEof | Unsupported);
    !is_answer && read_error_kind(error) == ReadErrorKind::Transient
}

/// The [`SlowDown`] of an error, or of one of its causes.
pub(crate) fn slow_down(error: &io::Error) -> Option<&SlowDown> {
    let mut cause: &(dyn Error + 'static) = error.get_ref()?;
    for _ in 0..CAUSES {
        if let Some(slow_down) = cause.downcast_ref() {
            return Some(slow_down);
        }
        cause = match cause.downcast_ref::<io::Error>() {
            // Its `source` is that of the error inside.
            Some(error) => error.get_ref()?,
            None => cause.source()?,
        };
    }
    None
}

/// Causes of an error that are looked at.
const CAUSES: usize = 16;
