//! A folder by its path, whichever folder has this path now.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::system::Folder;

/// The root of a tree. It is held open, and opened again when its path leads to another folder:
/// after a rename, a mount, or another link in its place.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    folder: RwLock<Arc<Folder>>,
}

/// The root as it is now.
#[derive(Debug)]
pub(super) struct Current {
    /// The last folder that its path led to.
    pub(super) folder: Arc<Folder>,
    /// Set if the path leads to a folder now.
    pub(super) is_there: bool,
}

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // The process may go to another folder later.
        let path = std::path::absolute(path)?;
        let folder = RwLock::new(Arc::new(Folder::open(&path)?));
        Ok(Self { path, folder })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// One look at the path (a `stat`) each time.
    pub(super) fn current(&self) -> Current {
        let folder = Arc::clone(&self.folder.read().unwrap_or_else(PoisonError::into_inner));
        match folder.is_at(&self.path) {
            Ok(true) => Current { folder, is_there: true },
            Ok(false) => match Folder::open(&self.path) {
                Ok(new) => Current { folder: self.replace(new), is_there: true },
                Err(_) => Current { folder, is_there: false },
            },
            Err(_) => Current { folder, is_there: false },
        }
    }

    fn replace(&self, new: Folder) -> Arc<Folder> {
        let new = Arc::new(new);
        *self.folder.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        new
    }
}
