//! Films that are written for a test: names, times, gaps, rates.

use std::collections::BTreeMap;

use proptest::prelude::*;
use smooth_origin::manifest::StreamKind;
use smooth_origin::output::{cmaf, hls};
use testkit::film::{self, Fragment, Style, Track, ism};
use testkit::{fragment_files, store};

use super::every_film::{check, header, same_samples};
use super::film::{Film, Quality};

const SECOND: u64 = 10_000_000;

/// A track whose fragments have these starts and durations, of two samples each.
fn track(id: u32, kind: StreamKind, chunks: &[(u64, u64)]) -> Track {
    let fragment = |(number, &(start, duration)): (usize, &(u64, u64))| {
        let half = (duration / 2) as u32;
        let size = 100 + 10 * number as u32;
        Fragment {
            time: start as i64,
            samples: vec![(half, size), (duration as u32 - half, size / 2)],
        }
    };
    Track::new(id, kind, chunks.iter().enumerate().map(fragment).collect())
}

/// A quality of pictures, as a client manifest announces it.
const PICTURES: &str = r#"FourCC="H264" MaxWidth="320" MaxHeight="180" CodecPrivateData="000000016742C00DDA05067E7C39A808080A000007D20001D4C01E2855400000000168CE3C80""#;
const SOUND: &str = r#"FourCC="AACL" CodecPrivateData="1190" SamplingRate="48000" Channels="2" AudioTag="255" BitsPerSample="16" PacketSize="4""#;

/// A stream of a film: kind, name, bitrates, chunks.
struct Plan<'a>(StreamKind, &'a str, &'a [u32], &'a [(u64, u64)]);

