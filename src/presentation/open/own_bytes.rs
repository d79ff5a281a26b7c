//! The bytes of fragments that share their `moof`s with other tracks: those of the track itself.

use crate::index::Indexed;

/// The bytes of a track's own samples in fragments that have those of other tracks as well.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnBytes {
    /// First byte of each fragment, ascending, and the bytes in it, where a walk has counted them.
    counted: Vec<(u64, u64)>,
    /// Bytes in the fragments that were looked at, and all bytes of these.
    looked: (u64, u64),
}

impl OwnBytes {
    /// Adds a fragment that was looked at: bytes of its own, of all.
    pub(super) fn look(&mut self, own: u64, all: u64) {
        let (before, of) = self.looked;
        self.looked = (before.saturating_add(own), of.saturating_add(all));
    }

    /// Takes over what a walk has counted.
    pub(super) fn count(&mut self, mut counted: Vec<(u64, u64)>) {
        if !counted.is_empty() {
            counted.sort_unstable();
            self.counted = counted;
        }
    }

    /// Adds the bytes of one fragment.
    pub(super) fn count_one(&mut self, start: u64, bytes: u64) {
        self.counted.push((start, bytes));
        self.counted.sort_unstable();
    }

    /// Returns the bytes of a fragment: those counted, else its share by the fragments that were looked
    /// at. All of them if it was never seen that there are others.
    pub(super) fn of(&self, fragment: &Indexed) -> u64 {
        let all = fragment.bound.saturating_sub(fragment.start);
        if let Ok(at) = self.counted.binary_search_by_key(&fragment.start, |of| of.0) {
            return self.counted[at].1.min(all);
        }
        let (own, of) = self.looked;
        let share = (u128::from(all) * u128::from(own)).div_ceil(u128::from(of.max(1)));
        if of == 0 { all } else { u64::try_from(share).unwrap_or(u64::MAX).min(all) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_bytes_are_exact_and_others_a_share() {
        let at = |start| Indexed { time: 0, start, bound: start + 100 };
        let mut own = OwnBytes::default();
        assert_eq!(own.of(&at(5)), 100);
        own.look(10, 100);
        own.look(11, 100);
        assert_eq!(own.of(&at(5)), 11);
        own.count(vec![(300, 7), (200, 900)]);
        assert_eq!((own.of(&at(300)), own.of(&at(200)), own.of(&at(5))), (7, 100, 11));
    }
}
