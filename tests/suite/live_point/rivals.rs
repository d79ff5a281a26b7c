//! Encoders of one track that disagree, come again, or do not.

use std::time::Duration;

use smooth_origin::ErrorKind;
use smooth_origin::live::{PointOptions, PointState, PushId};

use super::encoder::{END, Spec, header, video};
use super::watch::Watch;
use super::{LONG, all_fragments, pair, push, starts};

fn with_level(level: u8) -> Vec<Spec> {
    vec![Spec { level, ..video(1, 500_000) }]
}

/// Pushes fragments whose samples depend on `coded`, without any time passing.
fn send(watch: &mut Watch, id: PushId, specs: &[Spec], numbers: std::ops::Range<i64>, coded: u64) {
    for number in numbers {
        for spec in specs {
            watch.push(id, &spec.fragment(number * i64::from(LONG), LONG, coded)).unwrap();
        }
    }
}

#[test]
fn the_header_of_the_first_fragment_rules_and_other_codec_data_is_not_mixed_in() {
    let (old, new) = (with_level(1), with_level(2));
    for is_last_first in [false, true] {
        let mut watch = Watch::new(PointOptions::default());
        let (a, b) = (watch.begin("v", "a"), watch.begin("v", "b"));
        watch.push(a, &header(&old)).unwrap();
        watch.push(b, &header(&new)).unwrap();
        let (first, second) = if is_last_first { (b, a) } else { (a, b) };
        let mut is_refused = false;
        for number in 0..8 {
            watch.pass(2000);
            send(&mut watch, first, &old, number..number + 1, 1);
            let other = old[0].fragment(number * i64::from(LONG), LONG, 2);
            is_refused |= watch.push(second, &other).is_err();
            if is_refused {
                break;
            }
        }
        assert!(is_refused, "nothing of it can be used any more");
        send(&mut watch, first, &old, 3..8, 1);
        watch.push(first, END).unwrap();
        watch.pass(31_000);
        watch.tick();
        assert_eq!(watch.count("codec-changed"), 1, "{:#?}", watch.notices);
        assert_eq!(watch.times("video"), starts(0..8));
        let head = header(if is_last_first { &new } else { &old });
        let level = |bytes: &[u8]| {
            let at = bytes.windows(4).rposition(|bytes| bytes == [0x67, 66, 0, 30]);
            at.map(|at| bytes[at + 4])
        };
        let file = watch.files.values().next().unwrap();
        assert_eq!(level(file), level(&head));
        let pushed: Vec<_> =
            (0..8).map(|n| old[0].fragment(n * i64::from(LONG), LONG, 1)).collect();
        watch.check_files(&pushed);
    }
}

#[test]
fn an_encoder_with_other_codec_data_takes_over_what_the_first_one_left_unpublished() {
    let (old, new) = (with_level(1), with_level(2));
    let options = PointOptions::default().start_wait(Duration::from_secs(120));
    let mut watch = Watch::new(options);
    let (a, b) = (watch.begin("v", "a"), watch.begin("v", "b"));
    watch.push(a, &header(&old)).unwrap();
    send(&mut watch, a, &old, 0..2, 1);
    watch.push(b, &header(&new)).unwrap();
    watch.lost(a);
    for number in 0..30 {
        watch.pass(2000);
        send(&mut watch, b, &new, number..number + 1, 2);
    }
    let times = watch.times("video");
    assert!(times.len() > 10, "{:#?}", watch.notices);
    watch.stop();
    let pushed: Vec<_> = (0..30).map(|n| new[0].fragment(n * i64::from(LONG), LONG, 2)).collect();
    watch.check_files(&pushed);
}

#[test]
fn the_last_fragments_sent_again_are_duplicates_even_if_they_were_encoded_anew() {
    for again in 1..=4 {
        let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
        let id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        push(&mut watch, id, &specs, 0..20);
        watch.lost(id);
        watch.pass(3000);
        let id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        send(&mut watch, id, &specs, 20 - again..20, 7);
        push(&mut watch, id, &specs, 20..25);
        watch.push(id, END).unwrap();
        assert_eq!(watch.times("video"), starts(0..25), "{again}");
        assert_eq!(watch.count("times-moved"), 0, "{:#?}", watch.notices);
        watch.check_files(&all_fragments(&specs, 0..25));
    }
}

