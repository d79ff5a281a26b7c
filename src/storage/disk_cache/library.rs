//! The library that keeps the bytes: the one place that knows its types.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use foyer::{
    BlockEngineConfig, DeviceBuilder, FsDeviceBuilder, HybridCache, HybridCacheBuilder,
    HybridCachePolicy, RecoverMode,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

/// Keys and bytes on disk.
pub(super) struct Library {
    cache: HybridCache<Vec<u8>, Bytes>,
    /// `None` once it is dropped.
    runtime: Option<Runtime>,
    longest: u64,
    /// Number of entries that the library does not have yet.
    coming: Arc<AtomicUsize>,
}

/// Threads that look up and write. Those that wait for the disk are others.
const THREADS: usize = 2;

/// The disk is divided into blocks, which are dropped one after the other: about so many, and each
/// with a length between these.
const BLOCKS: u64 = 16;
const LEAST_BLOCK: u64 = 1 << 20;
const MOST_BLOCK: u64 = 32 << 20;

/// A block begins with an index of what is in it, and each entry with a header and its key.
const AROUND: u64 = 64 << 10;

/// Blocks that fit into the memory for bytes that are still to be written.
const BUFFERED: u64 = 2;

impl Library {
    /// Opens a cache of so many bytes, and looks through what is there.
    pub(super) async fn open(folder: &Path, bytes: u64) -> io::Result<Self> {
        let block = (bytes / BLOCKS).clamp(LEAST_BLOCK, MOST_BLOCK);
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("disk-cache")
            .enable_all()
            .build()?;
        let (folder, size) = (folder.to_owned(), usize_of(bytes));
        let opening = runtime.spawn(async move {
            let device = FsDeviceBuilder::new(folder).with_capacity(size).build()?;
            let engine = BlockEngineConfig::new(device)
                .with_block_size(usize_of(block))
                .with_buffer_pool_size(usize_of(BUFFERED * block))
                .with_submit_queue_size_threshold(usize_of(BUFFERED * block));
            HybridCacheBuilder::new()
                .with_name("smooth-origin")
                .with_policy(HybridCachePolicy::WriteOnInsertion)
                .memory(usize_of(block))
                .with_shards(1)
                .with_weighter(|key: &Vec<u8>, bytes: &Bytes| key.len() + bytes.len())
                .storage()
                .with_engine_config(engine)
                .with_recover_mode(RecoverMode::Quiet)
                .build()
                .await
        });
        // The runtime must not be dropped where a task may run: a failed opening ends it so, too.
        let mut runtime = Ending(Some(runtime));
        let cache = opening.await.map_err(io::Error::other)?.map_err(io::Error::other)?;
        Ok(Self {
            cache,
            runtime: runtime.0.take(),
            longest: block.saturating_sub(AROUND) / 2,
            coming: Arc::default(),
        })
    }

    /// The longest entry that is kept.
    pub(super) fn longest(&self) -> u64 {
        self.longest
    }

    /// The bytes of a key, if they are there and are what was written.
    pub(super) fn get(
        &self,
        key: Vec<u8>,
    ) -> impl Future<Output = io::Result<Option<Bytes>>> + Send + use<> {
        let cache = self.cache.clone();
        let got = self.runtime.as_ref().map(|runtime| {
            runtime.spawn(async move {
                let entry = cache.get(&key).await.map_err(io::Error::other)?;
                Ok(entry.map(|entry| entry.value().clone()))
            })
        });
        async move {
            match got {
                Some(got) => got.await.unwrap_or_else(|error| Err(io::Error::other(error))),
                None => Ok(None),
            }
        }
    }

    /// Begins to write bytes. If too many are to be written already, they are not kept.
    pub(super) fn put(&self, key: Vec<u8>, bytes: Bytes) {
        let Some(runtime) = &self.runtime else { return };
        let cache = self.cache.clone();
        self.coming.fetch_add(1, Ordering::AcqRel);
        let coming = Coming(Arc::clone(&self.coming));
        // Nobody waits for it.
        drop(runtime.spawn(async move {
            drop(cache.insert(key, bytes));
            drop(coming);
        }));
    }

    /// Waits until everything that was put so far is written, or left out.
    pub(super) async fn flush(&self) -> io::Result<()> {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let (cache, coming) = (self.cache.clone(), Arc::clone(&self.coming));
        let flushed = runtime.spawn(async move {
            while coming.load(Ordering::Acquire) > 0 {
                yield_now().await;
            }
            cache.storage().wait().await;
        });
        flushed.await.map_err(io::Error::other)
    }

    /// Writes what is to be written, everything that was put so far among it.
    pub(super) async fn close(&self) -> io::Result<()> {
        self.flush().await?;
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let cache = self.cache.clone();
        let closed = runtime.spawn(async move { cache.close().await.map_err(io::Error::other) });
        closed.await.map_err(io::Error::other)?
    }
}

fn usize_of(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// An entry that the library does not have yet.
struct Coming(Arc<AtomicUsize>);

impl Drop for Coming {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A runtime that may be dropped in a task of another one.
struct Ending(Option<Runtime>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        drop(Ending(self.runtime.take()));
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").finish_non_exhaustive()
    }
}
