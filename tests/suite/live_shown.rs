//! Manifests of a live event with an archive: they list nothing that the end of the process could take back.

use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use smooth_origin::Name;
use smooth_origin::live::{PointOptions, PointState};
use smooth_origin::origin::{LiveOptions, LivePoint, LivePoints, Push, block_on};
use smooth_origin::storage::{Archive, MemoryArchive, Source};

use super::live_archive::{CHUNKS, Encoder, Process, encoders_of, fragments};

/// An archive that hangs, or fails, when it has taken so many bytes.
#[derive(Clone)]
struct Hangs {
    archive: MemoryArchive,
    left: Arc<AtomicU64>,
    fails: Arc<AtomicBool>,
}

impl Hangs {
    fn after(bytes: u64) -> Self {
        let left = Arc::new(AtomicU64::new(bytes));
        Self { archive: MemoryArchive::new(), left, fails: Arc::default() }
    }

    fn never() -> Self {
        Self::after(u64::MAX / 2)
    }

    fn take(&self, bytes: u64) {
        self.left.store(bytes, Ordering::Relaxed);
    }

    /// Waits until it takes something, and returns how much of it.
    async fn spend(&self, wanted: usize) -> io::Result<usize> {
        let left = poll_fn(|_| match self.left.load(Ordering::Relaxed) {
            0 if self.fails.load(Ordering::Relaxed) => {
                Poll::Ready(Err(io::ErrorKind::StorageFull.into()))
            }
            0 => Poll::Pending,
            left => Poll::Ready(io::Result::Ok(left)),
        });
        let spent = left.await?.min(wanted as u64);
        self.left.fetch_sub(spent, Ordering::Relaxed);
        Ok(spent as usize)
    }
}

impl Archive for Hangs {
    async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
        let spent = self.spend(bytes.len().max(1)).await?.min(bytes.len());
        self.archive.append(name, offset, bytes.slice(..spent)).await?;
        if spent < bytes.len() { pending().await } else { Ok(()) }
    }

    async fn finish(&self, name: &Name) -> io::Result<()> {
        self.archive.finish(name).await
    }

    async fn open(&self, name: &Name) -> io::Result<Source> {
        self.archive.open(name).await
    }

    async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
        let (wanted, spent) = (content.len(), self.spend(content.len()).await?);
        if spent < wanted { pending().await } else { self.archive.put(name, content).await }
    }
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn begin(archive: impl Archive) -> Process {
    Process::with(archive, PointOptions::default()).unwrap()
}

/// Starts of the chunks that players are told of.
fn listed(point: &LivePoint) -> Vec<u64> {
    let Some(presentation) = point.presentation() else { return Vec::new() };
    presentation.streams()[0].timeline().iter().map(|(start, _)| start).collect()
}

fn video() -> Encoder {
    let [video, _] = encoders_of(200);
    video
}

/// An event of the first six fragments, in a push that goes on: four of them are listed.
fn event(archive: &Hangs) -> (Process, Push, Encoder) {
    let (process, video) = (begin(archive.clone()), video());
    let mut push = process.point.begin(None, video.stream, "192.0.2.1").unwrap();
    push.push(&video.head).unwrap();
    for fragment in &video.fragments[..6] {
        push.push(fragment).unwrap();
        block_on(push.settle()).unwrap();
    }
    assert_eq!(listed(&process.point).len(), 4);
    (process, push, video)
}

#[test]
fn a_chunk_is_listed_when_the_archive_has_it() {
    let archive = Hangs::never();
    let (process, mut push, video) = event(&archive);
    archive.take(0);
    push.push(&video.fragments[6]).unwrap();
    {
        let (mut settling, mut flushing) = (pin!(push.settle()), pin!(process.points.flush()));
        assert!(poll(settling.as_mut()).is_pending() && poll(flushing.as_mut()).is_pending());
        assert_eq!(listed(&process.point).len(), 4);
        assert_eq!(fragments(&process.origin, "news.isml").len(), 4, "what was listed is there");
        let delivery = process.point.delivery();
        assert!(delivery.waits.is_some() && delivery.shown.is_some());
        assert!(delivery.snapshot < process.point.status().published);
        assert!(delivery.archive.unwrap().waiting_bytes > video.fragments[6].len() as u64);
        archive.take(u64::MAX / 2);
        // Whoever writes it shows it.
        assert!(poll(settling.as_mut()).is_ready());
        assert_eq!(listed(&process.point).len(), 5);
        assert!(poll(flushing.as_mut()).is_ready());
    }
    assert_eq!(fragments(&process.origin, "news.isml").len(), 5);
    let delivery = process.point.delivery();
    assert_eq!(delivery.waits, None);
    assert_eq!(delivery.snapshot, process.point.status().published);
    let archive = delivery.archive.unwrap();
    assert_eq!((archive.waiting_bytes, archive.films_due), (0, 0));
    assert!(archive.failure.is_none() && archive.film_failure.is_none());
}

