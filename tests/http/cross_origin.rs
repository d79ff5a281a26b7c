//! Pages of other sites: the CORS protocol of the Fetch standard, Resource Timing, and the policy
//! files of Silverlight and Flash.

use std::time::Duration;

use http::HeaderName;
use smooth_origin::origin::Origin;
use smooth_origin::service::{Caching, Cors, OriginService, PassedFiles, ServiceOptions};

use crate::asked::{Asked, ask, get};
use crate::stores::{MANIFEST, POSTER, VIDEO, Watched, film};
use testkit::{name, store};

fn service(cors: Cors) -> OriginService {
    let options =
        ServiceOptions::default().cors(cors).cross_domain_policies(true).files(PassedFiles::all());
    OriginService::with_options(Origin::new(film()), options)
}

fn ours() -> Cors {
    Cors::origins(["https://tv.example.com", "https://*.test.example.com:8443"]).unwrap()
}

/// A target of each status.
const TARGETS: &[(&str, u16)] = &[
    (MANIFEST, 200),
    (VIDEO, 200),
    (POSTER, 200),
    ("/film.ism", 302),
    ("/none.ism/Manifest", 404),
    ("/film.ism/x", 400),
    ("/film.ismv", 403),
    ("/film.ism/Manifest(format=m3u8-aapl)", 415),
    ("/folder/broken.ism/Manifest", 500),
];

fn from(service: &OriginService, method: &str, target: &str, origin: &str) -> Asked {
    ask(service, method, target, &[("origin", origin)])
}

#[test]
fn pages_of_all_sites_may_read_everything_and_no_cache_needs_to_tell_them_apart() {
    let service = service(Cors::any());
    for (target, status) in TARGETS {
        for asked in [get(&service, target), from(&service, "GET", target, "https://a.example")] {
            assert_eq!(asked.status, *status);
            assert_eq!(asked.header("access-control-allow-origin"), "*", "{target}");
            assert_eq!(asked.header("timing-allow-origin"), "*");
            assert!(!asked.header("vary").to_ascii_lowercase().contains("origin"), "{target}");
            assert_eq!(asked.header("access-control-allow-credentials"), "");
            // What players read beside the simple fields: lengths, ranges, validators, the clock.
            let exposed = asked.header("access-control-expose-headers").to_ascii_lowercase();
            for field in ["content-length", "content-range", "date", "etag", "retry-after"] {
                assert!(exposed.split(", ").any(|name| name == field), "{field}");
            }
        }
    }
}

#[test]
fn only_listed_sites_are_named_and_every_answer_varies() {
    let service = service(ours());
    let tag = get(&service, VIDEO).header("etag");
    for (origin, allowed) in [
        ("https://tv.example.com", true),
        ("https://a.test.example.com:8443", true),
        ("https://a.b.test.example.com:8443", true),
        ("https://a.test.example.com", false),
        ("https://test.example.com:8443", false),
        ("http://tv.example.com", false),
        ("https://tv.example.com:443", false),
        ("https://tv.example.com.evil.example", false),
        ("https://evil.example/https://tv.example.com", false),
        ("https://xtv.example.com", false),
        ("HTTPS://TV.EXAMPLE.COM", false),
        ("https://tv.example.com, https://tv.example.com", false),
        ("https://tv.example.com\u{e9}", false),
        ("null", false),
        ("", false),
    ] {
        let expected = if allowed { origin } else { "" };
        for (target, status) in TARGETS {
            let asked = from(&service, "GET", target, origin);
            assert_eq!(asked.status, *status, "the answer is the same for all");
            assert_eq!(asked.header("access-control-allow-origin"), expected, "{origin}");
            assert_eq!(asked.header("timing-allow-origin"), expected);
            assert_eq!(!asked.header("access-control-expose-headers").is_empty(), allowed);
            assert!(varies_by(&asked, "origin"), "{target} {origin}");
        }
        for (method, fields, status) in [
            ("GET", [("if-none-match", tag.as_str()), ("origin", origin)], 304),
            ("GET", [("if-match", "\"a\""), ("origin", origin)], 412),
            ("GET", [("range", "bytes=0-1"), ("origin", origin)], 206),
            ("GET", [("range", "bytes=99999999-"), ("origin", origin)], 416),
            ("HEAD", [("range", "bytes=0-1"), ("origin", origin)], 200),
            ("POST", [("range", "bytes=0-1"), ("origin", origin)], 405),
        ] {
            let asked = ask(&service, method, VIDEO, &fields);
            assert_eq!(asked.status, status);
            assert_eq!(asked.header("access-control-allow-origin"), expected, "{method} {origin}");
            assert!(varies_by(&asked, "origin"));
        }
    }
    assert!(varies_by(&get(&service, VIDEO), "origin"), "without an origin as well");
}

fn varies_by(asked: &Asked, name: &str) -> bool {
    asked.header("vary").split(',').any(|field| field.trim().eq_ignore_ascii_case(name))
}

