//! The service: methods, headers and bodies, in the ecosystem's own types.

#![cfg(feature = "http")]

use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::service::{OriginService, PassedFiles, ServiceBody, ServiceOptions};
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Style, Track, ism};
use testkit::{Hands, name, store};

fn objects() -> MemoryStore {
    let tracks = [
        Track::regular(1, StreamKind::Video, 3, 20_000_000, 2_000_000),
        Track::regular(2, StreamKind::Audio, 3, 20_000_000, 50),
        Track::regular(3, StreamKind::Text, 3, 20_000_000, 5),
    ];
    let elements = [
        ("video", "film.ismv", 300, 1, ""),
        ("audio", "film.ismv", 64, 2, ""),
        ("textstream", "film.ismv", 1, 3, ""),
    ];
    store([
        ("film.ism", ism(None, &elements)),
        ("film.ismv", film::media(&tracks, Style::default()).to_bytes()),
        ("broken.ism", b"<smil>".to_vec()),
    ])
}

fn respond(service: &OriginService, method: Method, path: &str) -> Response<ServiceBody> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.body(()).unwrap();
    block_on(service.respond(&request))
}

fn header<'a>(response: &'a Response<ServiceBody>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The frames of a body, and whether it ended as it should.
fn frames(response: Response<ServiceBody>) -> (Vec<Bytes>, bool) {
    let mut body = response.into_body();
    let mut frames = Vec::new();
    loop {
        let hint = body.size_hint().exact().unwrap();
        match block_on(poll_fn(|context| Pin::new(&mut body).poll_frame(context))) {
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap();
                assert_eq!(body.size_hint().exact(), Some(hint - data.len() as u64));
                frames.push(data);
            }
            Some(Err(_)) => return (frames, false),
            None => {
                assert!(body.is_end_stream());
                return (frames, hint == 0);
            }
        }
    }
}

const VIDEO: &str = "/film.ism/QualityLevels(300)/Fragments(video=0)";

#[test]
fn head_says_what_get_says_and_sends_nothing() {
    let service = OriginService::new(Origin::new(objects()));
    for path in ["/film.ism/Manifest", VIDEO, "/film.ism", "/none.ism/Manifest", "/film.ism/x"] {
        let get = respond(&service, Method::GET, path);
        let head = respond(&service, Method::HEAD, path);
        assert_eq!((get.status(), get.headers()), (head.status(), head.headers()), "{path}");
        let length: usize = header(&get, "content-length").parse().unwrap();
        let (frames_of_get, whole) = frames(get);
        assert!(whole);
        assert_eq!(frames_of_get.iter().map(Bytes::len).sum::<usize>(), length, "{path}");
        assert_eq!(frames(head), (vec![], true), "{path}");
    }
}

#[test]
fn every_resource_has_its_media_type_and_a_strong_validator_of_its_own() {
    let service = OriginService::new(Origin::new(objects()));
    let elsewhere = OriginService::new(Origin::new(objects()));
    let mut tags = Vec::new();
    for (path, media_type) in [
        ("/film.ism/Manifest", "application/vnd.ms-sstr+xml"),
        (VIDEO, "video/mp4"),
        ("/film.ism/QualityLevels(300)/FragmentInfo(video=0)", "video/mp4"),
        ("/film.ism/QualityLevels(300)/Fragments(video=20000000)", "video/mp4"),
        ("/film.ism/QualityLevels(64)/Fragments(audio=0)", "audio/mp4"),
        ("/film.ism/QualityLevels(1)/Fragments(textstream=0)", "application/mp4"),
    ] {
        let response = respond(&service, Method::GET, path);
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "content-type"), media_type, "{path}");
        let tag = header(&response, "etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "{tag}");
        assert!(!tags.contains(&tag), "{path}");
        let again = respond(&elsewhere, Method::GET, path);
        assert_eq!(header(&again, "etag"), tag, "the same on another machine");
        tags.push(tag);
    }
}

#[test]
fn who_has_it_already_is_told_so() {
    let service = OriginService::new(Origin::new(objects()));
    let tag = header(&respond(&service, Method::GET, VIDEO), "etag").to_owned();
    let status = |field: &str| {
        let request = Request::get(VIDEO).header("host", "localhost");
        let request = request.header("if-none-match", field).body(()).unwrap();
        let response = block_on(service.respond(&request));
        let status = response.status().as_u16();
        if status == 304 {
            assert_eq!(header(&response, "etag"), tag);
            assert_eq!(frames(response), (vec![], true));
        }
        status
    };
    assert_eq!(status(&tag), 304);
    assert_eq!(status(&format!("\"x\", W/{tag}")), 304);
    assert_eq!(status("*"), 304);
    assert_eq!(status("\"x\""), 200);
    assert_eq!(status(""), 200);
}

