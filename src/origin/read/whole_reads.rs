//! Fragments that are read whole and once, for a store of which every read is a round trip.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

use super::key::Key;
use super::shared_reads::SharedReads;
use crate::base::Error;
use crate::storage::budget::Share;

/// A range up to this length is read at once where reads are cheap: most fragments.
pub(super) const WHOLE: u64 = 1 << 20;

/// The reads in progress, and the bytes that some body is still sending. Both are given to every
/// request for the same bytes, and count once.
#[derive(Debug)]
pub(in crate::origin) struct WholeReads {
    most: u64,
    reads: SharedReads<Error>,
    lent: Arc<Mutex<HashMap<Key, Weak<Lent>>>>,
    shared: AtomicU64,
}

/// Bytes in use, until the last body has sent them.
#[derive(Debug)]
struct Lent {
    bytes: Bytes,
    key: Key,
    list: Arc<Mutex<HashMap<Key, Weak<Lent>>>>,
    _share: Share,
}

struct LentTo(Arc<Lent>);

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
            lent: Arc::default(),
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
    pub(super) fn has(&self, key: &Key) -> bool {
        self.lent().get(key).is_some_and(|lent| lent.strong_count() > 0) || self.reads.has(key)
    }

    /// The bytes of this key: those that are being sent, or those of the read in progress, or those of
    /// `read`, which has room for them.
    pub(in crate::origin) async fn get(
        &self,
        key: &Key,
        read: impl Future<Output = Result<(Bytes, Share), Error>> + Send + 'static,
    ) -> Result<Bytes, Error> {
        if let Some(bytes) = self.lent_to_others(key) {
            return Ok(bytes);
        }
        let (list, listed) = (Arc::clone(&self.lent), key.clone());
        let (reading, is_joined) = self.reads.join(key, async move {
            let (bytes, share) = read.await?;
            let lent = Lent { bytes, key: listed.clone(), list: Arc::clone(&list), _share: share };
            let lent = Arc::new(lent);
            locked(&list).insert(listed, Arc::downgrade(&lent));
            Ok(Bytes::from_owner(LentTo(lent)))
        });
        if is_joined {
            self.shared.fetch_add(1, Ordering::Relaxed);
        } else if let Some(bytes) = self.lent_to_others(key) {
            // Another read has ended in the meantime.
            return Ok(bytes);
        }
        reading.await
    }

    /// The bytes, if a body is sending them.
    fn lent_to_others(&self, key: &Key) -> Option<Bytes> {
        let lent = self.lent().get(key).and_then(Weak::upgrade)?;
        self.shared.fetch_add(1, Ordering::Relaxed);
        Some(Bytes::from_owner(LentTo(lent)))
    }

    fn lent(&self) -> MutexGuard<'_, HashMap<Key, Weak<Lent>>> {
        locked(&self.lent)
    }
}

fn locked(list: &Mutex<HashMap<Key, Weak<Lent>>>) -> MutexGuard<'_, HashMap<Key, Weak<Lent>>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut list = locked(&self.list);
        // The same bytes may have been read again meanwhile.
        if list.get(&self.key).is_some_and(|lent| lent.strong_count() == 0) {
            list.remove(&self.key);
        }
    }
}

impl AsRef<[u8]> for LentTo {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}
