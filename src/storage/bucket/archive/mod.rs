//! An archive of live events in a bucket.
//!
//! ```text
//!  append ─► .parts/FILE/OFFSET, an object for each call ─┐
//!  small parts, joined: an object of the first one's name ├─► finish ─► FILE, one object
//!  put ────► FILE ────────────────────────────────────────┘
//! ```

mod file;
mod pieces;
mod reading;
mod requests;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use self::file::File;
use self::pieces::Pieces;
use self::reading::GrowingObject;
use self::requests::Requests;
use super::Bucket;
use crate::base::Name;
use crate::storage::{Archive, Clock, RetryStore, Source};

/// An archive of live events in a bucket: one process writes an event, and any number of origins read it.
///
/// Objects cannot grow, so each [`append`](Archive::append) is an object of its own, the *part*
/// `.parts/FILE/OFFSET`, with twenty digits: whoever knows where a fragment begins reads it with one request.
/// When a file is [finished](Archive::finish), its parts become one object, `FILE`, and are
/// deleted [some time later](Self::delete_after). The film that an event becomes is then in the bucket as any other.
///
/// # Requests
///
/// - An append is one PUT. For parts of no more than 64 KiB, 32 appends make one more PUT, which
///   joins them, so that a long journal is read with few requests.
/// - The beginning of a file, and the first write to one that another process began, is a HEAD and a LIST,
///   with a page for each 1,000 parts.
/// - The writer needs the rights to read, write, list and delete objects, and to upload in parts; a reader those to read and to
///   list, without which some stores do not say that an object is missing. If objects cannot be deleted, parts stay.
/// - Finishing a file reads each part, and writes it in uploads of 8 MiB, or more for files beyond 72 GB. No more than
///   one of those is in memory, and four parts.
///
/// A read that fails for a reason that may pass is tried again, as by [`RetryStore`]. Nothing else is tried again here:
/// whoever appends makes the same call again. A process that ends while it
/// finishes a file leaves an upload that does not end, and one that ends before parts are deleted leaves these:
/// give the bucket a rule that ends uploads after a day, and one that deletes what is below `.parts/` when it is older than the longest event.
///
/// One process at a time may write the files of an event. A second one is not noticed.
///
/// ```
/// # use smooth_origin::origin::block_on;
/// use bytes::Bytes;
/// use object_store::memory::InMemory;
/// use smooth_origin::Name;
/// use smooth_origin::storage::{Archive, Bucket, BucketArchive, RangeSource};
///
/// # fn main() -> std::io::Result<()> {
/// let archive = BucketArchive::new(Bucket::new(InMemory::new()));
/// let file = Name::new("events/video.ismv").unwrap();
/// block_on(archive.append(&file, 0, Bytes::from_static(b"head")))?;
/// block_on(archive.append(&file, 4, Bytes::from_static(b"fragment")))?;
/// let source = block_on(archive.open(&file))?;
/// assert_eq!(block_on(source.read(4..12))?, "fragment");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct BucketArchive(Arc<Shared>);

struct Shared {
    requests: Requests,
    clock: Clock,
    delete_after: Duration,
    /// Those of reads.
    retries: RetryStore<()>,
    /// Files that this process writes, or has read from.
    files: Mutex<HashMap<Name, Arc<File>>>,
}

/// Bytes that one request of a follower asks for.
const FOLLOWED: u64 = 4 << 20;
/// Files among which records are looked for.
const FILES: usize = 1_000_000;
/// Time of a read with all its tries. That of a long journal takes minutes.
const READ: Duration = Duration::from_secs(600);

impl BucketArchive {
    /// The archive whose root is that of a bucket.
    pub fn new(bucket: Bucket) -> Self {
        Self(Arc::new(Shared {
            requests: Requests(bucket.reach),
            clock: Clock::default(),
            delete_after: Duration::from_secs(60),
            retries: RetryStore::new(()).total(READ),
            files: Mutex::default(),
        }))
    }

    /// Sets how long parts stay that another object has the bytes of; default 60 s. Origins that follow the
    /// event find the other object when a part is gone, with some more requests.
    #[must_use]
    pub fn delete_after(self, time: Duration) -> Self {
        self.with(|shared| shared.delete_after = time)
    }

    /// Sets the clock; default that of the system.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        self.with(|shared| shared.clock = clock)
    }

    /// Returns this archive with other settings. Clones keep theirs.
    fn with(self, set: impl FnOnce(&mut Shared)) -> Self {
        let Shared { requests, clock, delete_after, retries, .. } = &*self.0;
        let (requests, clock, delete_after) = (requests.clone(), clock.clone(), *delete_after);
        let (retries, files) = (retries.clone(), Mutex::default());
        let mut shared = Shared { requests, clock, delete_after, retries, files };
        set(&mut shared);
        Self(Arc::new(shared))
    }

    /// Deletes the parts whose [time](Self::delete_after) has passed. Appends do the same for the file that they
    /// write. A host calls it now and then, because nothing is appended to a file that is finished.
    ///
    /// # Errors
    /// The first one, if the store does not delete some of them. Those of other files are deleted all the same, and the
    /// next call tries again.
    pub async fn delete_due(&self) -> io::Result<()> {
        let files: Vec<_> = self.files().values().cloned().collect();
        let mut deleted = Ok(());
        for file in files {
            deleted = deleted.and(file.delete_due(&self.0).await);
        }
        self.files().retain(|_, file| !file.is_at_rest());
        deleted
    }

    /// The names of the records of publishing points (`NAME.point`), for a host that
    /// [recovers](crate::origin::LivePoints::recover) them when it begins. The parts of files are passed over, with one
    /// request in S3 and Google Cloud Storage, and page by page in other stores.
    ///
    /// # Errors
    /// The store fails, or there are more than a million files that are no parts.
    pub async fn records(&self) -> io::Result<Vec<Name>> {
        self.0.requests.names(".point", FILES).await
    }

    fn file(&self, name: &Name) -> Arc<File> {
        let mut files = self.files();
        let file = files.entry(name.clone()).or_insert_with(|| Arc::new(File::new(name.clone())));
        Arc::clone(file)
    }

    fn files(&self) -> MutexGuard<'_, HashMap<Name, Arc<File>>> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// The pieces of a file, as the store has them.
    async fn found(&self, name: &Name) -> io::Result<Pieces> {
        let now = self.clock.now();
        let whole = self.requests.len(self.requests.whole(name)?).await?;
        let parts = self.requests.parts(name).await?;
        Ok(Pieces::found(whole, parts, now))
    }
}

impl Archive for BucketArchive {
    async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
        self.file(name).append(&self.0, offset, bytes).await
    }

    async fn finish(&self, name: &Name) -> io::Result<()> {
        self.file(name).finish(&self.0).await
    }

    async fn open(&self, name: &Name) -> io::Result<Source> {
        let known = self.files().get(name).cloned();
        let object = GrowingObject::new(Arc::clone(&self.0), name.clone(), known);
        object.look().await?;
        Ok(Source::new(self.0.retries.source(object)))
    }

    async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
        self.file(name).put(&self.0, content).await
    }

    async fn follow(&self, name: &Name, offset: u64) -> io::Result<Bytes> {
        let requests = &self.0.requests;
        let mut bytes = requests.get(requests.part(name, offset)?, 0, FOLLOWED).await?;
        if bytes.is_none() && offset == 0 {
            bytes = requests.get(requests.whole(name)?, 0, FOLLOWED).await?;
        }
        Ok(bytes.unwrap_or_default())
    }
}

impl fmt::Debug for BucketArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketArchive")
            .field("prefix", &self.0.requests.0.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
