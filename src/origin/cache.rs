//! Opened presentations, by name: one opening at a time each, looked after as they age.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use quick_cache::sync::Cache as QuickCache;
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, sync::DefaultLifecycle};

use super::deadline::Deadline;
use super::opened::{Files, Opened};
use super::replacement::{loss, worse};
use super::spellings::Spellings;
use super::stats::Opening;
use super::{CachedPresentation, Clock, Event, Inner, drive};
use crate::base::{Error, ErrorKind, Name};
use crate::presentation::{OpenOptions, open};

#[derive(Clone, Debug)]
pub(super) struct CacheOptions {
    pub(super) bytes: u64,
    pub(super) revalidate_after: Duration,
    pub(super) replace_grace: Duration,
    pub(super) max_openings: usize,
    pub(super) opening_timeout: Duration,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            revalidate_after: Duration::from_secs(5),
            replace_grace: Duration::from_secs(30),
            max_openings: 128,
            opening_timeout: Duration::from_secs(30),
        }
    }
}

#[derive(Debug)]
pub(super) struct Cache {
    entries: QuickCache<Name, Arc<Entry>, ByMemory>,
    options: CacheOptions,
    openings: Arc<AtomicUsize>,
    spellings: Spellings,
}

/// Interval at which the files of a live presentation are checked, because its manifest announces
/// one fragment after the other.
const LIVE_AGE: Duration = Duration::from_secs(1);

/// Interval after which a folder of fragments is listed again if files of it were missing: it may
/// have been opened while it was being copied, and its manifest does not change any more.
const INCOMPLETE_AGE: Duration = Duration::from_secs(5);

/// The outcome of an opening, and the time at which its files are checked next.
#[derive(Debug)]
struct Entry {
    outcome: Result<Arc<Opened>, Error>,
    /// When the next check of its files is due, in milliseconds of the origin's clock.
    due: AtomicU64,
    /// When its files were first seen to have changed while it was kept; 0 if they have not.
    differs_since: AtomicU64,
    /// When it was opened, or listed again with the same result, in milliseconds of the origin's
    /// clock.
    listed_at: AtomicU64,
    /// When it was opened, in milliseconds of the origin's clock.
    opened_at: u64,
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
        Self { entries, options, openings: Arc::default(), spellings }
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
            // The current files must settle first.
            Ok(opened) if opened.is_stale() && opened.settles_in(now).is_some() => {
                entry.outcome.clone()
            }
            Ok(opened) if opened.is_stale() => {
                let name = opened.presentation().name().clone();
                self.entries.remove_if(&name, |kept| Arc::ptr_eq(kept, &entry));
                self.opened(origin, &name, Some(&entry)).await.outcome.clone()
            }
            outcome => match entry.take_over(now, entry.age(&self.options)) {
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
        let is_fresh = !opened.is_stale() && !entry.is_due(millis(clock.now()));
        is_fresh.then(|| Arc::clone(opened))
    }

    /// Keeps a new opening in the place of an old one. If the old one was dropped meanwhile, so is
    /// the new one: the host may have asked for that.
    fn replace(&self, name: &Name, old: &Arc<Entry>, new: &Arc<Entry>) {
        if self.entries.peek(name).is_some_and(|kept| Arc::ptr_eq(&kept, old)) {
            self.entries.insert(name.clone(), Arc::clone(new));
        }
    }

    /// Drops what is kept of this name. Returns whether it was open.
    pub(super) fn forget(&self, name: &Name) -> bool {
        let stored = self.spellings.known(name.as_str(), Duration::ZERO);
        let mut was_open = false;
        for name in [Some(name), stored.as_ref()].into_iter().flatten() {
            // An opening in progress loses its place, too.
            let kept = self.entries.remove(name);
            was_open |= kept.is_some_and(|(_, entry)| entry.outcome.is_ok());
        }
        was_open
    }

    /// The presentations that are open.
    pub(super) fn presentations(&self, clock: &Clock) -> impl Iterator<Item = CachedPresentation> {
        self.entries.iter().filter_map(|(name, entry)| {
            let opened = Arc::clone(entry.outcome.as_ref().ok()?);
            let age = millis(clock.now()).saturating_sub(entry.opened_at);
            let bytes = ByMemory.weight(&name, &entry);
            Some(CachedPresentation { opened, age: Duration::from_millis(age), bytes })
        })
    }

