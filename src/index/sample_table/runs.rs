//! A walk over runs of equal values, as `stts` and `ctts` store them.

/// Walks entries of eight bytes: a count, and the value of that many samples.
#[derive(Clone, Debug)]
pub(super) struct Runs<'a> {
    entries: std::slice::ChunksExact<'a, u8>,
    left: u32,
    value: u32,
}

impl<'a> Runs<'a> {
    pub(super) fn new(entries: &'a [u8]) -> Self {
        Self { entries: entries.chunks_exact(8), left: 0, value: 0 }
    }

    /// Returns the value of the next sample; `None` behind the last one.
    #[inline]
    pub(super) fn next(&mut self) -> Option<u32> {
        self.take(1).map(|(_, value)| value)
    }

    /// Takes up to `most` of the samples that have the same value as the next one: their number and
    /// the value; `None` behind the last one.
    #[inline]
    pub(super) fn take(&mut self, most: u32) -> Option<(u32, u32)> {
        while self.left == 0 {
            let &[a, b, c, d, e, f, g, h] = self.entries.next()?.first_chunk()?;
            self.left = u32::from_be_bytes([a, b, c, d]);
            self.value = u32::from_be_bytes([e, f, g, h]);
        }
        let count = self.left.min(most);
        self.left -= count;
        Some((count, self.value))
    }

    /// Passes over samples, and returns the sum of their values; behind the last one, values are 0.
    pub(super) fn skip(&mut self, mut samples: u32) -> u64 {
        let mut sum = 0;
        while samples > 0
            && let Some((count, value)) = self.take(samples)
        {
            sum += u64::from(count) * u64::from(value);
            samples -= count;
        }
        sum
    }
}

/// Number of samples of all runs, which may be that of 2^32 runs.
pub(super) fn total(entries: &[u8]) -> u64 {
    let count =
        |entry: &[u8]| entry.first_chunk().map_or(0, |word| u32::from_be_bytes(*word).into());
    entries.chunks_exact(8).map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_walked_and_skipped_alike() {
        let entries: Vec<u8> =
            [2_u32, 5, 0, 9, 3, 7].into_iter().flat_map(u32::to_be_bytes).collect();
        let mut runs = Runs::new(&entries);
        let values: Vec<_> = std::iter::from_fn(|| runs.next()).collect();
        assert_eq!(values, [5, 5, 7, 7, 7]);
        let mut runs = Runs::new(&entries);
        assert_eq!((runs.skip(3), runs.next(), runs.skip(9), runs.next()), (17, Some(7), 7, None));
        assert_eq!(Runs::new(&entries).take(9), Some((2, 5)));
    }
}
