//! Encoders that begin anew: what is moved, and what begins a new event.

use bytes::Bytes;
use smooth_origin::Limits;
use smooth_origin::bmff::{Boxes, Tfdt, uuid::Tfxd};
use smooth_origin::live::{PointOptions, PointState};

use super::encoder::{END, Spec, audio, header, video};
use super::watch::Watch;
use super::{LONG, pair, push, starts};

#[test]
fn an_encoder_that_begins_at_0_again_while_a_counter_of_32_bits_would_has_begun_anew() {
    // A turn is 429.5 s. A `tfxd` of 64 bits has none, and one of 32 bits is not about to at 380 s.
    for (before, is_short) in [(220_i64, false), (208, false), (190, true)] {
        let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
        let send = |watch: &mut Watch, id, number: i64, seed| {
            watch.pass(2000);
            for spec in &specs {
                let time = number * i64::from(LONG);
                let fragment = match is_short {
                    true => spec.short_fragment(time, LONG, seed),
                    false => spec.fragment(time, LONG, seed),
                };
                watch.push(id, &fragment).unwrap();
            }
        };
        let id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        (0..before).for_each(|number| send(&mut watch, id, number, 0));
        watch.lost(id);
        if is_short {
            watch.pass(40_000);
        }
        let id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        (0..5).for_each(|number| send(&mut watch, id, number, 1));
        watch.push(id, END).unwrap();
        let (count, away) = (before as u64, if is_short { 20 } else { 0 });
        let moved = count + away..count + away + 5;
        assert_eq!(watch.times("video"), starts((0..count).chain(moved)));
        assert_eq!((watch.count("times-moved"), watch.count("times-wrapped")), (1, 0));
    }
}

fn restarting() -> Watch {
    Watch::new(PointOptions::default().restart_on_encoder_reconnect(true))
}

#[test]
fn tracks_of_other_clocks_are_moved_and_end_no_event_that_they_have_not_pushed_to() {
    let (pictures, sound) = ([video(1, 500_000)], [audio(1, 64_000)]);
    let mut watch = restarting();
    let (a, b) = (watch.begin("v", "a"), watch.begin("a", "b"));
    watch.push(a, &header(&pictures)).unwrap();
    watch.push(b, &header(&sound)).unwrap();
    for number in 0..10 {
        push(&mut watch, a, &pictures, [number]);
        let time = (number + 850_000_000) * i64::from(LONG);
        watch.push(b, &sound[0].fragment(time, LONG, 0)).unwrap();
    }
    for id in [a, b] {
        watch.push(id, END).unwrap();
    }
    assert_eq!((watch.count("began"), watch.count("times-moved")), (1, 1), "{:#?}", watch.notices);
    assert_eq!((watch.times("video"), watch.chunks("audio").len()), (starts(0..10), 10));
}

#[test]
fn an_encoder_with_other_codec_data_ends_no_event_of_one_that_pushes() {
    let (specs, other) = ([video(1, 500_000)], [Spec { level: 2, ..video(1, 500_000) }]);
    let mut watch = restarting();
    let a = watch.begin("v", "a");
    watch.push(a, &header(&specs)).unwrap();
    push(&mut watch, a, &specs, 0..6);
    let b = watch.begin("v", "b");
    watch.push(b, &header(&other)).unwrap_err();
    push(&mut watch, a, &specs, 6..10);
    assert_eq!((watch.times("video"), watch.count("began")), (starts(0..8), 1));
    assert_eq!(watch.point.state(), PointState::Started);
}

#[test]
fn a_push_whose_event_another_encoder_ended_begins_a_new_one_or_is_told_that_it_is_not_used() {
    let (specs, other) = ([video(1, 500_000)], [Spec { level: 2, ..video(1, 500_000) }]);
    for is_active in [true, false] {
        let mut watch = restarting();
        let a = watch.begin("v", "a");
        watch.push(a, &header(&specs)).unwrap();
        push(&mut watch, a, &specs, 0..6);
        // `a` is silent, and `b` begins an event.
        watch.pass(60_000);
        let b = watch.begin("v", "b");
        watch.push(b, &header(&other)).unwrap();
        push(&mut watch, b, &other, 36..40);
        assert_eq!(watch.count("began"), 2);
        if !is_active {
            watch.pass(60_000);
        }
        let from = if is_active { 40 } else { 70 };
        let fragment = specs[0].fragment(from * i64::from(LONG), LONG, 0);
        let pushed = watch.push(a, &fragment);
        assert_eq!(pushed.is_err(), is_active, "{pushed:?}");
        if !is_active {
            push(&mut watch, a, &specs, from + 1..from + 5);
            assert_eq!((watch.times("video"), watch.count("began")), (starts(70..73), 3));
        }
    }
}

#[test]
fn a_push_that_is_open_while_the_point_is_started_again_is_one_of_a_new_event() {
    // It goes on with fragments, or with a header.
    for with_header in [false, true] {
        let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
        let id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        push(&mut watch, id, &specs, 0..6);
        watch.stop();
        let film = watch.files.clone();
        watch.point.start(watch.now);
        if with_header {
            let other = [Spec { level: 2, ..specs[0].clone() }, specs[1].clone()];
            watch.push(id, &header(&other)).unwrap();
        }
        push(&mut watch, id, &specs, 6..12);
        assert_eq!(watch.times("video"), starts(6..10), "with a header: {with_header}");
        assert_eq!((watch.count("began"), watch.point.state()), (2, PointState::Started));
        for (file, bytes) in film {
            assert!(watch.files[&file] == bytes, "the film stays as it is");
        }
    }
}

/// Times of `tfxd` and `tfdt`.
fn times_of(fragment: &Bytes) -> (u64, Option<u64>) {
    let boxes = Boxes::parse(fragment, 0, &Limits::default()).unwrap();
    let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
    (traf.get::<Tfxd>().unwrap().time, traf.get::<Tfdt>().map(|tfdt| tfdt.base_media_decode_time))
}

#[test]
fn a_fragment_that_is_moved_has_no_other_time_beside_the_one_it_is_moved_to() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let send = |watch: &mut Watch, id, numbers: std::ops::Range<i64>| {
        for number in numbers {
            watch.pass(2000);
            for spec in &specs {
                watch.push(id, &spec.segment(number * i64::from(LONG), LONG)).unwrap();
            }
        }
    };
    for numbers in [1800..1810, 0..10] {
        let id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        send(&mut watch, id, numbers);
        watch.end(id).unwrap();
    }
    watch.stop();
    assert_eq!((watch.count("times-moved"), watch.times("video").len()), (1, 20));
    for file in [1, 2] {
        for fragment in watch.fragments(file) {
            let (time, decoded) = times_of(&fragment.bytes);
            assert_eq!(decoded.unwrap_or(time), time);
        }
    }
}
