//! Opened presentations, by name: one opening at a time each, looked after as they age.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use quick_cache::sync::Cache as QuickCache;
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, sync::DefaultLifecycle};

use super::opened::{Files, Opened};
use super::spellings::Spellings;
use super::{Clock, Inner, drive};
use crate::base::{Error, ErrorKind, Name};
use crate::presentation::{Finding, OpenOptions, open};

#[derive(Clone, Debug)]
pub(super) struct CacheOptions {
    pub(super) bytes: u64,
    pub(super) revalidate_after: Duration,
    pub(super) replace_grace: Duration,
    pub(super) max_openings: usize,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            revalidate_after: Duration::from_secs(5),
            replace_grace: Duration::from_secs(30),
            max_openings: 128,
        }
    }
}

#[derive(Debug)]
pub(super) struct Cache {
    entries: QuickCache<Name, Arc<Entry>, ByMemory>,
    options: CacheOptions,
    openings: AtomicUsize,
    spellings: Spellings,
}

/// Instead of the time of a look: none that counts was made yet.
const LONG_AGO: u64 = u64::MAX;

/// What came of an opening, with when its files were last looked at.
#[derive(Debug)]
struct Entry {
    outcome: Result<Arc<Opened>, Error>,
    /// Milliseconds of the origin's clock.
    checked: AtomicU64,
    /// When its files were first seen to have changed while it was kept; 0 if they have not.
    differs_since: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct ByMemory;

impl Weighter<Name, Arc<Entry>> for ByMemory {
    fn weight(&self, name: &Name, entry: &Arc<Entry>) -> u64 {
        let outcome = match &entry.outcome {
            Ok(opened) => opened.memory(),
            Err(_) => 256,
        };
        (name.as_str().len() + outcome) as u64
    }
}

/// The part of the budget, one in so many, that is left for what lies between pieces in use. Of
/// presentations that were opened and given back in any order, glibc's allocator was seen to leave up
/// to 12 %, with what an opening has given back when it ends.
const BETWEEN: u64 = 8;

/// One part: a presentation is kept as long as it fits into the whole budget.
const SHARDS: usize = 1;

impl Cache {
    pub(super) fn new(options: CacheOptions) -> Self {
        let capacity = options.bytes - options.bytes / BETWEEN;
        let sizes = OptionsBuilder::new()
            .weight_capacity(capacity)
            // An opened film of usual length takes about this much.
            .estimated_items_capacity(
                usize::try_from(options.bytes / (256 << 10)).unwrap_or(1).max(1),
            )
            .shards(SHARDS)
            .build();
        let entries = match sizes {
            Ok(sizes) => QuickCache::with_options(
                sizes,
                ByMemory,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // All sizes are given above; without them the library's own do as well.
            Err(_) => QuickCache::with_weighter(1024, capacity, ByMemory),
        };
        let spellings = Spellings::new(options.revalidate_after);
        Self { entries, options, openings: AtomicUsize::new(0), spellings }
    }

    /// The presentation of this name: the one that is kept, if its files were looked at not long
    /// ago; else after a look at them, and after opening it again where they have changed.
    ///
    /// A presentation that is stored under another spelling of the name is kept under that one.
    pub(super) async fn get(&self, origin: &Inner, name: &str) -> Result<Arc<Opened>, Error> {
        if self.entries.peek(name).is_none()
            && let Ok(asked) = Name::new(name)
            && let Some(stored) = self.spellings.stored(origin, &asked).await
        {
            return self.get_stored(origin, stored.as_str()).await;
        }
        self.get_stored(origin, name).await
    }

    async fn get_stored(&self, origin: &Inner, name: &str) -> Result<Arc<Opened>, Error> {
        let Some(entry) = self.entries.get(name) else {
            let name = Name::new(name).map_err(|error| Error::request("path", error.kind))?;
            return self.opened(origin, &name, None).await.outcome.clone();
        };
        let now = millis(origin.clock.now());
        match &entry.outcome {
            Ok(opened) if opened.is_stale() => {
                let name = opened.presentation().name().clone();
                self.entries.remove_if(&name, |kept| Arc::ptr_eq(kept, &entry));
                self.opened(origin, &name, Some(&entry)).await.outcome.clone()
            }
            outcome => match entry.take_over(now, self.options.revalidate_after) {
                None => outcome.clone(),
                Some(turn) => {
                    let outcome = self.look_after(origin, name, &entry, now).await;
                    turn.finish();
                    outcome
                }
            },
        }
    }

    /// The presentation of this name, if it is kept and needs no look at its files.
    pub(super) fn fresh(&self, clock: &Clock, name: &str) -> Option<Arc<Opened>> {
        let entry = self
            .entries
            .get(name)
            .or_else(|| self.entries.get(&self.spellings.known(name, clock.now())?))?;
        let opened = entry.outcome.as_ref().ok()?;
        let is_fresh =
            !opened.is_stale() && !entry.is_due(millis(clock.now()), self.options.revalidate_after);
        is_fresh.then(|| Arc::clone(opened))
    }

    /// The next request looks at the files.
    pub(super) fn look_again(&self, name: &Name) {
        let stored = self.spellings.known(name.as_str(), Duration::ZERO);
        if let Some(entry) = self.entries.get(stored.as_ref().unwrap_or(name)) {
            entry.checked.store(LONG_AGO, Ordering::Relaxed);
        }
    }

    /// Opens a presentation, or waits for another request that is opening it. Where it was opened
    /// before, that may be what goes on being served.
    async fn opened(&self, origin: &Inner, name: &Name, old: Option<&Arc<Entry>>) -> Arc<Entry> {
        let opening = async {
            let distrusted = old.map_or(Vec::new(), |old| old.distrusted());
            let new = self.open(origin, name, distrusted).await;
            match old.filter(|old| self.keeps(old, &new, millis(origin.clock.now()))) {
                Some(old) => {
                    old.forget_stale();
                    Ok(Arc::clone(old))
                }
                // That there is too much to do says nothing of the presentation: it is not kept.
                None if new.is_busy() => Err(new),
                None => Ok(new),
            }
        };
        self.entries.get_or_insert_async(name, opening).await.unwrap_or_else(|busy| busy)
    }

    /// Looks at the files of a presentation that is kept, and opens it again where they have
    /// changed.
    async fn look_after(
        &self,
        origin: &Inner,
        name: &str,
        entry: &Arc<Entry>,
        now: u64,
    ) -> Result<Arc<Opened>, Error> {
        if let Ok(opened) = &entry.outcome
            && !opened.has_changed().await
        {
            entry.differs_since.store(0, Ordering::Relaxed);
            return entry.outcome.clone();
        }
        let Ok(name) = Name::new(name) else { return entry.outcome.clone() };
        let new = self.open(origin, &name, Vec::new()).await;
        if self.keeps(entry, &new, now) {
            return entry.outcome.clone();
        }
        let outcome = new.outcome.clone();
        self.entries.insert(name, new);
        outcome
    }

    /// Whether what was opened before goes on being served. The new one takes its place when
    /// nothing new is wrong with it, or when that has been so for a while.
    fn keeps(&self, old: &Entry, new: &Entry, now: u64) -> bool {
        new.is_busy()
            || (old.distrusted().is_empty() || new.outcome.is_err())
                && !new.is_no_worse_than(old)
                && !old.has_differed_for(now, self.options.replace_grace)
    }

    /// Opens a presentation, without belief in the indexes of some of its files.
    async fn open(&self, origin: &Inner, name: &Name, distrusted: Vec<Name>) -> Arc<Entry> {
        let outcome = match OpeningPermit::take(self).map(|permit| (permit, origin.access.admit()))
        {
            Some((_, Err(busy))) => Err(busy),
            Some((_permit, Ok(()))) => {
                let mut files = Files::new(Arc::clone(&origin.access), Arc::clone(&origin.handles));
                let options = distrusted.into_iter();
                let options = options.fold(origin.options.clone(), OpenOptions::distrust);
                let step = open(name.clone(), &options);
                let opened = drive::open(step, &mut files).await;
                opened.map(|presentation| Arc::new(Opened::new(presentation, files)))
            }
            None => Err(ErrorKind::Busy("too many presentations are being opened").into()),
        };
        let checked = AtomicU64::new(millis(origin.clock.now()));
        Arc::new(Entry { outcome, checked, differs_since: AtomicU64::new(0) })
    }
}

impl Entry {
    /// For the one request that looks at the files again: when the last look is `age` ago.
    fn take_over(&self, now: u64, age: Duration) -> Option<Turn<'_>> {
        let before = self.checked.load(Ordering::Relaxed);
        let is_ours = is_due(before, now, age)
            && self
                .checked
                .compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        is_ours.then_some(Turn { checked: &self.checked, before })
    }

