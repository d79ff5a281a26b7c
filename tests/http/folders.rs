//! Fragments in files of their own: conditions, ranges, and caching.

use std::time::Duration;

use smooth_origin::origin::Origin;
use smooth_origin::service::{
    CacheClass, CacheControl, Caching, OriginService, PassedFiles, ServiceOptions,
};

use crate::asked::{Asked, ask, get};
use crate::stores::{MODIFIED, Watched};
use testkit::fragment_files::{chunks, files, film, live_fragment, manifest, put};
use testkit::{Hands, name, store};

const LARGE: &str = "/film.ism/QualityLevels(300000)/Fragments(video=0)";
const SMALL: &str = "/film.ism/QualityLevels(3000)/Fragments(video=0)";
const INFO: &str = "/film.ism/QualityLevels(300000)/FragmentInfo(video=0)";
const KEYS: &str = "/film.ism/QualityLevels(300000)/KeyFrames(video=0)";
const TARGETS: [&str; 4] = [LARGE, SMALL, INFO, KEYS];

const EARLIER: &str = "Tue, 31 Dec 2019 23:59:59 GMT";

fn options() -> ServiceOptions {
    ServiceOptions::default().caching(Caching::default()).files(PassedFiles::all())
}

fn service() -> OriginService {
    OriginService::with_options(Origin::new(Watched::new(film())), options())
}

fn with(service: &OriginService, method: &str, target: &str, field: (&str, &str)) -> Asked {
    ask(service, method, target, &[field])
}

#[test]
fn conditions_hold_for_each_noun() {
    let service = service();
    for target in TARGETS {
        let whole = get(&service, target);
        assert_eq!(whole.status, 200, "{target}");
        let (tag, modified) = (whole.header("etag"), whole.header("last-modified"));
        assert_eq!(modified, MODIFIED, "{target}");
        for (field, value, expected) in [
            ("if-none-match", &*tag, 304),
            ("if-none-match", "*", 304),
            ("if-none-match", "\"other\"", 200),
            ("if-match", &tag, 200),
            ("if-match", "\"other\"", 412),
            ("if-modified-since", MODIFIED, 304),
            ("if-modified-since", EARLIER, 200),
            ("if-unmodified-since", MODIFIED, 200),
            ("if-unmodified-since", EARLIER, 412),
        ] {
            for method in ["GET", "HEAD"] {
                let asked = with(&service, method, target, (field, value));
                assert_eq!(asked.status, expected, "{method} {target} {field}: {value}");
                if expected == 304 {
                    for name in ["etag", "cache-control", "surrogate-key"] {
                        assert_eq!(asked.header(name), whole.header(name), "{target} {name}");
                    }
                }
            }
        }
        let head = ask(&service, "HEAD", target, &[]);
        for name in ["etag", "content-length", "content-type", "last-modified", "cache-control"] {
            assert_eq!(head.header(name), whole.header(name), "{target} {name}");
        }
    }
}

#[test]
fn a_range_is_those_bytes_of_the_whole_and_only_of_the_same_version() {
    let service = service();
    for target in TARGETS {
        let whole = get(&service, target);
        let (len, tag) = (whole.body.len(), whole.header("etag"));
        for (range, expected) in [
            ("bytes=0-0".to_owned(), 0..1),
            ("bytes=70-".to_owned(), 70..len),
            ("bytes=-7".to_owned(), len - 7..len),
        ] {
            let asked = with(&service, "GET", target, ("range", &range));
            assert_eq!(
                (asked.status, asked.header("etag")),
                (206, tag.clone()),
                "{target} {range}"
            );
            assert!(asked.body == whole.body[expected], "{target} {range}");
        }
        let several = with(&service, "GET", target, ("range", "bytes=0-1,100-101"));
        assert_eq!(several.status, 206, "{target}");
        let beyond = format!("bytes={len}-");
        assert_eq!(with(&service, "GET", target, ("range", &beyond)).status, 416, "{target}");
        for (condition, expected) in [(&*tag, 206), ("\"other\"", 200), (EARLIER, 200)] {
            let fields = [("range", "bytes=0-0"), ("if-range", condition)];
            assert_eq!(ask(&service, "GET", target, &fields).status, expected, "{condition}");
        }
    }
}

