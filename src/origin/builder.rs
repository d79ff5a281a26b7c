//! The options of an origin.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::cache::{Cache, CacheOptions};
use super::counters::Counters;
use super::events::{Events, Report};
use super::host::Host;
#[cfg(feature = "metrics")]
use super::meters::Meters;
use super::named_media::NamedMedia;
use super::offload::Offload;
use super::opener::{Opener, OpenerOptions};
use super::read::{
    Access, AccessOptions, AheadOptions, Handles, MemoryOptions, PART, Shared, default_capacity,
};
#[cfg(feature = "tracing")]
use super::trace;
use super::{Clock, Event, Inner, Origin, Timer};
use crate::presentation::OpenOptions;
#[cfg(any(feature = "dash", feature = "hls"))]
use crate::presentation::TextBudget;
#[cfg(feature = "disk-cache")]
use crate::storage::DiskCache;
use crate::storage::{AnyIndexStore, AnyStore, IndexStore, Store};

/// The options of an [`Origin`].
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::Origin;
/// use smooth_origin::storage::MemoryStore;
///
/// let origin = Origin::builder(MemoryStore::new())
///     .cache_bytes(64 << 20)
///     .fragment_cache_bytes(256 << 20)
///     .read_timeout(Duration::from_secs(5))
///     .on_event(|event| eprintln!("{} {event}", event.level()))
///     .build();
/// # let _ = origin;
/// ```
#[derive(Clone)]
pub struct OriginBuilder {
    store: AnyStore,
    host: Host,
    report: Option<Arc<Report>>,
    #[cfg(feature = "tracing")]
    traces: bool,
    #[cfg(feature = "metrics")]
    metrics: Option<String>,
    options: OpenOptions,
    bare_mp4: bool,
    #[cfg(any(feature = "dash", feature = "hls"))]
    text_bytes: Option<usize>,
    cache: CacheOptions,
    openings: OpenerOptions,
    handles: Option<usize>,
    access: AccessOptions,
    memory: MemoryOptions,
    ahead: Option<AheadOptions>,
    #[cfg(feature = "disk-cache")]
    disk: Option<DiskCache>,
}

impl Origin {
    /// An origin over a store, with the defaults of [`OriginBuilder`].
    pub fn new(store: impl Store) -> Self {
        Self::builder(store).build()
    }

    /// The builder of an origin over a store, to set options.
    pub fn builder(store: impl Store) -> OriginBuilder {
        OriginBuilder::new(store)
    }
}

impl OriginBuilder {
    fn new(store: impl Store) -> Self {
        Self {
            store: AnyStore::new(store),
            host: Host::default(),
            report: None,
            #[cfg(feature = "tracing")]
            traces: false,
            #[cfg(feature = "metrics")]
            metrics: None,
            options: OpenOptions::default(),
            bare_mp4: false,
            #[cfg(any(feature = "dash", feature = "hls"))]
            text_bytes: None,
            cache: CacheOptions::default(),
            openings: OpenerOptions::default(),
            handles: None,
            access: AccessOptions::default(),
            memory: MemoryOptions::default(),
            ahead: None,
            #[cfg(feature = "disk-cache")]
            disk: None,
        }
    }

    /// Options with which presentations are opened; default [`OpenOptions::default`].
    pub fn open_options(mut self, options: OpenOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets whether a media file is a presentation without a server manifest: `film.mp4` answers to
    /// `film.mp4.ism/Manifest`, and to the paths of DASH and HLS below `film.mp4.ism/`; default: no,
    /// because everyone can then play each such file of the store. [`OpenOptions::bare_mp4`] says which
    /// files these are.
    ///
    /// ```
    /// # use smooth_origin::origin::{Origin, block_on};
    /// # use smooth_origin::storage::MemoryStore;
    /// # let store = MemoryStore::new();
    /// let origin = Origin::builder(store).bare_mp4(true).build();
    /// # assert!(block_on(origin.answer("/film.mp4.ism/Manifest")).is_err());
    /// ```
    pub fn bare_mp4(mut self, allowed: bool) -> Self {
        self.bare_mp4 = allowed;
        self
    }

    /// Bytes of memory for manifests, playlists and initialization segments of DASH and HLS, over all
    /// opened presentations; default 64 MiB. Each is made when it is first asked for and kept as long as
    /// its presentation. If there is no room for another one, it is made for each request.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub fn text_bytes(mut self, bytes: usize) -> Self {
        self.text_bytes = Some(bytes);
        self
    }