#[test]
fn an_archive_that_hangs_keeps_few_snapshots_and_then_shows_the_newest() {
    let archive = Hangs::never();
    let (process, mut push, video) = event(&archive);
    archive.take(0);
    push.push(&video.fragments[6]).unwrap();
    push.push(&video.fragments[7]).unwrap();
    // Each is a snapshot of its own.
    for seconds in 1..100 {
        process.point.set_window(Some(std::time::Duration::from_secs(seconds)));
    }
    process.point.set_window(None);
    assert_eq!(listed(&process.point).len(), 4);
    archive.take(u64::MAX / 2);
    block_on(push.settle()).unwrap();
    assert_eq!(listed(&process.point).len(), 6);
    let shown = process.point.presentation().unwrap();
    assert_eq!(shown.live().unwrap().window, None);
}

#[test]
fn while_the_archive_fails_players_go_on_with_what_memory_has() {
    let archive = Hangs::never();
    let (process, mut push, video) = event(&archive);
    archive.fails.store(true, Ordering::Relaxed);
    archive.take(0);
    for (number, listed_by_then) in [(6, 5), (7, 6)] {
        push.push(&video.fragments[number]).unwrap();
        block_on(push.settle()).unwrap();
        assert_eq!(listed(&process.point).len(), listed_by_then);
    }
    assert_eq!(fragments(&process.origin, "news.isml").len(), 6);
    let failure = || process.point.delivery().archive.unwrap().failure.unwrap();
    assert!(!failure().is_past && !failure().error.is_empty());
    archive.take(u64::MAX / 2);
    block_on(process.points.flush());
    assert!(failure().is_past);
    drop((push, process));
    assert_eq!(listed(&begin(archive.archive.clone()).point).len(), 6);
}

#[test]
fn the_end_of_an_event_is_shown_when_the_archive_has_it() {
    let archive = Hangs::never();
    let (process, push, _) = event(&archive);
    archive.take(0);
    process.point.stop();
    assert_eq!(process.point.state(), PointState::Stopped);
    assert!(process.point.presentation().unwrap().is_live() && listed(&process.point).len() == 4);
    let mut settling = pin!(process.points.settle());
    assert!(poll(settling.as_mut()).is_pending());
    archive.take(u64::MAX / 2);
    block_on(settling);
    assert!(!process.point.presentation().unwrap().is_live());
    assert_eq!(listed(&process.point).len(), 6);
    assert_eq!(fragments(&process.origin, "news.isml").len(), 6);
    drop(push);
}

#[test]
fn a_process_that_is_killed_at_any_byte_has_told_players_of_nothing_that_is_lost() {
    let video = video();
    let whole = Hangs::never();
    let all = push_until_it_hangs(&whole, &video);
    assert_eq!(all.len(), CHUNKS - 2);
    let bytes = u64::MAX / 2 - whole.left.load(Ordering::Relaxed);
    let mut counts = [0; CHUNKS];
    for after in (1..bytes).step_by(37) {
        let archive = Hangs::after(after);
        let told = push_until_it_hangs(&archive, &video);
        counts[told.len()] += 1;
        if told.is_empty() {
            continue;
        }
        let found = listed(&begin(archive.archive.clone()).point);
        assert_eq!(found.get(..told.len()), Some(&told[..]), "after {after} bytes");
    }
    assert!(counts[1..CHUNKS - 2].iter().all(|&count| count > 0), "{counts:?}");
}

/// Pushes all fragments, each when the one before was taken. Returns what players are told then.
fn push_until_it_hangs(archive: &Hangs, video: &Encoder) -> Vec<u64> {
    let points = LivePoints::new(LiveOptions::default().archive(archive.clone()));
    let name = Name::new("news.isml").unwrap();
    let recovering = pin!(points.recover(name, PointOptions::default()));
    let Poll::Ready(point) = poll(recovering) else { return Vec::new() };
    let point = point.unwrap();
    let mut push = point.begin(None, video.stream, "192.0.2.1").unwrap();
    push.push(&video.head).unwrap();
    for fragment in &video.fragments {
        push.push(fragment).unwrap();
        // A server would wait here; another connection need not.
        let _ = poll(pin!(push.settle()).as_mut());
    }
    listed(&point)
}
