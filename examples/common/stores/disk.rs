//! The cache of stores on local disk: one for all stores of this process.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use smooth_origin::origin::block_on;
use smooth_origin::storage::{DiskCache, DiskCacheStats};

use crate::arguments::StoreArguments;
use crate::log::{Level, log};
use crate::{Failure, cache_folder};

const OPTION: &str = "--disk-cache";

static OPENED: OnceLock<Disk> = OnceLock::new();

/// The cache that is open, with its folder and its size in bytes.
pub(super) struct Disk {
    pub(super) cache: DiskCache,
    folder: PathBuf,
    size: u64,
}

/// Time between two looks at the disk.
const LOOK_EACH: Duration = Duration::from_secs(30);

/// Time for the last entries to be written.
const MOST_TO_CLOSE: Duration = Duration::from_secs(5);

/// The cache is written in blocks of at most so many bytes. A disk with less room takes no more of them.
const BLOCK: u64 = 32 << 20;

/// Opens the cache, if the options have one. Stores that are opened afterwards use it.
///
/// # Errors
/// The folder cannot be used.
pub(crate) async fn open(options: &StoreArguments) -> Result<(), Failure> {
    let Some(folder) = &options.disk_cache else { return Ok(()) };
    check(options)?;
    let size = options.disk_cache_size << 20;
    let cache = DiskCache::open(folder, size).await.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => Failure::System(format!(
            "cannot use the folder {} of {OPTION}: another process uses it; give each server a folder of \
             its own, or end the other one",
            folder.display()
        )),
        _ => cache_folder::cannot_use(folder, OPTION, &error),
    })?;
    let disk = Disk { cache, folder: folder.clone(), size };
    if let Some(room) = room(folder)
        && room.free.saturating_add(room.taken) < size
    {
        log(Level::Warn, too_small(folder, room, size));
    }
    // Opened once per process.
    let disk = OPENED.get_or_init(|| disk);
    let watch = move || Watch { disk, is_full: false, errors: 0 }.run();
    if let Err(error) = thread::Builder::new().name("disk-cache-watch".into()).spawn(watch) {
        log(Level::Error, format_args!("nobody will notice that the disk cache fails: {error}"));
    }
    Ok(())
}

/// Checks whether the folder could be used, and makes nothing: another server may use it now.
///
/// # Errors
/// It could not.
pub(crate) fn check(options: &StoreArguments) -> Result<(), Failure> {
    options.disk_cache.as_ref().map_or(Ok(()), |folder| cache_folder::check(folder, OPTION))
}

/// Writes what is still to be written, as the last thing that is done with the cache.
pub(crate) async fn close() {
    let Some(Disk { cache, folder, .. }) = OPENED.get() else { return };
    let folder = folder.display();
    let lost = |why: &dyn std::fmt::Display| {
        log(
            Level::Warn,
            format_args!("the last entries of the disk cache {folder} are lost: {why}"),
        );
    };
    match tokio::time::timeout(MOST_TO_CLOSE, cache.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => lost(&error),
        Err(_) => lost(&"the disk does not answer"),
    }
}

/// Returns the cache, if one was opened.
pub(super) fn opened() -> Option<&'static Disk> {
    OPENED.get()
}

impl Disk {
    pub(super) fn stats(&self) -> DiskCacheStats {
        self.cache.stats()
    }

    /// Returns the bytes that the disk has free; `None` where the system does not say.
    pub(super) fn free(&self) -> Option<u64> {
        room(&self.folder).map(|room| room.free)
    }
}

/// Looks at the cache from time to time, because its failures are reads that are slower and nothing else.
struct Watch {
    disk: &'static Disk,
    is_full: bool,
    errors: u64,
}

impl Watch {
    fn run(mut self) {
        loop {
            thread::sleep(LOOK_EACH);
            let folder = self.disk.folder.display();
            // A process that is killed leaves what it had read until now. What fails shows in the numbers.
            drop(block_on(self.disk.cache.flush()));
            let was_full = self.is_full;
            self.is_full = room(&self.disk.folder).is_some_and(|room| room.is_full(self.disk.size));
            if self.is_full != was_full {
                match self.is_full {
                    true => log(
                        Level::Warn,
                        format_args!(
                            "the disk of the cache {folder} is full, so what is read of stores is not \
                             kept: make room, or restart with a smaller --disk-cache-size"
                        ),
                    ),
                    false => log(
                        Level::Info,
                        format_args!("the disk of the cache {folder} has room again"),
                    ),
                }
            }
            let before = std::mem::replace(&mut self.errors, self.disk.stats().errors);
            let more = self.errors.saturating_sub(before);
            if more > 0 {
                log(
                    Level::Warn,
                    format_args!(
                        "{more} reads of the cache {folder} failed or gave other bytes than were \
                         written, and came from the store: look at the disk; to begin anew, stop the \
                         server and remove the folder"
                    ),
                );
            }
        }
    }
}

/// Bytes of a disk.
#[derive(Clone, Copy)]
struct Room {
    free: u64,
    /// Bytes that the folder has taken. Its files are as long as they may get, with holes.
    taken: u64,
}

impl Room {
    /// Returns whether a cache that may have `size` bytes cannot grow as far.
    fn is_full(self, size: u64) -> bool {
        let Self { free, taken } = self;
        free < BLOCK && taken.saturating_add(free) < size
    }
}

/// Returns a warning about a disk that has too little room for a cache.
fn too_small(folder: &Path, room: Room, size: u64) -> String {
    let mebibytes = |bytes: u64| bytes >> 20;
    format!(
        "the disk of the cache {} has room for {} of the {} MiB of --disk-cache-size: make room, or give \
         it less; when the disk is full, nothing more is kept",
        folder.display(),
        mebibytes(room.free.saturating_add(room.taken)),
        mebibytes(size)
    )
}

#[cfg(unix)]
fn room(folder: &Path) -> Option<Room> {
    use std::os::unix::fs::MetadataExt;
    let of_disk = rustix::fs::statvfs(folder).ok()?;
    let free = of_disk.f_bavail.saturating_mul(of_disk.f_frsize);
    let files = std::fs::read_dir(folder).ok()?;
    let taken = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.blocks() * 512));
    Some(Room { free, taken: taken.sum() })
}

#[cfg(not(unix))]
fn room(_: &Path) -> Option<Room> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_full_if_the_cache_cannot_grow_to_its_size() {
        let size = 1 << 30;
        for (free, taken, is_full) in
            [(0, 0, true), (0, size, false), (BLOCK, 0, false), (BLOCK - 1, size - BLOCK, true)]
        {
            assert_eq!(Room { free, taken }.is_full(size), is_full, "{free} {taken}");
        }
        let sentence = too_small(Path::new("/c"), Room { free: 5 << 20, taken: 1 << 20 }, size);
        assert!(sentence.contains("has room for 6 of the 1024 MiB"), "{sentence}");
    }
}
