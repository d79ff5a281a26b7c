//! Where requests to stores run: in the runtime of whoever asks, or in a thread for those that have none.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::OnceLock;
use std::thread;

use tokio::runtime::{Builder, Handle};

/// Runs a request to its end.
pub(super) fn run(request: Pin<Box<dyn Future<Output = ()> + Send>>) {
    match Handle::try_current() {
        // The thread of a connection: its request needs no other one.
        Ok(here) => drop(here.spawn(request)),
        Err(_) => drop(own().map(|own| own.spawn(request))),
    }
}

/// The runtime of threads without one, as those that list.
fn own() -> Option<&'static Handle> {
    static OWN: OnceLock<Option<Handle>> = OnceLock::new();
    let start = || {
        let runtime = Builder::new_current_thread().enable_all().build().ok()?;
        let handle = runtime.handle().clone();
        let run = move || runtime.block_on(pending::<()>());
        thread::Builder::new().name("stores".into()).spawn(run).ok()?;
        Some(handle)
    };
    OWN.get_or_init(start).as_ref()
}
