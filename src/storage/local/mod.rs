//! Local files, opened beneath a root.

mod cold;
#[cfg(not(unix))]
mod portable;
mod refused_links;
mod root;
mod spellings;
mod tree;
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
pub use refused_links::{RefusedLink, RefusedLinks};

use cold::Elsewhere;
use spellings::{Spellings, is_gone};
use tree::{EntryKind, Tree};

use super::{RangeSource, Stat, Store, changed};
use crate::base::Name;

/// The files below a folder.
///
/// On Linux the kernel keeps every name beneath the folder (`openat2`, `RESOLVE_BENEATH`): relative
/// links that stay below are followed, all others are as if they were not there, unless
/// [`links_into`](Self::links_into) allows where they lead. Where the kernel has no such call, a link
/// is only followed where `links_into` allows it. Only regular files are opened: a FIFO or a device
/// never stops a reader.
///
/// The folder is the one that its path leads to when a file is opened. When another takes its place
/// (by rename, by a mount over it, by a new target of a link in its path), files are opened in the
/// new one. While the path leads nowhere, files are still opened in the old one, and a name that is
/// not there either gives a transient error: the swap may be under way.
///
/// Reading is a plain system call in the task that asks for it: at once for what the page cache
/// holds. What it does not hold the task waits for, and all that shares its thread, unless the host
/// says where such reads are made: [`cold_reads`](Self::cold_reads).
///
/// ```no_run
/// use smooth_origin::storage::LocalStore;
/// let store = LocalStore::new("/srv/media")?.ignore_case(true).links_into("/mnt/archive")?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LocalStore {
    tree: Tree,
    spellings: Option<Spellings>,
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
        Ok(Self { tree: Tree::new(root.as_ref())?, spellings: None, elsewhere: None })
    }

    /// Whether a name that is not there is found under another spelling: other letter case (as on
    /// Windows), or another of Unicode's ways to write a letter (NFC and NFD, which macOS writes).
    /// Default: no, every byte counts.
    ///
    /// The name as it was asked for comes first, folder by folder. Where it is not there, and exactly
    /// one name in the folder differs in spelling alone, that one is opened; several are ambiguous,
    /// and none of them is opened. Letters are compared by their lower case, each by itself. The
    /// files that a server manifest names are found by the same rule, with a
    /// [finding](crate::presentation::FindingCode::NameSpelledOtherwise).
    ///
    /// Where the file system itself ignores letter case, as on Windows, every spelling counts as the
    /// name that is there.
    ///
    /// An [`Origin`](crate::origin::Origin) keeps a presentation under the name that it is stored
    /// under: all spellings of its URL share one opening and its validators.
    ///
    /// A name that is there costs nothing more. One that is not costs a look at the list of its
    /// folder, which is kept (up to 262,144 names, about 100 bytes each) while the folder does not
    /// change, and made no more than once a second. So a new file is found under other spellings
    /// within that time. A folder with more than 16,384 entries is not searched.
    #[must_use]
    pub fn ignore_case(mut self, ignored: bool) -> Self {
        self.spellings = ignored.then(Spellings::new);
        self
    }

    /// Also follows links that lead into `folder`, which lies outside of the root or is the root
    /// itself (for links with absolute paths). May be called several times. Default: no link out of
    /// the root is followed.
    ///
    /// What is opened is always beneath the root or beneath one of these folders, and the kernel
    /// sees to that: a link is never a way to anywhere else. A link that passes through other links
    /// is followed by where it ends. Whoever can make links below the root can publish every file
    /// of these folders that the process may read.
    ///
    /// # Errors
    /// When `folder` is no folder that can be opened.
    pub fn links_into(mut self, folder: impl AsRef<Path>) -> io::Result<Self> {
        self.tree.allow_links_into(folder.as_ref())?;
        Ok(self)
    }

    /// The links below the root that are not followed, for a host to report when it starts. Looks at
    /// no more than `most` files, folders and links, on the thread that calls.
    ///
    /// A link to something that does not exist is among them if it is absolute or leads out of the
    /// root. Folders behind links are not looked into.
    ///
    /// ```no_run
    /// # use smooth_origin::storage::LocalStore;
    /// let store = LocalStore::new("/srv/media")?;
    /// let refused = store.refused_links(100_000)?;
    /// for link in &refused.links {
    ///     eprintln!("{} is not followed: {}", link.name.display(), link.target.display());
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the root cannot be listed.
    pub fn refused_links(&self, most: usize) -> io::Result<RefusedLinks> {
        RefusedLinks::find(&self.tree, most)
    }

    /// Does `open` for a name, or for the spelling that it is found under.
    fn in_any_spelling<T>(
        &self,
        name: &str,
        open: impl Fn(&str) -> io::Result<T>,
    ) -> io::Result<T> {
        match (open(name), &self.spellings) {
            (Err(error), Some(spellings)) if is_gone(&error) => {
                match spellings.find(&self.tree, name)? {
                    Some(stored) => open(&stored),
                    None => Err(error),
                }
            }
            (opened, _) => opened,
        }
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
        let file = self.in_any_spelling(name.as_str(), |name| self.tree.open_file(name))?;
        let opened = file.version()?;
        Ok(LocalFile { file: Arc::new(file), opened, elsewhere: self.elsewhere.clone() })
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        let name = folder.map_or(".", Name::as_str);
        let open = self.in_any_spelling(name, |name| self.tree.open_folder(name))?;
        let entries = open.entries(MAX_LISTED)?.ok_or(io::ErrorKind::Unsupported)?;
        let file_names = entries.into_iter().filter(|entry| entry.kind != EntryKind::Folder);
        let in_folder = |file_name: String| match folder {
            Some(folder) => Name::new(&format!("{folder}/{file_name}")),
            None => Name::new(&file_name),
        };
        // What no name can stand for, no request and no manifest can ask for.
        Ok(file_names.filter_map(|entry| in_folder(entry.name).ok()).collect())
    }

    async fn stored_name(&self, name: &Name) -> io::Result<Option<Name>> {
        let Some(spellings) = &self.spellings else { return Ok(None) };
        match self.tree.look_for(name.as_str()) {
            Err(error) if is_gone(&error) => {
                let stored = spellings.find(&self.tree, name.as_str())?;
                Ok(stored.and_then(|stored| Name::new(&stored).ok()))
            }
            there => there.map(|()| None),
        }
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
