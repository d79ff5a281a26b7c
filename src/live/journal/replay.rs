//! The state of an event by its journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::frames::Frames;
use super::placed::Placed;
use super::record::{Began, Record};
use super::restored::RestoredEarly;
use crate::base::{Error, Limits, Name};
use crate::manifest::ServerTrack;

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
    pub(super) held: BTreeMap<i64, Bytes>,
}

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
            Record::Epoch(epoch) => self.epoch = Some(epoch),
            Record::File { file, name, track, head, key } => {
                let (at, count) = ((file as usize).checked_sub(1)?, self.files.len());
                match self.files.get_mut(at) {
                    Some(known) if known.name == name && known.head == head => known.track = track,
                    None if at == count && at < limits.tracks => {
                        let len = head.len() as u64;
                        let (last, held) = (None, BTreeMap::new());
                        self.files.push(ReplayedFile { name, track, head, key, len, last, held });
                    }
                    _ => return None,
                }
            }
            Record::Published(placed) => self.publish(placed)?,
            Record::Cut { file, len } => self.cut(file, len)?,
            Record::Stopped => self.is_stopped = true,
            Record::Closed if self.is_stopped => self.is_closed = true,
            Record::Other => {}
            // Held fragments are in a file of their own.
            Record::Closed | Record::Held { .. } | Record::Early(_) => return None,
        }
        Some(())
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
        while let Some(frame) = frames.peek() {
            match Record::parse(frame.clone(), limits) {
                // Those of another event are not for this one.
                Some(Record::Began(began)) if is_first && self.began.as_ref() == Some(&began) => {}
                Some(Record::Held { file, time, bytes }) if !is_first => {
                    let at = (file as usize).checked_sub(1);
                    if let Some(file) = at.and_then(|at| self.files.get_mut(at)) {
                        file.held.entry(time).or_insert(bytes);
                    }
                }
                Some(Record::Early(early)) if !is_first => {
                    // By now, the track may have a file.
                    match self.files.iter_mut().find(|file| file.key == early.key) {
                        Some(file) => {
                            file.held.entry(early.time).or_insert(early.bytes);
                        }
                        None => self.early.push(*early),
                    }
                }
                Some(Record::Other) if !is_first => {}
                _ => return,
            }
            frames.pass(&frame);
            is_first = false;
        }
    }
}