    /// Bytes of memory that the process may take for opened presentations; default 256 MiB. The least
    /// used go first. With 0 none is kept: every request opens its presentation again.
    ///
    /// An eighth of it is reserved for fragmentation of the allocator. Other memory of the process is not
    /// included: [bodies](Self::body_bytes),
    /// [fragments](Self::fragment_cache_bytes), connections, openings in progress.
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache.bytes = bytes;
        self
    }

    /// Time for which the origin relies on its last check of a presentation's files (at most 1 s if the
    /// presentation is live), and for which it keeps a failed opening; default 5 s. With 0, every
    /// request checks the files, and no failed opening is kept. If each operation of the store is a
    /// round trip ([`whole_read_bytes`](Self::whole_read_bytes)), a fragment file that is missing in a
    /// folder of fragments is not looked for again during this time, unless the presentation is live. With [`Duration::MAX`], the origin
    /// checks only after [`Origin::look_again`], or when a read finds that a file has changed.
    ///
    /// A check asks the store for the version of each file: a presentation of an `.ism`, an `.ismc` and 10
    /// media files costs 12 requests in one round trip. A presentation that nobody requests is not
    /// checked. 2,000 such presentations, each requested once a second, cost 24,000 requests per period:
    /// 288,000 a minute and more with 5 s, 24,000 and more with 60 s. To lower that, make this longer, use
    /// [`revalidate_media_after`](Self::revalidate_media_after), or call [`Origin::look_again`] when a
    /// presentation was replaced.
    ///
    /// If each operation of the store is a round trip
    /// ([`whole_read_bytes`](Self::whole_read_bytes)), the checks of presentations that were opened
    /// together are spread over time: a period is up to a quarter shorter than this, and the first one up
    /// to three quarters.
    pub fn revalidate_after(mut self, age: Duration) -> Self {
        self.cache.revalidate_after = age;
        self
    }

    /// Time after which a check of a presentation's files includes its media files; default: each check does.
    /// Longer than [`revalidate_after`](Self::revalidate_after), it saves requests to a store that has many
    /// presentations: the checks before look at the manifests alone, and at files that could not be opened.
    ///
    /// A media file that is replaced while its manifests stay the same is then noticed by the next read of
    /// it, because every read is of the version that was opened, and after this time at the latest.
    /// Until then, fragments in the caches are served in the old version. Set it if uploads
    /// write the manifests last, or never replace files.
    pub fn revalidate_media_after(mut self, age: Duration) -> Self {
        self.cache.media_after = Some(age);
        self
    }

    /// Time for which the origin continues to serve the old version of a presentation whose files have
    /// changed for the worse, for example because a new set arrives file by file; default 30 s. With 0, the
    /// new version is served at once.
    ///
    /// A version is worse if it cannot be opened (a deleted presentation included), if more of the
    /// tracks or chunks that it announces have no media, or if it has more findings of one code
    /// (information aside). Names do not matter: a set with other file names and the same flaws is
    /// served at once.
    pub fn replace_grace(mut self, grace: Duration) -> Self {
        self.cache.replace_grace = grace;
        self
    }

    /// Time for which a file must be unchanged before the origin relies on it; default 1 s. With 0,
    /// files are relied on at once.
    ///
    /// File systems stamp a file when a write begins, so equal time stamps before and after a read
    /// do not show that no write was in progress. Until the last change of a file is older than
    /// this time, the file is not opened: requests fail with [`ReadErrorKind::Unsettled`] (503,
    /// with the remaining time in `Retry-After`). A presentation that is already open continues to
    /// be served in its old version, except for fragments of files that were rewritten in place. A
    /// file that was replaced by rename stays complete in its old version as long as it is open.
    /// During this time after the origin is built, requests wait for files to settle instead: for at
    /// most 2 s in all, however many files a presentation has.
    ///
    /// The store measures the age of a change ([`Stat::age`](crate::storage::Stat::age)). If it
    /// cannot, because a file's time is in the future or is set by another machine, what counts is
    /// how long the origin has seen the same version. Stores whose objects are never written to,
    /// such as [`MemoryStore`](crate::storage::MemoryStore), are not affected.
    ///
    /// Set this to more than the longest single write of the programs that rewrite files in place,
    /// and on network file systems to more than the time for which clients keep attributes of
    /// files. Two cases remain undetected: a writer that pauses for longer in the middle of a file,
    /// and changes through a shared memory map, which the system stamps late or never.
    ///
    /// [`ReadErrorKind::Unsettled`]: crate::base::ReadErrorKind::Unsettled
    pub fn settling_time(mut self, time: Duration) -> Self {
        self.access.settling_time = time;
        self
    }

    /// Keeps index files of media files without a usable index, so that such a file is walked through
    /// once; default: none are kept. A failure is reported as [`Event::IndexFileFailed`], and the file
    /// is walked through.
    pub fn index_store(mut self, store: impl IndexStore) -> Self {
        self.host.indexes = Some(AnyIndexStore::new(store));
        self.options = self.options.with_index_files();
        self
    }

    /// Maximum number of openings at one time; default 128, at least 1. More are refused as busy. An
    /// opening whose requests have gone away counts until the work that was
    /// [handed over](Self::offload) for it ends.
    pub fn max_openings(mut self, openings: usize) -> Self {
        self.openings.max_openings = openings.max(1);
        self
    }

    /// Longest time that one opening may take, by the origin's [clock](Self::clock) and
    /// [timer](Self::timer), and one check of the files of a presentation; default 30 s, at least 1 ms.
    ///
    /// Afterwards nothing more is read for it: it ends with what was read by then. Files that were
    /// not read are findings, and requests that need them get the status 503. What is being parsed
    /// is not interrupted. The result is kept and made again as that of any opening that failed
    /// ([`revalidate_after`](Self::revalidate_after)).
    pub fn opening_timeout(mut self, timeout: Duration) -> Self {
        self.openings.opening_timeout = timeout.max(LEAST_TIMEOUT);
        self
    }

    /// Function that does work that may take long: parsing more than 64 KiB of manifests, headers and
    /// indexes to open a presentation, parsing more than 64 KiB of the header of one fragment, and
    /// compressing manifests for the service. By default, the task of the request does the parsing,
    /// after the other tasks of its thread have had their turn; these tasks then wait until the work
    /// is done. By default, a thread of the service does the compressing.
    ///
    /// `run` must run each piece of work once, in a thread that may be busy for a while, and must not
    /// wait for it. At one time, it gets at most as many pieces as the machine has processors (at
    /// least two); further pieces wait for their turn. If `run` drops a piece, the requests that need
    /// it fail as busy.
    ///
    /// ```
    /// # use smooth_origin::origin::Origin;
    /// # use smooth_origin::storage::MemoryStore;
    /// # mod tokio { pub mod task { pub fn spawn_blocking(work: Box<dyn FnOnce() + Send>) { work() } } }
    /// let builder = Origin::builder(MemoryStore::new());
    /// // With tokio:
    /// let origin = builder.offload(|work| { tokio::task::spawn_blocking(work); }).build();
    /// ```
    pub fn offload(
        mut self,
        run: impl Fn(Box<dyn FnOnce() + Send>) + Send + Sync + 'static,
    ) -> Self {
        self.host.offload = Offload::new(run);
        self
    }

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

    /// Records the numbers of [`Origin::stats`] as metrics of the `metrics` facade, with the label
    /// `origin` of this value. By default, nothing is recorded.
    ///
    /// Install the recorder before [`build`](Self::build). The histogram is recorded as openings end.
    /// Counters and gauges are brought up to date by [`Origin::record_metrics`] and by nothing else,
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
    /// [`OriginStats`](super::OriginStats) describes each number.
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

    /// Timer that ends waits; the default needs no runtime. See [`Timer`].
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.host.timer = Arc::new(timer);
        self
    }

    /// Maximum number of files held open at one time, over all presentations; default a quarter of the
    /// files that the process may open, at least 1. The least used files are closed, and opened again
    /// when they are needed.
    pub fn max_open_files(mut self, files: usize) -> Self {
        self.handles = Some(files);
        self
    }

    /// Maximum number of operations of the store at one time; default 256, at least 1. More wait for their
    /// turn.
    pub fn max_reads(mut self, reads: usize) -> Self {
        self.access.reads = reads;
        self
    }

    /// Maximum number of operations that may wait for their turn before requests are refused as busy;
    /// default 1,024. With 0, requests are refused while any operation waits.
    pub fn max_waiting(mut self, waiting: usize) -> Self {
        self.access.waiting = waiting;
        self
    }

    /// Longest time that one operation of the store may take, and that a body waits for earlier bytes
    /// to be sent if there is little room for more; default 10 s, at least 1 ms. After that, the
    /// request fails as one that may succeed later, and a body that has begun is cut off.
    ///
    /// An operation that reads several ranges of a file, at most 16, may take this time for each of
    /// them, because a store may read one after the other. [`opening_timeout`](Self::opening_timeout)
    /// limits them all.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.access.timeout = timeout.max(LEAST_TIMEOUT);
        self
    }

    /// Maximum number of bytes that were read for bodies and are not sent yet, over all bodies; default
    /// 256 MiB, at least 256 KiB.
    pub fn body_bytes(mut self, bytes: u64) -> Self {
        self.memory.body_bytes = bytes.max(PART);
        self
    }

    /// Bytes of memory for fragments that clients request often; default 0, which keeps none. A kept
    /// fragment is sent without a read. Any other is read once, however many clients request it at the
    /// same time. Fragments that were requested only once are dropped first, and fragments longer than
    /// 1 MiB (or [`whole_read_bytes`](Self::whole_read_bytes)) are never kept. Leave this at 0 if the host sends [stored bodies] itself: a
    /// fragment in memory is not a stored body.
    ///
    /// [stored bodies]: super::Body::stored
    pub fn fragment_cache_bytes(mut self, bytes: u64) -> Self {
        self.memory.fragment_cache = bytes;
        self
    }

    /// Longest fragment that is read from the store in one read; default 0, for stores whose reads cost
    /// little, such as local files. Set it for a store of which every read is a round trip: 16 MiB, which
    /// [`remote_store`](Self::remote_store) sets, is more than nearly all fragments have.
    ///
    /// With 0, a body is read in parts of 256 KiB to 1 MiB as it is sent, and a fragment that is requested
    /// for the first time is looked at before. Otherwise:
    ///
    /// - A fragment of at most so many bytes is one read, also when it is requested for the first time,
    ///   and also for its key frames and for a segment of DASH or HLS. Longer fragments are read in parts
    ///   of a quarter of this.
    /// - A request for a range reads that range. If the fragment has to be looked at first, it reads from
    ///   the start of the fragment to the end of the range and 64 KiB more, in one read. If a cache keeps
    ///   fragments, a range reads and keeps the whole fragment.
    /// - A response to HEAD reads at most 64 KiB, and nothing for a fragment that was looked at before.
    /// - The read is made once for all requests that want it at one time. Its bytes are in memory
    ///   once, and count against [`body_bytes`](Self::body_bytes) once, until the last of these requests has
    ///   sent them. If the request that began the read goes away, the read goes on for the others.
    /// - The first request in 64 chunks of a progressive MP4 reads their part of the sample tables before: up
    ///   to seven ranges at once, mostly two or three.
    /// - A fragment in a file of its own is opened, with its first quarter of so many bytes, once for all
    ///   requests that want it at one time. It is not kept, because the file may be replaced.
    /// - The [cache of fragments](Self::fragment_cache_bytes) keeps fragments of at most so many bytes.
    ///
    /// A read takes at most a sixteenth of [`body_bytes`](Self::body_bytes). If less than a quarter of that
    /// is free, bodies are read in small parts, so that slow clients do not keep others waiting.
    ///
    /// ```
    /// # use smooth_origin::origin::Origin;
    /// # use smooth_origin::storage::MemoryStore;
    /// # let bucket = MemoryStore::new();
    /// let origin = Origin::builder(bucket).whole_read_bytes(8 << 20).build();
    /// ```
    pub fn whole_read_bytes(mut self, bytes: u64) -> Self {
        self.memory.whole_reads = bytes;
        self
    }

    /// Reads up to `fragments` fragments of a track (at most 64) after one of them was answered, so that
    /// they are in a cache when a player requests them; default 0, which reads none. `run` gets each read
    /// as a future that it must poll to its end in a task of its own; it must not wait for it. A read that
    /// `run` drops is not made.
    ///
    /// This is for stores of which every read is a round trip: it needs
    /// [`whole_read_bytes`](Self::whole_read_bytes), and the
    /// [cache of fragments](Self::fragment_cache_bytes) or, if there is none, a cache on disk (feature
    /// `disk-cache`). Without them nothing is read ahead. Segments of DASH and HLS are made of the same
    /// fragments. Fragments in files of their own are not read ahead.
    ///
    /// Reads that clients wait for come first. A read ahead begins only if no operation waits for the
    /// store, fewer than half of [`max_reads`](Self::max_reads) are in progress, more than half of
    /// [`body_bytes`](Self::body_bytes) is free, and the fragment is neither kept nor being read;
    /// otherwise the read is left out. At one time there are at most 16 such reads over all presentations, and at most a
    /// quarter of `max_reads`, of fragments that take together at most an eighth of the cache. A
    /// client that requests a fragment while it is read waits for that read. In the cache, fragments that
    /// nobody has requested go first.
    ///
    /// [`OriginStats::ahead_reads`](super::OriginStats::ahead_reads) and
    /// [`ahead_used`](super::OriginStats::ahead_used) show whether it is worth its reads: a client that
    /// switches tracks or stops leaves up to `fragments` of them unused.
    ///
    /// ```
    /// # use smooth_origin::origin::Origin;
    /// # use smooth_origin::storage::MemoryStore;
    /// # mod tokio { pub fn spawn(_: impl Future<Output = ()>) {} }
    /// let builder = Origin::builder(MemoryStore::new()).remote_store().fragment_cache_bytes(512 << 20);
    /// // With tokio:
    /// let origin = builder.read_ahead(2, |read| { tokio::spawn(read); }).build();
    /// ```
    pub fn read_ahead(
        mut self,
        fragments: usize,
        run: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    ) -> Self {
        self.ahead = Some(AheadOptions { fragments, run: Arc::new(run) });
        self
    }

    /// Keeps what is read of objects in a cache on local disk: see [`DiskCache::around`], which also
    /// describes `place`. By default, nothing is kept on disk.
    #[cfg(feature = "disk-cache")]
    pub fn disk_cache(mut self, cache: DiskCache, place: &str) -> Self {
        self.store = AnyStore::new(cache.around(place, self.store));
        self.disk = Some(cache);
        self
    }

    /// Puts the versions of media files into validators, as far as files are objects that are only ever
    /// replaced ([`Stat::immutable`](crate::storage::Stat::immutable)); default `false`. Then a new object
    /// with a header and a length like those of the old one gives other ETags, too. All origins over one
    /// bucket still give the same ones, but an origin over a copy of the bucket may give others.
    pub fn validate_versions(mut self, validate: bool) -> Self {
        self.access.versions = validate;
        self
    }

    /// Settings for a store of which every operation is a round trip: fragments up to 16 MiB are read in
    /// [one read](Self::whole_read_bytes), and [versions](Self::validate_versions) go into validators. Call
    /// it before methods that change single settings.
    ///
    /// A fault of such a store passes: an opening that it has hurt fails as a whole (503), so that no
    /// cache keeps a manifest without the files that could not be read.
    ///
    /// ```
    /// # use smooth_origin::origin::Origin;
    /// # use smooth_origin::storage::MemoryStore;
    /// # let bucket = MemoryStore::new();
    /// let origin = Origin::builder(bucket).remote_store().fragment_cache_bytes(512 << 20).build();
    /// ```
    pub fn remote_store(self) -> Self {
        self.whole_read_bytes(WHOLE_READ).validate_versions(true)
    }

    /// Bytes of memory for heads of segments of DASH and HLS, over all opened presentations; default
    /// 8 MiB. The head of a segment (its `moof`, usually less than 1 KiB) is written from the head of the
    /// stored fragment, which is read for that. A segment whose head is kept is answered without a
    /// read before its body. The least used go first; with 0, none is kept.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub fn segment_head_bytes(mut self, bytes: u64) -> Self {
        self.memory.segment_heads = bytes;
        self
    }

    /// The clock that ages are measured by, which also has the time of day; default the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.host.clock = clock;
        self
    }

    /// Builds the origin.
    pub fn build(self) -> Origin {
        let handles = self.handles.unwrap_or_else(default_capacity);
        let period = self.cache.revalidate_after;
        let named_media = NamedMedia::new(period);
        let mut host = self.host;
        let clock = host.clock.clone();
        // A clone of this builder makes an origin with counters of its own.
        let counters = Counters::default();
        #[cfg(feature = "metrics")]
        let counters = counters.with_meters(self.metrics.as_deref().map(Meters::new));
        host.counters = Arc::new(counters);
        let report = self.report;
        #[cfg(feature = "tracing")]
        let report = if self.traces { Some(trace::traced(report)) } else { report };
        host.events = match report {
            Some(report) => Events::new(report, clock.clone(), period, Arc::clone(&host.counters)),
            None => Events::silent(Arc::clone(&host.counters)),
        };
        let access = Access::new(self.store, &self.access, host);
        let shared = Shared::new(access, Handles::new(handles), self.memory);
        #[cfg(feature = "disk-cache")]
        let shared = Shared { disk: self.disk, ..shared };
        let shared = shared.with_missing(period);
        let shared = match self.ahead {
            Some(ahead) => shared.with_ahead(ahead, self.memory.fragment_cache),
            None => shared,
        };
        let shared = Arc::new(shared);
        let limits = self.options.limits_in_use().clone();
        #[cfg(any(feature = "dash", feature = "hls"))]
        let options = match self.text_bytes {
            Some(bytes) => self.options.text_budget(TextBudget::new(bytes)),
            None => self.options,
        };
        #[cfg(not(any(feature = "dash", feature = "hls")))]
        let options = self.options;
        let is_bare = self.bare_mp4 || options.opens_bare_mp4();
        let options = options.bare_mp4(is_bare);
        let opener = Opener::new(Arc::clone(&shared), options, self.openings);
        let is_spread = self.memory.whole_reads > 0;
        let cache = CacheOptions { is_spread, ..self.cache };
        let cache = Cache::new(cache, opener, clock);
        Origin { inner: Arc::new(Inner { shared, cache, named_media, limits }) }
    }
}

impl fmt::Debug for OriginBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginBuilder").finish_non_exhaustive()
    }
}

/// Longest fragment that is read from a remote store at once.
const WHOLE_READ: u64 = 16 << 20;

/// A time limit of 0 would let nothing be read.
const LEAST_TIMEOUT: Duration = Duration::from_millis(1);
