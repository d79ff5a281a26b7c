//! The threads in which requests to stores run. Threads that serve and threads that list all ask them, and
//! a connection to a store outlives the thread that has needed it first.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Starts the threads, unless they run.
///
/// # Errors
/// The system has no room for them.
pub(super) fn start() -> io::Result<()> {
    if RUNTIME.get().is_none() {
        let runtime = Builder::new_multi_thread().thread_name("stores").enable_all().build()?;
        // Of two that start at once, one ends.
        if let Err(second) = RUNTIME.set(runtime) {
            second.shutdown_background();
        }
    }
    Ok(())
}

/// Runs a request to its end.
pub(super) fn run(request: Pin<Box<dyn Future<Output = ()> + Send>>) {
    if let Some(runtime) = RUNTIME.get() {
        drop(runtime.spawn(request));
    }
}
