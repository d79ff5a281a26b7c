//! A store whose reads fail when a test says so.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::storage::{MemoryObject, MemoryStore, RangeSource, Stat, Store};

/// The store. Clones are sick together.
#[derive(Clone)]
pub struct SickStore {
    objects: MemoryStore,
    is_sick: Arc<AtomicBool>,
}

pub struct SickSource(MemoryObject, Arc<AtomicBool>);

impl SickStore {
    /// A healthy store of these objects.
    pub fn new(objects: MemoryStore) -> Self {
        Self { objects, is_sick: Arc::default() }
    }

    /// Makes all reads fail from now on, or no longer.
    pub fn set_sick(&self, is_sick: bool) {
        self.is_sick.store(is_sick, Ordering::Relaxed);
    }
}

impl Store for SickStore {
    type Source = SickSource;

    async fn open(&self, name: &Name) -> io::Result<SickSource> {
        Ok(SickSource(self.objects.open(name).await?, Arc::clone(&self.is_sick)))
    }
}

impl RangeSource for SickSource {
    async fn stat(&self) -> io::Result<Stat> {
        self.0.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        match self.1.load(Ordering::Relaxed) {
            true => Err(io::Error::other("the disk is sick")),
            false => self.0.read(range).await,
        }
    }
}
