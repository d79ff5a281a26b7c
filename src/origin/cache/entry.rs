//! One entry of the cache of presentations, and when its files are checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::Weighter;

use crate::base::{Error, ErrorKind, Name, ReadErrorKind};
use crate::origin::Opened;
use crate::presentation::{Finding, Severity};

/// Interval at which the files of a live presentation are checked, because its manifest announces
/// one fragment after the other.
const LIVE_AGE: Duration = Duration::from_secs(1);

/// Interval after which a folder of fragments is listed again if files of it were missing: it may
/// have been opened while it was being copied, and its manifest does not change any more.
pub(super) const INCOMPLETE_AGE: Duration = Duration::from_secs(5);

/// Interval after which a presentation with a grave finding is opened again if its store is remote: one
/// answer with wrong bytes would end it for as long as its files stay the same.
pub(super) const BROKEN_AGE: Duration = Duration::from_secs(30);

/// The outcome of an opening, and the time at which its files are checked next.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) outcome: Result<Arc<Opened>, Error>,
    /// Time of the next check of its files, in milliseconds of the origin's clock.
    pub(super) due: AtomicU64,
    /// Time from which a check includes its media files.
    pub(super) media_due: AtomicU64,
    /// Time at which its files were first seen to have changed while it was kept; 0 if they have not.
    pub(super) differs_since: AtomicU64,
    /// Time at which it was opened, or listed again with the same result, in milliseconds of the origin's
    /// clock.
    pub(super) listed_at: AtomicU64,
    /// Time at which it was opened, in milliseconds of the origin's clock.
    pub(super) opened_at: u64,
    _failed: Option<Failed>,
}

/// Counts a failed entry as long as it exists.
#[derive(Debug)]
struct Failed(Arc<AtomicU64>);

