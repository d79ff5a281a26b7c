//! Work to be counted under valgrind, one scenario a run: see `counts.py`.
//!
//! Everything is prepared first; only what [`measured`] calls is counted.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;

use http_body::Body;
use smooth_origin::base::{Limits, Name};
use smooth_origin::manifest::Layout;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::service::{OriginService, ServiceOptions};
use smooth_origin_benches::film::ism;
use smooth_origin_benches::long_film::Progressive;
use smooth_origin_benches::{Samples, files_with};
use smooth_origin_benches::{
    Stored, every_policy, files, heads, large_manifest, locate, memory, now, open, recording,
    requests, six_tracks,
};
use testkit::progressive::{Film, Track};

/// The one function whose instructions are counted, with all that it calls.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

fn main() {
    let scenario = std::env::args().nth(1).unwrap_or_default();
    match scenario.as_str() {
        "locate-60s" => locate_all(60),
        "locate-24h" => locate_all(24 * 3600),
        "open-60s" => open_film(60, Stored::Nothing),
        "open-3h" => open_film(3 * 3600, Stored::Nothing),
        "open-3h-full" => open_film(3 * 3600, Stored::Full),
        "open-3h-compact" => open_film(3 * 3600, Stored::Compact),
        "walk-30min" => {
            let store = memory(&recording(1800, 30_000));
            measured(&mut || {
                black_box(open(&store));
            });
        }
        "progressive-pass" => {
            let film = long_film();
            measured(&mut || {
                black_box(film.pass());
            });
        }
        "progressive-open" => {
            let film = long_film();
            measured(&mut || {
                black_box(film.open());
            });
        }
        "progressive-alone" => {
            let film = Progressive::new(3, (12_800, 512), usize::MAX, None);
            measured(&mut || {
                black_box(film.open());
            });
        }
        "made" => get_made(0, 8 << 20),
        "made-first" => get_made(0, 0),
        "made-hit" => get_made(64 << 20, 8 << 20),
        "manifest" => {
            let manifest = large_manifest(5000, 3);
            measured(&mut || {
                black_box(manifest.to_xml(Layout::Full, &Limits::default()).unwrap());
            });
        }
        "head-bare" => head_all(ServiceOptions::default().no_caching()),
        "head-policies" => head_all(every_policy()),
        "manifest-hit" => manifest_hits(),
        "fragment" => get_all("Fragments", 0),
        "fragment-hit" => get_all("Fragments", 16 << 20),
        "key-frames" => get_all("KeyFrames", 0),
        "segment" => get_segments(0, HEADS),
        "segment-hit" => get_segments(16 << 20, HEADS),
        "segment-first" => get_segments(0, 0),
        "conditional-fragment" => conditional_fragments(),
        "conditional-manifest" => conditional_manifests(),
        unknown => {
            eprintln!("no scenario `{unknown}`");
            std::process::exit(2);
        }
    }
}

/// A thousand requests.
fn locate_all(seconds: u32) {
    let presentation = six_tracks(seconds);
    let paths = requests(&presentation, 1000);
    measured(&mut || {
        for path in &paths {
            black_box(locate(&presentation, path));
        }
    });
}

fn open_film(seconds: u32, stored: Stored) {
    let store = memory(&files(seconds, 300, stored));
    measured(&mut || {
        black_box(open(&store));
    });
}

/// A thousand responses to HEAD requests for fragments, as a browser sends them.
fn head_all(options: ServiceOptions) {
    let origin = Origin::new(memory(&files(600, 300, Stored::Nothing)));
    let opened = block_on(origin.open(&Name::new("film.ism").unwrap())).unwrap();
    let requests = heads(opened.presentation(), 1000);
    let service = OriginService::with_options(origin, options);
    let respond = || {
        for request in &requests {
            let response = now(service.respond(request));
            assert_eq!(response.status(), 200);
            black_box(response);
        }
    };
    // Each fragment has been looked at once.
    respond();
    measured(&mut { respond });
}

/// A thousand responses with all of a fragment, or with its key frame.
fn get_all(noun: &str, cache: u64) {
    let store = memory(&files(600, 300, Stored::Nothing));
    let origin = Origin::builder(store).fragment_cache_bytes(cache).build();
    let requests: Vec<_> = gets(&origin, noun)
        .into_iter()
        .map(|request| request.header("host", "localhost").body(()).unwrap())
        .collect();
    let service = OriginService::with_options(origin, every_policy());
    let respond = || requests.iter().for_each(|request| receive(&service, request));
    // Each fragment has been looked at once, and the cache is filled.
    respond();
    measured(&mut { respond });
}

/// Three hours at 25 pictures a second, with sound, half a second together.
fn long_film() -> Progressive {
    Progressive::new(3, (12_800, 512), 12, Some(23))
}

