//! DASH, HLS and CMAF by the words of RFC 9110: one row per request.

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::Origin;
use smooth_origin::service::{Cors, OriginService, ServiceOptions};
use testkit::film::{self as made, Style, Track, ism};
use testkit::{fragment_files, store};

use crate::asked::{ask, get};
use crate::request_table::{Row, run, service};
use crate::stores::{PICTURE, Watched, film};

const MPD: &[&str] = &["content-type: application/dash+xml", "cache-control: max-age=60"];
const PLAYLIST: &[&str] =
    &["content-type: application/vnd.apple.mpegurl", "surrogate-key: film.ism"];
const VIDEO: &[&str] = &[
    "content-type: video/mp4",
    "cache-control: max-age=86400",
    "surrogate-key: film.ism",
    "access-control-allow-origin: *",
    "last-modified: Wed, 01 Jan 2020 00:00:00 GMT",
];
const MALFORMED: &[&str] = &["code: malformed-request", "cache-control: max-age=5"];
const NO_TRACK: &[&str] = &["code: no-track", "cache-control: max-age=5"];
const NO_FRAGMENT: &[&str] = &["code: no-fragment", "cache-control: max-age=5"];
const NO_SUCH_TIME: &[&str] = &["code: no-such-time", "cache-control: max-age=5"];
const NO_FILE: &[&str] = &["code: no-file", "cache-control: max-age=5"];
const NOT_SERVED: &[&str] = &["code: not-served", "cache-control: max-age=5"];

