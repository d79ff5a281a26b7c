//! A place for the files of live events.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};

use super::{MemoryStore, RangeSource, Source, Store};
use crate::base::Name;

/// Keeps the files of live events while they grow, and the presentation that is left when an event has
/// ended.
///
/// The file of a track grows at its end only. Its bytes are those that players get: the fragments in
/// the order of time, behind one header. What is [appended](Self::append) can be
/// [opened](Self::open) at once.
///
/// # Promises
///
/// - When [`append`](Self::append) has returned, the bytes survive the end of the process.
/// - A future that is dropped before its end has appended all of its bytes, some, or none. The same call is
///   then made again, with the same offset, before any other call about this file.
/// - Calls about different files may run at the same time. Calls that write one file never do.
///
/// The rules for the [futures](super::Store#futures) of a store hold for those of an archive, too.
///
/// ```
/// use bytes::Bytes;
/// use smooth_origin::base::Name;
/// use smooth_origin::origin::block_on;
/// use smooth_origin::storage::{Archive, MemoryArchive, RangeSource};
///
/// # fn main() -> std::io::Result<()> {
/// let (archive, name) = (MemoryArchive::new(), Name::new("event/video.ismv").unwrap());
/// block_on(archive.append(&name, 0, Bytes::from_static(b"head")))?;
/// block_on(archive.append(&name, 4, Bytes::from_static(b"fragment")))?;
/// let source = block_on(archive.open(&name))?;
/// assert_eq!(block_on(source.read(4..12))?, "fragment");
/// # Ok(())
/// # }
/// ```
pub trait Archive: Send + Sync + 'static {
    /// Writes bytes at `offset` of the file of this name. It is the number of bytes that the file has,
    /// or less if an earlier call did not end: what is behind it is then replaced. With 0, the file is
    /// made anew.
    fn append(
        &self,
        name: &Name,
        offset: u64,
        bytes: Bytes,
    ) -> impl Future<Output = io::Result<()>> + Send;

    /// Says that nothing will be appended to the file any more.
    fn finish(&self, name: &Name) -> impl Future<Output = io::Result<()>> + Send;

    /// Opens a file, to read what was appended so far and what will be.
    fn open(&self, name: &Name) -> impl Future<Output = io::Result<Source>> + Send;

    /// Keeps a short file, in place of one of the same name, all of it or nothing: the manifests of an event. More
    /// can be appended to it.
    fn put(&self, name: &Name, content: Bytes) -> impl Future<Output = io::Result<()>> + Send;

    /// Reads what another process has appended to a file behind its first `offset` bytes: as much as one read
    /// gives, and nothing if there is nothing yet. `offset` is 0, or the end of what was given before. Whoever
    /// follows an event asks every second or so.
    ///
    /// Bytes may be given late, or not at all, if they were moved within the archive. Whoever gets nothing
    /// for long [opens](Self::open) the file.
    ///
    /// The default opens the file, and reads up to 1 MiB.
    fn follow(&self, name: &Name, offset: u64) -> impl Future<Output = io::Result<Bytes>> + Send {
        async move {
            let source = match self.open(name).await {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Bytes::new()),
                source => source?,
            };
            let end = source.stat().await?.size.min(offset.saturating_add(FOLLOWED));
            if end <= offset { Ok(Bytes::new()) } else { source.read(offset..end).await }
        }
    }
}

/// Bytes that one call of [`Archive::follow`] reads.
const FOLLOWED: u64 = 1 << 20;

/// An archive of any type. Clones share the archive.
#[derive(Clone)]
pub struct AnyArchive(Arc<dyn Erased>);

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

trait Erased: Send + Sync {
    fn append<'a>(
        &'a self,
        name: &'a Name,
        offset: u64,
        bytes: Bytes,
    ) -> BoxFuture<'a, io::Result<()>>;
    fn finish<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, io::Result<()>>;
    fn open<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, io::Result<Source>>;
    fn put<'a>(&'a self, name: &'a Name, content: Bytes) -> BoxFuture<'a, io::Result<()>>;
    fn follow<'a>(&'a self, name: &'a Name, offset: u64) -> BoxFuture<'a, io::Result<Bytes>>;
}

