//! The parts of a pushed body.

use bytes::Bytes;

use crate::base::{Error, Timescale};
use crate::bmff::uuid::TfrfEntry;
use crate::fragment::{with_tfrf, with_time};
use crate::live::LiveLimits;
use crate::manifest::{ServerTrack, StreamKind, StreamManifest};

/// A part of a pushed body that is whole.
#[derive(Clone, Debug)]
pub enum Unit {
    /// The streams that the encoder will push.
    StreamManifest(StreamManifest),
    /// The tracks of all fragments that follow.
    Header(Header),
    /// A fragment that has been checked.
    Fragment(Arrived),
    /// A part that was left out, with the reason. The body goes on behind it.
    Refused {
        /// The track, if it is known.
        track_id: Option<u32>,
        /// The reason, with the place in the body.
        error: Error,
    },
    /// The encoder has said that nothing more follows.
    EndOfStream,
}

/// The tracks of a pushed body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// In the order of the `moov`; at least one.
    pub tracks: Vec<HeaderTrack>,
}

/// A track of a pushed body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderTrack {
    /// Its number in the fragments, and in `head`.
    pub track_id: u32,
    /// By its handler.
    pub kind: StreamKind,
    /// As a server manifest names it, without `src`: `systemBitrate` (0 if the encoder did not say)
    /// and `systemLanguage` (if known) are attributes; `trackID`, `trackName` and the properties of
    /// the codec are parameters. Names and bitrates are the live server manifest's, the codec's private
    /// data is the `moov`'s.
    pub server: ServerTrack,
    /// Units of all times of the track.
    pub timescale: Timescale,
    /// The beginning of a file of this track alone: `ftyp` and `moov`.
    pub head: Bytes,
    /// A hash of the kind, the timescale and the sample entries: another one is new codec data.
    pub codec: u128,
    /// Codec, and sampling rate of sound: those of all tracks of a stream. Empty for text.
    pub(in crate::live) coding: String,
    /// The live server manifest gives its stream a name, if only by its element.
    pub(in crate::live) is_named: bool,
}

/// A fragment that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The track.
    pub track_id: u32,
    /// Start, in ticks of the track. It may be before 0.
    pub time: i64,
    /// False if the fragment says no time: `time` is the end of the one before it in this body, or 0.
    pub has_time: bool,
    /// The box that says its time had 32 bits for it, so that its counter may begin anew. `bytes` have 64.
    pub has_short_time: bool,
    /// Ticks of the track. More than 0, but for text.
    pub duration: u64,
    /// `moof` and `mdat`: one `traf`, offsets from the `moof`, and a `tfxd` of 64 bits.
    pub bytes: Bytes,
    /// Bytes of the `moof`.
    pub moof: u64,
    /// It begins with a sample that can be decoded on its own; true of all sound and text.
    pub is_key: bool,
    /// `mfhd`'s number, which begins anew with each connection.
    pub sequence: u32,
}

impl HeaderTrack {
    /// Returns the bytes of memory that it takes.
    pub(in crate::live) fn memory(&self) -> u64 {
        self.head.len() as u64 + memory_of(&self.server)
    }
}

/// Returns the bytes of memory of what is said of a track.
pub(in crate::live) fn memory_of(server: &ServerTrack) -> u64 {
    let all = server.attributes.iter().chain(&server.params);
    all.map(|(name, value)| PAIR + (name.len() + value.len()) as u64).sum()
}

/// Bytes of two strings beside their text.
const PAIR: u64 = 48;

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// Without a byte: a probe.
    Empty,
    /// Behind a whole box, and no `moof` lacks its `mdat`.
    Complete,
    /// In a box, or between a `moof` and its `mdat`: so many bytes are of no use.
    Cut {
        /// Bytes behind the last box that was of use.
        bytes: u64,
    },
}

impl Arrived {
    /// Returns the same fragment, announcing the next ones of its track, nearest first. What it announced
    /// before is left out.
    ///
    /// # Errors
    /// [`NotSliceable`](crate::ErrorKind::NotSliceable) if its offsets cannot be kept right.
    pub fn announcing(&self, next: &[TfrfEntry], limits: &LiveLimits) -> Result<Self, Error> {
        let (bytes, lengths) = with_tfrf(&self.bytes, next, &limits.of_content())?;
        Ok(Self { bytes, moof: lengths.moof, ..self.clone() })
    }

    /// Returns the same fragment at another time, in ticks of the track.
    ///
    /// # Errors
    /// As [`announcing`](Self::announcing).
    pub fn moved(&self, time: u64, duration: u64, limits: &LiveLimits) -> Result<Self, Error> {
        let (bytes, lengths) = with_time(&self.bytes, time, duration, &limits.of_content())?;
        Ok(Self { bytes, moof: lengths.moof, time: time as i64, duration, ..self.clone() })
    }
}
