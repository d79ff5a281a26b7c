//! Processes that end at the very beginning of an event, and archives that do not answer.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;
use futures_util::FutureExt;
use smooth_origin::Name;
use smooth_origin::live::PointOptions;
use smooth_origin::origin::{LiveOptions, LivePoints, Origin, block_on};
use smooth_origin::storage::{Archive, MemoryArchive, MemoryStore, Source, Store};
use testkit::{Hands, name};

use super::live_archive::{
    CHUNKS, Encoder, EndsAfter, Process, TICKS, encoders_of, fragments, samples,
};

/// How an event begins.
#[derive(Clone, Copy, Debug)]
struct Beginning {
    look_ahead: u32,
    /// Fragments of a track that may be in memory alone.
    held_in_memory: usize,
    /// Sound is announced before pictures come.
    is_announced: bool,
}

/// Chunks until the event has begun.
const BEGINNING: usize = 2;

impl Beginning {
    fn all() -> impl Iterator<Item = Self> {
        let with = |(look_ahead, held_in_memory)| {
            [false, true].map(|is_announced| Self { look_ahead, held_in_memory, is_announced })
        };
        [(0, 0), (0, 2), (1, 1)].into_iter().flat_map(with)
    }

    fn process(self, archive: impl Archive) -> Option<Process> {
        let options = LiveOptions::default().archive(archive).memory_per_file(0);
        let points = LivePoints::new(options.held_in_memory(self.held_in_memory));
        let builder = Origin::builder(MemoryStore::new()).clock(Hands::default().clock());
        let origin = builder.live(points.clone()).build();
        let options = PointOptions::default().look_ahead(self.look_ahead);
        let point = block_on(points.recover(name("news.isml"), options)).ok()?;
        block_on(points.settle());
        Some(Process { points, point, origin })
    }

    /// Begins an event, and says how many fragments of each track are acknowledged. Returns whether all are.
    fn push(
        self,
        process: &Process,
        encoders: &[Encoder; 2],
        acknowledged: &mut [usize; 2],
    ) -> bool {
        let [video, audio] = encoders;
        let first = self.is_announced.then(|| {
            let mut push = process.point.begin(None, audio.stream, "192.0.2.1").unwrap();
            push.push(&audio.head).unwrap();
            push
        });
        for number in 0..BEGINNING {
            if !process.push(video, number) {
                return false;
            }
            acknowledged[0] = number + 1;
        }
        let mut push = match first {
            Some(push) => push,
            None => {
                let mut push = process.point.begin(None, audio.stream, "192.0.2.1").unwrap();
                push.push(&audio.head).unwrap();
                push
            }
        };
        for fragment in &audio.fragments[..BEGINNING] {
            push.push(fragment).unwrap();
        }
        let is_acknowledged = block_on(push.end()).is_ok();
        acknowledged[1] = if is_acknowledged { BEGINNING } else { 0 };
        is_acknowledged
    }
}

/// Checks that the archive has one film, of all that was sent.
fn check_film(archive: &MemoryArchive, encoders: &[Encoder], why: &str) {
    let files = block_on(archive.store().list(None)).unwrap();
    let films: Vec<_> = files.iter().filter(|file| file.as_str().ends_with(".ism")).collect();
    let [film] = films[..] else { panic!("{films:?}, {why}") };
    let found = fragments(&Origin::new(archive.store().clone()), film.as_str());
    assert_eq!(found.len(), encoders.len() * CHUNKS, "{why}");
    for encoder in encoders {
        for (number, fragment) in encoder.fragments.iter().enumerate() {
            let key = (encoder.stream.to_owned(), number as u64 * u64::from(TICKS));
            assert_eq!(samples(&found[&key]), samples(fragment), "{key:?}, {why}");
        }
    }
}

