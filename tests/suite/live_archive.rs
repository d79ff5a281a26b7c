//! The archive of a live event: what a process that ends at any byte has acknowledged is in the film.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use smooth_origin::Name;
use smooth_origin::live::{PointOptions, PointState};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{LiveOptions, LivePoint, LivePoints, Origin, block_on};
use smooth_origin::storage::{Archive, MemoryArchive, MemoryStore, Source};
use testkit::film::{self, Style, Track};

/// An archive of a process that ends after so many bytes.
#[derive(Clone)]
struct EndsAfter(MemoryArchive, Arc<Mutex<u64>>);

impl EndsAfter {
    fn new(archive: &MemoryArchive, bytes: u64) -> Self {
        Self(archive.clone(), Arc::new(Mutex::new(bytes)))
    }

    fn left(&self) -> u64 {
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

const CHUNKS: usize = 8;
const TICKS: u32 = 20_000_000;

/// What an encoder sends of a stream: its header, and its fragments.
struct Encoder {
    stream: &'static str,
    head: Bytes,
    fragments: Vec<Bytes>,
}

fn encoders() -> [Encoder; 2] {
    [("video", StreamKind::Video, 300), ("audio", StreamKind::Audio, 40)].map(
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
struct Process {
    points: LivePoints,
    point: Arc<LivePoint>,
    origin: Origin,
}

impl Process {
    fn begin(archive: impl Archive) -> Option<Self> {
        let points = LivePoints::new(LiveOptions::default().archive(archive).memory_per_file(0));
        let name = Name::new("news.isml").unwrap();
        let point = block_on(points.recover(name, PointOptions::default())).ok()?;
        let origin = Origin::builder(MemoryStore::new()).live(points.clone()).build();
        Some(Self { points, point, origin })
    }

    /// Pushes a fragment with its header. Returns whether it is acknowledged.
    fn push(&self, encoder: &Encoder, number: usize) -> bool {
        let mut push = self.point.begin(None, encoder.stream, "192.0.2.1").unwrap();
        push.push(&encoder.head).unwrap();
        push.push(&encoder.fragments[number]).unwrap();
        block_on(push.end()).is_ok()
    }

    /// Pushes everything from the first fragments that are not acknowledged on. Returns whether all were.
    fn push_all(&self, encoders: &[Encoder], acknowledged: &mut [usize; 2]) -> bool {
        for number in 0..CHUNKS {
            for (encoder, acknowledged) in encoders.iter().zip(&mut *acknowledged) {
                if number < *acknowledged {
                    continue;
                }
                if !self.push(encoder, number) {
                    return false;
                }
                *acknowledged = number + 1;
            }
        }
        true
    }

    fn stop(&self) -> bool {
        self.point.stop();
        block_on(self.point.acknowledge()).is_ok()
    }
}

/// All fragments that an origin serves of a presentation, by stream and time.
fn fragments(origin: &Origin, name: &str) -> BTreeMap<(String, u64), Bytes> {
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

async fn collect(mut body: smooth_origin::origin::Body) -> Bytes {
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        bytes.extend_from_slice(&part.unwrap());
    }
    bytes.into()
}

/// The samples of a fragment.
fn samples(fragment: &Bytes) -> Bytes {
    let moof = u32::from_be_bytes(fragment[..4].try_into().unwrap()) as usize;
    fragment.slice(moof + 8..)
}

fn check_film(archive: &MemoryArchive, encoders: &[Encoder]) -> BTreeMap<(String, u64), Bytes> {
    let origin = Origin::new(archive.store().clone());
    let opened = block_on(origin.open(&Name::new("news.ism").unwrap())).unwrap();
    let findings = opened.presentation().findings();
    assert!(findings.is_empty(), "{findings:?}");
    let film = fragments(&origin, "news.ism");
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
        let ended = acknowledged == [CHUNKS; 2] && process.point.state() == PointState::Idle;
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
    assert!(process.push_all(&encoders, &mut [5; 2]) && process.stop());
    let origin = Origin::new(LocalStore::new(&folder).unwrap());
    let film = fragments(&origin, "news.ism");
    assert_eq!(film.len(), 2 * CHUNKS);
    let _ = std::fs::remove_dir_all(&folder);
}
