//! Files of fragments that were looked for a short time ago and are not there.

use std::sync::OnceLock;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::base::Name;

/// The names of such files, and when they were looked for.
#[derive(Debug)]
pub(in crate::origin) struct MissingFiles {
    /// Created with the first entry: most folders are complete.
    names: OnceLock<Cache<Name, Duration>>,
    /// Time for which a file is not looked for again.
    age: Duration,
}

/// Number of names that are remembered.
const NAMES: usize = 4096;

impl MissingFiles {
    pub(in crate::origin) fn new(age: Duration) -> Self {
        Self { names: OnceLock::new(), age }
    }

    /// Returns whether the file was not there a short time ago.
    pub(in crate::origin) fn has(&self, name: &Name, now: Duration) -> bool {
        let looked = self.names.get().and_then(|names| names.get(name));
        looked.is_some_and(|looked| now.saturating_sub(looked) < self.age)
    }

    /// Remembers that the file is not there.
    pub(in crate::origin) fn put(&self, name: &Name, now: Duration) {
        self.names.get_or_init(|| Cache::new(NAMES)).insert(name.clone(), now);
    }
}
