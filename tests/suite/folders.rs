//! Folders with a manifest and a file per fragment are presentations like any other.

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use bytes::Bytes;
use smooth_origin::base::{ErrorKind, Name};
use smooth_origin::bmff::{AnyBox, Boxes};
use smooth_origin::origin::{Answer, Opened, Origin, block_on};
use smooth_origin::presentation::{Liveness, ManifestSource};
use smooth_origin::storage::{
    Faults, FaultyStore, MemoryObject, MemoryStore, Mounts, RangeSource, Stat, Store,
};
use testkit::fragment_files::{
    chunks, files, film, fragment, fragment_with, live_fragment, manifest, put,
};
use testkit::{Hands, codes, get, name, served, status};

fn origin(store: &MemoryStore) -> Origin {
    Origin::new(store.clone())
}

fn open(store: impl Store) -> Arc<Opened> {
    block_on(Origin::new(store).open(&name("film.ism"))).unwrap()
}

fn findings(store: &MemoryStore) -> Vec<String> {
    codes(open(store.clone()).presentation())
}

/// Returns the findings of opening a store's presentation, as text.
fn messages(store: &MemoryStore) -> Vec<String> {
    open(store.clone()).presentation().findings().iter().map(ToString::to_string).collect()
}

/// Makes one video stream `video` of 300 bit/s, with these `c` elements and files at these times.
fn one(attributes: &str, chunks: &str, times: &[u64]) -> MemoryStore {
    let store = MemoryStore::new();
    let streams = [("video", "video", &[300][..], chunks)];
    put(&store, "film.ism/Manifest", manifest(attributes, &streams).into_bytes());
    for &time in times {
        let path = format!("film.ism/QualityLevels(300)/Fragments(video={time})");
        put(&store, &path, fragment(300, time));
    }
    store
}

fn path(noun: &str, time: u64) -> String {
    format!("film.ism/QualityLevels(300)/{noun}(video={time})")
}

/// Returns the code of the answer to a path; `served` if there is no error.
fn code(origin: &Origin, path: &str) -> &'static str {
    block_on(origin.answer(path)).map_or_else(|error| error.kind.code(), |_| "served")
}

