//! One publishing point: its state, the bytes that it holds, and the snapshot that players get.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::archiving::{Archiving, Task};
use super::held::HeldFile;
use super::options::LiveOptions;
use super::push::{Closed, Push, Signal};
use super::shown::{EventFiles, Shown};
use crate::base::{Error, ErrorKind, FileId, Name};
use crate::live::{
    LiveEvent, Moment, PointOptions, PointState, PointStatus, PublishingPoint, PushId,
};
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
    shown: Shown,
    archiving: Option<Archiving>,
    pushes: Mutex<HashMap<PushId, Arc<Signal>>>,
}

struct Inner {
    point: PublishingPoint,
    files: EventFiles,
    /// Files that were begun, to tell their versions apart.
    begun: u64,
    /// Bytes that the snapshots to come need no more.
    forgets: Vec<(FileId, u64)>,
    /// Those that the newest snapshot does not need. A request may have found its fragment in the snapshot
    /// before, so they are forgotten one snapshot later.
    due: Vec<(FileId, u64)>,
}

/// Bytes that may wait for the archive of one point before encoders have to wait, too.
const WAITING: u64 = 64 << 20;

impl LivePoint {
    pub(super) fn new(
        name: Name,
        point: PointOptions,
        options: &LiveOptions,
        host: Arc<RwLock<Arc<Host>>>,
    ) -> Self {
        let archive = options.archive.clone();
        Self {
            inner: Mutex::new(Inner {
                point: PublishingPoint::new(name.clone(), point),
                files: EventFiles::new(),
                begun: 0,
                forgets: Vec::new(),
                due: Vec::new(),
            }),
            name,
            host,
            shown: Shown::default(),
            archiving: archive.map(|archive| Archiving::new(archive, options.memory_per_file)),
            pushes: Mutex::default(),
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

    /// The newest snapshot; `None` before the first fragment is published.
    pub fn presentation(&self) -> Option<Arc<Presentation>> {
        self.shown.presentation()
    }

    /// Bytes of memory that its media takes.
    pub fn memory(&self) -> u64 {
        self.inner().files.iter().map(HeldFile::memory).sum()
    }

    /// Begins to take a body. `event` and `stream` are the identifiers of the URL, `encoder` is something
    /// by which two encoders of one stream differ, such as an address. A push of the same stream by the
    /// same encoder takes the place of an earlier one when it has brought a header of the same track: the
    /// connection of the earlier one may look open for a long time.
    ///
    /// # Errors
    /// The point takes no pushes now.
    pub fn begin(
        self: &Arc<Self>,
        event: Option<&str>,
        stream: &str,
        encoder: &str,
    ) -> Result<Push, Error> {
        let id = self.with(|point, now| point.begin(event, stream, encoder, now))?;
        let signal = Arc::<Signal>::default();
        self.pushes().insert(id, Arc::clone(&signal));
        self.host().counters.live_push();
        Ok(Push::new(Arc::clone(self), id, signal))
    }

    /// Ends the event: what encoders have pushed is published, and the same URLs are a film. Pushes that
    /// run are ended.
    pub fn stop(&self) {
        self.with(|point, now| point.stop(now));
        for signal in self.pushes().values() {
            signal.close(Closed::Stopped);
        }
    }

    /// Lets encoders push again after a [stop](Self::stop).
    pub fn start(&self) {
        self.with(|point, now| point.start(now));
    }

    /// Sets how much of the event players can go back: `None` for everything. The manifests change with the
    /// next fragment.
    pub fn set_window(&self, window: Option<Duration>) {
        self.with(|point, now| point.set_window(window, now));
    }

    /// Looks at the time: encoders that have been silent for long, and times that have passed. A host calls
    /// it about once a second.
    pub fn tick(&self) {
        self.with(|point, now| point.tick(now));
    }

    /// Waits until the archive has what was published, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] if the archive does not take it.
    pub async fn acknowledge(&self) -> Result<(), Error> {
        match self.write().await {
            true => Ok(()),
            false => Err(ErrorKind::Busy("the archive does not take what was published").into()),
        }
    }

    /// Waits until the archive has what was published. If it fails, encoders may go on for a while.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        let Some(archiving) = &self.archiving else { return Ok(()) };
        if self.write().await || archiving.waiting() <= WAITING {
            return Ok(());
        }
        Err(ErrorKind::Busy("too much waits for the archive").into())
    }

    async fn write(&self) -> bool {
        let Some(archiving) = &self.archiving else { return true };
        let written = archiving.write().await;
        if let Err(error) = &written {
            self.host().events.archive_failed(&self.name, error);
        }
        written.is_ok()
    }

    /// Takes bytes of a push.
    pub(super) fn take(&self, push: PushId, bytes: &Bytes) -> Result<(), Error> {
        self.host().counters.live_bytes(bytes.len());
        self.with(|point, now| point.push(push, bytes, now))
    }

    pub(super) fn end_of(&self, push: PushId) -> Result<(), Error> {
        self.with(|point, now| point.end(push, now))
    }

    pub(super) fn lose(&self, push: PushId) {
        self.with(|point, now| point.lost(push, now));
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

    /// The newest snapshot, as an origin answers from it.
    pub(in crate::origin) fn opened(&self, shared: &Arc<Shared>) -> Option<Arc<Opened>> {
        self.shown.opened(shared)
    }

    /// Has the point do something, and carries out what comes of it.
    fn with<T>(&self, act: impl FnOnce(&mut PublishingPoint, Moment) -> T) -> T {
        let host = self.host();
        let wall = host.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = Moment { monotonic: host.clock.now(), wall };
        let mut inner = self.inner();
        let acted = act(&mut inner.point, now);
        let events = inner.point.take_events();
        self.close_replaced(&inner.point);
        if events.is_empty() {
            return acted;
        }
        let fragments = inner.carry_out(&events, self.archiving.as_ref());
        inner.show(&self.shown);
        drop(inner);
        host.counters.live_fragments(fragments);
        // The host may ask the origin something: not while the lock is held.
        for event in &events {
            host.events.live(&self.name, event);
        }
        acted
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pushes(&self) -> MutexGuard<'_, HashMap<PushId, Arc<Signal>>> {
        self.pushes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(&self) -> Arc<Host> {
        Arc::clone(&self.host.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    /// Takes over bytes that were published. Returns how many fragments they are.
    fn carry_out(&mut self, events: &[LiveEvent], archiving: Option<&Archiving>) -> u64 {
        let mut fragments = 0;
        for event in events {
            match event {
                LiveEvent::Began { .. } => self.begin_event(),
                LiveEvent::Append { file, name, offset, bytes, .. } => {
                    if *offset == 0 {
                        self.begin_file(*file, name);
                    }
                    let Some(held) = self.files.get(*file) else { continue };
                    if held.append(*offset, bytes.clone()) {
                        fragments += u64::from(*offset > 0);
                        if let Some(archiving) = archiving {
                            let (file, bytes) = (held.clone(), bytes.clone());
                            archiving.add(Task::Append { file, offset: *offset, bytes });
                        }
                    }
                }
                LiveEvent::Forget { file, before } => self.forgets.push((*file, *before)),
                LiveEvent::State(PointState::Stopped) => {
                    if let Some(archiving) = archiving {
                        for file in self.files.iter() {
                            archiving.add(Task::Finish(file.clone()));
                        }
                    }
                }
                _ => {}
            }
        }
        fragments
    }

    /// Begins an event. What players still take of the one before stays as long as they do.
    fn begin_event(&mut self) {
        self.files = EventFiles::new();
        self.forgets.clear();
        self.due.clear();
    }

    /// Begins a file.
    fn begin_file(&mut self, id: FileId, name: &Name) {
        self.begun += 1;
        let version = u128::from(self.files.opening) << 64 | u128::from(self.begun);
        self.files.put(id, HeldFile::new(name.clone(), version));
    }

    /// Shows the snapshot, if it is another one than before.
    fn show(&mut self, shown: &Shown) {
        let before = shown.presentation();
        let Some(snapshot) = self.point.snapshot() else {
            if before.is_some() {
                shown.clear();
            }
            return;
        };
        if before.is_some_and(|before| Arc::ptr_eq(&before, snapshot)) {
            return;
        }
        shown.replace(Arc::clone(snapshot), &self.files);
        let due = std::mem::replace(&mut self.due, std::mem::take(&mut self.forgets));
        for (file, before) in due {
            if let Some(held) = self.files.get(file) {
                held.forget(before);
            }
        }
    }
}

impl fmt::Debug for LivePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivePoint").field("name", &self.name).finish_non_exhaustive()
    }
}
