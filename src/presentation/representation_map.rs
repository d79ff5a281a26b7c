//! Values that are made once per representation and kept with a presentation.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::RepresentationId;
use crate::base::piece;

/// One value per representation, made when it is first asked for and kept as long as the presentation,
/// within a budget of memory.
///
/// A value is found without a lock and without an allocation.
#[derive(Debug)]
pub(crate) struct RepresentationMap<V> {
    /// Chains of entries, by a hash of the id. Made with the first entry.
    chains: OnceLock<Box<[Chain<V>; CHAINS]>>,
    /// The budget that it takes of, since it first took something.
    budget: OnceLock<TextBudget>,
    /// That budget, unless it is [shared](Self::share) before.
    own: TextBudget,
    /// Bytes that were taken of the budget.
    taken: AtomicUsize,
}

/// Bytes of memory that the maps of all presentations of an origin may take together, and those of all of its live
/// events.
#[derive(Clone, Debug)]
pub(crate) struct TextBudget {
    left: Arc<AtomicUsize>,
}

impl TextBudget {
    /// A budget of this many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(bytes)) }
    }

    fn take(&self, bytes: usize) -> bool {
        let rest = |left: usize| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Default for TextBudget {
    /// 64 MiB if there are outputs that keep texts.
    fn default() -> Self {
        let has_texts = cfg!(any(feature = "dash", feature = "hls"));
        Self::new(if has_texts { 64 << 20 } else { 0 })
    }
}

/// Entries are added at the end of a chain and never removed.
type Chain<V> = OnceLock<Box<Entry<V>>>;

#[derive(Debug)]
struct Entry<V> {
    id: RepresentationId,
    value: V,
    next: Chain<V>,
}

/// A presentation with many tracks has hundreds of texts, and a chain then has a few of them.
const CHAINS: usize = 64;

impl<V> RepresentationMap<V> {
    /// An empty map, which keeps values as long as the budget has room for them.
    pub(crate) fn new(budget: TextBudget) -> Self {
        let taken = AtomicUsize::new(0);
        Self { chains: OnceLock::new(), budget: OnceLock::new(), own: budget, taken }
    }

    /// Takes of another budget from the first value on. If it has taken of its own before, it goes on with that.
    #[cfg(feature = "live")]
    pub(crate) fn share(&self, budget: &TextBudget) {
        let _ = self.budget.set(budget.clone());
    }

    /// The budget.
    pub(crate) fn budget(&self) -> &TextBudget {
        self.budget.get_or_init(|| self.own.clone())
    }

    /// Returns the value of a representation, if there is one.
    #[inline]
    pub(crate) fn get(&self, id: &RepresentationId) -> Option<&V> {
        let mut chain = &self.chains.get()?[chain_of(id)];
        while let Some(entry) = chain.get() {
            if entry.id == *id {
                return Some(&entry.value);
            }
            chain = &entry.next;
        }
        None
    }

    /// Returns the value of a representation. If there is none, `make` makes one, which takes `bytes`
    /// of memory beside itself. `None` if it is not kept because there is no room.
    pub(crate) fn get_or_make(
        &self,
        id: &RepresentationId,
        bytes: usize,
        make: impl Fn() -> V,
    ) -> Option<&V> {
        if let Some(kept) = self.get(id) {
            return Some(kept);
        }
        let chains = self.chains()?;
        let bytes = bytes.saturating_add(piece(size_of::<Entry<V>>()));
        if !self.take(bytes) {
            return None;
        }
        let mut chain = &chains[chain_of(id)];
        loop {
            // Another thread may have added an entry meanwhile, for the same representation too.
            let mut is_new = false;
            let entry = chain.get_or_init(|| {
                is_new = true;
                Box::new(Entry { id: *id, value: make(), next: OnceLock::new() })
            });
            if entry.id == *id {
                if !is_new {
                    self.give_back(bytes);
                }
                return Some(&entry.value);
            }
            chain = &entry.next;
        }
    }

    /// Returns the chains, made if there is room for them.
    fn chains(&self) -> Option<&[Chain<V>; CHAINS]> {
        if let Some(chains) = self.chains.get() {
            return Some(chains);
        }
        let bytes = piece(size_of::<[Chain<V>; CHAINS]>());
        if !self.take(bytes) {
            return None;
        }
        let mut is_new = false;
        let chains = self.chains.get_or_init(|| {
            is_new = true;
            Box::new(std::array::from_fn(|_| OnceLock::new()))
        });
        if !is_new {
            self.give_back(bytes);
        }
        Some(chains)
    }

    /// Returns the bytes that were taken of the budget.
    pub(crate) fn memory(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Takes bytes of the budget, if they are left. They are given back with the map.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let has_room = self.budget().take(bytes);
        if has_room {
            self.taken.fetch_add(bytes, Ordering::Relaxed);
        }
        has_room
    }

    /// Gives back bytes that were taken.
    pub(crate) fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
        self.budget().give_back(bytes);
    }
}

