//! Local files, opened beneath a root.

mod cold;
#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

use std::future::Future;
use std::io;
use std::ops::Range;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

#[cfg(not(unix))]
use portable as system;
#[cfg(unix)]
use unix as system;

pub use cold::BlockingRead;

use cold::Elsewhere;

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
/// holds. What it does not hold the task waits for, and all that shares its thread, unless the host
/// says where such reads are made: [`cold_reads`](Self::cold_reads).
///
/// ```no_run
/// use smooth_origin::storage::LocalStore;
/// let store = LocalStore::new("/srv/media")?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LocalStore {
    root: system::Root,
    elsewhere: Option<Elsewhere>,
}

/// An opened local file.
///
/// Its version is its device, inode, size, and times of modification and change in nanoseconds.
/// Every read compares it after the fact, so that bytes of a file that was rewritten in place are
/// never given out as those of the file that was opened. A file that is replaced by rename, or
/// removed, stays readable.
#[derive(Debug)]
pub struct LocalFile {
    file: Arc<system::File>,
    opened: system::Version,
    elsewhere: Option<Elsewhere>,
}

/// A folder with more entries than these is not listed.
const MAX_LISTED: usize = 1 << 16;

impl LocalStore {
    /// The files below `root`.
    ///
    /// # Errors
    /// When `root` is no folder that can be opened.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self { root: system::Root::open(root.as_ref())?, elsewhere: None })
    }

    /// Where reads are made that may have to wait for a disk: `run` is given each, to be called on a
    /// thread where blocking does no harm, and gives what comes of it. Default: in the task that asks.
    ///
    /// On Linux, what the page cache holds is still read at once; elsewhere, and on file systems that
    /// cannot tell (`RWF_NOWAIT` of `preadv2`; network and memory file systems mostly), every read
    /// goes there. So one that never ends, as of a network drive that is gone, is given up in time.
    ///
    /// ```
    /// # mod tokio { pub mod task {
    /// #     pub async fn spawn_blocking<T>(work: impl FnOnce() -> T) -> std::io::Result<T> { Ok(work()) }
    /// # } }
    /// # fn store(root: &str) -> std::io::Result<smooth_origin::storage::LocalStore> {
    /// use smooth_origin::storage::LocalStore;
    /// let store = LocalStore::new(root)?
    ///     .cold_reads(|read| async { tokio::task::spawn_blocking(read).await? });
    /// # Ok(store)
    /// # }
    /// ```
    pub fn cold_reads<F>(mut self, run: impl Fn(BlockingRead) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Bytes>> + Send + 'static,
    {
        self.elsewhere = Some(Elsewhere::new(run));
        self
    }
}

impl Store for LocalStore {
    type Source = LocalFile;

    async fn open(&self, name: &Name) -> io::Result<LocalFile> {
        let file = self.root.open_file(name.as_str())?;
        let opened = file.version()?;
        Ok(LocalFile { file: Arc::new(file), opened, elsewhere: self.elsewhere.clone() })
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

    /// Whether the page cache seems to hold a range, so that nobody waits for a disk who reads or
    /// sends it now: it is asked for the last byte, and for one in each mebibyte before.
    /// `false` where it cannot be asked.
    pub fn is_cached(&self, range: &Range<u64>) -> bool {
        // Whatever is asked, no more than the file has is looked at.
        let size = self.opened.size();
        self.file.is_cached(&(range.start.min(size)..range.end.min(size)))
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
        let bytes = match &self.elsewhere {
            Some(elsewhere) if !self.is_cached(&range) => elsewhere.read(&self.file, range).await,
            _ => self.file.read(range),
        };
        // What was read while the file was changed is not what was asked for, nor is its end.
        self.check()?;
        bytes
    }
}
