//! Retries of the operations of a store that failed for a reason that may pass.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{StreamExt, TryStreamExt, iter};

use super::allowance::Allowance;
use super::error::{is_passing, slow_down};
use super::thread_timer::ThreadTimer;
use super::timer::{Timer, within};
use super::wrapping::{self, Around, Operation, wraps};
use super::{BreakerOpen, Clock, Ends, Opening, READS_AT_ONCE, RangeSource, Stat};
use crate::base::Name;

/// A store that makes an operation of another store again if it failed for a reason that may pass.
///
/// | Option | Default | Meaning |
/// |---|---|---|
/// | [`tries`](Self::tries) | 6 | an operation is made at most six times |
/// | [`delay`](Self::delay) | 50 ms, 1 s | the first retry waits for up to 50 ms, each later one up to twice as long, up to 1 s |
/// | [`total`](Self::total) | 9 s | all tries and waits of an operation end within this time |
/// | [`budget`](Self::budget) | 50 %, 10 per second | all operations together make at most this many retries |
///
/// The length of each wait is random, between nothing and its limit, so that operations that failed
/// together do not come back together.
///
/// The budget keeps retries from adding to the load that a store fails under: a store that answers
/// nothing gets one and a half times its requests, and not six times. 100 retries are in it at the
/// start, which is the most that it keeps.
///
/// Errors that are an answer are returned at once: those that
/// [say something about the object](super::Store#promises), [`ChangedError`](super::ChangedError),
/// `UnexpectedEof`, `Unsupported` and `InvalidInput`. So is [`BreakerOpen`]. An answer of the wrong
/// length is an error that may pass.
///
/// After a [`SlowDown`](super::SlowDown), a retry waits for as long as the store says, or else up to
/// ten times as long as before the first retry. If that does not fit into the total, the operation
/// fails at once. Its error still has the `SlowDown` as a cause.
///
/// A read of several ranges is made once for all of them; if that fails, each range is read by itself.
///
/// The total must be shorter than the
/// [`read_timeout`](crate::origin::OriginBuilder::read_timeout) of the origin, which drops the
/// operation. Put a [`TimeoutStore`](super::TimeoutStore) inside, or one try that gets no answer takes
/// all the time. [`Resilience`](super::Resilience) has the whole set-up.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::storage::{MemoryStore, RetryStore, TimeoutStore};
/// # let remote = MemoryStore::new();
/// let store = RetryStore::new(TimeoutStore::new(remote, Duration::from_secs(2))).tries(3);
/// let counts = store.clone();
/// // Later, for the metrics:
/// println!("{} retries", counts.stats().retries);
/// ```
///
/// Clones share the budget and the counts, unless an option is set afterwards.
#[derive(Clone, Debug)]
pub struct RetryStore<S> {
    store: S,
    around: Retries,
}

/// A source of a [`RetryStore`].
#[derive(Clone, Debug)]
pub struct RetrySource<S> {
    source: S,
    around: Retries,
}

/// The retries of a [`RetryStore`] since it was made.
///
/// ```
/// use smooth_origin::storage::RetryStats;
///
/// fn warning(stats: &RetryStats) -> Option<&'static str> {
///     (stats.out_of_budget > 0).then_some("the storage fails more often than retries can mend")
/// }
/// # assert!(warning(&RetryStats::default()).is_none());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryStats {
    /// Requests that were made again; each range of a read counts.
    pub retries: u64,
    /// Operations and ranges that succeeded when they were made again.
    pub recovered: u64,
    /// Operations and ranges that failed after all, for a reason that may pass.
    pub given_up: u64,
    /// Those that were given up because the budget had no retry left.
    pub out_of_budget: u64,
    /// Answers of the store that asked for fewer requests.
    pub slow_downs: u64,
}

#[derive(Clone)]
struct Retries {
    tries: u32,
    delay: Duration,
    longest: Duration,
    total: Duration,
    budget: Allowance,
    timer: Arc<dyn Timer>,
    clock: Clock,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    random: Mutex<fastrand::Rng>,
    retries: AtomicU64,
    recovered: AtomicU64,
    given_up: AtomicU64,
    out_of_budget: AtomicU64,
    slow_downs: AtomicU64,
}

/// The last error of an operation that was tried several times.
#[derive(Debug, thiserror::Error)]
#[error("{last} (after {tries} tries in {:.1} s)", took.as_secs_f64())]
struct Tried {
    tries: u32,
    took: Duration,
    #[source]
    last: io::Error,
}