#[test]
fn a_folder_is_opened_by_its_manifest_which_is_served_as_it_is() {
    let store = film();
    let opened = open(store.clone());
    let presentation = opened.presentation();
    assert_eq!(presentation.findings(), []);
    assert_eq!(presentation.name().as_str(), "film.ism");
    let files: Vec<_> = presentation.files().iter().map(Name::as_str).collect();
    assert_eq!(files, ["film.ism", "film.ism/Manifest"]);
    assert_eq!(presentation.manifest_source(), ManifestSource::Stored);
    assert!(!presentation.is_live());
    let [video, audio] = presentation.streams() else { panic!("two streams") };
    assert_eq!((video.tracks().len(), audio.tracks().len()), (2, 1));
    assert_eq!(video.tracks()[1].fragment_count(), 3);
    assert_eq!(video.tracks()[1].folder(), Some(&name("film.ism/QualityLevels(300000)")));
    assert!(video.tracks()[1].is_served() && video.tracks()[1].source().is_none());
    let text = get(&origin(&store), "film.ism/Manifest").unwrap();
    assert!(text.starts_with(b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<SmoothStreamingMedia"));
    assert_eq!(text, &presentation.manifest().unwrap()[..]);
}

#[test]
fn every_noun_is_cut_out_of_the_fragments_file_byte_for_byte() {
    let origin = origin(&film());
    for (path, bytes) in files() {
        let moof = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        let of =
            |noun: &str| get(&origin, &path.replace("Fragments(", &format!("{noun}("))).unwrap();
        assert_eq!(of("Fragments"), bytes, "{path}");
        assert_eq!(of("FragmentInfo"), &bytes[..moof], "{path}");
        assert_eq!(of("RawFragments"), &bytes[moof + 8..], "{path}");
        assert_eq!(of("KeyFrames").len(), bytes.len(), "{path}");
    }
}

#[test]
fn a_folder_on_a_disk_in_mounts_and_on_a_faulty_store_is_one_too() {
    let mounted = || Mounts::new().mount("vod/a", film()).unwrap();
    let origin = Origin::new(mounted());
    for (path, bytes) in files() {
        assert_eq!(get(&origin, &format!("/vod/a/{path}")).unwrap(), bytes);
    }
    let faults = Faults { stall: 50, ..Faults::default() };
    let faulty = Origin::new(FaultyStore::new(film(), 7, faults));
    for (path, bytes) in files() {
        assert_eq!(get(&faulty, &path).unwrap(), bytes);
    }
}

#[cfg(all(unix, feature = "fs"))]
#[test]
fn a_folder_on_a_disk_is_found_in_any_letter_case_and_sent_from_its_file() {
    use smooth_origin::storage::{LocalFile, LocalStore};
    use std::os::fd::AsFd;

    let folder = testkit::folder::Folder::new("folders");
    let streams = [("video", "video", &[300][..], &*chunks(&[0, 10_000_000]))];
    folder.write("Film.ISM/manifest", manifest("", &streams).as_bytes());
    for time in [0, 10_000_000] {
        let path = format!("Film.ISM/qualitylevels(300)/Fragments(VIDEO={time})");
        folder.write(&path, &fragment(300, time));
    }
    let origin = Origin::new(LocalStore::new(&folder).unwrap().ignore_case(true));
    assert_eq!(get(&origin, &path("Fragments", 10_000_000)).unwrap(), fragment(300, 10_000_000));
    let served = served(&origin, &path("Fragments", 0)).unwrap();
    assert_eq!(served.opened().unwrap().presentation().name().as_str(), "Film.ISM");
    assert!(served.modified().is_some());
    let large = vec![7; 200_000];
    folder
        .write("Film.ISM/qualitylevels(300)/Fragments(VIDEO=0)", &fragment_with(0, &large, vec![]));
    let served = testkit::served(&origin, &path("RawFragments", 0)).unwrap();
    let stored = served.body().stored();
    let stored = stored.expect("a part of one file");
    let source = block_on(stored.source()).unwrap();
    let file: &LocalFile = source.downcast_ref().unwrap();
    file.check().unwrap();
    let _ = file.as_fd();
    assert_eq!(stored.range().end - stored.range().start, 200_000);
}

#[test]
fn a_file_of_the_presentations_name_comes_first() {
    let store = film();
    put(&store, "film.ism", b"<smil><body><switch/></body></smil>".to_vec());
    assert!(open(store.clone()).presentation().manifest().is_err());
    store.remove(&name("film.ism"));
    assert_eq!(status(&origin(&store), "film.ism/Manifest"), 200);
}

#[test]
fn a_folder_without_manifest_is_none_and_what_is_in_it_is_found() {
    let store = MemoryStore::new();
    for (path, bytes) in files() {
        put(&store, &path, bytes);
    }
    assert_eq!(code(&origin(&store), "film.ism/Manifest"), "no-presentation");
    let inner = film();
    let store = Mounts::new().mount("outer.ism", inner).unwrap();
    let origin = Origin::new(store);
    assert_eq!(status(&origin, "outer.ism/film.ism/Manifest"), 200);
    assert_eq!(status(&origin, "outer.ism/film.ism/QualityLevels(64)/Fragments(audio=0)"), 200);
    assert_eq!(status(&origin, "outer.ism/Manifest"), 404);
}

#[test]
fn what_else_is_in_a_folder_is_found_as_well() {
    let store = film();
    for (path, bytes) in files() {
        put(&store, &path.replace("film.ism/", "film.ism/inner.ism/"), bytes);
    }
    let streams = [("video", "video", &[3000][..], &*chunks(&[0]))];
    put(&store, "film.ism/inner.ism/Manifest", manifest("", &streams).into_bytes());
    let origin = origin(&store);
    for _ in 0..2 {
        let inner = get(&origin, "film.ism/inner.ism/Manifest").unwrap();
        assert_eq!(inner, manifest("", &streams).into_bytes());
        let path = "film.ism/inner.ism/QualityLevels(3000)/Fragments(video=0)";
        assert_eq!(get(&origin, path).unwrap(), fragment(3000, 0));
        assert_eq!(code(&origin, "film.ism/poster.jpg"), "no-presentation");
        assert_eq!(code(&origin, "film.ism/Manifest(format=mpd-time-csf)"), "not-served");
    }
}

#[test]
fn a_manifest_that_cannot_be_read_is_the_contents_fault() {
    let store = film();
    for text in ["", "<SmoothStreamingMedia", "<smil/>"] {
        put(&store, "film.ism/Manifest", text.into());
        assert_eq!(status(&origin(&store), "film.ism/Manifest"), 500, "{text}");
    }
}

#[test]
fn what_is_not_announced_is_not_served_though_its_file_is_there() {
    let store = one("", &chunks(&[0, 10_000_000]), &[0, 10_000_000, 20_000_000]);
    put(&store, "film.ism/QualityLevels(300)/Fragments(other=0)", fragment(300, 0));
    put(&store, "film.ism/QualityLevels(7)/Fragments(video=0)", fragment(7, 0));
    let origin = origin(&store);
    for (path, expected) in [
        (path("Fragments", 0), "served"),
        (path("Fragments", 1), "no-fragment"),
        (path("Fragments", 20_000_000), "no-fragment"),
        ("film.ism/QualityLevels(300)/Fragments(other=0)".into(), "no-stream"),
        ("film.ism/QualityLevels(7)/Fragments(video=0)".into(), "no-track"),
        ("film.ism/QualityLevels(300)/Fragments(..%2F..%2Fx=0)".into(), "no-presentation"),
    ] {
        assert_eq!(code(&origin, &path), expected, "{path}");
    }
    assert_eq!(findings(&store), ["info fragments-without-chunk"]);
}

#[test]
fn a_chunk_without_its_file_is_a_finding_and_404() {
    let store = one("", &chunks(&[0, 10_000_000, 20_000_000]), &[0, 20_000_000]);
    let origin = origin(&store);
    assert_eq!(code(&origin, &path("Fragments", 10_000_000)), "no-media");
    assert_eq!(code(&origin, &path("Fragments", 20_000_000)), "served");
    let expected = "error fragment-file-missing: \
        film.ism/QualityLevels(300)/Fragments(video=10000000), video at 300, chunk 10000000: \
        2 of the 3 chunks have a file: this is the first without";
    assert_eq!(messages(&store), [expected]);
}

#[test]
fn a_quality_without_files_is_left_out_and_so_is_nothing_else() {
    let store = film();
    for (path, _) in files().iter().filter(|(path, _)| path.contains("300000")) {
        store.remove(&name(path));
    }
    let opened = open(store.clone());
    let text = testkit::manifest(opened.presentation());
    assert!(text.contains("QualityLevels=\"1\"") && !text.contains("Bitrate=\"300000\""), "{text}");
    assert_eq!(
        codes(opened.presentation()),
        ["error fragment-file-missing", "warning manifest-mended"]
    );
    assert_eq!(
        code(&origin(&store), "film.ism/QualityLevels(300000)/Fragments(video=0)"),
        "no-media"
    );
    for (path, _) in files() {
        store.remove(&name(&path));
    }
    let error = open(store).presentation().manifest().unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NothingToServe { .. }), "{error}");
    assert!(error.public().is_some_and(|text| !text.contains("film")), "{error}");
}

