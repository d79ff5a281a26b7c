//! The way of what happens at a publishing point into its archive.

use std::collections::BTreeMap;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::began::Began;
use super::frames::{MAGIC, push_frame};
use super::holding::Holding;
use super::names::EventNames;
use super::placed::Placed;
use super::point_record::PointRecord;
use super::record::Record;
use super::restored::{RestoredEarly, RestoredHeader, RestoredHeld};
use super::write::ArchiveWrite;
use crate::base::{FileId, Name};
use crate::fragment::Lengths;
use crate::live::moment::Duration;
use crate::live::{LiveEvent, Moment, PointState};
use crate::manifest::{ServerManifest, ServerTrack};

/// Turns what happens at a publishing point into the writes of its archive, so that whoever reads them back,
/// up to any byte of any of them, finds all that was written before.
///
/// - Each track has a file, to which fragments are appended when they are published.
/// - The *journal* has the event, its files, and the place of each published fragment. A fragment that is
///   in a file and not in the journal is not published.
/// - The file of *held* fragments has those that were taken and are not published yet, with their bytes, but for
///   [as many as may be in memory alone](Self::keep_in_memory). It is written anew when most of it is of no use.
#[derive(Debug)]
pub struct Journal {
    record: PointRecord,
    /// Names of the files of the event. `None` before the first one.
    names: Option<EventNames>,
    began: Option<Began>,
    epoch: Option<i64>,
    files: BTreeMap<u32, File>,
    /// Bytes of the journal.
    len: u64,
    holding: Holding,
    /// Fragments of each track that may be held in memory alone.
    in_memory: usize,
    /// True if the server manifest in the archive does not have all files that have fragments.
    is_undeclared: bool,
}

#[derive(Debug)]
struct File {
    track: Box<ServerTrack>,
    has_fragments: bool,
}

/// Longest time that a fragment is held in memory alone.
const LONG: Duration = Duration::from_secs(10);

impl Journal {
    /// The journal of a publishing point, without an event.
    pub fn new(point: &Name) -> Self {
        Self::of(PointRecord::new(point.clone()))
    }

    /// The journal of a publishing point that has had events before.
    pub fn of(record: PointRecord) -> Self {
        Self {
            record,
            names: None,
            began: None,
            epoch: None,
            files: BTreeMap::new(),
            len: 0,
            holding: Holding::default(),
            in_memory: 0,
            is_undeclared: false,
        }
    }

    /// The journal of an event that goes on, whose records end at byte `len`.
    pub(super) fn resumed(record: PointRecord, began: Began, epoch: Option<i64>, len: u64) -> Self {
        let names = record.event_names();
        Self { names, began: Some(began), epoch, len, ..Self::of(record) }
    }

    /// Adds a file of an event that goes on.
    pub(super) fn resume_file(
        &mut self,
        number: u32,
        track: Box<ServerTrack>,
        has_fragments: bool,
        held: &[RestoredHeld],
    ) {
        self.files.insert(number, File { track, has_fragments });
        // The process may have ended before it wrote the server manifest.
        self.is_undeclared |= has_fragments;
        for held in held {
            self.holding.resume(number, held.clone());
        }
    }

    /// Adds fragments of tracks that have no file.
    pub(super) fn resume_early(&mut self, early: &[RestoredEarly]) {
        early.iter().for_each(|early| self.holding.resume_early(early.clone()));
    }

    /// Returns the writes after which the archive has these records, and the fragments that are held.
    pub(super) fn resume(&mut self, records: &[Record]) -> Vec<ArchiveWrite> {
        let mut bytes = Vec::new();
        records.iter().for_each(|record| self.record(record, &mut bytes));
        let Some(names) = &self.names else { return Vec::new() };
        let (name, offset) = (names.journal.clone(), self.len);
        self.len += bytes.len() as u64;
        // Without records, it cuts off what is torn.
        let append = ArchiveWrite::Append { name, offset, bytes: bytes.into() };
        std::iter::once(append).chain(self.put_held()).collect()
    }

    /// Name of the file with the records of the event. `None` before the first event.
    pub fn name(&self) -> Option<&Name> {
        self.names.as_ref().map(|names| &names.journal)
    }

