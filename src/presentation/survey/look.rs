//! Looking at one fragment.

use bytes::Bytes;

use super::nature::Nature;
use crate::base::{Error, ErrorKind, Want};
use crate::bmff::{Saio, Saiz, SampleEncryption, Sbgp, Senc, Tfhd, uuid::PiffSenc};
use crate::codec::KeyPicture;
use crate::fragment::{Parsed, Stored};
use crate::manifest::StreamKind;
use crate::presentation::stream::StoredTrack;
use crate::presentation::timeline::tolerance;
use crate::presentation::{FindingCode, Located, Presentation, Stream};

/// A look in progress.
pub(super) struct Look {
    /// Number of its track among those of the survey.
    pub(super) number: usize,
    pub(super) at: Located,
    start: u64,
    bound: u64,
    read: Bytes,
    /// Number of bytes that are needed, from the start of the fragment.
    needed: u64,
    reads: usize,
}

/// Bytes that are read at first. Most `moof`s are shorter, and the first sample begins after them.
const FIRST: u64 = 4 << 10;

/// Maximum bytes of a first sample that are read to find its first slice.
const MOST_OF_SAMPLE: u64 = 64 << 10;

/// Maximum reads. A fragment that needs more has something wrong with it.
const MAX_READS: usize = 12;

impl Look {
    pub(super) fn new(number: usize, at: Located, start: u64, bound: u64) -> Self {
        Self { number, at, start, bound, read: Bytes::new(), needed: FIRST, reads: 0 }
    }

    /// Returns the bytes to read next.
    pub(super) fn want(&self, presentation: &Presentation) -> Want {
        let Ok(file) = presentation.track_of(self.at).stored().map(|track| track.file) else {
            unreachable!("a look is made at stored tracks alone")
        };
        let from = self.start.saturating_add(self.read.len() as u64);
        let to = self.start.saturating_add(self.needed).min(self.bound).max(from);
        Want::Range { file, range: from..to }
    }

    /// Takes the bytes that were read, and reports what it finds. Returns the look if it needs more
    /// bytes.
    pub(super) fn go_on(
        mut self,
        bytes: Bytes,
        presentation: &Presentation,
        nature: &Nature,
        spread: &mut u64,
        mut tell: impl FnMut(FindingCode, String),
    ) -> Option<Self> {
        self.read = match self.read.is_empty() {
            true => bytes,
            false => [&self.read[..], &bytes].concat().into(),
        };
        self.reads += 1;
        match self.examine(presentation, nature, spread, &mut tell) {
            Ok(None) => None,
            Ok(Some(needed)) => {
                self.needed = needed.max(self.read.len() as u64 + 1);
                Some(self)
            }
            Err(error) => {
                tell(FindingCode::FragmentBroken, error.to_string());
                None
            }
        }
    }

    /// Reports first what a request would find, then what no request finds. Returns the number of
    /// bytes that it needs, if it needs more.
    fn examine(
        &self,
        presentation: &Presentation,
        nature: &Nature,
        spread: &mut u64,
        tell: &mut impl FnMut(FindingCode, String),
    ) -> Result<Option<u64>, Error> {
        let track = presentation.track_of(self.at).stored()?;
        let stored = match Stored::parse(&self.read, self.start, self.bound, presentation.limits())?
        {
            Parsed::Whole(stored) => stored,
            Parsed::Needs(needed) if self.reads < MAX_READS => return Ok(Some(needed)),
            Parsed::Needs(_) => {
                let (what, limit) = ("reads of a fragment's head", MAX_READS as u64);
                return Err(ErrorKind::Budget { what, found: limit + 1, limit }.into());
            }
        };
        let stream = presentation.stream_of(self.at);
        let key = match self.key_frame(stream, track, &stored, nature) {
            Key::Needs(needed) => return Ok(Some(needed)),
            Key::Found => None,
            Key::Missing(why) => Some(why),
        };
        presentation.check(self.at, track, &stored, |noticed| {
            tell(noticed.code(), noticed.message());
        })?;
        if let Some(why) = key {
            tell(
                FindingCode::KeyFrameMissing,
                format!("it begins without a key frame, according to {why}"),
            );
        }
        if nature.has_ivs
            && let Some(why) = without_ivs(&stored)
        {
            tell(FindingCode::IvsMissing, why);
        }
        if let Some(message) = self.other_duration(presentation, track, &stored, spread)? {
            tell(FindingCode::DurationInFragment, message);
        }
        Ok(None)
    }