/// One operation and its tries.
struct Course<'a> {
    retries: &'a Retries,
    began: Duration,
    requests: usize,
    tries: u32,
}

/// Retries that the budget keeps.
const KEPT: u32 = 100;

/// Factor of the first delay after an answer that asks for fewer requests without saying for how long.
const SLOWER: u32 = 10;

impl<S> RetryStore<S> {
    /// Makes failed operations of `store` again, by a clock and a timer that need no runtime.
    pub fn new(store: S) -> Self {
        let around = Retries {
            tries: 6,
            delay: Duration::from_millis(50),
            longest: Duration::from_secs(1),
            total: Duration::from_secs(9),
            budget: Allowance::new(50, 10, KEPT),
            timer: Arc::new(ThreadTimer),
            clock: Clock::default(),
            shared: Arc::new(Shared::new(fastrand::Rng::new())),
        };
        Self { store, around }
    }

    /// Sets how often an operation is made at most, the first time included; default 6, at least 1.
    #[must_use]
    pub fn tries(mut self, tries: u32) -> Self {
        self.around.tries = tries.max(1);
        self
    }

    /// Sets the longest wait before the first retry, which doubles with each further one up to
    /// `longest`; default 50 ms and 1 s.
    #[must_use]
    pub fn delay(mut self, first: Duration, longest: Duration) -> Self {
        (self.around.delay, self.around.longest) = (first.min(longest), longest);
        self
    }

    /// Sets the longest time that all tries of an operation may take, with the waits between them;
    /// default 9 s.
    #[must_use]
    pub fn total(mut self, total: Duration) -> Self {
        self.around.total = total;
        self
    }

    /// Sets how many retries all operations together may make: so many per 100 operations, and so many
    /// per second even if there are few operations; default 50 and 10. With 0 and 0, 100 retries are
    /// made in all.
    #[must_use]
    pub fn budget(mut self, percent: u32, per_second: u32) -> Self {
        self.around.budget = Allowance::new(percent, per_second, KEPT);
        self
    }

    /// The timer of the waits; see [`Timer`].
    #[must_use]
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.around.timer = Arc::new(timer);
        self
    }

    /// The clock that measures the time of an operation; default the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.around.clock = clock;
        self
    }

    /// The seed of the lengths of waits, for tests that are to run the same way each time; by default,
    /// it differs from run to run.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.around.shared = Arc::new(Shared::new(fastrand::Rng::with_seed(seed)));
        self
    }

    /// Makes failed operations of a source again that another store has opened.
    #[cfg(all(feature = "live", feature = "object-store"))]
    pub(super) fn source<T>(&self, source: T) -> RetrySource<T> {
        RetrySource { source, around: self.around.clone() }
    }

    pub(super) fn inner(&self) -> &S {
        &self.store
    }

    /// Returns the counts.
    pub fn stats(&self) -> RetryStats {
        let Shared { random: _, retries, recovered, given_up, out_of_budget, slow_downs } =
            &*self.around.shared;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RetryStats {
            retries: count(retries),
            recovered: count(recovered),
            given_up: count(given_up),
            out_of_budget: count(out_of_budget),
            slow_downs: count(slow_downs),
        }
    }
}

impl Shared {
    fn new(random: fastrand::Rng) -> Self {
        let (retries, recovered, given_up, out_of_budget, slow_downs) = Default::default();
        let random = Mutex::new(random);
        Self { random, retries, recovered, given_up, out_of_budget, slow_downs }
    }
}

impl Retries {
    fn course(&self, operation: Operation) -> Course<'_> {
        let requests = operation.requests();
        self.budget.add(requests);
        Course { retries: self, began: self.clock.now(), requests, tries: 0 }
    }

    /// Returns a wait of random length, before the retry that follows so many tries.
    fn wait(&self, tries: u32, slow_down: bool) -> Duration {
        let doubled = 1_u32.checked_shl(tries - 1).unwrap_or(u32::MAX);
        let factor = if slow_down { SLOWER } else { 1 };
        let first = self.delay.saturating_mul(factor);
        let longest = first.saturating_mul(doubled).min(self.longest.max(first));
        let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
        let mut random = self.shared.random.lock().unwrap_or_else(PoisonError::into_inner);
        Duration::from_nanos(random.u64(0..=nanos))
    }
}

