//! Sample tables of progressive files: what is read is what was written, another reader agrees, and
//! tables that lie are errors or oddities that name the sample.

use std::io::Cursor;

use bytes::Bytes;
use smooth_origin::Limits;
use smooth_origin::base::{Error, Timescale};
use smooth_origin::bmff::Boxes;
use smooth_origin::index::sample_table::{
    Media, Movie, OddityKind, Outline, Prepared, Sample, Track,
};
use testkit::progressive::{self, Film, words};

fn read(moov: &Bytes, at: u64, len: u64) -> Result<Movie, Error> {
    let limits = Limits::default();
    let boxes = Boxes::parse(moov, at, &limits)?;
    Movie::read(&boxes, at, len, &limits)
}

fn tracks(film: &Film) -> Vec<Track> {
    let (moov, at, len) = film.moov();
    read(&moov, at, len).unwrap().tracks.into_iter().map(Result::unwrap).collect()
}

/// Video with B pictures, and sound, in groups of a few samples.
fn film() -> Film {
    let video = progressive::Track::video((12_800, 512), 8, 50, 400_000, 7);
    let sound = progressive::Track::sound(8, 64_000, 9);
    Film::of([
        progressive::Track { together: 7, has_sdtp: true, ..video },
        progressive::Track { together: 5, ..sound },
    ])
}

/// The same film in every form of its tables.
fn forms() -> Vec<Film> {
    let plain = film();
    let mut large = film();
    large.tracks.iter_mut().for_each(|track| track.is_large = true);
    let whole = Film::of(film().tracks.into_iter().map(|track| progressive::Track {
        together: usize::MAX,
        has_sdtp: false,
        edit: Some((40, 0)),
        ..track
    }));
    let mut forms = vec![plain, large, whole];
    for (bits, most) in [(4, 15), (8, 255), (16, 65_535)] {
        let mut compact = film();
        for track in &mut compact.tracks {
            track.compact = Some(bits);
            track.samples.iter_mut().for_each(|sample| sample.size = sample.size.min(most));
        }
        forms.push(compact);
    }
    let mut constant = film();
    constant.tracks[1].samples.iter_mut().for_each(|sample| sample.size = 300);
    constant.tracks[0].samples.iter_mut().for_each(|sample| sample.offset -= 1024);
    constant.tracks[0].samples[3].size = 0;
    forms.push(constant);
    // Every picture lasts differently long.
    let video = progressive::Track::video((90_000, 3600), 100, 50, 400_000, 7);
    let mut irregular = Film::of([video, progressive::Track::sound(1, 64_000, 1)]);
    let samples = irregular.tracks[0].samples.iter_mut();
    samples.enumerate().for_each(|(index, sample)| sample.duration += index as u32);
    forms.push(irregular);
    forms
}

#[test]
fn samples_are_read_as_they_were_written_in_every_form() {
    for (number, film) in forms().into_iter().enumerate() {
        let read = tracks(&film);
        let mut samples: Vec<Vec<Sample>> = read
            .iter()
            .map(|track| track.tables.samples().collect::<Result<_, _>>().unwrap())
            .collect();
        samples.iter_mut().for_each(|list| list.reverse());
        let mut times = vec![0; film.tracks.len()];
        for placed in film.placed() {
            let plan = &film.tracks[placed.track];
            let written = plan.samples[placed.index];
            let expected = Sample {
                number: placed.index as u32 + 1,
                offset: placed.offset,
                size: written.size,
                decode_time: times[placed.track],
                duration: written.duration,
                composition_offset: written.offset,
                is_sync: written.is_sync,
                dependencies: plan.has_sdtp.then_some(written.dependencies),
            };
            assert_eq!(samples[placed.track].pop(), Some(expected), "form {number}");
            times[placed.track] += u64::from(written.duration);
        }
        assert!(samples.iter().all(Vec::is_empty));
        for (track, plan) in read.iter().zip(&film.tracks) {
            assert_eq!(track.handler.0, plan.handler);
            assert!(track.tables.oddities().is_empty());
            let ticks = track.tables.ticks();
            assert_eq!(ticks, times[track.track_id as usize - 1]);
            assert_eq!(track.tables.count() as usize, plan.samples.len());
        }
    }
}

