//! The way of an event's bytes into its archive: in the order in which they were published.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::lock::{Mutex as Turn, MutexGuard as MutexTurn};

use super::film::Film;
use super::held::HeldFile;
use super::memory::{Budget, Pressure};
use super::recovery;
use crate::base::Name;
use crate::live::journal::{ArchiveWrite, PointRecord};
use crate::origin::offload::Offload;
use crate::storage::{AnyArchive, Archive};

/// The archive of a publishing point, and what is still to be written.
#[derive(Debug)]
pub(super) struct Archiving {
    archive: AnyArchive,
    /// Bytes of each file that stay in memory though the archive has them.
    memory_per_file: u64,
    /// The memory of all points: if it is short, nothing stays that the archive has.
    budget: Arc<Budget>,
    queue: Mutex<Queue>,
    /// One writes at a time: whoever waits finds its bytes written.
    turn: Turn<()>,
    film: Film,
    /// Films that are to be made, beside the writes.
    due: Mutex<Vec<DueFilm>>,
    /// One film is made at a time.
    films: Turn<()>,
    /// The last write that failed.
    failed: Mutex<Option<Failed>>,
}

/// A write that failed.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) error: Arc<str>,
    pub(super) at: Duration,
    /// The archive has taken everything since.
    pub(super) is_past: bool,
}

/// The writes that are still to be made, in order.
#[derive(Debug, Default)]
struct Queue {
    tasks: VecDeque<Task>,
    /// Number of tasks that were ever added.
    added: u64,
    /// Bytes that the tasks write.
    bytes: u64,
    /// Those of them that are in no file in memory.
    apart: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Task {
    /// Bytes of a file whose newest bytes are in memory.
    Append {
        file: HeldFile,
        offset: u64,
        bytes: Bytes,
    },
    /// An event has ended, and its film may be made from now on. The newest bytes of these files are in memory.
    Close {
        record: Box<PointRecord>,
        files: Vec<HeldFile>,
    },
    Other(ArchiveWrite),
}

/// The film of an event that has ended, which is to be made.
#[derive(Clone, Debug)]
pub(super) struct DueFilm {
    record: PointRecord,
    files: Vec<HeldFile>,
    tries: Tries,
}

/// A film that was due, and is not any more.
#[derive(Debug)]
pub(super) struct MadeFilm {
    /// Number of its event.
    pub(super) number: u64,
    /// Its server manifest. `None` if nothing was published.
    pub(super) film: io::Result<Option<Name>>,
}

/// How often it was tried to make a film.
#[derive(Clone, Debug, Default)]
struct Tries {
    count: u32,
    /// Time of the next one, and why the last one failed.
    next: Duration,
    failed: Option<(io::ErrorKind, String)>,
}

/// Time between two tries, at first and at most.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Archiving {
    pub(super) fn new(archive: AnyArchive, memory_per_file: u64, budget: Arc<Budget>) -> Self {
        Self {
            archive,
            memory_per_file,
            budget,
            queue: Mutex::default(),
            turn: Turn::new(()),
            film: Film::default(),
            due: Mutex::default(),
            films: Turn::new(()),
            failed: Mutex::default(),
        }
    }

    /// Adds something to be written after all before it.
    pub(super) fn add(&self, task: Task) {
        let mut queue = self.queue();
        queue.bytes += task.len();
        queue.apart += task.apart();
        queue.tasks.push_back(task);
        queue.added += 1;
    }

    /// Number of writes that were added so far.
    pub(super) fn added(&self) -> u64 {
        self.queue().added
    }

    /// Number of writes that the archive has.
    pub(super) fn written(&self) -> u64 {
        let queue = self.queue();
        queue.added - queue.tasks.len() as u64
    }

    /// Bytes that are still to be written.
    pub(super) fn waiting(&self) -> u64 {
        self.queue().bytes
    }

    /// Bytes of memory that wait to be written and are in no file in memory.
    pub(super) fn memory(&self) -> u64 {
        self.queue().apart
    }

    /// Returns whether the last write failed, and nothing was written since.
    pub(super) fn is_failing(&self) -> bool {
        self.lock_failed().as_ref().is_some_and(|failed| !failed.is_past)
    }

    /// A write failed.
    pub(super) fn has_failed(&self, error: &io::Error, now: Duration) {
        let failed = Failed { error: error.to_string().into(), at: now, is_past: false };
        *self.lock_failed() = Some(failed);
    }

    /// The archive has everything.
    pub(super) fn has_written(&self) {
        if let Some(failed) = &mut *self.lock_failed() {
            failed.is_past = true;
        }
    }

    /// The last write that failed.
    pub(super) fn last_failed(&self) -> Option<Failed> {
        self.lock_failed().clone()
    }

    /// The film of the newest event that has ended.
    pub(super) fn film(&self) -> &Film {
        &self.film
    }

