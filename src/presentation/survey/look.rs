//! Looking at one fragment.

use std::ops::Range;

use bytes::Bytes;

use super::nature::Nature;
use super::reports::Fault;
use crate::base::{Error, ErrorKind, FileId, Got, Name, Timescale, Want};
use crate::bmff::{Saio, Saiz, SampleEncryption, Sbgp, Senc, Tfhd, uuid::PiffSenc};
use crate::codec::KeyPicture;
use crate::fragment::{Defaults, Stored};
use crate::manifest::StreamKind;
use crate::presentation::fragment_file::{Seen, see};
use crate::presentation::probe::whereabouts_finding;
use crate::presentation::rewritten::{Found, Source};
use crate::presentation::timeline::tolerance;
use crate::presentation::{FindingCode, Located, Presentation, Stream};

/// A look in progress.
pub(super) struct Look {
    /// Number of its track among those of the survey.
    pub(super) number: usize,
    pub(super) at: Located,
    /// The fragment's own file, if it has one; `start` and `bound` are not used then.
    own: Option<Box<OwnFile>>,
    start: u64,
    bound: u64,
    read: Bytes,
    /// Number of bytes that are needed, from the start of the fragment.
    needed: u64,
    reads: usize,
}

/// The file of a fragment that is a file of its own.
struct OwnFile {
    file: FileId,
    name: Name,
    /// Its size, once it is open.
    size: Option<u64>,
    /// The bytes to read next.
    range: Range<u64>,
    /// Bytes after the fragment, if they are not among the first.
    behind: Option<Bytes>,
}

/// Bytes that are read at first. Most `moof`s are shorter, and the first sample begins after them.
const FIRST: u64 = 4 << 10;

/// Maximum bytes of a first sample that are read to find its first slice.
const MOST_OF_SAMPLE: u64 = 64 << 10;

/// Maximum reads. A fragment that needs more has something wrong with it.
const MAX_READS: usize = 12;

impl Look {
    pub(super) fn new(number: usize, at: Located, start: u64, bound: u64) -> Self {
        Self { number, at, own: None, start, bound, read: Bytes::new(), needed: FIRST, reads: 0 }
    }

    /// Creates a look at a fragment in the file `name`, which has the id `file` in this batch.
    pub(super) fn at_file(number: usize, at: Located, file: FileId, name: Name) -> Self {
        let own = OwnFile { file, name, size: None, range: 0..0, behind: None };
        Self { own: Some(Box::new(own)), ..Self::new(number, at, 0, 0) }
    }

    /// Returns whether the fragment is a file of its own.
    pub(super) fn has_own_file(&self) -> bool {
        self.own.is_some()
    }

