//! The publishing points that other processes write and that somebody asks for.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::followed::{FollowedPoint, Phase};
use crate::base::Name;

/// The publishing points that are followed, by their names in lower case. The archive has a point under one spelling
/// of its name, which no client need know: each spelling that is asked for is looked at by itself until one is found.
#[derive(Default)]
pub(super) struct FollowedPoints(RwLock<BTreeMap<String, Vec<Arc<FollowedPoint>>>>);

/// Time for which a point of an event that goes on is followed though nobody asks for it.
const IDLE: Duration = Duration::from_secs(60);

impl FollowedPoints {
    /// The point of this name: one that was found in any letter case, or else this very spelling.
    pub(super) fn find(&self, name: &str) -> Option<Arc<FollowedPoint>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        find(all.get(&name.to_ascii_lowercase())?, name)
    }

    /// The point of this name, followed from now on if it is `new`. In the place of another one, if there are `most`:
    /// of those that were not found, then of those that have ended, then of those that nobody asks for, the one
    /// that nobody has asked for for the longest time. `None` if there is none of them.
    pub(super) fn find_or_add(
        &self,
        name: &Name,
        most: usize,
        now: Duration,
        new: impl FnOnce() -> FollowedPoint,
    ) -> Option<Arc<FollowedPoint>> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let key = name.as_str().to_ascii_lowercase();
        if let Some(found) = all.get(&key).and_then(|of_name| find(of_name, name.as_str())) {
            return Some(found);
        }
        while all.values().map(Vec::len).sum::<usize>() >= most {
            let use_of = |point: &Arc<FollowedPoint>| {
                let (phase, asked) = point.usage();
                let is_used = phase == Phase::GoesOn && now.saturating_sub(asked) < IDLE;
                (!is_used).then(|| ((phase, asked), point.name().clone()))
            };
            let (_, least) = all.values().flatten().filter_map(use_of).min_by_key(|of| of.0)?;
            let of_least = least.as_str().to_ascii_lowercase();
            if let Some(of_name) = all.get_mut(&of_least) {
                of_name.retain(|point| *point.name() != least);
            }
            all.retain(|_, of_name| !of_name.is_empty());
        }
        let point = Arc::new(new());
        all.entry(key).or_default().push(Arc::clone(&point));
        Some(point)
    }

    /// Returns whether this is a file of a film that a point has become.
    pub(super) fn have_film_of(&self, name: &Name) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.values().flatten().any(|point| point.has_film_of(name))
    }

    /// Time from which a film is known to be there, if this is the server manifest of one that a point has become.
    pub(super) fn film_since(&self, name: &str) -> Option<Duration> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.values().flatten().find_map(|point| point.film_since(name))
    }
}

fn find(of_name: &[Arc<FollowedPoint>], name: &str) -> Option<Arc<FollowedPoint>> {
    let is_it = |point: &&Arc<FollowedPoint>| point.name().as_str() == name;
    let is_found = |point: &&Arc<FollowedPoint>| point.usage().0 != Phase::NotFound;
    let this = of_name.iter().find(is_it);
    this.filter(is_found).or_else(|| of_name.iter().find(is_found)).or(this).cloned()
}
