//! A publishing point that another process writes, as the archive has it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::lock::Mutex as Turn;

use super::film::{Film, client_of, is_missing};
use super::held::HeldFile;
use super::shown::{EventFiles, Shown};
use crate::base::{Error, Limits, Name, ReadError, ReadErrorKind};
use crate::live::PointOptions;
use crate::live::journal::{Began, EventNames, Following, PointRecord};
use crate::origin::Opened;
use crate::origin::host::Host;
use crate::origin::read::Shared;
use crate::presentation::Presentation;
use crate::storage::timer::within;
use crate::storage::{AnyArchive, Archive, RangeSource};

/// A publishing point whose events another process writes. The archive is looked at while somebody asks for the
/// point, by one request at a time.
pub(super) struct FollowedPoint {
    name: Name,
    options: PointOptions,
    archive: AnyArchive,
    /// Time between two looks.
    every: Duration,
    host: Arc<RwLock<Arc<Host>>>,
    shown: Shown,
    film: Film,
    usage: Mutex<Usage>,
    state: Turn<State>,
}

/// How much the archive has of a point, in the order in which points are given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// No record of it.
    #[default]
    NotFound,
    /// An event that has ended.
    Ended,
    GoesOn,
}

#[derive(Clone, Copy, Default)]
struct Usage {
    phase: Phase,
    /// Time of the last look.
    asked: Duration,
    /// Time of the next look that needs no reason.
    due: Duration,
    /// Looks that have begun.
    begun: u64,
    /// Number of the last one that has ended.
    ended: u64,
    /// It failed.
    has_failed: bool,
}

#[derive(Default)]
struct State {
    event: Option<FollowedEvent>,
    /// Looks at the journal that were due and have found nothing.
    silent: u32,
    /// Time of the last look that ended well.
    looked: Duration,
}

struct FollowedEvent {
    following: Following,
    /// The beginning of the event, as the record of the point says it.
    began: Option<Began>,
    journal: Name,
    files: EventFiles,
    /// The next snapshot, until its files are open.
    next: Option<Arc<Presentation>>,
    /// Number of the event, and the server manifest of its film.
    number: u64,
    server: Name,
    /// The archive has the film: nothing follows.
    is_film: bool,
}

/// Looks that find nothing new, or the time of so many, before the record of the point is read again, and the journal is opened.
const SILENT: u32 = 10;
/// Time for which a request waits for a look, if there is nothing to show, or something. What was read by then stays
/// read.
const LONGEST: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(2);
/// Least time between two looks. Requests for what will never be there cause no more.
const LEAST: Duration = Duration::from_millis(50);
/// Bytes of a journal that are read at a time.
const READ: u64 = 4 << 20;