#[test]
fn other_methods_are_told_which_are_allowed() {
    let service = OriginService::new(Origin::new(objects()));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::TRACE, Method::CONNECT] {
        let response = respond(&service, method, VIDEO);
        assert_eq!(response.status(), 405);
        assert_eq!(header(&response, "allow"), "GET, HEAD, OPTIONS");
    }
    let response = respond(&service, Method::OPTIONS, VIDEO);
    assert_eq!(
        (response.status().as_u16(), header(&response, "allow")),
        (204, "GET, HEAD, OPTIONS")
    );
    assert_eq!(frames(response), (vec![], true));
}

#[test]
fn a_failure_is_a_short_text_that_reveals_nothing_of_the_server() {
    let service = OriginService::new(Origin::new(objects()));
    for (path, status, text) in [
        (
            "/none.ism/Manifest",
            404,
            r#"{"status":404,"code":"no-presentation","detail":"no such presentation"}"#,
        ),
        (
            "/film.ism/QualityLevels(1)/Fragments(video=0)",
            404,
            r#"{"status":404,"code":"no-track","detail":"no such bitrate"}"#,
        ),
        (
            "/broken.ism/Manifest",
            500,
            r#"{"status":500,"code":"not-xml","detail":"line 1: not well-formed XML: an unclosed element"}"#,
        ),
    ] {
        let response = respond(&service, Method::GET, path);
        assert_eq!(response.status(), status);
        assert_eq!(header(&response, "content-type"), "application/problem+json");
        assert_eq!(frames(response).0.concat(), format!("{text}\n").as_bytes());
    }
    let redirect = respond(&service, Method::GET, "/film.ism");
    assert_eq!(
        (redirect.status().as_u16(), header(&redirect, "location")),
        (302, "film.ism/Manifest")
    );
}

#[test]
fn a_file_that_a_server_manifest_names_is_not_given_out_and_others_are() {
    let objects = objects();
    for file in ["films/part.mp4", "films/below/part.mp4", "films/trailer.mp4", "trailer.mp4"] {
        objects.put(name(file), "some bytes");
    }
    let elements = [("video", "Part.mp4", 300, 1, ""), ("audio", "below/part.mp4", 64, 2, "")];
    objects.put(name("films/parts.ism"), ism(None, &elements));
    let hands = Hands::default();
    let origin = Origin::builder(objects.clone()).clock(hands.clock()).build();
    let options = ServiceOptions::default().files(PassedFiles::matching(["*.mp4"]));
    let service = OriginService::with_options(origin, options);
    let status = |path| respond(&service, Method::GET, path).status().as_u16();
    // A disk may ignore letter case.
    assert_eq!(status("/films/part.mp4"), 403);
    assert_eq!(status("/films/below/part.mp4"), 403);
    assert_eq!(status("/films/trailer.mp4"), 200);
    assert_eq!(status("/films/none.mp4"), 404);
    assert_eq!(status("/nowhere/none.mp4"), 404);
    // What the broken manifest beside it names, nobody knows.
    assert_eq!(status("/trailer.mp4"), 403);
    objects.remove(&name("broken.ism"));
    hands.pass(5);
    assert_eq!(status("/trailer.mp4"), 200);
    // A presentation that arrives is noticed in the same time.
    objects.put(name("late.ism"), ism(None, &[("video", "trailer.mp4", 300, 1, "")]));
    hands.pass(5);
    assert_eq!(status("/trailer.mp4"), 403);
}

#[test]
fn a_large_fragment_comes_in_parts_and_is_never_held_whole() {
    let service = OriginService::new(Origin::new(objects()));
    let (frames, whole) = frames(respond(&service, Method::GET, VIDEO));
    assert!(whole);
    assert!(frames.len() > 4);
    assert!(frames.iter().all(|frame| frame.len() <= 1 << 20));
}

#[test]
fn a_body_whose_file_is_cut_off_ends_with_an_error() {
    use smooth_origin::storage::{Faults, FaultyStore};
    let faults = Faults { change: 30, ..Faults::default() };
    let (objects, mut cut) = (objects(), 0);
    for seed in 0..50 {
        let store = FaultyStore::new(objects.clone(), seed, faults);
        let response = respond(&OriginService::new(Origin::new(store)), Method::GET, VIDEO);
        if response.status() == 200 {
            let length: usize = header(&response, "content-length").parse().unwrap();
            let (frames, whole) = frames(response);
            assert_eq!(frames.iter().map(Bytes::len).sum::<usize>() == length, whole);
            cut += usize::from(!whole);
        }
    }
    assert!(cut > 5, "{cut}");
}

#[cfg(feature = "tower")]
#[test]
fn it_is_a_service_of_tower() {
    use tower_service::Service;
    let objects = objects();
    objects.put(name("extra.txt"), "x");
    let mut service = OriginService::new(Origin::new(objects));
    let request = Request::get(VIDEO).header("host", "localhost");
    let request = request.body("a body that nobody wants").unwrap();
    block_on(poll_fn(|context| Service::<Request<&str>>::poll_ready(&mut service, context)))
        .unwrap();
    let response = block_on(service.call(request)).unwrap();
    assert_eq!(response.status(), 200);
}
