//! The archive of a live event: what a process that ends at any byte has acknowledged is in the film.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use smooth_origin::Name;
use smooth_origin::live::{PointOptions, PointState};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Clock, LiveOptions, LivePoint, LivePoints, Origin, block_on};
use smooth_origin::storage::{Archive, MemoryArchive, MemoryStore, RangeSource, Source, Store};
use testkit::Hands;
use testkit::film::{self, Style, Track};

/// An archive of a process that ends after so many bytes.
#[derive(Clone)]
pub(crate) struct EndsAfter(MemoryArchive, Arc<Mutex<u64>>);

impl EndsAfter {
    pub(crate) fn new(archive: &MemoryArchive, bytes: u64) -> Self {
        Self(archive.clone(), Arc::new(Mutex::new(bytes)))
    }

    pub(crate) fn left(&self) -> u64 {
        *self.1.lock().unwrap()
    }

    fn spend(&self, wanted: usize) -> usize {
        let mut left = self.1.lock().unwrap();
        let spent = wanted.min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= spent as u64;
        spent
    }
}

fn ended() -> io::Error {
    io::Error::other("the process has ended")
}

impl Archive for EndsAfter {
    async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
        let spent = self.spend(bytes.len().max(1));
        if spent == 0 {
            return Err(ended());
        }
        self.0.append(name, offset, bytes.slice(..spent.min(bytes.len()))).await?;
        if spent < bytes.len() { Err(ended()) } else { Ok(()) }
    }

    async fn finish(&self, name: &Name) -> io::Result<()> {
        self.0.finish(name).await
    }

    async fn open(&self, name: &Name) -> io::Result<Source> {
        self.0.open(name).await
    }

    async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
        let (wanted, spent) = (content.len(), self.spend(content.len()));
        if spent < wanted { Err(ended()) } else { self.0.put(name, content).await }
    }
}

pub(crate) const CHUNKS: usize = 8;
pub(crate) const TICKS: u32 = 20_000_000;

/// A stream as an encoder sends it: its header, and its fragments.
pub(crate) struct Encoder {
    pub(crate) stream: &'static str,
    pub(crate) head: Bytes,
    pub(crate) fragments: Vec<Bytes>,
}

fn encoders() -> [Encoder; 2] {
    encoders_of(300)
}

