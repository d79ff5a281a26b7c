//! The objects whose operations keep failing, each on its own.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::base::Name;

/// Failures of single objects, for a breaker: an object that keeps failing says little about its store.
#[derive(Debug, Default)]
pub(super) struct SickObjects(HashMap<ObjectKey, Sick>);

/// An object, by the hash of its name. The default is the store itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ObjectKey(u64);

/// An object of which the last operation failed.
#[derive(Debug, Default)]
struct Sick {
    in_a_row: u32,
    /// Time until which it is left alone.
    until: Option<Duration>,
}

/// Objects that must keep failing for the store to be at fault: of the failures in a row that one object may
/// have, a part in so many counts as failures of its store.
const AT_FAULT: u32 = 7;

/// Objects that are remembered. Failures of others count as failures of the store.
const MOST: usize = 1024;

impl ObjectKey {
    pub(super) fn of(name: &Name) -> Self {
        let mut hasher = DefaultHasher::new();
        name.as_str().hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl SickObjects {
    /// Returns how long an object is left alone yet; `None` if an operation may go to the store. Then
    /// others wait for `probe` to find out.
    pub(super) fn admit(
        &mut self,
        object: ObjectKey,
        now: Duration,
        probe: Duration,
    ) -> Option<Duration> {
        let until = self.0.get_mut(&object)?.until.as_mut()?;
        if *until > now {
            return Some(*until - now);
        }
        *until = now.saturating_add(probe);
        None
    }

    /// Forgets an object that has answered.
    pub(super) fn answered(&mut self, object: ObjectKey) {
        self.0.remove(&object);
    }

    /// Counts a failure of an object. After `most` in a row, it is left alone until then. Returns whether
    /// the failure is one of the store.
    pub(super) fn failed(&mut self, object: ObjectKey, most: u32, until: Duration) -> bool {
        if object == ObjectKey::default() {
            return true;
        }
        if self.0.len() >= MOST && !self.0.contains_key(&object) {
            return true;
        }
        let sick = self.0.entry(object).or_default();
        sick.in_a_row = sick.in_a_row.saturating_add(1);
        if sick.in_a_row >= most || sick.until.is_some() {
            sick.until = Some(until);
        }
        sick.in_a_row <= most.div_ceil(AT_FAULT)
    }

    /// Forgets all objects.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The number of objects that are left alone now.
    pub(super) fn left_alone(&self, now: Duration) -> u64 {
        self.0.values().filter(|sick| sick.until.is_some_and(|until| until > now)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_objects_are_remembered_and_no_more() {
        let mut objects = SickObjects::default();
        let until = Duration::from_secs(1);
        for key in 1..=MOST as u64 {
            assert!(objects.failed(ObjectKey(key), 1, until));
        }
        let another = ObjectKey(u64::MAX);
        assert!((0..9).all(|_| objects.failed(another, 1, until)), "failures of the store");
        assert_eq!(objects.left_alone(Duration::ZERO), MOST as u64);
        assert_eq!(objects.admit(another, Duration::ZERO, until), None);
        objects.answered(ObjectKey(1));
        assert!(objects.failed(another, 1, until));
        assert_eq!(objects.admit(another, Duration::ZERO, until), Some(until));
    }
}
