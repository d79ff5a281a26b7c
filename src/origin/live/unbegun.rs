//! Bodies that are no push yet, because nothing or too little of them has come.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::signal::{Closed, Signal};
use crate::base::Error;

/// The bodies that are no push yet: they are to end when the process does.
#[derive(Debug, Default)]
pub(super) struct UnbegunBodies {
    signals: Mutex<Vec<Weak<Signal>>>,
    /// The process ends.
    is_suspended: AtomicBool,
}

/// A body that is no push yet.
pub(crate) struct Unbegun(Arc<Signal>);

impl UnbegunBodies {
    pub(super) fn add(&self) -> Unbegun {
        let signal = Arc::<Signal>::default();
        {
            let mut signals = self.lock();
            if signals.len() == signals.capacity() {
                signals.retain(|signal| signal.strong_count() > 0);
            }
            signals.push(Arc::downgrade(&signal));
        }
        if self.is_suspended.load(Ordering::Acquire) {
            signal.close(Closed::Suspended);
        }
        Unbegun(signal)
    }

    /// Ends them, because the process ends.
    pub(super) fn suspend(&self) {
        self.is_suspended.store(true, Ordering::Release);
        for signal in self.lock().iter().filter_map(Weak::upgrade) {
            signal.close(Closed::Suspended);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Signal>>> {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unbegun {
    /// Waits until the body is to end. Returns the error for the encoder.
    pub(crate) async fn closed(&self) -> Error {
        poll_fn(|context| self.0.poll(context)).await
    }
}
