//! Players that follow an event over its end: the same URL and the same number of a segment mean the same before and
//! after it, and after a restart.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, Request};
use smooth_origin::live::PointOptions;
use smooth_origin::origin::{Clock, LiveOptions, LivePoint, LivePoints, Origin, block_on};
use smooth_origin::service::{Caching, OriginService, ServiceOptions};
use smooth_origin::storage::{MemoryArchive, MemoryStore};
use testkit::name;

use crate::live_point::encoder::{Spec, audio, header, text, video};

pub const SECOND: i64 = 10_000_000;
pub const CHUNK: u32 = 20_000_000;
/// Wall time of the processes, in seconds since 1970.
pub const WALL: u64 = 1_800_000_000;

pub struct Process {
    pub point: Arc<LivePoint>,
    service: OriginService,
    pub origin: Origin,
    /// Time since the process began, in seconds.
    seconds: Arc<AtomicU64>,
}

impl Process {
    /// A process that begins at this wall time, with a window of 8 s.
    pub fn begin(archive: Option<&MemoryArchive>, wall: u64) -> Self {
        let options = LiveOptions::default();
        match archive {
            Some(archive) => Self::with(options.archive(archive.clone()), wall),
            None => Self::with(options, wall),
        }
    }

    fn with(options: LiveOptions, wall: u64) -> Self {
        let points = LivePoints::new(options);
        let seconds = Arc::<AtomicU64>::default();
        let of = [Arc::clone(&seconds), Arc::clone(&seconds)]
            .map(|of| move || Duration::from_secs(of.load(Relaxed)));
        let [monotonic, since] = of;
        let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(wall);
        let clock = Clock::new(monotonic).wall_time(move || begin + since());
        let builder = Origin::builder(MemoryStore::new()).clock(clock);
        let origin = builder.live(points.clone()).build();
        let window = Some(Duration::from_secs(8));
        let point = PointOptions::default().look_ahead(1).window(window);
        let point = block_on(points.recover(name("x.isml"), point)).unwrap();
        let caching = ServiceOptions::default()
            .caching(Caching::default().surrogate_key(Some(HeaderName::from_static("key"))));
        let service = OriginService::with_options(origin.clone(), caching);
        Self { point, service, origin, seconds }
    }

    /// Lets time pass, so that nothing waits behind a gap any more.
    pub fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Relaxed);
        self.point.tick();
    }

    pub fn push(&self, spec: &Spec, fragments: impl IntoIterator<Item = (i64, u32)>) {
        let mut push = self.point.begin(None, spec.name, "192.0.2.1").unwrap();
        push.push(&header(std::slice::from_ref(spec))).unwrap();
        for (time, duration) in fragments {
            push.push(&spec.fragment(time, duration, 0)).unwrap();
        }
        block_on(push.end()).unwrap();
    }

    /// Pushes pictures, and sound that begins 0.7 s later and lacks two chunks.
    pub fn push_media(&self, numbers: Range<i64>) {
        let of = |number: &i64| 2 * number * SECOND;
        for number in numbers {
            self.push(&video(1, 3_000_000), [(of(&number), CHUNK)]);
            if !matches!(number, 4 | 5) {
                self.push(&audio(1, 64_000), [(of(&number) + 7_000_000, CHUNK)]);
            }
        }
    }

    pub fn stop(&self) {
        self.point.stop();
        block_on(self.point.acknowledge()).unwrap();
    }

    pub fn text(&self, path: &str) -> String {
        String::from_utf8(testkit::get(&self.origin, &format!("/x.isml/{path}")).unwrap()).unwrap()
    }

    pub fn get(&self, path: &str) -> (u16, HeaderMap) {
        let request = Request::get(path).header("host", "x").body(()).unwrap();
        let response = block_on(self.service.respond(&request));
        (response.status().as_u16(), response.headers().clone())
    }
}

/// An entry of a playlist for a segment: its tags and its URL.
pub type Segments = BTreeMap<u64, (Vec<String>, String)>;

