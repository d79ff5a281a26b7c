//! The timer that ends waits: the host's, or the crate's own.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

/// Ends waits after a time.
///
/// An origin sets a timer only if it has to wait: a read that is done at once sets none. The default
/// timer needs no runtime: one thread of the process ends all sleeps, and starts with the first
/// sleep. On `wasm32-unknown-unknown`, which has no threads, the default timer never ends a sleep;
/// time limits hold there only if the host supplies a timer.
///
/// With tokio, its own timer saves that thread:
///
/// ```
/// use std::{future::Future, pin::Pin, time::Duration};
/// use smooth_origin::origin::{Origin, Timer};
/// use smooth_origin::storage::MemoryStore;
///
/// struct Tokio;
///
/// impl Timer for Tokio {
///     fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
///         Box::pin(tokio::time::sleep(duration))
///     }
/// }
/// # mod tokio { pub mod time {
/// #     pub async fn sleep(_: std::time::Duration) {}
/// # } }
///
/// let origin = Origin::builder(MemoryStore::new()).timer(Tokio).build();
/// ```
pub trait Timer: Send + Sync {
    /// Returns a future that ends after `duration`, counted from this call. Any `duration` must be
    /// accepted: if the end is too far away for the clock to represent, the future never ends.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The output of `future`, if it ends within `limit`. The timer is set when `future` is found to
/// wait, and not before.
pub(crate) async fn within<T>(
    timer: &dyn Timer,
    limit: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    let mut sleep = None;
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        let sleep = sleep.get_or_insert_with(|| timer.sleep(limit));
        sleep.as_mut().poll(context).map(|()| None)
    })
    .await
}
