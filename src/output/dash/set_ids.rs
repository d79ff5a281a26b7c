//! Identifiers of the Adaptation Sets of an MPD.

use std::collections::BTreeSet;

use crate::presentation::ContentHash;

/// The identifiers that the sets of an MPD have.
///
/// The sets of a film are counted. An event gets further sets while it goes on, and each MPD is the update of another
/// one, in which a set has the identifier that it had: the hash of what a set is, which does not depend on the others.
///
/// Spec: ISO/IEC 23009-1, 5.4.
#[derive(Debug)]
pub(super) struct SetIds {
    is_of_event: bool,
    used: BTreeSet<u32>,
}

impl SetIds {
    pub(super) fn new(is_of_event: bool) -> Self {
        Self { is_of_event, used: BTreeSet::new() }
    }

    /// Returns the identifier of the next set. No other set of the MPD is described by these words.
    pub(super) fn next(&mut self, words: &[&str]) -> u32 {
        let last = self.used.last().copied().unwrap_or(0);
        let mut id = match self.is_of_event {
            true => hash(words),
            false => last.saturating_add(1),
        };
        while !self.used.insert(id) {
            id = after(id);
        }
        id
    }
}

/// Returns a number from 1 to 2^31 - 1: some players read identifiers as signed integers.
fn hash(words: &[&str]) -> u32 {
    let mut hash = ContentHash::new("");
    words.iter().for_each(|word| hash.part(Some(word.as_bytes())));
    // No more than `LAST`.
    let id = (hash.finish() & u128::from(LAST)) as u32;
    id.max(1)
}

fn after(id: u32) -> u32 {
    if id >= LAST { 1 } else { id + 1 }
}

const LAST: u32 = i32::MAX as u32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_of_a_film_are_counted() {
        let mut ids = SetIds::new(false);
        assert_eq!([["a"], ["b"], ["a"]].map(|words| ids.next(&words)), [1, 2, 3]);
    }

    #[test]
    fn the_sets_of_an_event_have_identifiers_that_depend_on_no_others() {
        let all = [["audio", "mp4a"], ["audio", "ec-3"], ["audio2", "mp4a"], ["", "audiomp4a"]];
        let of = |sets: &[[&str; 2]]| {
            let mut ids = SetIds::new(true);
            sets.iter().map(|words| ids.next(words)).collect::<Vec<_>>()
        };
        let ids = of(&all);
        let distinct: BTreeSet<u32> = ids.iter().copied().collect();
        assert_eq!(distinct.len(), all.len());
        for (at, words) in all.iter().enumerate() {
            assert_eq!(of(&[*words]), [ids[at]]);
            assert!((1..=LAST).contains(&ids[at]));
        }
    }

    #[test]
    fn no_two_sets_of_an_event_have_one_identifier() {
        let mut ids = SetIds::new(true);
        let first = ids.next(&["audio"]);
        assert_eq!(ids.next(&["audio"]), after(first));
        assert_eq!(after(LAST), 1);
    }
}
