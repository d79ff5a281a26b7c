//! The table of requests: one row each, malformed ones included.

use smooth_origin::origin::Origin;
use smooth_origin::service::{Cors, OriginService, PassedFiles, ServiceOptions};

use crate::asked::{Asked, ask, get};
use crate::stores::{MODIFIED, TARGETS, VIDEO, film};

/// Method and target, fields, status, and what decides: fields and the `code` of a failure.
pub type Row<'a> = (&'a str, &'a [&'a str], u16, &'a [&'a str]);

pub fn service() -> OriginService {
    let options = ServiceOptions::default()
        .caching(Default::default())
        .cors(Cors::any())
        .cross_domain_policies(true)
        .files(PassedFiles::all());
    OriginService::with_options(Origin::new(film()), options)
}

pub fn run(service: &OriginService, (line, fields, status, decisive): &Row<'_>) -> Asked {
    let (method, target) = line.split_once(' ').unwrap();
    let fields: Vec<_> = fields.iter().map(|field| field.split_once(": ").unwrap()).collect();
    let asked = ask(service, method, target, &fields);
    assert_eq!(asked.status, *status, "{line} {fields:?}: {:?}", asked.headers);
    for expected in *decisive {
        let (name, value) = expected.split_once(": ").unwrap();
        let found = if name == "code" { asked.code() } else { asked.header(name) };
        assert_eq!(found, value, "{line} {fields:?}: {name}");
    }
    asked
}

const ALLOW: &str = "allow: GET, HEAD, OPTIONS";

