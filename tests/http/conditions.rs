//! Conditional requests: RFC 9110, 13, in its order of precedence.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use smooth_origin::origin::{Clock, Origin};
use smooth_origin::service::{OriginService, PassedFiles, ServiceOptions};

use crate::asked::{ask, get};
use crate::stores::{KEY_FRAMES, MANIFEST, MODIFIED, POSTER, TARGETS, VIDEO, film, film_objects};

const EARLIER: &str = "Tue, 31 Dec 2019 23:59:59 GMT";
const LATER: &str = "Wed, 01 Jan 2020 00:00:01 GMT";

fn service() -> OriginService {
    let options = ServiceOptions::default().caching(Default::default()).files(PassedFiles::all());
    OriginService::with_options(Origin::new(film()), options)
}

/// `{tag}` stands for the target's own.
fn check(rows: &[(&[(&str, &str)], u16)]) {
    let service = service();
    for target in TARGETS {
        let whole = get(&service, target);
        let tag = whole.header("etag");
        for (fields, expected) in rows {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| (*name, value.replace("{tag}", &tag))).collect();
            let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            for method in ["GET", "HEAD"] {
                let asked = ask(&service, method, target, &fields);
                assert_eq!(asked.status, *expected, "{method} {target} {fields:?}");
                match asked.status {
                    // RFC 9110, 15.4.5: what the 200 would have told caches.
                    304 => {
                        for name in ["etag", "cache-control", "vary", "surrogate-key"] {
                            assert_eq!(asked.header(name), whole.header(name), "{target} {name}");
                        }
                    }
                    200 => assert_eq!(asked.header("etag"), tag),
                    _ => assert_eq!(asked.header("cache-control"), "no-store"),
                }
            }
        }
    }
}

#[test]
fn tags_are_compared_weakly_for_if_none_match() {
    check(&[
        (&[("if-none-match", "{tag}")], 304),
        (&[("if-none-match", "W/{tag}")], 304),
        (&[("if-none-match", "*")], 304),
        (&[("if-none-match", " {tag}")], 304),
        (&[("if-none-match", "\"a\", W/\"b,c\",{tag}")], 304),
        (&[("if-none-match", ",,\"a\"\t,\t{tag},")], 304),
        (&[("if-none-match", "\"a\"")], 200),
        (&[("if-none-match", "\"\"")], 200),
        (&[("if-none-match", "\"a\""), ("if-none-match", "{tag}")], 304),
    ]);
}

#[test]
fn tags_are_compared_strongly_for_if_match() {
    check(&[
        (&[("if-match", "{tag}")], 200),
        (&[("if-match", "*")], 200),
        (&[("if-match", "\"a\", {tag}")], 200),
        (&[("if-match", "\"a\""), ("if-match", "{tag}")], 200),
        (&[("if-match", "W/{tag}")], 412),
        (&[("if-match", "\"a\"")], 412),
    ]);
}

#[test]
fn dates_are_compared_in_whole_seconds_and_in_three_formats() {
    check(&[
        (&[("if-modified-since", EARLIER)], 200),
        (&[("if-modified-since", MODIFIED)], 304),
        (&[("if-modified-since", LATER)], 304),
        (&[("if-modified-since", "Wednesday, 01-Jan-20 00:00:00 GMT")], 304),
        (&[("if-modified-since", "Wed Jan  1 00:00:00 2020")], 304),
        (&[("if-modified-since", "Tue Dec 31 23:59:59 2019")], 200),
        (&[("if-unmodified-since", EARLIER)], 412),
        (&[("if-unmodified-since", MODIFIED)], 200),
        (&[("if-unmodified-since", LATER)], 200),
        (&[("if-unmodified-since", "Tuesday, 31-Dec-19 23:59:59 GMT")], 412),
    ]);
}

/// 13.2.2: `If-Match` before `If-Unmodified-Since`, then `If-None-Match` before
/// `If-Modified-Since`; the first pair before the second.
#[test]
fn conditions_come_in_their_order() {
    check(&[
        (&[("if-match", "{tag}"), ("if-unmodified-since", EARLIER)], 200),
        (&[("if-match", "\"a\""), ("if-unmodified-since", LATER)], 412),
        (&[("if-match", "\"a\""), ("if-none-match", "{tag}")], 412),
        (&[("if-match", "{tag}"), ("if-none-match", "{tag}")], 304),
        (&[("if-none-match", "\"a\""), ("if-modified-since", LATER)], 200),
        (&[("if-none-match", "{tag}"), ("if-modified-since", EARLIER)], 304),
        (&[("if-none-match", ""), ("if-modified-since", LATER)], 200),
        (&[("if-unmodified-since", EARLIER), ("if-none-match", "{tag}")], 412),
        (&[("if-unmodified-since", MODIFIED), ("if-modified-since", MODIFIED)], 304),
        // A range of what the client has is no reason to send it again.
        (&[("if-none-match", "{tag}"), ("range", "bytes=0-1")], 304),
        (&[("if-none-match", "{tag}"), ("range", "bytes=99999999-")], 304),
        (&[("if-match", "\"a\""), ("range", "bytes=99999999-")], 412),
    ]);
}