#[test]
fn durations_alone_are_announced_at_the_times_of_the_files() {
    // The manifest that ffmpeg leaves after a recording that has lost no file.
    let durations = "<c n=\"0\" d=\"10000000\" />\n<c n=\"1\" d=\"10000000\" />\n";
    let times = [213_333, 10_213_333];
    let store = one("", durations, &times);
    let opened = open(store.clone());
    let presentation = opened.presentation();
    assert_eq!(presentation.manifest_source(), ManifestSource::Mended);
    let text = testkit::manifest(presentation);
    assert!(text.contains("<c n=\"0\" t=\"213333\" d=\"10000000\"/>\n<c n=\"1\" d="), "{text}");
    assert_eq!(codes(presentation), ["warning times-from-names"]);
    for time in times {
        assert_eq!(get(&origin(&store), &path("Fragments", time)).unwrap(), fragment(300, time));
    }
    assert_eq!(code(&origin(&store), &path("Fragments", 0)), "no-fragment");
    // The last two of three.
    let window = "<c n=\"1\" d=\"10000000\" />\n<c n=\"2\" d=\"10000000\" />\n";
    let store = one("", window, &[213_333, 10_213_333, 20_213_333]);
    let text = testkit::manifest(open(store.clone()).presentation());
    assert!(text.contains("<c n=\"1\" t=\"10213333\""), "{text}");
    assert_eq!(findings(&store), ["warning times-from-names", "info fragments-without-chunk"]);
}

#[test]
fn a_manifest_whose_times_moved_has_another_validator() {
    let durations = "<c n=\"0\" d=\"10000000\" />\n";
    let tag = |time| open(one("", durations, &[time])).presentation().validator().to_string();
    assert_ne!(tag(5), tag(6));
    assert_eq!(tag(5), tag(5));
}

/// A store that cannot list.
struct Unlisted(MemoryStore);

impl Store for Unlisted {
    type Source = MemoryObject;

    async fn open(&self, name: &Name) -> io::Result<MemoryObject> {
        self.0.open(name).await
    }
}

#[test]
fn where_folders_cannot_be_listed_the_manifest_is_believed() {
    let store = one("", &chunks(&[0, 10_000_000, 20_000_000]), &[0, 20_000_000]);
    let opened = open(Unlisted(store.clone()));
    assert_eq!(codes(opened.presentation()), Vec::<String>::new());
    assert_eq!(opened.presentation().streams()[0].tracks()[0].fragment_count(), 3);
    let origin = Origin::new(Unlisted(store));
    assert_eq!(get(&origin, &path("Fragments", 0)).unwrap(), fragment(300, 0));
    assert_eq!(code(&origin, &path("Fragments", 10_000_000)), "no-media");
    // The first and the last fragment are looked at nevertheless.
    let store = one("", &chunks(&[0, 10_000_000]), &[0]);
    assert_eq!(codes(open(Unlisted(store)).presentation()), ["error fragment-file-missing"]);
}

/// A store whose lists fail.
struct Failing(MemoryStore);

impl Store for Failing {
    type Source = MemoryObject;

    async fn open(&self, name: &Name) -> io::Result<MemoryObject> {
        self.0.open(name).await
    }

    async fn list(&self, _: Option<&Name>) -> io::Result<Vec<Name>> {
        Err(io::ErrorKind::TimedOut.into())
    }
}

#[test]
fn a_list_that_fails_is_worth_another_try() {
    let error = block_on(Origin::new(Failing(film())).open(&name("film.ism"))).unwrap_err();
    assert_eq!(error.kind.status(), 503);
}

