//! A `moof` whose `mdat` begins: what the fragment will be.

use std::ops::Range;

use bytes::Bytes;

use super::header::Known;
use super::unit::Arrived;
use crate::base::{Error, ErrorKind, FourCc, Limits, Sink};
use crate::bmff::{Body, Header, Mfhd, Trun, uuid::Tfxd};
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
}

/// A fragment that cannot be taken.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) track_id: Option<u32>,
    pub(super) error: Error,
    /// The next ones will be no better.
    pub(super) is_final: bool,
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
        let refuse = |track_id, error: Error| {
            let error = match error.place {
                crate::base::Place::Nowhere => {
                    Error::at(self.start, error.kind).inside(FourCc(*b"moof"))
                }
                _ => error,
            };
            Refusal { track_id, error, is_final: false }
        };
        let end = self.start.saturating_add(self.len());
        let stored = match Stored::parse(&block, self.start, end, limits) {
            Ok(Parsed::Whole(stored)) => stored,
            Ok(Parsed::Needs(needs)) => {
                let kind = ErrorKind::Truncated { needs, has: block.len() as u64 };
                return Err(refuse(None, kind.into()));
            }
            Err(error) if matches!(error.kind, ErrorKind::NotSliceable(_)) => {
                return Err(Refusal { is_final: true, ..refuse(None, several_tracks()) });
            }
            Err(error) => return Err(refuse(track_of_broken(self.moof), error)),
        };
        let track_id = stored.track_id();
        let refuse = |error| refuse(track_id, error);
        let missing = |what, clause| refuse(ErrorKind::Missing { what, clause }.into());
        let Some(track_id) = track_id else {
            return Err(missing("`tfhd`", "ISO/IEC 14496-12, 8.8.7"));
        };
        let Some(track) = known.track(track_id) else {
            let what = format!("a fragment of track {track_id}, which the `moov` does not have");
            let clause = "[MS-SSTR] 2.2.7";
            return Err(refuse(ErrorKind::Invalid { what, clause }.into()));
        };
        if stored.is_empty() {
            return Err(missing("samples in the fragment", "[MS-SSTR] 2.2.4"));
        }
        let defaults = track.defaults;
        let sum = stored.duration(defaults, limits).map_err(&refuse)?;
        let tfxd = stored.traf.get::<Tfxd>();
        let is_broken = |item: &crate::bmff::AnyBox| {
            item.header.extended == Some(Tfxd::UUID) && matches!(item.body, Body::Other(_))
        };
        if stored.traf.list.iter().any(is_broken) {
            return Err(missing("`tfxd` that can be read", "[MS-SSTR] 2.2.4.4"));
        }
        let has_offset = stored.traf.get::<Trun>().is_some_and(|trun| trun.data_offset.is_some());
        let (moof, samples, time, duration);
        match tfxd {
            Some(tfxd) if !stored.is_absolute() && has_offset => {
                let place = stored.check_samples(defaults, limits).map_err(&refuse)?;
                let is_astray = match place {
                    Whereabouts::Elsewhere { fill } => {
                        if !fill || stored.traf.all::<Trun>().count() > 1 {
                            let what = "sample data outside of the fragment's `mdat`";
                            return Err(refuse(ErrorKind::NotSliceable(what).into()));
                        }
                        true
                    }
                    Whereabouts::Start | Whereabouts::Payload => false,
                };
                time = tfxd.time as i64;
                duration = if tfxd.duration > 0 { tfxd.duration } else { sum };
                samples = None;
                let times = (time as u64, duration);
                let places = (self.payload(), self.mdat.len());
                moof = timed_moof(self.moof, places, is_astray, times, limits).map_err(&refuse)?;
            }
            _ => {
                let shared = match Shared::parse(&block, self.start, end, limits) {
                    Ok(SharedParsed::Whole(shared)) => shared,
                    Ok(SharedParsed::Needs(needs)) => {
                        let kind = ErrorKind::Truncated { needs, has: block.len() as u64 };
                        return Err(refuse(kind.into()));
                    }
                    Err(error) => return Err(refuse(error)),
                };
                let made = shared.rewrite(track_id, defaults, limits).map_err(|error| {
                    let is_final = stored.is_absolute();
                    Refusal { is_final, ..refuse(error) }
                })?;
                time = match (tfxd, stored.time()) {
                    (Some(tfxd), _) => tfxd.time as i64,
                    (None, Some(of_tfdt)) => {
                        // `Stored::time` knows no defaults, which have no part in the offset.
                        of_tfdt.saturating_sub(track.media_time)
                    }
                    (None, None) => ends(track_id).unwrap_or(0),
                };
                duration =
                    tfxd.map_or(sum, |tfxd| if tfxd.duration > 0 { tfxd.duration } else { sum });
                let payload = self.start + self.payload();
                let of_payload = |range: &Range<u64>| {
                    (range.start - payload) as usize..(range.end - payload) as usize
                };
                samples = Some(made.ranges.iter().map(of_payload).collect::<Vec<_>>());
                let bytes: u64 = made.ranges.iter().map(|range| range.end - range.start).sum();
                let mdat = Header::new(FourCc(*b"mdat")).around(bytes).len();
                let head = made.head.slice(..made.head.len() - mdat as usize);
                let places = (made.head.len() as u64, mdat);
                let times = (time as u64, duration);
                moof = timed_moof(&head, places, false, times, limits).map_err(&refuse)?;
            }
        }
        if duration == 0 && track.kind != StreamKind::Text {
            return Err(missing("duration of the fragment", "[MS-SSTR] 2.2.4.4"));
        }
        let is_late = |end: i64| end > i64::MAX / 2;
        let end = i64::try_from(duration).ok().and_then(|duration| time.checked_add(duration));
        if end.is_none_or(is_late) || time < i64::MIN / 2 {
            let what = format!("a fragment at {time} of {duration} ticks");
            let clause = "[MS-SSTR] 2.2.4.4";
            return Err(refuse(ErrorKind::Invalid { what, clause }.into()));
        }

        let payload = self.len() - self.payload();
        let kept = match &samples {
            Some(ranges) => ranges.iter().map(|range| range.len() as u64).sum(),
            None => payload,
        };
        let is_all = |ranges: &Vec<Range<usize>>| matches!(&ranges[..], [only] if only.start == 0 && only.end as u64 == payload);
        // The same form of header, so that the offsets in `moof` are right.
        let mdat = match samples {
            None => self.mdat,
            Some(_) => Header::new(FourCc(*b"mdat")).around(kept),
        };
        let mut head = Sink::with_len(moof.len() + mdat.len() as usize);
        head.put(&moof);
        mdat.write(&mut head);
        let is_key =
            || stored.first_sample(defaults).and_then(|first| first.is_key).unwrap_or(true);
        let sequence = stored.tree();
        let sequence = sequence.inside(*b"moof").and_then(|moof| moof.get::<Mfhd>());
        let arrived = Arrived {
            track_id,
            time,
            duration,
            bytes: Bytes::new(),
            moof: moof.len() as u64,
            is_key: track.kind != StreamKind::Video || is_key(),
            sequence: sequence.map_or(0, |mfhd| mfhd.sequence_number),
        };
        let samples = samples.filter(|ranges| !is_all(ranges));
        Ok(Plan { arrived, head: head.finish(), samples })
    }
}

fn several_tracks() -> Error {
    let what = "a `moof` of several tracks: push each track in a `moof` of its own, as ffmpeg does with \
        `-f ismv -movflags isml+frag_keyframe`";
    ErrorKind::NotSliceable(what).into()
}
