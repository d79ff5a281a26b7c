//! Index files: a file without an `mfra` is walked through once, and not by each origin.

#![cfg(feature = "fs")]

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Opened, Origin, OriginBuilder};
use smooth_origin::storage::{IndexFolder, IndexStore, Version};
use testkit::film::{self, Media, Style, Track, ism};
use testkit::rounds::{Content, Requested, RoundsStore, Ticks};
use testkit::{name, store};

const CHUNKS: u32 = 300;

/// Two media files without an index.
fn media() -> [Media; 2] {
    let style = Style { mfra: false, ..Style::default() };
    let track = |id, kind, size| Track::regular(id, kind, CHUNKS, 20_000_000, size);
    let video = film::media(&[track(1, StreamKind::Video, 30_000)], style);
    [video, film::media(&[track(2, StreamKind::Audio, 3000)], style)]
}

fn manifest() -> Vec<u8> {
    ism(None, &[("video", "film.ismv", 300, 1, ""), ("audio", "film.isma", 64, 2, "")])
}

fn objects() -> Vec<(Name, Content)> {
    let [video, audio] = media();
    vec![
        (name("film.ism"), Content::Bytes(manifest())),
        (name("film.ismv"), Content::Media(Arc::new(video))),
        (name("film.isma"), Content::Media(Arc::new(audio))),
    ]
}

/// Opens the film with a new origin. Returns its manifest, and what the opening requested.
fn open(version: &'static str, indexes: impl IndexStore) -> (Vec<u8>, Requested) {
    open_with(version, |builder| builder.index_store(indexes))
}

fn open_with(
    version: &'static str,
    options: impl FnOnce(OriginBuilder) -> OriginBuilder,
) -> (Vec<u8>, Requested) {
    let ticks = Ticks::default();
    let store = RoundsStore::new(objects(), &ticks).version(version);
    let builder = Origin::builder(store).clock(ticks.clock(Duration::from_millis(50)));
    let origin = options(builder).build();
    let opened = ticks.run(origin.open(&name("film.ism"))).unwrap();
    let manifest = opened.presentation().manifest().unwrap().to_vec();
    (manifest, ticks.requested())
}

/// Index files in memory.
#[derive(Clone, Default)]
struct Indexes {
    kept: Arc<Mutex<BTreeMap<Name, Bytes>>>,
    fails: bool,
}

impl IndexStore for Indexes {
    async fn load(&self, name: &Name, _: &Version) -> io::Result<Option<Bytes>> {
        if self.fails {
            return Err(io::Error::other("the bucket is closed"));
        }
        Ok(self.kept.lock().unwrap().get(name).cloned())
    }

    async fn keep(&self, name: &Name, _: &Version, index: Bytes) -> io::Result<()> {
        if self.fails {
            return Err(io::Error::other("the bucket is closed"));
        }
        self.kept.lock().unwrap().insert(name.clone(), index);
        Ok(())
    }
}

/// A folder that is removed at the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = format!("smooth-origin-{}-{test}", std::process::id());
        Self(std::env::temp_dir().join(folder))
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_second_origin_opens_without_a_walk() {
    let folder = Folder::new("second");
    let (walked, first) = open("1", IndexFolder::new(&folder.0));
    assert!(first.requests > 300, "{first:?}");
    let (manifest, second) = open("1", IndexFolder::new(&folder.0));
    assert!(second.requests < 10 && second.rounds <= 4, "{second:?}");
    assert!(manifest == walked);
    assert_eq!(folder.files().len(), 2, "and nothing else is left behind");
}

#[test]
fn an_index_file_of_another_version_or_a_damaged_one_is_ignored_and_replaced() {
    let indexes = Indexes::default();
    let (walked, first) = open("1", indexes.clone());
    let (manifest, other) = open("2", indexes.clone());
    assert_eq!((other, &manifest), (first, &walked), "of another version");
    let (_, again) = open("2", indexes.clone());
    assert!(again.requests < 10, "{again:?}");
    for damage in [0, 5, 20, 400] {
        for index in indexes.kept.lock().unwrap().values_mut() {
            let mut bytes = index.to_vec();
            bytes[damage] ^= 1;
            *index = bytes.into();
        }
        let (manifest, requested) = open("2", indexes.clone());
        assert_eq!((requested, &manifest), (first, &walked), "{damage}");
        let (_, again) = open("2", indexes.clone());
        assert!(again.requests < 10, "{again:?}");
    }
    for index in indexes.kept.lock().unwrap().values_mut() {
        index.truncate(index.len() / 2);
    }
    assert_eq!(open("2", indexes).1, first);
}

