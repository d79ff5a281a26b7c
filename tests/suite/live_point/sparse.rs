//! Captions and commands, which are pushed beside the streams that they belong to.

use std::time::Duration;

use smooth_origin::live::{PointOptions, PointState};

use super::encoder::{END, Spec, header, text, video};
use super::watch::Watch;
use super::{LONG, pair, push, starts};

fn cue(spec: &Spec, second: i64) -> bytes::Bytes {
    spec.fragment(second * 10_000_000, 10_000_000, 0)
}

/// Commands: no bitrate is said.
fn commands(id: u32) -> Spec {
    Spec { name: "scte35", bitrate: 0, ..text(id) }
}

#[test]
fn captions_pushed_as_a_stream_of_their_own_are_moved_with_their_pictures() {
    let (specs, captions) = (pair(), text(9));
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..60);
    let words = watch.begin("text", "a");
    watch.push(words, &header(std::slice::from_ref(&captions))).unwrap();
    watch.push(words, &cue(&captions, 101)).unwrap();
    assert_eq!(watch.times("captions"), [101_000]);
    watch.lost(id);
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..10);
    assert_eq!(watch.count("times-moved"), 1);
    // 3 s after the encoder began anew.
    watch.push(words, &cue(&captions, 3)).unwrap();
    assert_eq!(watch.times("captions"), [101_000, 123_000]);
}

#[test]
fn captions_pushed_as_a_stream_of_their_own_wrap_with_their_pictures() {
    let (specs, captions) = (pair(), text(9));
    let mut watch = Watch::new(PointOptions::default());
    let (id, words) = (watch.begin("all", "a"), watch.begin("text", "a"));
    watch.push(id, &header(&specs)).unwrap();
    watch.push(words, &header(std::slice::from_ref(&captions))).unwrap();
    for number in 0..250_i64 {
        watch.pass(2000);
        for spec in &specs {
            let time = (number * i64::from(LONG)) % (1 << 32);
            watch.push(id, &spec.short_fragment(time, LONG, 0)).unwrap();
        }
        if number % 50 == 40 {
            let time = (number * i64::from(LONG)) % (1 << 32);
            watch.push(words, &captions.fragment(time, 10_000_000, 0)).unwrap();
        }
    }
    watch.push(id, END).unwrap();
    assert_eq!(watch.times("captions"), starts([40, 90, 140, 190, 240]));
}

#[test]
fn a_cue_far_ahead_is_dropped_and_holds_up_no_other() {
    let (specs, captions) = (pair(), text(9));
    let mut watch = Watch::new(PointOptions::default());
    let (id, words) = (watch.begin("all", "a"), watch.begin("text", "a"));
    watch.push(id, &header(&specs)).unwrap();
    watch.push(words, &header(std::slice::from_ref(&captions))).unwrap();
    push(&mut watch, id, &specs, 0..10);
    for second in [100_000, 300, 25, 23] {
        watch.push(words, &cue(&captions, second)).unwrap();
    }
    assert_eq!(watch.count("dropped"), 1, "{:#?}", watch.notices);
    push(&mut watch, id, &specs, 10..20);
    assert_eq!(watch.times("captions"), [23_000, 25_000]);
    // The encoder of captions has said no end.
    watch.push(id, END).unwrap();
    assert_eq!(watch.point.state(), PointState::Started);
    watch.pass(1000);
    watch.tick();
    assert_eq!(watch.point.state(), PointState::Stopped);
    assert_eq!(watch.times("captions"), [23_000, 25_000], "there is no picture at 300 s");
    assert_eq!(watch.point.status().held_bytes, 0);
}

/// The numbers of chunks of the streams of the snapshot, by their names.
fn counts(watch: &Watch) -> Vec<(String, usize)> {
    let streams = watch.point.snapshot().map_or(&[][..], |of| of.streams());
    streams.iter().map(|of| (of.name().to_owned(), of.timeline().len())).collect()
}

#[test]
fn captions_that_are_announced_are_there_when_the_event_is_shown() {
    let (specs, captions) = (pair(), text(9));
    let other = Spec { name: "subtitles", bitrate: 0, ..text(8) };
    let mut watch = Watch::new(PointOptions::default());
    let (id, words) = (watch.begin("all", "a"), watch.begin("text", "a"));
    watch.push(words, &header(&[captions.clone(), commands(7), other.clone()])).unwrap();
    watch.push(id, &header(&specs)).unwrap();
    assert!(watch.point.snapshot().is_none());
    push(&mut watch, id, &specs, 0..4);
    let names = ["video", "audio", "captions", "subtitles"];
    let of = |counts: [usize; 4]| names.map(str::to_owned).into_iter().zip(counts).collect();
    let expected: Vec<_> = of([2, 2, 0, 0]);
    assert_eq!(counts(&watch), expected, "and no commands");
    let manifest = String::from_utf8(watch.presentation().manifest().unwrap().to_vec()).unwrap();
    assert!(!manifest.contains("captions"), "{manifest}");
    // One at the beginning, and one that is late.
    watch.push(words, &cue(&captions, 0)).unwrap();
    push(&mut watch, id, &specs, 4..20);
    watch.push(words, &cue(&other, 20)).unwrap();
    watch.push(id, END).unwrap();
    watch.push(words, END).unwrap();
    assert_eq!(watch.point.state(), PointState::Stopped);
    assert_eq!((watch.times("captions"), watch.times("subtitles")), (vec![0], vec![20_000]));
    assert_eq!(watch.files.len(), 4);
}

