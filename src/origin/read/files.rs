//! The files of one opening, each in the version that was opened.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream::{StreamExt, iter};

use super::access::AT_ONCE;
use super::deadline::Deadline;
use super::key::Key;
use super::shared::Shared;
use crate::base::{FileId, Name, ReadError, ReadErrorKind};
use crate::storage::{Ends, Opening, Source, Stat, Version};

/// The files of one opening, by id.
pub(in crate::origin) struct Files {
    number: u64,
    shared: Arc<Shared>,
    /// Names and versions, as far as they were opened.
    list: Vec<Option<(Name, Result<Version, ReadErrorKind>)>>,
    /// Sources that stay at hand, of a live presentation: they are in memory, and cannot be opened again.
    /// Empty for all others.
    pinned: Vec<Option<Source>>,
    /// Time of the last change of any of them.
    pub(super) modified: Option<SystemTime>,
}

type Looking<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

impl Files {
    pub(in crate::origin) fn new(shared: Arc<Shared>) -> Self {
        Self::of_number(shared, Self::next_number())
    }

    /// The files of a live event, of which each snapshot is an opening of the same number.
    #[cfg(feature = "live")]
    pub(in crate::origin) fn pinned(shared: Arc<Shared>, number: u64) -> Self {
        Self::of_number(shared, number)
    }

    fn of_number(shared: Arc<Shared>, number: u64) -> Self {
        Self { number, shared, list: Vec::new(), pinned: Vec::new(), modified: None }
    }

    /// The number of another opening.
    pub(in crate::origin) fn next_number() -> u64 {
        static OPENINGS: AtomicU64 = AtomicU64::new(0);
        OPENINGS.fetch_add(1, Ordering::Relaxed)
    }

    /// Keeps a source that stays at hand as long as these files.
    #[cfg(feature = "live")]
    pub(in crate::origin) fn pin(
        &mut self,
        file: FileId,
        name: Name,
        version: Version,
        source: Source,
    ) {
        let len = self.list.len().max(file.index() + 1);
        self.list.resize(len, None);
        self.pinned.resize(len, None);
        self.list[file.index()] = Some((name, Ok(version)));
        self.pinned[file.index()] = Some(source);
    }

    /// A source that stays at hand.
    #[cfg(feature = "live")]
    pub(in crate::origin) fn pinned_source(&self, file: FileId) -> Option<&Source> {
        self.pinned.get(file.index())?.as_ref()
    }

    pub(in crate::origin) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Number of the opening, which no other has.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Keeps the outcome of opening a file for the first time. A file that is not found under its
    /// second name either keeps its first name.
    pub(in crate::origin) fn keep(
        &mut self,
        file: FileId,
        name: Name,
        opened: Result<(Source, Stat), ReadErrorKind>,
    ) {
        let is_known = self.list.get(file.index()).is_some_and(Option::is_some);
        if is_known && matches!(opened, Err(ReadErrorKind::Gone | ReadErrorKind::Denied)) {
            return;
        }
        let len = self.list.len().max(file.index() + 1);
        self.list.resize(len, None);
        let version = opened.map(|(source, stat)| {
            self.shared.handles.put(self.number, file, source);
            self.modified = self.modified.max(stat.modified);
            stat.version
        });
        self.list[file.index()] = Some((name, version));
    }

    /// Keeps the error of a file that was opened and could not be read: it is worth another try.
    pub(in crate::origin) fn failed(&mut self, file: FileId, why: ReadErrorKind) {
        if let Some(Some((_, version))) = self.list.get_mut(file.index()) {
            *version = Err(why);
        }
    }

    /// Returns a file that could not be read for a reason that may pass.
    pub(in crate::origin) fn unreadable(&self) -> Option<FileId> {
        let is_unreadable = |file: &Option<(Name, Result<Version, ReadErrorKind>)>| {
            matches!(file, Some((_, Err(ReadErrorKind::Transient))))
        };
        let index = self.list.iter().position(is_unreadable)?;
        u32::try_from(index).ok().map(FileId::new)
    }

    /// The source of a file that was opened before: still open, or opened again in the same version.
    pub(in crate::origin) async fn source(&self, file: FileId) -> Result<Source, ReadError> {
        if let Some(Some(pinned)) = self.pinned.get(file.index()) {
            return Ok(pinned.clone());
        }
        if let Some(source) = self.shared.handles.get(self.number, file) {
            return Ok(source);
        }
        let Some(Some((name, Ok(version)))) = self.list.get(file.index()) else {
            return Err(ReadError::new(ReadErrorKind::Gone));
        };
        // Its version had settled when it was opened first.
        let Opening { source, stat, .. } = self.shared.access.look(name, Ends::default()).await?;
        if stat.version != *version {
            // It must not be kept: the next reader would not compare again.
            return Err(ReadError::new(ReadErrorKind::Changed));
        }
        self.shared.handles.put(self.number, file, source.clone());
        Ok(source)
    }

