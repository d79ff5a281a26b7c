//! Files whose index is a `sidx`: what it says is used without a walk, and checked.

use std::time::Duration;

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::Presentation;
use smooth_origin::storage::MemoryStore;
use testkit::film::{Style, Track, ism, media};
use testkit::rounds::{Content, Requested, RoundsStore, Ticks};
use testkit::segment_index::{Index, Layout};
use testkit::shared_moofs::{Base, FRAGMENTS, Shape, TICKS, of_tracks, samples};
use testkit::{codes, get, name, open, store};

const ALL: [u32; FRAGMENTS] = [TICKS as u32; FRAGMENTS];

fn video(base: Base) -> Vec<u8> {
    of_tracks(&[1], Shape { base, mfra: false, ..Shape::default() })
}

fn film(file: Vec<u8>) -> MemoryStore {
    let tracks = [("video", "film.mp4", 300, 1, "")];
    store([("film.ism", ism(None, &tracks)), ("film.mp4", file)])
}

fn both(file: Vec<u8>) -> MemoryStore {
    let tracks = [("video", "film.mp4", 300, 1, ""), ("audio", "film.mp4", 64, 2, "")];
    store([("film.ism", ism(None, &tracks)), ("film.mp4", file)])
}

/// The times and durations of a stream's chunks.
fn chunks(presentation: &Presentation, stream: usize) -> Vec<(u64, u64)> {
    presentation.streams()[stream].timeline().iter().collect()
}

fn payload(track: u32, fragment: usize) -> Vec<u8> {
    samples(track, fragment).into_iter().flat_map(|sample| sample.bytes).collect()
}

/// Counts the requests of an opening in a store where each is a round trip.
fn opening(files: &[(&str, Vec<u8>)]) -> Requested {
    let ticks = Ticks::default();
    let named = |(object, bytes): &(&str, Vec<u8>)| (name(object), Content::Bytes(bytes.clone()));
    let store = RoundsStore::new(files.iter().map(named), &ticks);
    let origin = Origin::builder(store).clock(ticks.clock(Duration::from_millis(1))).build();
    ticks.run(origin.open(&name("film.ism"))).unwrap();
    ticks.requested()
}

#[test]
fn every_layout_gives_the_fragments_that_a_walk_finds() {
    let file = video(Base::Moof);
    let walked = open(&film(file.clone())).unwrap();
    assert_eq!(codes(walked.presentation()), ["warning index-rebuilt"]);
    for layout in [Layout::One, Layout::PerTrack, Layout::Hierarchical, Layout::Chained] {
        for version in [0, 1] {
            let index = Index { version, ..Index::new(layout, &ALL) };
            let store = film(index.of(&file));
            let opened = open(&store).unwrap();
            assert_eq!(codes(opened.presentation()), [""; 0], "{layout:?}");
            assert_eq!(chunks(opened.presentation(), 0), chunks(walked.presentation(), 0));
            let origin = Origin::new(store);
            for fragment in 0..FRAGMENTS {
                let time = fragment as u64 * TICKS;
                let path = format!("film.ism/QualityLevels(300)/RawFragments(video={time})");
                assert_eq!(get(&origin, &path).unwrap(), payload(1, fragment));
            }
        }
    }
}

#[test]
fn an_index_in_front_of_each_fragment_is_none_for_the_file() {
    let store = film(Index::new(Layout::Each, &ALL).of(&video(Base::Moof)));
    let opened = open(&store).unwrap();
    assert_eq!(codes(opened.presentation()), ["warning index-rebuilt"]);
    assert_eq!(chunks(opened.presentation(), 0).len(), FRAGMENTS);
}

