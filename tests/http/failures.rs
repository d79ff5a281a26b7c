//! Bodies of failures: RFC 9457, and what they must not reveal.

use std::io;

use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::service::{Failure, OriginService, PassedFiles, Requested, ServiceOptions};
use smooth_origin::storage::{MemoryObject, MemoryStore, Store};

use crate::asked::{self, Asked, get};
use testkit::film::{self, Style, Track, ism};
use testkit::sick::SickStore;
use testkit::store;

fn manifest_of(objects: MemoryStore) -> Asked {
    get(&OriginService::new(Origin::new(objects)), "/a.ism/Manifest")
}

fn server_manifest(text: &str) -> Asked {
    manifest_of(store([("a.ism", text.as_bytes().to_vec())]))
}

#[test]
fn broken_content_is_explained_without_the_names_of_its_files() {
    let element = |file| ism(None, &[("video", file, 300, 1, "")]);
    let missing = manifest_of(store([("a.ism", element("secret-name.ismv"))]));
    assert_eq!((missing.status, missing.code()), (500, "nothing-to-serve".into()));
    assert_eq!(
        missing.detail(),
        "no track of the presentation can be served: file-missing: \
         a file that the server manifest names is missing"
    );
    let broken = store([
        ("a.ism", element("secret-name.ismv")),
        ("secret-name.ismv", b"\0\0\0\x04moov".to_vec()),
    ]);
    let broken = manifest_of(broken);
    assert_eq!((broken.status, broken.code()), (500, "nothing-to-serve".into()));
    let lead = "no track of the presentation can be served: file-broken: ";
    assert!(broken.detail().starts_with(lead), "{}", broken.detail());
    assert!(!broken.detail().contains("secret"));

    let outside = manifest_of(store([("a.ism", element("../../secret-name.ismv"))]));
    assert_eq!(outside.status, 500);
    assert!(outside.detail().contains("name-refused") && !outside.detail().contains("secret"));
    let empty = server_manifest("<smil/>");
    let sentence = "no track of the presentation can be served: the server manifest names no track";
    assert_eq!((empty.status, empty.detail()), (500, sentence.into()));
}

#[test]
fn content_that_cannot_be_served_as_fragments_is_415_with_the_reason() {
    // Samples before a header without tracks: a progressive file of nothing.
    let media = b"\0\0\0\x10mdat12345678\0\0\0\x08moov".to_vec();
    let objects = store([
        ("a.ism", ism(None, &[("video", "secret-name.mp4", 300, 1, "")])),
        ("secret-name.mp4", media),
    ]);
    let asked = manifest_of(objects);
    assert_eq!((asked.status, asked.code()), (415, "not-sliceable".into()));
    assert_eq!(asked.detail(), "a file that is not fragmented needs packaging");
}

/// A document can hold any text: `get` checks that it is escaped and not too long.
#[test]
fn text_of_a_document_is_escaped_and_cut() {
    let root = server_manifest("<html/>");
    assert_eq!(root.detail(), "line 1, html: not well-formed XML: the root is `html`, not `smil`");
    for text in [
        "<a\"b\\c/>",
        "<\u{7f}\u{9b}\u{202e}/>",
        "<smil>\u{1}</smil>",
        "<smil><é\\\"></smil>",
        &format!("<{}/>", "é\"".repeat(4000)),
    ] {
        let asked = server_manifest(text);
        assert_eq!((asked.status, asked.code()), (500, "not-xml".into()), "{text}");
        assert!(!asked.detail().is_empty(), "{text}");
    }
    // Bytes of no encoding.
    let asked = manifest_of(store([("a.ism", b"<smil>\xff\xfe\"</smil>".to_vec())]));
    assert_eq!(asked.status, 500);
}

#[test]
fn a_reference_in_the_name_of_a_file_is_not_quoted() {
    let asked =
        server_manifest("<smil><body><video src=\"first&secret-name.ismv;\"/></body></smil>");
    assert_eq!((asked.status, asked.code()), (500, "nothing-to-serve".into()));
    assert!(!asked.detail().contains("secret"), "{}", asked.detail());
}

