//! Sample tables: four bytes for the length of the file, and the boxes of its `moov`.

use bytes::Bytes;
use smooth_origin::base::Limits;
use smooth_origin::bmff::{Boxes, Trun};
use smooth_origin::fragment::written::Head;
use smooth_origin::index::chunk_plan::{ChunkPlan, PlanTrack, Wanted};
use smooth_origin::index::sample_table::{
    Extent, MAX_SAMPLES, Media, Movie, Outline, Prepared, Sample, Track, timed,
};

/// Samples of a track that is walked. Tables of constant sizes claim any number.
const WALKED: u32 = 1 << 16;

/// Reads the tracks of a movie, plans their chunks, and writes the heads of their fragments.
pub fn sample_tables(data: &[u8]) {
    let Some((len, moov)) = data.split_first_chunk() else { return };
    let len = u64::from(u32::from_be_bytes(*len));
    let limits = Limits::default();
    let Ok(boxes) = Boxes::parse(&Bytes::copy_from_slice(moov), 0, &limits) else { return };
    let Ok(movie) = Movie::read(&boxes, 0, len, &limits) else { return };
    let mut guide = Vec::new();
    for track in movie.tracks.into_iter().flatten() {
        assert!(u64::from(track.tables.count()) <= MAX_SAMPLES);
        if track.tables.count() <= WALKED {
            look(&track, len, moov, &mut guide);
        }
    }
}

fn look(track: &Track, len: u64, moov: &[u8], guide: &mut Vec<u64>) {
    let tables = &track.tables;
    let walked: Result<Vec<Sample>, _> = tables.samples().collect();
    let whole = [0, tables.count()];
    assert_eq!(walked.is_ok(), Prepared::new(tables, &whole).is_ok());
    assert_eq!(walked.is_ok(), Outline::new(tables, &whole, |_| Ok(())).is_ok());
    let Ok(samples) = walked else { return };
    assert_eq!(samples.len(), tables.count() as usize);
    let mut ticks = 0;
    for (sample, number) in samples.iter().zip(1..) {
        assert_eq!((sample.number, sample.decode_time), (number, ticks));
        assert!(sample.offset.checked_add(sample.size.into()).is_some_and(|end| end <= len));
        ticks += u64::from(sample.duration);
    }
    assert_eq!(tables.ticks(), ticks);
    let Ok(points) = tables.points() else {
        assert!(samples.iter().all(|sample| !sample.is_sync));
        return;
    };
    let at = |index| points.get(index).expect("there are so many points");
    for index in 0..points.len() {
        let sample = &samples[at(index).sample as usize];
        assert!(sample.is_sync && sample.composition_time() == at(index).time);
        assert_eq!(points.first_from(at(index).time), index);
    }
    let planned =
        PlanTrack { file: "a.mp4", track_id: track.track_id, clock: track.clock, points: &points };
    let Ok(plan) = ChunkPlan::new(&[planned], guide, Wanted::SMOOTH) else { return };
    guide.clone_from(&plan.times);
    let cuts = &plan.tracks[0];
    assert_eq!((plan.times.len(), cuts.last()), (cuts.len(), Some(&tables.count())));
    assert!(plan.times.is_sorted_by(|a, b| a < b) && cuts.is_sorted_by(|a, b| a < b));
    let prepared = Prepared::new(tables, cuts).expect("all samples are in the file");
    outline(track, cuts, &samples, &prepared, moov);
    // A kind that is rare takes 73 bits, and a gap that is odd up to 70.
    let most = 1024 * 64 + 32 * samples.len() + 80 * plan.len();
    assert!(prepared.heap() <= most, "{} bytes", prepared.heap());
    for number in 0..plan.len() {
        let expected = &samples[cuts[number] as usize..cuts[number + 1] as usize];
        assert!(expected[0].is_sync);
        let chunk = prepared.chunk(number).expect("every chunk is prepared");
        assert_eq!(chunk.composed(), expected[0].composition_time());
        let bytes: u64 = chunk.clone().ranges().map(|range| range.end - range.start).sum();
        assert_eq!(bytes, expected.iter().map(|sample| u64::from(sample.size)).sum::<u64>());
        assert!(
            chunk
                .clone()
                .map(|s| (s.offset, s.media))
                .eq(expected.iter().map(|sample| (sample.offset, Media::from(sample))))
        );
        let (start, end) = (plan.times[number], plan.times[number + 1]);
        let clock = track.clock.from(chunk.composed(), Wanted::SMOOTH.timescale);
        let clock = clock.expect("a time of the plan");
        let mut written = Vec::new();
        if timed(chunk.map(|sample| sample.media), &clock, start, Some(end), &mut written).is_err()
        {
            continue;
        }
        let (number, duration) = (number as u32 + 1, end - start);
        let head = Head {
            number,
            track_id: track.track_id,
            start,
            duration,
            samples: &written,
            has_tfxd: true,
        };
        let head = head.to_bytes(&Limits::default()).expect("few samples");
        let size = u32::from_be_bytes(head[..4].try_into().expect("four bytes")) as usize;
        let boxes = Boxes::parse(&head.slice(..size), 0, &Limits::default()).expect("it is read");
        let traf = boxes.path(&[*b"moof", *b"traf"]).expect("one `traf`");
        let trun = traf.get::<Trun>().expect("one `trun`");
        assert_eq!(trun.data_offset, Some(head.len() as i32));
        assert_eq!(trun.samples().map(|sample| sample.size).collect::<Vec<_>>(), {
            written.iter().map(|sample| Some(sample.size)).collect::<Vec<_>>()
        });
    }
}