#[test]
fn files_that_tools_have_renamed_are_found() {
    let spellings: [(&str, &[&str]); 5] = [
        ("QualityLevels%28300%29", &["Fragments%28video=0%29", "Fragments%28video=10000000%29"]),
        (
            "QualityLevels%28300%29",
            &["Fragments%28video%3D0%29", "Fragments%28video%3D10000000%29"],
        ),
        ("QualityLevels(300)", &["Fragments(video=00)", "Fragments(video=10000000)"]),
        ("QualityLevels(300)", &["fragments(VIDEO=0)", "fragments(VIDEO=10000000)"]),
        ("QualityLevels(300)", &["Fragments(video=0)", "Fragments%28video=10000000%29"]),
    ];
    for (folder, names) in spellings {
        let store = one("", &chunks(&[0, 10_000_000]), &[]);
        for (file, time) in names.iter().zip([0, 10_000_000]) {
            put(&store, &format!("film.ism/{folder}/{file}"), fragment(300, time));
        }
        assert_eq!(findings(&store), Vec::<String>::new(), "{names:?}");
        for time in [0, 10_000_000] {
            let bytes = get(&origin(&store), &path("Fragments", time)).unwrap();
            assert_eq!(bytes, fragment(300, time), "{names:?}");
        }
    }
}

#[test]
fn streams_may_have_any_name_that_a_file_can_have() {
    for (word, url, file) in [
        ("audio eng", "audio%20eng", "audio eng"),
        ("audio%20eng", "audio%20eng", "audio%20eng"),
        ("a=b", "a=b", "a=b"),
        ("ton_été", "ton_%C3%A9t%C3%A9", "ton_été"),
    ] {
        let store = MemoryStore::new();
        let streams = [("audio", word, &[64][..], &*chunks(&[5]))];
        put(&store, "film.ism/Manifest", manifest("", &streams).into_bytes());
        let path = format!("film.ism/QualityLevels(64)/Fragments({file}=5)");
        put(&store, &path, fragment(64, 5));
        assert_eq!(findings(&store), Vec::<String>::new(), "{word}");
        let asked = format!("film.ism/QualityLevels(64)/Fragments({url}=5)");
        assert_eq!(get(&origin(&store), &asked).unwrap(), fragment(64, 5), "{word}");
    }
}

#[test]
fn custom_attributes_are_part_of_a_folders_name() {
    let store = MemoryStore::new();
    let quality = |value| {
        format!(
            "<QualityLevel Bitrate=\"300\"><CustomAttributes><Attribute Name=\"hw\" Value=\"{value}\"/>\
             </CustomAttributes></QualityLevel>"
        )
    };
    let text = format!(
        "<SmoothStreamingMedia><StreamIndex Type=\"video\" \
         Url=\"QualityLevels({{bitrate}},{{CustomAttributes}})/Fragments(video={{start time}})\">{}{}\
         <c t=\"0\" d=\"5\"/></StreamIndex></SmoothStreamingMedia>",
        quality("a"),
        quality("../../x")
    );
    put(&store, "film.ism/Manifest", text.into_bytes());
    put(&store, "film.ism/QualityLevels(300,hw=a)/Fragments(video=0)", fragment(300, 0));
    put(&store, "x)/Fragments(video=0)", fragment(300, 1));
    let path = "film.ism/QualityLevels(300,hw=a)/Fragments(video=0)";
    assert_eq!(get(&origin(&store), path).unwrap(), fragment(300, 0));
    assert_eq!(findings(&store), ["error name-refused", "warning manifest-mended"]);
}

#[test]
fn a_file_of_several_fragments_or_of_none_is_a_finding_and_is_not_served() {
    let whole = fragment(300, 10_000_000);
    let moof = u32::from_be_bytes(whole[..4].try_into().unwrap()) as usize;
    for (bytes, expected) in [
        ([&whole[..], &whole].concat(), "not-sliceable"),
        (whole[..moof].to_vec(), "missing"),
        (whole[..whole.len() - 1].to_vec(), "truncated"),
        (whole[moof..].to_vec(), "missing"),
        (Vec::new(), "missing"),
        (b"not a fragment at all, but a page of text".to_vec(), "missing"),
    ] {
        let store = one("", &chunks(&[0, 10_000_000]), &[0]);
        put(&store, &path("Fragments", 10_000_000), bytes.clone());
        let found = code(&origin(&store), &path("Fragments", 10_000_000));
        assert!(
            found != "served" && status(&origin(&store), &path("Fragments", 10_000_000)) >= 415
        );
        assert_eq!(code(&origin(&store), &path("Fragments", 0)), "served");
        assert_eq!(findings(&store), ["error fragment-broken"], "{expected}, {found}");
        assert!(messages(&store)[0].contains("Fragments(video=10000000)"));
    }
}

#[test]
fn boxes_of_the_container_before_the_fragment_and_behind_it_are_passed_over() {
    let whole = fragment(300, 0);
    let before = Boxes::from_iter([
        AnyBox::other(*b"styp", b"msdh\0\0\0\0msdhmsix".to_vec()),
        AnyBox::other(*b"sidx", vec![0; 40]),
    ]);
    let store = one("", &chunks(&[0]), &[]);
    let file = [&before.to_bytes()[..], &whole, b"\0\0\0\x09freex", b"tail"].concat();
    put(&store, &path("Fragments", 0), file);
    assert_eq!(get(&origin(&store), &path("Fragments", 0)).unwrap(), whole);
    assert_eq!(get(&origin(&store), &path("RawFragments", 0)).unwrap().len(), 300);
    assert_eq!(findings(&store), Vec::<String>::new());
}