#[test]
fn a_header_of_captions_that_comes_late_makes_a_snapshot() {
    let (specs, captions) = (pair(), text(9));
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("all", "a");
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..10);
    let before = watch.count("published");
    let words = watch.begin("text", "a");
    watch.push(words, &header(std::slice::from_ref(&captions))).unwrap();
    watch.tick();
    assert_eq!(watch.count("published"), before + 1, "{:?}", watch.kinds);
    assert_eq!(counts(&watch).last().unwrap(), &("captions".to_owned(), 0));
    watch.push(words, &cue(&captions, 5)).unwrap();
    assert_eq!(watch.times("captions"), [5000]);
    watch.push(id, END).unwrap();
}

#[test]
fn one_track_of_a_stream_of_captions_is_announced() {
    let specs = pair();
    let captions = [1, 2].map(|bitrate| Spec { bitrate, ..text(9) });
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("all", "a");
    let words = ["one", "other"].map(|stream| watch.begin(stream, "a"));
    for (id, captions) in words.into_iter().zip(&captions) {
        watch.push(id, &header(std::slice::from_ref(captions))).unwrap();
    }
    watch.push(id, &header(&specs)).unwrap();
    push(&mut watch, id, &specs, 0..5);
    assert_eq!(watch.files.len(), 3);
    watch.push(words[1], &cue(&captions[1], 1)).unwrap();
    watch.push(words[0], &cue(&captions[0], 2)).unwrap();
    assert_eq!(watch.files.len(), 4);
    assert_eq!(watch.times("captions"), [1000, 2000]);
}

#[test]
fn captions_that_are_announced_keep_their_header() {
    let (specs, captions) = (pair(), text(9));
    let clear = header(std::slice::from_ref(&captions)).to_vec();
    let mut other = clear.clone();
    let at = other.windows(4).position(|bytes| bytes == b"stpp").unwrap();
    other[at..at + 4].copy_from_slice(b"enct");
    for is_early in [false, true] {
        let mut watch = Watch::new(PointOptions::default());
        let id = watch.begin("all", "a");
        let words = ["a", "b"].map(|encoder| watch.begin("text", encoder));
        watch.push(words[0], &clear).unwrap();
        if is_early {
            // Whoever sends the first fragment decides.
            watch.push(words[1], &other).unwrap();
        }
        watch.push(id, &header(&specs)).unwrap();
        push(&mut watch, id, &specs, 0..5);
        assert_eq!(watch.files.len(), if is_early { 2 } else { 3 });
        if !is_early {
            assert!(watch.push(words[1], &other).is_err());
        }
        watch.push(words[0], &cue(&captions, 1)).unwrap();
        assert_eq!(watch.times("captions"), [1000]);
    }
}

#[test]
fn captions_may_come_with_another_header_and_encrypted_ones_may_not() {
    let (specs, captions) = (pair(), text(9));
    let stpp = header(std::slice::from_ref(&captions)).to_vec();
    let of = |format: &[u8; 4]| {
        let at = stpp.windows(4).position(|bytes| bytes == b"stpp").unwrap();
        [&stpp[..at], format, &stpp[at + 4..]].concat()
    };
    for restarts in [false, true] {
        let options = PointOptions::default().restart_on_encoder_reconnect(restarts);
        let mut watch = Watch::new(options);
        let id = watch.begin("all", "a");
        watch.push(id, &header(&specs)).unwrap();
        let words = watch.begin("text", "a");
        watch.push(words, &stpp).unwrap();
        push(&mut watch, id, &specs, 0..5);
        assert_eq!(watch.files.len(), 3);
        watch.lost(words);
        for second in [1, 4] {
            // It comes again, and the second time there is a caption.
            let words = watch.begin("text", "b");
            watch.push(words, &of(b"dfxp")).unwrap();
            watch.push(words, &cue(&captions, second)).unwrap();
            watch.lost(words);
        }
        assert_eq!(watch.times("captions"), [1000, 4000]);
        assert_eq!((watch.count("began"), watch.count("codec-changed")), (1, 0));
        let words = watch.begin("text", "c");
        assert_eq!(watch.push(words, &of(b"enct")).is_err(), !restarts);
    }
}

