use std::sync::Arc;

use crate::base::{ErrorKind, Limits, Step};
use crate::output::{Identity, Request};
use crate::presentation::growing::samples::{Event, SECOND};
use crate::presentation::{Live, Liveness, OpenOptions, Piece, Presentation, Reply};

fn reply(of: &Arc<Presentation>, target: &str) -> Result<Reply, ErrorKind> {
    let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
    let request = Request::parse(path, query).map_err(|error| error.kind)?;
    let identity = request.identify(of).map_err(|error| error.kind);
    let step = request.answer(of).map_err(|error| error.kind);
    let (identity, step) = match (identity, step) {
        (Ok(identity), Ok(step)) => (identity, step),
        (Err(one), Err(other)) => {
            assert_eq!(one.code(), other.code(), "{target}");
            return Err(other);
        }
        other => panic!("{target}: {other:?}"),
    };
    let Step::Ready(reply) = step else { panic!("{target}") };
    assert_eq!(identity, Identity::Known(*reply.representation()), "{target}");
    Ok(reply)
}

fn text(of: &Arc<Presentation>, target: &str) -> Result<String, &'static str> {
    let reply = reply(of, target).map_err(|kind| kind.code())?;
    match reply.pieces() {
        [Piece::Bytes(bytes)] => Ok(String::from_utf8(bytes.to_vec()).unwrap()),
        other => panic!("{other:?}"),
    }
}

fn etag(of: &Arc<Presentation>, target: &str) -> String {
    reply(of, target).unwrap().representation().validator().to_string()
}

/// The value of the first attribute or tag of this name.
fn value<'t>(text: &'t str, before: &str) -> Option<&'t str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split(['"', '\n']).next().unwrap_or(rest))
}

/// Starts of the segments of a playlist, in seconds.
fn segments(text: &str) -> Vec<u64> {
    let names = text.lines().filter_map(|line| line.strip_prefix("video-800000/"));
    let starts = names.filter_map(|name| name.strip_suffix(".m4s")?.parse::<u64>().ok());
    starts.map(|ticks| ticks / SECOND).collect()
}

/// An event that began 6 s after midnight and has chunks of two seconds until `end`.
fn event(end: u64) -> Event {
    let mut event = Event::usual();
    (3..end / 2).for_each(|number| event.add_chunk(number));
    event
}

#[test]
fn a_clip_has_the_chunks_that_overlap_its_times_and_no_others() {
    let whole = event(60).snapshot(None);
    for (query, first, last) in [
        ("start=10&end=20", 16, 24),
        ("start=10&end=20.0000001", 16, 26),
        ("start=11&end=19", 16, 24),
        ("start=0&end=2", 6, 6),
        ("vbegin=0&vend=1.5", 6, 6),
        ("start=2026-11-24T00:00:20Z&end=2026-11-24T00:00:30Z", 20, 28),
        ("start=2026-11-24T01:00:20%2B01:00&end=2026-11-24T00:00:30.5", 20, 30),
        ("start=1795478420&end=1795478430", 20, 28),
        ("start=1795478420000&end=1795478430000", 20, 28),
        ("t=2026-11-24T00:00:20--2026-11-24T00:00:30", 20, 28),
        // Before the event began.
        ("start=1970-01-01&end=2026-11-24T00:00:09", 6, 8),
        ("token=x&start=10&_=5&end=20&sv=1", 16, 24),
    ] {
        let smooth = text(&whole, &format!("Manifest?{query}")).unwrap();
        assert!(!smooth.contains("IsLive"), "{smooth}");
        let ticks = |seconds: u64| (seconds * SECOND).to_string();
        assert_eq!(value(&smooth, " Duration=\""), Some(&*ticks(last + 2 - first)), "{query}");
        assert_eq!(value(&smooth, "<c t=\""), Some(&*ticks(first)), "{query}");
        let playlist = text(&whole, &format!("video-800000.m3u8?{query}")).unwrap();
        let expected: Vec<u64> = (first..=last).step_by(2).collect();
        assert_eq!(segments(&playlist), expected, "{query}: {playlist}");
        assert!(playlist.ends_with("#EXT-X-ENDLIST\n"), "{playlist}");
        let sequence = ((first - 6) / 2).to_string();
        assert_eq!(value(&playlist, "#EXT-X-MEDIA-SEQUENCE:"), Some(&*sequence));
        let mpd = text(&whole, &format!("manifest.mpd?{query}")).unwrap();
        assert_eq!(value(&mpd, " type=\""), Some("static"), "{mpd}");
        // It begins when it was asked to, and its first segments may begin earlier.
        let begin = if query == "start=11&end=19" { 17 } else { first };
        let lasts = format!("PT{}S", last + 2 - begin);
        assert_eq!(value(&mpd, " mediaPresentationDuration=\""), Some(&*lasts), "{mpd}");
        assert_eq!(value(&mpd, " presentationTimeOffset=\""), Some(&*ticks(begin)));
        assert_eq!(value(&mpd, "<S t=\""), Some(&*ticks(first)));
    }
}

