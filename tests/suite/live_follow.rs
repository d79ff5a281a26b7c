//! Origins that follow an event in an object store, which another process writes.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use smooth_origin::live::PointOptions;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{
    Clock, LiveOptions, LivePoint, LivePoints, Origin, OriginBuilder, block_on,
};
use smooth_origin::storage::{
    Archive, Bucket, BucketArchive, MemoryArchive, MemoryStore, RangeSource,
};
use testkit::film::{self, Style, Track};
use testkit::name;

use crate::live_point::encoder::{Spec, audio, header};

/// The way of one process to a store: it counts requests, and may end after some of them.
#[derive(Clone, Debug)]
pub(super) struct Way {
    store: Arc<InMemory>,
    gets: Arc<AtomicU64>,
    puts: Arc<AtomicU64>,
    others: Arc<AtomicU64>,
    /// Requests that are still made.
    pub(super) left: Arc<AtomicI64>,
    /// The last request is made, and its answer is lost.
    loses_answer: Arc<AtomicBool>,
    /// There is no right to delete.
    keeps: Arc<AtomicBool>,
    /// Objects that are still read before the store hangs.
    pub(super) hangs_after: Arc<AtomicI64>,
}

impl Way {
    pub(super) fn to(store: &Arc<InMemory>) -> Self {
        Self {
            store: Arc::clone(store),
            gets: Arc::default(),
            puts: Arc::default(),
            others: Arc::default(),
            left: Arc::new(AtomicI64::new(i64::MAX)),
            loses_answer: Arc::default(),
            keeps: Arc::default(),
            hangs_after: Arc::new(AtomicI64::new(i64::MAX)),
        }
    }

    /// Counts a request. Returns whether it is made, and whether its answer comes.
    fn ask(&self, count: &AtomicU64) -> (bool, bool) {
        count.fetch_add(1, Relaxed);
        let left = self.left.fetch_sub(1, Relaxed);
        (left > 1 || left == 1 && self.loses_answer.load(Relaxed), left > 1)
    }

    /// Objects that were read, objects that were written, and other requests since this was asked last.
    pub(super) fn counts(&self) -> [u64; 3] {
        [&self.gets, &self.puts, &self.others].map(|count| count.swap(0, Relaxed))
    }
}

fn ended() -> Error {
    Error::Generic { store: "way", source: "the process has ended".into() }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Way")
    }
}

#[async_trait]
impl ObjectStore for Way {
    async fn put_opts(
        &self,
        at: &Path,
        bytes: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let (is_made, is_answered) = self.ask(&self.puts);
        let put =
            if is_made { self.store.put_opts(at, bytes, options).await } else { Err(ended()) };
        if is_answered { put } else { Err(ended()) }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        match self.ask(&self.others) {
            (_, true) => self.store.put_multipart_opts(at, options).await,
            _ => Err(ended()),
        }
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        if self.hangs_after.fetch_sub(1, Relaxed) <= 0 {
            std::future::pending::<()>().await;
        }
        match self.ask(if options.head { &self.others } else { &self.gets }) {
            (_, true) => self.store.get_opts(at, options).await,
            _ => Err(ended()),
        }
    }

