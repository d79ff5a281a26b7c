//! Events whose process ends at any byte that it writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use testkit::film::{self, Style, Track};

use super::*;
use crate::base::FileId;
use crate::live::{LiveEvent, Moment, PointState};
use crate::manifest::{ServerManifest, ServerTrack, StreamKind};
use crate::origin::{Answer, Origin, block_on};
use crate::storage::{MemoryArchive, Source};

/// An archive of a process that ends after so many bytes. What is put is there whole or not at all.
#[derive(Clone)]
struct EndsAfter(MemoryArchive, Arc<Mutex<u64>>);

impl EndsAfter {
    fn new(archive: &MemoryArchive, bytes: u64) -> Self {
        Self(archive.clone(), Arc::new(Mutex::new(bytes)))
    }

    fn left(&self) -> u64 {
        *self.1.lock().unwrap()
    }

    /// Takes bytes of what is left. Returns how many there were.
    fn spend(&self, wanted: usize) -> usize {
        let mut left = self.1.lock().unwrap();
        let spent = wanted.min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= spent as u64;
        spent
    }

    fn end() -> io::Error {
        io::Error::other("the process has ended")
    }
}

impl Archive for EndsAfter {
    async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
        // A cut is a step, too.
        let spent = self.spend(bytes.len().max(1));
        if spent == 0 {
            return Err(Self::end());
        }
        let written = bytes.slice(..spent.min(bytes.len()));
        self.0.append(name, offset, written).await?;
        if spent < bytes.len() { Err(Self::end()) } else { Ok(()) }
    }

    async fn finish(&self, name: &Name) -> io::Result<()> {
        self.0.finish(name).await
    }

    async fn open(&self, name: &Name) -> io::Result<Source> {
        self.0.open(name).await
    }

    async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
        let (wanted, spent) = (content.len(), self.spend(content.len()));
        if spent < wanted { Err(Self::end()) } else { self.0.put(name, content).await }
    }
}

const POINT: &str = "events/news.isml";
const CHUNKS: usize = 12;
const LOOK_AHEAD: usize = 2;
const TICKS: u64 = 20_000_000;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// What an encoder sends for one track.
struct Sent {
    name: Name,
    track: ServerTrack,
    head: Bytes,
    fragments: Vec<Bytes>,
}

fn sent() -> Vec<Sent> {
    let tracks = [
        (StreamKind::Video, "video", 900_000_u32, 300_u32),
        (StreamKind::Video, "video", 400_000, 150),
        (StreamKind::Audio, "audio", 64_000, 40),
    ];
    let sent = tracks.map(|(kind, stream, bitrate, size)| {
        let of = Track::regular(1, kind_of_testkit(kind), CHUNKS as u32, TICKS as u32, size);
        let media = film::media(&[of], Style { tfxd: true, mfra: false });
        let bytes = Bytes::from(media.to_bytes());
        let part = |range: &Range<u64>| bytes.slice(range.start as usize..range.end as usize);
        let fragments: Vec<_> = media.fragments.iter().map(|(.., range)| part(range)).collect();
        let file = format!(
            "{stream}_{bitrate}.{}",
            if kind == StreamKind::Video { "ismv" } else { "isma" }
        );
        let mut track = ServerTrack::new(kind, &file);
        track.attributes.push(("systemBitrate".into(), bitrate.to_string()));
        track.params.push(("trackID".into(), "1".into()));
        track.params.push(("trackName".into(), stream.into()));
        let head = bytes.slice(..media.fragments[0].2.start as usize);
        Sent { name: name(&format!("events/{file}")), track, head, fragments }
    });
    sent.into()
}

/// The test kit is built with another copy of the crate.
fn kind_of_testkit(kind: StreamKind) -> film::StreamKind {
    match kind {
        StreamKind::Video => film::StreamKind::Video,
        StreamKind::Audio => film::StreamKind::Audio,
        StreamKind::Text => film::StreamKind::Text,
    }
}

/// A publishing point that holds back so many chunks: the simplest that there is.
struct Point {
    number: u64,
    journal: Journal,
    files: Vec<PointFile>,
    has_begun: bool,
    epoch: Option<i64>,
}