#[test]
fn each_target_has_its_status_and_its_code() {
    let service = service();
    let rows: &[Row<'_>] = &[
        // Manifests, by our names and by those of other origins.
        ("GET /film.ism/manifest.mpd", &[], 200, MPD),
        ("GET /film.ism/.mpd", &[], 200, MPD),
        ("GET /film.ism/Manifest.MPD", &[], 200, MPD),
        ("GET /film.ism/manifest(format=mpd-time-csf)", &[], 200, MPD),
        ("GET /film.ism/MANIFEST(Format=MPD-time-CMAF)", &[], 200, MPD),
        ("GET /film.ism/manifest%28format%3Dmpd-time-csf%29", &[], 200, MPD),
        ("GET /film.ism/manifest(format=mpd-time-csf).mpd", &[], 200, MPD),
        ("GET /film.ism/manifest.mpd?t=1690000000", &[], 200, MPD),
        ("GET /film.ism/manifest.mpd?token=a%20b", &[], 200, MPD),
        ("GET //film.ism//manifest.mpd/", &[], 200, MPD),
        ("GET /film%2Eism/manifest.mpd", &[], 200, MPD),
        ("GET /film.ism/master.m3u8", &[], 200, PLAYLIST),
        ("GET /film.ism/.m3u8", &[], 200, PLAYLIST),
        ("GET /film.ism/MASTER.m3u8", &[], 200, PLAYLIST),
        ("GET /film.ism/manifest(format=m3u8-cmaf)", &[], 200, PLAYLIST),
        ("GET /film.ism/manifest(format=m3u8-cmaf).m3u8", &[], 200, PLAYLIST),
        ("GET /film.ism/video-300.m3u8", &[], 200, PLAYLIST),
        ("GET /film.ism/video-300.key.m3u8", &[], 200, PLAYLIST),
        ("GET /film.ism/audio-64.m3u8", &[], 200, PLAYLIST),
        ("GET /film.ism/textstream-1.m3u8", &[], 200, PLAYLIST),
        ("GET /film.ism/textstream-1.vtt.m3u8", &[], 200, PLAYLIST),
        // Segments and headers.
        ("GET /film.ism/video-300/init.mp4", &[], 200, VIDEO),
        ("GET /film.ism/video-300.key/init.mp4", &[], 200, VIDEO),
        ("GET /film.ism/video-300/0.m4s", &[], 200, VIDEO),
        ("GET /film.ism/video-300/40000000.m4s", &[], 200, VIDEO),
        ("GET /film.ism/video-300.key/20000000.m4s", &[], 200, VIDEO),
        ("GET /film.ism/vide%6F-300/0.m4s", &[], 200, VIDEO),
        ("GET /film.ism/video-300/0.m4s?token=x", &[], 200, VIDEO),
        ("GET /film.ism/video-300/0.m4s?filter=x", &[], 200, VIDEO),
        ("GET /film.ism//video-300/0.m4s/", &[], 200, VIDEO),
        ("GET /film.ism/audio-64/init.mp4", &[], 200, &["content-type: audio/mp4"]),
        ("GET /film.ism/audio-64/0.m4s", &[], 200, &["content-type: audio/mp4"]),
        ("GET /film.ism/textstream-1/init.mp4", &[], 200, &["content-type: application/mp4"]),
        ("GET /film.ism/textstream-1/0.m4s", &[], 200, &["content-type: application/mp4"]),
        ("GET /film.ism/textstream-1.wvtt/init.mp4", &[], 200, &["content-type: application/mp4"]),
        // Not here.
        ("GET /none.ism/manifest.mpd", &[], 404, NO_FILE),
        ("GET /none.ism/master.m3u8", &[], 404, NO_FILE),
        ("GET /none.ism/video-300/0.m4s", &[], 404, NO_FILE),
        ("GET /none.ism/manifest(format=m3u8-cmaf)", &[], 404, &["code: no-presentation"]),
        ("GET /film.ism/video-301.m3u8", &[], 404, NO_TRACK),
        ("GET /film.ism/Video-300.m3u8", &[], 404, NO_TRACK),
        ("GET /film.ism/video-300.vtt.m3u8", &[], 404, NO_TRACK),
        ("GET /film.ism/audio-64.key.m3u8", &[], 404, NO_TRACK),
        ("GET /film.ism/manifest().m3u8", &[], 404, NO_TRACK),
        ("GET /film.ism/video-301/init.mp4", &[], 404, NO_TRACK),
        ("GET /film.ism/video-301/0.m4s", &[], 404, NO_TRACK),
        ("GET /film.ism/video-0300/0.m4s", &[], 404, NO_TRACK),
        ("GET /film.ism/video-+300/0.m4s", &[], 404, NO_TRACK),
        ("GET /film.ism/video/0.m4s", &[], 404, NO_TRACK),
        ("GET /film.ism/radio-300/0.m4s", &[], 404, NO_TRACK),
        ("GET /film.ism/v%FF-300/0.m4s", &[], 404, NO_TRACK),
        ("GET /film.ism/video-18446744073709551616/0.m4s", &[], 404, NO_TRACK),
        ("GET /film.ism/video-300/1.m4s", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/video-300/60000000.m4s", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/video-300/18446744073709551615.m4s", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/video-300.key/1.m4s", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/video-300/0.vtt", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/textstream-1/0.vtt", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/textstream-1.vtt/0.m4s", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/textstream-1.vtt/init.mp4", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/textstream-1.vtt/1.vtt", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/textstream-1.wvtt/0.vtt", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/textstream-1.wvtt/1.m4s", &[], 404, NO_FRAGMENT),
        ("GET /film.ism/video-300.wvtt/init.mp4", &[], 404, NO_TRACK),
        ("GET /film.ism/x.mpd", &[], 404, NO_FILE),
        ("GET /film.ism/x.M3U8", &[], 404, NO_FILE),
        // Not by the grammar.
        ("GET /film.ism/video-300", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/init.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/init.mp4.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/INIT.mp4", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/0.mp4", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/0.ts", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/-1.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/+1.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/00.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/0x0.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/1e3.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/18446744073709551616.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/0.m4s.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/a/0.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/master.m3u8/video-300.m3u8", &[], 400, MALFORMED),
        ("GET /film.ism/manifest.mpd/video-300/0.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/manifest(format=mpd-time-csf", &[], 400, MALFORMED),
        ("GET /film.ism/video-300%2F0.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/0%2Em4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/0.M4S", &[], 400, MALFORMED),
        ("GET /film.ism/video-300/%30.m4s", &[], 400, MALFORMED),
        ("GET /film.ism/video-300//0.m4s", &[], 400, MALFORMED),
        // Known, and not served.
        ("GET /film.ism/MANIFEST(FORMAT=M3U8-AAPL)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=m3u8-aapl-v4)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=m3u8-aapl-v3,audio-only=false)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=mpd-time-csf,audio-only=false)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(video-only=false,format=m3u8-cmaf)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=mpd-time-csf,foo=bar)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=mpd-time-csf).m4s", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=m3u8-cmaf).m4s", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=mpd-time-csf).x.mpd", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=mpd-time-csf)/0.m4s", &[], 404, NO_TRACK),
        ("GET /film.ism/manifest(format=m3u8-aapl).m4s", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=mpd-time-csf)x", &[], 400, MALFORMED),
        ("GET /film.ism/manifest(video,format=mpd-time-csf)", &[], 415, NOT_SERVED),
        ("GET /film.ism/QualityLevels(300)/Manifest(video,format=m3u8-cmaf)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=mpd-time-csf,format=m3u8-cmaf)", &[], 415, NOT_SERVED),
        (
            "GET /film.ism/manifest(format=mpd-time-csf,audio-only=false,filter=x)",
            &[],
            415,
            NOT_SERVED,
        ),
        ("GET /film.ism/manifest(format=mpd%2Dtime%2Dcsf)", &[], 200, MPD),
        ("GET /film.ism/MANIFEST.mpd", &[], 200, MPD),
        ("GET /film.ism/.M3U8", &[], 200, PLAYLIST),
        ("GET /film.ism/manifest(format=m3u8-aapl)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=m3u8-aapl-v3)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=m3u8-aapl).m3u8", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=x)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=f4m-f4f)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest.mpd?filter=type%3D%3D%22audio%22", &[], 415, NOT_SERVED),
        ("GET /film.ism/master.m3u8?filter=x", &[], 415, NOT_SERVED),
        ("GET /film.ism/video-300.m3u8?vbegin=2", &[], 200, PLAYLIST),
        ("GET /film.ism/manifest.mpd?start=2&end=4", &[], 200, MPD),
        ("GET /film.ism/manifest(format=mpd-time-csf)?start=2", &[], 200, MPD),
        ("GET /film.ism/manifest(format=m3u8-cmaf).m3u8?t=1970-01-01T00:00:02", &[], 200, PLAYLIST),
        ("GET /film.ism/master.m3u8?start=x", &[], 400, MALFORMED),
        ("GET /film.ism/manifest.mpd?start=4&end=4", &[], 400, MALFORMED),
        ("GET /film.ism/manifest.mpd?start=4000", &[], 404, NO_SUCH_TIME),
        ("GET /film.ism/manifest.mpd?start=2&filter=x", &[], 415, NOT_SERVED),
        ("GET /film.ism/video-300/40000000.m4s?start=x", &[], 200, VIDEO),
        ("GET /film.ism/manifest(format=mpd-time-csf)?filter=x", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=mpd-time-csf,filter=x)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(format=mpd-time-csf,encryption=cenc)", &[], 415, NOT_SERVED),
        ("GET /film.ism/manifest(encryption=cenc,format=m3u8-cmaf)", &[], 415, NOT_SERVED),
    ];
    for row in rows {
        let got = run(&service, row);
        let target = row.0.strip_prefix("GET ").unwrap();
        let head = ask(&service, "HEAD", target, &[]);
        assert_eq!((head.status, head.headers), (got.status, got.headers), "HEAD {target}");
    }
}

