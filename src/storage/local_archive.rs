//! An archive in a folder of this machine.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_channel::oneshot;

use super::{Archive, RangeSource, Source, Stat, Version};
use crate::base::Name;

/// An archive of live events in a folder. Folders in it are made as they are needed. The same folder can be
/// the root of a [`LocalStore`](super::LocalStore), which then has the films that events become.
///
/// A write is a system call in the task that makes it, unless the host says where to make it:
/// [`offload`](Self::offload). When it returns, the bytes survive the end of the process; if they must
/// survive that of the machine too, the [`sync`](Self::sync) policy says when they do.
///
/// ```no_run
/// use std::time::Duration;
/// use smooth_origin::storage::{ArchiveSync, LocalArchive};
///
/// # fn main() -> std::io::Result<()> {
/// let archive = LocalArchive::new("/srv/media")?.sync(ArchiveSync::Every(Duration::from_secs(1)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LocalArchive {
    root: Arc<Path>,
    sync: ArchiveSync,
    /// Files that are written to.
    growing: Arc<Mutex<HashMap<Name, Arc<Mutex<Growing>>>>>,
    /// Files that are written to just now.
    turns: Arc<Mutex<HashMap<Name, Arc<Turn>>>>,
    run: Option<Arc<Run>>,
}

type Run = dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync;

/// When the bytes of an archive survive the end of the machine, and not that of the process alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveSync {
    /// When the system writes them, some seconds later, and when a file is finished.
    #[default]
    Never,
    /// Before a write returns. Each costs a visit to the disk.
    EachWrite,
    /// With a write to the file that comes so long after the last one that did so.
    Every(Duration),
}

/// The order of the writes to a file. The host may make one that was dropped much later: it must not replace what
/// was written since.
#[derive(Default)]
struct Turn {
    /// Number of the last write that was asked for.
    asked: AtomicU64,
    /// Number of the last one that was made. One is made at a time.
    made: Mutex<u64>,
}

/// A file that is written to.
struct Growing {
    file: File,
    len: u64,
    synced: Instant,
    /// When it was last seen that the file is the one of its name.
    seen: Instant,
}

/// Time between two looks whether a file that is written to is still there.
const LOOK: Duration = Duration::from_secs(1);