#[derive(Default)]
struct PointFile {
    len: u64,
    published: BTreeMap<u64, Bytes>,
    held: BTreeMap<u64, Bytes>,
}

impl Point {
    fn new() -> Self {
        let journal = Journal::new(&name(POINT));
        let files = (0..3).map(|_| PointFile::default()).collect();
        Self { number: 7, journal, files, has_begun: false, epoch: None }
    }

    /// Goes on with what an archive has.
    fn recovered((restored, journal): (Restored, Journal), archive: &MemoryArchive) -> Self {
        let mut point = Self { journal, has_begun: true, ..Self::new() };
        assert_eq!((restored.event(), restored.number), (Some("e"), 7));
        for (at, file) in restored.files.iter().enumerate() {
            point.files[at].len = file.len;
            let first = restored.published.iter().find(|placed| placed.file as usize == at + 1);
            let is_first = |placed: &_| Some(content(archive, &file.name, placed));
            assert_eq!(file.first, first.map(|p| p.start..p.end()).as_ref().and_then(is_first));
            let held = file.held.iter().map(|held| (held.time as u64, held.bytes.clone()));
            point.files[at].held = held.collect();
        }
        for placed in &restored.published {
            let at = placed.file as usize - 1;
            let bytes = content(archive, &restored.files[at].name, &(placed.start..placed.end()));
            point.files[at].published.insert(placed.time, bytes);
        }
        if !restored.published.is_empty() && restored.epoch.is_some() {
            assert_eq!(restored.epoch, Some(1234));
            point.epoch = restored.epoch;
        }
        point
    }

    /// An encoder sends chunk `number` of each track, and waits for its answer. Returns the writes that keep it.
    fn take(&mut self, sent: &[Sent], number: usize) -> Vec<ArchiveWrite> {
        let mut events = self.begin();
        for (at, of) in (1..).zip(sent) {
            if number == 0 {
                events.push(LiveEvent::File {
                    file: FileId::new(at),
                    name: of.name.clone(),
                    track: Box::new(of.track.clone()),
                    head: of.head.clone(),
                    key: "".into(),
                });
            }
            let (time, bytes) = (number as u64 * TICKS, of.fragments[number].clone());
            let file = &mut self.files[at as usize - 1];
            if file.published.contains_key(&time) || file.held.contains_key(&time) {
                continue;
            }
            file.held.insert(time, bytes.clone());
            let (file, time, duration) = (FileId::new(at), time as i64, TICKS as i64);
            events.push(LiveEvent::Held { file, time, duration, bytes });
        }
        self.publish(sent, LOOK_AHEAD, &mut events);
        let mut writes = self.writes(&events);
        writes.extend(self.journal.hold());
        writes
    }

    fn stop(&mut self, sent: &[Sent]) -> Vec<ArchiveWrite> {
        let mut events = Vec::new();
        self.publish(sent, 0, &mut events);
        events.push(LiveEvent::State(PointState::Stopped));
        self.writes(&events)
    }

    fn begin(&mut self) -> Vec<LiveEvent> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Vec::new();
        }
        vec![LiveEvent::Began { event: Some("e".into()), number: self.number }]
    }

    fn publish(&mut self, sent: &[Sent], look_ahead: usize, events: &mut Vec<LiveEvent>) {
        for ((at, of), file) in (1..).zip(sent).zip(&mut self.files) {
            while file.held.len() > look_ahead {
                let (time, bytes) = file.held.pop_first().unwrap();
                let (id, name) = (FileId::new(at), of.name.clone());
                let mut append = |offset, bytes: &Bytes, chunk| {
                    let (name, bytes) = (name.clone(), bytes.clone());
                    events.push(LiveEvent::Append { file: id, name, offset, bytes, chunk });
                };
                if file.len == 0 {
                    append(0, &of.head, None);
                    file.len = of.head.len() as u64;
                }
                append(file.len, &bytes, Some((time, TICKS)));
                file.len += bytes.len() as u64;
                file.published.insert(time, bytes);
                self.epoch = Some(1234);
            }
        }
    }

    fn writes(&mut self, events: &[LiveEvent]) -> Vec<ArchiveWrite> {
        let now = Moment { monotonic: Duration::ZERO, wall: Duration::from_secs(1_700_000_000) };
        self.journal.take(events, self.epoch, now)
    }
}

