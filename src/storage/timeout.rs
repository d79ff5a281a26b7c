//! A limit on the time that an operation of a store may take.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::thread_timer::ThreadTimer;
use super::timer::{Timer, within};
use super::wrapping::{Around, Operation, wraps};
use super::{Ends, Opening, Stat};
use crate::base::Name;

/// A store whose operations fail with [`io::ErrorKind::TimedOut`] if those of another store take too
/// long.
///
/// An [`Origin`](crate::origin::Origin) has a time limit of its own for each operation
/// ([`read_timeout`](crate::origin::OriginBuilder::read_timeout)); this one is for a store that needs
/// a shorter one, for example one of several [`Mounts`](super::Mounts). Around a
/// [`LimitStore`](super::LimitStore), the limit includes the time for which an operation waits for its
/// turn; inside of one, it does not.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::storage::{LimitStore, MemoryStore, TimeoutStore};
/// # let remote = MemoryStore::new();
/// let store = LimitStore::new(TimeoutStore::new(remote, Duration::from_secs(2)), 16);
/// ```
///
/// A long read needs more time than a short one. [`at_least`](Self::at_least) gives each operation the
/// time of its bytes in addition.
///
/// The operation is dropped when its time is over. An operation that blocks its thread is not ended.
#[derive(Clone, Debug)]
pub struct TimeoutStore<S> {
    store: S,
    around: Timed,
}

/// A source of a [`TimeoutStore`].
#[derive(Clone, Debug)]
pub struct TimeoutSource<S> {
    source: S,
    around: Timed,
}

#[derive(Clone)]
struct Timed {
    limit: Duration,
    /// Bytes per second; 0 if the size does not count.
    rate: u64,
    timer: Arc<dyn Timer>,
}

/// Bytes of an opening that count.
const LONGEST_ENDS: u64 = 256 << 10;

impl<S> TimeoutStore<S> {
    /// Ends operations that take longer than `limit`, by a timer that needs no runtime. The timer is
    /// set only for an operation that has to wait.
    pub fn new(store: S, limit: Duration) -> Self {
        Self { store, around: Timed { limit, rate: 0, timer: Arc::new(ThreadTimer) } }
    }

    /// Adds to the limit of each operation the time in which its bytes come at this rate; default: no
    /// time. With 0, none is added either. Of the [`Ends`] of an opening, 256 KiB count at most: they
    /// say how much of an object is wanted, and most objects are shorter.
    ///
    /// ```
    /// use std::time::Duration;
    /// use smooth_origin::storage::{MemoryStore, TimeoutStore};
    /// # let remote = MemoryStore::new();
    /// // A read of 1 MiB may take 3 s, one of 4 MiB may take 6 s.
    /// let store = TimeoutStore::new(remote, Duration::from_secs(2)).at_least(1 << 20);
    /// ```
    #[must_use]
    pub fn at_least(mut self, bytes_per_second: u64) -> Self {
        self.around.rate = bytes_per_second;
        self
    }

    /// The timer that ends the operations; see [`Timer`].
    #[must_use]
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.around.timer = Arc::new(timer);
        self
    }
}

impl Timed {
    /// Returns the time that an operation may take.
    fn limit_of(&self, operation: Operation) -> Duration {
        let bytes = match operation {
            Operation::Open { bytes } => bytes.min(LONGEST_ENDS),
            operation => operation.bytes(),
        };
        let micros = u128::from(bytes) * 1_000_000;
        let more = micros.checked_div(self.rate.into()).unwrap_or_default();
        let more = Duration::from_micros(u64::try_from(more).unwrap_or(u64::MAX));
        self.limit.saturating_add(more)
    }
}

impl Around for Timed {
    async fn run<T, F>(
        &self,
        operation: Operation,
        call: impl Fn() -> F + Send + Sync,
    ) -> io::Result<T>
    where
        T: Send,
        F: Future<Output = io::Result<T>> + Send,
    {
        let limit = self.limit_of(operation);
        let done = within(&*self.timer, limit, call()).await;
        done.unwrap_or_else(|| Err(too_slow(limit)))
    }
}

fn too_slow(limit: Duration) -> io::Error {
    let why = format!("the storage did not answer within {} s", limit.as_secs_f64());
    io::Error::new(io::ErrorKind::TimedOut, why)
}

impl fmt::Debug for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, rate, .. } = self;
        f.debug_struct("Timed").field("limit", limit).field("rate", rate).finish_non_exhaustive()
    }
}

wraps!(TimeoutStore, TimeoutSource);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_grows_with_the_bytes_and_never_overflows() {
        let second = Duration::from_secs(1);
        let timed = |rate| TimeoutStore::new((), second).at_least(rate).around;
        let read = |end| Operation::read(&[0..end, 0..end]);
        assert_eq!(timed(0).limit_of(read(1 << 30)), second);
        assert_eq!(timed(1000).limit_of(read(500)), second * 2);
        assert_eq!(timed(1000).limit_of(Operation::Open { bytes: 3000 }), second * 4);
        assert_eq!(timed(256 << 10).limit_of(Operation::Open { bytes: u64::MAX }), second * 2);
        assert_eq!(timed(1000).limit_of(Operation::List), second);
        assert!(timed(1).limit_of(read(u64::MAX)) > second * 1_000_000);
    }
}
