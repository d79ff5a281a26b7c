//! A fragment that was taken and is not published yet.

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::moment::Duration;

/// A fragment that was taken and is not published yet.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// Start, in ticks of the track; the clock of the event.
    pub(super) time: i64,
    pub(super) duration: i64,
    pub(super) bytes: Bytes,
    /// True if `bytes` say another time or duration.
    pub(super) is_moved: bool,
    /// Number of the feed that sent it.
    pub(super) feed: usize,
    /// Hash of the samples.
    pub(super) hash: u64,
    pub(super) arrived: Duration,
    /// Bytes of the header of the track, if it has no file yet: the fragment is recorded with it.
    pub(super) head: u64,
}

impl Held {
    pub(super) fn end(&self) -> i64 {
        self.time.saturating_add(self.duration)
    }

    /// Returns the memory that it takes.
    pub(super) fn cost(&self) -> u64 {
        self.len() + OVERHEAD + self.head
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// Returns the hash of the samples of a fragment whose `moof` has so many bytes.
pub(super) fn hash_of_samples(bytes: &Bytes, moof: u64) -> u64 {
    let moof = usize::try_from(moof).unwrap_or(usize::MAX).min(bytes.len());
    xxh3_64(&bytes[moof..])
}

/// Memory of a fragment beside its bytes: a flood of empty ones meets the budget, too.
const OVERHEAD: u64 = 512;
