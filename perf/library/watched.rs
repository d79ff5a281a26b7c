//! A store that tells what a request made the origin do.

use std::cell::Cell;
use std::io;
use std::ops::Range;

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::storage::{LocalFile, LocalStore, RangeSource, Stat, Store};

/// The way in which the presentation of a request was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Found {
    /// It was in memory.
    #[default]
    Kept,
    /// It was in memory, and its files were looked at.
    LookedAt,
    /// It was opened.
    Opened,
}

thread_local! {
    static FOUND: Cell<Found> = const { Cell::new(Found::Kept) };
}

/// Returns how this thread has found the presentation of its last request. Local files do not wait,
/// so a request stays in its thread.
pub fn found() -> Found {
    FOUND.take()
}

pub struct Watched(pub LocalStore);

pub struct WatchedFile {
    file: LocalFile,
    is_server_manifest: bool,
}

impl Store for Watched {
    type Source = WatchedFile;

    async fn open(&self, name: &Name) -> io::Result<WatchedFile> {
        let is_server_manifest = name.as_str().ends_with(".ism");
        if is_server_manifest {
            FOUND.set(Found::LookedAt);
        }
        Ok(WatchedFile { file: self.0.open(name).await?, is_server_manifest })
    }
}

impl RangeSource for WatchedFile {
    async fn stat(&self) -> io::Result<Stat> {
        self.file.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if self.is_server_manifest {
            FOUND.set(Found::Opened);
        }
        self.file.read(range).await
    }
}