    /// Name of the file with the fragments that are not published yet. `None` before the first event.
    pub fn held_name(&self) -> Option<&Name> {
        self.names.as_ref().map(|names| &names.held)
    }

    /// Returns the writes for these events, in order. `epoch` is that of the newest snapshot
    /// ([`Live::epoch`](crate::presentation::Live::epoch)), if there is one. Once all writes are done, no
    /// fragment that the events published is lost; of those that are held, see [`hold`](Self::hold).
    pub fn take(
        &mut self,
        events: &[LiveEvent],
        epoch: Option<i64>,
        now: Moment,
    ) -> Vec<ArchiveWrite> {
        let mut writes = Vec::new();
        let mut records = Vec::new();
        let published = newest(events);
        for event in events {
            match event {
                LiveEvent::Began { event, number } => {
                    self.flush(&mut records, &mut writes);
                    let wall = u64::try_from(now.wall.as_nanos()).unwrap_or(u64::MAX);
                    let began = Began { event: event.clone(), number: *number, wall };
                    self.begin(began, &mut writes);
                }
                LiveEvent::File { file, name, track, head, key } => {
                    let (number, track) = (file.index() as u32, track.clone());
                    let (name, head, key) = (name.clone(), head.clone(), key.clone());
                    let known = self.files.remove(&number);
                    let has_fragments = known.is_some_and(|known| known.has_fragments);
                    let declared = File { track: track.clone(), has_fragments };
                    self.files.insert(number, declared);
                    self.is_undeclared |= has_fragments;
                    self.holding.drop_early(&key, &(i64::MIN..=i64::MAX));
                    let file = Record::File { file: number, name, track, head, key };
                    self.record(&file, &mut records);
                }
                LiveEvent::Append { file, name, offset, bytes, chunk } => {
                    let (name, offset, bytes) = (name.clone(), *offset, bytes.clone());
                    if let Some(chunk) = *chunk {
                        self.publish(*file, chunk, offset, &bytes, &mut records);
                    }
                    writes.push(ArchiveWrite::Append { name, offset, bytes });
                }
                LiveEvent::Held { file, time, duration, bytes } => {
                    let is_published = published.get(file).is_some_and(|last| last >= time);
                    if !is_published {
                        let (file, time, duration) = (file.index() as u32, *time, *duration);
                        let held = RestoredHeld { time, duration, bytes: bytes.clone() };
                        self.holding.hold(file, held, now.monotonic);
                    }
                }
                LiveEvent::Early { key, track, head, time, duration, bytes } => {
                    let (key, track, head) = (key.clone(), track.clone(), head.clone());
                    let (time, duration, bytes) = (*time, *duration, bytes.clone());
                    let early = RestoredEarly { key, track, head, time, duration, bytes };
                    self.holding.hold_early(early, now.monotonic);
                }
                LiveEvent::Discarded { file, key, times } => match file {
                    Some(file) => self.holding.drop_held(file.index() as u32, times),
                    None => self.holding.drop_early(key, times),
                },
                LiveEvent::Moved { stream, encoder, shift } => {
                    let (stream, encoder) = (stream.clone(), encoder.clone());
                    self.record(&Record::Moved { stream, encoder, shift: *shift }, &mut records);
                }
                LiveEvent::Ended { stream, encoder, has_ended } => {
                    let (stream, encoder) = (stream.clone(), encoder.clone());
                    let ended = Record::Ended { stream, encoder, has_ended: *has_ended };
                    self.record(&ended, &mut records);
                }
                LiveEvent::Header { stream, encoder, is_named, boxes } => {
                    let (stream, encoder) = (stream.clone(), encoder.clone());
                    let (is_named, boxes) = (*is_named, boxes.clone());
                    let header = RestoredHeader { stream, encoder, is_named, boxes };
                    self.record(&Record::Header(header), &mut records);
                }
                LiveEvent::State(PointState::Stopped) if self.began.is_some() => {
                    self.record(&Record::Stopped, &mut records);
                    self.flush(&mut records, &mut writes);
                    self.end(&mut writes);
                }
                LiveEvent::State(PointState::Idle) if self.record.is_ended => {
                    // The operator lets encoders push again.
                    self.record.past.clear();
                    self.record.is_open = true;
                    writes.extend(self.record.write());
                }
                _ => {}
            }
        }
        if epoch.is_some() && epoch != self.epoch && self.began.is_some() {
            self.epoch = epoch;
            let epoch = epoch.unwrap_or_default();
            self.record(&Record::Epoch(epoch), &mut records);
        }
        // What fragments announce is there before they are published.
        writes.extend(self.write_held(self.in_memory, long_before(now)));
        self.flush(&mut records, &mut writes);
        self.declare(&mut writes);
        // It lacks what is published: not before the journal has that.
        writes.extend(self.put_if_wasteful());
        writes
    }

