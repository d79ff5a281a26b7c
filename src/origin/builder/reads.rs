//! Options of an origin: how its store is read, and which bytes stay in memory or on disk.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{LEAST_TIMEOUT, OriginBuilder};
use crate::origin::read::{AheadOptions, PART};
#[cfg(feature = "disk-cache")]
use crate::storage::{AnyStore, DiskCache};

/// Longest fragment that is read from a remote store at once.
const WHOLE_READ: u64 = 16 << 20;

impl OriginBuilder {
    /// Maximum number of files held open at one time, over all presentations; default a quarter of the
    /// files that the process may open, at least 1. The least used files are closed, and opened again
    /// when they are needed.
    pub fn max_open_files(mut self, files: usize) -> Self {
        self.handles = Some(files);
        self
    }

    /// Maximum number of operations of the store at one time; default 256, at least 1. More wait for their
    /// turn.
    pub fn max_reads(mut self, reads: usize) -> Self {
        self.access.reads = reads;
        self
    }

    /// Maximum number of operations that may wait for their turn before requests are refused as busy;
    /// default 1,024. With 0, requests are refused while any operation waits.
    pub fn max_waiting(mut self, waiting: usize) -> Self {
        self.access.waiting = waiting;
        self
    }

    /// Longest time that one operation of the store may take, and that a body waits for earlier bytes
    /// to be sent if there is little room for more; default 10 s, at least 1 ms. After that, the
    /// request fails as one that may succeed later, and a body that has begun is cut off.
    ///
    /// An operation that reads several ranges of a file, at most 16, may take this time for each of
    /// them, because a store may read one after the other. [`opening_timeout`](Self::opening_timeout)
    /// limits them all.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.access.timeout = timeout.max(LEAST_TIMEOUT);
        self
    }

    /// Maximum number of bytes that were read for bodies and are not sent yet, over all bodies; default
    /// 256 MiB, at least 256 KiB.
    pub fn body_bytes(mut self, bytes: u64) -> Self {
        self.memory.body_bytes = bytes.max(PART);
        self
    }

    /// Bytes of memory for fragments that clients request often; default 0, which keeps none. A kept
    /// fragment is sent without a read. Any other is read once, however many clients request it at the
    /// same time. Fragments that were requested only once are dropped first, and fragments longer than
    /// 1 MiB (or [`whole_read_bytes`](Self::whole_read_bytes)) are never kept. Leave this at 0 if the host sends [stored bodies] itself: a
    /// fragment in memory is not a stored body.
    ///
    /// [stored bodies]: crate::origin::Body::stored
    pub fn fragment_cache_bytes(mut self, bytes: u64) -> Self {
        self.memory.fragment_cache = bytes;
        self
    }

    /// Longest fragment that is read from the store in one read; default 0, for stores whose reads cost
    /// little, such as local files. Set it for a store of which every read is a round trip: 16 MiB, which
    /// [`remote_store`](Self::remote_store) sets, is more than nearly all fragments have.
    ///
    /// With 0, a body is read in parts of 256 KiB to 1 MiB as it is sent, and a fragment that is requested
    /// for the first time is looked at before. Otherwise:
    ///
    /// - A fragment of at most so many bytes is one read, also when it is requested for the first time,
    ///   and also for its key frames and for a segment of DASH or HLS. Longer fragments are read in parts
    ///   of a quarter of this.
    /// - A request for a range reads that range. If the fragment has to be looked at first, it reads from
    ///   the start of the fragment to the end of the range and 64 KiB more, in one read. If a cache keeps
    ///   fragments, a range reads and keeps the whole fragment.
    /// - A response to HEAD reads at most 64 KiB, and nothing for a fragment that was looked at before.
    /// - The read is made once for all requests that want it at one time. Its bytes are in memory
    ///   once, and count against [`body_bytes`](Self::body_bytes) once, until the last of these requests has
    ///   sent them. If the request that began the read goes away, the read goes on for the others.
    /// - The first request in 64 chunks of a progressive MP4 reads their part of the sample tables before: up
    ///   to seven ranges at once, mostly two or three.
    /// - A fragment in a file of its own is opened, with its first quarter of so many bytes, once for all
    ///   requests that want it at one time. It is not kept, because the file may be replaced.
    /// - The [cache of fragments](Self::fragment_cache_bytes) keeps fragments of at most so many bytes.
    ///
    /// A read takes at most a sixteenth of [`body_bytes`](Self::body_bytes). If less than a quarter of that
    /// is free, bodies are read in small parts, so that slow clients do not keep others waiting.
    ///
    /// ```
    /// # use smooth_origin::origin::Origin;
    /// # use smooth_origin::storage::MemoryStore;
    /// # let bucket = MemoryStore::new();
    /// let origin = Origin::builder(bucket).whole_read_bytes(8 << 20).build();
    /// ```
    pub fn whole_read_bytes(mut self, bytes: u64) -> Self {
        self.memory.whole_reads = bytes;
        self
    }

    /// Reads up to `fragments` fragments of a track (at most 64) after one of them was answered, so that
    /// they are in a cache when a player requests them; default 0, which reads none. `run` gets each read
    /// as a future that it must poll to its end in a task of its own; it must not wait for it. A read that
    /// `run` drops is not made.
    ///
    /// This is for stores of which every read is a round trip: it needs
    /// [`whole_read_bytes`](Self::whole_read_bytes), and the
    /// [cache of fragments](Self::fragment_cache_bytes) or, if there is none, a cache on disk (feature
    /// `disk-cache`). Without them nothing is read ahead. Segments of DASH and HLS are made of the same
    /// fragments. Fragments in files of their own are not read ahead.
    ///
    /// Reads that clients wait for come first. A read ahead begins only if no operation waits for the
    /// store, fewer than half of [`max_reads`](Self::max_reads) are in progress, more than half of
    /// [`body_bytes`](Self::body_bytes) is free, and the fragment is neither kept nor being read;
    /// otherwise the read is left out. At one time there are at most 16 such reads over all presentations, and at most a
    /// quarter of `max_reads`, of fragments that take together at most an eighth of the cache. A
    /// client that requests a fragment while it is read waits for that read. In the cache, fragments that
    /// nobody has requested go first.
    ///
    /// [`OriginStats::ahead_reads`](crate::origin::OriginStats::ahead_reads) and
    /// [`ahead_used`](crate::origin::OriginStats::ahead_used) show whether it is worth its reads: a client that
    /// switches tracks or stops leaves up to `fragments` of them unused.
    ///
    /// ```
    /// # use smooth_origin::origin::Origin;
    /// # use smooth_origin::storage::MemoryStore;
    /// # mod tokio { pub fn spawn(_: impl Future<Output = ()>) {} }
    /// let builder = Origin::builder(MemoryStore::new()).remote_store().fragment_cache_bytes(512 << 20);
    /// // With tokio:
    /// let origin = builder.read_ahead(2, |read| { tokio::spawn(read); }).build();
    /// ```
    pub fn read_ahead(
        mut self,
        fragments: usize,
        run: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    ) -> Self {
        self.ahead = Some(AheadOptions { fragments, run: Arc::new(run) });
        self
    }

    /// Keeps what is read of objects in a cache on local disk: see [`DiskCache::around`], which also
    /// describes `place`. By default, nothing is kept on disk.
    #[cfg(feature = "disk-cache")]
    pub fn disk_cache(mut self, cache: DiskCache, place: &str) -> Self {
        self.store = AnyStore::new(cache.around(place, self.store));
        self.disk = Some(cache);
        self
    }

    /// Puts the versions of media files into validators, as far as files are objects that are only ever
    /// replaced ([`Stat::immutable`](crate::storage::Stat::immutable)); default `false`. Then a new object
    /// with a header and a length like those of the old one gives other ETags, too. All origins over one
    /// bucket still give the same ones, but an origin over a copy of the bucket may give others.
    pub fn validate_versions(mut self, validate: bool) -> Self {
        self.access.versions = validate;
        self
    }

    /// Settings for a store of which every operation is a round trip: fragments up to 16 MiB are read in
    /// [one read](Self::whole_read_bytes), and [versions](Self::validate_versions) go into validators. Call
    /// it before methods that change single settings.
    ///
    /// A fault of such a store passes: an opening that it has hurt fails as a whole (503), so that no
    /// cache keeps a manifest without the files that could not be read.
    ///
    /// ```
    /// # use smooth_origin::origin::Origin;
    /// # use smooth_origin::storage::MemoryStore;
    /// # let bucket = MemoryStore::new();
    /// let origin = Origin::builder(bucket).remote_store().fragment_cache_bytes(512 << 20).build();
    /// ```
    pub fn remote_store(self) -> Self {
        self.whole_read_bytes(WHOLE_READ).validate_versions(true)
    }

    /// Bytes of memory for heads that are written, over all opened presentations; default 8 MiB. Heads are
    /// written of segments of DASH and HLS, and of fragments that are made of other MP4s. A head (a
    /// `moof`) has usually less than 1 KiB; those of made fragments are kept with the places of their
    /// samples, 16 bytes for each run of them.
    ///
    /// The head of a segment is written from the head of the stored fragment, which is read for that. A
    /// segment whose head is kept is answered without a read before its body. The least used go
    /// first; with 0, none is kept.
    pub fn segment_head_bytes(mut self, bytes: u64) -> Self {
        self.memory.segment_heads = bytes;
        self
    }
}