#[test]
fn index_files_of_many_media_files_are_all_used() {
    let style = Style { mfra: false, ..Style::default() };
    let names: Vec<String> = (1..=20).map(|id| format!("film_{id}.ismv")).collect();
    let tracks: Vec<_> =
        (1..).zip(&names).map(|(id, file)| ("video", &**file, 1000 * id, id, "")).collect();
    let mut objects = vec![(name("film.ism"), Content::Bytes(ism(None, &tracks)))];
    for (id, file) in (1..).zip(&names) {
        let track = Track::regular(id, StreamKind::Video, 50, 20_000_000, 30_000 + id);
        objects.push((name(file), Content::Media(Arc::new(film::media(&[track], style)))));
    }
    let indexes = Indexes::default();
    let open = || {
        let ticks = Ticks::default();
        let store = RoundsStore::new(objects.clone(), &ticks);
        let origin = Origin::builder(store).index_store(indexes.clone()).build();
        ticks.run(origin.open(&name("film.ism"))).unwrap();
        ticks.requested()
    };
    let (first, second) = (open(), open());
    assert!(first.requests > 1000, "{first:?}");
    assert!(second.requests <= 41 && second.rounds <= 4, "{second:?}");
}

#[test]
fn an_index_store_that_fails_is_an_event_and_no_error() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let (_, requested) = open_with("1", |builder| {
        let builder = builder.index_store(Indexes { fails: true, ..Indexes::default() });
        builder.on_event(move |event| told.lock().unwrap().push(event.to_string()))
    });
    assert!(requested.requests > 300);
    let events = events.lock().unwrap();
    let failed = "film.ismv: its index file cannot be read or kept: the bucket is closed";
    assert_eq!(events.iter().filter(|event| *event == failed).count(), 2, "{events:?}");
}

#[test]
fn a_file_with_an_index_of_its_own_gets_no_index_file() {
    let indexes = Indexes::default();
    let track = Track::regular(1, StreamKind::Video, 50, 20_000_000, 3000);
    let media = film::media(&[track], Style::default()).to_bytes();
    let objects =
        [("film.ism", ism(None, &[("video", "film.ismv", 300, 1, "")])), ("film.ismv", media)];
    let origin = Origin::builder(store(objects)).index_store(indexes.clone()).build();
    testkit::get(&origin, "film.ism/Manifest").unwrap();
    assert!(indexes.kept.lock().unwrap().is_empty());
}

/// The index file of one film, kept for another film with the same version and size, whose fragments
/// are stored in another order.
#[test]
fn an_index_file_that_lies_gives_no_wrong_fragment_and_is_replaced() {
    let style = Style { mfra: false, ..Style::default() };
    let film = |sizes: &dyn Fn(u32) -> u32| {
        let mut track = Track::regular(1, StreamKind::Video, 60, 20_000_000, 0);
        for (number, fragment) in (0..).zip(&mut track.fragments) {
            fragment.samples = vec![(20_000_000, sizes(number))];
        }
        film::media(&[track], style)
    };
    let (one, other) = (film(&|number| 2000 + number), film(&|number| 2059 - number));
    assert_eq!(one.len, other.len);
    let files = |media: &Media| {
        let server = ism(None, &[("video", "film.ismv", 300, 1, "")]);
        [("film.ism", server), ("film.ismv", media.to_bytes())]
    };
    let ticks = Ticks::default();
    let objects =
        |media: &Media| files(media).map(|(file, bytes)| (name(file), Content::Bytes(bytes)));
    let indexes = Indexes::default();
    let new = |media: &Media| {
        let store = RoundsStore::new(objects(media), &ticks);
        Origin::builder(store)
            .index_store(indexes.clone())
            .clock(ticks.clock(Duration::ZERO))
            .build()
    };
    ticks.run(new(&one).open(&name("film.ism"))).unwrap();
    let lie = indexes.kept.lock().unwrap().clone();
    let origin = new(&other);
    let mut right = 0;
    for round in 0..3 {
        for (_, time, range) in &other.fragments {
            let path = format!("film.ism/QualityLevels(300)/Fragments(video={time})");
            let body = ticks.run(async {
                let served = match origin.answer(&path).await.ok()? {
                    smooth_origin::origin::Answer::Reply(served) => served,
                    other => panic!("{other:?}"),
                };
                let mut body = served.body();
                let mut bytes = Vec::new();
                while let Some(part) = body.next().await {
                    bytes.extend_from_slice(&part.unwrap());
                }
                Some(bytes)
            });
            if let Some(body) = body {
                let range = range.start as usize..range.end as usize;
                assert!(body == other.to_bytes()[range], "{path}");
                right += usize::from(round == 2);
            }
        }
    }
    assert_eq!(right, 60, "all are served after the lie was noticed");
    assert_ne!(lie, *indexes.kept.lock().unwrap(), "the lie is gone");
}

