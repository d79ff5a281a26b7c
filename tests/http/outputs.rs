//! Outputs that are compiled in or not, and on or off.

use smooth_origin::origin::Origin;
use smooth_origin::service::{OriginService, ServiceOptions};

use crate::asked::get;
use crate::stores::{MANIFEST, VIDEO, film};

const MPD: &[&str] = &[
    "/film.ism/manifest.mpd",
    "/film.ism/.mpd",
    "/film.ism/manifest(format=mpd-time-csf)",
    "/film.ism/Manifest(format=mpd-time-cmaf)",
    "/film.ism/manifest(format=mpd-time-csf).mpd",
];

const PLAYLISTS: &[&str] = &[
    "/film.ism/master.m3u8",
    "/film.ism/.m3u8",
    "/film.ism/manifest(format=m3u8-cmaf)",
    "/film.ism/manifest(format=m3u8-cmaf).m3u8",
];

/// Segments with HLS of MPEG-TS, and formats that nobody serves here.
const NEVER: &[(&str, &str)] = &[
    ("/film.ism/manifest(format=m3u8-aapl)", "HLS with segments of MPEG-TS is not served here"),
    ("/film.ism/manifest(format=m3u8-aapl-v3)", "HLS with segments of MPEG-TS is not served here"),
    (
        "/film.ism/manifest(format=m3u8-aapl).m3u8",
        "HLS with segments of MPEG-TS is not served here",
    ),
    ("/film.ism/manifest(format=f4m-f4f)", "HDS is not served here"),
    ("/film.ism/.f4m", "HDS is not served here"),
    ("/film.ism/manifest(format=x)", "a manifest in a format that is not known is not served here"),
];

const SEGMENTS: &[&str] =
    &["/film.ism/video-300/init.mp4", "/film.ism/video-300/0.m4s", "/film.ism/audio-64/0.m4s"];

/// The outputs of a service.
#[derive(Clone, Copy, Debug)]
struct Served {
    smooth: bool,
    dash: bool,
    hls: bool,
}

fn check(options: ServiceOptions, served: Served) {
    let service = OriginService::with_options(Origin::new(film()), options);
    // A presentation that is opened for the request, and one that is open.
    for _ in 0..2 {
        let expected = |is_served: bool, path: &str, output: &str| {
            let asked = get(&service, path);
            match is_served {
                true => assert_eq!(asked.status, 200, "{served:?} {path}"),
                false => {
                    assert_eq!((asked.status, &*asked.code()), (415, "not-served"), "{path}");
                    assert!(
                        asked.detail().contains(&format!("{output} is not served here")),
                        "{served:?} {path}: {}",
                        asked.detail()
                    );
                }
            }
        };
        expected(served.smooth, MANIFEST, "Smooth Streaming");
        expected(served.smooth, "/film.ism/manifest(format=fmp4)", "Smooth Streaming");
        MPD.iter().for_each(|path| expected(served.dash, path, "DASH"));
        PLAYLISTS.iter().for_each(|path| expected(served.hls, path, "HLS"));
        for (path, detail) in NEVER {
            let asked = get(&service, path);
            assert_eq!((asked.status, &*asked.code()), (415, "not-served"), "{served:?} {path}");
            assert!(asked.detail().contains(detail), "{path}: {}", asked.detail());
        }
        let bare = get(&service, "/film.ism").status;
        assert_eq!(bare, if served.smooth { 302 } else { 415 }, "{served:?}");
        let fragment = get(&service, VIDEO).status;
        assert_eq!(fragment, if served.smooth { 200 } else { 404 }, "{served:?}");
        assert_eq!(
            service.respond_plain(VIDEO, b"", &mut Vec::new()).is_some(),
            served.smooth,
            "{served:?}"
        );
        let has_segments = served.dash || served.hls;
        for path in SEGMENTS {
            let status = get(&service, path).status;
            let absent = if cfg!(any(feature = "dash", feature = "hls")) { 404 } else { 400 };
            assert_eq!(status, if has_segments { 200 } else { absent }, "{served:?} {path}");
        }
    }
}

#[test]
fn outputs_that_are_compiled_in_are_served() {
    let (dash, hls) = (cfg!(feature = "dash"), cfg!(feature = "hls"));
    check(ServiceOptions::default(), Served { smooth: true, dash, hls });
    check(ServiceOptions::default().smooth(false), Served { smooth: false, dash, hls });
}

#[cfg(all(feature = "dash", feature = "hls"))]
#[test]
fn an_output_that_is_off_is_not_served() {
    for bits in 0..8 {
        let served = Served { smooth: bits & 1 != 0, dash: bits & 2 != 0, hls: bits & 4 != 0 };
        let options = ServiceOptions::default().smooth(served.smooth);
        check(options.dash(served.dash).hls(served.hls), served);
    }
}