#[test]
fn the_crate_mp4_reads_the_same_samples() {
    let film = film();
    let file = film.file();
    let mut other = mp4::Mp4Reader::read_header(Cursor::new(&file[..]), file.len() as u64).unwrap();
    let mut compared = 0;
    for track in tracks(&film) {
        assert_eq!(other.sample_count(track.track_id).unwrap(), track.tables.count());
        for sample in track.tables.samples() {
            let sample = sample.unwrap();
            let theirs = other.read_sample(track.track_id, sample.number).unwrap().unwrap();
            let from = sample.offset as usize;
            assert_eq!(theirs.bytes, file[from..from + sample.size as usize]);
            assert_eq!((theirs.start_time, theirs.duration), (sample.decode_time, sample.duration));
            assert_eq!(theirs.rendering_offset, sample.composition_offset);
            assert_eq!(theirs.is_sync, sample.is_sync);
            compared += 1;
        }
    }
    assert_eq!(compared, 200 + 375);
}

#[test]
fn times_are_exact_and_key_frames_are_found_without_a_walk() {
    let film = film();
    for track in tracks(&film) {
        let points = track.tables.points().unwrap();
        let all: Vec<_> = track.tables.samples().map(Result::unwrap).collect();
        let syncs: Vec<_> = all.iter().filter(|sample| sample.is_sync).collect();
        assert_eq!(points.len(), syncs.len());
        for (index, sync) in syncs.iter().enumerate() {
            let point = points.get(index).unwrap();
            assert_eq!((point.sample + 1, point.time), (sync.number, sync.composition_time()));
        }
        let first = track.clock.at(all[0].composition_time(), Timescale::SMOOTH).unwrap();
        assert_eq!(first, if track.handler == *b"vide" { 0 } else { -213_333 });
    }
}

/// The `moov` of a film in which a box has this body from its `at`th byte on.
fn damaged(
    film: &Film,
    kind: &[u8; 4],
    nth: usize,
    at: usize,
    with: &[u8],
) -> Result<Movie, Error> {
    let (moov, offset, len) = film.moov();
    let mut moov = moov.to_vec();
    let mut kinds = moov.windows(4).enumerate().filter(|(_, word)| word == kind);
    let from = kinds.nth(nth).unwrap().0 + 4 + at;
    moov[from..from + with.len()].copy_from_slice(with);
    read(&moov.into(), offset, len)
}

fn error(film: &Film, kind: &[u8; 4], at: usize, with: &[u8]) -> String {
    let movie = damaged(film, kind, 0, at, with).unwrap();
    assert!(movie.tracks[1].is_ok(), "an error of one track does not affect others");
    match &movie.tracks[0] {
        Err(error) => error.to_string(),
        Ok(track) => {
            let error = track.tables.samples().find_map(Result::err);
            error
                .map_or_else(|| track.tables.points().err().unwrap().to_string(), |e| e.to_string())
        }
    }
}

#[test]
fn tables_that_contradict_one_another_are_errors_that_name_the_sample() {
    let film = film();
    for (kind, at, with, says) in [
        // 199 samples with a duration.
        (b"stts", 8, words(&[199]), "sample 200 of track 1: `stts` ends before it"),
        (b"stts", 12, words(&[1 << 31]), "sample 1 of track 1: a duration of 2147483648 ticks"),
        (b"stsc", 8, words(&[2]), "sample 1 of track 1: entry 1 of `stsc` begins with chunk 2"),
        (b"stsc", 12, words(&[0]), "sample 1 of track 1: entry 1 of `stsc` has chunks without"),
        (
            b"stsc",
            12,
            words(&[6]),
            "sample 173 of track 1: `stsc` and the chunk offsets have no place",
        ),
        (b"stsc", 20, words(&[1]), "sample 1 of track 1: entry 2 of `stsc` begins with chunk 1"),
        (b"stsc", 28, words(&[2]), "sample 197 of track 1: entry 2 of `stsc` changes the sample"),
        (b"stss", 12, words(&[1]), "sample 1 of track 1: entry 2 of `stss` is not after sample 1"),
        (b"stsz", 8, words(&[u32::MAX]), "moov/trak/mdia/minf/stbl/stsz at byte"),
        (b"stsz", 4, words(&[1, 1 << 25]), "samples of a track: 33554432 is more than the budget"),
        (b"stco", 8, words(&[u32::MAX - 1]), "sample 1 of track 1: its"),
        (b"stco", 4, words(&[1 << 30]), "moov/trak/mdia/minf/stbl/stco at byte"),
    ] {
        let error = error(&film, kind, at, &with);
        assert!(error.contains(says), "{}: {error}", String::from_utf8_lossy(kind));
        assert!(error.contains("byte "), "{error}");
    }
    let mut endless = film.clone();
    endless.tracks[0].samples.iter_mut().for_each(|sample| sample.is_sync = false);
    let without = tracks(&endless).remove(0).tables.points().unwrap_err().to_string();
    assert!(without.contains("no key frame in the track"), "{without}");
}

