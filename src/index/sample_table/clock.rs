//! Exact times: from ticks of a track to ticks of a presentation.

use crate::base::Timescale;

/// Converts times of a track's media into times at which it is shown.
///
/// Each time is converted from the start of the track and rounded once, to the nearest tick and up
/// in the middle. A duration is the difference of two times, so that no error accumulates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    timescale: Timescale,
    /// Time of the media that is shown at 0.
    media_time: i64,
    /// Time before it, in ticks of another timescale.
    delay: Option<(u64, Timescale)>,
}

/// A clock that counts from a time of the media, for many times that are near.
#[derive(Clone, Copy, Debug)]
pub struct LocalClock {
    /// The time is `(remainder + ticks × multiplier) / divisor + whole`.
    whole: i64,
    remainder: i64,
    multiplier: i64,
    divisor: i64,
}

/// Times are less than this, so that all below fits.
const LARGEST: u64 = 1 << 62;

impl Clock {
    /// A clock without edits.
    pub fn new(timescale: Timescale) -> Self {
        Self { timescale, media_time: 0, delay: None }
    }

    /// A clock by which `media_time` is shown after `delay`, in ticks of its own timescale. `None`
    /// if one of them is too large.
    pub fn edited(
        timescale: Timescale,
        media_time: i64,
        delay: Option<(u64, Timescale)>,
    ) -> Option<Self> {
        let is_large =
            media_time.unsigned_abs() >= LARGEST || delay.is_some_and(|(d, _)| d >= LARGEST);
        (!is_large).then_some(Self { timescale, media_time, delay })
    }

    /// Ticks per second of the media.
    pub fn timescale(&self) -> Timescale {
        self.timescale
    }

    /// Time at which something of the media is shown, in ticks of `to`, rounded to the nearest;
    /// `None` if it exceeds 62 bits.
    pub fn at(&self, ticks: i64, to: Timescale) -> Option<i64> {
        Some(self.from(ticks, to)?.whole)
    }

    /// A clock that counts from `ticks` of the media. `None` if the time exceeds 62 bits.
    pub fn from(&self, ticks: i64, to: Timescale) -> Option<LocalClock> {
        let of = |scale: Timescale| i128::from(scale.get());
        let (delay, movie) =
            self.delay.map_or((0, 1), |(delay, movie)| (i128::from(delay), of(movie)));
        // The time is `above / below` of `to`'s ticks.
        let shown = i128::from(ticks) - i128::from(self.media_time);
        let seconds =
            shown.checked_mul(movie)?.checked_add(delay.checked_mul(of(self.timescale))?)?;
        let shared = gcd(of(to), of(self.timescale) * movie);
        let (to, below) = (of(to) / shared, of(self.timescale) * movie / shared);
        // Half a tick is added, so that rounding down gives the nearest.
        let above = seconds.checked_mul(to)?.checked_mul(2)?.checked_add(below)?;
        let whole = above.div_euclid(2 * below);
        if whole.unsigned_abs() >= u128::from(LARGEST) {
            return None;
        }
        Some(LocalClock {
            whole: i64::try_from(whole).ok()?,
            remainder: i64::try_from(above.rem_euclid(2 * below)).ok()?,
            multiplier: i64::try_from(2 * to * movie).ok()?,
            divisor: i64::try_from(2 * below).ok()?,
        })
    }
}

impl LocalClock {
    /// Time at which something is shown that is composed `ticks` of the media after the time from
    /// which this clock counts. Equal to what [`Clock::at`] gives; times beyond 63 bits are the
    /// largest or smallest.
    #[inline]
    pub fn at(&self, ticks: i64) -> i64 {
        let near = ticks.checked_mul(self.multiplier).and_then(|n| n.checked_add(self.remainder));
        match near {
            Some(above) => self.whole.saturating_add(above.div_euclid(self.divisor)),
            None => self.far(ticks),
        }
    }

    /// Ticks of the media that are shown at about `time`, to within a tick of either: where a search
    /// begins.
    #[inline]
    pub(crate) fn near(&self, time: i64) -> i64 {
        let wide = (i128::from(time) - i128::from(self.whole)) * i128::from(self.divisor);
        match i64::try_from(wide) {
            Ok(near) => near / self.multiplier,
            Err(_) => {
                let wide = wide / i128::from(self.multiplier);
                i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
            }
        }
    }

    #[cold]
    fn far(&self, ticks: i64) -> i64 {
        let wide = i128::from(ticks) * i128::from(self.multiplier) + i128::from(self.remainder);
        let wide = wide.div_euclid(self.divisor.into()) + i128::from(self.whole);
        i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
    }
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(ticks: u64) -> Timescale {
        Timescale::new(ticks).unwrap()
    }

    #[test]
    fn three_hours_of_ntsc_do_not_drift() {
        let clock = Clock::new(scale(30_000));
        let exact = |frame: i128| (frame * 1001 * 10_000_000 * 2 + 30_000).div_euclid(60_000);
        for frame in [0, 1, 2, 3, 323_676] {
            let at = clock.at(frame * 1001, Timescale::SMOOTH).unwrap();
            assert_eq!(i128::from(at), exact(frame.into()), "{frame}");
        }
    }

    #[test]
    fn a_local_clock_agrees_with_the_whole_one() {
        let clocks = [
            Clock::new(scale(44_100)),
            Clock::edited(scale(44_100), 2112, None).unwrap(),
            Clock::edited(scale(12_800), 1024, Some((7, scale(1000)))).unwrap(),
            Clock::edited(scale(4_294_967_291), 3, Some((7, scale(4_294_967_279)))).unwrap(),
        ];
        for clock in clocks {
            for start in [0, 1024, 999_999_937] {
                let Some(local) = clock.from(start, Timescale::SMOOTH) else { continue };
                for ticks in [-5000, -1, 0, 1, 1023, 1024, 4_000_000_000, 1 << 50] {
                    let whole = clock.at(start + ticks, Timescale::SMOOTH);
                    assert_eq!(Some(local.at(ticks)), whole, "{clock:?} {start} {ticks}");
                }
            }
        }
    }

    #[test]
    fn times_are_rounded_to_the_nearest_on_both_sides_of_0() {
        let clock = Clock::edited(scale(4), 8, None).unwrap();
        let times: Vec<_> = (5..12).map(|ticks| clock.at(ticks, scale(2)).unwrap()).collect();
        assert_eq!(times, [-1, -1, 0, 0, 1, 1, 2]);
    }
}
