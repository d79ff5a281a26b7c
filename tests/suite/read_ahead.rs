//! Fragments are read before clients request them, within bounds, and never at the cost of a client.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, OriginBuilder, block_on};
use testkit::film::{self, Media, Style, Track, ism};
use testkit::remote::{Remote, together};
use testkit::{get, name, served, store};

const CHUNKS: u64 = 40;
const PICTURE: u32 = 300_000;
const CHUNK: u64 = 20_000_000;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The tasks of a host.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<Task>>>);

impl Tasks {
    /// Polls each once. Returns the number of those that have not ended.
    fn poll(&self) -> usize {
        let mut tasks = std::mem::take(&mut *self.0.lock().unwrap());
        tasks.retain_mut(|task| {
            task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
        });
        let mut all = self.0.lock().unwrap();
        all.append(&mut tasks);
        all.len()
    }

    /// Polls all to their ends. They give way to other tasks once.
    fn run(&self) {
        self.poll();
        assert_eq!(self.poll(), 0);
    }
}

static MEDIA: LazyLock<Media> = LazyLock::new(|| {
    let track = |id, size| Track::regular(id, StreamKind::Video, CHUNKS as u32, CHUNK as u32, size);
    film::media(&[track(1, PICTURE), track(2, PICTURE)], Style::default())
});
static FILE: LazyLock<Bytes> = LazyLock::new(|| MEDIA.to_bytes().into());

fn film() -> Remote {
    let elements = [("video", "film.ismv", 300, 1, ""), ("video", "film.ismv", 600, 2, "")];
    let objects = store([("film.ism", ism(None, &elements))]);
    objects.put(name("film.ismv"), FILE.clone());
    Remote::new(objects)
}

/// An origin that reads two fragments ahead, and has opened the film.
fn origin(
    remote: &Remote,
    tasks: &Tasks,
    set: impl FnOnce(OriginBuilder) -> OriginBuilder,
) -> Origin {
    let all = tasks.clone();
    let builder = Origin::builder(remote.clone()).remote_store().fragment_cache_bytes(64 << 20);
    let builder = builder.read_ahead(2, move |task| all.0.lock().unwrap().push(task));
    let builder = set(builder.clock(remote.hands.clock()).timer(remote.hands.timer()));
    let origin = builder.build();
    block_on(origin.answer("/film.ism/Manifest")).unwrap();
    remote.reads();
    origin
}

fn video(bitrate: u32, chunk: u64) -> String {
    format!("/film.ism/QualityLevels({bitrate})/Fragments(video={})", chunk * CHUNK)
}

/// Bytes of a fragment as they are in the file.
fn stored(track: u32, chunk: u64) -> Vec<u8> {
    let time = (chunk * CHUNK) as i64;
    let mut fragments = MEDIA.fragments.iter();
    let (.., range) = fragments.find(|of| (of.0, of.1) == (track, time)).unwrap();
    FILE[range.start as usize..range.end as usize].to_vec()
}

/// Reads ahead, and of them used.
fn ahead(origin: &Origin) -> (u64, u64) {
    let stats = origin.stats();
    (stats.ahead_reads, stats.ahead_used)
}

#[test]
fn a_player_finds_all_fragments_but_the_first_in_the_cache() {
    let (remote, tasks) = (film(), Tasks::default());
    let origin = origin(&remote, &tasks, |builder| builder);
    for chunk in 0..CHUNKS {
        assert!(get(&origin, &video(300, chunk)).unwrap() == stored(1, chunk));
        // The one that was requested, or none; then those that follow, each once.
        assert_eq!(remote.reads().len(), if chunk == 0 { 1 } else { 0 }, "{chunk}");
        tasks.run();
        let more = match chunk {
            0 => 2,
            chunk if chunk + 2 < CHUNKS => 1,
            _ => 0,
        };
        assert_eq!(remote.reads().len(), more, "after {chunk}");
    }
    assert_eq!(ahead(&origin), (CHUNKS - 1, CHUNKS - 1));
    let stats = origin.stats();
    assert_eq!((stats.fragments.misses, stats.fragments.hits), (1, CHUNKS - 1));
    assert_eq!((stats.body_bytes, stats.in_progress), (0, 0));
}

