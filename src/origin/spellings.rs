//! Names of presentations that were asked for in another spelling than they are stored under.

use std::sync::OnceLock;
use std::time::Duration;

use quick_cache::sync::Cache;

use super::Inner;
use crate::base::Name;

/// The stored names, by the names that were asked for.
#[derive(Debug)]
pub(super) struct Spellings {
    /// Made when the first is found: most stores have one spelling of each name.
    known: OnceLock<Cache<Name, (Duration, Name)>>,
    /// How long a stored name is believed.
    age: Duration,
}

/// Names that are remembered.
const NAMES: usize = 4096;

impl Spellings {
    pub(super) fn new(age: Duration) -> Self {
        Self { known: OnceLock::new(), age }
    }

    /// The stored name, as far as it was found out not long ago.
    pub(super) fn known(&self, name: &str, now: Duration) -> Option<Name> {
        let (asked, stored) = self.known.get()?.get(name)?;
        (now.saturating_sub(asked) < self.age).then_some(stored)
    }

    /// The stored name, asked of the store; `None` where it is the one that was asked for.
    pub(super) async fn stored(&self, origin: &Inner, name: &Name) -> Option<Name> {
        let now = origin.clock.now();
        if let Some(stored) = self.known(name.as_str(), now) {
            return Some(stored);
        }
        let stored = origin.access.stored_name(name).await.filter(|stored| stored != name)?;
        let known = self.known.get_or_init(|| Cache::new(NAMES));
        known.insert(name.clone(), (now, stored.clone()));
        Some(stored)
    }
}