impl FollowedPoint {
    pub(super) fn new(
        name: Name,
        options: PointOptions,
        archive: AnyArchive,
        every: Duration,
        host: Arc<RwLock<Arc<Host>>>,
    ) -> Self {
        let (shown, film, state) = (Shown::default(), Film::default(), Turn::default());
        let asked = host.read().unwrap_or_else(PoisonError::into_inner).clock.now();
        let usage = Mutex::new(Usage { asked, ..Usage::default() });
        Self { name, options, archive, every, host, shown, film, usage, state }
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    /// Returns how much the archive has of it, and the time of the last look.
    pub(super) fn usage(&self) -> (Phase, Duration) {
        let usage = self.lock_usage();
        (usage.phase, usage.asked)
    }

    fn lock_usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest snapshot, if no look is due. `None` if it is a film that the archive has.
    pub(super) fn opened(&self, shared: &Arc<Shared>) -> Option<Arc<Opened>> {
        if self.is_due() { None } else { self.snapshot(shared) }
    }

    fn snapshot(&self, shared: &Arc<Shared>) -> Option<Arc<Opened>> {
        if self.film.is_there() { None } else { self.shown.opened(shared) }
    }

    /// The server manifest of the film that the archive has of the event, which has ended.
    pub(super) fn film(&self) -> Option<Name> {
        self.film.name()
    }

    /// Returns whether this is a file of the newest film.
    pub(super) fn has_film_of(&self, name: &Name) -> bool {
        self.film.has(name)
    }

    /// Time from which a film is known to be there, if this is the server manifest of the newest one.
    pub(super) fn film_since(&self, name: &str) -> Option<Duration> {
        self.film.since(name)
    }

    /// True if the next request is to look at the archive.
    pub(super) fn is_due(&self) -> bool {
        self.host().clock.now() >= self.lock_usage().due
    }

    /// True if the last look failed.
    fn has_failed(&self) -> bool {
        self.lock_usage().has_failed
    }

    /// Number of looks that have begun.
    pub(super) fn looks(&self) -> u64 {
        self.lock_usage().begun
    }

    /// Looks at the archive if that is due, and returns the newest snapshot. `None` if it is a film that the
    /// archive has. While a request looks, others get what there is.
    ///
    /// # Errors
    /// The archive cannot be read, and no snapshot was made of it before.
    pub(super) async fn look(&self, shared: &Arc<Shared>) -> Result<Option<Arc<Opened>>, Error> {
        let has_something = self.has_something();
        let mut state = match self.state.try_lock() {
            Some(state) => state,
            None if has_something => return Ok(self.snapshot(shared)),
            None => self.state.lock().await,
        };
        if !self.is_due() {
            return Ok(self.snapshot(shared));
        }
        let looked = self.look_now(&mut state).await;
        drop(state);
        if let Err(error) = looked {
            self.host().events.archive_failed(&self.name, &error);
            if !self.has_something() {
                let source = Some(Arc::new(error));
                return Err(ReadError { source, ..ReadError::new(ReadErrorKind::Transient) }.into());
            }
        }
        Ok(self.snapshot(shared))
    }

    /// Looks at the archive though that may not be due, for a request for something that is not there: another
    /// process that follows the point may have listed it. `looks` have begun before the request came. All requests
    /// that wait share the next look, which begins some time after the last one. Returns false if nothing was looked
    /// at, because the last look failed or does not end.
    pub(super) async fn look_again(&self, looks: u64) -> bool {
        let host = self.host();
        let mut turn = self.state.try_lock();
        // The look that runs now may end no better than the last one.
        if turn.is_none() && !self.has_failed() {
            turn = within(&*host.timer, PATIENCE, self.state.lock()).await;
        }
        let Some(mut state) = turn else { return false };
        let usage = *self.lock_usage();
        if usage.ended > looks {
            return true;
        }
        if usage.has_failed {
            return false;
        }
        let wait = LEAST.saturating_sub(host.clock.now().saturating_sub(usage.asked));
        if !wait.is_zero() {
            host.timer.sleep(wait).await;
        }
        let looked = self.look_now(&mut state).await;
        drop(state);
        if let Err(error) = looked {
            host.events.archive_failed(&self.name, &error);
        }
        true
    }

    /// Looks at the archive. Only a look that is due moves the time of the next one.
    async fn look_now(&self, state: &mut State) -> io::Result<()> {
        let host = self.host();
        let now = host.clock.now();
        let (number, is_due) = {
            let mut usage = self.lock_usage();
            (usage.asked, usage.begun) = (now, usage.begun + 1);
            (usage.begun, now >= usage.due)
        };
        let longest = if self.has_something() { PATIENCE } else { LONGEST };
        let looked = within(&*host.timer, longest, self.follow(state, is_due)).await;
        let looked = looked.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
        let phase = match &state.event {
            Some(event) if event.is_film || event.following.is_stopped() => Phase::Ended,
            Some(_) => Phase::GoesOn,
            None => Phase::NotFound,
        };
        let due = host.clock.now().saturating_add(self.every);
        let mut usage = self.lock_usage();
        (usage.phase, usage.ended, usage.has_failed) = (phase, number, looked.is_err());
        if is_due {
            usage.due = due;
        }
        looked
    }

    /// Returns whether there is a snapshot, or a film.
    fn has_something(&self) -> bool {
        self.shown.presentation().is_some() || self.film.is_there()
    }

    /// Takes what the archive has.
    async fn follow(&self, state: &mut State, is_due: bool) -> io::Result<()> {
        let now = self.host().clock.now();
        let is_late = now.saturating_sub(state.looked) >= self.every.saturating_mul(SILENT);
        let is_silent = state.silent >= SILENT || is_late;
        let goes_on = state.event.as_ref().is_some_and(|event| event.following.goes_on());
        let is_new = (!goes_on || is_silent) && self.look_for_event(state).await?;
        let Some(event) = &mut state.event else { return Ok(()) };
        if event.is_film {
            return Ok(());
        }
        let before = event.following.end();
        let is_thorough = is_new || is_silent;
        let read = self.read_journal(event, is_thorough).await;
        if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            event.following = Following::new(&self.name, &self.options);
            event.files = EventFiles::new();
            event.next = None;
        }
        read?;
        if event.following.has_film() {
            event.is_film = true;
            self.film.set(event.number, event.server.clone(), now);
            return Ok(());
        }
        let is_silent = event.following.end() == before && !is_thorough;
        state.silent = if is_silent { state.silent + u32::from(is_due) } else { 0 };
        for (file, name, range) in event.following.wanted() {
            let first = self.archive.open(&name).await?.read(range).await?;
            event.following.take_first(file, first);
        }
        for (file, name, range) in event.following.wanted_messages() {
            let read = async { self.archive.open(&name).await?.read(range.clone()).await };
            match read.await {
                Ok(bytes) => event.following.take_messages(file, &range, &bytes),
                // An event without some of its messages is better than none.
                Err(error) if is_missing(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error),
            }
        }
        state.looked = now;
        if let Some(presentation) = event.following.advance() {
            event.next = Some(Arc::new(presentation));
        }
        if event.next.is_none() {
            return Ok(());
        }
        for (id, name, head, len) in event.following.files() {
            let file = match event.files.get(id) {
                Some(file) => file.clone(),
                None => {
                    let version = u128::from(event.files.opening) << 64 | id.index() as u128;
                    let file = HeldFile::new(name.clone(), version);
                    file.append(0, head.clone());
                    event.files.put(id, file.clone());
                    file
                }
            };
            // Before its first fragment, a writer that begins again makes the file anew.
            if len > head.len() as u64 && !file.is_archived() {
                file.archived_in(self.archive.open(name).await?);
            }
            file.grow(len);
        }
        if let Some(next) = event.next.take() {
            self.shown.replace(next, &event.files);
            self.film.shows(event.number);
        }
        Ok(())
    }