    fn is_due(&self, now: u64, age: Duration) -> bool {
        is_due(self.checked.load(Ordering::Relaxed), now, age)
    }

    /// Files whose index was found to lie.
    fn distrusted(&self) -> Vec<Name> {
        self.outcome.as_ref().map_or(Vec::new(), |opened| opened.presentation().distrusted())
    }

    fn forget_stale(&self) {
        if let Ok(opened) = &self.outcome {
            opened.forget_stale();
        }
    }

    /// Everything that could be served before can be served still.
    fn is_no_worse_than(&self, old: &Self) -> bool {
        match (&self.outcome, &old.outcome) {
            (Ok(new), Ok(old)) => {
                let known: Vec<_> = old.presentation().findings().iter().map(subject).collect();
                new.presentation().findings().iter().all(|new| known.contains(&subject(new)))
            }
            (_, Err(_)) => true,
            (Err(_), Ok(_)) => false,
        }
    }

    fn is_busy(&self) -> bool {
        matches!(&self.outcome, Err(error) if matches!(error.kind, ErrorKind::Busy(_)))
    }

    fn has_differed_for(&self, now: u64, grace: Duration) -> bool {
        let now = now.max(1);
        let since =
            self.differs_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let since = since.err().unwrap_or(now);
        now.saturating_sub(since) >= millis(grace)
    }
}

/// A look at the files. One that is not finished, because its request was given up, was none.
struct Turn<'a> {
    checked: &'a AtomicU64,
    before: u64,
}

impl Turn<'_> {
    fn finish(self) {
        std::mem::forget(self);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.checked.store(self.before, Ordering::Relaxed);
    }
}

/// Whether the last look, made at `before`, is `age` ago.
fn is_due(before: u64, now: u64, age: Duration) -> bool {
    before == LONG_AGO || now.saturating_sub(before) >= millis(age)
}

/// What a finding is about, without its words.
fn subject(
    finding: &Finding,
) -> (crate::presentation::FindingCode, Option<String>, Option<String>) {
    (finding.code, finding.file.clone(), finding.track.clone())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Counts openings in progress.
struct OpeningPermit<'a>(&'a Cache);

impl<'a> OpeningPermit<'a> {
    fn take(cache: &'a Cache) -> Option<Self> {
        let permit = Self(cache);
        let before = cache.openings.fetch_add(1, Ordering::Relaxed);
        // Where there are too many, dropping the permit takes it back.
        (before < cache.options.max_openings).then_some(permit)
    }
}

impl Drop for OpeningPermit<'_> {
    fn drop(&mut self) {
        self.0.openings.fetch_sub(1, Ordering::Relaxed);
    }
}
