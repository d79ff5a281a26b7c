//! Floor 7: from a request's path to a reply, over a store: opened presentations are kept, looked
//! after, and opened again when their files change.

mod access;
mod answer;
mod block_on;
mod body;
mod budget;
mod cache;
mod clock;
mod deadline;
mod drive;
mod event;
mod events;
mod flights;
mod fragment_cache;
mod handles;
mod host;
mod named_media;
mod offload;
mod opened;
mod path;
mod replacement;
mod settling;
mod spellings;
mod stored;
mod thread_timer;
mod timer;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use answer::{Answer, Identity, Served};
pub use block_on::block_on;
pub use body::Body;
pub use clock::Clock;
pub use event::{Event, Level};
pub use fragment_cache::FragmentCacheStats;
pub use opened::Opened;
pub use stored::StoredBody;
pub use timer::Timer;

use access::{Access, AccessOptions};
use answer::{Asked, HeldFile, Holding, ask, serve_with};
use cache::{Cache, CacheOptions, millis};
use events::{Events, Report};
use handles::Handles;
use host::Host;
use named_media::NamedMedia;
use offload::Offload;

use crate::base::{Error, ErrorKind, FileId, Name, ReadErrorKind, Step};
use crate::output::{self, Request};
use crate::presentation::{Content, OpenOptions, Reply, StoredRange, Validator};
use crate::storage::{AnyStore, Store};

/// An origin: answers requests for the presentations of a store.
///
/// Nothing here needs a runtime: the futures run on any, or on none ([`block_on`]).
///
/// ```
/// # #[cfg(feature = "fs")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smooth_origin::origin::{Answer, Origin, block_on};
/// use smooth_origin::storage::LocalStore;
///
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
/// let origin = Origin::new(LocalStore::new(root)?);
/// let answer = block_on(origin.answer("/ffmpeg/ffmpeg.ism/Manifest"))?;
/// let Answer::Reply(served) = answer else { panic!("a manifest is no redirect") };
/// let mut body = served.body();
/// while let Some(bytes) = block_on(body.next()) {
///     println!("{} bytes", bytes?.len());
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "fs"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct Origin {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    access: Arc<Access>,
    cache: Cache,
    handles: Arc<Handles>,
    named_media: NamedMedia,
    clock: Clock,
    options: OpenOptions,
}

/// How an [`Origin`] is set up.
#[derive(Clone)]
pub struct OriginBuilder {
    store: AnyStore,
    host: Host,
    report: Option<Arc<Report>>,
    options: OpenOptions,
    cache: CacheOptions,
    handles: Option<usize>,
    access: AccessOptions,
}

impl Origin {
    /// Over a store, with the defaults of [`OriginBuilder`].
    pub fn new(store: impl Store) -> Self {
        Self::builder(store).build()
    }

    /// Over a store, with options.
    pub fn builder(store: impl Store) -> OriginBuilder {
        OriginBuilder {
            store: AnyStore::new(store),
            host: Host::default(),
            report: None,
            options: OpenOptions::default(),
            cache: CacheOptions::default(),
            handles: None,
            access: AccessOptions::default(),
        }
    }

    /// Answers a request for `target`: the path of a URL, percent-encoded, and its query if it has
    /// one. The presentation is the first of its segments that ends in `.ism` or `.isml` and can be
    /// opened, as a server manifest or as a folder of fragments.
    ///
    /// # Errors
    /// [`ErrorKind::status`] has the HTTP status of each.
    pub async fn answer(&self, target: &str) -> Result<Answer, Error> {
        match self.begin(target) {
            Begun::Answered(answer) => Ok(answer),
            Begun::Failed(error) => Err(error),
            begun => Box::pin(self.finish(begun, target)).await,
        }
    }