    fn delete_stream(
        &self,
        all: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.ask(&self.others) {
            _ if self.keeps.load(Relaxed) => futures_util::stream::iter([Err(ended())]).boxed(),
            (true, true) => self.store.delete_stream(all),
            // Some are deleted.
            (true, false) => {
                let deleted = self.store.delete_stream(all.take(2).boxed());
                deleted.chain(futures_util::stream::iter([Err(ended())])).boxed()
            }
            _ => futures_util::stream::iter([Err(ended())]).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.ask(&self.others) {
            (_, true) => self.store.list(prefix),
            _ => futures_util::stream::iter([Err(ended())]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

pub(super) const TICKS: u32 = 20_000_000;
pub(super) const POINT: &str = "events/news.isml";

/// A stream as an encoder sends it: its header, and its fragments.
pub(super) struct Encoder {
    pub(super) stream: &'static str,
    pub(super) head: Bytes,
    pub(super) fragments: Vec<Bytes>,
}

pub(super) fn encoders(chunks: u32) -> [Encoder; 2] {
    [("video", StreamKind::Video, 300), ("audio", StreamKind::Audio, 40)].map(
        |(stream, kind, size)| {
            let track = Track::regular(1, kind, chunks, TICKS, size);
            let media = film::media(&[track], Style { tfxd: true, mfra: false });
            let bytes = Bytes::from(media.to_bytes());
            let part = |start: u64, end: u64| bytes.slice(start as usize..end as usize);
            let fragments = media.fragments.iter();
            Encoder {
                stream,
                head: part(0, media.fragments[0].2.start),
                fragments: fragments.map(|(.., range)| part(range.start, range.end)).collect(),
            }
        },
    )
}

/// A store, the time, and the processes that use them.
pub(super) struct World {
    pub(super) store: Arc<InMemory>,
    pub(super) millis: Arc<AtomicU64>,
    options: PointOptions,
}

impl World {
    pub(super) fn new(options: PointOptions) -> Self {
        Self { store: Arc::new(InMemory::new()), millis: Arc::default(), options }
    }

    fn clock(&self) -> Clock {
        let millis = Arc::clone(&self.millis);
        let wall = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let of = Arc::clone(&millis);
        Clock::new(move || Duration::from_millis(millis.load(Relaxed)))
            .wall_time(move || wall + Duration::from_millis(of.load(Relaxed)))
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.millis.fetch_add(seconds * 1000, Relaxed);
    }

    fn archive(&self, way: &Way) -> BucketArchive {
        BucketArchive::new(Bucket::new(way.clone()).prefix(name("live"))).clock(self.clock())
    }

    /// A process that encoders push to. `None` if it ends before it has recovered the point.
    pub(super) fn ingest(&self, way: &Way) -> Option<Ingest> {
        let archive = self.archive(way);
        let points = LivePoints::new(LiveOptions::default().archive(archive.clone()));
        let origin =
            Origin::builder(MemoryStore::new()).clock(self.clock()).live(points.clone()).build();
        let point = block_on(points.recover(name(POINT), self.options.clone())).ok()?;
        // Films of events that have ended.
        block_on(points.settle());
        Some(Ingest { archive, point, origin })
    }

    fn follower(&self, way: &Way) -> Origin {
        self.follower_of(way, 256)
    }

    /// One that follows at most so many points.
    fn follower_of(&self, way: &Way, most: usize) -> Origin {
        self.builder(way, most).build()
    }

    pub(super) fn builder(&self, way: &Way, most: usize) -> OriginBuilder {
        let options = self.options.clone();
        let options = LiveOptions::default()
            .archive(self.archive(way))
            .max_points(most)
            .follow(move |name| name.as_str().starts_with("events/").then(|| options.clone()));
        Origin::builder(MemoryStore::new())
            .clock(self.clock())
            .fragment_cache_bytes(1 << 20)
            .live(LivePoints::new(options))
    }
}

pub(super) struct Ingest {
    archive: BucketArchive,
    pub(super) point: Arc<LivePoint>,
    pub(super) origin: Origin,
}

impl Ingest {
    /// Pushes a fragment with its header. Returns whether it is acknowledged.
    fn push(&self, encoder: &Encoder, number: usize) -> bool {
        let mut push = self.point.begin(None, encoder.stream, "192.0.2.1").unwrap();
        push.push(&encoder.head).unwrap();
        push.push(&encoder.fragments[number]).unwrap();
        block_on(push.end()).is_ok()
    }

    pub(super) fn push_both(&self, encoders: &[Encoder], numbers: std::ops::Range<usize>) {
        for number in numbers {
            assert!(encoders.iter().all(|encoder| self.push(encoder, number)));
        }
    }

    pub(super) fn stop(&self) -> bool {
        self.point.stop();
        block_on(self.point.acknowledge()).is_ok()
    }
}

pub(super) type Served = BTreeMap<(String, u64), Vec<u8>>;

/// All fragments that an origin serves of a presentation, by stream and time.
pub(super) fn fragments(origin: &Origin, name: &str) -> Served {
    let mut found = BTreeMap::new();
    let Ok(opened) = block_on(origin.open(&testkit::name(name))) else { return found };
    for stream in opened.presentation().streams() {
        for (time, _) in stream.timeline().iter() {
            let (bitrate, stream) = (stream.tracks()[0].bitrate(), stream.name());
            let path = format!("/{name}/QualityLevels({bitrate})/Fragments({stream}={time})");
            found.insert((stream.to_owned(), time), testkit::get(origin, &path).unwrap());
        }
    }
    found
}

/// Compares all fragments, without showing them.
fn assert_same(left: &Served, right: &Served, what: &str) {
    let keys = |served: &Served| served.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(left), keys(right), "{what}");
    assert!(left == right, "{what}: other bytes");
}

fn manifests(origin: &Origin) -> Vec<Vec<u8>> {
    let names = ["Manifest", "manifest.mpd", "master.m3u8"];
    let paths = names.map(|manifest| format!("/{POINT}/{manifest}"));
    paths.iter().map(|path| testkit::get(origin, path).unwrap()).collect()
}

fn status(origin: &Origin, stream: &str, chunk: u64) -> u16 {
    let time = chunk * u64::from(TICKS);
    let opened = block_on(origin.open(&name(POINT))).unwrap();
    let streams = opened.presentation().streams();
    let of = streams.iter().find(|of| of.name() == stream).unwrap();
    let bitrate = of.tracks()[0].bitrate();
    let path = format!("/{POINT}/QualityLevels({bitrate})/Fragments({stream}={time})");
    testkit::get(origin, &path).map_or_else(|error| error.kind.status(), |_| 200)
}

#[test]
fn followers_serve_what_the_ingest_serves_and_at_the_end_the_film() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(12));
    let way = Way::to(&world.store);
    let ingest = world.ingest(&way).unwrap();
    let followers =
        [world.follower(&Way::to(&world.store)), world.follower(&Way::to(&world.store))];
    let missing = testkit::get(&followers[0], &format!("/{POINT}/Manifest")).unwrap_err();
    assert_eq!(missing.kind.status(), 404);
    for number in 0..10 {
        ingest.push_both(&encoders, number..number + 1);
        world.pass(2);
        // The second one begins in the middle.
        for follower in &followers[..if number < 5 { 1 } else { 2 }] {
            assert_same(&fragments(follower, POINT), &fragments(&ingest.origin, POINT), "live");
        }
    }
    assert_eq!(fragments(&followers[0], POINT).len(), 16);
    assert_eq!(manifests(&followers[0]), manifests(&followers[1]));
    let manifest = format!("/{POINT}/Manifest");
    let live = testkit::get(&ingest.origin, &manifest).unwrap();
    assert_eq!(testkit::get(&followers[0], &manifest).unwrap(), live);
    for follower in &followers {
        assert_eq!(status(follower, "video", 7), 200);
        assert_eq!(status(follower, "video", 8), 412);
    }
    ingest.push_both(&encoders, 10..12);
    assert!(ingest.stop());
    world.pass(120);
    block_on(ingest.archive.delete_due()).unwrap();
    let late = world.follower(&Way::to(&world.store));
    let film = fragments(&late, POINT);
    assert_eq!(film.len(), 24);
    for follower in &followers {
        world.pass(10);
        assert_same(&fragments(follower, POINT), &film, "at the end");
        let text = testkit::get(follower, &manifest).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("IsLive"));
    }
    // The film lies in the bucket as any other.
    let bucket = Bucket::new(Arc::clone(&world.store)).prefix(name("live"));
    assert_same(&fragments(&Origin::new(bucket), "events/news.ism"), &film, "the film");
    let parts = world.store.list(Some(&Path::from("live/.parts"))).map(|meta| meta.unwrap());
    let parts: Vec<_> = block_on(parts.map(|meta| meta.location.to_string()).collect());
    assert!(parts.is_empty(), "{parts:?}");
}

#[test]
fn the_window_of_a_follower_moves_and_what_has_left_it_is_gone() {
    let options = PointOptions::default().window(Some(Duration::from_secs(10)));
    let (world, encoders) = (World::new(options), encoders(60));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    let early = world.follower(&Way::to(&world.store));
    for number in 0..60 {
        ingest.push_both(&encoders, number..number + 1);
        world.pass(2);
        if number >= 2 {
            testkit::get(&early, &format!("/{POINT}/Manifest")).unwrap();
        }
    }
    let late = world.follower(&Way::to(&world.store));
    assert_eq!(manifests(&early), manifests(&late));
    let manifest = format!("/{POINT}/Manifest");
    let live = testkit::get(&ingest.origin, &manifest).unwrap();
    assert_eq!(testkit::get(&early, &manifest).unwrap(), live);
    for origin in [&early, &late] {
        assert_eq!(status(origin, "video", 57), 200);
        // No longer announced, and still served.
        assert_eq!(status(origin, "video", 45), 200);
        assert_eq!(status(origin, "video", 30), 404);
    }
}

#[test]
fn a_follower_goes_back_as_far_as_start_over() {
    let options = PointOptions::default().window(Some(Duration::from_secs(10)));
    let (world, encoders) = (World::new(options.start_over(Duration::from_secs(60))), encoders(60));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    for number in 0..60 {
        ingest.push_both(&encoders, number..number + 1);
        world.pass(2);
    }
    let follower = world.follower(&Way::to(&world.store));
    testkit::get(&follower, &format!("/{POINT}/Manifest")).unwrap();
    assert_eq!(status(&follower, "video", 30), 200);
    assert_eq!(status(&follower, "video", 10), 404);
}

#[test]
fn requests_are_few() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(40));
    let (way, of_follower) = (Way::to(&world.store), Way::to(&world.store));
    let ingest = world.ingest(&way).unwrap();
    let follower = world.follower(&of_follower);
    ingest.push_both(&encoders, 0..5);
    testkit::get(&follower, &format!("/{POINT}/Manifest")).unwrap();
    way.counts();
    of_follower.counts();
    // The fragment is held, then published, and then there is its record.
    for number in 5..10 {
        ingest.push_both(&encoders, number..number + 1);
        assert_eq!(way.counts(), [0, 2 * 3, 0]);
        world.pass(2);
        // The new records, one for each fragment, and the part that is not there yet.
        for _ in 0..100 {
            testkit::get(&follower, &format!("/{POINT}/Manifest")).unwrap();
        }
        assert_eq!(of_follower.counts(), [3, 0, 0]);
        for _ in 0..10 {
            assert_eq!(status(&follower, "video", number as u64 - 2), 200);
        }
        assert_eq!(of_follower.counts(), [1, 0, 0]);
    }
    // Nothing is asked of the store while nobody asks, and one part a second while nothing comes.
    world.pass(3600);
    assert_eq!(of_follower.counts(), [0, 0, 0]);
    // What may have been moved in the meantime is looked for.
    testkit::get(&follower, &format!("/{POINT}/Manifest")).unwrap();
    assert_eq!(of_follower.counts(), [3, 0, 3]);
    for _ in 0..5 {
        world.pass(1);
        testkit::get(&follower, &format!("/{POINT}/Manifest")).unwrap();
        assert_eq!(of_follower.counts(), [1, 0, 0]);
    }
}