/// Whatever it is asked for, the storage fails and says where.
#[derive(Clone)]
struct Failing(io::ErrorKind);

impl Store for Failing {
    type Source = MemoryObject;

    async fn open(&self, _: &Name) -> io::Result<MemoryObject> {
        Err(io::Error::new(self.0, "/srv/secret-name: disk 7 of host secret.example is on fire"))
    }
}

#[test]
fn what_the_storage_says_is_not_repeated() {
    for kind in [io::ErrorKind::Other, io::ErrorKind::PermissionDenied, io::ErrorKind::TimedOut] {
        let service = OriginService::new(Origin::new(Failing(kind)));
        for target in ["/a.ism/Manifest", "/a.ism/QualityLevels(300)/Fragments(video=0)"] {
            let asked = get(&service, target);
            assert_eq!((asked.status, asked.code()), (503, "read-failed".into()));
            assert_eq!(asked.detail(), "");
        }
    }
}

/// The cause of a failed response to a GET with a header field.
fn failure_of(service: &OriginService, path: &str, field: (&str, &str)) -> Failure {
    let request = http::Request::get(path).header("host", "a").header(field.0, field.1);
    let response = block_on(service.respond(&request.body(()).unwrap()));
    assert!(response.status().as_u16() >= 400, "{path}: {}", response.status());
    response.extensions().get::<Failure>().unwrap().clone()
}

#[test]
fn a_failed_response_carries_its_error_and_presentation_for_the_host() {
    let video = Track::regular(1, StreamKind::Video, 5, 20_000_000, 100_000);
    let objects = store([
        ("films/a.ism", ism(None, &[("video", "secret.ismv", 300, 1, "")])),
        ("films/secret.ismv", film::media(&[video], Style::default()).to_bytes()),
        ("films/broken.ism", b"<smil>\n<\n".to_vec()),
    ]);
    let sick = SickStore::new(objects);
    let service = OriginService::new(Origin::new(sick.clone()));
    let of = |path| failure_of(&service, path, ("accept", "*/*"));
    let manifest = "/films/a.ism/Manifest";

    let request = http::Request::get(manifest).header("host", "a").body(()).unwrap();
    let response = block_on(service.respond(&request));
    assert!(response.extensions().is_empty(), "of a response that is no failure");

    sick.set_sick(true);
    let read = of("/films/a.ism/QualityLevels(300)/Fragments(video=20000000)");
    sick.set_sick(false);
    let error = read.error().unwrap();
    assert_eq!((error.kind.code(), read.code()), ("read-failed", "read-failed"));
    assert_eq!(read.presentation().unwrap().as_str(), "films/a.ism");
    assert_eq!(read.file().unwrap().as_str(), "films/secret.ismv");
    assert_eq!(
        read.to_string(),
        "films/a.ism: films/secret.ismv: reading failed: the disk is sick"
    );

    let broken = of("/films/broken.ism/Manifest");
    assert_eq!((broken.code(), broken.file()), ("not-xml", None));
    assert_eq!(broken.presentation().unwrap().as_str(), "films/broken.ism");

    let absent = of("/films/a.ism/QualityLevels(1)/Fragments(video=0)");
    assert_eq!(absent.presentation().unwrap().as_str(), "films/a.ism");
    assert!(absent.to_string().ends_with("no such bitrate"), "{absent}");
    let none = of("/films/none.ism/Manifest");
    assert_eq!((none.code(), none.presentation()), ("no-presentation", None));
}

