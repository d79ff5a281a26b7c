//! The first sample of a fragment: its position, and whether it is declared a key sample.

use super::samples::Defaults;
use super::stored::Stored;
use crate::bmff::Sdtp;
#[cfg(any(feature = "dash", feature = "hls"))]
use crate::bmff::Trun;

/// The first sample of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FirstSample {
    /// Offset of its first byte from the first byte of the `moof`.
    pub(crate) from: u64,
    /// Number of its bytes.
    pub(crate) size: u64,
    /// True if it can be decoded on its own; `None` if the fragment does not say.
    pub(crate) is_key: Option<bool>,
}

impl Stored {
    /// Returns the first sample; `None` if there is none.
    ///
    /// As for cutting out key frames, `sdtp` takes precedence over the flags, because Expression
    /// Encoder writes flags into the wrong bits, and flags that are all 0 are ignored.
    pub(crate) fn first_sample(&self, defaults: Defaults) -> Option<FirstSample> {
        let samples = || self.runs(defaults).flat_map(|run| run.samples().map(|a| a.sample));
        let first = samples().next()?;
        let by_sdtp = self.traf.get::<Sdtp>().and_then(|sdtp| sdtp.samples.first().copied());
        let by_flags = || samples().any(|s| s.has_dependency()).then(|| first.is_sync());
        let is_key = by_sdtp.and_then(Sdtp::is_independent).or_else(by_flags);
        let size = u64::from(first.size);
        let is_inside =
            |from: &u64| *from >= self.payload && from.checked_add(size) <= Some(self.len);
        // A wrong offset is ignored: the samples begin where the payload of the `mdat` does.
        let from = self.runs(defaults).next().and_then(|run| run.from).filter(is_inside);
        Some(FirstSample { from: from.unwrap_or(self.payload), size, is_key })
    }

    /// Returns the ticks from the time at which the first sample is decoded to that at which it is
    /// shown; 0 if there is none.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn first_offset(&self, defaults: Defaults) -> i32 {
        let first = self.traf.all::<Trun>().find_map(|trun| defaults.samples(trun).next());
        first.map_or(0, |alike| alike.sample.composition_offset)
    }

    /// Returns the duration of the longest sample, and the spread between the times at which
    /// pictures are shown and decoded, both in ticks of the track.
    pub(crate) fn longest_and_spread(&self, defaults: Defaults) -> (u64, u64) {
        let (mut longest, mut low, mut high) = (0, 0, 0);
        for sample in self.runs(defaults).flat_map(|run| run.samples().map(|a| a.sample)) {
            longest = longest.max(sample.duration);
            low = low.min(sample.composition_offset);
            high = high.max(sample.composition_offset);
        }
        (longest.into(), high.abs_diff(low).into())
    }
}