#[test]
fn a_process_that_ends_at_any_request_has_lost_nothing_and_followers_go_on() {
    const CHUNKS: usize = 6;
    let encoders = encoders(CHUNKS as u32);
    let world = World::new(PointOptions::default());
    let whole = Way::to(&world.store);
    let ingest = world.ingest(&whole).unwrap();
    ingest.push_both(&encoders, 0..CHUNKS);
    assert!(ingest.stop());
    let requests: u64 = whole.counts().iter().sum();
    let mut went_on = 0;
    for moment in 0..requests * 2 {
        let world = World::new(PointOptions::default());
        let dying = Way::to(&world.store);
        dying.left.store(moment as i64 / 2, Relaxed);
        dying.loses_answer.store(moment % 2 == 1, Relaxed);
        let follower = world.follower(&Way::to(&world.store));
        let (mut acknowledged, mut served) = (0, Served::new());
        if let Some(ingest) = world.ingest(&dying) {
            for number in 0..CHUNKS {
                if !encoders.iter().all(|encoder| ingest.push(encoder, number)) {
                    break;
                }
                acknowledged = number + 1;
                world.pass(2);
                served.extend(fragments(&follower, POINT));
            }
            assert!(!(acknowledged == CHUNKS && ingest.stop()), "moment {moment}");
            served.extend(fragments(&follower, POINT));
        }
        world.pass(20);
        let way = Way::to(&world.store);
        let ingest = world.ingest(&way).unwrap();
        let is_ended = acknowledged == CHUNKS && ingest.point.presentation().is_none();
        went_on += u32::from(ingest.point.presentation().is_some());
        if !is_ended {
            ingest.push_both(&encoders, acknowledged..CHUNKS);
            world.pass(20);
            let live = fragments(&ingest.origin, POINT);
            assert_same(&fragments(&follower, POINT), &live, &format!("moment {moment}"));
            assert!(ingest.stop(), "moment {moment}");
        }
        world.pass(20);
        let film = fragments(&follower, POINT);
        assert_eq!(film.len(), 2 * CHUNKS, "moment {moment}");
        for (key, bytes) in &served {
            assert!(film.get(key) == Some(bytes), "{key:?} at moment {moment}");
        }
        // The first event may have been given up before anything of it was acknowledged.
        let bucket = Origin::new(Bucket::new(Arc::clone(&world.store)).prefix(name("live")));
        let films = ["events/news.ism", "events/news.2.ism"].map(|name| fragments(&bucket, name));
        assert!(films.contains(&film), "film of moment {moment}");
    }
    assert!(went_on > 20, "{went_on}");
}

