//! Captions of an event in HLS: segments of WebVTT that are as long as those of the pictures.

use bytes::Bytes;
use smooth_origin::storage::MemoryArchive;

use crate::live_end::{
    CHUNK, Process, SECOND, WALL, assert_grown, follower, playlist, subtitles, urls,
};
use crate::live_point::encoder::{Spec, audio, header, text, video};

const WEBVTT: &str = "subtitles-1000.vtt.m3u8";
const PICTURES: &str = "video-3000000.m3u8";

/// Pushes fragments of a track.
fn push(process: &Process, spec: &Spec, fragments: impl IntoIterator<Item = Bytes>) {
    let mut push = process.point.begin(None, spec.name, "192.0.2.1").unwrap();
    push.push(&header(std::slice::from_ref(spec))).unwrap();
    fragments.into_iter().for_each(|fragment| push.push(&fragment).unwrap());
    smooth_origin::origin::block_on(push.end()).unwrap();
}

/// Pushes captions: their starts and durations in tenths of a second, and their texts.
fn say(process: &Process, captions: &[(i64, i64, &str)]) {
    let tenth = SECOND / 10;
    let fragment = |&(at, lasts, words): &(i64, i64, &str)| {
        subtitles().caption(at * tenth, (lasts * tenth) as u32, words)
    };
    push(process, &subtitles(), captions.iter().map(fragment));
}

/// Pushes chunks of two seconds of the pictures.
fn show(process: &Process, numbers: std::ops::Range<i64>) {
    for number in numbers {
        process.push(&video(1, 3_000_000), [(2 * number * SECOND, CHUNK)]);
        process.pass(2);
    }
}

fn line<'t>(text: &'t str, tag: &str) -> &'t str {
    text.lines().find_map(|line| line.strip_prefix(tag)).unwrap()
}

fn status(process: &Process, path: &str) -> u16 {
    process.get(&format!("/x.isml/{path}")).0
}

/// The segments of the captions: their URLs, and how long they last.
fn segments(playlist: &str) -> Vec<(&str, &str)> {
    let lengths = playlist.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
    urls(playlist, "subtitles-1000.vtt/").into_iter().zip(lengths).collect()
}

/// The URL of the captions between two times in seconds.
fn between(from: i64, to: i64) -> String {
    format!("subtitles-1000.vtt/{}-{}.vtt", from * SECOND, to * SECOND)
}

#[test]
fn captions_are_cut_at_the_chunks_of_the_pictures() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    say(&process, &[]);
    show(&process, 0..3);
    say(&process, &[(50, 70, "long")]);
    show(&process, 3..8);
    say(&process, &[(120, 5, "before"), (125, 30, "after")]);
    show(&process, 8..12);
    let all = format!("{WEBVTT}?start=0");
    let (live, pictures) = (process.text(&all), process.text(&format!("{PICTURES}?start=0")));
    for tag in ["#EXT-X-TARGETDURATION:", "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-PROGRAM-DATE-TIME:"] {
        assert_eq!(line(&live, tag), line(&pictures, tag), "{live}");
    }
    assert!(!live.contains("#EXT-X-GAP") && !live.contains("DISCONTINUITY"), "{live}");
    // One chunk of the pictures is held back. Captions of the newest one may still come.
    let expected: Vec<_> = (0..10).map(|number| between(2 * number, 2 * number + 2)).collect();
    let (listed, lengths): (Vec<_>, Vec<_>) = segments(&live).into_iter().unzip();
    assert_eq!(listed, expected);
    assert!(lengths.iter().all(|of| *of == "2.0000000,"), "{live}");
    let long = "00:00:05.000 --> 00:00:12.000\nlong\n\n";
    let cues = |seconds: i64| match seconds {
        4 | 6 | 8 | 10 => long,
        12 => "00:00:12.000 --> 00:00:12.500\nbefore\n\n00:00:12.500 --> 00:00:15.500\nafter\n\n",
        14 => "00:00:12.500 --> 00:00:15.500\nafter\n\n",
        _ => "",
    };
    let assert_captions = |process: &dyn Fn(&str) -> String, what: &str| {
        for (number, url) in (0_i64..).zip(&expected) {
            let (at, mpeg) = (2 * number, 2 * number * 90_000);
            let map = format!("X-TIMESTAMP-MAP=MPEGTS:{mpeg},LOCAL:00:00:{at:02}.000");
            let text = format!("WEBVTT\n{map}\n\n{}", cues(at));
            assert_eq!(process(url), text, "{what}: {url}");
        }
    };
    assert_captions(&|url| process.text(url), "live");
    let follower = follower(&archive);
    let of_follower = |path: &str| {
        let text = testkit::get(&follower, &format!("/x.isml/{path}")).unwrap();
        String::from_utf8(text).unwrap()
    };
    assert_eq!(of_follower(&all), live);
    assert_captions(&of_follower, "follower");
    let restarted = Process::begin(Some(&archive), WALL + 30);
    assert_eq!(restarted.text(&all), live);
    assert_captions(&|url| restarted.text(url), "restarted");
    // The newest chunk, as a part of the event may list it, what may come some day, and what leads to nothing.
    for (from, to, expected) in
        [(20, 22, 200), (22, 24, 412), (90, 92, 412), (6, 5, 404), (0, 3600, 404)]
    {
        assert_eq!(status(&restarted, &between(from, to)), expected, "{from} to {to}");
    }
    for url in ["subtitles-1000/0-20000000.vtt", "video-3000000/0-20000000.vtt"] {
        assert_eq!(status(&restarted, url), 404, "{url}");
    }
    restarted.stop();
    for process in [restarted, Process::begin(Some(&archive), WALL + 1000)] {
        let ended = process.text(WEBVTT);
        assert_grown(&live, &ended, "ended");
        let (segments, _) = playlist(&ended);
        assert_eq!(segments.len(), 12, "{ended}");
        assert!(segments.values().all(|(_, url)| status(&process, url) == 200));
        assert_captions(&|url| process.text(url), "ended");
        // The film by its own name has its captions as they were pushed.
        let film = testkit::get(&process.origin, &format!("/x.ism/{WEBVTT}")).unwrap();
        let film = String::from_utf8(film).unwrap();
        assert!(urls(&film, "subtitles-1000.vtt/").contains(&"subtitles-1000.vtt/50000000.vtt"));
        assert_eq!(process.get(&format!("/x.ism/{}", expected[0])).0, 404);
    }
}

