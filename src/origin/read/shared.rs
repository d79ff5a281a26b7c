//! The parts of an origin that all its readers share.

use std::sync::Arc;
use std::time::Duration;

use super::access::Access;
use super::ahead::{AheadOptions, ReadAhead};
use super::clip_cache::ClipCache;
use super::fragment_cache::FragmentCache;
use super::handles::Handles;
use super::head_cache::HeadCache;
use super::missing_files::MissingFiles;
use super::whole_reads::{WHOLE, WholeReads};

use crate::base::{Error, ErrorKind};
#[cfg(feature = "live")]
use crate::presentation::TextBudget;
#[cfg(feature = "disk-cache")]
use crate::storage::DiskCache;
use crate::storage::budget::{Budget, Share};

/// The way to the store, the files that are open, and the memory for bytes that were read.
#[derive(Debug)]
pub(in crate::origin) struct Shared {
    pub(in crate::origin) access: Access,
    pub(in crate::origin) handles: Handles,
    /// Bytes of bodies that were read and are not sent yet.
    pub(in crate::origin) bodies: Arc<Budget>,
    pub(in crate::origin) fragments: Option<FragmentCache>,
    /// Set if each read is a round trip.
    pub(in crate::origin) whole_reads: Option<WholeReads>,
    /// Set if each look for a file is a round trip.
    pub(in crate::origin) missing: Option<MissingFiles>,
    /// Set if fragments are read before clients request them.
    pub(in crate::origin) ahead: Option<Arc<ReadAhead>>,
    /// The cache on disk that the store has, for its numbers.
    #[cfg(feature = "disk-cache")]
    pub(in crate::origin) disk: Option<DiskCache>,
    /// Heads of fragments and of segments that were written.
    pub(in crate::origin) heads: Option<Arc<HeadCache>>,
    /// Parts of presentations that were asked for.
    pub(in crate::origin) clips: Arc<ClipCache>,
    /// The memory for texts of live events, which films leave alone: those stay for long, and would take all of it.
    #[cfg(feature = "live")]
    pub(in crate::origin) live_texts: TextBudget,
}

/// Limits of the memory for bytes that were read.
#[derive(Clone, Copy, Debug)]
pub(in crate::origin) struct MemoryOptions {
    pub(in crate::origin) body_bytes: u64,
    /// 0 for no cache of fragments.
    pub(in crate::origin) fragment_cache: u64,
    /// Longest fragment that is read at once; 0 if reads are cheap.
    pub(in crate::origin) whole_reads: u64,
    /// 0 if heads that were written are not kept.
    pub(in crate::origin) segment_heads: u64,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { body_bytes: 256 << 20, fragment_cache: 0, whole_reads: 0, segment_heads: 8 << 20 }
    }
}

impl Shared {
    pub(in crate::origin) fn new(access: Access, handles: Handles, memory: MemoryOptions) -> Self {
        let bodies = Budget::new(memory.body_bytes);
        let fragments = (memory.fragment_cache > 0)
            .then(|| FragmentCache::new(memory.fragment_cache, Arc::clone(&bodies)));
        let whole_reads = (memory.whole_reads > 0)
            .then(|| WholeReads::new(memory.whole_reads, memory.body_bytes));
        let heads = match memory.segment_heads {
            0 => None,
            bytes => Some(Arc::new(HeadCache::new(bytes))),
        };
        Self {
            access,
            handles,
            bodies,
            fragments,
            whole_reads,
            missing: None,
            ahead: None,
            #[cfg(feature = "disk-cache")]
            disk: None,
            heads,
            clips: Arc::default(),
            #[cfg(feature = "live")]
            live_texts: TextBudget::default(),
        }
    }

    /// Keeps so many bytes of texts of live events.
    #[cfg(all(feature = "live", any(feature = "dash", feature = "hls")))]
    pub(in crate::origin) fn with_live_texts(self, bytes: Option<usize>) -> Self {
        Self { live_texts: bytes.map_or(self.live_texts, TextBudget::new), ..self }
    }

    /// Remembers for so long that a file of a fragment is not there, if each look is a round trip.
    pub(in crate::origin) fn with_missing(self, age: Duration) -> Self {
        let missing = self.whole_reads.is_some().then(|| MissingFiles::new(age));
        Self { missing, ..self }
    }

    /// Reads fragments before clients request them, if there is a cache for them.
    pub(in crate::origin) fn with_ahead(self, options: AheadOptions, cache: u64) -> Self {
        #[cfg(feature = "disk-cache")]
        let has_disk = self.disk.is_some();
        #[cfg(not(feature = "disk-cache"))]
        let has_disk = false;
        let is_on = options.fragments > 0
            && self.whole_reads.is_some()
            && (self.fragments.is_some() || has_disk);
        let (operations, bodies) = (self.access.limit.operations() as u64, self.bodies.total());
        let ahead = is_on.then(|| Arc::new(ReadAhead::new(options, operations, cache, bodies)));
        Self { ahead, ..self }
    }

    /// Longest fragment that is read at once, and kept.
    pub(in crate::origin) fn longest_whole(&self) -> u64 {
        self.whole_reads.as_ref().map_or(WHOLE, |whole| whole.most().max(WHOLE))
    }

    /// Waits for room for so many bytes of bodies.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] if there is none in the time that one operation may take.
    pub(in crate::origin) async fn room(&self, bytes: u64) -> Result<Share, Error> {
        self.access.within(self.bodies.take(bytes)).await.ok_or_else(no_room)
    }
}

/// The error of a reply for which there is no room.
pub(super) fn no_room() -> Error {
    ErrorKind::Busy("what was read before is not being sent").into()
}