#[test]
fn a_fragment_longer_than_the_first_look_is_served_whole() {
    let store = one("", &chunks(&[0]), &[]);
    let many = vec![AnyBox::other(*b"free", vec![0; 100_000])];
    let long = fragment_with(0, &[7; 300_000], many);
    put(&store, &path("Fragments", 0), long.clone());
    assert_eq!(get(&origin(&store), &path("Fragments", 0)).unwrap(), long);
    put(&store, &path("Fragments", 0), [&long[..], &long].concat());
    assert_eq!(code(&origin(&store), &path("Fragments", 0)), "not-sliceable");
}

#[test]
fn what_a_fragment_says_of_its_time_is_a_finding_once() {
    let store = one("", &chunks(&[0, 10_000_000]), &[]);
    for time in [0, 10_000_000] {
        put(&store, &path("Fragments", time), fragment(300, time + 5000));
    }
    let opened = open(store.clone());
    let origin = origin(&store);
    for time in [0, 10_000_000] {
        let bytes = get(&origin, &path("Fragments", time)).unwrap();
        assert_eq!(bytes, fragment(300, time + 5000));
    }
    assert_eq!(codes(opened.presentation()), Vec::<String>::new());
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    let late = opened.presentation().findings();
    assert_eq!(late.len(), 1, "{late:?}");
    assert!(late[0].message.contains("starts at 5000, the name of its file says 0"), "{late:?}");
}

#[test]
fn a_file_that_is_rewritten_in_place_gives_the_next_answer() {
    let store = one("", &chunks(&[0]), &[]);
    let path = path("Fragments", 0);
    let origin = origin(&store);
    let (mut tags, mut bodies) = (Vec::new(), Vec::new());
    for known in [0, 1, 2] {
        let file = live_fragment(300, 0, known);
        put(&store, &path, file.clone());
        let served = served(&origin, &path).unwrap();
        tags.push(served.reply().validator().to_string());
        assert_eq!(testkit::read(&served).unwrap(), file);
        bodies.push(file.len());
    }
    assert!(bodies.iter().all(|len| *len == bodies[0]), "one size");
    tags.dedup();
    assert_eq!(tags.len(), 3, "{tags:?}");
    // An answer that was made before continues with the file that it opened.
    let large = one("", &chunks(&[0]), &[]);
    let (old, new) =
        (fragment_with(0, &[1; 200_000], vec![]), fragment_with(0, &[2; 200_000], vec![]));
    put(&large, &path, old.clone());
    let answer = testkit::served(&Origin::new(large.clone()), &path).unwrap();
    put(&large, &path, new);
    assert_eq!(testkit::read(&answer).unwrap(), old);
}

#[test]
fn a_fragments_validator_depends_on_its_file_and_the_epoch_alone() {
    use smooth_origin::presentation::OpenOptions;
    let tag = |store: MemoryStore, epoch: &str, noun: &str| {
        let options = OpenOptions::default().epoch(epoch);
        let origin = Origin::builder(store).open_options(options).build();
        served(&origin, &path(noun, 0)).unwrap().reply().validator().to_string()
    };
    let short = || one("", &chunks(&[0]), &[0]);
    let long = one("", &chunks(&[0, 10_000_000]), &[0, 10_000_000]);
    let first = tag(short(), "", "Fragments");
    assert_eq!(first, tag(long, "", "Fragments"));
    for (epoch, noun) in [("1", "Fragments"), ("", "FragmentInfo"), ("", "RawFragments")] {
        assert_ne!(first, tag(short(), epoch, noun));
    }
}

/// Writes a live presentation with three chunks from number `first` on, and two fragments ahead of
/// them.
fn live(store: &MemoryStore, first: u64, attributes: &str) {
    let starts: Vec<u64> = (first..first + 3).map(|n| n * 10_000_000).collect();
    let streams = [("video", "video", &[300][..], &*chunks(&starts))];
    put(store, "film.ism/Manifest", manifest(attributes, &streams).into_bytes());
    for number in first..first + 5 {
        let known = (first + 4 - number).min(2) as usize;
        let time = number * 10_000_000;
        put(store, &path("Fragments", time), live_fragment(300, time, known));
    }
}

const LIVE: &str = " IsLive=\"true\" LookAheadFragmentCount=\"2\" DVRWindowLength=\"0\"";

#[test]
fn a_presentation_is_live_while_its_manifest_says_so() {
    for word in ["true", "TRUE", "True", "1"] {
        let store = MemoryStore::new();
        live(&store, 0, &format!(" IsLive=\"{word}\""));
        let opened = open(store.clone());
        assert!(opened.presentation().is_live(), "{word}");
        assert_eq!(codes(opened.presentation()), ["info live-presentation"]);
        let manifest = served(&origin(&store), "film.ism/Manifest").unwrap();
        assert_eq!(manifest.reply().liveness(), Liveness::Live);
    }
}

