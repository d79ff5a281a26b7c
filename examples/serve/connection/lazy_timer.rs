//! A timer for deadlines that nearly always move before they come, as those of request heads do.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// The timer of one connection, for one deadline at a time. It goes off when the deadline that it
/// was set to has come, and only then is set to the one that counts by now.
#[derive(Clone, Debug)]
pub(crate) struct LazyTimer(Arc<Mutex<Pin<Box<tokio::time::Sleep>>>>);

struct LazySleep {
    deadline: Instant,
    timer: LazyTimer,
}

impl LazyTimer {
    /// Set to a time from now: no deadline of the connection is sooner.
    pub(crate) fn new(soonest: Duration) -> Self {
        Self(Arc::new(Mutex::new(Box::pin(tokio::time::sleep(soonest)))))
    }
}

impl Timer for LazyTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(LazySleep { deadline, timer: self.clone() })
    }
}

impl Future for LazySleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline.into();
        let mut sleep = self.timer.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

impl Sleep for LazySleep {}