/// The segments of a playlist by their numbers, and its other lines.
pub fn playlist(text: &str) -> (Segments, Vec<String>) {
    let (mut segments, mut tags, mut others) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut number = 0;
    for line in text.lines() {
        match line.split_once(':').map_or((line, ""), |(tag, value)| (tag, value)) {
            ("#EXT-X-MEDIA-SEQUENCE", value) => number = value.parse().unwrap(),
            // Each segment has one, but only some are written.
            ("#EXT-X-PROGRAM-DATE-TIME", _) => {}
            ("#EXTINF" | "#EXT-X-GAP", _) => tags.push(line.to_owned()),
            (tag, _) if tag.starts_with('#') => others.push(line.to_owned()),
            _ => {
                segments.insert(number, (std::mem::take(&mut tags), line.to_owned()));
                number += 1;
            }
        }
    }
    (segments, others)
}

/// Asserts that a playlist says of each segment what it said before, but for what is behind the last one.
pub fn assert_grown(before: &str, after: &str, what: &str) {
    let ((before, _), (after, _)) = (playlist(before), playlist(after));
    let first = after.keys().next().copied().unwrap_or(0);
    for (number, (tags, url)) in before.range(first..) {
        let of = after.get(number).unwrap_or_else(|| panic!("{what}: {number} is gone"));
        assert_eq!((&of.0, &of.1), (tags, url), "{what}: segment {number}");
    }
}

fn date_of_first(playlist: &str) -> &str {
    let date = playlist.lines().find_map(|line| line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:"));
    date.unwrap()
}

const PLAYLISTS: [&str; 2] = ["video-3000000.m3u8", "audio-64000.m3u8"];

#[test]
fn a_player_of_hls_finds_the_same_segments_after_the_end() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    process.push_media(0..3);
    let early = PLAYLISTS.map(|path| process.text(path));
    process.push_media(3..12);
    process.pass(5);
    let live = PLAYLISTS.map(|path| process.text(path));
    process.stop();
    let restarted = Process::begin(Some(&archive), WALL + 1000);
    for (at, path) in PLAYLISTS.into_iter().enumerate() {
        let ended = process.text(path);
        assert_grown(&early[at], &ended, path);
        assert_grown(&live[at], &ended, path);
        let (segments, of_film) = playlist(&ended);
        assert_eq!(segments.len(), 12, "{path}");
        assert_eq!(ended.matches("#EXT-X-GAP").count(), 2 * at, "{path}");
        let (_, of_event) = playlist(&live[at]);
        let end = ["#EXT-X-ENDLIST".to_owned()];
        let others: Vec<_> = of_event.into_iter().chain(end).collect();
        assert!(!ended.contains("DISCONTINUITY"), "{path}");
        assert_eq!(of_film, others, "{path}");
        assert_eq!(date_of_first(&ended), date_of_first(&early[at]), "{path}");
        assert_eq!(restarted.text(path), ended, "{path}");
    }
    // The film by its own name has the same times.
    let film = testkit::get(&process.origin, "/x.ism/video-3000000.m3u8").unwrap();
    let film = String::from_utf8(film).unwrap();
    assert_eq!(date_of_first(&film), date_of_first(&early[0]));
    assert!(film.contains("#EXT-X-PLAYLIST-TYPE:VOD"));
}

#[test]
fn a_player_of_dash_counts_from_the_same_time_after_the_end() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    let begin = 1000;
    process.push_media(begin..begin + 9);
    let offsets = |mpd: &str| -> Vec<String> {
        let offsets = mpd.split("presentationTimeOffset=\"").skip(1);
        offsets.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let live = process.text("manifest.mpd");
    assert_eq!(offsets(&live), ["20000000000", "20000000000"]);
    process.stop();
    let restarted = Process::begin(Some(&archive), WALL + 1000);
    for ended in [process.text("manifest.mpd"), restarted.text("manifest.mpd")] {
        assert!(ended.contains("type=\"static\""));
        assert_eq!(offsets(&ended), offsets(&live));
    }
}

/// The identifiers of the sets of an MPD, by their first tracks.
fn set_ids(mpd: &str) -> BTreeMap<String, String> {
    let sets = mpd.split("<AdaptationSet").skip(1).map(|set| {
        let mut ids = set.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let (of_set, of_track) = (ids.next().unwrap(), ids.next().unwrap());
        (of_track.to_owned(), of_set.to_owned())
    });
    sets.collect()
}