#[test]
fn a_store_that_fails_leaves_the_last_snapshot() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(8));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    let way = Way::to(&world.store);
    let follower = world.follower(&way);
    way.left.store(0, Relaxed);
    let manifest = format!("/{POINT}/Manifest");
    assert_eq!(testkit::get(&follower, &manifest).unwrap_err().kind.status(), 503);
    way.left.store(i64::MAX, Relaxed);
    world.pass(2);
    ingest.push_both(&encoders, 0..6);
    let text = testkit::get(&follower, &manifest).unwrap();
    way.left.store(0, Relaxed);
    world.pass(2);
    ingest.push_both(&encoders, 6..8);
    assert_eq!(testkit::get(&follower, &manifest).unwrap(), text);
    way.left.store(i64::MAX, Relaxed);
    world.pass(2);
    assert_same(&fragments(&follower, POINT), &fragments(&ingest.origin, POINT), "live");
}

#[test]
fn after_the_end_followers_serve_the_whole_film_as_the_ingest_does() {
    let options = PointOptions::default().window(Some(Duration::from_secs(10)));
    let (world, encoders) = (World::new(options), encoders(64));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    let (way, at) = (Way::to(&world.store), format!("/{POINT}/Manifest"));
    let early = world.follower(&way);
    for number in 0..60 {
        ingest.push_both(&encoders, number..number + 1);
        world.pass(2);
        if number >= 2 {
            testkit::get(&early, &at).unwrap();
        }
    }
    assert_eq!(status(&early, "video", 10), 404);
    assert!(ingest.stop());
    world.pass(20);
    let late = world.follower(&Way::to(&world.store));
    let film = fragments(&ingest.origin, POINT);
    assert_eq!(film.len(), 120);
    way.counts();
    for follower in [&early, &late] {
        assert_same(&fragments(follower, POINT), &film, "the film");
        assert_eq!(manifests(follower), manifests(&ingest.origin));
    }
    // While nothing of the next event is published, the film stays.
    ingest.point.start();
    let pushed = |stream: &Encoder, number: usize| {
        let mut push = ingest.point.begin(Some("2"), stream.stream, "192.0.2.1").unwrap();
        push.push(&stream.head).unwrap();
        push.push(&stream.fragments[number]).unwrap();
        block_on(push.end()).unwrap();
    };
    pushed(&encoders[0], 60);
    world.pass(10);
    let begun = world.follower(&Way::to(&world.store));
    for follower in [&early, &late, &begun] {
        assert_same(&fragments(follower, POINT), &film, "the film, still");
    }
    (60..64).for_each(|number| encoders.iter().for_each(|of| pushed(of, number)));
    world.pass(10);
    let live = fragments(&ingest.origin, POINT);
    for follower in [&early, &late, &begun] {
        assert_same(&fragments(follower, POINT), &live, "the next event");
        assert_same(&fragments(follower, "events/news.ism"), &film, "the film of the first one");
    }
}