impl LocalArchive {
    /// The archive in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Self> {
        let root = root.as_ref();
        fs::create_dir_all(root).map_err(|error| at(root, &error))?;
        let growing = Arc::default();
        let (root, sync, turns) = (root.into(), ArchiveSync::default(), Arc::default());
        Ok(Self { root, sync, growing, turns, run: None })
    }

    /// Sets when bytes survive the end of the machine; default [`ArchiveSync::Never`].
    #[must_use]
    pub fn sync(mut self, sync: ArchiveSync) -> Self {
        self.sync = sync;
        self
    }

    /// Sets where writes are made, so that no task waits for the disk; default: in the task itself.
    ///
    /// ```no_run
    /// # use smooth_origin::storage::LocalArchive;
    /// # fn main() -> std::io::Result<()> {
    /// let archive = LocalArchive::new("/srv/media")?;
    /// let archive = archive.offload(|write| {
    ///     std::thread::spawn(write);
    /// });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn offload(
        mut self,
        run: impl Fn(Box<dyn FnOnce() + Send>) + Send + Sync + 'static,
    ) -> Self {
        self.run = Some(Arc::new(run));
        self
    }

    /// Does something that may wait for the disk.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let Some(run) = &self.run else { return work(self) };
        let (sender, receiver) = oneshot::channel();
        let this = self.clone();
        run(Box::new(move || {
            // The one who waits may have gone.
            let _ = sender.send(work(&this));
        }));
        let gone = |_| io::Error::other("the host has dropped a write to the archive");
        receiver.await.map_err(gone)?
    }

    /// Writes to a file, unless a later write to it was made.
    async fn write(
        &self,
        name: &Name,
        work: impl FnOnce(&Self, &Name) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let turn = Arc::clone(lock(&self.turns).entry(name.clone()).or_default());
        let number = turn.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let name = name.clone();
        self.run(move |archive| {
            let written = {
                let mut made = lock(&turn.made);
                match number < *made {
                    true => Err(io::Error::other("a later write to the file was made first")),
                    false => {
                        *made = number;
                        work(archive, &name)
                    }
                }
            };
            let mut turns = lock(&archive.turns);
            // Nobody else waits for a turn.
            if Arc::strong_count(&turn) == 2 {
                turns.remove(&name);
            }
            written
        })
        .await
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.root.join(name.as_str())
    }

    /// The file of this name, for the one who appends to it, and has its [turn](Self::write).
    fn growing(&self, name: &Name, is_new: bool) -> io::Result<Arc<Mutex<Growing>>> {
        let known = lock(&self.growing).get(name).cloned();
        if let Some(file) = known.filter(|_| !is_new) {
            return Ok(file);
        }
        // The disk may take long: writes to other files do not wait for it.
        let file = Arc::new(Mutex::new(self.opened(name, is_new)?));
        let before = lock(&self.growing).insert(name.clone(), Arc::clone(&file));
        drop(before);
        Ok(file)
    }

    fn opened(&self, name: &Name, is_new: bool) -> io::Result<Growing> {
        let path = self.path(name);
        self.make_folder(&path)?;
        // What readers of an earlier file of this name have open stays as it is.
        if is_new && path.exists() {
            fs::remove_file(&path)?;
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(is_new).truncate(false).open(&path)?;
        let (len, now) = (file.metadata()?.len(), Instant::now());
        Ok(Growing { file, len, synced: now, seen: now })
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)
    }

    /// Looks whether a file that is written to is still the one of its name. One that was deleted or moved away is
    /// written again, once, from what is open.
    ///
    /// # Errors
    /// It is not, whether it could be written again or not: the host has to know.
    fn look(&self, name: &Name, file: &Mutex<Growing>) -> io::Result<()> {
        self.compare(name, file).inspect_err(|_| {
            // The next write opens it.
            lock(&self.growing).remove(name);
        })
    }

    fn compare(&self, name: &Name, file: &Mutex<Growing>) -> io::Result<()> {
        let path = self.path(name);
        let mut growing = lock(file);
        if growing.seen.elapsed() < LOOK {
            return Ok(());
        }
        growing.seen = Instant::now();
        match is_at(&growing.file, &path) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folder(&path)?;
                write_again(&growing, &path)?;
                return Err(io::Error::other(
                    "the file was deleted or moved away while the event was written to it, and is written again",
                ));
            }
            Err(error) => return Err(error),
        }
        Err(io::Error::other("another file has taken the place of the one that was written to"))
    }

    fn append_now(&self, name: &Name, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let result = self.growing(name, offset == 0).and_then(|file| {
            self.look(name, &file)?;
            let mut file = lock(&file);
            file.write(offset, bytes)?;
            file.sync(self.sync)
        });
        result.map_err(|error| at(&self.path(name), &error))
    }

    fn put_now(&self, name: &Name, content: &[u8]) -> io::Result<()> {
        // It is closed while nobody waits for the list.
        let before = lock(&self.growing).remove(name);
        drop(before);
        let path = self.path(name);
        let put = || {
            self.make_folder(&path)?;
            let new = path.with_file_name(format!(".{}.new", name.file_name()));
            let mut file = File::create(&new)?;
            io::Write::write_all(&mut file, content)?;
            if self.sync != ArchiveSync::Never {
                file.sync_all()?;
            }
            fs::rename(&new, &path)
        };
        put().map_err(|error| at(&path, &error))
    }
}

impl Growing {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if offset > self.len {
            return Err(io::Error::other("bytes are missing before those that are appended"));
        }
        if offset < self.len {
            self.file.set_len(offset)?;
            self.len = offset;
        }
        // What an error leaves behind is cut off by the next call.
        self.len = offset + bytes.len() as u64;
        write_at(&self.file, bytes, offset)
    }

    fn sync(&mut self, sync: ArchiveSync) -> io::Result<()> {
        let is_due = match sync {
            ArchiveSync::Never => false,
            ArchiveSync::EachWrite => true,
            ArchiveSync::Every(time) => self.synced.elapsed() >= time,
        };
        if is_due {
            self.file.sync_data()?;
            self.synced = Instant::now();
        }
        Ok(())
    }
}

