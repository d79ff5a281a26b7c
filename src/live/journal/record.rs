//! The records of a journal.

use std::sync::Arc;

use bytes::{Buf, Bytes};

use super::began::Began;
use super::placed::Placed;
use super::restored::{RestoredEarly, RestoredHeader};
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
    Held { file: u32, time: i64, duration: i64, bytes: Bytes },
    /// A fragment was taken of a track that has no file yet. Its bytes are the rest of the record.
    Early(Box<RestoredEarly>),
    /// Another one of the track that the [`Early`](Self::Early) record of this number has, from 0 in its file.
    More { of: u32, time: i64, duration: i64, bytes: Bytes },
    /// The times of an encoder are moved by so many ticks of 100 ns.
    Moved { stream: Arc<str>, encoder: Arc<str>, shift: i64 },
    /// An encoder has said that nothing follows, or goes on though it has.
    Ended { stream: Arc<str>, encoder: Arc<str>, has_ended: bool },
    /// An encoder has brought the header of its fragments.
    Header(RestoredHeader),
    /// A fragment was appended to a file.
    Published(Placed),
    /// Fragments that begin at this byte of a file or behind it are not published.
    Cut { file: u32, len: u64 },
    /// The event has ended: no fragment follows.
    Stopped,
    /// The files of the event are a film.
    Closed,
    /// The publishing point, in its own record.
    Point(Name),
    /// Server manifest of the newest event that has ended, in the record of the point.
    Film(Name),
    /// Identifier of an event that has ended, in the record of the point.
    Past(Arc<str>),
    /// Encoders may push again after the event has ended, in the record of the point.
    Open,
    /// The operator has stopped the point, in its record.
    Shut,
    /// An event that has ended and whose film is still to be made, in the record of the point.
    Due(Began),
    /// A record of a later version, which may be passed over.
    Other,
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
const POINT: u8 = 10;
const FILM: u8 = 11;
const PAST: u8 = 12;
const MOVED: u8 = 13;
const MORE: u8 = 14;
const OPEN: u8 = 15;
const SHUT: u8 = 16;
const HEADER: u8 = 17;
const DUE: u8 = 18;
const ENDED: u8 = 19;

impl Record {
    /// Writes the record. `None` if the declaration of a track cannot be written as XML.
    pub(super) fn write(&self) -> Option<Vec<u8>> {
        let mut bytes = self.begin()?;
        bytes.extend_from_slice(self.fragment());
        Some(bytes)
    }

