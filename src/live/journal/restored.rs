//! The state from which a publishing point goes on with an event.

use std::sync::Arc;

use bytes::Bytes;

use super::placed::Placed;
use super::point_record::PointRecord;
use crate::base::Name;
use crate::manifest::ServerTrack;

/// An event as its archive has it, for a publishing point that goes on with it.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Identifier and number of the event.
    pub(crate) event: Option<Arc<str>>,
    pub(crate) number: u64,
    /// Wall time of its beginning in nanoseconds since 1970.
    pub(crate) wall: u64,
    /// Identifiers of events that have ended, in lower case.
    pub(crate) past: Vec<String>,
    /// True if the event has ended: nothing else is said of it.
    pub(crate) is_ended: bool,
    /// True if encoders may push again without another EventID, though it has ended.
    pub(crate) is_open: bool,
    /// True if the operator has stopped the point.
    pub(crate) is_shut: bool,
    /// See [`Live::epoch`](crate::presentation::Live::epoch). `None` if nothing was published.
    pub(crate) epoch: Option<i64>,
    /// The files in the order of their ids, of which the first one is 1. One without a fragment, published or held, other
    /// than announced captions, is before others that are of use, and of none itself.
    pub(crate) files: Vec<RestoredFile>,
    /// Published fragments of all files, in the order in which they were published.
    pub(crate) published: Vec<Placed>,
    /// Those of them whose messages manifests may have, as far as they were read, in the order of their times.
    pub(crate) messages: Vec<(Placed, Bytes)>,
    /// Number of fragments that the first snapshot had: the first of those that were published.
    pub(crate) begun_with: usize,
    /// Fragments of tracks that have no file.
    pub(crate) early: Vec<RestoredEarly>,
    pub(crate) shifts: Vec<RestoredShift>,
    /// Encoders that have said that nothing follows.
    pub(crate) ends: Vec<RestoredEnd>,
    /// The newest header of each encoder and stream, the newest last.
    pub(crate) headers: Vec<RestoredHeader>,
}

/// A fragment that was taken before its track had a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestoredEarly {
    /// How the point finds the track again.
    pub(crate) key: Arc<str>,
    pub(crate) track: Box<ServerTrack>,
    pub(crate) head: Bytes,
    /// Start on the event's clock, and duration, in ticks of the track.
    pub(crate) time: i64,
    pub(crate) duration: i64,
    pub(crate) bytes: Bytes,
}

/// A file of an event as its archive has it.
#[derive(Clone, Debug)]
pub(crate) struct RestoredFile {
    pub(crate) name: Name,
    pub(crate) track: ServerTrack,
    /// How the point finds the track again.
    pub(crate) key: Arc<str>,
    /// `ftyp` and `moov`.
    pub(crate) head: Bytes,
    /// Bytes of the file: offset of the next fragment. 0 if no fragment is published: the head is to be
    /// appended with the first one.
    pub(crate) len: u64,
    /// The first fragment that was published. `None` if none was.
    pub(crate) first: Option<Bytes>,
    /// Fragments that are not published, in the order of their starts on the event's clock.
    pub(crate) held: Vec<RestoredHeld>,
}

/// A fragment of an event that was taken and is not published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestoredHeld {
    /// Start on the event's clock, and duration, in ticks of the track.
    pub(crate) time: i64,
    pub(crate) duration: i64,
    pub(crate) bytes: Bytes,
}

/// The header that an encoder has brought: its later pushes may have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestoredHeader {
    pub(crate) stream: Arc<str>,
    pub(crate) encoder: Arc<str>,
    /// True if its URL names the event.
    pub(crate) is_named: bool,
    /// Its boxes, as they were pushed.
    pub(crate) boxes: Bytes,
}

/// An encoder whose times are moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestoredShift {
    pub(crate) stream: Arc<str>,
    pub(crate) encoder: Arc<str>,
    /// Ticks of 100 ns.
    pub(crate) shift: i64,
}

/// An encoder that has said that nothing follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestoredEnd {
    pub(crate) stream: Arc<str>,
    pub(crate) encoder: Arc<str>,
}

impl Restored {
    /// Returns what a publishing point needs to know of its events if none goes on.
    pub fn ended(record: &PointRecord) -> Self {
        Self {
            event: record.event().map(Into::into),
            number: record.number(),
            wall: record.last.as_ref().map_or(0, |last| last.wall),
            past: record.past.iter().cloned().collect(),
            is_ended: true,
            is_open: record.is_open || !record.is_ended,
            is_shut: record.is_shut,
            epoch: None,
            files: Vec::new(),
            published: Vec::new(),
            messages: Vec::new(),
            begun_with: 0,
            early: Vec::new(),
            shifts: Vec::new(),
            ends: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Identifier of the event, as the encoders' URL has it.
    pub fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }

    /// True if the event has ended and its files are a film.
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Name and length of each file, in the order of their ids, of which the first one is 1.
    pub fn files(&self) -> impl Iterator<Item = (&Name, u64)> {
        self.files.iter().map(|file| (&file.name, file.len))
    }

    /// Start of each published fragment, in ticks of its track, and the number of its file, from 1, in the
    /// order in which they were published.
    pub fn published(&self) -> impl Iterator<Item = (u32, u64)> {
        self.published.iter().map(|placed| (placed.file, placed.time))
    }

    /// Start of each fragment that was taken and is not published, and the number of its file, from 1.
    pub fn held(&self) -> impl Iterator<Item = (u32, i64)> {
        let files = (1..).zip(&self.files);
        files.flat_map(|(number, file)| file.held.iter().map(move |held| (number, held.time)))
    }

    /// Stream and name of each encoder that has said that nothing follows.
    pub fn ends(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ends.iter().map(|end| (&*end.stream, &*end.encoder))
    }
}
