//! The packager: what it writes is opened without a finding, and has every sample of its inputs at
//! its time.
#![cfg(feature = "package")]

use std::collections::BTreeMap;

use crate::packaging::{
    chunks, film, fragment, manifest, origin, packaged, sound, try_package, video,
};
use bytes::Bytes;
use shiguredo_mp4::{Decode, boxes::MoofBox};
use smooth_origin::base::{ErrorKind, FileId, Limits, Timescale};
use smooth_origin::bmff::{Boxes, Mdhd, Mfro, Tfra, Tkhd};
use smooth_origin::index::chunk_plan::Wanted;
use smooth_origin::manifest::StreamKind;
use smooth_origin::package::{Files, PackageOptions, package};
use smooth_origin::presentation::Piece;
use testkit::assembled;
use testkit::progressive::{Film, Random, Track};

#[test]
fn fragments_are_those_of_the_pure_core_and_the_manifest_names_each() {
    let file = film();
    let (files, notices) =
        packaged(&[("source.mp4", None, file.clone())], &PackageOptions::default());
    assert_eq!(notices, Vec::<String>::new());
    let manifest = manifest(&files);
    let made = assembled::chunks(&file, Wanted::SMOOTH).unwrap();
    let origin = origin(&files);
    let mut compared = 0;
    for (index, stream) in manifest.streams.iter().enumerate() {
        let bitrate = stream.qualities[0].bitrate;
        let extension = if stream.kind == StreamKind::Video { "ismv" } else { "isma" };
        assert!(files.contains_key(&format!("film_{}_{bitrate}.{extension}", stream.name())));
        let expected: Vec<_> =
            made.iter().filter(|chunk| chunk.track_id == index as u32 + 1).collect();
        let chunks = chunks(&manifest, index);
        assert_eq!(chunks, expected.iter().map(|c| (c.start, c.end)).collect::<Vec<_>>());
        for chunk in expected {
            let served = fragment(&origin, bitrate, &stream.name(), chunk.start);
            assert_eq!(served, [&chunk.head[..], &chunk.payload].concat());
            compared += 1;
        }
    }
    assert!(compared > 25 && compared == made.len());
    let names: Vec<_> = manifest.streams.iter().map(|stream| stream.name()).collect();
    assert_eq!(names, ["video", "audio"]);
}

#[test]
fn every_sample_of_the_source_is_there_with_its_bytes_time_duration_and_sync() {
    let file = film();
    let tracks = assembled::tracks(&file).unwrap();
    let options = PackageOptions::default();
    let (files, _) = packaged(&[("source.mp4", None, file.clone())], &options);
    let (manifest, origin) = (manifest(&files), origin(&files));
    for (index, stream) in manifest.streams.iter().enumerate() {
        let track = &tracks[index];
        let mut source = track.tables.samples().map(Result::unwrap).peekable();
        // What ends at 0 or before is not shown.
        if stream.kind == StreamKind::Audio {
            source.next();
        }
        let mut last_end = None;
        for (start, end) in chunks(&manifest, index) {
            assert!(last_end.is_none_or(|last| last == start), "no gap");
            last_end = Some(end);
            let bytes = fragment(&origin, stream.qualities[0].bitrate, &stream.name(), start);
            let (moof, len) = MoofBox::decode(&bytes).unwrap();
            let trun = &moof.traf_boxes[0].trun_boxes[0];
            let (mut at, mut decoded) = (len + 8, start as i64);
            let boxes =
                Boxes::parse(&Bytes::from(bytes.clone()).slice(..len), 0, &Limits::default());
            let boxes = boxes.unwrap();
            let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
            let sdtp = traf.get::<smooth_origin::bmff::Sdtp>().unwrap();
            for (number, sample) in trun.samples.iter().enumerate() {
                let from = source.next().unwrap();
                let size = sample.size.unwrap() as usize;
                assert_eq!(size, from.size as usize);
                let filled = (from.number - 1) as u8;
                assert!(bytes[at..at + size].iter().all(|&byte| byte == filled));
                let shown = decoded + i64::from(sample.composition_time_offset.unwrap_or(0));
                let exact = track.clock.at(from.composition_time(), Timescale::SMOOTH).unwrap();
                assert!(shown.abs_diff(exact) <= 1, "{shown} for {exact}");
                let ticks = u64::from(from.duration) * 10_000_000 / track.clock.timescale().get();
                let duration = u64::from(sample.duration.unwrap());
                assert!(duration.abs_diff(ticks) <= 1, "{duration} for {ticks}");
                let depends = sdtp.samples[number] >> 4 & 3;
                assert_eq!(depends == 2, from.is_sync, "sample {}", from.number);
                at += size;
                decoded += i64::from(sample.duration.unwrap());
            }
            assert_eq!(at, bytes.len());
            assert!(decoded as u64 == end || source.peek().is_none());
        }
        assert_eq!(source.next(), None, "all samples");
    }
}