#[test]
fn a_page_of_no_site_is_never_allowed_by_a_list() {
    let service = service(Cors::origins(["*"]).unwrap());
    let asked = from(&service, "GET", VIDEO, "null");
    assert_eq!(asked.header("access-control-allow-origin"), "");
    let asked = from(&service, "GET", VIDEO, "https://a.example");
    assert_eq!(asked.header("access-control-allow-origin"), "https://a.example");
}

fn preflight(service: &OriginService, origin: &str, method: &str, names: &str) -> Asked {
    let fields = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", names),
    ];
    ask(service, "OPTIONS", VIDEO, &fields)
}

#[test]
fn a_browser_that_asks_is_told_methods_fields_and_for_how_long() {
    for (cors, allowed) in [(Cors::any(), "*"), (ours(), "https://tv.example.com")] {
        let service = service(cors.max_age(Duration::from_secs(600)));
        let asked = preflight(&service, "https://tv.example.com", "GET", "range, x-token");
        assert_eq!(asked.status, 204);
        for (name, value) in [
            ("access-control-allow-origin", allowed),
            ("access-control-allow-methods", "GET, HEAD, OPTIONS"),
            ("access-control-allow-headers", "range, x-token"),
            ("access-control-max-age", "600"),
        ] {
            assert_eq!(asked.header(name), value, "{name}");
        }
    }
    let service = service(ours());
    for origin in ["https://evil.example", "null"] {
        let asked = preflight(&service, origin, "GET", "range");
        assert_eq!(asked.status, 204);
        let told = asked.headers.keys().any(|name| name.as_str().starts_with("access-control-"));
        assert!(!told, "{:?}", asked.headers);
        assert!(varies_by(&asked, "origin"));
    }
}

/// Names of fields are sent back, and nothing else; a long list is left out.
#[test]
fn odd_questions_of_browsers_do_no_harm() {
    let service = service(Cors::any());
    let long = "x-a, ".repeat(1000);
    for (method, names) in [
        ("DELETE", "x"),
        ("", ""),
        ("GET", "a b\tc;\"<script>\""),
        ("GET", &long),
        ("G\u{e9}T", "\u{e9}"),
    ] {
        let asked = preflight(&service, "https://a.example", method, names);
        assert_eq!(asked.status, 204);
        assert_eq!(asked.headers["access-control-allow-methods"], "GET, HEAD, OPTIONS");
        let echoed = asked.headers.get("access-control-allow-headers");
        assert!(echoed.is_none_or(|echoed| echoed.is_empty() || echoed == "x"), "{echoed:?}");
    }
}

#[test]
fn credentials_go_with_a_listed_site_alone() {
    let listed = service(ours().credentials(true));
    let asked = from(&listed, "GET", VIDEO, "https://tv.example.com");
    assert_eq!(asked.header("access-control-allow-credentials"), "true");
    let asked = from(&listed, "GET", VIDEO, "https://evil.example");
    assert_eq!(asked.header("access-control-allow-credentials"), "");
    let any = service(Cors::any().credentials(true));
    let asked = from(&any, "GET", VIDEO, "https://tv.example.com");
    assert_eq!(asked.header("access-control-allow-credentials"), "");
}

