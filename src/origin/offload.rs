//! Moves work that may take long to where it does not hold up other requests.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_channel::oneshot;

use crate::base::{Error, ErrorKind};
use crate::storage::budget::Budget;

/// Work that a host runs.
type Work = Box<dyn FnOnce() + Send>;

/// The place for work that may take long: the host's threads, or the task that needs the work.
#[derive(Clone, Default)]
pub(crate) struct Offload(Option<Threads>);

#[derive(Clone)]
struct Threads {
    run: Arc<dyn Fn(Work) + Send + Sync>,
    /// Limits the pieces of work at one time: more pieces than processors would take time from the
    /// threads that answer requests.
    at_once: Arc<Budget>,
}

/// At most this many bytes are parsed in the task that needs them. Parsing takes about a nanosecond
/// per byte of usual content, and far longer per byte of hostile content.
pub(super) const SMALL: u64 = 64 << 10;

impl Offload {
    pub(super) fn new(run: impl Fn(Work) + Send + Sync + 'static) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, |number| number.get());
        // With two, one title that takes long does not hold up all others.
        let at_once = Budget::new(processors.max(2) as u64);
        Self(Some(Threads { run: Arc::new(run), at_once }))
    }

    /// Returns the output of `work`. If the host supplies no threads, `work` runs in this task, after
    /// the other tasks of the thread have had their turn.
    ///
    /// Work that has begun continues if the future is dropped, and counts until it ends.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] if the host drops the work, or the work panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let Some(Threads { run, at_once }) = &self.0 else {
            give_way().await;
            return Ok(work());
        };
        let share = at_once.take(1).await;
        let (sender, receiver) = oneshot::channel();
        run(Box::new(move || {
            // The request may have gone away before its turn came.
            if !sender.is_canceled() {
                let _ = sender.send(work());
            }
            drop(share);
        }));
        let dropped = "the host has dropped work that was handed to it (`offload`)";
        receiver.await.map_err(|_| ErrorKind::Busy(dropped).into())
    }
}

#[cfg(feature = "compression")]
impl Offload {
    /// Returns whether the host supplies threads.
    pub(crate) fn has_threads(&self) -> bool {
        self.0.is_some()
    }

    /// Hands over work that no request waits for. Drops the work if the host supplies no threads or
    /// they have enough to do.
    pub(crate) fn try_run(&self, work: impl FnOnce() + Send + 'static) {
        if let Some(Threads { run, at_once }) = &self.0
            && let Some(share) = at_once.try_take(1)
        {
            run(Box::new(move || {
                work();
                drop(share);
            }));
        }
    }
}

/// Lets the other tasks of the thread have their turn.
pub(super) async fn give_way() {
    let mut gave = false;
    poll_fn(|context| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Offload {
    /// Lets the other tasks of the thread have their turn, and those that wait for a socket.
    ///
    /// A task that wakes itself is run again before its runtime asks the system for sockets that are
    /// ready (tokio asks once per 61 tasks), so it is woken from a thread of the host's, if there is
    /// one.
    pub(super) async fn give_way(&self) {
        let Some(Threads { run, .. }) = &self.0 else { return give_way().await };
        let (sender, receiver) = oneshot::channel::<()>();
        run(Box::new(move || drop(sender)));
        // The host may also drop the work at once.
        let _ = receiver.await;
    }
}

impl fmt::Debug for Offload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Offload").field(&self.0.is_some()).finish()
    }
}
