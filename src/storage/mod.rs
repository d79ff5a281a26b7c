//! Floor 6: stores, from which bytes are read.
//!
//! A store is two small traits: [`Store`] opens a name, [`RangeSource`] reads ranges of what was
//! opened. Their promises are a test that anyone can run: [`conformance`]. Everything above uses
//! the erased forms [`AnyStore`] and [`Source`].

mod age;
mod allowance;
#[cfg(feature = "live")]
mod archive;
mod breaker;
#[cfg(feature = "object-store")]
mod bucket;
pub(crate) mod budget;
mod clock;
pub mod conformance;
mod counting;
#[cfg(feature = "disk-cache")]
mod disk_cache;
mod disk_cache_stats;
mod erased;
mod error;
mod faulty;
mod hedge;
#[cfg(feature = "fs")]
mod index_folder;
mod index_store;
pub(crate) mod limit;
mod links;
#[cfg(feature = "fs")]
mod local;
#[cfg(all(feature = "fs", feature = "live"))]
mod local_archive;
mod memory;
mod mounts;
mod opening;
mod resilience;
mod retry;
mod sick_objects;
mod slow_down;
pub(crate) mod spelling;
pub(crate) mod thread_timer;
mod timeout;
pub(crate) mod timer;
mod usual_time;
mod wrapping;

use std::any::Any;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::future;
use futures_util::stream::{StreamExt, TryStreamExt, iter};

pub use age::Age;
#[cfg(feature = "live")]
pub use archive::{AnyArchive, Archive, MemoryArchive};
pub use breaker::{BreakerOpen, BreakerSource, BreakerState, BreakerStats, BreakerStore};
#[cfg(all(feature = "object-store", feature = "live"))]
pub use bucket::BucketArchive;
#[cfg(feature = "object-store")]
pub use bucket::{
    Bucket, BucketObject, ConnectError, ListedPage, Location, NoBucket, Protocol, SignedLinks,
};
pub use clock::Clock;
pub use counting::{CountingSource, CountingStore, StoreCounts};
#[cfg(feature = "disk-cache")]
pub use disk_cache::{DiskCache, DiskCacheSource, DiskCacheStore};
pub use disk_cache_stats::DiskCacheStats;
pub use erased::{AnyStore, Source};
pub use error::ChangedError;
pub use faulty::{Faults, FaultySource, FaultyStore};
pub use hedge::{HedgeSource, HedgeStats, HedgeStore};
#[cfg(feature = "fs")]
pub use index_folder::IndexFolder;
pub use index_store::IndexStore;
pub use limit::{LimitSource, LimitStore};
pub use links::{Link, Links};
#[cfg(feature = "fs")]
pub use local::{BlockingRead, LocalFile, LocalStore, RefusedLink, RefusedLinks};
#[cfg(all(feature = "fs", feature = "live"))]
pub use local_archive::{ArchiveSync, LocalArchive};
pub use memory::{MemoryObject, MemoryStore};
pub use mounts::Mounts;
pub use opening::{Ends, Opening};
pub use resilience::{Resilience, ResilienceStats, ResilientSource, ResilientStore};
pub use retry::{RetrySource, RetryStats, RetryStore};
pub use slow_down::SlowDown;
pub use timeout::{TimeoutSource, TimeoutStore};
pub use timer::Timer;

pub(crate) use error::read_error;
#[cfg(feature = "http")]
pub(crate) use error::slow_down;
pub(crate) use index_store::AnyIndexStore;
#[cfg(feature = "http")]
pub(crate) use links::AnyLinks;

use crate::base::Name;

