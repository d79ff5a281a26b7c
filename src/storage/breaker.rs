//! A breaker: a store that keeps failing is left alone for a while.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::error::{is_passing, slow_down};
use super::sick_objects::{ObjectKey, SickObjects};
use super::wrapping::{Around, Operation, wraps};
use super::{Clock, Ends, Opening, SlowDown, Stat};
use crate::base::Name;

/// A store whose operations fail at once while another store keeps failing.
///
/// | State | Operations | Ends |
/// |---|---|---|
/// | closed | go to the store | after 20 failures in a row, or if 80 % of at least 20 operations in 10 s failed |
/// | open | fail at once with [`BreakerOpen`] | after 5 s, or after the time that a [`SlowDown`] asked for |
/// | half-open | one goes to the store, the others fail at once | closed if that one succeeds, open if it fails |
///
/// Operations that are under way count as successes as long as they are: of many that begin together,
/// those that fail may be the first to end. So more than 20 failures in a row are needed if more
/// operations are under way. Others may be the last to end: a failure of an operation that began
/// before one that has succeeded is not part of a row.
///
/// One object that keeps failing says little about its store: of 20 failures in a row, three count. After
/// as many failures as open the breaker, an object is left alone by itself for the same time, while others are
/// read. So a store without an answer is left alone once seven objects were asked for, and what is wrong
/// with one title does not end the others.
///
/// A request that would wait in vain so fails at once, with a time for `Retry-After`; it takes no
/// place among the operations of the origin, and a store that comes back is not met by all requests
/// that waited for it.
///
/// An error that is an answer is a success: the object is missing, may not be read, or has changed.
/// The errors that count as failures are those that a [`RetryStore`](super::RetryStore) tries again. A
/// breaker belongs inside of one, around a [`TimeoutStore`](super::TimeoutStore): a dropped operation
/// counts as neither.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::storage::{BreakerStore, MemoryStore, RetryStore, TimeoutStore};
/// # let remote = MemoryStore::new();
/// let breaker = BreakerStore::new(TimeoutStore::new(remote, Duration::from_secs(2)));
/// let store = RetryStore::new(breaker.clone());
/// // Later, for the metrics:
/// println!("the breaker is {:?}", breaker.stats().state);
/// # let _ = store;
/// ```
///
/// Clones share the state, unless an option is set afterwards. A store with several buckets or
/// servers behind it needs a breaker for each.
#[derive(Clone, Debug)]
pub struct BreakerStore<S> {
    store: S,
    around: Breaker,
}

/// A source of a [`BreakerStore`].
#[derive(Clone, Debug)]
pub struct BreakerSource<S> {
    source: S,
    around: Breaker,
}

/// State of a [`BreakerStore`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Operations go to the store.
    #[default]
    Closed,
    /// One operation at a time goes to the store, to find out whether it succeeds.
    HalfOpen,
    /// Operations fail at once.
    Open,
}

/// State and counts of a [`BreakerStore`].
///
/// ```
/// use smooth_origin::storage::{BreakerState, BreakerStats};
///
/// /// A gauge of 0 or 1.
/// fn is_open(stats: &BreakerStats) -> f64 {
///     f64::from(u8::from(stats.state != BreakerState::Closed))
/// }
/// # assert_eq!(is_open(&BreakerStats::default()), 0.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerStats {
    /// The state now.
    pub state: BreakerState,
    /// Number of times that the breaker opened.
    pub openings: u64,
    /// Operations that failed at once.
    pub refused: u64,
    /// Objects that are left alone now, each by itself.
    pub objects: u64,
}

/// The error of an operation that does not go to the store, because the breaker is open.
///
/// The kind of its [`io::Error`] is [`ResourceBusy`](io::ErrorKind::ResourceBusy), and its cause is a
/// [`SlowDown`].
///
/// ```
/// use std::io;
/// use smooth_origin::storage::BreakerOpen;
///
/// fn is_from_the_breaker(error: &io::Error) -> bool {
///     error.get_ref().is_some_and(|inner| inner.is::<BreakerOpen>())
/// }
/// # assert!(!is_from_the_breaker(&io::ErrorKind::TimedOut.into()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the storage keeps failing and is asked again in {} s", retry_after.as_secs_f64().ceil())]
#[non_exhaustive]
pub struct BreakerOpen {
    /// Time until the store is asked again.
    pub retry_after: Duration,
    #[source]
    cause: SlowDown,
}

#[derive(Clone)]
struct Breaker {
    in_a_row: u32,
    percent: u32,
    open_for: Duration,
    clock: Clock,
    report: Option<Arc<Report>>,
    memory: Arc<Mutex<Memory>>,
    /// The object whose operations these are.
    object: ObjectKey,
}

type Report = dyn Fn(BreakerState, Option<&io::Error>) + Send + Sync;

