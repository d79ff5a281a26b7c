//! Qualities of one stream that are pushed on connections of their own.

use smooth_origin::live::{PointOptions, PushId};

use super::encoder::{END, Spec, audio, header, video};
use super::watch::Watch;
use super::{LONG, starts};

fn begin(watch: &mut Watch, stream: &str, spec: &Spec) -> PushId {
    let id = watch.begin(stream, "a");
    watch.push(id, &header(std::slice::from_ref(spec))).unwrap();
    id
}

fn send(watch: &mut Watch, id: PushId, spec: &Spec, number: i64) {
    watch.push(id, &spec.fragment(number * i64::from(LONG), LONG, 0)).unwrap();
}

/// Sends a fragment in a request of its own.
fn request(watch: &mut Watch, stream: &str, spec: &Spec, number: i64) {
    let id = watch.begin(stream, "a");
    send(watch, id, spec, number);
    watch.end(id).unwrap();
}

/// Numbers of the fragments of each quality of a stream.
fn counts(watch: &Watch, stream: &str) -> Vec<usize> {
    let streams = watch.presentation().streams();
    let found = streams.iter().find(|of| of.name() == stream).unwrap();
    found.tracks().iter().map(|track| track.fragment_count()).collect()
}

#[test]
fn a_chunk_is_listed_when_the_quality_that_lags_has_brought_it() {
    let (high, low) = (video(1, 4_000_000), video(1, 1_000_000));
    let mut watch = Watch::new(PointOptions::default());
    let (first, second) = (begin(&mut watch, "high", &high), begin(&mut watch, "low", &low));
    for number in 0..4 {
        watch.pass(2000);
        send(&mut watch, first, &high, number);
        send(&mut watch, second, &low, number);
    }
    assert_eq!(watch.times("video"), starts(0..2));
    // The second connection is slow.
    watch.pass(2000);
    (4..8).for_each(|number| send(&mut watch, first, &high, number));
    assert_eq!(watch.times("video"), starts(0..4), "the last ones that both have");
    for number in 4..7 {
        watch.pass(1000);
        send(&mut watch, second, &low, number);
    }
    assert_eq!(watch.times("video"), starts(0..6));
    assert_eq!(counts(&watch, "video"), [6, 6]);
    // Nothing comes for longer than `gap_wait`.
    watch.pass(500);
    (8..11).for_each(|number| send(&mut watch, first, &high, number));
    watch.pass(3000);
    watch.tick();
    assert_eq!(watch.times("video"), starts(0..7));
    watch.pass(1500);
    watch.tick();
    assert_eq!(watch.times("video"), starts(0..9));
    assert_eq!(counts(&watch, "video").iter().sum::<usize>(), 9 + 7);
    // It is late, and served for players that still ask.
    (7..11).for_each(|number| send(&mut watch, second, &low, number));
    assert_eq!(counts(&watch, "video"), [9, 9]);
    assert_eq!(watch.count("gap") + watch.count("out-of-order"), 0);
}

#[test]
fn a_quality_whose_encoder_has_gone_is_not_waited_for() {
    let (high, low) = (video(1, 4_000_000), video(1, 1_000_000));
    let mut watch = Watch::new(PointOptions::default());
    let (first, second) = (begin(&mut watch, "high", &high), begin(&mut watch, "low", &low));
    for number in 0..4 {
        watch.pass(2000);
        send(&mut watch, first, &high, number);
        send(&mut watch, second, &low, number);
    }
    watch.push(second, END).unwrap();
    for number in 4..8 {
        watch.pass(2000);
        send(&mut watch, first, &high, number);
    }
    assert_eq!(watch.times("video"), starts(0..6));
}

#[test]
fn fragments_in_requests_that_overtake_each_other_are_not_lost() {
    let specs = [("h", video(1, 4_000_000)), ("l", video(1, 1_000_000)), ("a", audio(1, 64_000))];
    let mut watch = Watch::new(PointOptions::default());
    for (stream, spec) in &specs {
        let id = begin(&mut watch, stream, spec);
        watch.end(id).unwrap();
    }
    // A film that is pushed as fast as it is read.
    for number in [0, 1, 3, 2, 5, 6, 7, 8, 4, 9, 11, 10] {
        watch.pass(20);
        request(&mut watch, "h", &specs[0].1, number);
        request(&mut watch, "a", &specs[2].1, number);
    }
    for number in [2, 1, 3, 4, 0, 7, 6, 8, 9, 10, 5, 11] {
        watch.pass(20);
        request(&mut watch, "l", &specs[1].1, number);
    }
    watch.stop();
    assert_eq!(watch.times("video"), starts(0..12));
    assert_eq!((counts(&watch, "video"), counts(&watch, "audio")), (vec![12, 12], vec![12]));
    assert_eq!(watch.count("gap") + watch.count("out-of-order"), 0, "{:?}", watch.notices);
}

