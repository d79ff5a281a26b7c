//! The bounds of an event with a window: streams of which nothing comes any more, parts whose start has left, and chunks that
//! a shorter window has no room for.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use smooth_origin::live::PointOptions;
use smooth_origin::origin::{Clock, LiveOptions, LivePoint, LivePoints, Origin, block_on};
use smooth_origin::storage::{MemoryArchive, MemoryStore};
use testkit::name;

use crate::live_point::encoder::{Spec, audio, header, text, video};

const SECOND: i64 = 10_000_000;
const CHUNK: u32 = 20_000_000;

struct Process {
    point: Arc<LivePoint>,
    origin: Origin,
    seconds: Arc<AtomicU64>,
}

fn options(window: u64) -> PointOptions {
    PointOptions::default().look_ahead(1).window(Some(Duration::from_secs(window)))
}

impl Process {
    fn begin(archive: Option<&MemoryArchive>, options: PointOptions, seconds: u64) -> Self {
        let live = LiveOptions::default();
        let live = match archive {
            Some(archive) => live.archive(archive.clone()),
            None => live,
        };
        let points = LivePoints::new(live);
        let seconds = Arc::new(AtomicU64::new(seconds));
        let time = || {
            let of = Arc::clone(&seconds);
            move || Duration::from_secs(of.load(Relaxed))
        };
        let (monotonic, since) = (time(), time());
        let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let clock = Clock::new(monotonic).wall_time(move || begin + since());
        let builder = Origin::builder(MemoryStore::new()).clock(clock);
        let origin = builder.live(points.clone()).build();
        let point = block_on(points.recover(name("x.isml"), options)).unwrap();
        Self { point, origin, seconds }
    }

    fn push(&self, spec: &Spec, time: i64, duration: u32) {
        let mut push = self.point.begin(None, spec.name, "192.0.2.1").unwrap();
        push.push(&header(std::slice::from_ref(spec))).unwrap();
        push.push(&spec.fragment(time, duration, 0)).unwrap();
        block_on(push.end()).unwrap();
    }

    /// Pushes a header without a fragment.
    fn announce(&self, spec: &Spec) {
        let mut push = self.point.begin(None, spec.name, "192.0.2.1").unwrap();
        push.push(&header(std::slice::from_ref(spec))).unwrap();
        block_on(push.end()).unwrap();
    }

    /// Pushes chunks of 2 s as time passes.
    fn push_all(&self, specs: &[&Spec], numbers: Range<i64>) {
        for number in numbers {
            self.seconds.fetch_add(2, Relaxed);
            specs.iter().for_each(|spec| self.push(spec, 2 * number * SECOND, CHUNK));
            self.point.tick();
        }
    }

    fn text(&self, path: &str) -> String {
        body(&self.origin, path).unwrap_or_else(|status| panic!("{path}: {status}"))
    }

    fn status(&self, path: &str) -> u16 {
        body(&self.origin, path).map_or_else(|status| status, |_| 200)
    }
}

fn body(origin: &Origin, path: &str) -> Result<String, u16> {
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/x.isml/{path}") };
    let got = testkit::get(origin, &path).map_err(|error| error.kind.status())?;
    Ok(String::from_utf8_lossy(&got).into_owned())
}

/// Values of an attribute or a tag.
fn values(text: &str, before: &str) -> Vec<String> {
    let parts = text.split(before).skip(1);
    parts.map(|rest| rest.split(['"', '\n']).next().unwrap().to_owned()).collect()
}

fn number(text: &str, before: &str) -> u64 {
    values(text, before)[0].trim_end_matches(".m4s").parse().unwrap()
}

fn english() -> Spec {
    Spec { name: "english", language: "eng", ..audio(1, 64_000) }
}

fn german() -> Spec {
    Spec { name: "german", language: "deu", ..audio(2, 64_000) }
}

/// The name of the sound that players begin with.
fn default_sound(master: &str) -> Option<String> {
    let line = master.lines().find(|line| line.contains("DEFAULT=YES"))?;
    values(line, "NAME=\"").pop()
}

