//! Reads that several requests wait for, each made once.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};

use super::key::Key;
use crate::base::ReadError;

type Reading = Pin<Box<dyn Future<Output = Result<Bytes, ReadError>> + Send>>;

/// The reads in progress. One ends when it is done, or when no request waits for it any more.
#[derive(Clone, Debug, Default)]
pub(in crate::origin) struct SharedReads(Arc<Mutex<Reads>>);

#[derive(Debug, Default)]
struct Reads {
    in_progress: HashMap<Key, (u64, WeakShared<Reading>)>,
    next: u64,
}

/// Takes a read out of the list when it ends.
struct Listed {
    reads: SharedReads,
    key: Key,
    number: u64,
}

impl SharedReads {
    /// The result of the read of this key that is in progress; of `read` if there is none.
    pub(in crate::origin) fn join(
        &self,
        key: &Key,
        read: impl Future<Output = Result<Bytes, ReadError>> + Send + 'static,
    ) -> Shared<Reading> {
        let mut reads = self.locked();
        let joined = reads.in_progress.get(key).and_then(|(_, reading)| reading.upgrade());
        if let Some(reading) = joined {
            return reading;
        }
        let number = reads.next;
        reads.next += 1;
        let listed = Listed { reads: self.clone(), key: key.clone(), number };
        let reading: Reading = Box::pin(async move {
            let _listed = listed;
            read.await
        });
        let reading = reading.shared();
        if let Some(weak) = reading.downgrade() {
            reads.in_progress.insert(key.clone(), (number, weak));
        }
        reading
    }

    fn locked(&self) -> MutexGuard<'_, Reads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut reads = self.reads.locked();
        // Another read may have begun when the last who waited for this one was gone.
        if reads.in_progress.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            reads.in_progress.remove(&self.key);
        }
    }
}
