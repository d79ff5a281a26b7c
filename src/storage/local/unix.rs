//! Files by the system calls of Unix.

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat as FileStat, fstat, openat, statat};

use super::tree::{Entry, EntryKind, NotOpened, Stamp};
use crate::storage::{Age, Stat, Version as AnyVersion};

/// A folder that is held open, and what lies beneath it.
#[derive(Debug)]
pub(super) struct Folder {
    folder: OwnedFd,
    id: FolderId,
}

/// Which folder it is, whatever its name: device and inode.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FolderId(u64, u64);

/// A folder that is open to be listed.
#[derive(Debug)]
pub(super) struct OpenFolder(OwnedFd);

#[derive(Debug)]
pub(super) struct File(OwnedFd);

/// Properties that differ between two states of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    links: u64,
}

/// Ranges up to this length are usually cached as a whole or not at all, so their last byte is
/// enough to look at.
#[cfg(target_os = "linux")]
const STRIDE: usize = 1 << 20;

/// Non-blocking, so that a FIFO does not wait for a writer before it is found to be one.
const FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::DIRECTORY);

/// A look at what a name stands for opens nothing, where the system has such a look.
#[cfg(target_os = "linux")]
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const LOOK: OFlags = FLAGS;

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let folder = rustix::fs::open(path, FOLDER, Mode::empty())?;
        let id = FolderId::of(&fstat(&folder)?);
        Ok(Self { folder, id })
    }

    /// Returns whether a path leads to this folder.
    pub(super) fn is_at(&self, path: &Path) -> io::Result<bool> {
        Ok(FolderId::of(&rustix::fs::stat(path)?) == self.id)
    }

    pub(super) fn open_file(&self, name: &str) -> Result<File, NotOpened> {
        let file = self.open_beneath(name, FLAGS)?;
        match FileType::from_raw_mode(fstat(&file).map_err(io::Error::from)?.st_mode) {
            FileType::RegularFile => Ok(File(file)),
            FileType::Directory => Err(NotOpened::Failed(io::ErrorKind::IsADirectory.into())),
            _ => Err(NotOpened::Failed(io::Error::new(
                io::ErrorKind::NotFound,
                "what has this name is not a regular file",
            ))),
        }
    }

    /// Checks that there is something of this name.
    pub(super) fn look_for(&self, name: &str) -> Result<(), NotOpened> {
        self.open_beneath(name, LOOK).map(drop)
    }

    /// A folder beneath this one; itself for `.`.
    pub(super) fn open_folder(&self, name: &str) -> Result<OpenFolder, NotOpened> {
        self.open_beneath(name, FOLDER).map(OpenFolder)
    }

    #[cfg(target_os = "linux")]
    fn open_beneath(&self, name: &str, flags: OFlags) -> Result<OwnedFd, NotOpened> {
        use rustix::fs::{ResolveFlags, openat2};
        use rustix::io::Errno;

        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match openat2(&self.folder, name, flags, Mode::empty(), resolve) {
            // An old kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => self.walk(name, flags),
            // A link that leads out, or round.
            Err(Errno::XDEV | Errno::LOOP) => Err(NotOpened::Link),
            Err(Errno::NXIO) => Err(NotOpened::Failed(io::ErrorKind::NotFound.into())),
            opened => Ok(opened.map_err(io::Error::from)?),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn open_beneath(&self, name: &str, flags: OFlags) -> Result<OwnedFd, NotOpened> {
        self.walk(name, flags)
    }

    /// Opens folder by folder, without following any link.
    fn walk(&self, name: &str, flags: OFlags) -> Result<OwnedFd, NotOpened> {
        use rustix::io::Errno;

        let open = |folder: &OwnedFd, name: &str, flags: OFlags| match openat(
            folder,
            name,
            flags | OFlags::NOFOLLOW,
            Mode::empty(),
        ) {
            Err(Errno::LOOP | Errno::MLINK) => Err(NotOpened::Link),
            // What is opened as a folder and is none may be a link.
            Err(Errno::NOTDIR) if flags.contains(OFlags::DIRECTORY) => Err(NotOpened::Link),
            Err(Errno::NXIO) => Err(NotOpened::Failed(io::ErrorKind::NotFound.into())),
            opened => Ok(opened.map_err(io::Error::from)?),
        };
        let (folders, file) = name.rsplit_once('/').map_or((None, name), |(f, n)| (Some(f), n));
        let mut folder = None;
        for name in folders.into_iter().flat_map(|folders| folders.split('/')) {
            let above = folder.as_ref().unwrap_or(&self.folder);
            folder = Some(open(above, name, FOLDER)?);
        }
        let opened = open(folder.as_ref().unwrap_or(&self.folder), file, flags)?;
        // With `O_PATH` a link is opened itself.
        match fstat(&opened).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Ok(FileType::Symlink) => Err(NotOpened::Link),
            _ => Ok(opened),
        }
    }
}

