//! Files of which some bytes were overwritten after they were indexed: every intact fragment is
//! served, and nothing is served in place of a damaged one.

use std::ops::Range;

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::Origin;
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Media, Style, Track, ism, ismc};
use testkit::{get, name, open, status, store};

const SECOND: i64 = 10_000_000;
const COUNT: u32 = 8;

fn film(style: Style) -> Media {
    let video = Track::regular(1, StreamKind::Video, COUNT, 2 * SECOND as u32, 700);
    let audio = Track::regular(2, StreamKind::Audio, COUNT, 2 * SECOND as u32, 90);
    film::media(&[video, audio], style)
}

fn presentation(bytes: Vec<u8>, has_manifest: bool) -> MemoryStore {
    let chunks: Vec<u64> = (0..COUNT.into()).map(|i| i * 2 * SECOND as u64).collect();
    let client = ismc(&[
        (StreamKind::Video, "video", &[500], &chunks),
        (StreamKind::Audio, "audio", &[64], &chunks),
    ]);
    let tracks = [("video", "film.ismv", 500, 1, ""), ("audio", "film.ismv", 64, 2, "")];
    let server = ism(has_manifest.then_some("film.ismc"), &tracks);
    store([("film.ism", server), ("film.ismv", bytes), ("film.ismc", client)])
}

fn path(track: u32, time: i64) -> String {
    let (name, bitrate) = if track == 1 { ("video", 500) } else { ("audio", 64) };
    format!("film.ism/QualityLevels({bitrate})/Fragments({name}={time})")
}

type Damage = fn(&mut [u8]);

/// Kinds of damage to the bytes of one fragment.
const DAMAGES: [(&str, Damage); 7] = [
    ("zeros", |bytes| bytes.fill(0)),
    ("ones", |bytes| bytes.fill(0xff)),
    ("text", |bytes| bytes.fill(b'A')),
    ("a free box", |bytes| {
        bytes.fill(0);
        let len = bytes.len() as u32;
        bytes[..4].copy_from_slice(&len.to_be_bytes());
        bytes[4..8].copy_from_slice(b"free");
    }),
    ("a moof that is too long", |bytes| bytes[2] += 4),
    ("an mdat that is too long", |bytes| {
        let moof = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        bytes[moof + 2] += 4;
    }),
    ("a box of size 4", |bytes| {
        bytes.fill(0);
        bytes[3] = 4;
    }),
];

/// Requests all fragments, the damaged ones first and last, and then all once more.
fn check(media: &Media, bytes: &[u8], store: &MemoryStore, damaged: &[Range<u64>], what: &str) {
    let origin = Origin::new(store.clone());
    let is_damaged = |range: &Range<u64>| damaged.contains(range);
    for round in 0..2 {
        let damaged_first = media.fragments.iter().filter(|(.., range)| is_damaged(range));
        for (track, time, range) in damaged_first.chain(&media.fragments) {
            let path = path(*track, *time);
            if is_damaged(range) {
                let status = status(&origin, &path);
                assert!(status >= 400, "{what}, {round}: {path} is {status}");
                continue;
            }
            let body = get(&origin, &path);
            let body = body.unwrap_or_else(|error| panic!("{what}, {round}: {path}: {error}"));
            let own = &bytes[range.start as usize..range.end as usize];
            assert!(body == own, "{what}, {round}: {path} is another fragment");
        }
    }
}

#[test]
fn a_damaged_fragment_costs_no_other_and_none_takes_its_place() {
    for style in [Style::default(), Style { tfxd: false, mfra: true }] {
        let media = film(style);
        let last = media.fragments.len() - 1;
        for (what, damage) in DAMAGES {
            for hit in [vec![0], vec![7], vec![last], vec![0, last], vec![6, 7]] {
                let ranges: Vec<_> = hit.iter().map(|&i| media.fragments[i].2.clone()).collect();
                let mut bytes = media.to_bytes();
                for range in &ranges {
                    damage(&mut bytes[range.start as usize..range.end as usize]);
                }
                for has_manifest in [true, false] {
                    let what = format!("{what}, {hit:?}, {style:?}, manifest: {has_manifest}");
                    let store = presentation(bytes.clone(), has_manifest);
                    check(&media, &bytes, &store, &ranges, &what);
                }
            }
        }
    }
}

#[test]
fn an_operator_is_told_of_a_damaged_fragment_once_it_was_asked_for() {
    let media = film(Style::default());
    let mut bytes = media.to_bytes();
    let (track, time, range) = media.fragments[7].clone();
    bytes[range.start as usize..range.end as usize].fill(0);
    let store = presentation(bytes, true);
    let origin = Origin::new(store.clone());
    assert!(status(&origin, &path(track, time)) >= 400);
    let opened = smooth_origin::origin::block_on(origin.open(&name("film.ism"))).unwrap();
    let findings = opened.presentation().findings();
    let told = findings
        .iter()
        .any(|finding| matches!(finding.code.as_str(), "fragment-broken" | "chunks-without-media"));
    assert!(told, "{findings:?}");
}

#[test]
fn a_fragment_with_its_neighbours_time_is_served_though_another_track_has_no_index() {
    // The file is walked through for its video.
    let media = film(Style { tfxd: true, mfra: false });
    let mut indexed = media.clone();
    let audio = film::index(&media).into_iter().filter(|(track, _)| *track == 2).collect();
    film::push_mfra(&mut indexed, &audio);
    let mut bytes = indexed.to_bytes();
    let of_audio = |i: usize| media.fragments.iter().filter(|f| f.0 == 2).nth(i).unwrap().clone();
    let (_, time, range) = of_audio(5);
    let said = time.to_be_bytes();
    let fragment = &mut bytes[range.start as usize..range.end as usize];
    let at = fragment.windows(8).position(|word| word == said).expect("the time in its `tfxd`");
    fragment[at..at + 8].copy_from_slice(&(of_audio(4).1).to_be_bytes());
    for has_manifest in [true, false] {
        let store = presentation(bytes.clone(), has_manifest);
        assert!(open(&store).is_ok());
        check(&indexed, &bytes, &store, &[], "its neighbour's time");
    }
}

/// The film has as many chunks as fragments that are left. All are in order, and each is nearest to
/// the chunk of its own number.
#[test]
fn the_fragment_behind_a_damaged_one_does_not_become_the_last_chunk() {
    let video = Track::regular(1, StreamKind::Video, 4, 2 * SECOND as u32, 700);
    let media = film::media(&[video], Style::default());
    let mut bytes = media.to_bytes();
    let third = media.fragments[2].2.start as usize;
    bytes[third + 4..third + 8].copy_from_slice(b"oops");
    let chunks: Vec<u64> = (0..3).map(|i| i * 2 * SECOND as u64).collect();
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[("video", "film.ismv", 500, 1, "")])),
        ("film.ismv", bytes),
        ("film.ismc", ismc(&[(StreamKind::Video, "video", &[500], &chunks)])),
    ]);
    let origin = Origin::new(store);
    // The first request finds the damage; the others are answered after the file was searched.
    for _ in 0..3 {
        assert!(status(&origin, &path(1, 4 * SECOND)) >= 400);
        assert_eq!(status(&origin, &path(1, 2 * SECOND)), 200);
    }
}
