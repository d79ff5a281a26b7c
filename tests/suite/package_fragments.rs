//! Fragmented inputs of the packager: they give what the progressive film with the same samples
//! gives, and their first times and gaps are kept.
#![cfg(feature = "package")]

use std::collections::BTreeMap;
use std::path::Path;

use crate::packaging::{
    File, chunks, fragment, manifest, origin, packaged, packaged_with, sound, try_package, video,
};
use bytes::Bytes;
use shiguredo_mp4::{Decode, boxes::MoofBox};
use smooth_origin::Origin;
use smooth_origin::base::FileId;
use smooth_origin::manifest::StreamKind;
use smooth_origin::package::{Files, PackageOptions};
use smooth_origin::presentation::Piece;
use smooth_origin::storage::LocalStore;
use testkit::fragmented::{self, Base, CMAF, Form};
use testkit::progressive::{Film, Random};

fn plan() -> Film {
    Film::of([video(30, 300_000, 3), sound(31, 64_000, 5)])
}

fn input(name: &'static str, bytes: Bytes) -> File {
    (name, None, bytes)
}

/// The names of the outputs whose bytes differ.
fn differences(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut names: Vec<_> =
        a.keys().chain(b.keys()).filter(|name| a.get(*name) != b.get(*name)).cloned().collect();
    names.dedup();
    names
}

#[test]
fn every_form_of_fragments_gives_the_bytes_that_the_progressive_film_gives() {
    let options = PackageOptions::default();
    let film = plan();
    let (expected, _) = packaged(&[input("film.mp4", film.file())], &options);
    assert!(expected.len() == 4 && expected.values().map(Vec::len).sum::<usize>() > 1_000_000);
    let shared = Form { is_shared: true, has_segments: false, ..CMAF };
    for form in [
        shared,
        Form { base: Base::Absolute, ..shared },
        Form { base: Base::Unsaid, ..shared },
        Form { has_tfdt: false, ..shared },
        Form { base: Base::Absolute, ..CMAF },
        CMAF,
    ] {
        let one = input("film.mp4", fragmented::file(&film, &[0, 1], &form));
        let (files, notices) = packaged(&[one], &options);
        assert_eq!(differences(&files, &expected), Vec::<String>::new(), "{form:?}");
        assert_eq!(notices, Vec::<String>::new());
    }
    // One file a track, and beside a progressive one.
    let parts = [&[0][..], &[1]].map(|tracks| fragmented::file(&film, tracks, &CMAF));
    let [pictures, sounds] = parts.map(|bytes| input("part.mp4", bytes));
    let (files, _) = packaged(&[pictures.clone(), sounds.clone()], &options);
    assert_eq!(differences(&files, &expected), Vec::<String>::new());
    let (files, notices) = packaged(&[pictures, input("film.mp4", film.file())], &options);
    // The video is there twice: two qualities of the same chunks.
    assert_eq!((files.len(), notices.len()), (5, 0));
    let both = manifest(&files);
    assert_eq!(both.streams[0].qualities.len(), 2);
    assert_eq!(chunks(&both, 0), chunks(&manifest(&expected), 0));
}

#[test]
fn what_was_packaged_gives_the_same_when_it_is_packaged_again() {
    let mut options = PackageOptions::default();
    for kind in [Files::EachTrack, Files::InOne] {
        options.files = kind;
        let (first, _) = packaged(&[input("film.mp4", plan().file())], &options);
        let media =
            first.iter().filter(|(name, _)| name.contains(".isma") || name.contains(".ismv"));
        // Video first, as before.
        let mut media: Vec<_> =
            media.map(|(_, bytes)| input("again.ismv", bytes.clone().into())).collect();
        media.reverse();
        let (second, notices) = packaged(&media, &options);
        assert_eq!(differences(&second, &first), Vec::<String>::new());
        assert_eq!(notices, Vec::<String>::new());
    }
}

