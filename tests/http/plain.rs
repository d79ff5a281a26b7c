//! Plain GETs that a host has answered without a `Request`.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use smooth_origin::origin::Origin;
use smooth_origin::service::{
    CacheClass, CacheControl, Caching, Cors, OriginService, PassedFiles, ServiceOptions,
};
use testkit::fragment_files;

use crate::asked::{Asked, ask, collect, get};
use crate::stores::{MANIFEST, POSTER, TARGETS, VIDEO, Watched, film};

const AUDIO: &str = "/film.ism/QualityLevels(64)/Fragments(audio=0)";
const INFO: &str = "/film.ism/QualityLevels(300)/FragmentInfo(video=0)";

/// Manifests and headers of other outputs.
const SEGMENTED: [&str; COUNT] = [
    #[cfg(feature = "dash")]
    "/film.ism/manifest.mpd",
    #[cfg(feature = "hls")]
    "/film.ism/master.m3u8",
    #[cfg(feature = "hls")]
    "/film.ism/video-300.m3u8",
    #[cfg(any(feature = "dash", feature = "hls"))]
    "/film.ism/audio-64/init.mp4",
];

const COUNT: usize = cfg!(feature = "dash") as usize
    + 2 * cfg!(feature = "hls") as usize
    + cfg!(any(feature = "dash", feature = "hls")) as usize;

/// The options of a service that all requests share.
fn options() -> ServiceOptions {
    ServiceOptions::default().cors(Cors::any()).files(PassedFiles::all())
}

fn service(options: ServiceOptions) -> OriginService {
    OriginService::with_options(Origin::new(film()), options)
}

/// The answer to a plain GET, if it is given at once; checks the form of its lines.
fn at_once(service: &OriginService, path: &str, accept_encoding: &str) -> Option<Asked> {
    let mut lines = b"before".to_vec();
    let Some(body) = service.respond_plain(path, accept_encoding.as_bytes(), &mut lines) else {
        assert_eq!(lines, b"before", "{path}: nothing is appended without an answer");
        return None;
    };
    let text = String::from_utf8(lines).unwrap();
    let text = text.strip_prefix("before").unwrap();
    assert!(text.ends_with("\r\n") && !text.ends_with("\r\n\r\n"), "{path}: {text:?}");
    let mut headers = HeaderMap::new();
    for line in text.split_terminator("\r\n") {
        let (name, value) = line.split_once(": ").unwrap();
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    let (asked, whole) = collect(Response::new(body));
    assert!(whole, "{path}: the body was cut off");
    Some(Asked { headers, ..asked })
}

/// Compares the answer to a plain GET with that to the same request; `false` if there is none.
fn is_same(service: &OriginService, path: &str, accept_encoding: &str) -> bool {
    let fields = match accept_encoding {
        "" => &[][..],
        value => &[("accept-encoding", value)],
    };
    // A form that is made meanwhile may come between two answers.
    for _ in 0..100 {
        let expected = ask(service, "GET", path, fields);
        let Some(found) = at_once(service, path, accept_encoding) else { return false };
        if found.headers.get("content-encoding") == expected.headers.get("content-encoding") {
            assert_eq!(expected.status, 200, "{path}");
            assert_eq!(found.headers, expected.headers, "{path}");
            assert_eq!(found.body, expected.body, "{path}");
            return true;
        }
    }
    panic!("{path}: the coding is another each time");
}

#[test]
fn a_plain_get_is_answered_as_any_other() {
    for options in [
        ServiceOptions::default(),
        options(),
        options().no_caching(),
        options().text_xml(true),
        options().caching(Caching::default().surrogate_key(None)),
        options().caching(Caching::default().content_never_changes()),
    ] {
        let service = service(options);
        for path in [MANIFEST, VIDEO, AUDIO, INFO, MANIFEST, VIDEO].into_iter().chain(SEGMENTED) {
            assert!(is_same(&service, path, ""), "{path}");
            // A fragment has no coding.
            assert!(is_same(&service, path, "gzip, br"), "{path}");
        }
        // Their answers are made of a read.
        for path in TARGETS.into_iter().filter(|path| *path != POSTER) {
            is_same(&service, path, "");
        }
    }
}

#[cfg(feature = "compression")]
#[test]
fn a_manifest_comes_in_the_coding_that_is_accepted() {
    let service = service(options().compression(true));
    let began = std::time::Instant::now();
    for coding in ["br", "gzip"] {
        while ask(&service, "GET", MANIFEST, &[("accept-encoding", coding)])
            .header("content-encoding")
            != coding
        {
            assert!(began.elapsed() < Duration::from_secs(300), "{coding} is never made");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    for (accepted, coding) in
        [("", ""), ("gzip", "gzip"), ("gzip, br", "br"), ("br;q=0.1, gzip", "gzip"), ("x", "")]
    {
        assert!(is_same(&service, MANIFEST, accepted), "{accepted}");
        let found = at_once(&service, MANIFEST, accepted).unwrap();
        assert_eq!(found.header("content-encoding"), coding, "{accepted}");
        assert_eq!(found.header("vary"), "accept-encoding", "{accepted}");
    }
}

#[test]
fn other_requests_are_left_to_respond() {
    let service = service(options().cross_domain_policies(true));
    assert!(at_once(&service, MANIFEST, "").is_none(), "the presentation is not open");
    assert_eq!(get(&service, MANIFEST).status, 200);
    for (path, status) in [
        ("/film.ism", 302),
        ("/film.ism/", 302),
        ("/none.ism/Manifest", 404),
        ("/film.ism/QualityLevels(300)/Fragments(video=1)", 404),
        ("/film.ism/QualityLevels(301)/Fragments(video=0)", 404),
        ("/film.ism/x", 400),
        ("/film.ismv", 403),
        ("/film.ism/Manifest(format=m3u8-aapl)", 415),
        ("/folder/broken.ism/Manifest", 500),
        (POSTER, 200),
        ("/crossdomain.xml", 200),
        ("/clientaccesspolicy.xml", 200),
    ] {
        assert_eq!(get(&service, path).status, status, "{path}");
        assert!(at_once(&service, path, "").is_none(), "{path}");
    }
}

#[test]
fn fields_that_differ_between_requests_are_left_to_respond() {
    let age = CacheControl::max_age(Duration::from_secs(7));
    for options in [
        options().cors(Cors::origins(["https://tv.example.com"]).unwrap()),
        options().caching(Caching::default().for_paths("film.ism/*", CacheClass::Manifest, age)),
    ] {
        let service = service(options);
        for path in [MANIFEST, VIDEO] {
            assert_eq!(get(&service, path).status, 200);
            assert!(at_once(&service, path, "").is_none(), "{path}");
        }
    }
}

#[test]
fn services_of_one_origin_have_their_own_fields() {
    let origin = Origin::new(film());
    let first = OriginService::with_options(origin.clone(), options());
    let second = OriginService::with_options(origin, options().text_xml(true).no_caching());
    for path in [MANIFEST, VIDEO] {
        assert!(is_same(&first, path, ""), "{path}");
        is_same(&second, path, "");
        assert!(is_same(&first, path, ""), "{path}");
    }
}

#[test]
fn fragments_in_files_of_their_own_are_answered_alike_or_not_at_once() {
    let service =
        OriginService::with_options(Origin::new(Watched::new(fragment_files::film())), options());
    for path in [
        "/film.ism/Manifest",
        "/film.ism/QualityLevels(300000)/Fragments(video=0)",
        "/film.ism/QualityLevels(3000)/Fragments(video=0)",
    ] {
        is_same(&service, path, "");
        is_same(&service, path, "gzip");
    }
}