#[test]
fn playlists_carry_the_times_on_and_fragments_take_none() {
    let whole = event(60).snapshot(None);
    let master =
        text(&whole, "master.m3u8?x=%22&start=2026-11-24T01:00:20%2b01:00&end=50&y").unwrap();
    let uris: Vec<&str> = master.lines().filter(|line| line.contains(".m3u8")).collect();
    assert_eq!(uris.len(), 5, "{master}");
    for line in uris {
        let uri = line.rsplit_once("URI=\"").map_or(line, |(_, uri)| uri.trim_end_matches('"'));
        let (_, query) = uri.split_once('?').unwrap();
        assert_eq!(query, "start=2026-11-24T01:00:20%2b01:00&end=50");
        assert_eq!(segments(&text(&whole, uri).unwrap()).len() % 18, 0, "{uri}");
    }
    assert!(!text(&whole, "master.m3u8").unwrap().contains('?'));
    let fragment = |query| format!("QualityLevels(800000)/Fragments(video=80000000){query}");
    let of = |target: &str| {
        let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
        Request::parse(path, query).unwrap().identify(&whole).unwrap()
    };
    assert_eq!(of(&fragment("?start=50&end=51")), of(&fragment("")));
    assert_eq!(of("video-800000/80000000.m4s?start=x"), of("video-800000/80000000.m4s"));
}

#[test]
fn a_clip_that_has_not_ended_is_live_until_it_has() {
    let mut event = event(30);
    let target = |name| format!("{name}?start=10&end=40");
    let (mut sequence, mut available) = (None, None);
    for number in 15..40 {
        event.add_chunk(number);
        let whole = event.snapshot(Some(12));
        let is_over = number >= 22;
        let playlist = text(&whole, &target("video-800000.m3u8")).unwrap();
        let last = (2 * number).min(44);
        assert_eq!(segments(&playlist), (16..=last).step_by(2).collect::<Vec<_>>(), "{number}");
        assert_eq!(playlist.contains("ENDLIST"), is_over);
        assert!(
            !playlist.contains("PLAYLIST-TYPE") && playlist.contains("#EXT-X-START:TIME-OFFSET=0")
        );
        let now = value(&playlist, "SEQUENCE:").unwrap().to_owned();
        assert_eq!(*sequence.get_or_insert(now.clone()), now);
        let smooth = text(&whole, &target("Manifest")).unwrap();
        assert_eq!(smooth.contains("IsLive=\"TRUE\""), !is_over, "{smooth}");
        assert_eq!(value(&smooth, "<c t=\""), Some("160000000"));
        if !is_over {
            assert_eq!(value(&smooth, " Duration=\""), Some("0"));
            // Everything from the start on can be seen, though the window is short.
            assert_eq!(value(&smooth, " DVRWindowLength=\""), Some("0"));
        }
        let mpd = text(&whole, &target("manifest.mpd")).unwrap();
        assert_eq!(value(&mpd, " type=\""), Some(if is_over { "static" } else { "dynamic" }));
        assert!(!mpd.contains("timeShiftBufferDepth"));
        let offset = value(&mpd, " presentationTimeOffset=\"").unwrap();
        assert_eq!(offset, "160000000", "times count from the start, before and after the end");
        if !is_over {
            let now = value(&mpd, " availabilityStartTime=\"").unwrap().to_owned();
            assert_eq!(*available.get_or_insert(now.clone()), now);
            assert_eq!(now, "2026-11-24T00:00:16.000Z");
        }
        let liveness = reply(&whole, &target("Manifest")).unwrap().representation().liveness();
        assert_eq!(liveness, Liveness::Live, "another quality may come while the event is live");
    }
    let of_film = reply(&event.film(), &target("Manifest")).unwrap().representation().liveness();
    assert_eq!(of_film, Liveness::Live, "another event may come to the URL of the point");
}