#[test]
fn live_fragments_are_served_before_they_are_announced_and_while_their_files_stay() {
    let store = MemoryStore::new();
    live(&store, 5, LIVE);
    put(&store, &path("Fragments", 40_000_000), live_fragment(300, 40_000_000, 2));
    let origin = origin(&store);
    for (number, liveness) in [
        (4, Liveness::Live),
        (5, Liveness::Live),
        (7, Liveness::Live),
        (8, Liveness::Ahead),
        (9, Liveness::Ahead),
    ] {
        let served = served(&origin, &path("Fragments", number * 10_000_000)).unwrap();
        assert_eq!(served.reply().liveness(), liveness, "{number}");
    }
    for (number, expected) in
        [(3, "no-fragment"), (10, "not-yet"), (u64::MAX / 10_000_000, "not-yet")]
    {
        assert_eq!(code(&origin, &path("Fragments", number * 10_000_000)), expected, "{number}");
    }
    // A file that an encoder may rewrite must not be sent by `sendfile`.
    assert!(served(&origin, &path("Fragments", 50_000_000)).unwrap().body().stored().is_none());
    store.remove(&name(&path("Fragments", 50_000_000)));
    assert_eq!(code(&origin, &path("Fragments", 50_000_000)), "no-media");
    assert_eq!(code(&origin, "film.ism/QualityLevels(300)/Fragments(audio=80000000)"), "no-stream");
    assert_eq!(code(&origin, "film.ism/QualityLevels(1)/Fragments(video=80000000)"), "no-track");
}

#[test]
fn a_live_manifest_is_looked_at_every_second_and_its_end_is_noticed() {
    let hands = Hands::default();
    let store = MemoryStore::new();
    live(&store, 0, LIVE);
    let origin = Origin::builder(store.clone()).clock(hands.clock()).build();
    let first = get(&origin, "film.ism/Manifest").unwrap();
    live(&store, 1, LIVE);
    store.remove(&name(&path("Fragments", 0)));
    assert_eq!(get(&origin, "film.ism/Manifest").unwrap(), first);
    hands.pass(1);
    let second = String::from_utf8(get(&origin, "film.ism/Manifest").unwrap()).unwrap();
    assert!(second.contains("<c t=\"10000000\"") && !second.contains("<c t=\"0\""), "{second}");
    // A new manifest replaces the old one even if something is wrong for a moment.
    live(&store, 2, LIVE);
    store.remove(&name(&path("Fragments", 30_000_000)));
    hands.pass(1);
    let third = String::from_utf8(get(&origin, "film.ism/Manifest").unwrap()).unwrap();
    assert!(third.contains("<c t=\"20000000\""), "{third}");
    live(&store, 2, "");
    hands.pass(1);
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    assert!(!opened.presentation().is_live());
    assert_eq!(code(&origin, &path("Fragments", 70_000_000)), "no-fragment");
}

#[test]
fn a_live_presentation_that_has_just_begun_announces_nothing_yet() {
    let store = one(LIVE, "", &[]);
    let opened = open(store.clone());
    assert!(opened.presentation().manifest().is_ok());
    assert_eq!(codes(opened.presentation()), ["info live-presentation"]);
    assert_eq!(code(&origin(&store), &path("Fragments", 0)), "not-yet");
    put(&store, &path("Fragments", 0), live_fragment(300, 0, 0));
    assert_eq!(code(&origin(&store), &path("Fragments", 0)), "served");
}

#[test]
fn a_window_that_has_moved_on_is_no_fault_of_a_live_presentation() {
    let store = MemoryStore::new();
    live(&store, 0, LIVE);
    store.remove(&name(&path("Fragments", 0)));
    assert_eq!(findings(&store), ["info live-presentation"]);
    store.remove(&name(&path("Fragments", 20_000_000)));
    assert_eq!(findings(&store), ["error fragment-file-missing", "info live-presentation"]);
}

#[test]
fn too_many_names_are_refused_and_not_looked_at() {
    use smooth_origin::base::Limits;
    use smooth_origin::presentation::OpenOptions;
    let mut limits = Limits::default();
    limits.listed_names = 7;
    let options = OpenOptions::default().limits(limits);
    let origin = Origin::builder(film()).open_options(options).build();
    let error = block_on(origin.open(&name("film.ism"))).unwrap_err();
    assert!(error.to_string().contains("names of fragment files: 8 is more than"), "{error}");
}

#[test]
fn a_long_film_takes_no_memory_per_fragment() {
    let opened = |count: u64| {
        let starts: Vec<u64> = (0..count).map(|number| number * 10_000_000).collect();
        let chunks = "<c t=\"0\" d=\"10000000\" />\n".to_owned()
            + &"<c d=\"10000000\" />\n".repeat(count as usize - 1);
        let store = one("", &chunks, &starts);
        let opened = open(store);
        let presentation = opened.presentation();
        assert_eq!(presentation.streams()[0].tracks()[0].fragment_count(), count as usize);
        assert_eq!(codes(presentation), Vec::<String>::new());
        presentation.memory() - presentation.manifest().unwrap().len()
    };
    assert!(opened(2000).abs_diff(opened(20)) < 200);
}