#[test]
fn the_window_of_captions_is_that_of_the_pictures_whenever_captions_come() {
    let archive = MemoryArchive::new();
    let mut process = Process::begin(Some(&archive), WALL);
    say(&process, &[(0, 10, "first")]);
    show(&process, 0..3);
    let mut before = process.text(WEBVTT);
    for number in 3..60 {
        match number {
            // Longer than the window, behind a pause that is longer than that.
            20 => say(&process, &[(400, 150, "later")]),
            40 => say(&process, &[(790, 5, "again")]),
            50 => process = Process::begin(Some(&archive), WALL + 100),
            _ => {}
        }
        show(&process, number..number + 1);
        let (after, pictures) = (process.text(WEBVTT), process.text(PICTURES));
        assert_grown(&before, &after, &format!("at {number}"));
        assert_eq!(line(&after, "#EXT-X-TARGETDURATION:"), "2", "{after}");
        let ((captions, _), (pictures, _)) = (playlist(&after), playlist(&pictures));
        let numbers = |of: &crate::live_end::Segments| {
            (*of.keys().next().unwrap(), *of.keys().next_back().unwrap())
        };
        let ((first, last), (first_picture, last_picture)) =
            (numbers(&captions), numbers(&pictures));
        assert!(first <= first_picture && last + 1 == last_picture, "{after}");
        assert!(captions.len() >= 3.min(last_picture as usize), "{after}");
        for (number, (_, url)) in &captions {
            let at = 2 * *number as i64;
            assert_eq!(*url, between(at, at + 2));
            assert_eq!(status(&process, url), 200, "{url}");
            let is_shown = at == 0 || (40..55).contains(&at) || at == 78;
            assert_eq!(process.text(url).contains("-->"), is_shown, "{url}");
        }
        // Those that were listed a moment ago.
        let (old, _) = playlist(&before);
        assert!(old.values().all(|(_, url)| status(&process, url) == 200), "{before}");
        before = after;
    }
}

#[test]
fn captions_in_a_gap_of_the_pictures_have_segments() {
    let process = Process::begin(None, WALL);
    say(&process, &[]);
    show(&process, 0..4);
    say(&process, &[(90, 10, "in between")]);
    show(&process, 7..12);
    let playlist = process.text(&format!("{WEBVTT}?start=0"));
    let of: Vec<_> = (0..9).map(|number| between(2 * number, 2 * number + 2)).collect();
    assert_eq!(urls(&playlist, "subtitles-1000.vtt/")[..9], of, "{playlist}");
    assert_eq!(line(&playlist, "#EXT-X-TARGETDURATION:"), "2", "{playlist}");
    let with_captions = of.iter().filter(|url| process.text(url).contains("in between"));
    assert_eq!(with_captions.collect::<Vec<_>>(), [&between(8, 10)]);
}