#[test]
fn a_set_of_dash_has_the_same_identifier_wherever_the_event_is_served() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    process.push(&subtitles(), [(0, CHUNK)]);
    process.push_media(0..3);
    let early = set_ids(&process.text("manifest.mpd"));
    assert_eq!(early.len(), 3, "{early:?}");
    // A second language begins late.
    let german = Spec { name: "german", language: "deu", ..audio(1, 64_000) };
    for number in 3..9 {
        process.push_media(number..number + 1);
        process.push(&german, [(2 * number * SECOND, CHUNK)]);
    }
    process.pass(5);
    let all = set_ids(&process.text("manifest.mpd"));
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(early.iter().all(|(track, id)| all[track] == *id), "{early:?} {all:?}");
    let restarted = Process::begin(Some(&archive), WALL + 10);
    let follower = follower(&archive);
    let of_follower = || {
        let mpd = testkit::get(&follower, "/x.isml/manifest.mpd").unwrap();
        set_ids(&String::from_utf8(mpd).unwrap())
    };
    assert_eq!(set_ids(&restarted.text("manifest.mpd")), all);
    assert_eq!(of_follower(), all);
    restarted.stop();
    assert_eq!(set_ids(&restarted.text("manifest.mpd")), all);
    assert_eq!(set_ids(&Process::begin(Some(&archive), WALL + 20).text("manifest.mpd")), all);
}

/// An origin that follows the archive.
pub fn follower(archive: &MemoryArchive) -> Origin {
    let options = LiveOptions::default()
        .archive(archive.clone())
        .follow(|_| Some(PointOptions::default().look_ahead(1)));
    Origin::builder(MemoryStore::new()).live(LivePoints::new(options)).build()
}

#[test]
fn captions_from_long_ago_move_the_beginning_nowhere() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    // An encoder sends the last fragments of each track again.
    process.push(&text(3), [(20 * SECOND, CHUNK)]);
    process.push_media(1000..1009);
    process.pass(5);
    let offset = |mpd: String| {
        let rest = mpd.split_once("presentationTimeOffset=\"").unwrap().1;
        rest.split_once('"').unwrap().0.to_owned()
    };
    assert_eq!(offset(process.text("manifest.mpd")), "20000000000");
    let restarted = Process::begin(Some(&archive), WALL + 10);
    let followed = testkit::get(&follower(&archive), "/x.isml/manifest.mpd").unwrap();
    assert_eq!(offset(String::from_utf8(followed).unwrap()), "20000000000");
    assert_eq!(offset(restarted.text("manifest.mpd")), "20000000000");
    restarted.stop();
    assert_eq!(offset(restarted.text("manifest.mpd")), "20000000000");
    let ended = Process::begin(Some(&archive), WALL + 20);
    assert_eq!(offset(ended.text("manifest.mpd")), "20000000000");
}

#[test]
fn links_into_the_event_by_wall_time_lead_to_the_same_after_the_end() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    process.push_media(0..12);
    let first = process.text("video-3000000.m3u8");
    let date = date_of_first(&first).to_owned();
    let path = format!("video-3000000.m3u8?start={date}");
    let live = process.text(&path);
    process.stop();
    for process in [process, Process::begin(Some(&archive), WALL + 1000)] {
        let ended = process.text(&path);
        assert_grown(&live, &ended, "start");
        assert!(!live.contains("PLAYLIST-TYPE") && !ended.contains("PLAYLIST-TYPE"));
        for path in ["master.m3u8", "manifest.mpd", "Manifest"] {
            let path = format!("{path}?start={date}");
            assert!(testkit::get(&process.origin, &format!("/x.isml/{path}")).is_ok(), "{path}");
            assert!(testkit::get(&process.origin, &format!("/x.ism/{path}")).is_ok(), "{path}");
        }
    }
}

