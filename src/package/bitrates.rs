//! The bitrates that a stream declares.

use crate::base::Timescale;

/// Bits a second of so many bytes in so many units of 100 ns, at least 1.
pub(super) fn measured(bytes: u64, ticks: u64) -> u32 {
    let bits = 8 * u128::from(bytes) * u128::from(Timescale::SMOOTH.get());
    let bits = (bits + u128::from(ticks / 2)) / u128::from(ticks.max(1));
    u32::try_from(bits).unwrap_or(u32::MAX).max(1)
}

/// The next bitrate that no other quality of the stream has: it is part of URLs.
pub(super) fn free(mut bitrate: u32, taken: &[u32]) -> u32 {
    while taken.contains(&bitrate) {
        bitrate = bitrate.wrapping_add(1).max(1);
    }
    bitrate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitrates_are_rounded_and_distinct() {
        assert_eq!(measured(1_000_000, 20_000_000), 4_000_000);
        assert_eq!((measured(0, 10), measured(1, 0)), (1, 80_000_000));
        assert_eq!(measured(u64::MAX, 1), u32::MAX);
        assert_eq!(free(7, &[8, 7]), 9);
        assert_eq!(free(u32::MAX, &[u32::MAX]), 1);
    }
}