#[derive(Debug, Default)]
struct Memory {
    state: State,
    /// Grows with each change of the state: operations that began before do not count.
    changes: u64,
    /// Operations that went to the store so far.
    begun: u64,
    /// Those that have not ended.
    under_way: u32,
    /// Number of the latest operation that has succeeded.
    succeeded: u64,
    in_a_row: u32,
    window: Window,
    objects: SickObjects,
    openings: u64,
    refused: u64,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Closed,
    Open {
        until: Duration,
    },
    HalfOpen {
        is_probing: bool,
    },
}

/// Outcomes of the last seconds, by second.
#[derive(Debug, Default)]
struct Window {
    seconds: [Outcomes; WINDOW],
    /// The second of the latest outcome.
    latest: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Outcomes {
    all: u32,
    failed: u32,
}

/// An operation that goes to the store.
struct Pass<'a> {
    breaker: &'a Breaker,
    number: u64,
    changes: u64,
    is_probe: bool,
    is_settled: bool,
}

/// Seconds of the window.
const WINDOW: usize = 10;

/// Operations of which a share can be told.
const LEAST: u32 = 20;

/// The longest time for which a store is left alone because it asked for that.
const LONGEST: Duration = Duration::from_secs(60);

/// Time after which an operation may go to the store, while another one finds out whether it can.
const PROBE: Duration = Duration::from_secs(1);

impl<S> BreakerStore<S> {
    /// A closed breaker before `store`.
    pub fn new(store: S) -> Self {
        let around = Breaker {
            in_a_row: 20,
            percent: 80,
            open_for: Duration::from_secs(5),
            clock: Clock::default(),
            report: None,
            memory: Arc::default(),
            object: ObjectKey::default(),
        };
        Self { store, around }
    }

    /// Sets when the breaker opens: after so many failures in a row, or if so many percent of at least
    /// 20 operations in 10 s have failed; default 20 and 80. With 0 for the first, it never opens.
    #[must_use]
    pub fn failures(mut self, in_a_row: u32, percent: u32) -> Self {
        (self.around.in_a_row, self.around.percent) = (in_a_row, percent);
        self.around.memory = Arc::default();
        self
    }

    /// Sets for how long the breaker stays open; default 5 s.
    #[must_use]
    pub fn open_for(mut self, time: Duration) -> Self {
        self.around.open_for = time;
        self.around.memory = Arc::default();
        self
    }

    /// The clock that measures that time; default the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.around.clock = clock;
        self.around.memory = Arc::default();
        self
    }

    /// Reports when the breaker opens, with the error of the store that opened it, and when it closes,
    /// for the operator's log; by default, nothing is reported.
    ///
    /// `report` is called in the task of an operation, and should not block.
    ///
    /// ```
    /// use smooth_origin::storage::{BreakerStore, MemoryStore};
    /// # let remote = MemoryStore::new();
    /// let store = BreakerStore::new(remote).on_change(|state, error| match error {
    ///     Some(error) => eprintln!("the breaker of the storage is {state:?}: {error}"),
    ///     None => eprintln!("the breaker of the storage is {state:?}"),
    /// });
    /// # let _ = store;
    /// ```
    #[must_use]
    pub fn on_change(
        mut self,
        report: impl Fn(BreakerState, Option<&io::Error>) + Send + Sync + 'static,
    ) -> Self {
        self.around.report = Some(Arc::new(report));
        self
    }

    pub(super) fn inner(&self) -> &S {
        &self.store
    }

    /// Returns the state and the counts.
    pub fn stats(&self) -> BreakerStats {
        let now = self.around.clock.now();
        let memory = self.around.memory();
        let state = match memory.state {
            State::Closed => BreakerState::Closed,
            State::Open { until } if now < until => BreakerState::Open,
            State::Open { .. } | State::HalfOpen { .. } => BreakerState::HalfOpen,
        };
        let objects = memory.objects.left_alone(now);
        BreakerStats { state, openings: memory.openings, refused: memory.refused, objects }
    }
}