#[test]
fn priming_that_the_index_leaves_out_moves_no_fragment() {
    let walked = open(&film(video(Base::Moof))).unwrap();
    // The first subsegment is shorter by what is not shown, and the film begins elsewhere.
    let durations = [TICKS as u32 - 213_333, ALL[1], ALL[2], ALL[3]];
    let index = Index { earliest: 77, ..Index::new(Layout::One, &durations) };
    let opened = open(&film(index.of(&video(Base::Moof)))).unwrap();
    assert_eq!(codes(opened.presentation()), [""; 0]);
    assert_eq!(chunks(opened.presentation(), 0), chunks(walked.presentation(), 0));
}

#[test]
fn an_index_of_other_times_or_places_is_told_and_the_file_is_walked_through() {
    let file = video(Base::Moof);
    let second = |at: usize| ALL.map(|ticks| ticks + at as u32);
    for (what, durations) in [
        ("too long", second(TICKS as usize)),
        ("adds up to another time", [ALL[0], ALL[1] + 5_000, ALL[2], ALL[3]]),
        ("too short", [ALL[0] - 9_999_999, 1, 1, 1]),
    ] {
        let opened = open(&film(Index::new(Layout::One, &durations).of(&file))).unwrap();
        let findings = opened.presentation().findings();
        assert_eq!(codes(opened.presentation()), ["warning index-rebuilt"], "{what}");
        assert!(findings[0].message.contains("`sidx`"), "{what}: {}", findings[0].message);
        assert_eq!(chunks(opened.presentation(), 0).len(), FRAGMENTS);
    }
    let good = Index::new(Layout::One, &ALL).of(&file);
    let sidx = good.windows(4).position(|word| word == b"sidx").unwrap() - 4;
    // The size in the first reference, and in the last one, of a box of version 1.
    for (at, size) in [(40, 0), (40, 7), (40, u32::MAX >> 1), (40 + 36, 8), (40, 1 << 31 | 90)] {
        let mut bad = good.clone();
        bad[sidx + at..sidx + at + 4].copy_from_slice(&u32::to_be_bytes(size));
        let store = film(bad);
        let opened = open(&store).unwrap();
        assert_eq!(codes(opened.presentation()), ["warning index-rebuilt"], "{at} {size:x}");
        assert_eq!(chunks(opened.presentation(), 0).len(), FRAGMENTS);
    }
}

#[test]
fn a_place_that_is_wrong_in_the_middle_is_noticed_by_the_first_request() {
    let good = Index::new(Layout::One, &ALL).of(&video(Base::Moof));
    let sidx = good.windows(4).position(|word| word == b"sidx").unwrap() - 4;
    let mut bad = good;
    let mut size = |number: usize, more: i32| {
        let at = sidx + 40 + 12 * number;
        let word: &mut [u8; 4] = (&mut bad[at..at + 4]).try_into().unwrap();
        *word = (u32::from_be_bytes(*word) as i32 + more).to_be_bytes();
    };
    size(1, -8);
    size(2, 8);
    let store = film(bad);
    let opened = open(&store).unwrap();
    assert_eq!(codes(opened.presentation()), [""; 0]);
    let origin = Origin::new(store);
    let path = |fragment: u64| {
        format!("film.ism/QualityLevels(300)/RawFragments(video={})", fragment * TICKS)
    };
    // It makes the origin open the presentation once more, without belief in the index.
    for fragment in [0, 2, 1, 3] {
        assert_eq!(get(&origin, &path(fragment)).unwrap(), payload(1, fragment as usize));
    }
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    assert_eq!(codes(opened.presentation()), ["warning index-rebuilt"]);
}

