//! Fragments that are read before a client requests them.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;

use super::key::Key;
use crate::storage::budget::{Budget, Share};

/// A read that no client waits for, to be run by the host.
pub(in crate::origin) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Number of fragments that are read ahead, and the host's function that runs the reads.
#[derive(Clone)]
pub(in crate::origin) struct AheadOptions {
    pub(in crate::origin) fragments: usize,
    pub(in crate::origin) run: Arc<dyn Fn(Task) + Send + Sync>,
}

/// The reads ahead of the clients.
pub(in crate::origin) struct ReadAhead {
    options: AheadOptions,
    at_once: Arc<Budget>,
    bytes: Arc<Budget>,
    /// Fragments that are being read, and whether a request waits for them by now.
    reading: Mutex<HashMap<Key, bool>>,
    /// Fragments that were read, if no cache in memory shows which.
    recent: Option<Cache<Key, ()>>,
    reads: AtomicU64,
    joined: AtomicU64,
}

/// A place among the reads for one fragment.
pub(in crate::origin) struct Place {
    ahead: Arc<ReadAhead>,
    key: Key,
    _shares: [Share; 2],
}

/// Most reads at once.
const AT_ONCE: u64 = 16;

/// Divisor of the number of operations of the store: reads ahead are no more than such a part.
const OPERATIONS: u64 = 4;

/// Divisor of the memory that the fragments go to: those that are being read take such a part.
const BYTES: u64 = 8;

/// Number of fragments that are remembered.
const RECENT: usize = 4096;

/// Most fragments of one track that are read after a request.
const MOST: usize = 64;

impl ReadAhead {
    /// Reads within so many operations of the store. Fragments go to a cache in memory of `cache` bytes,
    /// or, if that is 0, to one on disk, by way of `bodies` bytes.
    pub(super) fn new(options: AheadOptions, operations: u64, cache: u64, bodies: u64) -> Self {
        let bytes = if cache > 0 { cache.min(bodies) } else { bodies };
        Self {
            options,
            at_once: Budget::new((operations / OPERATIONS).clamp(1, AT_ONCE)),
            bytes: Budget::new(bytes / BYTES),
            reading: Mutex::default(),
            recent: (cache == 0).then(|| Cache::new(RECENT)),
            reads: AtomicU64::new(0),
            joined: AtomicU64::new(0),
        }
    }

    /// Number of reads that have begun.
    pub(in crate::origin) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Number of reads that a request waited for before they ended.
    pub(in crate::origin) fn joined(&self) -> u64 {
        self.joined.load(Ordering::Relaxed)
    }

    /// Takes note of a request that waits for a read.
    pub(super) fn join(&self, key: &Key) {
        if let Some(is_used) = self.reading().get_mut(key)
            && !std::mem::replace(is_used, true)
        {
            self.joined.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many fragments are read after one that was answered.
    pub(in crate::origin) fn fragments(&self) -> usize {
        self.options.fragments.min(MOST)
    }

    /// Takes a place for a fragment; `None` if there is none, or if the fragment is being read, or was
    /// read a short time ago and no cache in memory shows that.
    pub(in crate::origin) fn take(self: &Arc<Self>, key: Key) -> Option<Place> {
        if self.recent.as_ref().is_some_and(|recent| recent.peek(&key).is_some()) {
            return None;
        }
        let shares = [self.at_once.try_take(1)?, self.bytes.try_take(key.len())?];
        let mut reading = self.reading();
        if reading.contains_key(&key) {
            return None;
        }
        reading.insert(key.clone(), false);
        Some(Place { ahead: Arc::clone(self), key, _shares: shares })
    }

    /// Gives a read to the host.
    pub(in crate::origin) fn run(&self, read: Task) {
        self.reads.fetch_add(1, Ordering::Relaxed);
        (self.options.run)(read);
    }

    fn reading(&self) -> MutexGuard<'_, HashMap<Key, bool>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Returns whether no request waits for the read.
    pub(in crate::origin) fn is_unused(&self) -> bool {
        self.ahead.reading().get(&self.key) != Some(&true)
    }

    /// Remembers that the fragment was read.
    pub(in crate::origin) fn done(&self) {
        if let Some(recent) = &self.ahead.recent {
            recent.insert(self.key.clone(), ());
        }
    }
}

/// Also if the host drops the task.
impl Drop for Place {
    fn drop(&mut self) {
        self.ahead.reading().remove(&self.key);
    }
}

impl fmt::Debug for ReadAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fragments = self.options.fragments;
        f.debug_struct("ReadAhead").field("fragments", &fragments).finish_non_exhaustive()
    }
}