    /// Reads a range of a file.
    pub(in crate::origin) async fn read(
        &self,
        file: FileId,
        range: Range<u64>,
    ) -> Result<Bytes, ReadError> {
        let source = self.source(file).await?;
        self.shared.access.read(&source, range).await
    }

    /// Reads several ranges of a file in one operation of the store.
    pub(in crate::origin) async fn read_many(
        &self,
        file: FileId,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, ReadError> {
        let source = self.source(file).await?;
        self.shared.access.read_many(&source, ranges).await
    }

    /// Names bytes of a file, as the file is in this opening and no other.
    pub(super) fn key(&self, file: FileId, range: Range<u64>) -> Key {
        Key { opening: self.number, file, range }
    }

    /// Returns how many files are known.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Checks that a file can still be read in the version that was opened.
    pub(super) async fn check(&self, file: FileId) -> Result<(), ReadError> {
        let source = self.source(file).await?;
        let stat = self.shared.access.stat(&source).await?;
        match self.list.get(file.index()) {
            Some(Some((_, Ok(version)))) if stat.version == *version => Ok(()),
            _ => Err(ReadError::new(ReadErrorKind::Changed)),
        }
    }

    /// Returns whether a file that is still open has been rewritten in place.
    pub(super) async fn is_rewritten(&self, file: FileId) -> bool {
        let Some(source) = self.shared.handles.get(self.number, file) else { return false };
        let stat = self.shared.access.stat(&source).await;
        matches!(stat, Err(error) if error.kind == ReadErrorKind::Changed)
    }

    pub(in crate::origin) fn name(&self, file: FileId) -> Option<&Name> {
        self.list.get(file.index())?.as_ref().map(|(name, _)| name)
    }

    /// Returns the name and the version of a file that was opened.
    pub(in crate::origin) fn version(&self, file: FileId) -> Option<(&Name, &Version)> {
        let (name, version) = self.list.get(file.index())?.as_ref()?;
        Some((name, version.as_ref().ok()?))
    }

    /// Returns the error for a file that changed while it was read, and how long the file must
    /// settle.
    pub(in crate::origin) fn changed(&self, name: &Name) -> Option<(Duration, ReadError)> {
        self.shared.access.settling.changed(name)
    }

    /// Returns whether a name stands for something else than when it was opened. Files of `left_out`, which
    /// is in order, are not looked at.
    pub(in crate::origin) async fn have_changed(
        &self,
        deadline: &Deadline<'_>,
        left_out: &[FileId],
    ) -> bool {
        let is_in =
            |index: &usize| left_out.binary_search_by_key(index, |file| file.index()).is_err();
        let looks: Vec<Looking<'_>> = (0..self.list.len())
            .filter(is_in)
            .filter_map(|index| self.list.get(index)?.as_ref())
            .map(|file| Box::pin(self.is_same(file, deadline)) as _)
            .collect();
        let looks = iter(looks).buffer_unordered(AT_ONCE);
        looks.any(|same| std::future::ready(!same)).await
    }

    async fn is_same(
        &self,
        (name, known): &(Name, Result<Version, ReadErrorKind>),
        deadline: &Deadline<'_>,
    ) -> bool {
        let now = deadline.bound(self.shared.access.stat_of(name)).await.map(|stat| stat.version);
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

/// The file that was read last, which stays at hand for the next read of it.
#[derive(Debug, Default)]
pub(in crate::origin) struct LastRead(Option<(FileId, Source)>);

impl LastRead {
    /// Reads a range of a file.
    pub(in crate::origin) async fn read(
        &mut self,
        files: &Files,
        file: FileId,
        range: Range<u64>,
    ) -> Result<Bytes, ReadError> {
        let source = match &mut self.0 {
            Some((known, source)) if *known == file => source,
            last => &last.insert((file, files.source(file).await?)).1,
        };
        files.shared.access.read(source, range).await
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Pinned sources are in no cache of handles.
        let opened = if self.pinned.is_empty() { self.list.len() } else { 0 };
        for index in 0..opened {
            self.shared.handles.close(self.number, FileId::new(index as u32));
        }
    }
}
