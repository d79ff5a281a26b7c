//! Progressive files: fragments that are made on the fly are those that a packager would have stored, in
//! all outputs.
#![cfg(all(feature = "dash", feature = "hls"))]

use bytes::Bytes;
use smooth_origin::base::Timescale;
use smooth_origin::index::chunk_plan::Wanted;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::presentation::{FindingCode, OpenOptions, Piece};
use smooth_origin::storage::MemoryStore;
use testkit::assembled::{self, chunks};
use testkit::film::{ism, ismc};
use testkit::progressive::{Film, Track};
use testkit::record::RecordingStore;
use testkit::{get, name, open, status, store};

fn video() -> Track {
    Track { together: 9, ..Track::video((30_000, 1001), 12, 45, 300_000, 3) }
}

fn sound() -> Track {
    Track { together: 21, ..Track::sound(13, 64_000, 5) }
}

/// Packages a file as a packager does.
fn packaged(file: &Bytes) -> Vec<u8> {
    assembled::file(file, &chunks(file, Wanted::SMOOTH).unwrap(), Timescale::SMOOTH)
}

const BOTH: [(&str, &str, u32, u32, &str); 2] =
    [("video", "film.mp4", 300_000, 1, ""), ("audio", "film.mp4", 64_000, 2, "")];

fn film_of(tracks: &[(&str, &str, u32, u32, &str)], files: &[(&str, Bytes)]) -> MemoryStore {
    let files = files.iter().map(|(file, bytes)| (*file, bytes.to_vec()));
    store([("film.ism", ism(None, tracks))].into_iter().chain(files))
}

fn codes(store: &MemoryStore) -> Vec<FindingCode> {
    let opened = open(store).unwrap();
    opened.presentation().findings().iter().map(|finding| finding.code).collect()
}

/// Every path that a player can ask for: manifests, fragments by all nouns, headers and segments.
fn paths(store: &MemoryStore) -> Vec<String> {
    let opened = open(store).unwrap();
    let mut paths: Vec<String> =
        ["Manifest", "manifest.mpd", "master.m3u8"].map(|path| format!("film.ism/{path}")).into();
    for stream in opened.presentation().streams() {
        let name = stream.name();
        for track in stream.tracks() {
            assert_eq!(track.fragment_count(), stream.timeline().len());
            let bitrate = track.bitrate();
            paths.push(format!("film.ism/{name}-{bitrate}/init.mp4"));
            paths.push(format!("film.ism/{name}-{bitrate}.m3u8"));
            for (start, _) in stream.timeline().iter() {
                for noun in ["Fragments", "FragmentInfo", "RawFragments", "KeyFrames"] {
                    paths.push(format!("film.ism/QualityLevels({bitrate})/{noun}({name}={start})"));
                }
                paths.push(format!("film.ism/{name}-{bitrate}/{start}.m4s"));
                if stream.kind() == StreamKind::Video {
                    paths.push(format!("film.ism/{name}-{bitrate}.key/{start}.m4s"));
                }
            }
        }
    }
    paths
}

/// Asserts that both give the same answers, and returns how many there are.
fn same(made: &MemoryStore, stored: &MemoryStore) -> usize {
    let (of_made, of_stored) = (Origin::new(made.clone()), Origin::new(stored.clone()));
    let paths = paths(stored);
    assert_eq!(paths, self::paths(made));
    for path in &paths {
        let (made, stored) = (get(&of_made, path), get(&of_stored, path));
        let (made, stored) = (made.map_err(|e| e.to_string()), stored.map_err(|e| e.to_string()));
        let same = made == stored;
        let lengths = (made.map(|bytes| bytes.len()), stored.map(|bytes| bytes.len()));
        assert!(same, "{path}: {lengths:?}");
        assert!(lengths.1.is_ok(), "{path}: {lengths:?}");
    }
    paths.len()
}

#[test]
fn answers_are_those_of_the_packaged_film_wherever_the_header_is() {
    let film = Film::of([video(), sound()]);
    let last = film.file();
    let stored = film_of(&BOTH, &[("film.mp4", packaged(&last).into())]);
    for file in [last, film.fast_start()] {
        let made = film_of(&BOTH, &[("film.mp4", file)]);
        assert_eq!(codes(&made), []);
        assert!(same(&made, &stored) > 50);
    }
}

