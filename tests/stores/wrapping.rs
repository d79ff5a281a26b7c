//! Stores that wrap stores: limits of operations and of time, and counts.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::storage::{
    AnyStore, CountingStore, Ends, LimitStore, MemoryObject, RangeSource, Source, Stat, Store,
    TimeoutStore,
};
use testkit::Hands;

use super::*;

/// A store whose reads end when they are allowed to.
#[derive(Clone)]
struct Gated {
    objects: MemoryStore,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_open: AtomicBool,
    under_way: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
}

struct GatedObject(MemoryObject, Arc<Gate>);

impl Gated {
    fn new() -> Self {
        Self { objects: store([("object", b"some content".to_vec())]), gate: Arc::default() }
    }

    fn under_way(&self) -> usize {
        self.gate.under_way.load(Ordering::SeqCst)
    }

    fn open_the_gate(&self) {
        self.gate.is_open.store(true, Ordering::SeqCst);
        self.gate.waiting.lock().unwrap().drain(..).for_each(Waker::wake);
    }
}

impl Store for Gated {
    type Source = GatedObject;

    async fn open(&self, name: &Name) -> io::Result<GatedObject> {
        Ok(GatedObject(self.objects.open(name).await?, Arc::clone(&self.gate)))
    }
}

impl RangeSource for GatedObject {
    async fn stat(&self) -> io::Result<Stat> {
        self.0.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        struct UnderWay<'a>(&'a AtomicUsize);

        impl Drop for UnderWay<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }

        self.1.under_way.fetch_add(1, Ordering::SeqCst);
        let _under_way = UnderWay(&self.1.under_way);
        poll_fn(|context| match self.1.is_open.load(Ordering::SeqCst) {
            true => Poll::Ready(()),
            false => {
                self.1.waiting.lock().unwrap().push(context.waker().clone());
                Poll::Pending
            }
        })
        .await;
        self.0.read(range).await
    }
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn opened<S: Store>(store: &S) -> S::Source {
    block_on(store.open(&name("object"))).unwrap()
}

#[test]
fn operations_over_the_limit_wait_and_those_over_the_waiting_limit_fail() {
    let gated = Gated::new();
    let source = opened(&LimitStore::new(gated.clone(), 2).max_waiting(1));
    let mut reads = [0, 1, 2].map(|_| Box::pin(source.read(0..4)));
    assert!(reads.iter_mut().all(|read| poll(read.as_mut()).is_none()));
    assert_eq!(gated.under_way(), 2);
    let refused = poll(pin!(source.read(0..4))).unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ResourceBusy);
    gated.open_the_gate();
    for read in reads {
        assert_eq!(block_on(read).unwrap(), "some");
    }
    assert_eq!(gated.under_way(), 0);
}

#[test]
fn each_range_of_many_counts_against_the_limit() {
    let gated = Gated::new();
    let source = opened(&LimitStore::new(gated.clone(), 3));
    let ranges: Vec<_> = (0..8).map(|at| at..at + 2).collect();
    let mut many = pin!(source.read_many(&ranges));
    assert!(poll(many.as_mut()).is_none());
    let mut other = pin!(source.read(0..4));
    assert!(poll(other.as_mut()).is_none());
    assert_eq!(gated.under_way(), 3);
    gated.open_the_gate();
    let (many, other) = block_on(futures_util::future::join(many, other));
    assert_eq!((many.unwrap().len(), &other.unwrap()[..]), (8, &b"some"[..]));
}

#[test]
fn a_dropped_operation_gives_its_turn_to_the_next() {
    let gated = Gated::new();
    let source = opened(&LimitStore::new(gated.clone(), 1));
    let mut first = Box::pin(source.read(0..4));
    let mut second = Box::pin(source.read(0..4));
    assert!(poll(first.as_mut()).is_none() && poll(second.as_mut()).is_none());
    drop(first);
    gated.open_the_gate();
    assert_eq!(poll(second.as_mut()).unwrap().unwrap(), "some");
}

#[test]
fn an_operation_that_takes_too_long_fails_and_is_dropped() {
    let (gated, hands) = (Gated::new(), Hands::default());
    let timed = TimeoutStore::new(gated.clone(), Duration::from_secs(2)).timer(hands.timer());
    let source = opened(&timed);
    let mut read = Box::pin(source.read(0..4));
    assert!(poll(read.as_mut()).is_none());
    hands.pass(1);
    assert!(poll(read.as_mut()).is_none());
    hands.pass(1);
    let error = poll(read.as_mut()).unwrap().unwrap_err();
    assert_eq!((error.kind(), gated.under_way()), (ErrorKind::TimedOut, 0));
}

#[test]
fn operations_bytes_and_failures_are_counted() {
    let store = CountingStore::new(Gated::new());
    store.clone().counts();
    let source = block_on(store.open_with(&name("object"), Ends::new(4, 0))).unwrap().source;
    assert!(block_on(store.open(&name("missing"))).is_err());
    block_on(store.stat(&name("object"))).unwrap();
    assert!(block_on(store.list(None)).is_err());
    assert!(poll(pin!(source.read(0..4))).is_none());
    let gated = Gated::new();
    gated.open_the_gate();
    let other = CountingStore::new(gated);
    let (first, second) = (opened(&other), opened(&other.clone()));
    block_on(first.read(0..4)).unwrap();
    block_on(second.read_many(&[0..4, 4..12])).unwrap();
    let counts = store.counts();
    assert_eq!((counts.openings, counts.looks, counts.lists), (2, 1, 1));
    assert_eq!((counts.reads, counts.bytes, counts.failures), (1, 0, 2));
    let counts = other.counts();
    assert_eq!((counts.openings, counts.reads, counts.bytes), (2, 2, 16));
}

#[test]
fn the_source_below_is_found_through_stores_around_it() {
    let store = store([("object", b"some content".to_vec())]);
    let limited = TimeoutStore::new(LimitStore::new(store, 1), Duration::from_secs(1));
    let source = Source::new(opened(&AnyStore::new(CountingStore::new(limited))));
    assert!(source.downcast_ref::<MemoryObject>().is_some());
}

#[test]
fn an_origin_serves_from_a_store_behind_limits() {
    let (server, media) = versioned(0x11);
    let objects = store([("film.ism", server), ("film.ismv", media)]);
    let counting = CountingStore::new(objects);
    let limited = LimitStore::new(counting.clone(), 1);
    let origin = Origin::new(TimeoutStore::new(limited, Duration::from_secs(60)));
    let body = get(&origin, FRAGMENT).unwrap();
    assert_eq!(value(&body), Some(0x11));
    assert!(counting.counts().bytes >= body.len() as u64);
}