const UNDER_THIS_NAME: &str = "a manifest of DASH or HLS under this name";

/// Each refusal names what is not served, not a format that is.
#[test]
fn a_refusal_names_the_option_that_is_not_served() {
    let service = service();
    for (path, what) in [
        ("manifest(format=m3u8-aapl)", "HLS with segments of MPEG-TS"),
        ("MANIFEST(FORMAT=M3U8-AAPL-V3)", "HLS with segments of MPEG-TS"),
        (
            "manifest(format=mpd-time-csf,audio-only=false)",
            "a manifest with an option that is not known",
        ),
        ("manifest(format=m3u8-aapl-v3).m3u8", "HLS with segments of MPEG-TS"),
        ("manifest(format=mpd-time-csf,encryption=cenc)", "a manifest of another encryption"),
        ("manifest(format=m3u8-cmaf,filter=x)", "a filtered manifest"),
        ("manifest(format=m3u8-cmaf)?filter=x", "a filtered manifest"),
        ("manifest(format=mpd-time-csf,format=m3u8-cmaf)", "a manifest in several formats"),
        ("manifest(format=mpd-time-csf,format=m3u8-cmaf,filter=x)", "a filtered manifest"),
        ("manifest(format=m3u8-cmaf,format=m3u8-aapl)", "HLS with segments of MPEG-TS"),
        ("manifest(format=mpd-time-csf).m4s", UNDER_THIS_NAME),
        ("manifest(format=m3u8-cmaf).m4s", UNDER_THIS_NAME),
        ("manifest(format=mpd-time-csf).x.mpd", UNDER_THIS_NAME),
        ("manifest(video,format=mpd-time-csf)", UNDER_THIS_NAME),
        ("QualityLevels(300)/Manifest(video,format=m3u8-cmaf)", UNDER_THIS_NAME),
        ("manifest(format=m3u8-aapl).m4s", "HLS with segments of MPEG-TS"),
        ("manifest(format=f4m-f4f).m4s", "HDS"),
    ] {
        let asked = get(&service, &format!("/film.ism/{path}"));
        assert_eq!(asked.status, 415, "{path}");
        assert_eq!(asked.detail(), format!("{what} is not served here"), "{path}");
    }
}