#[test]
fn tracks_that_have_the_same_files_are_few() {
    let store = MemoryStore::new();
    let stream = |name: &str| {
        format!(
            "<StreamIndex Type=\"video\" Name=\"{name}\" \
             Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\">\
             <QualityLevel Bitrate=\"300\"/><c d=\"10000000\"/></StreamIndex>"
        )
    };
    let streams: String = (0..9).map(|number| stream(&number.to_string())).collect();
    let text = format!("<SmoothStreamingMedia>{streams}</SmoothStreamingMedia>");
    put(&store, "film.ism/Manifest", text.into_bytes());
    put(&store, &path("Fragments", 5), fragment(300, 5));
    let opened = open(store.clone());
    let served = opened.presentation().streams().iter().filter(|s| s.tracks()[0].is_served());
    assert_eq!(served.count(), 4);
    assert!(findings(&store).contains(&"error budget-exceeded".into()));
    assert_eq!(get(&origin(&store), &path("Fragments", 5)).unwrap(), fragment(300, 5));
}

#[test]
fn spellings_of_one_stream_count_as_tracks_that_have_the_same_files() {
    let store = MemoryStore::new();
    let stream = |number: usize| {
        let word: String = "video"
            .chars()
            .enumerate()
            .map(|(at, c)| if number >> at & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        format!(
            "<StreamIndex Type=\"video\" Name=\"{word}\" \
             Url=\"QualityLevels({{bitrate}})/Fragments({word}={{start time}})\">\
             <QualityLevel Bitrate=\"300\"/><c t=\"5\" d=\"10000000\"/></StreamIndex>"
        )
    };
    let streams: String = (0..32).map(stream).collect();
    let text = format!("<SmoothStreamingMedia>{streams}</SmoothStreamingMedia>");
    put(&store, "film.ism/Manifest", text.into_bytes());
    put(&store, &path("Fragments", 5), fragment(300, 5));
    let opened = open(store.clone());
    let served = opened.presentation().streams().iter().filter(|s| s.tracks()[0].is_served());
    assert_eq!(served.count(), 4);
    assert_eq!(codes(opened.presentation())[0], "error budget-exceeded");
}

/// A store of one manifest, and of folders with a hundred files each. It counts the lists it gave.
#[derive(Clone, Default)]
struct Crowded(MemoryStore, Arc<AtomicUsize>);

impl Store for Crowded {
    type Source = MemoryObject;

    async fn open(&self, name: &Name) -> io::Result<MemoryObject> {
        self.0.open(name).await
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let folder = folder.unwrap();
        let file = |time: usize| name(&format!("{folder}/Fragments(video={time})"));
        Ok((0..100).map(file).collect())
    }
}

#[test]
fn folders_are_not_listed_beyond_the_budget_for_names() {
    use smooth_origin::base::Limits;
    use smooth_origin::presentation::OpenOptions;
    let store = Crowded::default();
    let bitrates: Vec<u32> = (1..=1000).collect();
    let streams = [("video", "video", &*bitrates, &*chunks(&[0]))];
    put(&store.0, "film.ism/Manifest", manifest("", &streams).into_bytes());
    let mut limits = Limits::default();
    limits.listed_names = 2000;
    let options = OpenOptions::default().limits(limits);
    let origin = Origin::builder(store.clone()).open_options(options).build();
    let error = block_on(origin.open(&name("film.ism"))).unwrap_err();
    assert!(error.to_string().contains("names of fragment files: 2100 is more than"), "{error}");
    assert_eq!(store.1.load(Ordering::Relaxed), 32);
}

#[test]
fn event_streams_of_a_folder_are_left_out_if_the_options_say_so() {
    use smooth_origin::presentation::OpenOptions;
    let store = one("", &chunks(&[0]), &[0]);
    let text = manifest("", &[("video", "video", &[300][..], &chunks(&[0]))]);
    let events = "<StreamIndex Type=\"text\" Subtype=\"DATA\" Name=\"events\" \
        ParentStreamIndex=\"video\" ManifestOutput=\"TRUE\" \
        Url=\"QualityLevels({bitrate})/Fragments(events={start time})\">\
        <QualityLevel Bitrate=\"0\"/><c t=\"0\" d=\"0\"><f>YQ==</f></c></StreamIndex></SmoothStreamingMedia>";
    let text = text.replace("</SmoothStreamingMedia>", events);
    put(&store, "film.ism/Manifest", text.into_bytes());
    let served = |options| {
        let origin = Origin::builder(store.clone()).open_options(options).build();
        String::from_utf8(get(&origin, "film.ism/Manifest").unwrap()).unwrap()
    };
    assert!(served(OpenOptions::default()).contains("Name=\"events\""));
    let without = served(OpenOptions::default().without_event_streams());
    assert!(!without.contains("events") && without.contains("video"), "{without}");
}

#[test]
fn corrections_are_reported_beside_times_from_names() {
    let store = one("", "", &[213_333, 10_213_333]);
    let durations = "<c n=\"0\" d=\"10000000.0\" />\n<c n=\"1\" d=\"10000000\" />\n";
    let text = manifest("", &[("video", "video", &[300][..], durations)]);
    put(&store, "film.ism/Manifest", text.into_bytes());
    assert_eq!(findings(&store), ["warning times-from-names", "warning manifest-corrected"]);
}

#[test]
fn a_folder_that_was_opened_while_it_was_copied_is_complete_later() {
    let (hands, store) = (Hands::default(), film());
    let late: Vec<_> = files().into_iter().filter(|(path, _)| path.contains("(300000)")).collect();
    for (path, _) in &late {
        store.remove(&name(path));
    }
    let events = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&events);
    let origin = Origin::builder(store.clone())
        .clock(hands.clock())
        .revalidate_after(std::time::Duration::from_secs(1))
        .on_event(move |_| {
            told.fetch_add(1, Ordering::Relaxed);
        })
        .build();
    let path = &late[0].0;
    assert_eq!(code(&origin, path), "no-media");
    let before = events.load(Ordering::Relaxed);
    // Nothing has changed: nothing is told again.
    for _ in 0..20 {
        hands.pass(1);
        assert!(get(&origin, "film.ism/Manifest").is_ok());
    }
    assert_eq!(events.load(Ordering::Relaxed), before);
    for (path, bytes) in &late {
        put(&store, path, bytes.clone());
    }
    hands.pass(5);
    assert_eq!(code(&origin, path), "served");
    assert_eq!(events.load(Ordering::Relaxed), before + 1);
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    assert_eq!(codes(opened.presentation()), Vec::<String>::new());
}

