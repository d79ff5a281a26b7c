//! One turn for each publishing point, by its name: whoever recovers or removes it takes the turn first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::lock::{Mutex as Lock, OwnedMutexGuard};

/// One turn for each name: nobody waits for another name.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<String, Arc<Lock<()>>>>);

/// The turn of a name, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    // Dropped before the place.
    _lock: OwnedMutexGuard<()>,
    _place: Place<'a>,
}

/// Somebody who waits for a turn, or has it.
#[derive(Debug)]
struct Place<'a> {
    turns: &'a Turns,
    name: String,
}

impl Turns {
    /// Waits for the turn of this name.
    pub(super) async fn take(&self, name: String) -> Turn<'_> {
        let lock = Arc::clone(self.all().entry(name.clone()).or_default());
        let place = Place { turns: self, name };
        Turn { _lock: lock.lock_owned().await, _place: place }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Lock<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut all = self.turns.all();
        // Those who wait have it, too.
        if all.get(&self.name).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            all.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn one_at_a_time_has_the_turn_of_a_name_and_no_name_stays() {
        let turns = Turns::default();
        let take = |name: &str| Box::pin(turns.take(name.into()));
        let first = take("a").now_or_never().unwrap();
        let other = take("b").now_or_never().unwrap();
        let (mut second, mut gone) = (take("a"), take("a"));
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut gone).now_or_never().is_none());
        drop(gone);
        drop(first);
        let second = second.now_or_never().unwrap();
        assert!(take("a").now_or_never().is_none());
        assert_eq!(turns.all().len(), 2);
        drop((second, other));
        assert!(turns.all().is_empty());
    }
}