#[test]
fn a_file_that_is_cut_names_the_first_sample_that_is_missing() {
    let film = film();
    let (moov, at, _) = film.moov();
    let movie = read(&moov, at, film.placed()[300].offset).unwrap();
    let track = movie.tracks[0].as_ref().unwrap();
    let error = track.tables.samples().find_map(Result::err).unwrap().to_string();
    let missing = film.placed()[300..].iter().find(|placed| placed.track == 0).unwrap().index + 1;
    assert!(error.contains(&format!("sample {missing} of track 1: its ")), "{error}");
    assert!(error.contains("beyond the end of the file"), "{error}");
}

#[test]
fn contradictions_with_one_harmless_reading_are_oddities() {
    let film = film();
    for (kind, at, with, expected) in [
        (b"stts", 8, words(&[201]), OddityKind::MoreDurations),
        (b"ctts", 8, words(&[9]), OddityKind::MoreOffsets),
        (b"ctts", 8, words(&[0]), OddityKind::FewerOffsets),
        (b"stts", 12, words(&[0]), OddityKind::NoDuration),
        (b"stss", 8, words(&[2]), OddityKind::NoSyncAtStart),
        (b"stss", 20, words(&[201]), OddityKind::SyncBeyondEnd),
    ] {
        let movie = damaged(&film, kind, 0, at, &with).unwrap();
        let track = movie.tracks[0].as_ref().unwrap();
        let kinds: Vec<_> = track.tables.oddities().iter().map(|oddity| oddity.kind).collect();
        assert_eq!(kinds, [expected]);
        assert!(track.tables.oddities()[0].to_string().starts_with("track 1, sample "));
        assert_eq!(track.tables.samples().filter_map(Result::ok).count(), 200);
    }
    let mut short = film.clone();
    short.tracks[0].samples.pop();
    let (moov, at, len) = short.moov();
    let moov = [&moov[..], b"\0\0\0\x08free"].concat();
    assert!(read(&moov.into(), at, len).is_ok());
}

/// Prepared records give the samples that the walk gives.
fn compare(track: &Track, cuts: &[u32]) -> Prepared {
    let prepared = Prepared::new(&track.tables, cuts).unwrap();
    let all: Vec<_> = track.tables.samples().collect::<Result<_, _>>().unwrap();
    assert_eq!(prepared.len(), cuts.len() - 1);
    for (index, cut) in cuts.windows(2).enumerate() {
        let expected = &all[cut[0] as usize..cut[1] as usize];
        let chunk = prepared.chunk(index).unwrap();
        assert_eq!(chunk.len(), expected.len());
        assert_eq!(chunk.composed(), expected.first().map_or(0, Sample::composition_time));
        let ranges: Vec<_> = chunk.clone().ranges().flatten().collect();
        let bytes = expected.iter().flat_map(|s| s.offset..s.offset + u64::from(s.size));
        assert!(ranges.into_iter().eq(bytes));
        for (unpacked, sample) in chunk.zip(expected) {
            assert_eq!((unpacked.offset, unpacked.media), (sample.offset, Media::from(sample)));
        }
    }
    assert!(prepared.chunk(cuts.len() - 1).is_none());
    prepared
}

#[test]
fn chunks_that_are_prepared_have_the_samples_of_the_walk() {
    for film in forms() {
        for track in tracks(&film) {
            let count = track.tables.count();
            for step in [1, 7, 50, 1000] {
                let cuts: Vec<u32> = (0..count).step_by(step).chain([count]).collect();
                compare(&track, &cuts);
            }
            compare(&track, &[3, 3, count.min(90), count]);
        }
    }
}

