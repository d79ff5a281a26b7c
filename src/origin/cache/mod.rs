//! The presentations that are open, by name: each is opened once at a time, and checked as it ages.

mod entry;
mod replacement;
mod spellings;
mod spread;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache as QuickCache;

pub(super) use self::entry::millis;
use self::entry::{BROKEN_AGE, ByMemory, Entry, INCOMPLETE_AGE, millis_up};

use self::replacement::{loss, worse};
use self::spellings::Spellings;
use self::spread::Spread;
use crate::base::{Error, Name};
use crate::origin::host::Host;
use crate::origin::opener::Opener;
use crate::origin::weighted::weighted;
use crate::origin::{CachedPresentation, Clock, Event, Opened};

#[derive(Clone, Debug)]
pub(super) struct CacheOptions {
    pub(super) bytes: u64,
    pub(super) revalidate_after: Duration,
    /// `None` if media files are checked as often as manifests.
    pub(super) media_after: Option<Duration>,
    /// Set if the checks of presentations that were opened together are spread over time.
    pub(super) is_spread: bool,
    pub(super) replace_grace: Duration,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            revalidate_after: Duration::from_secs(5),
            media_after: None,
            is_spread: false,
            replace_grace: Duration::from_secs(30),
        }
    }
}

#[derive(Debug)]
pub(super) struct Cache {
    entries: QuickCache<Name, Arc<Entry>, ByMemory>,
    options: CacheOptions,
    opener: Opener,
    clock: Clock,
    /// Number of failed entries, those in use by a request included.
    failed: Arc<AtomicU64>,
    spellings: Spellings,
    spread: Spread,
}

/// One part in so many of the budget is reserved for fragmentation. With presentations that are
/// opened and dropped in any order, glibc's allocator was seen to leave up to 12 % unused, including
/// the memory that an opening gives back when it ends.
const BETWEEN: u64 = 8;

/// Memory that an opened film of usual length takes.
const USUAL: u64 = 256 << 10;

impl Cache {
    pub(super) fn new(options: CacheOptions, opener: Opener, clock: Clock) -> Self {
        let capacity = options.bytes - options.bytes / BETWEEN;
        let entries = weighted(capacity, USUAL, true, ByMemory);
        let spellings = Spellings::new(options.revalidate_after);
        let spread = Spread::new(options.is_spread);
        Self { entries, options, opener, clock, failed: Arc::default(), spellings, spread }
    }

    /// The presentation of this name: the one that is kept, if its files were checked recently.
    /// Otherwise its files are checked first, and it is opened again if they have changed.
    ///
    /// A presentation that is stored under another spelling of the name is kept under that one.
    pub(super) async fn get(&self, name: &str) -> Result<Arc<Opened>, Error> {
        if self.entries.peek(name).is_none()
            && let Ok(asked) = Name::new(name)
            && let Some(stored) = self.stored_name(&asked).await
        {
            return self.get_stored(stored.as_str()).await;
        }
        self.get_stored(name).await
    }

    pub(in crate::origin) async fn get_stored(&self, name: &str) -> Result<Arc<Opened>, Error> {
        let Some(entry) = self.entries.get(name) else {
            let name = Name::new(name).map_err(|error| Error::request("path", error.kind))?;
            return self.opened(&name, None).await.outcome.clone();
        };
        let now = self.now();
        match &entry.outcome {
            // The current files must settle first.
            Ok(opened) if opened.is_stale() && opened.settles_in(now).is_some() => {
                entry.outcome.clone()
            }
            Ok(opened) if opened.is_stale() => {
                let name = opened.presentation().name().clone();
                self.entries.remove_if(&name, |kept| Arc::ptr_eq(kept, &entry));
                self.opened(&name, Some(&entry)).await.outcome.clone()
            }
            outcome => match entry.take_over(now, self.period(&entry)) {
                None => outcome.clone(),
                Some(turn) => {
                    let outcome = self.look_after(name, &entry, now).await;
                    turn.finish();
                    outcome
                }
            },
        }
    }

