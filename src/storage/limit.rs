//! A limit on the operations of a store at one time.

use std::any::Any;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::budget::Budget;
use super::wrapping::{Around, Operation, wraps};
use super::{Ends, Opening, Stat};
use crate::base::Name;

/// A store that makes no more than so many operations of another store at one time. Further
/// operations wait for their turn, in order.
///
/// Clones share the limit. An [`Origin`](crate::origin::Origin) has a limit of its own for all its
/// operations ([`max_reads`](crate::origin::OriginBuilder::max_reads)); this one is for a store
/// that needs a lower one, for example one of several [`Mounts`](super::Mounts).
///
/// ```
/// use smooth_origin::storage::{LimitStore, MemoryStore};
/// # let remote = MemoryStore::new();
/// let store = LimitStore::new(remote, 16).max_waiting(100);
/// ```
///
/// A read of several ranges counts as so many operations, because a store may read each by itself;
/// opening an object counts as one. What a host reads from the
/// [underlying](super::RangeSource::underlying) source does not count.
#[derive(Clone, Debug)]
pub struct LimitStore<S> {
    store: S,
    around: Limited,
}

/// A source of a [`LimitStore`].
#[derive(Clone, Debug)]
pub struct LimitSource<S> {
    source: S,
    around: Limited,
}

#[derive(Clone, Debug)]
struct Limited {
    limit: Limit,
    waiting: usize,
}

/// Operations at one time.
#[derive(Clone, Debug)]
pub(crate) struct Limit(Arc<Budget>);

/// Operations that may wait for their turn, if the host does not say.
const WAITING: usize = 1024;

impl Limit {
    /// At least one operation.
    pub(crate) fn new(operations: usize) -> Self {
        Self(Budget::new(operations as u64))
    }

    /// Returns how many operations wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.0.waiting()
    }

    /// Returns how many operations are made now.
    pub(crate) fn used(&self) -> u64 {
        self.0.used()
    }

    /// Returns how many operations may be made at one time.
    pub(crate) fn operations(&self) -> usize {
        usize::try_from(self.0.total()).unwrap_or(usize::MAX)
    }

    /// Runs a call that counts as so many operations, when its turn has come.
    pub(crate) async fn run<T>(&self, operations: usize, call: impl Future<Output = T>) -> T {
        let _share = match self.0.try_take(operations as u64) {
            Some(share) => share,
            None => self.0.take(operations as u64).await,
        };
        call.await
    }
}

impl<S> LimitStore<S> {
    /// Makes at most `operations` of the store's operations at one time; at least 1.
    pub fn new(store: S, operations: usize) -> Self {
        let around = Limited { limit: Limit::new(operations), waiting: WAITING };
        Self { store, around }
    }

    /// Sets the number of operations that may wait for their turn; default 1,024. Further ones fail
    /// with [`io::ErrorKind::ResourceBusy`], for which clients get the status 503.
    #[must_use]
    pub fn max_waiting(mut self, operations: usize) -> Self {
        self.around.waiting = operations;
        self
    }
}

impl Around for Limited {
    async fn run<T, F>(
        &self,
        operation: Operation,
        call: impl Fn() -> F + Send + Sync,
    ) -> io::Result<T>
    where
        T: Send,
        F: Future<Output = io::Result<T>> + Send,
    {
        let operations = operation.requests();
        let budget = &self.limit.0;
        let _share = match budget.try_take(operations as u64) {
            Some(share) => share,
            None if budget.waiting() >= self.waiting => {
                let why = "too many operations wait for the storage";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
            }
            None => budget.take(operations as u64).await,
        };
        call().await
    }

    fn most_ranges(&self) -> usize {
        self.limit.operations()
    }
}

wraps!(LimitStore, LimitSource);
