//! A place for index files.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use super::Version;
use crate::base::Name;

/// Keeps what the openings of presentations learn about media files without an index, so that such a
/// file is walked through once and not by each origin. See
/// [`OriginBuilder::index_store`](crate::origin::OriginBuilder::index_store).
///
/// The files are small (about twelve bytes per fragment). They may be lost, cut or mixed up at any
/// time: an origin checks each, and ignores one that is damaged or of another version of the media
/// file. Someone who may write here can make fragments unavailable. He cannot have one served in
/// place of another that declares its track and time.
///
/// ```
/// use std::collections::HashMap;
/// use std::io;
/// use std::sync::Mutex;
/// use bytes::Bytes;
/// use smooth_origin::Name;
/// use smooth_origin::origin::Origin;
/// use smooth_origin::storage::{IndexStore, MemoryStore, Version};
///
/// /// Index files in memory. A bucket is used in the same way.
/// #[derive(Default)]
/// struct Indexes(Mutex<HashMap<Name, Bytes>>);
///
/// impl IndexStore for Indexes {
///     async fn load(&self, name: &Name, _: &Version) -> io::Result<Option<Bytes>> {
///         Ok(self.0.lock().unwrap().get(name).cloned())
///     }
///
///     async fn keep(&self, name: &Name, _: &Version, index: Bytes) -> io::Result<()> {
///         self.0.lock().unwrap().insert(name.clone(), index);
///         Ok(())
///     }
/// }
///
/// let origin = Origin::builder(MemoryStore::new()).index_store(Indexes::default()).build();
/// # let _ = origin;
/// ```
pub trait IndexStore: Send + Sync + 'static {
    /// Returns what was kept for the media file of this name, in this version if versions are kept
    /// apart. `None` if there is nothing.
    fn load(
        &self,
        name: &Name,
        version: &Version,
    ) -> impl Future<Output = io::Result<Option<Bytes>>> + Send;

    /// Keeps the index of this version of a media file, in place of others.
    fn keep(
        &self,
        name: &Name,
        version: &Version,
        index: Bytes,
    ) -> impl Future<Output = io::Result<()>> + Send;
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An index store of any type.
#[derive(Clone)]
pub(crate) struct AnyIndexStore(Arc<dyn Erased>);

trait Erased: Send + Sync {
    fn load<'a>(
        &'a self,
        name: &'a Name,
        version: &'a Version,
    ) -> BoxFuture<'a, io::Result<Option<Bytes>>>;
    fn keep<'a>(
        &'a self,
        name: &'a Name,
        version: &'a Version,
        index: Bytes,
    ) -> BoxFuture<'a, io::Result<()>>;
}

impl<S: IndexStore> Erased for S {
    fn load<'a>(
        &'a self,
        name: &'a Name,
        version: &'a Version,
    ) -> BoxFuture<'a, io::Result<Option<Bytes>>> {
        Box::pin(IndexStore::load(self, name, version))
    }

    fn keep<'a>(
        &'a self,
        name: &'a Name,
        version: &'a Version,
        index: Bytes,
    ) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(IndexStore::keep(self, name, version, index))
    }
}

impl AnyIndexStore {
    pub(crate) fn new(store: impl IndexStore) -> Self {
        Self(Arc::new(store))
    }

    pub(crate) async fn load(&self, name: &Name, version: &Version) -> io::Result<Option<Bytes>> {
        self.0.load(name, version).await
    }

    pub(crate) async fn keep(
        &self,
        name: &Name,
        version: &Version,
        index: Bytes,
    ) -> io::Result<()> {
        self.0.keep(name, version, index).await
    }
}

impl fmt::Debug for AnyIndexStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyIndexStore").finish_non_exhaustive()
    }
}