impl Course<'_> {
    fn left(&self) -> Duration {
        self.retries.total.saturating_sub(self.took())
    }

    fn took(&self) -> Duration {
        self.retries.clock.now().saturating_sub(self.began)
    }

    /// Makes the operation until it succeeds, gives an answer, or may not be made again.
    async fn run<T, F>(&mut self, call: &(impl Fn() -> F + Sync)) -> io::Result<T>
    where
        F: Future<Output = io::Result<T>> + Send,
    {
        loop {
            match self.once(call()).await {
                Err(error) => self.again(error).await?,
                done => return done,
            }
        }
    }

    /// Makes the operation once, in the time that is left.
    async fn once<T>(&mut self, call: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        self.tries = self.tries.saturating_add(1);
        let done = within(&*self.retries.timer, self.left(), call).await;
        let done = done.unwrap_or_else(|| Err(self.out_of_time()));
        if self.tries > 1 && done.is_ok() {
            self.retries.shared.recovered.fetch_add(1, Ordering::Relaxed);
        }
        done
    }

    /// Waits until the operation may be made again; fails with the error if it may not.
    async fn again(&mut self, error: io::Error) -> io::Result<()> {
        let Retries { shared, budget, timer, clock, .. } = self.retries;
        if !is_passing(&error) {
            return Err(error);
        }
        let slow_down = slow_down(&error).copied();
        let breaker_is_open = error.get_ref().is_some_and(|inner| inner.is::<BreakerOpen>());
        if slow_down.is_some() && !breaker_is_open {
            shared.slow_downs.fetch_add(1, Ordering::Relaxed);
        }
        let asked_for = slow_down.and_then(|slow_down| slow_down.retry_after);
        let random = self.retries.wait(self.tries, slow_down.is_some() && asked_for.is_none());
        let wait = asked_for.unwrap_or_default().saturating_add(random);
        let is_last = self.tries >= self.retries.tries || wait >= self.left();
        if is_last || breaker_is_open {
            return Err(self.given_up(error));
        }
        let Some(retry) = budget.take(self.requests, clock.now()) else {
            shared.out_of_budget.fetch_add(1, Ordering::Relaxed);
            return Err(self.given_up(error));
        };
        if !wait.is_zero() {
            timer.sleep(wait).await;
        }
        retry.spend();
        shared.retries.fetch_add(self.requests as u64, Ordering::Relaxed);
        Ok(())
    }

    fn given_up(&self, last: io::Error) -> io::Error {
        self.retries.shared.given_up.fetch_add(1, Ordering::Relaxed);
        match self.tries {
            0 | 1 => last,
            tries => io::Error::new(last.kind(), Tried { tries, took: self.took(), last }),
        }
    }

    fn out_of_time(&self) -> io::Error {
        let total = self.retries.total.as_secs_f64();
        let why = format!("the storage did not answer within the {total} s of all tries");
        io::Error::new(io::ErrorKind::TimedOut, why)
    }
}

impl Around for Retries {
    async fn run<T, F>(
        &self,
        operation: Operation,
        call: impl Fn() -> F + Send + Sync,
    ) -> io::Result<T>
    where
        T: Send,
        F: Future<Output = io::Result<T>> + Send,
    {
        self.course(operation).run(&call).await
    }

    /// Ranges that are read together fail together, the more often the more there are.
    async fn read_many<S: RangeSource>(
        &self,
        source: &S,
        ranges: &[Range<u64>],
    ) -> io::Result<Vec<Bytes>> {
        let mut together = self.course(Operation::read(ranges));
        if ranges.len() < 2 {
            return together.run(&|| wrapping::read_many(source, ranges)).await;
        }
        match together.once(wrapping::read_many(source, ranges)).await {
            Err(error) => together.again(error).await?,
            done => return done,
        }
        let reads: Vec<_> = ranges
            .iter()
            .map(|range| {
                // The first of these tries has been taken from the budget.
                let mut alone = Course { requests: 1, ..together };
                async move { alone.run(&|| wrapping::read(source, range.clone())).await }
            })
            .collect();
        iter(reads).buffered(READS_AT_ONCE).try_collect().await
    }
}

impl fmt::Debug for Retries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tries, total, budget, .. } = self;
        f.debug_struct("Retries")
            .field("tries", tries)
            .field("total", total)
            .field("budget", budget)
            .finish_non_exhaustive()
    }
}

wraps!(RetryStore, RetrySource);