#[test]
fn captions_that_come_late_are_where_they_belong() {
    let process = Process::begin(None, WALL);
    say(&process, &[]);
    show(&process, 0..6);
    let before = process.text(WEBVTT);
    let url = between(6, 8);
    let tag = |process: &Process| process.get(&format!("/x.isml/{url}")).1["etag"].clone();
    let (empty, empty_tag) = (process.text(&url), tag(&process));
    say(&process, &[(65, 10, "late")]);
    assert_grown(&before, &process.text(WEBVTT), "late");
    assert!(!empty.contains("late") && process.text(&url).contains("late"));
    assert_ne!(tag(&process), empty_tag);
}

#[test]
fn captions_of_the_first_chunk_are_listed_at_once_and_caches_do_not_keep_them() {
    let process = Process::begin(None, WALL);
    say(&process, &[]);
    // One is held back.
    show(&process, 0..2);
    let first = between(0, 2);
    let control = |process: &Process| {
        assert_eq!(urls(&process.text(WEBVTT), "subtitles-1000.vtt/"), [&first]);
        process.get(&format!("/x.isml/{first}")).1["cache-control"].clone()
    };
    assert_eq!(control(&process), "max-age=1");
    say(&process, &[(5, 10, "first")]);
    show(&process, 2..3);
    assert_eq!(control(&process), "max-age=60");
    assert!(process.text(&first).contains("first"));
}

#[test]
fn captions_of_an_event_without_pictures_are_cut_at_the_chunks_of_the_sound() {
    let process = Process::begin(None, WALL);
    say(&process, &[(0, 55, "long")]);
    for number in 0..6 {
        process.push(&audio(1, 64_000), [(3 * number * SECOND, 3 * CHUNK / 2)]);
        process.pass(3);
    }
    let playlist = process.text(&format!("{WEBVTT}?start=0"));
    assert_eq!(line(&playlist, "#EXT-X-TARGETDURATION:"), "3", "{playlist}");
    let of: Vec<_> = (0..4).map(|number| between(3 * number, 3 * number + 3)).collect();
    assert_eq!(urls(&playlist, "subtitles-1000.vtt/"), of, "{playlist}");
    let shown: Vec<_> = of.iter().map(|url| process.text(url).contains("long")).collect();
    assert_eq!(shown, [true, true, false, false]);
}

#[test]
fn a_quality_of_captions_has_those_that_it_has() {
    let process = Process::begin(None, WALL);
    let other = Spec { bitrate: 2000, id: 4, ..subtitles() };
    let mut push = process.point.begin(None, "both", "192.0.2.1").unwrap();
    push.push(&header(&[subtitles(), other.clone()])).unwrap();
    push.push(&other.caption(0, CHUNK, "one")).unwrap();
    // One of them lasts for no time.
    for (number, duration) in [(0, CHUNK), (1, 0), (2, CHUNK), (3, CHUNK)] {
        push.push(&subtitles().caption(2 * number * SECOND, duration, "more")).unwrap();
    }
    show(&process, 0..6);
    let mut shown = Vec::new();
    for quality in [1000, 2000] {
        let playlist = process.text(&format!("subtitles-{quality}.vtt.m3u8?start=0"));
        assert!(!playlist.contains("#EXT-X-GAP"), "{playlist}");
        let urls = urls(&playlist, &format!("subtitles-{quality}.vtt/"));
        shown.push(urls.iter().map(|url| process.text(url).matches("-->").count()).sum::<usize>());
    }
    assert_eq!(shown, [3, 1]);
}

#[test]
fn captions_that_cannot_be_read_are_left_out() {
    let process = Process::begin(None, WALL);
    say(&process, &[(0, 10, "good")]);
    process.push(&subtitles(), [(SECOND, CHUNK / 4)]);
    show(&process, 0..4);
    let text = process.text(&between(0, 2));
    assert!(text.contains("good") && text.matches("-->").count() == 1, "{text}");
}

#[test]
fn captions_alone_have_segments_of_their_own() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    let captions = Spec { name: "subtitles", ..text(3) };
    push(&process, &captions, [0, 4, 40].map(|at| captions.caption(at * SECOND, CHUNK, "alone")));
    process.pass(60);
    process.stop();
    let playlist = process.text(WEBVTT);
    let of = urls(&playlist, "subtitles-1000.vtt/");
    assert!(of.len() > 5 && of[0] == between(0, 2), "{playlist}");
    let shown = of.iter().filter(|url| process.text(url).contains("alone"));
    assert_eq!(shown.count(), 3, "{playlist}");
}
