//! The points that the times of captions count from, of the tracks for which that was decided.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::captions::TimeBase;
use crate::presentation::{Located, Presentation};

/// Time bases by stream and track.
#[derive(Debug, Default)]
pub(super) struct TimeBases(Mutex<HashMap<(usize, usize), TimeBase>>);

impl Presentation {
    /// Returns the time base of a track, if it was decided.
    pub(crate) fn time_base(&self, at: Located) -> Option<TimeBase> {
        let bases = self.segmented.time_bases.0.lock().unwrap_or_else(PoisonError::into_inner);
        bases.get(&(at.stream, at.track)).copied()
    }

    /// Keeps the time base of a track.
    pub(crate) fn keep_time_base(&self, at: Located, base: TimeBase) {
        let bases = &self.segmented.time_bases.0;
        bases.lock().unwrap_or_else(PoisonError::into_inner).insert((at.stream, at.track), base);
    }
}