#[test]
fn the_begin_of_a_clip_in_dash_depends_on_no_chunk_that_is_there_already() {
    let mut event = event(30);
    let mut begins = Vec::new();
    let mut note = |event: &mut Event| {
        let mpd = text(&event.snapshot(Some(12)), "manifest.mpd?start=24").unwrap();
        let of = |before| value(&mpd, before).unwrap().to_owned();
        begins.push((of(" availabilityStartTime=\""), of(" presentationTimeOffset=\"")));
    };
    // Pictures that begin at the start that is asked for, and sound that began before it.
    event.add(0, 30 * SECOND, 2 * SECOND);
    note(&mut event);
    event.add(2, 294_000_000, 2 * SECOND);
    note(&mut event);
    let begin = ("2026-11-24T00:00:30.000Z".to_owned(), (30 * SECOND).to_string());
    assert_eq!(begins, [begin.clone(), begin]);
}

#[test]
fn the_tag_of_a_clip_that_is_over_changes_with_its_text() {
    let both = |of: &Arc<Presentation>, name: &str| {
        let target = format!("{name}?start=10&end=20");
        (text(of, &target).unwrap(), etag(of, &target))
    };
    let mut event = Event::usual();
    event.add(0, 6 * SECOND, 2 * SECOND);
    for number in 3..30 {
        for track in [1, 2] {
            event.add(track, 2 * SECOND * number, 2 * SECOND);
        }
    }
    let first = event.snapshot(Some(12));
    // All that a quality has leaves the window.
    event.growing.drop_before(10 * SECOND);
    let second = event.snapshot(Some(12));
    // The target duration of the event is longer from now on.
    event.add(1, 60 * SECOND, 7 * SECOND);
    let third = event.snapshot(Some(12));
    for (name, one, other) in
        [("Manifest", &first, &second), ("video-800000.m3u8", &second, &third)]
    {
        let ((text, tag), (later, of_later)) = (both(one, name), both(other, name));
        assert!(text != later && tag != of_later, "{name}: {text}{later}");
    }
}

#[test]
fn the_tag_of_a_clip_changes_with_its_chunks_alone() {
    let mut event = event(60);
    let names = ["Manifest", "manifest.mpd", "master.m3u8", "video-800000.m3u8"];
    let tags = |of: &Arc<Presentation>, query: &str| -> Vec<String> {
        names.iter().map(|name| etag(of, &format!("{name}{query}"))).collect()
    };
    let before = event.snapshot(Some(12));
    let ended = tags(&before, "?start=10&end=20");
    let open = tags(&before, "?start=10");
    event.add_chunk(30);
    let after = event.snapshot(Some(12));
    assert_eq!(tags(&after, "?start=10&end=20"), ended);
    assert_eq!(tags(&after, "?start=10.5&end=20")[0], ended[0], "the same chunks");
    let later = tags(&after, "?start=10");
    for at in [0, 1, 3] {
        assert_ne!(later[at], open[at], "{}", names[at]);
    }
    let others = tags(&after, "?start=12&end=20");
    let whole = tags(&after, "");
    for at in 0..names.len() {
        assert!(others[at] != ended[at] && whole[at] != ended[at], "{}", names[at]);
    }
}

