//! A `moof` whose `mdat` begins: what the fragment will be.

use std::ops::Range;

use bytes::Bytes;

use super::chunks::Chunk;
use super::header::{Known, Track};
use super::unit::Arrived;
use crate::base::{Error, ErrorKind, FourCc, Limits, Place, Sink};
use crate::bmff::{AnyBox, Body, Header, Mfhd, Tfdt, Trun, uuid::Tfxd};
use crate::fragment::{
    Parsed, Shared, SharedParsed, Stored, Whereabouts, timed_moof, track_of_broken,
};
use crate::manifest::StreamKind;

/// A fragment without its samples.
#[derive(Debug)]
pub(super) struct Plan {
    /// Without bytes.
    pub(super) arrived: Arrived,
    /// The `moof` and the header of the `mdat`.
    pub(super) head: Bytes,
    /// The samples, as parts of the payload; `None` if they are all of it.
    pub(super) samples: Option<Vec<Range<usize>>>,
    /// If it is a chunk of CMAF.
    pub(super) chunk: Option<Chunk>,
}

/// A fragment that cannot be taken.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) track_id: Option<u32>,
    pub(super) error: Error,
    /// The next ones will be no better.
    pub(super) is_final: bool,
    /// It has no samples, which is no error: nothing is there of its time.
    pub(super) is_empty: bool,
}

/// A `moof` that was pushed, and what follows it.
pub(super) struct Pushed<'a> {
    /// The whole box.
    pub(super) moof: &'a Bytes,
    /// Its place in the body.
    pub(super) start: u64,
    /// Bytes of other boxes between it and the `mdat`.
    pub(super) between: u64,
    pub(super) mdat: Header,
}

