//! Content that changes: noticed within a bounded time, or at once by a call; never mixed.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use http_body::Body;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::service::OriginService;
use smooth_origin::storage::MemoryStore;

use crate::asked::{ask, get, request};
use crate::stores::Watched;
use testkit::film::{self, Style, Track, ism};
use testkit::{Hands, name, store};

const MANIFEST: &str = "/film.ism/Manifest";
const FIRST: &str = "/film.ism/QualityLevels(300)/Fragments(video=0)";
const THIRD: &str = "/film.ism/QualityLevels(300)/Fragments(video=40000000)";

fn media(count: u32, value: u8) -> Vec<u8> {
    let track = Track::regular(1, StreamKind::Video, count, 20_000_000, 3 << 20);
    film::media(&[track], Style::default()).filled(value)
}

fn objects() -> MemoryStore {
    let elements = [("video", "film.ismv", 300, 1, "")];
    store([("film.ism", ism(None, &elements)), ("film.ismv", media(2, b'A'))])
}

fn statuses(service: &OriginService) -> [u16; 3] {
    [MANIFEST, FIRST, THIRD].map(|target| ask(service, "HEAD", target, &[]).status)
}

#[test]
fn a_replaced_presentation_is_noticed_when_it_was_to_be_looked_at_again() {
    let (hands, objects) = (Hands::default(), objects());
    let origin = Origin::builder(objects.clone())
        .revalidate_after(Duration::from_secs(20))
        .clock(hands.clock())
        .build();
    let service = OriginService::new(origin);
    let old = [MANIFEST, FIRST].map(|target| get(&service, target).header("etag"));
    objects.put(name("film.ismv"), media(3, b'B'));
    assert_eq!(statuses(&service), [200, 200, 404]);
    hands.pass(20);
    assert_eq!(statuses(&service), [200, 200, 200]);
    for (target, tag) in [MANIFEST, FIRST].into_iter().zip(old) {
        let asked = ask(&service, "GET", target, &[("if-none-match", &tag)]);
        assert_eq!(asked.status, 200, "{target}: what the client has is not it any more");
    }
    assert!(get(&service, FIRST).body.ends_with(&[b'B'; 3 << 20]));
}

#[test]
fn a_call_has_it_noticed_at_once() {
    let (hands, objects) = (Hands::default(), objects());
    let service = OriginService::new(Origin::builder(objects.clone()).clock(hands.clock()).build());
    let tag = get(&service, FIRST).header("etag");
    objects.put(name("film.ismv"), media(3, b'B'));
    assert_eq!(ask(&service, "GET", FIRST, &[("if-none-match", &tag)]).status, 304);
    service.origin().look_again(&name("film.ism"));
    assert_eq!(ask(&service, "GET", FIRST, &[("if-none-match", &tag)]).status, 200);
    assert_eq!(statuses(&service), [200, 200, 200]);
    // A presentation that came, and one that went.
    assert_eq!(get(&service, "/new.ism/Manifest").status, 404);
    objects.put(name("new.ism"), ism(None, &[("video", "film.ismv", 300, 1, "")]));
    service.origin().look_again(&name("new.ism"));
    assert_eq!(get(&service, "/new.ism/Manifest").status, 200);
    objects.remove(&name("film.ism"));
    objects.remove(&name("film.ismv"));
    service.origin().look_again(&name("film.ism"));
    let gone = get(&service, MANIFEST).status;
    assert!(gone == 404 || gone == 200, "{gone}");
    // After the grace for a set that is being replaced it is gone for good.
    for _ in 0..8 {
        hands.pass(10);
        get(&service, MANIFEST);
    }
    assert_eq!(get(&service, MANIFEST).status, 404);
    // Of a name that nobody knows it means nothing.
    service.origin().look_again(&name("none.ism"));
}

/// A body that has begun is the old version to its end, or is cut; it is never a mixture.
#[test]
fn a_body_that_has_begun_is_never_of_two_versions() {
    let watched = Watched::new(objects());
    let service = OriginService::new(Origin::new(watched.clone()));
    let mut body = block_on(service.respond(&request("GET", FIRST, &[]))).into_body();
    let mut bytes = Vec::new();
    for frame in 0.. {
        if frame == 2 {
            watched.objects.put(name("film.ismv"), media(2, b'B'));
            service.origin().look_again(&name("film.ism"));
            assert!(get(&service, FIRST).body.ends_with(b"BBBB"));
        }
        match block_on(poll_fn(|context| Pin::new(&mut body).poll_frame(context))) {
            Some(Ok(frame)) => bytes.extend_from_slice(&frame.into_data().unwrap()),
            Some(Err(_)) => return,
            None => break,
        }
    }
    assert!(bytes.ends_with(&[b'A'; 3 << 20]));
}

/// A file that is rewritten in place while it is sent: the length was promised, so it is cut.
#[cfg(all(unix, feature = "fs"))]
#[test]
fn a_body_whose_file_is_rewritten_or_cut_short_ends_with_an_error() {
    use smooth_origin::service::{PassedFiles, ServiceOptions};
    use smooth_origin::storage::LocalStore;
    use testkit::folder::{Folder, trusting};

    for truncate in [false, true] {
        let root = Folder::new(if truncate { "cut-short" } else { "rewritten" });
        root.write("film.ism", &ism(None, &[("video", "film.ismv", 300, 1, "")]));
        let path = root.write("film.ismv", &media(2, b'A'));
        root.write("large.txt", &vec![b'A'; 3 << 20]);
        let options = ServiceOptions::default().files(PassedFiles::all());
        let service =
            OriginService::with_options(trusting(LocalStore::new(&root).unwrap()), options);
        for target in [FIRST, "/large.txt"] {
            let mut body = block_on(service.respond(&request("GET", target, &[]))).into_body();
            let length = body.size_hint().exact().unwrap() as usize;
            let mut next = || block_on(poll_fn(|context| Pin::new(&mut body).poll_frame(context)));
            let mut bytes = next().unwrap().unwrap().into_data().unwrap().to_vec();
            let path = if target == FIRST { path.clone() } else { root.0.join("large.txt") };
            std::thread::sleep(Duration::from_millis(20)); // a tick of the file system's clock
            match truncate {
                true => {
                    std::fs::File::options().write(true).open(&path).unwrap().set_len(99).unwrap()
                }
                false => std::fs::write(&path, media(2, b'B')).unwrap(),
            }
            let is_cut = loop {
                match next() {
                    Some(Ok(frame)) => bytes.extend_from_slice(&frame.into_data().unwrap()),
                    Some(Err(_)) => break true,
                    None => break false,
                }
            };
            assert!(is_cut && bytes.len() < length, "{target} {truncate}");
            assert!(bytes[1000..].iter().all(|&byte| byte == b'A'), "{target} {truncate}");
        }
    }
}
