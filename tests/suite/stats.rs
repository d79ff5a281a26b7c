//! Numbers of an origin: each counts what its documentation says, and the list of presentations is
//! complete.

use std::future::{Future, pending};
use std::io;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, OriginStats, Timer, block_on};
use smooth_origin::storage::{Ends, MemoryObject, MemoryStore, Opening, RangeSource, Stat, Store};
use testkit::film::{self, Style, Track, ism};
use testkit::{Hands, get, name, served, status, store};

const MANIFEST: &str = "film.ism/Manifest";
const FIRST: &str = "film.ism/QualityLevels(300)/Fragments(video=0)";

fn media(size: u32) -> Vec<u8> {
    let track = Track::regular(1, StreamKind::Video, 5, 20_000_000, size);
    film::media(&[track], Style::default()).to_bytes()
}

fn films() -> MemoryStore {
    store([
        ("film.ism", ism(None, &[("video", "film.ismv", 300, 1, "")])),
        ("film.ismv", media(100_000)),
        ("broken.ism", b"<smil>\n<\n".to_vec()),
    ])
}

/// A store that counts the bytes of its reads. Its reads never end while it is stuck.
#[derive(Clone)]
struct Counting {
    objects: MemoryStore,
    made: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
    is_stuck: Arc<AtomicBool>,
}

struct CountingSource(MemoryObject, Counting);

impl Counting {
    fn new(objects: MemoryStore) -> Self {
        Self { objects, made: Arc::default(), bytes: Arc::default(), is_stuck: Arc::default() }
    }
}

impl Store for Counting {
    type Source = CountingSource;

    async fn open(&self, name: &Name) -> io::Result<CountingSource> {
        Ok(CountingSource(self.objects.open(name).await?, self.clone()))
    }
}

impl RangeSource for CountingSource {
    async fn stat(&self) -> io::Result<Stat> {
        self.0.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if self.1.is_stuck.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
        let length = range.end - range.start;
        self.1.made.fetch_add(1, Ordering::Relaxed);
        self.1.bytes.fetch_add(length, Ordering::Relaxed);
        self.0.read(range).await
    }
}

#[test]
fn reads_and_their_bytes_are_those_that_the_store_made() {
    let store = Counting::new(films());
    let origin = Origin::new(store.clone());
    assert_eq!(origin.stats(), OriginStats::default());
    get(&origin, MANIFEST).unwrap();
    get(&origin, FIRST).unwrap();
    let [reads, bytes] = [&store.made, &store.bytes].map(|number| number.load(Ordering::Relaxed));
    let stats = origin.stats();
    assert_eq!((stats.reads, stats.read_bytes), (reads, bytes));
    assert!(bytes > 100_000, "{bytes}");
    assert_eq!((stats.timeouts, stats.refused, stats.failures), (0, 0, 0));
    assert_eq!((stats.in_progress, stats.waiting), (0, 0));
}

/// A store that reads the ends of a file as it opens the file.
struct Eager(Counting);

impl Store for Eager {
    type Source = CountingSource;

    async fn open(&self, name: &Name) -> io::Result<CountingSource> {
        self.0.open(name).await
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<CountingSource>> {
        let source = self.open(name).await?;
        let stat = source.stat().await?;
        let (head, tail) = ends.ranges(stat.size);
        let head = source.read(head).await?;
        let tail = if tail.is_empty() { Bytes::new() } else { source.read(tail).await? };
        Ok(Opening::new(source, stat).with_ends(Some(head), Some(tail)))
    }
}

#[test]
fn ends_that_a_store_reads_as_it_opens_a_file_count_as_reads() {
    let store = Counting::new(films());
    let (eager, usual) = (Origin::new(Eager(store.clone())), Origin::new(films()));
    for origin in [&eager, &usual] {
        get(origin, MANIFEST).unwrap();
        get(origin, FIRST).unwrap();
    }
    let [reads, bytes] = [&store.made, &store.bytes].map(|number| number.load(Ordering::Relaxed));
    let (eager, usual) = (eager.stats(), usual.stats());
    assert_eq!((eager.reads, eager.read_bytes), (reads, bytes));
    assert_eq!((eager.reads, eager.read_bytes), (usual.reads, usual.read_bytes));
}

/// A timer that notes its times and ends none of them.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<Duration>>>);

impl Timer for Noted {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.0.lock().unwrap().push(duration);
        Box::pin(pending())
    }
}

