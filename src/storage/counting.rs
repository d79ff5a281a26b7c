//! Counts of the operations of a store.

use std::any::Any;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::wrapping::{Around, Operation, wraps};
use super::{Ends, Opening, Stat};
use crate::base::Name;

/// A store that counts the operations of another store, and the bytes that they give.
///
/// Clones share the counts, so a host keeps a clone to read them.
///
/// ```
/// # use smooth_origin::origin::block_on;
/// use smooth_origin::origin::Origin;
/// use smooth_origin::storage::{CountingStore, MemoryStore};
/// let store = CountingStore::new(MemoryStore::new());
/// let origin = Origin::new(store.clone());
/// # let _ = block_on(origin.answer("/film.ism/Manifest"));
/// println!("{} bytes read", store.counts().bytes);
/// # assert!(store.counts().openings > 0);
/// ```
///
/// Reads that a host makes from the [underlying](super::RangeSource::underlying) source are not
/// counted.
#[derive(Clone, Debug, Default)]
pub struct CountingStore<S> {
    store: S,
    around: Counters,
}

/// A source of a [`CountingStore`].
#[derive(Clone, Debug)]
pub struct CountingSource<S> {
    source: S,
    around: Counters,
}

/// The operations of a store since it was wrapped in a [`CountingStore`].
///
/// ```
/// use smooth_origin::storage::StoreCounts;
///
/// fn bytes_per_read(before: &StoreCounts, now: &StoreCounts) -> Option<u64> {
///     (now.bytes - before.bytes).checked_div(now.reads - before.reads)
/// }
/// # assert_eq!(bytes_per_read(&StoreCounts::default(), &StoreCounts::default()), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreCounts {
    /// Objects that were opened.
    pub openings: u64,
    /// Looks at the version or the stored name of an object.
    pub looks: u64,
    /// Folders that were listed.
    pub lists: u64,
    /// Reads; one of several ranges counts once.
    pub reads: u64,
    /// Bytes that were read, by reads and by openings.
    pub bytes: u64,
    /// Operations that failed. An operation of which the origin gave up is not among them.
    pub failures: u64,
}

#[derive(Clone, Debug, Default)]
struct Counters(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    openings: AtomicU64,
    looks: AtomicU64,
    lists: AtomicU64,
    reads: AtomicU64,
    bytes: AtomicU64,
    failures: AtomicU64,
}

impl<S> CountingStore<S> {
    /// Counts from zero on.
    pub fn new(store: S) -> Self {
        Self { store, around: Counters::default() }
    }

    /// Returns the counts. Operations are counted when they begin, bytes and failures when they
    /// end.
    pub fn counts(&self) -> StoreCounts {
        let Counts { openings, looks, lists, reads, bytes, failures } = &*self.around.0;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StoreCounts {
            openings: count(openings),
            looks: count(looks),
            lists: count(lists),
            reads: count(reads),
            bytes: count(bytes),
            failures: count(failures),
        }
    }
}

impl Around for Counters {
    async fn run<T, F>(
        &self,
        operation: Operation,
        call: impl Fn() -> F + Send + Sync,
    ) -> io::Result<T>
    where
        T: Send,
        F: Future<Output = io::Result<T>> + Send,
    {
        let counter = match operation {
            Operation::Open { .. } => &self.0.openings,
            Operation::Look => &self.0.looks,
            Operation::List => &self.0.lists,
            Operation::Read { .. } => &self.0.reads,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let done = call().await;
        if done.is_err() {
            self.0.failures.fetch_add(1, Ordering::Relaxed);
        }
        done
    }

    fn gave(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

wraps!(CountingStore, CountingSource);