    /// Sets how many of the newest fragments of a track may be held in memory alone, until the push that brings them is
    /// to be acknowledged ([`hold`](Self::hold)); 0 unless it is set.
    pub fn keep_in_memory(&mut self, fragments: usize) {
        self.in_memory = fragments;
    }

    /// Returns the writes after which no fragment that was taken so far is lost: before a push is acknowledged.
    pub fn hold(&mut self) -> Vec<ArchiveWrite> {
        self.hold_all_but(0, Duration::ZERO)
    }

    /// The same, but for the newest fragments that have not been held for long.
    pub fn hold_long(&mut self, now: Moment) -> Vec<ArchiveWrite> {
        self.hold_all_but(self.in_memory, long_before(now))
    }

    fn hold_all_but(&mut self, newest: usize, came_by: Duration) -> Vec<ArchiveWrite> {
        let mut writes = self.write_held(newest, came_by);
        writes.extend(self.put_if_wasteful());
        writes
    }

    fn write_held(&mut self, newest: usize, came_by: Duration) -> Vec<ArchiveWrite> {
        let names = self.names.as_ref().filter(|_| self.began.is_some());
        names.map_or_else(Vec::new, |names| self.holding.write(&names.held, newest, came_by))
    }

    /// Writes the held fragments anew if most of their file is of no use.
    fn put_if_wasteful(&mut self) -> Option<ArchiveWrite> {
        let is_due = self.began.is_some() && self.holding.is_wasteful();
        if is_due { self.put_held() } else { None }
    }

    /// Returns the writes that end the journal: the film is there.
    pub(super) fn close(&mut self) -> Vec<ArchiveWrite> {
        let (mut records, mut writes) = (Vec::new(), Vec::new());
        self.record(&Record::Closed, &mut records);
        self.flush(&mut records, &mut writes);
        writes
    }

    /// The film of an event is made, or can never be. Returns the write by which the record of the point says so.
    pub(crate) fn made(&mut self, number: u64, film: Option<Name>) -> Option<ArchiveWrite> {
        self.record.made(number, film);
        self.record.write()
    }

    /// Notes whether the operator has stopped the point, and whether the host has taken it away: then its record lets
    /// encoders push again. Returns true if the record is another one than before.
    pub(crate) fn note(&mut self, is_shut: bool, is_removed: bool) -> bool {
        let before = (self.record.is_shut, self.record.is_open);
        self.record.is_shut = is_shut && !is_removed;
        self.record.is_open |= is_removed;
        before != (self.record.is_shut, self.record.is_open)
    }

    /// The record of the point.
    pub fn record_of_point(&self) -> &PointRecord {
        &self.record
    }

    /// The server manifest and the client manifest of the event.
    pub(crate) fn manifests(&self) -> Option<(Name, Name)> {
        self.names.as_ref().map(|names| (names.server.clone(), names.client.clone()))
    }

    /// The event has ended.
    fn end(&mut self, writes: &mut Vec<ArchiveWrite>) {
        // The server manifest of the film takes the place of this one.
        self.declare(writes);
        // Whoever makes the film need not read what was published since.
        if self.holding.is_empty() {
            writes.extend(self.put_held());
        }
        let ended = Box::new(self.record.clone());
        self.record.end_for_film();
        // First that the film is due, so that it is made whatever happens.
        writes.extend(self.record.write());
        writes.push(ArchiveWrite::Close { record: ended });
        self.began = None;
    }

