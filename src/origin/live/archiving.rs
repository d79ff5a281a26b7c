//! The way of an event's bytes into its archive: in the order in which they were published.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::lock::Mutex as Turn;

use super::held::HeldFile;
use super::recovery;
use crate::base::{Limits, Name};
use crate::live::journal::ArchiveWrite;
use crate::storage::{AnyArchive, Archive};

/// The archive of a publishing point, and what is still to be written.
#[derive(Debug)]
pub(super) struct Archiving {
    archive: AnyArchive,
    /// Name of the publishing point.
    point: Name,
    /// Bytes of each file that stay in memory though the archive has them.
    memory_per_file: u64,
    queue: Mutex<VecDeque<Task>>,
    /// One writes at a time: whoever waits finds its bytes written.
    turn: Turn<()>,
}

#[derive(Clone, Debug)]
pub(super) enum Task {
    /// Bytes of a file whose newest bytes are in memory.
    Append {
        file: HeldFile,
        offset: u64,
        bytes: Bytes,
    },
    Other(ArchiveWrite),
}

impl Archiving {
    pub(super) fn new(archive: AnyArchive, point: Name, memory_per_file: u64) -> Self {
        Self { archive, point, memory_per_file, queue: Mutex::default(), turn: Turn::new(()) }
    }

    /// Adds something to be written after all before it.
    pub(super) fn add(&self, task: Task) {
        self.queue().push_back(task);
    }

    /// Bytes that are still to be written.
    pub(super) fn waiting(&self) -> u64 {
        let bytes = |task: &Task| match task {
            Task::Append { bytes, .. } => bytes.len() as u64,
            Task::Other(write) => write.len(),
        };
        self.queue().iter().map(bytes).sum()
    }

    /// Writes everything that was added before this call. What fails is the first to be written by the next
    /// call, and so is what a dropped future has begun.
    pub(super) async fn write(&self) -> io::Result<()> {
        if self.queue().is_empty() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        loop {
            let Some(task) = self.queue().front().cloned() else { return Ok(()) };
            match &task {
                Task::Append { file, offset, bytes } => {
                    self.archive.append(file.name(), *offset, bytes.clone()).await?;
                    if !file.is_archived() {
                        file.archived_in(self.archive.open(file.name()).await?);
                    }
                }
                Task::Other(write) => {
                    let limits = Limits::default();
                    recovery::write(&self.archive, &self.point, write, &limits).await?;
                }
            }
            self.queue().pop_front();
            if let Task::Append { file, offset, bytes } = task {
                file.forget_archived(offset + bytes.len() as u64, self.memory_per_file);
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Task>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn what_fails_is_written_by_the_next_call_and_in_order() {
        let archive = MemoryArchive::new();
        let failing = FailsOnce(archive.clone(), Mutex::new(true));
        let archiving = Archiving::new(AnyArchive::new(failing), Name::new("a.isml").unwrap(), 0);
        let file = HeldFile::new(Name::new("video.ismv").unwrap(), 1);
        for part in ["head", "one", "two"] {
            let (offset, bytes) = (file.size(), Bytes::from(part));
            assert!(file.append(offset, bytes.clone()));
            archiving.add(Task::Append { file: file.clone(), offset, bytes });
        }
        assert!(block_on(archiving.write()).is_err());
        assert_eq!((archiving.waiting(), file.memory()), (10, 10));
        block_on(archiving.write()).unwrap();
        assert_eq!((archiving.waiting(), file.memory()), (0, 4));
        assert_eq!(block_on(file.read(0..10)).unwrap(), "headonetwo");
    }
}
