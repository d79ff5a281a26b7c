//! The state of an event by its journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::began::Began;
use super::frames::Frames;
use super::placed::Placed;
use super::record::Record;
use super::restored::{RestoredEarly, RestoredEnd, RestoredHeader, RestoredHeld, RestoredShift};
use crate::base::{Error, Limits, Name};
use crate::manifest::ServerTrack;
use crate::presentation::growing::has_captions;

/// The state of an event by its journal.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    pub(super) began: Option<Began>,
    pub(super) epoch: Option<i64>,
    /// In the order of their numbers, from 1.
    pub(super) files: Vec<ReplayedFile>,
    /// Published fragments of all files, in the order in which they were published.
    pub(super) published: Vec<Placed>,
    /// Fragments of tracks that have no file.
    pub(super) early: Vec<RestoredEarly>,
    pub(super) shifts: Vec<RestoredShift>,
    pub(super) ends: Vec<RestoredEnd>,
    /// The newest header of each encoder and stream, the newest last.
    pub(super) headers: Vec<RestoredHeader>,
    /// Number of fragments that were published with the first snapshot.
    pub(super) begun_with: Option<usize>,
    pub(super) is_stopped: bool,
    pub(super) is_closed: bool,
    /// Bytes of the journal up to the first record that is torn or broken.
    pub(super) end: u64,
}

/// A file of an event by its journal.
#[derive(Debug)]
pub(super) struct ReplayedFile {
    pub(super) name: Name,
    pub(super) track: Box<ServerTrack>,
    pub(super) head: Bytes,
    /// How the point finds the track again.
    pub(super) key: Arc<str>,
    /// Bytes up to the end of the last published fragment, or of the head.
    pub(super) len: u64,
    /// Start of the last published fragment.
    pub(super) last: Option<u64>,
    /// Fragments that are not published, by their start.
    pub(super) held: BTreeMap<i64, RestoredHeld>,
}

/// Encoders whose times are moved.
const MOST_SHIFTS: usize = 1024;
/// Encoders that have said that nothing follows.
const MOST_ENDS: usize = 1024;
/// Encoders and streams whose headers are kept, as a publishing point remembers as many.
const MOST_HEADERS: usize = 256;

impl Replay {
    /// Reads a journal and the held fragments that belong to it, up to the first record of each that is
    /// torn, broken, or contradicts those before it.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if `journal` is no journal, or one of another
    /// version.
    pub(crate) fn read(journal: &Bytes, held: &Bytes, limits: &Limits) -> Result<Self, Error> {
        let mut replay = Self::default();
        let mut frames = Frames::new(journal)?;
        while let Some(frame) = frames.peek() {
            let taken = Record::parse(frame.clone(), limits).and_then(|r| replay.take(r, limits));
            if taken.is_none() {
                break;
            }
            frames.pass(&frame);
        }
        replay.end = frames.end();
        replay.take_held(held, limits);
        Ok(replay)
    }

    /// Takes a record. `None` if it contradicts those before it.
    fn take(&mut self, record: Record, limits: &Limits) -> Option<()> {
        let is_first = matches!(record, Record::Began(_));
        if is_first == self.began.is_some() || self.is_closed {
            return None;
        }
        match record {
            Record::Began(began) => self.began = Some(began),
            Record::Epoch(epoch) => {
                self.epoch = Some(epoch);
                self.begun_with.get_or_insert(self.published.len());
            }
            Record::File { file, name, track, head, key } => {
                let (at, count) = ((file as usize).checked_sub(1)?, self.files.len());
                let are_empty = self.are_empty_from(at);
                match self.files.get_mut(at) {
                    Some(known) if known.name == name && known.head == head => known.track = track,
                    _ if at <= count && at < limits.tracks && are_empty => {
                        // A restart has forgotten those that were not begun.
                        self.files.truncate(at);
                        let len = head.len() as u64;
                        let (last, held) = (None, BTreeMap::new());
                        self.files.push(ReplayedFile { name, track, head, key, len, last, held });
                    }
                    _ => return None,
                }
            }
            Record::Published(placed) => self.publish(placed)?,
            Record::Cut { file, len } => self.cut(file, len)?,
            Record::Moved { stream, encoder, shift } => self.move_encoder(stream, encoder, shift),
            Record::Ended { stream, encoder, has_ended } => {
                self.end_encoder(RestoredEnd { stream, encoder }, has_ended);
            }
            Record::Header(header) => self.take_header(header),
            Record::Stopped => self.is_stopped = true,
            Record::Closed if self.is_stopped => self.is_closed = true,
            Record::Other => {}
            // Held fragments are in a file of their own, and so is what belongs to the point.
            Record::Closed | Record::Held { .. } => return None,
            Record::Early(_) | Record::More { .. } => return None,
            Record::Point(_) | Record::Film(_) | Record::Past(_) => return None,
            Record::Open | Record::Shut | Record::Due(_) => return None,
        }
        Some(())
    }

