//! Files that changed a moment ago: they are not relied on until they have settled.
//!
//! A file system stamps a file when a write begins. So a version that is equal before and after a read
//! proves that no write *began* in between; that none was under way is only certain if the last one began
//! longer ago than any write takes. Therefore the first look at a version decides: if the version is
//! older than the settling time then, all that is read while it stays equal is of one version.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use quick_cache::sync::Cache;

use super::Clock;
use crate::base::{Name, ReadError, ReadErrorKind};
use crate::storage::{Stat, Version};

/// How long files must have been as they are, and those that were seen to be younger.
#[derive(Debug)]
pub(super) struct Settling {
    time: Duration,
    clock: Clock,
    /// When the origin was built.
    began: Duration,
    /// Since when a version has been seen, for stores whose clock does not show how old it is.
    seen: OnceLock<Cache<Name, (Version, Duration)>>,
}

/// Files whose versions are remembered.
const FILES: usize = 4 << 10;

/// No request waits longer than this for a file to settle.
const LONGEST: Duration = Duration::from_secs(2);

/// The files of a folder of fragments settle within this time: an encoder renames its manifest into
/// place, or adds a box to a fragment, once per fragment, and each such write takes less than a
/// millisecond. If they had to settle as long as others, a live presentation of short fragments would
/// never be served.
const BRIEF: Duration = Duration::from_millis(100);

impl Settling {
    pub(super) fn new(time: Duration, clock: Clock) -> Self {
        Self { time, began: clock.now(), clock, seen: OnceLock::new() }
    }

    /// Checks that a version may be relied on: it has been there for the settling time, by the clock of
    /// its store or by ours.
    ///
    /// # Errors
    /// [`ReadErrorKind::Unsettled`].
    pub(super) fn check(&self, name: &Name, stat: &Stat) -> Result<(), ReadError> {
        self.check_for(self.time, name, stat)
    }

    /// The same for a file of a folder of fragments.
    ///
    /// # Errors
    /// [`ReadErrorKind::Unsettled`].
    pub(super) fn check_briefly(&self, name: &Name, stat: &Stat) -> Result<(), ReadError> {
        self.check_for(self.time.min(BRIEF), name, stat)
    }

    fn check_for(&self, needed: Duration, name: &Name, stat: &Stat) -> Result<(), ReadError> {
        match stat.age {
            Some(age) if age.at_least < needed => {
                let time = needed.saturating_add(age.resolution);
                // Of an age that is zero, nothing is known.
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

    /// The error for a file that changed while it was read: a moment ago.
    pub(super) fn changed(&self, name: &Name) -> Option<(Duration, ReadError)> {
        let unsettled = || (self.time, self.unsettled(name.as_str(), self.time));
        (!self.time.is_zero()).then(unsettled)
    }

    /// The error for what can be had after `wait`.
    pub(super) fn unsettled(&self, what: &str, wait: Duration) -> ReadError {
        let time = self.time.as_secs_f64();
        let why =
            format!("{what} is served once it has not changed for {time} s (`settling_time`)");
        let source = Some(Arc::new(io::Error::other(why)));
        ReadError { source, ..ReadError::new(ReadErrorKind::Unsettled { wait }) }
    }

    /// How long it is worth to wait for a file. Files that are there when an origin starts were mostly
    /// put there for it, so clients need not see a failure; later, one is told at once.
    pub(super) fn patience(&self, unsettled: &ReadError) -> Option<Duration> {
        let is_new = self.clock.now().saturating_sub(self.began) < self.time;
        Self::short_wait(unsettled).filter(|_| is_new)
    }

    /// How long a file has to settle, if that is so short that a request may wait for it.
    pub(super) fn short_wait(unsettled: &ReadError) -> Option<Duration> {
        match unsettled.kind {
            ReadErrorKind::Unsettled { wait } if wait <= LONGEST => Some(wait),
            _ => None,
        }
    }
}
