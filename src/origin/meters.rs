//! Numbers of an origin as metrics of the `metrics` facade.

use std::fmt;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, SharedString, Unit};

use super::stats::OriginStats;

/// A number of an origin.
type Number = fn(&OriginStats) -> u64;

/// The metrics of one origin, as the recorder has registered them.
pub(super) struct Meters {
    opening: Histogram,
    counters: Vec<(Counter, Number)>,
    gauges: Vec<(Gauge, Number)>,
}

const OPENING: &str = "smooth_origin_opening_seconds";
const OPENINGS: &str = "smooth_origin_openings_total";

/// A metric that shows a number of an origin.
struct Row {
    name: &'static str,
    unit: Unit,
    description: &'static str,
    of: Number,
}

const fn row(name: &'static str, unit: Unit, of: Number, description: &'static str) -> Row {
    Row { name, unit, description, of }
}

/// Openings have one counter with a label. Values of the label.
const OUTCOMES: &[(&str, Number)] = &[
    ("opened", |stats| stats.openings),
    ("failed", |stats| stats.openings_failed),
    ("refused", |stats| stats.openings_refused),
];

const COUNTERS: &[Row] = &[
    row(
        "smooth_origin_reopenings_total",
        Unit::Count,
        |stats| stats.reopenings,
        "Openings of presentations that were open already",
    ),
    row(
        "smooth_origin_replacements_total",
        Unit::Count,
        |stats| stats.replacements,
        "Presentations that took the place of an earlier opening",
    ),
    row(
        "smooth_origin_reads_total",
        Unit::Count,
        |stats| stats.reads,
        "Ranges that were read from the store",
    ),
    row(
        "smooth_origin_read_bytes_total",
        Unit::Bytes,
        |stats| stats.read_bytes,
        "Bytes that were read from the store",
    ),
    row(
        "smooth_origin_shared_reads_total",
        Unit::Count,
        |stats| stats.shared_reads,
        "Requests that got the bytes of another request's read",
    ),
    row(
        "smooth_origin_ahead_reads_total",
        Unit::Count,
        |stats| stats.ahead_reads,
        "Fragments that were read before a client requested them",
    ),
    row(
        "smooth_origin_ahead_used_total",
        Unit::Count,
        |stats| stats.ahead_used,
        "Fragments that were read ahead and requested afterwards",
    ),
    row(
        "smooth_origin_timeouts_total",
        Unit::Count,
        |stats| stats.timeouts,
        "Operations of the store, and waits for room in memory, that took too long",
    ),
    row(
        "smooth_origin_refused_total",
        Unit::Count,
        |stats| stats.refused,
        "Requests and openings that were refused because too many operations waited",
    ),
    row(
        "smooth_origin_failures_total",
        Unit::Count,
        |stats| stats.failures,
        "Requests and bodies that failed because of the content or the storage",
    ),
    row(
        "smooth_origin_fragment_cache_hits_total",
        Unit::Count,
        |stats| stats.fragments.hits,
        "Fragments that were in the cache",
    ),
    row(
        "smooth_origin_fragment_cache_misses_total",
        Unit::Count,
        |stats| stats.fragments.misses,
        "Fragments that had to be read",
    ),
    row(
        "smooth_origin_disk_cache_hits_total",
        Unit::Count,
        |stats| stats.disk_cache.hits,
        "Reads whose bytes were on the local disk",
    ),
    row(
        "smooth_origin_disk_cache_misses_total",
        Unit::Count,
        |stats| stats.disk_cache.misses,
        "Reads whose bytes were not on the local disk",
    ),
    row(
        "smooth_origin_disk_cache_errors_total",
        Unit::Count,
        |stats| stats.disk_cache.errors,
        "Reads for which the local disk failed or gave other bytes",
    ),
    row(
        "smooth_origin_disk_cache_hit_bytes_total",
        Unit::Bytes,
        |stats| stats.disk_cache.hit_bytes,
        "Bytes that were read from the local disk",
    ),
    row(
        "smooth_origin_live_pushes_total",
        Unit::Count,
        |stats| stats.live_pushes,
        "Bodies that encoders have begun to push",
    ),
    row(
        "smooth_origin_live_bytes_total",
        Unit::Bytes,
        |stats| stats.live_bytes,
        "Bytes that encoders have pushed",
    ),
    row(
        "smooth_origin_live_fragments_total",
        Unit::Count,
        |stats| stats.live_fragments,
        "Fragments that publishing points have published",
    ),
    row(
        "smooth_origin_live_refused_total",
        Unit::Count,
        |stats| stats.live_refused,
        "Pushes that were refused or broken off",
    ),
];

