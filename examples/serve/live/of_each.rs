//! The options of publishing points that have none of their own.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use smooth_origin::live::PointOptions;

use super::LiveArguments;

/// The options of publishing points that have none of their own. SIGHUP changes their window. Clones share it.
#[derive(Clone)]
pub(crate) struct OfEach(Arc<RwLock<PointOptions>>);

impl OfEach {
    pub(crate) fn new(arguments: &LiveArguments) -> Self {
        let options = PointOptions::default()
            .look_ahead(arguments.live_look_ahead)
            .window(window(arguments))
            .start_over(arguments.live_start_over);
        Self(Arc::new(RwLock::new(options)))
    }

    /// The options that count now.
    pub(super) fn now(&self) -> PointOptions {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over the window of other arguments. The rest changes with the next start.
    pub(super) fn change(&self, arguments: &LiveArguments) {
        let mut options = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *options = options.clone().window(window(arguments));
    }
}

fn window(arguments: &LiveArguments) -> Option<Duration> {
    Some(arguments.live_window).filter(|window| !window.is_zero())
}
