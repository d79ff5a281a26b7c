use std::sync::Arc;

use super::*;
use crate::base::{Limits, Timescale};
use crate::manifest::StreamKind;
use crate::output::cmaf;
use crate::presentation::growing::samples::{Event, Pushed, SECOND};
use crate::presentation::{ClipTimes, Liveness, OpenOptions, Piece, Stream};

fn mpd(of: &Presentation) -> Result<String, &'static str> {
    let reply = answer(of, Request::Mpd).map_err(|error| error.kind.code())?;
    assert_eq!(reply.representation().liveness(), of.liveness());
    match reply.pieces() {
        [Piece::Bytes(bytes)] => Ok(String::from_utf8(bytes.to_vec()).unwrap()),
        other => panic!("{other:?}"),
    }
}

/// The values of an attribute, in document order.
fn all<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let before = format!(" {name}=\"");
    let parts = text.split(&*before).skip(1);
    parts.map(|rest| rest.split('"').next().unwrap()).collect()
}

/// The time of the clock of an MPD.
fn clock(text: &str) -> &str {
    let before = r#"<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value=""#;
    text.split(before).nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

/// The date that is so many seconds after the beginning of the event.
fn date_of(seconds: u64) -> String {
    format!("2026-11-24T00:{:02}:{:02}.000Z", seconds / 60, seconds % 60)
}

#[test]
fn the_mpd_of_an_event_is_dynamic_and_its_times_stay_what_they_are() {
    let mut audio = Pushed::new(StreamKind::Audio, 2, 128_000);
    audio.timescale = Timescale::new(48_000).unwrap();
    let mut event = Event::new(vec![Pushed::new(StreamKind::Video, 1, 800_000), audio]);
    assert_eq!(mpd(&event.snapshot(None)), Err("not-yet"));
    let first = 3;
    for number in first..30 {
        event.add(0, 2 * SECOND * number, 2 * SECOND);
        event.add(1, 96_000 * number, 96_000);
        let text = mpd(&event.snapshot(Some(20))).unwrap();
        for (name, value) in [
            ("type", "dynamic"),
            // The event began at midnight, and its first chunk six seconds later.
            ("availabilityStartTime", "2026-11-24T00:00:06.000Z"),
            ("publishTime", "2026-11-24T00:01:40.000Z"),
            ("minimumUpdatePeriod", "PT2S"),
            ("timeShiftBufferDepth", "PT20S"),
            ("suggestedPresentationDelay", "PT10S"),
        ] {
            assert_eq!(all(&text, name), [value], "{text}");
        }
        assert_eq!(all(&text, "presentationTimeOffset"), ["60000000", "288000"]);
        let begin = first.max((number + 1).saturating_sub(10));
        let (video, audio) = (2 * SECOND * begin, 96_000 * begin);
        assert_eq!(all(&text, "t"), [video.to_string(), audio.to_string()], "{text}");
        assert!(!text.contains("mediaPresentationDuration"));
        // Three segments behind what is listed, so that players find what they look for.
        assert_eq!(clock(&text), date_of(2 * number + 8), "{text}");
    }
    (30..60).for_each(|number| event.add(0, 2 * SECOND * number, 2 * SECOND));
    (30..60).for_each(|number| event.add(1, 96_000 * number, 96_000));
    let text = mpd(&event.snapshot(Some(20))).unwrap();
    assert_eq!(clock(&text), date_of(100), "that of the event, if it is not behind");
    let film = mpd(&event.film()).unwrap();
    assert_eq!(
        (all(&film, "type"), all(&film, "mediaPresentationDuration")),
        (vec!["static"], vec!["PT114S"])
    );
    // Players that follow the event over its end have the same Period, and the same times.
    assert_eq!(all(&film, "start"), ["PT0S"]);
    assert_eq!(all(&film, "presentationTimeOffset"), ["60000000", "288000"]);
    assert!(!film.contains("availabilityStartTime") && !film.contains("UTCTiming"));
}

#[test]
fn players_stay_within_a_short_window_and_an_endless_one_has_no_depth() {
    let mut event = Event::usual();
    (0..10).for_each(|number| event.add_chunk(number));
    let endless = mpd(&event.snapshot(None)).unwrap();
    assert!(!endless.contains("timeShiftBufferDepth"));
    let short = mpd(&event.snapshot(Some(8))).unwrap();
    assert_eq!(all(&short, "suggestedPresentationDelay"), ["PT6S"]);
}

#[test]
fn one_long_segment_delays_players_as_long_as_it_is_listed() {
    let mut event = Event::usual();
    (0..5).for_each(|number| event.add_chunk(number));
    (0..3).for_each(|track| event.add(track, 10 * SECOND, 10 * SECOND));
    (10..15).for_each(|number| event.add_chunk(number));
    let of = |text: &str| {
        let names = ["minimumUpdatePeriod", "suggestedPresentationDelay"];
        names.map(|name| all(text, name).concat())
    };
    assert_eq!(of(&mpd(&event.snapshot(Some(100))).unwrap()), ["PT10S", "PT50S"]);
    (15..20).for_each(|number| event.add_chunk(number));
    assert_eq!(of(&mpd(&event.snapshot(Some(20))).unwrap()), ["PT2S", "PT10S"]);
}

#[test]
fn players_are_told_to_go_back_no_farther_than_there_are_segments() {
    let mut event = Event::usual();
    (0..45).for_each(|number| event.add_chunk(number));
    let depth = |of: &Presentation| all(&mpd(of).unwrap(), "timeShiftBufferDepth").concat();
    let delayed = |whole: &Presentation, seconds: u64| {
        let delay = Some(seconds * SECOND);
        depth(&whole.clip(&ClipTimes { delay, ..ClipTimes::default() }).unwrap())
    };
    assert_eq!(depth(&event.snapshot(None)), "");
    assert_eq!(depth(&event.snapshot(Some(600))), "PT600S", "all of it is there");
    assert_eq!(depth(&event.snapshot(Some(40))), "PT40S");
    // The window becomes longer: what has left it does not come back.
    assert_eq!(depth(&event.snapshot(Some(600))), "PT40S");
    assert_eq!(depth(&event.snapshot(None)), "PT40S");
    // Only what is in memory can be shown later.
    event.growing.drop_before(50 * SECOND);
    let whole = event.snapshot(Some(40));
    assert_eq!(delayed(&whole, 10), "PT30S");
    assert_eq!(delayed(&whole, 30), "PT10S");
    // Of a segment in which the window begins or ends, less may be there.
    (45..55).for_each(|number| event.add_chunk(number));
    assert_eq!(delayed(&event.snapshot(Some(41)), 11), "PT41S");
}

#[test]
fn the_times_of_an_event_stay_when_it_ends() {
    let sound =
        Pushed { timescale: Timescale::new(48_000).unwrap(), ..Event::usual().tracks.remove(2) };
    let mut event = Event::new(vec![Pushed::new(StreamKind::Video, 1, 800_000), sound]);
    for number in 3..60 {
        event.add(0, 2 * SECOND * number, 2 * SECOND);
        event.add(1, 96_000 * number, 96_000);
        event.snapshot(Some(20));
    }
    let (live, film) = (event.snapshot(Some(20)), event.film());
    let [live, film] = [live, film].map(|of| mpd(&of).unwrap());
    let of = |text: &str| {
        let names = ["start", "presentationTimeOffset", "t", "mediaPresentationDuration"];
        names.map(|name| all(text, name).join(" "))
    };
    let times = "1000000000 4800000";
    assert_eq!(of(&live), ["PT0S", "60000000 288000", times, ""]);
    assert_eq!(of(&film), ["PT0S", "60000000 288000", times, "PT114S"]);
}

#[test]
fn segments_of_an_event_have_the_samples_that_were_pushed() {
    let mut event = Event::usual();
    (0..5).for_each(|number| event.add_chunk(number));
    let snapshot = event.snapshot(Some(4));
    let ask = |of: &Arc<Presentation>, path: &str| {
        let request = cmaf::Request::parse(path).unwrap();
        let reply = cmaf::answer(of, &request).and_then(|step| event.drive(step));
        let reply = reply.map_err(|error| error.kind.code())?;
        if let Ok(Identity::Known(known)) = cmaf::identify(of, &request) {
            assert_eq!(known, *reply.representation());
        }
        Ok::<_, &str>(reply)
    };
    let time = 4 * SECOND;
    let reply = ask(&snapshot, &format!("video-800000/{time}.m4s")).unwrap();
    let [Piece::Bytes(head), Piece::Stored(samples)] = reply.pieces() else { panic!() };
    assert!(head.windows(4).any(|word| word == b"tfdt"));
    assert!(head.windows(8).any(|word| word == time.to_be_bytes()));
    let samples = &event.files[1][samples.range.start as usize..samples.range.end as usize];
    assert_eq!(samples[..8], time.to_be_bytes());
    assert_eq!(reply.representation().liveness(), Liveness::Live);
    for (path, error) in [
        ("video-800000/100000000.m4s", "not-yet"),
        ("video-800000/5.m4s", "no-fragment"),
        ("video-1/0.m4s", "no-track"),
    ] {
        assert_eq!(ask(&snapshot, path).map(|_| ()), Err(error), "{path}");
    }
    let header = ask(&snapshot, "video-800000/init.mp4").unwrap();
    assert!(matches!(header.pieces(), [Piece::Bytes(_)]));
    assert_eq!(header.representation().liveness(), Liveness::Live);
    // Equal for all snapshots.
    let (segment, header) = (reply.validator(), header.validator());
    event.add_chunk(5);
    let next = event.snapshot(Some(4));
    let ask = |path: &str| {
        let request = cmaf::Request::parse(path).unwrap();
        event.drive(cmaf::answer(&next, &request).unwrap()).unwrap().validator()
    };
    assert_eq!(ask(&format!("video-800000/{time}.m4s")), segment);
    assert_eq!(ask("video-800000/init.mp4"), header);
}

#[test]
fn the_mpd_has_a_validator_of_its_text() {
    let mut event = Event::usual();
    event.add_chunk(0);
    let of = |of: &Presentation| answer(of, Request::Mpd).unwrap().validator();
    let first = event.snapshot(None);
    event.add_chunk(1);
    let next = event.snapshot(None);
    assert_eq!(of(&first), of(&first));
    assert_ne!(of(&first), of(&next));
}

#[test]
fn captions_from_long_ago_do_not_move_the_beginning_of_an_event() {
    let tracks = [StreamKind::Text, StreamKind::Video, StreamKind::Audio];
    let tracks = tracks.map(|kind| Pushed::new(kind, 1 + kind as u32, 1000)).to_vec();
    let mut event = Event::new(tracks);
    event.add(0, 3 * SECOND, SECOND);
    for number in 30..40 {
        event.add(1, 2 * SECOND * number, 2 * SECOND);
        event.add(2, 2 * SECOND * number, 2 * SECOND);
        let text = mpd(&event.snapshot(Some(20))).unwrap();
        assert_eq!(all(&text, "availabilityStartTime"), ["2026-11-24T00:01:00.000Z"], "{text}");
        assert_eq!(all(&text, "presentationTimeOffset"), ["600000000"; 3]);
    }
    let film = event.film();
    assert_eq!(all(&mpd(&film).unwrap(), "mediaPresentationDuration"), ["PT20S"]);
    let smooth = String::from_utf8(film.manifest().unwrap().to_vec()).unwrap();
    assert_eq!(all(&smooth, "Duration"), ["200000000"], "{smooth}");
    // There is nothing else.
    let mut event = Event::new(vec![Pushed::new(StreamKind::Text, 1, 1000)]);
    event.add(0, 3 * SECOND, SECOND);
    let text = mpd(&event.snapshot(Some(20))).unwrap();
    assert_eq!(all(&text, "presentationTimeOffset"), ["30000000"]);
}

#[test]
fn sets_of_an_event_keep_their_identifiers_when_others_come() {
    let (video, audio) = (StreamKind::Video, StreamKind::Audio);
    let sound = Pushed { name: Some("english"), ..Pushed::new(audio, 1, 128_000) };
    let mut event = Event::new(vec![sound, Pushed::new(StreamKind::Text, 2, 1000)]);
    let ids = |event: &mut Event, request| {
        let reply = answer(&event.snapshot(Some(20)), request).unwrap();
        let [Piece::Bytes(text)] = reply.pieces() else { panic!() };
        let text = String::from_utf8(text.to_vec()).unwrap();
        let sets = text.split("<AdaptationSet").skip(1).map(|set| {
            // That of the set, and that of its first track.
            let ids = all(set, "id");
            (ids[1].to_owned(), ids[0].parse::<u32>().unwrap())
        });
        sets.collect::<std::collections::BTreeMap<_, _>>()
    };
    event.add_chunk(0);
    let first = ids(&mut event, Request::Mpd);
    let more = [
        Pushed { name: Some("german"), ..Pushed::new(audio, 3, 128_000) },
        Pushed::new(video, 4, 800_000),
    ];
    event.growing = event.growing.with_files(more.iter().map(Pushed::file).collect()).unwrap();
    event.files.extend(more.iter().map(|of| of.head().to_vec()));
    event.tracks.extend(more);
    event.add_chunk(1);
    let later = ids(&mut event, Request::Mpd);
    let trick = ids(&mut event, Request::MpdWithKeyFrames);
    assert_eq!((first.len(), later.len(), trick.len()), (2, 4, 5), "{trick:?}");
    assert!(first.iter().all(|of| later.get(of.0) == Some(of.1)), "{first:?} {later:?}");
    assert!(later.iter().all(|of| trick.get(of.0) == Some(of.1)), "{later:?} {trick:?}");
    let distinct: std::collections::BTreeSet<_> = trick.values().collect();
    assert_eq!(distinct.len(), 5);
}

#[test]
fn a_quality_that_joins_late_does_not_change_the_codec_of_the_lowest_one_of_a_set() {
    let video =
        |id, bitrate, level| Pushed { level, ..Pushed::new(StreamKind::Video, id, bitrate) };
    let mut event = Event::new(vec![video(1, 3_000_000, 40), video(2, 800_000, 30)]);
    // Of each set its identifier, the set beside it, and its tracks.
    let sets = |of: &Presentation| -> Vec<(String, Option<String>, String)> {
        let text = mpd(of).unwrap();
        let set = |set: &str| {
            let (head, tracks) = set.split_once("<SegmentTemplate").unwrap();
            let beside = head.split_once("adaptation-set-switching:2016\" value=\"");
            let beside = beside.map(|(_, of)| of.split('"').next().unwrap().to_owned());
            (all(head, "id")[0].to_owned(), beside, all(tracks, "id").join(" "))
        };
        text.split("<AdaptationSet").skip(1).map(set).collect()
    };
    event.add_chunk(0);
    let first = sets(&event.snapshot(Some(20)));
    assert_eq!(first.len(), 1);
    assert_eq!((&*first[0].2, &first[0].1), ("video-3000000 video-800000", &None));
    let late = [
        video(3, 300_000, 21),
        video(4, 200_000, 30),
        video(5, 100_000, 21),
        video(6, 5_000_000, 51),
        video(7, 50_000, 13),
    ];
    event.growing = event.growing.with_files(late.iter().map(Pushed::file).collect()).unwrap();
    event.files.extend(late.iter().map(|of| of.head().to_vec()));
    event.tracks.extend(late);
    event.add_chunk(1);
    let later = sets(&event.snapshot(Some(20)));
    let (id, beside) = (first[0].0.clone(), Some(first[0].0.clone()));
    let tracks: Vec<_> = later.iter().map(|(_, _, tracks)| &**tracks).collect();
    let main = "video-5000000 video-3000000 video-800000 video-200000";
    assert_eq!(tracks, [main, "video-300000 video-100000", "video-50000"]);
    assert_eq!((&later[0].0, &later[0].1), (&id, &None));
    assert!(later[1..].iter().all(|of| of.0 != id && of.1 == beside), "{later:?}");
    assert_ne!(later[1].0, later[2].0);
    (2..20).for_each(|number| event.add_chunk(number));
    event.growing.drop_before(20 * SECOND);
    assert_eq!(sets(&event.snapshot(Some(10))), later, "when the beginning has left the window");
    assert_eq!(sets(&event.film()), later);
}

/// The lists of segments of an MPD: those of sets, and those that tracks have of their own with the names of the tracks.
fn lists(text: &str) -> (Vec<&str>, Vec<(&str, &str)>) {
    let (mut of_sets, mut of_tracks) = (Vec::new(), Vec::new());
    for set in text.split("<AdaptationSet").skip(1) {
        let list = |of| Some(str::split_once(of, "<SegmentTimeline>\n")?.1.split_once("\n</S")?.0);
        let mut parts = set.split("<Representation");
        of_sets.extend(parts.next().and_then(list));
        of_tracks.extend(parts.filter_map(|part| Some((all(part, "id")[0], list(part)?))));
    }
    (of_sets, of_tracks)
}

#[test]
fn a_quality_that_lacks_segments_has_a_list_of_its_own_until_they_have_left_the_window() {
    let mut event = Event::usual();
    let mut own = Vec::new();
    for number in 0..20_u64 {
        let time = 2 * SECOND * number;
        event.add(0, time, 2 * SECOND);
        event.add(2, time, 2 * SECOND);
        // It joins late, and lacks one later.
        if number >= 3 && number != 5 {
            event.add(1, time, 2 * SECOND);
        }
        let text = mpd(&event.snapshot(Some(16))).unwrap();
        let (of_sets, of_tracks) = lists(&text);
        let begin = 2 * SECOND * (number + 1).saturating_sub(8);
        assert!(of_sets.len() == 2 && of_sets[0] == of_sets[1], "{text}");
        assert!(of_sets[0].starts_with(&format!("<S t=\"{begin}\"")), "{text}");
        assert_eq!(text.contains("\"video-800000\""), number >= 3, "{text}");
        own.push(match of_tracks[..] {
            [] => None,
            [("video-800000", list)] => Some(list.replace('\n', "")),
            _ => panic!("{text}"),
        });
    }
    let list = |at: usize| own[at].as_deref();
    let [third, sixth] = [r#"<S t="60000000" d="20000000""#, r#"<S t="120000000" d="20000000""#];
    let once = |first: &str| format!("{first}/>");
    assert_eq!(list(3), Some(&*once(third)));
    assert_eq!(list(4), Some(&*format!("{third} r=\"1\"/>")));
    assert_eq!(list(5), list(4));
    assert_eq!(list(6), Some(&*format!("{third} r=\"1\"/>{sixth}/>")));
    assert_eq!(list(12), Some(&*format!("{sixth} r=\"6\"/>")));
    assert!(own[..3].iter().chain(&own[13..]).all(Option::is_none), "{own:?}");
}

/// The usual tracks of an event whose manifests may have so many bytes.
fn event_of(bytes: u64) -> Event {
    let limits = Limits { client_manifest: bytes, ..Limits::default() };
    let tracks = Event::usual().tracks;
    Event::with_options(tracks, &OpenOptions::default().limits(limits))
}

#[test]
fn the_lists_that_tracks_have_of_their_own_have_a_budget() {
    let mut event = event_of(40 * 256);
    event.add(0, 0, 2 * SECOND);
    for number in 1..41 {
        event.add_chunk(number);
        let text = mpd(&event.snapshot(None)).unwrap();
        assert!(text.contains("\"video-800000\""));
        assert_eq!(lists(&text).1.len(), usize::from(number < 40), "{number}");
    }
}

#[test]
fn no_number_of_chunks_takes_a_stream_of_an_event_away() {
    // About a hundred segments in a playlist.
    for window in [Some(20), None] {
        let mut event = event_of(8000);
        let mut counts = Vec::new();
        for number in 0..300 {
            event.add_chunk(number);
            let snapshot = event.snapshot(window);
            let count = |of: &Stream| of.segments().count();
            counts.push(snapshot.streams().iter().map(count).collect::<Vec<_>>());
            assert_eq!(snapshot.listed().len(), 2, "{number}");
        }
        assert!(counts.iter().all(|of| of[0] == of[1]), "{counts:?}");
        let most = window.map_or(100..150, |_| 10..11);
        assert!(most.contains(&counts[299][0]), "{counts:?}");
    }
}
