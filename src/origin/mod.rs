//! Floor 7: from a request's path to a reply, over a store: opened presentations are kept, looked
//! after, and opened again when their files change.

mod access;
mod answer;
mod block_on;
mod body;
mod budget;
mod cache;
mod clock;
mod drive;
mod flights;
mod fragment_cache;
mod handles;
mod named_media;
mod opened;
mod path;
mod spellings;
mod stored;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use answer::{Answer, Identity, Served};
pub use block_on::block_on;
pub use body::Body;
pub use clock::Clock;
pub use fragment_cache::FragmentCacheStats;
pub use opened::Opened;
pub use stored::StoredBody;

use access::{Access, AccessOptions};
use answer::{Asked, Holding, ask, serve};
use cache::{Cache, CacheOptions};
use handles::Handles;
use named_media::NamedMedia;

use crate::base::{Error, ErrorKind, FileId, Name, ReadErrorKind, Step};
use crate::output::mss::{self, Request};
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
#[derive(Clone, Debug)]
pub struct OriginBuilder {
    store: AnyStore,
    clock: Clock,
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
            clock: Clock::default(),
            options: OpenOptions::default(),
            cache: CacheOptions::default(),
            handles: None,
            access: AccessOptions::default(),
        }
    }

    /// Answers a request for `target`: the path of a URL, percent-encoded, and its query if it has
    /// one. The presentation is the first of its segments that ends in `.ism` or `.isml` and can be
    /// opened.
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
            Err(error) => Begun::Failed(error),
        }
    }

    /// The answer to a request that was begun.
    async fn finish(&self, begun: Begun, target: &str) -> Result<Answer, Error> {
        match begun {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Failed(error) => return Err(error),
            Begun::Reads(opened, step) => match self.read_for(&opened, step).await {
                Err(_) if opened.is_stale() => {}
                answer => return answer,
            },
            Begun::Unopened => {}
        }
        let (path, query) = split_query(target);
        let mut error = Error::request("path", ErrorKind::NoPresentation);
        for found in path::presentations(path) {
            let path::Found { name, rest } = found?;
            match self.answer_in(&name, rest, query).await {
                // A folder of that name is walked on: ffmpeg makes such.
                Err(none) if matches!(none.kind, ErrorKind::NoPresentation) => error = none,
                answer => return answer,
            }
        }
        Err(error)
    }

    /// What tells whether a client has the answer already, found out without reading any media.
    /// `None` where that is a redirect.
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
                    let (opened, request) = (opened?, Request::parse(rest)?.with_query(query)?);
                    let identity = mss::identify(opened.presentation(), &request)?;
                    let of = |(content, validator)| Identity { content, validator, opened };
                    return Ok(identity.map(of));
                }
            }
        }
        Err(error)
    }

    /// A file of the store as it lies there, whatever it is: which ones clients may have is the
    /// host's to decide.
    ///
    /// # Errors
    /// [`ErrorKind::NoFile`] where there is none, or none that may be read; [`ErrorKind::Read`],
    /// [`ErrorKind::Busy`].
    pub async fn file(&self, name: &Name) -> Result<Served, Error> {
        let access = &self.inner.access;
        access.admit()?;
        let (source, stat) = access.open(name).await.map_err(|error| match error.kind {
            ReadErrorKind::Gone | ReadErrorKind::Denied => {
                Error::request("path", ErrorKind::NoFile)
            }
            _ => error.into(),
        })?;
        let since = stat.modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let validator = match since {
            Some(since) => Validator::of_file(stat.size, &since.as_nanos().to_be_bytes()),
            None => Validator::of_file(stat.size, stat.version.as_bytes()),
        };
        // One file is open: it needs no name among others.
        let range = StoredRange::whole(FileId::SERVER_MANIFEST, stat.size);
        let reply = Reply::of_stored(Content::File, validator, range);
        let holding = Holding::File(Arc::clone(access), source);
        Ok(Served { reply, holding, modified: stat.modified, is_kept: false })
    }

    /// Whether a server manifest in the file's folder, or in one of three above, names it. Also where
    /// that cannot be told: the store cannot list folders, or a manifest in the file's own cannot be
    /// read.
    pub async fn is_media(&self, file: &Name) -> bool {
        let Inner { named_media, access, clock, options, .. } = &*self.inner;
        named_media.has(file, access, clock, options.limits_in_use()).await
    }

    /// The presentation of this name. What has to be waited for is apart, so that the future of a
    /// request that waits for nothing stays small.
    async fn opened(&self, name: &str) -> Result<Arc<Opened>, Error> {
        match self.inner.cache.fresh(&self.inner.clock, name) {
            Some(opened) => Ok(opened),
            None => Box::pin(self.inner.cache.get(&self.inner, name)).await,
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
        let opened = self.opened(name).await?;
        match self.answer_of(&opened, rest, query).await {
            Err(_) if opened.is_stale() => {
                let opened = self.opened(name).await?;
                self.answer_of(&opened, rest, query).await
            }
            answer => answer,
        }
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
        Ok(serve(opened, drive::answer(step, opened).await?))
    }

    /// What the cache of fragments holds, and how often it had what was asked for; nothing where
    /// there is [none](OriginBuilder::fragment_cache_bytes).
    pub fn fragment_cache(&self) -> FragmentCacheStats {
        let fragments = self.inner.access.fragments.as_ref();
        fragments.map(|fragments| fragments.stats()).unwrap_or_default()
    }

    /// The files of this presentation are looked at again for the next request, however short ago
    /// that was done: a call for who knows that it was replaced.
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
    /// used go first.
    ///
    /// An eighth of it is left for what lies between pieces in use, which an allocator does not give
    /// back. What else a process takes comes in addition: [bodies](Self::body_bytes),
    /// [fragments](Self::fragment_cache_bytes), connections, openings in progress.
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache.bytes = bytes;
        self
    }

    /// How old what is known of a presentation may be before its files are looked at again, and
    /// how long a failed opening is kept; default 5 s.
    pub fn revalidate_after(mut self, age: Duration) -> Self {
        self.cache.revalidate_after = age;
        self
    }

    /// How long a presentation is served as it was while its files, which have changed, give more
    /// findings than before: a set that arrives file by file; default 30 s.
    pub fn replace_grace(mut self, grace: Duration) -> Self {
        self.cache.replace_grace = grace;
        self
    }

    /// Openings at one time; default 128. More are refused as busy.
    pub fn max_openings(mut self, openings: usize) -> Self {
        self.cache.max_openings = openings;
        self
    }

    /// Files held open at one time, over all presentations; default a quarter of what the process
    /// may open. The least used are closed, and opened again when they are needed.
    pub fn max_open_files(mut self, files: usize) -> Self {
        self.handles = Some(files);
        self
    }

    /// Operations of the store at one time; default 256. More wait for their turn.
    pub fn max_reads(mut self, reads: usize) -> Self {
        self.access.reads = reads;
        self
    }

    /// Operations that may wait for their turn before requests are refused as busy; default 1,024.
    pub fn max_waiting(mut self, waiting: usize) -> Self {
        self.access.waiting = waiting;
        self
    }

    /// How long one operation of the store may take, and how long a body waits for what it gave
    /// before to be sent, when there is little room for more; default 10 s. After that the request
    /// fails as one that may succeed later, and a body that was begun is cut off.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.access.timeout = timeout;
        self
    }

    /// Bytes of bodies that were read and are not sent yet, over all of them; default 256 MiB.
    pub fn body_bytes(mut self, bytes: u64) -> Self {
        self.access.body_bytes = bytes;
        self
    }

    /// Bytes of memory for fragments that are asked for often; default none. One that is there is
    /// sent without a read, and one that is not is read once, however many ask for it at a time.
    /// What is asked for once goes first. Fragments longer than 1 MiB are not kept. A host that sends
    /// [stored bodies](Body::stored) itself is better without: those in memory are not stored ones.
    pub fn fragment_cache_bytes(mut self, bytes: u64) -> Self {
        self.access.fragment_cache = bytes;
        self
    }

    /// The clock that ages are measured by; default the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The origin.
    pub fn build(self) -> Origin {
        let handles = self.handles.unwrap_or_else(handles::default_capacity);
        let named_media = NamedMedia::new(self.cache.revalidate_after);
        Origin {
            inner: Arc::new(Inner {
                access: Arc::new(Access::new(self.store, &self.access)),
                cache: Cache::new(self.cache),
                handles: Arc::new(Handles::new(handles)),
                named_media,
                clock: self.clock,
                options: self.options,
            }),
        }
    }
}

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

/// Marks a presentation as out of date when one of its files has changed under a request, or is not
/// what was believed.
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
