//! While files change, go away for a moment or cannot be read, and while requests are given up, an
//! answer has the bytes that were opened or those that are stored now, never parts of both.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use smooth_origin::base::{ErrorKind, Name, ReadErrorKind};
use smooth_origin::manifest::{Layout, StreamKind};
use smooth_origin::origin::{Body, Origin, block_on};
use smooth_origin::presentation::OpenOptions;
use smooth_origin::storage::{MemoryObject, MemoryStore, RangeSource, Stat, Store};
use testkit::film::{self, Fragment, Media, Style, Track, ism};
use testkit::{Hands, codes, get, name, read, served, status, store};

const VIDEO: (&str, &str, u32, u32, &str) = ("video", "film.ismv", 300, 1, "");
const AUDIO: (&str, &str, u32, u32, &str) = ("audio", "sound.isma", 64, 1, "");
const OTHER: (&str, &str, u32, u32, &str) = ("video", "other.ismv", 300, 1, "");

const MANIFEST: &str = "film.ism/Manifest";
const FIRST: &str = "film.ism/QualityLevels(300)/Fragments(video=0)";
const THIRD: &str = "film.ism/QualityLevels(300)/Fragments(video=40000000)";
const SOUND: &str = "film.ism/QualityLevels(64)/Fragments(audio=0)";
const OTHERS_FIRST: &str = "other.ism/QualityLevels(300)/Fragments(video=0)";

/// `count` fragments of two seconds, of one sample each.
fn regular(kind: StreamKind, count: u32, size: u32) -> Media {
    film::media(&[Track::regular(1, kind, count, 20_000_000, size)], Style::default())
}

fn small(kind: StreamKind, count: u32) -> Vec<u8> {
    regular(kind, count, 100).to_bytes()
}

/// Fragments that are sent in many parts.
fn large(value: u8) -> Vec<u8> {
    regular(StreamKind::Video, 2, 3 << 20).filled(value)
}

/// Pictures, and another presentation whose file takes the place of theirs among those open.
fn two_films(media: Vec<u8>) -> MemoryStore {
    store([
        ("film.ism", ism(None, &[VIDEO])),
        ("film.ismv", media),
        ("other.ism", ism(None, &[OTHER])),
        ("other.ismv", small(StreamKind::Video, 2)),
    ])
}

fn pictures_and_sound() -> MemoryStore {
    let objects = two_films(small(StreamKind::Video, 2));
    objects.put(name("film.ism"), ism(None, &[VIDEO, AUDIO]));
    objects.put(name("sound.isma"), small(StreamKind::Audio, 2));
    objects
}

/// A store with moods.
#[derive(Clone, Default)]
struct Moody {
    store: MemoryStore,
    mood: Arc<Mood>,
}

#[derive(Default)]
struct Mood {
    /// A name that is not there for the moment.
    hidden: Mutex<Option<&'static str>>,
    /// No name can be opened until [`Moody::answer`].
    silent: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
    /// A name whose reads never end.
    stuck: Mutex<Option<&'static str>>,
    /// Number of reads that will fail, apart from those of a file's first or last bytes.
    failing: AtomicUsize,
    /// Sources that have been opened and not been dropped.
    open: AtomicUsize,
}

struct MoodySource {
    object: MemoryObject,
    name: Name,
    mood: Arc<Mood>,
}

impl Moody {
    fn new(store: MemoryStore) -> Self {
        Self { store, ..Self::default() }
    }

    fn hide(&self, name: Option<&'static str>) {
        *self.mood.hidden.lock().unwrap() = name;
    }

    fn fall_silent(&self) {
        self.mood.silent.store(true, Ordering::Relaxed);
    }

    fn answer(&self) {
        self.mood.silent.store(false, Ordering::Relaxed);
        self.mood.waiting.lock().unwrap().drain(..).for_each(Waker::wake);
    }
}

impl Store for Moody {
    type Source = MoodySource;

    async fn open(&self, name: &Name) -> io::Result<MoodySource> {
        std::future::poll_fn(|context| match self.mood.silent.load(Ordering::Relaxed) {
            true => {
                self.mood.waiting.lock().unwrap().push(context.waker().clone());
                Poll::Pending
            }
            false => Poll::Ready(()),
        })
        .await;
        if *self.mood.hidden.lock().unwrap() == Some(name.as_str()) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let object = self.store.open(name).await?;
        self.mood.open.fetch_add(1, Ordering::Relaxed);
        Ok(MoodySource { object, name: name.clone(), mood: Arc::clone(&self.mood) })
    }
}

