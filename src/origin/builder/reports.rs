//! Options of an origin: who learns of its events and numbers.

use std::sync::Arc;

use super::OriginBuilder;
use crate::origin::Event;

impl OriginBuilder {
    /// Reports what happens, for the operator's log: presentations that were opened or could not be
    /// opened, replacements that wait, requests and bodies that failed because of the content or the
    /// storage, and late findings. By default, nothing is reported.
    ///
    /// Within one period of [`revalidate_after`](Self::revalidate_after) (at least 1 s), each failure
    /// of one presentation and code is reported once, and at most 256 different failures are reported.
    /// [`Event::LeftOut`] gives the number of the others, before the first failure of a later period.
    /// A late finding is reported once per opening. Failures that are the client's fault are not
    /// reported.
    ///
    /// `report` is called in the task of a request, never while a lock is held: it may ask the origin,
    /// and should not block.
    ///
    /// ```
    /// use smooth_origin::origin::{Level, Origin};
    /// # use smooth_origin::storage::MemoryStore;
    ///
    /// let origin = Origin::builder(MemoryStore::new())
    ///     .on_event(|event| {
    ///         if event.level() > Level::Info {
    ///             eprintln!("{} {event}", event.level());
    ///         }
    ///     })
    ///     .build();
    /// ```
    pub fn on_event(mut self, report: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.report = Some(Arc::new(report));
        self
    }

    /// Reports the events of [`on_event`](Self::on_event) to the subscriber of `tracing`, too. By
    /// default, nothing is reported.
    ///
    /// The target is `smooth_origin`, the level is that of [`Event::level`], the message is the line
    /// that the event writes. Fields, as far as an event has them: `event` ([`Event::kind`]), `name`,
    /// `file`, `code`, and `took_seconds` of an opening.
    ///
    /// ```
    /// # use smooth_origin::origin::Origin;
    /// # use smooth_origin::storage::MemoryStore;
    /// let origin = Origin::builder(MemoryStore::new()).trace_events().build();
    /// ```
    #[cfg(feature = "tracing")]
    pub fn trace_events(mut self) -> Self {
        self.traces = true;
        self
    }

    /// Records the numbers of [`Origin::stats`](crate::Origin::stats) as metrics of the `metrics` facade, with the label
    /// `origin` of this value. By default, nothing is recorded.
    ///
    /// Install the recorder before [`build`](Self::build). The histogram is recorded as openings end.
    /// Counters and gauges are brought up to date by [`Origin::record_metrics`](crate::Origin::record_metrics) and by nothing else,
    /// so that requests pay nothing for them.
    ///
    /// | Metric | Kind | Unit |
    /// |---|---|---|
    /// | `smooth_origin_opening_seconds` | histogram | seconds per opening |
    /// | `smooth_origin_openings_total`, with the label `outcome` (`opened`, `failed`, `refused`) | counter | openings |
    /// | `smooth_origin_reopenings_total` | counter | openings |
    /// | `smooth_origin_replacements_total` | counter | presentations |
    /// | `smooth_origin_reads_total` | counter | reads |
    /// | `smooth_origin_read_bytes_total` | counter | bytes |
    /// | `smooth_origin_shared_reads_total` | counter | requests |
    /// | `smooth_origin_ahead_reads_total` | counter | fragments |
    /// | `smooth_origin_ahead_used_total` | counter | fragments |
    /// | `smooth_origin_timeouts_total` | counter | operations |
    /// | `smooth_origin_refused_total` | counter | requests and openings |
    /// | `smooth_origin_failures_total` | counter | requests and bodies |
    /// | `smooth_origin_fragment_cache_hits_total` | counter | answers |
    /// | `smooth_origin_fragment_cache_misses_total` | counter | answers |
    /// | `smooth_origin_disk_cache_hits_total` | counter | reads |
    /// | `smooth_origin_disk_cache_misses_total` | counter | reads |
    /// | `smooth_origin_disk_cache_errors_total` | counter | reads |
    /// | `smooth_origin_disk_cache_hit_bytes_total` | counter | bytes |
    /// | `smooth_origin_live_pushes_total` | counter | pushed bodies |
    /// | `smooth_origin_live_bytes_total` | counter | bytes |
    /// | `smooth_origin_live_fragments_total` | counter | fragments |
    /// | `smooth_origin_live_refused_total` | counter | pushed bodies |
    /// | `smooth_origin_openings_in_progress` | gauge | openings |
    /// | `smooth_origin_operations_in_progress` | gauge | operations of the store |
    /// | `smooth_origin_operations_waiting` | gauge | operations of the store |
    /// | `smooth_origin_presentations` | gauge | presentations |
    /// | `smooth_origin_failed_presentations` | gauge | presentations |
    /// | `smooth_origin_presentation_bytes` | gauge | bytes |
    /// | `smooth_origin_open_files` | gauge | files |
    /// | `smooth_origin_body_bytes` | gauge | bytes |
    /// | `smooth_origin_fragment_cache_fragments` | gauge | fragments |
    /// | `smooth_origin_fragment_cache_bytes` | gauge | bytes |
    ///
    /// [`OriginStats`](crate::origin::OriginStats) describes each number.
    ///
    /// ```
    /// # use smooth_origin::origin::Origin;
    /// # use smooth_origin::storage::MemoryStore;
    /// let origin = Origin::builder(MemoryStore::new()).record_metrics("films").build();
    /// // In the handler of `/metrics`, before the exporter writes its text:
    /// origin.record_metrics();
    /// ```
    #[cfg(feature = "metrics")]
    pub fn record_metrics(mut self, origin: impl Into<String>) -> Self {
        self.metrics = Some(origin.into());
        self
    }
}
