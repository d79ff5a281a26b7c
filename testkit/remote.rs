//! A store of which every request is a round trip, and functions that count its requests.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::origin::Timer;
use smooth_origin::storage::{Ends, MemoryObject, MemoryStore, Opening, RangeSource, Stat, Store};

use crate::Hands;

/// A store whose answers take a second each, and whose requests are counted.
#[derive(Clone)]
pub struct Remote {
    pub objects: MemoryStore,
    pub hands: Hands,
    requests: Arc<Requests>,
}

#[derive(Default)]
struct Requests {
    reads: Mutex<Vec<Range<u64>>>,
    /// Looks, listings, and openings without a read.
    others: AtomicU64,
    /// Reads that fail.
    failing: AtomicU64,
    is_slow: AtomicU64,
}

/// An object of a [`Remote`].
pub struct RemoteObject {
    object: MemoryObject,
    remote: Remote,
}

impl Remote {
    pub fn new(objects: MemoryStore) -> Self {
        Self { objects, hands: Hands::default(), requests: Arc::default() }
    }

    async fn delay(&self) {
        if self.requests.is_slow.load(Ordering::SeqCst) > 0 {
            self.hands.timer().sleep(Duration::from_secs(1)).await;
        }
    }

    /// From now on, each request takes a second by [`hands`](Self::hands).
    pub fn slow(&self) {
        self.requests.is_slow.store(1, Ordering::SeqCst);
    }

    /// The next reads fail, so many of them.
    pub fn fail(&self, reads: u64) {
        self.requests.failing.store(reads, Ordering::SeqCst);
    }

    /// Counts from now on.
    pub fn forget(&self) {
        self.reads();
        self.others();
    }

    /// Requests without a read since the last call.
    pub fn others(&self) -> u64 {
        self.requests.others.swap(0, Ordering::SeqCst)
    }

    /// The ranges that were read since the last call.
    pub fn reads(&self) -> Vec<Range<u64>> {
        std::mem::take(&mut *self.requests.reads.lock().unwrap())
    }
}

impl Store for Remote {
    type Source = RemoteObject;

    async fn open(&self, name: &Name) -> io::Result<RemoteObject> {
        self.requests.others.fetch_add(1, Ordering::SeqCst);
        Ok(RemoteObject { object: self.objects.open(name).await?, remote: self.clone() })
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<RemoteObject>> {
        let Ok(object) = self.objects.open(name).await else {
            self.requests.others.fetch_add(1, Ordering::SeqCst);
            self.delay().await;
            return Err(io::ErrorKind::NotFound.into());
        };
        let stat = object.stat().await?;
        let (head, tail) = ends.ranges(stat.size);
        self.requests.reads.lock().unwrap().push(head.clone());
        self.delay().await;
        let (head, tail) = (object.read(head).await?, object.read(tail).await?);
        let source = RemoteObject { object, remote: self.clone() };
        Ok(Opening::new(source, stat).with_ends(Some(head), Some(tail)))
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        self.requests.others.fetch_add(1, Ordering::SeqCst);
        self.objects.stat(name).await
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        self.requests.others.fetch_add(1, Ordering::SeqCst);
        self.objects.list(folder).await
    }
}

impl RangeSource for RemoteObject {
    async fn stat(&self) -> io::Result<Stat> {
        self.object.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let requests = &self.remote.requests;
        requests.reads.lock().unwrap().push(range.clone());
        self.remote.delay().await;
        let fails = |failing: u64| failing.checked_sub(1);
        if requests.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails).is_ok() {
            return Err(io::Error::other("slow down"));
        }
        // Not a part of the object: memory of its own, as a network gives it.
        Ok(Bytes::copy_from_slice(&self.object.read(range).await?))
    }
}

type Asking<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Polls all until all are done. A second passes after each round.
pub fn together<'a, T>(
    remote: &Remote,
    futures: impl IntoIterator<Item = impl Future<Output = T> + 'a>,
) -> Vec<T> {
    let mut futures: Vec<Asking<'a, T>> =
        futures.into_iter().map(|future| Box::pin(future) as _).collect();
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    for _ in 0..20 {
        for (future, done) in futures.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            let context = &mut Context::from_waker(Waker::noop());
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        remote.hands.pass(1);
    }
    done.into_iter().map(|done| done.expect("it ends")).collect()
}