#[cfg(feature = "dash")]
#[test]
fn segments_and_fragments_of_a_track_are_read_ahead_for_each_other() {
    let (remote, tasks) = (film(), Tasks::default());
    let origin = origin(&remote, &tasks, |builder| builder);
    let segment = |chunk: u64| format!("/film.ism/video-300/{}.m4s", chunk * CHUNK);
    for (chunk, path) in [(4, segment(4)), (5, video(300, 5)), (6, segment(6)), (7, segment(7))] {
        let body = get(&origin, &path).unwrap();
        assert!(body.ends_with(&stored(1, chunk)[200..]), "{path}");
        assert_eq!(remote.reads().len(), usize::from(chunk == 4), "{path}");
        tasks.run();
        remote.reads();
    }
    assert_eq!(ahead(&origin).1, 3);
}

#[test]
fn nothing_is_read_ahead_by_default_or_without_a_cache_or_for_a_head() {
    let (remote, tasks) = (film(), Tasks::default());
    let off = origin(&remote, &tasks, |builder| builder.read_ahead(0, |_| panic!("a task")));
    let without = origin(&remote, &tasks, |builder| builder.fragment_cache_bytes(0));
    let cheap = origin(&remote, &tasks, |builder| builder.whole_read_bytes(0));
    for origin in [&off, &without, &cheap] {
        (0..3).for_each(|chunk| drop(get(origin, &video(300, chunk)).unwrap()));
        assert_eq!((tasks.poll(), ahead(origin)), (0, (0, 0)));
    }
    let origin = self::origin(&remote, &tasks, |builder| builder);
    for _ in 0..2 {
        let target = video(300, 3);
        let asked = block_on(origin.ask(&target)).unwrap();
        block_on(asked.first_bytes(0).answer()).unwrap();
        assert_eq!((tasks.poll(), ahead(&origin)), (0, (0, 0)));
    }
}

#[test]
fn a_client_that_requests_a_fragment_while_it_is_read_ahead_waits_for_that_read() {
    let (remote, tasks) = (film(), Tasks::default());
    let origin = origin(&remote, &tasks, |builder| builder);
    get(&origin, &video(300, 0)).unwrap();
    remote.reads();
    remote.slow();
    assert_eq!(tasks.poll(), 2, "in progress");
    let target = video(300, 1);
    let asked = async {
        let mut asked = Box::pin(origin.answer(&target));
        std::future::poll_fn(|context| {
            tasks.poll();
            asked.as_mut().poll(context)
        })
        .await
        .unwrap()
    };
    together(&remote, [asked]);
    tasks.poll();
    assert!(get(&origin, &video(300, 1)).unwrap() == stored(1, 1));
    // The two fragments, and the one after them.
    assert_eq!(remote.reads().len(), 3);
    assert_eq!(ahead(&origin), (3, 1));
    assert_eq!(origin.stats().shared_reads, 1);
}

