//! The publishing point: whatever encoders do, no manifest has a wrong, repeated or overlapping chunk.

#[path = "live_point/again.rs"]
mod again;
#[path = "live_point/codings.rs"]
mod codings;
#[path = "live_point/drifting.rs"]
mod drifting;
#[cfg(feature = "unstable-formats")]
#[path = "live_point/dropped.rs"]
mod dropped;
#[path = "live_point/durations.rs"]
mod durations;
#[path = "live_point/encoder.rs"]
pub mod encoder;
#[path = "live_point/faults.rs"]
mod faults;
#[path = "live_point/numbers.rs"]
mod numbers;
#[path = "live_point/qualities.rs"]
mod qualities;
#[path = "live_point/restarts.rs"]
mod restarts;
#[path = "live_point/rivals.rs"]
mod rivals;
#[path = "live_point/sets.rs"]
mod sets;
#[path = "live_point/sparse.rs"]
mod sparse;
#[path = "live_point/storms.rs"]
mod storms;
#[path = "live_point/watch.rs"]
mod watch;

use std::time::Duration;

use bytes::Bytes;
use smooth_origin::ErrorKind;
use smooth_origin::bmff::uuid::{LiveServerManifest, StreamManifestBox};
use smooth_origin::bmff::{AnyBox, Boxes, FullBox};
use smooth_origin::live::{PointOptions, PointState, PushId};

use encoder::{END, Spec, audio, header, text, video};
use watch::Watch;

/// 2 s.
const LONG: u32 = 20_000_000;

/// Pushes fragments `numbers` of 2 s of these tracks. The numbers times 2 s are their times, and the clock of
/// the event goes with them.
fn push(watch: &mut Watch, push: PushId, specs: &[Spec], numbers: impl IntoIterator<Item = i64>) {
    for number in numbers {
        watch.pass(2000);
        for spec in specs {
            let fragment = spec.fragment(number * i64::from(LONG), LONG, 0);
            watch.push(push, &fragment).unwrap();
        }
        watch.tick();
    }
}

fn all_fragments(specs: &[Spec], numbers: std::ops::Range<i64>) -> Vec<Bytes> {
    let of = |spec: &Spec| {
        let spec = spec.clone();
        numbers.clone().map(move |number| spec.fragment(number * i64::from(LONG), LONG, 0))
    };
    specs.iter().flat_map(of).collect()
}

fn pair() -> Vec<Spec> {
    vec![video(1, 2_000_000), audio(2, 64_000)]
}

fn starts(numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
    numbers.into_iter().map(|number| number * 2000).collect()
}

#[test]
fn what_an_encoder_pushes_is_published_with_a_look_ahead_and_becomes_a_film() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    assert_eq!(watch.point.state(), PointState::Starting);
    push(&mut watch, id, &specs, 0..2);
    assert_eq!(
        (watch.point.state(), watch.point.snapshot().is_none()),
        (PointState::Starting, true)
    );
    push(&mut watch, id, &specs, 2..10);
    assert_eq!(watch.point.state(), PointState::Started);
    assert_eq!(watch.times("video"), starts(0..8), "two chunks are held back");
    let live = watch.presentation().live().unwrap().clone();
    // The first fragment, of 2 s, arrived 2 s after the beginning.
    assert_eq!((live.look_ahead, live.epoch), (2, 1_700_000_000 * 10_000_000));
    assert_eq!(live.published, watch.now.wall);
    watch.push(id, END).unwrap();
    assert_eq!(watch.point.state(), PointState::Stopped);
    let states =
        [PointState::Starting, PointState::Started, PointState::Stopping, PointState::Stopped];
    assert_eq!(watch.states, states);
    for stream in ["video", "audio"] {
        assert_eq!(watch.times(stream), starts(0..10));
    }
    watch.check_files(&all_fragments(&specs, 0..10));
    assert_eq!(watch.count("gap") + watch.count("dropped"), 0);
}

#[test]
fn without_a_look_ahead_a_fragment_is_published_when_it_is_there() {
    let (specs, mut watch) = (pair(), Watch::with(PointOptions::default(), 0));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..5);
    assert_eq!(watch.times("video"), starts(0..5));
    watch.push(id, END).unwrap();
    watch.check_files(&all_fragments(&specs, 0..5));
}

#[test]
fn pieces_of_any_size_give_the_same_presentation() {
    let specs = pair();
    let mut body = header(&specs).to_vec();
    for number in 0..6 {
        specs.iter().for_each(|spec| body.extend(spec.fragment(number * 20_000_000, LONG, 0)));
    }
    body.extend(END);
    for size in [1, 7, 100, 1000, body.len()] {
        let mut watch = Watch::new(PointOptions::default());
        let id = watch.begin("all", "a");
        body.chunks(size).for_each(|piece| watch.push(id, piece).unwrap());
        assert_eq!(watch.times("audio"), starts(0..6), "pieces of {size}");
        watch.check_files(&all_fragments(&specs, 0..6));
    }
}

