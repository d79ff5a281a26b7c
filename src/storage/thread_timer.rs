//! A timer that needs no runtime: one thread of the process ends all sleeps.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::Timer;

/// The timer of an origin whose host brings none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ThreadTimer;

impl Timer for ThreadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // This target has neither threads nor a clock.
        if cfg!(all(target_family = "wasm", target_os = "unknown")) {
            return Box::pin(std::future::pending());
        }
        match Instant::now().checked_add(duration) {
            Some(end) => Box::pin(Sleep { end, number: None }),
            None => Box::pin(std::future::pending()),
        }
    }
}

/// All sleeps of the process.
static SLEEPERS: Sleepers = Sleepers {
    state: Mutex::new(State {
        waiting: BTreeMap::new(),
        next: 0,
        thread_runs: false,
        wakes_at: None,
    }),
    sooner: Condvar::new(),
};

struct Sleepers {
    state: Mutex<State>,
    /// There is an end before the one that the thread waits for.
    sooner: Condvar,
}

/// One entry per sleep that was polled and neither ended nor dropped.
struct State {
    waiting: BTreeMap<(Instant, u64), Waker>,
    next: u64,
    thread_runs: bool,
    /// The time that the thread waits for, which may be the end of a sleep that was dropped since; `None` if it
    /// waits for the next sleep.
    wakes_at: Option<Instant>,
}

struct Sleep {
    end: Instant,
    /// Its place among those of the same end, while it waits.
    number: Option<u64>,
}

impl Sleepers {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the soonest end and wakes the sleeps that are due, over and over.
    fn run(&self) {
        let mut state = self.state();
        loop {
            let due = state.take_due(Instant::now());
            if !due.is_empty() {
                drop(state);
                for waker in due {
                    // A waker that panics must not end the thread: other sleeps depend on it.
                    let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
                }
                state = self.state();
                continue;
            }
            state.wakes_at = state.soonest();
            let left = state.wakes_at.map(|end| end.saturating_duration_since(Instant::now()));
            state = match left {
                Some(left) => {
                    let waited = self.sooner.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.sooner.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl State {
    fn soonest(&self) -> Option<Instant> {
        self.waiting.keys().next().map(|(end, _)| *end)
    }

    /// Keeps a waker until its end; gives its place among those of the same end.
    fn wait(&mut self, end: Instant, number: Option<u64>, waker: &Waker) -> u64 {
        let number = number.unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        match self.waiting.get_mut(&(end, number)) {
            Some(known) => known.clone_from(waker),
            None => drop(self.waiting.insert((end, number), waker.clone())),
        }
        number
    }

    fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        due
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.end {
            return Poll::Ready(());
        }
        let mut state = SLEEPERS.state();
        if !state.thread_runs {
            let thread = thread::Builder::new().name("smooth-origin-timer".into());
            // Where no thread can be had now, the next poll tries again.
            state.thread_runs = thread.spawn(|| SLEEPERS.run()).is_ok();
        }
        self.number = Some(state.wait(self.end, self.number, context.waker()));
        // Most sleeps are dropped before their end, and the thread need not know of the next one.
        let is_sooner = state.wakes_at.is_none_or(|at| self.end < at);
        drop(state);
        if is_sooner {
            SLEEPERS.sooner.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waker = SLEEPERS.state().waiting.remove(&(self.end, number));
            // Dropped after the lock is given back: it is the executor's code.
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn wakers_are_taken_in_order_of_their_ends_and_each_once() {
        let mut state =
            State { waiting: BTreeMap::new(), next: 0, thread_runs: true, wakes_at: None };
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let counts: [_; 3] = std::array::from_fn(|_| Arc::new(Count::default()));
        let wakers = counts.clone().map(Waker::from);
        for (waker, seconds) in wakers.iter().zip([2, 1, 1]) {
            state.wait(start + second * seconds, None, waker);
        }
        assert_eq!(state.soonest(), Some(start + second));
        assert!(state.take_due(start).is_empty());
        state.take_due(start + second).into_iter().for_each(Waker::wake);
        let woken = || counts.clone().map(|count| count.0.load(Ordering::Relaxed));
        assert_eq!(woken(), [0, 1, 1]);
        state.take_due(start + second * 5).into_iter().for_each(Waker::wake);
        assert_eq!(woken(), [1, 1, 1]);
        assert!(state.waiting.is_empty());
    }

    #[test]
    fn a_sleep_that_is_polled_again_has_one_waker_and_a_dropped_one_has_none() {
        let mut sleep = Box::pin(Sleep { end: Instant::now() + DAY, number: None });
        let end = sleep.end;
        let kept = || SLEEPERS.state().waiting.range((end, 0)..=(end, u64::MAX)).count();
        for _ in 0..3 {
            let poll = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(poll.is_pending());
        }
        assert_eq!(kept(), 1);
        drop(sleep);
        assert_eq!(kept(), 0);
    }

    #[test]
    fn sleeps_end_in_any_order_and_one_beyond_all_time_does_not() {
        let timer = ThreadTimer;
        let long = timer.sleep(Duration::MAX);
        let ends = [30, 1, 0, 10].map(|millis| timer.sleep(Duration::from_millis(millis)));
        let short = futures_util::future::join_all(ends);
        let first = crate::origin::block_on(futures_util::future::select(long, short));
        assert!(matches!(first, futures_util::future::Either::Right(_)));
    }

    const DAY: Duration = Duration::from_secs(86_400);
}
