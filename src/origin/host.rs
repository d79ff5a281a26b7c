//! The parts of an origin that its host supplies, apart from the store.

use std::fmt;
use std::sync::Arc;

use super::counters::Counters;
use super::events::Events;
use super::offload::Offload;
use super::{Clock, Timer};
use crate::storage::AnyIndexStore;
use crate::storage::thread_timer::ThreadTimer;

#[derive(Clone)]
pub(super) struct Host {
    pub(super) clock: Clock,
    pub(super) timer: Arc<dyn Timer>,
    pub(super) offload: Offload,
    pub(super) events: Events,
    pub(super) counters: Arc<Counters>,
    /// Index files of media files without an index.
    pub(super) indexes: Option<AnyIndexStore>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            clock: Clock::default(),
            timer: Arc::new(ThreadTimer),
            offload: Offload::default(),
            events: Events::default(),
            counters: Arc::default(),
            indexes: None,
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}
