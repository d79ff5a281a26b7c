//! Walks through small files made here.

use super::damage::{MISLED, TRIES};
use super::*;
use crate::bmff::{AnyBox, Boxes, FullBox, Mfhd, Tfdt, Tfhd, Trun, TrunSample};
use crate::index::Indexed;

/// One sample of so many ticks and bytes.
pub(super) fn fragment(track_id: u32, time: Option<u64>, duration: u32, size: u32) -> Vec<u8> {
    let moof = |offset| {
        let sample =
            TrunSample { duration: Some(duration), size: Some(size), ..Default::default() };
        let flags = Trun::DURATION | Trun::SIZE;
        let trun = Trun { full: FullBox { version: 0, flags }, ..Trun::default() };
        let trun = Trun { data_offset: Some(offset), ..trun.with_samples(&[sample]) };
        let mut traf = vec![AnyBox::new(Tfhd { track_id, ..Tfhd::default() })];
        let full = FullBox { version: 1, flags: 0 };
        traf.extend(
            time.map(|base_media_decode_time| AnyBox::new(Tfdt { full, base_media_decode_time })),
        );
        traf.push(AnyBox::new(trun));
        let traf = AnyBox::container(*b"traf", traf);
        AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf])
    };
    let offset = moof(0).len() as i32 + 8;
    let mdat = AnyBox::other(*b"mdat", vec![7; size as usize]);
    Boxes::from_iter([moof(offset), mdat]).to_bytes().to_vec()
}

/// Walks through a file, behind a header of ten bytes.
fn walk(file: &[u8], limits: &Limits) -> (Scanned, usize) {
    walk_with(file, limits, KnownStarts::default())
}

/// Walks through a file of which an index says that fragments begin at these bytes.
fn walk_with(file: &[u8], limits: &Limits, known: KnownStarts) -> (Scanned, usize) {
    let file = Bytes::copy_from_slice(&[&[0; 10], file].concat());
    let tracks = [(2, Defaults::default()), (1, Defaults::default())];
    let mut scan = Scan::new(10, file.len() as u64, tracks, false, known);
    let (mut reads, mut spent) = (0, Spent::default());
    while let Some(range) = scan.wanted(limits, &mut spent) {
        scan.feed(&file.slice(range.start as usize..range.end as usize), limits);
        reads += 1;
    }
    (scan.finish(), reads)
}

fn times(scanned: &Scanned, track_id: u32) -> Vec<(i64, u64, u64)> {
    let track = scanned.tracks.iter().find(|track| track.track_id == track_id).unwrap();
    track.fragments.iter().map(|f| (f.time, f.start, f.bound)).collect()
}

#[test]
fn fragments_are_found_by_their_own_times_or_by_the_sum_of_those_before() {
    let parts = [
        fragment(1, None, 20, 100),
        fragment(2, Some(5), 30, 9),
        b"\0\0\0\x0cfree1234".to_vec(),
        fragment(1, None, 25, 50_000),
        b"\0\0\0\x0cfree5678".to_vec(),
        fragment(1, None, 20, 100),
        fragment(2, Some(1000), 31, 9),
    ];
    let starts: Vec<u64> =
        (0..=parts.len()).map(|n| 10 + parts[..n].concat().len() as u64).collect();
    let (scanned, reads) = walk(&parts.concat(), &Limits::default());
    assert!(matches!(scanned.outcome, Outcome::End) && scanned.broken.is_none());
    let place = |time, n: usize| (time, starts[n], starts[n + 1]);
    assert_eq!(times(&scanned, 1), [place(0, 0), place(20, 3), place(45, 5)]);
    assert_eq!(times(&scanned, 2), [place(5, 1), place(1000, 6)]);
    assert_eq!(scanned.tracks[1].last_duration, 31);
    assert_eq!(reads, 2, "small fragments share a read, a long payload is not read");
}

#[test]
fn a_fragment_that_is_there_twice_or_late_counts_once_and_in_its_place() {
    let times_of = [30, 10, 10, 20];
    let file: Vec<u8> = times_of.iter().flat_map(|&time| fragment(1, Some(time), 10, 5)).collect();
    let (scanned, _) = walk(&file, &Limits::default());
    let found: Vec<i64> = times(&scanned, 1).iter().map(|f| f.0).collect();
    assert_eq!(found, [10, 20, 30]);
}

#[test]
fn times_that_repeat_or_step_back_leave_the_order_and_the_durations() {
    for said in [[0; 4], [7; 4], [0, 10, 0, 10]] {
        let file: Vec<u8> = said.iter().flat_map(|&time| fragment(1, Some(time), 10, 5)).collect();
        let (mut scanned, _) = walk(&file, &Limits::default());
        let track = scanned.tracks.iter_mut().find(|track| track.track_id == 1).unwrap();
        let sums = [0, 10, 20, 30].map(|time| time + said[0] as i64);
        let times = |by_order: Vec<Indexed>| by_order.iter().map(|f| f.time).collect();
        assert_eq!(track.take_by_order().map(times), Some(Vec::from(sums)));
        assert_eq!(track.take_by_order().map(|by_order| by_order.len()), None, "taken");
    }
    let ascending = [fragment(1, Some(0), 10, 5), fragment(1, Some(50), 10, 5)].concat();
    let (mut scanned, _) = walk(&ascending, &Limits::default());
    assert!(scanned.tracks.iter_mut().all(|track| track.take_by_order().is_none()));
}

