//! Every kind of request for a fragment is one read of a remote store, for one client and for many,
//! and none if the fragment is in the cache.
#![cfg(all(feature = "http", feature = "dash", feature = "hls", feature = "fs"))]

use std::fs;
use std::future::poll_fn;
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;

use http::{Method, Request};
use http_body::Body;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::service::OriginService;
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Style, Track, ism};
use testkit::remote::{Remote, together};
use testkit::{fragment_files, name};

/// More than a request for the head of a fragment reads.
const PICTURE: u32 = 2_500_000;
const HEAD: u64 = 64 << 10;

const CLIENTS: usize = 20;

/// A request for a part of a fragment.
#[derive(Clone, Copy)]
struct Case {
    path: &'static str,
    is_head: bool,
    range: Option<&'static str>,
    /// Longest read, without a cache.
    most: u64,
    /// Reads by one client, by many at one time, and by one more, without a cache.
    plain: [usize; 3],
    /// The same with a cache.
    cached: [usize; 3],
}

const fn get(path: &'static str) -> Case {
    Case { path, is_head: false, range: None, most: 4 << 20, plain: [1, 1, 1], cached: [1, 1, 0] }
}

const fn head(path: &'static str) -> Case {
    // What was found out is known, with a cache and without.
    Case { is_head: true, most: HEAD, plain: [1, 1, 0], ..get(path) }
}

const fn range(path: &'static str, range: &'static str, most: u64) -> Case {
    Case { range: Some(range), most, ..get(path) }
}

/// Nothing is read.
const fn none(path: &'static str) -> Case {
    Case { plain: [0, 0, 0], cached: [0, 0, 0], ..get(path) }
}

const LARGE: &str = "/film.ism/QualityLevels(300)/Fragments(video=40000000)";

const CASES: &[Case] = &[
    get(LARGE),
    get("/ladder.ism/QualityLevels(220000)/Fragments(video=20000000)"),
    get("/ladder.ism/QualityLevels(48000)/Fragments(audio_eng=0)"),
    get("/ladder.ism/QualityLevels(220000)/KeyFrames(video=20000000)"),
    get("/film.ism/QualityLevels(300)/KeyFrames(video=40000000)"),
    get("/ladder.ism/QualityLevels(220000)/FragmentInfo(video=20000000)"),
    get("/film.ism/QualityLevels(300)/FragmentInfo(video=40000000)"),
    get("/ladder.ism/QualityLevels(220000)/RawFragments(video=20000000)"),
    get("/film.ism/QualityLevels(300)/RawFragments(video=40000000)"),
    // Segments of DASH and HLS.
    get("/ladder.ism/video-220000/20000000.m4s"),
    get("/film.ism/video-300/40000000.m4s"),
    // Those of key frames alone, for fast forward.
    get("/ladder.ism/video-220000.key/20000000.m4s"),
    none("/ladder.ism/video-220000/init.mp4"),
    none("/ladder.ism/video-220000.key/init.mp4"),
    none("/ladder.ism/manifest.mpd"),
    none("/ladder.ism/master.m3u8"),
    none("/ladder.ism/Manifest"),
    head(LARGE),
    head("/film.ism/video-300/40000000.m4s"),
    head("/ladder.ism/QualityLevels(220000)/FragmentInfo(video=20000000)"),
    range(LARGE, "bytes=0-99", HEAD + 100),
    range(LARGE, "bytes=500000-600000", HEAD + 600_001),
    // Of a fragment that is known, each of the ranges is a read.
    Case { plain: [1, 1, 2], ..range(LARGE, "bytes=0-0,500000-600000", HEAD + 600_001) },
    range(LARGE, "bytes=-100", 4 << 20),
    range("/film.ism/video-300/40000000.m4s", "bytes=500000-600000", HEAD + 600_001),
];

fn content() -> MemoryStore {
    let store = fragment_files::film();
    // The folder of fragments is under another name.
    let folder = MemoryStore::new();
    folder.put(name("folder.ism/Manifest"), block_on(read_all(&store, "film.ism/Manifest")));
    for (path, bytes) in fragment_files::files() {
        folder.put(name(&path.replace("film.ism", "folder.ism")), bytes);
    }
    let tracks = [Track::regular(1, StreamKind::Video, 5, 20_000_000, PICTURE)];
    folder.put(name("film.ismv"), film::media(&tracks, Style::default()).to_bytes());
    folder.put(name("film.ism"), ism(None, &[("video", "film.ismv", 300, 1, "")]));
    let ladder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/ladder");
    for file in ["ladder.ism", "ladder.ismc", "ladder.ismv"] {
        folder.put(name(file), fs::read(ladder.join(file)).unwrap());
    }
    folder
}

async fn read_all(store: &MemoryStore, object: &str) -> Vec<u8> {
    use smooth_origin::storage::{RangeSource, Store};
    let source = store.open(&name(object)).await.unwrap();
    let size = source.stat().await.unwrap().size;
    source.read(0..size).await.unwrap().to_vec()
}

/// A service over the content, whose presentations are open.
fn service(content: &MemoryStore, cache: u64) -> (OriginService, Remote) {
    let remote = Remote::new(content.clone());
    // The same ETags as over local files, which are in the boundaries of multipart bodies.
    let builder = Origin::builder(remote.clone()).remote_store().validate_versions(false);
    let builder = builder.fragment_cache_bytes(cache);
    let builder = builder.clock(remote.hands.clock()).timer(remote.hands.timer());
    let origin = builder.build();
    for manifest in ["/ladder.ism/Manifest", "/film.ism/Manifest", "/folder.ism/Manifest"] {
        block_on(origin.answer(manifest)).unwrap();
    }
    remote.forget();
    (OriginService::new(origin), remote)
}

