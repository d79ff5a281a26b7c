//! A walk over runs of equal values, as `stts` and `ctts` store them.

/// Walks entries of eight bytes: a count, and the value of that many samples.
#[derive(Clone, Debug)]
pub(super) struct Runs<'a> {
    entries: &'a [[u8; 8]],
    /// Index of the next entry.
    at: usize,
    left: u32,
    value: u32,
    /// Samples before each block of entries, if they were counted.
    before: &'a [u32],
}

/// A place between two samples: a run, and the samples of it that are before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RunPlace {
    pub(super) entry: u32,
    pub(super) passed: u32,
}

/// Number of entries that are passed at once: those of a line of the processor's caches.
const BLOCK: usize = 8;

impl<'a> Runs<'a> {
    pub(super) fn new(entries: &'a [u8]) -> Self {
        Self { entries: entries.as_chunks().0, at: 0, left: 0, value: 0, before: &[] }
    }

    /// Walks entries that were counted.
    pub(super) fn counted(entries: &'a [u8], counts: &'a Counts) -> Self {
        Self { before: &counts.before, ..Self::new(entries) }
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

    /// Passes over samples, many entries at a time if they were counted.
    #[inline]
    pub(super) fn pass(&mut self, mut samples: u32) {
        let count = self.left.min(samples);
        self.left -= count;
        samples -= count;
        let boundary = self.at.next_multiple_of(BLOCK);
        samples = self.pass_entries(boundary, samples);
        let block = boundary / BLOCK;
        if self.at == boundary
            && let Some(&base) = self.before.get(block)
        {
            let target = base.saturating_add(samples);
            let more = self.before[block + 1..].iter();
            let blocks = more.take_while(|&&before| before <= target).count();
            samples = target - self.before[block + blocks];
            self.at += blocks * BLOCK;
        }
        samples = self.pass_entries(usize::MAX, samples);
        while samples > 0
            && let Some((count, _)) = self.take(samples)
        {
            samples -= count;
        }
    }

    /// Passes over entries before the one at an index as long as all their samples are passed, and returns
    /// how many samples remain to be passed.
    #[inline]
    fn pass_entries(&mut self, end: usize, mut samples: u32) -> u32 {
        let end = end.min(self.entries.len());
        for entry in self.entries.get(self.at..end).unwrap_or_default() {
            let Some(rest) = samples.checked_sub(count_of(entry)).filter(|_| samples > 0) else {
                break;
            };
            samples = rest;
            self.at += 1;
        }
        samples
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

/// Sums and bounds of runs, found in one walk over their entries.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    /// Number of samples of all runs, which may be that of 2^32 runs.
    pub(super) samples: u64,
    /// No value is farther from 0, whatever its sign.
    pub(super) farthest: u32,
    /// Samples before each block of entries; the largest number where there are more.
    before: Box<[u32]>,
}

impl Default for Counts {
    fn default() -> Self {
        Self { samples: 0, farthest: 1, before: Box::default() }
    }
}

impl Counts {
    pub(super) fn of(entries: &[u8]) -> Self {
        let entries: &[[u8; 8]] = entries.as_chunks().0;
        let (blocks, rest) = entries.as_chunks::<BLOCK>();
        let mut before = Vec::with_capacity(blocks.len() + 1);
        let (mut samples, mut plain, mut bits) = (0_u64, 0, 0);
        for block in blocks {
            before.push(u32::try_from(samples).unwrap_or(u32::MAX));
            // As they are stored, and as this processor reads them: what is last comes first.
            let (mut all, mut last) = (0, 0);
            for entry in block {
                let entry = u64::from_le_bytes(*entry);
                all |= entry;
                last += entry & LAST;
            }
            // Nearly always, no count has more than a byte, and no value is below 0.
            if all & (UPPER | BELOW) == 0 {
                samples += last >> 24;
                plain |= all;
            } else {
                samples += of_each(block, &mut bits);
            }
        }
        before.push(u32::try_from(samples).unwrap_or(u32::MAX));
        samples += of_each(rest, &mut bits);
        bits |= ((plain >> 32) as u32).swap_bytes();
        // All numbers with these bits and no higher ones, and one more below 0.
        let farthest = (1_u64 << (32 - bits.leading_zeros())) as u32;
        Self { samples, farthest, before: before.into() }
    }
}

/// In an entry of which the first byte is the lowest: the last byte of the count, those before it, and the
/// sign of the value.
const LAST: u64 = 0xff00_0000;
const UPPER: u64 = 0x00ff_ffff;
const BELOW: u64 = 0x80 << 32;

/// Returns the number of samples of some runs, and adds the bits of their values without signs.
fn of_each(entries: &[[u8; 8]], bits: &mut u32) -> u64 {
    let mut samples = 0;
    for entry in entries {
        samples += u64::from(count_of(entry));
        let value = value_of(entry) as i32;
        // A number below 0 has the bits of the one that is as far from -1.
        *bits |= (value ^ value >> 31) as u32;
    }
    samples
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
        let counted = Counts::of(&entries);
        for from in 0..=values.len() {
            for to in from..=values.len() {
                let (mut passed, mut walked) =
                    (Runs::counted(&entries, &counted), Runs::new(&entries));
                let mut uncounted = walked.clone();
                passed.pass(from as u32);
                uncounted.pass(from as u32);
                assert_eq!(uncounted.peek(), passed.peek());
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
        assert_eq!((counted.samples, counted.farthest), (values.len() as u64, 16));
        let none = Counts::of(&[]);
        assert_eq!((none.samples, none.farthest), (0, 1));
        assert!(Runs::new(&entries[..8]).pass_varying(2), "what has no value has 0");
    }
    #[test]
    fn counts_are_those_of_single_entries() {
        let cases: [&[(u32, i32)]; 6] = [
            &[(1, 512), (255, 1024), (0, 0)],
            &[(1, 512), (256, 7)],
            &[(1, 512), (2, -512)],
            &[(u32::MAX, 3), (0x0100_0000, 9)],
            &[(3, i32::MIN), (3, i32::MAX)],
            &[(3, -1)],
        ];
        for case in cases {
            for len in [1, 7, 8, 9, 16, 40] {
                let runs: Vec<_> = case.iter().cycle().take(len).collect();
                let entries: Vec<u8> = runs
                    .iter()
                    .flat_map(|(count, value)| [count.to_be_bytes(), value.to_be_bytes()])
                    .flatten()
                    .collect();
                let counts = Counts::of(&entries);
                let of =
                    |runs: &[&(u32, i32)]| runs.iter().map(|run| u64::from(run.0)).sum::<u64>();
                assert_eq!(counts.samples, of(&runs));
                let far = runs.iter().map(|run| run.1.unsigned_abs()).max().unwrap();
                assert!(counts.farthest >= far && counts.farthest / 2 <= far, "{case:?}");
                for (block, &before) in counts.before.iter().enumerate() {
                    let all = of(&runs[..block * BLOCK]);
                    assert_eq!(u64::from(before), all.min(u32::MAX.into()));
                }
            }
        }
    }
}
