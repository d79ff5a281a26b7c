//! The samples of a `traf`: what its runs say, and the defaults behind them.

use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::{Boxes, Tfhd, Trex, Trun};

/// What a track's samples are when neither `trun` nor `tfhd` says.
///
/// Spec: ISO/IEC 14496-12, 8.8.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Defaults {
    /// Ticks of the track.
    pub(crate) duration: u32,
    /// Bytes.
    pub(crate) size: u32,
    /// Dependency and sync flags.
    pub(crate) flags: u32,
}

/// One sample with everything resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) duration: u32,
    pub(crate) size: u32,
    pub(crate) flags: u32,
    pub(crate) composition_offset: i32,
}

impl Sample {
    /// The dependency bits or the sync bit of the flags say something.
    pub(crate) fn has_dependency(&self) -> bool {
        self.depends_on() != 0 || self.flags & Self::NON_SYNC != 0
    }

    /// By its flags it can be decoded on its own.
    pub(crate) fn is_sync(&self) -> bool {
        self.flags & Self::NON_SYNC == 0 && self.depends_on() != 1
    }

    fn depends_on(&self) -> u32 {
        self.flags >> 24 & 3
    }

    const NON_SYNC: u32 = 0x1_0000;
}

impl From<&Trex> for Defaults {
    fn from(trex: &Trex) -> Self {
        Self {
            duration: trex.default_sample_duration,
            size: trex.default_sample_size,
            flags: trex.default_sample_flags,
        }
    }
}

impl Defaults {
    /// With what the fragment's own header says in their place.
    pub(crate) fn of(self, tfhd: &Tfhd) -> Self {
        Self {
            duration: tfhd.default_sample_duration.unwrap_or(self.duration),
            size: tfhd.default_sample_size.unwrap_or(self.size),
            flags: tfhd.default_sample_flags.unwrap_or(self.flags),
        }
    }

    /// The samples of one run. Their number must have met its budget: see [`count`].
    pub(crate) fn samples(self, trun: &Trun) -> impl Iterator<Item = Sample> + '_ {
        trun.samples().enumerate().map(move |(i, sample)| {
            let first = trun.first_sample_flags.filter(|_| i == 0);
            Sample {
                duration: sample.duration.unwrap_or(self.duration),
                size: sample.size.unwrap_or(self.size),
                flags: sample.flags.or(first).unwrap_or(self.flags),
                composition_offset: sample.composition_offset.unwrap_or(0),
            }
        })
    }
}

/// How many samples the runs of a `traf` claim.
///
/// # Errors
/// [`ErrorKind::Budget`] beyond [`Limits::samples`]: they may take no bytes.
pub(crate) fn count(traf: &Boxes, limits: &Limits) -> Result<u64, Error> {
    let found = traf.all::<Trun>().map(|trun| u64::from(trun.sample_count)).sum();
    if found > limits.samples {
        let (what, limit) = ("samples of a fragment", limits.samples);
        return Err(ErrorKind::Budget { what, found, limit }.into());
    }
    Ok(found)
}