#[test]
fn two_encoders_make_one_presentation_and_each_fills_the_gaps_of_the_other() {
    for (stream_a, stream_b) in [("all", "ALL"), ("all", "redundant")] {
        let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
        let a = watch.begin(stream_a, "a");
        let b = watch.begin(stream_b, "b");
        watch.push(a, &header(&specs)).unwrap();
        watch.push(b, &header(&specs)).unwrap();
        for number in 0..30 {
            watch.pass(1000);
            // `a` loses every fifth fragment, and `b`, which is a second behind, other ones.
            let fragment = |spec: &Spec| spec.fragment(number * i64::from(LONG), LONG, 0);
            for (at, id) in [(0, a), (2, b)] {
                for spec in &specs {
                    if number % 5 != at || number == 0 {
                        watch.push(id, &fragment(spec)).unwrap();
                    }
                }
                watch.pass(500);
                watch.tick();
            }
        }
        watch.push(a, END).unwrap();
        assert_eq!(watch.point.state(), PointState::Started, "the other one goes on");
        watch.push(b, END).unwrap();
        assert_eq!(watch.times("video"), starts(0..30));
        assert_eq!(watch.times("audio"), starts(0..30));
        assert_eq!(watch.presentation().streams().len(), 2);
        watch.check_files(&all_fragments(&specs, 0..30));
        assert_eq!(watch.count("gap"), 0, "{:#?}", watch.notices);
        assert!(watch.count("gap-filled") > 0 && watch.count("duplicate") > 0);
    }
}

#[test]
fn the_sound_that_several_encoders_push_under_other_names_is_one_track() {
    // As Azure recommends: each sound alone, and again with the lowest pictures.
    let (sound, picture) = (audio(1, 64_000), video(1, 500_000));
    let beside = audio(2, 64_000);
    let mut watch = Watch::new(PointOptions::default());
    let a = watch.begin("audio", "a");
    let b = watch.begin("low", "b");
    watch.push(a, &header(std::slice::from_ref(&sound))).unwrap();
    watch.push(b, &header(&[picture.clone(), beside.clone()])).unwrap();
    for number in 0..8 {
        push(&mut watch, a, std::slice::from_ref(&sound), number..number + 1);
        for spec in [&picture, &beside] {
            watch.push(b, &spec.fragment(number * i64::from(LONG), LONG, 0)).unwrap();
        }
    }
    assert_eq!(watch.presentation().streams().len(), 2);
    let status = watch.point.status();
    let sound = status.streams.iter().find(|stream| &*stream.name == "audio").unwrap();
    assert_eq!((sound.tracks.len(), sound.tracks[0].duplicates), (1, 8));
    assert_eq!((status.encoders.len(), status.encoders[1].is_connected), (2, true));
}

#[test]
fn a_gap_that_nobody_fills_is_published_when_it_is_sure() {
    let (specs, mut watch) = (vec![video(1, 500_000)], Watch::new(PointOptions::default()));
    let id = watch.begin("v", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, (0..5).chain(7..12));
    assert_eq!(watch.times("video"), starts((0..5).chain(7..10)));
    assert_eq!(watch.count("gap"), 1);
    let notice = watch.notices.iter().find(|notice| notice.contains("gap")).unwrap();
    assert!(notice.starts_with("track video 500000 has a gap of 4.000 s at 10.000 s"), "{notice}");
    watch.stop();
    watch.check_files(&all_fragments(&specs, 0..12));
}

#[test]
fn small_disorder_is_put_in_order() {
    let (specs, mut watch) = (vec![video(1, 500_000)], Watch::with(PointOptions::default(), 0));
    let id = watch.begin("v", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, [0, 2, 1, 3, 5, 4, 6, 7]);
    assert_eq!(watch.times("video"), starts(0..8));
    assert_eq!(watch.count("gap"), 0);
}

#[test]
fn a_gap_waits_for_the_other_encoder_only_for_a_while() {
    let (specs, mut watch) = (vec![video(1, 500_000)], Watch::new(PointOptions::default()));
    let (a, b) = (watch.begin("v", "a"), watch.begin("v", "b"));
    watch.push(a, &header(&specs)).unwrap();
    watch.push(b, &header(&specs)).unwrap();
    push(&mut watch, a, &specs, 0..4);
    push(&mut watch, b, &specs, 0..3);
    for number in 5..8 {
        watch.push(a, &specs[0].fragment(number * i64::from(LONG), LONG, 0)).unwrap();
    }
    watch.pass(3900);
    watch.tick();
    assert_eq!(watch.times("video"), starts(0..2), "`b` may still send 3 and 4");
    watch.pass(200);
    watch.tick();
    assert_eq!(watch.times("video"), starts([0, 1, 2, 3, 5]));
    push(&mut watch, b, &specs, [4]);
    assert_eq!(watch.count("out-of-order"), 1, "{:#?}", watch.notices);
    watch.stop();
    watch.check_files(&all_fragments(&specs, 0..8));
}

