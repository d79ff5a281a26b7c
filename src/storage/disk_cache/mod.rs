//! A cache of ranges of objects in files on local disk.

mod library;

use std::any::Any;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use self::library::Library;
use super::{DiskCacheStats, Ends, Opening, RangeSource, Stat, Store};
use crate::base::Name;

/// A cache of ranges of objects in files on local disk, for stores of which every read is a round trip
/// or has a price.
///
/// Bytes are kept by the name and the version of their object and by their range, so an object that was
/// replaced is never served from the cache. Each entry has a checksum: an entry that the
/// disk changed is a miss. A process that is killed leaves a cache that the next one uses. An error of
/// the disk is a miss, too.
///
/// Clones share the cache. One folder is the cache of one process at a time. The cache has two threads of
/// its own, so that it works with any runtime and without one.
///
/// ```
/// # use smooth_origin::origin::block_on;
/// # fn main() -> std::io::Result<()> {
/// use smooth_origin::Origin;
/// use smooth_origin::storage::{DiskCache, MemoryStore};
///
/// # let folder = std::env::temp_dir().join(format!("disk-cache-{}", std::process::id()));
/// # let bucket = MemoryStore::new();
/// let cache = block_on(DiskCache::open(&folder, 64 << 20))?;
/// let origin = Origin::builder(bucket).remote_store().disk_cache(cache.clone(), "films").build();
/// # drop(origin);
/// // At the end, so that the last bytes are written:
/// block_on(cache.close())?;
/// # drop(cache);
/// # let _ = std::fs::remove_dir_all(folder);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DiskCache(Arc<Disk>);

#[derive(Debug)]
struct Disk {
    library: Library,
    hits: AtomicU64,
    misses: AtomicU64,
    errors: AtomicU64,
    hit_bytes: AtomicU64,
    _lock: Option<File>,
}

/// A store whose reads are kept in a [`DiskCache`].
///
/// ```
/// # use smooth_origin::storage::{DiskCache, DiskCacheStore, MemoryStore};
/// fn cached(cache: &DiskCache, bucket: MemoryStore) -> DiskCacheStore<MemoryStore> {
///     cache.around("eu-west-1/films", bucket)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct DiskCacheStore<S> {
    store: S,
    place: Arc<str>,
    cache: DiskCache,
}

/// A source of a [`DiskCacheStore`].
#[derive(Clone, Debug)]
pub struct DiskCacheSource<S> {
    source: S,
    kept: Option<Arc<Kept>>,
}

/// An object whose bytes are kept.
#[derive(Debug)]
struct Kept {
    /// Place, name, version and size, each with its length.
    object: Vec<u8>,
    cache: DiskCache,
}

/// Shorter reads are not kept: they are indexes and heads, which an opened presentation has in memory.
const SHORTEST: u64 = 4 << 10;

impl DiskCache {
    /// Opens the cache in a folder, which is made if it is not there, with `bytes` of disk at most, and
    /// at least 16 MiB. What an earlier process left there is used.
    ///
    /// Ranges longer than about a thirty-second part of `bytes`, or than 16 MiB, are not kept. In
    /// memory the cache takes up to three times as much as the longest range.
    ///
    /// # Errors
    /// The folder cannot be made, read or written, or another process uses it
    /// ([`io::ErrorKind::WouldBlock`]; not noticed on systems other than Unix).
    pub async fn open(folder: impl AsRef<Path>, bytes: u64) -> io::Result<Self> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder)?;
        let lock = lock(folder)?;
        let library = Library::open(folder, bytes.max(LEAST)).await?;
        let (hits, misses, errors, hit_bytes) = Default::default();
        Ok(Self(Arc::new(Disk { library, hits, misses, errors, hit_bytes, _lock: lock })))
    }

    /// A store whose reads are kept in this cache. `place` distinguishes the objects of this store from
    /// those of others in the same cache: address and bucket, for example. It must stay the same
    /// from one start to the next.
    ///
    /// Only objects whose versions are never written to are kept ([`Stat::immutable`]), and
    /// versions of the store must mean the same from one start to the next, as ETags do.
    pub fn around<S: Store>(&self, place: &str, store: S) -> DiskCacheStore<S> {
        DiskCacheStore { store, place: place.into(), cache: self.clone() }
    }

    /// Numbers since the cache was opened.
    pub fn stats(&self) -> DiskCacheStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Disk { hits, misses, errors, hit_bytes, .. } = &*self.0;
        DiskCacheStats {
            hits: of(hits),
            misses: of(misses),
            errors: of(errors),
            hit_bytes: of(hit_bytes),
        }
    }

    /// Waits until what was read so far is in the files of the cache, so that a process that is killed
    /// afterwards leaves it to the next one. What was read while the disk was too busy is left out. (A
    /// machine that loses its power may lose more: the system writes to the disk later.)
    ///
    /// ```
    /// # async fn example(cache: smooth_origin::storage::DiskCache) -> std::io::Result<()> {
    /// // From time to time, in a task of its own:
    /// cache.flush().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The cache has ended.
    pub async fn flush(&self) -> io::Result<()> {
        self.0.library.flush().await
    }

    /// Writes what is still to be written. Nothing is kept afterwards. Without this, a process
    /// that ends loses the last entries, and no others.
    ///
    /// # Errors
    /// The disk failed.
    pub async fn close(&self) -> io::Result<()> {
        self.0.library.close().await
    }

    async fn get(&self, key: Vec<u8>, length: u64) -> Option<Bytes> {
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        match self.0.library.get(key).await {
            Ok(Some(bytes)) if bytes.len() as u64 == length => {
                count(&self.0.hits);
                self.0.hit_bytes.fetch_add(length, Ordering::Relaxed);
                return Some(bytes);
            }
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => {
                count(&self.0.errors);
            }
        }
        count(&self.0.misses);
        None
    }
}