fn content(archive: &MemoryArchive, name: &Name, range: &Range<u64>) -> Bytes {
    let source = block_on(archive.open(name)).unwrap();
    block_on(source.read(range.clone())).unwrap()
}

/// Has an archive carry out writes. Returns whether the process is still there.
fn carry_out(archive: &AnyArchive, writes: &[ArchiveWrite]) -> bool {
    let offload = Offload::default();
    writes.iter().all(|of| match of {
        ArchiveWrite::Close { record } => block_on(close(archive, record, &offload)).is_ok(),
        of => block_on(write(archive, of)).is_ok(),
    })
}

/// An event from its beginning to its end, or to that of the process. Returns how many chunks of each track
/// are acknowledged.
fn run(point: &mut Point, sent: &[Sent], from: usize, archive: &AnyArchive) -> (usize, bool) {
    for number in from..CHUNKS {
        if !carry_out(archive, &point.take(sent, number)) {
            return (number, false);
        }
    }
    (CHUNKS, carry_out(archive, &point.stop(sent)))
}

/// The event that goes on, if one does. Films that are due are made.
fn recovered(archive: &AnyArchive) -> io::Result<Option<(Restored, Journal)>> {
    let Found { restored, journal, film, due } =
        block_on(recover(archive, &name(POINT), &Offload::default()))?;
    for record in due {
        block_on(close(archive, &record, &Offload::default()))?;
    }
    let goes_on = restored.filter(|restored| !restored.is_ended());
    assert!(goes_on.is_none() || film.is_none());
    Ok(goes_on.map(|restored| (restored, journal)))
}

/// Checks that the archive is a presentation of all that was sent, as it was sent.
fn check_film(archive: &MemoryArchive, sent: &[Sent]) {
    let origin = Origin::new(archive.store().clone());
    let opened = block_on(origin.open(&name("events/news.7.e.ism"))).unwrap();
    assert!(opened.presentation().findings().is_empty(), "{:?}", opened.presentation().findings());
    let ism = content_of(archive, "events/news.7.e.ism");
    let ism = ServerManifest::parse(&ism, &Default::default()).unwrap();
    assert_eq!(ism.client_manifest(), Some("news.7.e.ismc"));
    for of in sent {
        for (number, bytes) in of.fragments.iter().enumerate() {
            let (bitrate, stream) = (of.track.bitrate().unwrap(), of.track.name());
            let time = number as u64 * TICKS;
            let path =
                format!("/events/news.7.e.ism/QualityLevels({bitrate})/Fragments({stream}={time})");
            let Answer::Reply(served) = block_on(origin.answer(&path)).unwrap() else {
                panic!("{path} is no reply")
            };
            let mut body = served.into_body();
            let mut content = Vec::new();
            while let Some(part) = block_on(body.next()) {
                content.extend_from_slice(&part.unwrap());
            }
            assert_eq!(content, *bytes, "{path}");
        }
    }
}

fn content_of(archive: &MemoryArchive, file: &str) -> Bytes {
    let source = block_on(archive.open(&name(file))).unwrap();
    let size = block_on(source.stat()).unwrap().size;
    block_on(source.read(0..size)).unwrap()
}

#[test]
fn an_event_that_ends_is_a_film() {
    let (sent, archive) = (sent(), MemoryArchive::new());
    let any = AnyArchive::new(archive.clone());
    assert_eq!(run(&mut Point::new(), &sent, 0, &any), (CHUNKS, true));
    check_film(&archive, &sent);
    let film = content_of(&archive, "events/video_900000.ismv");
    assert!(recovered(&any).unwrap().is_none());
    assert_eq!(content_of(&archive, "events/video_900000.ismv"), film);
}

