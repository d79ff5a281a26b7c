//! The records of a journal.

use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::placed::Placed;
use super::restored::RestoredEarly;
use crate::base::{Limits, Name};
use crate::fragment::Lengths;
use crate::manifest::{ServerManifest, ServerTrack};

/// A record of a journal. Numbers are written with the most significant byte first, texts behind their
/// length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// The event begins: the first record.
    Began(Began),
    /// Wall time at which media of time 0 was live, as [`Live::epoch`](crate::presentation::Live::epoch).
    Epoch(i64),
    /// A track has a file, or is declared otherwise than before.
    File { file: u32, name: Name, track: Box<ServerTrack>, head: Bytes, key: Arc<str> },
    /// A fragment was taken and is not published yet. Its bytes are the rest of the record.
    Held { file: u32, time: i64, bytes: Bytes },
    /// A fragment was taken of a track that has no file yet. Its bytes are the rest of the record.
    Early(Box<RestoredEarly>),
    /// A fragment was appended to a file.
    Published(Placed),
    /// Fragments that begin at this byte of a file or behind it are not published.
    Cut { file: u32, len: u64 },
    /// The event has ended: no fragment follows.
    Stopped,
    /// The files of the event are a film.
    Closed,
    /// A record of a later version, which may be passed over.
    Other,
}

/// The beginning of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Began {
    /// Identifier of the event, as the encoders' URL has it.
    pub(super) event: Option<Arc<str>>,
    pub(super) number: u64,
    /// Wall time in nanoseconds since 1970.
    pub(super) wall: u64,
}

const BEGAN: u8 = 1;
const EPOCH: u8 = 2;
const FILE: u8 = 3;
const HELD: u8 = 4;
const PUBLISHED: u8 = 5;
const CUT: u8 = 6;
const STOPPED: u8 = 7;
const CLOSED: u8 = 8;
const EARLY: u8 = 9;

impl Record {
    /// Writes the record. `None` if the declaration of a track cannot be written as XML.
    pub(super) fn write(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Self::Began(Began { event, number, wall }) => {
                bytes.push(BEGAN);
                bytes.extend(number.to_be_bytes());
                bytes.extend(wall.to_be_bytes());
                bytes.push(event.is_some().into());
                bytes.extend(event.as_deref().unwrap_or_default().as_bytes());
            }
            Self::Epoch(epoch) => {
                bytes.push(EPOCH);
                bytes.extend(epoch.to_be_bytes());
            }
            Self::File { file, name, track, head, key } => {
                bytes.push(FILE);
                bytes.extend(file.to_be_bytes());
                let mut manifest = ServerManifest::default();
                manifest.tracks.push((**track).clone());
                let xml = manifest.to_xml().ok()?;
                for part in [name.as_str().as_bytes(), xml.as_bytes(), key.as_bytes()] {
                    bytes.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
                    bytes.extend(part);
                }
                bytes.extend_from_slice(head);
            }
            Self::Held { file, time, bytes: fragment } => {
                bytes.reserve_exact(13 + fragment.len());
                bytes.push(HELD);
                bytes.extend(file.to_be_bytes());
                bytes.extend(time.to_be_bytes());
                bytes.extend_from_slice(fragment);
            }
            Self::Published(placed) => {
                bytes.push(PUBLISHED);
                bytes.extend(placed.file.to_be_bytes());
                let Lengths { moof, payload, len } = placed.lengths;
                let Placed { time, duration, start, hash, .. } = *placed;
                let numbers = [time, duration, start, moof, payload, len, hash];
                numbers.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
            }
            Self::Early(early) => {
                bytes.push(EARLY);
                let mut manifest = ServerManifest::default();
                manifest.tracks.push((*early.track).clone());
                let xml = manifest.to_xml().ok()?;
                for part in [xml.as_bytes(), early.key.as_bytes(), &early.head] {
                    bytes.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
                    bytes.extend(part);
                }
                bytes.extend(early.time.to_be_bytes());
                bytes.extend_from_slice(&early.bytes);
            }
            Self::Cut { file, len } => {
                bytes.push(CUT);
                bytes.extend(file.to_be_bytes());
                bytes.extend(len.to_be_bytes());
            }
            Self::Stopped => bytes.push(STOPPED),
            Self::Closed => bytes.push(CLOSED),
            Self::Other => return None,
        }
        Some(bytes)
    }

    /// Reads a record. `None` if it is none.
    pub(super) fn parse(mut bytes: Bytes, limits: &Limits) -> Option<Self> {
        let bytes = &mut bytes;
        Some(match bytes.try_get_u8().ok()? {
            BEGAN => {
                let (number, wall) = (bytes.try_get_u64().ok()?, bytes.try_get_u64().ok()?);
                let is_named = bytes.try_get_u8().ok()? != 0;
                let event = std::str::from_utf8(bytes).ok()?;
                let event = is_named.then(|| event.into());
                Self::Began(Began { event, number, wall })
            }
            EPOCH => Self::Epoch(bytes.try_get_i64().ok()?),
            FILE => {
                let file = bytes.try_get_u32().ok()?;
                let name = Name::new(std::str::from_utf8(&part(bytes)?).ok()?).ok()?;
                let mut manifest = ServerManifest::parse(&part(bytes)?, limits).ok()?;
                let track = Box::new(manifest.tracks.pop()?);
                let key = std::str::from_utf8(&part(bytes)?).ok()?.into();
                // A copy: the head outlives the journal.
                Self::File { file, name, track, head: Bytes::copy_from_slice(bytes), key }
            }
            HELD => {
                let (file, time) = (bytes.try_get_u32().ok()?, bytes.try_get_i64().ok()?);
                Self::Held { file, time, bytes: bytes.clone() }
            }
            PUBLISHED => {
                let file = bytes.try_get_u32().ok()?;
                let mut next = || bytes.try_get_u64().ok();
                let (time, duration, start) = (next()?, next()?, next()?);
                let lengths = Lengths { moof: next()?, payload: next()?, len: next()? };
                Self::Published(Placed { file, time, duration, start, lengths, hash: next()? })
            }
            EARLY => {
                let mut manifest = ServerManifest::parse(&part(bytes)?, limits).ok()?;
                let track = Box::new(manifest.tracks.pop()?);
                let key = std::str::from_utf8(&part(bytes)?).ok()?.into();
                let head = Bytes::copy_from_slice(&part(bytes)?);
                let time = bytes.try_get_i64().ok()?;
                let bytes = bytes.clone();
                Self::Early(Box::new(RestoredEarly { key, track, head, time, bytes }))
            }
            CUT => Self::Cut { file: bytes.try_get_u32().ok()?, len: bytes.try_get_u64().ok()? },
            STOPPED => Self::Stopped,
            CLOSED => Self::Closed,
            _ => Self::Other,
        })
    }
}