impl Pushed<'_> {
    /// Bytes from the first of the `moof` to the payload.
    fn payload(&self) -> u64 {
        self.moof.len() as u64 + self.between + self.mdat.len()
    }

    /// Bytes from the first of the `moof` to the last of the `mdat`.
    fn len(&self) -> u64 {
        let mdat = self.mdat.total().unwrap_or(self.mdat.len());
        (self.moof.len() as u64 + self.between).saturating_add(mdat)
    }

    /// Returns the bytes before the payload, and zeros in place of boxes between and of samples: as
    /// many as the parsers of fragments look at.
    fn block(&self) -> Bytes {
        const FIRST: u64 = 32;
        let len = self.len().min(self.payload() + FIRST);
        let mut sink = Sink::with_len(len as usize);
        sink.put(self.moof);
        if self.between > 0 {
            let free = Header::new(FourCc(*b"free")).around(self.between.saturating_sub(8));
            free.write(&mut sink);
            sink.put(&vec![0; self.between.saturating_sub(free.len()) as usize]);
        }
        self.mdat.write(&mut sink);
        sink.put(&vec![0; (len - self.payload()) as usize]);
        sink.finish()
    }

    /// Checks the fragment, and plans the one that will be published. `ends` gives the end of the
    /// fragment before of a track.
    pub(super) fn plan(
        &self,
        known: &Known,
        ends: impl Fn(u32) -> Option<i64>,
        limits: &Limits,
    ) -> Result<Plan, Refusal> {
        let block = self.block();
        let stored = match Stored::parse(&block, self.start, self.end(), limits) {
            Ok(Parsed::Whole(stored)) => stored,
            Ok(Parsed::Needs(needs)) => return Err(self.refusal(None, cut_off(needs, &block))),
            // No other error of parsing is of this kind.
            Err(error) if matches!(error.kind, ErrorKind::NotSliceable(_)) => {
                let refusal = self.refusal(None, several_tracks().into());
                return Err(Refusal { is_final: true, ..refusal });
            }
            Err(error) => return Err(self.refusal(track_of_broken(self.moof), error)),
        };
        let track_id = stored.track_id();
        if stored.is_empty() && track_id.is_some_and(|track_id| known.track(track_id).is_some()) {
            let what = missing("samples in the fragment", "[MS-SSTR] 2.2.4");
            return Err(Refusal { is_empty: true, ..self.refusal(track_id, what.into()) });
        }
        let planned = self.plan_stored(&block, &stored, known, ends, limits);
        planned.map_err(|error| {
            // An encoder that counts from elsewhere does so in each fragment.
            let is_final = stored.is_absolute() && matches!(error.kind, ErrorKind::NotSliceable(_));
            Refusal { is_final, ..self.refusal(track_id, error) }
        })
    }

    fn plan_stored(
        &self,
        block: &Bytes,
        stored: &Stored,
        known: &Known,
        ends: impl Fn(u32) -> Option<i64>,
        limits: &Limits,
    ) -> Result<Plan, Error> {
        let track_id = stored.track_id().ok_or(missing("`tfhd`", "ISO/IEC 14496-12, 8.8.7"))?;
        // The encoder is to send its header (DASH-IF ingest 1.2, interface 1, failure behaviors, 5).
        let track = known.track(track_id).ok_or(ErrorKind::NoHeader)?;
        let is_broken = |item: &AnyBox| {
            item.header.extended == Some(Tfxd::UUID) && matches!(item.body, Body::Other(_))
        };
        if stored.traf.list.iter().any(is_broken) {
            return Err(missing("`tfxd` that can be read", "[MS-SSTR] 2.2.4.4").into());
        }
        let sum = stored.duration(track.defaults, limits)?;
        let tfxd = stored.traf.get::<Tfxd>();
        let (time, duration) = match (tfxd, stored.time()) {
            (Some(tfxd), _) => (tfxd.time as i64, duration_of(tfxd, sum, track)),
            (None, Some(of_tfdt)) => (of_tfdt.saturating_sub(track.media_time), sum),
            (None, None) => (ends(track_id).unwrap_or(0), sum),
        };
        check_times(time, duration, track.kind)?;
        if duration == sum
            && track.kind != StreamKind::Text
            && stored.has_negative_duration(track.defaults)
        {
            let what = format!("a sample of a negative duration in a fragment of {sum} ticks");
            return Err(ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.8.8" }.into());
        }
        let times = (time as u64, duration);
        let has_offset = stored.traf.get::<Trun>().is_some_and(|trun| trun.data_offset.is_some());
        let (moof, samples) = match tfxd.is_some() && has_offset && !stored.is_absolute() {
            true => (self.as_it_is(stored, track, times, limits)?, None),
            false => {
                let (moof, samples) = self.rewritten(block, track, times, limits)?;
                (moof, Some(samples))
            }
        };
        let mdat = match &samples {
            // The same form of header, so that the offsets in `moof` are right.
            None => self.mdat,
            Some(ranges) => mdat_of(ranges),
        };
        let mut head = Sink::with_len(moof.len() + mdat.len() as usize);
        head.put(&moof);
        mdat.write(&mut head);
        let payload = self.len() - self.payload();
        let is_all = |ranges: &[Range<usize>]| matches!(ranges, [only] if only.start == 0 && only.end as u64 == payload);
        let is_key = || stored.first_sample(track.defaults).and_then(|first| first.is_key);
        let tfdt = stored.traf.get::<Tfdt>().filter(|_| tfxd.is_none());
        let arrived = Arrived {
            track_id,
            time,
            has_time: tfxd.is_some() || stored.time().is_some(),
            has_short_time: stored.has_short_time(),
            duration,
            bytes: Bytes::new(),
            moof: moof.len() as u64,
            // One that does not say begins with a key frame, as all of Smooth Streaming should.
            is_key: track.kind != StreamKind::Video || is_key().unwrap_or(true),
            sequence: sequence(stored),
        };
        Ok(Plan {
            arrived,
            head: head.finish(),
            samples: samples.filter(|ranges| !is_all(ranges)),
            chunk: tfdt.map(|tfdt| {
                let decoded = tfdt.base_media_decode_time as i64;
                let begins_later = stored.time().is_some_and(|shown| shown != decoded);
                Chunk { kind: track.kind, decoded, begins_later }
            }),
        })
    }

    /// Returns the `moof` of a fragment of Smooth Streaming: as it was pushed, if its time has 64 bits and its
    /// offset is right.
    fn as_it_is(
        &self,
        stored: &Stored,
        track: &Track,
        times: (u64, u64),
        limits: &Limits,
    ) -> Result<Bytes, Error> {
        let is_astray = match stored.check_samples(track.defaults, limits)? {
            Whereabouts::Start | Whereabouts::Payload => false,
            // The offset is wrong, and there is no doubt where the samples are.
            Whereabouts::Elsewhere { fill: true } if stored.traf.all::<Trun>().count() == 1 => true,
            Whereabouts::Elsewhere { .. } => {
                let what = "sample data outside of the fragment's `mdat`";
                return Err(ErrorKind::NotSliceable(what).into());
            }
        };
        timed_moof(self.moof, (self.payload(), self.mdat.len()), is_astray, times, limits)
    }

    /// Returns a `moof` written for Smooth Streaming, and the places of the samples in the payload.
    fn rewritten(
        &self,
        block: &Bytes,
        track: &Track,
        times: (u64, u64),
        limits: &Limits,
    ) -> Result<(Bytes, Vec<Range<usize>>), Error> {
        let shared = match Shared::parse(block, self.start, self.end(), limits)? {
            SharedParsed::Whole(shared) => shared,
            SharedParsed::Needs(needs) => return Err(cut_off(needs, block)),
        };
        let made = shared.rewrite(track.track_id, track.defaults, limits)?;
        let payload = self.start + self.payload();
        let of_payload =
            |range: &Range<u64>| (range.start - payload) as usize..(range.end - payload) as usize;
        let samples: Vec<_> = made.ranges.iter().map(of_payload).collect();
        let mdat = mdat_of(&samples).len();
        let moof = made.head.slice(..made.head.len() - mdat as usize);
        let moof = timed_moof(&moof, (made.head.len() as u64, mdat), false, times, limits)?;
        Ok((moof, samples))
    }

    fn end(&self) -> u64 {
        self.start.saturating_add(self.len())
    }

    fn refusal(&self, track_id: Option<u32>, error: Error) -> Refusal {
        let error = match error.place {
            Place::Nowhere => Error::at(self.start, error.kind).inside(FourCc(*b"moof")),
            _ => error,
        };
        Refusal { track_id, error, is_final: false, is_empty: false }
    }
}

