//! Open files, over all presentations, under one budget.

use quick_cache::sync::Cache;

use crate::base::FileId;
use crate::storage::Source;

/// The most recently used sources. One that falls out is closed when its last reader is done.
#[derive(Debug)]
pub(in crate::origin) struct Handles(Cache<(u64, FileId), Source>);

/// No process has more files open. The cache remembers keys that fell out, in proportion to this.
const MOST: usize = 1 << 20;

impl Handles {
    /// Holds at most `capacity` files, at least one.
    pub(in crate::origin) fn new(capacity: usize) -> Self {
        Self(Cache::new(capacity.clamp(1, MOST)))
    }

    pub(in crate::origin) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(in crate::origin) fn get(&self, opened: u64, file: FileId) -> Option<Source> {
        self.0.get(&(opened, file))
    }

    pub(in crate::origin) fn put(&self, opened: u64, file: FileId, source: Source) {
        self.0.insert((opened, file), source);
    }

    pub(in crate::origin) fn close(&self, opened: u64, file: FileId) {
        self.0.remove(&(opened, file));
    }
}

/// A quarter of the files that the process may have open.
pub(in crate::origin) fn default_capacity() -> usize {
    // No limit is no reason to hold everything open.
    let limit = open_files().unwrap_or(1024).min(1 << 16);
    usize::try_from(limit / 4).unwrap_or(256)
}

/// Returns how many files the process may have open, if that is known.
fn open_files() -> Option<u64> {
    #[cfg(all(unix, feature = "fs"))]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(all(unix, feature = "fs")))]
    None
}