    /// Begins an event. Its files are new: those of the one before stay as they are.
    fn begin(&mut self, began: Began, writes: &mut Vec<ArchiveWrite>) {
        self.record.begin(began.clone());
        self.names = self.record.event_names();
        // First the number, so that no later event has the same one.
        writes.extend(self.record.write());
        self.began = Some(began);
        (self.epoch, self.is_undeclared) = (None, false);
        self.files.clear();
        let bytes = self.beginning();
        self.len = bytes.len() as u64;
        self.holding = Holding::of_file(self.len);
        let names = self.names.iter().flat_map(|names| [&names.journal, &names.held]);
        for name in names {
            let (name, bytes) = (name.clone(), bytes.clone());
            writes.push(ArchiveWrite::Append { name, offset: 0, bytes });
        }
    }

    /// The first bytes of the journal and of the held fragments.
    fn beginning(&self) -> Bytes {
        let mut bytes = MAGIC.to_vec();
        let began = self.began.clone().map(Record::Began);
        if let Some(began) = began.and_then(|began| began.write()) {
            push_frame(&mut bytes, 0, &began);
        }
        bytes.into()
    }

    fn publish(
        &mut self,
        file: FileId,
        (time, duration): (u64, u64),
        start: u64,
        bytes: &Bytes,
        records: &mut Vec<u8>,
    ) {
        let number = file.index() as u32;
        // Anything else is not published: a recovery cuts it off.
        let Ok(lengths) = Lengths::of_whole(bytes) else { return };
        let hash = xxh3_64(bytes);
        let placed = Placed { file: number, time, duration, start, lengths, hash };
        self.record(&Record::Published(placed), records);
        if let Some(known) = self.files.get_mut(&number) {
            self.is_undeclared |= !known.has_fragments;
            known.has_fragments = true;
        }
        self.holding.drop_held(number, &(i64::MIN..=time as i64));
    }

    /// Adds a record to those that are written next.
    fn record(&self, record: &Record, records: &mut Vec<u8>) {
        if let Some(record) = record.write() {
            push_frame(records, self.len, &record);
        }
    }

    fn flush(&mut self, records: &mut Vec<u8>, writes: &mut Vec<ArchiveWrite>) {
        let names = self.names.as_ref().filter(|_| self.began.is_some() && !records.is_empty());
        let Some(names) = names else { return records.clear() };
        let (name, offset) = (names.journal.clone(), self.len);
        self.len += records.len() as u64;
        let bytes = std::mem::take(records).into();
        writes.push(ArchiveWrite::Append { name, offset, bytes });
    }

    /// Writes the server manifest when a file has its first fragment, so that the archive is a
    /// presentation while the event goes on.
    fn declare(&mut self, writes: &mut Vec<ArchiveWrite>) {
        if !std::mem::take(&mut self.is_undeclared) {
            return;
        }
        let mut manifest = ServerManifest::default();
        let files = self.files.values().filter(|file| file.has_fragments);
        manifest.tracks = files.map(|file| (*file.track).clone()).collect();
        if let (Some(names), Ok(text)) = (&self.names, manifest.to_xml()) {
            let (name, content) = (names.server.clone(), text.into());
            writes.push(ArchiveWrite::Put { name, content });
        }
    }

    fn put_held(&mut self) -> Option<ArchiveWrite> {
        let name = self.names.as_ref()?.held.clone();
        let beginning = self.beginning();
        Some(self.holding.put(&name, &beginning))
    }
}

/// Returns the time at which, or before which, fragments came that have been held for long.
fn long_before(now: Moment) -> Duration {
    now.monotonic.saturating_sub(LONG)
}

/// Returns the start of the last fragment that these events append to each file.
fn newest(events: &[LiveEvent]) -> BTreeMap<FileId, i64> {
    let appended = |event: &LiveEvent| match event {
        LiveEvent::Append { file, chunk: Some((time, _)), .. } => Some((*file, *time as i64)),
        _ => None,
    };
    events.iter().filter_map(appended).collect()
}