/// A store whose reads of several ranges never end.
struct StuckInMany(MemoryStore);

struct StuckInManySource(MemoryObject);

impl Store for StuckInMany {
    type Source = StuckInManySource;

    async fn open(&self, name: &Name) -> io::Result<StuckInManySource> {
        self.0.open(name).await.map(StuckInManySource)
    }
}

impl RangeSource for StuckInManySource {
    async fn stat(&self) -> io::Result<Stat> {
        self.0.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.0.read(range).await
    }

    async fn read_many(&self, _: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        pending().await
    }
}

#[test]
fn a_read_of_several_ranges_has_the_time_of_each() {
    let (noted, time) = (Noted::default(), Duration::from_secs(7));
    let builder = Origin::builder(StuckInMany(films())).timer(noted.clone()).read_timeout(time);
    let origin = builder.opening_timeout(Duration::from_secs(100)).build();
    let mut request = pin!(origin.answer(MANIFEST));
    assert!(request.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    // The head and the tail of the media are read in one operation.
    let noted: Vec<_> = noted.0.lock().unwrap().iter().map(Duration::as_secs).collect();
    assert!(noted.contains(&14) && !noted.contains(&7), "{noted:?}");
}

#[test]
fn openings_are_counted_by_their_outcome() {
    let hands = Hands::default();
    let objects = films();
    let origin = Origin::builder(objects.clone()).clock(hands.clock()).build();
    assert_eq!(status(&origin, MANIFEST), 200);
    assert_eq!(status(&origin, "broken.ism/Manifest"), 500);
    assert_eq!(status(&origin, "none.ism/Manifest"), 404);
    let stats = origin.stats();
    assert_eq!((stats.openings, stats.openings_failed, stats.openings_refused), (1, 2, 0));
    assert_eq!((stats.reopenings, stats.replacements), (0, 0));
    assert_eq!((stats.presentations, stats.failed_presentations), (1, 2));
    assert_eq!(stats.openings_in_progress, 0);

    objects.put(name("film.ismv"), media(90_000));
    hands.pass(5);
    get(&origin, FIRST).unwrap();
    let stats = origin.stats();
    assert_eq!((stats.openings, stats.reopenings, stats.replacements), (2, 1, 1));

    // Players would lose by it: it waits.
    objects.remove(&name("film.ismv"));
    hands.pass(5);
    assert_eq!(status(&origin, MANIFEST), 200);
    let stats = origin.stats();
    assert_eq!((stats.reopenings, stats.replacements), (2, 1));
}

#[test]
fn an_opening_in_progress_counts_and_another_beyond_the_limit_is_refused() {
    let hands = Hands::default();
    let store = Counting::new(films());
    let is_stuck = Arc::clone(&store.is_stuck);
    let builder = Origin::builder(store).clock(hands.clock()).timer(hands.timer());
    let origin = builder.max_openings(1).build();
    is_stuck.store(true, Ordering::Relaxed);
    let mut stuck = pin!(origin.answer(MANIFEST));
    let mut context = Context::from_waker(Waker::noop());
    assert!(stuck.as_mut().poll(&mut context).is_pending());
    let stats = origin.stats();
    assert_eq!((stats.openings_in_progress, stats.openings), (1, 0));
    assert_eq!(status(&origin, "broken.ism/Manifest"), 503);
    let stats = origin.stats();
    assert_eq!((stats.openings_refused, stats.openings_failed), (1, 0));
    assert!(stats.in_progress > 0, "its read");

    hands.pass(10);
    assert!(stuck.as_mut().poll(&mut context).is_ready());
    let stats = origin.stats();
    assert_eq!((stats.openings_in_progress, stats.in_progress), (0, 0));
    assert!(stats.timeouts > 0);
    assert_eq!(stats.opening_time, Duration::from_secs(10));
}

#[test]
fn a_request_beyond_those_that_may_wait_is_refused_and_one_that_waits_counts() {
    let hands = Hands::default();
    let store = Counting::new(films());
    let is_stuck = Arc::clone(&store.is_stuck);
    let builder = Origin::builder(store).clock(hands.clock()).timer(hands.timer());
    let origin = builder.max_reads(1).max_waiting(0).build();
    get(&origin, MANIFEST).unwrap();
    is_stuck.store(true, Ordering::Relaxed);
    let mut context = Context::from_waker(Waker::noop());
    let (mut first, mut second) = (pin!(origin.answer(FIRST)), pin!(origin.answer(FIRST)));
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    let stats = origin.stats();
    assert_eq!((stats.in_progress, stats.waiting, stats.refused), (1, 1, 0));
    assert_eq!(status(&origin, FIRST), 503);
    assert_eq!(origin.stats().refused, 1);

    hands.pass(10);
    assert!(first.as_mut().poll(&mut context).is_ready());
    let stats = origin.stats();
    assert_eq!((stats.timeouts, stats.failures), (1, 1));
}

#[test]
fn what_an_origin_holds_is_what_it_has_not_given_back() {
    let origin = Origin::builder(films()).fragment_cache_bytes(1 << 20).build();
    get(&origin, MANIFEST).unwrap();
    let before = origin.stats();
    assert!(before.presentation_bytes > 1000, "{before:?}");
    assert_eq!(before.open_files, 2, "the server manifest and the media file");
    assert_eq!(before.body_bytes, 0);
    let fragment = served(&origin, FIRST).unwrap();
    let bytes = block_on(fragment.body().next()).unwrap().unwrap();
    assert_eq!(bytes.len() as u64, fragment.reply().length());
    assert_eq!(origin.stats().body_bytes, fragment.reply().length());
    drop(bytes);
    let stats = origin.stats();
    assert_eq!(stats.body_bytes, 0);
    assert_eq!((stats.fragments, stats.fragments.fragments), (origin.fragment_cache(), 1));
}

#[test]
fn origins_of_one_builder_count_apart_and_clones_of_an_origin_together() {
    let builder = Origin::builder(films());
    let (first, second) = (builder.clone().build(), builder.build());
    get(&first.clone(), MANIFEST).unwrap();
    assert_eq!((first.stats().openings, second.stats().openings), (1, 0));
}

#[test]
fn the_open_presentations_are_listed_with_their_age_and_memory() {
    let hands = Hands::default();
    let objects = films();
    objects.put(name("other.ism"), ism(None, &[("video", "film.ismv", 300, 1, "")]));
    let origin = Origin::builder(objects).clock(hands.clock()).build();
    block_on(origin.open(&name("film.ism"))).unwrap();
    hands.pass(3);
    for path in ["other.ism/Manifest", "broken.ism/Manifest", "none.ism/Manifest"] {
        status(&origin, path);
    }
    let mut kept: Vec<_> = origin.presentations().collect();
    kept.sort_by(|a, b| a.name().cmp(b.name()));
    let listed: Vec<_> = kept.iter().map(|kept| (kept.name().as_str(), kept.age())).collect();
    assert_eq!(listed, [("film.ism", Duration::from_secs(3)), ("other.ism", Duration::ZERO)]);
    let bytes: u64 = kept.iter().map(|kept| kept.memory()).sum();
    let stats = origin.stats();
    assert_eq!((stats.presentations, stats.failed_presentations), (2, 2));
    assert!(bytes > 2000 && bytes < stats.presentation_bytes, "{bytes} {stats:?}");
    assert_eq!(origin.presentations().take(1).count(), 1);
}

#[test]
fn a_presentation_that_was_warmed_is_not_opened_for_the_first_request() {
    let store = Counting::new(films());
    let origin = Origin::new(store.clone());
    block_on(origin.open(&name("film.ism"))).unwrap();
    let made = store.made.load(Ordering::Relaxed);
    get(&origin, MANIFEST).unwrap();
    assert_eq!((store.made.load(Ordering::Relaxed), origin.stats().openings), (made, 1));
}

#[test]
fn a_presentation_that_is_forgotten_is_opened_anew_and_its_bodies_go_on() {
    let objects = films();
    // The clock stands still: nothing else makes the origin look at the files.
    let origin = Origin::builder(objects.clone()).clock(Hands::default().clock()).build();
    let old = served(&origin, FIRST).unwrap();
    let mut body = old.body();
    objects.put(name("film.ismv"), media(90_000));
    assert!(!origin.forget(&name("none.ism")));
    assert!(origin.forget(&name("film.ism")));
    assert!(!origin.forget(&name("film.ism")), "it is gone");
    let stats = origin.stats();
    assert_eq!((stats.presentations, stats.presentation_bytes), (0, 0));
    let new = get(&origin, FIRST).unwrap();
    assert!((90_000..100_000).contains(&new.len()), "{}", new.len());
    let mut rest = body.remaining();
    while let Some(bytes) = block_on(body.next()) {
        rest -= bytes.unwrap().len() as u64;
    }
    assert_eq!((rest, old.reply().length() > 100_000), (0, true));
    let stats = origin.stats();
    assert_eq!((stats.openings, stats.reopenings), (2, 0));
}

#[test]
fn a_failed_opening_that_is_forgotten_is_tried_again() {
    let objects = films();
    let origin = Origin::builder(objects.clone()).clock(Hands::default().clock()).build();
    assert_eq!(status(&origin, "none.ism/Manifest"), 404);
    objects.put(name("none.ism"), ism(None, &[("video", "film.ismv", 300, 1, "")]));
    assert_eq!(status(&origin, "none.ism/Manifest"), 404, "the failure is kept for a while");
    assert!(!origin.forget(&name("none.ism")), "it was not open");
    assert_eq!(status(&origin, "none.ism/Manifest"), 200);
}

#[test]
fn an_opening_that_is_forgotten_while_it_is_made_is_not_kept() {
    let hands = Hands::default();
    let store = Counting::new(films());
    let is_stuck = Arc::clone(&store.is_stuck);
    let origin = Origin::builder(store).clock(hands.clock()).timer(hands.timer()).build();
    is_stuck.store(true, Ordering::Relaxed);
    let mut context = Context::from_waker(Waker::noop());
    let film = name("film.ism");
    let mut first = pin!(origin.open(&film));
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(!origin.forget(&film));
    hands.pass(10);
    assert!(first.as_mut().poll(&mut context).is_ready(), "the reads were given up");
    assert_eq!(origin.stats().presentations, 0);
    is_stuck.store(false, Ordering::Relaxed);
    assert_eq!(status(&origin, MANIFEST), 200);
}

#[test]
fn a_look_at_changed_files_that_is_under_way_does_not_keep_what_was_forgotten() {
    let hands = Hands::default();
    let store = Counting::new(films());
    let (objects, is_stuck) = (store.objects.clone(), Arc::clone(&store.is_stuck));
    let builder = Origin::builder(store).clock(hands.clock()).timer(hands.timer());
    let origin = builder.replace_grace(Duration::ZERO).build();
    let film = name("film.ism");
    block_on(origin.open(&film)).unwrap();
    objects.put(name("film.ismv"), media(90_000));
    hands.pass(5);
    is_stuck.store(true, Ordering::Relaxed);
    let mut context = Context::from_waker(Waker::noop());
    let mut look = pin!(origin.open(&film));
    assert!(look.as_mut().poll(&mut context).is_pending());
    assert!(origin.forget(&film));
    is_stuck.store(false, Ordering::Relaxed);
    hands.pass(10);
    assert!(look.as_mut().poll(&mut context).is_ready());
    assert_eq!(origin.stats().presentations, 0);
}
