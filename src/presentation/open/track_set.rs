//! A set of tracks of the server manifest, by number.

/// Numbers of tracks, a bit each: as many words as [`Limits::tracks`](crate::base::Limits::tracks)
/// allows, 16 by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TrackSet {
    /// Words from `first` on.
    words: Vec<u64>,
    first: usize,
}

const BITS: usize = u64::BITS as usize;

impl TrackSet {
    /// Adds a number. The number that is added first must be the lowest.
    pub(super) fn insert(&mut self, number: usize) {
        let word = number / BITS;
        if self.words.is_empty() {
            self.first = word;
        }
        let Some(at) = word.checked_sub(self.first) else { return };
        if self.words.len() <= at {
            self.words.resize(at + 1, 0);
        }
        self.words[at] |= 1 << (number % BITS);
    }

    /// Removes a number. Returns `false` if it was not in the set.
    pub(super) fn remove(&mut self, number: usize) -> bool {
        let at = (number / BITS).checked_sub(self.first);
        let Some(word) = at.and_then(|at| self.words.get_mut(at)) else { return false };
        let bit = 1 << (number % BITS);
        let had = *word & bit != 0;
        *word &= !bit;
        had
    }

    /// Returns the numbers that are in both sets.
    pub(super) fn and(&self, other: &Self) -> Self {
        let first = self.first.max(other.first);
        let words = |set: &Self| set.words.get(first - set.first..).unwrap_or_default().to_vec();
        let (mut common, other) = (words(self), words(other));
        common.truncate(other.len());
        for (word, other) in common.iter_mut().zip(other) {
            *word &= other;
        }
        Self { words: common, first }
    }

    /// Returns the numbers that are in this set and not in the other.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut left = self.clone();
        for (at, word) in left.words.iter_mut().enumerate() {
            let other =
                (self.first + at).checked_sub(other.first).and_then(|at| other.words.get(at));
            *word &= !other.copied().unwrap_or(0);
        }
        left
    }

    /// Returns the numbers that are in either set.
    pub(super) fn or(&self, other: &Self) -> Self {
        let (low, high) = match self.first <= other.first {
            true => (self, other),
            false => (other, self),
        };
        if low.words.is_empty() {
            return high.clone();
        }
        let (mut all, from) = (low.clone(), high.first - low.first);
        all.words.resize(all.words.len().max(from + high.words.len()), 0);
        for (word, other) in all.words[from..].iter_mut().zip(&high.words) {
            *word |= other;
        }
        all
    }

    pub(super) fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The numbers, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let bits = |at: usize| (0..BITS).map(move |bit| at * BITS + bit);
        let has = |&number: &usize| {
            let word = self.words.get(number / BITS - self.first);
            word.is_some_and(|word| word >> (number % BITS) & 1 == 1)
        };
        let words = self.words.iter().enumerate().filter(|(_, word)| **word != 0);
        words.flat_map(move |(at, _)| bits(self.first + at)).filter(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[usize]) -> TrackSet {
        let mut set = TrackSet::default();
        numbers.iter().for_each(|&number| set.insert(number));
        set
    }

    #[test]
    fn sets_have_what_was_inserted_and_are_intersected_and_joined() {
        for (a, b, both) in [
            (&[0, 1, 63, 64, 1000][..], &[1, 64, 65, 1000, 1001][..], &[1, 64, 1000][..]),
            (&[700], &[700], &[700]),
            (&[700], &[3], &[]),
            (&[], &[3], &[]),
            (&[3, 130], &[130], &[130]),
        ] {
            for (one, other) in [(a, b), (b, a)] {
                assert_eq!(set(one).iter().collect::<Vec<_>>(), one);
                assert_eq!(set(one).and(&set(other)).iter().collect::<Vec<_>>(), both);
                assert_eq!(set(one).and(&set(other)).is_empty(), both.is_empty());
                let rest: Vec<usize> = one.iter().copied().filter(|n| !other.contains(n)).collect();
                assert_eq!(set(one).without(&set(other)).iter().collect::<Vec<_>>(), rest);
                assert_eq!(set(one).without(&set(other)).len(), rest.len());
                let mut all = [one, other].concat();
                all.sort_unstable();
                all.dedup();
                assert_eq!(set(one).or(&set(other)).iter().collect::<Vec<_>>(), all);
            }
        }
        let mut some = set(&[3, 130]);
        assert!(some.remove(130) && !some.remove(130) && !some.remove(9999));
        assert_eq!(some.iter().collect::<Vec<_>>(), [3]);
    }
}