#[test]
fn a_film_that_is_pushed_in_a_loop_goes_on() {
    // Within `clock_tolerance`, with the same samples; on one connection, and on one for each round.
    for reconnects in [false, true] {
        let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
        let mut id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        for _ in 0..6 {
            push(&mut watch, id, &specs, 0..10);
            if reconnects {
                watch.lost(id);
                id = watch.begin("all", "a");
                watch.push(id, &header(&specs)).unwrap();
            }
        }
        watch.stop();
        // One round is lost: it might have been sent again.
        assert_eq!(watch.chunks("video").len(), 50, "{:#?}", watch.notices);
        watch.check_timelines();
    }
}

#[test]
fn an_encoder_whose_clock_is_right_again_is_used_at_once() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let (a, b) = (watch.begin("all", "a"), watch.begin("all", "b"));
    watch.push(a, &header(&specs)).unwrap();
    watch.push(b, &header(&specs)).unwrap();
    for number in 0..10 {
        push(&mut watch, a, &specs, number..number + 1);
        send(&mut watch, b, &specs, number + 1800..number + 1801, 0);
    }
    assert_eq!(watch.point.status().encoders[1].moved, None);
    for number in 10..20 {
        // `a` loses what `b` has.
        push(&mut watch, a, &specs, (number % 2 == 0).then_some(number));
        send(&mut watch, b, &specs, number..number + 1, 0);
    }
    assert_eq!(watch.point.status().encoders[1].moved, Some(0.0));
    assert_eq!((watch.count("clocks-disagree"), watch.count("clocks-agree")), (1, 1));
    watch.stop();
    assert_eq!(watch.times("video"), starts(0..20));
    assert_eq!(watch.count("times-moved"), 0);
}

#[test]
fn an_event_that_one_encoder_ended_waits_for_the_others_but_not_for_ever() {
    let wait = |is_connected: bool, says_so: bool| {
        let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
        let (a, b) = (watch.begin("all", "a"), watch.begin("all", "b"));
        for id in [a, b] {
            watch.push(id, &header(&specs)).unwrap();
        }
        for number in 0..6 {
            push(&mut watch, a, &specs, number..number + 1);
            send(&mut watch, b, &specs, number..number + 1, 0);
        }
        if !is_connected {
            watch.lost(b);
        }
        watch.pass(12_000);
        watch.push(a, END).unwrap();
        if says_so {
            watch.push(b, END).unwrap();
        }
        let mut seconds = 0;
        while watch.point.state() == PointState::Started && seconds < 1000 {
            watch.pass(1000);
            watch.tick();
            seconds += 1;
        }
        assert_eq!(watch.times("video"), starts(0..6));
        seconds
    };
    assert_eq!(wait(true, true), 0);
    assert_eq!(wait(false, false), 19, "30 s since it was lost");
    assert_eq!(wait(true, false), 301, "ten times as long while it is connected");
}

#[test]
fn an_encoder_that_comes_again_takes_the_place_of_a_half_open_push_with_the_same_header() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let old = watch.begin("all", "a");
    watch.push(old, &header(&specs)).unwrap();
    push(&mut watch, old, &specs, 0..4);
    let new = watch.begin("all", "a");
    // The header is one with that of the push before.
    watch.push(new, &header(&specs)).unwrap();
    send(&mut watch, new, &specs, 3..4, 0);
    let error = watch.push(old, &specs[0].fragment(4 * i64::from(LONG), LONG, 0)).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NotAccepting(_)), "{error}");
    push(&mut watch, new, &specs, 4..8);
    // Without a header: as soon as the other one is silent.
    watch.pass(1000);
    let newest = watch.begin("all", "a");
    send(&mut watch, newest, &specs, 7..8, 0);
    assert!(watch.push(new, &specs[0].fragment(8 * i64::from(LONG), LONG, 0)).is_ok());
    watch.pass(5000);
    let last = watch.begin("all", "a");
    send(&mut watch, last, &specs, 9..10, 0);
    assert!(watch.push(new, &specs[0].fragment(10 * i64::from(LONG), LONG, 0)).is_err());
}

