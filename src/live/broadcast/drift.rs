//! How far the clocks of the encoders have gone from that of the host since the event began.

use super::Broadcast;
use crate::live::clock::{smooth_ticks, to_smooth};
use crate::live::moment::Duration;
use crate::live::{Moment, NoticeKind};

/// The drift of media time. Fragments may come late, and none comes early: it is that of the earliest one of a period.
#[derive(Debug, Default)]
pub(in crate::live) struct Drift {
    /// The begin of the period.
    begin: Option<Duration>,
    /// Ticks of 100 ns by which the earliest fragment of the period came later than the first one of the event.
    least: Option<i64>,
    /// That of the period before.
    measured: Option<i64>,
    /// The drift that was reported last.
    told: i64,
}

impl Drift {
    /// Returns the seconds by which media time is behind the host's clock; `None` until they are measured.
    pub(in crate::live) fn seconds(&self) -> Option<f64> {
        self.measured.map(|ticks| ticks as f64 / 1e7)
    }

    /// Counts a fragment that came so much later than the first one. Returns what is to be reported.
    fn count(&mut self, late: i64, now: Duration) -> Option<i64> {
        let begin = *self.begin.get_or_insert(now);
        if now.saturating_sub(begin) >= PERIOD {
            self.measured = self.least.take();
            self.begin = Some(now);
        }
        self.least = Some(self.least.map_or(late, |least| least.min(late)));
        let drift = self.measured?;
        let is_worse = drift.abs() >= smooth_ticks(WORTH_TELLING).max(self.told.saturating_mul(2));
        is_worse.then(|| {
            self.told = drift.abs();
            drift
        })
    }
}

impl Broadcast {
    /// Measures the time of a fragment of pictures or sound that is new, and ends then.
    pub(super) fn measure_drift(&mut self, line: usize, end: i64, now: Moment) {
        let Some(position) = self.position(now) else { return };
        let end = to_smooth(end, self.lines[line].timescale);
        if let Some(drift) = self.drift.count(position.saturating_sub(end), now.monotonic) {
            let seconds = drift as f64 / 1e7;
            self.notice(None, None, NoticeKind::ClockDrifts { seconds });
        }
    }
}

const PERIOD: Duration = Duration::from_secs(60);
/// Players of DASH have a margin of some seconds.
const WORTH_TELLING: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_slow_is_told_when_it_is_seconds_off_and_again_at_twice_as_many() {
        let mut drift = Drift::default();
        let mut told = Vec::new();
        // A part in 5,000 slow; each other fragment is 3 s late.
        for number in 0..40_000_i64 {
            let late = number * 2 * 2_000 + if number % 2 == 0 { 0 } else { 30_000_000 };
            let now = Duration::from_secs(2 * number.unsigned_abs());
            told.extend(drift.count(late, now).map(|ticks| ticks / 10_000_000));
        }
        assert_eq!(told, [4, 8]);
        assert!((15.0..16.1).contains(&drift.seconds().unwrap()), "{drift:?}");
    }
}