impl Archive for LocalArchive {
    async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
        self.write(name, move |archive, name| archive.append_now(name, offset, &bytes)).await
    }

    async fn finish(&self, name: &Name) -> io::Result<()> {
        self.write(name, |archive, name| {
            let file = lock(&archive.growing).remove(name);
            file.map_or(Ok(()), |file| lock(&file).file.sync_all())
        })
        .await
    }

    async fn open(&self, name: &Name) -> io::Result<Source> {
        let name = name.clone();
        self.run(move |archive| {
            let file = File::open(archive.path(&name))?;
            let archive = archive.clone();
            Ok(Source::new(GrowingFile { file: Arc::new(file), name, archive }))
        })
        .await
    }

    async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
        self.write(name, move |archive, name| archive.put_now(name, &content)).await
    }
}

impl fmt::Debug for LocalArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalArchive").field("root", &self.root).finish_non_exhaustive()
    }
}

/// A file of an archive, which grows. No byte of it changes.
struct GrowingFile {
    file: Arc<File>,
    name: Name,
    /// For the place where reads are made.
    archive: LocalArchive,
}

impl RangeSource for GrowingFile {
    async fn stat(&self) -> io::Result<Stat> {
        let size = self.file.metadata()?.len();
        // A manifest is put more than once, and longer each time.
        Ok(Stat::immutable(size, Version::new(format!("{}:{size}", self.name))))
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let (file, name) = (Arc::clone(&self.file), self.name.clone());
        self.archive
            .run(move |archive| {
                if range.end <= file.metadata()?.len() {
                    return read_now(&file, &range);
                }
                // It was deleted, and what came since is in another file of its name.
                read_now(&File::open(archive.path(&name))?, &range)
            })
            .await
    }
}

fn read_now(file: &File, range: &Range<u64>) -> io::Result<Bytes> {
    if range.start > range.end || range.end > file.metadata()?.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    // No longer than the file, by the check above.
    let len = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    read_at(file, &mut bytes, range.start)?;
    Ok(bytes.into())
}

/// Writes the content of a file again, to a path where there is none.
fn write_again(growing: &Growing, path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.new"));
    let mut file = File::create(&new)?;
    let mut from = &growing.file;
    io::Seek::seek(&mut from, io::SeekFrom::Start(0))?;
    io::copy(&mut io::Read::take(from, growing.len), &mut file)?;
    fs::rename(&new, path)
}

/// Returns whether an open file is the one at this path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (open, there) = (file.metadata()?, fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (there.dev(), there.ino()))
}

/// Returns whether there is a file at this path.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> io::Result<bool> {
    fs::metadata(path).map(|there| there.is_file())
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
    io::Write::write_all(&mut file, bytes)
}