/// Returns the duration of a fragment: what `tfxd` says, or else that of its samples, if `tfxd` says nothing or
/// far more than they last. One wrong duration would keep off all fragments of its time.
fn duration_of(tfxd: &Tfxd, sum: u64, track: &Track) -> u64 {
    let is_wrong = track.kind != StreamKind::Text && sum > 0 && tfxd.duration / 4 > sum;
    if is_wrong || tfxd.duration == 0 { sum } else { tfxd.duration }
}

/// Times far from the ends of their range can be added and compared.
fn check_times(time: i64, duration: u64, kind: StreamKind) -> Result<(), ErrorKind> {
    if duration == 0 && kind != StreamKind::Text {
        return Err(missing("duration of the fragment", "[MS-SSTR] 2.2.4.4"));
    }
    let end = i64::try_from(duration).ok().and_then(|duration| time.checked_add(duration));
    if end.is_none_or(|end| end > i64::MAX / 2) || time < i64::MIN / 2 {
        let what = format!("a fragment at {time} of {duration} ticks");
        return Err(ErrorKind::Invalid { what, clause: "[MS-SSTR] 2.2.4.4" });
    }
    Ok(())
}

/// Returns the header of an `mdat` with these samples.
fn mdat_of(samples: &[Range<usize>]) -> Header {
    let bytes = samples.iter().map(|range| range.len() as u64).sum();
    Header::new(FourCc(*b"mdat")).around(bytes)
}

fn sequence(stored: &Stored) -> u32 {
    let tree = stored.tree();
    let mfhd = tree.inside(*b"moof").and_then(|moof| moof.get::<Mfhd>());
    mfhd.map_or(0, |mfhd| mfhd.sequence_number)
}

fn cut_off(needs: u64, block: &Bytes) -> Error {
    ErrorKind::Truncated { needs, has: block.len() as u64 }.into()
}

fn missing(what: &'static str, clause: &'static str) -> ErrorKind {
    ErrorKind::Missing { what, clause }
}

fn several_tracks() -> ErrorKind {
    let what = "a `moof` of several tracks: push each track in a `moof` of its own, as ffmpeg does with \
        `-f ismv -movflags isml+frag_keyframe`";
    ErrorKind::NotSliceable(what)
}
