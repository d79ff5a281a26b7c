//! The samples of a `traf`: what its runs say, and the defaults behind them.

use crate::base::{Error, Limits};
use crate::bmff::{Boxes, Tfhd, Trex, Trun, TrunSample};

/// Properties of a track's samples if neither `trun` nor `tfhd` has them.
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

/// Equal samples that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alike {
    pub(crate) sample: Sample,
    pub(crate) count: u64,
}

impl Alike {
    /// Bytes of all of them.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.sample.size).saturating_mul(self.count)
    }

    /// Ticks of all of them.
    pub(crate) fn ticks(&self) -> u64 {
        u64::from(self.sample.duration).saturating_mul(self.count)
    }
}

impl Sample {
    /// The dependency bits or the sync bit of the flags say something.
    pub(crate) fn has_dependency(&self) -> bool {
        self.depends_on() != 0 || self.flags & Self::NON_SYNC != 0
    }

    /// Returns whether its flags say that it can be decoded on its own.
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

    /// The samples of one run, neighbours that take no bytes joined: as many steps as the run has
    /// entries that are stored, and two more, however many samples it claims.
    pub(crate) fn samples(self, trun: &Trun) -> impl Iterator<Item = Alike> + use<'_> {
        let claimed = trun.sample_count;
        // Only the first of the samples without bytes can differ from the others.
        let is_stored = trun.entry_len() > 0;
        let has_first = trun.first_sample_flags.is_some();
        let single = if is_stored { claimed } else { claimed.min(u32::from(has_first)) };
        let singles = trun.samples().take(single as usize).enumerate().map(move |(i, sample)| {
            let first = trun.first_sample_flags.filter(|_| i == 0);
            Alike { sample: self.resolved(sample, first), count: 1 }
        });
        let rest = Alike {
            sample: self.resolved(TrunSample::default(), None),
            count: u64::from(claimed - single),
        };
        singles.chain((rest.count > 0).then_some(rest))
    }

    fn resolved(self, sample: TrunSample, first_sample_flags: Option<u32>) -> Sample {
        Sample {
            duration: sample.duration.unwrap_or(self.duration),
            size: sample.size.unwrap_or(self.size),
            flags: sample.flags.or(first_sample_flags).unwrap_or(self.flags),
            composition_offset: sample.composition_offset.unwrap_or(0),
        }
    }

    /// Bytes of all samples of a run. What the entries do not store is multiplied.
    pub(crate) fn bytes(self, trun: &Trun) -> u64 {
        if !trun.full.has(Trun::SIZE) {
            return u64::from(self.size) * u64::from(trun.sample_count);
        }
        trun.samples().map(|sample| u64::from(sample.size.unwrap_or(0))).sum()
    }

    /// Ticks of all samples of a run, likewise.
    pub(crate) fn ticks(self, trun: &Trun) -> u64 {
        if !trun.full.has(Trun::DURATION) {
            return u64::from(self.duration) * u64::from(trun.sample_count);
        }
        trun.samples().map(|sample| u64::from(sample.duration.unwrap_or(0))).sum()
    }
}

/// Returns the number of samples that the runs of a `traf` claim.
///
/// # Errors
/// [`Budget`](crate::base::ErrorKind::Budget) beyond [`Limits::samples`]: they may take no bytes.
pub(crate) fn count(traf: &Boxes, limits: &Limits) -> Result<u64, Error> {
    let claims = traf.all::<Trun>().map(|trun| u64::from(trun.sample_count));
    let found = claims.sum();
    Limits::check("samples of a fragment", found, limits.samples)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::FullBox;

    const DEFAULTS: Defaults = Defaults { duration: 10, size: 3, flags: 7 };

    fn claim(flags: u32, sample_count: u32, first_sample_flags: Option<u32>) -> Trun {
        let full = FullBox { version: 0, flags };
        let mut trun = Trun { full, sample_count, first_sample_flags, ..Trun::default() };
        trun.entries = vec![0; trun.entry_len() * sample_count as usize].into();
        trun
    }

    #[test]
    fn samples_without_bytes_take_one_step_however_many_are_claimed() {
        for (first, steps) in [(None, 1), (Some(1), 2)] {
            let trun = claim(0, u32::MAX, first);
            let alike: Vec<_> = DEFAULTS.samples(&trun).collect();
            assert_eq!(alike.len(), steps);
            assert_eq!(alike.iter().map(|alike| alike.count).sum::<u64>(), u64::from(u32::MAX));
            assert_eq!(alike[0].sample.flags, first.unwrap_or(7));
            assert_eq!(alike[steps - 1].sample.flags, 7);
            assert_eq!(DEFAULTS.bytes(&trun), 3 * u64::from(u32::MAX));
            assert_eq!(DEFAULTS.ticks(&trun), 10 * u64::from(u32::MAX));
        }
        assert_eq!(DEFAULTS.samples(&claim(0, 0, Some(1))).count(), 0);
        assert_eq!(DEFAULTS.samples(&claim(0, 1, Some(1))).count(), 1);
    }

    #[test]
    fn stored_samples_take_one_step_each_and_sums_are_those_of_the_samples() {
        for flags in [Trun::SIZE, Trun::DURATION, Trun::FLAGS, Trun::SIZE | Trun::DURATION] {
            let trun = claim(flags, 5, Some(1));
            let alike: Vec<_> = DEFAULTS.samples(&trun).collect();
            assert_eq!(alike.len(), 5);
            assert_eq!(alike.iter().map(Alike::bytes).sum::<u64>(), DEFAULTS.bytes(&trun));
            assert_eq!(alike.iter().map(Alike::ticks).sum::<u64>(), DEFAULTS.ticks(&trun));
        }
    }
}