#[test]
fn a_time_that_neither_neighbour_agrees_with_is_corrected() {
    for wrong in [0, 19, 45, 36_000_000_000] {
        let said = [0, 10, wrong, 30, 40];
        let file: Vec<u8> = said.iter().flat_map(|&time| fragment(1, Some(time), 10, 5)).collect();
        let (scanned, _) = walk(&file, &Limits::default());
        let found: Vec<i64> = times(&scanned, 1).iter().map(|f| f.0).collect();
        let is_near = wrong == 19;
        assert_eq!(found, [0, 10, if is_near { 19 } else { 20 }, 30, 40], "{wrong}");
        let track = scanned.tracks.iter().find(|track| track.track_id == 1).unwrap();
        assert!(!track.steps_back && track.last_duration == 10, "{wrong}");
    }
}

#[test]
fn fragments_that_overlap_by_their_times_do_not_have_these() {
    let overlaps = |said: &[(u64, u32)]| {
        let file: Vec<u8> =
            said.iter().flat_map(|&(time, size)| fragment(1, Some(time), 10, size)).collect();
        let (scanned, _) = walk(&file, &Limits::default());
        scanned.tracks.iter().find(|track| track.track_id == 1).unwrap().has_wrong_times()
    };
    let joined: Vec<_> = [0, 10, 20, 0, 10, 20].into_iter().zip(5..).collect();
    assert!(overlaps(&joined), "two recordings, one behind the other");
    assert!(overlaps(&[(0, 5), (1, 6), (2, 7), (3, 8)]), "another clock");
    assert!(!overlaps(&[(0, 5), (20, 6), (10, 7), (30, 8)]), "out of order");
    assert!(!overlaps(&[(0, 5), (50, 6), (100, 7)]), "gaps");
    let sent_twice = [(0, 5), (10, 6), (10, 6), (20, 7), (30, 8)];
    assert!(!overlaps(&sent_twice), "an encoder that took over");
}

#[test]
fn a_time_that_follows_beyond_32_bits_is_unwrapped() {
    const WRAP: u64 = 1 << 32;
    let file: Vec<u8> = (0..40)
        .map(|i| i * (WRAP / 16))
        .flat_map(|time| fragment(1, Some(time % WRAP), (WRAP / 16) as u32, 5))
        .collect();
    let (scanned, _) = walk(&file, &Limits::default());
    let found: Vec<i64> = times(&scanned, 1).iter().map(|f| f.0).collect();
    assert_eq!(found, (0..40).map(|i| i * (WRAP as i64 / 16)).collect::<Vec<_>>());
    let far = [fragment(1, Some(WRAP - 1000), 10, 5), fragment(1, Some(0), 10, 5)].concat();
    let (scanned, _) = walk(&far, &Limits::default());
    let found: Vec<i64> = times(&scanned, 1).iter().map(|f| f.0).collect();
    assert_eq!(found, [0, WRAP as i64 - 1000], "that is no wrap, but a step back");
    let end = i64::MAX as u64;
    let last = [fragment(1, Some(end), 10, 5), fragment(1, Some(5), 10, 5)].concat();
    let (scanned, _) = walk(&last, &Limits::default());
    assert_eq!(times(&scanned, 1).len(), 2, "a time at the end of 64 bits overflows nothing");
}

#[test]
fn an_index_that_leads_into_every_fragment_costs_a_few_reads_and_no_fragment() {
    let len = fragment(1, Some(0), 10, 100_000).len() as u64;
    let file: Vec<u8> = (0..60).flat_map(|i| fragment(1, Some(10 * i), 10, 100_000)).collect();
    let (scanned, straight) = walk(&file, &Limits::default());
    assert_eq!(times(&scanned, 1).len(), 60);
    let inside = |i: u64| (1..20).map(move |n| 10 + i * len + 4000 * n);
    let known = KnownStarts::new((0..60).flat_map(inside).collect());
    let (scanned, reads) = walk_with(&file, &Limits::default(), known);
    assert_eq!(times(&scanned, 1).len(), 60);
    let most = straight + usize::from(MISLED) * (1 + usize::from(TRIES));
    assert!(reads > straight && reads <= most, "{reads}, {straight} without an index");
}

#[test]
fn a_file_that_was_cut_off_is_walked_to_its_last_whole_fragment() {
    let (first, second) = (fragment(1, None, 20, 100), fragment(1, None, 20, 100));
    let whole = [first.clone(), second].concat();
    for len in 0..whole.len() {
        let (scanned, _) = walk(&whole[..len], &Limits::default());
        assert_eq!(times(&scanned, 1).len(), usize::from(len >= first.len()), "{len}");
        match scanned.outcome {
            Outcome::End => assert!(len == 0 || len == first.len(), "{len}"),
            Outcome::CutOff { at, .. } => {
                let start = if len < first.len() { 0 } else { first.len() };
                assert_eq!(at, 10 + start as u64, "{len}");
            }
            other => panic!("{len}: {other:?}"),
        }
        assert!(scanned.broken.is_none(), "{len}");
    }
}

