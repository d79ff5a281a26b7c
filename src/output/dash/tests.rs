use std::sync::Arc;

use super::*;
use crate::base::Timescale;
use crate::manifest::StreamKind;
use crate::output::cmaf;
use crate::presentation::growing::samples::{Event, Pushed, SECOND};
use crate::presentation::{Liveness, Piece};

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
        let clock = r#"<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="2026-11-24T00:01:40.000Z"/>"#;
        assert!(text.contains(clock), "{text}");
    }
    let film = mpd(&event.film()).unwrap();
    assert_eq!(
        (all(&film, "type"), all(&film, "mediaPresentationDuration")),
        (vec!["static"], vec!["PT54S"])
    );
    assert_eq!(all(&film, "presentationTimeOffset"), ["60000000", "288000"]);
    assert!(!film.contains("availabilityStartTime") && !film.contains("UTCTiming"));
}

#[test]
fn players_stay_within_a_short_window_and_an_endless_one_has_no_depth() {
    let mut event = Event::usual();
    (0..10).for_each(|number| event.add_chunk(number));
    let short = mpd(&event.snapshot(Some(8))).unwrap();
    assert_eq!(all(&short, "suggestedPresentationDelay"), ["PT6S"]);
    let endless = mpd(&event.snapshot(None)).unwrap();
    assert!(!endless.contains("timeShiftBufferDepth"));
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
