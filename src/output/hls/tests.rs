use std::sync::Arc;

use super::*;
use crate::base::Timescale;
use crate::manifest::StreamKind;
use crate::presentation::growing::samples::{Event, Pushed, SECOND};
use crate::presentation::{Liveness, Piece};

fn text(of: &Presentation, path: &str) -> Result<String, &'static str> {
    let request = Request::parse(path).unwrap();
    let reply = answer(of, request).map_err(|error| error.kind.code())?;
    assert_eq!(reply.representation().liveness(), of.liveness());
    let known = identify(of, request).unwrap();
    assert_eq!(known, Identity::Known(*reply.representation()));
    match reply.pieces() {
        [Piece::Bytes(bytes)] => Ok(String::from_utf8(bytes.to_vec()).unwrap()),
        other => panic!("{other:?}"),
    }
}

fn video(of: &Presentation) -> String {
    text(of, "video-800000.m3u8").unwrap()
}

/// The value of a tag.
fn tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let found = lines.next();
    assert!(lines.next().is_none() || name == "#EXTINF", "{text}");
    found
}

/// The lines that belong to segments: from the first one on.
fn body(text: &str) -> Vec<&str> {
    let lines = text.lines().skip_while(|line| !line.starts_with("#EXTINF"));
    lines.filter(|line| *line != "#EXT-X-ENDLIST").collect()
}

#[test]
fn a_window_moves_over_the_segments_and_keeps_all_that_was_announced() {
    let mut event = Event::usual();
    event.add_chunk(0);
    let mut before = video(&event.snapshot(Some(20)));
    for number in 1..40 {
        event.add_chunk(number);
        if number > 15 {
            event.growing.drop_before((number - 15) * 2 * SECOND);
        }
        let playlist = video(&event.snapshot(Some(20)));
        let sequence =
            |text: &str| tag(text, "#EXT-X-MEDIA-SEQUENCE").unwrap().parse::<u64>().unwrap();
        let gone = sequence(&playlist) - sequence(&before);
        assert_eq!(sequence(&playlist), (number + 1).saturating_sub(10));
        // Two lines for each segment.
        let (old, new) = (body(&before), body(&playlist));
        assert_eq!(old[2 * gone as usize..], new[..new.len() - 2], "{playlist}");
        assert_eq!(new.last(), Some(&&*format!("video-800000/{}.m4s", 2 * SECOND * number)));
        assert_eq!(tag(&playlist, "#EXT-X-TARGETDURATION"), Some("2"));
        assert!(!playlist.contains("ENDLIST") && !playlist.contains("PLAYLIST-TYPE"));
        assert!(!playlist.contains("DISCONTINUITY"));
        // The event began at midnight.
        let second = 2 * sequence(&playlist);
        let date = format!("2026-11-24T00:{:02}:{:02}.000Z", second / 60, second % 60);
        assert_eq!(tag(&playlist, "#EXT-X-PROGRAM-DATE-TIME"), Some(&*date));
        before = playlist;
    }
    let film = video(&event.film());
    assert_eq!(film, format!("{before}#EXT-X-ENDLIST\n"), "only its end is added");
}

#[test]
fn discontinuities_are_counted_when_they_leave_the_window() {
    let mut event = Event::usual();
    let mut time = 0;
    for number in 0..30_u64 {
        // A gap of a second behind the chunks 4, 9, and so on.
        if number > 0 && number % 5 == 0 {
            time += SECOND;
        }
        for track in 0..3 {
            event.add(track, time, 2 * SECOND);
        }
        time += 2 * SECOND;
        if number == 20 {
            // Some of them are not even in the timeline any more.
            event.growing.drop_before(24 * SECOND);
        }
        let playlist = video(&event.snapshot(Some(13)));
        let sequence: u64 = tag(&playlist, "#EXT-X-MEDIA-SEQUENCE").unwrap().parse().unwrap();
        let dropped = tag(&playlist, "#EXT-X-DISCONTINUITY-SEQUENCE");
        let dropped = dropped.map_or(0, |text| text.parse::<u64>().unwrap());
        assert_eq!(dropped, sequence / 5, "{playlist}");
        let there = playlist.matches("#EXT-X-DISCONTINUITY\n").count() as u64;
        assert_eq!(there, number / 5 - sequence / 5, "{playlist}");
        assert_eq!(tag(&playlist, "#EXT-X-TARGETDURATION"), Some("2"));
    }
}

#[test]
fn all_playlists_have_one_target_duration_whatever_is_in_the_window() {
    let mut audio = Pushed::new(StreamKind::Audio, 2, 128_000);
    audio.timescale = Timescale::new(48_000).unwrap();
    let mut event = Event::new(vec![Pushed::new(StreamKind::Video, 1, 800_000), audio]);
    let mut time = 0;
    for number in 0..20 {
        event.add(0, 2 * SECOND * number, 2 * SECOND);
        let frames = [93, 94, 95][number as usize % 3] * 1024;
        event.add(1, time, frames);
        time += frames;
        let snapshot = event.snapshot(Some(6));
        for path in ["video-800000.m3u8", "audio-128000.m3u8", "video-800000.key.m3u8"] {
            let playlist = text(&snapshot, path).unwrap();
            assert_eq!(tag(&playlist, "#EXT-X-TARGETDURATION"), Some("2"), "{playlist}");
        }
    }
    // It grows with a segment that needs it, and does not shrink afterwards.
    event.add(0, 40 * SECOND, 4 * SECOND);
    (0..9).for_each(|number| event.add(0, (44 + 2 * number) * SECOND, 2 * SECOND));
    let snapshot = event.snapshot(Some(6));
    assert_eq!(tag(&video(&snapshot), "#EXT-X-TARGETDURATION"), Some("4"));
}

#[test]
fn an_event_without_chunks_has_no_playlist_yet() {
    let mut event = Event::usual();
    let empty = event.snapshot(None);
    assert_eq!(text(&empty, "master.m3u8"), Err("not-yet"));
    assert_eq!(text(&empty, "video-800000.m3u8"), Err("not-yet"));
    event.add(0, 0, 2 * SECOND);
    let first = event.snapshot(None);
    assert!(text(&first, "master.m3u8").unwrap().contains("video-800000.m3u8"));
    assert_eq!(text(&first, "audio-128000.m3u8"), Err("not-yet"));
}

#[test]
fn the_multivariant_playlist_has_one_validator_as_long_as_it_stays_the_same() {
    let mut event = Event::usual();
    event.add_chunk(0);
    let of = |of: &Arc<Presentation>, path| {
        let reply = answer(of, Request::parse(path).unwrap()).unwrap();
        reply.validator()
    };
    let first = event.snapshot(Some(20));
    event.add_chunk(1);
    let next = event.snapshot(Some(20));
    assert_eq!(of(&first, "master.m3u8"), of(&next, "master.m3u8"));
    assert_ne!(of(&first, "video-800000.m3u8"), of(&next, "video-800000.m3u8"));
    assert_eq!(first.liveness(), Liveness::Live);
}
