//! The error of a store that asks for fewer requests.

use std::io;
use std::time::Duration;

/// The error of a store that asks for fewer requests, as object stores do by the status 429 or 503.
/// Convert it into an [`io::Error`], whose kind is [`ResourceBusy`](io::ErrorKind::ResourceBusy).
///
/// A [`RetryStore`](super::RetryStore) does not ask again before that time, and a client whose request
/// fails gets it in `Retry-After`.
///
/// ```
/// use std::{io, time::Duration};
/// use smooth_origin::storage::SlowDown;
///
/// fn check(status: u16, retry_after: Option<u64>) -> io::Result<()> {
///     match status {
///         429 | 503 => Err(SlowDown::new(retry_after.map(Duration::from_secs)).into()),
///         _ => Ok(()),
///     }
/// }
/// let error = check(503, Some(2)).unwrap_err();
/// assert!(error.get_ref().is_some_and(|inner| inner.is::<SlowDown>()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("the storage asks for fewer requests")]
#[non_exhaustive]
pub struct SlowDown {
    /// Time for which the store wants no request, if it says so.
    pub retry_after: Option<Duration>,
}

impl SlowDown {
    /// The error, with the time for which the store wants no request.
    pub fn new(retry_after: Option<Duration>) -> Self {
        Self { retry_after }
    }
}

impl From<SlowDown> for io::Error {
    fn from(slow_down: SlowDown) -> Self {
        Self::new(io::ErrorKind::ResourceBusy, slow_down)
    }
}