#[test]
fn caches_keep_no_url_of_a_point_for_long_because_the_next_event_has_the_same() {
    for archive in [Some(MemoryArchive::new()), None] {
        let process = Process::begin(archive.as_ref(), WALL);
        process.push_media(0..6);
        let paths = [
            "Manifest",
            "manifest.mpd",
            "master.m3u8",
            "video-3000000.m3u8",
            "video-3000000.m3u8?start=2",
            "video-3000000/init.mp4",
            "video-3000000/60000000.m4s",
            "QualityLevels(3000000)/Fragments(video=60000000)",
        ];
        let kept = |path: &str| {
            let (status, fields) = process.get(path);
            assert_eq!(status, 200, "{path}");
            ["cache-control", "key"].map(|name| fields[name].to_str().unwrap().to_owned())
        };
        let all = || paths.map(|path| kept(&format!("/x.isml/{path}")));
        let live = all();
        process.stop();
        assert_eq!(all(), live, "{}", archive.is_some());
        if archive.is_some() {
            let film = paths.map(|path| kept(&format!("/x.ism/{path}")));
            let [.., [control, key]] = film;
            assert!(control.contains("max-age=86400"), "{control}");
            assert_eq!(key, "x.ism");
        }
        // Another event is another film at the same URLs.
        process.point.start();
        let begin = 100;
        process.push_media(begin..begin + 6);
        let fragment = format!("/x.isml/video-3000000/{}.m4s", 2 * begin * SECOND);
        assert_eq!(process.get(&fragment).0, 200);
        process.stop();
        assert_eq!(process.get(&fragment).0, 200);
        assert_eq!(process.get("/x.isml/video-3000000/60000000.m4s").0, 404);
    }
}

#[test]
fn an_event_has_other_validators_than_one_of_another_process() {
    let fragment = "/x.isml/QualityLevels(64000)/Fragments(audio=7000000)";
    let tag = |process: &Process, path: &str| process.get(path).1["etag"].clone();
    let tags = [WALL, WALL + 60].map(|wall| {
        let process = Process::begin(None, wall);
        process.push_media(0..4);
        [fragment, "/x.isml/audio-64000/init.mp4"].map(|path| tag(&process, path))
    });
    assert_ne!(tags[0], tags[1]);
    assert_ne!(tags[0][0], tags[1][0]);
    // A process that goes on with the event has the same.
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    process.push_media(0..4);
    let before = tag(&process, fragment);
    let process = Process::begin(Some(&archive), WALL + 60);
    process.push_media(4..5);
    assert_eq!(tag(&process, fragment), before);
}

/// Captions that are a stream of their own.
pub fn subtitles() -> Spec {
    Spec { name: "subtitles", ..text(3) }
}

/// Pushes chunks one by one, and asserts that nothing changes in a playlist but at its ends.
fn assert_only_grows(spec: &Spec, path: &str, chunks: &[(i64, u32)]) -> String {
    let process = Process::begin(None, WALL);
    let (mut before, mut pictures) = (String::new(), 0);
    for &chunk in chunks {
        while pictures <= chunk.0 {
            process.push(&video(1, 3_000_000), [(pictures, CHUNK)]);
            pictures += i64::from(CHUNK);
        }
        process.push(spec, [chunk]);
        process.pass(5);
        let Ok(text) = testkit::get(&process.origin, &format!("/x.isml/{path}")) else { continue };
        let text = String::from_utf8(text).unwrap();
        assert_grown(&before, &text, path);
        let target = |text: &str| {
            text.lines().find(|line| line.starts_with("#EXT-X-TARGETDURATION")).map(str::to_owned)
        };
        assert!(before.is_empty() || target(&before) == target(&text), "{before}{text}");
        before = text;
    }
    assert!(!before.is_empty());
    before
}

#[test]
fn a_segment_that_is_listed_lasts_as_long_after_the_next_one_is_listed() {
    // A clock that goes too fast, one that goes too slowly, and a gap that is shorter than a tenth of a second.
    for step in [20_000_800, 19_999_200, 20_900_000] {
        let chunks: Vec<_> = (0..12).map(|number| (number * step, CHUNK)).collect();
        let sound = audio(1, 64_000);
        let text = assert_only_grows(&sound, "audio-64000.m3u8", &chunks);
        // Where the next one begins earlier, the end was known before.
        assert_eq!(text.contains("#EXTINF:2.0000000,"), step > 20_000_000, "{text}");
        let dated = text.matches("#EXT-X-PROGRAM-DATE-TIME").count();
        assert_eq!(dated > 1, step == 20_900_000, "{text}");
    }
}