/// The identifiers of the sets of an MPD, by their first tracks.
fn set_ids(mpd: &str) -> BTreeMap<String, String> {
    let sets = mpd.split("<AdaptationSet").skip(1).map(|set| {
        let mut ids = values(set, " id=\"").into_iter();
        let (of_set, of_track) = (ids.next().unwrap(), ids.next().unwrap());
        (of_track, of_set)
    });
    sets.collect()
}

#[test]
fn a_language_that_never_comes_back_leaves_all_manifests_wherever_the_event_is_served() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), options(8), 0);
    let (pictures, eng, deu) = (video(1, 3_000_000), english(), german());
    process.push_all(&[&pictures, &eng, &deu], 0..4);
    // The last chunk that is published is a long one.
    process.push_all(&[&pictures, &deu], 4..5);
    process.push(&eng, 8 * SECOND, 5 * CHUNK / 2);
    process.push(&eng, 13 * SECOND, CHUNK);
    process.push_all(&[&pictures, &deu], 5..12);
    let early = process.text("master.m3u8");
    let ids = set_ids(&process.text("manifest.mpd"));
    assert_eq!((default_sound(&early), ids.len()), (Some("english".into()), 3), "{early}");
    // The last chunk is served for as long as others that have left the window.
    process.push_all(&[&pictures, &deu], 12..25);
    assert_eq!(process.status("english-64000/80000000.m4s"), 200);
    assert_eq!(process.text("master.m3u8"), early);
    process.push_all(&[&pictures, &deu], 25..30);

    let follower = || {
        let live = LiveOptions::default().archive(archive.clone()).follow(|_| Some(options(8)));
        Origin::builder(MemoryStore::new()).live(LivePoints::new(live)).build()
    };
    let restarted = Process::begin(Some(&archive), options(8), 60);
    for origin in [&process.origin, &restarted.origin, &follower()] {
        let text = |path: &str| body(origin, path).unwrap();
        let master = text("master.m3u8");
        assert!(!master.contains("english"), "{master}");
        assert_eq!(default_sound(&master), Some("german".into()));
        assert!(!text("Manifest").contains("english"));
        let mpd = text("manifest.mpd");
        let mut left = ids.clone();
        left.remove("english-64000");
        assert_eq!(set_ids(&mpd), left);
        let begin = values(&mpd, "<S t=\"").into_iter().map(|time| time.parse::<u64>().unwrap());
        assert!(begin.min() >= Some(500_000_000), "{mpd}");
        for path in ["english-64000.m3u8", "english-64000/80000000.m4s"] {
            assert_eq!(body(origin, path).unwrap_err(), 404, "{path}");
        }
        for path in ["video-3000000.m3u8", "german-64000.m3u8", "master.m3u8", "Manifest"] {
            assert_eq!(text(path), process.text(path), "{path}");
        }
        let playlist = text("video-3000000.m3u8");
        assert_eq!(number(&playlist, "TARGETDURATION:"), 5, "as it was before");
        // A part of the event is over when those have reached its end that go on.
        assert!(text("video-3000000.m3u8?start=46&end=50").contains("ENDLIST"));
    }
    // It comes back. The restarted process waits for those who were there before.
    let process = restarted;
    process.push_all(&[&pictures, &eng, &deu], 30..36);
    assert_eq!(default_sound(&process.text("master.m3u8")), Some("english".into()));
    assert_eq!(set_ids(&process.text("manifest.mpd")), ids);
    let playlist = process.text("english-64000.m3u8");
    assert_eq!(number(&playlist, "\nenglish-64000/"), 620_000_000, "{playlist}");
    // Six chunks are gone, and so is the gap behind them.
    assert!(number(&playlist, "MEDIA-SEQUENCE:") > 6, "{playlist}");
    for path in ["master.m3u8", "Manifest", "english-64000.m3u8"] {
        assert_eq!(body(&follower(), path).unwrap(), process.text(path), "{path}");
    }
    // What plays from before that is not cut off.
    assert!(process.text("Manifest?start=40").contains("t=\"400000000\""));
}

