//! Fragments that are asked for often, in memory.

use std::future::Future;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::access::{Access, timed_out};
use super::flights::Flights;
use crate::base::{FileId, ReadError};
use crate::storage::budget::{Budget, Share};

/// What lies where: bytes of a file as it was in one opening.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) opening: u64,
    pub(super) file: FileId,
    pub(super) range: Range<u64>,
}

/// What a cache of fragments holds, and how often it had what was asked for.
///
/// ```
/// # fn example(origin: &smooth_origin::Origin) {
/// let stats = origin.fragment_cache();
/// println!("{} of {} fragments came from memory", stats.hits, stats.hits + stats.misses);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FragmentCacheStats {
    /// Answers whose bytes were there.
    pub hits: u64,
    /// Answers whose bytes had to be read.
    pub misses: u64,
    /// Fragments in the cache.
    pub fragments: u64,
    /// Bytes that they take.
    pub bytes: u64,
}

/// Fragments by weight. What is asked for once goes before what is asked for again: a reader that
/// takes one film from end to end does not drive out what many watch.
#[derive(Debug)]
pub(super) struct FragmentCache {
    entries: Cache<Key, Arc<Kept>, ByLength>,
    pub(super) flights: Flights,
    bodies: Arc<Budget>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    bytes: Bytes,
    /// While anyone sends it.
    lent: Mutex<Weak<Lent>>,
}

/// Bytes in use. They count once, however many send them: when the cache drops them meanwhile, they
/// are still in memory.
#[derive(Debug)]
struct Lent {
    bytes: Bytes,
    _share: Share,
}

struct LentTo(Arc<Lent>);

#[derive(Clone, Copy, Debug)]
struct ByLength;

/// What an entry takes beside its bytes.
const ENTRY: u64 = 256;

/// One part: a long fragment is kept as long as it fits into the whole.
const SHARDS: usize = 1;

/// A usual fragment, for a first guess at how many there will be.
const USUAL: u64 = 256 << 10;

impl Weighter<Key, Arc<Kept>> for ByLength {
    fn weight(&self, _: &Key, kept: &Arc<Kept>) -> u64 {
        kept.bytes.len() as u64 + ENTRY
    }
}

impl FragmentCache {
    /// Of so many bytes.
    pub(super) fn new(bytes: u64, bodies: Arc<Budget>) -> Self {
        let usual = usize::try_from(bytes / USUAL).unwrap_or(1).max(1);
        let sizes = OptionsBuilder::new()
            .weight_capacity(bytes)
            .estimated_items_capacity(usual)
            .shards(SHARDS)
            .build();
        let entries = match sizes {
            Ok(sizes) => {
                let (hasher, lifecycle) =
                    (DefaultHashBuilder::default(), DefaultLifecycle::default());
                Cache::with_options(sizes, ByLength, hasher, lifecycle)
            }
            // All sizes are given above; without them the library's own do as well.
            Err(_) => Cache::with_weighter(usual, bytes, ByLength),
        };
        let (hits, misses) = Default::default();
        Self { entries, flights: Flights::default(), bodies, hits, misses }
    }

    pub(super) fn stats(&self) -> FragmentCacheStats {
        FragmentCacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            fragments: self.entries.len() as u64,
            bytes: self.entries.weight(),
        }
    }

    /// The bytes, if they are here. Each call counts as a hit or a miss.
    pub(super) fn get(&self, key: &Key) -> Option<Bytes> {
        let kept = self.entries.get(key);
        let counter = if kept.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        Some(kept?.lend(|| self.bodies.take_anyway(bytes_of(key))))
    }

    /// Keeps bytes that were read already.
    pub(super) fn put(&self, key: Key, bytes: &Bytes) {
        // A copy: these may be a few of many that were read together.
        let kept = Kept::new(Bytes::copy_from_slice(bytes));
        self.entries.insert(key, Arc::new(kept));
    }

    /// The bytes, read by `read` and kept: once, however many ask for them at a time.
    pub(super) async fn read<E: From<ReadError>>(
        &self,
        key: &Key,
        access: &Access,
        read: impl Future<Output = Result<(Bytes, Share), E>>,
    ) -> Result<Bytes, E> {
        let turn = access.within(self.entries.get_value_or_guard_async(key)).await;
        match turn.ok_or_else(timed_out)? {
            Ok(kept) => Ok(kept.lend(|| self.bodies.take_anyway(bytes_of(key)))),
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

fn bytes_of(key: &Key) -> u64 {
    key.range.end - key.range.start
}

impl Kept {
    fn new(bytes: Bytes) -> Self {
        Self { bytes, lent: Mutex::default() }
    }

    /// The bytes for one who sends them; `share` is what they count as while anyone does.
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
