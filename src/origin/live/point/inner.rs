//! The part of a publishing point that is locked: what comes of each step goes to its files, its journal and its snapshot.

use std::sync::Arc;

use super::fit::Fit;
use crate::base::{FileId, Name};
use crate::live::journal::{ArchiveWrite, Journal};
use crate::live::{LiveEvent, Moment, PublishingPoint};
use crate::origin::live::archiving::{Archiving, Task};
use crate::origin::live::held::HeldFile;
use crate::origin::live::showing::Next;
use crate::origin::live::shown::EventFiles;
use crate::presentation::Presentation;

/// The part of a publishing point that is locked.
pub(super) struct Inner {
    pub(super) point: PublishingPoint,
    /// The writer of the archive's journal.
    pub(super) journal: Option<Journal>,
    pub(super) files: EventFiles,
    /// Number and files of the event before, until a snapshot of this one is shown.
    pub(super) ended: Option<(u64, EventFiles)>,
    /// Files that were begun, to tell their versions apart.
    pub(super) begun: u64,
    /// Number of the event.
    pub(super) number: u64,
    /// Bytes that the snapshots to come need no more.
    pub(super) forgets: Vec<(FileId, u64)>,
    /// The host has taken the point away: a later one of its name is not stopped.
    pub(super) is_removed: bool,
    /// The newest snapshot that is shown or waits for the archive.
    pub(super) newest: Option<Arc<Presentation>>,
    pub(super) fit: Fit,
}

impl Inner {
    /// Has the journal know whether the point is stopped. Returns whether that is new to it.
    pub(super) fn note(&mut self) -> bool {
        let (is_shut, is_removed) = (self.point.is_shut(), self.is_removed);
        self.journal.as_mut().is_some_and(|journal| journal.note(is_shut, is_removed))
    }

    /// Takes over bytes that were published. Returns how many fragments they are.
    pub(super) fn carry_out(
        &mut self,
        events: &[LiveEvent],
        archiving: Option<&Archiving>,
        now: Moment,
    ) -> u64 {
        let mut fragments = 0;
        for event in events {
            match event {
                LiveEvent::Began { number, .. } => self.begin_event(*number),
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
            let writes = journal.take(events, live.map(|live| live.epoch), now);
            for write in writes {
                archiving.add(self.task(write));
            }
        }
        fragments
    }

    /// Returns the task that a write to the archive is.
    fn task(&self, write: ArchiveWrite) -> Task {
        if let ArchiveWrite::Append { name, offset, bytes } = &write
            && let Some(file) = self.all_files().find(|file| file.name() == name)
        {
            return Task::Append { file: file.clone(), offset: *offset, bytes: bytes.clone() };
        }
        match write {
            ArchiveWrite::Close { record } => {
                // Another event may have begun at the same time.
                let files = self.files_of(record.number());
                let files = files.map(|files| files.iter().cloned().collect()).unwrap_or_default();
                Task::Close { record, files }
            }
            write => Task::Other(write),
        }
    }

    /// Begins an event. What players still take of the one before stays as long as they do.
    fn begin_event(&mut self, number: u64) {
        let files = std::mem::replace(&mut self.files, EventFiles::new());
        let ended = (std::mem::replace(&mut self.number, number), files);
        // One of which nothing was published is not shown.
        if ended.1.iter().next().is_some() {
            self.ended = Some(ended);
        }
        self.forgets.clear();
    }

    /// The files of an event: of this one, or of the one before.
    fn files_of(&self, number: u64) -> Option<&EventFiles> {
        let ended = self.ended.as_ref().filter(|(of, _)| *of == number).map(|(_, files)| files);
        if number == self.number { Some(&self.files) } else { ended }
    }

    fn all_files(&self) -> impl Iterator<Item = &HeldFile> {
        let ended = self.ended.iter().flat_map(|(_, files)| files.iter());
        self.files.iter().chain(ended)
    }

    /// Begins a file.
    fn begin_file(&mut self, id: FileId, name: &Name) {
        self.begun += 1;
        let version = u128::from(self.files.opening) << 64 | u128::from(self.begun);
        self.files.put(id, HeldFile::new(name.clone(), version));
    }

    /// Returns the newest snapshot, if it is another one than before. It is to be shown when the archive has `after` writes.
    pub(super) fn next(&mut self, after: u64, now: Moment) -> Option<Next> {
        let snapshot = self.point.snapshot()?;
        if self.newest.as_ref().is_some_and(|newest| Arc::ptr_eq(newest, snapshot)) {
            return None;
        }
        let (presentation, number) = (Arc::clone(snapshot), self.point.snapshot_of());
        self.newest = Some(Arc::clone(snapshot));
        let forgets = std::mem::take(&mut self.forgets).into_iter();
        let forgets =
            forgets.filter_map(|(id, before)| Some((self.files.get(id)?.clone(), before)));
        let forgets = forgets.collect();
        let files = self.files_of(number).unwrap_or(&self.files).clone();
        let (snapshot, made) = (self.point.published(), now.monotonic);
        Some(Next { presentation, files, number, snapshot, made, forgets, after })
    }

    /// Has the files of the event before go, if the snapshot that is shown is one of this event.
    pub(super) fn has_shown(&mut self, number: u64) {
        if number == self.number {
            self.ended = None;
        }
    }

    /// Bytes of memory: media, fragments that are held back, bodies that arrive, and headers.
    pub(super) fn memory(&self) -> u64 {
        self.media().saturating_add(self.point.memory())
    }

    /// Bytes of media in the window, and of the film that is shown until the event has something to show.
    pub(super) fn media(&self) -> u64 {
        self.all_files().map(HeldFile::memory).sum()
    }
}
