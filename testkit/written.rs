//! A store whose objects are written to in place, or replaced as by rename, and have an age.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::storage::{Age, ChangedError, RangeSource, Stat, Store, Version};

use crate::{Hands, name};

/// The store. Clones share their objects.
#[derive(Clone)]
pub struct WrittenStore(Arc<Inner>);

struct Inner {
    hands: Hands,
    objects: Mutex<HashMap<Name, Object>>,
    versions: Mutex<u64>,
    /// True if the times of its objects are unusable: in the future, or missing.
    has_no_times: AtomicBool,
}

/// An object, which may have several names.
type Object = Arc<Mutex<Content>>;

struct Content {
    bytes: Bytes,
    version: u64,
    changed: u64,
}

pub struct WrittenSource {
    object: Object,
    store: WrittenStore,
    opened: u64,
}

impl WrittenStore {
    /// Makes a store that uses the clock of these hands.
    pub fn new(hands: &Hands) -> Self {
        let (objects, versions) = (Mutex::default(), Mutex::default());
        let (hands, has_no_times) = (hands.clone(), AtomicBool::new(false));
        Self(Arc::new(Inner { hands, objects, versions, has_no_times }))
    }

    /// Replaces an object as by rename: open sources keep the old one.
    pub fn replace(&self, object: &str, bytes: impl Into<Bytes>) {
        let content = Arc::new(Mutex::new(self.content(bytes.into())));
        self.0.objects.lock().unwrap().insert(name(object), content);
    }

    /// Rewrites an object in place: open sources see the change.
    pub fn rewrite(&self, object: &str, bytes: impl Into<Bytes>) {
        let content = self.content(bytes.into());
        *self.0.objects.lock().unwrap()[&name(object)].lock().unwrap() = content;
    }

    pub fn lose_times(&self) {
        self.0.has_no_times.store(true, Ordering::Relaxed);
    }

    fn content(&self, bytes: Bytes) -> Content {
        let mut versions = self.0.versions.lock().unwrap();
        *versions += 1;
        Content { bytes, version: *versions, changed: self.0.hands.seconds() }
    }

    fn age(&self, content: &Content) -> Age {
        match self.0.has_no_times.load(Ordering::Relaxed) {
            true => Age::default(),
            false => Age::at_least(Duration::from_secs(self.0.hands.seconds() - content.changed)),
        }
    }
}

impl Store for WrittenStore {
    type Source = WrittenSource;

    async fn open(&self, name: &Name) -> io::Result<WrittenSource> {
        let objects = self.0.objects.lock().unwrap();
        let object = objects.get(name).ok_or(io::ErrorKind::NotFound)?.clone();
        let opened = object.lock().unwrap().version;
        Ok(WrittenSource { object, store: self.clone(), opened })
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        let objects = self.0.objects.lock().unwrap();
        let is_in = |name: &&Name| name.folder().as_ref() == folder;
        Ok(objects.keys().filter(is_in).cloned().collect())
    }
}

impl RangeSource for WrittenSource {
    async fn stat(&self) -> io::Result<Stat> {
        let content = self.object.lock().unwrap();
        if content.version != self.opened {
            return Err(ChangedError.into());
        }
        let version = Version::new(content.version.to_be_bytes().to_vec());
        Ok(Stat::mutable(content.bytes.len() as u64, version, self.store.age(&content)))
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let content = self.object.lock().unwrap();
        if content.version != self.opened {
            return Err(ChangedError.into());
        }
        if range.end > content.bytes.len() as u64 || range.start > range.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(content.bytes.slice(range.start as usize..range.end as usize))
    }
}