#[test]
fn an_entry_that_is_no_origin_is_refused_with_what_to_write() {
    for (entry, message) in [
        ("tv.example.com", "\"tv.example.com\" has no scheme: write https://tv.example.com"),
        (
            "https://tv.example.com/",
            "\"https://tv.example.com/\" has a path: write https://tv.example.com",
        ),
        ("", "\"\" is empty: write an origin such as https://tv.example.com"),
        (
            "https://a.example https://b.example",
            "\"https://a.example https://b.example\" holds a space: \
             write an origin such as https://tv.example.com",
        ),
    ] {
        let error = Cors::origins(["https://ok.example", entry]).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    // What would not be a header field or XML is no origin either.
    for entry in ["https://a\"/><x", "https://a\r\nb", "https://a'&b", "https://a\0"] {
        assert!(Cors::origins([entry]).is_err(), "{entry:?}");
    }
    // Letter case and the scheme's own port are as browsers send them.
    let service = service(Cors::origins(["HTTPS://TV.example.com:443"]).unwrap());
    let asked = from(&service, "GET", VIDEO, "https://tv.example.com");
    assert_eq!(asked.header("access-control-allow-origin"), "https://tv.example.com");
}

#[test]
fn a_preflight_is_kept_for_whole_seconds_that_every_browser_can_hold() {
    for (age, sent) in
        [(Duration::ZERO, "0"), (Duration::from_millis(1500), "1"), (Duration::MAX, "2147483648")]
    {
        let service = service(Cors::any().max_age(age));
        let asked = preflight(&service, "https://a.example", "GET", "range");
        assert_eq!(asked.header("access-control-max-age"), sent);
    }
}

#[test]
fn exposed_fields_are_the_hosts_to_choose() {
    let names = ["x-one", "x-two"].map(HeaderName::from_static);
    let service = service(Cors::any().exposed(names));
    let asked = get(&service, VIDEO);
    assert_eq!(asked.header("access-control-expose-headers"), "x-one, x-two");
    let service = self::service(Cors::any().exposed([]));
    assert!(!get(&service, VIDEO).headers.contains_key("access-control-expose-headers"));
}

#[test]
fn nothing_is_said_of_other_sites_where_none_are_set() {
    let service = OriginService::new(Origin::new(film()));
    for (target, _) in TARGETS {
        for method in ["GET", "OPTIONS"] {
            let asked = from(&service, method, target, "https://a.example");
            let told =
                asked.headers.keys().any(|name| name.as_str().starts_with("access-control-"));
            assert!(!told && !varies_by(&asked, "origin"), "{method} {target}");
        }
    }
}

const SILVERLIGHT: &str = "/clientaccesspolicy.xml";
const FLASH: &str = "/crossdomain.xml";

#[test]
fn policies_are_made_of_the_list_and_are_well_formed() {
    let any = service(Cors::any());
    let text = |service: &OriginService, target| {
        let asked = get(service, target);
        assert_eq!((asked.status, asked.header("content-type")), (200, "text/xml".to_owned()));
        String::from_utf8(asked.body).unwrap()
    };
    assert!(text(&any, SILVERLIGHT).contains("<domain uri=\"*\"/>"));
    assert!(text(&any, SILVERLIGHT).contains("<resource path=\"/\" include-subpaths=\"true\"/>"));
    assert!(text(&any, FLASH).contains("<allow-access-from domain=\"*\" secure=\"false\"/>"));
    let listed = service(ours());
    assert!(text(&listed, SILVERLIGHT).contains("<domain uri=\"https://tv.example.com\"/>"));
    assert!(!text(&listed, SILVERLIGHT).contains("uri=\"*\""));
    let domain = "<allow-access-from domain=\"tv.example.com\" secure=\"true\"/>";
    assert!(text(&listed, FLASH).contains(domain));
}

#[test]
fn policies_have_validators_ranges_and_methods_like_all_else() {
    let [here, there] = [service(ours()), service(ours())];
    for target in [SILVERLIGHT, FLASH] {
        let whole = get(&here, target);
        assert_eq!(get(&there, target).header("etag"), whole.header("etag"));
        assert_ne!(get(&service(Cors::any()), target).header("etag"), whole.header("etag"));
        let tag = whole.header("etag");
        assert_eq!(ask(&here, "GET", target, &[("if-none-match", &tag)]).status, 304);
        assert_eq!(ask(&here, "GET", target, &[("if-match", "\"a\"")]).status, 412);
        let part = ask(&here, "GET", target, &[("range", "bytes=2-9")]);
        assert_eq!((part.status, &part.body[..]), (206, &whole.body[2..10]));
        assert_eq!(ask(&here, "HEAD", target, &[]).headers, whole.headers);
        assert_eq!(ask(&here, "POST", target, &[]).status, 405);
    }
}

#[test]
fn a_file_takes_the_place_of_a_policy_and_none_is_made_where_none_is_wanted() {
    let objects =
        store([("crossdomain.xml", b"<own/>".to_vec()), ("a/crossdomain.xml", b"<a/>".to_vec())]);
    let watched = Watched::new(objects);
    let of = |options: ServiceOptions| {
        OriginService::with_options(Origin::new(watched.clone()), options)
    };
    let with = of(ServiceOptions::default().cors(Cors::any()).cross_domain_policies(true));
    let asked = get(&with, FLASH);
    assert_eq!(
        (&asked.body[..], asked.header("content-type")),
        (&b"<own/>"[..], "text/xml".to_owned())
    );
    assert!(get(&with, SILVERLIGHT).body.starts_with(b"<?xml"));
    // At the root alone.
    assert_eq!(get(&with, "/a/crossdomain.xml").status, 404);
    assert_eq!(get(&with, "/a/clientaccesspolicy.xml").status, 404);
    let without = of(ServiceOptions::default().cors(Cors::any()));
    assert_eq!([FLASH, SILVERLIGHT].map(|target| get(&without, target).status), [404, 404]);
    let no_cors = of(ServiceOptions::default().cross_domain_policies(true));
    assert_eq!([FLASH, SILVERLIGHT].map(|target| get(&no_cors, target).status), [200, 404]);
    watched.objects.remove(&name("crossdomain.xml"));
    assert_eq!(get(&no_cors, FLASH).status, 404);
}

/// Header fields that one service has prepared are not sent by another.
#[test]
fn services_of_one_origin_have_policies_of_their_own() {
    let origin = Origin::new(film());
    let with = |cors: Option<Cors>| {
        let options = ServiceOptions::default().caching(Caching::default());
        let options = if let Some(cors) = cors { options.cors(cors) } else { options };
        OriginService::with_options(origin.clone(), options)
    };
    let services = [with(Some(Cors::any())), with(None), with(Some(ours()))];
    for _ in 0..2 {
        for target in [MANIFEST, VIDEO] {
            let allowed = services
                .each_ref()
                .map(|service| from(service, "GET", target, "https://tv.example.com"))
                .map(|asked| asked.header("access-control-allow-origin"));
            assert_eq!(allowed, ["*", "", "https://tv.example.com"], "{target}");
        }
    }
}