impl Breaker {
    /// Lets an operation go to the store.
    fn admit(&self) -> Result<Pass<'_>, BreakerOpen> {
        let is_off = self.in_a_row == 0;
        let now = self.clock.now();
        let mut memory = self.memory();
        if let State::Open { until } = memory.state
            && now >= until
        {
            memory.change(State::HalfOpen { is_probing: false });
        }
        let mut is_probe = false;
        let Memory { state, objects, .. } = &mut *memory;
        let wait = match state {
            State::Closed => objects.admit(self.object, now, PROBE),
            State::Open { until } => Some(until.saturating_sub(now)),
            State::HalfOpen { is_probing: true } => Some(PROBE),
            State::HalfOpen { is_probing } => {
                (*is_probing, is_probe) = (true, true);
                None
            }
        };
        match wait {
            Some(retry_after) if !is_off => {
                memory.refused += 1;
                let cause = SlowDown::new(Some(retry_after));
                Err(BreakerOpen { retry_after, cause })
            }
            _ => {
                memory.under_way = memory.under_way.saturating_add(1);
                memory.begun += 1;
                let (number, changes) = (memory.begun, memory.changes);
                Ok(Pass { breaker: self, number, changes, is_probe, is_settled: false })
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn change(&mut self, state: State) {
        self.state = state;
        self.changes += 1;
        self.in_a_row = 0;
        self.window = Window::default();
        self.objects.clear();
    }
}

impl Window {
    fn add(&mut self, now: Duration, has_failed: bool) {
        let second = now.as_secs();
        // A clock may be read by one operation and written down after that of another.
        let second = second.max(self.latest);
        let gone = (second - self.latest).min(WINDOW as u64);
        for past in 0..gone {
            self.seconds[Self::place(second - past)] = Outcomes::default();
        }
        self.latest = second;
        let outcomes = &mut self.seconds[Self::place(second)];
        outcomes.all = outcomes.all.saturating_add(1);
        outcomes.failed = outcomes.failed.saturating_add(has_failed.into());
    }

    /// The place of a second, which is below [`WINDOW`].
    fn place(second: u64) -> usize {
        (second % WINDOW as u64) as usize
    }

    /// Returns whether so many percent of the operations have failed, of which some are under way.
    fn has_failed(&self, percent: u32, under_way: u32) -> bool {
        let sum = |of: fn(&Outcomes) -> u32| self.seconds.iter().map(|s| u64::from(of(s))).sum();
        let (all, failed): (u64, u64) = (sum(|s| s.all), sum(|s| s.failed));
        let all = all + u64::from(under_way);
        all >= LEAST.into() && failed * 100 >= all * u64::from(percent)
    }
}

impl Pass<'_> {
    /// Counts the outcome of the operation.
    fn settle<T>(mut self, done: &io::Result<T>) {
        self.is_settled = true;
        let failure = done.as_ref().err().filter(|error| is_passing(error));
        let Breaker { in_a_row, percent, open_for, object, .. } = *self.breaker;
        let now = self.breaker.clock.now();
        let mut memory = self.breaker.memory();
        memory.under_way = memory.under_way.saturating_sub(1);
        if memory.changes != self.changes || in_a_row == 0 {
            return;
        }
        let asked_for = failure.and_then(slow_down).and_then(|slow_down| slow_down.retry_after);
        let until = now.saturating_add(open_for.max(asked_for.unwrap_or_default().min(LONGEST)));
        let under_way = memory.under_way;
        let counts = match failure {
            None => {
                memory.objects.answered(object);
                true
            }
            Some(_) => memory.objects.failed(object, in_a_row.max(under_way), until),
        };
        if counts {
            memory.window.add(now, failure.is_some());
        }
        if failure.is_none() {
            memory.in_a_row = 0;
            memory.succeeded = memory.succeeded.max(self.number);
        } else if counts && self.number > memory.succeeded {
            // One that began before an operation that has succeeded may be late: it has timed out, and
            // shows nothing about the store as it is now.
            memory.in_a_row = memory.in_a_row.saturating_add(1);
        }
        let changed = match failure {
            None if self.is_probe => {
                memory.change(State::Closed);
                Some(BreakerState::Closed)
            }
            None => None,
            Some(_) => {
                // Failures often come sooner than successes: of many operations that begin together,
                // the first to end may be those few that fail.
                let opens = self.is_probe
                    || memory.in_a_row >= in_a_row.max(under_way)
                    || memory.window.has_failed(percent, under_way);
                opens.then(|| {
                    memory.change(State::Open { until });
                    memory.openings += 1;
                    BreakerState::Open
                })
            }
        };
        drop(memory);
        if let (Some(report), Some(state)) = (&self.breaker.report, changed) {
            report(state, failure);
        }
    }
}

/// A dropped operation has no outcome. If it was to find out whether the store answers, another one
/// may.
impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        let mut memory = self.breaker.memory();
        memory.under_way = memory.under_way.saturating_sub(1);
        if self.is_probe && memory.changes == self.changes {
            memory.state = State::HalfOpen { is_probing: false };
        }
    }
}

impl From<BreakerOpen> for io::Error {
    fn from(open: BreakerOpen) -> Self {
        Self::new(io::ErrorKind::ResourceBusy, open)
    }
}

impl Around for Breaker {
    fn of(&self, name: &Name) -> Self {
        Self { object: ObjectKey::of(name), ..self.clone() }
    }

    async fn run<T, F>(&self, _: Operation, call: impl Fn() -> F + Send + Sync) -> io::Result<T>
    where
        T: Send,
        F: Future<Output = io::Result<T>> + Send,
    {
        let pass = self.admit()?;
        let done = call().await;
        pass.settle(&done);
        done
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { in_a_row, percent, open_for, .. } = self;
        f.debug_struct("Breaker")
            .field("in_a_row", in_a_row)
            .field("percent", percent)
            .field("open_for", open_for)
            .field("state", &self.memory().state)
            .finish_non_exhaustive()
    }
}

wraps!(BreakerStore, BreakerSource);
