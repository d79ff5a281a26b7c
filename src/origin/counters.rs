//! Numbers that only grow, counted as things happen.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[cfg(feature = "metrics")]
use super::meters::Meters;
use super::stats::OriginStats;

/// Numbers that only grow. Each is counted where something slow happens anyway.
#[derive(Debug, Default)]
pub(super) struct Counters {
    openings: AtomicU64,
    openings_failed: AtomicU64,
    openings_refused: AtomicU64,
    /// In microseconds.
    opening_time: AtomicU64,
    reopenings: AtomicU64,
    replacements: AtomicU64,
    reads: AtomicU64,
    read_bytes: AtomicU64,
    timeouts: AtomicU64,
    refused: AtomicU64,
    failures: AtomicU64,
    live_pushes: AtomicU64,
    live_bytes: AtomicU64,
    live_fragments: AtomicU64,
    live_refused: AtomicU64,
    #[cfg(feature = "metrics")]
    pub(super) meters: Option<Meters>,
}

/// The outcome of an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    Made,
    Failed,
    Refused,
}

impl Counters {
    /// Records openings in the meters, too.
    #[cfg(feature = "metrics")]
    pub(super) fn with_meters(self, meters: Option<Meters>) -> Self {
        Self { meters, ..self }
    }

    /// Counts an opening that has ended. `again` if the presentation was open already.
    pub(super) fn opening(&self, outcome: Opening, took: Duration, again: bool) {
        add(&self.opening_time, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        add(&self.reopenings, again.into());
        #[cfg(feature = "metrics")]
        if let Some(meters) = &self.meters {
            meters.opening(took);
        }
        let counter = match outcome {
            Opening::Made => &self.openings,
            Opening::Failed => &self.openings_failed,
            Opening::Refused => &self.openings_refused,
        };
        add(counter, 1);
    }

    /// Writes the numbers down.
    pub(super) fn write(&self, stats: &mut OriginStats) {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        stats.openings = of(&self.openings);
        stats.openings_failed = of(&self.openings_failed);
        stats.openings_refused = of(&self.openings_refused);
        stats.opening_time = Duration::from_micros(of(&self.opening_time));
        stats.reopenings = of(&self.reopenings);
        stats.replacements = of(&self.replacements);
        stats.reads = of(&self.reads);
        stats.read_bytes = of(&self.read_bytes);
        stats.timeouts = of(&self.timeouts);
        stats.refused = of(&self.refused);
        stats.failures = of(&self.failures);
        stats.live_pushes = of(&self.live_pushes);
        stats.live_bytes = of(&self.live_bytes);
        stats.live_fragments = of(&self.live_fragments);
        stats.live_refused = of(&self.live_refused);
    }

    pub(super) fn replacement(&self) {
        add(&self.replacements, 1);
    }

    /// Counts a read from the store, of so many bytes.
    pub(super) fn read(&self, bytes: usize) {
        add(&self.reads, 1);
        add(&self.read_bytes, bytes as u64);
    }

    /// Counts a push that has begun.
    #[cfg(feature = "live")]
    pub(super) fn live_push(&self) {
        add(&self.live_pushes, 1);
    }

    /// Counts bytes of a push.
    #[cfg(feature = "live")]
    pub(super) fn live_bytes(&self, bytes: usize) {
        add(&self.live_bytes, bytes as u64);
    }

    /// Counts fragments that were published.
    #[cfg(feature = "live")]
    pub(super) fn live_fragments(&self, fragments: u64) {
        add(&self.live_fragments, fragments);
    }

    /// Counts a push that was refused, or ended because nothing more could be taken of it.
    #[cfg(all(feature = "http", feature = "live"))]
    #[cold]
    pub(super) fn live_refusal(&self) {
        add(&self.live_refused, 1);
    }

    #[cold]
    pub(super) fn timeout(&self) {
        add(&self.timeouts, 1);
    }

    #[cold]
    pub(super) fn refusal(&self) {
        add(&self.refused, 1);
    }

    #[cold]
    pub(super) fn failure(&self) {
        add(&self.failures, 1);
    }
}

fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}
