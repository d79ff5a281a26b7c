//! Responses to clients and caches about files that changed a moment ago.

use std::time::Duration;

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, OriginBuilder};
use smooth_origin::service::{Caching, OriginService, PassedFiles, ServiceOptions};

use crate::asked::{Asked, ask, get};
use testkit::film::{self, Style, Track, ism};
use testkit::written::WrittenStore;
use testkit::{Hands, name};

const MANIFEST: &str = "/film.ism/Manifest";
const FIRST: &str = "/film.ism/QualityLevels(300)/Fragments(video=0)";

fn media(value: u8, size: u32) -> Vec<u8> {
    let track = Track::regular(1, StreamKind::Video, 2, 20_000_000, size);
    film::media(&[track], Style::default()).filled(value)
}

fn put_film(store: &WrittenStore) {
    store.replace("film.ism", ism(None, &[("video", "film.ismv", 300, 1, "")]));
    store.replace("film.ismv", media(b'A', 1000));
    store.replace("poster.jpg", "picture");
}

fn builder(store: &WrittenStore, hands: &Hands) -> OriginBuilder {
    let settling = Duration::from_millis(2500);
    Origin::builder(store.clone()).settling_time(settling).clock(hands.clock()).timer(hands.timer())
}

fn service(origin: Origin) -> OriginService {
    let options = ServiceOptions::default().caching(Caching::default()).files(PassedFiles::all());
    OriginService::with_options(origin, options)
}

/// Asserts a 503 that no cache keeps and that says when to retry.
fn assert_unsettled(asked: &Asked, seconds: &str) {
    assert_eq!(asked.status, 503);
    assert_eq!(asked.header("cache-control"), "no-store");
    assert_eq!(asked.header("retry-after"), seconds);
}

#[test]
fn what_must_settle_is_503_with_the_time_and_no_cache_keeps_that() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    let service = service(builder(&store, &hands).build());
    hands.pass(10);
    put_film(&store);
    for target in [MANIFEST, FIRST, "/film.ism", "/poster.jpg"] {
        let asked = get(&service, target);
        assert_unsettled(&asked, "3");
        assert_eq!(asked.body, b"{\"status\":503,\"code\":\"unsettled\"}\n", "{target}");
        for fields in [[("if-none-match", "*")], [("range", "bytes=0-9")]] {
            assert_unsettled(&ask(&service, "GET", target, &fields), "3");
        }
        assert_unsettled(&ask(&service, "HEAD", target, &[]), "3");
    }
    hands.pass(1);
    assert_unsettled(&get(&service, "/poster.jpg"), "2");
    hands.pass(2);
    for target in [MANIFEST, FIRST, "/poster.jpg"] {
        assert_eq!(get(&service, target).status, 200, "{target}");
    }
}

#[test]
fn while_a_rewritten_file_settles_its_old_validators_confirm_nothing() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    put_film(&store);
    hands.pass(100);
    let origin = builder(&store, &hands).build();
    let service = service(origin.clone());
    hands.pass(10);
    let tags = [MANIFEST, FIRST].map(|target| get(&service, target).header("etag"));
    let conditional = |target, tag: &str| ask(&service, "GET", target, &[("if-none-match", tag)]);
    assert_eq!(conditional(FIRST, &tags[1]).status, 304);
    store.rewrite("film.ismv", media(b'B', 1001));
    origin.look_again(&name("film.ism"));
    assert_unsettled(&conditional(FIRST, &tags[1]), "3");
    assert_unsettled(&ask(&service, "HEAD", FIRST, &[]), "3");
    // The manifest is complete, in the version that was opened.
    assert_eq!(conditional(MANIFEST, &tags[0]).status, 304);
    hands.pass(3);
    let now = conditional(FIRST, &tags[1]);
    assert_eq!((now.status, now.body.last()), (200, Some(&b'B')));
}

#[test]
fn while_a_replacement_settles_the_old_file_is_served_and_confirmed() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    put_film(&store);
    hands.pass(100);
    let origin = builder(&store, &hands).build();
    let service = service(origin.clone());
    let tag = get(&service, FIRST).header("etag");
    store.replace("film.ismv", media(b'B', 1001));
    origin.look_again(&name("film.ism"));
    let old = get(&service, FIRST);
    assert_eq!((old.status, old.body.last(), old.header("etag")), (200, Some(&b'A'), tag.clone()));
    assert_eq!(ask(&service, "GET", FIRST, &[("if-none-match", &tag)]).status, 304);
    hands.pass(3);
    assert_eq!(get(&service, FIRST).body.last(), Some(&b'B'));
}
