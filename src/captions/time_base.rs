//! The point that the times of a document count from.

use super::document::Document;
use super::seconds::Seconds;
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
    /// Decides the time base from the document of a fragment with this start and duration.
    ///
    /// Returns `None` if the document fits both: for the fragment at 0, for a document without captions,
    /// and if every caption would be visible in the fragment either way. Then another fragment of the
    /// track has to decide. Also returns `None` if captions contradict each other.
    pub fn of_document(document: &Document, chunk: &Window) -> Option<Self> {
        if chunk.start == 0 {
            return None;
        }
        let (mut relative, mut absolute) = (false, false);
        for (begin, end) in document.times() {
            let is_in = |from: u64, to: u64| is_visible(begin, end, chunk.timescale, from, to);
            let is_relative = is_in(0, chunk.duration);
            let is_absolute = is_in(chunk.start, chunk.end());
            // A caption that fits both says nothing.
            relative |= is_relative && !is_absolute;
            absolute |= is_absolute && !is_relative;
        }
        match (relative, absolute) {
            (true, false) => Some(Self::Fragment),
            (false, true) => Some(Self::Presentation),
            _ => None,
        }
    }

    /// Returns the ticks that are added to the times of a document.
    pub(super) fn origin(self, window: &Window) -> u64 {
        match self {
            Self::Presentation => 0,
            Self::Fragment => window.start,
        }
    }
}

/// Returns whether a caption is visible between two times in ticks.
fn is_visible(begin: Seconds, end: Option<Seconds>, scale: Timescale, from: u64, to: u64) -> bool {
    let ticks = |time: Seconds| time.to_ticks(scale).unwrap_or(u64::MAX);
    ticks(begin) < to && end.is_none_or(|end| ticks(end) > from)
}