impl RangeSource for MoodySource {
    async fn stat(&self) -> io::Result<Stat> {
        self.object.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if *self.mood.stuck.lock().unwrap() == Some(self.name.as_str()) {
            std::future::pending::<()>().await;
        }
        let is_inside = range.start > 0 && range.end < self.object.stat().await?.size;
        let one_less = |failing: usize| failing.checked_sub(1);
        let failing = &self.mood.failing;
        if is_inside && failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
        {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.object.read(range).await
    }
}

impl Drop for MoodySource {
    fn drop(&mut self) {
        self.mood.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts how often a task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls once.
fn poll<F: Future>(future: &mut Pin<Box<F>>, waker: &Waker) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(waker))
}

/// Begins to answer a request, which must have to wait, and gives it up.
fn give_up(origin: &Origin, path: &str) {
    let mut answer = Box::pin(origin.answer(path));
    assert!(poll(&mut answer, Waker::noop()).is_pending(), "{path}");
}

/// The rest of a body, or the error that cut it.
fn rest(body: &mut Body) -> Result<Vec<u8>, ReadErrorKind> {
    let mut bytes = Vec::new();
    while let Some(part) = block_on(body.next()) {
        match part.map_err(|error| error.kind) {
            Ok(part) => bytes.extend_from_slice(&part),
            Err(ErrorKind::Read(error)) => return Err(error.kind),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(body.remaining(), 0);
    Ok(bytes)
}

#[test]
fn two_bodies_of_a_file_that_is_closed_and_replaced_hold_nothing_of_the_new_one() {
    let objects = two_films(large(b'A'));
    let origin = Origin::builder(objects.clone()).max_open_files(1).build();
    let replies = [served(&origin, FIRST).unwrap(), served(&origin, FIRST).unwrap()];
    let mut bodies = replies.map(|reply| reply.body());
    for body in &mut bodies {
        for _ in 0..3 {
            block_on(body.next()).unwrap().unwrap();
        }
        assert!(body.remaining() > 1 << 20);
    }
    // The file is closed for another one; then a version of the same shape lies there.
    for time in [0, 20_000_000, 0, 20_000_000] {
        get(&origin, &format!("other.ism/QualityLevels(300)/Fragments(video={time})")).unwrap();
    }
    objects.put(name("film.ismv"), large(b'B'));
    let [first, second] = &mut bodies;
    for body in [second, first] {
        assert_eq!(rest(body), Err(ReadErrorKind::Changed));
    }
}

#[test]
fn a_reply_that_was_made_before_its_file_was_replaced_is_cut_and_not_of_the_new_file() {
    let of_sizes = |sizes: [u32; 3]| {
        let fragment = |(i, size): (i64, u32)| Fragment {
            time: i * 20_000_000,
            samples: vec![(20_000_000, size)],
        };
        let fragments = (0..).zip(sizes).map(fragment).collect();
        film::media(&[Track::new(1, StreamKind::Video, fragments)], Style::default()).to_bytes()
    };
    let objects = two_films(of_sizes([1000, 500, 500]));
    let origin = Origin::builder(objects.clone()).max_open_files(1).build();
    let path = "film.ism/QualityLevels(300)/Fragments(video=20000000)";
    get(&origin, path).unwrap();
    // Where the fragment lies is known: these have read nothing.
    let replies = [served(&origin, path).unwrap(), served(&origin, path).unwrap()];
    get(&origin, OTHERS_FIRST).unwrap();
    objects.put(name("film.ismv"), of_sizes([700, 900, 500]));
    for reply in replies {
        assert_eq!(rest(&mut reply.body()), Err(ReadErrorKind::Changed));
    }
    assert_eq!(get(&origin, path).unwrap().len() - get(&origin, FIRST).unwrap().len(), 200);
}

#[test]
fn a_read_that_fails_once_while_opening_is_made_again_after_the_set_time() {
    let hands = Hands::default();
    let objects = store([
        ("film.ism", ism(None, &[VIDEO])),
        ("film.ismv", regular(StreamKind::Video, 20, 100_000).to_bytes()),
    ]);
    let moody = Moody::new(objects);
    moody.mood.failing.store(1, Ordering::Relaxed);
    let origin = Origin::builder(moody.clone()).clock(hands.clock()).build();
    assert_ne!(status(&origin, MANIFEST), 200);
    assert_eq!(moody.mood.failing.load(Ordering::Relaxed), 0);
    hands.pass(5);
    assert_eq!([MANIFEST, FIRST].map(|path| status(&origin, path)), [200, 200]);
}

#[test]
fn each_time_a_file_goes_away_there_is_the_whole_grace() {
    let hands = Hands::default();
    let moody = Moody::new(pictures_and_sound());
    let origin = Origin::builder(moody.clone()).clock(hands.clock()).build();
    assert_eq!(status(&origin, SOUND), 200);
    for _ in 0..3 {
        moody.hide(Some("sound.isma"));
        for _ in 0..5 {
            hands.pass(5);
            assert_eq!(status(&origin, SOUND), 200, "within the grace");
        }
        // Back in the version that was opened.
        moody.hide(None);
        hands.pass(5);
        assert_eq!(status(&origin, SOUND), 200);
        hands.pass(3600);
    }
    moody.hide(Some("sound.isma"));
    hands.pass(5);
    assert_eq!(status(&origin, SOUND), 200);
    hands.pass(30);
    assert_eq!(status(&origin, SOUND), 404);
}

/// A set whose video has another flaw than information, and more of it if `flaws` is 2.
fn flawed(video: &str, flaws: usize) -> [(String, Vec<u8>); 3] {
    let missing = ["missing.ismv", "absent.ismv"];
    let tracks: Vec<_> = [(video, 300), (missing[0], 600), (missing[1], 900)]
        .into_iter()
        .take(1 + flaws)
        .map(|(file, bitrate)| ("video", file, bitrate, 1, ""))
        .chain([AUDIO])
        .collect();
    [
        (video.to_owned(), small(StreamKind::Video, 3)),
        ("sound.isma".to_owned(), small(StreamKind::Audio, 3)),
        ("film.ism".to_owned(), ism(None, &tracks)),
    ]
}

/// After how many seconds a change from one set to another is served: at once is 5, when the files
/// are looked at.
fn served_after(old: [(String, Vec<u8>); 3], new: [(String, Vec<u8>); 3]) -> u64 {
    let hands = Hands::default();
    let put = |objects: &MemoryStore, set: [(String, Vec<u8>); 3]| {
        for (file, content) in set {
            objects.put(name(&file), content);
        }
    };
    let objects = MemoryStore::new();
    put(&objects, old);
    let origin = Origin::builder(objects.clone()).clock(hands.clock()).build();
    let manifest = || get(&origin, MANIFEST).unwrap();
    let file = || {
        let opened = block_on(origin.open(&name("film.ism"))).unwrap();
        opened.presentation().files().iter().map(|file| file.to_string()).collect::<Vec<_>>()
    };
    let before = (manifest(), file());
    put(&objects, new);
    for after in (5..=60).step_by(5) {
        hands.pass(5);
        if (manifest(), file()) != before {
            return after;
        }
    }
    panic!("it is never served");
}

#[test]
fn a_set_with_other_file_names_and_the_same_flaws_is_served_at_once() {
    assert_eq!(served_after(flawed("old.ismv", 1), flawed("new.ismv", 1)), 5);
    assert_eq!(served_after(flawed("old.ismv", 2), flawed("new.ismv", 1)), 5, "with fewer");
    assert_eq!(served_after(flawed("old.ismv", 0), flawed("new.ismv", 0)), 5, "with none");
}

#[test]
fn a_set_with_more_flaws_waits_for_the_grace() {
    assert_eq!(served_after(flawed("old.ismv", 0), flawed("new.ismv", 1)), 35);
    assert_eq!(served_after(flawed("old.ismv", 1), flawed("new.ismv", 2)), 35);
}

#[test]
fn a_file_that_arrives_is_served_at_once_whatever_is_found_in_it() {
    let hands = Hands::default();
    let objects = store([
        ("sound.isma", small(StreamKind::Audio, 3)),
        ("film.ism", ism(None, &[VIDEO, AUDIO])),
    ]);
    let origin = Origin::builder(objects.clone()).clock(hands.clock()).build();
    assert_eq!((status(&origin, SOUND), status(&origin, FIRST)), (200, 404));
    // Its index is missing: that is a warning.
    let without_index = Style { mfra: false, ..Style::default() };
    let track = Track::regular(1, StreamKind::Video, 3, 20_000_000, 100);
    objects.put(name(VIDEO.1), film::media(&[track], without_index).to_bytes());
    hands.pass(5);
    assert_eq!((status(&origin, SOUND), status(&origin, FIRST)), (200, 200));
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    assert!(codes(opened.presentation()).contains(&"warning index-rebuilt".into()));
}

#[test]
fn a_set_that_loses_the_sound_for_the_pictures_waits_though_it_has_as_many_flaws() {
    let lost = |kind, file: &str, other: &str| {
        let (pictures, sound) = match kind {
            StreamKind::Video => ("missing.ismv", file),
            _ => (file, "missing.isma"),
        };
        let tracks = [("video", pictures, 300, 1, ""), ("audio", sound, 64, 1, "")];
        let there = match kind {
            StreamKind::Video => StreamKind::Audio,
            _ => StreamKind::Video,
        };
        [
            (file.to_owned(), small(there, 3)),
            (other.to_owned(), Vec::new()),
            ("film.ism".to_owned(), ism(None, &tracks)),
        ]
    };
    let (no_pictures, no_sound) =
        (lost(StreamKind::Video, "a.isma", "x"), lost(StreamKind::Audio, "a.ismv", "x"));
    assert_eq!(served_after(no_sound.clone(), no_pictures), 35);
    assert_eq!(served_after(no_sound, lost(StreamKind::Audio, "b.ismv", "x")), 5);
}

#[test]
fn information_and_a_track_less_on_purpose_delay_nothing() {
    let of_timescale = |timescale| {
        let mut track = Track::regular(1, StreamKind::Video, 3, 20_000_000, 100);
        track.timescale = timescale;
        let media = film::media(&[track], Style::default()).to_bytes();
        [
            ("film.ismv".to_owned(), media),
            ("sound.isma".to_owned(), small(StreamKind::Audio, 3)),
            ("film.ism".to_owned(), ism(None, &[VIDEO, AUDIO])),
        ]
    };
    let unusual = of_timescale(9_000_000);
    let opened = testkit::open(&store(unusual.iter().map(|(f, c)| (&f[..], c.clone())))).unwrap();
    assert_eq!(testkit::codes(opened.presentation()), ["info timescale-unusual"]);
    assert_eq!(served_after(of_timescale(10_000_000), unusual), 5);
    let mut one_track = of_timescale(10_000_000);
    one_track[2].1 = ism(None, &[VIDEO]);
    assert_eq!(served_after(of_timescale(10_000_000), one_track), 5);
}

#[test]
fn a_stream_is_announced_within_the_grace_though_its_file_was_closed_and_is_gone() {
    let hands = Hands::default();
    let objects = pictures_and_sound();
    let origin = Origin::builder(objects.clone()).max_open_files(1).clock(hands.clock()).build();
    let announces_sound = || {
        let manifest = String::from_utf8(get(&origin, MANIFEST).unwrap()).unwrap();
        manifest.contains("Type=\"audio\"")
    };
    assert!(announces_sound());
    get(&origin, OTHERS_FIRST).unwrap();
    objects.remove(&name("sound.isma"));
    assert_ne!(status(&origin, SOUND), 200, "there is nothing to read it from");
    for _ in 0..5 {
        assert!(announces_sound());
        hands.pass(5);
    }
    hands.pass(30);
    let later = [announces_sound(), announces_sound()];
    assert!(!later[1], "{later:?}");
}

#[test]
fn an_opening_that_is_given_up_closes_its_files() {
    let moody = Moody::new(two_films(small(StreamKind::Video, 2)));
    *moody.mood.stuck.lock().unwrap() = Some("film.ismv");
    let origin = Origin::new(moody.clone());
    for _ in 0..10 {
        give_up(&origin, MANIFEST);
    }
    assert_eq!(moody.mood.open.load(Ordering::Relaxed), 0);
}

#[test]
fn requests_that_wait_for_an_opening_are_answered_though_it_and_one_of_them_are_given_up() {
    let moody = Moody::new(two_films(small(StreamKind::Video, 2)));
    moody.fall_silent();
    let origin = Origin::new(moody.clone());
    let woken: [_; 4] = std::array::from_fn(|_| Arc::new(Woken::default()));
    let wakers = woken.clone().map(Waker::from);
    let mut answers = wakers.clone().map(|waker| {
        let mut answer = Box::pin(origin.answer(MANIFEST));
        assert!(poll(&mut answer, &waker).is_pending());
        Some(answer)
    });
    answers[2] = None;
    answers[0] = None; // the one that opens
    moody.answer();
    // Whoever is woken goes on; nobody else is polled.
    for _ in 0..10 {
        for ((answer, woken), waker) in answers.iter_mut().zip(&woken).zip(&wakers) {
            if woken.0.swap(0, Ordering::Relaxed) > 0
                && let Some(waiting) = answer
                && let Poll::Ready(done) = poll(waiting, waker)
            {
                done.unwrap();
                *answer = None;
            }
        }
    }
    assert!(answers.iter().all(Option::is_none));
}

#[test]
fn a_look_at_the_files_that_is_given_up_does_not_put_off_the_next() {
    let hands = Hands::default();
    let moody = Moody::new(two_films(small(StreamKind::Video, 2)));
    let origin = Origin::builder(moody.clone()).clock(hands.clock()).build();
    assert_eq!(status(&origin, THIRD), 404);
    moody.store.put(name("film.ismv"), small(StreamKind::Video, 3));
    hands.pass(5);
    moody.fall_silent();
    for _ in 0..3 {
        give_up(&origin, MANIFEST);
    }
    moody.answer();
    assert_eq!(status(&origin, THIRD), 200);
}

#[test]
fn what_is_served_stays_while_there_is_too_much_to_do_to_open_it_again() {
    let hands = Hands::default();
    let moody = Moody::new(two_films(small(StreamKind::Video, 2)));
    let origin = Origin::builder(moody.clone()).max_openings(1).clock(hands.clock()).build();
    assert_eq!(status(&origin, MANIFEST), 200);
    // Another opening takes all there may be, and does not end.
    moody.fall_silent();
    let mut other = Box::pin(origin.answer("other.ism/Manifest"));
    assert!(poll(&mut other, Waker::noop()).is_pending());
    moody.answer();
    moody.store.put(name("film.ismv"), small(StreamKind::Video, 3));
    for _ in 0..9 {
        hands.pass(5);
        assert_eq!([MANIFEST, FIRST, THIRD].map(|path| status(&origin, path)), [200, 200, 404]);
    }
    drop(other);
    hands.pass(5);
    assert_eq!([MANIFEST, FIRST, THIRD].map(|path| status(&origin, path)), [200, 200, 200]);
}

#[test]
fn two_layouts_of_a_manifest_are_two_bodies_with_two_validators() {
    let objects = two_films(small(StreamKind::Video, 20));
    let [full, compact] = [Layout::Full, Layout::Compact].map(|layout| {
        let options = OpenOptions::default().layout(layout);
        let origin = Origin::builder(objects.clone()).open_options(options).build();
        let served = served(&origin, MANIFEST).unwrap();
        (read(&served).unwrap(), served.reply().validator().to_string())
    });
    assert_ne!(full.0, compact.0);
    assert_ne!(full.1, compact.1);
}

#[cfg(all(unix, feature = "fs"))]
#[test]
fn a_file_with_another_name_that_is_replaced_by_rename_stays_readable_during_a_body() {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use smooth_origin::storage::LocalStore;

    let folder = testkit::folder::Folder::new("second-name");
    folder.write("film.ism", &ism(None, &[VIDEO]));
    let film = folder.write("film.ismv", &large(b'A'));
    fs::hard_link(&film, folder.0.join("backup.ismv")).unwrap();
    let origin = Origin::new(LocalStore::new(&folder).unwrap());
    let mut body = served(&origin, FIRST).unwrap().body();
    let mut bytes = block_on(body.next()).unwrap().unwrap().to_vec();
    // One name less is a change of the file's status, at a time that the file system tells apart.
    let changed = |path: &std::path::Path| {
        let status = fs::metadata(path).unwrap();
        (status.ctime(), status.ctime_nsec())
    };
    let before = changed(&film);
    let new = folder.write("new.ismv", &large(b'B'));
    while changed(&folder.write("now", b"")) == before {}
    fs::rename(new, &film).unwrap();
    assert_ne!(changed(&folder.0.join("backup.ismv")), before);
    bytes.extend(rest(&mut body).unwrap());
    assert!(bytes.ends_with(&[b'A'; 3 << 20]));
}