    /// Reads the record of the point. Returns true if its last event is another one than before.
    async fn look_for_event(&self, state: &mut State) -> io::Result<bool> {
        let Some(record) = PointRecord::name_of(&self.name) else { return Ok(false) };
        let record = self.archive.follow(&record, 0).await?;
        if record.is_empty() {
            return Ok(false);
        }
        let record = PointRecord::read(&self.name, &record, &Limits::default()).map_err(invalid)?;
        let names = record.event_names();
        let Some(EventNames { journal, server, .. }) = names else { return Ok(false) };
        let known = state.event.as_mut().filter(|event| event.began == record.last);
        if known.as_ref().is_some_and(|event| event.is_film) {
            return Ok(false);
        }
        let (number, now) = (record.number(), self.host().clock.now());
        let film = match record.film() {
            Some(film) if self.is_whole(film).await? => Some(film.clone()),
            _ => None,
        };
        let is_film = record.is_ended() && film.as_ref() == Some(&server);
        match film {
            Some(film) if is_film => self.film.set(number, film, now),
            // The one that is shown until the event has published something.
            Some(film) => {
                let of = record.numbered_film().map_or(0, |(number, _)| number);
                self.film.set(of, film, now);
            }
            None if known.is_none() => self.film.clear(),
            None => {}
        }
        if let Some(known) = known {
            known.is_film = is_film;
            return Ok(false);
        }
        let following = Following::new(&self.name, &self.options);
        let (began, files, next) = (record.last, EventFiles::new(), None);
        state.event =
            Some(FollowedEvent { following, began, journal, files, next, number, server, is_film });
        Ok(true)
    }

    /// Returns whether the archive has a film, and not only the manifest of an event that goes on.
    async fn is_whole(&self, server: &Name) -> io::Result<bool> {
        if self.film.newest().as_ref() == Some(server) {
            return Ok(true);
        }
        let Some(client) = client_of(server) else { return Ok(false) };
        match self.archive.open(&client).await {
            Err(error) if is_missing(&error) => Ok(false),
            opened => opened.map(|_| true),
        }
    }

    /// Takes what is new in the journal. `is_thorough` if parts of it may have been joined.
    async fn read_journal(&self, event: &mut FollowedEvent, is_thorough: bool) -> io::Result<()> {
        loop {
            let bytes = self.archive.follow(&event.journal, event.following.end()).await?;
            if !take(event, &bytes)? {
                break;
            }
        }
        if !is_thorough {
            return Ok(());
        }
        let journal = match self.archive.open(&event.journal).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            journal => journal?,
        };
        let size = journal.stat().await?.size;
        loop {
            let from = event.following.end();
            let to = size.min(from.saturating_add(READ));
            if from >= to || !take(event, &journal.read(from..to).await?)? {
                return Ok(());
            }
        }
    }

    fn host(&self) -> Arc<Host> {
        Arc::clone(&self.host.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes bytes of the journal. Returns false if there is no whole record in them.
fn take(event: &mut FollowedEvent, bytes: &Bytes) -> io::Result<bool> {
    let before = event.following.end();
    event.following.take(bytes).map_err(invalid)?;
    Ok(event.following.end() > before)
}

fn invalid(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
