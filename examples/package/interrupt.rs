//! Signals that end the run: what was written is removed first.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::Failure;

/// Set by SIGINT (Ctrl-C) and SIGTERM.
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Takes the signals from now on, in a thread of its own.
    pub(crate) fn watch() -> io::Result<Self> {
        let is_set = Arc::<AtomicBool>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let signal = signal()?;
        drop(entered);
        let set = Arc::clone(&is_set);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(signal);
            set.store(true, Ordering::Relaxed);
        })?;
        Ok(Self(is_set))
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Ends the run if a signal has come.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self.is_set() {
            true => Err(Failure::System("interrupted".to_owned())),
            false => Ok(()),
        }
    }
}

#[cfg(unix)]
fn signal() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signal() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