/// A thousand responses with a fragment that is made of the samples of a progressive film.
fn get_made(cache: u64, heads: u64) {
    let sound = Track { together: 2, ..Track::sound(600, 32_000, 9) };
    let video = Track { together: 1, ..Track::video((12_800, 512), 600, 50, 200_000, 7) };
    let store = memory(&[]);
    store.put(Name::new("film.mp4").unwrap(), Film::of([video, sound]).file());
    let named = [("video", "film.mp4", 200_000, 1, ""), ("audio", "film.mp4", 32_000, 2, "")];
    store.put(Name::new("film.ism").unwrap(), ism(None, &named));
    let builder = Origin::builder(store).fragment_cache_bytes(cache);
    let origin = builder.segment_head_bytes(heads).build();
    let requests: Vec<_> = gets(&origin, "Fragments")
        .into_iter()
        .map(|request| request.header("host", "localhost").body(()).unwrap())
        .collect();
    let service = OriginService::with_options(origin, every_policy());
    let respond = || requests.iter().for_each(|request| receive(&service, request));
    // Each group of chunks has been prepared, and what is kept is there.
    respond();
    respond();
    measured(&mut { respond });
}

/// Bytes for the heads of segments: room for all.
const HEADS: u64 = 16 << 20;

/// A thousand responses with a segment of CMAF, written from a fragment of 50 or 93 samples.
fn get_segments(cache: u64, heads: u64) {
    let bitrates = [400_000, 1_200_000, 3_500_000];
    let store = memory(&files_with(600, 3000, Stored::Nothing, &bitrates, 1, Samples::Many));
    let builder = Origin::builder(store).fragment_cache_bytes(cache);
    let origin = builder.segment_head_bytes(heads).build();
    let opened = block_on(origin.open(&Name::new("film.ism").unwrap())).unwrap();
    let get = |path: &String| {
        let request = http::Request::get(format!("/film.ism/{}", segment(path)));
        request.header("host", "localhost").body(()).unwrap()
    };
    let requests: Vec<_> = requests(opened.presentation(), 1000).iter().map(get).collect();
    let service = OriginService::with_options(origin, every_policy());
    let respond = || requests.iter().for_each(|request| receive(&service, request));
    // Each fragment has been looked at once, and what is kept is there.
    respond();
    respond();
    measured(&mut { respond });
}

/// Returns the path of the segment of a fragment.
fn segment(path: &str) -> String {
    let numbers: Vec<&str> = path.split(['(', ')', '=']).collect();
    format!("{}-{}/{}.m4s", numbers[3], numbers[1], numbers[4])
}

/// A thousand GETs of fragments all over `film.ism`, or of parts of them.
fn gets(origin: &Origin, noun: &str) -> Vec<http::request::Builder> {
    let opened = block_on(origin.open(&Name::new("film.ism").unwrap())).unwrap();
    let get = |path: &String| {
        let path = path.replace("Fragments", noun);
        http::Request::get(format!("/film.ism/{path}"))
    };
    requests(opened.presentation(), 1000).iter().map(get).collect()
}

/// Reads a response to its end.
fn receive(service: &OriginService, request: &http::Request<()>) {
    let mut body = now(service.respond(request)).into_body();
    while let Some(frame) = now(poll_fn(|context| Pin::new(&mut body).poll_frame(context))) {
        black_box(frame.unwrap());
    }
}

/// A validator that no response has, as a cache sends it after the files were replaced.
const OTHER: &str = "\"00112233445566778899aabbccddeeff-1-1f40-f\"";

/// A thousand responses with all of a fragment, because a cache has another version of it.
fn conditional_fragments() {
    let origin = Origin::new(memory(&files(600, 300, Stored::Nothing)));
    let requests: Vec<_> = gets(&origin, "Fragments")
        .into_iter()
        .map(|request| request.header("host", "localhost").header("if-none-match", OTHER))
        .map(|request| request.body(()).unwrap())
        .collect();
    let service = OriginService::with_options(origin, every_policy());
    let respond = || requests.iter().for_each(|request| receive(&service, request));
    // Each fragment has been looked at once.
    respond();
    measured(&mut { respond });
}

/// A thousand responses with a manifest, because a cache has another version of it.
fn conditional_manifests() {
    let origin = Origin::new(memory(&files(600, 300, Stored::Nothing)));
    let service = OriginService::with_options(origin, every_policy());
    let request = http::Request::get("/film.ism/Manifest").header("host", "localhost");
    let request = request.header("if-none-match", OTHER).body(()).unwrap();
    // Opening gives way to other tasks.
    block_on(service.respond(&request));
    measured(&mut || (0..1000).for_each(|_| receive(&service, &request)));
}

/// A thousand responses with a manifest in brotli.
fn manifest_hits() {
    let origin = Origin::new(memory(&files(600, 300, Stored::Nothing)));
    let service = OriginService::with_options(origin, every_policy());
    let request = http::Request::get("/film.ism/Manifest").header("host", "localhost");
    let request = request.header("accept-encoding", "gzip, br").body(()).unwrap();
    // Opening gives way to other tasks.
    block_on(service.respond(&request));
    let respond = || now(service.respond(&request));
    // It is compressed behind the back of the first request.
    while !respond().headers().contains_key("content-encoding") {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    measured(&mut || {
        for _ in 0..1000 {
            black_box(respond());
        }
    });
}