/// An outline knows the sums of its chunks, and its groups have the samples of the walk.
fn outline(track: &Track, cuts: &[u32], samples: &[Sample], all: &Prepared, moov: &[u8]) {
    let mut extents = Vec::new();
    let outline = Outline::new(&track.tables, cuts, |extent| {
        extents.push(*extent);
        Ok(())
    });
    let (outline, ends) = outline.expect("all samples are in the file");
    assert_eq!((outline.len(), extents.len()), (all.len(), all.len()));
    assert!(outline.heap() <= 2048 + 76 * all.len() + samples.len(), "{}", outline.heap());
    for (cut, extent) in cuts.windows(2).zip(&extents) {
        let of = &samples[cut[0] as usize..cut[1] as usize];
        let expected = Extent {
            samples: cut[1] - cut[0],
            bytes: of.iter().map(|sample| u64::from(sample.size)).sum(),
            composed: of[0].composition_time(),
            first_duration: of[0].duration,
            has_offsets: of.iter().any(|s| s.composition_offset != of[0].composition_offset),
            is_sync: of[0].is_sync,
            syncs: of[1..].iter().filter(|sample| sample.is_sync).count() as u32,
        };
        assert_eq!(*extent, expected);
    }
    let same = |part: &Prepared, at: usize, number: usize| {
        let (part, whole) = (part.chunk(at), all.chunk(number));
        let (part, whole) = (part.expect("a chunk of a group"), whole.expect("a chunk"));
        assert_eq!((part.composed(), part.len()), (whole.composed(), whole.len()));
        assert!(part.eq(whole));
    };
    same(&ends[0], 0, 0);
    same(&ends[1], 0, all.len() - 1);
    let mut group_before = None;
    for number in 0..all.len() {
        let group = outline.group_of(number).expect("every chunk is in a group");
        if group_before.replace(group) == Some(group) {
            continue;
        }
        let read = outline.ranges(group).into_iter().map(|range| {
            let bytes = &moov[range.start as usize..range.end as usize];
            (range.start, Bytes::copy_from_slice(bytes))
        });
        let mut read: Vec<_> = read.collect();
        let prepared = outline.prepare(group, &read).expect("the tables are as they were");
        for at in 0..prepared.len() {
            same(&prepared, at, group.first + at);
        }
        // Bytes that are not those of opening are an error, or samples in the file.
        for (_, bytes) in &mut read {
            *bytes = bytes.iter().map(|byte| byte.wrapping_mul(3) ^ 0x41).collect();
        }
        if let Ok(other) = outline.prepare(group, &read) {
            assert_eq!(other.len(), prepared.len());
        }
    }
    assert_eq!(outline.group_of(all.len()), None);
}