#[test]
fn a_folder_keeps_to_its_limits_and_the_newest_files_stay() {
    let folder = Folder::new("limits");
    let version = Version::new("1");
    let indexes = IndexFolder::new(&folder.0).max_files(3);
    let keep = |indexes: &IndexFolder, file: &str, len: usize| {
        let name = name(file);
        let kept = indexes.keep(&name, &version, vec![7; len].into());
        smooth_origin::origin::block_on(kept).unwrap();
    };
    let load = |file: &str| {
        let name = name(file);
        smooth_origin::origin::block_on(indexes.load(&name, &version)).unwrap()
    };
    for number in 0..6 {
        keep(&indexes, &format!("{number}.ismv"), 100 + number);
        // Files of one time have no order.
        std::thread::sleep(Duration::from_millis(15));
    }
    assert_eq!(folder.files().len(), 3);
    assert_eq!(load("5.ismv").map(|bytes| bytes.len()), Some(105));
    assert_eq!((load("0.ismv"), load("none.ismv")), (None, None));
    keep(&indexes.clone().max_bytes(150), "6.ismv", 120);
    assert_eq!(folder.files().len(), 1);
    assert!(load("6.ismv").is_some());
}

/// The findings, as lines.
fn findings(opened: &Opened) -> Vec<String> {
    opened.presentation().findings().iter().map(ToString::to_string).collect()
}

#[test]
fn a_recording_that_was_cut_off_is_walked_through_once_and_found_the_same() {
    let [video, _] = media();
    let bytes = video.to_bytes();
    let (.., last) = video.fragments.last().unwrap();
    let (start, end) = (last.start as usize, last.end as usize);
    let moof = u32::from_be_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
    for (what, len) in [
        ("in the samples", end - 1000),
        ("at the first sample", start + moof + 8),
        ("in the header of the `mdat`", start + moof + 4),
        ("behind the `moof`", start + moof),
        ("in the `moof`", start + moof / 2),
        ("in the header of the `moof`", start + 8),
        ("in its size", start + 3),
        ("between two fragments", start),
    ] {
        let objects = [
            (name("film.ism"), ism(None, &[("video", "film.ismv", 300, 1, "")])),
            (name("film.ismv"), bytes[..len].to_vec()),
        ];
        let objects = objects.map(|(name, bytes)| (name, Content::Bytes(bytes)));
        let open = |indexes: Option<&Indexes>| {
            let ticks = Ticks::default();
            let store = RoundsStore::new(objects.clone(), &ticks);
            let builder = Origin::builder(store).clock(ticks.clock(Duration::from_millis(50)));
            let origin = match indexes {
                Some(indexes) => builder.index_store(indexes.clone()).build(),
                None => builder.build(),
            };
            let opened = ticks.run(origin.open(&name("film.ism"))).unwrap();
            (opened, ticks.requested())
        };
        let indexes = Indexes::default();
        let (walked, by_walk) = open(None);
        let (first, _) = open(Some(&indexes));
        let (second, by_index) = open(Some(&indexes));
        assert!(by_walk.requests > 300, "{what}: {by_walk:?}");
        assert!(by_index.requests < 12 && by_index.rounds <= 6, "{what}: {by_index:?}");
        for opened in [&first, &second] {
            assert_eq!(findings(opened), findings(&walked), "{what}");
            let manifest = |opened: &Opened| opened.presentation().manifest().unwrap().clone();
            assert!(manifest(opened) == manifest(&walked), "{what}");
        }
    }
}
