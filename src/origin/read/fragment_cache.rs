//! Fragments that clients request often, in memory.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::access::{Access, timed_out};
use super::key::Key;
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
    pub(super) reads: SharedReads<ReadError>,
    bodies: Arc<Budget>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    bytes: Bytes,
    /// The bytes in use, while a body sends them.
    lent: Mutex<Weak<Lent>>,
}

/// Bytes in use. They count once, however many bodies send them. They stay in memory until the last
/// has sent them, even if the cache drops them.
#[derive(Debug)]
struct Lent {
    bytes: Bytes,
    _share: Share,
}

struct LentTo(Arc<Lent>);

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
        let (hits, misses) = Default::default();
        Self { entries, reads: SharedReads::default(), bodies, hits, misses }
    }

    pub(in crate::origin) fn stats(&self) -> FragmentCacheStats {
        FragmentCacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            fragments: self.entries.len() as u64,
            bytes: self.entries.weight(),
        }
    }

    /// The bytes, if they are in the cache. Each call counts as a hit or a miss.
    pub(in crate::origin) fn get(&self, key: &Key) -> Option<Bytes> {
        let kept = self.entries.get(key);
        let counter = if kept.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        Some(kept?.lend(|| self.bodies.take_anyway(key.len())))
    }

    /// Keeps bytes that were read already.
    pub(in crate::origin) fn put(&self, key: Key, bytes: &Bytes) {
        // A copy: these may be a few of many that were read together.
        let kept = Kept::new(Bytes::copy_from_slice(bytes));
        self.entries.insert(key, Arc::new(kept));
    }

    /// The bytes, read by `read` and kept: once, however many requests want them at a time.
    pub(in crate::origin) async fn read<E: From<ReadError>>(
        &self,
        key: &Key,
        access: &Access,
        read: impl Future<Output = Result<(Bytes, Share), E>>,
    ) -> Result<Bytes, E> {
        let turn = access.within(self.entries.get_value_or_guard_async(key)).await;
        match turn.ok_or_else(timed_out)? {
            Ok(kept) => Ok(kept.lend(|| self.bodies.take_anyway(key.len()))),
            Err(turn) => {
                let (bytes, share) = read.await?;
                let kept = Arc::new(Kept::new(bytes));
                let lent = kept.lend(|| share);
                // It may have grown too old to be kept: then it is only sent.
                let _ = turn.insert(kept);
                Ok(lent)
            }
        }
    }
}

impl Kept {
    fn new(bytes: Bytes) -> Self {
        Self { bytes, lent: Mutex::default() }
    }

    /// The bytes for a body; they count as `share` while any body has them.
    fn lend(&self, share: impl FnOnce() -> Share) -> Bytes {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = lent.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Lent { bytes: self.bytes.clone(), _share: share() });
            *lent = Arc::downgrade(&new);
            new
        });
        Bytes::from_owner(LentTo(bytes))
    }
}

impl AsRef<[u8]> for LentTo {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}