impl OpenFolder {
    /// Which folder it is, and its times.
    pub(super) fn stamp(&self) -> io::Result<Stamp> {
        let stat = fstat(&self.0)?;
        let version = Version::of(&stat);
        let modified = system_time(version.modified);
        Ok(Stamp { folder: FolderId::of(&stat), modified, changed: system_time(version.changed) })
    }

    /// Returns the entries in any order; `None` if there are more than `most`.
    pub(super) fn entries(self, most: usize) -> io::Result<Option<Vec<Entry>>> {
        let mut entries = Vec::new();
        let folder = Dir::read_from(&self.0)?;
        for entry in folder {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name == "." || name == ".." {
                continue;
            }
            if entries.len() == most {
                return Ok(None);
            }
            let kind = match entry.file_type() {
                // Some file systems do not say it in the list.
                FileType::Unknown => statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
                kind => kind,
            };
            let kind = match kind {
                FileType::Directory => EntryKind::Folder,
                FileType::Symlink => EntryKind::Link,
                _ => EntryKind::Other,
            };
            entries.push(Entry { name: name.to_owned(), kind });
        }
        Ok(Some(entries))
    }
}

impl FolderId {
    #[allow(clippy::unnecessary_cast, reason = "the fields differ in width between systems")]
    fn of(stat: &FileStat) -> Self {
        Self(stat.st_dev as u64, stat.st_ino as u64)
    }
}

impl File {
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    pub(super) fn version(&self) -> io::Result<Version> {
        Ok(Version::of(&fstat(&self.0)?))
    }

    /// Returns whether the clock of this machine stamps the file when it changes, because it is
    /// stored on a disk or in memory of this machine. A file server has a clock of its own.
    #[cfg(target_os = "linux")]
    pub(super) fn is_stamped_here(&self) -> bool {
        // The magic numbers of statfs(2).
        const LOCAL: [u32; 16] = [
            0xef53,      // ext2, ext3, ext4
            0x5846_5342, // XFS
            0x9123_683e, // Btrfs
            0x0102_1994, // tmpfs
            0x8584_58f6, // ramfs
            0x794c_7630, // overlayfs
            0xf2f5_2010, // F2FS
            0x2fc1_2fc1, // ZFS
            0xca45_1a4e, // bcachefs
            0x2011_bab0, // exFAT
            0x4d44,      // FAT
            0x7366_746e, // NTFS
            0x7371_7368, // squashfs
            0xe0f5_e1e2, // EROFS
            0x9660,      // ISO 9660
            0x1501_3346, // UDF
        ];
        #[allow(clippy::unnecessary_cast, reason = "the field differs in width between systems")]
        let kind = rustix::fs::fstatfs(&self.0).map(|system| system.f_type as u32);
        kind.is_ok_and(|kind| LOCAL.contains(&kind))
    }

