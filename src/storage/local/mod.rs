//! Local files, opened beneath a root.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

use std::io;
use std::ops::Range;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use bytes::Bytes;

#[cfg(not(unix))]
use portable as system;
#[cfg(unix)]
use unix as system;

use super::{RangeSource, Stat, Store, changed};
use crate::base::Name;

/// The files below a folder.
///
/// On Linux the kernel keeps every name beneath the folder (`openat2`, `RESOLVE_BENEATH`): links
/// that stay below are followed, all others are as if they were not there. Where the kernel has no
/// such call, no link is followed at all. Only regular files are opened: a FIFO or a device never
/// stops a reader.
///
/// Reading is a plain system call in the task that asks for it: at once for what the page cache
/// holds. A host with slow disks runs requests where blocking does no harm.
///
/// ```no_run
/// use smooth_origin::storage::LocalStore;
/// let store = LocalStore::new("/srv/media")?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LocalStore {
    root: system::Root,
}

/// An opened local file.
///
/// Its version is its device, inode, size, and times of modification and change in nanoseconds.
/// Every read compares it after the fact, so that bytes of a file that was rewritten in place are
/// never given out as those of the file that was opened. A file that is replaced by rename, or
/// removed, stays readable.
#[derive(Debug)]
pub struct LocalFile {
    file: system::File,
    opened: system::Version,
}

/// A folder with more entries than these is not listed.
const MAX_LISTED: usize = 1 << 16;

impl LocalStore {
    /// The files below `root`.
    ///
    /// # Errors
    /// When `root` is no folder that can be opened.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self { root: system::Root::open(root.as_ref())? })
    }
}

impl Store for LocalStore {
    type Source = LocalFile;

    async fn open(&self, name: &Name) -> io::Result<LocalFile> {
        let file = self.root.open_file(name.as_str())?;
        let opened = file.version()?;
        Ok(LocalFile { file, opened })
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        let file_names = self.root.list(folder.map(Name::as_str), MAX_LISTED)?;
        let in_folder = |file_name: String| match folder {
            Some(folder) => Name::new(&format!("{folder}/{file_name}")),
            None => Name::new(&file_name),
        };
        // What no name can stand for, no request and no manifest can ask for.
        Ok(file_names.into_iter().filter_map(|name| in_folder(name).ok()).collect())
    }
}

impl LocalFile {
    /// That the file is still the one that was opened.
    ///
    /// [`read`](RangeSource::read) sees to that itself. A host that takes bytes from the descriptor
    /// asks after it has taken them and before it sends the last one: else it may send bytes of two
    /// versions as a whole. One that lets the kernel send them (`sendfile`) asks before each call;
    /// what it has queued by then are pages of the file, which change if the file is rewritten.
    ///
    /// # Errors
    /// [`changed`] where it was written to or cut short since.
    pub fn check(&self) -> io::Result<()> {
        if self.file.version()?.is_still(&self.opened) { Ok(()) } else { Err(changed()) }
    }
}

/// For calls that take a descriptor, `sendfile` most of all. It is open for reading only; its offset
/// belongs to nobody, so give each call one of its own.
#[cfg(unix)]
impl AsFd for LocalFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl RangeSource for LocalFile {
    async fn stat(&self) -> io::Result<Stat> {
        self.check()?;
        Ok(self.opened.stat())
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.end > self.opened.size() || range.start > range.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let bytes = self.file.read(range);
        // What was read while the file was changed is not what was asked for, nor is its end.
        self.check()?;
        bytes
    }
}
