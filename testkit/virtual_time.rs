//! Time that passes only when everything waits: a test of hours runs in moments, the same way each
//! time.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use smooth_origin::origin::{Clock, Timer};

/// A clock, its timer, and the executor that moves it. Clones share the time.
#[derive(Clone, Default)]
pub struct VirtualTime(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    now: Duration,
    sleeping: BTreeMap<(Duration, u64), Waker>,
    next: u64,
}

/// Set when the future that runs can go on.
struct Woken(AtomicBool);

/// A sleep; its waker is taken out when it is dropped.
struct Sleep {
    time: VirtualTime,
    end: Duration,
    number: u64,
}

impl VirtualTime {
    pub fn now(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    pub fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::new(move || time.now())
    }

    pub fn timer(&self) -> impl Timer + use<> {
        self.clone()
    }

    /// Number of sleeps that have not ended.
    pub fn sleeping(&self) -> usize {
        self.0.lock().unwrap().sleeping.len()
    }

    /// Runs a future to its end. Whenever it waits, the time of the soonest sleep comes.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut future = pin!(future);
        loop {
            if woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    return output;
                }
                continue;
            }
            let mut state = self.0.lock().unwrap();
            let ((end, _), waker) = state.sleeping.pop_first().expect("nothing will ever happen");
            state.now = end;
            drop(state);
            waker.wake();
        }
    }
}

impl Timer for VirtualTime {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut state = self.0.lock().unwrap();
        let Some(end) = state.now.checked_add(duration) else {
            return Box::pin(std::future::pending());
        };
        state.next += 1;
        let number = state.next;
        drop(state);
        let sleep = Sleep { time: self.clone(), end, number };
        Box::pin(poll_fn(move |context| {
            let mut state = sleep.time.0.lock().unwrap();
            if state.now >= sleep.end {
                return Poll::Ready(());
            }
            state.sleeping.insert((sleep.end, sleep.number), context.waker().clone());
            Poll::Pending
        }))
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.time.0.lock().unwrap().sleeping.remove(&(self.end, self.number));
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
