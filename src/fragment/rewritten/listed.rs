//! The samples of a track of a fragment, one by one.

use super::places::places;
use super::shared::{Shared, is_of};
use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::{Boxes, Sdtp, Senc, Tfdt, Tfhd, Trun, uuid};
use crate::fragment::samples::{Defaults, Sample};

/// A sample of a fragment, with its place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Values of its `traf`, if it is the first sample of it.
    pub(crate) traf: Option<OfTraf>,
    /// First byte in the file.
    pub(crate) offset: u64,
    pub(crate) size: u32,
    pub(crate) duration: u32,
    pub(crate) composition_offset: i32,
    /// It can be decoded on its own; `None` if neither `sdtp` nor the flags say so of any sample.
    pub(crate) is_sync: Option<bool>,
    /// Its byte of `sdtp`, or what its flags say in that form.
    pub(crate) dependencies: u8,
}

/// Values of a `traf` that hold for all its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfTraf {
    /// Time at which the first one is decoded: `tfdt`, else `tfxd` less the composition offset.
    pub(crate) time: Option<i64>,
    /// Entry of `stsd`, from 1, if it is not that of the `trex`.
    pub(crate) description: Option<u32>,
}

impl Shared {
    /// End of the fragment in its file.
    pub(crate) fn end(&self) -> u64 {
        self.start.saturating_add(self.len)
    }

    /// Passes the samples of a track to `each`, in order. There may be none.
    ///
    /// # Errors
    /// Errors of `each`, and those of places outside of the `mdat` behind the `moof`;
    /// [`ErrorKind::NotSliceable`] if they are encrypted.
    pub(crate) fn each_sample(
        &self,
        track_id: u32,
        defaults: Defaults,
        limits: &Limits,
        mut each: impl FnMut(Listed) -> Result<(), ErrorKind>,
    ) -> Result<(), Error> {
        let at = |kind: ErrorKind| Error::at(self.start, kind);
        let own = || self.trafs.iter().filter(|traf| is_of(traf, track_id));
        if own().next().is_none() {
            return Ok(());
        }
        let place = places(self, track_id, defaults, limits).map_err(|error| at(error.kind))?;
        let (mut runs, mut ranges) = (place.runs.iter(), place.ranges.into_iter());
        let mut range = self.start..self.start;
        for traf in own() {
            if traf.get::<Senc>().is_some() || traf.get::<uuid::PiffSenc>().is_some() {
                let what = "a track is encrypted: package it in the clear";
                return Err(at(ErrorKind::NotSliceable(what)));
            }
            let runs = runs.by_ref().take(traf.all::<Trun>().count());
            let runs: Vec<_> = runs.copied().collect();
            let samples = || {
                runs.iter()
                    .flat_map(|(defaults, trun)| defaults.samples(trun))
                    .filter(|a| a.count > 0)
            };
            let rule = Rule::of(traf, || samples().map(|alike| alike.sample));
            let (mut index, mut is_first) = (0_usize, true);
            for alike in samples() {
                for _ in 0..alike.count {
                    let sample = alike.sample;
                    // The runs of a range are whole.
                    if sample.size > 0 && range.is_empty() {
                        range = ranges.next().unwrap_or(range);
                    }
                    let (is_sync, dependencies) = rule.of_sample(index, &sample);
                    let listed = Listed {
                        traf: is_first.then(|| of_traf(traf, &sample)),
                        offset: range.start,
                        size: sample.size,
                        duration: sample.duration,
                        composition_offset: sample.composition_offset,
                        is_sync,
                        dependencies,
                    };
                    each(listed).map_err(at)?;
                    range.start = range.start.saturating_add(sample.size.into());
                    (index, is_first) = (index + 1, false);
                }
            }
        }
        Ok(())
    }
}

fn of_traf(traf: &Boxes, first: &Sample) -> OfTraf {
    // A time before 0 is two's complement.
    let tfdt = traf.get::<Tfdt>().map(|tfdt| tfdt.base_media_decode_time as i64);
    let offset = i64::from(first.composition_offset);
    let tfxd = || traf.get::<uuid::Tfxd>().map(|tfxd| (tfxd.time as i64).wrapping_sub(offset));
    let description = traf.get::<Tfhd>().and_then(|tfhd| tfhd.sample_description_index);
    OfTraf { time: tfdt.or_else(tfxd), description }
}

/// Where key frames are told: as for requests of key frames, `sdtp` is heard first, because
/// Expression Encoder writes flags into the wrong bits.
#[derive(Clone, Copy)]
enum Rule<'a> {
    Sdtp(&'a [u8]),
    Flags,
    Unsaid,
}

impl<'a> Rule<'a> {
    fn of<I: Iterator<Item = Sample>>(traf: &'a Boxes, samples: impl Fn() -> I) -> Self {
        if let Some(sdtp) = traf.get::<Sdtp>()
            && sdtp.samples.iter().any(|&byte| Sdtp::is_independent(byte) == Some(true))
        {
            return Self::Sdtp(&sdtp.samples);
        }
        match samples().any(|sample| sample.has_dependency()) {
            true => Self::Flags,
            false => Self::Unsaid,
        }
    }

    fn of_sample(self, index: usize, sample: &Sample) -> (Option<bool>, u8) {
        match self {
            Self::Sdtp(bytes) => {
                let byte = bytes.get(index).copied().unwrap_or(0);
                (Some(Sdtp::is_independent(byte) == Some(true)), byte)
            }
            // The bits have the same order.
            Self::Flags => (Some(sample.is_sync()), (sample.flags >> 20) as u8),
            Self::Unsaid => (None, 0),
        }
    }
}
