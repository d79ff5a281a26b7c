//! Numbers that are mostly near a mean: Rice codes.

use super::bits::{BitReader, BitWriter};

/// Number of ones that stand for a number of 32 bits.
const ESCAPE: u32 = 20;

/// Largest parameter.
pub(super) const MOST: u32 = 31;

/// The parameter by which numbers with this sum take few bits.
pub(super) fn parameter(sum: u64, count: u64) -> u32 {
    (sum / count.max(1)).max(1).ilog2().min(MOST)
}

/// Writes a number: its high bits as that many ones, and its low `k` bits.
#[inline]
pub(super) fn put(writer: &mut BitWriter, value: u32, k: u32) {
    let high = value >> k;
    if high < ESCAPE {
        let low = u64::from(value) & ((1 << k) - 1);
        let ones = (1_u64 << high) - 1;
        writer.put(ones | low << (high + 1), high + 1 + k);
    } else {
        writer.put((1 << ESCAPE) - 1, ESCAPE);
        writer.put(value.into(), 32);
    }
}

/// Reads what [`put`] wrote.
#[inline]
pub(super) fn take(reader: &mut BitReader<'_>, k: u32) -> u32 {
    let bits = reader.peek();
    let high = bits.trailing_ones();
    if high < ESCAPE {
        reader.skip(high + 1 + k);
        let low = bits >> (high + 1) & ((1 << k) - 1);
        return high << k | low as u32;
    }
    reader.skip(ESCAPE);
    reader.take(32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_read_again_with_every_parameter() {
        let numbers = [0, 1, 2, 5, 19, 20, 21, 1000, 65_535, 1 << 24, u32::MAX - 1, u32::MAX];
        for k in 0..=MOST {
            let mut writer = BitWriter::default();
            numbers.into_iter().for_each(|number| put(&mut writer, number, k));
            let words = writer.finish();
            let mut reader = BitReader::new(&words, 0);
            numbers.into_iter().for_each(|number| assert_eq!(take(&mut reader, k), number, "{k}"));
        }
        assert_eq!(
            [(0, 0), (9, 3), (1000, 3), (u64::MAX, 1)].map(|(s, n)| parameter(s, n)),
            [0, 1, 8, 31]
        );
    }
}
