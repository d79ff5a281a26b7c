//! Local files, opened beneath a root.

mod age;
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
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

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

use super::{Age, ChangedError, RangeSource, Stat, Store};
use crate::base::Name;

/// The files below a folder.
///
/// On Linux, the kernel keeps every name beneath the folder (`openat2`, `RESOLVE_BENEATH`). It
/// follows relative links that stay beneath the folder. All other links, absolute ones included,
/// are treated as missing files unless [`links_into`](Self::links_into) allows their target. On
/// systems without this call, a link is followed only if `links_into` allows its target. Only
/// regular files are opened, so a FIFO or a device never blocks a reader.
///
/// Each opening of a file looks up the folder by its path. If another folder has taken its place
/// (by rename, by a mount over it, or by a new target of a link in its path), the file is opened in
/// the new folder. While the path leads nowhere, files are still opened in the old folder, and a
/// name that is missing there gives a transient error, because a swap may be under way.
///
/// A read is a plain system call in the task that requests it. It returns at once if the page cache
/// holds the bytes. If not, the task and all others of its thread wait for the disk, unless the
/// host says where to make such reads: [`cold_reads`](Self::cold_reads).
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
/// Its version consists of its device, inode, size, and times of modification and change in
/// nanoseconds. Each read compares the version after it has read, so it never returns bytes of a
/// file that was rewritten in place as those of the file that was opened, if no write was in
/// progress when it was opened. A file that is replaced by rename, or removed, stays readable.
///
/// A file system stamps a file when a write begins, not when it ends, so a version that was seen
/// during a write is equal to that of the complete file. Only the [`age`](Self::age) of the version
/// shows that no write was in progress.
///
/// ```
/// # use smooth_origin::origin::block_on;
/// use std::time::Duration;
/// use smooth_origin::Name;
/// use smooth_origin::storage::{LocalStore, RangeSource, Store};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects/ffmpeg");
/// let store = LocalStore::new(root)?;
/// let file = block_on(store.open(&Name::new("ffmpeg.ism")?))?;
/// let stat = block_on(file.stat())?;
/// let bytes = block_on(file.read(0..stat.size))?;
/// assert_eq!(bytes.len() as u64, stat.size);
/// if file.age().at_least < Duration::from_secs(1) {
///     println!("it may still be written to");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LocalFile {
    file: Arc<system::File>,
    opened: system::Version,
    /// Set if the machine's own clock stamps the file, once this has been determined.
    is_stamped_here: OnceLock<bool>,
    elsewhere: Option<Elsewhere>,
}

/// A folder with more entries than these is not listed.
const MAX_LISTED: usize = 1 << 16;

impl LocalStore {
    /// The files below `root`.
    ///
    /// # Errors
    /// If `root` is not a folder, or cannot be opened. The text of the error begins with the path.
    ///
    /// ```
    /// # use smooth_origin::storage::LocalStore;
    /// let error = LocalStore::new("/no/such/folder").unwrap_err();
    /// assert!(error.to_string().starts_with("/no/such/folder: "));
    /// assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    /// ```
    pub fn new(root: impl AsRef<Path>) -> io::Result<Self> {
        let root = root.as_ref();
        let tree = Tree::new(root).map_err(|error| at_path(root, &error))?;
        Ok(Self { tree, spellings: None, elsewhere: None })
    }

    /// Sets whether a missing name is found under another spelling: in other letter case (as on
    /// Windows), or in the other Unicode form of its letters (NFC, or NFD as macOS writes it).
    /// Default: no, every byte counts.
    ///
    /// The requested spelling comes first, folder by folder. If it is missing, and exactly one name
    /// in the folder differs from it in spelling alone, that name is opened. Several such names are
    /// ambiguous, and none of them is opened. Letters are compared in lower case, each by itself.
    /// The files that a server manifest names are found by the same rule, with a
    /// [finding](crate::presentation::FindingCode::NameSpelledOtherwise).
    ///
    /// If the file system itself ignores letter case, as on Windows, every spelling counts as the
    /// stored name.
    ///
    /// An [`Origin`](crate::origin::Origin) keeps a presentation under its stored name: all
    /// spellings of its URL share one opening and its validators.
    ///
    /// A name that is there as spelled costs nothing more. For any other name, the store looks at a
    /// list of its folder. The store keeps lists (up to 262,144 names in all, about 100 bytes each)
    /// as long as their folders do not change, and lists a folder at most once per second, so it
    /// may take a second until a new file is found under other spellings. A folder with more than
    /// 16,384 entries is not searched.
    #[must_use]
    pub fn ignore_case(mut self, ignored: bool) -> Self {
        self.spellings = ignored.then(Spellings::new);
        self
    }

