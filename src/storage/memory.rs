//! Objects in memory: for tests, and for hosts that make their content themselves.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

use super::{RangeSource, Stat, Store, Version};
use crate::base::Name;

/// A store of objects in memory. Clones share their objects.
///
/// ```
/// use smooth_origin::base::Name;
/// use smooth_origin::storage::MemoryStore;
/// let store = MemoryStore::new();
/// store.put(Name::new("film.ism").unwrap(), "<smil/>");
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    objects: Arc<RwLock<Objects>>,
}

#[derive(Debug, Default)]
struct Objects {
    by_name: HashMap<Name, MemoryObject>,
    /// Grows with every change: no two versions are ever equal.
    changes: u64,
}

/// One version of an object in memory.
///
/// ```
/// use smooth_origin::Name;
/// use smooth_origin::origin::block_on;
/// use smooth_origin::storage::{MemoryStore, RangeSource, Store};
///
/// let (store, name) = (MemoryStore::new(), Name::new("object").unwrap());
/// store.put(name.clone(), "old");
/// let object = block_on(store.open(&name)).unwrap();
/// // A source gives the version that was opened.
/// store.put(name, "new");
/// assert_eq!(block_on(object.read(0..3)).unwrap(), "old");
/// ```
#[derive(Clone, Debug)]
pub struct MemoryObject {
    content: Bytes,
    change: u64,
}

impl MemoryStore {
    /// Without any object.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an object in place, or a new version of one.
    pub fn put(&self, name: Name, content: impl Into<Bytes>) {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        objects.changes += 1;
        let object = MemoryObject { content: content.into(), change: objects.changes };
        objects.by_name.insert(name, object);
    }

    /// Takes an object away; what is open stays readable.
    pub fn remove(&self, name: &Name) {
        self.objects.write().unwrap_or_else(PoisonError::into_inner).by_name.remove(name);
    }
}

impl Store for MemoryStore {
    type Source = MemoryObject;

    async fn open(&self, name: &Name) -> io::Result<MemoryObject> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.by_name.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let is_in = |name: &&Name| name.folder().as_ref() == folder;
        Ok(objects.by_name.keys().filter(is_in).cloned().collect())
    }
}

impl RangeSource for MemoryObject {
    async fn stat(&self) -> io::Result<Stat> {
        let version = Version::new(self.change.to_be_bytes().to_vec());
        Ok(Stat::immutable(self.content.len() as u64, version))
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.end > self.content.len() as u64 || range.start > range.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(self.content.slice(range.start as usize..range.end as usize))
    }
}
