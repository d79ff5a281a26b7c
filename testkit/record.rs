//! A store that remembers what was asked of it, and one of files too large for memory.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::storage::{MemoryStore, RangeSource, Stat, Store, Version};

use crate::film::Media;

/// Ranges that were read, by name, in order.
pub type Reads = Arc<Mutex<Vec<(String, Range<u64>)>>>;

pub struct RecordingStore<S> {
    store: S,
    pub reads: Reads,
}

pub struct RecordingSource<S> {
    source: S,
    name: String,
    reads: Reads,
}

impl<S> RecordingStore<S> {
    pub fn new(store: S) -> Self {
        Self { store, reads: Reads::default() }
    }
}

impl<S: Store> Store for RecordingStore<S> {
    type Source = RecordingSource<S::Source>;

    async fn open(&self, name: &Name) -> io::Result<Self::Source> {
        let source = self.store.open(name).await?;
        Ok(RecordingSource { source, name: name.to_string(), reads: Arc::clone(&self.reads) })
    }
}

impl<S: RangeSource> RangeSource for RecordingSource<S> {
    async fn stat(&self) -> io::Result<Stat> {
        self.source.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.reads.lock().unwrap().push((self.name.clone(), range.clone()));
        self.source.read(range).await
    }
}

/// One planned media file, called `film.ismv`, that is never made whole; and other objects.
pub struct PlannedStore {
    pub media: Arc<Media>,
    pub others: MemoryStore,
}

pub enum PlannedSource {
    Media(Arc<Media>),
    Other(<MemoryStore as Store>::Source),
}

impl Store for PlannedStore {
    type Source = PlannedSource;

    async fn open(&self, name: &Name) -> io::Result<PlannedSource> {
        match name.as_str() {
            "film.ismv" => Ok(PlannedSource::Media(Arc::clone(&self.media))),
            _ => self.others.open(name).await.map(PlannedSource::Other),
        }
    }
}

impl RangeSource for PlannedSource {
    async fn stat(&self) -> io::Result<Stat> {
        match self {
            Self::Media(media) => Ok(Stat::immutable(media.len, Version::new("planned"))),
            Self::Other(object) => object.stat().await,
        }
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        match self {
            Self::Media(media) if range.end <= media.len => Ok(media.read(range).into()),
            Self::Media(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Self::Other(object) => object.read(range).await,
        }
    }
}
