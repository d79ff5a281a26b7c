//! Fragments that are sent again, recordings, and times that encoders round: nothing is published twice or elsewhere.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::live::PointOptions;

use super::encoder::{Spec, header, video};
use super::watch::Watch;
use super::{LONG, all_fragments, pair, push, starts};

#[test]
fn what_was_sent_before_a_counter_of_32_bits_began_anew_is_known_when_it_is_sent_again() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    // The tenth one begins 1.5 s before the turn.
    let first = (1_i64 << 32) - 15_000_000 - 9 * i64::from(LONG);
    let send = |watch: &mut Watch, id, number: i64| {
        for spec in &specs {
            let time = (first + number * i64::from(LONG)) % (1 << 32);
            watch.push(id, &spec.short_fragment(time, LONG, number as u64)).unwrap();
        }
    };
    let mut id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    for number in 0..20 {
        watch.pass(2000);
        send(&mut watch, id, number);
        if [10, 12].contains(&number) {
            watch.lost(id);
            id = watch.begin("all", "a");
            watch.push(id, &header(&specs)).unwrap();
            (9..=number).for_each(|number| send(&mut watch, id, number));
        }
    }
    watch.stop();
    let times: Vec<_> = (0..20).map(|number| (first + number * i64::from(LONG)) as u64).collect();
    for stream in ["video", "audio"] {
        let chunks = watch.chunks(stream);
        assert_eq!(chunks.iter().map(|chunk| chunk.0).collect::<Vec<_>>(), times);
    }
    let moved = (watch.count("times-moved"), watch.count("times-wrapped"));
    assert_eq!(moved, (0, 2), "{:#?}", watch.notices);
}

#[test]
fn what_was_sent_before_times_jumped_is_known_when_it_is_sent_again() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let mut id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, (0..10).chain([5000]));
    for _ in 0..2 {
        watch.lost(id);
        id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        for number in [9, 5000] {
            for spec in &specs {
                watch.push(id, &spec.fragment(number * i64::from(LONG), LONG, 0)).unwrap();
            }
        }
    }
    push(&mut watch, id, &specs, 5001..5010);
    watch.stop();
    assert_eq!((watch.times("video"), watch.times("audio")), (starts(0..20), starts(0..20)));
    assert_eq!(watch.count("times-moved"), 1, "{:#?}", watch.notices);
}

#[test]
fn one_old_fragment_with_other_samples_is_no_encoder_that_began_anew() {
    let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..11);
    for number in 11..20 {
        for spec in &specs {
            watch.push(id, &spec.fragment(3 * i64::from(LONG), LONG, 9)).unwrap();
        }
        push(&mut watch, id, &specs, [number]);
    }
    watch.stop();
    assert_eq!((watch.times("video"), watch.times("audio")), (starts(0..20), starts(0..20)));
    assert_eq!((watch.count("times-moved"), watch.count("gap")), (0, 0), "{:#?}", watch.notices);
    let status = watch.point.status();
    assert!(status.streams.iter().all(|stream| stream.tracks[0].duplicates == 9));
    watch.check_files(&all_fragments(&specs, 0..20));
}

#[test]
fn a_new_event_of_an_encoder_that_began_anew_has_all_of_its_fragments() {
    // All tracks in one push, a push for each, and a request for each fragment.
    for (is_split, is_apart) in [(false, false), (true, false), (true, true)] {
        let options = PointOptions::default().restart_on_encoder_reconnect(true);
        let (specs, mut watch) = (pair(), Watch::new(options));
        for (numbers, coded) in [(0..8, 0), (0..6, 9)] {
            let all = watch.begin("all", "a");
            let mut ids = [all, if is_split { watch.begin("sound", "a") } else { all }];
            match is_split {
                false => watch.push(all, &header(&specs)).unwrap(),
                true => ids.iter().zip(specs.chunks(1)).for_each(|(id, specs)| {
                    watch.push(*id, &header(specs)).unwrap();
                }),
            }
            for number in numbers {
                watch.pass(2000);
                for (id, spec) in ids.iter().zip(&specs) {
                    let fragment = spec.fragment(number * i64::from(LONG), LONG, coded);
                    watch.push(*id, &fragment).unwrap();
                }
                if is_apart {
                    ids.iter().for_each(|id| watch.end(*id).unwrap());
                    ids = ["all", "sound"].map(|stream| watch.begin(stream, "a"));
                }
            }
            if coded == 0 {
                ids[..1 + usize::from(is_split)].iter().for_each(|id| watch.lost(*id));
            }
        }
        watch.stop();
        assert_eq!(watch.count("began"), 2, "{:#?}", watch.notices);
        assert_eq!((watch.times("video"), watch.times("audio")), (starts(0..6), starts(0..6)));
    }
}