#[test]
fn the_tag_of_a_clip_changes_with_the_time_of_publication_until_it_has_ended() {
    let mut event = event(60);
    let before = event.snapshot(Some(12));
    let live = Event::live(Some(12));
    let live = Live { published: 2 * live.published, ..live };
    let after = Arc::new(event.growing.snapshot(Some(live), 2));
    for (target, is_over) in
        [("manifest.mpd?start=10", false), ("manifest.mpd?start=10&end=20", true)]
    {
        assert_eq!(text(&before, target) == text(&after, target), is_over);
        assert_eq!(etag(&before, target) == etag(&after, target), is_over, "{target}");
    }
}

#[test]
fn start_over_goes_back_behind_the_window_as_far_as_chunks_are_there() {
    let mut event = event(60);
    event.snapshot(Some(12));
    event.growing.drop_before(20 * SECOND);
    let whole = event.snapshot(Some(12));
    let playlist = text(&whole, "video-800000.m3u8").unwrap();
    assert_eq!(segments(&playlist), [48, 50, 52, 54, 56, 58]);
    let playlist = text(&whole, "video-800000.m3u8?start=14").unwrap();
    assert_eq!(segments(&playlist), (20..60).step_by(2).collect::<Vec<_>>());
    assert!(!playlist.contains("ENDLIST"));
    // A chunk of it was dropped: it begins with one that stays for a while.
    let playlist = text(&whole, "video-800000.m3u8?start=13.9").unwrap();
    assert_eq!(segments(&playlist), (30..60).step_by(2).collect::<Vec<_>>());
    for name in ["Manifest", "manifest.mpd", "master.m3u8", "video-800000.m3u8"] {
        let asked = |query: &str| text(&whole, &format!("{name}?{query}")).err();
        assert_eq!(asked("start=14"), None);
        assert_eq!(asked("start=13.9"), None, "{name}: it goes on");
        assert_eq!(asked("start=0&end=20"), Some("no-such-time"));
        assert_eq!(asked("end=10"), Some("no-such-time"));
        assert_eq!(asked("start=54"), Some("not-yet"), "{name}: it begins when the event is there");
        assert_eq!(asked("start=60&end=70"), Some("not-yet"));
        for query in [
            "start=10&end=10",
            "start=10&end=9",
            "start=x",
            "start=1&start=2",
            "end=-1",
            "start=1&vbegin=1",
            "delay=x",
            "t=2026-11-24T00:00:20--x",
            "start=2026-99-01",
        ] {
            assert_eq!(asked(query), Some("malformed-request"), "{name}?{query}");
        }
        for query in ["start=", "end=", "delay=", "t=17", "starts=1", "start"] {
            assert_eq!(etag(&whole, &format!("{name}?{query}")), etag(&whole, name), "{query}");
        }
    }
    let film = event.film();
    assert_eq!(text(&film, "Manifest?start=54").err(), Some("no-such-time"));
    assert_eq!(text(&film, "Manifest?start=54&end=60").err(), Some("no-such-time"));
}

#[test]
fn a_part_of_an_event_without_a_window_says_that_nothing_leaves_it_until_the_end() {
    let mut event = event(30);
    let playlist = |of: &Arc<Presentation>| text(of, "video-800000.m3u8?start=10").unwrap();
    let is_event = |text: &str| text.contains("#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-START:");
    let live = playlist(&event.snapshot(None));
    assert!(is_event(&live));
    assert_eq!(playlist(&event.film()), format!("{live}#EXT-X-ENDLIST\n"));
    assert!(!is_event(&playlist(&event.snapshot(Some(600)))));
    assert!(!is_event(&playlist(&event.film())), "it had one");
}