impl<A: Archive> Erased for A {
    fn append<'a>(
        &'a self,
        name: &'a Name,
        offset: u64,
        bytes: Bytes,
    ) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(Archive::append(self, name, offset, bytes))
    }

    fn finish<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(Archive::finish(self, name))
    }

    fn open<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, io::Result<Source>> {
        Box::pin(Archive::open(self, name))
    }

    fn put<'a>(&'a self, name: &'a Name, content: Bytes) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(Archive::put(self, name, content))
    }

    fn follow<'a>(&'a self, name: &'a Name, offset: u64) -> BoxFuture<'a, io::Result<Bytes>> {
        Box::pin(Archive::follow(self, name, offset))
    }
}

impl AnyArchive {
    /// Erases the type of an archive.
    pub fn new(archive: impl Archive) -> Self {
        Self(Arc::new(archive))
    }
}

impl Archive for AnyArchive {
    async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
        self.0.append(name, offset, bytes).await
    }

    async fn finish(&self, name: &Name) -> io::Result<()> {
        self.0.finish(name).await
    }

    async fn open(&self, name: &Name) -> io::Result<Source> {
        self.0.open(name).await
    }

    async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
        self.0.put(name, content).await
    }

    async fn follow(&self, name: &Name, offset: u64) -> io::Result<Bytes> {
        self.0.follow(name, offset).await
    }
}

impl fmt::Debug for AnyArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyArchive")
    }
}

/// An archive in memory, for tests. Clones share their files, which are objects of a
/// [store](Self::store), too.
#[derive(Clone, Debug, Default)]
pub struct MemoryArchive {
    growing: Arc<Mutex<HashMap<Name, BytesMut>>>,
    store: MemoryStore,
}

impl MemoryArchive {
    /// Without any file.
    pub fn new() -> Self {
        Self::default()
    }

    /// The store that has the files, as an origin of films opens them.
    pub fn store(&self) -> &MemoryStore {
        &self.store
    }

    fn growing(&self) -> MutexGuard<'_, HashMap<Name, BytesMut>> {
        self.growing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Archive for MemoryArchive {
    async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
        let mut growing = self.growing();
        let file = growing.entry(name.clone()).or_default();
        match usize::try_from(offset) {
            Ok(offset) if offset <= file.len() => file.truncate(offset),
            _ => return Err(io::Error::other("bytes are missing before those that are appended")),
        }
        file.extend_from_slice(&bytes);
        let content = Bytes::copy_from_slice(file);
        drop(growing);
        self.store.put(name.clone(), content);
        Ok(())
    }

    async fn finish(&self, _: &Name) -> io::Result<()> {
        // The end of an event that was not written completely is written again.
        Ok(())
    }

    async fn open(&self, name: &Name) -> io::Result<Source> {
        // Reads are of the file as it is then, which has grown.
        self.store.open(name).await?;
        Ok(Source::new(Growing { store: self.store.clone(), name: name.clone() }))
    }

    async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
        // It may grow from now on.
        self.growing().insert(name.clone(), BytesMut::from(&content[..]));
        self.store.put(name.clone(), content);
        Ok(())
    }
}

/// A file of an archive in memory, which grows.
struct Growing {
    store: MemoryStore,
    name: Name,
}

impl RangeSource for Growing {
    async fn stat(&self) -> io::Result<super::Stat> {
        let stat = self.store.open(&self.name).await?.stat().await?;
        let version = super::Version::new(format!("{}:{}", self.name, stat.size));
        Ok(super::Stat::immutable(stat.size, version))
    }

    async fn read(&self, range: std::ops::Range<u64>) -> io::Result<Bytes> {
        self.store.open(&self.name).await?.read(range).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().unwrap()
    }

    #[test]
    fn a_call_that_did_not_end_is_made_again_with_the_same_offset() {
        let (archive, name) = (AnyArchive::new(MemoryArchive::new()), Name::new("a.ismv").unwrap());
        let append = |offset, bytes: &'static [u8]| {
            block_on(Archive::append(&archive, &name, offset, Bytes::from_static(bytes)))
        };
        append(0, b"head").unwrap();
        append(4, b"hal").unwrap();
        append(4, b"whole").unwrap();
        let source = block_on(Archive::open(&archive, &name)).unwrap();
        assert_eq!(block_on(source.read(0..9)).unwrap(), "headwhole");
        block_on(Archive::put(&archive, &name, Bytes::from_static(b"headwhole"))).unwrap();
        append(9, b"more").unwrap();
        assert_eq!(block_on(source.read(4..13)).unwrap(), "wholemore");
        assert!(append(20, b"late").is_err());
    }
}