#[test]
fn an_event_goes_on_whose_process_ended_at_any_byte_of_its_beginning() {
    let encoders = encoders_of(20);
    for beginning in Beginning::all() {
        let whole = EndsAfter::new(&MemoryArchive::new(), u64::MAX);
        let process = beginning.process(whole.clone()).unwrap();
        assert!(beginning.push(&process, &encoders, &mut [0; 2]), "{beginning:?}");
        let bytes = u64::MAX - whole.left();
        assert!(bytes < 20_000, "{bytes}");
        // No record is so short that it is passed over.
        for killed in (0..bytes).step_by(STEP) {
            let why = format!("killed after {killed} bytes of {bytes}, {beginning:?}");
            let (archive, mut acknowledged) = (MemoryArchive::new(), [0; 2]);
            if let Some(process) = beginning.process(EndsAfter::new(&archive, killed)) {
                let all = beginning.push(&process, &encoders, &mut acknowledged);
                assert!(!all, "{why}");
            }
            let process = beginning.process(archive.clone()).expect(&why);
            assert!(process.push_all_to(None, &encoders, &mut acknowledged), "{why}");
            assert!(process.stop(), "{why}");
            check_film(&archive, &encoders, &why);
        }
    }
}

/// Bytes between two kills.
const STEP: usize = 67;

#[test]
fn a_track_goes_on_in_another_file_if_the_first_one_has_lost_everything() {
    let (encoders, archive) = (encoders_of(20), MemoryArchive::new());
    let beginning = Beginning { look_ahead: 0, held_in_memory: 0, is_announced: false };
    let begin = || beginning.process(archive.clone()).unwrap();
    let mut acknowledged = [0; 2];
    assert!(beginning.push(&begin(), &encoders, &mut acknowledged));
    // The machine has gone down before the disk had the pictures.
    let files = block_on(archive.store().list(None)).unwrap();
    let is_picture = |file: &&Name| file.as_str().ends_with(".ismv");
    let video = files.iter().find(is_picture).unwrap();
    block_on(archive.append(video, encoders[0].head.len() as u64, Bytes::new())).unwrap();
    acknowledged[0] = 0;
    for number in 0..CHUNKS {
        let process = begin();
        for (encoder, acknowledged) in encoders.iter().zip(acknowledged) {
            assert!(number < acknowledged || process.push(encoder, number), "{number}");
        }
        let shown = fragments(&process.origin, "news.isml");
        assert_eq!(shown.len(), number + 1 + (number + 1).max(acknowledged[1]));
    }
    assert!(begin().stop());
    check_film(&archive, &encoders, "without its first fragments");
}

/// An archive that does not answer about one publishing point.
struct Hangs(MemoryArchive);

impl Archive for Hangs {
    async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
        self.0.append(name, offset, bytes).await
    }

    async fn finish(&self, name: &Name) -> io::Result<()> {
        self.0.finish(name).await
    }

    async fn open(&self, name: &Name) -> io::Result<Source> {
        match name.as_str().starts_with("hangs") {
            true => pending().await,
            false => self.0.open(name).await,
        }
    }

    async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
        self.0.put(name, content).await
    }
}

#[test]
fn a_point_that_cannot_be_read_holds_up_no_other_one() {
    let options = LiveOptions::default().archive(Hangs(MemoryArchive::new())).max_points(2);
    let points = LivePoints::new(options.on_first_push(|_| Some(PointOptions::default())));
    let (hangs, one, other) = (name("hangs.isml"), name("one.isml"), name("other.isml"));
    let push = |of| points.for_push(of).now_or_never();
    let mut hung = Box::pin(points.for_push(&hangs));
    assert!((&mut hung).now_or_never().is_none());
    assert!(push(&hangs).is_none(), "it is read once");
    assert!(push(&one).expect("nobody waits").is_ok());
    // A point that is read counts.
    let refused = push(&other).expect("nobody waits").unwrap_err();
    assert_eq!(refused.kind.status(), 503);
    drop(hung);
    assert!(push(&other).expect("nobody waits").is_ok());
    assert!(points.remove(&one).now_or_never().expect("nobody waits"));
}

/// An archive that counts how often media is opened, and that can be out of reach or full.
#[derive(Clone, Default)]
struct Watched {
    archive: MemoryArchive,
    opened: Arc<AtomicUsize>,
    is_away: Arc<AtomicBool>,
    is_full: Arc<AtomicBool>,
}

impl Watched {
    fn check(&self, is_so: &AtomicBool, kind: io::ErrorKind) -> io::Result<()> {
        if is_so.load(Relaxed) { Err(kind.into()) } else { Ok(()) }
    }
}

