//! Hedged operations: one that takes unusually long is made a second time.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};

use super::allowance::Allowance;
use super::error::{is_passing, slow_down};
use super::thread_timer::ThreadTimer;
use super::timer::{Timer, within};
use super::usual_time::UsualTime;
use super::wrapping::{Around, Operation, wraps};
use super::{Clock, Ends, Opening, Stat};
use crate::base::Name;

/// A store that makes an operation of another store a second time if the first takes unusually long.
/// The first answer counts, and the slower operation is dropped.
///
/// This costs a few more requests and takes most of the slow ones out of sight of clients: a second
/// request rarely meets the same overloaded server. It does not help if the store as a whole is slow.
/// Then the limit holds, which is 5 second requests per 100 operations by default. After a
/// [`SlowDown`](super::SlowDown), it counts from zero.
///
/// Reads, looks and openings are hedged, lists are not. If one of the two fails for a reason that
/// may pass, the other one is waited for. An operation that fails before the second one was made is
/// not made again: that is for a [`RetryStore`](super::RetryStore) around this one.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::storage::{HedgeStore, MemoryStore};
/// # let remote = MemoryStore::new();
/// let store = HedgeStore::new(remote, Duration::from_millis(200)).percentile(95);
/// let counts = store.clone();
/// // Later, for the metrics:
/// println!("{} of {} hedges were faster", counts.stats().won, counts.stats().sent);
/// ```
///
/// Clones share the limit and the counts, unless an option is set afterwards.
#[derive(Clone, Debug)]
pub struct HedgeStore<S> {
    store: S,
    around: Hedges,
}

/// A source of a [`HedgeStore`].
#[derive(Clone, Debug)]
pub struct HedgeSource<S> {
    source: S,
    around: Hedges,
}

/// The second operations of a [`HedgeStore`] since it was made.
///
/// ```
/// use smooth_origin::storage::HedgeStats;
///
/// fn share_that_won(stats: &HedgeStats) -> Option<u64> {
///     (100 * stats.won).checked_div(stats.sent)
/// }
/// # assert_eq!(share_that_won(&HedgeStats::default()), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeStats {
    /// Operations that were made a second time.
    pub sent: u64,
    /// Second operations that answered first.
    pub won: u64,
    /// Slow operations that were not made a second time, because of the limit.
    pub over_limit: u64,
}

#[derive(Clone)]
struct Hedges {
    delay: Duration,
    /// 0 for a delay that is always the same.
    percentile: u8,
    limit: Allowance,
    timer: Arc<dyn Timer>,
    clock: Clock,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    usual: UsualTime,
    sent: AtomicU64,
    won: AtomicU64,
    over_limit: AtomicU64,
}

/// Second operations that the limit keeps.
const KEPT: u32 = 10;

impl<S> HedgeStore<S> {
    /// Makes operations of `store` a second time if they take longer than `delay`, by a timer that
    /// needs no runtime.
    pub fn new(store: S, delay: Duration) -> Self {
        let around = Hedges {
            delay,
            percentile: 0,
            limit: Allowance::new(5, 0, KEPT),
            timer: Arc::new(ThreadTimer),
            clock: Clock::default(),
            shared: Arc::default(),
        };
        Self { store, around }
    }

    /// Waits for the time in which so many percent of the recent operations of similar size ended, but
    /// not shorter than the delay; by default, the delay is always the same. While there were fewer
    /// than 32 such operations, the delay is used.
    #[must_use]
    pub fn percentile(mut self, percent: u8) -> Self {
        self.around.percentile = percent.min(100);
        self
    }

    /// Sets how many operations per 100 may be made a second time; default 5. If there are fewer slow
    /// ones, up to 10 are kept for later. With 0, none is.
    #[must_use]
    pub fn limit(mut self, percent: u32) -> Self {
        let kept = if percent == 0 { 0 } else { KEPT };
        self.around.limit = Allowance::new(percent, 0, kept);
        self
    }

    /// The timer of the delay; see [`Timer`].
    #[must_use]
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.around.timer = Arc::new(timer);
        self
    }

    /// The clock that measures how long operations take; default the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.around.clock = clock;
        self
    }

    /// Returns the counts.
    pub fn stats(&self) -> HedgeStats {
        let Shared { usual: _, sent, won, over_limit } = &*self.around.shared;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        HedgeStats { sent: count(sent), won: count(won), over_limit: count(over_limit) }
    }
}

impl Hedges {
    /// Returns the time after which an operation is made a second time.
    fn delay_of(&self, operation: Operation) -> Duration {
        let usual = match self.percentile {
            0 => None,
            _ => self.shared.usual.get(operation),
        };
        usual.map_or(self.delay, |usual| usual.max(self.delay))
    }

    async fn hedged<T, F>(&self, operation: Operation, call: impl Fn() -> F) -> io::Result<T>
    where
        F: Future<Output = io::Result<T>> + Send,
    {
        let Shared { sent, won, over_limit, .. } = &*self.shared;
        let mut first = pin!(call());
        let delay = self.delay_of(operation);
        if let Some(done) = within(&*self.timer, delay, first.as_mut()).await {
            return done;
        }
        let requests = operation.requests();
        let Some(hedge) = self.limit.take(requests, Duration::ZERO) else {
            over_limit.fetch_add(1, Ordering::Relaxed);
            return first.await;
        };
        hedge.spend();
        sent.fetch_add(1, Ordering::Relaxed);
        // In memory of its own, because few operations have a second one.
        let second = Box::pin(call());
        let count_win = |done: &io::Result<T>| {
            if done.is_ok() {
                won.fetch_add(1, Ordering::Relaxed);
            }
        };
        match select(first, second).await {
            Either::Left((Err(error), second)) if is_passing(&error) => {
                let done = second.await;
                count_win(&done);
                done
            }
            Either::Right((Err(error), first)) if is_passing(&error) => first.await,
            Either::Left((done, _)) => done,
            Either::Right((done, _)) => {
                count_win(&done);
                done
            }
        }
    }
}

impl Around for Hedges {
    async fn run<T, F>(
        &self,
        operation: Operation,
        call: impl Fn() -> F + Send + Sync,
    ) -> io::Result<T>
    where
        T: Send,
        F: Future<Output = io::Result<T>> + Send,
    {
        if operation == Operation::List || self.limit.is_none() {
            return call().await;
        }
        self.limit.add(operation.requests());
        let began = match self.percentile {
            0 => None,
            _ => Some(self.clock.now()),
        };
        let done = self.hedged(operation, call).await;
        match (&done, began) {
            (Ok(_), Some(began)) => {
                // If the second one won, this is less than the first one would have taken, and more
                // than usual, which is all that matters.
                let took = self.clock.now().saturating_sub(began);
                self.shared.usual.add(operation, took, self.percentile);
            }
            (Ok(_), None) => {}
            (Err(error), _) if slow_down(error).is_some() => self.limit.clear(),
            (Err(_), _) => {}
        }
        done
    }
}

impl fmt::Debug for Hedges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delay, percentile, limit, .. } = self;
        f.debug_struct("Hedges")
            .field("delay", delay)
            .field("percentile", percentile)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}

wraps!(HedgeStore, HedgeSource);
