//! Notices to the operator about a store that works.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use object_store::path::Path;

use super::pin::Pin;
use super::unsteady::{CHANGES, Unsteady};
use crate::storage::Clock;

/// A function of the host that gets each sentence once.
#[derive(Clone, Default)]
pub(super) struct Notice(Option<Arc<Host>>);

struct Host {
    tell: Box<dyn Fn(&str) + Send + Sync>,
    has_no_versions: AtomicBool,
    is_unsteady: AtomicBool,
    unsteady: Mutex<Unsteady>,
    clock: Clock,
}

impl Notice {
    pub(super) fn by(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Host {
            tell: Box::new(tell),
            has_no_versions: AtomicBool::new(false),
            is_unsteady: AtomicBool::new(false),
            unsteady: Mutex::default(),
            clock: Clock::default(),
        })))
    }

    /// The store has neither ETags nor versions.
    pub(super) fn no_versions(&self) {
        if let Some(host) = &self.0
            && !host.has_no_versions.swap(true, Ordering::Relaxed)
        {
            (host.tell)(
                "the store gives no ETag: an object that is replaced by one of the same size within a \
                 second is not noticed; switch on ETags in the server",
            );
        }
    }

    /// An object was opened in this version.
    pub(super) fn opened(&self, path: &Path, pin: &Pin) {
        if let Some(host) = &self.0 {
            host.unsteady().opened(path.as_ref(), pin.mark());
        }
    }

    /// A read found an object in another version than the one that was opened.
    pub(super) fn changed(&self, path: &Path, pin: &Pin) {
        let Some(host) = &self.0 else { return };
        let now = host.clock.now();
        let is_unsteady = host.unsteady().changed(path.as_ref(), pin.mark(), now);
        if is_unsteady && !host.is_unsteady.swap(true, Ordering::Relaxed) {
            (host.tell)(&format!(
                "the store gives another ETag with each answer: `{path}` changed {CHANGES} times within a \
                 minute while it was read, and cannot be served; if nobody writes to it, make all servers \
                 and proxies behind the endpoint give one ETag and honour If-Match"
            ));
        }
    }
}

impl Host {
    fn unsteady(&self) -> std::sync::MutexGuard<'_, Unsteady> {
        self.unsteady.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Notice(host)" } else { "Notice(none)" })
    }
}
