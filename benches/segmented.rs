//! DASH and HLS: segments beside the fragments that they are written from, and the manifests of a long
//! film.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;

use http_body::Body;
use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::service::{OriginService, ServiceOptions};
use smooth_origin::storage::{LocalStore, MemoryStore};
use smooth_origin_benches::film::{self, Fragment, Style, Track, ism};
use smooth_origin_benches::{Stored, files_of, now as ready, write};

use super::{ROUNDS, compare, human, now};

/// Samples of a fragment.
const SAMPLES: u32 = 50;

/// A film of 300 fragments of pictures, 2 s and 50 samples each.
fn pictures() -> MemoryStore {
    let fragment = |number: u32| Fragment {
        time: i64::from(number) * 20_000_000,
        samples: (0..SAMPLES).map(|i| (20_000_000 / SAMPLES, 6000 - i)).collect(),
    };
    let track = Track::new(1, StreamKind::Video, (0..300).map(fragment).collect());
    let store = MemoryStore::new();
    let name = |name: &str| Name::new(name).unwrap();
    store.put(name("film.ism"), ism(None, &[("video", "film.ismv", 300_000, 1, "")]));
    store.put(name("film.ismv"), film::media(&[track], Style::default()).to_bytes());
    store
}

/// Asks for a segment of CMAF and for the fragment that it is written from.
pub fn segments() {
    let service = OriginService::with_options(Origin::new(pictures()), ServiceOptions::default());
    let requests = |path: &dyn Fn(u64) -> String| -> Vec<http::Request<()>> {
        let get = |number: u64| http::Request::get(path(number * 20_000_000));
        let get = |number| get(number).header("host", "localhost").body(()).unwrap();
        (0..300).map(get).collect()
    };
    let segments = requests(&|time| format!("/film.ism/video-300000/{time}.m4s"));
    let fragments =
        requests(&|time| format!("/film.ism/QualityLevels(300000)/Fragments(video={time})"));
    // Opening gives way to other tasks.
    block_on(service.respond(&fragments[0]));
    let all = |requests: &[http::Request<()>]| {
        for request in requests {
            let response = ready(service.respond(request));
            assert_eq!(response.status(), 200);
            let mut body = response.into_body();
            while let Some(frame) = ready(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))) {
                black_box(frame.unwrap());
            }
        }
    };
    compare(
        "300 segments of CMAF of 50 samples, through the service",
        "bar: 1.15 ×",
        3,
        || all(&segments),
        "the same chunks as fragments of Smooth Streaming",
        || all(&fragments),
    );
}

/// Asks for the MPD and for all playlists of a film that was just opened.
pub fn manifests() {
    let folder =
        std::env::temp_dir().join(format!("smooth-origin-bench-{}-hls", std::process::id()));
    let bitrates = [400_000, 1_200_000, 3_500_000];
    write(&files_of(3 * 3600, 300_000, Stored::Compact, &bitrates, 2), &folder);
    let mut times: Vec<f64> = (0..ROUNDS).map(|_| first_manifests(&folder)).collect();
    times.sort_by(f64::total_cmp);
    println!(
        "the MPD and all playlists of a film of 3 h, 3 qualities and 2 languages, just opened"
    );
    println!("  {} (bar: 5 ms)", human(times[times.len() / 2]));
    let _ = std::fs::remove_dir_all(folder);
}

/// Returns the nanoseconds from the opening to the last of the manifests.
fn first_manifests(folder: &std::path::Path) -> f64 {
    let origin = Origin::new(LocalStore::new(folder).unwrap());
    let opened = block_on(origin.open(&Name::new("film.ism").unwrap())).unwrap();
    let mut paths = vec!["manifest.mpd".to_owned(), "master.m3u8".to_owned()];
    for stream in opened.presentation().streams() {
        for track in stream.tracks() {
            let name = format!("{}-{}", stream.name(), track.bitrate());
            if stream.kind() == StreamKind::Video {
                paths.push(format!("{name}.key.m3u8"));
            }
            paths.push(format!("{name}.m3u8"));
        }
    }
    let start = now();
    for path in paths {
        match block_on(origin.answer(&format!("/film.ism/{path}"))) {
            Ok(Answer::Reply(served)) => black_box(served.reply().length()),
            other => panic!("{path} gave {other:?}"),
        };
    }
    (now() - start).as_nanos() as f64
}
