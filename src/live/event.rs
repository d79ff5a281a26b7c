//! The events of a publishing point.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;

use super::{Notice, PointState};
use crate::base::{FileId, Name};
use crate::manifest::ServerTrack;

/// Something that happened at a publishing point: bytes for the host to keep, a change of state, or
/// something for the operator's log.
///
/// `Display` writes one sentence; control characters in names are escaped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LiveEvent {
    /// An event begins. Files of the event before get no more bytes, and the file ids are given anew.
    #[non_exhaustive]
    Began {
        /// Identifier of the event, as the encoders' URL has it.
        event: Option<Arc<str>>,
        /// Number of the event, from 1.
        number: u64,
    },
    /// A track has a file, or is declared otherwise than before.
    #[non_exhaustive]
    File {
        /// The file.
        file: FileId,
        /// The name of the file.
        name: Name,
        /// The track, as a server manifest declares it that lies beside the file.
        track: Box<ServerTrack>,
        /// The beginning of the file: `ftyp` and `moov`.
        head: Bytes,
        /// How the point finds the track again: a text for its own use.
        key: Arc<str>,
    },
    /// Bytes of a track's file that follow all earlier ones. The first ones are its head (`ftyp` and
    /// `moov`), each later piece is a fragment.
    #[non_exhaustive]
    Append {
        /// The file, as [`Presentation::files`](crate::presentation::Presentation::files) counts it.
        file: FileId,
        /// The name of the file.
        name: Name,
        /// Offset of the first of the bytes.
        offset: u64,
        /// The bytes.
        bytes: Bytes,
        /// Start and duration of the fragment in its track, in ticks; `None` of a head.
        chunk: Option<(u64, u64)>,
    },
    /// No snapshot will need the bytes of a file before this offset, except its head.
    #[non_exhaustive]
    Forget {
        /// The file.
        file: FileId,
        /// Offset of the first byte that is still needed.
        before: u64,
    },
    /// A fragment was taken and is not published yet: for a journal.
    #[non_exhaustive]
    Held {
        /// The file that it will be appended to.
        file: FileId,
        /// Its start, in ticks of the track.
        time: i64,
        /// Its duration, which is shorter than the fragment says if it begins before time 0.
        duration: i64,
        /// The fragment, without the times of those that follow it.
        bytes: Bytes,
    },
    /// A fragment was taken of a track that has no file yet: for a journal.
    #[non_exhaustive]
    Early {
        /// How the point finds the track again: a text for its own use.
        key: Arc<str>,
        /// The track, as its encoder declares it.
        track: Box<ServerTrack>,
        /// `ftyp` and `moov`.
        head: Bytes,
        /// Its start, in ticks of the track.
        time: i64,
        /// Its duration, which is shorter than the fragment says if it begins before time 0.
        duration: i64,
        /// The fragment, without the times of those that follow it.
        bytes: Bytes,
    },
    /// Fragments that were taken are discarded, and will not be published: for a journal.
    #[non_exhaustive]
    Discarded {
        /// The file that they would have been appended to. `None` if their track has none.
        file: Option<FileId>,
        /// How the point finds the track again: a text for its own use.
        key: Arc<str>,
        /// Starts of the first and the last one, in ticks of the track.
        times: RangeInclusive<i64>,
    },
    /// The times of an encoder are moved from now on: for a journal.
    #[non_exhaustive]
    Moved {
        /// Identifier of the stream that it pushes.
        stream: Arc<str>,
        /// The name of the encoder.
        encoder: Arc<str>,
        /// Ticks of 100 ns that are added to its times.
        shift: i64,
    },
    /// An encoder has said that nothing follows, or goes on though it has: for a journal.
    #[non_exhaustive]
    Ended {
        /// Identifier of the stream that it pushes.
        stream: Arc<str>,
        /// The name of the encoder.
        encoder: Arc<str>,
        /// False if it goes on.
        has_ended: bool,
    },
    /// An encoder has brought the header of its fragments, and may send them in later pushes without it: for a journal.
    #[non_exhaustive]
    Header {
        /// Identifier of the stream that it pushes.
        stream: Arc<str>,
        /// The name of the encoder.
        encoder: Arc<str>,
        /// True if its URL names the event.
        is_named: bool,
        /// The boxes of the header.
        boxes: Bytes,
    },
    /// There is a new snapshot.
    #[non_exhaustive]
    Published {
        /// Number of the snapshot.
        number: u64,
    },
    /// The state of the point has changed.
    State(PointState),
    /// Something for the operator's log.
    Notice(Notice),
}

impl LiveEvent {
    /// A stable word for the variant, such as `published`, and `gap` for a notice of a gap.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Began { .. } => "began",
            Self::File { .. } => "file",
            Self::Append { .. } => "append",
            Self::Forget { .. } => "forget",
            Self::Held { .. } => "held",
            Self::Early { .. } => "early",
            Self::Discarded { .. } => "discarded",
            Self::Moved { .. } => "moved",
            Self::Ended { .. } => "ended",
            Self::Header { .. } => "header",
            Self::Published { .. } => "published",
            Self::State(_) => "state",
            Self::Notice(notice) => notice.kind.as_str(),
        }
    }
}

impl fmt::Display for LiveEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Began { event: Some(event), .. } => {
                write!(f, "the event {} begins", event.escape_debug())
            }
            Self::Began { event: None, number } => write!(f, "event {number} begins"),
            Self::File { name, track, .. } => {
                write!(f, "the {} track {} is in {name}", track.kind, track.name().escape_debug())
            }
            Self::Append { name, offset, bytes, .. } => {
                write!(f, "{} bytes were appended to {name} at {offset}", bytes.len())
            }
            Self::Forget { file, before } => {
                write!(f, "the bytes of file {} before {before} are not needed", file.index())
            }
            Self::Held { file, time, .. } => {
                write!(f, "the fragment of file {} at {time} is held", file.index())
            }
            Self::Early { track, time, .. } => {
                write!(f, "the {} fragment at {time} waits for the start", track.kind)
            }
            Self::Discarded { file, times, .. } => {
                write!(f, "fragments ")?;
                if let Some(file) = file {
                    write!(f, "of file {} ", file.index())?;
                }
                write!(f, "up to {} are discarded", times.end())
            }
            Self::Published { number } => write!(f, "snapshot {number} was published"),
            Self::Moved { stream, encoder, shift } => {
                let (stream, encoder) = (stream.escape_debug(), encoder.escape_debug());
                let seconds = *shift as f64 / 1e7;
                write!(f, "the times of {encoder}, stream {stream}, are moved by {seconds} s")
            }
            Self::Ended { stream, encoder, has_ended } => {
                let (stream, encoder) = (stream.escape_debug(), encoder.escape_debug());
                let what = if *has_ended { "has ended" } else { "goes on after its end" };
                write!(f, "the stream {stream} of {encoder} {what}")
            }
            Self::Header { stream, encoder, .. } => {
                let (stream, encoder) = (stream.escape_debug(), encoder.escape_debug());
                write!(f, "the header of {encoder}, stream {stream}, is known")
            }
            Self::State(state) => write!(f, "the publishing point is {state}"),
            Self::Notice(notice) => notice.fmt(f),
        }
    }
}