#[test]
fn pictures_go_on_without_their_only_sound_until_it_comes_back() {
    let process = Process::begin(None, options(8), 0);
    let (pictures, sound) = (video(1, 3_000_000), audio(2, 64_000));
    process.push_all(&[&pictures, &sound], 0..5);
    let early = process.text("master.m3u8");
    assert!(early.contains("AUDIO=\"audio-0\""));
    process.push_all(&[&pictures], 5..30);
    let master = process.text("master.m3u8");
    assert!(master.contains("video-3000000.m3u8") && !master.contains("audio"), "{master}");
    assert!(!process.text("Manifest").contains("\"audio\""));
    assert_eq!(set_ids(&process.text("manifest.mpd")).len(), 1);
    process.push_all(&[&pictures, &sound], 30..33);
    assert_eq!(process.text("master.m3u8"), early);
    // What is served when the event ends has no more than the window.
    process.push_all(&[&pictures], 33..60);
    process.point.stop();
    let film = process.text("Manifest");
    assert!(!film.contains("\"audio\""), "{film}");
    assert!(number(&film, " Duration=\"") <= 10 * SECOND as u64, "{film}");
}

#[test]
fn a_master_playlist_has_pictures_as_long_as_there_are_no_others() {
    let process = Process::begin(None, options(8), 0);
    let (first, sound) = (video(1, 3_000_000), audio(2, 64_000));
    let second = Spec { name: "second", ..video(3, 2_000_000) };
    process.push_all(&[&first, &sound], 0..5);
    process.push_all(&[&sound], 5..40);
    for path in ["master.m3u8", "manifest.mpd", "Manifest"] {
        assert!(process.text(path).contains("video"), "{path}");
    }
    assert_eq!(process.status("video-3000000.m3u8"), 200);
    // It does not keep parts from being over for ever, nor from having a begin.
    let part = process.text("audio-64000.m3u8?start=2");
    assert!(number(&part, "\naudio-64000/") >= 40 * SECOND as u64, "{part}");
    process.push_all(&[&sound, &second], 40..43);
    let master = process.text("master.m3u8");
    assert!(master.contains("second-2000000.m3u8") && !master.contains("video-"), "{master}");
    process.push_all(&[&first, &sound, &second], 43..46);
    assert!(process.text("master.m3u8").contains("video-3000000.m3u8"));
}

/// The numbers of the segments of a playlist, by their times in seconds.
fn segments(playlist: &str) -> BTreeMap<i64, u64> {
    let sequence = number(playlist, "MEDIA-SEQUENCE:");
    let names = playlist.lines().filter_map(|line| line.strip_prefix("video-3000000/"));
    let times = names.map(|name| name.trim_end_matches(".m4s").parse::<i64>().unwrap() / SECOND);
    times.zip(sequence..).collect()
}