    /// Returns whether no fragment is published of this file and those behind it.
    fn are_empty_from(&self, at: usize) -> bool {
        self.files.iter().skip(at).all(|file| file.last.is_none())
    }

    /// Forgets the last files, from the first one on that has no fragment at all: they were declared, and the process
    /// ended before they were begun. Those that are held have no file any more. Captions that are announced keep theirs,
    /// and those before them their numbers.
    pub(super) fn forget_empty(&mut self) {
        let is_begun = |file: &ReplayedFile| file.last.is_some() || has_captions(&file.head);
        let begun = self.files.iter().rposition(is_begun).map_or(0, |last| last + 1);
        let empty = self.files.iter().skip(begun).position(|file| file.held.is_empty());
        let Some(empty) = empty else { return };
        for file in self.files.split_off(begun + empty) {
            let ReplayedFile { key, track, head, held, .. } = file;
            self.early.extend(held.into_values().map(|held| {
                let (key, track, head) = (Arc::clone(&key), track.clone(), head.clone());
                let RestoredHeld { time, duration, bytes } = held;
                RestoredEarly { key, track, head, time, duration, bytes }
            }));
        }
    }

    fn move_encoder(&mut self, stream: Arc<str>, encoder: Arc<str>, shift: i64) {
        let is_it = |of: &RestoredShift| of.stream == stream && of.encoder == encoder;
        self.shifts.retain(|of| !is_it(of));
        if self.shifts.len() < MOST_SHIFTS {
            self.shifts.push(RestoredShift { stream, encoder, shift });
        }
    }

    fn end_encoder(&mut self, end: RestoredEnd, has_ended: bool) {
        self.ends.retain(|of| *of != end);
        if has_ended && self.ends.len() < MOST_ENDS {
            self.ends.push(end);
        }
    }

    fn take_header(&mut self, header: RestoredHeader) {
        let of = |header: &RestoredHeader| {
            (header.stream.to_lowercase(), Arc::clone(&header.encoder), header.is_named)
        };
        let it = of(&header);
        self.headers.retain(|known| of(known) != it);
        if self.headers.len() >= MOST_HEADERS {
            self.headers.remove(0);
        }
        self.headers.push(header);
    }

    fn publish(&mut self, placed: Placed) -> Option<()> {
        let file = self.files.get_mut((placed.file as usize).checked_sub(1)?)?;
        let lengths = placed.lengths;
        let is_ordered = lengths.moof <= lengths.payload && lengths.payload <= lengths.len;
        let is_next = placed.start == file.len && file.last.is_none_or(|last| placed.time > last);
        let end = placed.start.checked_add(lengths.len)?;
        if self.is_stopped || !is_ordered || !is_next || lengths.len == 0 {
            return None;
        }
        (file.len, file.last) = (end, Some(placed.time));
        self.published.push(placed);
        Some(())
    }

    /// Takes fragments back that begin at this byte of a file or behind it. `None` if no fragment begins or
    /// ends there.
    pub(super) fn cut(&mut self, number: u32, len: u64) -> Option<()> {
        let file = self.files.get_mut((number as usize).checked_sub(1)?)?;
        if len == file.len {
            return Some(());
        }
        let is_start = |placed: &Placed| placed.file == number && placed.start == len;
        if !self.published.iter().any(is_start) {
            return None;
        }
        self.published.retain(|placed| placed.file != number || placed.start < len);
        let last = self.published.iter().rev().find(|placed| placed.file == number);
        (file.len, file.last) = (len, last.map(|placed| placed.time));
        Some(())
    }

