//! The way of what happens at a publishing point into its archive.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::frames::{MAGIC, push_frame};
use super::names::Names;
use super::placed::Placed;
use super::record::{Began, Record};
use super::restored::RestoredEarly;
use super::write::ArchiveWrite;
use crate::base::{FileId, Name};
use crate::fragment::Lengths;
use crate::live::{LiveEvent, Moment, PointState};
use crate::manifest::{ServerManifest, ServerTrack};

/// Turns what happens at a publishing point into the writes of its archive, so that whoever reads them back,
/// up to any byte of any of them, finds all that was written before.
///
/// - Each track has a file, to which fragments are appended when they are published.
/// - The *journal* has the event, its files, and the place of each published fragment. A fragment that is
///   in a file and not in the journal is not published.
/// - The file of *held* fragments has those that were taken and are not published yet, with their bytes. It is
///   written anew when most of it is of no use.
#[derive(Debug)]
pub struct Journal {
    names: Names,
    began: Option<Began>,
    epoch: Option<i64>,
    files: BTreeMap<u32, File>,
    /// Bytes of the journal and of the file of held fragments.
    len: u64,
    held_len: u64,
    /// Fragments that are held, in the order in which they came.
    held: VecDeque<(u32, i64, Bytes)>,
    held_bytes: u64,
    /// Those of tracks that have no file.
    early: Vec<RestoredEarly>,
    /// True if the server manifest in the archive does not have all files that have fragments.
    is_undeclared: bool,
}

#[derive(Debug)]
struct File {
    name: Name,
    track: Box<ServerTrack>,
    has_fragments: bool,
}

/// Bytes of held fragments that may be of no use before their file is written anew.
const UNUSED: u64 = 16 << 20;

impl Journal {
    /// The journal of a publishing point, without an event. `None` if the name of the point is too long for
    /// files with longer ones.
    pub fn new(point: &Name) -> Option<Self> {
        Some(Self {
            names: Names::of(point)?,
            began: None,
            epoch: None,
            files: BTreeMap::new(),
            len: 0,
            held_len: 0,
            held: VecDeque::new(),
            held_bytes: 0,
            early: Vec::new(),
            is_undeclared: false,
        })
    }

    /// The journal of an event that goes on, whose records end at byte `len`.
    pub(super) fn resumed(names: Names, began: Began, epoch: Option<i64>, len: u64) -> Self {
        let (files, held) = (BTreeMap::new(), VecDeque::new());
        let (began, held_len, held_bytes, is_undeclared) = (Some(began), 0, 0, false);
        let early = Vec::new();
        Self { names, began, epoch, files, len, held_len, held, held_bytes, early, is_undeclared }
    }

    /// Adds a file of an event that goes on.
    pub(super) fn resume_file(
        &mut self,
        number: u32,
        (name, track): (Name, Box<ServerTrack>),
        has_fragments: bool,
        held: &[(i64, Bytes)],
    ) {
        self.files.insert(number, File { name, track, has_fragments });
        for (time, bytes) in held {
            self.held_bytes += bytes.len() as u64;
            self.held.push_back((number, *time, bytes.clone()));
        }
    }

    /// Adds fragments of tracks that have no file.
    pub(super) fn resume_early(&mut self, early: &[RestoredEarly]) {
        self.held_bytes += early.iter().map(|early| early.bytes.len() as u64).sum::<u64>();
        self.early.extend_from_slice(early);
    }

    /// Returns the writes after which the archive has these records, and the fragments that are held.
    pub(super) fn resume(&mut self, records: &[Record]) -> Vec<ArchiveWrite> {
        let mut bytes = Vec::new();
        records.iter().for_each(|record| self.record(record, &mut bytes));
        let (name, offset) = (self.names.journal.clone(), self.len);
        self.len += bytes.len() as u64;
        // Without records, it cuts off what is torn.
        vec![ArchiveWrite::Append { name, offset, bytes: bytes.into() }, self.put_held()]
    }

    /// Name of the file with the records.
    pub fn name(&self) -> &Name {
        &self.names.journal
    }

    /// Name of the file with the fragments that are not published yet.
    pub fn held_name(&self) -> &Name {
        &self.names.held
    }

