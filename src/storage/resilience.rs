//! The stores around a remote store that keep its faults from clients, in the right order.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::thread_timer::ThreadTimer;
use super::{
    BreakerSource, BreakerState, BreakerStats, BreakerStore, Clock, Ends, HedgeSource, HedgeStats,
    HedgeStore, Opening, RangeSource, RetrySource, RetryStats, RetryStore, Stat, Store,
    TimeoutSource, TimeoutStore, Timer,
};
use crate::base::Name;

/// Options of a [`ResilientStore`], whose defaults suit an origin over a remote store.
///
/// From the inside out, the stores around the remote one are:
///
/// 1. [`TimeoutStore`]: one request ends within a time that depends on its size.
/// 2. [`HedgeStore`], if it is switched on: a slow request is made a second time. Each of the two has
///    its own time.
/// 3. [`BreakerStore`]: it counts requests, so that it opens before clients have waited for all tries
///    of theirs, and a retry finds out in no time that the store is down.
/// 4. [`RetryStore`]: a failed request is made again.
///
/// | Option | Default | In seconds |
/// |---|---|---|
/// | [`timeout`](Self::timeout) | 2 s, 1 MiB/s | a look at an object ends within 2 s, a fragment of 300 KB within 2.3 s, one of 1 MiB within 3 s |
/// | [`tries`](Self::tries) | 6 | six requests that fail at once take 0.8 s on average, and at most 1.6 s; four that get no answer fit into the total |
/// | [`total`](Self::total) | 9 s | an operation ends within 9 s, one second before the [`read_timeout`](crate::origin::OriginBuilder::read_timeout) of the origin |
/// | [`retry_budget`](Self::retry_budget) | 50 %, 10 per second | a store that answers nothing gets 1.5 times its requests, until the breaker opens |
/// | [`hedge`](Self::hedge) | off | |
/// | [`breaker`](Self::breaker) | 20 failures in a row or 80 %, 5 s | a store that is down is noticed after 20 requests; requests then fail within milliseconds, and the store is tried every 5 s |
///
/// A client that waits for 10 s for a fragment thus gets it, or the status 503 with a `Retry-After`. If
/// a store needs a longer total, raise the origin's `read_timeout` with it.
///
/// The client of the remote store should make no retries of its own, and needs no time limit but that
/// for a connection. A limit of requests at one time ([`LimitStore`](super::LimitStore)) belongs
/// inside of all this, so that waits do not count against it; the origin has one as well.
///
/// ```
/// use smooth_origin::origin::Origin;
/// use smooth_origin::storage::{MemoryStore, Resilience};
/// # let remote = MemoryStore::new();
/// let store = Resilience::new().tries(4).around(remote);
/// let origin = Origin::new(store.clone());
/// // Later, for the metrics:
/// let stats = store.stats();
/// println!("{} retries, breaker {:?}", stats.retry.retries, stats.breaker.state);
/// # let _ = origin;
/// ```
#[derive(Clone)]
pub struct Resilience {
    timeout: Duration,
    rate: u64,
    tries: u32,
    delay: (Duration, Duration),
    total: Duration,
    budget: (u32, u32),
    hedge: Option<(Duration, u8)>,
    hedge_limit: u32,
    breaker: (u32, u32),
    open_for: Duration,
    report: Option<Arc<Report>>,
    timer: Arc<dyn Timer>,
    clock: Clock,
    seed: Option<u64>,
}

type Report = dyn Fn(BreakerState, Option<&io::Error>) + Send + Sync;

/// A remote store whose faults are kept from clients, as far as may be. [`Resilience`] makes it.
///
/// Clones share everything.
///
/// ```
/// use smooth_origin::storage::{MemoryStore, Resilience, ResilientStore};
///
/// fn resilient(remote: MemoryStore) -> ResilientStore<MemoryStore> {
///     Resilience::new().around(remote)
/// }
/// # assert_eq!(resilient(MemoryStore::new()).stats().retry.retries, 0);
/// ```
#[derive(Clone, Debug)]
pub struct ResilientStore<S>(Layers<S>);

/// A source of a [`ResilientStore`].
#[derive(Clone, Debug)]
pub struct ResilientSource<S>(RetrySource<BreakerSource<HedgeSource<TimeoutSource<S>>>>);

type Layers<S> = RetryStore<BreakerStore<HedgeStore<TimeoutStore<S>>>>;

/// The counts of a [`ResilientStore`], from one look at each.
///
/// | Metric that a host may make of it | Kind |
/// |---|---|
/// | `retry.retries`, `retry.recovered`, `retry.given_up`, `retry.out_of_budget`, `retry.slow_downs` | counter |
/// | `hedge.sent`, `hedge.won`, `hedge.over_limit` | counter |
/// | `breaker.openings`, `breaker.refused` | counter |
/// | `breaker.state` | gauge |
///
/// ```
/// use smooth_origin::storage::{BreakerState, ResilienceStats};
///
/// fn is_healthy(stats: &ResilienceStats) -> bool {
///     stats.breaker.state == BreakerState::Closed
/// }
/// # assert!(is_healthy(&ResilienceStats::default()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResilienceStats {
    /// Retries.
    pub retry: RetryStats,
    /// Requests that were made a second time.
    pub hedge: HedgeStats,
    /// The breaker.
    pub breaker: BreakerStats,
}

impl Default for Resilience {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(2),
            rate: 1 << 20,
            tries: 6,
            delay: (Duration::from_millis(50), Duration::from_secs(1)),
            total: Duration::from_secs(9),
            budget: (50, 10),
            hedge: None,
            hedge_limit: 5,
            breaker: (20, 80),
            open_for: Duration::from_secs(5),
            report: None,
            timer: Arc::new(ThreadTimer),
            clock: Clock::default(),
            seed: None,
        }
    }
}