#[test]
fn an_event_is_a_film_of_its_own_name_when_it_has_ended_and_not_before() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(8));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    let way = Way::to(&world.store);
    let follower = world.follower(&way);
    let film = "/events/news.ism/Manifest";
    ingest.push_both(&encoders, 0..6);
    assert_eq!(testkit::status(&follower, film), 404);
    ingest.push_both(&encoders, 6..8);
    assert!(ingest.stop());
    world.pass(10);
    // A store that fails is no store without the film.
    way.left.store(0, Relaxed);
    assert_eq!(testkit::status(&follower, film), 503);
    way.left.store(i64::MAX, Relaxed);
    world.pass(10);
    assert_eq!(fragments(&follower, "events/news.ism").len(), 16);
    assert_eq!(testkit::status(&follower, "/events/other.ism/Manifest"), 404);
}

#[test]
fn no_spelling_of_a_name_and_no_other_name_takes_a_point_away() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(8));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    let follower = world.follower_of(&Way::to(&world.store), 2);
    let asked = |name: &str| testkit::status(&follower, &format!("/events/{name}.isml/Manifest"));
    for name in ["NEWS", "News", "a", "b", "c"] {
        assert_eq!(asked(name), 404, "{name}");
    }
    ingest.push_both(&encoders, 0..6);
    world.pass(2);
    for name in ["NEWS", "news", "NEWS", "neWS"] {
        let is_found = name != "NEWS" || asked("news") == 200;
        assert_eq!((asked(name), is_found), (200, true), "{name}");
    }
    for name in ["a", "b", "c"] {
        assert_eq!((asked(name), asked("news")), (404, 200), "{name}");
    }
    // What goes on and is asked for stays; after a minute, or at the end, it goes.
    let follower = world.follower_of(&Way::to(&world.store), 1);
    let asked = |name: &str| testkit::status(&follower, &format!("/events/{name}.isml/Manifest"));
    assert_eq!((asked("news"), asked("a")), (200, 503));
    world.pass(61);
    assert_eq!((asked("a"), asked("news"), asked("a")), (404, 200, 503));
    assert!(ingest.stop());
    world.pass(10);
    assert_eq!((asked("news"), asked("a"), asked("news")), (200, 404, 200));
}

