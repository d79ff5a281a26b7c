//! The point that the times of a document count from.

use crate::base::Timescale;

/// The time that captions are wanted for: the start and duration of a chunk or segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Ticks per second.
    pub timescale: Timescale,
    /// Start in ticks, on the timeline of the presentation.
    pub start: u64,
    /// Duration in ticks.
    pub duration: u64,
}

/// The point that the times of a document count from. Producers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeBase {
    /// The start of the presentation, as Azure and ffmpeg 8.1 write it.
    Presentation,
    /// The start of the fragment, as dash.js and RxPlayer read it.
    Fragment,
}

impl Window {
    /// Returns the end in ticks.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.duration)
    }
}

impl TimeBase {
    /// Returns the ticks that are added to the times of a document.
    pub(super) fn origin(self, window: &Window) -> u64 {
        match self {
            Self::Presentation => 0,
            Self::Fragment => window.start,
        }
    }
}