/// Bytes of the smallest cache.
const LEAST: u64 = 16 << 20;

/// Takes the folder for this process, as long as the file is open.
#[cfg(all(unix, feature = "fs"))]
fn lock(folder: &Path) -> io::Result<Option<File>> {
    use rustix::fs::{FlockOperation, flock};
    let file = File::options().create(true).append(true).open(folder.join("lock"))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|error| {
        let error = io::Error::from(error);
        let why = format!("the folder of the disk cache is in use by another process: {error}");
        io::Error::new(error.kind(), why)
    })?;
    Ok(Some(file))
}

#[cfg(not(all(unix, feature = "fs")))]
fn lock(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

impl<S> DiskCacheStore<S> {
    fn source<T>(&self, source: T, name: &Name, stat: &Stat) -> DiskCacheSource<T> {
        let version = stat.version.as_bytes();
        // What may be written to in place, or has no version, can be told from nothing else.
        let is_kept = stat.age.is_none() && !version.is_empty();
        let kept = is_kept.then(|| {
            let mut object = Vec::new();
            for part in [self.place.as_bytes(), name.as_str().as_bytes(), version] {
                object.extend_from_slice(&(part.len() as u64).to_be_bytes());
                object.extend_from_slice(part);
            }
            object.extend_from_slice(&stat.size.to_be_bytes());
            Arc::new(Kept { object, cache: self.cache.clone() })
        });
        DiskCacheSource { source, kept }
    }
}

impl<S: Store> Store for DiskCacheStore<S> {
    type Source = DiskCacheSource<S::Source>;

    async fn open(&self, name: &Name) -> io::Result<Self::Source> {
        let source = self.store.open(name).await?;
        let stat = source.stat().await?;
        Ok(self.source(source, name, &stat))
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<Self::Source>> {
        let opening = self.store.open_with(name, ends).await?;
        let stat = opening.stat.clone();
        Ok(opening.map(|source| self.source(source, name, &stat)))
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        self.store.stat(name).await
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        self.store.list(folder).await
    }

    async fn stored_name(&self, name: &Name) -> io::Result<Option<Name>> {
        self.store.stored_name(name).await
    }
}

impl Kept {
    /// The key of a range, if it is one that is kept.
    fn key(&self, range: &Range<u64>) -> Option<Vec<u8>> {
        let length = range.end.checked_sub(range.start)?;
        if !(SHORTEST..=self.cache.0.library.longest()).contains(&length) {
            return None;
        }
        let mut key = self.object.clone();
        key.extend_from_slice(&range.start.to_be_bytes());
        key.extend_from_slice(&range.end.to_be_bytes());
        Some(key)
    }
}

impl<S: RangeSource> RangeSource for DiskCacheSource<S> {
    async fn stat(&self) -> io::Result<Stat> {
        self.source.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let kept = self.kept.as_ref().and_then(|kept| Some((&kept.cache, kept.key(&range)?)));
        let Some((cache, key)) = kept else { return self.source.read(range).await };
        let length = range.end - range.start;
        if let Some(bytes) = cache.get(key.clone(), length).await {
            return Ok(bytes);
        }
        let bytes = self.source.read(range).await?;
        if bytes.len() as u64 == length {
            cache.0.library.put(key, bytes.clone());
        }
        Ok(bytes)
    }

    /// Passes on: several ranges are read to open a presentation, once.
    async fn read_many(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        match ranges {
            [range] => Ok(vec![self.read(range.clone()).await?]),
            ranges => self.source.read_many(ranges).await,
        }
    }

    fn underlying(&self) -> &dyn Any {
        self.source.underlying()
    }
}
