//! The time of an event, and the clocks of its encoders.

use super::Moment;
use super::moment::Duration;
use crate::base::Timescale;

/// The moment at which a media time was live: from it, the media time that is live at any other moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch {
    monotonic: Duration,
    wall: Duration,
    /// In ticks of 100 ns.
    media: i64,
}

impl Epoch {
    /// Media of this time, in ticks of 100 ns, is live now.
    pub(super) fn new(now: Moment, media: i64) -> Self {
        Self { monotonic: now.monotonic, wall: now.wall, media }
    }

    /// Returns the media time that is live now, in ticks of 100 ns.
    pub(super) fn position(&self, now: Moment) -> i64 {
        self.media.saturating_add(smooth_ticks(now.since(self.monotonic)))
    }

    /// Returns the wall time at which media time 0 was live, in ticks of 100 ns since 1970.
    pub(super) fn wall_of_zero(&self) -> i64 {
        smooth_ticks(self.wall).saturating_sub(self.media)
    }
}

/// Returns a duration in ticks of 100 ns.
pub(super) fn smooth_ticks(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX)
}

/// Returns a time of a track in ticks of 100 ns, rounded down.
pub(super) fn to_smooth(ticks: i64, timescale: Timescale) -> i64 {
    rescale(ticks, timescale, Timescale::SMOOTH)
}

/// Returns a time in ticks of 100 ns in those of a track, rounded down.
pub(super) fn from_smooth(ticks: i64, timescale: Timescale) -> i64 {
    rescale(ticks, Timescale::SMOOTH, timescale)
}

/// Returns the difference below which two times of a track are the same: 1 ms, or one tick. Producers round
/// times that others derive from durations.
pub(super) fn jitter(timescale: Timescale) -> i64 {
    i64::try_from(timescale.get() / 1000).unwrap_or(i64::MAX).max(1)
}

/// Returns a time of a track as a duration; 0 for times before 0.
pub(super) fn duration_of(ticks: i64, timescale: Timescale) -> Duration {
    let ticks = u64::try_from(to_smooth(ticks, timescale)).unwrap_or(0);
    Duration::from_secs(ticks / 10_000_000) + Duration::from_nanos(ticks % 10_000_000 * 100)
}

fn rescale(ticks: i64, from: Timescale, to: Timescale) -> i64 {
    if from == to {
        return ticks;
    }
    let wide = (i128::from(ticks) * i128::from(to.get())).div_euclid(i128::from(from.get()));
    i64::try_from(wide).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX })
}

/// Returns by how many turns of a counter of 32 bits a time is behind the one that is expected: 0 if by less
/// than half a turn.
pub(super) fn turns(time: i64, expected: i64) -> i64 {
    let behind = i128::from(expected) - i128::from(time) + (1 << 31);
    i64::try_from((behind >> 32).max(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_of_32_bits_that_began_anew_is_one_turn_behind() {
        let turn = 1_i64 << 32;
        assert_eq!(turns(5, turn - 20_000_000), 1);
        assert_eq!(turns(turn - 20_000_000, turn), 0);
        assert_eq!(turns(7, 3 * turn + 5), 3);
        assert_eq!(turns(3 * turn, 5), 0, "a time ahead is no turn");
    }

    #[test]
    fn times_before_zero_are_rounded_down() {
        let audio = Timescale::new(48_000).unwrap();
        assert_eq!(to_smooth(-1024, audio), -213_334);
        assert_eq!(from_smooth(-213_333, audio), -1024);
        assert_eq!((jitter(audio), jitter(Timescale::new(25).unwrap())), (48, 1));
    }

    #[test]
    fn media_time_goes_on_with_the_clock() {
        let begin = Moment { monotonic: Duration::from_secs(5), wall: Duration::from_secs(1000) };
        let epoch = Epoch::new(begin, 20_000_000);
        let later = begin.after(Duration::from_millis(1500));
        assert_eq!(epoch.position(later), 35_000_000);
        assert_eq!(epoch.wall_of_zero(), 998 * 10_000_000);
    }
}
