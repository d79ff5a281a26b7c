//! Requests that RFC 9112 has servers refuse, and that others may read differently.

use http::{HeaderMap, HeaderName, HeaderValue, Request, Version};
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::service::{Cors, OriginService, PassedFiles, ServiceOptions};

use crate::asked::{Asked, ask, collect};
use crate::stores::{MANIFEST, POSTER, VIDEO, film};

fn service() -> OriginService {
    let options = ServiceOptions::default()
        .cors(Cors::any())
        .cross_domain_policies(true)
        .files(PassedFiles::all());
    OriginService::with_options(Origin::new(film()), options)
}

/// With these fields and no others.
fn send(version: Version, method: &str, target: &str, fields: &[(&str, &str)]) -> Asked {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let request = Request::builder().version(version).method(method).uri(target);
    let mut request = request.body(()).unwrap();
    *request.headers_mut() = headers;
    collect(block_on(service().respond(&request))).0
}

const TARGETS: [&str; 4] = [MANIFEST, VIDEO, POSTER, "/crossdomain.xml"];

/// RFC 9112, 3.2.
#[test]
fn http_1_1_needs_a_host() {
    for target in TARGETS {
        let asked = send(Version::HTTP_11, "GET", target, &[]);
        assert_eq!((asked.status, asked.code().as_str()), (400, "malformed-request"), "{target}");
        assert_eq!(asked.detail(), "an HTTP/1.1 request needs a `Host` field");
        // Caches and pages are told the same as of every malformed request.
        assert_eq!(asked.header("cache-control"), "max-age=5");
        assert_eq!(asked.header("access-control-allow-origin"), "*");
        for (version, target, fields) in [
            (Version::HTTP_11, target, &[("host", "vod.example.com:8080")][..]),
            (Version::HTTP_11, target, &[("host", "[2001:db8::1]:80")]),
            // A target without an authority may go with an empty field.
            (Version::HTTP_11, target, &[("host", "")]),
            (Version::HTTP_11, &format!("http://vod.example.com{target}"), &[]),
            (Version::HTTP_10, target, &[]),
            (Version::HTTP_2, target, &[]),
            (Version::HTTP_3, target, &[]),
        ] {
            assert_eq!(send(version, "GET", target, fields).status, 200, "{version:?} {target}");
        }
    }
    for (method, status) in [("HEAD", 400), ("OPTIONS", 400), ("POST", 400)] {
        let asked = send(Version::HTTP_11, method, MANIFEST, &[]);
        assert_eq!((asked.status, asked.body.is_empty()), (status, method == "HEAD"), "{method}");
    }
}

#[test]
fn more_than_one_host_is_refused() {
    for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
        for fields in [
            &[("host", "a.example"), ("host", "b.example")][..],
            &[("host", "a.example"), ("host", "a.example")],
            &[("host", "a.example"), ("host", "")],
            &[("host", "a.example"), ("host", "b.example"), ("host", "c.example")],
        ] {
            let asked = send(version, "GET", MANIFEST, fields);
            assert_eq!((asked.status, asked.code().as_str()), (400, "malformed-request"));
            assert!(!asked.detail().is_empty(), "{fields:?}");
        }
    }
}

/// RFC 9112, 6.3: two lengths can be two requests for the next server.
#[test]
fn a_length_is_one_number() {
    let service = service();
    for target in TARGETS {
        for fields in [
            &[("content-length", "5"), ("content-length", "6")][..],
            &[("content-length", "5"), ("content-length", "5")],
            &[("content-length", "5, 5")],
            &[("content-length", "5, 6")],
            &[("content-length", "+5")],
            &[("content-length", "-5")],
            &[("content-length", "0x5")],
            &[("content-length", "")],
        ] {
            for method in ["GET", "HEAD", "OPTIONS", "POST"] {
                let asked = ask(&service, method, target, fields);
                assert_eq!(asked.status, 400, "{method} {target} {fields:?}");
            }
        }
        for length in ["0", "5", "18446744073709551616"] {
            let asked = ask(&service, "GET", target, &[("content-length", length)]);
            assert_eq!(asked.status, 200, "a body is not looked at");
        }
    }
}