#[test]
fn each_track_and_each_quality_may_have_a_file_of_its_own() {
    let tracks = [
        ("video", "low.mp4", 300_000, 1, ""),
        ("video", "high.mp4", 600_000, 1, ""),
        ("audio", "sound.mp4", 64_000, 1, ""),
    ];
    let high = Track { together: 4, ..Track::video((30_000, 1001), 12, 45, 600_000, 8) };
    let files = [
        ("low.mp4", Film::of([video()]).file()),
        ("high.mp4", Film::of([high]).fast_start()),
        ("sound.mp4", Film::of([sound()]).file()),
    ];
    let made = film_of(&tracks, &files);
    assert_eq!(codes(&made), []);
    // The sound of a file of its own follows the pictures of the others.
    let opened = open(&made).unwrap();
    let [pictures, sound] = opened.presentation().streams() else { panic!("two streams") };
    assert_eq!(pictures.tracks().len(), 2);
    let starts = |of: &smooth_origin::presentation::Stream| -> Vec<u64> {
        of.timeline().iter().map(|(start, _)| start).collect()
    };
    for (picture, sound) in starts(pictures).iter().zip(starts(sound)) {
        assert!(picture.abs_diff(sound) <= 213_334, "{picture} {sound}");
    }
    let origin = Origin::new(made);
    for (file, bitrate) in [("low.mp4", 300_000), ("high.mp4", 600_000)] {
        let file = &files.iter().find(|(of, _)| *of == file).unwrap().1;
        for chunk in chunks(file, Wanted::SMOOTH).unwrap() {
            let path =
                format!("film.ism/QualityLevels({bitrate})/Fragments(video={})", chunk.start);
            let fragment = get(&origin, &path).unwrap();
            assert!(fragment == [&chunk.head[..], &chunk.payload].concat(), "{path}");
        }
    }
}

#[test]
fn names_bitrates_and_numbers_need_not_be_declared() {
    let text = r#"<smil><body><switch><video src="film.mp4"/><audio src="film.mp4"/></switch></body></smil>"#;
    let file = Film::of([video(), sound()]).file();
    let of = |file: Vec<u8>| store([("film.ism", text.into()), ("film.mp4", file)]);
    let (made, stored) = (of(file.to_vec()), of(packaged(&file)));
    assert_eq!(codes(&made), [FindingCode::BitrateComputed; 2]);
    assert!(same(&made, &stored) > 50);
}

#[test]
fn chunks_of_a_client_manifest_are_kept_if_they_begin_with_sync_samples() {
    let film = Film::of([video(), sound()]);
    let file = film.file();
    let planned = chunks(&file, Wanted { duration: 40_000_000, ..Wanted::SMOOTH }).unwrap();
    let starts = |track_id: u32| -> Vec<u64> {
        planned.iter().filter(|c| c.track_id == track_id).map(|chunk| chunk.start).collect()
    };
    let (pictures, sounds) = (starts(1), starts(2));
    assert!(pictures.len() < chunks(&file, Wanted::SMOOTH).unwrap().len() / 3);
    let client = |pictures: &[u64]| {
        ismc(&[
            (StreamKind::Video, "video", &[300_000], pictures),
            (StreamKind::Audio, "audio", &[64_000], &sounds),
        ])
    };
    let of = |pictures: &[u64]| {
        let ism = ism(Some("film.ismc"), &BOTH);
        let client = client(pictures);
        store([("film.ism", ism), ("film.ismc", client), ("film.mp4", file.to_vec())])
    };
    let made = of(&pictures);
    assert_eq!(codes(&made), []);
    let origin = Origin::new(made);
    assert_eq!(get(&origin, "film.ism/Manifest").unwrap(), client(&pictures));
    for chunk in &planned {
        let (bitrate, name) = [(300_000, "video"), (64_000, "audio")][chunk.track_id as usize - 1];
        let path = format!("film.ism/QualityLevels({bitrate})/Fragments({name}={})", chunk.start);
        assert!(get(&origin, &path).unwrap() == [&chunk.head[..], &chunk.payload].concat());
    }
    // A chunk that begins between two sync samples has no fragment.
    let mut other = pictures.clone();
    other[1] += 5_000_000;
    let other = of(&other);
    assert!(codes(&other).contains(&FindingCode::ChunksWithoutMedia));
}

