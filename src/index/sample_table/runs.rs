//! A walk over runs of equal values, as `stts` and `ctts` store them.

/// Walks entries of eight bytes: a count, and the value of that many samples.
#[derive(Clone, Debug)]
pub(super) struct Runs<'a> {
    entries: &'a [[u8; 8]],
    /// Index of the next entry.
    at: usize,
    left: u32,
    value: u32,
}

/// A place between two samples: a run, and the samples of it that are before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RunPlace {
    pub(super) entry: u32,
    pub(super) passed: u32,
}

/// Number of entries that are passed at once.
const BLOCK: usize = 8;

impl<'a> Runs<'a> {
    pub(super) fn new(entries: &'a [u8]) -> Self {
        Self { entries: entries.as_chunks().0, at: 0, left: 0, value: 0 }
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
        self.peek()?;
        let count = self.left.min(most);
        self.left -= count;
        Some((count, self.value))
    }

    /// Returns the value of the next sample, which stays the next one.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u32> {
        while self.left == 0 {
            let entry = self.entries.get(self.at)?;
            (self.left, self.value) = (count_of(entry), value_of(entry));
            self.at += 1;
        }
        Some(self.value)
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

    /// Passes over samples, many entries at a time.
    #[inline]
    pub(super) fn pass(&mut self, mut samples: u32) {
        let count = self.left.min(samples);
        self.left -= count;
        samples -= count;
        if samples == 0 {
            return;
        }
        while let Some(block) = self.entries.get(self.at..self.at + BLOCK) {
            let sum: u64 = block.iter().map(|entry| u64::from(count_of(entry))).sum();
            match u32::try_from(sum).ok().and_then(|sum| samples.checked_sub(sum)) {
                Some(rest) => samples = rest,
                None => break,
            }
            self.at += BLOCK;
        }
        while samples > 0
            && let Some((count, _)) = self.take(samples)
        {
            samples -= count;
        }
    }

    /// Passes over samples, and returns whether some of them have another value than the first one.
    pub(super) fn pass_varying(&mut self, mut samples: u32) -> bool {
        let first = self.peek().unwrap_or(0);
        while samples > 0 {
            // Behind the last one, values are 0.
            let Some((count, value)) = self.take(samples) else { return first != 0 };
            samples -= count;
            if value != first {
                self.pass(samples);
                return true;
            }
        }
        false
    }

    /// Returns the place before the next sample.
    pub(super) fn place(&self) -> RunPlace {
        // Numbers of entries were read as 32 bits.
        match self.left {
            0 => RunPlace { entry: self.at as u32, passed: 0 },
            left => {
                let entry = self.at - 1;
                let passed = self.entries.get(entry).map_or(0, count_of) - left;
                RunPlace { entry: entry as u32, passed }
            }
        }
    }
}

#[inline]
fn count_of(entry: &[u8; 8]) -> u32 {
    let [a, b, c, d, ..] = *entry;
    u32::from_be_bytes([a, b, c, d])
}

#[inline]
fn value_of(entry: &[u8; 8]) -> u32 {
    let [.., e, f, g, h] = *entry;
    u32::from_be_bytes([e, f, g, h])
}

/// Returns the number of samples of all runs, which may be that of 2^32 runs, and an upper bound of their
/// values without signs.
pub(super) fn total(entries: &[u8]) -> (u64, u32) {
    let (mut count, mut bits) = (0, 0);
    for entry in entries.as_chunks().0 {
        count += u64::from(count_of(entry));
        let value = value_of(entry) as i32;
        // A number below 0 has the bits of the one that is as far from -1.
        bits |= (value ^ value >> 31) as u32;
    }
    // All numbers with these bits and no higher ones, and one more below 0.
    let bound = (1_u64 << (32 - bits.leading_zeros())) as u32;
    (count, bound)
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

    #[test]
    fn places_and_bounds_are_those_of_single_steps() {
        let counts = [1_u32, 1, 0, 2, 1, 1, 1, 1, 0, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 0];
        let runs = counts.iter().zip([7_u32, 7, 9, 0, u32::MAX].iter().cycle());
        let entries: Vec<u8> =
            runs.flat_map(|(count, value)| [*count, *value]).flat_map(u32::to_be_bytes).collect();
        let values: Vec<u32> = {
            let mut runs = Runs::new(&entries);
            std::iter::from_fn(|| runs.next()).collect()
        };
        for from in 0..=values.len() {
            for to in from..=values.len() {
                let (mut passed, mut walked) = (Runs::new(&entries), Runs::new(&entries));
                passed.pass(from as u32);
                for _ in 0..from {
                    walked.next();
                }
                let of = &values[from..to];
                let varies = of.iter().any(|value| *value != of[0]);
                assert_eq!(passed.pass_varying(of.len() as u32), varies, "{from} {to}");
                for _ in from..to {
                    walked.next();
                }
                assert_eq!(passed.next(), walked.next());
            }
        }
        let mut runs = Runs::new(&entries);
        runs.pass(4);
        assert_eq!(runs.place(), RunPlace { entry: 4, passed: 0 });
        runs.pass(6);
        assert_eq!(runs.place(), RunPlace { entry: 10, passed: 1 });
        assert_eq!(total(&entries), (values.len() as u64, 16));
        assert_eq!(total(&[]), (0, 1));
        assert!(Runs::new(&entries[..8]).pass_varying(2), "what has no value has 0");
    }
}