    /// Answers a request as far as there is nothing to wait for: no file to open, to read or to look
    /// at again. Most requests come no further, and what they need is small.
    fn begin(&self, target: &str) -> Begun {
        let (path, query) = split_query(target);
        let Some(Ok(path::Found { name, rest })) = path::presentations(path).next() else {
            return Begun::Unopened;
        };
        let Some(opened) = self.inner.cache.fresh(&self.inner.clock, &name) else {
            return Begun::Unopened;
        };
        match ask(&opened, rest, query) {
            Ok(Asked::Answer(answer)) => Begun::Answered(answer),
            Ok(Asked::Reads(step)) => Begun::Reads(opened, step),
            // It is made once more, from what lies there now.
            Err(_) if opened.is_stale() => Begun::Unopened,
            Err(error) if is_for_another(&opened, &error) => Begun::Unopened,
            Err(error) => Begun::Failed(self.failed(&opened, error)),
        }
    }

    /// The answer to a request that was begun.
    async fn finish(&self, begun: Begun, target: &str) -> Result<Answer, Error> {
        match begun {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Failed(error) => return Err(error),
            Begun::Reads(opened, step) => match self.read_for(&opened, step).await {
                Err(_) if opened.is_stale() => {}
                answer => return answer.map_err(|error| self.failed(&opened, error)),
            },
            Begun::Unopened => {}
        }
        let (path, query) = split_query(target);
        let mut error = Error::request("path", ErrorKind::NoPresentation);
        for found in path::presentations(path) {
            let path::Found { name, rest } = found?;
            match self.answer_in(&name, rest, query).await {
                // The name may be that of a folder with other presentations.
                Err(none) if matches!(none.kind, ErrorKind::NoPresentation) => error = none,
                answer => return answer,
            }
        }
        Err(error)
    }

