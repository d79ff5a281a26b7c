//! Stores and sources whose types are erased.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use super::opening::{of_length, of_lengths};
use super::{Ends, Opening, RangeSource, Stat, Store};
use crate::base::Name;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A store of any type, for hosts that choose their store at run time. Clones share the store.
///
/// ```
/// use smooth_origin::origin::Origin;
/// use smooth_origin::storage::{AnyStore, MemoryStore};
/// # use smooth_origin::storage::Store;
/// # fn remote() -> impl Store { MemoryStore::new() }
///
/// fn store(is_remote: bool) -> AnyStore {
///     match is_remote {
///         true => AnyStore::new(remote()),
///         false => AnyStore::new(MemoryStore::new()),
///     }
/// }
/// let origin = Origin::new(store(false));
/// ```
#[derive(Clone)]
pub struct AnyStore(Arc<dyn ErasedStore>);

/// A source of any type. Clones share the source.
///
/// ```
/// use smooth_origin::origin::block_on;
/// use smooth_origin::storage::{MemoryObject, MemoryStore, RangeSource, Source, Store};
/// # use smooth_origin::Name;
/// # let store = MemoryStore::new();
/// # store.put(Name::new("object").unwrap(), "content");
/// # let object = block_on(store.open(&Name::new("object").unwrap())).unwrap();
/// let source = Source::new(object);
/// assert_eq!(block_on(source.read(0..3)).unwrap(), "con");
/// assert!(source.downcast_ref::<MemoryObject>().is_some());
/// ```
#[derive(Clone)]
pub struct Source(Arc<dyn ErasedSource>);

trait ErasedStore: Send + Sync {
    fn open<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, io::Result<Source>>;
    fn open_with<'a>(
        &'a self,
        name: &'a Name,
        ends: Ends,
    ) -> BoxFuture<'a, io::Result<Opening<Source>>>;
    fn stat<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, io::Result<Stat>>;
    fn list<'a>(&'a self, folder: Option<&'a Name>) -> BoxFuture<'a, io::Result<Vec<Name>>>;
    fn stored_name<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, io::Result<Option<Name>>>;
}

trait ErasedSource: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn stat(&self) -> BoxFuture<'_, io::Result<Stat>>;
    fn read(&self, range: Range<u64>) -> BoxFuture<'_, io::Result<Bytes>>;
    fn read_many<'a>(&'a self, ranges: &'a [Range<u64>]) -> BoxFuture<'a, io::Result<Vec<Bytes>>>;
}

impl<S: Store> ErasedStore for S {
    fn open<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, io::Result<Source>> {
        Box::pin(async move { Ok(Source::new(Store::open(self, name).await?)) })
    }

    fn open_with<'a>(
        &'a self,
        name: &'a Name,
        ends: Ends,
    ) -> BoxFuture<'a, io::Result<Opening<Source>>> {
        Box::pin(async move { Ok(Store::open_with(self, name, ends).await?.map(Source::new)) })
    }

    fn stat<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, io::Result<Stat>> {
        Box::pin(Store::stat(self, name))
    }

    fn list<'a>(&'a self, folder: Option<&'a Name>) -> BoxFuture<'a, io::Result<Vec<Name>>> {
        Box::pin(Store::list(self, folder))
    }

    fn stored_name<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, io::Result<Option<Name>>> {
        Box::pin(Store::stored_name(self, name))
    }
}

impl<S: RangeSource> ErasedSource for S {
    fn as_any(&self) -> &dyn Any {
        self.underlying()
    }

    fn stat(&self) -> BoxFuture<'_, io::Result<Stat>> {
        Box::pin(RangeSource::stat(self))
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, io::Result<Bytes>> {
        Box::pin(RangeSource::read(self, range))
    }

    fn read_many<'a>(&'a self, ranges: &'a [Range<u64>]) -> BoxFuture<'a, io::Result<Vec<Bytes>>> {
        Box::pin(RangeSource::read_many(self, ranges))
    }
}

impl AnyStore {
    /// Erases the type of a store. An `AnyStore` is not erased again.
    pub fn new(store: impl Store) -> Self {
        let known = (&store as &dyn Any).downcast_ref::<Self>().cloned();
        known.unwrap_or_else(|| Self(Arc::new(store)))
    }
}

impl Store for AnyStore {
    type Source = Source;

    async fn open(&self, name: &Name) -> io::Result<Source> {
        self.0.open(name).await
    }

    /// Fails if the ends that the store gives are not of the wanted length.
    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<Source>> {
        self.0.open_with(name, ends).await?.checked(ends)
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        self.0.stat(name).await
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        self.0.list(folder).await
    }

    async fn stored_name(&self, name: &Name) -> io::Result<Option<Name>> {
        self.0.stored_name(name).await
    }
}

impl Source {
    /// Erases the type of a source. A `Source` is not erased again.
    pub fn new(source: impl RangeSource) -> Self {
        let known = (&source as &dyn Any).downcast_ref::<Self>().cloned();
        known.unwrap_or_else(|| Self(Arc::new(source)))
    }

    /// Returns the source that was erased, if it is of this type. A host that can do more with it
    /// than read ranges, as with the descriptor of a `LocalFile`, finds it here.
    ///
    /// ```
    /// use smooth_origin::storage::{MemoryObject, Source};
    ///
    /// fn is_in_memory(source: &Source) -> bool {
    ///     source.downcast_ref::<MemoryObject>().is_some()
    /// }
    /// ```
    pub fn downcast_ref<S: RangeSource>(&self) -> Option<&S> {
        self.0.as_any().downcast_ref()
    }
}

impl RangeSource for Source {
    async fn stat(&self) -> io::Result<Stat> {
        self.0.stat().await
    }

    /// Returns exactly the bytes of the range: a source that breaks its promise gives an error here.
    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let wanted = range.end.saturating_sub(range.start);
        let bytes = self.0.read(range).await?;
        of_length(&bytes, wanted)?;
        Ok(bytes)
    }

    /// Returns exactly the bytes of the ranges.
    async fn read_many(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        let read = self.0.read_many(ranges).await?;
        of_lengths(&read, ranges)?;
        Ok(read)
    }

    fn underlying(&self) -> &dyn Any {
        self.0.as_any()
    }
}

impl fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyStore")
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl<S: Store> Store for Arc<S> {
    type Source = S::Source;

    fn open(&self, name: &Name) -> impl Future<Output = io::Result<S::Source>> + Send {
        S::open(self, name)
    }

    fn open_with(
        &self,
        name: &Name,
        ends: Ends,
    ) -> impl Future<Output = io::Result<Opening<S::Source>>> + Send {
        S::open_with(self, name, ends)
    }

    fn stat(&self, name: &Name) -> impl Future<Output = io::Result<Stat>> + Send {
        S::stat(self, name)
    }

    fn list(&self, folder: Option<&Name>) -> impl Future<Output = io::Result<Vec<Name>>> + Send {
        S::list(self, folder)
    }

    fn stored_name(&self, name: &Name) -> impl Future<Output = io::Result<Option<Name>>> + Send {
        S::stored_name(self, name)
    }
}
