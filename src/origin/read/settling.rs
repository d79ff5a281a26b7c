//! Files that changed a moment ago: the origin does not rely on them until they have settled.
//!
//! A file system stamps a file when a write begins. Equal versions before and after a read
//! therefore prove that no write *began* in between. That no write was in progress is certain only
//! if the last one began longer ago than any write takes. So the first look at a version decides:
//! if the version is older than the settling time by then, all bytes that are read while it stays
//! equal are of one version.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::base::{Name, ReadError, ReadErrorKind};
use crate::origin::Clock;
use crate::storage::{Stat, Version};

/// The settling time, and the versions that were seen to be younger.
#[derive(Debug)]
pub(in crate::origin) struct Settling {
    time: Duration,
    clock: Clock,
    /// Time at which the origin was built.
    began: Duration,
    /// Time at which each version was first seen, for stores whose clock does not show its age.
    seen: OnceLock<Cache<Name, (Version, Duration)>>,
}

/// Number of files whose versions are remembered.
const FILES: usize = 4 << 10;

/// The longest time that a request waits for its files to settle.
const LONGEST: Duration = Duration::from_secs(2);

/// The files of a folder of fragments settle within this time: an encoder renames its manifest into
/// place, or adds a box to a fragment, once per fragment, and each such write takes less than a
/// millisecond. If they had to settle as long as others, a live presentation of short fragments would
/// never be served.
const BRIEF: Duration = Duration::from_millis(100);

impl Settling {
    pub(in crate::origin) fn new(time: Duration, clock: Clock) -> Self {
        Self { time, began: clock.now(), clock, seen: OnceLock::new() }
    }

    /// Checks that a version has settled: it has been there for the settling time, by the clock of
    /// its store or by the origin's.
    ///
    /// # Errors
    /// [`ReadErrorKind::Unsettled`].
    pub(in crate::origin) fn check(&self, name: &Name, stat: &Stat) -> Result<(), ReadError> {
        self.check_for(self.time, name, stat)
    }

    /// Checks a version of a file of a folder of fragments, which settles sooner.
    ///
    /// # Errors
    /// [`ReadErrorKind::Unsettled`].
    pub(in crate::origin) fn check_briefly(
        &self,
        name: &Name,
        stat: &Stat,
    ) -> Result<(), ReadError> {
        self.check_for(self.time.min(BRIEF), name, stat)
    }

    fn check_for(&self, needed: Duration, name: &Name, stat: &Stat) -> Result<(), ReadError> {
        match stat.age {
            Some(age) if age.at_least < needed => {
                let time = needed.saturating_add(age.resolution);
                // An age of zero means that the store does not know it.
                let left = match age.at_least {
                    Duration::ZERO => time,
                    at_least => needed - at_least,
                };
                self.check_seen(name, stat, left, time)
            }
            _ => Ok(()),
        }
    }

    fn check_seen(
        &self,
        name: &Name,
        stat: &Stat,
        left: Duration,
        time: Duration,
    ) -> Result<(), ReadError> {
        let now = self.clock.now();
        let seen = self.seen.get_or_init(|| Cache::new(FILES));
        let since = match seen.get(name) {
            Some((version, since)) if version == stat.version => since,
            _ => {
                seen.insert(name.clone(), (stat.version.clone(), now));
                now
            }
        };
        match time.saturating_sub(now.saturating_sub(since)) {
            Duration::ZERO => Ok(()),
            unseen => Err(self.unsettled(name.as_str(), left.min(unseen))),
        }
    }

    /// Returns the error for a file that changed while it was read, which was just now.
    pub(in crate::origin) fn changed(&self, name: &Name) -> Option<(Duration, ReadError)> {
        let unsettled = || (self.time, self.unsettled(name.as_str(), self.time));
        (!self.time.is_zero()).then(unsettled)
    }

    /// Returns the error for a file that can be read after `wait`.
    pub(in crate::origin) fn unsettled(&self, what: &str, wait: Duration) -> ReadError {
        let time = self.time.as_secs_f64();
        let why =
            format!("{what} is served once it has not changed for {time} s (`settling_time`)");
        let source = Some(Arc::new(io::Error::other(why)));
        ReadError { source, ..ReadError::new(ReadErrorKind::Unsettled { wait }) }
    }

    /// Returns how long a request should wait for a file. Files that are there when an origin
    /// starts were mostly put there for it, so clients need not see a failure. This includes files
    /// on file systems whose timestamps are whole seconds, or a little ahead of the clock. Later,
    /// requests fail at once.
    pub(super) fn wait_at_start(
        &self,
        unsettled: &ReadError,
        patience: &Patience,
    ) -> Option<Duration> {
        let since = self.clock.now().saturating_sub(self.began);
        let is_new = since < self.time.saturating_add(LONGEST);
        if is_new { self.short_wait(unsettled, patience) } else { None }
    }

    /// Returns how long a file has to settle, if a request may wait for that long.
    pub(super) fn short_wait(
        &self,
        unsettled: &ReadError,
        patience: &Patience,
    ) -> Option<Duration> {
        let ReadErrorKind::Unsettled { wait } = unsettled.kind else { return None };
        patience.wait(self.clock.now(), wait).then_some(wait)
    }
}

/// The time that one opening, or one request, waits for all its files to settle: at most
/// [`LONGEST`]. Waits at the same time count once.
#[derive(Debug, Default)]
pub(in crate::origin) struct Patience(Mutex<Waits>);

/// The waits so far.
#[derive(Debug, Default)]
struct Waits {
    total: Duration,
    /// The end of the latest one, by the origin's clock.
    end: Duration,
}

impl Patience {
    /// Returns whether a request may wait for `wait` from now on, and counts that.
    fn wait(&self, now: Duration, wait: Duration) -> bool {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = now.saturating_add(wait);
        let more = end.saturating_sub(waits.end.max(now));
        let total = waits.total.saturating_add(more);
        let may = total <= LONGEST;
        if may {
            *waits = Waits { total, end: end.max(waits.end) };
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_at_the_same_time_count_once_and_all_together_are_limited() {
        let patience = Patience::default();
        let at = Duration::from_millis;
        assert!(!patience.wait(at(0), at(2001)), "longer than any wait");
        assert!(patience.wait(at(0), at(1000)));
        assert!(patience.wait(at(500), at(500)), "within the first");
        assert!(patience.wait(at(500), at(700)), "200 ms more");
        assert!(!patience.wait(at(5000), at(801)));
        assert!(patience.wait(at(5000), at(800)));
        assert!(!patience.wait(at(9000), at(1)));
        assert!(patience.wait(at(9000), at(0)));
    }
}