/// Opens objects by their names.
///
/// # Promises
///
/// - Nothing outside of the store's root is ever opened.
/// - An error of the kind `NotFound`, `IsADirectory`, `NotADirectory` or `InvalidFilename` means that
///   there is no object of this name. A name that stands for anything but a plain object, such as a
///   folder or a device, gives one of these.
/// - `PermissionDenied` means that there is an object that may not be read.
/// - Every other error means that the operation may succeed later. Clients then get the status 503.
///
/// The [conformance] suite checks them.
///
/// # Futures
///
/// An origin polls the futures in the tasks of its requests. It may drop any of them before its
/// end: the client has gone away, or the operation took longer than
/// [`read_timeout`](crate::origin::OriginBuilder::read_timeout). Whatever is held for a dropped
/// future must be released, and later calls must not be affected.
///
/// A future that blocks holds up all other tasks of its thread, and no time limit ends it. That is
/// acceptable for work of microseconds, as the system calls of `LocalStore` are.
/// Anything that waits for a network, or for a disk that may be slow, must not block: hand it to
/// threads that may block, or to an asynchronous client.
///
/// # Example
///
/// A store of objects that a library fetches over a network, here given as functions:
///
/// ```
/// use std::{io, ops::Range};
/// use bytes::Bytes;
/// use smooth_origin::base::Name;
/// use smooth_origin::storage::{ChangedError, RangeSource, Stat, Store, Version};
/// # mod bucket {
/// #     pub struct Head { pub size: u64, pub etag: String }
/// #     pub enum Problem { Missing, PreconditionFailed, Other(String) }
/// #     pub async fn head(_key: &str) -> Result<Head, Problem> {
/// #         Ok(Head { size: 3, etag: "1".into() })
/// #     }
/// #     pub async fn get(_key: &str, _range: std::ops::Range<u64>, _if_match: &str)
/// #         -> Result<bytes::Bytes, Problem> { Ok(bytes::Bytes::from_static(b"abc")) }
/// # }
///
/// struct Bucket;
///
/// /// An object, in the version that was opened.
/// struct Object {
///     key: Name,
///     size: u64,
///     etag: String,
/// }
///
/// impl Store for Bucket {
///     type Source = Object;
///
///     async fn open(&self, name: &Name) -> io::Result<Object> {
///         let head = bucket::head(name.as_str()).await.map_err(error)?;
///         Ok(Object { key: name.clone(), size: head.size, etag: head.etag })
///     }
/// }
///
/// impl RangeSource for Object {
///     async fn stat(&self) -> io::Result<Stat> {
///         // A version of an object is never written to: another upload has another ETag.
///         Ok(Stat::immutable(self.size, Version::new(self.etag.clone())))
///     }
///
///     async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
///         if range.end > self.size || range.start > range.end {
///             return Err(io::ErrorKind::UnexpectedEof.into());
///         }
///         if range.is_empty() {
///             return Ok(Bytes::new());
///         }
///         // `If-Match` has the service compare the version.
///         bucket::get(self.key.as_str(), range, &self.etag).await.map_err(error)
///     }
/// }
///
/// fn error(problem: bucket::Problem) -> io::Error {
///     match problem {
///         bucket::Problem::Missing => io::ErrorKind::NotFound.into(),
///         bucket::Problem::PreconditionFailed => ChangedError.into(),
///         bucket::Problem::Other(why) => io::Error::other(why),
///     }
/// }
/// # use smooth_origin::origin::block_on;
/// # let object = block_on(Bucket.open(&Name::new("object").unwrap())).unwrap();
/// # assert_eq!(block_on(object.read(0..3)).unwrap(), "abc");
/// ```
pub trait Store: Send + Sync + 'static {
    /// The type of an opened object.
    type Source: RangeSource;

    /// Opens the object of this name as it is now.
    fn open(&self, name: &Name) -> impl Future<Output = io::Result<Self::Source>> + Send;

    /// Opens an object, looks at it, and reads its ends as far as that takes no further round trip.
    /// An origin opens every file by this call, and reads those ends that it does not get.
    ///
    /// The default calls [`open`](Self::open) and [`RangeSource::stat`], and reads nothing. A store
    /// for which each request costs a round trip should override it: one request for the first
    /// bytes gives the head, the size and the version. Ends that the store gives are of the
    /// object's version in `stat`, and of the lengths that [`Ends::ranges`] returns.
    fn open_with(
        &self,
        name: &Name,
        ends: Ends,
    ) -> impl Future<Output = io::Result<Opening<Self::Source>>> + Send {
        let _ = ends;
        async move {
            let source = self.open(name).await?;
            let stat = source.stat().await?;
            Ok(Opening::new(source, stat))
        }
    }

    /// Returns size and version of the object of this name as it is now. An origin compares the
    /// version with the one that it opened, for each file of a presentation, every few seconds
    /// ([`revalidate_after`](crate::origin::OriginBuilder::revalidate_after)).
    ///
    /// The default opens the object and calls [`RangeSource::stat`].
    fn stat(&self, name: &Name) -> impl Future<Output = io::Result<Stat>> + Send {
        async move { self.open(name).await?.stat().await }
    }

    /// Lists the names of the objects in a folder, or at the root for `None`, without those in its
    /// subfolders. The service uses the list to find the `.ism` files beside a file: media that
    /// one of them names are not passed to clients. Opening a folder of fragments uses it to find
    /// out which fragments exist, and when they start if the manifest does not say so.
    ///
    /// The default is for stores that cannot list: [`io::ErrorKind::Unsupported`].
    fn list(&self, folder: Option<&Name>) -> impl Future<Output = io::Result<Vec<Name>>> + Send {
        let _ = folder;
        async { Err(io::ErrorKind::Unsupported.into()) }
    }

    /// Returns the stored name of the object that the store opens for `name`, or `None` if `name`
    /// is the stored name. The two differ in stores that ignore letter case, for example. An origin
    /// keeps a presentation once, under its stored name, for all spellings.
    ///
    /// The default is for stores in which each name has one spelling: `None`.
    fn stored_name(&self, name: &Name) -> impl Future<Output = io::Result<Option<Name>>> + Send {
        let _ = name;
        async { Ok(None) }
    }
}