#[test]
fn responses_carry_the_name_that_the_store_was_asked_by_if_the_host_wants_it() {
    let video = Track::regular(1, StreamKind::Video, 5, 20_000_000, 100_000);
    let objects = store([
        ("films/a.ism", ism(None, &[("video", "a.ismv", 300, 1, "")])),
        ("films/a.ismv", film::media(&[video], Style::default()).to_bytes()),
        ("films/a.jpg", b"a picture".to_vec()),
    ]);
    let options = ServiceOptions::default().files(PassedFiles::all());
    let origin = || Origin::new(objects.clone());
    let with = OriginService::with_options(origin(), options.clone().requested(true));
    let without = OriginService::with_options(origin(), options);
    let film = "films/a.ism";
    let fragment = "/films//%61.ism/QualityLevels(300)/Fragments(video=0)";
    for (method, path, field, status, name) in [
        ("GET", "/%66ilms/a.ism/Manifest", ("accept", "*/*"), 200, Some(film)),
        // The first request for a fragment reads, the second does not.
        ("GET", fragment, ("accept", "*/*"), 200, Some(film)),
        ("GET", fragment, ("accept", "*/*"), 200, Some(film)),
        ("HEAD", fragment, ("accept", "*/*"), 200, Some(film)),
        ("GET", fragment, ("range", "bytes=1-2"), 206, Some(film)),
        ("GET", fragment, ("if-none-match", "*"), 304, Some(film)),
        ("GET", fragment, ("if-match", "\"x\""), 412, Some(film)),
        ("GET", fragment, ("range", "bytes=9999999-"), 416, Some(film)),
        ("GET", "/films/a.ism", ("accept", "*/*"), 302, Some(film)),
        ("GET", "/films/%61.jpg", ("accept", "*/*"), 200, Some("films/a.jpg")),
        ("GET", "/films/a.jpg", ("if-none-match", "*"), 304, Some("films/a.jpg")),
        ("GET", "/films/b.jpg", ("accept", "*/*"), 404, None),
        ("GET", "/films/a.ism/QualityLevels(1)/Fragments(video=0)", ("accept", "*/*"), 404, None),
        ("OPTIONS", fragment, ("accept", "*/*"), 204, None),
    ] {
        let line = format!("{method} {path} {field:?}");
        let request = asked::request(method, path, &[field]);
        let response = block_on(with.respond(&request));
        let requested = response.extensions().get::<Requested>();
        let found = requested.map(|requested| requested.name().as_str());
        assert_eq!((response.status().as_u16(), found), (status, name), "{line}");
        let response = block_on(without.respond(&request));
        assert!(response.extensions().get::<Requested>().is_none(), "{line}");
    }
}

#[test]
fn a_failure_by_the_rules_of_http_carries_its_presentation_and_a_reason() {
    let video = Track::regular(1, StreamKind::Video, 5, 20_000_000, 100_000);
    let service = OriginService::new(Origin::new(store([
        ("films/a.ism", ism(None, &[("video", "a.ismv", 300, 1, "")])),
        ("films/a.ismv", film::media(&[video], Style::default()).to_bytes()),
    ])));
    let fragment = "/films/a.ism/QualityLevels(300)/Fragments(video=0)";
    let length = get(&service, fragment).header("content-length");
    let film = Some("films/a.ism");
    let check = |failure: &Failure, code: &str, film: Option<&str>, text: &str| {
        assert!(failure.error().is_none() && failure.file().is_none(), "{failure}");
        let of = failure.presentation().map(|name| name.as_str());
        assert_eq!((failure.code(), of, &*failure.to_string()), (code, film, text));
    };

    for path in ["/films/a.ism/Manifest", fragment] {
        let condition = failure_of(&service, path, ("if-match", "\"x\""));
        let text = "films/a.ism: precondition-failed";
        check(&condition, "precondition-failed", film, text);
    }
    let range = failure_of(&service, fragment, ("range", "bytes=9999999-"));
    let text = format!(
        "films/a.ism: range-not-satisfiable: no byte of the range is among the {length} that there are"
    );
    check(&range, "range-not-satisfiable", film, &text);

    let respond = |request: http::request::Builder| {
        let response = block_on(service.respond(&request.body(()).unwrap()));
        response.extensions().get::<Failure>().unwrap().clone()
    };
    let post = respond(http::Request::post(fragment).header("host", "a"));
    let text = "films/a.ism: method-not-allowed: the method is `POST`";
    check(&post, "method-not-allowed", film, text);
    let text = "films/a.ism: malformed-request: an HTTP/1.1 request needs a `Host` field";
    check(&respond(http::Request::get(fragment)), "malformed-request", film, text);

    let none = respond(http::Request::post("/films/none.ism/Manifest").header("host", "a"));
    check(&none, "method-not-allowed", None, "method-not-allowed: the method is `POST`");
}
