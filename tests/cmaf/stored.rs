//! Fragments of real muxers.

use std::collections::BTreeMap;

use bytes::Bytes;
use smooth_origin::Limits;
use smooth_origin::bmff::{Boxes, Hdlr, Mdhd, Sdtp, Tfdt, Tfhd, Tkhd, Trex, uuid::Tfxd};
use smooth_origin::fragment::cmaf::{Start, Track};
use smooth_origin::manifest::StreamKind;
use testkit::corpus::files;

use super::rewritten;
use super::samples::{Defaults, Sample, kinds, ours, theirs, traf};

/// A fragment, and what the header of its file says of its track.
struct Case {
    kind: StreamKind,
    trex: Trex,
    bytes: Bytes,
}

/// All fragments of the media files of `testdata/`, by the name of their file.
fn fragments() -> BTreeMap<String, Vec<Case>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    let mut all = BTreeMap::new();
    for (name, file) in files(root.as_ref(), &[".ismv", ".isma", ".ismt", ".mp4"]) {
        all.insert(name, cases(&file));
    }
    assert!(all.len() > 20, "testdata/ is not whole");
    all
}

fn cases(file: &Bytes) -> Vec<Case> {
    let (mut tracks, mut cases) = (BTreeMap::new(), Vec::new());
    let boxes = top_level(file);
    let moov = boxes.iter().find(|(kind, _)| kind == b"moov").unwrap();
    let moov = Boxes::parse(&moov.1, 0, &Limits::default()).unwrap();
    let moov = moov.inside(*b"moov").unwrap();
    for trak in moov.each(*b"trak") {
        let id = trak.get::<Tkhd>().unwrap().track_id;
        let mdia = trak.inside(*b"mdia").unwrap();
        let kind = match &mdia.get::<Hdlr>().unwrap().handler_type.0 {
            b"vide" => StreamKind::Video,
            b"soun" => StreamKind::Audio,
            _ => StreamKind::Text,
        };
        assert!(mdia.get::<Mdhd>().unwrap().timescale > 0);
        let trexs = moov.inside(*b"mvex").map(|mvex| mvex.all::<Trex>());
        let trex = trexs.into_iter().flatten().find(|trex| trex.track_id == id);
        tracks.insert(id, (kind, trex.cloned().unwrap_or_default()));
    }
    for (at, (kind, moof)) in boxes.iter().enumerate() {
        // The last one of a recording may be cut off, and `dense` has boxes before each `mdat`.
        let behind = boxes[at + 1..].split_inclusive(|(kind, _)| kind == b"mdat").next();
        let is_whole = |boxes: &&[Outer]| {
            boxes.last().is_some_and(|(kind, _)| kind == b"mdat")
                && !boxes.iter().any(|(kind, _)| kind == b"moof")
        };
        if kind == b"moof"
            && let Some(behind) = behind.filter(is_whole)
        {
            let id = traf(moof).get::<Tfhd>().unwrap().track_id;
            let (kind, trex) = tracks[&id].clone();
            let bytes = [moof].into_iter().chain(behind.iter().map(|(_, bytes)| bytes));
            cases.push(Case { kind, trex, bytes: bytes.flatten().copied().collect() });
        }
    }
    cases
}

type Outer = ([u8; 4], Bytes);

/// Types and bytes of the outermost boxes.
fn top_level(file: &Bytes) -> Vec<Outer> {
    let (mut at, mut found) = (0, Vec::new());
    while let Some(header) = file.get(at..at + 16) {
        let short = u32::from_be_bytes(header[..4].try_into().unwrap()) as usize;
        let long = u64::from_be_bytes(header[8..].try_into().unwrap()) as usize;
        let len = if short == 1 { long } else { short };
        if at + len > file.len() {
            break;
        }
        found.push((header[4..8].try_into().unwrap(), file.slice(at..at + len)));
        at += len;
    }
    found
}

fn defaults(trex: &Trex) -> Defaults {
    (trex.default_sample_duration, trex.default_sample_size, trex.default_sample_flags)
}