impl Archive for Watched {
    async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
        self.check(&self.is_full, io::ErrorKind::StorageFull)?;
        self.archive.append(name, offset, bytes).await
    }

    async fn finish(&self, name: &Name) -> io::Result<()> {
        self.archive.finish(name).await
    }

    async fn open(&self, name: &Name) -> io::Result<Source> {
        self.check(&self.is_away, io::ErrorKind::ConnectionRefused)?;
        self.opened.fetch_add(usize::from(name.as_str().ends_with(".ismv")), Relaxed);
        self.archive.open(name).await
    }

    async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
        self.check(&self.is_full, io::ErrorKind::StorageFull)?;
        self.archive.put(name, content).await
    }
}

#[test]
fn a_file_that_is_short_is_not_read_once_for_each_fragment() {
    let (encoders, watched) = (encoders_of(20), Watched::default());
    let beginning = Beginning { look_ahead: 0, held_in_memory: 0, is_announced: false };
    let process = beginning.process(watched.clone()).unwrap();
    assert!(process.push_all_to(None, &encoders, &mut [0; 2]));
    let files = block_on(watched.archive.store().list(None)).unwrap();
    let video = files.iter().find(|file| file.as_str().ends_with(".ismv")).unwrap();
    let head = encoders[0].head.len() as u64;
    block_on(watched.archive.append(video, head, Bytes::new())).unwrap();
    watched.opened.store(0, Relaxed);
    assert!(beginning.process(watched.clone()).is_some());
    assert_eq!(watched.opened.load(Relaxed), 1, "its size says that all is missing");
}

#[test]
fn a_point_that_is_not_recovered_yet_has_one_name_in_any_letter_case() {
    let (encoders, watched) = (encoders_of(20), Watched::default());
    let [video, _] = &encoders;
    let points = || {
        let options = LiveOptions::default().archive(watched.clone());
        LivePoints::new(options.on_first_push(|_| Some(PointOptions::default())))
    };
    let (written, typed) = (name("Events/News.isml"), name("events/news.isml"));
    let first = points();
    let point = block_on(first.recover(written.clone(), PointOptions::default())).unwrap();
    let mut push = point.begin(None, video.stream, "192.0.2.1").unwrap();
    push.push(&video.head).unwrap();
    push.push(&video.fragments[0]).unwrap();
    block_on(push.end()).unwrap();
    // The archive cannot be reached at the start.
    watched.is_away.store(true, Relaxed);
    let second = points();
    assert!(block_on(second.recover(written.clone(), PointOptions::default())).is_err());
    assert!(block_on(second.for_push(&typed)).is_err());
    watched.is_away.store(false, Relaxed);
    let point = block_on(second.for_push(&typed)).unwrap();
    assert_eq!((point.name(), point.status().number), (&written, 1));
    let again = block_on(second.recover(written, PointOptions::default())).unwrap();
    assert_eq!(again.status().number, 1);
}

#[test]
fn small_pushes_do_not_fill_memory_while_the_disk_is_full() {
    let (encoders, watched) = (encoders_of(4 << 20), Watched::default());
    let beginning = Beginning { look_ahead: 2, held_in_memory: 0, is_announced: false };
    let process = beginning.process(watched.clone()).unwrap();
    let [video, _] = &encoders;
    let size = video.fragments[0].len() as u64;
    watched.is_full.store(true, Relaxed);
    let waiting = || process.point.delivery().archive.unwrap().waiting_bytes;
    let mut refused = 0;
    for number in 0..20 {
        match process.point.begin(None, video.stream, "192.0.2.1") {
            Err(error) => {
                assert_eq!(error.kind.status(), 503);
                refused += 1;
            }
            // All but the first ones have the number of an earlier one, and are held as others are.
            Ok(mut push) => {
                push.push(&video.head).unwrap();
                let _ = push.push(&video.fragments[number % CHUNKS]);
                assert!(block_on(push.end()).is_err());
            }
        }
        assert!(waiting() < (64 << 20) + 4 * size, "{number}: {}", waiting());
    }
    assert!(refused > 0, "{} wait", waiting());
    watched.is_full.store(false, Relaxed);
    block_on(process.points.settle());
    assert!(process.point.begin(None, video.stream, "192.0.2.1").is_ok());
}