#[test]
fn an_event_has_more_tracks_than_one_header() {
    let world = World::new(PointOptions::default());
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    let spec = |number: u32| {
        let name = format!("sound{number}").leak();
        Spec { name, ..audio(1, 64_000) }
    };
    let specs: Vec<_> = (0..70).map(spec).collect();
    for number in 0..4 {
        for spec in &specs {
            let mut push = ingest.point.begin(None, spec.name, "192.0.2.1").unwrap();
            push.push(&header(std::slice::from_ref(spec))).unwrap();
            push.push(&spec.fragment(number * i64::from(TICKS), TICKS, 0)).unwrap();
            block_on(push.end()).unwrap();
        }
        world.pass(20);
        ingest.point.tick();
    }
    let live = fragments(&ingest.origin, POINT);
    assert!(live.len() > 70, "{}", live.len());
    let follower = world.follower(&Way::to(&world.store));
    assert_same(&fragments(&follower, POINT), &live, "live");
}

#[test]
fn without_the_right_to_delete_nothing_fails_and_parts_stay() {
    let world = World::new(PointOptions::default());
    let way = Way::to(&world.store);
    way.keeps.store(true, Relaxed);
    let archive = world.archive(&way);
    let file = name("news.journal");
    for number in 0..200 {
        block_on(archive.append(&file, number * 4, Bytes::from_static(b"more"))).unwrap();
        world.pass(2);
    }
    // It is tried once, and by `delete_due`, which reports it.
    assert!(way.counts()[2] < 10);
    assert!(block_on(archive.delete_due()).is_err());
    way.keeps.store(false, Relaxed);
    block_on(archive.delete_due()).unwrap();
    let source = block_on(archive.open(&file)).unwrap();
    assert_eq!(block_on(source.read(0..800)).unwrap(), "more".repeat(200));
    let left = block_on(world.store.list(None).count());
    assert!(left < 100, "{left}");
}