#[test]
fn all_names_of_a_manifest_give_the_same() {
    let service = service();
    for (name, others) in [
        ("manifest.mpd", &[".mpd", "manifest(format=mpd-time-csf)"]),
        ("master.m3u8", &[".m3u8", "manifest(format=m3u8-cmaf)"]),
    ] {
        let expected = get(&service, &format!("/film.ism/{name}"));
        for other in others {
            let asked = get(&service, &format!("/film.ism/{other}"));
            assert_eq!(asked.headers, expected.headers, "{other}");
            assert_eq!(asked.body, expected.body, "{other}");
        }
    }
}

/// The head of a segment is written, and the rest is a range of the file.
#[test]
fn a_range_over_the_border_of_head_and_payload_is_a_part_of_the_whole() {
    let service = service();
    for target in ["/film.ism/video-300/20000000.m4s", "/film.ism/video-300.key/0.m4s"] {
        let whole = get(&service, target);
        let head = whole.body.len() - PICTURE as usize;
        let last = whole.body.len() - 1;
        for (from, to) in [
            (0, head - 1),
            (0, head),
            (head - 1, head),
            (head - 9, head + 1000),
            (head, last),
            (head + 1, head + 1),
            (last, last),
            (1, last),
        ] {
            let range = format!("bytes={from}-{to}");
            let part = ask(&service, "GET", target, &[("range", &range)]);
            assert_eq!(part.status, 206, "{target} {range}");
            let of = format!("bytes {from}-{to}/{}", whole.body.len());
            assert_eq!(part.header("content-range"), of);
            assert_eq!(part.body, &whole.body[from..=to], "{target} {range}");
            assert_eq!(part.header("etag"), whole.header("etag"));
        }
        // Several ranges in one body; another version is sent as a whole.
        let parts = format!("bytes=0-3,{}-{}", head - 2, head + 2);
        let parts = ask(&service, "GET", target, &[("range", &parts)]);
        assert_eq!(parts.status, 206);
        assert!(parts.header("content-type").starts_with("multipart/byteranges"));
        let part = &whole.body[head - 2..=head + 2];
        assert!(parts.body.windows(5).any(|five| five == part), "{target}");
        let fields = [("range", "bytes=0-0"), ("if-range", "\"other\"")];
        assert_eq!(ask(&service, "GET", target, &fields).body, whole.body);
        let beyond = ask(&service, "GET", target, &[("range", "bytes=9999999-")]);
        assert_eq!(beyond.status, 416);
    }
}

#[test]
fn a_segment_has_the_samples_of_the_stored_fragment() {
    let service = service();
    for (segment, stored) in [
        ("video-300/20000000.m4s", "QualityLevels(300)/RawFragments(video=20000000)"),
        ("audio-64/0.m4s", "QualityLevels(64)/RawFragments(audio=0)"),
    ] {
        let segment = get(&service, &format!("/film.ism/{segment}")).body;
        let stored = get(&service, &format!("/film.ism/{stored}")).body;
        assert!(!stored.is_empty() && segment.ends_with(&stored));
        assert_eq!(&segment[4..8], b"moof");
        let head = segment.len() - stored.len();
        assert_eq!(&segment[head - 4..head], b"mdat");
    }
}

#[test]
fn pages_of_listed_sites_may_read_all_outputs() {
    let cors = Cors::origins(["https://tv.example.com"]).unwrap();
    let options = ServiceOptions::default().cors(cors);
    let service = OriginService::with_options(Origin::new(film()), options);
    for target in ["manifest.mpd", "master.m3u8", "video-300/init.mp4", "video-300/0.m4s", "x.mpd"]
    {
        let target = format!("/film.ism/{target}");
        for (site, allowed) in [("https://tv.example.com", true), ("https://other.example", false)]
        {
            let asked = ask(&service, "GET", &target, &[("origin", site)]);
            let found = asked.header("access-control-allow-origin");
            assert_eq!(found, if allowed { site } else { "" }, "{target}");
        }
    }
}

