//! Reads that several requests wait for, each made once.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};

use super::key::Key;

type Reading<E> = Pin<Box<dyn Future<Output = Result<Bytes, E>> + Send>>;

/// The reads in progress. One ends when it is done, or when no request waits for it any more.
#[derive(Debug)]
pub(in crate::origin) struct SharedReads<E>(Arc<Mutex<Reads<E>>>);

#[derive(Debug)]
struct Reads<E> {
    in_progress: HashMap<Key, (u64, WeakShared<Reading<E>>)>,
    next: u64,
}

/// Takes a read out of the list when it ends.
struct Listed<E> {
    reads: SharedReads<E>,
    key: Key,
    number: u64,
}

impl<E: Clone + Send + Sync + 'static> SharedReads<E> {
    /// The result of the read of this key that is in progress; of `read` if there is none. Also returns
    /// whether there was one.
    pub(in crate::origin) fn join(
        &self,
        key: &Key,
        read: impl Future<Output = Result<Bytes, E>> + Send + 'static,
    ) -> (Shared<Reading<E>>, bool) {
        let mut reads = self.locked();
        let joined = reads.in_progress.get(key).and_then(|(_, reading)| reading.upgrade());
        if let Some(reading) = joined {
            return (reading, true);
        }
        let number = reads.next;
        reads.next += 1;
        let listed = Listed { reads: Self(Arc::clone(&self.0)), key: key.clone(), number };
        let reading: Reading<E> = Box::pin(async move {
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
    pub(in crate::origin) fn has(&self, key: &Key) -> bool {
        self.locked().in_progress.contains_key(key)
    }
}

impl<E> SharedReads<E> {
    fn locked(&self) -> MutexGuard<'_, Reads<E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Default for SharedReads<E> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Reads { in_progress: HashMap::new(), next: 0 })))
    }
}

impl<E> Drop for Listed<E> {
    fn drop(&mut self) {
        let mut reads = self.reads.locked();
        // Another read may have begun when the last who waited for this one was gone.
        if reads.in_progress.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            reads.in_progress.remove(&self.key);
        }
    }
}
