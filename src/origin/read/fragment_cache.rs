//! Fragments that clients request often, in memory.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::access::{Access, timed_out};
use super::key::Key;
use super::lent::{Lent, WeakLent};
use super::shared_reads::SharedReads;
use crate::base::ReadError;
use crate::origin::FragmentCacheStats;
use crate::origin::weighted::weighted;
use crate::storage::budget::{Budget, Share};

/// Fragments by weight. A fragment that was requested once goes before one that was requested again:
/// a client that takes one film from end to end does not drive out the film that many watch.
#[derive(Debug)]
pub(in crate::origin) struct FragmentCache {
    entries: Cache<Key, Arc<Kept>, ByLength>,
    pub(super) reads: SharedReads<Key, Bytes, ReadError>,
    bodies: Arc<Budget>,
    hits: AtomicU64,
    misses: AtomicU64,
    /// Answers from fragments that were read ahead.
    used_ahead: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    bytes: Bytes,
    /// The bytes in use, while a body sends them. They stay in memory until the last has sent them, even
    /// if the cache drops them.
    lent: Mutex<WeakLent>,
    /// Set until the first answer, if it was read ahead of its requests.
    is_ahead: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct ByLength;

/// Bytes that an entry takes in addition to those of its fragment.
const ENTRY: u64 = 256;

/// Length of a usual fragment, for a first guess at the number of entries.
const USUAL: u64 = 256 << 10;

impl Weighter<Key, Arc<Kept>> for ByLength {
    fn weight(&self, _: &Key, kept: &Arc<Kept>) -> u64 {
        kept.bytes.len() as u64 + ENTRY
    }
}

impl FragmentCache {
    /// A cache of so many bytes.
    pub(in crate::origin) fn new(bytes: u64, bodies: Arc<Budget>) -> Self {
        let entries = weighted(bytes, USUAL, true, ByLength);
        let (hits, misses, used_ahead) = Default::default();
        Self { entries, reads: SharedReads::default(), bodies, hits, misses, used_ahead }
    }

    pub(in crate::origin) fn stats(&self) -> FragmentCacheStats {
        FragmentCacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            fragments: self.entries.len() as u64,
            bytes: self.entries.weight(),
        }
    }

    /// The number of fragments that were read ahead and requested afterwards.
    pub(in crate::origin) fn used_ahead(&self) -> u64 {
        self.used_ahead.load(Ordering::Relaxed)
    }

    /// Returns whether the bytes are in the cache. That is no use of them.
    pub(in crate::origin) fn has(&self, key: &Key) -> bool {
        self.entries.peek(key).is_some()
    }

    /// The bytes, if they are in the cache. The caller counts the answer.
    pub(in crate::origin) fn find(&self, key: &Key) -> Option<Bytes> {
        let kept = self.entries.get(key)?;
        self.count_use(&kept.is_ahead);
        Some(kept.lend(|| self.bodies.take_anyway(key.len())).bytes())
    }

    /// Counts an answer whose bytes were in the cache.
    pub(in crate::origin) fn count_hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer whose bytes had to be read.
    pub(in crate::origin) fn count_miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a use of bytes that may have been read ahead.
    fn count_use(&self, is_ahead: &AtomicBool) {
        if is_ahead.load(Ordering::Relaxed) && is_ahead.swap(false, Ordering::Relaxed) {
            self.used_ahead.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Keeps bytes that were read already: a copy, because these may be a few of many that were read
    /// together.
    pub(in crate::origin) fn put(&self, key: Key, bytes: &Bytes) {
        if !self.has(&key) {
            let kept = Kept::new(Bytes::copy_from_slice(bytes), false);
            self.entries.insert(key, Arc::new(kept));
        }
    }

    /// Keeps the beginning of bytes that were read as a whole, as many as the key has. `is_ahead` if no
    /// request has asked for them yet.
    pub(in crate::origin) fn keep(&self, key: Key, lent: &Lent, is_ahead: bool) {
        if self.has(&key) {
            return;
        }
        let bytes = lent.kept();
        let len = usize::try_from(key.len()).unwrap_or(usize::MAX);
        let kept = match bytes.get(..len) {
            Some(_) if len == bytes.len() => Kept::of(lent, is_ahead),
            Some(beginning) => Kept::new(Bytes::copy_from_slice(beginning), is_ahead),
            None => return,
        };
        self.entries.insert(key, Arc::new(kept));
    }

    /// The bytes, read by `read` and kept: once, however many requests want them at a time.
    pub(in crate::origin) async fn read<E: From<ReadError>>(
        &self,
        key: &Key,
        access: &Access,
        read: impl Future<Output = Result<Lent, E>>,
    ) -> Result<Bytes, E> {
        let turn = access.within(self.entries.get_value_or_guard_async(key)).await;
        match turn.ok_or_else(timed_out)? {
            Ok(kept) => {
                self.count_use(&kept.is_ahead);
                Ok(kept.lend(|| self.bodies.take_anyway(key.len())).bytes())
            }
            Err(turn) => {
                let lent = read.await?;
                // It may have grown too old to be kept: then it is only sent.
                let _ = turn.insert(Arc::new(Kept::of(&lent, false)));
                Ok(lent.bytes())
            }
        }
    }
}

impl Kept {
    fn new(bytes: Bytes, is_ahead: bool) -> Self {
        Self { bytes, lent: Mutex::default(), is_ahead: is_ahead.into() }
    }

    /// Keeps bytes that are in use.
    fn of(lent: &Lent, is_ahead: bool) -> Self {
        let in_use = Mutex::new(lent.downgrade());
        Self { bytes: lent.kept().clone(), lent: in_use, is_ahead: is_ahead.into() }
    }

    /// The bytes for a body; they count as `share` while any body has them.
    fn lend(&self, share: impl FnOnce() -> Share) -> Lent {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(in_use) = lent.upgrade() {
            return in_use;
        }
        let new = Lent::new(self.bytes.clone(), share());
        *lent = new.downgrade();
        new
    }
}