#[cfg(feature = "compression")]
#[test]
fn manifests_are_compressed_and_segments_are_not() {
    use std::io::Read;

    let options = ServiceOptions::default().compression(true);
    let track = Track::regular(1, StreamKind::Video, 300, 20_000_000, 50);
    let media = made::media(&[track], Style::default()).to_bytes();
    let element = [("video", "long.ismv", 300, 1, "")];
    let objects = film();
    for (path, bytes) in [("long.ism", ism(None, &element)), ("long.ismv", media)] {
        fragment_files::put(&objects.objects, path, bytes);
    }
    let service = OriginService::with_options(Origin::new(objects), options);
    let began = std::time::Instant::now();
    for target in ["film.ism/manifest.mpd", "long.ism/video-300.m3u8"] {
        let target = format!("/{target}");
        let plain = get(&service, &target);
        assert_eq!(plain.header("vary"), "accept-encoding", "{target}");
        let coded = loop {
            let asked = ask(&service, "GET", &target, &[("accept-encoding", "gzip")]);
            if asked.header("content-encoding") == "gzip" {
                break asked;
            }
            assert!(began.elapsed() < std::time::Duration::from_secs(300), "{target}");
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&coded.body[..]).read_to_end(&mut text).unwrap();
        assert_eq!(text, plain.body, "{target}");
        assert_ne!(coded.header("etag"), plain.header("etag"), "{target}");
        let tag = coded.header("etag");
        let fields = [("accept-encoding", "gzip"), ("if-none-match", &*tag)];
        assert_eq!(ask(&service, "GET", &target, &fields).status, 304, "{target}");
    }
    for target in ["video-300/init.mp4", "video-300/0.m4s"] {
        let target = format!("/film.ism/{target}");
        let asked = ask(&service, "GET", &target, &[("accept-encoding", "gzip, br")]);
        assert_eq!(asked.header("content-encoding") + &asked.header("vary"), "", "{target}");
    }
}

/// A service of one film with this track.
fn of_one(kind: StreamKind, codec: Option<&[u8; 4]>) -> OriginService {
    let track = Track::regular(1, kind, 3, 20_000_000, 50);
    let mut media = made::media(&[track], Style::default()).to_bytes();
    if let Some(codec) = codec {
        let at = media.windows(4).position(|four| four == b"avc1").unwrap();
        media[at..at + 4].copy_from_slice(codec);
    }
    let element = [(kind.element(), "film.ismv", 64, 1, "")];
    let objects = store([("film.ism", ism(None, &element)), ("film.ismv", media)]);
    OriginService::new(Origin::new(Watched::new(objects)))
}

#[test]
fn a_title_with_sound_alone_has_a_variant() {
    let service = of_one(StreamKind::Audio, None);
    let asked = get(&service, "/film.ism/master.m3u8");
    assert_eq!(asked.status, 200);
    let text = String::from_utf8(asked.body).unwrap();
    assert!(text.contains("#EXT-X-STREAM-INF:") && text.contains("\naudio-64.m3u8\n"), "{text}");
    assert!(!text.contains("RESOLUTION") && !text.contains("avc1"), "{text}");
    let mpd = String::from_utf8(get(&service, "/film.ism/manifest.mpd").body).unwrap();
    assert!(mpd.contains("id=\"audio-64\"") && !mpd.contains("contentType=\"video\""), "{mpd}");
}

#[test]
fn a_title_without_a_codec_that_can_be_named_is_not_served() {
    let service = of_one(StreamKind::Video, Some(b"xvid"));
    for path in ["manifest.mpd", "master.m3u8"] {
        let asked = get(&service, &format!("/film.ism/{path}"));
        assert_eq!((asked.status, &*asked.code()), (415, "not-served"), "{path}");
    }
}

#[test]
fn a_live_folder_has_open_playlists_and_no_mpd() {
    let objects = fragment_files::film();
    let manifest = fragment_files::manifest(
        r#"IsLive="TRUE" LookaheadCount="2" DVRWindowLength="0""#,
        &[("video", "video", &[300_000], &fragment_files::chunks(&[0, 20_000_000]))],
    );
    let codec =
        r#"<QualityLevel FourCC="H264" CodecPrivateData="000000016742001e010000000168ce3c80""#;
    let manifest = manifest.replace("<QualityLevel", codec);
    fragment_files::put(&objects, "film.ism/Manifest", manifest.into_bytes());
    let service = OriginService::new(Origin::new(Watched::new(objects)));
    let mpd = get(&service, "/film.ism/manifest.mpd");
    assert_eq!((mpd.status, &*mpd.code()), (415, "not-served"));
    assert_eq!(mpd.detail(), "a live folder as DASH is not served here");
    for path in ["master.m3u8", "video-300000.m3u8"] {
        let playlist = get(&service, &format!("/film.ism/{path}"));
        assert_eq!(playlist.status, 200, "{path}");
        assert_eq!(playlist.header("cache-control"), "max-age=1", "{path}");
        let text = String::from_utf8(playlist.body).unwrap();
        assert!(!text.contains("ENDLIST") && !text.contains("PLAYLIST-TYPE"), "{text}");
    }
    let init = get(&service, "/film.ism/video-300000/init.mp4");
    assert_eq!((init.status, &*init.header("content-type")), (200, "video/mp4"));
}