#[test]
fn no_acknowledged_fragment_is_lost_wherever_the_process_ends() {
    let sent = sent();
    let whole = EndsAfter::new(&MemoryArchive::new(), u64::MAX);
    assert_eq!(run(&mut Point::new(), &sent, 0, &AnyArchive::new(whole.clone())), (CHUNKS, true));
    let bytes = u64::MAX - whole.left();
    let mut random = fastrand::Rng::with_seed(18);
    let mut moments = 0;
    for moment in 0..1000 {
        let archive = MemoryArchive::new();
        let any = AnyArchive::new(archive.clone());
        let dying = AnyArchive::new(EndsAfter::new(&archive, bytes * moment / 1000));
        let (mut acknowledged, has_ended) = run(&mut Point::new(), &sent, 0, &dying);
        assert!(!has_ended, "moment {moment}");
        // The processes that recover it end, too.
        while random.u8(..4) == 0 {
            let dying = EndsAfter::new(&archive, random.u64(..bytes));
            let dying = AnyArchive::new(dying);
            if let Ok(Some(recovered)) = recovered(&dying) {
                let mut point = Point::recovered(recovered, &archive);
                check_kept(&point, &sent, acknowledged, moment);
                let from = first_missing(&point);
                acknowledged = run(&mut point, &sent, from, &dying).0.max(acknowledged);
            }
            moments += 1;
        }
        if let Some(recovered) = recovered(&any).unwrap() {
            let mut point = Point::recovered(recovered, &archive);
            check_kept(&point, &sent, acknowledged, moment);
            let from = first_missing(&point);
            assert_eq!(run(&mut point, &sent, from, &any), (CHUNKS, true));
        } else if acknowledged < CHUNKS {
            // Nothing was acknowledged before the journal had begun.
            assert_eq!(acknowledged, 0, "moment {moment}");
            assert_eq!(run(&mut Point::new(), &sent, 0, &any), (CHUNKS, true));
        }
        check_film(&archive, &sent);
    }
    assert!(moments > 100);
}

/// Checks that a recovered point has the first chunks of each track, byte for byte.
fn check_kept(point: &Point, sent: &[Sent], acknowledged: usize, moment: u64) {
    for (file, of) in point.files.iter().zip(sent) {
        for (number, bytes) in of.fragments.iter().enumerate() {
            let time = number as u64 * TICKS;
            let kept = file.published.get(&time).or_else(|| file.held.get(&time));
            let is_kept = kept == Some(bytes) || kept.is_none() && number >= acknowledged;
            assert!(is_kept, "chunk {number} of {acknowledged} at moment {moment}");
        }
    }
}

/// The first chunk that not every track has.
fn first_missing(point: &Point) -> usize {
    let count = |file: &PointFile| file.published.len() + file.held.len();
    point.files.iter().map(count).min().unwrap_or(0)
}

#[test]
fn what_is_left_of_a_longer_or_shorter_file_is_cut_to_whole_fragments() {
    let (sent, archive) = (sent(), MemoryArchive::new());
    let any = AnyArchive::new(archive.clone());
    let mut point = Point::new();
    for number in 0..8 {
        assert!(carry_out(&any, &point.take(&sent, number)));
    }
    let files: Vec<_> =
        sent.iter().map(|of| (&of.name, content_of(&archive, of.name.as_str()))).collect();
    let last = |at: usize| sent[at].fragments[5].len() as u64;
    // One has a torn fragment more, one has lost its last byte, and one has a wrong bit in its last fragment.
    let (longer, len) = (&files[0].0, files[0].1.len() as u64);
    block_on(any.append(longer, len, Bytes::from_static(b"torn"))).unwrap();
    let (shorter, len) = (&files[1].0, files[1].1.len() as u64);
    block_on(any.append(shorter, len - 1, Bytes::new())).unwrap();
    let (wrong, len) = (&files[2].0, files[2].1.len() as u64);
    block_on(any.append(wrong, len - 1, Bytes::from_static(b"?"))).unwrap();
    let restored = recovered(&any).unwrap().unwrap().0;
    let lens: Vec<_> = restored.files().map(|(_, len)| len).collect();
    let whole: Vec<_> = files.iter().map(|(_, bytes)| bytes.len() as u64).collect();
    assert_eq!(lens, [whole[0], whole[1] - last(1), whole[2] - last(2)]);
    for ((name, bytes), len) in files.iter().zip(lens) {
        assert_eq!(content_of(&archive, name.as_str()), bytes[..len as usize]);
    }
    // What is cut off is not held any more: the journal says so to the next recovery, too.
    let again = recovered(&any).unwrap().unwrap().0;
    assert_eq!(again.published().count(), 6 * 3 - 2);
    assert_eq!(again.published, restored.published);
}

