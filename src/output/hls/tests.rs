use std::collections::BTreeMap;
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

/// The segments of a playlist by their numbers: the tags of each, and its URL.
fn numbered(text: &str) -> BTreeMap<u64, (Vec<&str>, &str)> {
    let mut number = tag(text, "#EXT-X-MEDIA-SEQUENCE").unwrap().parse().unwrap();
    let (mut found, mut tags) = (BTreeMap::new(), Vec::new());
    let is_head = |line: &&str| !line.starts_with("#EXTINF") && !line.starts_with("#EXT-X-PRO");
    for line in text.lines().skip_while(is_head) {
        match line.starts_with('#') {
            true => tags.push(line),
            false => {
                found.insert(number, (std::mem::take(&mut tags), line));
                number += 1;
            }
        }
    }
    found
}

/// The sum of the durations of segments, in units of 100 ns.
fn ticks(tags: &[&str]) -> u64 {
    let lines = tags.iter().filter_map(|line| line.strip_prefix("#EXTINF:"));
    let digits = lines.map(|of| of.trim_end_matches(',').replace('.', "").parse::<u64>().unwrap());
    digits.sum()
}

#[test]
fn gaps_of_an_event_are_marked_segments_whose_numbers_stay_and_no_discontinuities() {
    let mut event = Event::usual();
    let (mut before, mut marked) = (BTreeMap::new(), 0);
    for number in 0..60_u64 {
        let time = 2 * SECOND * number;
        // The pictures lack some chunks, the sound lacks others and ends early at times.
        if !matches!(number % 10, 4 | 5) {
            event.add(0, time, 2 * SECOND);
            event.add(1, time, 2 * SECOND);
        }
        if number % 7 != 3 {
            event.add(2, time, if number % 7 == 5 { 3 * SECOND / 2 } else { 2 * SECOND });
        }
        if number == 40 {
            // Some of them are not even in the timeline any more.
            event.growing.drop_before(48 * SECOND);
        }
        let snapshot = event.snapshot(Some(24));
        for path in ["video-800000.m3u8", "audio-128000.m3u8", "video-800000.key.m3u8"] {
            let Ok(playlist) = text(&snapshot, path) else { continue };
            assert!(!playlist.contains("DISCONTINUITY"), "{playlist}");
            assert_eq!(tag(&playlist, "#EXT-X-TARGETDURATION"), Some("2"));
            let mut time = None;
            for (number, (tags, url)) in numbered(&playlist) {
                let is_marked = tags.contains(&"#EXT-X-GAP");
                let start = url.split(['/', '.']).nth_back(1).unwrap().parse::<u64>().unwrap();
                // Segments and marked ones follow each other without a gap.
                assert!(is_marked || time.is_none_or(|time| time == start), "{playlist}");
                // A mark has the name of the next segment, which is there.
                assert!(!is_marked || time.is_some_and(|time| time < start), "{playlist}");
                time = Some(if is_marked { time.unwrap() } else { start } + ticks(&tags));
                marked += u64::from(is_marked);
                let tags: Vec<_> =
                    tags.into_iter().filter(|of| !of.contains("DATE-TIME")).collect();
                let is = format!("{tags:?} {url}");
                let was = before.entry((path, number)).or_insert_with(|| is.clone());
                assert_eq!(*was, is, "{path}, segment {number}");
            }
        }
    }
    assert!(marked > 0);
}

#[test]
fn a_gap_that_would_need_too_many_segments_has_a_date_alone() {
    let mut event = Event::usual();
    event.add_chunk(0);
    event.add_chunk(5001);
    let playlist = video(&event.snapshot(None));
    assert_eq!(playlist.matches("#EXT-X-GAP\n").count(), 5000);
    event.add_chunk(10_003);
    event.add_chunk(u64::MAX / SECOND / 8);
    let playlist = video(&event.snapshot(None));
    assert_eq!(playlist.matches("#EXT-X-GAP\n").count(), 5000);
    assert_eq!(playlist.matches("#EXT-X-PROGRAM-DATE-TIME").count(), 4);
}

#[test]
fn differences_below_a_millisecond_do_not_add_up() {
    for step in [2 * SECOND + 9000, 2 * SECOND + 1] {
        let (mut event, mut dated) = (Event::usual(), BTreeMap::new());
        for number in 0..150 {
            event.add(0, number * step, 2 * SECOND);
            event.add(1, number * step, 2 * SECOND);
            if number == 100 {
                event.growing.drop_before(50 * step);
            }
            let playlist = video(&event.snapshot(Some(140)));
            let mut derived = 0;
            for (place, (number, (tags, url))) in numbered(&playlist).into_iter().enumerate() {
                let date = tags.iter().find(|of| of.contains("DATE-TIME"));
                let start = url.split(['/', '.']).nth_back(1).unwrap().parse::<u64>().unwrap();
                if date.is_some() {
                    derived = start;
                }
                // Thirty-one times the difference of a segment.
                assert!(derived.abs_diff(start) < 300_000, "{step} {number}: {playlist}");
                derived += ticks(&tags);
                // The first one always has a date, and the others have what they had before.
                if place > 0 {
                    let was = *dated.entry(number).or_insert(date.is_some());
                    assert_eq!(was, date.is_some(), "{step} {number}");
                }
            }
        }
        assert_eq!(dated.values().filter(|is_dated| **is_dated).count(), 4, "{step}");
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
