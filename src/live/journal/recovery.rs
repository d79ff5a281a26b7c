//! From the files of an archive to an event that goes on.

use std::ops::Range;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::journal::Journal;
use super::names::Names;
use super::placed::Placed;
use super::record::Record;
use super::replay::Replay;
use super::restored::{Restored, RestoredFile};
use super::write::ArchiveWrite;
use crate::base::{Error, Limits, Name};

/// The recovery of an event whose process ended at any moment.
///
/// The journal rules: what it says is published is published, if the bytes in the track's file are
/// those that it means. The file is cut behind the last such fragment. What was held, or cut off and held
/// before, is held again.
///
/// A host reads the two files of the journal, then [looks](Self::newest) at the newest fragments of each file
/// until one is [right](Self::judge), reads the [first](Self::first) fragment of each file, and
/// [finishes](Self::finish).
#[derive(Debug)]
pub struct Recovery {
    names: Names,
    replay: Replay,
    /// Bytes of each file that the journal meant.
    meant: Vec<u64>,
    firsts: Vec<Option<Bytes>>,
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
    /// Reads the journal of a publishing point, and its held fragments. `None` if it has no event.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if `journal` is no journal, or one of another
    /// version: it is not touched.
    pub fn new(
        point: &Name,
        journal: &Bytes,
        held: &Bytes,
        limits: &Limits,
    ) -> Result<Option<Self>, Error> {
        let replay = Replay::read(journal, held, limits)?;
        let names = Names::of(point).filter(|_| replay.began.is_some());
        let meant: Vec<_> = replay.files.iter().map(|file| file.len).collect();
        let firsts = vec![None; meant.len()];
        Ok(names.map(|names| Self { names, replay, meant, firsts }))
    }

    /// Name of the journal of a publishing point, and of its held fragments. `None` if the name of the point
    /// is too long for them.
    pub fn names(point: &Name) -> Option<[Name; 2]> {
        Names::of(point).map(|names| [names.journal, names.held])
    }

    /// True if the event has ended, and so has the writing of its files.
    pub fn is_closed(&self) -> bool {
        self.replay.is_closed
    }

    /// True if the event has ended.
    pub fn is_stopped(&self) -> bool {
        self.replay.is_stopped
    }

    /// Number of files of tracks.
    pub fn files(&self) -> usize {
        self.replay.files.len()
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

    /// Returns what a publishing point needs to know of an event that has ended.
    pub fn ended(&self) -> Restored {
        let began = self.replay.began.as_ref();
        Restored {
            event: began.and_then(|began| began.event.clone()),
            number: began.map_or(0, |began| began.number),
            is_ended: true,
            epoch: None,
            files: Vec::new(),
            published: Vec::new(),
            early: Vec::new(),
        }
    }

    /// Returns the event, unless its files are closed.
    pub fn finish(self) -> Option<Recovered> {
        let Self { names, replay, meant, firsts } = self;
        let began = replay.began.filter(|_| !replay.is_closed)?;
        let (mut writes, mut records) = (Vec::new(), Vec::new());
        let mut journal = Journal::resumed(names, began.clone(), replay.epoch, replay.end);
        let mut files = Vec::with_capacity(meant.len());
        for (((number, file), meant), first) in (1..).zip(replay.files).zip(meant).zip(firsts) {
            let has_fragments = file.last.is_some();
            let len = if has_fragments { file.len } else { 0 };
            if has_fragments {
                // Without bytes, it cuts off what is torn.
                let (name, bytes) = (file.name.clone(), Bytes::new());
                writes.push(ArchiveWrite::Append { name, offset: len, bytes });
            }
            if file.len != meant {
                records.push(Record::Cut { file: number, len: file.len });
            }
            // What is not later than a published fragment was published, or dropped.
            let is_held = |time: &i64| file.last.is_none_or(|last| *time > last as i64);
            let held: Vec<_> = file.held.into_iter().filter(|(time, _)| is_held(time)).collect();
            let declared = (file.name.clone(), file.track.clone());
            journal.resume_file(number, declared, has_fragments, &held);
            let (name, track, key, head) = (file.name, *file.track, file.key, file.head);
            files.push(RestoredFile { name, track, key, head, len, first, held });
        }
        journal.resume_early(&replay.early);
        writes.extend(journal.resume(&records));
        let restored = Restored {
            event: began.event,
            number: began.number,
            is_ended: false,
            epoch: replay.epoch,
            files,
            published: replay.published,
            early: replay.early,
        };
        Some(Recovered { writes, restored, journal })
    }
}