impl<V> Drop for RepresentationMap<V> {
    fn drop(&mut self) {
        let taken = *self.taken.get_mut();
        self.budget().give_back(taken);
    }
}

/// Returns the chain of an id. Tracks and texts have small numbers, one after the other.
#[inline]
fn chain_of(id: &RepresentationId) -> usize {
    let RepresentationId { tag, track, start, .. } = *id;
    let [first, second] = tag.letters();
    let number = u64::from(track) ^ start ^ (u64::from(first) << 3) ^ (u64::from(second) << 1);
    // A remainder of 64 choices.
    (number % CHAINS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::super::representation_id::Tag;
    use super::*;

    fn id(track: u32) -> RepresentationId {
        RepresentationId { tag: Tag::new(*b"pl"), revision: 0, track, start: 0 }
    }

    #[test]
    fn a_value_is_made_once_and_found_again() {
        let kept = RepresentationMap::new(TextBudget::new(1 << 20));
        assert_eq!(kept.get(&id(0)), None::<&u32>);
        for track in 0..1000 {
            assert_eq!(kept.get_or_make(&id(track), 0, || track), Some(&track));
        }
        for track in 0..1000 {
            assert_eq!(kept.get(&id(track)), Some(&track));
            assert_eq!(kept.get_or_make(&id(track), 0, || unreachable!()), Some(&track));
        }
        assert_eq!(kept.get(&id(1000)), None);
    }

    #[test]
    fn nothing_is_kept_beyond_the_budget() {
        let none = RepresentationMap::new(TextBudget::new(0));
        assert_eq!(none.get_or_make(&id(0), 0, || 0), None);
        let kept = RepresentationMap::new(TextBudget::new(64 << 10));
        let count = (0..1000).filter(|track| kept.get_or_make(&id(*track), 1000, || 0).is_some());
        let count = count.count();
        assert!((50..64).contains(&count), "{count}");
        assert_eq!(kept.get(&id(0)), Some(&0));
        assert!(!kept.take(2000));
        kept.give_back(2000);
        assert!(kept.take(2000));
    }

    #[cfg(feature = "live")]
    #[test]
    fn a_budget_that_comes_before_the_first_value_is_the_one_that_counts() {
        let (own, shared) = (TextBudget::new(1 << 20), TextBudget::new(1 << 20));
        let left = |of: &TextBudget| of.left.load(Ordering::Relaxed);
        let (early, late) =
            (RepresentationMap::new(own.clone()), RepresentationMap::new(own.clone()));
        early.share(&shared);
        for map in [&early, &late] {
            map.get_or_make(&id(0), 1000, || 0).unwrap();
        }
        late.share(&shared);
        late.get_or_make(&id(1), 1000, || 0).unwrap();
        assert_eq!(left(&shared), (1 << 20) - early.memory());
        assert_eq!(left(&own), (1 << 20) - late.memory());
        drop((early, late));
        assert_eq!((left(&own), left(&shared)), (1 << 20, 1 << 20));
    }

    #[test]
    fn threads_that_ask_at_one_time_get_one_value() {
        let kept = RepresentationMap::new(TextBudget::new(1 << 20));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let kept = &kept;
                scope.spawn(move || {
                    for track in 0..500 {
                        let value = kept.get_or_make(&id(track), 1, || (track, thread));
                        assert_eq!(value.unwrap().0, track);
                    }
                });
            }
        });
        // What a thread took for a value that another had made was given back.
        let entry = piece(size_of::<Entry<(u32, i32)>>()) + 1;
        let taken = piece(size_of::<[Chain<(u32, i32)>; CHAINS]>()) + 500 * entry;
        let budget = kept.budget().clone();
        assert_eq!(budget.left.load(Ordering::Relaxed), (1 << 20) - taken);
        drop(kept);
        assert_eq!(budget.left.load(Ordering::Relaxed), 1 << 20, "all is given back");
    }
}