#[test]
fn reads_that_clients_wait_for_come_first() {
    // All the room of the store is in use, or more than half of it, or of the memory.
    for (clients, begins) in [(3, true), (4, false), (8, false), (9, false)] {
        let (remote, tasks) = (film(), Tasks::default());
        let origin = origin(&remote, &tasks, |builder| builder.max_reads(8));
        get(&origin, &video(300, 0)).unwrap();
        tasks.run();
        assert_eq!(ahead(&origin).0, 2);
        remote.slow();
        let targets: Vec<_> = (0..clients).map(|client| video(600, 4 * client)).collect();
        let mut reads: Vec<_> =
            targets.iter().map(|target| Box::pin(origin.answer(target))).collect();
        for read in &mut reads {
            let polled = read.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Pending));
        }
        // This one is in the cache, and the fragment two after it is not.
        served(&origin, &video(300, 1)).unwrap();
        let begun = ahead(&origin).0 - 2;
        assert_eq!(begun, u64::from(begins), "{clients} clients");
    }
    let (remote, tasks) = (film(), Tasks::default());
    let origin = origin(&remote, &tasks, |builder| builder.body_bytes(5 << 20));
    get(&origin, &video(300, 0)).unwrap();
    assert_eq!(ahead(&origin).0, 2);
    tasks.run();
    let mut held = Vec::new();
    for chunk in [10, 11, 12, 13, 14, 15, 16, 17, 18] {
        let before = ahead(&origin).0;
        let mut body = served(&origin, &video(600, chunk)).unwrap().body();
        held.push(block_on(body.next()).unwrap().unwrap());
        let is_roomy = origin.stats().body_bytes < (5 << 20) / 2 - 310_000;
        assert!(is_roomy || ahead(&origin).0 == before, "{chunk}");
        tasks.0.lock().unwrap().clear();
    }
    assert!(origin.stats().body_bytes > (5 << 20) / 2);
}

#[test]
fn reads_ahead_are_bounded_over_all_clients_and_given_up_tasks_leave_nothing() {
    let (remote, tasks) = (film(), Tasks::default());
    // An eighth of the cache is 4 MiB: 13 fragments.
    let origin = origin(&remote, &tasks, |builder| builder.fragment_cache_bytes(32 << 20));
    for chunk in 0..CHUNKS / 3 {
        get(&origin, &video(300, 3 * chunk)).unwrap();
        get(&origin, &video(600, 3 * chunk)).unwrap();
    }
    let in_progress = tasks.0.lock().unwrap().len() as u64;
    assert_eq!((in_progress, ahead(&origin).0), (13, 13));
    tasks.0.lock().unwrap().clear();
    assert_eq!(origin.stats().body_bytes, 0);
    // Its places are free again.
    get(&origin, &video(300, 0)).unwrap();
    assert_eq!(ahead(&origin).0, 15);
    tasks.run();
    assert!(get(&origin, &video(300, 1)).unwrap() == stored(1, 1));
    assert_eq!(ahead(&origin).1, 1);

    let (remote, tasks) = (film(), Tasks::default());
    let origin = self::origin(&remote, &tasks, |builder| builder);
    for chunk in 0..CHUNKS / 3 {
        get(&origin, &video(300, 3 * chunk)).unwrap();
        get(&origin, &video(600, 3 * chunk)).unwrap();
    }
    assert_eq!(tasks.0.lock().unwrap().len(), 16);
}

#[cfg(feature = "disk-cache")]
#[test]
fn without_a_cache_in_memory_fragments_are_read_ahead_into_the_one_on_disk_each_once() {
    let (remote, tasks) = (film(), Tasks::default());
    let folder = std::env::temp_dir().join(format!("read-ahead-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let disk = block_on(smooth_origin::storage::DiskCache::open(&folder, 64 << 20)).unwrap();
    let origin = origin(&remote, &tasks, |builder| {
        builder.fragment_cache_bytes(0).disk_cache(disk.clone(), "bucket")
    });
    for _ in 0..3 {
        assert!(get(&origin, &video(300, 0)).unwrap() == stored(1, 0));
        let begun = std::mem::take(&mut *tasks.0.lock().unwrap());
        begun.into_iter().for_each(block_on);
        assert_eq!(ahead(&origin).0, 2);
    }
    assert_eq!(disk.stats().errors, 0);
    drop((origin, disk));
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn a_read_ahead_that_fails_is_no_failure_of_a_request() {
    let (remote, tasks) = (film(), Tasks::default());
    let origin = origin(&remote, &tasks, |builder| builder);
    get(&origin, &video(300, 0)).unwrap();
    remote.fail(2);
    tasks.run();
    assert!(get(&origin, &video(300, 1)).unwrap() == stored(1, 1));
    assert_eq!((ahead(&origin).1, origin.stats().failures), (0, 0));
}
