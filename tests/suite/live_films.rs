//! Films of events that have ended, which are made beside what follows.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::Name;
use smooth_origin::live::{PointOptions, PointState};
use smooth_origin::origin::{LiveOptions, LivePoints, Origin, block_on};
use smooth_origin::storage::{Archive, MemoryArchive, MemoryStore, Source, Store};
use testkit::Hands;

use super::live_archive::{CHUNKS, EndsAfter, Process, encoders_of, fragments};
use super::live_point::encoder::{header, text};

/// An archive in which no file is finished as long as it is slow.
#[derive(Clone)]
struct Slow(MemoryArchive, Arc<AtomicBool>);

impl Slow {
    fn new(archive: &MemoryArchive) -> Self {
        Self(archive.clone(), Arc::new(AtomicBool::new(true)))
    }
}

impl Archive for Slow {
    async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
        self.0.append(name, offset, bytes).await
    }

    async fn finish(&self, name: &Name) -> io::Result<()> {
        poll_fn(|_| match self.1.load(Ordering::Relaxed) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
        self.0.finish(name).await
    }

    async fn open(&self, name: &Name) -> io::Result<Source> {
        self.0.open(name).await
    }

    async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
        self.0.put(name, content).await
    }
}

/// Points that go on with what the archive has, whose films are not made yet.
fn begin(archive: &Slow) -> Process {
    let options = LiveOptions::default().archive(archive.clone()).memory_per_file(0);
    let points = LivePoints::new(options);
    let builder = Origin::builder(MemoryStore::new()).clock(Hands::default().clock());
    let origin = builder.live(points.clone()).build();
    let window = PointOptions::default().window(Some(Duration::from_secs(4)));
    let name = Name::new("news.isml").unwrap();
    let point = block_on(points.recover(name, window)).unwrap();
    Process { points, point, origin }
}

fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The name of the presentation at the live URL: that of the point, or of the film.
fn shown(process: &Process) -> String {
    let opened = block_on(process.origin.open(process.point.name())).unwrap();
    opened.presentation().name().as_str().to_owned()
}

const FRAGMENTS: usize = 2 * CHUNKS;

#[test]
fn the_next_event_does_not_wait_for_the_film_of_the_last() {
    let archive = MemoryArchive::new();
    let slow = Slow::new(&archive);
    let process = begin(&slow);
    let encoders = encoders_of(200);
    assert!(process.push_all_to(Some("first"), &encoders, &mut [0; 2]));
    process.point.stop();
    // As a host does.
    let mut making = pin!(process.point.make_films());
    assert!(poll(making.as_mut()).is_pending());
    assert_eq!(
        (shown(&process), fragments(&process.origin, "news.isml").len()),
        ("news.isml".into(), FRAGMENTS)
    );
    process.point.start();
    for event in ["second", "third"] {
        assert!(process.push_all_to(Some(event), &encoders, &mut [0; 2]));
        assert_eq!(process.point.state(), PointState::Started);
        process.point.stop();
        block_on(process.points.flush());
        process.point.start();
    }
    assert!(poll(making.as_mut()).is_pending());
    drop((process.origin, process.points));
    // The process ends here, and the next one begins while three films are due.
    let process = begin(&slow);
    let answer = block_on(process.origin.open(process.point.name())).unwrap_err();
    assert_eq!(answer.kind.status(), 503, "the film of the third event comes");
    slow.1.store(false, Ordering::Relaxed);
    block_on(process.points.settle());
    assert_eq!(fragments(&process.origin, "news.isml").len(), FRAGMENTS);
    let films = block_on(archive.store().list(None)).unwrap();
    let films: Vec<_> = films.iter().filter(|film| film.as_str().ends_with(".ism")).collect();
    assert_eq!(films.len(), 3, "{films:?}");
    for film in films {
        let client = Name::new(&format!("{film}c")).unwrap();
        assert!(block_on(archive.store().open(&client)).is_ok(), "{film}");
        assert_eq!(fragments(&process.origin, film.as_str()).len(), FRAGMENTS, "{film}");
    }
}

