//! Numbers about an origin, for its host's monitoring.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{FragmentCacheStats, Origin};

/// What an origin has done since it was built, and what it holds now.
///
/// Numbers that only grow count from [`OriginBuilder::build`](super::OriginBuilder::build) on. The
/// others describe the moment of the call and are marked "now". They are read one after the other, so
/// two of them may be of slightly different moments.
///
/// ```
/// use smooth_origin::origin::Origin;
/// use smooth_origin::storage::MemoryStore;
///
/// let origin = Origin::new(MemoryStore::new());
/// let stats = origin.stats();
/// println!("{} presentations take {} bytes", stats.presentations, stats.presentation_bytes);
/// println!("{} requests wait for the storage", stats.waiting);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OriginStats {
    /// Openings that ended with a presentation.
    pub openings: u64,
    /// Openings that ended with an error, except those that were refused. A name that is no
    /// presentation counts, too.
    pub openings_failed: u64,
    /// Openings that were refused because the origin had too much to do.
    pub openings_refused: u64,
    /// Openings in progress now: [`max_openings`](super::OriginBuilder::max_openings) limits them.
    pub openings_in_progress: u64,
    /// The time that all openings took together, refused ones included, by the origin's clock.
    pub opening_time: Duration,
    /// Openings, whatever their outcome, of presentations that were open already.
    pub reopenings: u64,
    /// Presentations that took the place of an earlier opening, because their files had changed.
    pub replacements: u64,
    /// Ranges that were read from the store, or could not be read. Bodies that the host sends itself
    /// ([`StoredBody`](super::StoredBody)) and fragments from the cache are not read.
    pub reads: u64,
    /// Bytes of these reads.
    pub read_bytes: u64,
    /// Operations of the store, and waits for room in memory, that took longer than
    /// [`read_timeout`](super::OriginBuilder::read_timeout).
    pub timeouts: u64,
    /// Requests and openings that were refused because too many operations waited for the store.
    pub refused: u64,
    /// Requests to presentations that are open, and bodies, that failed because of the content or the
    /// storage. Those that were refused are not among them.
    pub failures: u64,
    /// Operations of the store in progress now: [`max_reads`](super::OriginBuilder::max_reads) limits
    /// them.
    pub in_progress: u64,
    /// Operations that wait for their turn at the store now:
    /// [`max_waiting`](super::OriginBuilder::max_waiting) limits them.
    pub waiting: u64,
    /// Entries of the cache of presentations now. Openings that failed take an entry for a while.
    pub presentations: u64,
    /// Bytes of memory that these entries take now:
    /// [`cache_bytes`](super::OriginBuilder::cache_bytes) limits them.
    pub presentation_bytes: u64,
    /// Files that are held open now for presentations:
    /// [`max_open_files`](super::OriginBuilder::max_open_files) limits them.
    pub open_files: u64,
    /// Bytes of bodies that were read, or for which there is room, and that are not sent yet, now:
    /// [`body_bytes`](super::OriginBuilder::body_bytes) limits them.
    pub body_bytes: u64,
    /// The cache of fragments: [`Origin::fragment_cache`].
    pub fragments: FragmentCacheStats,
}

/// Numbers that only grow. Each is counted where something slow happens in any case.
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
    #[cfg(feature = "metrics")]
    pub(super) meters: Option<super::meters::Meters>,
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
    pub(super) fn with_meters(self, meters: Option<super::meters::Meters>) -> Self {
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

    pub(super) fn replacement(&self) {
        add(&self.replacements, 1);
    }

    /// Counts a read from the store, of so many bytes.
    pub(super) fn read(&self, bytes: usize) {
        add(&self.reads, 1);
        add(&self.read_bytes, bytes as u64);
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

impl Origin {
    /// Numbers about this origin and its clones, for monitoring.
    pub fn stats(&self) -> OriginStats {
        let (cache, access) = (&self.inner.cache, &self.inner.access);
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &access.host.counters;
        OriginStats {
            openings: of(&counters.openings),
            openings_failed: of(&counters.openings_failed),
            openings_refused: of(&counters.openings_refused),
            openings_in_progress: cache.openings_in_progress(),
            opening_time: Duration::from_micros(of(&counters.opening_time)),
            reopenings: of(&counters.reopenings),
            replacements: of(&counters.replacements),
            reads: of(&counters.reads),
            read_bytes: of(&counters.read_bytes),
            timeouts: of(&counters.timeouts),
            refused: of(&counters.refused),
            failures: of(&counters.failures),
            in_progress: access.limit.used(),
            waiting: access.limit.waiting() as u64,
            presentations: cache.len(),
            presentation_bytes: cache.bytes(),
            open_files: self.inner.handles.len(),
            body_bytes: access.bodies.used(),
            fragments: self.fragment_cache(),
        }
    }
}
