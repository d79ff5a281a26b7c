//! Frames per second, as an exact ratio.

use std::fmt;

use crate::base::Timescale;

/// Maximum frames per second; parameter sets that say more count something else than frames.
const MOST: u64 = 300;

/// Rates that samples of rounded durations are meant to have.
const USUAL: [(u32, u32); 12] = [
    (24_000, 1001),
    (24, 1),
    (25, 1),
    (30_000, 1001),
    (30, 1),
    (48, 1),
    (50, 1),
    (60_000, 1001),
    (60, 1),
    (100, 1),
    (120_000, 1001),
    (120, 1),
];

/// Frames per second, as a fraction in lowest terms.
///
/// ```
/// use smooth_origin::codec::FrameRate;
/// let ntsc = FrameRate::new(60_000, 2002).unwrap();
/// assert_eq!((ntsc.numerator(), ntsc.denominator()), (30_000, 1001));
/// assert_eq!(ntsc.to_string(), "30000/1001");
/// assert_eq!(FrameRate::new(50, 2).unwrap().to_string(), "25");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameRate {
    numerator: u32,
    denominator: u32,
}

impl FrameRate {
    /// Returns the rate of `numerator` frames in `denominator` seconds; `None` if one of them is 0.
    pub fn new(numerator: u32, denominator: u32) -> Option<Self> {
        Self::of(numerator.into(), denominator.into())
    }

    /// Frames in [`denominator`](Self::denominator) seconds.
    pub fn numerator(self) -> u32 {
        self.numerator
    }

    /// Number of seconds.
    pub fn denominator(self) -> u32 {
        self.denominator
    }

    /// Frames per second.
    pub fn to_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// Returns a rate that a parameter set declares; `None` if no pictures have it.
    pub(super) fn declared(numerator: u64, denominator: u64) -> Option<Self> {
        Self::of(numerator, denominator)
            .filter(|rate| u64::from(rate.numerator) <= MOST * u64::from(rate.denominator))
    }

    /// Returns the rate of samples that take between `shortest` and `longest` ticks; `None` if their
    /// durations differ by more than rounding.
    pub(crate) fn of_durations(shortest: u32, longest: u32, timescale: Timescale) -> Option<Self> {
        if shortest == 0 || longest.checked_sub(shortest)? > 1 {
            return None;
        }
        let ticks = timescale.get();
        let fits = |&(numerator, denominator): &(u32, u32)| {
            // Ticks of a frame, of which both durations are roundings.
            let (numerator, frame) =
                (u128::from(numerator), u128::from(ticks) * u128::from(denominator));
            let floor = frame / numerator;
            let ceiling = frame.div_ceil(numerator);
            // In coarse units, a rounded duration says nothing.
            floor >= 1000 && floor <= shortest.into() && u128::from(longest) <= ceiling
        };
        match USUAL.iter().find(|rate| fits(rate)) {
            Some(&(numerator, denominator)) => Self::new(numerator, denominator),
            None if shortest == longest => Self::declared(ticks, shortest.into()),
            None => None,
        }
    }

    /// Returns whether two rates differ by no more than a thousandth.
    pub(crate) fn is_near(self, other: Self) -> bool {
        let one = u64::from(self.numerator) * u64::from(other.denominator);
        let two = u64::from(other.numerator) * u64::from(self.denominator);
        // The rates at 1000 and at 1001 differ by just less.
        u128::from(one.abs_diff(two)) * 2000 <= u128::from(one.max(two))
    }

    fn of(numerator: u64, denominator: u64) -> Option<Self> {
        let divisor = greatest_common_divisor(numerator, denominator);
        let numerator = u32::try_from(numerator.checked_div(divisor)?).ok()?;
        let denominator = u32::try_from(denominator.checked_div(divisor)?).ok()?;
        (numerator > 0 && denominator > 0).then_some(Self { numerator, denominator })
    }
}

/// `30000/1001`; `25` if the denominator is 1.
impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => write!(f, "{}", self.numerator),
            denominator => write!(f, "{}/{denominator}", self.numerator),
        }
    }
}

/// Returns the greatest common divisor of two numbers; 0 if both are 0.
pub(super) fn greatest_common_divisor(mut one: u64, mut two: u64) -> u64 {
    while two > 0 {
        (one, two) = (two, one % two);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(shortest: u32, longest: u32, timescale: u64) -> Option<String> {
        let timescale = Timescale::new(timescale).unwrap();
        FrameRate::of_durations(shortest, longest, timescale).map(|rate| rate.to_string())
    }

    #[test]
    fn durations_that_are_rounded_have_the_usual_rate_that_they_are_rounded_from() {
        for (shortest, longest, says) in [
            (400_000, 400_000, "25"),
            (333_666, 333_667, "30000/1001"),
            (333_667, 333_667, "30000/1001"),
            (333_333, 333_334, "30"),
            (417_083, 417_084, "24000/1001"),
            (416_666, 416_667, "24"),
            (166_833, 166_834, "60000/1001"),
            (200_000, 200_000, "50"),
            (800_000, 800_000, "25/2"),
            (10_000_000, 10_000_000, "1"),
        ] {
            assert_eq!(rate(shortest, longest, 10_000_000).unwrap(), says);
        }
        assert_eq!(rate(1001, 1001, 30_000).unwrap(), "30000/1001");
        assert_eq!(rate(512, 512, 12_800).unwrap(), "25");
        assert_eq!(rate(33, 33, 1000).unwrap(), "1000/33", "nothing says that it is rounded");
    }

    #[test]
    fn durations_that_vary_have_no_rate() {
        for (shortest, longest) in [(0, 0), (0, 1), (400_000, 400_002), (5, 4), (1, 1)] {
            assert_eq!(rate(shortest, longest, 10_000_000), None);
        }
        assert_eq!(rate(33, 34, 1000), None);
        assert_eq!(rate(u32::MAX, u32::MAX, u64::MAX), None);
    }

    #[test]
    fn neighbouring_rates_are_told_apart() {
        let rate = |numerator, denominator| FrameRate::new(numerator, denominator).unwrap();
        assert!(!rate(30, 1).is_near(rate(30_000, 1001)));
        assert!(rate(30_000, 1001).is_near(rate(10_000_000, 333_667)));
        assert!(!rate(u32::MAX, 1).is_near(rate(1, u32::MAX)));
        assert_eq!(FrameRate::new(0, 1), None);
        assert_eq!(FrameRate::new(1, 0), None);
        assert_eq!(FrameRate::declared(90_000, 1), None, "units of a clock");
    }
}