    /// Returns the writes for these events, in order. `epoch` is that of the newest snapshot
    /// ([`Live::epoch`](crate::presentation::Live::epoch)), if there is one. Once all writes are done, no
    /// fragment among the events is lost.
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
                    let declared = File { name: name.clone(), track: track.clone(), has_fragments };
                    self.files.insert(number, declared);
                    self.is_undeclared |= has_fragments;
                    self.forget_early(&key);
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
                LiveEvent::Held { file, time, bytes } => {
                    let is_published = published.get(file).is_some_and(|last| last >= time);
                    if !is_published {
                        self.held_bytes += bytes.len() as u64;
                        self.held.push_back((file.index() as u32, *time, bytes.clone()));
                        let (file, time) = (file.index() as u32, *time);
                        let held = Record::Held { file, time, bytes: bytes.clone() };
                        self.hold(&held, &mut writes);
                    }
                }
                LiveEvent::Early { key, track, head, time, bytes } => {
                    let (key, track, head) = (key.clone(), track.clone(), head.clone());
                    let early =
                        RestoredEarly { key, track, head, time: *time, bytes: bytes.clone() };
                    self.held_bytes += bytes.len() as u64;
                    self.early.push(early.clone());
                    self.hold(&Record::Early(Box::new(early)), &mut writes);
                }
                LiveEvent::State(PointState::Stopped) if self.began.is_some() => {
                    self.record(&Record::Stopped, &mut records);
                    self.flush(&mut records, &mut writes);
                    writes.push(ArchiveWrite::Close);
                }
                _ => {}
            }
        }
        if epoch.is_some() && epoch != self.epoch && self.began.is_some() {
            self.epoch = epoch;
            let epoch = epoch.unwrap_or_default();
            self.record(&Record::Epoch(epoch), &mut records);
        }
        self.flush(&mut records, &mut writes);
        self.declare(&mut writes);
        self.tidy(&mut writes);
        writes
    }

    /// Returns the write that ends the journal.
    pub(super) fn close(&mut self) -> Vec<ArchiveWrite> {
        let (mut records, mut writes) = (Vec::new(), Vec::new());
        self.record(&Record::Closed, &mut records);
        self.flush(&mut records, &mut writes);
        writes
    }

    /// Begins an event, in place of the one before.
    fn begin(&mut self, began: Began, writes: &mut Vec<ArchiveWrite>) {
        self.began = Some(began);
        (self.epoch, self.is_undeclared) = (None, false);
        self.files.clear();
        self.held.clear();
        self.early.clear();
        self.held_bytes = 0;
        let bytes = self.beginning();
        (self.len, self.held_len) = (bytes.len() as u64, bytes.len() as u64);
        for name in [&self.names.journal, &self.names.held] {
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
        let published = time as i64;
        let bytes = &mut self.held_bytes;
        self.held.retain(|(of, time, held)| {
            let is_held = *of != number || *time > published;
            *bytes -= if is_held { 0 } else { held.len() as u64 };
            is_held
        });
    }

    /// Adds a record to those that are written next.
    fn record(&self, record: &Record, records: &mut Vec<u8>) {
        if let Some(record) = record.write() {
            push_frame(records, self.len, &record);
        }
    }

    fn flush(&mut self, records: &mut Vec<u8>, writes: &mut Vec<ArchiveWrite>) {
        if self.began.is_none() || records.is_empty() {
            records.clear();
            return;
        }
        let (name, offset) = (self.names.journal.clone(), self.len);
        self.len += records.len() as u64;
        let bytes = std::mem::take(records).into();
        writes.push(ArchiveWrite::Append { name, offset, bytes });
    }

    fn forget_early(&mut self, key: &str) {
        let bytes = &mut self.held_bytes;
        self.early.retain(|early| {
            let is_early = *early.key != *key;
            *bytes -= if is_early { 0 } else { early.bytes.len() as u64 };
            is_early
        });
    }

    fn hold(&mut self, record: &Record, writes: &mut Vec<ArchiveWrite>) {
        let record = record.write().filter(|_| self.began.is_some());
        if let Some(record) = record {
            let (name, offset) = (self.names.held.clone(), self.held_len);
            let mut bytes = Vec::with_capacity(record.len() + 16);
            push_frame(&mut bytes, offset, &record);
            self.held_len += bytes.len() as u64;
            writes.push(ArchiveWrite::Append { name, offset, bytes: bytes.into() });
        }
    }

    /// Writes the server manifest when a file has its first fragment, so that the archive is a
    /// presentation while the event goes on.
    fn declare(&mut self, writes: &mut Vec<ArchiveWrite>) {
        if !std::mem::take(&mut self.is_undeclared) {
            return;
        }
        let mut manifest = ServerManifest::default();
        let files = self.files.values().filter(|file| file.has_fragments);
        manifest.tracks = files.clone().map(|file| (*file.track).clone()).collect();
        let began = self.began.as_ref();
        let names = files.into_iter().next().zip(began);
        let names = names.and_then(|(file, began)| self.names.manifests(&file.name, began));
        if let (Some((name, _)), Ok(text)) = (names, manifest.to_xml()) {
            writes.push(ArchiveWrite::Put { name, content: text.into() });
        }
    }

    /// Writes the held fragments anew if most of their file is of no use.
    fn tidy(&mut self, writes: &mut Vec<ArchiveWrite>) {
        if self.held_len > UNUSED + 2 * self.held_bytes {
            writes.push(self.put_held());
        }
    }

    fn put_held(&mut self) -> ArchiveWrite {
        let mut content = self.beginning().to_vec();
        for (file, time, bytes) in &self.held {
            let (file, time, bytes) = (*file, *time, bytes.clone());
            if let Some(record) = (Record::Held { file, time, bytes }).write() {
                push_frame(&mut content, 0, &record);
            }
        }
        for early in &self.early {
            if let Some(record) = Record::Early(Box::new(early.clone())).write() {
                push_frame(&mut content, 0, &record);
            }
        }
        self.held_len = content.len() as u64;
        ArchiveWrite::Put { name: self.names.held.clone(), content: content.into() }
    }
}

/// Returns the start of the last fragment that these events append to each file.
fn newest(events: &[LiveEvent]) -> BTreeMap<FileId, i64> {
    let appended = |event: &LiveEvent| match event {
        LiveEvent::Append { file, chunk: Some((time, _)), .. } => Some((*file, *time as i64)),
        _ => None,
    };
    events.iter().filter_map(appended).collect()
}
