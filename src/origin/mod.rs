//! Floor 7: from a request's path to a reply, over a store: opened presentations are kept, looked
//! after, and opened again when their files change.

mod access;
mod answer;
mod asked;
mod block_on;
mod body;
mod builder;
mod cache;
mod cached;
mod clock;
mod deadline;
mod drive;
mod event;
mod events;
mod flights;
mod fragment_cache;
mod handles;
mod host;
#[cfg(feature = "metrics")]
mod meters;
mod named_media;
mod offload;
mod opened;
mod path;
mod replacement;
mod settling;
mod spellings;
mod stats;
mod stored;
#[cfg(feature = "tracing")]
mod trace;

use std::sync::Arc;
use std::time::SystemTime;

pub use crate::storage::Timer;
pub use answer::{Answer, Served};
pub use asked::{Asked, Identity};
pub use block_on::block_on;
pub use body::Body;
pub use builder::OriginBuilder;
pub use cached::CachedPresentation;
pub use clock::Clock;
pub use event::{Event, Level};
pub use fragment_cache::FragmentCacheStats;
pub use opened::Opened;
pub use stats::OriginStats;
pub use stored::StoredBody;

#[cfg(feature = "http")]
pub(crate) use event::OneLine;
#[cfg(feature = "compression")]
pub(crate) use offload::Offload;

use access::Access;
use answer::{HeldFile, Holding};
use cache::Cache;
use handles::Handles;
use named_media::NamedMedia;

use crate::base::{Error, ErrorKind, FileId, Name, ReadErrorKind};
use crate::presentation::{OpenOptions, Reply, Representation, StoredRange, Validator};
use crate::storage::{Ends, Opening, Store};

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

impl Origin {
    /// Over a store, with the defaults of [`OriginBuilder`].
    pub fn new(store: impl Store) -> Self {
        Self::builder(store).build()
    }

    /// Over a store, with options.
    pub fn builder(store: impl Store) -> OriginBuilder {
        OriginBuilder::new(store)
    }

    /// Answers a request for `target`: the same as [`ask`](Self::ask) and [`Asked::answer`].
    ///
    /// # Errors
    /// [`ErrorKind::status`] has the HTTP status of each.
    pub async fn answer(&self, target: &str) -> Result<Answer, Error> {
        self.ask(target).await?.answer().await
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
            Ok(()) => access.open(name, Ends::default()).await.map_err(|error| match error.kind {
                ReadErrorKind::Gone | ReadErrorKind::Denied => {
                    Error::request("path", ErrorKind::NoFile)
                }
                _ => error.into(),
            }),
            Err(busy) => Err(busy),
        };
        let report = |error: &Error| access.host.events.request_for_failed(name, None, error);
        let Opening { source, stat, .. } = opened.inspect_err(report)?;
        let since = stat.modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let validator = match since {
            Some(since) => Validator::of_file(stat.size, &since.as_nanos().to_be_bytes()),
            None => Validator::of_file(stat.size, stat.version.as_bytes()),
        };
        // One file is open: it needs no name among others.
        let range = StoredRange::whole(FileId::SERVER_MANIFEST, stat.size);
        let reply = Reply::of_stored(Representation::file(validator), range);
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

    /// The time of day.
    #[cfg(feature = "http")]
    pub(crate) fn wall_time(&self) -> SystemTime {
        self.inner.clock.wall()
    }

    /// Where the host has long work done.
    #[cfg(feature = "compression")]
    pub(crate) fn offload(&self) -> &Offload {
        &self.inner.access.host.offload
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
    /// A host may call it ahead of the first request, to warm the cache: requests within
    /// [`OriginBuilder::revalidate_after`] then find the presentation open.
    ///
    /// # Errors
    /// As [`open`](crate::presentation::open).
    pub async fn open(&self, name: &Name) -> Result<Arc<Opened>, Error> {
        self.opened(name.as_str()).await
    }
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
