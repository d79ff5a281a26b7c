//! Fragmented files whose first samples are in their header: the first chunk is made of them.

use smooth_origin::Limits;
use smooth_origin::bmff::{AnyBox, Boxes, Stco, Trex, Trun, uuid::Tfxd};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::Origin;
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Fragment, Style, ism};
use testkit::progressive::{Film, Track};
use testkit::{codes, get, open, store, surveyed};

/// Samples and ticks of a chunk of pictures.
const SAMPLES: usize = 50;
const TICKS: u64 = 25_600;
/// The first sample is shown so many ticks after it is decoded.
const FIRST: u64 = 1024;

fn header() -> Film {
    let video = Track::video((12_800, 512), 2, SAMPLES, 300_000, 3);
    let sound = Track::sound(2, 64_000, 5);
    Film::of([Track { together: 9, ..video }, Track { together: 21, ..sound }])
}

/// Adds an `mvex` to the `moov` of a progressive film, and fragments of its first track behind it, which
/// begin so many ticks after the samples in the header.
fn hybrid(gap: i64) -> Vec<u8> {
    let file = header().fast_start();
    let at = file.windows(4).position(|word| word == b"moov").unwrap() - 4;
    let len = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let mut boxes = Boxes::parse(&file.slice(at..at + len), 0, &Limits::default()).unwrap();
    let moov = boxes.inside_mut(*b"moov").unwrap();
    let trexs = [1, 2].map(|track_id| AnyBox::new(Trex { track_id, ..Trex::default() }));
    let mvex = AnyBox::container(*b"mvex", trexs);
    let longer = mvex.len() as u32;
    for item in &mut moov.list {
        let smooth_origin::bmff::Body::Boxes(trak) = &mut item.body else { continue };
        let path = [*b"mdia", *b"minf", *b"stbl"];
        let Some(stbl) = path.iter().try_fold(trak, |boxes, &kind| boxes.inside_mut(kind)) else {
            continue;
        };
        let stco = stbl.get_mut::<Stco>().unwrap();
        let entries = stco.entries.chunks_exact(4);
        let moved = entries.map(|entry| u32::from_be_bytes(entry.try_into().unwrap()) + longer);
        stco.entries = moved.flat_map(u32::to_be_bytes).collect();
    }
    moov.list.push(mvex);
    let mut out = [&file[..at], &boxes.to_bytes(), &file[at + len..]].concat();
    let track = film::Track { timescale: 12_800, ..film::Track::new(1, StreamKind::Video, vec![]) };
    for number in 1..4 {
        let time = (FIRST + number * TICKS) as i64 + gap;
        let samples = vec![(512, 30 + number as u32); SAMPLES];
        let fragment = Fragment { time, samples };
        let moof = track.moof(&fragment, number as u32, Style::default());
        let mdat = AnyBox::other(*b"mdat", vec![number as u8; SAMPLES * (30 + number as usize)]);
        out.extend(Boxes::from_iter([moof, mdat]).to_bytes());
    }
    out
}

fn film(file: Vec<u8>) -> MemoryStore {
    let tracks = [("video", "film.mp4", 300, 1, "")];
    store([("film.ism", ism(None, &tracks)), ("film.mp4", file)])
}

#[test]
fn the_samples_in_the_header_are_the_first_chunk() {
    let store = film(hybrid(0));
    let opened = open(&store).unwrap();
    let found = codes(opened.presentation());
    assert!(found.contains(&"info fragments-rewritten".into()), "{found:?}");
    assert!(!found.iter().any(|code| code.starts_with("error")), "{found:?}");
    let chunks: Vec<_> = opened.presentation().streams()[0].timeline().iter().collect();
    let wanted: Vec<_> = (0..4).map(|number| (FIRST + number * TICKS, TICKS)).collect();
    assert_eq!(chunks, wanted);

    let origin = Origin::new(store.clone());
    let path = |noun: &str, time: u64| format!("film.ism/QualityLevels(300)/{noun}(video={time})");
    let whole = get(&origin, &path("Fragments", FIRST)).unwrap();
    let source = &header().tracks[0].samples;
    // Each sample has the number of its own in all of its bytes.
    let payload: Vec<u8> = source
        .iter()
        .enumerate()
        .flat_map(|(number, sample)| vec![number as u8; sample.size as usize])
        .collect();
    assert_eq!(get(&origin, &path("RawFragments", FIRST)).unwrap(), payload);
    assert!(whole.ends_with(&payload));
    let info = get(&origin, &path("FragmentInfo", FIRST)).unwrap();
    assert!(whole.starts_with(&info));
    let boxes = Boxes::parse(&info.into(), 0, &Limits::default()).unwrap();
    let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
    let tfxd = traf.get::<Tfxd>().unwrap();
    assert_eq!((tfxd.time, tfxd.duration), (FIRST, TICKS));
    let trun = traf.get::<Trun>().unwrap();
    assert_eq!(trun.sample_count as usize, SAMPLES);
    for (found, wanted) in trun.samples().zip(source) {
        assert_eq!((found.duration, found.size), (Some(wanted.duration), Some(wanted.size)));
        assert_eq!(found.composition_offset.unwrap_or(0), wanted.offset);
    }
    let keys = get(&origin, &path("KeyFrames", FIRST)).unwrap();
    assert!(keys.ends_with(&payload[..source[0].size as usize]) && keys.len() < whole.len());
    for number in 1..4_u64 {
        let raw = get(&origin, &path("RawFragments", FIRST + number * TICKS)).unwrap();
        assert_eq!(raw, vec![number as u8; SAMPLES * (30 + number as usize)]);
    }
    assert!(surveyed(&store).iter().all(|finding| finding.code.as_str() != "fragment-broken"));
}

#[cfg(feature = "hls")]
#[test]
fn its_segment_has_the_same_samples() {
    let origin = Origin::new(film(hybrid(0)));
    let raw = get(&origin, &format!("film.ism/QualityLevels(300)/RawFragments(video={FIRST})"));
    let segment = get(&origin, &format!("film.ism/video-300/{FIRST}.m4s")).unwrap();
    assert!(segment.ends_with(&raw.unwrap()));
}

#[test]
fn samples_that_the_fragments_leave_no_room_for_are_an_error() {
    let store = film(hybrid(-1024));
    let opened = open(&store).unwrap();
    assert!(codes(opened.presentation()).contains(&"error samples-in-header".into()));
    assert_eq!(opened.presentation().streams()[0].timeline().len(), 3);
}
