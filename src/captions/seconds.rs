//! Exact times.

use std::cmp::Ordering;

use crate::base::Timescale;

/// A time in seconds as an exact fraction, never negative.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seconds {
    numerator: u64,
    /// Never zero.
    denominator: u64,
}

impl Seconds {
    pub(super) const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// Returns `numerator / denominator` in lowest terms; `None` if the terms exceed `u64` or the
    /// denominator is zero.
    pub(super) fn new(numerator: u128, denominator: u128) -> Option<Self> {
        let divisor = greatest_divisor(numerator, denominator);
        let numerator = u64::try_from(numerator.checked_div(divisor)?).ok()?;
        let denominator = u64::try_from(denominator.checked_div(divisor)?).ok()?;
        (denominator > 0).then_some(Self { numerator, denominator })
    }

    /// Returns the sum; `None` if its terms exceed `u64`.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let (a, b) = (u128::from(self.numerator), u128::from(self.denominator));
        let (c, d) = (u128::from(other.numerator), u128::from(other.denominator));
        Self::new((a * d).checked_add(c * b)?, b * d)
    }

    /// Returns the product with `numerator / denominator`; `None` if its terms exceed `u64`.
    pub(super) fn times(self, numerator: u128, denominator: u128) -> Option<Self> {
        let numerator = u128::from(self.numerator).checked_mul(numerator)?;
        Self::new(numerator, u128::from(self.denominator).checked_mul(denominator)?)
    }

    /// Returns the time in ticks, rounded to the nearest (halves up); `None` if it exceeds `u64`.
    pub(super) fn to_ticks(self, timescale: Timescale) -> Option<u64> {
        let denominator = u128::from(self.denominator);
        let scaled = u128::from(self.numerator) * u128::from(timescale.get());
        u64::try_from((scaled + denominator / 2) / denominator).ok()
    }
}

impl PartialEq for Seconds {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Seconds {}

impl PartialOrd for Seconds {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Seconds {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = u128::from(self.numerator) * u128::from(other.denominator);
        let right = u128::from(other.numerator) * u128::from(self.denominator);
        left.cmp(&right)
    }
}

fn greatest_divisor(mut a: u128, mut b: u128) -> u128 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_frames_are_exact_and_rounded_once() {
        let frame = Seconds::new(1001, 30_000).unwrap();
        let sum = (0..30_000).try_fold(Seconds::ZERO, |sum, _| sum.plus(frame)).unwrap();
        assert_eq!(sum.to_ticks(Timescale::SMOOTH), Some(10_010_000_000));
        assert_eq!(frame.to_ticks(Timescale::SMOOTH), Some(333_667));
    }

    #[test]
    fn what_exceeds_the_range_is_none() {
        let most = Seconds::new(u64::MAX.into(), 1).unwrap();
        assert!(most.plus(most).is_none());
        assert!(most.to_ticks(Timescale::SMOOTH).is_none());
        assert!(Seconds::new(1, 0).is_none());
        assert!(Seconds::new(0, 0).is_none());
        assert!(Seconds::new(1, u128::MAX).is_none());
        assert!(most > Seconds::new(1, u64::MAX.into()).unwrap());
    }
}