#[test]
fn a_gap_between_captions_becomes_segments_once_the_next_one_is_there() {
    let half = CHUNK / 4;
    let at = |tenths: i64| (tenths * SECOND / 10, half);
    let captions = subtitles();
    let chunks: Vec<_> = (0..30).map(|number| at(number * 35)).collect();
    let text = assert_only_grows(&captions, "subtitles-1000.m3u8", &chunks);
    assert!(text.contains("#EXT-X-TARGETDURATION:10\n"), "{text}");
    assert!(text.contains("#EXT-X-GAP\n#EXTINF:3.0000000,\n"), "{text}");
    assert!(text.contains("#EXTINF:0.5000000,\n"), "{text}");
    // No filler is longer than the playlist says.
    let far = [0, 5, 260, 700, 705, 1400, 1405, 1410].map(at);
    let text = assert_only_grows(&captions, "subtitles-1000.m3u8", &far);
    assert!(text.contains("#EXT-X-MEDIA-SEQUENCE:"), "{text}");
}

/// Returns the URLs of a playlist that begin with this.
pub fn urls<'t>(playlist: &'t str, begin: &str) -> Vec<&'t str> {
    playlist.lines().filter(|line| line.starts_with(begin)).collect()
}

#[test]
fn captions_that_name_a_parent_are_in_all_outputs() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    // Both say that the pictures are their parent.
    let commands = Spec { name: "scte35", bitrate: 0, ..text(4) };
    process.push(&text(3), [(0, CHUNK), (2 * SECOND, CHUNK)]);
    process.push(&commands, [(0, CHUNK)]);
    process.push_media(0..4);
    process.pass(5);
    let check = |process: &Process, what: &str| {
        let smooth = process.text("Manifest");
        assert_eq!(smooth.matches("ParentStreamIndex=\"video\"").count(), 2, "{what}: {smooth}");
        let mpd = process.text("manifest.mpd");
        assert_eq!(mpd.matches("contentType=\"text\"").count(), 1, "{what}: {mpd}");
        assert!(mpd.contains("captions-1000"), "{what}: {mpd}");
        let master = process.text("master.m3u8");
        assert_eq!(master.matches("TYPE=SUBTITLES").count(), 1, "{what}: {master}");
        assert!(master.contains("URI=\"captions-1000.vtt.m3u8\""), "{what}: {master}");
        let playlist = process.text("captions-1000.vtt.m3u8");
        let both =
            ["0-20000000", "20000000-40000000"].map(|of| format!("captions-1000.vtt/{of}.vtt"));
        assert_eq!(urls(&playlist, "captions-1000.vtt/")[..2], both, "{what}: {playlist}");
        assert_eq!(process.get("/x.isml/captions-1000/20000000.m4s").0, 200, "{what}");
        assert_eq!(process.get("/x.isml/scte35-0.m3u8").0, 404, "{what}");
    };
    check(&process, "live");
    process.stop();
    check(&process, "ended");
    check(&Process::begin(Some(&archive), WALL + 1000), "restarted");
    let film = testkit::get(&process.origin, "/x.ism/master.m3u8").unwrap();
    assert!(String::from_utf8(film).unwrap().contains("captions-1000.vtt.m3u8"));
}

/// The first segment of captions.
const FIRST: &str = "captions-1000.vtt/0-20000000.vtt";

/// Asserts that captions are announced and have not come, and returns their playlist.
fn assert_awaited(text: impl Fn(&str) -> String, what: &str) -> String {
    let master = text("master.m3u8");
    assert!(master.contains("URI=\"captions-1000.vtt.m3u8\""), "{what}: {master}");
    assert!(!text("imsc.m3u8").contains("SUBTITLES"), "{what}");
    let playlist = text("captions-1000.vtt.m3u8");
    assert!(playlist.contains("#EXT-X-MEDIA-SEQUENCE:0\n"), "{what}: {playlist}");
    assert_eq!(urls(&playlist, "captions-1000.vtt/")[0], FIRST, "{what}");
    // Players of these stop at a stream without chunks.
    assert!(!text("Manifest").contains("captions"), "{what}");
    assert!(!text("manifest.mpd").contains("captions"), "{what}");
    playlist
}

