//! One publishing point: its state, the bytes that it holds, and the snapshot that players get.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::archiving::{Archiving, Task};
use super::held::HeldFile;
use super::options::LiveOptions;
use super::recovery;
use super::shown::{EventFiles, Shown};
use super::signal::{Closed, Signal};
use crate::base::{Error, ErrorKind, FileId, Limits, Name, ReadError, ReadErrorKind};
use crate::live::journal::{ArchiveWrite, Journal};
use crate::live::{
    LiveEvent, Moment, PointOptions, PointState, PointStatus, PublishingPoint, PushId,
};
use crate::origin::Opened;
use crate::origin::host::Host;
use crate::origin::read::Shared;
use crate::presentation::Presentation;
use crate::storage::Archive;

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
    /// What the archive gets to know.
    journal: Option<Journal>,
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
        Self::of(PublishingPoint::new(name, point), None, options, host)
    }

    /// Goes on with the event that the archive has.
    ///
    /// # Errors
    /// The archive cannot be read, or contradicts itself.
    pub(super) async fn recovered(
        name: Name,
        point: PointOptions,
        options: &LiveOptions,
        host: Arc<RwLock<Arc<Host>>>,
    ) -> Result<Self, Error> {
        let Some(archive) = &options.archive else {
            return Ok(Self::new(name, point, options, host));
        };
        let failed = |error: io::Error| {
            let source = Some(Arc::new(error));
            Error::from(ReadError { source, ..ReadError::new(ReadErrorKind::Transient) })
        };
        let found = recovery::recover(archive, &name, &Limits::default()).await.map_err(failed)?;
        let Some((restored, journal)) = found else {
            return Ok(Self::new(name, point, options, host));
        };
        let mut files = Vec::new();
        for (file, len) in restored.files() {
            let source = match len {
                0 => None,
                _ => Some(archive.open(file).await.map_err(failed)?),
            };
            files.push((file.clone(), len, source));
        }
        let heads: Vec<_> = restored.files.iter().map(|file| file.head.clone()).collect();
        let now = now(&host.read().unwrap_or_else(PoisonError::into_inner));
        let point = PublishingPoint::restored(name, point, restored, now)?;
        let live = Self::of(point, journal, options, host);
        {
            let mut inner = live.inner();
            for ((id, (name, len, source)), head) in (1..).zip(files).zip(heads) {
                let Some(source) = source else { continue };
                inner.begun += 1;
                let version = u128::from(inner.files.opening) << 64 | u128::from(inner.begun);
                let file = HeldFile::restored(name, version, head, len, source);
                inner.files.put(FileId::new(id), file);
            }
        }
        live.with(|_, _| ());
        Ok(live)
    }

    fn of(
        point: PublishingPoint,
        journal: Option<Journal>,
        options: &LiveOptions,
        host: Arc<RwLock<Arc<Host>>>,
    ) -> Self {
        let (name, archive) = (point.name().clone(), options.archive.clone());
        let new = archive.is_some().then(|| Journal::new(&name)).flatten();
        let memory = options.memory_per_file;
        Self {
            inner: Mutex::new(Inner {
                point,
                journal: journal.or(new),
                files: EventFiles::new(),
                begun: 0,
                forgets: Vec::new(),
                due: Vec::new(),
            }),
            host,
            shown: Shown::default(),
            archiving: archive.map(|archive| Archiving::new(archive, name.clone(), memory)),
            name,
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

    /// Begins a push.
    pub(super) fn open(
        &self,
        event: Option<&str>,
        stream: &str,
        encoder: &str,
    ) -> Result<(PushId, Arc<Signal>), Error> {
        let id = self.with(|point, now| point.begin(event, stream, encoder, now))?;
        let signal = Arc::<Signal>::default();
        self.pushes().insert(id, Arc::clone(&signal));
        self.host().counters.live_push();
        Ok((id, signal))
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
        let now = now(&host);
        let mut inner = self.inner();
        let acted = act(&mut inner.point, now);
        let events = inner.point.take_events();
        self.close_replaced(&inner.point);
        if events.is_empty() {
            return acted;
        }
        let fragments = inner.carry_out(&events, self.archiving.as_ref(), now);
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
    fn carry_out(
        &mut self,
        events: &[LiveEvent],
        archiving: Option<&Archiving>,
        now: Moment,
    ) -> u64 {
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
                    }
                }
                LiveEvent::Forget { file, before } => self.forgets.push((*file, *before)),
                _ => {}
            }
        }
        if let (Some(archiving), Some(journal)) = (archiving, &mut self.journal) {
            let live = self.point.snapshot().and_then(|snapshot| snapshot.live());
            for write in journal.take(events, live.map(|live| live.epoch), now) {
                archiving.add(task(write, &self.files));
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

/// Returns the task that a write to the archive is.
fn task(write: ArchiveWrite, files: &EventFiles) -> Task {
    if let ArchiveWrite::Append { name, offset, bytes } = &write
        && let Some(file) = files.iter().find(|file| file.name() == name)
    {
        return Task::Append { file: file.clone(), offset: *offset, bytes: bytes.clone() };
    }
    Task::Other(write)
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