    fn take_held(&mut self, held: &Bytes, limits: &Limits) {
        let Ok(mut frames) = Frames::new(held) else { return };
        let mut is_first = true;
        // The tracks of `Early` records. One that cannot be read has its number even so.
        let mut tracks: Vec<Option<RestoredEarly>> = Vec::new();
        while let Some(frame) = frames.peek() {
            let record = Record::parse(frame.clone(), limits);
            if Record::is_early(&frame) {
                tracks.push(match &record {
                    Some(Record::Early(early)) => {
                        Some(RestoredEarly { bytes: Bytes::new(), ..(**early).clone() })
                    }
                    _ => None,
                });
            }
            match record {
                // Those of another event are not for this one.
                Some(Record::Began(began)) if is_first && self.began.as_ref() == Some(&began) => {}
                Some(Record::Held { file, time, duration, bytes }) if !is_first => {
                    let at = (file as usize).checked_sub(1);
                    if let Some(file) = at.and_then(|at| self.files.get_mut(at)) {
                        // A longer one may have taken the place of an earlier one of the same time.
                        file.held.insert(time, RestoredHeld { time, duration, bytes });
                    }
                }
                Some(Record::Early(early)) if !is_first => self.take_early(*early),
                Some(Record::More { of, time, duration, bytes }) if !is_first => {
                    let track = tracks.get(of as usize).and_then(Option::as_ref);
                    if let Some(track) = track.cloned() {
                        self.take_early(RestoredEarly { time, duration, bytes, ..track });
                    }
                }
                // A record that cannot be read is whole even so: what follows it can be.
                Some(Record::Other) | None if !is_first => {}
                _ => return,
            }
            frames.pass(&frame);
            is_first = false;
        }
    }

