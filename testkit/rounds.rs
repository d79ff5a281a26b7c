//! A store in virtual time: each request takes one tick, however many are made at once. So the ticks
//! that an opening takes are its round trips.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::origin::Clock;
use smooth_origin::storage::{Ends, Opening, RangeSource, Stat, Store, Version};

use crate::film::Media;

/// Virtual time, and what was requested in it.
#[derive(Clone, Default)]
pub struct Ticks(Arc<State>);

#[derive(Default)]
struct State {
    now: AtomicU64,
    requests: AtomicU64,
    bytes: AtomicU64,
    waiting: Mutex<Vec<Waker>>,
}

/// What was requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requested {
    /// Round trips: requests that wait for one another.
    pub rounds: u64,
    pub requests: u64,
    pub bytes: u64,
}

impl Ticks {
    /// A clock by which each tick takes `tick`.
    pub fn clock(&self, tick: Duration) -> Clock {
        let ticks = self.clone();
        Clock::new(move || tick * ticks.0.now.load(Ordering::Relaxed) as u32)
    }

    /// Runs a future to its end. A tick passes whenever all of its requests wait.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(done) => return done,
                Poll::Pending if woken.0.swap(false, Ordering::Relaxed) => {}
                Poll::Pending => {
                    self.0.now.fetch_add(1, Ordering::Relaxed);
                    let waiting = std::mem::take(&mut *self.0.waiting.lock().unwrap());
                    assert!(!waiting.is_empty(), "it waits for no request");
                    waiting.into_iter().for_each(Waker::wake);
                }
            }
        }
    }

    /// Returns what was requested so far.
    pub fn requested(&self) -> Requested {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let State { now, requests, bytes, .. } = &*self.0;
        Requested { rounds: count(now), requests: count(requests), bytes: count(bytes) }
    }

    /// Waits for the next tick.
    async fn pass(&self) {
        let end = self.0.now.load(Ordering::Relaxed) + 1;
        poll_fn(|context| {
            if self.0.now.load(Ordering::Relaxed) >= end {
                return Poll::Ready(());
            }
            self.0.waiting.lock().unwrap().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn requests(&self, bytes: &[usize]) {
        self.0.requests.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes.iter().sum::<usize>() as u64, Ordering::Relaxed);
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The content of an object.
#[derive(Clone)]
pub enum Content {
    Bytes(Vec<u8>),
    /// A media file whose samples take no memory.
    Media(Arc<Media>),
}

impl Content {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Media(media) => media.len,
        }
    }

    fn read(&self, range: Range<u64>) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes[range.start as usize..range.end as usize].to_vec(),
            Self::Media(media) => media.read(range),
        }
    }
}

/// A store like one of objects behind a network.
#[derive(Clone)]
pub struct RoundsStore {
    objects: Arc<BTreeMap<Name, Content>>,
    ticks: Ticks,
    version: &'static str,
    has_tails: bool,
}

impl RoundsStore {
    pub fn new(objects: impl IntoIterator<Item = (Name, Content)>, ticks: &Ticks) -> Self {
        let objects = Arc::new(objects.into_iter().collect());
        Self { objects, ticks: ticks.clone(), version: "1", has_tails: true }
    }

    /// Reads no end of an object of unknown size.
    pub fn without_tails(self) -> Self {
        Self { has_tails: false, ..self }
    }

    /// Gives all objects another version.
    pub fn version(self, version: &'static str) -> Self {
        Self { version, ..self }
    }
}

/// An object of a [`RoundsStore`].
pub struct RoundsObject {
    content: Content,
    ticks: Ticks,
    version: &'static str,
}

impl Store for RoundsStore {
    type Source = RoundsObject;

    async fn open(&self, name: &Name) -> io::Result<RoundsObject> {
        Ok(self.open_with(name, Ends::default()).await?.source)
    }

    /// The head and the tail are two requests, made at once.
    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<RoundsObject>> {
        self.ticks.pass().await;
        let content = self.objects.get(name).cloned().ok_or(io::ErrorKind::NotFound);
        let Ok(content) = content else {
            self.ticks.requests(&[0]);
            return Err(io::ErrorKind::NotFound.into());
        };
        let (head, tail) = ends.ranges(content.len());
        let head = content.read(head);
        let tail = (self.has_tails || tail.is_empty()).then(|| content.read(tail));
        match tail.as_ref().map_or(0, Vec::len) {
            0 => self.ticks.requests(&[head.len()]),
            tail => self.ticks.requests(&[head.len(), tail]),
        }
        let source = RoundsObject { content, ticks: self.ticks.clone(), version: self.version };
        let stat = source.now();
        Ok(Opening::new(source, stat).with_ends(Some(head.into()), tail.map(Bytes::from)))
    }
}

impl RoundsObject {
    fn now(&self) -> Stat {
        Stat::immutable(self.content.len(), Version::new(self.version))
    }
}

impl RangeSource for RoundsObject {
    async fn stat(&self) -> io::Result<Stat> {
        self.ticks.requests(&[0]);
        self.ticks.pass().await;
        Ok(self.now())
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.start > range.end || range.end > self.content.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.ticks.pass().await;
        let bytes = self.content.read(range);
        self.ticks.requests(&[bytes.len()]);
        Ok(bytes.into())
    }

    /// All ranges at once, each by a request.
    async fn read_many(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        if ranges.iter().any(|range| range.end > self.content.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.ticks.pass().await;
        let read = |range: &Range<u64>| {
            let bytes = self.content.read(range.clone());
            self.ticks.requests(&[bytes.len()]);
            bytes.into()
        };
        Ok(ranges.iter().map(read).collect())
    }
}