/// Takes a part that has its length before it.
fn part(bytes: &mut Bytes) -> Option<Bytes> {
    let len = bytes.try_get_u32().ok()? as usize;
    (len <= bytes.len()).then(|| bytes.split_to(len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::StreamKind;

    #[test]
    fn what_is_written_is_read_again() {
        let mut track = ServerTrack::new(StreamKind::Audio, "é & \"a\".isma");
        track.params.push(("trackID".into(), "2".into()));
        let lengths = Lengths { moof: 100, payload: 108, len: 5000 };
        let (time, duration, start) = (u64::MAX, 2, 1 << 40);
        let began = |event: Option<&str>| {
            Record::Began(Began { event: event.map(Into::into), number: 3, wall: 1 << 60 })
        };
        let records = [
            began(None),
            began(Some("")),
            began(Some("première")),
            Record::Epoch(-5),
            Record::File {
                file: 1,
                name: Name::new("events/news/a.isma").unwrap(),
                track: Box::new(track),
                head: Bytes::from_static(b"ftypmoov"),
                key: "video\u{1f}1".into(),
            },
            Record::Held { file: 7, time: -1, bytes: Bytes::from_static(b"moofmdat") },
            Record::Published(Placed { file: 1, time, duration, start, lengths, hash: 9 }),
            Record::Early(Box::new(RestoredEarly {
                key: "k".into(),
                track: Box::new(ServerTrack::new(StreamKind::Video, "v.ismv")),
                head: Bytes::from_static(b"ftypmoov"),
                time: 5,
                bytes: Bytes::from_static(b"moofmdat"),
            })),
            Record::Cut { file: 1, len: 700 },
            Record::Stopped,
            Record::Closed,
        ];
        for record in records {
            let written = Bytes::from(record.write().unwrap());
            assert_eq!(Record::parse(written.clone(), &Limits::default()), Some(record));
            for len in 0..written.len() {
                // A part of a record is another record, or none.
                let _ = Record::parse(written.slice(..len), &Limits::default());
            }
        }
        assert_eq!(Record::parse(vec![200, 1].into(), &Limits::default()), Some(Record::Other));
        assert_eq!(Record::parse(Bytes::new(), &Limits::default()), None);
    }
}