#[test]
fn fragments_without_times_go_on_where_their_track_stands_whatever_request_they_come_in() {
    let specs = [video(1, 2_000_000), audio(2, 64_000)];
    let untimed = |spec: &Spec, number: i64| {
        let mut bytes = spec.fragment(0, LONG, number as u64).to_vec();
        let at = bytes.windows(4).position(|four| four == b"uuid").unwrap();
        bytes[at..at + 4].copy_from_slice(b"free");
        bytes
    };
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    watch.end(id).unwrap();
    for number in 0..30 {
        watch.pass(2000);
        for spec in &specs {
            let id = watch.begin("all", "a");
            watch.push(id, &untimed(spec, number)).unwrap();
            watch.end(id).unwrap();
        }
    }
    // Its connection was lost: where it goes on is what is live then.
    let id = watch.begin("all", "a");
    watch.push(id, &untimed(&specs[0], 30)[..20]).unwrap();
    watch.lost(id);
    watch.pass(60_000);
    for number in 31..34 {
        watch.pass(2000);
        for spec in &specs {
            let id = watch.begin("all", "a");
            watch.push(id, &untimed(spec, number)).unwrap();
            watch.end(id).unwrap();
        }
    }
    watch.stop();
    for stream in ["video", "audio"] {
        assert_eq!(watch.times(stream), starts((0..30).chain(60..63)), "{stream}");
    }
    assert_eq!(watch.count("dropped") + watch.count("duplicate"), 0, "{:?}", watch.notices);
}

#[test]
fn a_quality_that_falls_silent_beside_others_of_its_push_is_not_waited_for() {
    let specs = [video(1, 4_000_000), video(2, 1_000_000), audio(3, 64_000)];
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    for number in 0..30 {
        watch.pass(2000);
        for (at, spec) in specs.iter().enumerate() {
            if at != 1 || number < 6 {
                send(&mut watch, id, spec, number);
            }
        }
        watch.tick();
    }
    assert_eq!(watch.times("audio"), starts(0..28));
    assert_eq!(watch.times("video"), starts(0..28));
}

#[test]
fn a_quality_with_longer_fragments_is_left_out_where_it_would_overlap_the_next_chunk() {
    // Fragments of `b` are 2.5, 3 and 4 s long. Each is sent when it is over.
    for (long, is_first) in [(25, false), (30, false), (40, false), (40, true), (30, true)] {
        let (low, high) = (video(1, 1_000_000), video(1, 2_000_000));
        let mut watch = Watch::new(PointOptions::default());
        let b = is_first.then(|| begin(&mut watch, "high", &high));
        let a = begin(&mut watch, "low", &low);
        let b = b.unwrap_or_else(|| begin(&mut watch, "high", &high));
        for tenth in 1..=1200_i64 {
            watch.pass(100);
            // The first one is there alone for a minute.
            if tenth % 20 == 0 && (!is_first || tenth > 600) {
                send(&mut watch, a, &low, tenth / 20 - 1);
            }
            if tenth % long == 0 {
                let (ticks, time) = (long * 1_000_000, (tenth - long) * 1_000_000);
                watch.push(b, &high.fragment(time, ticks as u32, 0)).unwrap();
            }
            watch.tick();
        }
        let live = watch.chunks("video");
        assert!(live.last().unwrap().0 >= 1_120_000_000, "nothing waits for it: {live:?}");
        watch.stop();
        let chunks = watch.chunks("video");
        if !is_first {
            assert_eq!(watch.times("video"), starts(0..60));
        }
        let gaps: Vec<_> = chunks.windows(2).filter(|of| of[0].0 + of[0].1 != of[1].0).collect();
        assert!(gaps.is_empty(), "{gaps:?}");
        let files: Vec<_> = watch.files.keys().map(|(_, file)| file.index() as u32).collect();
        for fragment in files.into_iter().flat_map(|file| watch.fragments(file)) {
            let end = fragment.time as u64 + fragment.duration;
            let next = chunks.iter().find(|(time, _)| *time > fragment.time as u64);
            let over = next.map_or(0, |(time, _)| end.saturating_sub(*time));
            assert_eq!(over, 0, "{} and {}", fragment.time, fragment.duration);
        }
        assert!(watch.count("misaligned") > 0, "{:#?}", watch.notices);
    }
}

#[test]
fn a_fragment_that_is_far_shorter_than_its_chunk_is_no_fragment_of_it() {
    let specs = [video(1, 500_000), video(2, 1_000_000)];
    let mut watch = Watch::new(PointOptions::default());
    let [a, b] = ["a", "b"].map(|encoder| watch.begin("all", encoder));
    for id in [a, b] {
        watch.push(id, &header(&specs)).unwrap();
    }
    let long = LONG / 2 * 3;
    for number in 0..10 {
        watch.pass(3000);
        let time = number * i64::from(long);
        // `b` leads, and loses one fragment of one quality, of which `a` has 2 s.
        for spec in &specs[..if number == 4 { 1 } else { 2 }] {
            watch.push(b, &spec.fragment(time, long, 2)).unwrap();
        }
        if number == 4 {
            watch.push(a, &specs[1].fragment(time, LONG, 1)).unwrap();
        }
    }
    watch.push(b, END).unwrap();
    watch.stop();
    let starts: Vec<_> = watch.times("video");
    assert_eq!(starts, (0..10).map(|number| number * 3000).collect::<Vec<_>>());
    assert_eq!(counts(&watch, "video"), [9, 10], "{:#?}", watch.notices);
    assert_eq!(watch.count("misaligned"), 1, "{:#?}", watch.notices);
}