#[test]
fn fragments_that_are_cut_at_other_times_overlap_nothing() {
    // Sound after a reconnect, as ffmpeg sends it.
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..5);
    watch.lost(id);
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    let mut pushed = all_fragments(&specs, 0..5);
    for number in 4..10 {
        watch.pass(2000);
        let time = number * i64::from(LONG);
        let fragments =
            [specs[0].fragment(time, LONG, 0), specs[1].fragment(time + 53_333, LONG, 0)];
        fragments.iter().for_each(|fragment| watch.push(id, fragment).unwrap());
        pushed.extend(fragments);
    }
    watch.push(id, END).unwrap();
    let mut times = starts(0..5);
    times.extend((5..10).map(|number| number * 2000 + 5));
    assert_eq!(watch.times("audio"), times);
    assert_eq!(watch.times("video"), starts(0..10));
    assert_eq!((watch.count("misaligned"), watch.count("duplicate")), (1, 1));
    watch.check_files(&pushed);
}

#[test]
fn times_that_were_rounded_are_no_gap_and_no_overlap() {
    let (specs, mut watch) =
        (vec![video(1, 500_000), video(2, 900_000)], Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    for number in 0..20_i64 {
        watch.pass(2000);
        // 1001/30000 s a frame; the second quality is a tick off.
        let time = number * 20_020_000 + number % 3;
        watch.push(id, &specs[0].fragment(time, 20_020_000, 0)).unwrap();
        watch.push(id, &specs[1].fragment(time + 1, 20_020_000, 0)).unwrap();
    }
    watch.push(id, END).unwrap();
    assert_eq!(watch.chunks("video").len(), 20);
    watch.check_timelines();
    let stream = &watch.presentation().streams()[0];
    assert!(stream.tracks().iter().all(|track| track.fragment_count() == 20));
    assert_eq!(watch.count("gap") + watch.count("misaligned"), 0, "{:#?}", watch.notices);
}

#[test]
fn an_encoder_that_begins_at_0_again_is_moved_behind_what_is_there() {
    // Once after a while, and once while its times are still near.
    for before in [60, 6] {
        let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
        let id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        push(&mut watch, id, &specs, 0..before);
        watch.lost(id);
        watch.pass(10_000);
        let id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        for number in 0..5 {
            watch.pass(2000);
            for spec in &specs {
                watch.push(id, &spec.fragment(number * i64::from(LONG), LONG, 9)).unwrap();
            }
        }
        watch.push(id, END).unwrap();
        let before = before as u64;
        let moved = (before..before + 5).map(|number| number + 5);
        assert_eq!(watch.times("video"), starts((0..before).chain(moved.clone())));
        assert_eq!(watch.times("audio"), starts((0..before).chain(moved)));
        assert_eq!(
            (watch.count("times-moved"), watch.count("gap")),
            (1, 2),
            "{:#?}",
            watch.notices
        );
        watch.check_timelines();
    }
}

#[test]
fn an_encoder_that_begins_at_0_again_begins_a_new_event_if_the_operator_wants() {
    let options = PointOptions::default().restart_on_encoder_reconnect(true);
    let (specs, mut watch) = (pair(), Watch::new(options));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..40);
    watch.lost(id);
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..1);
    assert_eq!(watch.times("video"), starts(0..40), "the film stays until there is something else");
    assert!(!watch.presentation().is_live());
    push(&mut watch, id, &specs, 1..5);
    assert_eq!(watch.times("video"), starts(0..3));
    assert_eq!((watch.count("restarted"), watch.count("began")), (1, 2));
    let films = [PointState::Stopping, PointState::Stopped, PointState::Idle, PointState::Starting];
    assert_eq!(watch.states[2..6], films);
    // It ends, and a new push begins the third event.
    watch.push(id, END).unwrap();
    assert_eq!(watch.point.state(), PointState::Stopped);
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..4);
    assert_eq!((watch.count("began"), watch.point.state()), (3, PointState::Started));
}

#[test]
fn times_that_jump_ahead_are_moved_back() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, (0..10).chain(5000..5010));
    watch.push(id, END).unwrap();
    assert_eq!(watch.times("video"), starts(0..20));
    assert_eq!(watch.times("audio"), starts(0..20));
    assert_eq!(watch.count("times-moved"), 1);
    assert!(watch.notices.iter().any(|notice| notice.contains("-9980.000 s are added")));
}

#[test]
fn an_encoder_that_was_away_for_long_leaves_a_gap_of_that_time() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..10);
    watch.lost(id);
    watch.pass(1_000_000);
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 510..515);
    watch.push(id, END).unwrap();
    assert_eq!(watch.times("video"), starts((0..10).chain(510..515)));
    assert_eq!((watch.count("times-moved"), watch.count("gap")), (0, 2));
}