#[test]
fn a_head_that_was_written_is_kept_for_the_next_request() {
    for (bytes, is_kept) in [(8 << 20, true), (0, false)] {
        let file = Film::of([video(), sound()]).file();
        let store = film_of(&BOTH, &[("film.mp4", file)]);
        let origin = Origin::builder(store).segment_head_bytes(bytes).build();
        let mut heads = Vec::new();
        for noun in ["Fragments", "FragmentInfo", "KeyFrames", "Fragments"] {
            // Sound has nothing but key frames.
            let path = format!("film.ism/QualityLevels(64000)/{noun}(audio=0)");
            let served = testkit::served(&origin, &path).unwrap();
            let Piece::Bytes(head) = &served.reply().pieces()[0] else { panic!("no head") };
            let moof = u32::from_be_bytes(*head.first_chunk().unwrap()) as usize;
            heads.push(head.slice(..moof));
        }
        let first = &heads[0];
        for head in &heads[1..] {
            assert_eq!(head, first);
            assert_eq!(head.as_ptr() == first.as_ptr(), is_kept, "the same memory");
        }
    }
}

#[test]
fn the_head_is_written_and_the_samples_are_ranges_of_the_file() {
    let file = Film::of([video(), sound()]).file();
    let recording = RecordingStore::new(film_of(&BOTH, &[("film.mp4", file.clone())]));
    let reads = std::sync::Arc::clone(&recording.reads);
    let origin = Origin::new(recording);
    let manifest = block_on(origin.answer("film.ism/Manifest")).unwrap();
    assert!(matches!(manifest, Answer::Reply(_)));
    reads.lock().unwrap().clear();
    for path in [
        "film.ism/QualityLevels(300000)/Fragments(video=0)",
        "film.ism/QualityLevels(300000)/FragmentInfo(video=0)",
        "film.ism/QualityLevels(300000)/KeyFrames(video=0)",
        "film.ism/video-300000/0.m4s",
    ] {
        let served = testkit::served(&origin, path).unwrap();
        assert_eq!(*reads.lock().unwrap(), [], "{path}: nothing is read before the answer");
        let pieces = served.reply().pieces();
        assert!(matches!(pieces[0], Piece::Bytes(_)));
        assert!(pieces[1..].iter().all(|piece| matches!(piece, Piece::Stored(_))));
        let whole = testkit::read(&served).unwrap();
        let mut read = std::mem::take(&mut *reads.lock().unwrap());
        read.retain(|(_, range)| !range.is_empty());
        let from_file: u64 = read.iter().map(|(_, range)| range.end - range.start).sum();
        let Piece::Bytes(head) = &pieces[0] else { unreachable!() };
        // Ranges that are near are read at once, with what is between them.
        let samples = whole.len() as u64 - head.len() as u64;
        assert!(from_file >= samples && read.len() <= 1, "{path}: {} reads", read.len());
        // Any part of it is the part of the whole.
        let len = whole.len() as u64;
        for range in [0..1, 5..len - 5, len - 1..len, len / 2..len / 2 + 3] {
            let mut body = served.body_of(range.clone());
            let mut part = Vec::new();
            while let Some(bytes) = block_on(body.next()) {
                part.extend_from_slice(&bytes.unwrap());
            }
            assert!(part == whole[range.start as usize..range.end as usize], "{path} {range:?}");
        }
        reads.lock().unwrap().clear();
    }
}

#[test]
fn opening_reads_the_header_wherever_it_is_and_no_samples() {
    for together in [1, 50] {
        let long = Track { together, ..Track::video((25, 1), 600, 50, 1_000_000, 3) };
        let film = Film::of([long, Track { together, ..Track::sound(600, 64_000, 5) }]);
        let header = film.moov().0.len() as u64;
        for file in [film.file(), film.fast_start()] {
            let recording = RecordingStore::new(film_of(&BOTH, &[("film.mp4", file)]));
            let reads = std::sync::Arc::clone(&recording.reads);
            block_on(Origin::new(recording).open(&name("film.ism"))).unwrap();
            let reads = reads.lock().unwrap();
            let of_film: Vec<_> = reads.iter().filter(|(of, _)| of == "film.mp4").collect();
            let bytes: u64 = of_film.iter().map(|(_, range)| range.end - range.start).sum();
            assert!(of_film.len() <= 4, "{of_film:?}");
            assert!(bytes < header + (32 << 10), "{bytes} for a header of {header}");
        }
    }
}

