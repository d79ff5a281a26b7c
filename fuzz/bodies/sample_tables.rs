//! Sample tables: four bytes for the length of the file, and the boxes of its `moov`.

use bytes::Bytes;
use smooth_origin::base::Limits;
use smooth_origin::bmff::{Boxes, Trun};
use smooth_origin::fragment::written::Head;
use smooth_origin::index::chunk_plan::{ChunkPlan, PlanTrack, Wanted};
use smooth_origin::index::sample_table::{
    MAX_SAMPLES, Media, Movie, Prepared, Sample, Track, timed,
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
            look(&track, len, &mut guide);
        }
    }
}

fn look(track: &Track, len: u64, guide: &mut Vec<u64>) {
    let tables = &track.tables;
    let walked: Result<Vec<Sample>, _> = tables.samples().collect();
    assert_eq!(walked.is_ok(), Prepared::new(tables, &[0, tables.count()]).is_ok());
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