    /// The number of entries.
    pub(super) fn len(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Bytes of memory that the entries take.
    pub(super) fn bytes(&self) -> u64 {
        self.entries.weight()
    }

    pub(super) fn openings_in_progress(&self) -> u64 {
        self.openings.load(Ordering::Relaxed) as u64
    }

    /// The entry of this name, however old it is.
    fn kept(&self, name: &str) -> Option<Arc<Entry>> {
        let stored = || self.entries.peek(&self.spellings.known(name, Duration::ZERO)?);
        self.entries.peek(name).or_else(stored)
    }

    /// The outcome of the last opening of this name, if it is kept.
    #[cfg(feature = "http")]
    pub(super) fn outcome(&self, name: &str) -> Option<Result<Arc<Opened>, Error>> {
        self.kept(name).map(|entry| entry.outcome.clone())
    }

    /// The next request looks at the files.
    pub(super) fn look_again(&self, name: &Name) {
        if let Some(entry) = self.kept(name.as_str()) {
            entry.due.store(0, Ordering::Relaxed);
        }
    }

    /// Opens a presentation, or waits for another request that is opening it. Where it was opened
    /// before, that may be what goes on being served.
    async fn opened(&self, origin: &Inner, name: &Name, old: Option<&Arc<Entry>>) -> Arc<Entry> {
        let mut news = None;
        let opening = async {
            let distrusted = old.map_or(Vec::new(), |old| old.distrusted());
            let again = old.is_some_and(|old| old.outcome.is_ok());
            let (new, took) = self.open(origin, name, distrusted, again).await;
            let verdict = match old {
                Some(old) => self.verdict(old, &new, millis(origin.clock.now())).await,
                None => Verdict::Replace,
            };
            let (keeps, settles) = match verdict {
                Verdict::Replace => (false, None),
                Verdict::Settle { until } => (true, Some(until)),
                Verdict::Wait { .. } => (true, None),
            };
            news = Some((Arc::clone(&new), took, verdict));
            match old {
                Some(old) if keeps => {
                    match settles {
                        Some(until) => old.wait_until(until),
                        None => old.forget_stale(),
                    }
                    Ok(Arc::clone(old))
                }
                // That there is too much to do says nothing of the presentation: it is not kept.
                _ if new.is_busy() => Err(new),
                _ => Ok(new),
            }
        };
        let entry = self.entries.get_or_insert_async(name, opening).await;
        // Only now: the host may ask the origin for this presentation.
        if let Some((new, took, verdict)) = news {
            self.report(origin, name, old, &new, took, &verdict);
        }
        entry.unwrap_or_else(|busy| busy)
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
            && !opened
                .has_changed(&Deadline::new(&origin.access.host, self.options.opening_timeout))
                .await
        {
            entry.differs_since.store(0, Ordering::Relaxed);
            if entry.lacks_files_since(now, INCOMPLETE_AGE) {
                return self.list_again(origin, opened, entry, now).await;
            }
            return entry.outcome.clone();
        }
        let Ok(name) = Name::new(name) else { return entry.outcome.clone() };
        let again = entry.outcome.is_ok();
        let (new, took) = self.open(origin, &name, Vec::new(), again).await;
        let verdict = self.verdict(entry, &new, now).await;
        let kept = match verdict {
            Verdict::Replace => &new,
            Verdict::Wait { .. } => entry,
            Verdict::Settle { until } => {
                entry.wait_until(until);
                entry
            }
        };
        let outcome = kept.outcome.clone();
        if matches!(verdict, Verdict::Replace) {
            self.replace(&name, entry, &new);
        }
        self.report(origin, &name, Some(entry), &new, took, &verdict);
        outcome
    }

    /// Opens a folder of fragments again in which files were missing. The new opening is kept and
    /// reported only if it found something else, and if nothing is worse.
    async fn list_again(
        &self,
        origin: &Inner,
        old: &Arc<Opened>,
        entry: &Arc<Entry>,
        now: u64,
    ) -> Result<Arc<Opened>, Error> {
        entry.listed_at.store(now, Ordering::Relaxed);
        let name = old.presentation().name();
        let (new, took) = self.open(origin, name, Vec::new(), true).await;
        let is_news = match &new.outcome {
            Ok(new) => !new.presentation().is_found_like(old.presentation()),
            // The files that were opened are unchanged.
            Err(_) => false,
        };
        if !is_news || loss(&entry.outcome, &new.outcome, &[]).is_some() {
            return entry.outcome.clone();
        }
        self.replace(name, entry, &new);
        self.report(origin, name, Some(entry), &new, took, &Verdict::Replace);
        new.outcome.clone()
    }

    /// Whether a new opening takes the place of the old one: when players lose nothing by it, or
    /// have lost it for a while.
    async fn verdict(&self, old: &Entry, new: &Entry, now: u64) -> Verdict {
        if new.is_busy() {
            return Verdict::Wait { news: None };
        }
        if let (Some(wait), Ok(_)) = (new.unsettled(), &old.outcome) {
            return Verdict::Settle { until: now.saturating_add(millis_up(wait)) };
        }
        if !old.distrusted().is_empty() && new.outcome.is_ok() {
            return Verdict::Replace;
        }
        let loses = |rewritten| loss(&old.outcome, &new.outcome, rewritten);
        if loses(&[]).is_none() {
            return Verdict::Replace;
        }
        let Some(loss) = loses(&old.rewritten().await) else { return Verdict::Replace };
        match old.differs_for(now) {
            (_, spent) if spent >= millis(self.options.replace_grace) => Verdict::Replace,
            (is_news, _) => Verdict::Wait { news: is_news.then_some(loss) },
        }
    }

    /// Reports what came of an opening.
    fn report(
        &self,
        origin: &Inner,
        name: &Name,
        old: Option<&Arc<Entry>>,
        new: &Entry,
        took: Duration,
        verdict: &Verdict,
    ) {
        let events = &origin.access.host.events;
        let was_open = old.is_some_and(|old| old.outcome.is_ok());
        if was_open && new.outcome.is_ok() && matches!(verdict, Verdict::Replace) {
            origin.access.host.counters.replacement();
        }
        match (verdict, &new.outcome) {
            (Verdict::Wait { news: None }, _) => {}
            (Verdict::Wait { news: Some(why) }, _) => {
                let grace = self.options.replace_grace;
                events.report(&Event::ReplacementWaits { name, why, grace });
            }
            // A live presentation is opened again for each of its fragments.
            (Verdict::Replace, Ok(_))
                if new.is_live()
                    && old.is_some_and(|old| {
                        old.is_live() && worse(&old.outcome, &new.outcome, &[]).is_none()
                    }) => {}
            (Verdict::Replace, Ok(opened)) => {
                let presentation = opened.presentation();
                events.report(&Event::Opened { name, presentation, took, replaces: was_open });
            }
            (Verdict::Settle { .. }, Err(error)) => events.unsettled(name, error, true),
            (Verdict::Replace, Err(error)) if new.unsettled().is_some() => {
                events.unsettled(name, error, false);
            }
            // Only a failed opening has to settle.
            (Verdict::Settle { .. }, Ok(_)) => {}
            // It is the request's that was refused.
            (Verdict::Replace, Err(_)) if new.is_busy() => {}
            (Verdict::Replace, Err(error)) => {
                events.opening_failed(name, error, took, was_open);
            }
        }
    }

    /// Opens a presentation, without belief in the indexes of some of its files. Also returns how
    /// long it took. `again` if the presentation is open already.
    async fn open(
        &self,
        origin: &Inner,
        name: &Name,
        distrusted: Vec<Name>,
        again: bool,
    ) -> (Arc<Entry>, Duration) {
        let deadline = Deadline::new(&origin.access.host, self.options.opening_timeout);
        let permit = OpeningPermit::take(&self.openings, self.options.max_openings);
        let outcome = match permit.map(|permit| (Arc::new(permit), origin.access.admit())) {
            Some((_, Err(busy))) => Err(busy),
            Some((permit, Ok(()))) => {
                let mut files = Files::new(Arc::clone(&origin.access), Arc::clone(&origin.handles));
                let options = distrusted.into_iter();
                let options = options.fold(origin.options.clone(), OpenOptions::distrust);
                let step = open(name.clone(), &options);
                let opened = drive::open(step, &mut files, &deadline, &permit).await;
                opened.map(|presentation| Arc::new(Opened::new(presentation, files)))
            }
            None => Err(ErrorKind::Busy("too many presentations are being opened").into()),
        };
        let now = millis(origin.clock.now());
        let mut entry = Entry {
            outcome,
            due: AtomicU64::new(0),
            differs_since: AtomicU64::new(0),
            listed_at: AtomicU64::new(now),
            opened_at: now,
        };
        let age = millis(entry.age(&self.options));
        let age = entry.unsettled().map_or(age, |wait| age.min(millis_up(wait)));
        entry.due = AtomicU64::new(millis(origin.clock.now()).saturating_add(age));
        let (took, counters) = (deadline.spent(), &origin.access.host.counters);
        let outcome = match &entry.outcome {
            Ok(_) => Opening::Made,
            Err(_) if entry.is_busy() => Opening::Refused,
            Err(_) => Opening::Failed,
        };
        counters.opening(outcome, took, again);
        (Arc::new(entry), took)
    }
}

impl Entry {
    /// Lets one request check the files, if that is due. The check after it is due after `age`.
    fn take_over(&self, now: u64, age: Duration) -> Option<Turn<'_>> {
        let before = self.due.load(Ordering::Relaxed);
        let next = now.saturating_add(millis(age));
        let is_ours = now >= before
            && self
                .due
                .compare_exchange(before, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        is_ours.then_some(Turn { due: &self.due, before })
    }