/// A duplicate of a handle has the same position, so each read has a lock.
#[cfg(not(unix))]
fn read_at(mut file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = lock(&TURN);
    io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
    io::Read::read_exact(&mut file, bytes)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().unwrap()
    }

    /// A folder that is removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn files_grow_are_cut_and_are_made_anew() {
        for sync in [ArchiveSync::Never, ArchiveSync::EachWrite, ArchiveSync::Every(Duration::ZERO)]
        {
            let folder = Folder::new("archive-grows");
            let archive = LocalArchive::new(&folder.0).unwrap().sync(sync);
            let file = name("a/b/video.ismv");
            let append = |offset, bytes: &'static str| {
                block_on(archive.append(&file, offset, Bytes::from(bytes)))
            };
            let content = || fs::read_to_string(folder.0.join("a/b/video.ismv")).unwrap();
            append(0, "head").unwrap();
            let source = block_on(archive.open(&file)).unwrap();
            append(4, "hal").unwrap();
            append(4, "whole").unwrap();
            assert_eq!(content(), "headwhole");
            assert_eq!(block_on(source.read(4..9)).unwrap(), "whole");
            assert_eq!(block_on(source.stat()).unwrap().size, 9);
            let error = block_on(source.read(4..10)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            let error = append(10, "late").unwrap_err().to_string();
            assert!(error.contains("video.ismv: bytes are missing"), "{error}");
            block_on(archive.finish(&file)).unwrap();
            // A process that begins goes on where another one ended.
            append(6, "").unwrap();
            assert_eq!(content(), "headwh");
            append(0, "new").unwrap();
            assert_eq!(content(), "new");
            assert_eq!(block_on(source.read(0..4)).unwrap(), "head");
        }
    }

    #[test]
    fn a_file_that_is_deleted_or_moved_away_while_it_is_written_to_is_written_again() {
        let folder = Folder::new("archive-deleted");
        let archive = LocalArchive::new(&folder.0).unwrap();
        let file = name("a/video.ismv");
        let path = folder.0.join("a/video.ismv");
        let append = |offset, bytes: &'static str| {
            // The last look was long ago.
            if let Some(file) = lock(&archive.growing).get(&file) {
                lock(file).seen = Instant::now().checked_sub(2 * LOOK).unwrap();
            }
            block_on(archive.append(&file, offset, Bytes::from(bytes)))
        };
        append(0, "head").unwrap();
        append(4, "one").unwrap();
        let reader = block_on(archive.open(&file)).unwrap();
        fs::rename(&path, folder.0.join("moved")).unwrap();
        let error = append(7, "two").unwrap_err().to_string();
        assert!(error.contains("video.ismv: the file was deleted"), "{error}");
        append(7, "two").unwrap();
        // With all folders.
        fs::remove_dir_all(&folder.0).unwrap();
        append(10, "three").unwrap_err();
        append(10, "three").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "headonetwothree");
        // Who has read from the beginning goes on.
        for range in [0..7, 4..15, 10..15] {
            let all = &b"headonetwothree"[range.start as usize..range.end as usize];
            assert_eq!(block_on(reader.read(range)).unwrap(), all);
        }
        assert!(block_on(reader.read(10..16)).is_err());
        // What somebody else has put there is not written to.
        fs::remove_file(&path).unwrap();
        fs::write(&path, "other").unwrap();
        for _ in 0..2 {
            append(15, "four").unwrap_err();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "other");
    }

    #[test]
    fn the_folder_of_an_archive_is_made_again() {
        let folder = Folder::new("archive-root");
        let archive = LocalArchive::new(&folder.0).unwrap();
        fs::remove_dir_all(&folder.0).unwrap();
        block_on(archive.put(&name("news.held"), "held".into())).unwrap();
        assert_eq!(fs::read_to_string(folder.0.join("news.held")).unwrap(), "held");
    }

    #[test]
    fn what_is_put_takes_the_place_of_what_was_there() {
        let folder = Folder::new("archive-puts");
        let archive = LocalArchive::new(&folder.0).unwrap();
        let file = name("news.held");
        block_on(archive.append(&file, 0, "long content".into())).unwrap();
        block_on(archive.put(&file, "short".into())).unwrap();
        block_on(archive.append(&file, 5, "er".into())).unwrap();
        assert_eq!(fs::read_to_string(folder.0.join("news.held")).unwrap(), "shorter");
        let names: Vec<_> =
            fs::read_dir(&folder.0).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["news.held"]);
        let missing = block_on(archive.open(&name("none"))).err().unwrap();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn writes_are_made_where_the_host_says() {
        let folder = Folder::new("archive-elsewhere");
        type Write = Box<dyn FnOnce() + Send>;
        let queue: Arc<Mutex<Vec<Write>>> = Arc::default();
        let list = Arc::clone(&queue);
        let archive = LocalArchive::new(&folder.0).unwrap();
        let archive = archive.offload(move |write| lock(&list).push(write));
        let file = name("a.ismv");
        let mut append = Box::pin(archive.append(&file, 0, "bytes".into()));
        assert!((&mut append).now_or_never().is_none() && !folder.0.join("a.ismv").exists());
        let write = lock(&queue).pop().unwrap();
        write();
        append.now_or_never().unwrap().unwrap();
        assert_eq!(fs::read(folder.0.join("a.ismv")).unwrap(), b"bytes");
        // A write that was dropped is made after the one that was made in its place.
        let mut late = Box::pin(archive.append(&file, 5, "more".into()));
        assert!((&mut late).now_or_never().is_none());
        drop(late);
        let late = lock(&queue).pop().unwrap();
        for (offset, bytes) in [(5, "more"), (9, "and more")] {
            let mut append = Box::pin(archive.append(&file, offset, bytes.into()));
            assert!((&mut append).now_or_never().is_none());
            let write = lock(&queue).pop().unwrap();
            write();
            append.now_or_never().unwrap().unwrap();
        }
        late();
        assert_eq!(fs::read(folder.0.join("a.ismv")).unwrap(), b"bytesmoreand more");
        assert!(lock(&archive.turns).is_empty());
        let dropped = archive.append(&file, 5, "more".into());
        let mut dropped = Box::pin(dropped);
        assert!((&mut dropped).now_or_never().is_none());
        lock(&queue).clear();
        assert!(dropped.now_or_never().unwrap().is_err());
    }
}
