//! Encoders whose clocks are slower or faster than that of the host.

use std::time::Duration;

use smooth_origin::live::{PointOptions, PushId};
use smooth_origin::output::dash;
use smooth_origin::presentation::Piece;

use super::encoder::{Spec, header, video};
use super::watch::Watch;
use super::{LONG, starts};

/// Milliseconds between two fragments of 2 s, of which so many drift by 9 s.
const SLOW: u64 = 2003;
const FAST: u64 = 1997;
const MANY: i64 = 3000;

fn specs() -> Vec<Spec> {
    vec![video(1, 500_000)]
}

/// Sends a fragment of 2 s.
fn send(watch: &mut Watch, id: PushId, number: i64) {
    watch.push(id, &specs()[0].fragment(number * i64::from(LONG), LONG, 0)).unwrap();
}

fn connect(watch: &mut Watch, encoder: &str) -> PushId {
    let id = watch.begin("v", encoder);
    watch.push(id, &header(&specs())).unwrap();
    id
}

/// Two encoders send a fragment, now the one first and now the other.
fn send_both(watch: &mut Watch, number: i64) {
    let encoders = if number % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
    encoders.into_iter().for_each(|encoder| send_apart(watch, encoder, number));
}

/// Sends a fragment of 2 s in a push of its own.
fn send_apart(watch: &mut Watch, encoder: &str, number: i64) {
    let id = watch.begin("v", encoder);
    send(watch, id, number);
    watch.end(id).unwrap();
}

fn mpd(watch: &Watch) -> String {
    let reply = dash::answer(watch.presentation(), dash::Request::Mpd).unwrap();
    let [Piece::Bytes(bytes)] = reply.pieces() else { panic!("an MPD is text") };
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The seconds of the month of the date behind some text.
fn time(mpd: &str, before: &str) -> f64 {
    let date = mpd.split(before).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let (day, time) = date.trim_end_matches('Z').split_once('T').unwrap();
    let mut seconds = 0.0;
    for part in time.split(':') {
        seconds = seconds * 60.0 + part.parse::<f64>().unwrap();
    }
    day.rsplit('-').next().unwrap().parse::<f64>().unwrap() * 86_400.0 + seconds
}

#[test]
fn the_clock_of_an_mpd_stays_with_a_slow_and_a_fast_encoder_for_a_day() {
    for parts_in_ten_thousand in [1_i64, -1] {
        let options = PointOptions::default().window(Some(Duration::from_secs(60)));
        let mut watch = Watch::new(options);
        let id = connect(&mut watch, "a");
        let begins = |mpd: &str| time(mpd, " availabilityStartTime=\"");
        let mut began = None;
        for number in 0..8640_i64 {
            let micros = 10_000_000 + 1000 * parts_in_ten_thousand;
            watch.now = watch.now.after(Duration::from_micros(micros.unsigned_abs()));
            let fragment = specs()[0].fragment(number * 100_000_000, 100_000_000, 0);
            watch.push(id, &fragment).unwrap();
            watch.tick();
            if number % 120 != 119 {
                continue;
            }
            let mpd = mpd(&watch);
            let begin = *began.get_or_insert(begins(&mpd));
            assert_eq!(begins(&mpd), begin, "players count from it");
            // The newest fragment ends now, and two are held back.
            let clock = time(&mpd, ":direct:2014\" value=\"") - begin;
            let end = (number + 1) as f64 * 10.0;
            assert!((clock - end).abs() < 0.05, "{number}: {clock} is not {end}");
            assert_eq!(watch.chunks("video").last().unwrap().0, (number as u64 - 2) * 100_000_000);
        }
        let drift = watch.point.status().drift.unwrap();
        assert!((8.5..8.7).contains(&drift.abs()), "{drift}");
        assert_eq!(drift > 0.0, parts_in_ten_thousand > 0);
    }
}

#[test]
fn a_fragment_that_both_fast_encoders_lack_is_waited_for_no_longer_than_without_drift() {
    for step in [2000, FAST] {
        let mut watch = Watch::with(PointOptions::default(), 0);
        for encoder in ["a", "b"] {
            let id = connect(&mut watch, encoder);
            watch.end(id).unwrap();
        }
        for number in (0..MANY).chain([MANY + 1]) {
            watch.pass(if number > MANY { 2 * step } else { step });
            send_both(&mut watch, number);
            watch.tick();
        }
        let mut waited = 0;
        while !watch.times("video").contains(&(2000 * (MANY as u64 + 1))) {
            watch.pass(100);
            waited += 100;
            if waited % step < 100 {
                let number = MANY + 1 + (waited / step) as i64;
                send_both(&mut watch, number);
            }
            watch.tick();
            assert!(waited <= 4100, "{step}");
        }
        assert!(waited >= 3900, "{waited}: another fragment may overtake this one");
        assert_eq!(watch.count("gap"), 1);
    }
}

#[test]
fn a_slow_encoder_that_is_behind_another_one_fills_its_gaps() {
    let mut watch = Watch::new(PointOptions::default());
    let a = connect(&mut watch, "a");
    let mut b = None;
    for number in 0..MANY {
        watch.pass(SLOW);
        send(&mut watch, a, number);
        match number - MANY {
            // It is away, and what it does not bring comes later.
            ..-60 => {}
            -20 => watch.lost(b.take().unwrap()),
            -19 => {}
            _ => {
                let id = b.unwrap_or_else(|| connect(&mut watch, "b"));
                b = Some(id);
                send(&mut watch, id, number + 5);
            }
        }
        watch.tick();
    }
    watch.stop();
    assert_eq!(watch.times("video"), starts(0..MANY as u64 + 5));
    assert_eq!(watch.count("gap") + watch.count("out-of-order"), 0, "{:#?}", watch.notices);
}

#[test]
fn a_slow_encoder_that_begins_anew_makes_a_hole_as_long_as_it_was_away() {
    for step in [2000, SLOW, FAST] {
        let mut watch = Watch::with(PointOptions::default(), 0);
        let mut id = connect(&mut watch, "a");
        let sent = |watch: &mut Watch, id, numbers: std::ops::Range<i64>| {
            for number in numbers {
                watch.pass(step);
                send(watch, id, number);
            }
        };
        for begin in [0, 10] {
            sent(&mut watch, id, begin..MANY);
            watch.lost(id);
            watch.pass(2000);
            id = connect(&mut watch, "a");
            sent(&mut watch, id, 0..10);
            let times = watch.times("video");
            let holes = times[times.len() - 14..].windows(2).map(|pair| pair[1] - pair[0] - 2000);
            let hole = holes.max().unwrap();
            // What is measured is up to two minutes old.
            assert!((1800..2200).contains(&hole), "{step}, {begin}: a hole of {hole} ms");
        }
    }
}
