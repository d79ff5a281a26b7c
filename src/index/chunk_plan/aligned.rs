//! The sync samples of a track by the times at which they are shown.

use crate::base::{Error, ErrorKind, Timescale};
use crate::index::sample_table::{Clock, LocalClock, Points};

/// A track of the stream that is planned.
#[derive(Clone, Copy, Debug)]
pub struct PlanTrack<'a> {
    /// Name of its file, for refusals.
    pub file: &'a str,
    /// Its number in the file.
    pub track_id: u32,
    /// Its clock.
    pub clock: Clock,
    /// Samples with which its chunks may begin.
    pub points: &'a Points,
}

/// A track with its times in ticks of the plan, and its last cut.
pub(super) struct Aligned<'a> {
    pub(super) track: &'a PlanTrack<'a>,
    clock: LocalClock,
    /// Ticks that are no difference.
    tolerance: u64,
    /// When the track ends.
    pub(super) end: i64,
    /// Index of the point at which it was cut last.
    pub(super) at: usize,
}

impl<'a> Aligned<'a> {
    /// Begins with the last point that is not after 0, else with the first one.
    pub(super) fn new(track: &'a PlanTrack<'a>, to: Timescale) -> Result<Self, Error> {
        let invalid = |what: &str| {
            let what = format!("track {} of {}: {what}", track.track_id, track.file);
            Error::from(ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.6.1" })
        };
        let too_large = || invalid("times of more than 62 bits");
        let clock = track.clock.from(0, to).ok_or_else(too_large)?;
        // Every time between the first and the last one is as small as these.
        let last = track.points.len().checked_sub(1).and_then(|last| track.points.get(last));
        let last = last.ok_or_else(|| invalid("no sample with which a chunk can begin"))?;
        for time in [track.points.end(), last.time] {
            track.clock.at(time, to).ok_or_else(too_large)?;
        }
        let tick = to.get().div_ceil(track.clock.timescale().get());
        let tolerance = tick.max(to.get().saturating_mul(3) / Timescale::SMOOTH.get());
        let end = clock.at(track.points.end());
        let mut aligned = Self { track, clock, tolerance, end, at: 0 };
        aligned.at = aligned.first_from(1).saturating_sub(1);
        if end <= aligned.time(aligned.at).unwrap_or(i64::MAX).max(0) {
            return Err(invalid("it has no duration"));
        }
        Ok(aligned)
    }

    /// Time at which a point is shown: at 0 if it is before.
    pub(super) fn time(&self, index: usize) -> Option<i64> {
        self.track.points.get(index).map(|point| self.clock.at(point.time))
    }

    /// Index in the track of the sample at a point.
    pub(super) fn sample(&self, index: usize) -> u32 {
        self.track.points.get(index).map_or(self.track.points.samples(), |point| point.sample)
    }

    /// Index of the first point that is shown at `time` or later.
    pub(super) fn first_from(&self, time: i64) -> usize {
        let mut at = self.track.points.first_from(self.clock.near(time));
        while at > 0 && self.time(at - 1).is_some_and(|before| before >= time) {
            at -= 1;
        }
        while self.time(at).is_some_and(|before| before < time) {
            at += 1;
        }
        at
    }

    /// Index of the point behind the last cut that is shown at `time`, or so near that it is no
    /// difference.
    pub(super) fn matching(&self, time: i64, tolerance: u64) -> Option<usize> {
        let tolerance = self.tolerance.max(tolerance);
        let from = self.first_from(time);
        let near = |index: &usize| {
            let shown = self.time(*index).filter(|&shown| *index > self.at && shown < self.end);
            shown.filter(|shown| shown.abs_diff(time) <= tolerance).is_some()
        };
        let candidates = [Some(from), from.checked_sub(1)];
        candidates
            .into_iter()
            .flatten()
            .filter(near)
            .min_by_key(|index| self.time(*index).map_or(u64::MAX, |shown| shown.abs_diff(time)))
    }

    pub(super) fn tolerance(&self) -> u64 {
        self.tolerance
    }
}
