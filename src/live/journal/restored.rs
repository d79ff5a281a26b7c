//! The state from which a publishing point goes on with an event.

use std::sync::Arc;

use bytes::Bytes;

use super::placed::Placed;
use crate::base::Name;
use crate::manifest::ServerTrack;

/// An event as its archive has it, for a publishing point that goes on with it.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Identifier and number of the event.
    pub(crate) event: Option<Arc<str>>,
    pub(crate) number: u64,
    /// True if the event has ended: nothing else is said of it.
    pub(crate) is_ended: bool,
    /// See [`Live::epoch`](crate::presentation::Live::epoch). `None` if nothing was published.
    pub(crate) epoch: Option<i64>,
    /// The files in the order of their ids, of which the first one is 1.
    pub(crate) files: Vec<RestoredFile>,
    /// Published fragments of all files, in the order in which they were published.
    pub(crate) published: Vec<Placed>,
    /// Fragments of tracks that have no file.
    pub(crate) early: Vec<RestoredEarly>,
}

/// A fragment that was taken before its track had a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestoredEarly {
    /// How the point finds the track again.
    pub(crate) key: Arc<str>,
    pub(crate) track: Box<ServerTrack>,
    pub(crate) head: Bytes,
    /// Start on the event's clock, in ticks of the track.
    pub(crate) time: i64,
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
    pub(crate) held: Vec<(i64, Bytes)>,
}

impl Restored {
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
        files.flat_map(|(number, file)| file.held.iter().map(move |(time, _)| (number, *time)))
    }
}