#[test]
fn a_cut_file_and_one_that_lies_are_told_with_track_and_sample() {
    let film = Film::of([video(), sound()]);
    let fast = film.fast_start();
    let told = |file: Bytes, code: FindingCode, says: &str| {
        let store = film_of(&BOTH, &[("film.mp4", file)]);
        let opened = open(&store).unwrap();
        let findings = opened.presentation().findings();
        let found = findings.iter().find(|finding| finding.code == code);
        let found = found.unwrap_or_else(|| panic!("{findings:?}"));
        assert!(found.message.contains(says), "{}", found.message);
        status(&Origin::new(store), "film.ism/Manifest")
    };
    let broken = FindingCode::SampleTablesBroken;
    assert_eq!(told(fast.slice(..fast.len() - 1), broken, "track 2"), 200);
    assert_eq!(told(fast.slice(..fast.len() / 2), broken, "of track 1"), 500);
    let last = film.file();
    assert_eq!(told(last.slice(..last.len() / 2), FindingCode::FileBroken, "cut off"), 500);
    let samples = last.len() - film.moov().0.len();
    assert_eq!(told(last.slice(..samples), FindingCode::FileBroken, "cut off"), 500);
}

#[test]
fn a_quality_with_other_key_frames_is_refused_and_the_others_are_served() {
    let tracks = [("video", "low.mp4", 300_000, 1, ""), ("video", "other.mp4", 600_000, 1, "")];
    let other = Track::video((30_000, 1001), 40, 500, 600_000, 8);
    let low = Track::video((30_000, 1001), 40, 430, 300_000, 3);
    let files = [("low.mp4", Film::of([low]).file()), ("other.mp4", Film::of([other]).file())];
    let store = film_of(&tracks, &files);
    let opened = open(&store).unwrap();
    let findings = opened.presentation().findings();
    let refused = findings.iter().find(|f| f.code == FindingCode::QualitiesNotAligned).unwrap();
    assert!(refused.message.contains("low.mp4") && refused.message.contains("other.mp4"));
    let origin = Origin::new(store);
    assert_eq!(status(&origin, "film.ism/QualityLevels(300000)/Fragments(video=0)"), 200);
    assert_eq!(status(&origin, "film.ism/QualityLevels(600000)/Fragments(video=0)"), 404);
}

#[test]
fn samples_have_a_budget_over_all_files() {
    let mut limits = smooth_origin::Limits::default();
    limits.progressive_samples = 400;
    let store = film_of(&BOTH, &[("film.mp4", Film::of([video(), sound()]).file())]);
    let origin = Origin::builder(store).open_options(OpenOptions::default().limits(limits)).build();
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    let findings = opened.presentation().findings();
    let told = findings.iter().find(|finding| finding.code == FindingCode::SampleTablesBroken);
    assert!(told.unwrap().message.contains("samples of progressive files"), "{findings:?}");
    assert_eq!(status(&origin, "film.ism/QualityLevels(300000)/Fragments(video=0)"), 200);
}

#[test]
fn a_file_that_is_replaced_or_shrinks_is_not_mixed() {
    let film = Film::of([video(), sound()]);
    let store = film_of(&BOTH, &[("film.mp4", film.file())]);
    let origin = Origin::new(store.clone());
    let path = "film.ism/QualityLevels(300000)/Fragments(video=0)";
    let before = testkit::served(&origin, path).unwrap();
    let tag = before.reply().validator();
    let whole = testkit::read(&before).unwrap();
    store.put(name("film.mp4"), film.file()[..5000].to_vec());
    // An answer keeps the version that was opened.
    assert!(testkit::read(&before).unwrap() == whole);
    store.put(name("film.mp4"), film.fast_start().to_vec());
    let after = testkit::served(&Origin::new(store), path).unwrap();
    assert_ne!(after.reply().validator(), tag, "another `moov` is another validator");
}