    /// Finds out the identity of the answer without reading any media, so that a host can tell
    /// whether a client has it already. `None` for a redirect, and for a fragment in a file of its
    /// own, whose validator only [`answer`](Self::answer) finds out.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub async fn identify(&self, target: &str) -> Result<Option<Identity>, Error> {
        let (path, query) = split_query(target);
        let mut error = Error::request("path", ErrorKind::NoPresentation);
        for found in path::presentations(path) {
            let path::Found { name, rest } = found?;
            match self.opened(&name).await {
                Err(none) if matches!(none.kind, ErrorKind::NoPresentation) => error = none,
                opened => {
                    let opened = opened?;
                    let request = Request::parse(rest, query);
                    let request = match request {
                        Err(other) if is_for_another(&opened, &other) => continue,
                        request => request?,
                    };
                    if opened.is_stale() {
                        let answer = Box::pin(self.answer_in(&name, rest, query)).await;
                        return Ok(answer?.identity());
                    }
                    return Ok(match request.identify(opened.presentation())? {
                        output::Identity::Known(content, validator) => {
                            Some(Identity { content, validator, opened })
                        }
                        _ => None,
                    });
                }
            }
        }
        Err(error)
    }

    /// A file of the store as it lies there, whatever it is: which ones clients may have is the
    /// host's to decide.
    ///
    /// # Errors
    /// [`ErrorKind::NoFile`] if there is none, or none that may be read; [`ErrorKind::Read`], also
    /// if the file changed a moment ago ([`OriginBuilder::settling_time`]); [`ErrorKind::Busy`].
    pub async fn file(&self, name: &Name) -> Result<Served, Error> {
        let access = &self.inner.access;
        let opened = match access.admit() {
            Ok(()) => access.open(name).await.map_err(|error| match error.kind {
                ReadErrorKind::Gone | ReadErrorKind::Denied => {
                    Error::request("path", ErrorKind::NoFile)
                }
                _ => error.into(),
            }),
            Err(busy) => Err(busy),
        };
        let report = |error: &Error| access.host.events.request_for_failed(name, None, error);
        let (source, stat) = opened.inspect_err(report)?;
        let since = stat.modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let validator = match since {
            Some(since) => Validator::of_file(stat.size, &since.as_nanos().to_be_bytes()),
            None => Validator::of_file(stat.size, stat.version.as_bytes()),
        };
        // One file is open: it needs no name among others.
        let range = StoredRange::whole(FileId::SERVER_MANIFEST, stat.size);
        let reply = Reply::of_stored(Content::File, validator, range);
        let file = HeldFile { access: Arc::clone(access), name: name.clone(), source };
        let holding = Holding::File(Arc::new(file));
        Ok(Served { reply, holding, modified: stat.modified, is_kept: false })
    }

    /// Returns whether a server manifest in the file's folder, or in one of three above, names it.
    /// Also where that cannot be told: the store cannot list folders, or a manifest in the file's
    /// own cannot be read.
    pub async fn is_media(&self, file: &Name) -> bool {
        let Inner { named_media, access, clock, options, .. } = &*self.inner;
        named_media.has(file, access, clock, options.limits_in_use()).await
    }

    /// The presentation of this name. What has to be waited for is apart, so that the future of a
    /// request that waits for nothing stays small.
    async fn opened(&self, name: &str) -> Result<Arc<Opened>, Error> {
        match self.inner.cache.fresh(&self.inner.clock, name) {
            Some(opened) => Ok(opened),
            None => {
                let opened = Box::pin(self.inner.cache.get(&self.inner, name)).await;
                opened.inspect_err(|error| self.inner.access.host.events.refused(name, error))
            }
        }
    }

    /// The answer for the rest of a path, in the presentation of this name. Where a file is found
    /// to have changed while the answer is made, it is made once more, from what lies there now.
    async fn answer_in(
        &self,
        name: &str,
        rest: &str,
        query: Option<&str>,
    ) -> Result<Answer, Error> {
        let mut opened = self.opened(name).await?;
        if !opened.is_stale() {
            match self.answer_of(&opened, rest, query).await {
                Err(error) if is_for_another(&opened, &error) => {
                    return Err(Error::request("path", ErrorKind::NoPresentation));
                }
                Err(_) if opened.is_stale() => opened = self.opened(name).await?,
                answer => return answer.map_err(|error| self.failed(&opened, error)),
            }
        }
        let answer = self.answer_of(&opened, rest, query).await;
        let answer = match opened.is_stale() {
            true => self.intact(&opened, answer).await,
            false => answer,
        };
        answer.map_err(|error| self.failed(&opened, error))
    }

    /// Checks an answer of a presentation whose files have changed. The opened version continues to
    /// be served while the new files settle, except for a file that can no longer be read in that
    /// version.
    async fn intact(
        &self,
        opened: &Opened,
        answer: Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let error = match answer {
            Ok(answer) => match answer.check().await {
                Ok(()) => return Ok(answer),
                Err(error) => error,
            },
            Err(error) => error,
        };
        note_change(opened, &error);
        match (&error.kind, opened.settles_in(millis(self.inner.clock.now()))) {
            (ErrorKind::Read(read), Some(wait))
                if matches!(read.kind, ReadErrorKind::Changed | ReadErrorKind::Gone) =>
            {
                let files = opened.presentation().files();
                let file = error.file().and_then(|file| files.get(file.index()));
                let file = file.unwrap_or(opened.presentation().name());
                Err(self.inner.access.settling.unsettled(file.as_str(), wait).into())
            }
            _ => Err(error),
        }
    }

    /// The error of a request for an open presentation, with which it ends.
    fn failed(&self, opened: &Opened, error: Error) -> Error {
        self.inner.access.host.events.request_failed(opened, &error);
        error
    }

    async fn answer_of(
        &self,
        opened: &Arc<Opened>,
        rest: &str,
        query: Option<&str>,
    ) -> Result<Answer, Error> {
        match ask(opened, rest, query)? {
            Asked::Answer(answer) => Ok(answer),
            Asked::Reads(step) => self.read_for(opened, step).await,
        }
    }

    async fn read_for(&self, opened: &Arc<Opened>, step: Step<Reply>) -> Result<Answer, Error> {
        self.inner.access.admit()?;
        let (reply, fragment) = drive::answer(step, opened).await?;
        Ok(serve_with(opened, reply, fragment))
    }

    /// What the cache of fragments holds, and how often it had what was asked for; nothing where
    /// there is [none](OriginBuilder::fragment_cache_bytes).
    pub fn fragment_cache(&self) -> FragmentCacheStats {
        let fragments = self.inner.access.fragments.as_ref();
        fragments.map(|fragments| fragments.stats()).unwrap_or_default()
    }

    /// Makes the next request for this presentation check its files again, however recent the last
    /// check is. Call it after replacing the presentation.
    pub fn look_again(&self, name: &Name) {
        self.inner.cache.look_again(name);
    }

    /// The presentation whose server manifest has this name, opened now or before.
    ///
    /// # Errors
    /// As [`open`](crate::presentation::open).
    pub async fn open(&self, name: &Name) -> Result<Arc<Opened>, Error> {
        self.opened(name.as_str()).await
    }
}