    /// Returns whether the clock of this machine stamps the file. This is unknown on other systems,
    /// so the answer is `false`.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn is_stamped_here(&self) -> bool {
        false
    }

    /// Returns whether some bytes of a range, its last among them, can be had without waiting.
    #[cfg(target_os = "linux")]
    pub(super) fn is_cached(&self, range: &Range<u64>) -> bool {
        use std::io::IoSliceMut;

        use rustix::io::{ReadWriteFlags, preadv2};

        // What is read in order is there up to some place: its end tells most.
        let places = (range.start..range.end).skip(STRIDE).step_by(STRIDE);
        let mut places = places.chain(range.end.checked_sub(1));
        let is_there = |at| {
            let mut byte = [0];
            let into = &mut [IoSliceMut::new(&mut byte)];
            preadv2(&self.0, into, at, ReadWriteFlags::NOWAIT).is_ok()
        };
        places.all(is_there)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn is_cached(&self, _: &Range<u64>) -> bool {
        false
    }

    /// Reads a range into memory of its own, which is not zeroed first.
    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let len = usize::try_from(range.end - range.start)
            .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let offset = range.start + bytes.len() as u64;
            match rustix::io::pread(&self.0, spare_capacity(&mut bytes), offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // The allocator may have given more room than was asked for.
        bytes.truncate(len);
        Ok(bytes.into())
    }
}

impl Version {
    #[allow(clippy::unnecessary_cast, reason = "the fields differ in width between systems")]
    fn of(stat: &FileStat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            links: stat.st_nlink as u64,
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// A file that has lost a name (it was removed, or another was renamed over it) has changed by
    /// that alone, not in its content.
    pub(super) fn is_still(&self, opened: &Self) -> bool {
        let changed = if self.links < opened.links { opened.changed } else { self.changed };
        Self { changed, links: opened.links, ..*self } == *opened
    }

    /// Returns when its content, or anything else about it, was last changed. No user can set this
    /// time.
    pub(super) fn last_change(&self) -> Option<SystemTime> {
        system_time(self.changed)
    }

    pub(super) fn stat(&self, age: Age) -> Stat {
        let Self { device, inode, size, modified, changed, links: _ } = *self;
        let numbers = [device, inode, size, modified.0 as u64, modified.1 as u64]
            .into_iter()
            .chain([changed.0 as u64, changed.1 as u64]);
        let bytes: Vec<u8> = numbers.flat_map(u64::to_be_bytes).collect();
        Stat::mutable(size, AnyVersion::new(bytes), age).modified(system_time(modified))
    }
}

/// Returns whether links lead round, or there are too many of them.
pub(super) fn is_link_loop(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
}

/// A path as names are written.
pub(super) fn divided_by_slashes(path: &str) -> std::borrow::Cow<'_, str> {
    path.into()
}

/// Seconds and nanoseconds since 1970; `None` where that is before.
fn system_time((seconds, nanoseconds): (i64, i64)) -> Option<SystemTime> {
    let nanoseconds = u32::try_from(nanoseconds).unwrap_or(0);
    let since = u64::try_from(seconds).ok().map(|s| Duration::new(s, nanoseconds))?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_kernels_help_no_link_is_followed() {
        let folder =
            std::env::temp_dir().join(format!("smooth-origin-walk-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("a/b")).unwrap();
        std::fs::write(folder.join("a/b/file"), "content").unwrap();
        let _ = std::os::unix::fs::symlink("b", folder.join("a/link"));
        let _ = std::os::unix::fs::symlink("file", folder.join("a/b/link"));
        let root = Folder::open(&folder).unwrap();
        assert!(root.walk("a/b/file", FLAGS).is_ok());
        for flags in [FLAGS, LOOK] {
            for name in ["a/link/file", "a/b/link"] {
                let link = root.walk(name, flags).unwrap_err();
                assert!(matches!(link, NotOpened::Link), "{name}: {link:?}");
            }
            for name in ["a/missing", "missing/file"] {
                let NotOpened::Failed(error) = root.walk(name, flags).unwrap_err() else {
                    panic!("{name} is no link")
                };
                assert_eq!(error.kind(), io::ErrorKind::NotFound, "{name}");
            }
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
