//! Floor 7: from a request's path to a reply, over a store: opened presentations are kept, looked
//! after, and opened again when their files change.

mod answer;
mod answering;
mod ask;
mod asked;
mod batch;
mod block_on;
mod builder;
mod cache;
mod cached;
mod counters;
mod event;
mod events;
mod host;
mod index_files;
#[cfg(feature = "live")]
mod live;
#[cfg(feature = "metrics")]
mod meters;
mod monitoring;
mod named_media;
mod newer;
mod offload;
mod opener;
mod path;
mod read;
mod reading_ahead;
mod redirect;
mod stats;
#[cfg(feature = "tracing")]
mod trace;
mod weighted;
#[cfg(feature = "http")]
mod whole_file;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

pub use crate::storage::{Clock, Timer};
pub use answer::{Answer, Served};
pub use asked::{Asked, Identity};
pub use block_on::block_on;
pub use builder::OriginBuilder;
pub use cached::CachedPresentation;
pub use event::{Event, Level};
#[cfg(feature = "live")]
pub use live::{
    ArchiveFailure, ArchiveStatus, Delivery, LiveOptions, LivePoint, LivePoints, PastNotice, Push,
};
pub use read::{Body, Opened, StoredBody};
pub use redirect::Redirect;
pub use stats::{FragmentCacheStats, OriginStats};

#[cfg(feature = "http")]
pub(crate) use event::OneLine;
#[cfg(all(feature = "live", feature = "http"))]
pub(crate) use live::Unbegun;
#[cfg(feature = "compression")]
pub(crate) use offload::Offload;

use cache::Cache;
use named_media::NamedMedia;
use read::{FileReader, Patience, Reader, Shared};

use crate::base::{Error, ErrorKind, FileId, Limits, Name, ReadError, ReadErrorKind};
use crate::presentation::{Reply, Representation, StoredRange, Validator};
use crate::storage::{Ends, Opening};

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
#[derive(Clone)]
pub struct Origin {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    cache: Cache,
    named_media: NamedMedia,
    limits: Limits,
    #[cfg(feature = "live")]
    live: Option<LivePoints>,
}

impl Origin {
    /// Answers a request for `target`: the same as [`ask`](Self::ask) and [`Asked::answer`].
    ///
    /// # Errors
    /// [`ErrorKind::status`] has the HTTP status of each.
    pub async fn answer(&self, target: &str) -> Result<Answer, Error> {
        self.ask(target).await?.answer().await
    }

    /// A file of the store, as it is stored. The host decides which files clients may have.
    ///
    /// # Errors
    /// [`ErrorKind::NoFile`] if there is none, or none that may be read; [`ErrorKind::Read`], also
    /// if the file changed a moment ago ([`OriginBuilder::settling_time`]); [`ErrorKind::Busy`].
    pub async fn file(&self, name: &Name) -> Result<Served, Error> {
        let (shared, access) = (&self.inner.shared, &self.inner.shared.access);
        let not_opened = |error: ReadError| match error.kind {
            ReadErrorKind::Gone | ReadErrorKind::Denied => {
                Error::request("path", ErrorKind::NoFile)
            }
            _ => error.into(),
        };
        let patience = Patience::default();
        let opened = match access.admit() {
            Ok(()) => access.open(name, Ends::default(), &patience).await.map_err(not_opened),
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
        let file = FileReader { shared: Arc::clone(shared), name: name.clone(), source };
        let reader = Reader::File(Arc::new(file));
        Ok(Served { reply, reader, modified: stat.modified, is_kept: false })
    }

    /// Returns whether a server manifest in the file's folder, or in one of three above, names the
    /// file. Also `true` if that is not known: the store cannot list folders, or a manifest in the
    /// file's own folder cannot be read.
    pub async fn is_media(&self, file: &Name) -> bool {
        let Inner { named_media, shared, limits, .. } = &*self.inner;
        named_media.has(file, &shared.access, limits).await
    }

    /// The time of day.
    #[cfg(feature = "http")]
    pub(crate) fn wall_time(&self) -> SystemTime {
        self.inner.shared.access.host.clock.wall()
    }

    /// The host's place for work that may take long.
    #[cfg(feature = "compression")]
    pub(crate) fn offload(&self) -> &Offload {
        &self.inner.shared.access.host.offload
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

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