#[test]
fn each_target_has_its_status_and_its_code() {
    let service = service();
    let rows: &[Row<'_>] = &[
        ("GET /film.ism/Manifest", &[], 200, &["content-type: application/vnd.ms-sstr+xml"]),
        ("GET /film.ism/MANIFEST", &[], 200, &["surrogate-key: film.ism"]),
        ("GET /film.ism/Mani%66est", &[], 200, &["last-modified: Wed, 01 Jan 2020 00:00:00 GMT"]),
        ("GET /film.ism/Manifest?token=a%20b", &[], 200, &[]),
        // Pages add the time of the request to bypass caches.
        ("GET /film.ism/Manifest?t=1690000000", &[], 200, &[]),
        ("GET /film.ism/Manifest?_=1690000000123", &[], 200, &[]),
        ("GET /film.ism/Manifest?123", &[], 200, &[]),
        ("GET /film.ism?t=1690000000", &[], 302, &["location: film.ism/Manifest?t=1690000000"]),
        ("GET /film.ism/QualityLevels(300)/Fragments(video=0)?t=1690000000", &[], 200, &[]),
        ("GET /film.ism/QualityLevels(300)/Fragments(video=0)?1690000000", &[], 200, &[]),
        ("GET /film.ism/Manifest?t=2026-11-28T10:00:00", &[], 404, &["code: no-such-time"]),
        ("GET http://example.com/film.ism/Manifest", &[], 200, &[]),
        ("GET /film.ism", &[], 302, &["location: film.ism/Manifest"]),
        ("GET /film.ism/", &[], 302, &["location: Manifest"]),
        ("GET /film.ism?a=b&c", &[], 302, &["location: film.ism/Manifest?a=b&c"]),
        ("GET /film%2Eism", &[], 302, &["location: film.ism/Manifest"]),
        (
            "GET /film.ism/QualityLevels(300)/Fragments(video=0)",
            &[],
            200,
            &[
                "content-type: video/mp4",
                "last-modified: Wed, 01 Jan 2020 00:00:00 GMT",
                "surrogate-key: film.ism",
            ],
        ),
        ("GET /film.ism/QualityLevels%28300%29/Fragments%28video%3D0%29", &[], 200, &[]),
        (
            "GET /film.ism/qualitylevels(64)/fragments(AUDIO=0)",
            &[],
            200,
            &["content-type: audio/mp4"],
        ),
        ("GET /film.ism/QualityLevels(300)/FragmentInfo(video=0)", &[], 200, &[]),
        (
            "GET /film.ism/QualityLevels(300)/RawFragments(video=0)",
            &[],
            200,
            &["content-length: 2000000"],
        ),
        ("GET /film.ism/QualityLevels(300)/KeyFrames(video=0)", &[], 200, &[]),
        ("GET /art/poster.jpg", &[], 200, &["content-type: image/jpeg", "content-length: 100000"]),
        ("GET /art/poster.jpg?size=1", &[], 200, &["content-type: image/jpeg"]),
        ("GET /art/%70oster.jpg", &[], 200, &["last-modified: Wed, 01 Jan 2020 00:00:00 GMT"]),
        (
            "GET /art/empty.txt",
            &[],
            200,
            &["content-length: 0", "content-type: text/plain; charset=utf-8"],
        ),
        ("GET /art/manifest.json", &[], 200, &["content-type: application/json"]),
        ("GET /clientaccesspolicy.xml", &[], 200, &["content-type: text/xml"]),
        ("GET /crossdomain.xml", &[], 200, &["content-type: text/xml"]),
        // Not here.
        (
            "GET /none.ism/Manifest",
            &[],
            404,
            &["code: no-presentation", "cache-control: max-age=5"],
        ),
        ("GET /none.ism", &[], 404, &["code: no-presentation"]),
        ("GET /Film.ism/Manifest", &[], 404, &["code: no-presentation"]),
        ("GET /film.ism/QualityLevels(301)/Fragments(video=0)", &[], 404, &["code: no-track"]),
        ("GET /film.ism/QualityLevels(300)/Fragments(radio=0)", &[], 404, &["code: no-stream"]),
        ("GET /film.ism/QualityLevels(300)/Fragments(video=1)", &[], 404, &["code: no-fragment"]),
        ("GET /folder/gone.ism/QualityLevels(300)/Fragments(video=0)", &[], 404, &[]),
        ("GET /", &[], 404, &["code: no-file"]),
        ("GET /art", &[], 404, &["code: no-file"]),
        ("GET /art/", &[], 404, &["code: no-file"]),
        ("GET /art/none.jpg", &[], 404, &["code: no-file"]),
        ("GET /art/.hidden", &[], 404, &["code: no-file"]),
        ("GET /art/%2Ehidden", &[], 404, &["code: no-file"]),
        // Not on the list of files.
        ("GET /art/clip.mp4", &[], 404, &["code: no-file", "cache-control: max-age=5"]),
        ("GET /art/tls.key", &[], 404, &["code: no-file"]),
        ("GET /film.ismv.part", &[], 404, &["code: no-file"]),
        ("GET /art/poster.jpg.bak", &[], 404, &["code: no-file"]),
        // Not given out.
        ("GET /film.ismv", &[], 403, &["code: refused", "cache-control: max-age=5"]),
        ("GET /film.ismV", &[], 403, &["code: refused"]),
        ("GET /film.%69smv", &[], 403, &["code: refused"]),
        ("GET /none.mpi", &[], 403, &["code: refused"]),
        // Not by the grammar.
        (
            "GET /film.ism/poster.jpg",
            &[],
            400,
            &["code: malformed-request", "cache-control: max-age=5"],
        ),
        ("GET /film.ism/QualityLevels(300)", &[], 400, &["code: malformed-request"]),
        (
            "GET /film.ism/QualityLevels(-1)/Fragments(video=0)",
            &[],
            400,
            &["code: malformed-request"],
        ),
        (
            "GET /film.ism/QualityLevels(+1)/Fragments(video=0)",
            &[],
            400,
            &["code: malformed-request"],
        ),
        (
            "GET /film.ism/QualityLevels(4294967296)/Fragments(video=0)",
            &[],
            400,
            &["code: malformed-request"],
        ),
        (
            "GET /film.ism/QualityLevels(300)/Fragments(video=18446744073709551616)",
            &[],
            400,
            &["code: malformed-request"],
        ),
        (
            "GET /film.ism/QualityLevels(300)/Fragments(video=0x0)",
            &[],
            400,
            &["code: malformed-request"],
        ),
        (
            "GET /film.ism/QualityLevels(300)/Fragments(video)",
            &[],
            400,
            &["code: malformed-request"],
        ),
        (
            "GET /film.ism/QualityLevels(300)/Slices(video=0)",
            &[],
            400,
            &["code: malformed-request"],
        ),
        (
            "GET /film.ism/QualityLevels(300)/Fragments(a%2Fb=0)",
            &[],
            400,
            &["code: malformed-request"],
        ),
        (
            "GET /film.ism/QualityLevels(300)/Fragments(a%FF=0)",
            &[],
            400,
            &["code: malformed-request"],
        ),
        ("GET /film%00.ism/Manifest", &[], 400, &["code: malformed-request"]),
        ("GET /a%2Ffilm.ism/Manifest", &[], 400, &["code: malformed-request"]),
        ("GET /a%5Cfilm.ism/Manifest", &[], 400, &["code: malformed-request"]),
        ("GET /../film.ism/Manifest", &[], 400, &["code: malformed-request"]),
        ("GET //film.ism/Manifest", &[], 200, &[]),
        ("GET /art%2Fposter.jpg", &[], 400, &["code: malformed-request"]),
        ("GET /art/%C0%AE%C0%AE/poster.jpg", &[], 400, &["code: malformed-request"]),
        ("GET /art/../art/poster.jpg", &[], 404, &["code: no-file"]),
        ("GET /art/%2e%2e/art/poster.jpg", &[], 404, &["code: no-file"]),
        // Known and not served, for caches to keep.
        (
            "GET /film.ism/manifest(format=m3u8-aapl)",
            &[],
            415,
            &["code: not-served", "cache-control: max-age=5"],
        ),
        (
            "GET /film.ism/manifest(format=mpd-time-csf,%20encryption=cenc)",
            &[],
            415,
            &["code: not-served"],
        ),
        ("GET /film.ism/manifest(filter=a;b)", &[], 415, &["code: not-served"]),
        (
            "GET /film.ism/QualityLevels(300)/Fragments(video=0,format=m3u8-aapl)",
            &[],
            415,
            &["code: not-served"],
        ),
        // Broken content.
        (
            "GET /folder/broken.ism/Manifest",
            &[],
            500,
            &["code: not-xml", "cache-control: max-age=1"],
        ),
        ("GET /folder/gone.ism/Manifest", &[], 500, &["cache-control: max-age=1"]),
    ];
    for row in rows {
        let got = run(&service, row);
        // HEAD says the same without a body (RFC 9110, 9.3.2).
        let target = row.0.strip_prefix("GET ").unwrap();
        let head = ask(&service, "HEAD", target, &[]);
        assert_eq!((head.status, head.headers), (got.status, got.headers), "HEAD {target}");
    }
}