impl Resilience {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time for one request, and the rate at which its bytes must come in addition; default
    /// 2 s and 1 MiB per second. See [`TimeoutStore::at_least`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration, bytes_per_second: u64) -> Self {
        (self.timeout, self.rate) = (timeout, bytes_per_second);
        self
    }

    /// Sets how often a request is made at most; default 6. See [`RetryStore::tries`].
    #[must_use]
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    /// Sets the longest wait before the first retry, and before any other; default 50 ms and 1 s. See
    /// [`RetryStore::delay`].
    #[must_use]
    pub fn delay(mut self, first: Duration, longest: Duration) -> Self {
        self.delay = (first, longest);
        self
    }

    /// Sets the time for all tries of an operation; default 9 s. See [`RetryStore::total`].
    #[must_use]
    pub fn total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }

    /// Sets how many retries may be made per 100 requests, and per second in any case; default 50 and
    /// 10. See [`RetryStore::budget`].
    #[must_use]
    pub fn retry_budget(mut self, percent: u32, per_second: u32) -> Self {
        self.budget = (percent, per_second);
        self
    }

    /// Makes a request a second time if it takes longer than `delay`, and longer than so many percent
    /// of the recent ones of its size; by default, none is. With 0 percent, only the delay counts. See
    /// [`HedgeStore`].
    #[must_use]
    pub fn hedge(mut self, delay: Duration, percentile: u8) -> Self {
        self.hedge = Some((delay, percentile));
        self
    }

    /// Sets how many requests per 100 may be made a second time; default 5. See [`HedgeStore::limit`].
    #[must_use]
    pub fn hedge_limit(mut self, percent: u32) -> Self {
        self.hedge_limit = percent;
        self
    }

    /// Sets when the breaker opens, and for how long; default after 20 failures in a row, or 80 % within
    /// 10 s, and for 5 s. With 0 failures, it never opens. See [`BreakerStore::failures`].
    #[must_use]
    pub fn breaker(mut self, in_a_row: u32, percent: u32, open_for: Duration) -> Self {
        (self.breaker, self.open_for) = ((in_a_row, percent), open_for);
        self
    }

    /// Reports when the breaker opens and closes; see [`BreakerStore::on_change`].
    #[must_use]
    pub fn on_breaker_change(
        mut self,
        report: impl Fn(BreakerState, Option<&io::Error>) + Send + Sync + 'static,
    ) -> Self {
        self.report = Some(Arc::new(report));
        self
    }

    /// The timer of all waits; the default needs no runtime. See [`Timer`].
    #[must_use]
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.timer = Arc::new(timer);
        self
    }

    /// The clock; default the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The seed of the lengths of waits; see [`RetryStore::seed`].
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Puts the stores around a remote one. Each store that is made so has a budget, a breaker and
    /// counts of its own.
    pub fn around<S>(&self, remote: S) -> ResilientStore<S> {
        let timer = || SharedTimer(Arc::clone(&self.timer));
        let clock = || self.clock.clone();
        let timed = TimeoutStore::new(remote, self.timeout).at_least(self.rate).timer(timer());
        let ((delay, percentile), limit) = match self.hedge {
            Some(hedge) => (hedge, self.hedge_limit),
            None => ((Duration::MAX, 0), 0),
        };
        let hedged = HedgeStore::new(timed, delay).percentile(percentile).limit(limit);
        let hedged = hedged.timer(timer()).clock(clock());
        let (in_a_row, percent) = self.breaker;
        let broken = BreakerStore::new(hedged).failures(in_a_row, percent);
        let broken = broken.open_for(self.open_for).clock(clock());
        let broken = match self.report.clone() {
            Some(report) => broken.on_change(move |state, error| report(state, error)),
            None => broken,
        };
        let (percent, per_second) = self.budget;
        let tried = RetryStore::new(broken)
            .tries(self.tries)
            .delay(self.delay.0, self.delay.1)
            .total(self.total)
            .budget(percent, per_second)
            .timer(timer())
            .clock(clock());
        ResilientStore(match self.seed {
            Some(seed) => tried.seed(seed),
            None => tried,
        })
    }
}

struct SharedTimer(Arc<dyn Timer>);

impl Timer for SharedTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.0.sleep(duration)
    }
}

impl<S> ResilientStore<S> {
    /// Returns the counts.
    pub fn stats(&self) -> ResilienceStats {
        let Self(retries) = self;
        let breaker = retries.inner();
        ResilienceStats {
            retry: retries.stats(),
            hedge: breaker.inner().stats(),
            breaker: breaker.stats(),
        }
    }
}

impl<S: Store> Store for ResilientStore<S> {
    type Source = ResilientSource<S::Source>;

    async fn open(&self, name: &Name) -> io::Result<Self::Source> {
        Ok(ResilientSource(self.0.open(name).await?))
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<Self::Source>> {
        Ok(self.0.open_with(name, ends).await?.map(ResilientSource))
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        self.0.stat(name).await
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        self.0.list(folder).await
    }

    async fn stored_name(&self, name: &Name) -> io::Result<Option<Name>> {
        self.0.stored_name(name).await
    }
}

impl<S: RangeSource> RangeSource for ResilientSource<S> {
    async fn stat(&self) -> io::Result<Stat> {
        self.0.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.0.read(range).await
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        self.0.read_many(ranges).await
    }

    fn underlying(&self) -> &dyn Any {
        self.0.underlying()
    }
}

impl fmt::Debug for Resilience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resilience")
            .field("timeout", &self.timeout)
            .field("tries", &self.tries)
            .field("total", &self.total)
            .field("budget", &self.budget)
            .field("hedge", &self.hedge)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}