/// The status and the body of the response to a request.
async fn ask(service: &OriginService, case: &Case) -> (u16, Vec<u8>) {
    let method = if case.is_head { Method::HEAD } else { Method::GET };
    let request = Request::builder().method(method).uri(format!("http://localhost{}", case.path));
    let request = match case.range {
        Some(range) => request.header("range", range),
        None => request,
    };
    let response = service.respond(&request.body(()).unwrap()).await;
    let (status, mut body) = (response.status().as_u16(), response.into_body());
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    (status, bytes)
}

fn longest(reads: &[Range<u64>]) -> u64 {
    reads.iter().map(|read| read.end - read.start).max().unwrap_or(0)
}

#[test]
fn every_kind_of_request_is_one_read_for_any_number_of_clients_and_none_from_the_cache() {
    let content = content();
    for case in CASES {
        // What a client of local files gets.
        let local = OriginService::new(Origin::new(content.clone()));
        let expected = block_on(ask(&local, case));
        let status = if case.range.is_some() { 206 } else { 200 };
        assert_eq!(expected.0, status, "{}", case.path);
        for (cache, reads) in [(0, case.plain), (64 << 20, case.cached)] {
            let what = format!("{} {:?} with a cache of {cache}", case.path, case.range);
            let (one, remote) = service(&content, cache);
            assert!(block_on(ask(&one, case)) == expected, "{what}");
            let made = remote.reads();
            assert_eq!(made.len(), reads[0], "{what}: {made:?}");
            assert!(cache > 0 || longest(&made) <= case.most, "{what}: {made:?}");
            assert!(block_on(ask(&one, case)) == expected, "{what}");
            assert_eq!(remote.reads().len(), reads[2], "{what}, again");

            let (many, remote) = service(&content, cache);
            remote.slow();
            let asked = (0..CLIENTS).map(|_| ask(&many, case));
            assert!(together(&remote, asked).iter().all(|got| *got == expected), "{what}");
            assert_eq!(remote.reads().len(), reads[1], "{what}, {CLIENTS} clients");
            let asked = (0..CLIENTS).map(|_| ask(&many, case));
            assert!(together(&remote, asked).iter().all(|got| *got == expected), "{what}");
            assert_eq!(remote.reads().len(), reads[2], "{what}, {CLIENTS} clients again");
            assert_eq!(many.origin().stats().body_bytes, 0, "{what}");
        }
    }
}

#[test]
fn what_one_kind_of_request_has_read_serves_all_others() {
    let content = content();
    let fragment = [
        get("/ladder.ism/QualityLevels(220000)/Fragments(video=20000000)"),
        get("/ladder.ism/QualityLevels(220000)/KeyFrames(video=20000000)"),
        get("/ladder.ism/QualityLevels(220000)/FragmentInfo(video=20000000)"),
        get("/ladder.ism/QualityLevels(220000)/RawFragments(video=20000000)"),
        get("/ladder.ism/video-220000/20000000.m4s"),
        get("/ladder.ism/video-220000.key/20000000.m4s"),
        range(
            "/ladder.ism/QualityLevels(220000)/Fragments(video=20000000)",
            "bytes=100-200",
            1 << 20,
        ),
    ];
    for first in &fragment {
        let (service, remote) = service(&content, 64 << 20);
        block_on(ask(&service, first));
        assert_eq!(remote.reads().len(), 1);
        for other in &fragment {
            block_on(ask(&service, other));
            assert_eq!(remote.reads().len(), 0, "{} after {}", other.path, first.path);
        }
    }
    // All at once.
    for cache in [0, 64 << 20] {
        let (service, remote) = service(&content, cache);
        remote.slow();
        together(&remote, fragment[..6].iter().map(|case| ask(&service, case)));
        assert_eq!(remote.reads().len(), 1);
    }
}

#[test]
fn a_fragment_in_a_file_of_its_own_is_opened_and_read_once_for_all() {
    let content = content();
    for path in [
        "/folder.ism/QualityLevels(300000)/Fragments(video=10000000)",
        "/folder.ism/QualityLevels(300000)/KeyFrames(video=10000000)",
        "/folder.ism/QualityLevels(300000)/FragmentInfo(video=10000000)",
        "/folder.ism/QualityLevels(64)/Fragments(audio=0)",
    ] {
        let case = get(path);
        let (service, remote) = service(&content, 0);
        let local = OriginService::new(Origin::new(content.clone()));
        let expected = block_on(ask(&local, &case));
        for _ in 0..2 {
            assert!(block_on(ask(&service, &case)) == expected);
            assert_eq!((remote.reads().len(), remote.others()), (1, 0), "{path}");
        }
        remote.slow();
        let got = together(&remote, (0..CLIENTS).map(|_| ask(&service, &case)));
        assert!(got.iter().all(|got| *got == expected), "{path}");
        assert_eq!((remote.reads().len(), remote.others()), (1, 0), "{path}");
        let stats = service.origin().stats();
        assert_eq!((stats.shared_reads, stats.body_bytes), (CLIENTS as u64 - 1, 0), "{path}");
    }
}