    /// Writes everything that was added before this call. What fails is the first to be written by the next
    /// call, and so is what a dropped future has begun. Films are [made](Self::make) beside it. `is_written` is told of each write
    /// that the archive has.
    pub(super) async fn write(&self, is_written: impl Fn()) -> io::Result<()> {
        if self.queue().tasks.is_empty() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        loop {
            let Some(task) = self.queue().tasks.front().cloned() else { return Ok(()) };
            match &task {
                Task::Append { file, offset, bytes } => {
                    self.archive.append(file.name(), *offset, bytes.clone()).await?;
                    if !file.is_archived() {
                        file.archived_in(self.archive.open(file.name()).await?);
                    }
                }
                Task::Close { record, files } => {
                    self.add_due((**record).clone(), files.clone());
                }
                Task::Other(write) => recovery::write(&self.archive, write).await?,
            }
            self.queue().pop();
            is_written();
            if let Task::Append { file, offset, bytes } = task {
                let most = match self.budget.pressure() {
                    Pressure::High | Pressure::Full => 0,
                    Pressure::Low | Pressure::Usual => self.memory_per_file,
                };
                file.forget_archived(offset + bytes.len() as u64, most);
            }
        }
    }

    /// Adds the film of the last event of this record, which has ended, to those that are to be made.
    pub(super) fn add_due(&self, record: PointRecord, files: Vec<HeldFile>) {
        let mut due = self.due();
        due.retain(|due| due.record.number() != record.number());
        due.push(DueFilm { record, files, tries: Tries::default() });
    }

    /// Returns whether films are to be made.
    pub(super) fn has_due(&self) -> bool {
        !self.due().is_empty()
    }

    /// Number of films that are to be made.
    pub(super) fn count_due(&self) -> usize {
        self.due().len()
    }

    /// Waits until no other film of the point is made.
    pub(super) async fn turn_of_films(&self) -> MutexTurn<'_, ()> {
        self.films.lock().await
    }

    /// Makes the first film that is due and was not tried a short time ago. `None` if there is none. One that cannot be made,
    /// whatever is tried, is not due any more; the event is left as it is. `then` says the time when it is made. Whoever
    /// calls it has the [turn](Self::turn_of_films).
    ///
    /// # Errors
    /// The film cannot be made now.
    pub(super) async fn make(
        &self,
        offload: &Offload,
        now: Duration,
        then: impl Fn() -> Duration,
    ) -> io::Result<Option<MadeFilm>> {
        let first = self.due().iter().find(|due| due.tries.wait(now).is_ok()).cloned();
        let Some(DueFilm { record, files, .. }) = first else { return Ok(None) };
        let number = record.number();
        let film = recovery::close(&self.archive, &record, offload).await;
        let film = match film {
            Ok(None) if files.iter().any(HeldFile::has_media) => Err(nothing_left()),
            film => film,
        };
        if let Err(error) = &film
            && error.kind() != io::ErrorKind::InvalidData
        {
            let mut due = self.due();
            if let Some(due) = due.iter_mut().find(|due| due.record.number() == number) {
                due.tries.fail(error, now);
            }
            drop(due);
            return film.map(|_| None);
        }
        if let Ok(Some(film)) = &film {
            self.film.set(number, film.clone(), then());
        }
        if film.is_ok() {
            // The archive has all of them, and the origin answers from there.
            files.iter().for_each(|file| file.forget_archived(file.size(), 0));
        }
        self.due().retain(|due| due.record.number() != number);
        Ok(Some(MadeFilm { number, film }))
    }

    /// Returns why the films that are due could not be made.
    pub(super) fn failure(&self) -> Option<io::Error> {
        let due = self.due();
        let (kind, why) = due.iter().find_map(|due| due.tries.failed.clone())?;
        Some(io::Error::new(kind, why))
    }

    fn due(&self) -> MutexGuard<'_, Vec<DueFilm>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_failed(&self) -> MutexGuard<'_, Option<Failed>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn pop(&mut self) {
        if let Some(task) = self.tasks.pop_front() {
            self.bytes -= task.len();
            self.apart -= task.apart();
        }
    }
}

impl Task {
    /// Bytes to be written.
    fn len(&self) -> u64 {
        match self {
            Self::Append { bytes, .. } => bytes.len() as u64,
            Self::Close { .. } => 0,
            Self::Other(write) => write.len(),
        }
    }

    /// Bytes to be written that are in no file in memory.
    fn apart(&self) -> u64 {
        match self {
            Self::Append { .. } | Self::Close { .. } => 0,
            Self::Other(write) => write.len(),
        }
    }
}

impl Tries {
    /// Fails as the last try did, as long as the pause goes on.
    fn wait(&self, now: Duration) -> io::Result<()> {
        match &self.failed {
            Some((kind, why)) if now < self.next => Err(io::Error::new(*kind, why.clone())),
            _ => Ok(()),
        }
    }

    fn fail(&mut self, error: &io::Error, now: Duration) {
        let pause = PAUSE.saturating_mul(1 << self.count.min(8)).min(LONGEST_PAUSE);
        self.count = self.count.saturating_add(1);
        self.next = now.saturating_add(pause);
        self.failed = Some((error.kind(), error.to_string()));
    }
}