#[test]
fn times_of_32_bits_wrap_without_a_gap() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    // 4,294,967,296 ticks are 429.5 s.
    for number in 0..700_i64 {
        watch.pass(2000);
        for spec in &specs {
            let time = (number * i64::from(LONG)) % (1 << 32);
            watch.push(id, &spec.short_fragment(time, LONG, number as u64)).unwrap();
        }
    }
    watch.push(id, END).unwrap();
    assert_eq!(watch.times("video"), starts(0..700));
    assert_eq!(watch.times("audio"), starts(0..700));
    assert_eq!((watch.count("times-wrapped"), watch.count("times-moved")), (6, 0));
}

#[test]
fn other_codec_data_is_refused_or_begins_a_new_event() {
    let (old, new) = (vec![video(1, 500_000)], vec![Spec { level: 2, ..video(1, 500_000) }]);
    for restarts in [false, true] {
        let options = PointOptions::default().restart_on_encoder_reconnect(restarts);
        let mut watch = Watch::new(options);
        let id = watch.begin("v", "a");
        watch.push(id, &header(&old)).unwrap();
        push(&mut watch, id, &old, 0..6);
        watch.lost(id);
        let id = watch.begin("v", "a");
        let fragment = new[0].fragment(6 * i64::from(LONG), LONG, 0);
        let pushed = watch.push(id, &[header(&new), fragment].concat());
        if !restarts {
            assert!(matches!(pushed.unwrap_err().kind, ErrorKind::Invalid { .. }));
            assert_eq!(watch.count("codec-changed"), 1);
            assert_eq!(watch.point.state(), PointState::Started, "the event goes on");
            // What it sent before is taken again.
            let id = watch.begin("v", "a");
            watch.push(id, &header(&old)).unwrap();
            push(&mut watch, id, &old, 6..9);
            assert_eq!(watch.times("video"), starts(0..7));
            continue;
        }
        pushed.unwrap();
        push(&mut watch, id, &new, 7..12);
        assert_eq!(watch.times("video"), starts(6..10));
        assert_eq!((watch.count("restarted"), watch.count("began")), (1, 2));
    }
}

#[test]
fn an_encoder_of_another_clock_is_not_mixed_in_and_takes_over_when_the_other_is_gone() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let (a, b) = (watch.begin("all", "a"), watch.begin("all", "b"));
    watch.push(a, &header(&specs)).unwrap();
    watch.push(b, &header(&specs)).unwrap();
    // The clock of `b` is an hour ahead.
    for number in 0..20 {
        push(&mut watch, a, &specs, number..number + 1);
        for spec in &specs {
            watch.push(b, &spec.fragment((number + 1800) * i64::from(LONG), LONG, 0)).unwrap();
        }
    }
    assert_eq!(watch.times("video"), starts(0..18));
    assert_eq!(watch.count("clocks-disagree"), 1);
    let notice = watch.notices.iter().find(|notice| notice.contains("times that are")).unwrap();
    assert!(
        notice.starts_with("encoder b (Streams(all)) has times that are 3600 s ahead"),
        "{notice}"
    );
    assert_eq!(watch.point.status().encoders[1].moved, None);
    watch.lost(a);
    push(&mut watch, b, &specs, 1820..1830);
    assert_eq!(watch.point.status().encoders[1].moved, Some(-3600.0));
    watch.push(b, END).unwrap();
    // The other one might have come again.
    watch.pass(31_000);
    watch.tick();
    assert_eq!(watch.times("video"), starts(0..30));
    assert_eq!(watch.times("audio"), starts(0..30));
}

#[test]
fn two_encoders_that_both_begin_anew_are_moved_alike() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let (a, b) = (watch.begin("all", "a"), watch.begin("all", "b"));
    for id in [a, b] {
        watch.push(id, &header(&specs)).unwrap();
    }
    for number in 0..40 {
        push(&mut watch, a, &specs, number..number + 1);
        for spec in &specs {
            watch.push(b, &spec.fragment(number * i64::from(LONG), LONG, 0)).unwrap();
        }
    }
    watch.lost(a);
    watch.lost(b);
    let (a, b) = (watch.begin("all", "a"), watch.begin("all", "b"));
    for id in [a, b] {
        watch.push(id, &header(&specs)).unwrap();
    }
    for number in 0..10 {
        push(&mut watch, a, &specs, number..number + 1);
        for spec in &specs {
            watch.push(b, &spec.fragment(number * i64::from(LONG), LONG, 0)).unwrap();
        }
    }
    watch.stop();
    assert_eq!(watch.times("video"), starts(0..50));
    assert_eq!(watch.count("clocks-disagree"), 0, "{:#?}", watch.notices);
}