impl OriginBuilder {
    /// How presentations are opened; default [`OpenOptions::default`].
    pub fn open_options(mut self, options: OpenOptions) -> Self {
        self.options = options;
        self
    }

    /// Bytes of memory that the process may take for opened presentations; default 256 MiB. The least
    /// used go first. With 0 none is kept: every request opens its presentation again.
    ///
    /// An eighth of it is left for what lies between pieces in use, which an allocator does not give
    /// back. What else a process takes comes in addition: [bodies](Self::body_bytes),
    /// [fragments](Self::fragment_cache_bytes), connections, openings in progress.
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache.bytes = bytes;
        self
    }

    /// How long the origin relies on its last check of a presentation's files (at most 1 s if the
    /// presentation is live), and how long it keeps a failed opening; default 5 s. With 0, every
    /// request checks the files, and no failed opening is kept. With [`Duration::MAX`], the origin
    /// checks only after [`Origin::look_again`], or when a read finds that a file has changed.
    pub fn revalidate_after(mut self, age: Duration) -> Self {
        self.cache.revalidate_after = age;
        self
    }

    /// How long the origin goes on serving the old version of a presentation whose files have changed
    /// for the worse, for example because a new set arrives file by file; default 30 s. With 0, the
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

    /// How long a file must not have changed before the origin relies on it; default 1 s. With 0,
    /// files are relied on at once.
    ///
    /// File systems stamp a file when a write begins, so equal time stamps before and after a read
    /// do not show that no write was in progress. Until the last change of a file is older than
    /// this time, the file is not opened: requests fail with [`ReadErrorKind::Unsettled`] (503,
    /// with the remaining time in `Retry-After`). A presentation that is already open continues to
    /// be served in its old version, except for fragments of files that were rewritten in place. A
    /// file that was replaced by rename stays complete in its old version as long as it is open.
    /// During this time after the origin is built, requests wait for files to settle instead (for
    /// at most 2 s).
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
    pub fn settling_time(mut self, time: Duration) -> Self {
        self.access.settling_time = time;
        self
    }

    /// Openings at one time; default 128, at least 1. More are refused as busy. An opening whose
    /// requests have gone away counts until the work that was [handed over](Self::offload) for it
    /// ends.
    pub fn max_openings(mut self, openings: usize) -> Self {
        self.cache.max_openings = openings.max(1);
        self
    }

    /// How long one opening may take, by the origin's [clock](Self::clock) and
    /// [timer](Self::timer), and one look at the files of what is open; default 30 s, at least 1 ms.
    ///
    /// Afterwards nothing more is read for it: it ends with what was read by then. Files that were
    /// not read are findings, and requests that need them get the status 503. What is being parsed
    /// is not interrupted. The result is kept and made again as that of any opening that failed
    /// ([`revalidate_after`](Self::revalidate_after)).
    pub fn opening_timeout(mut self, timeout: Duration) -> Self {
        self.cache.opening_timeout = timeout.max(LEAST_TIMEOUT);
        self
    }

    /// Where to do work that may take long: parsing more than 64 KiB of manifests, headers and
    /// indexes to open a presentation, or more than 64 KiB of the header of one fragment. By default,
    /// the task of the request does it, after the other tasks of its thread have had their turn;
    /// these tasks then wait until the work is done.
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

    /// What ends waits; the default needs no runtime. See [`Timer`].
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.host.timer = Arc::new(timer);
        self
    }

    /// Files held open at one time, over all presentations; default a quarter of what the process
    /// may open, at least 1. The least used are closed, and opened again when they are needed.
    pub fn max_open_files(mut self, files: usize) -> Self {
        self.handles = Some(files);
        self
    }

    /// Operations of the store at one time; default 256, at least 1. More wait for their turn.
    pub fn max_reads(mut self, reads: usize) -> Self {
        self.access.reads = reads;
        self
    }

    /// Operations that may wait for their turn before requests are refused as busy; default 1,024.
    /// With 0 requests are refused while any operation waits.
    pub fn max_waiting(mut self, waiting: usize) -> Self {
        self.access.waiting = waiting;
        self
    }

    /// How long one operation of the store may take, and how long a body waits for what it gave
    /// before to be sent, when there is little room for more; default 10 s, at least 1 ms. After that
    /// the request fails as one that may succeed later, and a body that was begun is cut off.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.access.timeout = timeout.max(LEAST_TIMEOUT);
        self
    }

    /// Bytes of bodies that were read and are not sent yet, over all of them; default 256 MiB, at
    /// least 256 KiB.
    pub fn body_bytes(mut self, bytes: u64) -> Self {
        self.access.body_bytes = bytes.max(body::PART);
        self
    }

    /// Bytes of memory for fragments that clients request often; default 0, which keeps none. A kept
    /// fragment is sent without a read. Any other is read once, however many clients request it at the
    /// same time. Fragments that were requested only once are dropped first, and fragments longer than
    /// 1 MiB are never kept. Leave this at 0 if the host sends [stored bodies](Body::stored) itself: a
    /// fragment in memory is not a stored body.
    pub fn fragment_cache_bytes(mut self, bytes: u64) -> Self {
        self.access.fragment_cache = bytes;
        self
    }

    /// The clock that ages are measured by; default the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.host.clock = clock;
        self
    }

    /// The origin.
    pub fn build(self) -> Origin {
        let handles = self.handles.unwrap_or_else(handles::default_capacity);
        let period = self.cache.revalidate_after;
        let named_media = NamedMedia::new(period);
        let mut host = self.host;
        let clock = host.clock.clone();
        if let Some(report) = self.report {
            host.events = Events::new(report, clock.clone(), period);
        }
        Origin {
            inner: Arc::new(Inner {
                access: Arc::new(Access::new(self.store, &self.access, host)),
                cache: Cache::new(self.cache),
                handles: Arc::new(Handles::new(handles)),
                named_media,
                clock,
                options: self.options,
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

/// How far a request was answered without waiting.
enum Begun {
    Answered(Answer),
    Failed(Error),
    Reads(Arc<Opened>, Step<Reply>),
    Unopened,
}

fn split_query(target: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b'?', target.as_bytes()) {
        Some(at) => (&target[..at], Some(&target[at + 1..])),
        None => (target, None),
    }
}

/// Returns whether a path leads to another file in a folder of fragments.
#[cold]
fn is_for_another(opened: &Opened, error: &Error) -> bool {
    opened.presentation().is_folder() && matches!(error.kind, ErrorKind::Malformed(_))
}

/// Marks a presentation as out of date if one of its files has changed during a request, or is not
/// what its index says.
fn note_change(opened: &Opened, error: &Error) {
    if let ErrorKind::Read(read) = &error.kind
        && matches!(read.kind, ReadErrorKind::Changed | ReadErrorKind::Gone)
    {
        opened.set_stale();
    }
    // So is what an index that lies has led to: without belief in it, there may be more.
    if !opened.presentation().distrusted().is_empty() {
        opened.set_stale();
    }
}