/// The payload of a fragment's `mdat`, and the time and size of each of its samples by a second
/// reader.
fn samples(bytes: &[u8], start: u64) -> (Vec<u8>, Vec<(i64, u32)>) {
    let (moof, len) = MoofBox::decode(bytes).unwrap();
    let mut decoded = start as i64;
    let traf = &moof.traf_boxes[0];
    let mut found = Vec::new();
    for sample in traf.trun_boxes.iter().flat_map(|trun| &trun.samples) {
        let default = (traf.tfhd_box.default_sample_duration, traf.tfhd_box.default_sample_size);
        found.push((decoded, sample.size.or(default.1).unwrap()));
        decoded += i64::from(sample.duration.or(default.0).unwrap());
    }
    (bytes[len + 8..].to_vec(), found)
}

#[test]
fn stored_presentations_are_packaged_again_with_the_same_chunks_and_samples() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    for (name, media) in [
        ("ladder", &["ladder.ismv"][..]),
        ("split", &["split_120.ismv", "split_60.ismv", "split_audio.isma"]),
        ("ntsc", &["ntsc_high.ismv", "ntsc_low.ismv"]),
        ("bframes", &["bframes.ismv"]),
    ] {
        let folder = testdata.join(name);
        let read =
            |file: &&'static str| input(file, std::fs::read(folder.join(file)).unwrap().into());
        let inputs: Vec<_> = media.iter().map(read).collect();
        let (files, _) = packaged(&inputs, &PackageOptions::default());
        let (made, ours) = (manifest(&files), origin(&files));
        let theirs = Origin::new(LocalStore::new(&folder).unwrap());
        let film = name;
        let of_stored = testkit::get(&theirs, &format!("/{film}.ism/Manifest")).unwrap();
        let stored =
            smooth_origin::manifest::ClientManifest::parse(&of_stored, &Default::default())
                .unwrap();
        let mut compared = 0;
        for (index, stream) in stored.streams.iter().enumerate() {
            let kinds =
                made.streams.iter().enumerate().filter(|(_, other)| other.kind == stream.kind);
            let same = kinds.map(|(at, _)| at).filter(|&at| {
                let language = |l: &Option<String>| l.clone();
                language(&made.streams[at].language) == language(&stream.language)
                    || stored.streams.iter().filter(|s| s.kind == stream.kind).count() == 1
            });
            let [at] = same.collect::<Vec<_>>()[..] else { panic!("{name}: {}", stream.name()) };
            let (expected, found) = (chunks(&stored, index), chunks(&made, at));
            let starts = |list: &[(u64, u64)]| list.iter().map(|chunk| chunk.0).collect::<Vec<_>>();
            // The sound of one was cut every 90 frames, and that of another where pictures are decoded:
            // now it follows the pictures as they are shown.
            let is_elsewhere =
                stream.kind == StreamKind::Audio && ["split", "bframes"].contains(&name);
            if !is_elsewhere {
                // Sound that goes on behind the video may have one chunk more.
                let (found, expected) = (starts(&found), starts(&expected));
                assert_eq!(found[..expected.len()], expected, "{name}: {}", stream.name());
                assert!(found.len() <= expected.len() + 1, "{name}: {}", stream.name());
            }
            let mut qualities: Vec<_> = stream.qualities.iter().map(|q| q.bitrate).collect();
            qualities.sort_unstable_by(|a, b| b.cmp(a));
            for (theirs_at, ours_at) in qualities.iter().zip(&made.streams[at].qualities) {
                let of =
                    |origin: &Origin, film: &str, bitrate, stream: &str, list: &[(u64, u64)]| {
                        let (mut bytes, mut all) = (Vec::new(), Vec::new());
                        for &(start, _) in list {
                            let fragment = fragment_of(origin, film, bitrate, stream, start);
                            let (payload, samples) = samples(&fragment, start);
                            bytes.extend(payload);
                            all.extend(samples);
                        }
                        (bytes, all)
                    };
                let before = of(&theirs, film, *theirs_at, &stream.name(), &expected);
                let stream = made.streams[at].name();
                let after = of(&ours, "film", ours_at.bitrate, &stream, &found);
                assert!(before.0 == after.0, "{name}: {stream}");
                assert_eq!(before.1.len(), after.1.len());
                for (before, after) in before.1.iter().zip(&after.1) {
                    assert_eq!(before.1, after.1);
                    // Sums of rounded durations drift within a chunk; each of ours is rounded by itself.
                    assert!(before.0.abs_diff(after.0) <= 60, "{name}: {before:?} {after:?}");
                }
                compared += found.len();
            }
        }
        assert!(compared >= 12, "{name}: {compared}");
    }
}