    fn take_early(&mut self, early: RestoredEarly) {
        // By now, the track may have a file: the last one, if there are some that were never begun.
        let files = self.files.iter_mut().filter(|file| file.key == early.key);
        match files.max_by_key(|file| file.last.is_some()) {
            Some(file) => {
                let RestoredEarly { time, duration, bytes, .. } = early;
                file.held.insert(time, RestoredHeld { time, duration, bytes });
            }
            None => self.early.push(early),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::journal::journal_of;
    use crate::manifest::StreamKind;

    #[test]
    fn the_head_of_a_track_without_a_file_is_written_once_and_goes_with_all_its_fragments() {
        use crate::live::journal::{ArchiveWrite, Journal};
        use crate::live::{LiveEvent, Moment};
        let now = Moment { monotonic: Default::default(), wall: Default::default() };
        let mut journal = Journal::new(&Name::new("news.isml").unwrap());
        let heads = [b'a', b'b'].map(|byte| Bytes::from(vec![byte; 1 << 20]));
        let early = |time: i64| {
            let of = time as usize % 2;
            let (key, head) = (["a", "b"][of].into(), heads[of].clone());
            let track = Box::new(ServerTrack::new(StreamKind::Video, "v.ismv"));
            let bytes = Bytes::from(vec![0; 100]);
            LiveEvent::Early { key, track, head, time, duration: 1, bytes }
        };
        let began = [LiveEvent::Began { event: None, number: 1 }];
        let mut writes = journal.take(&began, None, now);
        for time in 0..100 {
            writes.extend(journal.take(&[early(time)], None, now));
            writes.extend(journal.hold());
        }
        let written: u64 = writes.iter().map(ArchiveWrite::len).sum();
        assert!(written < (2 << 20) + 100 * 300, "{written}");
        let held_name = journal.held_name().unwrap().clone();
        let (mut records, mut held) = (Vec::new(), Vec::new());
        for write in writes {
            match write {
                ArchiveWrite::Append { name, bytes, .. } if name == held_name => held.extend(bytes),
                ArchiveWrite::Append { bytes, .. } => records.extend(bytes),
                _ => {}
            }
        }
        let rewritten = journal.resume(&[]).into_iter().find_map(|write| match write {
            ArchiveWrite::Put { content, .. } => Some(content),
            _ => None,
        });
        for held in [held.into(), rewritten.unwrap()] {
            let replay = Replay::read(&records.clone().into(), &held, &Limits::default()).unwrap();
            let found = replay.early.iter().map(|early| (early.time, early.head.clone()));
            let sent = (0..100).map(|time| (time, heads[time as usize % 2].clone()));
            assert!(found.eq(sent), "{}", replay.early.len());
        }
    }

    #[test]
    fn what_a_published_fragment_announces_is_held_before_the_journal_has_that_fragment() {
        use crate::base::FileId;
        use crate::live::journal::{ArchiveWrite, Journal};
        use crate::live::{LiveEvent, Moment};
        let now = Moment { monotonic: Default::default(), wall: Default::default() };
        let mut journal = Journal::new(&Name::new("news.isml").unwrap());
        let (file, name) = (FileId::new(1), Name::new("v.ismv").unwrap());
        let track = Box::new(ServerTrack::new(StreamKind::Video, "v.ismv"));
        let (head, key) = (Bytes::from_static(b"head"), "key".into());
        let bytes = Bytes::from_static(b"\0\0\0\x08moof\0\0\0\x08mdat");
        let held = |time| LiveEvent::Held { file, time, duration: 1, bytes: bytes.clone() };
        let append = |offset, bytes: Bytes, chunk| {
            let name = name.clone();
            LiveEvent::Append { file, name, offset, bytes, chunk }
        };
        let began = LiveEvent::Began { event: None, number: 1 };
        let of_file = LiveEvent::File { file, name: name.clone(), track, head: head.clone(), key };
        journal.take(&[began, of_file, append(0, head, None), held(0)], None, now);
        let published = append(4, bytes.clone(), Some((0, 1)));
        let writes = journal.take(&[held(1), published], None, now);
        let names = writes.iter().filter_map(|write| match write {
            ArchiveWrite::Append { name, .. } => Some(name.as_str()),
            _ => None,
        });
        assert_eq!(names.collect::<Vec<_>>(), ["v.ismv", "news.held", "news.journal"]);
    }

    #[test]
    fn a_held_fragment_that_cannot_be_read_does_not_hide_those_behind_it() {
        let began = Record::Began(Began { event: None, number: 1, wall: 1 });
        let file = Record::File {
            file: 1,
            name: Name::new("a.ismv").unwrap(),
            track: Box::new(ServerTrack::new(StreamKind::Video, "a.ismv")),
            head: Bytes::from_static(b"ftypmoov"),
            key: "key".into(),
        };
        let bytes = Bytes::from_static(b"moofmdat");
        let held = Record::Held { file: 1, time: 5, duration: 2, bytes: bytes.clone() };
        let [began, file, held] = [began, file, held].map(|record| record.write().unwrap());
        // The declaration of its track is no XML.
        let broken = [&[9, 0, 0, 0, 1][..], b"?", &[0; 20]].concat();
        let journal = journal_of(&[&began, &file]);
        let all = journal_of(&[&began, &broken, &held]);
        let replay = Replay::read(&journal, &all, &Limits::default()).unwrap();
        let found = &replay.files[0].held[&5];
        assert_eq!(*found, RestoredHeld { time: 5, duration: 2, bytes });
    }

    #[test]
    fn announced_captions_stay_behind_a_file_that_was_never_begun() {
        use crate::presentation::growing::samples::Pushed;
        let file = |number: u32, kind, last| {
            let name = Name::new(&format!("{number}.ismv")).unwrap();
            let track = Box::new(ServerTrack::new(kind, name.as_str()));
            let head = Pushed::new(kind, 1, 1000).head();
            let (key, len) = (number.to_string().into(), head.len() as u64);
            ReplayedFile { name, track, head, key, len, last, held: BTreeMap::new() }
        };
        let (video, audio, text) = (StreamKind::Video, StreamKind::Audio, StreamKind::Text);
        let all = [(video, Some(0)), (audio, Some(0)), (audio, None), (text, None), (video, None)];
        for (count, kept) in [(5, 4), (4, 4), (3, 2), (2, 2), (0, 0)] {
            let files = (1..).zip(&all[..count]);
            let files = files.map(|(number, &(kind, last))| file(number, kind, last)).collect();
            let mut replay = Replay { files, ..Replay::default() };
            replay.forget_empty();
            assert_eq!(replay.files.len(), kept, "of {count}");
        }
    }
}