impl Failed {
    fn new(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Failed {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Entries weigh as many bytes as they take.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByMemory;

impl Weighter<Name, Arc<Entry>> for ByMemory {
    fn weight(&self, name: &Name, entry: &Arc<Entry>) -> u64 {
        let outcome = match &entry.outcome {
            Ok(opened) => opened.memory(),
            Err(_) => 256,
        };
        (name.as_str().len() + outcome) as u64
    }
}

impl Entry {
    /// The entry of an opening that ended at `now`. `failed` counts those that failed.
    pub(super) fn new(
        outcome: Result<Arc<Opened>, Error>,
        now: u64,
        failed: &Arc<AtomicU64>,
    ) -> Self {
        let failed = outcome.is_err().then(|| Failed::new(failed));
        Self {
            outcome,
            due: AtomicU64::new(now),
            media_due: AtomicU64::new(now),
            differs_since: AtomicU64::new(0),
            listed_at: AtomicU64::new(now),
            opened_at: now,
            _failed: failed,
        }
    }

    /// Sets when its files are checked first: so many milliseconds after it was opened, or as soon as a
    /// file that changed a moment ago has settled.
    pub(super) fn first_due(&self, age: u64, media_age: u64) {
        let age = self.unsettled().map_or(age, |wait| age.min(millis_up(wait)));
        self.due.store(self.opened_at.saturating_add(age), Ordering::Relaxed);
        self.media_due.store(self.opened_at.saturating_add(media_age), Ordering::Relaxed);
    }

    /// Returns whether a check includes the media files. The next one that does is due after `age`
    /// milliseconds.
    pub(super) fn takes_media(&self, now: u64, age: u64) -> bool {
        let is_due = now >= self.media_due.load(Ordering::Relaxed);
        if is_due {
            self.media_due.store(now.saturating_add(age), Ordering::Relaxed);
        }
        is_due
    }

    /// Lets one request check the files, if that is due. The check after it is due after `age`
    /// milliseconds.
    pub(super) fn take_over(&self, now: u64, age: u64) -> Option<Turn<'_>> {
        let before = self.due.load(Ordering::Relaxed);
        let next = now.saturating_add(age);
        let is_ours = now >= before
            && self
                .due
                .compare_exchange(before, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        is_ours.then_some(Turn { due: &self.due, before })
    }

    /// Time for which a check of its files is relied on.
    pub(super) fn age(&self, revalidate_after: Duration) -> Duration {
        match self.is_live() && revalidate_after != Duration::MAX {
            true => revalidate_after.min(LIVE_AGE),
            false => revalidate_after,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|opened| opened.presentation().is_live())
    }

    /// Returns whether files of its folder were missing when it was listed at least `age` ago.
    pub(super) fn lacks_files_since(&self, now: u64, age: Duration) -> bool {
        now.saturating_sub(self.listed_at.load(Ordering::Relaxed)) >= millis(age)
            && self.outcome.as_ref().is_ok_and(|opened| opened.presentation().lacks_files())
    }

    /// Returns whether it had a grave finding when it was opened at least `age` ago.
    pub(super) fn is_broken_since(&self, now: u64, age: Duration) -> bool {
        let is_grave = |finding: &Finding| finding.severity() == Severity::Error;
        now.saturating_sub(self.listed_at.load(Ordering::Relaxed)) >= millis(age)
            && self
                .outcome
                .as_ref()
                .is_ok_and(|opened| opened.presentation().findings().iter().any(is_grave))
    }

    /// Returns whether it could be opened and has a manifest.
    pub(super) fn is_served(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|opened| opened.presentation().manifest().is_ok())
    }

    /// Returns whether it could not be opened for a reason that may pass.
    pub(super) fn has_failed_in_passing(&self) -> bool {
        let Err(error) = &self.outcome else { return false };
        matches!(&error.kind, ErrorKind::Read(read) if read.kind == ReadErrorKind::Transient)
    }

    pub(super) fn is_due(&self, now: u64) -> bool {
        now >= self.due.load(Ordering::Relaxed)
    }

    /// Files whose index was found to be wrong.
    pub(super) fn distrusted(&self) -> Vec<Name> {
        self.outcome.as_ref().map_or(Vec::new(), |opened| opened.presentation().distrusted())
    }

    pub(super) fn forget_stale(&self) {
        if let Ok(opened) = &self.outcome {
            opened.forget_stale();
        }
    }

    /// Keeps serving it, as far as its files are intact, and has it opened again at this time.
    pub(super) fn wait_until(&self, at: u64) {
        if let Ok(opened) = &self.outcome {
            opened.wait_until(at);
        }
    }

    /// Returns the media files that were rewritten in place since they were opened.
    pub(super) async fn rewritten(&self) -> Vec<Name> {
        match &self.outcome {
            Ok(opened) => opened.rewritten().await,
            Err(_) => Vec::new(),
        }
    }

    /// Returns how long its files must settle, if it could not be opened because one of them
    /// changed a moment ago.
    pub(super) fn unsettled(&self) -> Option<Duration> {
        self.outcome.as_ref().err()?.settles_in()
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(&self.outcome, Err(error) if matches!(error.kind, ErrorKind::Busy(_)))
    }

    /// Returns whether its files are first seen to have changed now, and for how long they have been.
    pub(super) fn differs_for(&self, now: u64) -> (bool, u64) {
        let now = now.max(1);
        let since =
            self.differs_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        (since.is_ok(), now.saturating_sub(since.err().unwrap_or(now)))
    }
}

/// A look at the files. One that is not finished, because its request was given up, was none.
pub(super) struct Turn<'a> {
    due: &'a AtomicU64,
    before: u64,
}

impl Turn<'_> {
    pub(super) fn finish(self) {
        std::mem::forget(self);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.due.store(self.before, Ordering::Relaxed);
    }
}

/// Returns milliseconds, rounded up, so that files are not opened before they have settled.
pub(super) fn millis_up(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

pub(in crate::origin) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
