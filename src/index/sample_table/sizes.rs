//! Sizes of samples, in each of the forms in which they are stored.

use bytes::Bytes;

use crate::base::{Cursor, Error, ErrorKind, FourCc};
use crate::bmff::{AnyBox, Body, Stz2};

/// The sizes of all samples of a track.
#[derive(Clone, Debug)]
pub(super) enum Sizes {
    /// All samples have the same.
    Constant { size: u32, count: u32 },
    /// Four bytes each (`stsz`).
    Words(Bytes),
    /// 4, 8 or 16 bits each.
    Compact(Stz2),
}

impl Sizes {
    /// Reads `stsz` or `stz2`, which begins at byte `offset` of the file.
    pub(super) fn read(item: &AnyBox, offset: u64) -> Result<Self, Error> {
        match &item.body {
            Body::Stz2(stz2) => Ok(Self::Compact(stz2.clone())),
            Body::Stsz(stsz) if stsz.sample_size > 0 => {
                Ok(Self::Constant { size: stsz.sample_size, count: stsz.sample_count })
            }
            Body::Stsz(stsz) => {
                let table = offset + item.header_len() + stsz_head();
                let words = Cursor::new(&item.rest, table).entries(stsz.sample_count, 4);
                Ok(Self::Words(words.map_err(|error| error.inside(FourCc(*b"stsz")))?))
            }
            _ => Err(Error::at(
                offset,
                ErrorKind::Missing {
                    what: "table of sample sizes",
                    clause: "ISO/IEC 14496-12, 8.7.3",
                },
            )),
        }
    }

    pub(super) fn count(&self) -> u32 {
        match self {
            Self::Constant { count, .. } => *count,
            // The bytes of a table were counted by 32 bits.
            Self::Words(words) => (words.len() / 4) as u32,
            Self::Compact(stz2) => stz2.sample_count,
        }
    }

    /// Appends the sizes of `count` samples from an index on, or of as many as there are.
    pub(super) fn copy(&self, from: u32, count: u32, into: &mut Vec<u32>) {
        let end = from.saturating_add(count).min(self.count());
        let count = end.saturating_sub(from) as usize;
        match self {
            Self::Constant { size, .. } => into.extend(std::iter::repeat_n(*size, count)),
            Self::Words(words) => {
                let words = words.get(from as usize * 4..).unwrap_or_default();
                let words = words.as_chunks().0.iter().take(count);
                into.extend(words.map(|word| u32::from_be_bytes(*word)));
            }
            Self::Compact(_) => into.extend((from..end).map_while(|at| self.get(at))),
        }
    }

    /// Returns the sum of the sizes of `count` samples from an index on, or of as many as there are.
    pub(super) fn sum(&self, from: u32, count: u32) -> u64 {
        let end = from.saturating_add(count).min(self.count());
        let count = end.saturating_sub(from) as usize;
        match self {
            Self::Constant { size, .. } => u64::from(*size) * count as u64,
            Self::Words(words) => {
                let words = words.get(from as usize * 4..).unwrap_or_default();
                let words = words.as_chunks().0;
                sum_of(&words[..count.min(words.len())])
            }
            Self::Compact(stz2) => {
                let sizes = (from..end).filter_map(|at| stz2.size(at as usize));
                sizes.map(u64::from).sum()
            }
        }
    }

    /// Size of the sample at an index, from 0; `None` behind the last one.
    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<u32> {
        match self {
            Self::Constant { size, count } => (at < *count).then_some(*size),
            Self::Words(words) => {
                let from = at as usize * 4;
                words.get(from..from + 4)?.first_chunk().map(|word| u32::from_be_bytes(*word))
            }
            Self::Compact(stz2) => {
                if at < stz2.sample_count {
                    stz2.size(at as usize)
                } else {
                    None
                }
            }
        }
    }
}

/// Words whose bytes are summed up as numbers of 16 bits.
const SHORT: usize = 256;

/// Returns the sum of numbers whose highest byte is stored first.
///
/// Processors that read the lowest one first would have to turn each of them. So the first, second, third
/// and fourth bytes are summed up by themselves, two in one number.
fn sum_of(words: &[[u8; 4]]) -> u64 {
    const OTHERS: u32 = 0x00ff_00ff;
    let mut sum = 0;
    for words in words.chunks(SHORT) {
        let (mut even, mut odd) = (0_u32, 0_u32);
        for word in words {
            let word = u32::from_le_bytes(*word);
            // At most 256 times 255 in each half.
            even += word & OTHERS;
            odd += word >> 8 & OTHERS;
        }
        let halves = |sums: u32| (u64::from(sums & 0xffff), u64::from(sums >> 16));
        let ((first, third), (second, fourth)) = (halves(even), halves(odd));
        sum += (first << 24) + (second << 16) + (third << 8) + fourth;
    }
    sum
}

/// Bytes of the fields before the table: version and flags, the size of all, and the count.
const fn stsz_head() -> u64 {
    12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_single_numbers() {
        let mut number = 0x9e37_79b9_u32;
        let mut numbers = vec![u32::MAX; 700];
        numbers.extend(
            std::iter::repeat_with(|| {
                number = number.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
                number
            })
            .take(700),
        );
        let words: Vec<[u8; 4]> = numbers.iter().map(|number| number.to_be_bytes()).collect();
        for range in [0..0, 0..1, 3..10, 0..255, 0..256, 0..257, 690..1400, 0..1400] {
            let sum = numbers[range.clone()].iter().map(|&number| u64::from(number)).sum::<u64>();
            assert_eq!(sum_of(&words[range]), sum);
        }
    }
}
