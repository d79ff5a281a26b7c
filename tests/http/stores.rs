//! Stores that know times, that count what is asked of them, and that do not answer.

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::storage::{MemoryObject, MemoryStore, RangeSource, Stat, Store};

use testkit::film::{self, Media, Style, Track, ism};
use testkit::store;

/// Time of change of all objects: half a second after [`MODIFIED`].
const MODIFIED_MILLIS: u64 = 1_577_836_800_500;

/// The time of change in `Last-Modified`.
pub const MODIFIED: &str = "Wed, 01 Jan 2020 00:00:00 GMT";

/// Objects in memory with a time of change, a record of what was read, and moods.
#[derive(Clone, Default)]
pub struct Watched {
    pub objects: MemoryStore,
    pub watch: Arc<Watch>,
}

#[derive(Default)]
pub struct Watch {
    /// Names and ranges that were read, in order.
    pub reads: Mutex<Vec<(String, Range<u64>)>>,
    /// Operations that have begun and neither ended nor been given up.
    pub under_way: AtomicUsize,
    /// Bytes that were given and are still held by somebody, and the most that ever were.
    pub held: AtomicU64,
    pub most_held: AtomicU64,
    /// Nothing is opened, or nothing is read, until it is allowed again.
    no_opening: AtomicBool,
    no_reading: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

pub struct WatchedObject {
    object: MemoryObject,
    pub name: Name,
    watch: Arc<Watch>,
}

struct Operation<'a>(&'a Watch);

struct Held(Bytes, Arc<Watch>);

impl Watched {
    pub fn new(objects: MemoryStore) -> Self {
        Self { objects, watch: Arc::default() }
    }
}

impl Watch {
    pub fn stop_opening(&self) {
        self.no_opening.store(true, Ordering::SeqCst);
    }

    pub fn stop_reading(&self) {
        self.no_reading.store(true, Ordering::SeqCst);
    }

    pub fn go_on(&self) {
        self.no_opening.store(false, Ordering::SeqCst);
        self.no_reading.store(false, Ordering::SeqCst);
        self.waiting.lock().unwrap().drain(..).for_each(Waker::wake);
    }

    /// Number of reads since the last call, and their bytes.
    pub fn taken(&self) -> (usize, u64) {
        let reads = std::mem::take(&mut *self.reads.lock().unwrap());
        (reads.len(), reads.iter().map(|(_, range)| range.end - range.start).sum())
    }

    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    fn begin(&self) -> Operation<'_> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        Operation(self)
    }

    async fn allowed(&self, stopped: &AtomicBool) {
        poll_fn(|context| match stopped.load(Ordering::SeqCst) {
            true => {
                self.waiting.lock().unwrap().push(context.waker().clone());
                Poll::Pending
            }
            false => Poll::Ready(()),
        })
        .await;
    }
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.1.held.fetch_sub(self.0.len() as u64, Ordering::SeqCst);
    }
}

impl Store for Watched {
    type Source = WatchedObject;

    async fn open(&self, name: &Name) -> io::Result<WatchedObject> {
        let _operation = self.watch.begin();
        self.watch.allowed(&self.watch.no_opening).await;
        let object = self.objects.open(name).await?;
        Ok(WatchedObject { object, name: name.clone(), watch: Arc::clone(&self.watch) })
    }
}

impl RangeSource for WatchedObject {
    async fn stat(&self) -> io::Result<Stat> {
        let mut stat = self.object.stat().await?;
        stat.modified = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(MODIFIED_MILLIS));
        Ok(stat)
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let _operation = self.watch.begin();
        self.watch.reads.lock().unwrap().push((self.name.to_string(), range.clone()));
        self.watch.allowed(&self.watch.no_reading).await;
        let bytes = self.object.read(range).await?;
        let len = bytes.len() as u64;
        let held = self.watch.held.fetch_add(len, Ordering::SeqCst) + len;
        self.watch.most_held.fetch_max(held, Ordering::SeqCst);
        Ok(Bytes::from_owner(Held(bytes, Arc::clone(&self.watch))))
    }
}

/// Bytes of a fragment's sample.
pub const PICTURE: u32 = 2_000_000;

pub const MANIFEST: &str = "/film.ism/Manifest";
pub const VIDEO: &str = "/film.ism/QualityLevels(300)/Fragments(video=0)";
pub const KEY_FRAMES: &str = "/film.ism/QualityLevels(300)/KeyFrames(video=0)";
pub const POSTER: &str = "/art/poster.jpg";

/// A target of each kind.
pub const TARGETS: [&str; COUNT] = [
    MANIFEST,
    VIDEO,
    KEY_FRAMES,
    POSTER,
    #[cfg(feature = "dash")]
    "/film.ism/manifest.mpd",
    #[cfg(feature = "hls")]
    "/film.ism/master.m3u8",
    #[cfg(feature = "hls")]
    "/film.ism/video-300.m3u8",
    #[cfg(any(feature = "dash", feature = "hls"))]
    "/film.ism/video-300/init.mp4",
    #[cfg(any(feature = "dash", feature = "hls"))]
    "/film.ism/video-300/20000000.m4s",
    #[cfg(any(feature = "dash", feature = "hls"))]
    "/film.ism/video-300.key/0.m4s",
];

const COUNT: usize = 4
    + cfg!(feature = "dash") as usize
    + 2 * cfg!(feature = "hls") as usize
    + 3 * cfg!(any(feature = "dash", feature = "hls")) as usize;

/// A film, with what lies beside it.
pub fn film_media() -> Media {
    let tracks = [
        Track::regular(1, StreamKind::Video, 3, 20_000_000, PICTURE),
        Track::regular(2, StreamKind::Audio, 3, 20_000_000, 50),
        Track::regular(3, StreamKind::Text, 3, 20_000_000, 5),
    ];
    film::media(&tracks, Style::default())
}

pub fn poster() -> Vec<u8> {
    (0..100_000_u32).map(|n| (n * 7 % 251) as u8).collect()
}

pub fn film_objects() -> MemoryStore {
    let elements = [
        ("video", "film.ismv", 300, 1, ""),
        ("audio", "film.ismv", 64, 2, ""),
        ("textstream", "film.ismv", 1, 3, ""),
    ];
    store([
        ("film.ism", ism(None, &elements)),
        ("film.ismv", film_media().to_bytes()),
        ("folder/broken.ism", b"<smil>".to_vec()),
        ("folder/gone.ism", ism(None, &[("video", "gone.ismv", 300, 1, "")])),
        ("art/poster.jpg", poster()),
        ("art/empty.txt", Vec::new()),
        ("art/clip.mp4", b"media".to_vec()),
        ("art/.hidden", b"secret".to_vec()),
        ("art/tls.key", b"secret".to_vec()),
        ("art/poster.jpg.bak", b"secret".to_vec()),
        ("film.ismv.part", b"secret".to_vec()),
        ("art/manifest.json", b"{}".to_vec()),
    ])
}

pub fn film() -> Watched {
    Watched::new(film_objects())
}