#[test]
fn a_file_that_is_rewritten_in_place_is_another_version_at_once() {
    let objects = film();
    let service = OriginService::with_options(Origin::new(objects.clone()), options());
    let path = "film.ism/QualityLevels(3000)/Fragments(video=0)";
    put(&objects, path, live_fragment(3000, 0, 0));
    let first = get(&service, SMALL);
    put(&objects, path, live_fragment(3000, 0, 2));
    let tag = first.header("etag");
    let again = with(&service, "GET", SMALL, ("if-none-match", &tag));
    assert_eq!((again.status, again.body.len()), (200, first.body.len()));
    assert!(again.body == live_fragment(3000, 0, 2));
    let fields = [("range", "bytes=0-9"), ("if-range", &*tag)];
    assert_eq!(ask(&service, "GET", SMALL, &fields).status, 200);
    objects.remove(&name(path));
    assert_eq!(get(&service, SMALL).code(), "no-media");
    assert_eq!(with(&service, "GET", SMALL, ("if-none-match", &tag)).status, 404);
}

/// A live presentation that announces the chunks 5 and 6 and has the files 4 to 7.
fn live() -> OriginService {
    let objects = store([]);
    let streams = [("video", "video", &[300][..], &*chunks(&[50_000_000, 60_000_000]))];
    put(&objects, "film.ism/Manifest", manifest(" IsLive=\"true\"", &streams).into_bytes());
    for number in 4..8 {
        let path = format!("film.ism/QualityLevels(300)/Fragments(video={number}0000000)");
        put(&objects, &path, live_fragment(300, number * 10_000_000, 0));
    }
    let class = |class, seconds| (class, CacheControl::max_age(Duration::from_secs(seconds)));
    let caching = Caching::default().content_never_changes();
    let caching = [class(CacheClass::Fragment, 7777), class(CacheClass::Manifest, 8888)]
        .into_iter()
        .fold(caching, |caching, (class, control)| caching.class(class, control));
    let origin = Origin::builder(Watched::new(objects)).clock(Hands::default().clock()).build();
    OriginService::with_options(origin, options().caching(caching))
}

fn chunk(number: u64) -> String {
    format!("/film.ism/QualityLevels(300)/Fragments(video={number}0000000)")
}

#[test]
fn caches_keep_what_is_live_for_a_short_time() {
    for order in [[5, 7], [7, 5]] {
        let service = live();
        for number in order {
            let expected = if number == 7 { "max-age=1" } else { "max-age=60" };
            let asked = get(&service, &chunk(number));
            assert_eq!(asked.header("cache-control"), expected, "{number} of {order:?}");
            // Encoders rewrite files more often than the seconds of `Last-Modified` can show.
            assert_eq!(asked.header("last-modified"), "");
            let again =
                with(&service, "GET", &chunk(number), ("if-none-match", &asked.header("etag")));
            assert_eq!((again.status, again.header("cache-control")), (304, expected.into()));
        }
    }
    let service = live();
    assert_eq!(get(&service, "/film.ism/Manifest").header("cache-control"), "max-age=1");
    assert_eq!(get(&service, &chunk(4)).header("cache-control"), "max-age=60");
    for (number, status, code, expected) in
        [(8, 412, "not-yet", "max-age=1"), (3, 404, "no-fragment", "max-age=5")]
    {
        let asked = get(&service, &chunk(number));
        assert_eq!((asked.status, &*asked.code()), (status, code));
        assert_eq!(asked.header("cache-control"), expected, "{number}");
    }
}

#[test]
fn the_files_of_a_folder_are_not_passed_beside_presentations() {
    let objects = film();
    for (path, bytes) in files() {
        put(&objects, &path.replace("film.ism", "film2.ism"), bytes);
    }
    let level = "QualityLevels(3000)/Fragments(video=0)";
    put(&objects, &format!("plain/{level}"), b"any".to_vec());
    put(&objects, "film.ism/poster.jpg", b"a picture".to_vec());
    let patterns = ["*", "film2.ism/*", &format!("film2.ism/{level}"), "film.ism/Manifest"];
    let files = PassedFiles::matching(patterns).media(true);
    let origin = Origin::new(objects);
    let service = OriginService::with_options(origin, options().files(files));
    // Without a manifest there is no presentation, but its files are not passed to clients either.
    for target in [
        format!("/film2.ism/{level}"),
        "/film2.ism/Manifest".into(),
        "/film2.ism".into(),
        "/film2.ism/QualityLevels%283000%29/Fragments%28video%3D0%29".into(),
    ] {
        assert_eq!(get(&service, &target).status, 404, "{target}");
    }
    assert_eq!(
        get(&service, "/film.ism/Manifest").header("content-type"),
        "application/vnd.ms-sstr+xml"
    );
    assert_eq!(get(&service, "/film.ism").header("location"), "film.ism/Manifest");
    assert_eq!(get(&service, "/film.ism/poster.jpg").body, b"a picture");
}