#[test]
fn several_fragments_in_a_subsegment_are_noticed() {
    let file = video(Base::Moof);
    let good = Index::new(Layout::One, &ALL).of(&file);
    let sidx = good.windows(4).position(|word| word == b"sidx").unwrap() - 4;
    let word = |at: usize| u32::from_be_bytes(good[at..at + 4].try_into().unwrap());
    let size = |number: usize| word(sidx + 40 + 12 * number);
    // Two subsegments, each of two fragments.
    let mut bad = good.clone();
    for number in [0, 1] {
        let (at, of) = (sidx + 40 + 12 * number, 2 * number);
        bad[at..at + 4].copy_from_slice(&(size(of) + size(of + 1)).to_be_bytes());
        bad[at + 4..at + 8].copy_from_slice(&(2 * ALL[0]).to_be_bytes());
    }
    bad[sidx + 38..sidx + 40].copy_from_slice(&[0, 2]);
    let len = word(sidx) - 24;
    bad[sidx..sidx + 4].copy_from_slice(&len.to_be_bytes());
    bad.drain(sidx + 64..sidx + 88);
    let opened = open(&film(bad)).unwrap();
    assert_eq!(codes(opened.presentation()), ["warning index-rebuilt"]);
    assert_eq!(chunks(opened.presentation(), 0).len(), FRAGMENTS);
}

#[test]
fn tracks_that_share_a_moof_have_the_index_of_each_or_a_walk() {
    let shape = Shape { base: Base::Moof, mfra: false, ..Shape::default() };
    let file = of_tracks(&[1, 2], shape);
    let of_each = Index { tracks: vec![1, 2], ..Index::new(Layout::PerTrack, &ALL) };
    let of_one = Index::new(Layout::One, &ALL);
    for (index, wanted) in [(of_each, 0), (of_one, 1)] {
        let store = both(index.of(&file));
        let opened = open(&store).unwrap();
        let rebuilt = codes(opened.presentation());
        let rebuilt = rebuilt.iter().filter(|code| *code == "warning index-rebuilt").count();
        assert_eq!(rebuilt, wanted);
        let origin = Origin::new(store);
        for (kind, bitrate, track) in [("video", 300, 1), ("audio", 64, 2)] {
            for fragment in 0..FRAGMENTS {
                let time = fragment as u64 * TICKS;
                let path = format!("film.ism/QualityLevels({bitrate})/RawFragments({kind}={time})");
                assert_eq!(get(&origin, &path).unwrap(), payload(track, fragment));
            }
        }
    }
}

#[test]
fn bitrates_count_the_samples_of_the_track() {
    // The last is found by the index, of which only the first and the last fragment are looked at.
    for (mfra, is_exact) in [(false, true), (true, false)] {
        let shape = Shape { mfra, ..Shape::default() };
        let tracks = [("video", "film.mp4", 0, 1, ""), ("audio", "film.mp4", 0, 2, "")];
        let store =
            store([("film.ism", ism(None, &tracks)), ("film.mp4", of_tracks(&[1, 2], shape))]);
        let opened = open(&store).unwrap();
        for stream in opened.presentation().streams() {
            // Each track has the same sizes.
            let bytes: usize = (0..FRAGMENTS).map(|fragment| payload(1, fragment).len()).sum();
            let wanted = (8 * bytes / (2 * FRAGMENTS)) as u32;
            let found = stream.tracks()[0].bitrate();
            let most = if is_exact { 0 } else { FRAGMENTS as u32 };
            assert!(found.abs_diff(wanted) <= most, "{found} is not {wanted}");
        }
    }
}

#[test]
fn the_reads_of_an_opening_do_not_grow_with_the_film() {
    let file = |count: u32| {
        let track = Track::regular(1, StreamKind::Video, count, TICKS as u32, 20_000);
        media(&[track], Style { mfra: false, ..Style::default() }).to_bytes()
    };
    let ism = || ("film.ism", ism(None, &[("video", "film.mp4", 300, 1, "")]));
    let of = |count: u32| {
        let durations = vec![TICKS as u32; count as usize];
        let index = Index::new(Layout::One, &durations);
        opening(&[ism(), ("film.mp4", index.of(&file(count)))])
    };
    let (short, long) = (of(20), of(1000));
    let walked = opening(&[ism(), ("film.mp4", file(1000))]);
    assert!(long.rounds <= short.rounds + 1, "{short:?}, {long:?}");
    assert!(long.requests <= short.requests + 1, "{short:?}, {long:?}");
    assert!(walked.requests > 10 * long.requests, "{walked:?}, {long:?}");
}