    /// Also follows links that lead into `folder`, which is outside the root, or is the root itself
    /// (so that links with absolute paths are followed). May be called several times. Default: only
    /// relative links that stay beneath the root are followed.
    ///
    /// The kernel ensures that everything that is opened is beneath the root or beneath one of
    /// these folders. If a link passes through other links, only its final target counts. Anyone
    /// who can make links beneath the root can publish every file of these folders that the process
    /// may read.
    ///
    /// # Errors
    /// If `folder` is not a folder, or cannot be opened. The text of the error begins with the
    /// path.
    pub fn links_into(mut self, folder: impl AsRef<Path>) -> io::Result<Self> {
        let folder = folder.as_ref();
        self.tree.allow_links_into(folder).map_err(|error| at_path(folder, &error))?;
        Ok(self)
    }

    /// Finds the links below the root that are not followed, for a host to report when it starts.
    /// Looks at no more than `most` files, folders and links, on the calling thread.
    ///
    /// A dangling link is among them if it is absolute or leads out of the root. Folders behind
    /// links are not searched.
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
    /// If the root cannot be listed.
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

    /// Sets where reads are made that may have to wait for a disk. `run` gets each such read, calls
    /// it on a thread that may block, and returns its output. By default, the task that requests a
    /// read makes it.
    ///
    /// On Linux, the task itself still makes reads of bytes that the page cache holds. On other
    /// systems, and on file systems that cannot tell whether bytes are cached (`RWF_NOWAIT` of
    /// `preadv2`; mostly network and memory file systems), `run` gets every read. A read that never
    /// ends, for example of a network drive that is gone, is then given up in time.
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
        let (is_stamped_here, elsewhere) = (OnceLock::new(), self.elsewhere.clone());
        Ok(LocalFile { file: Arc::new(file), opened, is_stamped_here, elsewhere })
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
    /// Checks that the file is still the version that was opened.
    ///
    /// [`read`](RangeSource::read) checks this itself. A host that reads from the descriptor must call
    /// `check` after it has read and before it sends the last byte; otherwise a complete response
    /// may mix bytes of two versions. A host that lets the kernel send the bytes (`sendfile`) calls
    /// it before each call; the kernel then queues pages of the file, which change if the file is
    /// rewritten. Such a host should copy files whose [`age`](Self::age) is small, because they may
    /// change again soon.
    ///
    /// Equal versions show that no write began after the file was opened. Only the
    /// [`age`](Self::age) of the file shows that none was in progress at that time. An
    /// [`Origin`](crate::origin::Origin) takes care of this.
    ///
    /// # Errors
    /// [`ChangedError`] if the file was written to or truncated since it was opened.
    pub fn check(&self) -> io::Result<()> {
        if self.file.version()?.is_still(&self.opened) { Ok(()) } else { Err(ChangedError.into()) }
    }

    /// Returns how long ago the opened version was last changed, at least, by the change time of
    /// the file. Call [`check`](Self::check) to learn whether the file still has this version.
    ///
    /// A change time in the future, or before 1980, is ignored. The clock of a file system that is
    /// not known to be local may be up to one hour behind this machine's.
    pub fn age(&self) -> Age {
        let is_stamped_here = || *self.is_stamped_here.get_or_init(|| self.file.is_stamped_here());
        age::of(self.opened.last_change(), SystemTime::now(), is_stamped_here)
    }

    /// Returns whether the page cache seems to hold a range, so that a read or `sendfile` of it
    /// does not wait for a disk now. Only the last byte, and one byte in each mebibyte before it,
    /// are checked. `false` if the system cannot tell.
    pub fn is_cached(&self, range: &Range<u64>) -> bool {
        // Whatever is asked, no more than the file has is looked at.
        let size = self.opened.size();
        self.file.is_cached(&(range.start.min(size)..range.end.min(size)))
    }
}

/// For calls that take a descriptor, such as `sendfile`. The descriptor is open for reading only.
/// All users of the file share its offset, so pass an explicit offset to each call.
#[cfg(unix)]
impl AsFd for LocalFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl RangeSource for LocalFile {
    async fn stat(&self) -> io::Result<Stat> {
        // The age is read first: the check then sees a write that begins after it.
        let age = self.age();
        self.check()?;
        Ok(self.opened.stat(age))
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

/// Returns `error` with the path that it is about, for a message that the operator can act on.
fn at_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
