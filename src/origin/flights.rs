//! Reads that several wait for, made once.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};

use super::fragment_cache::Key;
use crate::base::ReadError;

type Reading = Pin<Box<dyn Future<Output = Result<Bytes, ReadError>> + Send>>;

/// The reads that are under way. One ends when it is done, or nobody waits for it any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights(Arc<Mutex<Reads>>);

#[derive(Debug, Default)]
struct Reads {
    under_way: HashMap<Key, (u64, WeakShared<Reading>)>,
    next: u64,
}

/// Takes a read out of the list when it ends.
struct Landing {
    flights: Flights,
    key: Key,
    number: u64,
}

impl Flights {
    /// What is read, by this future or by one that is under way already.
    pub(super) fn join(
        &self,
        key: &Key,
        read: impl Future<Output = Result<Bytes, ReadError>> + Send + 'static,
    ) -> Shared<Reading> {
        let mut reads = self.reads();
        let joined = reads.under_way.get(key).and_then(|(_, reading)| reading.upgrade());
        if let Some(reading) = joined {
            return reading;
        }
        let number = reads.next;
        reads.next += 1;
        let landing = Landing { flights: self.clone(), key: key.clone(), number };
        let reading: Reading = Box::pin(async move {
            let _landing = landing;
            read.await
        });
        let reading = reading.shared();
        if let Some(weak) = reading.downgrade() {
            reads.under_way.insert(key.clone(), (number, weak));
        }
        reading
    }

    fn reads(&self) -> MutexGuard<'_, Reads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut reads = self.flights.reads();
        // Another read may have begun when the last who waited for this one was gone.
        if reads.under_way.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            reads.under_way.remove(&self.key);
        }
    }
}