/// Pushes a body of its own.
fn push_one(watch: &mut Watch, body: &[u8]) {
    let id = watch.begin("v", "a");
    watch.push(id, body).unwrap();
    watch.end(id).unwrap();
}

#[test]
fn a_segment_that_begins_an_event_is_one_of_the_header_before() {
    for restarts in [false, true] {
        let options = PointOptions::default().restart_on_encoder_reconnect(restarts);
        let (specs, mut watch) = ([video(1, 500_000)], Watch::with(options, 0));
        let push = |watch: &mut Watch, numbers: std::ops::Range<i64>| {
            for number in numbers {
                watch.pass(2000);
                push_one(watch, &specs[0].segment(number * i64::from(LONG), LONG));
            }
        };
        push_one(&mut watch, &header(&specs));
        push(&mut watch, 0..40);
        assert_eq!(watch.times("video"), starts(0..40));
        if restarts {
            // The encoder begins anew, and its first segment shows it.
            push_one(&mut watch, &header(&specs));
            push(&mut watch, 0..3);
            assert_eq!(watch.times("video"), starts(0..3));
        } else {
            watch.stop();
            watch.point.start(watch.now);
            push(&mut watch, 40..43);
            assert_eq!(watch.times("video"), starts(40..43));
        }
        assert_eq!((watch.count("began"), watch.point.state()), (2, PointState::Started));
    }
}

#[test]
fn a_push_of_which_nothing_can_be_used_begins_no_event() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let of_typo = |watch: &mut Watch, manifest: &[u8]| {
        let id = watch.point.begin(Some("typo"), "all", "a", watch.now).unwrap();
        watch.push(id, &[&header(&specs)[..24], manifest].concat()).unwrap();
        watch.end(id).map_err(|error| error.kind.code())
    };
    let broken = stream_manifest_of("<smil");
    assert!(of_typo(&mut watch, &broken).is_err());
    of_typo(&mut watch, &stream_manifest(&["v"])).unwrap();
    assert_eq!((watch.point.state(), watch.point.status().number), (PointState::Idle, 0));
    let id = watch.point.begin(Some("e1"), "all", "a", watch.now).unwrap();
    // What cannot be used is told when the event begins.
    watch.push(id, &[&header(&specs)[..24], &broken, &header(&specs)[24..]].concat()).unwrap();
    assert_eq!(watch.count("refused"), 1, "{:?}", watch.kinds);
    push(&mut watch, id, &specs, 0..6);
    assert!(of_typo(&mut watch, &broken).is_err());
    of_typo(&mut watch, &stream_manifest(&["v"])).unwrap();
    push(&mut watch, id, &specs, 6..8);
    assert_eq!(watch.times("video"), starts(0..6));
    assert_eq!((watch.count("began"), watch.point.status().number), (1, 1));
}

