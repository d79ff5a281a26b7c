//! The error of a store that asks for fewer requests.

use std::io;
use std::time::Duration;

/// The error of a store that is asked too often: it answered with 429, or with 503 as `SlowDown`.
/// Convert it into an [`io::Error`] of the kind [`ResourceBusy`](io::ErrorKind::ResourceBusy).
///
/// ```
/// use std::{io, time::Duration};
/// use smooth_origin::storage::SlowDown;
///
/// fn wait_before_another_try(error: &io::Error) -> Option<Duration> {
///     let inner = error.get_ref()?.downcast_ref::<SlowDown>()?;
///     Some(inner.retry_after.unwrap_or(Duration::from_secs(1)))
/// }
/// let error = io::Error::from(SlowDown { retry_after: Some(Duration::from_secs(3)) });
/// assert_eq!(wait_before_another_try(&error), Some(Duration::from_secs(3)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("the store asks for fewer requests")]
pub struct SlowDown {
    /// Time that the store wants to be left alone, if it says so (`Retry-After`).
    pub retry_after: Option<Duration>,
}

impl From<SlowDown> for io::Error {
    fn from(slow_down: SlowDown) -> Self {
        Self::new(io::ErrorKind::ResourceBusy, slow_down)
    }
}