fn fragment_of(origin: &Origin, film: &str, bitrate: u32, stream: &str, start: u64) -> Vec<u8> {
    let path = format!("/{film}.ism/QualityLevels({bitrate})/Fragments({stream}={start})");
    testkit::get(origin, &path).unwrap()
}

#[test]
fn first_times_and_gaps_are_kept() {
    let options = PackageOptions::default();
    let film = plan();
    let whole = input("a.mp4", fragmented::file(&film, &[0, 1], &CMAF));
    let (usual, _) = packaged(&[whole], &options);
    let form = Form { gap: Some((7, 500)), start: 3_000_000, ..CMAF };
    let gappy = input("a.mp4", fragmented::file(&film, &[0, 1], &form));
    let gaps = ["warning gap-between-chunks"; 2];
    let (files, notices) = packaged_with(&[gappy], &options, &gaps);
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[0].contains("track 1 has a gap in time before sample 316"), "{notices:?}");
    let (manifest, usually) = (manifest(&files), manifest_of(&usual));
    for (index, stream) in manifest.streams.iter().enumerate() {
        let (found, before) = (chunks(&manifest, index), chunks(&usually, index));
        assert_eq!(found.len(), before.len());
        let (ours, theirs) = (origin(&files), origin(&usual));
        for (number, (found, before)) in found.iter().zip(&before).enumerate() {
            let later = if number < 7 { 30_000_000_000_000 } else { 30_005_000_000_000 };
            // What is shown before 0 is left out, and here it is not before 0.
            if (index, number) == (1, 0) {
                assert_eq!(found.0, later - 213_333);
                continue;
            }
            assert_eq!(found.0, before.0 + later, "chunk {number} of {}", stream.name());
            assert!((found.1 - later).abs_diff(before.1) <= 1);
            let of = |origin: &Origin, files: &_, start| {
                let bitrate = manifest_of(files).streams[index].qualities[0].bitrate;
                samples(&fragment(origin, bitrate, &stream.name(), start), 0)
            };
            let (ours, theirs) = (of(&ours, &files, found.0), of(&theirs, &usual, before.0));
            assert!(ours.0 == theirs.0);
            assert_eq!(ours.1.len(), theirs.1.len());
        }
    }
    // Half an hour of nothing is no half hour of bits.
    let bitrate = |files: &_| manifest_of(files).streams[0].qualities[0].bitrate;
    assert!(bitrate(&files).abs_diff(bitrate(&usual)) < 10);

    // A gap that one of two qualities has.
    let other = Film::of([video(30, 900_000, 9)]);
    let inputs = [
        input("a.mp4", fragmented::file(&film, &[0], &Form { start: 0, ..form })),
        input("b.mp4", other.file()),
    ];
    let error = try_package(&inputs, &options).unwrap_err().to_string();
    assert!(error.contains("track 1 of a.mp4 has 1 gaps"), "{error}");
    assert!(error.contains("track 1 of b.mp4 has 0"), "{error}");
}

fn manifest_of(files: &BTreeMap<String, Vec<u8>>) -> smooth_origin::manifest::ClientManifest {
    manifest(files)
}

#[test]
fn heads_alone_are_read_and_each_byte_once() {
    let film = Film::of([video(60, 4_000_000, 3), sound(60, 64_000, 5)]);
    for form in [CMAF, Form { is_shared: true, has_segments: false, ..CMAF }] {
        let bytes = fragmented::file(&film, &[0, 1], &form);
        let len = bytes.len() as u64;
        let (_, read) = try_package(&[input("a.mp4", bytes)], &PackageOptions::default()).unwrap();
        // The first bytes, and 4 KiB for each of 80 fragments and less.
        assert!(read < (64 << 10) + 82 * 4200 && read * 20 < len, "{read} of {len}");
    }
}