#[test]
fn a_file_has_a_header_of_its_track_and_an_index_of_all_its_fragments() {
    let (files, _) = packaged(&[("a.mp4", Some("eng"), film())], &PackageOptions::default());
    let manifest = manifest(&files);
    let (_, media) = files.iter().find(|(name, _)| name.ends_with(".isma")).unwrap();
    let media = Bytes::from(media.clone());
    let len = u32::from_be_bytes(media[media.len() - 4..].try_into().unwrap()) as usize;
    let at = media.len() - len;
    let mfra = Boxes::parse(&media.slice(at..), at as u64, &Limits::default()).unwrap();
    let mfra = mfra.inside(*b"mfra").unwrap();
    assert_eq!(mfra.get::<Mfro>().unwrap().size as usize, len);
    let tfra = mfra.get::<Tfra>().unwrap();
    let starts: Vec<u64> = tfra.entries().map(|entry| entry.time).collect();
    assert_eq!(starts, chunks(&manifest, 1).iter().map(|chunk| chunk.0).collect::<Vec<_>>());
    for entry in tfra.entries() {
        let moof = entry.moof_offset as usize + 4;
        assert_eq!(media[moof..moof + 4], *b"moof");
        assert!(entry.starts_fragment());
    }
    let (moov_at, moov) = assembled::moov(&media);
    let moov = Boxes::parse(&moov, moov_at, &Limits::default()).unwrap();
    let trak = moov.path(&[*b"moov", *b"trak"]).unwrap();
    assert_eq!(trak.get::<Tkhd>().unwrap().track_id, 2);
    let mdhd = trak.inside(*b"mdia").unwrap().get::<Mdhd>().unwrap();
    assert_eq!((mdhd.timescale, mdhd.language().as_deref()), (10_000_000, Some("eng")));
}