#[test]
fn a_fragment_that_is_broken_is_passed_over_and_what_is_no_box_ends_the_walk() {
    let mut broken = fragment(1, Some(20), 20, 10);
    // The type of its `traf`.
    broken[28..32].copy_from_slice(b"xxxx");
    let good = |time| fragment(1, Some(time), 20, 10);
    let (scanned, _) = walk(&[good(0), broken, good(40)].concat(), &Limits::default());
    assert_eq!(times(&scanned, 1).len(), 2);
    assert!(scanned.broken.unwrap().to_string().contains("no `traf`"));

    let silent = || fragment(1, None, 20, 10);
    let len = silent().len() as u64;
    let mut broken = silent();
    broken[28..32].copy_from_slice(b"xxxx");
    let file = [silent(), broken, silent(), silent(), fragment(1, Some(80), 20, 10), silent()];
    let (mut scanned, _) = walk(&file.concat(), &Limits::default());
    let known = |scanned: &Scanned| times(scanned, 1).iter().map(|f| f.0).collect::<Vec<_>>();
    assert_eq!(known(&scanned), [0, 80, 100], "nobody knows how long the broken one was");
    let index = Indexed { time: 60, start: 10 + 3 * len, bound: u64::MAX };
    let track = scanned.tracks.iter_mut().find(|track| track.track_id == 1).unwrap();
    assert_eq!(track.take_times_from(&[index]), 1);
    assert_eq!(known(&scanned), [0, 60, 80, 100]);

    let mut swallowed = silent();
    swallowed[4..8].copy_from_slice(b"free");
    let (scanned, _) = walk(&[silent(), swallowed, silent()].concat(), &Limits::default());
    assert_eq!(known(&scanned), [0], "samples without a `moof` have a duration too");
    let mut of_none = silent();
    of_none[36..40].copy_from_slice(b"free");
    let (scanned, _) = walk(&[silent(), of_none, silent()].concat(), &Limits::default());
    assert_eq!(known(&scanned), [0], "nor is it known of what track it is");
    let of_other = fragment(9, None, 20, 10);
    let (scanned, _) = walk(&[silent(), of_other, silent()].concat(), &Limits::default());
    assert_eq!(known(&scanned), [0], "the file has no such track");

    let rubbish = [0, 0, 0, 3, b'x', b'x', b'x', b'x', 0, 0, 0, 0, 0, 0, 0, 0];
    let (scanned, _) = walk(&[good(0), rubbish.to_vec(), good(40)].concat(), &Limits::default());
    assert_eq!(times(&scanned, 1).len(), 1);
    let Outcome::Lost(error) = scanned.outcome else { panic!("that is no box") };
    assert!(error.to_string().contains("size 3 is less than its header"), "{error}");
}

#[test]
fn walks_through_several_files_spend_one_budget() {
    let limits = Limits { scan_reads: 5, ..Limits::default() };
    let mut spent = Spent::default();
    let mut walks = [(); 4].map(|()| Scan::new(0, 1 << 20, [], false, KnownStarts::default()));
    let asked = |spent: &mut Spent, walks: &mut [Scan]| {
        walks.iter_mut().filter_map(|walk| walk.wanted(&limits, spent)).count()
    };
    assert_eq!((asked(&mut spent, &mut walks), asked(&mut spent, &mut walks)), (4, 1));
    for walk in walks.into_iter().skip(1) {
        let Outcome::Lost(error) = walk.finish().outcome else { panic!("it is spent") };
        assert!(error.to_string().contains("reads of walks through files"), "{error}");
    }
}

#[test]
fn a_track_that_is_there_twice_is_walked_once() {
    let twice = [(1, Defaults::default()), (1, Defaults::default())];
    let scanned = Scan::new(0, 0, twice, false, KnownStarts::default()).finish();
    assert_eq!(scanned.tracks.len(), 1);
}

#[test]
fn many_small_boxes_take_few_reads_and_both_budgets_hold() {
    let boxes = b"\0\0\0\x08free".repeat(50_000);
    let (scanned, reads) = walk(&boxes, &Limits::default());
    assert!(matches!(scanned.outcome, Outcome::End));
    // The last bytes of a window may be those of a header that goes on.
    assert_eq!(reads, 400_000_usize.div_ceil(4096 - 24));
    for limits in [
        Limits { scan_reads: 7, ..Limits::default() },
        Limits { scan_bytes: 30_000, ..Limits::default() },
    ] {
        let (scanned, reads) = walk(&boxes, &limits);
        assert_eq!(reads, 7);
        assert!(matches!(scanned.outcome, Outcome::Lost(_)));
    }
}