/// The archive has nothing of an event that was published. No other try would find more.
fn nothing_left() -> io::Error {
    let why = "no film: the event was published, and its files or its journal are not in the archive any more";
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Name;
    use crate::origin::block_on;
    use crate::storage::{MemoryArchive, RangeSource, Source};

    /// An archive that fails once.
    struct FailsOnce(MemoryArchive, Mutex<bool>);

    impl Archive for FailsOnce {
        async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
            if std::mem::take(&mut *self.1.lock().unwrap()) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.append(name, offset, bytes).await
        }

        async fn finish(&self, name: &Name) -> io::Result<()> {
            self.0.finish(name).await
        }

        async fn open(&self, name: &Name) -> io::Result<Source> {
            self.0.open(name).await
        }

        async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
            self.0.put(name, content).await
        }
    }

    /// An archive that cannot read journals.
    struct Unreadable(MemoryArchive);

    impl Archive for Unreadable {
        async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
            self.0.append(name, offset, bytes).await
        }

        async fn finish(&self, name: &Name) -> io::Result<()> {
            self.0.finish(name).await
        }

        async fn open(&self, name: &Name) -> io::Result<Source> {
            match name.as_str() == "news.journal" {
                true => Err(io::Error::other("a part is missing")),
                false => self.0.open(name).await,
            }
        }

        async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
            self.0.put(name, content).await
        }
    }

    #[test]
    fn a_film_that_cannot_be_made_holds_up_neither_writes_nor_other_films() {
        let archive = AnyArchive::new(Unreadable(MemoryArchive::new()));
        let archiving = Archiving::new(archive, 0, Budget::new(u64::MAX));
        let record = |number| {
            let mut record = PointRecord::new(Name::new("news.isml").unwrap());
            record.pass(number);
            Box::new(record)
        };
        archiving.add(Task::Close { record: record(1), files: Vec::new() });
        let (name, bytes) = (Name::new("next.ismv").unwrap(), Bytes::from("next"));
        archiving.add(Task::Other(ArchiveWrite::Append { name, offset: 0, bytes }));
        archiving.add(Task::Close { record: record(2), files: Vec::new() });
        block_on(archiving.write(|| ())).unwrap();
        assert_eq!(archiving.waiting(), 0);
        let make = |seconds| {
            let now = Duration::from_secs(seconds);
            block_on(archiving.make(&Offload::default(), now, || now))
        };
        // Of the second event, there is no journal that cannot be read.
        assert!(make(0).is_err());
        let made = make(0).unwrap().unwrap();
        assert_eq!((made.number, made.film.unwrap()), (2, None));
        // The first one is never given up, with longer and longer pauses.
        let tries: Vec<_> = (1..400).filter(|&seconds| make(seconds).is_err()).collect();
        assert_eq!(tries, [2, 6, 14, 30, 62, 122, 182, 242, 302, 362]);
        assert!(archiving.has_due() && archiving.failure().is_some());
    }

    #[test]
    fn an_event_of_which_the_archive_has_nothing_any_more_is_no_event_without_fragments() {
        let archive = AnyArchive::new(MemoryArchive::new());
        let archiving = Archiving::new(archive, 0, Budget::new(u64::MAX));
        let file = HeldFile::new(Name::new("video.ismv").unwrap(), 1);
        for (number, part) in (1..).zip(["head", "fragment"]) {
            assert!(file.append(file.size(), part.into()));
            let mut record = PointRecord::new(Name::new("news.isml").unwrap());
            record.pass(number);
            archiving.add_due(record, vec![file.clone()]);
            let zero = Duration::ZERO;
            let made = block_on(archiving.make(&Offload::default(), zero, || zero));
            let film = made.unwrap().unwrap().film;
            let kind = film.map_err(|error| error.kind());
            let expected = [Ok(None), Err(io::ErrorKind::InvalidData)];
            assert_eq!(kind, expected[number as usize - 1]);
            assert!(!archiving.has_due());
        }
    }

    #[test]
    fn what_fails_is_written_by_the_next_call_and_in_order() {
        let archive = MemoryArchive::new();
        let failing = FailsOnce(archive.clone(), Mutex::new(true));
        let archiving = Archiving::new(AnyArchive::new(failing), 0, Budget::new(u64::MAX));
        let file = HeldFile::new(Name::new("video.ismv").unwrap(), 1);
        for part in ["head", "one", "two"] {
            let (offset, bytes) = (file.size(), Bytes::from(part));
            assert!(file.append(offset, bytes.clone()));
            archiving.add(Task::Append { file: file.clone(), offset, bytes });
        }
        assert!(block_on(archiving.write(|| ())).is_err());
        assert_eq!((archiving.waiting(), file.memory()), (10, 10));
        block_on(archiving.write(|| ())).unwrap();
        assert_eq!((archiving.waiting(), file.memory()), (0, 4));
        assert_eq!(block_on(file.read(0..10)).unwrap(), "headonetwo");
    }
}