/// Groups that are prepared from their part of the file give what the whole track gives.
fn compare_groups(film: &Film, step: usize) -> usize {
    let (moov, at, _) = film.moov();
    let mut groups = 0;
    for track in tracks(film) {
        let count = track.tables.count();
        let cuts: Vec<u32> = (0..count).step_by(step).chain([count]).collect();
        let whole = Prepared::new(&track.tables, &cuts).unwrap();
        let mut bytes = Vec::new();
        let outlined = Outline::new(&track.tables, &cuts, |extent| {
            bytes.push((extent.samples as usize, extent.bytes));
            Ok(())
        });
        let (outline, _) = outlined.unwrap();
        assert_eq!((outline.len(), outline.samples()), (whole.len(), count as usize));
        groups += outline.groups();
        for (number, of_chunk) in bytes.iter().enumerate() {
            let chunk = whole.chunk(number).unwrap();
            let sum = chunk.clone().map(|sample| u64::from(sample.media.size)).sum();
            assert_eq!((chunk.len(), sum), *of_chunk);
            let group = outline.group_of(number).unwrap();
            let ranges = outline.ranges(group);
            assert!(ranges.is_sorted_by(|a, b| a.end < b.start), "{ranges:?}");
            let read = ranges.into_iter().map(|range| {
                let inside = (range.start - at) as usize..(range.end - at) as usize;
                (range.start, moov.slice(inside))
            });
            let read: Vec<_> = read.collect();
            if group.first == number {
                let from_file = outline.prepare(group, &read).unwrap();
                let from_tables = outline.prepare_from(group, &track.tables).unwrap();
                for (at, prepared) in (number..).zip(0..from_file.len()) {
                    let expected = whole.chunk(at).unwrap();
                    for made in [&from_file, &from_tables] {
                        let made = made.chunk(prepared).unwrap();
                        assert_eq!(made.composed(), expected.composed());
                        assert!(made.eq(expected.clone()));
                    }
                }
                let mut short = read.clone();
                if let Some((_, bytes)) = short.last_mut() {
                    *bytes = bytes.slice(..bytes.len() - 1);
                    let error = outline.prepare(group, &short).unwrap_err().to_string();
                    assert!(error.contains("have changed"), "{error}");
                }
            }
        }
    }
    groups
}

#[test]
fn groups_of_chunks_are_prepared_from_their_part_of_the_tables() {
    let mut groups = 0;
    for film in forms() {
        for step in [1, 3, 7, 50, 1000] {
            groups += compare_groups(&film, step);
        }
    }
    for together in [1, 2, 12] {
        let video = progressive::Track::video((12_800, 512), 400, 50, 100_000, 7);
        let sound = progressive::Track::sound(400, 64_000, 9);
        let film = Film::of([
            progressive::Track { together, has_sdtp: together == 2, ..video },
            progressive::Track { together, is_large: together == 12, ..sound },
        ]);
        groups += compare_groups(&film, 49);
    }
    assert!(groups > 100, "{groups}");
}

#[test]
fn a_chunk_is_unpacked_without_allocating() {
    let film = film();
    let track = tracks(&film).remove(0);
    let prepared = compare(&track, &[0, 50, 100, 150, 200]);
    let measured = allocation_counter::measure(|| {
        let size: u64 = prepared.chunk(2).unwrap().map(|sample| u64::from(sample.media.size)).sum();
        assert!(size > 0);
        assert!(prepared.chunk(2).unwrap().ranges().count() > 1);
    });
    assert_eq!(measured.count_total, 0);
}

#[test]
fn a_film_with_sound_takes_less_than_two_bytes_a_sample() {
    let seconds = 20 * 60;
    for (rate, gop) in [((12_800, 512), 50), ((30_000, 1001), 60), ((15_360, 256), 120)] {
        for together in [(usize::MAX, usize::MAX), (12, 23)] {
            let video = progressive::Track::video(rate, seconds, gop, 3_500_000, 7);
            let sound = progressive::Track::sound(seconds, 128_000, 9);
            let film = Film::of([
                progressive::Track { together: together.0, ..video },
                progressive::Track { together: together.1, ..sound },
            ]);
            let (mut heap, mut samples, mut measured) = (0, 0, 0);
            for (track, chunk) in tracks(&film).iter().zip([gop, 94]) {
                let count = track.tables.count();
                let cuts: Vec<u32> = (0..count).step_by(chunk).chain([count]).collect();
                let mut prepared = None;
                let info = allocation_counter::measure(|| {
                    prepared = Some(Prepared::new(&track.tables, &cuts).unwrap());
                });
                measured += info.bytes_current.unsigned_abs() as usize;
                heap += prepared.unwrap().heap();
                samples += count as usize;
            }
            assert!(measured <= 2 * samples, "{rate:?} {together:?}: {measured} for {samples}");
            assert!(measured.abs_diff(heap) < 4096, "{measured} are measured, and {heap} said");
        }
    }
}
