use super::*;
use crate::index::sample_table::{Clock, Point, Points};

/// Key frames at these times of a clock of 90,000 ticks, of a track with 25 samples a second.
fn points(times: &[i64], end: i64) -> Points {
    let mut points = Points::default();
    times.iter().for_each(|&time| points.push(Point { sample: (time / 3600) as u32, time }));
    points.finish((end / 3600) as u32, end);
    points
}

fn track<'a>(file: &'a str, points: &'a Points) -> PlanTrack<'a> {
    let clock = Clock::new(Timescale::new(90_000).unwrap());
    PlanTrack { file, track_id: 1, clock, points }
}

const SECOND: i64 = 90_000;

fn seconds(list: &[i64]) -> Vec<i64> {
    list.iter().map(|second| second * SECOND).collect()
}

fn starts(plan: &ChunkPlan) -> Vec<u64> {
    plan.times.iter().map(|time| time / 1_000_000).collect()
}

#[test]
fn chunks_begin_with_the_key_frames_nearest_to_the_wanted_duration() {
    let points = points(&seconds(&[0, 1, 2, 3, 7, 8, 9, 20, 21]), 22 * SECOND);
    let plan = ChunkPlan::new(&[track("a.mp4", &points)], &[], Wanted::SMOOTH).unwrap();
    // After 9 s there is no key frame for 11 s; the last second would be a chunk of its own.
    assert_eq!(starts(&plan), [0, 20, 30, 70, 90, 200, 220]);
    assert_eq!(plan.tracks, [[0, 50, 75, 175, 225, 500, 550]]);
}

#[test]
fn qualities_are_cut_at_common_key_frames() {
    let one = points(&seconds(&[0, 1, 2, 4, 5, 6]), 8 * SECOND);
    let two = points(&seconds(&[0, 1, 3, 4, 6, 7]), 8 * SECOND);
    let plan = ChunkPlan::new(&[track("a.mp4", &one), track("b.mp4", &two)], &[], Wanted::SMOOTH);
    let plan = plan.unwrap();
    assert_eq!(starts(&plan), [0, 10, 40, 60, 80]);
    assert_eq!(plan.tracks, [[0, 25, 100, 150, 200], [0, 25, 100, 150, 200]]);
}

#[test]
fn qualities_without_common_key_frames_are_refused_by_file_and_sample() {
    let one = points(&seconds(&(0..60).step_by(2).collect::<Vec<_>>()), 60 * SECOND);
    let mut times = seconds(&(1..60).step_by(2).collect::<Vec<_>>());
    times.insert(0, 0);
    let two = points(&times, 60 * SECOND);
    let tracks = [track("a.mp4", &one), track("b.mp4", &two)];
    let error = ChunkPlan::new(&tracks, &[], Wanted::SMOOTH).unwrap_err().to_string();
    assert!(
        error.starts_with("sample 51 of track 1 of a.mp4 is a sync sample at 20000000"),
        "{error}"
    );
    assert!(error.contains("track 1 of b.mp4 has none then"), "{error}");
    let late = points(&seconds(&[1, 2]), 3 * SECOND);
    let tracks = [track("a.mp4", &one), track("late.mp4", &late)];
    let error = ChunkPlan::new(&tracks, &[], Wanted::SMOOTH).unwrap_err().to_string();
    assert!(error.contains("track 1 of late.mp4 at 10000000"), "{error}");
}

#[test]
fn a_tick_of_another_timescale_is_no_difference() {
    let exact = points(&seconds(&[0, 2, 4]), 6 * SECOND);
    let mut rounded = Points::default();
    [(0, 0), (50, 2001), (100, 3999)]
        .into_iter()
        .for_each(|(sample, time)| rounded.push(Point { sample, time }));
    rounded.finish(150, 6000);
    let clock = Clock::new(Timescale::new(1000).unwrap());
    let other = PlanTrack { file: "b.mp4", track_id: 1, clock, points: &rounded };
    let plan = ChunkPlan::new(&[track("a.mp4", &exact), other], &[], Wanted::SMOOTH).unwrap();
    assert_eq!(plan.times, [0, 20_000_000, 40_000_000, 60_000_000]);
    assert_eq!(plan.tracks[1], [0, 50, 100, 150]);
}

#[test]
fn sound_is_cut_nearest_to_the_cuts_of_video_and_goes_on_by_itself() {
    let mut sound = Points::default();
    sound.push_samples(Point { sample: 0, time: 0 }, 469, 1024);
    sound.finish(469, 469 * 1024);
    // The first 1,024 ticks are priming.
    let clock = Clock::edited(Timescale::new(48_000).unwrap(), 1024, None).unwrap();
    let sound = PlanTrack { file: "a.mp4", track_id: 2, clock, points: &sound };
    let guide = [0, 20_000_000, 44_000_000, 46_000_000];
    let plan = ChunkPlan::new(&[sound], &guide, Wanted::SMOOTH).unwrap();
    assert_eq!(plan.tracks[0][0], 1, "what is shown before 0 is left out");
    // 94 × 1024 / 48,000 is 2.0053 s, 206 times is 4.3947 s; then every 2 s.
    assert_eq!(plan.tracks[0], [1, 95, 207, 301, 395, 469]);
    assert_eq!(plan.times[..3], [0, 20_053_333, 43_946_667]);
    assert_eq!(plan.times.last(), Some(&99_840_000));
}

#[test]
fn what_straddles_0_starts_at_0() {
    let points = points(&seconds(&[0, 1, 3]), 6 * SECOND);
    let clock = Clock::edited(Timescale::new(90_000).unwrap(), SECOND * 2, None).unwrap();
    let track = PlanTrack { file: "a.mp4", track_id: 1, clock, points: &points };
    let plan = ChunkPlan::new(&[track], &[], Wanted::SMOOTH).unwrap();
    assert_eq!((starts(&plan), &plan.tracks[0][..]), (vec![0, 10, 40], &[25, 75, 150][..]));
}

#[test]
fn a_track_without_duration_or_key_frames_is_refused() {
    for (times, end) in [(vec![], 0), (vec![0], 0), (vec![5], 5)] {
        let points = points(&times, end);
        let error = ChunkPlan::new(&[track("a.mp4", &points)], &[], Wanted::SMOOTH).unwrap_err();
        assert!(error.to_string().starts_with("track 1 of a.mp4: "), "{error}");
    }
    assert!(ChunkPlan::new(&[], &[], Wanted::SMOOTH).is_err());
}