#[test]
fn encoders_that_are_gone_make_room_for_others() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..4);
    // The tracks of a header get other numbers each time.
    let mut renumbered = specs.clone();
    for number in 0..1500_i64 {
        let other = watch.begin("all", &format!("10.0.{}.{}", number / 256, number % 256));
        renumbered[0].id = 10 + number as u32;
        watch.push(other, &header(&renumbered)).unwrap();
        watch.end(other).unwrap();
        if number % 100 == 0 {
            push(&mut watch, id, &specs, 4 + number / 100..5 + number / 100);
        }
    }
    push(&mut watch, id, &specs, 19..25);
    watch.stop();
    assert_eq!(watch.times("video"), starts(0..25));
    assert!(watch.point.status().encoders.len() <= 1024);
}

#[test]
fn what_an_encoder_sent_that_had_to_make_room_fills_gaps_of_nobody() {
    // Nothing of it is held back.
    let (specs, mut watch) = (pair(), Watch::with(PointOptions::default(), 0));
    let [a, b] = ["a", "b"].map(|encoder| {
        let id = watch.begin("all", encoder);
        watch.push(id, &header(&specs)).unwrap();
        id
    });
    push(&mut watch, a, &specs, 0..5);
    push(&mut watch, b, &specs, 5..10);
    watch.end(b).unwrap();
    for number in 0..1024 {
        watch.pass(1);
        let other = watch.begin("all", &format!("other {number}"));
        watch.push(other, &header(&specs)).unwrap();
        watch.end(other).unwrap();
    }
    push(&mut watch, a, &specs, 10..14);
    watch.stop();
    assert_eq!(watch.times("video"), starts(0..14));
}

#[test]
fn a_source_among_hundreds_keeps_its_header() {
    let specs = vec![video(1, 500_000)];
    let mut watch = Watch::new(PointOptions::default());
    let header_of = |watch: &mut Watch, encoder: &str| {
        let id = watch.begin("v", encoder);
        watch.push(id, &header(&specs)).unwrap();
        watch.end(id).unwrap();
    };
    header_of(&mut watch, "a");
    for number in 0..600 {
        header_of(&mut watch, &format!("other {number}"));
        if number % 50 == 0 {
            let id = watch.begin("v", "a");
            send(&mut watch, id, &specs, number / 50..number / 50 + 1, 0);
            watch.end(id).unwrap();
        }
    }
    assert_eq!(watch.times("video").len(), 10);
}

#[test]
fn clocks_that_drift_are_measured_and_told() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    for number in 0..3600 {
        // A part in 500 slow.
        watch.pass(4);
        push(&mut watch, id, &specs, number..number + 1);
    }
    assert_eq!(watch.count("clock-drifts"), 2, "{:#?}", watch.notices);
    let drift = watch.point.status().drift.unwrap();
    assert!((13.0..14.5).contains(&drift), "{drift}");
    assert_eq!(watch.presentation().live().unwrap().epoch, 1_700_000_000 * 10_000_000 + 40_000);
}

#[test]
fn an_encoder_that_is_ahead_makes_no_gap_of_what_the_other_one_fills_in_order() {
    // 6, 10 and 28 s, from the beginning or later.
    for (ahead, from) in [(3, 0), (5, 0), (5, 10), (14, 0), (14, 10)] {
        let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
        let a = watch.begin("all", "a");
        watch.push(a, &header(&specs)).unwrap();
        let mut b = None;
        for number in 0..60 {
            push(&mut watch, a, &specs, [number]);
            match number {
                // It is away, and what it does not bring comes later.
                25 => watch.lost(b.take().unwrap()),
                26 => {}
                number if number >= from => {
                    let id = b.unwrap_or_else(|| {
                        let id = watch.begin("all", "b");
                        watch.push(id, &header(&specs)).unwrap();
                        id
                    });
                    b = Some(id);
                    send(&mut watch, id, &specs, number + ahead..number + ahead + 1, 0);
                }
                _ => {}
            }
        }
        watch.stop();
        assert_eq!(watch.times("video"), starts(0..60 + ahead as u64), "{ahead} from {from}");
        let lost = watch.count("gap") + watch.count("out-of-order") + watch.count("misaligned");
        assert_eq!(lost, 0, "{:#?}", watch.notices);
        watch.check_files(&all_fragments(&specs, 0..60 + ahead));
    }
}

