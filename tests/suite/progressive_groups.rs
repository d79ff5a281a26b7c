//! Progressive films of many groups of chunks: the first request in a group reads its part of the sample
//! tables, and memory is bounded however many groups are watched.
#![cfg(all(feature = "dash", feature = "hls"))]

use std::sync::Arc;

use smooth_origin::base::{ErrorGroup, Got, Step, Timescale, Want};
use smooth_origin::index::chunk_plan::Wanted;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::output::mss::{Request, answer};
use smooth_origin::presentation::{FindingCode, Presentation};
use smooth_origin::storage::MemoryStore;
use testkit::assembled::{self, chunks};
use testkit::film::ism;
use testkit::progressive::{Film, Sample, Track};
use testkit::record::RecordingStore;
use testkit::{get, name, open, status, store};

const BOTH: [(&str, &str, u32, u32, &str); 2] =
    [("video", "film.mp4", 40_000, 1, ""), ("audio", "film.mp4", 16_000, 2, "")];

/// Eight minutes: four groups of chunks of each track.
fn film(together: usize) -> Film {
    let video = Track::video((12_800, 512), 480, 50, 40_000, 3);
    let sound = Track::sound(480, 16_000, 5);
    Film::of([Track { together, ..video }, Track { together, ..sound }])
}

fn film_of(file: Vec<u8>) -> MemoryStore {
    store([("film.ism", ism(None, &BOTH)), ("film.mp4", file)])
}

/// Paths of all fragments of a stream.
fn fragments(presentation: &Presentation, stream: usize) -> Vec<String> {
    let stream = &presentation.streams()[stream];
    let (name, bitrate) = (stream.name(), stream.tracks()[0].bitrate());
    let starts = stream.timeline().iter();
    starts.map(|(start, _)| format!("QualityLevels({bitrate})/Fragments({name}={start})")).collect()
}

#[test]
fn the_first_request_in_a_group_reads_its_tables_and_the_others_read_nothing() {
    let film = film(11);
    let header = film.moov().0.len() as u64;
    for file in [film.file(), film.fast_start()] {
        let wanted = chunks(&file, Wanted::SMOOTH).unwrap();
        let packaged = assembled::file(&file, &wanted, Timescale::SMOOTH);
        let stored = Origin::new(film_of(packaged));
        let recording = RecordingStore::new(film_of(file.to_vec()));
        let reads = Arc::clone(&recording.reads);
        let origin = Origin::new(recording);
        let opened = block_on(origin.open(&name("film.ism"))).unwrap();
        assert_eq!(opened.presentation().findings(), []);
        for stream in [0, 1] {
            let paths = fragments(opened.presentation(), stream);
            assert!(paths.len() > 230, "{}", paths.len());
            let (mut read, mut bytes) = (Vec::new(), 0);
            for (number, path) in paths.iter().enumerate() {
                let path = format!("film.ism/{path}");
                reads.lock().unwrap().clear();
                let served = testkit::served(&origin, &path).unwrap();
                let before: Vec<u64> = reads
                    .lock()
                    .unwrap()
                    .iter()
                    .map(|(_, range)| range.end - range.start)
                    .collect();
                assert!(before.len() <= 4, "{path}: {before:?}");
                bytes += before.iter().sum::<u64>();
                if !before.is_empty() {
                    read.push(number);
                }
                let (made, stored) =
                    (testkit::read(&served).unwrap(), get(&stored, &path).unwrap());
                assert!(made == stored, "{path}");
            }
            assert_eq!(read, [0, 64, 128, 192]);
            assert!(bytes <= header * 3 / 2, "{bytes} of {header} bytes are read again");
        }
        // Segments and key frames of a group that is known read nothing before the answer either.
        let starts: Vec<u64> =
            opened.presentation().streams()[0].timeline().iter().map(|(start, _)| start).collect();
        for path in [
            format!("film.ism/QualityLevels(40000)/KeyFrames(video={})", starts[100]),
            format!("film.ism/video-40000/{}.m4s", starts[101]),
        ] {
            reads.lock().unwrap().clear();
            let served = testkit::served(&origin, &path).unwrap();
            assert_eq!(*reads.lock().unwrap(), [], "{path}");
            assert!(testkit::read(&served).is_ok());
        }
    }
}

#[test]
fn segments_and_key_frames_may_be_the_first_request_in_a_group() {
    let file = film(11).file();
    let wanted = chunks(&file, Wanted::SMOOTH).unwrap();
    let stored = film_of(assembled::file(&file, &wanted, Timescale::SMOOTH));
    let opened = open(&stored).unwrap();
    let stored = Origin::new(stored);
    let starts: Vec<u64> =
        opened.presentation().streams()[0].timeline().iter().map(|(start, _)| start).collect();
    for path in [
        format!("QualityLevels(40000)/KeyFrames(video={})", starts[70]),
        format!("QualityLevels(40000)/FragmentInfo(video={})", starts[200]),
        format!("QualityLevels(40000)/RawFragments(video={})", starts[200]),
        format!("video-40000/{}.m4s", starts[130]),
        format!("video-40000.key/{}.m4s", starts[130]),
    ] {
        let path = format!("film.ism/{path}");
        let made = Origin::new(film_of(file.to_vec()));
        assert!(get(&made, &path).unwrap() == get(&stored, &path).unwrap(), "{path}");
    }
}