/// Checks the promises of an archive without files.
fn keeps_its_promises(archive: &impl Archive) {
    let (file, other) = (name("a/video.ismv"), name("a/news.held"));
    let append = |name, offset, bytes: &'static str| {
        block_on(archive.append(name, offset, Bytes::from_static(bytes.as_bytes())))
    };
    let holds = |name, content: &str| {
        let source = block_on(archive.open(name)).unwrap();
        assert_eq!(block_on(source.stat()).unwrap().size, content.len() as u64, "{content}");
        assert_eq!(block_on(source.read(0..content.len() as u64)).unwrap(), content);
        let last = block_on(source.read(content.len() as u64 - 1..content.len() as u64)).unwrap();
        assert!(content.as_bytes().ends_with(&last));
        assert!(block_on(source.read(0..content.len() as u64 + 1)).is_err());
    };
    let missing = block_on(archive.open(&file)).err().unwrap();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(block_on(archive.follow(&file, 0)).unwrap(), "");
    append(&file, 0, "head").unwrap();
    append(&file, 4, "hal").unwrap();
    append(&file, 4, "whole").unwrap();
    append(&file, 9, "next").unwrap();
    holds(&file, "headwholenext");
    assert!(append(&file, 14, "late").is_err());
    assert!(block_on(archive.follow(&file, 0)).unwrap().starts_with(b"head"));
    assert_eq!(block_on(archive.follow(&file, 9)).unwrap(), "next");
    assert_eq!(block_on(archive.follow(&file, 13)).unwrap(), "");
    append(&file, 6, "").unwrap();
    append(&file, 6, "ole").unwrap();
    holds(&file, "headwhole");
    block_on(archive.put(&other, "content".into())).unwrap();
    append(&other, 7, "more").unwrap();
    holds(&other, "contentmore");
    block_on(archive.put(&other, "new".into())).unwrap();
    holds(&other, "new");
    for _ in 0..2 {
        block_on(archive.finish(&file)).unwrap();
        holds(&file, "headwhole");
    }
    append(&file, 4, "end").unwrap();
    holds(&file, "headend");
    append(&file, 0, "anew").unwrap();
    holds(&file, "anew");
}

#[test]
fn all_archives_keep_the_same_promises() {
    keeps_its_promises(&MemoryArchive::new());
    keeps_its_promises(&BucketArchive::new(Bucket::new(InMemory::new())));
    #[cfg(feature = "fs")]
    {
        let folder = std::env::temp_dir().join(format!("archive-promises-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        keeps_its_promises(&smooth_origin::storage::LocalArchive::new(&folder).unwrap());
        let _ = std::fs::remove_dir_all(&folder);
    }
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_store_that_hangs_holds_up_one_request_and_loses_nothing() {
    let mut hung = 0;
    for reads in 0..12 {
        let (world, encoders) = (World::new(PointOptions::default().look_ahead(0)), encoders(4));
        let ingest = world.ingest(&Way::to(&world.store)).unwrap();
        assert!((0..3).all(|number| ingest.push(&encoders[0], number)));
        let way = Way::to(&world.store);
        let follower = world.follower(&way);
        assert_eq!(fragments(&follower, POINT).len(), 3);
        // A track comes, and it is long enough ago that everything is looked at.
        ingest.push_both(&encoders, 3..4);
        world.pass(60);
        way.hangs_after.store(reads, Relaxed);
        {
            let point = name(POINT);
            let mut looking = pin!(follower.open(&point));
            if poll(looking.as_mut()).is_pending() {
                hung += 1;
                for _ in 0..3 {
                    let other = poll(pin!(follower.open(&point)));
                    assert!(matches!(other, Poll::Ready(Ok(_))), "after {reads} reads");
                }
            }
        }
        way.hangs_after.store(i64::MAX, Relaxed);
        world.pass(2);
        let (followed, all) = (fragments(&follower, POINT), fragments(&ingest.origin, POINT));
        assert_same(&followed, &all, &format!("after {reads} reads"));
    }
    assert!((2..12).contains(&hung), "{hung}");
}