    /// The bytes of a fragment that is not published, which are the rest of its record. Others have none.
    pub(super) fn fragment(&self) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        match self {
            Self::Held { bytes, .. } | Self::More { bytes, .. } => bytes,
            Self::Early(early) => &early.bytes,
            _ => &NONE,
        }
    }

    /// Writes the record without its [fragment](Self::fragment).
    pub(super) fn begin(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Self::Began(began) | Self::Due(began) => {
                let Began { event, number, wall } = began;
                bytes.push(if matches!(self, Self::Due(_)) { DUE } else { BEGAN });
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
            Self::Held { file, time, duration, .. } => {
                bytes.push(HELD);
                bytes.extend(file.to_be_bytes());
                bytes.extend(time.to_be_bytes());
                bytes.extend(duration.to_be_bytes());
            }
            Self::More { of, time, duration, .. } => {
                bytes.push(MORE);
                bytes.extend(of.to_be_bytes());
                bytes.extend(time.to_be_bytes());
                bytes.extend(duration.to_be_bytes());
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
                bytes.extend(early.duration.to_be_bytes());
            }
            Self::Cut { file, len } => {
                bytes.push(CUT);
                bytes.extend(file.to_be_bytes());
                bytes.extend(len.to_be_bytes());
            }
            Self::Moved { stream, encoder, shift } => {
                bytes.push(MOVED);
                bytes.extend(shift.to_be_bytes());
                bytes.extend(u32::try_from(stream.len()).ok()?.to_be_bytes());
                bytes.extend(stream.as_bytes());
                bytes.extend(encoder.as_bytes());
            }
            Self::Ended { stream, encoder, has_ended } => {
                bytes.push(ENDED);
                bytes.push((*has_ended).into());
                bytes.extend(u32::try_from(stream.len()).ok()?.to_be_bytes());
                bytes.extend(stream.as_bytes());
                bytes.extend(encoder.as_bytes());
            }
            Self::Header(RestoredHeader { stream, encoder, is_named, boxes }) => {
                bytes.push(HEADER);
                bytes.push((*is_named).into());
                for part in [stream.as_bytes(), encoder.as_bytes()] {
                    bytes.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
                    bytes.extend(part);
                }
                bytes.extend_from_slice(boxes);
            }
            Self::Stopped => bytes.push(STOPPED),
            Self::Open => bytes.push(OPEN),
            Self::Shut => bytes.push(SHUT),
            Self::Closed => bytes.push(CLOSED),
            Self::Point(name) => {
                bytes.push(POINT);
                bytes.extend(name.as_str().as_bytes());
            }
            Self::Film(name) => {
                bytes.push(FILM);
                bytes.extend(name.as_str().as_bytes());
            }
            Self::Past(event) => {
                bytes.push(PAST);
                bytes.extend(event.as_bytes());
            }
            Self::Other => return None,
        }
        Some(bytes)
    }

    /// Returns true if this begins as an [`Early`](Self::Early) record does, whether it can be read or not.
    pub(super) fn is_early(bytes: &Bytes) -> bool {
        bytes.first() == Some(&EARLY)
    }

    /// Reads a record. `None` if it is none.
    pub(super) fn parse(mut bytes: Bytes, limits: &Limits) -> Option<Self> {
        let bytes = &mut bytes;
        Some(match bytes.try_get_u8().ok()? {
            kind @ (BEGAN | DUE) => {
                let (number, wall) = (bytes.try_get_u64().ok()?, bytes.try_get_u64().ok()?);
                let is_named = bytes.try_get_u8().ok()? != 0;
                let event = std::str::from_utf8(bytes).ok()?;
                let event = is_named.then(|| event.into());
                let began = Began { event, number, wall };
                if kind == DUE { Self::Due(began) } else { Self::Began(began) }
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
                let duration = bytes.try_get_i64().ok()?;
                Self::Held { file, time, duration, bytes: bytes.clone() }
            }
            MORE => {
                let (of, time) = (bytes.try_get_u32().ok()?, bytes.try_get_i64().ok()?);
                let duration = bytes.try_get_i64().ok()?;
                Self::More { of, time, duration, bytes: bytes.clone() }
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
                let (time, duration) = (bytes.try_get_i64().ok()?, bytes.try_get_i64().ok()?);
                let bytes = bytes.clone();
                Self::Early(Box::new(RestoredEarly { key, track, head, time, duration, bytes }))
            }
            CUT => Self::Cut { file: bytes.try_get_u32().ok()?, len: bytes.try_get_u64().ok()? },
            POINT => Self::Point(Name::new(std::str::from_utf8(bytes).ok()?).ok()?),
            FILM => Self::Film(Name::new(std::str::from_utf8(bytes).ok()?).ok()?),
            PAST => Self::Past(std::str::from_utf8(bytes).ok()?.into()),
            MOVED => {
                let shift = bytes.try_get_i64().ok()?;
                let stream = std::str::from_utf8(&part(bytes)?).ok()?.into();
                let encoder = std::str::from_utf8(bytes).ok()?.into();
                Self::Moved { stream, encoder, shift }
            }
            ENDED => {
                let has_ended = bytes.try_get_u8().ok()? != 0;
                let stream = std::str::from_utf8(&part(bytes)?).ok()?.into();
                let encoder = std::str::from_utf8(bytes).ok()?.into();
                Self::Ended { stream, encoder, has_ended }
            }
            HEADER => {
                let is_named = bytes.try_get_u8().ok()? != 0;
                let stream = std::str::from_utf8(&part(bytes)?).ok()?.into();
                let encoder = std::str::from_utf8(&part(bytes)?).ok()?.into();
                // A copy: it outlives the journal.
                let boxes = Bytes::copy_from_slice(bytes);
                Self::Header(RestoredHeader { stream, encoder, is_named, boxes })
            }
            STOPPED => Self::Stopped,
            OPEN => Self::Open,
            SHUT => Self::Shut,
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
            Record::Moved { stream: "é".into(), encoder: "192.0.2.1".into(), shift: -7 },
            Record::Ended { stream: "é".into(), encoder: "192.0.2.1".into(), has_ended: true },
            Record::Ended { stream: "".into(), encoder: "b".into(), has_ended: false },
            Record::Header(RestoredHeader {
                stream: "é".into(),
                encoder: "192.0.2.1".into(),
                is_named: true,
                boxes: Bytes::from_static(b"moov"),
            }),
            Record::Held { file: 7, time: -1, duration: 3, bytes: Bytes::from_static(b"moofmdat") },
            Record::Published(Placed { file: 1, time, duration, start, lengths, hash: 9 }),
            Record::Early(Box::new(RestoredEarly {
                key: "k".into(),
                track: Box::new(ServerTrack::new(StreamKind::Video, "v.ismv")),
                head: Bytes::from_static(b"ftypmoov"),
                time: 5,
                duration: 4,
                bytes: Bytes::from_static(b"moofmdat"),
            })),
            Record::More { of: 2, time: 9, duration: 4, bytes: Bytes::from_static(b"moofmdat") },
            Record::Cut { file: 1, len: 700 },
            Record::Stopped,
            Record::Open,
            Record::Shut,
            Record::Closed,
            Record::Point(Name::new("events/news.isml").unwrap()),
            Record::Film(Name::new("events/news.ism").unwrap()),
            Record::Past("première".into()),
            Record::Due(Began { event: Some("e".into()), number: 2, wall: 5 }),
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
