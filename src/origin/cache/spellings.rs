//! Names that clients spell differently from the store.

use std::sync::OnceLock;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::base::Name;
use crate::origin::read::Access;

/// The stored names, by the names that were asked for.
#[derive(Debug)]
pub(super) struct Spellings {
    /// Created with the first entry: most stores have one spelling of each name.
    known: OnceLock<Cache<Name, (Duration, Name)>>,
    /// Time for which a stored name is used.
    age: Duration,
}

/// Number of names that are remembered.
const NAMES: usize = 4096;

impl Spellings {
    pub(super) fn new(age: Duration) -> Self {
        Self { known: OnceLock::new(), age }
    }

    /// The stored name, if it was found out recently.
    pub(super) fn known(&self, name: &str, now: Duration) -> Option<Name> {
        let (asked, stored) = self.known.get()?.get(name)?;
        (now.saturating_sub(asked) < self.age).then_some(stored)
    }

    /// Asks the store for the stored name; `None` if it is the name that the client uses.
    pub(super) async fn stored(&self, access: &Access, name: &Name, now: Duration) -> Option<Name> {
        if let Some(stored) = self.known(name.as_str(), now) {
            return Some(stored);
        }
        let stored = access.stored_name(name).await.filter(|stored| stored != name)?;
        let known = self.known.get_or_init(|| Cache::new(NAMES));
        known.insert(name.clone(), (now, stored.clone()));
        Some(stored)
    }
}