#[test]
fn a_part_whose_start_has_left_goes_on_with_what_is_left() {
    let options = options(8).start_over(Duration::from_secs(60));
    let process = Process::begin(None, options, 0);
    let (pictures, sound) = (video(1, 3_000_000), audio(2, 64_000));
    let both = [&pictures, &sound];
    process.push_all(&both, 0..20);
    let paths = ["video-3000000.m3u8", "master.m3u8", "manifest.mpd", "Manifest"];
    let mut known = BTreeMap::new();
    let (mut first, mut offsets) = (20, Vec::new());
    for number in 20..100 {
        process.push_all(&both, number..number + 1);
        for path in paths {
            for query in ["start=20", "start=20&end=190"] {
                assert_eq!(process.status(&format!("{path}?{query}")), 200, "{path}?{query}");
            }
        }
        let playlist = process.text("video-3000000.m3u8?start=20");
        assert!(!playlist.contains("PLAYLIST-TYPE") && !playlist.contains("ENDLIST"));
        assert!(playlist.contains("#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"));
        let segments = segments(&playlist);
        for (time, number) in &segments {
            assert_eq!(known.entry(*time).or_insert(*number), number);
        }
        let begin = *segments.keys().next().unwrap();
        assert!(begin >= first);
        // 90 s are kept.
        let end = 2 * number;
        if end > 20 + 90 {
            assert!((end - 90 + 8..=end - 90 + 14).contains(&begin), "{begin} of {end}");
        } else {
            assert_eq!(begin, 20);
        }
        first = begin;
        // Whoever has the playlist gets its segments, ten seconds later, too.
        for time in [begin, end - 2] {
            assert_eq!(process.status(&format!("video-3000000/{}.m4s", time * SECOND)), 200);
        }
        let mpd = process.text("manifest.mpd?start=20");
        let starts = values(&mpd, "<S t=\"");
        assert_eq!(starts[0], (begin * SECOND).to_string());
        let of = |name: &str| values(&mpd, &format!(" {name}=\"")).pop();
        offsets.push((of("availabilityStartTime"), of("presentationTimeOffset")));
    }
    offsets.dedup();
    assert_eq!(offsets.len(), 1, "times count from the start: {offsets:?}");
    let oldest = first * SECOND;
    process.push_all(&both, 100..104);
    assert_eq!(process.status(&format!("video-3000000/{oldest}.m4s")), 200);
    // Players learn that a part is over. Then it is no part that goes on.
    let ended = process.text("video-3000000.m3u8?start=20&end=190");
    assert!(ended.contains("ENDLIST") && !ended.contains("PLAYLIST-TYPE"), "{ended}");
    assert!(segments(&ended).iter().all(|(time, number)| known[time] == *number));
    for path in paths {
        assert_eq!(process.status(&format!("{path}?start=20&end=100")), 404, "{path}: before it");
        assert_eq!(process.status(&format!("{path}?end=100")), 404, "{path}: before it");
    }
    process.push_all(&both, 104..127);
    assert_eq!(process.status("video-3000000.m3u8?start=20&end=190"), 404);
    assert_eq!(process.status("video-3000000.m3u8?start=200&end=210"), 200, "all of it is there");
    // The end of the event is the end of the part.
    let before = segments(&process.text("video-3000000.m3u8?start=20"));
    process.point.stop();
    let film = process.text("video-3000000.m3u8?start=20");
    assert!(film.contains("ENDLIST"));
    let after = segments(&film);
    assert!(after.keys().next() >= before.keys().next(), "nothing comes in front");
    let same = before.iter().filter(|(time, number)| after.get(time) == Some(number)).count();
    assert!(same + 1 >= before.len(), "{film}");
}

#[test]
fn a_window_that_becomes_shorter_takes_nothing_away_at_once() {
    let process = Process::begin(None, options(120), 0);
    let (pictures, sound) = (video(1, 3_000_000), audio(2, 64_000));
    process.push_all(&[&pictures, &sound], 0..70);
    let before = segments(&process.text("video-3000000.m3u8"));
    assert_eq!(before.len(), 60);
    process.point.set_window(Some(Duration::from_secs(20)));
    let after = segments(&process.text("video-3000000.m3u8"));
    assert_eq!(after.len(), 10);
    let segment = |time: &i64| process.status(&format!("video-3000000/{}.m4s", time * SECOND));
    assert!(before.keys().all(|time| segment(time) == 200));
    process.push_all(&[&pictures, &sound], 70..84);
    assert!(before.keys().all(|time| segment(time) == 200), "for 28 s");
    process.push_all(&[&pictures, &sound], 84..86);
    let left = before.keys().filter(|time| segment(time) == 200).count();
    assert_eq!(left, 9, "those of the last 50 s");
}

#[test]
fn captions_that_cross_the_bounds_of_a_part_make_it_no_longer() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), options(100), 0);
    let (pictures, sound) = (video(1, 3_000_000), audio(2, 64_000));
    let words = Spec { name: "subtitles", ..text(3) };
    process.push_all(&[&pictures, &sound], 0..2);
    process.push(&words, 2 * SECOND, 30 * CHUNK);
    process.push_all(&[&pictures, &sound], 2..40);
    let length = |path: &str| {
        let manifest = process.text(path);
        assert!(manifest.contains("subtitles"), "{manifest}");
        number(&manifest, " Duration=\"") / SECOND as u64
    };
    // It crosses the end, both, and the start.
    let parts = [("start=0&end=10", 10), ("start=10&end=20", 10), ("start=60&end=70", 10)];
    for (query, seconds) in parts {
        assert_eq!(length(&format!("Manifest?{query}")), seconds, "{query}");
    }
    process.point.stop();
    block_on(process.point.acknowledge()).unwrap();
    for (query, seconds) in parts {
        assert_eq!(length(&format!("Manifest?{query}")), seconds, "{query}");
        assert_eq!(length(&format!("/x.ism/Manifest?{query}")), seconds, "{query}");
    }
}