#[test]
fn captions_without_a_bitrate_have_one_address_whenever_the_first_one_comes() {
    let (specs, captions) = (pair(), Spec { bitrate: 0, ..text(9) });
    for is_early in [false, true] {
        let mut watch = Watch::new(PointOptions::default());
        let (id, words) = (watch.begin("all", "a"), watch.begin("text", "a"));
        watch.push(words, &header(std::slice::from_ref(&captions))).unwrap();
        watch.push(id, &header(&specs)).unwrap();
        if is_early {
            watch.push(words, &cue(&captions, 0)).unwrap();
        }
        push(&mut watch, id, &specs, 0..5);
        if !is_early {
            watch.push(words, &cue(&captions, 0)).unwrap();
        }
        assert_eq!(watch.times("captions"), [0]);
        let streams = watch.presentation().streams().iter();
        let bitrates: Vec<_> = streams.map(|of| of.tracks()[0].bitrate()).collect();
        assert_eq!(bitrates, [2_000_000, 64_000, 1], "early: {is_early}");
    }
}

/// Pictures of one stream that end at 20 s, and then those of another one, with captions all the time.
fn pictures_of_another_stream(options: PointOptions, other: &Spec) -> Watch {
    let (specs, captions) = ([video(1, 2_000_000)], text(9));
    let mut watch = Watch::new(options);
    let (id, words) = (watch.begin("all", "a"), watch.begin("text", "c"));
    watch.push(id, &header(&specs)).unwrap();
    watch.push(words, &header(std::slice::from_ref(&captions))).unwrap();
    let caption = |watch: &mut Watch, number: i64| {
        watch.push(words, &cue(&captions, 2 * number)).unwrap();
    };
    for number in 0..10 {
        push(&mut watch, id, &specs, [number]);
        caption(&mut watch, number);
    }
    watch.lost(id);
    let id = watch.begin("other", "b");
    watch.push(id, &header(std::slice::from_ref(other))).unwrap();
    for number in 10..60_i64 {
        watch.pass(2000);
        let long = 2 * other.timescale;
        watch.push(id, &other.fragment(number * i64::from(long), long, 0)).unwrap();
        caption(&mut watch, number);
        watch.tick();
    }
    watch
}

