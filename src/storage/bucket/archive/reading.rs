//! A file of an archive in a bucket, for those who read it.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::Shared;
use super::file::{File, read_pieces};
use super::pieces::Pieces;
use crate::base::Name;
use crate::storage::{RangeSource, Stat, Version};

/// A file that grows, in parts or as one object. No byte of it changes.
pub(super) struct GrowingObject {
    shared: Arc<Shared>,
    name: Name,
    /// The file, if this process writes it.
    file: Option<Arc<File>>,
    /// The pieces as they were found last.
    found: Mutex<Option<Pieces>>,
}

/// Looks for the pieces of a range: they may be moved while they are read.
const LOOKS: usize = 3;

impl GrowingObject {
    pub(super) fn new(shared: Arc<Shared>, name: Name, file: Option<Arc<File>>) -> Self {
        Self { shared, name, file, found: Mutex::default() }
    }

    /// # Errors
    /// There is no such file.
    pub(super) async fn look(&self) -> io::Result<()> {
        let is_known = |pieces: &Pieces| !pieces.is_empty();
        if self.known(is_known).unwrap_or(false) {
            return Ok(());
        }
        let requests = &self.shared.requests;
        for key in [requests.part(&self.name, 0)?, requests.whole(&self.name)?] {
            if requests.len(key).await?.is_some() {
                return Ok(());
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// Makes use of the pieces, if they are known.
    fn known<T>(&self, act: impl Fn(&Pieces) -> T) -> Option<T> {
        let written = self.file.as_ref().and_then(|file| file.with(|pieces| act(pieces)));
        written.or_else(|| self.found().as_ref().map(act))
    }

    fn found(&self) -> MutexGuard<'_, Option<Pieces>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn load(&self) -> io::Result<()> {
        let found = self.shared.found(&self.name).await?;
        *self.found() = Some(found);
        Ok(())
    }

    /// Reads a range of pieces that are known. `None` if they are not, or are not there any more.
    async fn read_known(&self, range: &Range<u64>) -> io::Result<Option<Bytes>> {
        match self.known(|pieces| pieces.of_range(range)).flatten() {
            Some(pieces) => read_pieces(&self.shared.requests, &self.name, pieces).await,
            None => Ok(None),
        }
    }

    /// Reads a range that begins where a part begins, as fragments do.
    async fn read_part(&self, range: &Range<u64>) -> io::Result<Option<Bytes>> {
        let (requests, len) = (&self.shared.requests, range.end - range.start);
        let bytes = requests.get(requests.part(&self.name, range.start)?, 0, len).await?;
        Ok(bytes.filter(|bytes| bytes.len() as u64 == len))
    }
}

impl RangeSource for GrowingObject {
    async fn stat(&self) -> io::Result<Stat> {
        let written = self.file.as_ref().and_then(|file| file.with(|pieces| pieces.end()));
        let size = match written {
            Some(size) => size,
            None => {
                self.load().await?;
                self.found().as_ref().map_or(0, Pieces::end)
            }
        };
        // A manifest is put more than once, and longer each time.
        Ok(Stat::immutable(size, Version::new(format!("{}:{size}", self.name))))
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.start > range.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(bytes) = self.read_known(&range).await? {
            return Ok(bytes);
        }
        if !range.is_empty()
            && let Some(bytes) = self.read_part(&range).await?
        {
            return Ok(bytes);
        }
        for _ in 0..LOOKS {
            self.load().await?;
            let of_range = self.found().as_ref().and_then(|pieces| pieces.of_range(&range));
            let pieces = of_range.ok_or(io::ErrorKind::UnexpectedEof)?;
            let read = read_pieces(&self.shared.requests, &self.name, pieces).await?;
            if let Some(bytes) = read {
                return Ok(bytes);
            }
        }
        Err(io::Error::other("the parts of the file are not there, or change all the time"))
    }
}
