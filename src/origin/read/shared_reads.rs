//! Reads that several requests wait for, each made once.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};

type Reading<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// The reads in progress, by what is read: each gives a `T`. One ends when it is done, or when no
/// request waits for it any more.
#[derive(Debug)]
pub(in crate::origin) struct SharedReads<K: Eq + Hash, T, E>(Arc<Mutex<Reads<K, T, E>>>);

#[derive(Debug)]
struct Reads<K, T, E> {
    in_progress: HashMap<K, (u64, WeakShared<Reading<T, E>>)>,
    next: u64,
}

/// Takes a read out of the list when it ends.
struct Listed<K: Eq + Hash, T, E> {
    reads: SharedReads<K, T, E>,
    key: K,
    number: u64,
}

impl<K, T, E> SharedReads<K, T, E>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    /// The result of the read of this key that is in progress; of `read` if there is none. Also returns
    /// whether there was one.
    pub(in crate::origin) fn join(
        &self,
        key: &K,
        read: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> (Shared<Reading<T, E>>, bool) {
        let mut reads = self.locked();
        let joined = reads.in_progress.get(key).and_then(|(_, reading)| reading.upgrade());
        if let Some(reading) = joined {
            return (reading, true);
        }
        let number = reads.next;
        reads.next += 1;
        let listed = Listed { reads: Self(Arc::clone(&self.0)), key: key.clone(), number };
        let reading: Reading<T, E> = Box::pin(async move {
            let _listed = listed;
            read.await
        });
        let reading = reading.shared();
        if let Some(weak) = reading.downgrade() {
            reads.in_progress.insert(key.clone(), (number, weak));
        }
        (reading, false)
    }

    /// Returns whether a read of this key is in progress.
    pub(in crate::origin) fn has(&self, key: &K) -> bool {
        self.locked().in_progress.contains_key(key)
    }
}

impl<K: Eq + Hash, T, E> SharedReads<K, T, E> {
    fn locked(&self) -> MutexGuard<'_, Reads<K, T, E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, T, E> Default for SharedReads<K, T, E> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Reads { in_progress: HashMap::new(), next: 0 })))
    }
}

impl<K: Eq + Hash, T, E> Drop for Listed<K, T, E> {
    fn drop(&mut self) {
        let mut reads = self.reads.locked();
        // Another read may have begun when the last who waited for this one was gone.
        if reads.in_progress.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            reads.in_progress.remove(&self.key);
        }
    }
}