#[test]
fn tables_that_are_not_those_of_opening_are_an_error_and_no_fragment() {
    let opened = open(&film_of(film(11).file().to_vec())).unwrap();
    let presentation = opened.presentation();
    for stream in [0, 1] {
        let paths = fragments(presentation, stream);
        for (number, fill) in [0, 1, 2, 7, 0x40, 0x80, 0xff].into_iter().enumerate() {
            let request = Request::parse(&paths[64 * (number % 3)], None).unwrap();
            let step = answer(presentation, &request).unwrap();
            assert!(matches!(step, Step::Read(_)), "nothing wrong is kept");
            let error = step.drive(|want| match want {
                Want::Range { range, .. } => {
                    Ok(Got::Range(vec![fill; (range.end - range.start) as usize].into()))
                }
                _ => unreachable!("an answer reads ranges alone"),
            });
            let error = error.unwrap_err();
            assert_eq!(error.kind.group(), ErrorGroup::Content, "{error}");
        }
    }
}

#[test]
fn a_film_takes_two_bytes_a_sample_beside_its_timeline_however_much_is_watched() {
    for together in [1, 12, usize::MAX] {
        let video = Track::video((12_800, 512), 1200, 50, 40_000, 3);
        let sound = Track::sound(1200, 16_000, 5);
        let film = Film::of([Track { together, ..video }, Track { together, ..sound }]);
        let samples: usize = film.tracks.iter().map(|track| track.samples.len()).sum();
        let file = film.file();
        let wanted = chunks(&file, Wanted::SMOOTH).unwrap();
        let packaged = open(&film_of(assembled::file(&file, &wanted, Timescale::SMOOTH))).unwrap();
        // Heads that are kept have memory of their own, for all presentations.
        let origin = Origin::builder(film_of(file.to_vec())).segment_head_bytes(0).build();
        let made = block_on(origin.open(&name("film.ism"))).unwrap();
        let (timeline, whole) = (packaged.presentation().memory(), made.presentation().memory());
        // Beside what a packaged film takes, which has the same timeline; and some for each track.
        assert!(whole <= timeline + 2 * samples + 4096, "{together}: {whole}, {timeline}");
        let presentation = Arc::clone(made.presentation());
        let mut reads = 0;
        let counted = allocation_counter::measure(|| {
            for stream in [0, 1] {
                for path in fragments(&presentation, stream) {
                    let request = Request::parse(&path, None).unwrap();
                    let step = answer(&presentation, &request).unwrap();
                    let reply = step.drive(|want| match want {
                        Want::Range { range, .. } => {
                            reads += 1;
                            let range = range.start as usize..range.end as usize;
                            Ok(Got::Range(file.slice(range)))
                        }
                        _ => unreachable!("an answer reads ranges alone"),
                    });
                    assert!(reply.unwrap().length() > 0);
                }
            }
        });
        assert!(reads >= 2 * 9, "{reads}");
        // What was prepared is what `memory` has counted from the beginning.
        let prepared = counted.bytes_current.unsigned_abs() as usize;
        assert!(prepared <= 2 * samples, "{together}: {prepared} for {samples} samples");
        assert!(prepared > samples, "{together}: {prepared} for {samples} samples");
    }
}

#[test]
fn a_request_in_a_known_group_allocates_its_samples_its_head_and_its_reply() {
    let file = film(usize::MAX).file();
    let opened = open(&film_of(file.to_vec())).unwrap();
    let presentation = opened.presentation();
    let paths = fragments(presentation, 0);
    let ask = |path: &str| {
        let step = answer(presentation, &Request::parse(path, None).unwrap()).unwrap();
        step.drive(|want| match want {
            Want::Range { range, .. } => {
                Ok(Got::Range(file.slice(range.start as usize..range.end as usize)))
            }
            _ => unreachable!("an answer reads ranges alone"),
        })
    };
    ask(&paths[64]).unwrap();
    let counted = allocation_counter::measure(|| {
        assert!(ask(&paths[65]).unwrap().length() > 0);
    });
    // Samples, head, what shares the head, ranges, pieces; and the parsed path.
    assert!(counted.count_total <= 10, "{counted:?}");
}

#[test]
fn fragments_of_samples_without_bytes_are_bounded_by_the_length_of_their_file() {
    let of = |count: usize| {
        let sample = Sample { size: 1, duration: 1, is_sync: true, ..Sample::default() };
        let sound = Track::of(*b"soun", 48_000, vec![sample; count]);
        let file = Film::of([Track { compact: Some(4), ..sound }]).file();
        let named = ism(None, &[("audio", "film.mp4", 16_000, 1, "")]);
        (store([("film.ism", named), ("film.mp4", file.to_vec())]), file.len())
    };
    let (many, _) = of(60_000);
    let opened = open(&many).unwrap();
    let findings = opened.presentation().findings();
    let told = findings.iter().find(|of| of.code == FindingCode::SampleTablesBroken).unwrap();
    assert!(told.message.contains("samples of a fragment"), "{}", told.message);
    let path = "film.ism/QualityLevels(16000)/Fragments(audio=0)";
    assert_eq!(status(&Origin::new(many), path), 404);
    // As many as may be take memory in proportion to the file.
    for count in [2000, 2200] {
        let (few, len) = of(count);
        let origin = Origin::new(few);
        let mut got = 0;
        let counted = allocation_counter::measure(|| got = get(&origin, path).unwrap().len());
        assert!(got > 9 * count, "{got}");
        let most = 16 * len as u64 + (96 << 10) + got as u64;
        assert!(counted.bytes_max <= most, "{} of {most}", counted.bytes_max);
    }
}