#[test]
fn fragments_that_cannot_be_packaged_are_refused_with_file_and_place() {
    let film = plan();
    let whole = fragmented::file(&film, &[0, 1], &CMAF);
    let refused = |bytes: Vec<u8>, says: &str| {
        let inputs = [input("good.mp4", film.file()), input("bad.mp4", bytes.into())];
        let error = try_package(&inputs, &PackageOptions::default()).unwrap_err();
        assert_eq!(error.file(), Some(FileId::new(1)), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    };
    for len in [whole.len() - 1, whole.len() / 2, 3000] {
        refused(whole[..len].to_vec(), "needs");
    }
    let at = |kind: &[u8], from: usize| {
        from + whole[from..].windows(4).position(|window| window == kind).unwrap()
    };
    let moof = at(b"moof", 0);
    refused(whole[moof - 4..].to_vec(), "in front of its `moov`");
    // The second fragment of video starts before the first one ends.
    let mut times = whole.to_vec();
    let (first, second) = (at(b"tfdt", 0), at(b"tfdt", at(b"tfdt", at(b"tfdt", 0) + 4) + 4));
    times.copy_within(first + 8..first + 16, second + 8);
    refused(times, "track 1: a fragment that starts at 0, before the last sample");
    // Durations of more than 31 bits.
    let mut long = whole.to_vec();
    let trun = at(b"trun", 0);
    long[trun + 16] = 0x80;
    refused(long, "ticks, or of less than 0");
    // Samples beyond their `mdat`.
    let mut beyond = whole.to_vec();
    beyond[trun + 20] = 0x70;
    refused(beyond, "outside of the fragment's `mdat`");
    // A box of encryption.
    let senc = boxed_in_place_of(&whole, b"tfdt", b"senc");
    refused(senc, "encrypted");
}

/// The file with another type of the first box of this one.
fn boxed_in_place_of(bytes: &[u8], kind: &[u8; 4], other: &[u8; 4]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = bytes.windows(4).position(|window| window == kind).unwrap();
    // `senc`: version and flags of 0, and no samples.
    bytes[at..at + 16].copy_from_slice(&[&other[..], &[0; 12]].concat());
    bytes
}

#[test]
fn a_damaged_fragmented_film_is_refused_or_gives_outputs_inside_the_file() {
    let film = Film::of([video(6, 200_000, 3), sound(6, 64_000, 5)]);
    let (mut random, mut made) = (Random(29), 0);
    let forms = [0, 1, 2, 3].map(|number| {
        let form = Form { is_shared: number % 2 == 0, has_segments: number < 2, ..CMAF };
        let whole = fragmented::file(&film, &[0, 1], &form);
        let heads: Vec<usize> =
            (0..whole.len() - 4).filter(|&at| whole[at..at + 4] == *b"moof").collect();
        (whole, heads)
    });
    for round in 0..1500_usize {
        let (whole, heads) = &forms[round % 4];
        let mut bytes = whole.to_vec();
        for _ in 0..=round % 3 {
            let draw = random.draw();
            let head = heads[(draw >> 40) as usize % heads.len()];
            let place = head - 4 + (draw >> 20) as usize % 900;
            bytes[place] = match draw % 4 {
                0 => 0,
                1 => 0xff,
                2 => bytes[place].wrapping_add(1),
                _ => (draw >> 8) as u8,
            };
        }
        let len = bytes.len() as u64;
        let files = [input("a.mp4", bytes.into())];
        let Ok((package, _)) = try_package(&files, &PackageOptions::default()) else { continue };
        made += 1;
        for output in package.outputs() {
            let mut sum = 0;
            for piece in output.pieces() {
                let piece = piece.unwrap();
                sum += piece.len();
                if let Piece::Stored(stored) = piece {
                    assert!(stored.range.start < stored.range.end && stored.range.end <= len);
                }
            }
            assert_eq!(sum, output.len());
        }
    }
    assert!((100..1400).contains(&made), "{made}");
}