fn subtitles() -> Spec {
    Spec { name: "subtitles", ..text(3) }
}

/// The segments of the captions of a part, with the number of the first one.
fn captions_of(process: &Process, query: &str) -> (u64, Vec<String>) {
    let master = process.text(&format!("master.m3u8?{query}"));
    let url = format!("subtitles-1000.vtt.m3u8?{query}");
    assert!(master.contains(&format!("URI=\"{url}\"")), "{master}");
    let playlist = process.text(&url);
    // What stands for captions goes when the first ones come.
    assert!(!playlist.contains("PLAYLIST-TYPE"), "{playlist}");
    let names = playlist.lines().filter_map(|line| line.strip_prefix("subtitles-1000.vtt/"));
    (number(&playlist, "MEDIA-SEQUENCE:"), names.map(str::to_owned).collect())
}

/// Returns the segments that the captions of a part are to have: those of its pictures but for the newest one, unless it is the only one.
fn of_pictures(process: &Process, query: &str) -> (u64, Vec<String>) {
    let playlist = process.text(&format!("video-3000000.m3u8?{query}"));
    let names = playlist.lines().filter_map(|line| line.strip_prefix("video-3000000/"));
    let starts = names.filter_map(|name| name.strip_suffix(".m4s")?.parse().ok());
    let mut names: Vec<_> =
        starts.map(|start: u64| format!("{start}-{}.vtt", start + u64::from(CHUNK))).collect();
    if names.len() > 1 {
        names.pop();
    }
    (number(&playlist, "MEDIA-SEQUENCE:"), names)
}

#[test]
fn captions_of_a_part_are_announced_before_the_first_one() {
    for window in [None, Some(Duration::from_secs(60))] {
        let process = Process::begin(None, options(60).window(window), 0);
        let pictures = video(1, 3_000_000);
        process.announce(&subtitles());
        process.push_all(&[&pictures], 0..16);
        let (number, names) = captions_of(&process, "start=20");
        assert_eq!((number, &*names[0], names.len()), (10, "200000000-220000000.vtt", 4));
        assert_eq!(captions_of(&process, "delay=10"), of_pictures(&process, "delay=10"));
        assert_eq!(captions_of(&process, "start=20"), of_pictures(&process, "start=20"));
        for path in ["Manifest?start=20", "manifest.mpd?start=20", "imsc.m3u8?start=20"] {
            let text = process.text(path);
            assert!(!text.contains("subtitles") && !text.contains("SUBTITLES"), "{path}: {text}");
        }
        // They come without a gap, before the start of a part and behind it.
        process.push(&subtitles(), 26 * SECOND, CHUNK);
        process.push_all(&[&pictures], 16..18);
        for query in ["start=20", "start=28"] {
            assert_eq!(captions_of(&process, query), of_pictures(&process, query), "{query}");
        }
        process.push(&subtitles(), 28 * SECOND, CHUNK);
        process.push_all(&[&pictures], 18..20);
        assert_eq!(captions_of(&process, "start=28"), of_pictures(&process, "start=28"));
    }
}

#[test]
fn captions_of_a_part_follow_its_pictures_however_far_they_are_apart() {
    let process = Process::begin(None, options(8).start_over(Duration::from_secs(20)), 0);
    let pictures = video(1, 3_000_000);
    process.push_all(&[&pictures], 0..2);
    process.push(&subtitles(), 2 * SECOND, CHUNK);
    process.push_all(&[&pictures], 2..6);
    let follow = |numbers: Range<i64>, queries: &[&str]| {
        for number in numbers {
            process.push_all(&[&pictures], number..number + 1);
            for query in queries {
                let what = format!("{query} at {number}");
                assert_eq!(captions_of(&process, query), of_pictures(&process, query), "{what}");
            }
        }
    };
    follow(6..50, &["delay=4", "start=2"]);
    process.push(&subtitles(), 98 * SECOND, CHUNK);
    follow(50..55, &["delay=4", "start=2", "start=80"]);
}