#[test]
fn captions_go_on_with_the_pictures_that_go_on() {
    // The encoder is another one, with another timescale; or there is another camera.
    let others = [
        Spec { timescale: 90_000, ..video(1, 3_000_000) },
        Spec { name: "camera", ..video(1, 3_000_000) },
    ];
    for other in &others {
        let watch = pictures_of_another_stream(PointOptions::default(), other);
        // Two chunks are held back.
        assert_eq!(watch.times("captions"), starts(0..58), "{other:?}");
        let window = Some(Duration::from_secs(20));
        let mut watch = pictures_of_another_stream(PointOptions::default().window(window), other);
        let manifest = |watch: &Watch| {
            let bytes = watch.presentation().manifest().unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        let text = manifest(&watch);
        assert!(text.contains("Name=\"captions\""), "{text}");
        // Nothing is left of the first stream, so no stream says that it belongs to it.
        assert!(!text.contains("Name=\"video\""), "{text}");
        assert!(!text.contains("ParentStreamIndex"), "{text}");
        watch.stop();
        assert_eq!(watch.times("captions").last(), Some(&118_000), "{other:?}");
    }
}

#[test]
fn commands_are_published_at_their_times_as_the_sheet_has_them() {
    let (specs, scte) = (pair(), commands(9));
    let mut watch = Watch::new(PointOptions::default());
    let (id, words) = (watch.begin("all", "a"), watch.begin("events", "a"));
    watch.push(id, &header(&specs)).unwrap();
    watch.push(words, &header(std::slice::from_ref(&scte))).unwrap();
    push(&mut watch, id, &specs, 0..10);
    let pushed: Vec<_> = [7, 13, 16].map(|second| cue(&scte, second)).to_vec();
    for command in &pushed {
        watch.push(words, command).unwrap();
    }
    let manifest = |watch: &Watch| {
        let bytes = watch.presentation().manifest().unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    let text = manifest(&watch);
    let index = text.split("<StreamIndex").find(|of| of.contains("Type=\"text\"")).unwrap();
    for part in [
        "Name=\"scte35\"",
        "Subtype=\"DATA\"",
        "ParentStreamIndex=\"video\"",
        "Bitrate=\"0\"",
        "<Attribute Name=\"Scheme\" Value=\"urn:scte:scte35:2013:bin\"",
        "t=\"70000000\"",
        "t=\"130000000\"",
    ] {
        assert!(index.contains(part), "{part}: {index}");
    }
    // What is not embedded does not say so.
    assert!(!index.contains("ManifestOutput"), "{index}");
    assert_eq!(watch.times("scte35"), [7_000, 13_000], "16 s is not live yet");
    push(&mut watch, id, &specs, 10..12);
    watch.push(id, END).unwrap();
    assert_eq!(watch.times("scte35"), [7_000, 13_000, 16_000]);
    assert!(manifest(&watch).contains("urn:scte:scte35:2013:bin"));
    let file = watch.published_chunks.iter().find(|of| of.1.0.contains("scte35")).unwrap();
    let samples = |bytes: &[u8]| {
        let moof = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        bytes[moof..].to_vec()
    };
    let stored = watch.fragments(file.0.1.index() as u32);
    let stored: Vec<_> = stored.iter().map(|of| samples(&of.bytes)).collect();
    assert_eq!(stored, pushed.iter().map(|of| samples(of)).collect::<Vec<_>>());
}

#[test]
fn a_quality_leaves_the_manifest_with_its_last_fragment_and_comes_back() {
    let window = Some(std::time::Duration::from_secs(20));
    let options = PointOptions::default().window(window);
    let (low, high) = (vec![video(1, 500_000)], vec![video(1, 3_000_000)]);
    let mut watch = Watch::new(options);
    let (a, b) = (watch.begin("low", "a"), watch.begin("high", "a"));
    watch.push(a, &header(&low)).unwrap();
    watch.push(b, &header(&high)).unwrap();
    let bitrates = |watch: &Watch| {
        let bytes = watch.presentation().manifest().unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        [500_000, 3_000_000].map(|rate: u32| text.contains(&format!("Bitrate=\"{rate}\"")))
    };
    for number in 0..10 {
        push(&mut watch, a, &low, number..number + 1);
        watch.push(b, &high[0].fragment(number * i64::from(LONG), LONG, 0)).unwrap();
    }
    watch.lost(b);
    push(&mut watch, a, &low, 10..30);
    assert_eq!(bitrates(&watch), [true, true], "it is served for the window and 30 s");
    push(&mut watch, a, &low, 30..50);
    assert_eq!(bitrates(&watch), [true, false]);
    let b = watch.begin("high", "a");
    watch.push(b, &header(&high)).unwrap();
    for number in 50..60 {
        push(&mut watch, a, &low, number..number + 1);
        watch.push(b, &high[0].fragment(number * i64::from(LONG), LONG, 0)).unwrap();
    }
    assert_eq!(bitrates(&watch), [true, true]);
}

/// Pictures and sound that have ended at 20 s, while an encoder of captions is connected.
fn ended_but_for_captions() -> (Watch, smooth_origin::live::PushId) {
    let (specs, captions) = (pair(), text(9));
    let mut watch = Watch::new(PointOptions::default());
    let (id, words) = (watch.begin("all", "a"), watch.begin("text", "b"));
    watch.push(id, &header(&specs)).unwrap();
    watch.push(words, &header(std::slice::from_ref(&captions))).unwrap();
    push(&mut watch, id, &specs, 0..10);
    watch.push(words, &cue(&captions, 5)).unwrap();
    watch.push(id, END).unwrap();
    watch.end(id).unwrap();
    (watch, words)
}

#[test]
fn the_last_caption_may_come_a_moment_after_the_end_of_all_other_streams() {
    let (mut watch, words) = ended_but_for_captions();
    watch.pass(900);
    watch.tick();
    assert_eq!(watch.point.state(), PointState::Started);
    watch.push(words, &cue(&text(9), 19)).unwrap();
    // Its end ends the event at once.
    watch.push(words, END).unwrap();
    assert_eq!(watch.point.state(), PointState::Stopped);
    assert_eq!(watch.times("captions"), [5000, 19_000]);
    assert_eq!(watch.times("video"), starts(0..10));
}

#[test]
fn captions_that_do_not_end_hold_up_the_end_for_a_moment() {
    let (mut watch, words) = ended_but_for_captions();
    watch.pass(500);
    watch.push(words, &cue(&text(9), 18)).unwrap();
    assert_eq!(watch.point.state(), PointState::Started);
    watch.pass(500);
    watch.tick();
    assert_eq!(watch.point.state(), PointState::Stopped);
    assert_eq!(watch.times("captions"), [5000, 18_000]);
    assert_eq!(watch.push(words, &cue(&text(9), 19)).unwrap_err().kind.status(), 503);
}

#[test]
fn nothing_waits_for_captions_whose_encoder_has_gone_or_when_the_operator_stops() {
    let (mut watch, words) = ended_but_for_captions();
    watch.lost(words);
    assert_eq!(watch.point.state(), PointState::Stopped);
    let (mut watch, _) = ended_but_for_captions();
    watch.stop();
    assert_eq!(watch.point.state(), PointState::Stopped);
}
