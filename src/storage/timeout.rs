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
    timer: Arc<dyn Timer>,
}

impl<S> TimeoutStore<S> {
    /// Ends operations that take longer than `limit`, by a timer that needs no runtime. The timer is
    /// set only for an operation that has to wait.
    pub fn new(store: S, limit: Duration) -> Self {
        Self { store, around: Timed { limit, timer: Arc::new(ThreadTimer) } }
    }

    /// The timer that ends the operations; see [`Timer`].
    #[must_use]
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.around.timer = Arc::new(timer);
        self
    }
}

impl Around for Timed {
    async fn run<T: Send>(
        &self,
        _: Operation,
        call: impl Future<Output = io::Result<T>> + Send,
    ) -> io::Result<T> {
        let done = within(&*self.timer, self.limit, call).await;
        done.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl fmt::Debug for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timed").field("limit", &self.limit).finish_non_exhaustive()
    }
}

wraps!(TimeoutStore, TimeoutSource);
