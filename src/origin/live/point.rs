//! One publishing point: its state, the bytes that it holds, and the snapshot that players get.

mod delivery;
mod films;
mod fit;
mod inner;
mod notices;
mod recovered;
mod writes;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

pub use delivery::{ArchiveFailure, ArchiveStatus, Delivery};
pub use notices::PastNotice;

use fit::{Fit, no_memory};
use inner::Inner;
use notices::Notices;

use super::archiving::{Archiving, Task};
use super::memory::{Pressure, Share};
use super::options::LiveOptions;
use super::showing::Showing;
use super::shown::EventFiles;
use super::signal::{Closed, Signal};
use crate::base::{Error, Name};
use crate::live::journal::Journal;
use crate::live::{Moment, PointOptions, PointState, PointStatus, PublishingPoint, PushId};
use crate::origin::Opened;
use crate::origin::host::Host;
use crate::origin::read::Shared;
use crate::presentation::Presentation;

/// A publishing point with the bytes that encoders have pushed to it.
///
/// [`LivePoints`](super::LivePoints) creates it.
pub struct LivePoint {
    name: Name,
    host: Arc<RwLock<Arc<Host>>>,
    inner: Mutex<Inner>,
    showing: Showing,
    archiving: Option<Archiving>,
    pushes: Mutex<HashMap<PushId, Arc<Signal>>>,
    memory: Share,
    notices: Mutex<Notices>,
    /// The process ends: nothing more is taken.
    is_suspended: AtomicBool,
}

impl LivePoint {
    pub(super) fn new(
        name: Name,
        point: PointOptions,
        options: &LiveOptions,
        host: Arc<RwLock<Arc<Host>>>,
    ) -> Self {
        let point = point.archived(options.archive.is_some());
        Self::of(PublishingPoint::new(name, point), None, options, host)
    }

    fn of(
        point: PublishingPoint,
        journal: Option<Journal>,
        options: &LiveOptions,
        host: Arc<RwLock<Arc<Host>>>,
    ) -> Self {
        let (name, archive) = (point.name().clone(), options.archive.clone());
        let new = archive.is_some().then(|| Journal::new(&name));
        let mut journal = journal.or(new);
        if let Some(journal) = &mut journal {
            journal.keep_in_memory(options.held_in_memory);
        }
        let memory = Share::new(Arc::clone(&options.budget));
        let archiving = archive.map(|archive| {
            let budget = Arc::clone(&options.budget);
            Archiving::new(archive, options.memory_per_file, budget)
        });
        let window = point.window();
        Self {
            inner: Mutex::new(Inner {
                point,
                journal,
                files: EventFiles::new(),
                ended: None,
                begun: 0,
                number: 0,
                forgets: Vec::new(),
                is_removed: false,
                newest: None,
                fit: Fit::of(window),
            }),
            host,
            showing: Showing::default(),
            archiving,
            name,
            pushes: Mutex::default(),
            memory,
            notices: Mutex::default(),
            is_suspended: AtomicBool::new(false),
        }
    }

    /// The name of the point, which ends in `.isml`.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The state of the point.
    pub fn state(&self) -> PointState {
        self.inner().point.state()
    }

    /// Streams, encoders and numbers of the point, for the operator.
    pub fn status(&self) -> PointStatus {
        self.inner().point.status()
    }

    /// The snapshot that players get: the newest one, or with an archive the newest one of which it has everything. `None` before
    /// the first fragment is published.
    pub fn presentation(&self) -> Option<Arc<Presentation>> {
        self.showing.presentation()
    }

    /// Returns whether no event has begun, and the operator has not stopped it.
    #[cfg(feature = "http")]
    pub(super) fn is_unused(&self) -> bool {
        let status = self.status();
        status.state == PointState::Idle && status.number == 0
    }

    /// Streams, in lower case, of which an encoder has brought headers, also to an earlier process.
    #[cfg(feature = "http")]
    pub(crate) fn known_streams(&self, event: Option<&str>, encoder: &str) -> Vec<String> {
        self.inner().point.known_streams(event, encoder)
    }

    /// Returns whether an encoder has brought the header of a stream, also to an earlier process.
    #[cfg(feature = "http")]
    pub(crate) fn knows_stream(&self, event: Option<&str>, stream: &str, encoder: &str) -> bool {
        self.inner().point.knows_stream(event, stream, encoder)
    }

    /// The pushes of an encoder to some streams that run.
    #[cfg(feature = "http")]
    pub(crate) fn pushes_of(
        &self,
        event: Option<&str>,
        streams: &[String],
        encoder: &str,
    ) -> Vec<PushId> {
        self.inner().point.pushes_of(event, streams, encoder)
    }

    /// Returns whether one of these pushes runs.
    #[cfg(feature = "http")]
    pub(crate) fn runs_any(&self, pushes: &[PushId]) -> bool {
        let inner = self.inner();
        pushes.iter().any(|push| inner.point.is_running(*push))
    }

    /// Bytes of memory that its media takes.
    pub fn memory(&self) -> u64 {
        self.inner().media()
    }

    /// Ends the event: what encoders have pushed is published, and the same URLs are a film. Pushes that
    /// run are ended, and none begins until [`start`](Self::start), also after a restart if there is an archive.
    pub fn stop(&self) {
        self.with(|point, now| point.stop(now));
        self.close_pushes(Closed::Stopped);
    }

    /// Ends the event, because the host takes the point away.
    pub(super) fn remove(&self) {
        self.inner().is_removed = true;
        self.stop();
    }