fn stream_manifest(streams: &[&str]) -> Vec<u8> {
    let refs = streams.iter().map(|stream| format!(r#"<ref src="Streams({stream})"/>"#));
    let refs = refs.collect::<String>();
    stream_manifest_of(&format!("<smil><body><par>{refs}</par></body></smil>"))
}

fn stream_manifest_of(document: &str) -> Vec<u8> {
    let document = document.to_owned();
    let document = document.into_bytes().into();
    let boxed =
        AnyBox::new(StreamManifestBox(LiveServerManifest { full: FullBox::default(), document }));
    [boxed].into_iter().collect::<Boxes>().to_bytes().to_vec()
}

#[test]
fn the_event_waits_for_announced_streams_but_not_for_ever() {
    for comes in [true, false] {
        let (v, a) = (vec![video(1, 500_000)], vec![audio(1, 64_000)]);
        let options = PointOptions::default().start_wait(Duration::from_secs(30));
        let mut watch = Watch::new(options);
        let first = watch.begin("v", "a");
        let head = header(&v);
        // Behind `ftyp`.
        let body = [&head[..24], &stream_manifest(&["v", "A"]), &head[24..]].concat();
        watch.push(first, &body).unwrap();
        push(&mut watch, first, &v, 0..6);
        assert_eq!(
            (watch.point.state(), watch.point.status().missing.len()),
            (PointState::Starting, 1)
        );
        if comes {
            let second = watch.begin("a", "a");
            watch.push(second, &header(&a)).unwrap();
            for number in 0..6 {
                watch.push(second, &a[0].fragment(number * i64::from(LONG), LONG, 0)).unwrap();
            }
            assert_eq!(watch.times("audio"), starts(0..4));
            assert_eq!(watch.count("streams-missing"), 0);
        } else {
            push(&mut watch, first, &v, 6..20);
            assert_eq!(watch.count("streams-missing"), 1);
            assert!(watch.notices.iter().any(|notice| notice.ends_with("announced: A")));
        }
        assert_eq!(watch.point.state(), PointState::Started);
        assert_eq!(watch.chunks("video")[0].0, 0);
    }
}

#[test]
fn a_quality_that_comes_later_joins_its_stream() {
    let (low, high) = (vec![video(1, 500_000)], vec![video(1, 3_000_000)]);
    let mut watch = Watch::new(PointOptions::default());
    let a = watch.begin("low", "a");
    watch.push(a, &header(&low)).unwrap();
    push(&mut watch, a, &low, 0..10);
    let b = watch.begin("high", "a");
    watch.push(b, &header(&high)).unwrap();
    for number in 10..20 {
        push(&mut watch, a, &low, number..number + 1);
        watch.push(b, &high[0].fragment(number * i64::from(LONG), LONG, 0)).unwrap();
    }
    watch.push(a, END).unwrap();
    watch.push(b, END).unwrap();
    let [stream] = watch.presentation().streams() else { panic!("one stream") };
    let mut tracks: Vec<_> =
        stream.tracks().iter().map(|track| (track.bitrate(), track.fragment_count())).collect();
    tracks.sort_unstable();
    assert_eq!(tracks, [(500_000, 20), (3_000_000, 10)]);
    assert_eq!(watch.times("video"), starts(0..20));
}

#[test]
fn captions_are_visible_when_their_picture_is_and_hold_up_nothing() {
    let (specs, cues) = (pair(), text(3));
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("all", "a");
    let all = [specs.clone(), vec![cues.clone()]].concat();
    watch.push(id, &header(&all)).unwrap();
    push(&mut watch, id, &specs, 0..5);
    assert_eq!(watch.times("video"), starts(0..3), "nothing waits for captions");
    // From 9 s on, 90 s long, as ffmpeg sends them ahead.
    watch.push(id, &cues.fragment(90_000_000, 900_000_000, 0)).unwrap();
    assert!(watch.times("captions").is_empty());
    push(&mut watch, id, &specs, 5..7);
    assert!(watch.times("captions").is_empty(), "the picture of 8 s is the newest");
    assert_eq!(watch.times("video"), starts(0..5));
    push(&mut watch, id, &specs, 7..8);
    assert_eq!(watch.times("captions"), [9000]);
    watch.push(id, END).unwrap();
    assert_eq!(watch.point.state(), PointState::Stopped);
    assert_eq!(watch.times("captions"), [9000]);
}

#[test]
fn a_first_fragment_before_0_is_cut_and_those_that_end_before_it_are_dropped() {
    let (specs, mut watch) = (vec![audio(1, 64_000)], Watch::new(PointOptions::default()));
    let id = watch.begin("a", "a");
    watch.push(id, &header(&specs)).unwrap();
    for (time, duration) in
        [(-20_213_333, LONG), (-213_333, LONG), (19_786_667, LONG), (39_786_667, LONG)]
    {
        watch.pass(2000);
        watch.push(id, &specs[0].fragment(time, duration, 0)).unwrap();
    }
    watch.push(id, END).unwrap();
    let chunks = [(0, 19_786_667), (19_786_667, 20_000_000), (39_786_667, 20_000_000)];
    assert_eq!(watch.chunks("audio"), chunks);
    let first = &watch.fragments(1)[0];
    assert_eq!((first.time, first.duration), (0, 19_786_667));
    assert_eq!((watch.count("cut"), watch.count("dropped")), (1, 1));
}

#[test]
fn bitrates_that_encoders_do_not_say_are_measured_and_differ() {
    let specs = vec![video(1, 0), video(2, 0), audio(3, 0)];
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..5);
    let len = specs[0].fragment(0, LONG, 0).len() as u32;
    let stream =
        watch.presentation().streams().iter().find(|stream| stream.name() == "video").unwrap();
    let mut bitrates: Vec<_> = stream.tracks().iter().map(|track| track.bitrate()).collect();
    bitrates.sort_unstable();
    assert_eq!(bitrates, [len * 4, len * 4 + 1]);
}

#[test]
fn languages_are_streams_of_their_own() {
    let eng = Spec { language: "eng", ..audio(1, 64_000) };
    let fra = Spec { language: "fra", ..audio(2, 64_000) };
    let specs = vec![eng, fra];
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..5);
    let names: Vec<_> = watch.presentation().streams().iter().map(|stream| stream.name()).collect();
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
}