/// Sample bytes, by the offsets of a fragment.
fn data<'a>(fragment: &'a Bytes, samples: &[Sample]) -> Vec<&'a [u8]> {
    let bytes = samples.iter().map(|s| &fragment[s.at as usize..s.at as usize + s.size as usize]);
    bytes.collect()
}

#[test]
fn the_samples_of_every_muxer_keep_their_bytes_sizes_durations_and_offsets() {
    let mut seen = 0;
    for (name, cases) in fragments() {
        for (number, Case { kind, trex, bytes }) in cases.into_iter().enumerate() {
            let track = Track::new(9, kind).defaults(&trex);
            let start = 1 << 54 | number as i64;
            let whole = rewritten(&bytes, Start::Shown(start), &track).unwrap();
            let before = ours(&bytes, defaults(&trex));
            let after = ours(&whole, (99, 99, 99));
            assert_eq!(after, theirs(&whole, (99, 99, 99)), "{name}, {number}");

            let fields = |s: &Sample| (s.duration, s.size, s.offset);
            let all = |samples: &[Sample]| samples.iter().map(fields).collect::<Vec<_>>();
            assert_eq!(all(&before), all(&after), "{name}, {number}");
            // bento4 leaves the offset of its only run to the reader.
            if before[0].at >= 0 {
                assert!(data(&bytes, &before) == data(&whole, &after), "{name}, {number}");
            }
            let tfhd = traf(&whole).get::<Tfhd>().unwrap().clone();
            assert_eq!((tfhd.track_id, tfhd.base_data_offset), (9, None));
            assert!(tfhd.full.has(0x2_0000));
            let tfdt = traf(&whole).get::<Tfdt>().unwrap().clone();
            let decoded = tfdt.base_media_decode_time as i64;
            assert_eq!((tfdt.full.version, decoded), (1, start - i64::from(before[0].offset)));
            assert!(traf(&whole).get::<Tfxd>().is_none());
            let kinds = kinds(&whole);
            assert_eq!(kinds[..3], ["tfhd", "tfdt", "trun"], "{name}");
            assert!(!kinds.iter().any(|kind| kind == "sdtp" || kind == "free"), "{kinds:?}");
            seen += after.len();
        }
    }
    assert!(seen > 10_000, "{seen}");
}

#[test]
fn flags_that_say_something_are_kept_and_others_come_from_sdtp() {
    let (mut kept, mut made) = (0, 0);
    for (name, cases) in fragments() {
        for Case { kind, trex, bytes } in cases {
            let track = Track::new(9, kind).defaults(&trex);
            let whole = rewritten(&bytes, Start::Shown(0), &track).unwrap();
            let flags = |samples: Vec<Sample>| samples.iter().map(|s| s.flags).collect::<Vec<_>>();
            let before = flags(ours(&bytes, defaults(&trex)));
            let after = flags(theirs(&whole, (99, 99, 99)));
            match traf(&bytes).get::<Sdtp>() {
                Some(sdtp) => {
                    let is_key = |byte: u8| byte >> 4 & 3 == 2;
                    for (flags, &byte) in after.iter().zip(&sdtp.samples) {
                        assert_eq!(flags >> 20, u32::from(byte), "{name}");
                        assert_eq!(flags & 0x1_0000 == 0, is_key(byte), "{name}");
                    }
                    made += 1;
                }
                None if before.iter().any(|flags| flags & 0x301_0000 != 0) => {
                    assert_eq!(before, after, "{name}");
                    kept += 1;
                }
                None => {
                    let others = if kind == StreamKind::Video { 0x101_0000 } else { 0x200_0000 };
                    assert_eq!(after[0], 0x200_0000, "{name}");
                    assert!(after[1..].iter().all(|&flags| flags == others), "{name}");
                    made += 1;
                }
            }
        }
    }
    assert!(kept > 100 && made >= 10, "{kept} {made}");
}
