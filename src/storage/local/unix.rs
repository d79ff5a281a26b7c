//! Files by the system calls of Unix.

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::fs::{Dir, FileType, Mode, OFlags, Stat as FileStat, fstat, openat};

use crate::storage::{Stat, Version as AnyVersion};

#[derive(Debug)]
pub(super) struct Root(OwnedFd);

#[derive(Debug)]
pub(super) struct File(OwnedFd);

/// What tells two states of a file apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    links: u64,
}

/// What is no longer is mostly read at once: its end tells.
#[cfg(target_os = "linux")]
const STRIDE: usize = 1 << 20;

/// Non-blocking, so that a FIFO does not wait for a writer before it is found to be one.
const FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        let file = self.open_beneath(name, FLAGS)?;
        match FileType::from_raw_mode(fstat(&file)?.st_mode) {
            FileType::RegularFile => Ok(File(file)),
            FileType::Directory => Err(io::ErrorKind::IsADirectory.into()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "not a regular file")),
        }
    }

    /// Names of what lies in a folder and is none itself.
    pub(super) fn list(&self, folder: Option<&str>, most: usize) -> io::Result<Vec<String>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
        let folder = match folder {
            Some(folder) => self.open_beneath(folder, flags)?,
            None => openat(&self.0, ".", flags, Mode::empty())?,
        };
        let mut names = Vec::new();
        for entry in Dir::new(folder)?.take(most + 1) {
            let entry = entry?;
            if let (false, Ok(name)) =
                (entry.file_type() == FileType::Directory, entry.file_name().to_str())
            {
                names.push(name.to_owned());
            }
        }
        if names.len() > most { Err(io::ErrorKind::Unsupported.into()) } else { Ok(names) }
    }

    #[cfg(target_os = "linux")]
    fn open_beneath(&self, name: &str, flags: OFlags) -> io::Result<OwnedFd> {
        use rustix::fs::{ResolveFlags, openat2};
        use rustix::io::Errno;

        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match openat2(&self.0, name, flags, Mode::empty(), resolve) {
            // An old kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => self.walk(name, flags),
            // A link that leads out, or round: as if it were not there.
            Err(Errno::XDEV | Errno::LOOP | Errno::NXIO) => Err(io::ErrorKind::NotFound.into()),
            opened => Ok(opened?),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn open_beneath(&self, name: &str, flags: OFlags) -> io::Result<OwnedFd> {
        self.walk(name, flags)
    }

    /// Opens folder by folder, without following any link.
    fn walk(&self, name: &str, flags: OFlags) -> io::Result<OwnedFd> {
        use rustix::io::Errno;

        let open = |folder: &OwnedFd, name: &str, flags| match openat(
            folder,
            name,
            flags | OFlags::NOFOLLOW,
            Mode::empty(),
        ) {
            Err(Errno::LOOP | Errno::MLINK | Errno::NXIO) => Err(io::ErrorKind::NotFound.into()),
            opened => Ok::<_, io::Error>(opened?),
        };
        let (folders, file) = name.rsplit_once('/').map_or((None, name), |(f, n)| (Some(f), n));
        let mut folder = None;
        for name in folders.into_iter().flat_map(|folders| folders.split('/')) {
            let above = folder.as_ref().unwrap_or(&self.0);
            let folders = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
            folder = Some(open(above, name, folders)?);
        }
        open(folder.as_ref().unwrap_or(&self.0), file, flags)
    }
}

impl File {
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    pub(super) fn version(&self) -> io::Result<Version> {
        Ok(Version::of(&fstat(&self.0)?))
    }

    /// Whether some bytes of a range, its last among them, can be had without waiting.
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

    pub(super) fn stat(&self) -> Stat {
        let Self { device, inode, size, modified, changed, links: _ } = *self;
        let numbers = [device, inode, size, modified.0 as u64, modified.1 as u64]
            .into_iter()
            .chain([changed.0 as u64, changed.1 as u64]);
        let bytes: Vec<u8> = numbers.flat_map(u64::to_be_bytes).collect();
        let nanoseconds = u32::try_from(modified.1).unwrap_or(0);
        let since = u64::try_from(modified.0).ok().map(|s| Duration::new(s, nanoseconds));
        let modified = since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        Stat { modified, ..Stat::new(size, AnyVersion::new(bytes)) }
    }
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
        let root = Root::open(&folder).unwrap();
        assert!(root.walk("a/b/file", FLAGS).is_ok());
        for name in ["a/link/file", "a/b/link", "a/missing", "missing/file"] {
            let kind = root.walk(name, FLAGS).unwrap_err().kind();
            let gone = matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
            assert!(gone, "{name}: {kind}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