    /// Ends all pushes, and takes no more, because the process ends. With an archive the event does not end: the next
    /// process [goes on](super::LivePoints::recover) with it. Without one, it is [stopped](Self::stop).
    pub fn suspend(&self) {
        if self.archiving.is_none() {
            return self.stop();
        }
        self.is_suspended.store(true, Ordering::Release);
        self.close_pushes(Closed::Suspended);
        self.hold();
    }

    fn close_pushes(&self, why: Closed) {
        for signal in self.pushes().values() {
            signal.close(why);
        }
    }

    /// Lets encoders push again after a [stop](Self::stop).
    pub fn start(&self) {
        self.with(|point, now| point.start(now));
    }

    /// Sets how much of the event players can go back: `None` for everything. The manifests change at once.
    pub fn set_window(&self, window: Option<Duration>) {
        {
            let mut inner = self.inner();
            inner.fit = Fit::of(window);
        }
        self.with(|point, now| point.set_window(window, now));
    }

    /// Looks at the time: encoders that have been silent for long, and times that have passed. A host calls
    /// it about once a second.
    pub fn tick(&self) {
        self.with(|point, now| point.tick(now));
        self.write_held(|journal, now| journal.hold_long(now));
        self.measure();
        self.fit();
    }

    /// Begins a push.
    pub(super) fn open(
        &self,
        event: Option<&str>,
        stream: &str,
        encoder: &str,
    ) -> Result<(PushId, Arc<Signal>), Error> {
        if self.memory.budget().pressure() == Pressure::Full {
            return Err(no_memory());
        }
        self.check_waiting()?;
        let signal = Arc::<Signal>::default();
        // While the point is locked: nothing can close the push before its signal is there.
        let id = self.with(|point, now| {
            let id = point.begin(event, stream, encoder, now)?;
            self.pushes().insert(id, Arc::clone(&signal));
            Ok::<_, Error>(id)
        })?;
        if self.is_suspended.load(Ordering::Acquire) {
            signal.close(Closed::Suspended);
        }
        self.host().counters.live_push();
        Ok((id, signal))
    }

    /// Takes bytes of a push.
    pub(super) fn take(&self, push: PushId, bytes: &Bytes) -> Result<(), Error> {
        self.check_waiting()?;
        if self.memory.budget().pressure() >= Pressure::High {
            self.measure();
            self.fit();
            if self.memory.budget().pressure() == Pressure::Full {
                return Err(no_memory());
            }
        }
        self.memory.add(bytes.len() as u64);
        self.host().counters.live_bytes(bytes.len());
        self.with(|point, now| point.push(push, bytes, now))
    }

    pub(super) fn end_of(&self, push: PushId) -> Result<(), Error> {
        let ended = self.with(|point, now| point.end(push, now));
        self.hold();
        ended
    }

    pub(super) fn lose(&self, push: PushId) {
        self.with(|point, now| point.lost(push, now));
        self.hold();
    }

    pub(super) fn forget_push(&self, push: PushId) {
        self.pushes().remove(&push);
    }

    /// Closes pushes that another one has taken the place of.
    fn close_replaced(&self, point: &PublishingPoint) {
        let pushes = self.pushes();
        if pushes.len() <= point.running() {
            return;
        }
        for (push, signal) in &*pushes {
            if !point.is_running(*push) {
                signal.close(Closed::Replaced);
            }
        }
    }

    /// The newest snapshot, as an origin answers from it. `None` if it is a film that the archive has.
    pub(in crate::origin) fn opened(&self, shared: &Arc<Shared>) -> Option<Arc<Opened>> {
        if self.archiving.as_ref().is_some_and(|archiving| archiving.film().is_there()) {
            return None;
        }
        self.showing.opened(shared)
    }

    /// Has the point do something, and carries out what comes of it.
    fn with<T>(&self, act: impl FnOnce(&mut PublishingPoint, Moment) -> T) -> T {
        let host = self.host();
        let now = now(&host);
        let mut inner = self.inner();
        let acted = act(&mut inner.point, now);
        let events = inner.point.take_events();
        self.close_replaced(&inner.point);
        let is_noted = inner.note();
        if events.is_empty() && !is_noted {
            return acted;
        }
        let fragments = inner.carry_out(&events, self.archiving.as_ref(), now);
        if is_noted && let Some(archiving) = &self.archiving {
            let record =
                inner.journal.as_ref().and_then(|journal| journal.record_of_point().write());
            record.into_iter().for_each(|write| archiving.add(Task::Other(write)));
        }
        let added = self.archiving.as_ref().map_or(0, Archiving::added);
        if let Some(next) = inner.next(added, now) {
            self.showing.add(next);
            self.show_written();
        }
        inner.has_shown(self.showing.number());
        self.memory.set(self.memory_of(&inner));
        drop(inner);
        host.counters.live_fragments(fragments);
        // The host may ask the origin something: not while the lock is held.
        for event in &events {
            self.note(event, now);
            host.events.live(&self.name, event);
        }
        acted
    }

    /// Bytes of memory that count for the budget: with those that wait for the archive.
    fn memory_of(&self, inner: &Inner) -> u64 {
        let waiting = self.archiving.as_ref().map_or(0, Archiving::memory);
        inner.memory().saturating_add(waiting)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pushes(&self) -> MutexGuard<'_, HashMap<PushId, Arc<Signal>>> {
        self.pushes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(&self) -> Arc<Host> {
        host_of(&self.host)
    }
}

fn host_of(host: &RwLock<Arc<Host>>) -> Arc<Host> {
    Arc::clone(&host.read().unwrap_or_else(PoisonError::into_inner))
}

fn now(host: &Host) -> Moment {
    let wall = host.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment { monotonic: host.clock.now(), wall }
}

impl fmt::Debug for LivePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivePoint").field("name", &self.name).finish_non_exhaustive()
    }
}