#[test]
fn the_files_are_a_presentation_while_the_event_goes_on() {
    let (sent, archive) = (sent(), MemoryArchive::new());
    let any = AnyArchive::new(archive.clone());
    let mut point = Point::new();
    for number in 0..8 {
        assert!(carry_out(&any, &point.take(&sent, number)));
    }
    let origin = Origin::new(archive.store().clone());
    let opened = block_on(origin.open(&name("events/news.7.e.ism"))).unwrap();
    let chunks: Vec<_> =
        opened.presentation().streams().iter().map(|s| s.timeline().len()).collect();
    assert_eq!(chunks, [6, 6]);
}

#[test]
fn another_event_has_other_files_than_the_one_that_has_ended() {
    let (sent, archive) = (sent(), MemoryArchive::new());
    let any = AnyArchive::new(archive.clone());
    let mut point = Point::new();
    assert_eq!(run(&mut point, &sent, 0, &any), (CHUNKS, true));
    let journal = content_of(&archive, "events/news.7.journal");
    let mut second = Point { number: 8, journal: point.journal, ..Point::new() };
    assert!(carry_out(&any, &second.take(&sent, 0)));
    let found = block_on(recover(&any, &name(POINT), &Offload::default())).unwrap();
    let restored = found.restored.unwrap();
    assert_eq!((restored.published().count(), restored.held().count()), (0, 3));
    assert_eq!((restored.number, restored.past.as_slice()), (8, &[][..]));
    // The record of the point does not say yet that the film is there.
    assert_eq!((found.film, found.due.len()), (None, 1));
    let film = block_on(close(&any, &found.due[0], &Offload::default())).unwrap();
    assert_eq!(film, Some(name("events/news.7.e.ism")));
    let made = second.journal.made(7, film.clone()).unwrap();
    assert!(carry_out(&any, &[made]));
    let found = block_on(recover(&any, &name(POINT), &Offload::default())).unwrap();
    assert_eq!((found.film.map(|(_, film)| film), found.due.len()), (film, 0));
    assert_eq!(content_of(&archive, "events/news.7.journal"), journal);
    check_film(&archive, &sent);
}

#[test]
fn what_is_no_journal_is_an_error_and_stays() {
    let archive = MemoryArchive::new();
    let any = AnyArchive::new(archive.clone());
    assert!(recovered(&any).unwrap().is_none());
    block_on(any.put(&name("events/news.7.journal"), Bytes::from_static(b"my diary"))).unwrap();
    // No event is known whose journal it could be.
    assert!(recovered(&any).unwrap().is_none());
    let begins = [LiveEvent::Began { event: None, number: 7 }];
    let now = Moment { monotonic: Duration::ZERO, wall: Duration::ZERO };
    let writes = Journal::new(&name(POINT)).take(&begins, None, now);
    assert!(carry_out(&any, &writes[..1]));
    let error = recovered(&any).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(content_of(&archive, "events/news.7.journal"), "my diary");
    // The next event has another number.
    let found = block_on(set_aside(&any, &name(POINT))).unwrap();
    assert_eq!(found.restored.unwrap().number, 7);
}