#[test]
fn the_window_is_changed_without_a_restart_and_old_bytes_are_forgotten() {
    let options = PointOptions::default().window(Some(Duration::from_secs(60)));
    let (specs, mut watch) = (pair(), Watch::new(options));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..200);
    let kept = watch.times("video").len();
    assert!((30..=47).contains(&kept), "{kept} chunks of 2 s for 60 s, and 30 s behind them");
    assert!(watch.count("forget") > 100);
    assert_eq!(watch.presentation().live().unwrap().window, Some(Duration::from_secs(60)));
    watch.set_window(Some(Duration::from_secs(20)));
    assert_eq!(watch.presentation().live().unwrap().window, Some(Duration::from_secs(20)));
    assert_eq!(watch.times("video").len(), kept, "what players were told of is served for a while");
    push(&mut watch, id, &specs, 200..216);
    assert!(watch.times("video").len() <= 27);
    watch.set_window(None);
    push(&mut watch, id, &specs, 216..400);
    assert!(watch.times("video").len() >= 184);
    watch.push(id, END).unwrap();
    watch.check_files(&all_fragments(&specs, 0..400));
}

#[test]
fn a_cue_that_ends_far_ahead_hides_no_picture() {
    let options = PointOptions::default().window(Some(Duration::from_secs(20)));
    let (specs, captions) = (pair(), text(9));
    let mut watch = Watch::new(options);
    let (id, words) = (watch.begin("all", "a"), watch.begin("text", "a"));
    watch.push(id, &header(&specs)).unwrap();
    watch.push(words, &header(std::slice::from_ref(&captions))).unwrap();
    push(&mut watch, id, &specs, 0..4);
    watch.push(words, &captions.fragment(20_000_000, 900_000_000, 0)).unwrap();
    push(&mut watch, id, &specs, 4..12);
    assert_eq!(watch.times("captions").len(), 1);
    assert_eq!(watch.times("video"), starts(0..10));
    let streams = watch.presentation().streams().iter();
    assert!(streams.map(|stream| stream.dropped()).eq([0; 3]));
}

#[test]
fn a_wrong_duration_of_tfxd_gives_way_to_that_of_the_samples() {
    let (specs, mut watch) = (vec![video(1, 500_000)], Watch::new(PointOptions::default()));
    let id = watch.begin("v", "a");
    watch.push(id, &header(&specs)).unwrap();
    for number in 0..6 {
        let mut fragment = specs[0].fragment(number * i64::from(LONG), LONG, 0).to_vec();
        if number == 2 {
            let right = [(2 * LONG).into(), u64::from(LONG)].map(u64::to_be_bytes).concat();
            let at = fragment.windows(16).position(|bytes| bytes == right).unwrap();
            fragment[at + 8..at + 16].copy_from_slice(&0xffff_ffff_u64.to_be_bytes());
        }
        watch.push(id, &fragment).unwrap();
    }
    watch.stop();
    assert_eq!(watch.times("video"), starts(0..6));
    assert_eq!(watch.count("misaligned"), 0);
}

#[test]
fn the_end_of_nothing_ends_no_event() {
    let (specs, mut watch) = (vec![video(1, 500_000)], Watch::new(PointOptions::default()));
    let id = watch.begin("v", "a");
    watch.push(id, END).unwrap();
    assert_eq!(watch.point.state(), PointState::Idle);
    // A header alone, and its end.
    let id = watch.begin("v", "a");
    watch.push(id, &header(&specs)).unwrap();
    watch.push(id, END).unwrap();
    watch.end(id).unwrap();
    let id = watch.begin("v", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..4);
    assert_eq!(watch.times("video"), starts(0..2));
}

#[test]
fn a_stop_publishes_what_is_held_and_a_start_begins_a_new_event() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..6);
    watch.stop();
    assert_eq!(watch.times("video"), starts(0..6));
    watch.check_files(&all_fragments(&specs, 0..6));
    let error = watch.push(id, &specs[0].fragment(6 * i64::from(LONG), LONG, 0)).unwrap_err();
    assert_eq!((error.kind.status(), error.kind.code()), (503, "not-accepting"));
    assert!(watch.point.begin(None, "all", "a", watch.now).is_err());
    watch.point.start(watch.now);
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 6..10);
    assert_eq!((watch.point.state(), watch.times("video")), (PointState::Started, starts(6..8)));
}

#[test]
fn an_event_that_ended_by_itself_stays_a_film() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..6);
    watch.push(id, END).unwrap();
    let error = watch.point.begin(None, "all", "a", watch.now).unwrap_err();
    assert_eq!(error.kind.status(), 503);
    assert!(watch.point.begin(Some("evening"), "all", "a", watch.now).is_ok());
}

#[test]
fn another_event_identifier_begins_a_new_presentation() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let begin =
        |watch: &mut Watch, event: &str| watch.point.begin(Some(event), "all", "a", watch.now);
    let first = begin(&mut watch, "Morning").unwrap();
    watch.push(first, &header(&specs)).unwrap();
    push(&mut watch, first, &specs, 0..6);
    // The other letter case is the same event, and an empty body changes nothing.
    let same = begin(&mut watch, "MORNING").unwrap();
    watch.end(same).unwrap();
    let probe = begin(&mut watch, "evening").unwrap();
    watch.end(probe).unwrap();
    assert_eq!((watch.count("began"), watch.point.state()), (1, PointState::Started));
    let second = begin(&mut watch, "evening").unwrap();
    watch.push(second, &header(&specs)).unwrap();
    push(&mut watch, second, &specs, 100..106);
    assert_eq!(watch.times("video"), starts(100..104));
    assert_eq!(watch.point.status().event.as_deref(), Some("evening"));
    // The old one does not come back.
    assert!(watch.push(first, &specs[0].fragment(6 * i64::from(LONG), LONG, 0)).is_err());
    assert!(begin(&mut watch, "morning").is_err());
    assert_eq!(watch.count("began"), 2);
}

