//! The newest snapshot of a publishing point, as the requests of origins find it.

use std::sync::{Arc, PoisonError, RwLock};

use super::held::HeldFile;
use crate::base::FileId;
use crate::origin::Opened;
use crate::origin::read::{Files, Shared};
use crate::presentation::Presentation;

/// The snapshot that is served, opened once for each origin that has asked for it.
#[derive(Debug, Default)]
pub(super) struct Shown(RwLock<Option<Snapshot>>);

#[derive(Debug)]
struct Snapshot {
    presentation: Arc<Presentation>,
    files: EventFiles,
    opened: Vec<Arc<Opened>>,
}

/// The files of an event: that of each track, by its id.
#[derive(Clone, Debug)]
pub(super) struct EventFiles {
    /// Number of the opening, which stays the same for all snapshots of the event: what caches keep of one
    /// is that of all.
    pub(super) opening: u64,
    list: Arc<Vec<Option<HeldFile>>>,
}

/// Origins that a snapshot is opened for at a time: after a reload, one or two.
const ORIGINS: usize = 4;

impl EventFiles {
    /// The files of an event that begins.
    pub(super) fn new() -> Self {
        Self { opening: Files::next_number(), list: Arc::default() }
    }

    pub(super) fn get(&self, file: FileId) -> Option<&HeldFile> {
        self.list.get(file.index())?.as_ref()
    }

    pub(super) fn put(&mut self, id: FileId, file: HeldFile) {
        let list = Arc::make_mut(&mut self.list);
        if list.len() <= id.index() {
            list.resize(id.index() + 1, None);
        }
        list[id.index()] = Some(file);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &HeldFile> {
        self.list.iter().flatten()
    }
}

impl Shown {
    /// Shows another snapshot from now on.
    pub(super) fn replace(&self, presentation: Arc<Presentation>, files: &EventFiles) {
        let snapshot = Snapshot { presentation, files: files.clone(), opened: Vec::new() };
        let old = self.0.write().unwrap_or_else(PoisonError::into_inner).replace(snapshot);
        // Not while the lock is held: it may be the last one that has the old snapshot.
        drop(old);
    }

    /// Shows nothing.
    pub(super) fn clear(&self) {
        let old = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(old);
    }

    pub(super) fn presentation(&self) -> Option<Arc<Presentation>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shown.as_ref().map(|snapshot| Arc::clone(&snapshot.presentation))
    }

    /// The snapshot as an origin answers from it.
    pub(super) fn opened(&self, shared: &Arc<Shared>) -> Option<Arc<Opened>> {
        let is_ours = |opened: &&Arc<Opened>| {
            std::ptr::eq(opened.shared().as_ref(), shared.as_ref()) && !opened.is_stale()
        };
        {
            let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let snapshot = shown.as_ref()?;
            if let Some(opened) = snapshot.opened.iter().find(is_ours) {
                return Some(Arc::clone(opened));
            }
        }
        let mut shown = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let snapshot = shown.as_mut()?;
        if let Some(opened) = snapshot.opened.iter().find(is_ours) {
            return Some(Arc::clone(opened));
        }
        let opened = Arc::new(snapshot.open(shared));
        snapshot.opened.retain(|opened| !opened.is_stale());
        if snapshot.opened.len() == ORIGINS {
            snapshot.opened.remove(0);
        }
        snapshot.opened.push(Arc::clone(&opened));
        Some(opened)
    }
}

impl Snapshot {
    fn open(&self, shared: &Arc<Shared>) -> Opened {
        let mut files = Files::pinned(Arc::clone(shared), self.files.opening);
        for (index, file) in self.files.list.iter().enumerate() {
            if let (Some(file), Ok(index)) = (file, u32::try_from(index)) {
                let (name, version) = (file.name().clone(), file.version().clone());
                files.pin(FileId::new(index), name, version, file.source());
            }
        }
        Opened::of_snapshot(Arc::clone(&self.presentation), files)
    }
}