/// Two encoders whose fragments of video have samples of this size.
pub(crate) fn encoders_of(size: u32) -> [Encoder; 2] {
    [("video", StreamKind::Video, size), ("audio", StreamKind::Audio, 40)].map(
        |(stream, kind, size)| {
            let track = Track::regular(1, kind, CHUNKS as u32, TICKS, size);
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

/// A process with a publishing point, which goes on with what the archive has.
pub(crate) struct Process {
    pub(crate) points: LivePoints,
    pub(crate) point: Arc<LivePoint>,
    pub(crate) origin: Origin,
}

impl Process {
    fn begin(archive: impl Archive) -> Option<Self> {
        Self::with(archive, PointOptions::default())
    }

    /// A process in which no time passes.
    pub(crate) fn with(archive: impl Archive, options: PointOptions) -> Option<Self> {
        Self::by(Hands::default().clock(), archive, options)
    }

    pub(crate) fn by(clock: Clock, archive: impl Archive, options: PointOptions) -> Option<Self> {
        let points = LivePoints::new(LiveOptions::default().archive(archive).memory_per_file(0));
        let builder = Origin::builder(MemoryStore::new()).clock(clock);
        let origin = builder.live(points.clone()).build();
        let name = Name::new("news.isml").unwrap();
        let point = block_on(points.recover(name, options)).ok()?;
        // Films of events that have ended.
        block_on(points.settle());
        Some(Self { points, point, origin })
    }

    /// Pushes a fragment with its header. Returns whether it is acknowledged.
    pub(crate) fn push(&self, encoder: &Encoder, number: usize) -> bool {
        self.push_to(None, encoder, number)
    }

    fn push_to(&self, event: Option<&str>, encoder: &Encoder, number: usize) -> bool {
        let mut push = self.point.begin(event, encoder.stream, "192.0.2.1").unwrap();
        push.push(&encoder.head).unwrap();
        push.push(&encoder.fragments[number]).unwrap();
        block_on(push.end()).is_ok()
    }

    /// Pushes everything from the first fragments that are not acknowledged on. Returns whether all were.
    fn push_all(&self, encoders: &[Encoder], acknowledged: &mut [usize; 2]) -> bool {
        self.push_all_to(None, encoders, acknowledged)
    }

    pub(crate) fn push_all_to(
        &self,
        event: Option<&str>,
        encoders: &[Encoder],
        acknowledged: &mut [usize; 2],
    ) -> bool {
        for number in 0..CHUNKS {
            for (encoder, acknowledged) in encoders.iter().zip(&mut *acknowledged) {
                if number < *acknowledged {
                    continue;
                }
                if !self.push_to(event, encoder, number) {
                    return false;
                }
                *acknowledged = number + 1;
            }
        }
        true
    }

    pub(crate) fn stop(&self) -> bool {
        self.point.stop();
        block_on(self.point.acknowledge()).is_ok()
    }
}

/// All fragments that an origin serves of a presentation, by stream and time.
pub(crate) fn fragments(origin: &Origin, name: &str) -> BTreeMap<(String, u64), Bytes> {
    let mut found = BTreeMap::new();
    let Ok(opened) = block_on(origin.open(&Name::new(name).unwrap())) else { return found };
    for stream in opened.presentation().streams() {
        for (time, _) in stream.timeline().iter() {
            let (bitrate, stream) = (stream.tracks()[0].bitrate(), stream.name());
            let path = format!("/{name}/QualityLevels({bitrate})/Fragments({stream}={time})");
            let body = testkit::served(origin, &path).unwrap().body();
            found.insert((stream.to_owned(), time), block_on(collect(body)));
        }
    }
    found
}

pub(crate) async fn collect(mut body: smooth_origin::origin::Body) -> Bytes {
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        bytes.extend_from_slice(&part.unwrap());
    }
    bytes.into()
}

/// The samples of a fragment.
pub(crate) fn samples(fragment: &Bytes) -> Bytes {
    let moof = u32::from_be_bytes(fragment[..4].try_into().unwrap()) as usize;
    fragment.slice(moof + 8..)
}

fn check_film(archive: &MemoryArchive, encoders: &[Encoder]) -> BTreeMap<(String, u64), Bytes> {
    let origin = Origin::new(archive.store().clone());
    // An event of which nothing was written has a number even so.
    let files = block_on(archive.store().list(None)).unwrap();
    let films: Vec<_> = files.iter().filter(|file| file.as_str().ends_with(".ism")).collect();
    let [name] = films[..] else { panic!("{films:?}") };
    let opened = block_on(origin.open(name)).unwrap();
    let findings = opened.presentation().findings();
    assert!(findings.is_empty(), "{findings:?}");
    let film = fragments(&origin, name.as_str());
    for encoder in encoders {
        for (number, fragment) in encoder.fragments.iter().enumerate() {
            let key = (encoder.stream.to_owned(), number as u64 * u64::from(TICKS));
            let stored = film.get(&key).unwrap_or_else(|| panic!("{key:?} is lost"));
            assert_eq!(samples(stored), samples(fragment), "{key:?}");
        }
    }
    film
}

#[test]
fn a_live_event_and_its_archive_are_the_same() {
    let (encoders, archive) = (encoders(), MemoryArchive::new());
    let process = Process::begin(archive.clone()).unwrap();
    assert!(process.push_all(&encoders, &mut [0; 2]));
    assert_eq!(process.point.state(), PointState::Started);
    let live = process.point.presentation().unwrap();
    let served = fragments(&process.origin, "news.isml");
    assert_eq!(served.len(), 2 * (CHUNKS - 2));
    assert!(process.stop());
    let film = check_film(&archive, &encoders);
    for (key, bytes) in &served {
        assert_eq!(film[key], bytes, "{key:?}");
    }
    // Names, bitrates and chunks are those of the last live manifest, and of the film at the same URLs.
    let origin = Origin::new(archive.store().clone());
    let archived = block_on(origin.open(&Name::new("news.ism").unwrap())).unwrap();
    let archived = archived.presentation();
    let ended = process.point.presentation().unwrap();
    for (stream, of) in archived.streams().iter().zip(live.streams()) {
        assert_eq!((stream.name(), stream.kind()), (of.name(), of.kind()));
        assert_eq!(stream.tracks()[0].bitrate(), of.tracks()[0].bitrate());
        let begin: Vec<_> = stream.timeline().iter().take(of.timeline().len()).collect();
        assert_eq!(begin, of.timeline().iter().collect::<Vec<_>>());
    }
    assert_eq!(archived.manifest().unwrap(), ended.manifest().unwrap());
    drop(process.points);
}

#[test]
fn a_process_that_ends_at_any_byte_has_lost_nothing_that_it_acknowledged() {
    let encoders = encoders();
    let whole = EndsAfter::new(&MemoryArchive::new(), u64::MAX);
    let process = Process::begin(whole.clone()).unwrap();
    assert!(process.push_all(&encoders, &mut [0; 2]) && process.stop());
    let bytes = u64::MAX - whole.left();
    let (moments, mut went_on) = (250, 0);
    for moment in 0..moments {
        let archive = MemoryArchive::new();
        let mut acknowledged = [0; 2];
        let dying = EndsAfter::new(&archive, bytes * moment / moments);
        let mut served = BTreeMap::new();
        if let Some(process) = Process::begin(dying) {
            let all = process.push_all(&encoders, &mut acknowledged);
            assert!(!(all && process.stop()), "moment {moment}");
            served = fragments(&process.origin, "news.isml");
        }
        let process = Process::begin(archive.clone()).unwrap();
        let ended = acknowledged == [CHUNKS; 2] && process.point.state() == PointState::Stopped;
        if !ended {
            went_on += u32::from(process.point.state() != PointState::Idle);
            assert!(process.push_all(&encoders, &mut acknowledged), "moment {moment}");
            assert!(process.stop(), "moment {moment}");
        }
        let film = check_film(&archive, &encoders);
        for (key, bytes) in &served {
            assert_eq!(film.get(key), Some(bytes), "{key:?} at moment {moment}");
        }
    }
    assert!(went_on > 100);
}

#[cfg(feature = "fs")]
#[test]
fn a_folder_is_an_archive_and_then_a_presentation() {
    use smooth_origin::storage::{LocalArchive, LocalStore};
    let folder = std::env::temp_dir().join(format!("live-archive-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let encoders = encoders();
    {
        let process = Process::begin(LocalArchive::new(&folder).unwrap()).unwrap();
        (0..5).for_each(|number| {
            assert!(encoders.iter().all(|encoder| process.push(encoder, number)));
        });
        // Memory has nothing of what the archive has.
        assert_eq!(fragments(&process.origin, "news.isml").len(), 6);
    }
    let process = Process::begin(LocalArchive::new(&folder).unwrap()).unwrap();
    assert_eq!(process.point.state(), PointState::Started);
    assert_eq!(fragments(&process.origin, "news.isml").len(), 6);
    // The same folder is the store of the origin.
    let store = LocalStore::new(&folder).unwrap();
    let origin = Origin::builder(store).live(process.points.clone()).build();
    assert!(process.push_all(&encoders, &mut [5; 2]) && process.stop());
    assert_eq!(fragments(&origin, "news.isml").len(), 2 * CHUNKS);
    let origin = Origin::new(LocalStore::new(&folder).unwrap());
    let film = fragments(&origin, "news.ism");
    assert_eq!(film.len(), 2 * CHUNKS);
    let _ = std::fs::remove_dir_all(&folder);
}

/// Fragments that an encoder sent, by stream and time.
fn check_samples(film: &BTreeMap<(String, u64), Bytes>, encoders: &[Encoder]) {
    assert_eq!(film.len(), encoders.len() * CHUNKS);
    for encoder in encoders {
        for (number, fragment) in encoder.fragments.iter().enumerate() {
            let key = (encoder.stream.to_owned(), number as u64 * u64::from(TICKS));
            assert_eq!(samples(&film[&key]), samples(fragment), "{key:?}");
        }
    }
}

fn with_window() -> PointOptions {
    PointOptions::default().window(Some(std::time::Duration::from_secs(4)))
}

#[test]
fn an_event_that_has_ended_is_a_whole_film_at_its_own_url_also_after_a_restart() {
    let (encoders, archive) = (encoders(), MemoryArchive::new());
    let process = Process::with(archive.clone(), with_window()).unwrap();
    assert!(process.push_all(&encoders, &mut [0; 2]));
    let live = fragments(&process.origin, "news.isml");
    let opened = block_on(process.origin.open(&Name::new("news.isml").unwrap())).unwrap();
    assert!(opened.presentation().is_live());
    assert!(process.stop());
    let film = fragments(&process.origin, "news.isml");
    check_samples(&film, &encoders);
    assert_eq!(fragments(&process.origin, "news.ism"), film);
    for (key, bytes) in &live {
        assert_eq!(film[key], bytes, "{key:?}");
    }
    for path in ["Manifest", "manifest.mpd", "master.m3u8"] {
        assert!(testkit::served(&process.origin, &format!("/news.isml/{path}")).is_ok(), "{path}");
    }
    let process = Process::with(archive.clone(), with_window()).unwrap();
    assert_eq!(fragments(&process.origin, "news.isml"), film);
    // The next event is shown when it publishes, and the film keeps its own name.
    process.point.start();
    let other = encoders_of(200);
    assert!(process.push(&other[0], 0));
    assert_eq!(fragments(&process.origin, "news.isml"), film);
    assert!(process.push_all(&other, &mut [1, 0]));
    assert_ne!(fragments(&process.origin, "news.isml"), film);
    assert!(process.stop());
    check_samples(&fragments(&process.origin, "news.isml"), &other);
    assert_eq!(fragments(&process.origin, "news.ism"), film);
    assert_eq!(fragments(&process.origin, "news.2.ism").len(), 2 * CHUNKS);
}

#[test]
fn events_that_are_named_alike_do_not_share_a_file() {
    let archive = MemoryArchive::new();
    let films = [
        (Some("a b"), 300),
        (Some("a_b"), 310),
        (Some("A_B "), 320),
        (Some("a b"), 330),
        (None, 340),
    ];
    for (event, size) in films {
        let (process, encoders) = (Process::begin(archive.clone()).unwrap(), encoders_of(size));
        // The operator lets the same EventID come again.
        process.point.stop();
        process.point.start();
        assert!(process.push_all_to(event, &encoders, &mut [0; 2]), "{event:?}");
        assert!(process.stop());
    }
    let origin = Origin::new(archive.store().clone());
    let names = ["news.1.a_b", "news.2.a_b", "news.3.A_B_", "news.4.a_b", "news.5"];
    for (name, (_, size)) in names.iter().zip(films) {
        check_samples(&fragments(&origin, &format!("{name}.ism")), &encoders_of(size));
    }
}

#[test]
fn an_event_that_has_ended_is_refused_after_a_restart() {
    let (encoders, archive) = (encoders(), MemoryArchive::new());
    for event in ["first", "Second"] {
        let process = Process::begin(archive.clone()).unwrap();
        assert!(process.push_all_to(Some(event), &encoders, &mut [0; 2]));
    }
    let process = Process::begin(archive.clone()).unwrap();
    let takes = |process: &Process, event| process.point.begin(event, "video", "192.0.2.1").is_ok();
    assert!(!takes(&process, Some("FIRST")) && takes(&process, Some("Second")));
    end_by_encoders(&process, Some("Second"), &encoders);
    let process = Process::begin(archive.clone()).unwrap();
    for event in [Some("FIRST"), Some("second"), None] {
        assert!(!takes(&process, event), "{event:?}");
    }
    assert!(takes(&process, Some("third")));
}

/// Encoders say that nothing follows.
fn end_by_encoders(process: &Process, event: Option<&str>, encoders: &[Encoder]) {
    for encoder in encoders {
        let mut push = process.point.begin(event, encoder.stream, "192.0.2.1").unwrap();
        push.push(&encoder.head).unwrap();
        push.push(&Bytes::from_static(b"\0\0\0\x08mfra")).unwrap();
        block_on(push.end()).unwrap();
    }
    assert_eq!(process.point.state(), PointState::Stopped);
}

#[test]
fn a_point_takes_pushes_after_a_restart_as_it_did_before() {
    let (encoders, archive) = (encoders(), MemoryArchive::new());
    let begin = || Process::begin(archive.clone()).unwrap();
    let takes = |event| {
        // A process that has done nothing changes nothing for the next one.
        let taken = || begin().point.begin(event, "video", "192.0.2.1").is_ok();
        (taken(), taken())
    };
    let (yes, no) = ((true, true), (false, false));
    let process = begin();
    assert!(process.push_all(&encoders, &mut [0; 2]));
    assert_eq!(takes(None), yes);
    // The encoders end the event.
    end_by_encoders(&process, None, &encoders);
    assert_eq!((takes(None), takes(Some("a"))), (no, yes));
    let order = |order: fn(&LivePoint)| {
        let process = begin();
        order(&process.point);
        block_on(process.points.settle());
    };
    order(LivePoint::start);
    assert_eq!((takes(None), takes(Some("a"))), (yes, yes));
    // The operator stops the point, whether an event goes on or not.
    order(LivePoint::stop);
    assert_eq!((takes(None), takes(Some("a"))), (no, no));
    order(LivePoint::start);
    assert!(begin().push_all_to(Some("a"), &encoders, &mut [0; 2]) && begin().stop());
    assert_eq!((takes(None), takes(Some("b"))), (no, no));
    order(LivePoint::start);
    assert_eq!((takes(None), takes(Some("b"))), (yes, yes));
    // The host takes the point away, which no operator has stopped.
    let process = begin();
    assert!(block_on(process.points.remove(process.point.name())));
    assert_eq!((takes(None), takes(Some("b"))), (yes, yes));
}

#[test]
fn an_event_that_has_become_a_film_takes_no_memory_for_its_media() {
    let (encoders, archive) = (encoders_of(30_000), MemoryArchive::new());
    let points = LivePoints::new(LiveOptions::default().archive(archive.clone()));
    let name = Name::new("news.isml").unwrap();
    let point = block_on(points.recover(name, PointOptions::default())).unwrap();
    let origin = Origin::builder(MemoryStore::new()).live(points.clone()).build();
    let process = Process { points, point, origin };
    assert!(process.push_all(&encoders, &mut [0; 2]));
    assert!(process.point.memory() > 60_000, "the newest fragments stay");
    assert!(process.stop());
    let heads: usize = encoders.iter().map(|encoder| encoder.head.len()).sum();
    assert!(process.point.memory() <= heads as u64, "{}", process.point.memory());
    check_samples(&fragments(&process.origin, "news.isml"), &encoders);
}

/// A process without an archive, whose points have so many bytes of memory.
fn without_archive(memory: u64) -> Process {
    let points = LivePoints::new(LiveOptions::default().memory(memory));
    let builder = Origin::builder(MemoryStore::new()).clock(Hands::default().clock());
    let origin = builder.live(points.clone()).build();
    let name = Name::new("news.isml").unwrap();
    let point = block_on(points.recover(name, PointOptions::default())).unwrap();
    Process { points, point, origin }
}

#[test]
fn a_film_takes_memory_until_the_next_event_is_shown_in_its_place() {
    let (encoders, process) = (encoders_of(30_000), without_archive(1 << 30));
    assert!(process.push_all_to(Some("first"), &encoders, &mut [0; 2]));
    end_by_encoders(&process, Some("first"), &encoders);
    let film = process.point.memory();
    assert!(film > 200_000, "{film}");
    let mut push = process.point.begin(Some("second"), "video", "192.0.2.1").unwrap();
    push.push(&encoders[0].head).unwrap();
    block_on(push.end()).unwrap();
    assert_eq!(process.point.memory(), film);
    assert!(process.push_all_to(Some("second"), &encoders, &mut [6, 6]));
    process.point.stop();
    assert!(process.point.memory() < film / 2, "{}", process.point.memory());
}

#[test]
fn the_film_of_an_event_that_another_one_ended_is_served_until_that_is_shown() {
    for with_archive in [false, true] {
        let encoders = encoders();
        let process = match with_archive {
            true => Process::begin(MemoryArchive::new()).unwrap(),
            false => without_archive(1 << 30),
        };
        assert!(process.push_all_to(Some("first"), &encoders, &mut [0; 2]));
        let mut push = process.point.begin(Some("second"), "video", "192.0.2.1").unwrap();
        push.push(&encoders[0].head).unwrap();
        block_on(push.end()).unwrap();
        check_samples(&fragments(&process.origin, "news.isml"), &encoders);
        assert!(process.push_to(Some("second"), &encoders[0], 0));
        check_samples(&fragments(&process.origin, "news.isml"), &encoders);
    }
}

/// The header with a box for the protection of its tracks of so many bytes.
fn with_pssh(head: &Bytes, size: usize) -> Bytes {
    let at = head.windows(4).position(|word| word == b"moov").unwrap() - 4;
    let (before, moov) = head.split_at(at);
    let pssh = [&(size as u32 + 32).to_be_bytes()[..], b"pssh\0\0\0\0", &[7; 16]].concat();
    let pssh = [&pssh[..], &(size as u32).to_be_bytes(), &vec![1; size]].concat();
    let len = ((moov.len() + pssh.len()) as u32).to_be_bytes();
    [before, &len, &moov[4..], &pssh].concat().into()
}

#[test]
fn headers_count_as_memory() {
    let process = without_archive(4 << 20);
    let head = with_pssh(&encoders()[0].head, 200_000);
    let push = |number: u32| {
        let mut push = process.point.begin(None, "video", &format!("192.0.2.{number}"))?;
        push.push(&head)?;
        block_on(push.end())?;
        process.point.tick();
        Ok::<_, smooth_origin::Error>(())
    };
    let refused = (0..100).find_map(|number| push(number).err());
    assert_eq!(refused.expect("20 MB in a memory of 4 MB").kind.status(), 503);
}

#[test]
fn fragments_of_a_track_without_a_file_count_with_their_head() {
    let tracks = [1, 2].map(|id| Track::regular(id, StreamKind::Video, 200, TICKS, 10));
    let media = film::media(&tracks, Style { tfxd: true, mfra: false });
    let bytes = Bytes::from(media.to_bytes());
    let part = |range: &std::ops::Range<u64>| bytes.slice(range.start as usize..range.end as usize);
    let head = part(&(0..media.fragments[0].2.start));
    let of_first: Vec<_> = media.fragments.iter().filter(|(track, ..)| *track == 1).collect();
    assert!(of_first.len() > 100);
    let written = EndsAfter::new(&MemoryArchive::new(), u64::MAX);
    let process = Process::begin(written.clone()).unwrap();
    let mut push = process.point.begin(None, "video", "192.0.2.1").unwrap();
    push.push(&head).unwrap();
    // The other one may come: nothing is published.
    for (.., range) in &of_first {
        push.push(&part(range)).unwrap();
        block_on(push.settle()).unwrap();
    }
    let status = process.point.status();
    let least = of_first.len() as u64 * head.len() as u64 / 2;
    assert!(status.held_bytes > least, "{} {least}", status.held_bytes);
    // The archive gets the head once.
    let (written, fragments) = (u64::MAX - written.left(), of_first.len() as u64);
    assert!(written < fragments * (head.len() as u64 / 2 + 250), "{written}");
    drop(push);
}

#[test]
fn the_end_of_a_process_is_not_the_end_of_its_events() {
    let (encoders, archive) = (encoders(), MemoryArchive::new());
    let process = Process::begin(archive.clone()).unwrap();
    (0..4).for_each(|number| {
        assert!(encoders.iter().all(|encoder| process.push(encoder, number)));
    });
    let mut push = process.point.begin(None, "video", "192.0.2.1").unwrap();
    push.push(&encoders[0].fragments[3]).unwrap();
    process.points.suspend();
    assert_eq!(push.push(&encoders[0].fragments[4]).unwrap_err().kind.status(), 503);
    drop(push);
    let mut late = process.point.begin(None, "video", "192.0.2.1").unwrap();
    assert_eq!(late.push(&encoders[0].fragments[4]).unwrap_err().kind.status(), 503);
    drop(late);
    block_on(process.points.settle());
    let process = Process::begin(archive.clone()).unwrap();
    assert_eq!(process.point.state(), PointState::Started);
    assert!(process.push_all(&encoders, &mut [4; 2]) && process.stop());
    check_film(&archive, &encoders);
    let files = block_on(archive.store().list(None)).unwrap();
    assert!(files.iter().all(|file| !file.as_str().contains(".2.")), "{files:?}");
}

#[test]
fn a_first_push_goes_on_with_the_event_that_the_archive_has() {
    let (encoders, archive) = (encoders(), MemoryArchive::new());
    let process = Process::begin(archive.clone()).unwrap();
    (0..4).for_each(|number| {
        assert!(encoders.iter().all(|encoder| process.push(encoder, number)));
    });
    let options = LiveOptions::default().archive(archive.clone());
    let points = LivePoints::new(options.on_first_push(|_| Some(PointOptions::default())));
    let name = Name::new("news.isml").unwrap();
    assert!(points.create(name.clone(), PointOptions::default()).is_err());
    let point = block_on(points.for_push(&name)).unwrap();
    assert_eq!(point.state(), PointState::Started);
    // Taking it away ends the event.
    assert!(block_on(points.remove(&name)));
    let origin = Origin::new(archive.store().clone());
    assert_eq!(fragments(&origin, "news.ism").len(), 8);
}

#[test]
fn an_event_that_cannot_be_closed_or_recovered_does_not_hold_up_others() {
    let (encoders, archive) = (encoders(), MemoryArchive::new());
    let journal = Name::new("news.journal").unwrap();
    let spoil = || {
        let source = block_on(archive.store().open(&journal)).unwrap();
        let size = block_on(source.stat()).unwrap().size;
        let mut content = block_on(source.read(0..size)).unwrap().to_vec();
        content[..6].copy_from_slice(b"spoilt");
        block_on(archive.put(&journal, content.into())).unwrap();
    };
    let process = Process::begin(archive.clone()).unwrap();
    assert!(process.push(&encoders[0], 0));
    spoil();
    assert!(process.stop(), "nothing waits for the archive");
    process.point.start();
    assert!(process.push_all(&encoders, &mut [0; 2]) && process.stop());
    let origin = Origin::new(archive.store().clone());
    check_samples(&fragments(&origin, "news.2.ism"), &encoders);
    // Recovery.
    let archive = MemoryArchive::new();
    let process = Process::begin(archive.clone()).unwrap();
    assert!(process.push(&encoders[0], 0));
    block_on(archive.put(&journal, "my diary".into())).unwrap();
    assert!(Process::begin(archive.clone()).is_none());
    let options = LiveOptions::default().archive(archive.clone());
    let points = LivePoints::new(options.on_first_push(|_| Some(PointOptions::default())));
    let name = Name::new("news.isml").unwrap();
    let origin = Origin::builder(MemoryStore::new()).live(points.clone()).build();
    let point = block_on(points.for_push(&name)).unwrap();
    let process = Process { points, point, origin };
    assert!(process.push_all(&encoders, &mut [0; 2]) && process.stop());
    check_samples(&fragments(&process.origin, "news.isml"), &encoders);
    let source = block_on(archive.store().open(&journal)).unwrap();
    assert_eq!(block_on(source.read(0..8)).unwrap(), "my diary");
}