/// Reads ranges of one opened object.
///
/// # Promises
///
/// - [`read`](Self::read) returns exactly the bytes of the range or an error, never fewer and never
///   more.
/// - All reads through one source see the version of the object that was opened. If the object has
///   changed and that version cannot be read any more, they fail with [`ChangedError`]: the origin
///   then opens the object again. [Other errors](Store#promises) mean the same as those of a store.
/// - Reads may run at the same time.
///
/// The rules for the [futures](Store#futures) of a store hold for those of a source, too.
///
/// ```
/// use std::{io, ops::Range};
/// use bytes::Bytes;
/// use smooth_origin::storage::{RangeSource, Stat, Version};
///
/// /// A page that is built into the program.
/// struct BuiltIn(&'static [u8]);
///
/// impl RangeSource for BuiltIn {
///     async fn stat(&self) -> io::Result<Stat> {
///         Ok(Stat::immutable(self.0.len() as u64, Version::new(env!("CARGO_PKG_VERSION"))))
///     }
///
///     async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
///         let part = self.0.get(range.start as usize..range.end as usize);
///         part.map(Bytes::from_static).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
///     }
/// }
/// # use smooth_origin::{origin::block_on, storage::conformance};
/// # block_on(conformance::range_source(&BuiltIn(b"content"), b"content"));
/// ```
pub trait RangeSource: Send + Sync + 'static {
    /// Returns size and version, from one look at the object. Fails with [`ChangedError`] if the
    /// version that was opened is known to be gone.
    fn stat(&self) -> impl Future<Output = io::Result<Stat>> + Send;

    /// Reads `range`. If it ends past the end of the object, or starts behind its own end, the
    /// error is [`io::ErrorKind::UnexpectedEof`]; no memory is taken for it.
    fn read(&self, range: Range<u64>) -> impl Future<Output = io::Result<Bytes>> + Send;

    /// Reads several ranges and returns their bytes in the same order; fails if one of the reads
    /// fails. Ranges may overlap.
    ///
    /// The default makes up to 16 [reads](Self::read) at a time. A store that can read several
    /// ranges in one round trip should override it.
    fn read_many(
        &self,
        ranges: &[Range<u64>],
    ) -> impl Future<Output = io::Result<Vec<Bytes>>> + Send {
        async move {
            match ranges {
                [] => Ok(Vec::new()),
                [range] => Ok(vec![self.read(range.clone()).await?]),
                [first, second] => {
                    let (first, second) = (self.read(first.clone()), self.read(second.clone()));
                    let (first, second) = future::join(first, second).await;
                    Ok(vec![first?, second?])
                }
                ranges => {
                    let reads: Vec<_> =
                        ranges.iter().map(|range| self.read(range.clone())).collect();
                    iter(reads).buffered(READS_AT_ONCE).try_collect().await
                }
            }
        }
    }

    /// Returns the source that [`Source::downcast_ref`] finds: this one. A source that wraps
    /// another one, and leaves its bytes as they are, may return that one.
    fn underlying(&self) -> &dyn Any
    where
        Self: Sized,
    {
        self
    }
}