#[test]
fn each_method_has_its_answer() {
    let service = service();
    for target in TARGETS.into_iter().chain(["/none", "/clientaccesspolicy.xml", "/%ff"]) {
        let options = format!("OPTIONS {target}");
        run(&service, &(&options, &[], 204, &[ALLOW]));
        for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get", "Head", "M-X"]
        {
            let line = format!("{method} {target}");
            let decisive = &[ALLOW, "code: method-not-allowed", "cache-control: no-store"];
            // Conditions and ranges are of GET alone: nothing else is looked at.
            let fields = &["If-None-Match: *", "Range: bytes=0-0"];
            run(&service, &(&line, fields, 405, decisive));
        }
    }
    run(&service, &("OPTIONS *", &[], 204, &[ALLOW]));
    run(&service, &("CONNECT example.com:443", &[], 405, &[ALLOW]));
    run(&service, &("GET *", &[], 404, &[]));
}

/// A range of no grammar, or of an unknown unit, is ignored (RFC 9110, 14.2).
pub const NO_RANGES: &[&str] = &[
    "",
    "bytes",
    "bytes=",
    "bytes=,",
    "bytes=, ,",
    "bytes=-",
    "bytes=--1",
    "bytes=1",
    "bytes=a-b",
    "bytes=1-b",
    "bytes=5-2",
    "bytes=5-2,0-0",
    "bytes=0-0,5-2",
    "bytes=0-0,x",
    "bytes=1-2-3",
    "bytes=+1-2",
    "bytes=-+2",
    "bytes=1- 2",
    "bytes=1 -2",
    "bytes=0x1-2",
    "bytes=1.0-2",
    "bytes=1-2;3-4",
    "bytes:1-2",
    "bytes 1-2/3",
    "1-2",
    "=1-2",
    "items=0-1",
    "seconds=0-1",
    "bytes=\u{e9}-1",
    "bytes=١-٢",
];

#[test]
fn what_is_no_range_is_ignored() {
    let service = service();
    for target in TARGETS {
        let length = get(&service, target).header("content-length");
        for range in NO_RANGES {
            let field = format!("Range: {range}");
            let decisive = format!("content-length: {length}");
            run(&service, &(&format!("GET {target}"), &[&field], 200, &[&decisive]));
        }
        // More than one line is more than one value where there may be one alone.
        let twice = &["Range: bytes=0-1", "Range: bytes=4-5"];
        run(&service, &(&format!("GET {target}"), twice, 200, &[]));
    }
}

