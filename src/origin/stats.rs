//! Numbers about an origin, for its host's monitoring.

use std::time::Duration;

use crate::storage::DiskCacheStats;

/// Numbers about an origin: counts since it was built, and amounts that it holds now.
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
    /// Ranges that were read from the store, or could not be read, also those that a store read as it
    /// opened a file. Bodies that the host sends itself ([`StoredBody`](super::StoredBody)) and
    /// fragments from the cache are not read.
    pub reads: u64,
    /// Bytes of these reads.
    pub read_bytes: u64,
    /// Requests that got the bytes of a read that was made for another request
    /// ([`whole_read_bytes`](super::OriginBuilder::whole_read_bytes)).
    pub shared_reads: u64,
    /// Fragments that were read before a client requested them
    /// ([`read_ahead`](super::OriginBuilder::read_ahead)). They count among the [`reads`](Self::reads),
    /// too.
    pub ahead_reads: u64,
    /// Fragments that were read ahead and that a client requested while they were read, or while they
    /// were in the cache of fragments.
    pub ahead_used: u64,
    /// Operations of the store, and waits for room in memory, that took longer than
    /// [`read_timeout`](super::OriginBuilder::read_timeout) allows.
    pub timeouts: u64,
    /// Requests and openings that were refused because too many operations waited for the store.
    pub refused: u64,
    /// Requests to presentations that are open, and bodies, that failed because of the content or the
    /// storage. Those that were refused are not among them.
    pub failures: u64,
    /// Bodies that encoders have begun to push to publishing points (feature `live`).
    pub live_pushes: u64,
    /// Bytes of these bodies.
    pub live_bytes: u64,
    /// Fragments that publishing points have published.
    pub live_fragments: u64,
    /// Pushes that were refused, or ended because nothing more could be taken of them.
    pub live_refused: u64,
    /// Operations of the store in progress now: [`max_reads`](super::OriginBuilder::max_reads) limits
    /// them.
    pub in_progress: u64,
    /// Operations that wait for their turn at the store now:
    /// [`max_waiting`](super::OriginBuilder::max_waiting) limits them.
    pub waiting: u64,
    /// Presentations that are open now.
    pub presentations: u64,
    /// Presentations, and names that are none, whose opening has failed and whose error is kept now,
    /// so that it is not tried again with every request:
    /// [`revalidate_after`](super::OriginBuilder::revalidate_after).
    pub failed_presentations: u64,
    /// Bytes of memory that open and failed presentations take now:
    /// [`cache_bytes`](super::OriginBuilder::cache_bytes) limits them.
    pub presentation_bytes: u64,
    /// Files that are held open now for presentations:
    /// [`max_open_files`](super::OriginBuilder::max_open_files) limits them.
    pub open_files: u64,
    /// Bytes of bodies that were read, or for which there is room, and that are not sent yet, now:
    /// [`body_bytes`](super::OriginBuilder::body_bytes) limits them.
    pub body_bytes: u64,
    /// The cache of fragments: [`Origin::fragment_cache`](super::Origin::fragment_cache).
    pub fragments: FragmentCacheStats,
    /// The cache on local disk, if the origin has one (feature `disk-cache`). A hit counts among the
    /// [`reads`](Self::reads), too.
    pub disk_cache: DiskCacheStats,
}

/// Numbers about the cache of fragments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FragmentCacheStats {
    /// Answers whose bytes were in the cache.
    pub hits: u64,
    /// Answers whose bytes had to be read.
    pub misses: u64,
    /// Fragments in the cache.
    pub fragments: u64,
    /// Bytes that these fragments take.
    pub bytes: u64,
}