#[test]
fn qualities_languages_and_sound_that_is_there_twice() {
    let same_sound = sound(20, 64_000, 5);
    let files = [
        ("low.mp4", None, Film::of([video(20, 300_000, 3), same_sound.clone()]).file()),
        ("high.mp4", None, Film::of([video(20, 900_000, 4), same_sound]).file()),
        ("en.m4a", Some("eng"), Film::of([sound(20, 64_000, 6)]).file()),
        ("fr.m4a", Some("fre"), Film::of([sound(19, 64_000, 7)]).file()),
        ("loud.m4a", Some("fre"), Film::of([sound(19, 128_000, 8)]).file()),
    ];
    for kind in [Files::EachTrack, Files::InOne] {
        let mut options = PackageOptions::default();
        options.files = kind;
        let (outputs, notices) = packaged(&files, &options);
        assert_eq!(
            notices,
            ["high.mp4: track 2 is left out: its samples are those of track 2 of low.mp4"]
        );
        assert_eq!(outputs.len(), if kind == Files::InOne { 3 } else { 8 });
        let (manifest, origin) = (manifest(&outputs), origin(&outputs));
        let streams = manifest.streams.iter();
        let streams = streams.map(|s| (s.name(), s.language.as_deref(), s.qualities.len()));
        let streams: Vec<_> = streams.collect();
        let expected = [
            ("video", None, 2),
            ("audio", None, 1),
            ("audio_eng", Some("eng"), 1),
            ("audio_fre", Some("fre"), 2),
        ];
        let expected: Vec<_> = expected.map(|(name, l, n)| (name.into(), l, n)).into();
        assert_eq!(streams, expected);
        for (index, stream) in manifest.streams.iter().enumerate() {
            let bitrates: Vec<_> = stream.qualities.iter().map(|q| q.bitrate).collect();
            assert!(bitrates.is_sorted_by(|a, b| a > b), "the best first: {bitrates:?}");
            for (start, _) in chunks(&manifest, index) {
                for bitrate in &bitrates {
                    assert!(!fragment(&origin, *bitrate, &stream.name(), start).is_empty());
                }
            }
        }
        // Video of 300 kbit/s and 900 kbit/s.
        let [high, low] = &manifest.streams[0].qualities[..] else { panic!("two qualities") };
        assert!((800_000..1_000_000).contains(&high.bitrate), "{}", high.bitrate);
        assert!((250_000..350_000).contains(&low.bitrate), "{}", low.bitrate);
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes_and_options_are_heeded() {
    let files = [("a.mp4", None, film())];
    let options = PackageOptions::default();
    let (first, _) = packaged(&files, &options);
    assert_eq!(first, packaged(&files, &options).0);
    let mut longer = options.clone();
    longer.chunk = 60_000_000;
    longer.has_tfxd = false;
    let (second, _) = packaged(&files, &longer);
    let count = |files| chunks(&manifest(files), 0).len();
    assert!(count(&second) * 3 < count(&first) * 2);
    let tfxd = [0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44, 0xe6];
    let has = |files: &BTreeMap<String, Vec<u8>>| {
        let mut media = files.iter().filter(|(name, _)| name.ends_with('v'));
        media.any(|(_, bytes)| bytes.windows(8).any(|window| window == tfxd))
    };
    assert!(has(&first) && !has(&second));
}

#[test]
fn nothing_but_the_head_and_the_moov_is_read() {
    let file = film();
    let (_, moov) = assembled::moov(&file);
    let (package, read) =
        try_package(&[("a.mp4", None, file.clone())], &PackageOptions::default()).unwrap();
    let most = (64 << 10) + moov.len() as u64 + 64;
    assert!(read <= most && most < file.len() as u64 / 2, "{read} of {most}");
    // A piece is as large as a chunk's head, or passes on a range.
    let pieces = package.outputs()[0].pieces().map(Result::unwrap);
    let longest = pieces.filter_map(|piece| match piece {
        Piece::Bytes(bytes) => Some(bytes.len()),
        _ => None,
    });
    assert!(longest.max().unwrap() < 4096);
}

#[test]
fn qualities_that_cannot_be_aligned_are_refused_with_file_track_and_sample() {
    let other = Track::video((25, 1), 20, 33, 300_000, 4);
    let files = [
        ("a.mp4", None, Film::of([Track::video((25, 1), 20, 50, 900_000, 3)]).file()),
        ("b.mp4", None, Film::of([other]).file()),
    ];
    let error = try_package(&files, &PackageOptions::default()).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.file(), None, "it is about both files");
    assert!(text.contains("track 1 of a.mp4") && text.contains("track 1 of b.mp4"), "{text}");
    assert!(text.contains("sample ") && text.contains("key frames"), "{text}");
}

#[test]
fn what_is_no_progressive_film_is_refused_with_its_file() {
    let options = PackageOptions::default();
    let whole = ("a.mp4", None, film());
    let refused = |bytes: Bytes| {
        let error = try_package(&[whole.clone(), ("b.mp4", None, bytes)], &options).unwrap_err();
        assert_eq!(error.file(), Some(FileId::new(1)), "{error}");
        error
    };
    for len in [0, 5, 30, 100, whole.2.len() - 2000, whole.2.len() - 1] {
        refused(whole.2.slice(..len));
    }
    let elsewhere = b"url \0\0\0\x01";
    let at = whole.2.windows(8).position(|window| window == elsewhere).unwrap();
    let mut bytes = whole.2.to_vec();
    bytes[at + 7] = 0;
    assert!(refused(bytes.into()).to_string().contains("another file"));
    refused(Bytes::from_static(b"no film at all, but some text that is long enough"));
    let nothing = try_package(&[], &options).unwrap_err();
    assert!(matches!(nothing.kind, ErrorKind::Missing { .. }));
    for name in ["", "a/b", "..", "/a"] {
        assert!(package(name, Vec::new(), options.clone()).is_err(), "{name}");
    }
}

#[test]
fn a_damaged_film_is_refused_or_gives_outputs_of_the_said_length_inside_the_file() {
    let film = Film::of([video(6, 200_000, 3), sound(6, 64_000, 5)]).file();
    let (at, moov) = assembled::moov(&film);
    let (mut random, mut made) = (Random(17), 0);
    for round in 0..1500 {
        let mut bytes = film.to_vec();
        for _ in 0..=round % 3 {
            let draw = random.draw();
            let place = (draw >> 20) as usize % moov.len();
            bytes[at as usize + place] = match draw % 4 {
                0 => 0,
                1 => 0xff,
                2 => bytes[at as usize + place].wrapping_add(1),
                _ => (draw >> 8) as u8,
            };
        }
        let files = [("a.mp4", None, Bytes::from(bytes))];
        let Ok((package, _)) = try_package(&files, &PackageOptions::default()) else { continue };
        made += 1;
        for output in package.outputs() {
            let mut len = 0;
            for piece in output.pieces() {
                let piece = piece.unwrap();
                len += piece.len();
                if let Piece::Stored(stored) = piece {
                    assert!(stored.range.start < stored.range.end);
                    assert!(stored.range.end <= film.len() as u64);
                }
            }
            assert_eq!(len, output.len());
        }
    }
    assert!((100..1400).contains(&made), "{made}");
}