#[test]
fn segments_of_one_stream_may_come_a_request_each() {
    let (specs, mut watch) = (vec![video(1, 500_000)], Watch::new(PointOptions::default()));
    let id = watch.begin("v", "a");
    watch.push(id, &header(&specs)).unwrap();
    watch.end(id).unwrap();
    for number in 0..10 {
        watch.pass(2000);
        let id = watch.begin("V", "a");
        watch.push(id, &specs[0].fragment(number * i64::from(LONG), LONG, 0)).unwrap();
        watch.end(id).unwrap();
    }
    assert_eq!(watch.times("video"), starts(0..8));
    assert_eq!(watch.count("encoder-came"), 1);
    let other = watch.begin("other", "a");
    let error = watch.push(other, &specs[0].fragment(0, LONG, 0)).unwrap_err();
    assert_eq!(error.kind.status(), 412);
}

#[test]
fn a_new_push_of_an_encoder_takes_the_place_of_one_that_looks_open() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let old = watch.begin("all", "a");
    watch.push(old, &header(&specs)).unwrap();
    push(&mut watch, old, &specs, 0..4);
    let new = watch.begin("all", "a");
    let changed = vec![specs[0].clone(), specs[1].clone(), video(3, 900_000)];
    watch.push(new, &header(&changed)).unwrap();
    push(&mut watch, new, &changed, 3..8);
    assert!(watch.push(old, &specs[0].fragment(8 * i64::from(LONG), LONG, 0)).is_err());
    watch.push(new, END).unwrap();
    assert_eq!(watch.times("video"), starts(0..8));
    assert_eq!(watch.presentation().streams()[0].tracks().len(), 2);
}

#[test]
fn a_lost_connection_does_not_end_the_event() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..5);
    watch.lost(id);
    for _ in 0..600 {
        watch.pass(1000);
        watch.tick();
    }
    assert_eq!((watch.point.state(), watch.times("video")), (PointState::Started, starts(0..3)));
    assert_eq!(watch.count("encoder-went"), 1);
}

#[test]
fn a_flood_of_fragments_meets_a_budget() {
    let options = PointOptions::default().held_bytes(1 << 20);
    let (specs, cues) = (pair(), text(3));
    let mut watch = Watch::new(options);
    let id = watch.begin("all", "a");
    watch.push(id, &header(&[specs.clone(), vec![cues.clone()]].concat())).unwrap();
    push(&mut watch, id, &specs, 0..4);
    // Captions of times to come are held.
    for number in 0..5000 {
        watch.push(id, &cues.fragment(1_000_000_000 + number * 100_000, 0, 0)).unwrap();
    }
    assert!(watch.point.status().held_bytes <= 1 << 20);
    assert!(watch.count("dropped") > 0);
    push(&mut watch, id, &specs, 4..8);
    assert_eq!(watch.times("video"), starts(0..6), "there is room for pictures");
}

#[test]
fn too_many_pushes_are_refused() {
    let mut watch = Watch::new(PointOptions::default().pushes(3));
    let pushes: Vec<_> = (0..3).map(|number| watch.begin("v", &number.to_string())).collect();
    let error = watch.point.begin(None, "v", "x", watch.now).unwrap_err();
    assert_eq!(error.kind.status(), 503);
    watch.lost(pushes[0]);
    assert!(watch.point.begin(None, "v", "x", watch.now).is_ok());
}

#[test]
fn what_memory_has_room_for_is_kept_whatever_players_may_start_over_with() {
    let window = Some(Duration::from_secs(60));
    let options = PointOptions::default().window(window).start_over(Duration::from_secs(3600));
    let (specs, mut watch) = (vec![video(1, 500_000)], Watch::new(options));
    let id = watch.begin("v", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..200);
    assert_eq!(watch.chunks("video").len(), 198);
    watch.keep(Some(Duration::from_secs(20)));
    assert!(watch.chunks("video").len() <= 26, "20 s, and 30 s behind them");
    let shown = |watch: &Watch| watch.presentation().live().and_then(|live| live.window);
    assert_eq!(shown(&watch), Some(Duration::from_secs(20)));
    watch.keep(None);
    push(&mut watch, id, &specs, 200..300);
    assert!(watch.chunks("video").len() > 100);
    assert_eq!(shown(&watch), window);
}
