//! A presentation with its files, as they were when it was opened.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::stream::{StreamExt, iter};

use super::drive::AT_ONCE;
use super::handles::Handles;
use crate::base::{FileId, Name, ReadError, ReadErrorKind};
use crate::presentation::Presentation;
use crate::storage::{AnyStore, Source, Stat, Version};

/// An opened presentation and the versions of its files: what is read through it is what was
/// opened, or an error.
pub struct Opened {
    presentation: Arc<Presentation>,
    files: Files,
    /// A file is known to have changed.
    stale: AtomicBool,
}

/// The files of one opening, by id.
pub(super) struct Files {
    number: u64,
    store: AnyStore,
    handles: Arc<Handles>,
    /// Names and versions, as far as they were opened.
    list: Vec<Option<(Name, Result<Version, ReadErrorKind>)>>,
}

type Looking<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

impl Files {
    pub(super) fn new(store: AnyStore, handles: Arc<Handles>) -> Self {
        static OPENINGS: AtomicU64 = AtomicU64::new(0);
        let number = OPENINGS.fetch_add(1, Ordering::Relaxed);
        Self { number, store, handles, list: Vec::new() }
    }

    /// Opens a file, in whatever version lies there.
    pub(super) async fn open(&self, name: &Name) -> Result<(Source, Stat), ReadError> {
        let source = self.store.open(name).await?;
        let stat = source.stat().await?;
        Ok((source, stat))
    }

    /// Keeps what came of opening a file for the first time.
    pub(super) fn keep(
        &mut self,
        file: FileId,
        name: Name,
        opened: Result<(Source, Version), ReadErrorKind>,
    ) {
        let len = self.list.len().max(file.index() + 1);
        self.list.resize(len, None);
        let version = opened.map(|(source, version)| {
            self.handles.put(self.number, file, source);
            version
        });
        self.list[file.index()] = Some((name, version));
    }

    /// Keeps that a file which was opened could not be read: it is worth another try.
    pub(super) fn failed(&mut self, file: FileId, why: ReadErrorKind) {
        if let Some(Some((_, version))) = self.list.get_mut(file.index()) {
            *version = Err(why);
        }
    }

    /// A file that was opened before: still open, or opened again in the same version.
    pub(super) async fn source(&self, file: FileId) -> Result<Source, ReadError> {
        if let Some(source) = self.handles.get(self.number, file) {
            return Ok(source);
        }
        let Some(Some((name, Ok(version)))) = self.list.get(file.index()) else {
            return Err(ReadError::new(ReadErrorKind::Gone));
        };
        let (source, stat) = self.open(name).await?;
        if stat.version != *version {
            // It must not be kept: the next reader would not compare again.
            return Err(ReadError::new(ReadErrorKind::Changed));
        }
        self.handles.put(self.number, file, source.clone());
        Ok(source)
    }

    /// Whether a name stands for something else than when it was opened.
    pub(super) async fn have_changed(&self) -> bool {
        let looks: Vec<Looking<'_>> =
            self.list.iter().flatten().map(|file| Box::pin(self.is_same(file)) as _).collect();
        let looks = iter(looks).buffer_unordered(AT_ONCE);
        looks.any(|same| std::future::ready(!same)).await
    }

    async fn is_same(&self, (name, known): &(Name, Result<Version, ReadErrorKind>)) -> bool {
        let now = self.open(name).await.map(|(_, stat)| stat.version);
        match (&now, known) {
            (Ok(now), Ok(known)) => now == known,
            // What could not be read for some passing reason is worth another try.
            (Err(now), Err(known)) => now.kind == *known && *known != ReadErrorKind::Transient,
            // It was there, and cannot be looked at just now: that is no change.
            (Err(now), Ok(_)) => now.kind == ReadErrorKind::Transient,
            (Ok(_), Err(_)) => false,
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for index in 0..self.list.len() {
            self.handles.close(self.number, FileId::new(index as u32));
        }
    }
}

impl Opened {
    pub(super) fn new(presentation: Presentation, files: Files) -> Self {
        Self { presentation: Arc::new(presentation), files, stale: AtomicBool::new(false) }
    }

    /// The presentation.
    pub fn presentation(&self) -> &Arc<Presentation> {
        &self.presentation
    }

    /// A file of the presentation, in the version that was opened.
    pub(super) async fn source(&self, file: FileId) -> Result<Source, ReadError> {
        self.files.source(file).await
    }

    pub(super) async fn has_changed(&self) -> bool {
        self.files.have_changed().await
    }

    /// A file is known to have changed: the presentation is opened again for the next request.
    pub(super) fn set_stale(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    /// It goes on being served, though a file has changed.
    pub(super) fn forget_stale(&self) {
        self.stale.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("presentation", &self.presentation).finish_non_exhaustive()
    }
}
