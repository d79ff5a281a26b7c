//! From the files of an archive to an event that goes on.

use std::ops::Range;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::journal::Journal;
use super::messages::{in_range, newest};
use super::placed::Placed;
use super::point_record::PointRecord;
use super::record::Record;
use super::replay::Replay;
use super::restored::{Restored, RestoredFile};
use super::write::ArchiveWrite;
use crate::base::{Error, ErrorKind, Limits, Name};
use crate::presentation::messages::Scheme;

/// The recovery of an event whose process ended at any moment.
///
/// The journal rules: what it says is published is published, if the bytes in the track's file are
/// those that it means. The file is cut behind the last such fragment. What was held, or cut off and held
/// before, is held again.
///
/// A host reads the two files of the journal, then [looks](Self::newest) at the newest fragments of each file
/// until one is [right](Self::judge), reads the [first](Self::first) fragment of each file and the newest ones
/// that have [messages](Self::messages), and [finishes](Self::finish).
#[derive(Debug)]
pub struct Recovery {
    record: PointRecord,
    replay: Replay,
    /// Bytes of each file that the journal meant.
    meant: Vec<u64>,
    firsts: Vec<Option<Bytes>>,
    messages: Vec<(Placed, Bytes)>,
}

/// An event that goes on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The writes to make before the event goes on. If the process ends before, the next recovery does
    /// the same.
    pub writes: Vec<ArchiveWrite>,
    /// For the publishing point.
    pub restored: Restored,
    /// For the writes that follow.
    pub journal: Journal,
}

impl Recovery {
    /// Reads the journal of the last event of a publishing point, and its held fragments. `None` if the event has
    /// no journal yet: nothing of it was acknowledged.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if `journal` is no journal, one of another
    /// version, or that of another event: it is not touched.
    pub fn new(
        record: PointRecord,
        journal: &Bytes,
        held: &Bytes,
        limits: &Limits,
    ) -> Result<Option<Self>, Error> {
        let replay = Replay::read(journal, held, limits)?;
        if replay.began.is_some() && replay.began != record.last {
            let what = "the journal of another event".to_owned();
            return Err(ErrorKind::Invalid { what, clause: "the format of journals" }.into());
        }
        let meant: Vec<_> = replay.files.iter().map(|file| file.len).collect();
        let firsts = vec![None; meant.len()];
        let messages = Vec::new();
        Ok(replay.began.is_some().then_some(Self { record, replay, meant, firsts, messages }))
    }

    /// True if the event has ended, and so has the writing of its files.
    pub fn is_closed(&self) -> bool {
        self.replay.is_closed
    }

    /// Returns the server manifest of the event if its film is there.
    pub fn film(&self) -> Option<Name> {
        let is_film = self.replay.is_closed && self.replay.files.iter().any(|f| f.last.is_some());
        self.record.event_names().filter(|_| is_film).map(|names| names.server)
    }

    /// True if the event has ended.
    pub fn is_stopped(&self) -> bool {
        self.replay.is_stopped
    }

    /// Number of files of tracks.
    pub fn files(&self) -> usize {
        self.replay.files.len()
    }

    /// Returns the name of a file.
    pub(crate) fn name(&self, file: usize) -> Option<&Name> {
        self.replay.files.get(file).map(|file| &file.name)
    }

    /// A file has so many bytes: what would lie behind them is not published any more.
    pub(crate) fn cut_to(&mut self, file: usize, size: u64) {
        let beyond = self.placed_in(file).find(|placed| placed.end() > size).copied();
        if let Some(beyond) = beyond {
            self.replay.cut(beyond.file, beyond.start);
        }
    }

    /// Returns the place of the newest published fragment of a file.
    pub fn newest(&self, file: usize) -> Option<(&Name, Range<u64>)> {
        let placed = self.newest_placed(file)?;
        Some((&self.replay.files.get(file)?.name, placed.start..placed.end()))
    }

    fn newest_placed(&self, file: usize) -> Option<Placed> {
        let number = u32::try_from(file + 1).ok()?;
        self.replay.published.iter().rev().find(|placed| placed.file == number).copied()
    }

