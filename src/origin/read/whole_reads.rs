//! Fragments that are read whole and once, for a store of which every read is a round trip.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::key::Key;
use super::lent::{Lent, LentList};
use super::shared_reads::SharedReads;
use crate::base::{Error, FileEnds, Name, ReadError};
use crate::storage::budget::Share;
use crate::storage::{Source, Stat};

/// A range up to this length is read at once where reads are cheap: most fragments.
pub(super) const WHOLE: u64 = 1 << 20;

/// The reads in progress, and the bytes that some body is still sending. Both are given to every
/// request for the same bytes, and count once.
#[derive(Debug)]
pub(in crate::origin) struct WholeReads {
    most: u64,
    reads: SharedReads<Key, Lent, Error>,
    /// Fragments in files of their own that are being opened, by name and bytes of the head.
    openings: SharedReads<(Name, u64), OpenedFragment, ReadError>,
    lent: LentList,
    shared: AtomicU64,
}

/// The file of a fragment that was opened, with its first bytes.
pub(in crate::origin) type OpenedFragment = (FileEnds, Source, Stat);

/// Divisor of the room for bodies: one read takes no more than such a part.
const PARTS: u64 = 16;

/// Divisor of the length of the longest read: what is longer is read in such parts.
const PIECES: u64 = 4;

impl WholeReads {
    /// Reads of up to `most` bytes, within `room` bytes for bodies.
    pub(super) fn new(most: u64, room: u64) -> Self {
        let most = most.min(room / PARTS);
        Self {
            most,
            reads: SharedReads::default(),
            openings: SharedReads::default(),
            lent: LentList::default(),
            shared: AtomicU64::new(0),
        }
    }

    /// Longest range that is read at once.
    pub(in crate::origin) fn most(&self) -> u64 {
        self.most
    }

    /// Length of the parts in which longer ranges are read.
    pub(super) fn piece(&self) -> u64 {
        self.most / PIECES
    }

    /// Number of requests that got the bytes of another request's read.
    pub(in crate::origin) fn shared(&self) -> u64 {
        self.shared.load(Ordering::Relaxed)
    }

    /// Returns whether the bytes are being read, or are in memory.
    pub(in crate::origin) fn has(&self, key: &Key) -> bool {
        self.lent.has(key) || self.reads.has(key)
    }

    /// The bytes of this key: those that are being sent, or those of the read in progress, or those of
    /// `read`, which has room for them. Also returns whether another request's read was in progress.
    pub(in crate::origin) async fn get(
        &self,
        key: &Key,
        read: impl Future<Output = Result<(Bytes, Share), Error>> + Send + 'static,
    ) -> (Result<Lent, Error>, bool) {
        if let Some(lent) = self.lent_to_others(key) {
            return (Ok(lent), false);
        }
        let (list, listed) = (self.lent.clone(), key.clone());
        let (reading, is_joined) = self.reads.join(key, async move {
            let (bytes, share) = read.await?;
            Ok(list.lend(listed, bytes, share))
        });
        if is_joined {
            self.count_shared();
        } else if let Some(lent) = self.lent_to_others(key) {
            // Another read has ended in the meantime.
            return (Ok(lent), false);
        }
        (reading.await, is_joined)
    }

    /// The file of a fragment, opened by `open` with `head` of its first bytes: once for all requests
    /// that want it at one time.
    pub(in crate::origin) async fn open(
        &self,
        name: &Name,
        head: u64,
        open: impl Future<Output = Result<OpenedFragment, ReadError>> + Send + 'static,
    ) -> Result<OpenedFragment, ReadError> {
        let (opening, is_joined) = self.openings.join(&(name.clone(), head), open);
        if is_joined {
            self.count_shared();
        }
        opening.await
    }

    /// The bytes, if a body is sending them.
    fn lent_to_others(&self, key: &Key) -> Option<Lent> {
        let lent = self.lent.get(key)?;
        self.count_shared();
        Some(lent)
    }

    fn count_shared(&self) {
        self.shared.fetch_add(1, Ordering::Relaxed);
    }
}