#[test]
fn fragments_of_an_encoder_that_rounds_durations_up_are_served_as_they_were_pushed() {
    for look_ahead in 0..4 {
        let specs = vec![video(1, 500_000)];
        let mut watch = Watch::with(PointOptions::default(), look_ahead);
        let id = watch.begin("v", "a");
        watch.push(id, &header(&specs)).unwrap();
        // 60 samples of 333,667 ticks.
        let fragment = |number: i64| specs[0].fragment(number * 20_020_000, 20_020_020, 0);
        let pushed: Vec<_> = (0..20).map(fragment).collect();
        for fragment in &pushed {
            watch.pass(2002);
            watch.push(id, fragment).unwrap();
            watch.tick();
        }
        watch.stop();
        if look_ahead > 0 {
            watch.check_files(&pushed);
            let chunks: Vec<_> = (0..20).map(|number| (number * 20_020_000, 20_020_000)).collect();
            assert_eq!(watch.chunks("video"), chunks, "{look_ahead}");
            continue;
        }
        // The end of the first one was shown before the second one came.
        let pushed: HashSet<&Bytes> = pushed.iter().collect();
        let fragments = watch.fragments(1);
        let times: Vec<_> =
            fragments.iter().filter(|of| !pushed.contains(&of.bytes)).map(|of| of.time).collect();
        assert_eq!((fragments.len(), times), (20, vec![20_020_020]));
    }
}

/// Pushes a fragment of each track, without any time passing.
fn send(watch: &mut Watch, id: smooth_origin::live::PushId, specs: &[Spec], number: i64) {
    for spec in specs {
        watch.push(id, &spec.fragment(number * i64::from(LONG), LONG, 0)).unwrap();
    }
}

#[test]
fn a_second_recording_of_the_same_times_is_a_quality_and_no_other_time() {
    let (first, mut second) = (pair(), pair());
    second[0] = video(1, 500_000);
    for is_live in [false, true] {
        let mut watch = Watch::new(PointOptions::default());
        let id = watch.begin("one", "a");
        watch.push(id, &header(&first)).unwrap();
        for number in 0..100 {
            if is_live {
                watch.pass(2000);
            }
            send(&mut watch, id, &first, number);
        }
        watch.end(id).unwrap();
        watch.pass(if is_live { 10_000 } else { 60_000 });
        let id = watch.begin("two", "a");
        watch.push(id, &header(&second)).unwrap();
        for number in 0..100 {
            if is_live {
                watch.pass(2000);
            }
            send(&mut watch, id, &second, number);
        }
        watch.stop();
        let streams = watch.presentation().streams();
        let tracks = streams.iter().flat_map(|stream| stream.tracks());
        let mut counts: Vec<_> = tracks.map(|track| track.fragment_count()).collect();
        counts.sort_unstable();
        if is_live {
            // An encoder that comes again under another name goes on with the event.
            assert_eq!(watch.times("video"), starts((0..100).chain(105..205)));
            assert_eq!((counts, watch.count("times-moved")), (vec![100, 100, 200], 1));
        } else {
            assert_eq!(watch.times("video"), starts(0..100));
            assert_eq!(watch.times("audio"), starts(0..100));
            assert_eq!((counts, watch.count("times-moved")), (vec![100; 3], 0));
        }
    }
}

#[test]
fn a_hole_in_a_recording_stays_where_it_is_and_a_clock_that_jumps_leaves_none() {
    // An encoder may begin with what it has kept: its first 40 fragments come at once.
    for (live_from, is_live) in [(300, false), (0, true), (40, true)] {
        let (specs, mut watch) = (pair(), Watch::new(PointOptions::default()));
        let id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        for number in (0..200).chain(230..260) {
            if number >= live_from && is_live {
                watch.pass(2000);
            }
            send(&mut watch, id, &specs, number);
        }
        watch.stop();
        let times = if is_live { starts(0..230) } else { starts((0..200).chain(230..260)) };
        assert_eq!((watch.times("video"), watch.times("audio")), (times.clone(), times));
        assert_eq!(watch.count("times-moved"), usize::from(is_live), "{:#?}", watch.notices);
    }
}

#[test]
fn one_call_may_bring_more_than_what_may_wait() {
    let specs = pair();
    let pushed: Vec<_> =
        (0..5000).map(|n| specs[0].fragment(n * i64::from(LONG), LONG, 0)).collect();
    // The sound is silent.
    let head = header(&specs);
    for (held, in_one) in [(512 << 20, true), (1 << 20, true), (1 << 20, false)] {
        let options =
            PointOptions::default().held_bytes(held).window(Some(Duration::from_secs(60)));
        let mut watch = Watch::new(options);
        let id = watch.begin("all", "a");
        if in_one {
            watch.push(id, &[&head[..], &pushed.concat()].concat()).unwrap();
        } else {
            watch.push(id, &head).unwrap();
            pushed.iter().for_each(|fragment| watch.push(id, fragment).unwrap());
        }
        watch.stop();
        let status = watch.point.status();
        let track = &status.streams[0].tracks[0];
        assert_eq!((track.fragments, track.dropped), (5000, 0), "{held} {in_one}");
    }
}