    /// How long a check of its files is relied on.
    fn age(&self, options: &CacheOptions) -> Duration {
        match self.is_live() && options.revalidate_after != Duration::MAX {
            true => options.revalidate_after.min(LIVE_AGE),
            false => options.revalidate_after,
        }
    }

    fn is_live(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|opened| opened.presentation().is_live())
    }

    /// Returns whether files of its folder were missing when it was listed at least `age` ago.
    fn lacks_files_since(&self, now: u64, age: Duration) -> bool {
        now.saturating_sub(self.listed_at.load(Ordering::Relaxed)) >= millis(age)
            && self.outcome.as_ref().is_ok_and(|opened| opened.presentation().lacks_files())
    }

    fn is_due(&self, now: u64) -> bool {
        now >= self.due.load(Ordering::Relaxed)
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

    /// Keeps serving it, as far as its files are intact, and has it opened again at this time.
    fn wait_until(&self, at: u64) {
        if let Ok(opened) = &self.outcome {
            opened.wait_until(at);
        }
    }

    /// Returns the media files that were rewritten in place since they were opened.
    async fn rewritten(&self) -> Vec<Name> {
        match &self.outcome {
            Ok(opened) => opened.rewritten().await,
            Err(_) => Vec::new(),
        }
    }

    /// Returns how long its files must settle, if it could not be opened because one of them
    /// changed a moment ago.
    fn unsettled(&self) -> Option<Duration> {
        self.outcome.as_ref().err()?.settles_in()
    }

    fn is_busy(&self) -> bool {
        matches!(&self.outcome, Err(error) if matches!(error.kind, ErrorKind::Busy(_)))
    }

    /// Whether its files are first seen to have changed now, and for how long they have been.
    fn differs_for(&self, now: u64) -> (bool, u64) {
        let now = now.max(1);
        let since =
            self.differs_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        (since.is_ok(), now.saturating_sub(since.err().unwrap_or(now)))
    }
}

/// What becomes of a new opening.
enum Verdict {
    /// It is served.
    Replace,
    /// What was opened before is served on; `news` says why, the first time that it is found.
    Wait { news: Option<String> },
    /// A file changed a moment ago: the version that was opened before continues to be served, as
    /// far as its files are intact, until this time in milliseconds of the origin's clock.
    Settle { until: u64 },
}

/// A look at the files. One that is not finished, because its request was given up, was none.
struct Turn<'a> {
    due: &'a AtomicU64,
    before: u64,
}

impl Turn<'_> {
    fn finish(self) {
        std::mem::forget(self);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.due.store(self.before, Ordering::Relaxed);
    }
}

/// Returns milliseconds, rounded up, so that files are not opened before they have settled.
fn millis_up(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Counts openings in progress.
#[derive(Debug)]
pub(super) struct OpeningPermit(Arc<AtomicUsize>);

impl OpeningPermit {
    fn take(openings: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let permit = Self(Arc::clone(openings));
        let before = openings.fetch_add(1, Ordering::Relaxed);
        // Where there are too many, dropping the permit takes it back.
        (before < most).then_some(permit)
    }
}

impl Drop for OpeningPermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