/// Dates in none of the three formats of RFC 9110, 5.6.7.
pub const NO_DATES: &[&str] = &[
    "",
    "0",
    "now",
    "2020-01-01T00:00:00Z",
    "1577836800",
    "Wed, 01 Jan 2020 00:00:00",
    "Wed, 01 Jan 2020 00:00:00 UTC",
    "Wed, 01 Jan 2020 00:00:00 +0000",
    "Wed, 1 Jan 2020 00:00:00 GMT",
    "Wed, 01 Jan 20 00:00:00 GMT",
    "Wed, 32 Jan 2020 00:00:00 GMT",
    "Wed, 01 Foo 2020 00:00:00 GMT",
    "Wed, 01 Jan 2020 24:00:00 GMT",
    "Wed, 01 Jan 2020 00:60:00 GMT",
    "Xyz, 01 Jan 2020 00:00:00 GMT",
    "01 Jan 2020 00:00:00 GMT",
    "Wed, 01 Jan 2020 00:00:00 GMT, Wed, 01 Jan 2020 00:00:00 GMT",
    "Wed, 01 Jan 2020 00:00:00 GMT; length=5",
    "\"Wed, 01 Jan 2020 00:00:00 GMT\"",
    "Wed, 01 Jan 2020 00:00:00 GMT\u{e9}",
];

#[test]
fn what_is_no_date_is_ignored() {
    let service = service();
    for target in TARGETS {
        let line = format!("GET {target}");
        for date in NO_DATES {
            for name in ["If-Modified-Since", "If-Unmodified-Since"] {
                run(&service, &(&line, &[&format!("{name}: {date}")], 200, &[]));
            }
            // A condition that cannot be met: the whole (13.1.5).
            let fields = [&format!("If-Range: {date}") as &str, "Range: bytes=0-1"];
            run(&service, &(&line, &fields, 200, &[]));
        }
    }
}

/// RFC 9110, 13.1.3 and 13.1.4: ignored where there is more than one member.
#[test]
fn two_dates_are_none() {
    let service = service();
    for target in TARGETS {
        let line = format!("GET {target}");
        let new = "Thu, 02 Jan 2020 00:00:00 GMT";
        for (name, date) in
            [("If-Modified-Since", new), ("If-Unmodified-Since", "Tue, 01 Jan 2019 00:00:00 GMT")]
        {
            let field = format!("{name}: {date}");
            run(&service, &(&line, &[&field, &field], 200, &[]));
        }
        let field = format!("If-Range: {MODIFIED}");
        run(&service, &(&line, &[&field, &field, "Range: bytes=0-1"], 200, &[]));
    }
}

/// A malformed list of tags holds none that fits.
#[test]
fn what_is_no_tag_fits_nothing() {
    let service = service();
    for target in TARGETS {
        let line = format!("GET {target}");
        let tag = get(&service, target).header("etag");
        let bare = tag.trim_matches('"');
        for field in ["", ",", bare, &format!("\"{bare}"), &format!("{bare}\""), "w/\"x\"", "\"*\""]
        {
            run(&service, &(&line, &[&format!("If-None-Match: {field}")], 200, &[]));
            let code = &["code: precondition-failed"];
            run(&service, &(&line, &[&format!("If-Match: {field}")], 412, code));
            let fields = [&format!("If-Range: {field}") as &str, "Range: bytes=0-1"];
            run(&service, &(&line, &fields, 200, &[]));
        }
    }
}

#[test]
fn long_paths_names_and_fields_are_answered_like_others() {
    let service = service();
    let long = "v".repeat(5000);
    run(&service, &(&format!("GET /{long}"), &[], 404, &[]));
    run(&service, &(&format!("GET /{long}.ism/Manifest"), &[], 400, &[]));
    run(&service, &(&format!("GET /{}", "a/".repeat(3000)), &[], 404, &[]));
    run(&service, &(&format!("GET /{}Manifest", "a.ism/".repeat(3000)), &[], 404, &[]));
    let target = format!("GET /film.ism/QualityLevels(300)/Fragments({long}=0)");
    run(&service, &(&target, &[], 400, &[]));
    run(&service, &(&format!("GET {VIDEO}?{long}"), &[], 200, &[]));
    let tags = format!("If-None-Match: {}", "\"x\", ".repeat(5000));
    run(&service, &(&format!("GET {VIDEO}"), &[&tags], 200, &[]));
    let ranges = format!("Range: bytes={}", "0-0,".repeat(5000));
    run(&service, &(&format!("GET {VIDEO}"), &[&ranges], 200, &[]));
}