/// Reads that [`RangeSource::read_many`] makes at a time.
const READS_AT_ONCE: usize = 16;

/// Size and version of an object, as seen at one time.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::storage::{Age, Stat, Version};
///
/// // An object store: another upload gives another ETag.
/// let stat = Stat::immutable(3, Version::new("\"4f2a\""));
/// assert_eq!(stat.age, None);
///
/// // A network drive, whose files may be written to while they are read.
/// let age = Age::at_least(Duration::ZERO).resolution(Duration::from_secs(1));
/// let stat = Stat::mutable(3, Version::new("2026-11-28 19:02:20"), age);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stat {
    /// Size in bytes.
    pub size: u64,
    /// Version of the object.
    pub version: Version,
    /// Time of the last change, if the store knows it.
    pub modified: Option<SystemTime>,
    /// Time for which the object has been unchanged. `None` if a version of it is never written to,
    /// as in object stores: such a version is complete whenever it is seen.
    pub age: Option<Age>,
}

impl Stat {
    /// Describes an object whose versions are never written to: a change replaces the object, as an
    /// upload to an object store does. An origin trusts such a version at once.
    ///
    /// If an object can be written to in place, as a file can, use [`mutable`](Self::mutable);
    /// otherwise responses may mix two of its versions.
    pub fn immutable(size: u64, version: Version) -> Self {
        Self { size, version, modified: None, age: None }
    }

    /// Describes an object that may be written to in place, which has been unchanged for `age`. An
    /// origin waits until a version has settled
    /// ([`settling_time`](crate::origin::OriginBuilder::settling_time)).
    pub fn mutable(size: u64, version: Version, age: Age) -> Self {
        Self { size, version, modified: None, age: Some(age) }
    }

    /// Sets the time of the last change, which becomes `Last-Modified`.
    #[must_use]
    pub fn modified(self, modified: Option<SystemTime>) -> Self {
        Self { modified, ..self }
    }
}

/// Version of an object: two versions are equal only if the content is. No client sees it: a
/// [validator](crate::presentation::Validator) has a hash of it at most
/// ([`OriginBuilder::validate_versions`](crate::origin::OriginBuilder::validate_versions)). The keys of a disk
/// cache and of index files hold it.
///
/// ```
/// use smooth_origin::storage::Version;
///
/// let (size, seconds) = (3_u64, 1_764_356_540_u64);
/// let version = Version::new([size.to_be_bytes(), seconds.to_be_bytes()].concat());
/// assert_ne!(version, Version::new("\"4f2a\""));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Bytes);

impl Version {
    /// Creates a version from bytes that differ between the versions of an object: an ETag, or
    /// times and sizes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