fn escaped(name: &str) -> String {
    name.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// Writes a film with one file and a client manifest that says all that it is told.
fn film(plans: &[Plan<'_>]) -> Film {
    let (mut tracks, mut server, mut client) = (Vec::new(), Vec::new(), String::new());
    for Plan(kind, name, bitrates, chunks) in plans {
        let (element, quality) = match kind {
            StreamKind::Video => ("video", PICTURES),
            StreamKind::Audio => ("audio", SOUND),
            StreamKind::Text => ("textstream", r#"FourCC="TTML""#),
        };
        let name = escaped(name);
        client += &format!(
            "<StreamIndex Type=\"{kind}\" Name=\"{name}\" Chunks=\"{}\" QualityLevels=\"{}\" \
             Url=\"QualityLevels({{bitrate}})/Fragments({name}={{start time}})\">\n",
            chunks.len(),
            bitrates.len(),
        );
        for (number, bitrate) in bitrates.iter().enumerate() {
            client +=
                &format!("<QualityLevel Index=\"{number}\" Bitrate=\"{bitrate}\" {quality}/>\n");
            let id = tracks.len() as u32 + 1;
            tracks.push(track(id, *kind, chunks));
            server.push((element, *bitrate, id, name.clone()));
        }
        for (start, duration) in *chunks {
            client += &format!("<c t=\"{start}\" d=\"{duration}\"/>\n");
        }
        client += "</StreamIndex>\n";
    }
    let client = format!(
        "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"5\">\n{client}</SmoothStreamingMedia>"
    );
    let server: Vec<_> = server
        .iter()
        .map(|(element, bitrate, id, name)| (*element, "film.ismv", *bitrate, *id, &**name))
        .collect();
    let media = film::media(&tracks, Style::default());
    Film::of_files([
        ("film.ism", ism(Some("film.ismc"), &server)),
        ("film.ismv", media.to_bytes()),
        ("film.ismc", client.into_bytes()),
    ])
}

fn every(count: u64, duration: u64, from: u64) -> Vec<(u64, u64)> {
    (0..count).map(|i| (from + i * duration, duration)).collect()
}

#[test]
fn streams_of_any_name_are_served() {
    let chunks = every(3, 2 * SECOND, 0);
    for name in [
        "a b",
        "Ünï",
        "日本語",
        "it's",
        "a~2",
        "a-1",
        "-",
        "x.key",
        "x.vtt",
        "$Time$",
        "50%",
        "a/b",
        "(v)",
        "a,b",
        "a&b",
        "#1",
        "?q",
    ] {
        let film = film(&[
            Plan(StreamKind::Video, name, &[300, 600], &chunks),
            Plan(StreamKind::Audio, &format!("{name} sound"), &[64], &chunks),
        ]);
        assert_eq!(check_playlists(&film), 5, "{name}");
        if !name.contains(['/', '(', '&', '"', ',']) {
            assert!(check(&film) > 0, "{name}");
        }
    }
}

/// Asks for everything that playlists name, and returns the number of media playlists.
fn check_playlists(film: &Film) -> usize {
    let playlists = film.playlist("master.m3u8").playlists();
    for uri in &playlists {
        let playlist = film.playlist(uri);
        for map in playlist.each("#EXT-X-MAP") {
            header(&film.asked(map.attributes()["URI"]));
        }
        for entry in &playlist.entries {
            film.asked(&entry.uri);
        }
    }
    playlists.len()
}

#[test]
fn tracks_of_one_name_and_bitrate_have_names_of_their_own() {
    let chunks = every(2, 2 * SECOND, 0);
    let film = film(&[
        Plan(StreamKind::Video, "video", &[300, 300], &chunks),
        Plan(StreamKind::Audio, "audio", &[64], &chunks),
    ]);
    let ids: Vec<String> = film
        .sets()
        .iter()
        .flat_map(|set| &set.representations)
        .map(|of| of.get("id").unwrap().to_owned())
        .collect();
    let expected = ["video-300", "video-300~2", "audio-64", "video-300.key", "video-300~2.key"];
    assert_eq!(ids, expected);
    let has_key_frames = |mpd: &str| film.get(mpd).windows(9).any(|part| part == b"trickmode");
    assert!(has_key_frames("trick.mpd") && !has_key_frames("manifest.mpd"));
    assert_eq!(check_playlists(&film), 5);
    let tracks = ["video-300", "video-300~2"];
    let [first, second] = tracks.map(|id| film.get(&format!("{id}/0.m4s")));
    assert_ne!(first, second);
    for wrong in ["video-300~1", "video-300~3", "video-300~02", "video-0300", "video-300.vtt"] {
        assert_eq!(film.status(&format!("{wrong}/0.m4s")), 404, "{wrong}");
        assert_eq!(film.status(&format!("{wrong}.m3u8")), 404, "{wrong}");
    }
}

#[test]
fn a_gap_is_covered_in_dash_and_a_discontinuity_in_hls() {
    let mut chunks = every(2, 2 * SECOND, 0);
    chunks.extend(every(2, 2 * SECOND, 10 * SECOND));
    let film = film(&[Plan(StreamKind::Video, "video", &[300], &chunks)]);
    check(&film);
    let [set, _] = &film.sets()[..] else { panic!("pictures and key frames") };
    let seconds: Vec<_> = set.times.iter().map(|(t, d)| (t / SECOND, d / SECOND)).collect();
    assert_eq!(seconds, [(0, 2), (2, 8), (10, 2), (12, 2)]);
    let playlist = film.playlist("video-300.m3u8");
    let lasts: Vec<_> = playlist.entries.iter().map(|entry| entry.duration() / SECOND).collect();
    assert_eq!(lasts, [2, 2, 2, 2]);
    let dates: Vec<_> = playlist.entries.iter().map(|entry| entry.date()).collect();
    assert_eq!(dates, [Some(0), None, Some(10_000), None]);
    let breaks = playlist.entries.iter().map(|entry| entry.tag("#EXT-X-DISCONTINUITY").is_some());
    assert_eq!(breaks.collect::<Vec<_>>(), [false, false, true, false]);
}

#[test]
fn overlaps_are_cut_and_steps_back_are_left_out() {
    let chunks = [(0, 3 * SECOND), (2 * SECOND, 2 * SECOND), (4 * SECOND, 2 * SECOND)];
    let film = film(&[Plan(StreamKind::Video, "video", &[300], &chunks)]);
    check(&film);
    let set = film.sets().remove(0);
    assert!(set.times.iter().all(|(_, duration)| *duration == 2 * SECOND), "{:?}", set.times);
    let playlist = film.playlist("video-300.m3u8");
    assert!(playlist.entries.iter().all(|entry| entry.duration() == 2 * SECOND));
}

#[test]
fn streams_that_begin_later_keep_their_distance_in_dash() {
    let film = film(&[
        Plan(StreamKind::Video, "video", &[300], &every(3, 2 * SECOND, 5_800_000)),
        Plan(StreamKind::Audio, "audio", &[64], &every(3, 2 * SECOND, 5_000_000)),
    ]);
    check(&film);
    for set in film.sets() {
        assert_eq!(set.offset, 5_000_000, "one offset for all: {}", set.kind);
        let first = if set.kind == "video" { 5_800_000 } else { 5_000_000 };
        assert_eq!(set.times[0].0, first);
    }
    assert_eq!(film.mpd().get("mediaPresentationDuration"), Some("PT6.08S"));
    let date = |uri: &str| film.playlist(uri).entries[0].date();
    assert_eq!((date("video-300.m3u8"), date("audio-64.m3u8")), (Some(580), Some(580)));
}

#[test]
fn an_mpd_lasts_to_the_end_of_its_last_segment_where_that_is_between_two_ticks() {
    let quality = "<QualityLevel Bitrate='300' FourCC='AACL' CodecPrivateData='1190' \
                   SamplingRate='48000' Channels='2' AudioTag='255' BitsPerSample='16' PacketSize='4'/>";
    let client = format!(
        "<SmoothStreamingMedia MajorVersion='2' MinorVersion='2' TimeScale='3' Duration='10'>\
         <StreamIndex Type='audio' Name='audio' Url='QualityLevels({{bitrate}})/Fragments(audio={{start time}})'>\
         {quality}<c t='0' d='5' r='2'/></StreamIndex></SmoothStreamingMedia>"
    );
    let fragment = |time| {
        (
            format!("film.ism/QualityLevels(300)/Fragments(audio={time})"),
            fragment_files::fragment(300, time),
        )
    };
    let files = [fragment(0), fragment(5), ("film.ism/Manifest".to_owned(), client.into_bytes())];
    let store = testkit::store(files.iter().map(|(name, bytes)| (&**name, bytes.clone())));
    let film = Film::of_store(&store, files.into());
    assert_eq!(film.mpd().get("mediaPresentationDuration"), Some("PT3.3333334S"));
}

#[test]
fn times_above_2_to_the_53_are_exact_and_found_by_their_doubles() {
    let from = 17_959_968_061_234_567;
    let chunks = every(4, 20_000_001, from);
    let film = film(&[Plan(StreamKind::Video, "video", &[300], &chunks)]);
    check(&film);
    for (start, _) in chunks {
        let double = start as f64 as u64;
        let exact = film.get(&format!("video-300/{start}.m4s"));
        assert_eq!(exact, film.get(&format!("video-300/{double}.m4s")), "{start} {double}");
    }
}

#[test]
fn media_of_another_timescale_starts_where_its_manifest_says() {
    let in_media = |scale: u64| {
        let times = (0..4).map(|i| Fragment {
            time: (i * 2 * scale) as i64,
            samples: vec![(scale as u32, 50), (scale as u32, 60)],
        });
        let timescale = scale as u32;
        Track { timescale, ..Track::new(1, StreamKind::Video, times.collect()) }
    };
    for scale in [1000, 90_000, 48_000, 44_100, 12_800] {
        let media = film::media(&[in_media(scale)], Style::default());
        let film = Film::of_files([
            ("film.ism", ism(None, &[("video", "film.ismv", 300, 1, "")])),
            ("film.ismv", media.to_bytes()),
        ]);
        assert_eq!(check(&film), 8, "{scale}");
        let (_, found) = header(&film.get("video-300/init.mp4"));
        assert_eq!(u64::from(found), scale);
    }
}

#[test]
fn a_folder_of_fragment_files_is_served_with_the_samples_of_its_files() {
    let quality = |bitrate| Quality { bitrate, nth: 0 };
    let client = format!(
        "<SmoothStreamingMedia MajorVersion='2' MinorVersion='0' Duration='20000000'>\
         <StreamIndex Type='video' Name='video' Url='QualityLevels({{bitrate}})/Fragments(video={{start time}})'>\
         <QualityLevel Bitrate='3000' {PICTURES}/><c t='0' d='10000000'/><c d='10000000'/></StreamIndex>\
         </SmoothStreamingMedia>"
    );
    let mut files = BTreeMap::from([("film.ism/Manifest".to_owned(), client.into_bytes())]);
    for time in [0, SECOND] {
        let name = format!("film.ism/QualityLevels(3000)/Fragments(video={time})");
        files.insert(name, fragment_files::fragment(3000, time));
    }
    let store = store(files.iter().map(|(name, bytes)| (&**name, bytes.clone())));
    let film = Film::of_store(&store, files);
    let (id, _) = header(&film.asked("video-3000/init.mp4"));
    for time in [0, SECOND] {
        let stored = film.fragment("video", quality(3000), time);
        let served = film.asked(&format!("video-3000/{time}.m4s"));
        assert_eq!(same_samples(&stored, &served, (0, 0, 0), id, "a file"), time);
    }
    assert_eq!(film.sets()[0].times, [(0, SECOND), (SECOND, SECOND)]);
    assert_eq!(check_playlists(&film), 2);
}

#[test]
fn the_rates_are_those_of_the_served_segments() {
    let chunks = every(5, 2 * SECOND, 0);
    let film = film(&[
        Plan(StreamKind::Video, "video", &[300, 600], &chunks),
        Plan(StreamKind::Audio, "audio", &[64], &chunks),
    ]);
    let lengths = |stream: &str, bitrate: u32| -> Vec<u64> {
        let segment = |start| film.get(&format!("{stream}-{bitrate}/{start}.m4s"));
        chunks.iter().map(|of| segment(of.0).len() as u64).collect()
    };
    let rates = |lengths: &[u64]| {
        let peak = lengths.iter().max().unwrap() * 8 / 2;
        (peak, (lengths.iter().sum::<u64>() * 8).div_ceil(10))
    };
    let sound = rates(&lengths("audio", 64));
    for entry in film.playlist("master.m3u8").entries {
        let tag = entry.tag("#EXT-X-STREAM-INF").unwrap().attributes();
        let bitrate = if entry.uri.contains("300") { 300 } else { 600 };
        let pictures = rates(&lengths("video", bitrate));
        assert_eq!(tag["BANDWIDTH"], (pictures.0 + sound.0).to_string(), "{}", entry.uri);
        assert_eq!(tag["AVERAGE-BANDWIDTH"], (pictures.1 + sound.1).to_string(), "{}", entry.uri);
    }
}

#[test]
fn two_origins_answer_alike_in_any_order() {
    let plan = |_: ()| {
        let chunks = every(3, 2 * SECOND, 0);
        film(&[
            Plan(StreamKind::Video, "video", &[300, 600], &chunks),
            Plan(StreamKind::Audio, "audio", &[64], &chunks),
        ])
    };
    let (one, other) = (plan(()), plan(()));
    let mut paths = ["manifest.mpd", "trick.mpd", "wvtt.mpd", "master.m3u8", "imsc.m3u8"]
        .map(str::to_owned)
        .to_vec();
    for uri in one.playlist("master.m3u8").playlists() {
        let entries = one.playlist(&uri).entries;
        paths.extend(entries.into_iter().map(|entry| entry.uri));
        paths.push(uri);
    }
    let forwards: Vec<_> = paths.iter().map(|path| one.asked(path)).collect();
    let mut backwards: Vec<_> = paths.iter().rev().map(|path| other.asked(path)).collect();
    backwards.reverse();
    for ((path, one), other) in paths.iter().zip(forwards).zip(backwards) {
        assert!(one == other, "{path}");
    }
}

#[test]
fn sound_alone_is_served() {
    let film = film(&[Plan(StreamKind::Audio, "audio", &[64, 128], &every(3, 2 * SECOND, 0))]);
    assert!(check(&film) > 0);
    let multivariant = film.playlist("master.m3u8");
    assert_eq!(multivariant.entries.len(), 2);
    assert_eq!(check_playlists(&film), 2);
    assert_eq!(multivariant.each("#EXT-X-I-FRAME-STREAM-INF").count(), 0);
}

#[test]
fn several_languages_and_angles_are_named_apart() {
    let chunks = every(2, 2 * SECOND, 0);
    let film = film(&[
        Plan(StreamKind::Video, "front", &[300], &chunks),
        Plan(StreamKind::Video, "back", &[300], &chunks),
        Plan(StreamKind::Audio, "audio", &[64], &chunks),
        Plan(StreamKind::Audio, "audio 2", &[64], &chunks),
        Plan(StreamKind::Audio, "\"audio\"", &[64], &chunks),
        Plan(StreamKind::Audio, "audio", &[64], &chunks),
    ]);
    let multivariant = film.playlist("master.m3u8");
    let names: Vec<_> =
        multivariant.each("#EXT-X-MEDIA").map(|tag| tag.attributes()["NAME"].to_owned()).collect();
    let mut alone = names.clone();
    alone.sort();
    alone.dedup();
    assert_eq!(alone.len(), 4, "{names:?}");
    assert_eq!(check_playlists(&film), 8);
}

#[test]
fn a_set_has_the_shape_of_its_pictures_only_if_all_have_it() {
    let par = |widths: [u32; 2]| {
        let quality = |(bitrate, width): (u32, u32)| {
            let quality = PICTURES.replace("MaxWidth=\"320\"", &format!("MaxWidth=\"{width}\""));
            format!("<QualityLevel Bitrate='{bitrate}' {quality}/>")
        };
        let qualities: String = [3000, 4000].into_iter().zip(widths).map(quality).collect();
        let client = format!(
            "<SmoothStreamingMedia MajorVersion='2' MinorVersion='0' Duration='10000000'>\
             <StreamIndex Type='video' Name='video' Url='QualityLevels({{bitrate}})/Fragments(video={{start time}})'>\
             {qualities}<c t='0' d='10000000'/></StreamIndex></SmoothStreamingMedia>"
        );
        let mut files = BTreeMap::from([("film.ism/Manifest".to_owned(), client.into_bytes())]);
        for bitrate in [3000, 4000] {
            let name = format!("film.ism/QualityLevels({bitrate})/Fragments(video=0)");
            files.insert(name, fragment_files::fragment(bitrate, 0));
        }
        let store = store(files.iter().map(|(name, bytes)| (&**name, bytes.clone())));
        let film = Film::of_store(&store, files);
        let mpd = film.mpd();
        let set = mpd.one("Period").each("AdaptationSet").next().unwrap();
        set.get("par").map(str::to_owned)
    };
    assert!(par([320, 320]).is_some());
    assert_eq!(par([320, 240]), None);
}

#[test]
fn a_track_that_dash_and_hls_cannot_name_is_reported_once() {
    let client = format!(
        "<SmoothStreamingMedia MajorVersion='2' MinorVersion='0' Duration='20000000'>\
         <StreamIndex Type='video' Name='video' Url='QualityLevels({{bitrate}})/Fragments(video={{start time}})'>\
         <QualityLevel Bitrate='3000' {PICTURES}/><QualityLevel Bitrate='4000' FourCC='ABCD' \
         MaxWidth='320' MaxHeight='180' CodecPrivateData='0000010FD3'/>\
         <c t='0' d='10000000'/></StreamIndex></SmoothStreamingMedia>"
    );
    let mut files = BTreeMap::from([("film.ism/Manifest".to_owned(), client.into_bytes())]);
    for bitrate in [3000, 4000] {
        let name = format!("film.ism/QualityLevels({bitrate})/Fragments(video=0)");
        files.insert(name, fragment_files::fragment(bitrate, 0));
    }
    let store = store(files.iter().map(|(name, bytes)| (&**name, bytes.clone())));
    let film = Film::of_store(&store, files);
    let reported = || {
        let found = testkit::codes(film.opened.presentation());
        found.iter().filter(|code| *code == "info track-left-out").count()
    };
    assert_eq!(reported(), 0);
    assert_eq!(film.sets()[0].representations.len(), 1);
    assert_eq!(film.playlist("master.m3u8").playlists().len(), 2);
    assert_eq!(reported(), 1);
}

proptest! {
    #[test]
    fn what_is_written_is_parsed_back(
        rendition in "[A-Za-z0-9%._~-]{1,40}",
        time in any::<u64>(),
        from in any::<u64>(),
        which in 0..7,
    ) {
        let part = match which {
            0 => cmaf::Part::Init,
            1 => cmaf::Part::Segment(time),
            2 => cmaf::Part::Cut { time, from },
            3 => cmaf::Part::Held { time, until: from },
            4 => cmaf::Part::Silence { from, to: time },
            5 => cmaf::Part::Captions { from, to: time },
            _ => cmaf::Part::Text(time),
        };
        let written = format!("{rendition}/{}", match part {
            cmaf::Part::Init => "init.mp4".to_owned(),
            cmaf::Part::Segment(time) => format!("{time}.m4s"),
            cmaf::Part::Cut { time, from } => format!("{time}-{from}.m4s"),
            cmaf::Part::Held { time, until } => format!("{time}-until-{until}.m4s"),
            cmaf::Part::Silence { from, to } => format!("silence-{from}-{to}.m4s"),
            cmaf::Part::Captions { from, to } => format!("{from}-{to}.vtt"),
            _ => format!("{time}.vtt"),
        });
        let request = cmaf::Request::parse(&written).unwrap();
        prop_assert_eq!((request.rendition, request.part), (&*rendition, part));
        prop_assert_eq!(request.to_string(), &*written);
        let playlist = hls::Request::parse(&rendition);
        prop_assert_eq!(playlist, None.filter(|_: &hls::Request<'_>| !rendition.ends_with(".m3u8")));
        let uri = format!("{rendition}.m3u8");
        let request = hls::Request::parse(&uri).unwrap();
        let expected = if rendition == "master" { "master.m3u8" } else { &*uri };
        let written = request.to_string();
        prop_assert_eq!(&*written, expected);
        prop_assert_eq!(hls::Request::parse(&written), Some(request));
    }

    #[test]
    fn any_name_of_a_stream_is_found_again(name in "[ -~¡-ÿ]{1,12}", alike in 1..3_usize) {
        let name = name.trim();
        prop_assume!(!name.is_empty());
        let chunks = every(1, SECOND, 0);
        let film = film(&[Plan(StreamKind::Video, name, &vec![300; alike], &chunks)]);
        prop_assert_eq!(check_playlists(&film), 2 * alike);
    }
}