#[test]
fn an_event_that_the_next_one_has_ended_is_a_film_until_that_one_publishes() {
    let archive = MemoryArchive::new();
    let slow = Slow::new(&archive);
    slow.1.store(false, Ordering::Relaxed);
    let process = begin(&slow);
    let encoders = encoders_of(200);
    assert!(process.push_all_to(Some("first"), &encoders, &mut [0; 2]));
    let mut push = process.point.begin(Some("second"), "video", "192.0.2.1").unwrap();
    let (begin, rest) =
        (encoders[0].fragments[0].slice(..20), encoders[0].fragments[0].slice(20..));
    push.push(&encoders[0].head).unwrap();
    push.push(&begin).unwrap();
    block_on(push.settle()).unwrap();
    // What was held back of the first one is published, and can be read.
    assert_eq!(process.point.state(), PointState::Starting);
    assert_eq!(
        (shown(&process), fragments(&process.origin, "news.isml").len()),
        ("news.isml".into(), FRAGMENTS)
    );
    block_on(process.points.settle());
    assert_eq!(process.point.state(), PointState::Starting);
    assert_eq!(
        (shown(&process), fragments(&process.origin, "news.isml").len()),
        ("news.isml".into(), FRAGMENTS)
    );
    push.push(&rest).unwrap();
    block_on(push.end()).unwrap();
    assert!(process.push_all_to(Some("second"), &encoders, &mut [0; 2]));
    assert_eq!((shown(&process), process.point.status().number), ("news.isml".into(), 2));
}

#[test]
fn a_film_that_was_asked_for_too_early_is_there_when_it_is_made() {
    let archive = MemoryArchive::new();
    let process = Process::with(archive.clone(), PointOptions::default()).unwrap();
    let encoders = encoders_of(200);
    assert!(process.push_all_to(None, &encoders, &mut [0; 2]));
    let film = Name::new("news.ism").unwrap();
    let error = block_on(process.origin.open(&film)).unwrap_err();
    assert_eq!(error.kind.status(), 404);
    assert!(process.stop());
    assert_eq!(fragments(&process.origin, "news.ism").len(), FRAGMENTS);
    assert_eq!(fragments(&process.origin, "news.isml").len(), FRAGMENTS);
}

#[test]
fn an_event_that_has_published_nothing_leaves_the_film_before_it() {
    let encoders = encoders_of(20);
    let options = || PointOptions::default().look_ahead(0);
    let with_film = || {
        let archive = MemoryArchive::new();
        let process = Process::with(archive.clone(), options()).unwrap();
        assert!(process.push_all_to(Some("first"), &encoders, &mut [0; 2]) && process.stop());
        process.point.start();
        block_on(process.points.settle());
        archive
    };
    // Captions are announced with the first pictures.
    let begin = |archive: EndsAfter| {
        let process = Process::with(archive, options())?;
        let words = process.point.begin(Some("second"), "text", "192.0.2.1").ok()?;
        let pictures = process.point.begin(Some("second"), "video", "192.0.2.1").ok()?;
        let of_pictures = [encoders[0].head.clone(), encoders[0].fragments[0].clone()];
        let bodies = [(words, vec![header(&[text(3)])]), (pictures, of_pictures.to_vec())];
        let mut pushes = Vec::new();
        for (mut push, parts) in bodies {
            parts.iter().try_for_each(|part| push.push(part)).ok()?;
            pushes.push(push);
        }
        pushes.into_iter().all(|push| block_on(push.end()).is_ok()).then_some(())
    };
    let whole = EndsAfter::new(&with_film(), u64::MAX);
    begin(whole.clone()).unwrap();
    let (bytes, mut empty) = (u64::MAX - whole.left(), 0);
    for killed in (0..bytes).step_by(61) {
        let archive = with_film();
        assert!(begin(EndsAfter::new(&archive, killed)).is_none());
        let process = Process::with(archive, options()).unwrap();
        process.point.stop();
        block_on(process.points.settle());
        let shown = fragments(&process.origin, "news.isml").len();
        assert!(shown > 0, "after {killed} bytes of {bytes}");
        empty += usize::from(process.point.status().number == 2 && shown == FRAGMENTS);
    }
    assert!(empty > 0, "no process ended before the second event published");
}
