//! Files by the standard library alone, where the system is not a Unix.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::tree::{Entry, EntryKind, NotOpened, Stamp};
use crate::storage::{Age, Stat, Version as AnyVersion};

/// A folder by its real path, and what lies beneath it.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// Which folder it is: its real path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FolderId(PathBuf);

/// A folder that is to be listed.
#[derive(Debug)]
pub(super) struct OpenFolder(PathBuf);

#[derive(Debug)]
pub(super) struct File(Mutex<fs::File>);

/// Properties that differ between two states of a file, as far as the standard library knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    size: u64,
    modified: Option<SystemTime>,
    created: Option<SystemTime>,
}

/// No link is followed. Between the look and the opening another process may put one in place:
/// only the kernel can rule that out.
impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        if path.is_dir() { Ok(Self(path)) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// Returns whether a path leads to this folder.
    pub(super) fn is_at(&self, path: &Path) -> io::Result<bool> {
        Ok(path.canonicalize()? == self.0)
    }

    pub(super) fn open_file(&self, name: &str) -> Result<File, NotOpened> {
        let path = self.beneath(name)?;
        let file = fs::File::open(&path)?;
        match file.metadata()?.file_type() {
            kind if kind.is_file() => Ok(File(Mutex::new(file))),
            kind if kind.is_dir() => Err(NotOpened::Failed(io::ErrorKind::IsADirectory.into())),
            _ => Err(NotOpened::Failed(io::Error::new(
                io::ErrorKind::NotFound,
                "what has this name is not a regular file",
            ))),
        }
    }

    /// Checks that there is something of this name.
    pub(super) fn look_for(&self, name: &str) -> Result<(), NotOpened> {
        self.beneath(name).map(drop)
    }

    /// A folder beneath this one; itself for `.`.
    pub(super) fn open_folder(&self, name: &str) -> Result<OpenFolder, NotOpened> {
        self.beneath(name).map(OpenFolder)
    }

    fn beneath(&self, name: &str) -> Result<PathBuf, NotOpened> {
        let mut path = self.0.clone();
        for segment in name.split('/').filter(|segment| *segment != ".") {
            path.push(segment);
            if fs::symlink_metadata(&path)?.file_type().is_symlink() {
                return Err(NotOpened::Link);
            }
        }
        Ok(path)
    }
}

impl OpenFolder {
    /// Which folder it is, and when it was modified.
    pub(super) fn stamp(&self) -> io::Result<Stamp> {
        let modified = fs::metadata(&self.0)?.modified().ok();
        Ok(Stamp { folder: FolderId(self.0.clone()), modified, changed: None })
    }

    /// Returns the entries in any order; `None` if there are more than `most`.
    pub(super) fn entries(self, most: usize) -> io::Result<Option<Vec<Entry>>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.0)? {
            let entry = entry?;
            if entries.len() == most {
                return Ok(None);
            }
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = match entry.file_type()? {
                kind if kind.is_dir() => EntryKind::Folder,
                kind if kind.is_symlink() => EntryKind::Link,
                _ => EntryKind::Other,
            };
            entries.push(Entry { name, kind });
        }
        Ok(Some(entries))
    }
}

impl File {
    pub(super) fn version(&self) -> io::Result<Version> {
        let file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = file.metadata()?;
        let (modified, created) = (metadata.modified().ok(), metadata.created().ok());
        Ok(Version { size: metadata.len(), modified, created })
    }

    /// Returns whether the clock of this machine stamps the file. This is unknown here, so the
    /// answer is `false`.
    pub(super) fn is_stamped_here(&self) -> bool {
        false
    }

    pub(super) fn is_cached(&self, _: &Range<u64>) -> bool {
        false
    }

    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let len = usize::try_from(range.end - range.start)
            .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(range.start))?;
        let mut bytes = vec![0; len];
        file.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

impl Version {
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn is_still(&self, opened: &Self) -> bool {
        self == opened
    }

    /// Returns the later of modification and creation: a copy may have the time of modification of
    /// its original, but it is created anew.
    pub(super) fn last_change(&self) -> Option<SystemTime> {
        self.modified.max(self.created)
    }

    pub(super) fn stat(&self, age: Age) -> Stat {
        let nanos = |time: Option<SystemTime>| {
            let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            since.map_or(u128::MAX, |since| since.as_nanos()).to_be_bytes()
        };
        let times = [nanos(self.modified), nanos(self.created)].concat();
        let bytes = [&self.size.to_be_bytes()[..], &times].concat();
        Stat::mutable(self.size, AnyVersion::new(bytes), age).modified(self.modified)
    }
}

/// Returns whether links lead round: no error says so here.
pub(super) fn is_link_loop(_: &io::Error) -> bool {
    false
}

/// A path as names are written.
pub(super) fn divided_by_slashes(path: &str) -> std::borrow::Cow<'_, str> {
    path.replace(std::path::MAIN_SEPARATOR, "/").into()
}
