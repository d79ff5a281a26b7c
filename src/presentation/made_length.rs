//! How long a fragment will be that is made of samples, without looking at each of them.

use std::ops::Range;

use crate::base::{Error, ErrorKind, Limits, Timescale};
use crate::fragment::written::HeadShape;
use crate::index::sample_table::{Clock, Extent, LocalClock, Tables};

/// Measures the fragments of a track.
pub(super) struct Measure {
    clock: LocalClock,
    /// Samples of a fragment at most.
    samples: u64,
    /// Durations and composition offsets fit into their fields, and flags depend on nothing but sync
    /// samples.
    is_plain: bool,
}

/// Ticks of a fragment that fit into its fields with much room to spare.
const SHORT: u64 = 1 << 30;

/// Samples that a fragment may have in every file, and bytes of the file for each one more. Samples of one
/// size and duration take no bytes in tables, but twenty and more each while a fragment is made.
const FEW: u64 = 2048;
const BYTES_A_SAMPLE: u64 = 16;

impl Measure {
    /// Measures fragments whose times are in ticks of `to`.
    ///
    /// # Errors
    /// [`ErrorKind::NoMedia`] if no time of the track can be told.
    pub(super) fn new(
        tables: &Tables,
        clock: &Clock,
        to: Timescale,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let local = clock.from(0, to).ok_or(ErrorKind::NoMedia)?;
        let timescale = clock.timescale().get();
        let is_short = |ticks: u64| {
            let ticks = u128::from(ticks) * u128::from(to.get()) / u128::from(timescale);
            ticks < u128::from(SHORT)
        };
        let offsets = 2 * u64::from(tables.farthest_offset());
        let is_plain = timescale <= to.get()
            && is_short(tables.longest_duration().into())
            && is_short(offsets)
            && !tables.has_leading_samples();
        let by_file = FEW.saturating_add(tables.file_len() / BYTES_A_SAMPLE);
        Ok(Self { clock: local, samples: limits.samples.min(by_file), is_plain })
    }

    /// Returns the length of a fragment of these samples with a `tfxd`, which starts and ends then. `None`
    /// if only its samples tell.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`] if it has more samples than it may have.
    pub(super) fn len(&self, extent: &Extent, time: Range<u64>) -> Result<Option<u64>, Error> {
        let samples = u64::from(extent.samples);
        Limits::check("samples of a fragment", samples, self.samples)?;
        if !self.is_plain || time.end.saturating_sub(time.start) >= SHORT {
            return Ok(None);
        }
        // The second sample is decoded by the track's own clock if that is behind the start: then an
        // offset in ticks of the track is one in finer ticks, and not moved away at 0.
        if extent.has_offsets {
            let second = extent.composed.saturating_add(extent.first_duration.into());
            let second = self.clock.at(second);
            if second <= 0 || second.unsigned_abs() < time.start {
                return Ok(None);
            }
        }
        let others = extent.samples.saturating_sub(1);
        let has_flags = extent.syncs > 0 && extent.syncs < others;
        let shape = HeadShape {
            samples,
            bytes: extent.bytes,
            has_offsets: extent.has_offsets,
            has_flags,
            has_first_flags: others > 0 && !has_flags && (extent.syncs == others) != extent.is_sync,
            has_tfxd: true,
        };
        Ok(Some(shape.len() + extent.bytes))
    }
}