#[test]
fn captions_are_in_the_master_playlist_before_the_first_one() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    process.push(&text(3), []);
    process.push_media(0..3);
    let before = assert_awaited(|path| process.text(path), "live");
    assert!(before.contains("\n#EXT-X-PROGRAM-DATE-TIME:"), "{before}");
    assert_eq!(urls(&before, "captions-1000.vtt/"), [FIRST]);
    assert_eq!(process.text(FIRST), "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n");
    let follower = follower(&archive);
    let of_follower = |path: &str| {
        let text = testkit::get(&follower, &format!("/x.isml/{path}")).unwrap();
        String::from_utf8(text).unwrap()
    };
    assert_eq!(assert_awaited(of_follower, "follower"), before);
    let process = Process::begin(Some(&archive), WALL + 10);
    assert_eq!(assert_awaited(|path| process.text(path), "restarted"), before);
    // The first one comes.
    process.push(&text(3), [(2 * SECOND, CHUNK)]);
    process.push_media(3..6);
    let after = process.text("captions-1000.vtt.m3u8");
    assert_grown(&before, &after, "the first one");
    let second = "captions-1000.vtt/20000000-40000000.vtt";
    assert!(urls(&after, "captions-1000.vtt/").contains(&second), "{after}");
    assert!(process.text("manifest.mpd").contains("captions-1000"));
    assert!(process.text("imsc.m3u8").contains("captions-1000.m3u8"));
    assert!(process.get(&format!("/x.isml/{FIRST}")).0 == 200, "a player may be late");
    process.stop();
    for process in [process, Process::begin(Some(&archive), WALL + 1000)] {
        let ended = process.text("captions-1000.vtt.m3u8");
        assert_grown(&after, &ended, "ended");
        assert_eq!(date_of_first(&ended), date_of_first(&before));
    }
}

