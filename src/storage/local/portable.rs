//! Files by the standard library alone, where the system is not a Unix.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::storage::{Stat, Version as AnyVersion};

#[derive(Debug)]
pub(super) struct Root(PathBuf);

#[derive(Debug)]
pub(super) struct File(Mutex<fs::File>);

/// What tells two states of a file apart, as far as the standard library knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    size: u64,
    modified: Option<SystemTime>,
    created: Option<SystemTime>,
}

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        if path.is_dir() { Ok(Self(path)) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// Follows no link. Between the look and the opening another process may put one in place:
    /// only the kernel can rule that out.
    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        let mut path = self.0.clone();
        for segment in name.split('/') {
            path.push(segment);
            if fs::symlink_metadata(&path)?.file_type().is_symlink() {
                return Err(io::ErrorKind::NotFound.into());
            }
        }
        let file = fs::File::open(&path)?;
        match file.metadata()?.file_type() {
            kind if kind.is_file() => Ok(File(Mutex::new(file))),
            kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "not a regular file")),
        }
    }
}

impl Root {
    /// Names of what lies in a folder and is none itself.
    pub(super) fn list(&self, folder: Option<&str>, most: usize) -> io::Result<Vec<String>> {
        let mut path = self.0.clone();
        for segment in folder.into_iter().flat_map(|folder| folder.split('/')) {
            path.push(segment);
            if fs::symlink_metadata(&path)?.file_type().is_symlink() {
                return Err(io::ErrorKind::NotFound.into());
            }
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(path)?.take(most + 1) {
            let entry = entry?;
            if let (false, Ok(name)) =
                (entry.file_type()?.is_dir(), entry.file_name().into_string())
            {
                names.push(name);
            }
        }
        if names.len() > most { Err(io::ErrorKind::Unsupported.into()) } else { Ok(names) }
    }
}

impl File {
    pub(super) fn version(&self) -> io::Result<Version> {
        let file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = file.metadata()?;
        let (modified, created) = (metadata.modified().ok(), metadata.created().ok());
        Ok(Version { size: metadata.len(), modified, created })
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

    pub(super) fn stat(&self) -> Stat {
        let nanos = |time: Option<SystemTime>| {
            let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            since.map_or(u128::MAX, |since| since.as_nanos()).to_be_bytes()
        };
        let times = [nanos(self.modified), nanos(self.created)].concat();
        let bytes = [&self.size.to_be_bytes()[..], &times].concat();
        Stat { modified: self.modified, ..Stat::new(self.size, AnyVersion::new(bytes)) }
    }
}