    /// The presentation of this name, if it is kept and needs no look at its files.
    pub(super) fn fresh(&self, name: &str) -> Option<Arc<Opened>> {
        let entry = self
            .entries
            .get(name)
            .or_else(|| self.entries.get(&self.spellings.known(name, self.clock.now())?))?;
        let opened = entry.outcome.as_ref().ok()?;
        let is_fresh = !opened.is_stale() && !entry.is_due(self.now());
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

    /// Drops a presentation, or its error, unless it is the one that is meant.
    #[cfg_attr(
        not(feature = "live"),
        allow(dead_code, reason = "only films of events take the place of others")
    )]
    pub(super) fn forget_unless(
        &self,
        name: &str,
        is_meant: impl Fn(&Result<Arc<Opened>, Error>) -> bool,
    ) {
        if let Some(entry) = self.entries.peek(name)
            && !is_meant(&entry.outcome)
        {
            self.entries.remove_if(name, |kept| Arc::ptr_eq(kept, &entry));
        }
    }

    /// Drops a failed opening that ended at this time or before, because its files are there since.
    #[cfg(feature = "live")]
    pub(super) fn forget_miss(&self, name: &str, since: Duration) {
        let Some(entry) = self.entries.peek(name) else { return };
        if entry.outcome.is_err()
            && Duration::from_millis(entry.opened_at) <= since
            && let Ok(name) = Name::new(name)
        {
            self.entries.remove_if(&name, |kept| Arc::ptr_eq(kept, &entry));
        }
    }

    /// The presentations that are open.
    pub(super) fn presentations(&self) -> impl Iterator<Item = CachedPresentation> {
        self.entries.iter().filter_map(|(name, entry)| {
            let opened = Arc::clone(entry.outcome.as_ref().ok()?);
            let age = self.now().saturating_sub(entry.opened_at);
            let bytes = ByMemory.weight(&name, &entry);
            Some(CachedPresentation { opened, age: Duration::from_millis(age), bytes })
        })
    }

    /// The number of presentations that are open.
    pub(super) fn opened_len(&self) -> u64 {
        (self.entries.len() as u64).saturating_sub(self.failed_len())
    }

    /// The number of failed openings that are kept.
    pub(super) fn failed_len(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Bytes of memory that the entries take.
    pub(super) fn bytes(&self) -> u64 {
        self.entries.weight()
    }

    pub(super) fn openings_in_progress(&self) -> u64 {
        self.opener.in_progress()
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

    /// Makes the next request check the files.
    pub(super) fn look_again(&self, name: &Name) {
        if let Some(entry) = self.kept(name.as_str()) {
            entry.due.store(0, Ordering::Relaxed);
            entry.media_due.store(0, Ordering::Relaxed);
        }
    }

    /// Opens a presentation, or waits for another request that is opening it. If it was opened
    /// before, the result may be the earlier opening.
    async fn opened(&self, name: &Name, old: Option<&Arc<Entry>>) -> Arc<Entry> {
        let mut news = None;
        let opening = async {
            let distrusted = old.map_or(Vec::new(), |old| old.distrusted());
            let again = old.is_some_and(|old| old.outcome.is_ok());
            let (new, took) = self.open(name, distrusted, again).await;
            let verdict = match old {
                Some(old) => self.verdict(old, &new, self.now()).await,
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
                // An origin that is busy says nothing about the presentation: that is not kept.
                _ if new.is_busy() => Err(new),
                _ => Ok(new),
            }
        };
        let entry = self.entries.get_or_insert_async(name, opening).await;
        // Only now: the host may ask the origin for this presentation.
        if let Some((new, took, verdict)) = news {
            self.report(name, old, &new, took, &verdict);
        }
        entry.unwrap_or_else(|busy| busy)
    }

    /// Checks the files of a presentation that is kept, and opens it again if they have changed.
    async fn look_after(
        &self,
        name: &str,
        entry: &Arc<Entry>,
        now: u64,
    ) -> Result<Arc<Opened>, Error> {
        let with_media = entry.takes_media(now, self.media_period(entry));
        if let Ok(opened) = &entry.outcome
            && !opened.has_changed(&self.opener.deadline(), with_media).await
        {
            entry.differs_since.store(0, Ordering::Relaxed);
            let is_remote = self.opener.shared().whole_reads.is_some();
            if entry.lacks_files_since(now, INCOMPLETE_AGE)
                || (is_remote && entry.is_broken_since(now, BROKEN_AGE))
            {
                return self.list_again(opened, entry, now).await;
            }
            return entry.outcome.clone();
        }
        let Ok(name) = Name::new(name) else { return entry.outcome.clone() };
        let again = entry.outcome.is_ok();
        let (new, took) = self.open(&name, Vec::new(), again).await;
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
        self.report(&name, Some(entry), &new, took, &verdict);
        outcome
    }

    /// Opens a presentation again that lacked something, although its files are the same: a folder of
    /// fragments in which files were missing, or files that a remote store gave with other bytes than they
    /// have. The new opening is kept and reported only if it found something else, and if nothing is worse.
    async fn list_again(
        &self,
        old: &Arc<Opened>,
        entry: &Arc<Entry>,
        now: u64,
    ) -> Result<Arc<Opened>, Error> {
        entry.listed_at.store(now, Ordering::Relaxed);
        let name = old.presentation().name();
        let (new, took) = self.open(name, Vec::new(), true).await;
        let is_news = match &new.outcome {
            Ok(new) => !new.presentation().is_found_like(old.presentation()),
            // The files that were opened are unchanged.
            Err(_) => false,
        };
        if !is_news || loss(&entry.outcome, &new.outcome, &[]).is_some() {
            return entry.outcome.clone();
        }
        self.replace(name, entry, &new);
        self.report(name, Some(entry), &new, took, &Verdict::Replace);
        new.outcome.clone()
    }

    /// Decides whether a new opening takes the place of the old one: if players lose nothing by it, or
    /// have lost it for a while.
    async fn verdict(&self, old: &Entry, new: &Entry, now: u64) -> Verdict {
        if new.is_busy() {
            return Verdict::Wait { news: None };
        }
        if let (Some(wait), Ok(_)) = (new.unsettled(), &old.outcome) {
            return Verdict::Settle { until: now.saturating_add(millis_up(wait)) };
        }
        if !old.distrusted().is_empty() && new.is_served() {
            return Verdict::Replace;
        }
        let loses = |rewritten| loss(&old.outcome, &new.outcome, rewritten);
        if loses(&[]).is_none() {
            return Verdict::Replace;
        }
        let Some(loss) = loses(&old.rewritten().await) else { return Verdict::Replace };
        match old.differs_for(now) {
            // A storage that fails says nothing about the files: what is open may still be read.
            (_, spent)
                if spent >= millis(self.options.replace_grace) && !new.has_failed_in_passing() =>
            {
                Verdict::Replace
            }
            (is_news, _) => Verdict::Wait { news: is_news.then_some(loss) },
        }
    }

    /// Reports the outcome of an opening.
    fn report(
        &self,
        name: &Name,
        old: Option<&Arc<Entry>>,
        new: &Entry,
        took: Duration,
        verdict: &Verdict,
    ) {
        let events = &self.host().events;
        let was_open = old.is_some_and(|old| old.outcome.is_ok());
        if was_open && new.outcome.is_ok() && matches!(verdict, Verdict::Replace) {
            self.host().counters.replacement();
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
        name: &Name,
        distrusted: Vec<Name>,
        again: bool,
    ) -> (Arc<Entry>, Duration) {
        let opening = self.opener.open(name, distrusted, again).await;
        let age = self.options.revalidate_after;
        let entry = Entry::new(opening.outcome, self.now(), &self.failed);
        let age = millis(entry.age(age));
        // A name that leads to nothing costs one look, and is not spread.
        let first = if entry.outcome.is_ok() { self.spread.first(age) } else { age };
        entry.first_due(first, self.media_period(&entry));
        (Arc::new(entry), opening.took)
    }

    /// Milliseconds until the next check of the files of an entry.
    fn period(&self, entry: &Entry) -> u64 {
        let age = millis(entry.age(self.options.revalidate_after));
        if entry.outcome.is_ok() { self.spread.next(age) } else { age }
    }

    /// Milliseconds until the next check of its media files.
    fn media_period(&self, entry: &Entry) -> u64 {
        self.options.media_after.map_or(0, |age| self.spread.next(millis(entry.age(age))))
    }

    /// Asks the store for the name under which a presentation is stored.
    async fn stored_name(&self, name: &Name) -> Option<Name> {
        let is_bare = self.opener.opens_bare_mp4();
        self.spellings.stored(&self.opener.shared().access, name, is_bare, self.clock.now()).await
    }

    fn host(&self) -> &Host {
        &self.opener.shared().access.host
    }

    /// Milliseconds of the origin's clock.
    fn now(&self) -> u64 {
        millis(self.clock.now())
    }
}

/// The decision about a new opening.
enum Verdict {
    /// It is served.
    Replace,
    /// The earlier opening continues to be served. `news` says why, the first time that this is found.
    Wait { news: Option<String> },
    /// A file changed a moment ago: the version that was opened before continues to be served, as
    /// far as its files are intact, until this time in milliseconds of the origin's clock.
    Settle { until: u64 },
}
