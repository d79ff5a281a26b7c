//! How far the clocks of the encoders have gone from that of the host since the event began, and the clock of the event,
//! which follows them.
//!
//! The wall time at which media of time 0 was live stays for the whole event: players count from it. What is set
//! back, or ahead, is the clock by which they find what is live now.

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
    /// Ticks of 100 ns by which the event's clock is behind that of the host, and when it was set.
    applied: i64,
    set: Option<Duration>,
    /// The part of it that the drift of clocks alone can be: an encoder that is some seconds ahead of another one, as from the
    /// beginning, does not count for long.
    steady: i64,
}

impl Drift {
    /// Returns the seconds by which media time is behind the host's clock; `None` until they are measured.
    pub(in crate::live) fn seconds(&self) -> Option<f64> {
        self.measured.map(|ticks| ticks as f64 / 1e7)
    }

    /// Returns the ticks of 100 ns by which the event's clock is behind that of the host.
    fn applied(&self) -> i64 {
        self.applied
    }

    /// Returns true if a fragment came since the process began.
    fn is_known(&self) -> bool {
        self.set.is_some()
    }

    /// Sets the event's clock. What is measured may jump: an encoder's clock is set, one takes over from another, or what
    /// waited for a connection comes at once. The event's clock does not, because players go by it: it is a bit slower or
    /// faster, and never goes back. In the first minute each fragment that is earlier than those before counts at
    /// once: the first ones may be late, as those are that come after a restart.
    fn follow(&mut self, now: Duration) {
        let passed = self.set.map_or(Duration::ZERO, |set| now.saturating_sub(set));
        let passed = smooth_ticks(passed.min(PERIOD));
        let follow =
            |from: i64, to: i64, most: i64| from + to.saturating_sub(from).clamp(-most, most);
        match (self.measured, self.least) {
            (Some(measured), _) => {
                self.applied = follow(self.applied, measured, passed / SLOWER);
                self.steady = follow(self.steady, measured, passed / STEADY);
            }
            (None, Some(least)) => self.applied = least,
            (None, None) => return,
        }
        self.set = Some(now);
    }

    /// Counts a fragment that came so much later than the first one. Returns what is to be reported.
    fn count(&mut self, late: i64, now: Duration) -> Option<i64> {
        let begin = *self.begin.get_or_insert(now);
        if now.saturating_sub(begin) >= PERIOD {
            self.measured = self.least.take();
            self.begin = Some(now);
        }
        self.least = Some(self.least.map_or(late, |least| least.min(late)));
        self.follow(now);
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

    /// Returns the media time that is live now, in ticks of 100 ns, if the clocks of encoders were that of the host but for
    /// what they drift.
    pub(super) fn steady(&self, now: Moment) -> Option<i64> {
        Some(self.position(now)?.saturating_sub(self.drift.steady))
    }

    /// Returns the media time that is live now by the event's clock, in ticks of 100 ns.
    pub(super) fn drifted(&self, now: Moment) -> Option<i64> {
        Some(self.position(now)?.saturating_sub(self.drift.applied()))
    }

    /// Returns the wall time by the event's clock, in ticks of 100 ns since 1970. A process that goes on with an event
    /// tells the time at which what is there was taken, until a fragment comes: how far clocks had drifted is not known any
    /// more. Those who follow the journal always do.
    pub(super) fn clock(&self, now: Moment) -> i64 {
        let Some(epoch) = self.epoch else { return smooth_ticks(now.wall) };
        let taken = self.taken().filter(|_| !self.drift.is_known());
        let media = taken.or_else(|| self.drifted(now)).unwrap_or(0);
        epoch.wall_of_zero().saturating_add(media)
    }

    /// Returns the media time that had been taken when the newest chunk was released, in ticks of 100 ns, if those that
    /// are held back last as long as that.
    fn taken(&self) -> Option<i64> {
        let streams = self.streams.iter().filter(|stream| !stream.is_sparse);
        let ends = streams.filter_map(|stream| {
            let newest = stream.schedule.newest()?;
            let length = stream.schedule.usual_length();
            let held_back = length.saturating_mul(self.options.look_ahead.into());
            Some(to_smooth(newest.end.saturating_add(held_back), stream.timescale))
        });
        ends.max()
    }
}

const PERIOD: Duration = Duration::from_secs(60);
/// The event's clock is no more than a part in so many slower or faster than that of the host.
const SLOWER: i64 = 50;
/// Clocks of encoders do not drift by more than a part in so many.
const STEADY: i64 = 500;
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

    const SECOND: i64 = 10_000_000;

    /// Counts a fragment each 2 s, whose lateness is that of its number. Calls with the time told of each.
    fn told(late: impl Fn(i64) -> i64, numbers: i64, mut each: impl FnMut(i64, i64)) {
        let mut drift = Drift::default();
        for number in 0..numbers {
            drift.count(late(number), Duration::from_secs(2 * number.unsigned_abs()));
            each(number, drift.applied());
        }
    }

    #[test]
    fn the_clock_follows_a_slow_and_a_fast_encoder_for_a_day() {
        for ticks in [200 * 10, -200 * 10] {
            // Each third fragment comes in time.
            let late = |number: i64| number * ticks + if number % 3 == 0 { 0 } else { SECOND };
            let mut before = 0;
            told(late, 43_200, |number, applied| {
                assert!(applied.abs_diff(number * ticks) < SECOND.unsigned_abs() / 5, "{number}");
                assert!(before - applied < 2 * SECOND, "the clock goes on");
                before = applied;
            });
            assert_eq!(before.signum(), ticks.signum());
            assert!((85_000_000..87_000_000).contains(&before.abs()), "{before}");
        }
    }

    #[test]
    fn the_clock_does_not_jump_with_an_encoder() {
        for jump in [10 * SECOND, -10 * SECOND] {
            let late = |number: i64| if number < 500 { 0 } else { jump };
            let (mut before, mut reached) = (0_i64, None);
            told(late, 2000, |number, applied| {
                assert!(before.abs_diff(applied) <= 2 * SECOND.unsigned_abs() / 50, "{number}");
                assert!(number >= 500 || applied == 0);
                before = applied;
                reached = reached.or_else(|| (applied == jump).then_some(number));
            });
            let reached = reached.expect("it is reached at last");
            assert!((750..850).contains(&reached), "{reached}");
        }
    }

    #[test]
    fn a_backlog_at_the_beginning_and_a_lost_connection_do_not_stay() {
        // The first fragments had waited for 10 s.
        told(
            |number| (-10 * SECOND).max(-number * SECOND),
            100,
            |number, applied| {
                assert_eq!(applied, (-10 * SECOND).max(-number * SECOND));
            },
        );
        // Fragments of 50 s come at once.
        let late =
            |number| if (500..525).contains(&number) { (525 - number) * 2 * SECOND } else { 0 };
        told(late, 1000, |number, applied| {
            assert!((0..=2 * SECOND / 5).contains(&applied), "{number}: {applied}");
        });
    }
}
