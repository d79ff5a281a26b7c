//! The options of an origin.

mod reads;
mod reports;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "live")]
use super::LivePoints;
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
    Access, AccessOptions, AheadOptions, Handles, MemoryOptions, Shared, default_capacity,
};
#[cfg(feature = "tracing")]
use super::trace;
use super::{Clock, Inner, Origin, Timer};
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
    #[cfg(feature = "live")]
    live: Option<LivePoints>,
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
            #[cfg(feature = "live")]
            live: None,
        }
    }

    /// Answers from publishing points, too; default none. The points use the clock, the timer, the log and the
    /// numbers of the origin from then on; if they are given to several origins, those of the last one.
    ///
    /// ```
    /// # use smooth_origin::origin::{LivePoints, Origin, block_on};
    /// # use smooth_origin::storage::MemoryStore;
    /// let points = LivePoints::default();
    /// let origin = Origin::builder(MemoryStore::new()).live(points.clone()).build();
    /// # assert!(block_on(origin.answer("/news.isml/Manifest")).is_err());
    /// ```
    #[cfg(feature = "live")]
    pub fn live(mut self, points: LivePoints) -> Self {
        self.live = Some(points);
        self
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
    /// its presentation. If there is no room for another one, it is made for each request. The events of
    /// [publishing points](Self::live) together have as many bytes of their own, so that films leave them room.
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
    /// once; default: none are kept. A failure is reported as [`Event::IndexFileFailed`](super::Event::IndexFileFailed), and the file
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

    /// Timer that ends waits; the default needs no runtime. See [`Timer`].
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.host.timer = Arc::new(timer);
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
        #[cfg(feature = "live")]
        let store = self.live.as_ref().map_or(self.store.clone(), |live| live.store(self.store));
        #[cfg(not(feature = "live"))]
        let store = self.store;
        let access = Access::new(store, &self.access, host);
        let shared = Shared::new(access, Handles::new(handles), self.memory);
        #[cfg(feature = "disk-cache")]
        let shared = Shared { disk: self.disk, ..shared };
        let shared = shared.with_missing(period);
        #[cfg(all(feature = "live", any(feature = "dash", feature = "hls")))]
        let shared = shared.with_live_texts(self.text_bytes);
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
        #[cfg(feature = "live")]
        let opener = opener.with_points(self.live.clone());
        let is_spread = self.memory.whole_reads > 0;
        let cache = CacheOptions { is_spread, ..self.cache };
        let cache = Cache::new(cache, opener, clock);
        #[cfg(feature = "live")]
        if let Some(points) = &self.live {
            points.attach(&shared.access.host);
        }
        Origin {
            inner: Arc::new(Inner {
                shared,
                cache,
                named_media,
                limits,
                #[cfg(feature = "live")]
                live: self.live,
            }),
        }
    }
}

impl fmt::Debug for OriginBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginBuilder").finish_non_exhaustive()
    }
}

/// A time limit of 0 would let nothing be read.
const LEAST_TIMEOUT: Duration = Duration::from_millis(1);
