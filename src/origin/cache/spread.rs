//! Checks of presentations that were opened together, spread over time.

use std::sync::atomic::{AtomicU64, Ordering};

/// Makes the periods between checks a little shorter than they may be, each by another part, so that
/// presentations that were opened at one time are not all checked at one time for ever after.
#[derive(Debug, Default)]
pub(super) struct Spread {
    is_on: bool,
    turn: AtomicU64,
}

/// Divisor of a period: it is shortened by less than such a part.
const PART: u64 = 4;

impl Spread {
    pub(super) fn new(is_on: bool) -> Self {
        Self { is_on, turn: AtomicU64::new(0) }
    }

    /// The time in milliseconds until the first check, in no more than `period`.
    pub(super) fn first(&self, period: u64) -> u64 {
        self.shortened(period, period - period / PART)
    }

    /// The time until a later check.
    pub(super) fn next(&self, period: u64) -> u64 {
        self.shortened(period, period / PART)
    }

    fn shortened(&self, period: u64, most: u64) -> u64 {
        // No period that has no end becomes one that has.
        if !self.is_on || most == 0 || period == u64::MAX {
            return period;
        }
        let mut mixed = self.turn.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        period - (mixed ^ mixed >> 31) % most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_spread_over_their_parts_and_never_longer() {
        let spread = Spread::new(true);
        let (mut firsts, mut nexts) = ([0; 4], [0; 4]);
        for _ in 0..4000 {
            let (first, next) = (spread.first(1000), spread.next(1000));
            assert!((251..=1000).contains(&first) && (751..=1000).contains(&next));
            firsts[(first as usize - 251) / 188] += 1;
            nexts[(next as usize - 751) / 63] += 1;
        }
        assert!(firsts.iter().chain(&nexts).all(|&count| (850..1150).contains(&count)));
        for period in [0, 1, 3, u64::MAX] {
            assert_eq!(spread.next(period), period);
        }
        assert_eq!(Spread::new(false).first(1000), 1000);
    }
}