/// 13.2.1: a condition changes nothing where the answer would be no success without it.
#[test]
fn a_failure_stays_one_under_any_condition() {
    let service = service();
    for (target, status) in [
        ("/none.ism/Manifest", 404),
        ("/film.ism/QualityLevels(300)/Fragments(video=1)", 404),
        ("/film.ism/QualityLevels(301)/Fragments(video=0)", 404),
        ("/folder/gone.ism/QualityLevels(300)/Fragments(video=0)", 404),
        ("/film.ism/x", 400),
        ("/film.ism/Manifest(format=m3u8-aapl)", 415),
        ("/film.ismv", 403),
        ("/none.jpg", 404),
        ("/folder/broken.ism/Manifest", 500),
        ("/film.ism", 302),
    ] {
        for (name, value) in [
            ("if-none-match", "*"),
            ("if-match", "*"),
            ("if-match", "\"a\""),
            ("if-modified-since", LATER),
            ("if-unmodified-since", EARLIER),
            ("range", "bytes=99999999-"),
        ] {
            let asked = ask(&service, "GET", target, &[(name, value)]);
            assert_eq!(asked.status, status, "{target} {name}: {value}");
        }
    }
}

/// 13.1.3 and 13.1.4: without a time of change there is nothing to compare.
#[test]
fn dates_are_ignored_where_no_time_of_change_is_known() {
    let options = ServiceOptions::default().files(PassedFiles::all());
    let service = OriginService::with_options(Origin::new(film_objects()), options);
    for target in TARGETS {
        assert_eq!(get(&service, target).header("last-modified"), "");
        for name in ["if-modified-since", "if-unmodified-since"] {
            for date in [EARLIER, LATER, "Fri, 31 Dec 2100 00:00:00 GMT"] {
                assert_eq!(ask(&service, "GET", target, &[(name, date)]).status, 200);
            }
        }
        let fields = [("if-range", MODIFIED), ("range", "bytes=0-1")];
        assert_eq!(ask(&service, "GET", target, &fields).status, 200);
    }
}

/// Every variant of a thing has a tag of its own, and every machine the same.
#[test]
fn tags_are_of_the_content_alone() {
    let services = [service(), service()];
    let mut tags = Vec::new();
    for target in [
        MANIFEST,
        VIDEO,
        KEY_FRAMES,
        "/film.ism/QualityLevels(300)/FragmentInfo(video=0)",
        "/film.ism/QualityLevels(300)/RawFragments(video=0)",
        "/film.ism/QualityLevels(300)/Fragments(video=20000000)",
        "/film.ism/QualityLevels(64)/Fragments(audio=0)",
        POSTER,
        "/art/empty.txt",
    ] {
        let [here, there] = services.each_ref().map(|service| get(service, target).header("etag"));
        assert_eq!(here, there, "{target}");
        assert!(!tags.contains(&here), "{target}");
        tags.push(here);
    }
    // Another spelling of a URL is the same thing.
    let spelt = "/film.ism/QualityLevels%28300%29/fragments(VIDEO=0)?token=1";
    assert_eq!(get(&services[0], spelt).header("etag"), tags[1]);
}

/// RFC 9110, 8.8.2.1. A machine's clock may be slow, or a file's time wrong.
#[test]
fn a_time_of_change_is_not_sent_while_it_is_still_to_come_and_is_sent_once_it_is_past() {
    const CHANGED: u64 = 1_577_836_800;
    let seconds = Arc::new(AtomicU64::new(CHANGED - 60));
    let hands = Arc::clone(&seconds);
    let wall = move || SystemTime::UNIX_EPOCH + Duration::from_secs(hands.load(Ordering::Relaxed));
    let clock = Clock::new(|| Duration::ZERO).wall_time(wall);
    let origin = Origin::builder(film()).clock(clock).build();
    let options = ServiceOptions::default().files(PassedFiles::all());
    let service = OriginService::with_options(origin, options);
    let targets = [MANIFEST, VIDEO, POSTER];
    let since = |target| ask(&service, "GET", target, &[("if-modified-since", MODIFIED)]).status;
    let tags = targets.map(|target| {
        let asked = get(&service, target);
        assert_eq!((asked.status, asked.header("last-modified")), (200, String::new()), "{target}");
        assert_eq!(since(target), 200, "{target}");
        asked.header("etag")
    });
    seconds.store(CHANGED + 60, Ordering::Relaxed);
    for (target, tag) in targets.into_iter().zip(tags) {
        let asked = get(&service, target);
        assert_eq!((asked.header("last-modified"), asked.header("etag")), (MODIFIED.into(), tag));
        assert_eq!(since(target), 304, "{target}");
    }
    assert_eq!(service.origin().stats().openings, 1, "nothing was opened again");
}