const GAUGES: &[Row] = &[
    row(
        "smooth_origin_openings_in_progress",
        Unit::Count,
        |stats| stats.openings_in_progress,
        "Openings in progress",
    ),
    row(
        "smooth_origin_operations_in_progress",
        Unit::Count,
        |stats| stats.in_progress,
        "Operations of the store in progress",
    ),
    row(
        "smooth_origin_operations_waiting",
        Unit::Count,
        |stats| stats.waiting,
        "Operations that wait for their turn at the store",
    ),
    row(
        "smooth_origin_presentations",
        Unit::Count,
        |stats| stats.presentations,
        "Presentations that are open",
    ),
    row(
        "smooth_origin_failed_presentations",
        Unit::Count,
        |stats| stats.failed_presentations,
        "Presentations whose opening has failed and whose error is kept",
    ),
    row(
        "smooth_origin_presentation_bytes",
        Unit::Bytes,
        |stats| stats.presentation_bytes,
        "Memory that the cache of presentations takes",
    ),
    row(
        "smooth_origin_open_files",
        Unit::Count,
        |stats| stats.open_files,
        "Files that are held open for presentations",
    ),
    row(
        "smooth_origin_body_bytes",
        Unit::Bytes,
        |stats| stats.body_bytes,
        "Bytes of bodies that were read and are not sent yet",
    ),
    row(
        "smooth_origin_fragment_cache_fragments",
        Unit::Count,
        |stats| stats.fragments.fragments,
        "Fragments in the cache",
    ),
    row(
        "smooth_origin_fragment_cache_bytes",
        Unit::Bytes,
        |stats| stats.fragments.bytes,
        "Memory that the cache of fragments takes",
    ),
];

impl Meters {
    /// Registers all metrics with the recorder that is installed.
    pub(super) fn new(origin: &str) -> Self {
        let label = SharedString::from(origin.to_owned());
        metrics::describe_histogram!(OPENING, Unit::Seconds, "Time that one opening took");
        metrics::describe_counter!(OPENINGS, Unit::Count, "Openings that have ended");
        let mut counters = Vec::with_capacity(OUTCOMES.len() + COUNTERS.len());
        for (outcome, of) in OUTCOMES {
            let counter =
                metrics::counter!(OPENINGS, "origin" => label.clone(), "outcome" => *outcome);
            counters.push((counter, *of));
        }
        for Row { name, unit, description, of } in COUNTERS {
            metrics::describe_counter!(*name, *unit, *description);
            counters.push((metrics::counter!(*name, "origin" => label.clone()), *of));
        }
        let gauge = |Row { name, unit, description, of }: &Row| {
            metrics::describe_gauge!(*name, *unit, *description);
            (metrics::gauge!(*name, "origin" => label.clone()), *of)
        };
        let gauges = GAUGES.iter().map(gauge).collect();
        Self { opening: metrics::histogram!(OPENING, "origin" => label), counters, gauges }
    }

    /// Records an opening that has ended.
    pub(super) fn opening(&self, took: Duration) {
        self.opening.record(took);
    }

    /// Brings counters and gauges up to date.
    pub(super) fn record(&self, stats: &OriginStats) {
        for (counter, of) in &self.counters {
            counter.absolute(of(stats));
        }
        for (gauge, of) in &self.gauges {
            gauge.set(of(stats) as f64);
        }
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}
