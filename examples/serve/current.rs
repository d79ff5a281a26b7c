//! The site that answers now: a reload replaces it, and requests that have begun keep theirs.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::site::Site;

/// The site of a listener. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Current(Arc<ArcSwap<Site>>);

impl Current {
    pub(crate) fn new(site: Site) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(site)))
    }

    /// Returns the site for a request that begins.
    pub(crate) fn now(&self) -> Arc<Site> {
        self.0.load_full()
    }

    /// Has another site answer from now on.
    pub(crate) fn replace(&self, site: Site) {
        self.0.store(Arc::new(site));
    }
}