#[test]
fn a_gap_that_is_filled_too_slowly_is_not_waited_for_longer_than_the_tolerance_of_clocks() {
    let (specs, mut watch) = (vec![video(1, 500_000)], Watch::new(PointOptions::default()));
    let (a, b) = (watch.begin("v", "a"), watch.begin("v", "b"));
    watch.push(a, &header(&specs)).unwrap();
    watch.push(b, &header(&specs)).unwrap();
    push(&mut watch, a, &specs, 0..4);
    send(&mut watch, b, &specs, 15..18, 0);
    // `a` sends at half the speed.
    for number in 4..13 {
        watch.pass(3500);
        send(&mut watch, a, &specs, number..number + 1, 0);
        let waited = (number - 3) * 3500;
        let gaps = usize::from(waited > 30_000);
        assert_eq!(watch.count("gap"), gaps, "{number}: {:#?}", watch.notices);
    }
    watch.stop();
    assert_eq!(watch.times("video"), starts((0..13).chain(15..18)));
}

#[test]
fn an_encoder_whose_connection_was_silent_before_it_was_lost_may_come_again() {
    let (specs, mut watch) = (vec![video(1, 500_000)], Watch::new(PointOptions::default()));
    let (a, b) = (watch.begin("v", "a"), watch.begin("v", "b"));
    watch.push(a, &header(&specs)).unwrap();
    watch.push(b, &header(&specs)).unwrap();
    for number in 0..4 {
        push(&mut watch, a, &specs, [number]);
        send(&mut watch, b, &specs, number..number + 1, 0);
    }
    watch.pass(6000);
    watch.lost(b);
    send(&mut watch, a, &specs, 5..7, 0);
    watch.tick();
    watch.pass(3000);
    let b = watch.begin("v", "b");
    watch.push(b, &header(&specs)).unwrap();
    send(&mut watch, b, &specs, 4..5, 0);
    watch.stop();
    assert_eq!(watch.times("video"), starts(0..7));
    assert_eq!(watch.count("gap"), 0, "{:#?}", watch.notices);
}

#[test]
fn the_short_last_fragment_of_an_encoder_that_ends_keeps_off_no_whole_one() {
    for says_so in [true, false] {
        let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
        let [a, b] = ["a", "b"].map(|encoder| watch.begin("all", encoder));
        for id in [a, b] {
            watch.push(id, &header(&specs)).unwrap();
        }
        for number in 0..5 {
            watch.pass(2000);
            send(&mut watch, a, &specs, number..number + 1, 1);
            send(&mut watch, b, &specs, number..number + 1, 2);
        }
        watch.pass(500);
        for spec in &specs {
            watch.push(a, &spec.fragment(5 * i64::from(LONG), LONG / 4, 1)).unwrap();
        }
        if says_so {
            watch.push(a, END).unwrap();
        }
        watch.end(a).unwrap();
        for number in 5..10 {
            watch.pass(2000);
            send(&mut watch, b, &specs, number..number + 1, 2);
        }
        watch.push(b, END).unwrap();
        watch.stop();
        let all: Vec<_> =
            (0..10).map(|number| (number * u64::from(LONG), u64::from(LONG))).collect();
        for stream in ["video", "audio"] {
            assert_eq!(watch.chunks(stream), all, "{stream}, {says_so}");
        }
        assert_eq!(watch.count("gap"), 0, "{:#?}", watch.notices);
        let samples = |number: i64, coded| {
            let fragment = specs[0].fragment(number * i64::from(LONG), LONG, coded);
            fragment.slice(fragment.len() - 32..)
        };
        let is_of_b = |number: i64| {
            let sent = &watch.fragments(1)[number as usize].bytes;
            sent.ends_with(&samples(number, 2))
        };
        assert_eq!([4, 5, 6].map(is_of_b), [false, true, true]);
    }
}

#[test]
fn a_shorter_fragment_of_an_encoder_that_goes_on_is_not_replaced() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let [a, b] = ["a", "b"].map(|encoder| watch.begin("all", encoder));
    for id in [a, b] {
        watch.push(id, &header(&specs)).unwrap();
    }
    for number in 0..12 {
        watch.pass(2000);
        send(&mut watch, a, &specs, number..number + 1, 1);
        // `b` cuts each 3 s.
        for spec in specs.iter().filter(|_| number % 3 == 0) {
            let fragment = spec.fragment(number * i64::from(LONG), LONG / 2 * 3, 2);
            watch.push(b, &fragment).unwrap();
        }
    }
    let chunks = watch.chunks("video");
    assert!(
        chunks.len() > 8 && chunks.iter().all(|chunk| chunk.1 == u64::from(LONG)),
        "{chunks:?}"
    );
}