    /// Returns the bytes to read next.
    pub(super) fn want(&self, presentation: &Presentation) -> Want {
        if let Some(own) = &self.own {
            return match own.size {
                None => Want::Fragment { file: own.file, name: own.name.clone(), head: FIRST },
                Some(_) => Want::Range { file: own.file, range: own.range.clone() },
            };
        }
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
        got: Got,
        presentation: &Presentation,
        nature: &mut Nature,
        spread: &mut u64,
        mut tell: impl FnMut(Fault),
        seen: &mut Option<Sight>,
    ) -> Option<Self> {
        let bytes = match (got, &mut self.own) {
            (Got::Opened(opened), Some(own)) => {
                own.size = Some(opened.size);
                opened.head
            }
            (Got::Range(bytes), _) => bytes,
            (Got::Opened(_) | Got::Listed(_), _) => return None,
        };
        match &mut self.own {
            Some(own) if own.range.start != self.read.len() as u64 => own.behind = Some(bytes),
            _ if self.read.is_empty() => self.read = bytes,
            _ => self.read = [&self.read[..], &bytes].concat().into(),
        }
        self.reads += 1;
        let examined = match &self.own {
            Some(own) => self.examine_file(own, presentation, nature, spread, &mut tell, seen),
            None => self.examine(presentation, nature, spread, &mut tell, seen).map(Next::from),
        };
        match examined {
            Ok(Next::Nothing) => None,
            Ok(Next::Range(range)) => {
                self.own.as_mut()?.range = range;
                Some(self)
            }
            Ok(Next::Bytes(needed)) => {
                self.needed = needed.max(self.read.len() as u64 + 1);
                Some(self)
            }
            Err(error) => {
                tell(Fault::of(FindingCode::FragmentBroken, error));
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
        tell: &mut impl FnMut(Fault),
        seen: &mut Option<Sight>,
    ) -> Result<Option<u64>, Error> {
        let track = presentation.track_of(self.at).stored()?;
        let source = Source {
            block: &self.read,
            start: self.start,
            bound: self.bound,
            track_id: track.track_id,
            defaults: track.defaults,
        };
        let (stored, is_stored) = match source.find(presentation.limits())? {
            Found::Stored(stored) => (stored, true),
            Found::Made(_, stored) => (stored, false),
            Found::Needs(needed) if self.reads < MAX_READS => return Ok(Some(needed)),
            Found::Needs(_) => {
                let (what, limit) = ("reads of a fragment's head", MAX_READS as u64);
                return Err(ErrorKind::Budget { what, found: limit + 1, limit }.into());
            }
        };
        let stream = presentation.stream_of(self.at);
        let key = match self.key_frame(stream, track.defaults, &stored, nature) {
            // The bytes that were read are not those of its first sample.
            _ if !is_stored => None,
            Key::Needs(needed) => return Ok(Some(needed)),
            Key::Found => None,
            Key::Missing(why) => Some(why),
        };
        *seen = Some(Sight { bytes: stored.len, lacks_key_frame: key.is_some() });
        presentation.check(self.at, track, &stored, |noticed| {
            tell(Fault::new(noticed.code(), noticed.message()));
        })?;
        if let Some(why) = key {
            let message = format!("it begins without a key frame, according to {why}");
            tell(Fault::new(FindingCode::KeyFrameMissing, message));
        }
        // The `mdat` of a rewritten fragment has samples of other tracks.
        if is_stored {
            check_sizes(&stored, track.defaults, tell);
        }
        if nature.has_ivs
            && let Some(why) = without_ivs(&stored)
        {
            tell(Fault::new(FindingCode::IvsMissing, why));
        }
        if let Some(message) =
            self.other_duration(presentation, (track.defaults, track.timescale), &stored, spread)?
        {
            tell(Fault::new(FindingCode::DurationInFragment, message));
        }
        Ok(None)
    }

    /// Examines a fragment in a file of its own, as [`examine`](Self::examine). The name of the file
    /// identifies the fragment, as for requests. Its own track is not described anywhere: key frames
    /// are found by flags alone, and IVs are missing if earlier fragments of the track had them.
    fn examine_file(
        &self,
        own: &OwnFile,
        presentation: &Presentation,
        nature: &mut Nature,
        spread: &mut u64,
        tell: &mut impl FnMut(Fault),
        seen: &mut Option<Sight>,
    ) -> Result<Next, Error> {
        let (size, limits) = (own.size.unwrap_or(0), presentation.limits());
        let stored = match see(&self.read, own.behind.as_ref(), size, limits)? {
            Seen::Whole(_, stored) => stored,
            Seen::Needs(range) if self.reads < MAX_READS => return Ok(Next::Range(range)),
            Seen::Needs(_) => {
                let (what, limit) = ("reads of a fragment's head", MAX_READS as u64);
                return Err(ErrorKind::Budget { what, found: limit + 1, limit }.into());
            }
        };
        let (stream, defaults) = (presentation.stream_of(self.at), Defaults::default());
        let time = stream.timeline.chunk(self.at.chunk).map_or(0, |(start, _)| start);
        let tolerance = 2 * tolerance(stream.timescale, stream.timescale);
        if let Some(other) = stored.other_time(time as i64, tolerance) {
            let found = other.found;
            let message = format!(
                "the fragment says that it starts at {found}, the name of its file says {time}"
            );
            tell(Fault::new(FindingCode::TimeInFragment, message));
        }
        if let Some(unread) = stored.unread() {
            tell(Fault::new(FindingCode::BoxUnreadable, unread));
        }
        if let Some((code, what)) = whereabouts_finding(stored.check_samples(defaults, limits)?) {
            tell(Fault::new(code, what.to_owned()));
        }
        check_sizes(&stored, defaults, tell);
        let key = self.key_frame(stream, defaults, &stored, nature);
        let lacks_key_frame = matches!(key, Key::Missing(_));
        *seen = Some(Sight { bytes: stored.len, lacks_key_frame });
        if let Key::Missing(why) = key {
            let message = format!("it begins without a key frame, according to {why}");
            tell(Fault::new(FindingCode::KeyFrameMissing, message));
        }
        if nature.has_ivs
            && let Some(why) = without_ivs(&stored)
        {
            tell(Fault::new(FindingCode::IvsMissing, why));
        }
        let traf = &stored.traf;
        nature.has_ivs |= traf.get::<Senc>().is_some() || traf.get::<PiffSenc>().is_some();
        // Without a description of the track, a sample may have no duration of its own.
        if stored.duration(defaults, limits)? > 0
            && let Some(message) =
                self.other_duration(presentation, (defaults, stream.timescale), &stored, spread)?
        {
            tell(Fault::new(FindingCode::DurationInFragment, message));
        }
        Ok(Next::Nothing)
    }

    /// Returns whether the first sample is a key frame. Its bytes take precedence over flags, which
    /// some muxers set to one value for all samples.
    fn key_frame(
        &self,
        stream: &Stream,
        defaults: Defaults,
        stored: &Stored,
        nature: &Nature,
    ) -> Key {
        if stream.kind != StreamKind::Video {
            return Key::Found;
        }
        let Some(first) = stored.first_sample(defaults) else { return Key::Found };
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
        (defaults, timescale): (Defaults, Timescale),
        stored: &Stored,
        spread: &mut u64,
    ) -> Result<Option<String>, Error> {
        let stream = presentation.stream_of(self.at);
        let chunk = stream.timeline.chunk(self.at.chunk).map_or(0, |(_, duration)| duration);
        // A caption need not last as long as its chunk, and a chunk may not declare its duration.
        if stream.kind == StreamKind::Text || chunk == 0 {
            return Ok(None);
        }
        let in_stream = |ticks| timescale.rescale_round(ticks, stream.timescale);
        let duration = stored.duration(defaults, presentation.limits())?;
        let (longest, own) = stored.longest_and_spread(defaults);
        *spread = own.max(*spread);
        let leeway = in_stream(longest.saturating_add(*spread));
        let (Some(duration), Some(leeway)) = (in_stream(duration), leeway) else {
            return Ok(None);
        };
        let most = leeway.saturating_add(2 * tolerance(stream.timescale, timescale));
        let message = || format!("its samples last {duration} ticks, but its chunk {chunk}");
        Ok((duration.abs_diff(chunk) > most).then(message))
    }
}

/// The fragment as a whole.
pub(super) struct Sight {
    /// Bytes from the start of its `moof` to the end of its `mdat`.
    pub(super) bytes: u64,
    /// True if it is of pictures and does not begin with a key frame.
    pub(super) lacks_key_frame: bool,
}

/// The next thing that a look needs.
enum Next {
    Nothing,
    /// This many bytes from the start of the fragment.
    Bytes(u64),
    /// These bytes of the fragment's own file.
    Range(Range<u64>),
}

impl From<Option<u64>> for Next {
    fn from(needed: Option<u64>) -> Self {
        needed.map_or(Self::Nothing, Self::Bytes)
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

/// Reports an `mdat` that is longer than its samples. A shorter one is a broken fragment.
fn check_sizes(stored: &Stored, defaults: Defaults, tell: &mut impl FnMut(Fault)) {
    let (samples, room) = (stored.sample_bytes(defaults), stored.len - stored.payload);
    if samples < room {
        let message = format!("its samples have {samples} bytes together, but its `mdat` {room}");
        tell(Fault::new(FindingCode::SizesContradicted, message));
    }
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
