//! Objects that change again and again while they are read.

use std::collections::VecDeque;
use std::time::Duration;

/// The objects that changed lately.
#[derive(Debug, Default)]
pub(super) struct Unsteady(VecDeque<Object>);

#[derive(Debug)]
struct Object {
    path: String,
    /// Mark of the version that was opened last; `None` if a read has found it to have changed.
    opened: Option<u64>,
    changes: u32,
    since: Duration,
}

/// Changes of one object within [`WITHIN`] that no uploader makes.
pub(super) const CHANGES: u32 = 3;

const WITHIN: Duration = Duration::from_secs(60);

/// Objects that are remembered.
const MOST: usize = 32;

impl Unsteady {
    /// An object was opened in the version of this mark.
    pub(super) fn opened(&mut self, path: &str, mark: u64) {
        if let Some(object) = self.0.iter_mut().find(|object| object.path == path) {
            object.opened = Some(mark);
        }
    }

    /// A read of this version found another one, or was refused. Returns whether the object has changed
    /// too often. Only the version that was opened last counts, and once: after one replacement, all
    /// who still read the old version find that it has changed.
    pub(super) fn changed(&mut self, path: &str, mark: u64, now: Duration) -> bool {
        self.0.retain(|object| now.saturating_sub(object.since) < WITHIN);
        let Some(object) = self.0.iter_mut().find(|object| object.path == path) else {
            if self.0.len() == MOST {
                self.0.pop_front();
            }
            let path = path.to_owned();
            self.0.push_back(Object { path, opened: None, changes: 1, since: now });
            return false;
        };
        if object.opened.take_if(|opened| *opened == mark).is_some() {
            object.changes += 1;
        }
        object.changes >= CHANGES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    /// Opens an object and finds that it has changed; returns whether that is once too often.
    fn turn(unsteady: &mut Unsteady, mark: u64, now: Duration) -> bool {
        unsteady.opened("a", mark);
        unsteady.changed("a", mark, now)
    }

    #[test]
    fn the_third_version_that_does_not_last_is_one_too_many() {
        for marks in [[1, 2, 3], [1, 1, 1]] {
            let mut unsteady = Unsteady::default();
            assert_eq!(marks.map(|mark| turn(&mut unsteady, mark, NOW)), [false, false, true]);
        }
    }

    #[test]
    fn many_readers_of_a_version_that_is_replaced_find_one_change() {
        let mut unsteady = Unsteady::default();
        assert!(!turn(&mut unsteady, 1, NOW));
        unsteady.opened("a", 2);
        assert!((0..100).all(|_| !unsteady.changed("a", 1, NOW)));
        assert!((0..100).all(|_| !unsteady.changed("a", 2, NOW)));
    }

    #[test]
    fn changes_that_are_far_apart_are_forgotten() {
        let mut unsteady = Unsteady::default();
        let mut turns = (0..10).map(|at| turn(&mut unsteady, at, NOW + WITHIN * at as u32 / 2));
        assert!(turns.all(|is_unsteady| !is_unsteady));
    }

    #[test]
    fn few_objects_are_remembered() {
        let mut unsteady = Unsteady::default();
        for at in 0..1000 {
            unsteady.changed(&at.to_string(), 1, NOW);
        }
        assert_eq!(unsteady.0.len(), MOST);
    }
}