#[cfg(feature = "fs")]
#[test]
fn a_follower_of_a_folder_reads_captions_that_come_after_a_restart() {
    use smooth_origin::storage::LocalArchive;
    let folder = std::env::temp_dir().join(format!("live-end-follower-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let options = || LiveOptions::default().archive(LocalArchive::new(&folder).unwrap());
    let process = Process::with(options(), WALL);
    process.push(&text(3), []);
    process.push_media(0..3);
    let seconds = Arc::<AtomicU64>::default();
    let of = Arc::clone(&seconds);
    let clock = Clock::new(move || Duration::from_secs(of.load(Relaxed)));
    let points = options().follow(|_| Some(PointOptions::default().look_ahead(1)));
    let builder = Origin::builder(MemoryStore::new()).clock(clock);
    let follower = builder.live(LivePoints::new(points)).build();
    let get = |path: &str| testkit::get(&follower, &format!("/x.isml/{path}")).unwrap();
    assert_awaited(|path| String::from_utf8(get(path)).unwrap(), "follower");
    // It makes the file of the captions anew.
    let process = Process::with(options(), WALL + 10);
    process.push(&text(3), [(2 * SECOND, CHUNK)]);
    process.push_media(3..6);
    seconds.fetch_add(10, Relaxed);
    let paths = ["QualityLevels(1000)/Fragments(captions=20000000)", "captions-1000/20000000.m4s"];
    for path in paths {
        let written = testkit::get(&process.origin, &format!("/x.isml/{path}")).unwrap();
        assert_eq!(get(path), written, "{path}");
    }
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn captions_that_never_come_end_with_the_event() {
    let process = Process::begin(None, WALL);
    process.push(&text(3), []);
    process.push_media(0..3);
    let before = assert_awaited(|path| process.text(path), "live");
    process.stop();
    let ended = assert_awaited(|path| process.text(path), "ended");
    assert_grown(&before, &ended, "ended");
    assert!(ended.ends_with("#EXT-X-ENDLIST\n") && playlist(&ended).0.len() == 3, "{ended}");
    // The film of an archive does not have them.
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    process.push(&text(3), []);
    process.push_media(0..3);
    process.stop();
    for process in [process, Process::begin(Some(&archive), WALL + 1000)] {
        for path in ["x.isml", "x.ism"] {
            let get = |name: &str| testkit::get(&process.origin, &format!("/{path}/{name}"));
            let master = String::from_utf8(get("master.m3u8").unwrap()).unwrap();
            assert!(!master.contains("SUBTITLES"), "{master}");
            assert!(get("captions-1000.vtt.m3u8").is_err());
            assert!(get("Manifest").is_ok() && get("manifest.mpd").is_ok());
        }
    }
}

#[test]
fn all_who_follow_list_announced_captions_in_one_order() {
    let archive = MemoryArchive::new();
    let process = Process::begin(Some(&archive), WALL);
    let seconds = Arc::<AtomicU64>::default();
    let of = Arc::clone(&seconds);
    let clock = Clock::new(move || Duration::from_secs(of.load(Relaxed)));
    let options = LiveOptions::default()
        .archive(archive.clone())
        .follow(|_| Some(PointOptions::default().look_ahead(1)));
    let builder = Origin::builder(MemoryStore::new()).clock(clock);
    let step = builder.live(LivePoints::new(options)).build();
    let texts = |origin: &Origin| {
        let get = |path| testkit::get(origin, &format!("/x.isml/{path}")).ok();
        ["Manifest", "manifest.mpd", "master.m3u8"].map(get)
    };
    // Looks after each push, and not only at the end.
    let pushes: [&dyn Fn(); 7] = [
        &|| process.push(&subtitles(), []),
        &|| process.push_media(0..3),
        &|| process.push(&Spec { name: "late", ..audio(1, 96_000) }, [(2 * SECOND, CHUNK)]),
        &|| process.push(&text(3), [(2 * SECOND, CHUNK)]),
        &|| process.push(&Spec { name: "other", ..text(3) }, []),
        &|| process.push_media(3..6),
        &|| process.push(&subtitles(), [(4 * SECOND, CHUNK)]),
    ];
    let mut looks = 0;
    for push in pushes {
        push();
        process.pass(1);
        seconds.fetch_add(10, Relaxed);
        looks += usize::from(texts(&step)[2].is_some());
    }
    assert_eq!(looks, 6);
    let once = follower(&archive);
    assert!(texts(&step) == texts(&once));
    let names = |origin: &Origin| -> Vec<String> {
        let master = String::from_utf8(texts(origin)[2].clone().unwrap()).unwrap();
        let text = master.lines().filter(|line| line.contains("TYPE=SUBTITLES"));
        let name = |line: &str| {
            line.split("NAME=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        text.map(name).collect()
    };
    let restarted = Process::begin(Some(&archive), WALL + 10);
    for origin in [&process.origin, &step, &once, &restarted.origin] {
        assert_eq!(names(origin), ["subtitles", "captions", "other"]);
    }
}

#[test]
fn a_gap_between_captions_is_a_time_in_dash() {
    let process = Process::begin(None, WALL);
    let captions = subtitles();
    process.push(&captions, [(0, CHUNK / 4)]);
    process.push_media(0..2);
    let segments = |process: &Process| -> Vec<String> {
        let mpd = process.text("manifest.mpd");
        let set = mpd.split("contentType=\"text\"").nth(1).unwrap().split("</AdaptationSet>");
        let set = { set }.next().unwrap().split("<S ").skip(1);
        set.map(|rest| rest.split('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(segments(&process), ["t=\"0\" d=\"5000000\""]);
    process.push(&captions, [(35_000_000, CHUNK / 4)]);
    process.push_media(2..4);
    let both = ["t=\"0\" d=\"5000000\"", "t=\"35000000\" d=\"5000000\""];
    assert_eq!(segments(&process), both);
}

#[test]
fn a_point_that_has_nothing_yet_says_so_and_caches_do_not_keep_it() {
    let process = Process::begin(None, WALL);
    let paths = ["Manifest", "manifest.mpd", "master.m3u8", "video-3000000/0.m4s"];
    let all = || paths.map(|path| process.get(&format!("/x.isml/{path}")));
    let assert_not_yet = |what: &str| {
        for (status, fields) in all() {
            assert_eq!(status, 412, "{what}");
            assert_eq!(fields["cache-control"], "max-age=1", "{what}");
        }
    };
    assert_not_yet("idle");
    // One fragment is held back.
    process.push_media(0..1);
    assert_not_yet("starting");
    assert_eq!(process.get("/y.isml/Manifest").0, 404);
    process.push_media(1..3);
    assert!(all().iter().all(|(status, _)| *status == 200));
    // Nothing comes to a point that the operator has stopped before its first event.
    let process = Process::begin(None, WALL);
    process.point.stop();
    assert_eq!(process.get("/x.isml/Manifest").0, 404);
}