#[test]
fn a_folder_of_which_only_the_manifest_was_there_is_complete_later_whatever_is_found_then() {
    let (hands, times) = (Hands::default(), [213_333, 10_213_333]);
    // The times are in the names of the files alone: that is a warning.
    let durations = "<c n=\"0\" d=\"10000000\" />\n<c n=\"1\" d=\"10000000\" />\n";
    let store = one("", durations, &[]);
    let origin = Origin::builder(store.clone()).clock(hands.clock()).build();
    assert_eq!(code(&origin, "film.ism/Manifest"), "nothing-to-serve");
    for time in times {
        put(&store, &path("Fragments", time), fragment(300, time));
    }
    hands.pass(5);
    assert_eq!(code(&origin, "film.ism/Manifest"), "served");
    assert_eq!(code(&origin, &path("Fragments", times[1])), "served");
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    assert_eq!(codes(opened.presentation()), ["warning times-from-names"]);
}

/// A store that counts the reads of more than 64 KiB that are made at one time. Each takes a while.
#[derive(Clone, Default)]
struct Watched(MemoryStore, Arc<Large>);

#[derive(Default)]
struct Large {
    now: AtomicUsize,
    most: AtomicUsize,
}

struct WatchedObject(MemoryObject, Arc<Large>);

impl Store for Watched {
    type Source = WatchedObject;

    async fn open(&self, name: &Name) -> io::Result<WatchedObject> {
        Ok(WatchedObject(self.0.open(name).await?, Arc::clone(&self.1)))
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        self.0.list(folder).await
    }
}

impl RangeSource for WatchedObject {
    async fn stat(&self) -> io::Result<Stat> {
        self.0.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.end - range.start <= 64 << 10 {
            return self.0.read(range).await;
        }
        let now = self.1.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.1.most.fetch_max(now, Ordering::Relaxed);
        let mut turns = 10;
        poll_fn(|context| {
            context.waker().wake_by_ref();
            turns -= 1;
            if turns == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.1.now.fetch_sub(1, Ordering::Relaxed);
        self.0.read(range).await
    }
}

#[test]
fn heads_of_fragment_files_are_read_within_the_budget_of_bodies() {
    let store = Watched::default();
    let film = one("", &chunks(&[0]), &[]);
    put(
        &film,
        &path("Fragments", 0),
        fragment_with(0, &[7; 300], vec![AnyBox::other(*b"free", vec![0; 1 << 20])]),
    );
    let store = Watched(film, store.1);
    let origin = Origin::builder(store.clone()).body_bytes(5 << 20).build();
    let path = path("Fragments", 0);
    let answers = (0..20).map(|_| origin.answer(&path));
    let answers = block_on(futures_util::future::join_all(answers));
    assert!(answers.iter().all(Result::is_ok));
    // Twice the head of each.
    assert_eq!(store.1.most.load(Ordering::Relaxed), 2);
    // The answers hold none of it.
    let Ok(Answer::Reply(served)) = &answers[0] else { panic!("a reply") };
    assert_eq!(testkit::read(served).unwrap().len() as u64, served.reply().length());
}

#[test]
fn a_fragment_file_with_too_long_a_head_is_a_finding() {
    let store = one("", &chunks(&[0]), &[]);
    let many = vec![AnyBox::other(*b"free", vec![0; 5 << 20])];
    put(&store, &path("Fragments", 0), fragment_with(0, &[7; 300], many));
    assert_eq!(code(&origin(&store), &path("Fragments", 0)), "over-budget");
    let messages = messages(&store);
    assert!(messages[0].contains("bytes of the `moof` of a fragment file"), "{messages:?}");
}