    /// Compares the newest published fragment of a file with what was written. Returns true if they are
    /// equal; if not, or if the file is too short (`None`), it is not published any more.
    pub fn judge(&mut self, file: usize, bytes: Option<&Bytes>) -> bool {
        let Some(placed) = self.newest_placed(file) else { return true };
        if bytes.is_some_and(|bytes| xxh3_64(bytes) == placed.hash) {
            return true;
        }
        self.replay.cut(placed.file, placed.start);
        false
    }

    /// Returns the place of the first published fragment of a file.
    pub fn first(&self, file: usize) -> Option<(&Name, Range<u64>)> {
        let number = u32::try_from(file + 1).ok()?;
        let placed = self.replay.published.iter().find(|placed| placed.file == number)?;
        Some((&self.replay.files.get(file)?.name, placed.start..placed.end()))
    }

    /// Takes the first published fragment of a file.
    pub fn take_first(&mut self, file: usize, bytes: Bytes) {
        if let Some(first) = self.firsts.get_mut(file) {
            *first = Some(bytes);
        }
    }

    /// Returns the places of the newest published fragments whose messages manifests may have: the number of
    /// each file, its name, and the bytes.
    pub fn messages(&self) -> Vec<(usize, &Name, Range<u64>)> {
        let files = self.replay.files.iter().enumerate();
        let files = files.filter(|(_, file)| Scheme::of_track(&file.track).is_some());
        let ranges = files.flat_map(|(at, file)| {
            let ranges = newest(self.placed_in(at).rev());
            ranges.into_iter().map(move |range| (at, &file.name, range))
        });
        ranges.collect()
    }

    /// Takes bytes of published fragments whose messages manifests may have.
    pub fn take_messages(&mut self, file: usize, range: Range<u64>, bytes: &Bytes) {
        let found: Vec<_> = in_range(self.placed_in(file), &range, bytes).collect();
        self.messages.extend(found);
    }

    fn placed_in(&self, file: usize) -> impl DoubleEndedIterator<Item = &Placed> {
        let number = u32::try_from(file + 1).unwrap_or(u32::MAX);
        self.replay.published.iter().filter(move |placed| placed.file == number)
    }

    /// Returns the event, unless its files are closed.
    pub fn finish(self) -> Option<Recovered> {
        let Self { record, mut replay, meant, firsts, messages } = self;
        let began = replay.began.take().filter(|_| !replay.is_closed)?;
        let (mut writes, mut records) = (Vec::new(), Vec::new());
        let mut journal = Journal::resumed(record.clone(), began.clone(), replay.epoch, replay.end);
        for ((number, file), meant) in (1..).zip(&replay.files).zip(meant) {
            if file.len != meant {
                records.push(Record::Cut { file: number, len: file.len });
            }
        }
        replay.forget_empty();
        let mut files = Vec::with_capacity(replay.files.len());
        for ((number, file), first) in (1..).zip(replay.files).zip(firsts) {
            let has_fragments = file.last.is_some();
            let len = if has_fragments { file.len } else { 0 };
            if has_fragments {
                // Without bytes, it cuts off what is torn.
                let (name, bytes) = (file.name.clone(), Bytes::new());
                writes.push(ArchiveWrite::Append { name, offset: len, bytes });
            }
            // What is not later than a published fragment was published, or dropped.
            let is_held = |time: i64| file.last.is_none_or(|last| time > last as i64);
            let held = file.held.into_values().filter(|held| is_held(held.time));
            let held: Vec<_> = held.collect();
            journal.resume_file(number, file.track.clone(), has_fragments, &held);
            let (name, track, key, head) = (file.name, *file.track, file.key, file.head);
            files.push(RestoredFile { name, track, key, head, len, first, held });
        }
        journal.resume_early(&replay.early);
        writes.extend(journal.resume(&records));
        let restored = Restored {
            event: began.event,
            number: began.number,
            wall: began.wall,
            past: record.past.into(),
            is_ended: false,
            is_open: false,
            is_shut: false,
            epoch: replay.epoch,
            files,
            begun_with: replay.begun_with.unwrap_or(0).min(replay.published.len()),
            published: replay.published,
            messages,
            early: replay.early,
            shifts: replay.shifts,
            ends: replay.ends,
            headers: replay.headers,
        };
        Some(Recovered { writes, restored, journal })
    }
}