#[test]
fn without_a_record_no_file_that_is_there_is_written_to() {
    let archive = MemoryArchive::new();
    let any = AnyArchive::new(archive.clone());
    let number = || {
        let found = block_on(recover(&any, &name(POINT), &Offload::default())).unwrap();
        found.restored.map_or(0, |restored| restored.number)
    };
    assert_eq!(number(), 0);
    block_on(any.put(&name("events/news.ism"), Bytes::from_static(b"<smil/>"))).unwrap();
    assert_eq!(number(), 1);
    block_on(any.put(&name("events/news.2.journal"), Bytes::from_static(b"lost"))).unwrap();
    assert_eq!(number(), 2);
    block_on(any.put(&name("events/news.point"), Bytes::from_static(b"mine"))).unwrap();
    let error = block_on(recover(&any, &name(POINT), &Offload::default())).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

/// More fragments than an origin opens at a time. Takes a minute: `cargo test --lib -- --ignored long_event`.
#[test]
#[ignore = "takes a minute and a gigabyte"]
fn a_long_event_goes_on_with_its_window_and_ends() {
    let per_track =
        std::env::var("SMOOTH_ORIGIN_LONG_EVENT").map_or(1_500_000, |n| n.parse().unwrap());
    let sent = sent();
    let mut journal = Journal::new(&name(POINT));
    let now = Moment { monotonic: Duration::ZERO, wall: Duration::from_secs(1_700_000_000) };
    let mut bytes = Vec::new();
    let mut write = |events: &[LiveEvent]| {
        for write in journal.take(events, Some(1234), now) {
            match write {
                ArchiveWrite::Append { name, bytes: part, .. }
                    if name.as_str().ends_with(".journal") =>
                {
                    bytes.extend_from_slice(&part);
                }
                _ => {}
            }
        }
    };
    write(&[LiveEvent::Began { event: Some("e".into()), number: 7 }]);
    let mut lens: Vec<_> = sent.iter().map(|of| of.head.len() as u64).collect();
    for (at, of) in (1..).zip(&sent) {
        let (file, name, head) = (FileId::new(at), of.name.clone(), of.head.clone());
        let key = identity(of).into();
        write(&[LiveEvent::File { file, name, track: Box::new(of.track.clone()), head, key }]);
    }
    for number in 0..per_track {
        let events: Vec<_> = (1..)
            .zip(&sent)
            .zip(&mut lens)
            .map(|((at, of), len)| {
                let (file, name, offset) = (FileId::new(at), of.name.clone(), *len);
                let bytes = of.fragments[0].clone();
                *len += bytes.len() as u64;
                LiveEvent::Append {
                    file,
                    name,
                    offset,
                    bytes,
                    chunk: Some((number * TICKS, TICKS)),
                }
            })
            .collect();
        write(&events);
    }
    let (record, journal) = (journal.record_of_point().clone(), Bytes::from(bytes));
    println!("a journal of {} bytes, {} of memory", journal.len(), memory());
    let recovered = || {
        let found = Recovery::new(record.clone(), &journal, &Bytes::new(), &Limits::default());
        let mut recovery = found.unwrap().unwrap();
        for (file, of) in sent.iter().enumerate() {
            assert!(recovery.judge(file, Some(&of.fragments[0])));
            recovery.take_first(file, of.fragments[0].clone());
        }
        recovery.finish().unwrap()
    };
    let options = crate::live::PointOptions::default().window(Some(Duration::from_secs(600)));
    let point =
        crate::live::PublishingPoint::restored(name(POINT), options, recovered().restored, now);
    let point = point.unwrap();
    let streams = point.snapshot().unwrap().streams();
    assert_eq!(streams[0].timeline().end(), per_track * TICKS);
    let chunks = streams[0].timeline().len();
    assert!((300..=320).contains(&chunks), "{chunks} chunks of the window");
    drop(point);
    let closing = Closing::of(recovered()).unwrap();
    assert_eq!(closing.server_manifest, Some(name("events/news.7.e.ism")));
    println!("{} fragments closed, {} of memory", per_track * 3, memory());
}

/// How a point finds a track again.
fn identity(of: &Sent) -> String {
    let kind = of.track.kind.as_str();
    let (stream, bitrate) = (of.track.name(), of.track.bitrate().unwrap());
    format!("10000000\n0\n{kind}\t{stream}\t\t\t{bitrate}\t0\t")
}

/// The most memory that the process had, as Linux says it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("unknown").to_owned()
}