    /// Returns whether the first sample is a key frame. Its bytes take precedence over flags, which
    /// some muxers set to one value for all samples.
    fn key_frame(
        &self,
        stream: &Stream,
        track: &StoredTrack,
        stored: &Stored,
        nature: &Nature,
    ) -> Key {
        if stream.kind != StreamKind::Video {
            return Key::Found;
        }
        let Some(first) = stored.first_sample(track.defaults) else { return Key::Found };
        let by_bytes = nature.nal_format.map_or(KeyPicture::Unknown, |format| {
            let from = usize::try_from(first.from).unwrap_or(usize::MAX);
            let size = usize::try_from(first.size).unwrap_or(usize::MAX);
            let bytes = self.read.get(from..).unwrap_or_default();
            format.key_picture(&bytes[..bytes.len().min(size)], size)
        });
        match (by_bytes, first.is_key) {
            (KeyPicture::Known(true), _) => Key::Found,
            (KeyPicture::Known(false), _) => Key::Missing("its first slice"),
            // Another read is worthwhile only if the flags do not already say that it is a key
            // frame.
            (KeyPicture::Needs(needed), is_key)
                if is_key != Some(true)
                    && needed as u64 <= MOST_OF_SAMPLE
                    && self.reads < MAX_READS =>
            {
                let some_more = (needed as u64).next_multiple_of(FIRST).min(first.size);
                Key::Needs(first.from.saturating_add(some_more))
            }
            (_, Some(false)) => Key::Missing("the flags of its first sample"),
            (_, Some(true) | None) => Key::Found,
        }
    }

    /// Reports samples that are longer or shorter than their chunk. The leeway is the longest
    /// sample plus what the order of pictures explains: the largest `spread` between the times of
    /// showing and decoding in any fragment so far.
    fn other_duration(
        &self,
        presentation: &Presentation,
        track: &StoredTrack,
        stored: &Stored,
        spread: &mut u64,
    ) -> Result<Option<String>, Error> {
        let stream = presentation.stream_of(self.at);
        let chunk = stream.timeline.chunk(self.at.chunk).map_or(0, |(_, duration)| duration);
        // A caption need not last as long as its chunk, and a chunk may not declare its duration.
        if stream.kind == StreamKind::Text || chunk == 0 {
            return Ok(None);
        }
        let in_stream = |ticks| track.timescale.rescale_round(ticks, stream.timescale);
        let duration = stored.duration(track.defaults, presentation.limits())?;
        let (longest, own) = stored.longest_and_spread(track.defaults);
        *spread = own.max(*spread);
        let leeway = in_stream(longest.saturating_add(*spread));
        let (Some(duration), Some(leeway)) = (in_stream(duration), leeway) else {
            return Ok(None);
        };
        let most = leeway.saturating_add(2 * tolerance(stream.timescale, track.timescale));
        let message = || format!("its samples last {duration} ticks, but its chunk {chunk}");
        Ok((duration.abs_diff(chunk) > most).then(message))
    }
}

/// The result of looking at the first sample.
enum Key {
    /// It is a key frame, or nothing says that it is not.
    Found,
    /// It is not a key frame, according to this source.
    Missing(&'static str),
    /// This many bytes of the fragment are needed.
    Needs(u64),
}

/// Describes why the samples of a fragment cannot be decrypted, if each of them should have an IV.
///
/// Other sample groups and sample descriptions may leave samples in the clear.
fn without_ivs(stored: &Stored) -> Option<String> {
    let traf = &stored.traf;
    let has_groups = traf.list.iter().any(|item| item.header.kind == *b"sgpd");
    let is_other = traf.get::<Tfhd>().is_some_and(|t| t.sample_description_index.unwrap_or(1) != 1);
    let samples = stored.samples();
    if samples == 0 || has_groups || is_other || traf.get::<Sbgp>().is_some() {
        return None;
    }
    let cenc = traf.get::<Senc>().map(|senc| &senc.0);
    let info: Option<&SampleEncryption> =
        cenc.or_else(|| traf.get::<PiffSenc>().map(|senc| &senc.0));
    match info.map(|info| u64::from(info.sample_count)) {
        Some(count) if count >= samples => None,
        Some(count) => Some(format!("it has IVs for {count} of its {samples} samples")),
        None if traf.get::<Saiz>().is_some() && traf.get::<Saio>().is_some() => None,
        None => Some(format!("it has no IVs (`senc`) for its {samples} samples")),
    }
}
