//! Notices to the operator about a store that works.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A function of the host that gets a sentence, once.
#[derive(Clone, Default)]
pub(super) struct Notice(Option<Arc<Once>>);

struct Once {
    tell: Box<dyn Fn(&str) + Send + Sync>,
    is_told: AtomicBool,
}

impl Notice {
    pub(super) fn by(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Once { tell: Box::new(tell), is_told: AtomicBool::new(false) })))
    }

    /// The store has neither ETags nor versions.
    pub(super) fn no_versions(&self) {
        if let Some(once) = &self.0
            && !once.is_told.swap(true, Ordering::Relaxed)
        {
            (once.tell)(
                "the store gives no ETag: an object that is replaced by one of the same size within a \
                 second is not noticed; switch on ETags in the server",
            );
        }
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Notice(host)" } else { "Notice(none)" })
    }
}