#[test]
fn a_delay_shows_what_was_live_then() {
    let mut event = event(60);
    let mut then: Vec<(String, String)> = Vec::new();
    for number in 30..50 {
        let whole = event.snapshot(Some(12));
        let now = |query: &str| {
            let of = |name| text(&whole, &format!("{name}{query}")).unwrap();
            (of("video-800000.m3u8"), of("Manifest"))
        };
        if let Some(at) = then.len().checked_sub(5) {
            assert_eq!(now("?delay=10"), then[at]);
            assert_eq!(now("?time_delay=9.5"), then[at], "not ahead of it");
        }
        let (mpd, delayed) =
            (text(&whole, "manifest.mpd").unwrap(), text(&whole, "manifest.mpd?delay=10").unwrap());
        assert_eq!(value(&mpd, " availabilityStartTime=\""), Some("2026-11-24T00:00:06.000Z"));
        assert_eq!(value(&delayed, " availabilityStartTime=\""), Some("2026-11-24T00:00:16.000Z"));
        assert_eq!(value(&mpd, "TimeOffset=\""), value(&delayed, "TimeOffset=\""));
        then.push(now(""));
        event.add_chunk(number);
    }
    let whole = event.snapshot(Some(12));
    assert_eq!(text(&whole, "Manifest?delay=600").err(), Some("not-yet"));
    let both = text(&whole, "video-800000.m3u8?delay=10&start=70").unwrap();
    assert_eq!(segments(&both), [76, 78, 80, 82, 84, 86, 88]);
}

/// About a hundred segments fit into a playlist.
fn event_of_short_playlists() -> Event {
    let limits = Limits { client_manifest: 8000, ..Limits::default() };
    let tracks = Event::usual().tracks;
    Event::with_options(tracks, &OpenOptions::default().limits(limits))
}

#[test]
fn no_number_of_chunks_takes_a_stream_of_a_part_away() {
    for (query, window) in [("start=0", None), ("start=0", Some(20)), ("delay=4", None)] {
        let mut event = event_of_short_playlists();
        let mut numbers: Vec<u64> = Vec::new();
        let (mut firsts, mut is_cut) = (Vec::new(), false);
        for number in 0..300 {
            event.add_chunk(number);
            let whole = event.snapshot(window);
            if query == "delay=4" && number < 3 {
                continue;
            }
            let of = |name: &str| text(&whole, &format!("{name}?{query}")).expect(name);
            let master = of("master.m3u8");
            assert!(master.contains("video-800000.m3u8") && master.contains("audio-128000.m3u8"));
            assert!(of("manifest.mpd").matches("<AdaptationSet").count() == 2, "{number}");
            let playlist = of("video-800000.m3u8");
            let listed = segments(&playlist);
            let first = listed[0] / 2;
            let newest = if query == "delay=4" { number - 2 } else { number };
            assert_eq!(listed, (first..=newest).map(|at| 2 * at).collect::<Vec<_>>());
            // Chunks leave, and keep their numbers. No playlist that says that it keeps all loses one.
            let sequence = value(&playlist, "#EXT-X-MEDIA-SEQUENCE:").unwrap();
            assert_eq!(sequence.parse(), Ok(first));
            is_cut |= first > 0;
            let keeps_all = playlist.contains("#EXT-X-PLAYLIST-TYPE:EVENT");
            assert_eq!(keeps_all, query == "start=0" && window.is_none() && !is_cut, "{number}");
            let sound = of("audio-128000.m3u8");
            assert_eq!(value(&sound, "#EXT-X-MEDIA-SEQUENCE:"), Some(sequence));
            let smooth = of("Manifest");
            let begin = format!("<c t=\"{}\"", first * 2 * SECOND);
            assert_eq!(smooth.matches(&begin).count(), 2, "{smooth}");
            numbers.push(listed.len() as u64);
            firsts.push(first);
        }
        assert!(firsts.is_sorted() && (100..150).contains(numbers.last().unwrap()), "{numbers:?}");
        let playlist = text(&event.snapshot(window), &format!("video-800000.m3u8?{query}"));
        let film = text(&event.film(), "video-800000.m3u8?start=0").unwrap();
        if query == "start=0" {
            assert_eq!(film, format!("{}#EXT-X-ENDLIST\n", playlist.unwrap()));
        }
    }
}
