//! Segments of which the head is kept: they cost what the fragments cost that they are written from.

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, OriginBuilder};
use smooth_origin::service::OriginService;

use crate::asked::{Asked, ask, get};
use crate::stores::Watched;
use testkit::film::{self, Fragment, Style, Track, ism};
use testkit::{name, store};

const CHUNK: u64 = 20_000_000;
/// Bytes of a picture; a fragment has fifty.
const PICTURE: u32 = 2000;
const SEGMENT: &str = "/film.ism/video-300/20000000.m4s";
const FRAGMENT: &str = "/film.ism/QualityLevels(300)/Fragments(video=20000000)";

fn media(picture: u32) -> Vec<u8> {
    let fragment = |chunk: u64| Fragment {
        time: (chunk * CHUNK) as i64,
        samples: (0..50).map(|i| (CHUNK as u32 / 50, picture + i % 2)).collect(),
    };
    let track = Track::new(1, StreamKind::Video, (0..20).map(fragment).collect());
    film::media(&[track], Style::default()).to_bytes()
}

fn watched() -> Watched {
    let server = ism(None, &[("video", "film.ismv", 300, 1, "")]);
    Watched::new(store([("film.ism", server), ("film.ismv", media(PICTURE))]))
}

fn service(watched: &Watched, set: impl FnOnce(OriginBuilder) -> OriginBuilder) -> OriginService {
    OriginService::new(set(Origin::builder(watched.clone())).build())
}

/// Returns the end of a segment or a fragment: what its samples take.
fn samples(asked: &Asked) -> &[u8] {
    &asked.body[asked.body.len() - 50 * PICTURE as usize - 25..]
}

#[test]
fn a_segment_is_written_once_and_then_costs_one_read_of_its_samples() {
    let watched = watched();
    let service = service(&watched, |builder| builder);
    let first = get(&service, SEGMENT);
    watched.watch.taken();
    let second = get(&service, SEGMENT);
    let (reads, bytes) = watched.watch.taken();
    assert_eq!((reads, bytes), (1, samples(&first).len() as u64));
    assert_eq!((second.status, &second.headers), (200, &first.headers));
    assert!(second.body == first.body);
    let part = ask(&service, "GET", SEGMENT, &[("range", "bytes=4-11")]);
    assert_eq!((part.status, &part.body[..]), (206, &first.body[4..12]));
    assert_eq!(watched.watch.taken(), (0, 0), "the head is in memory");
}

#[test]
fn a_head_is_written_for_each_request_if_there_is_no_room_for_it() {
    for bytes in [0, 100] {
        let watched = watched();
        let service = service(&watched, |builder| builder.segment_head_bytes(bytes));
        let first = get(&service, SEGMENT);
        watched.watch.taken();
        let second = get(&service, SEGMENT);
        assert_eq!(watched.watch.taken().0, 2, "its head, then its samples");
        assert!(second.body == first.body && second.headers == first.headers);
    }
}

#[test]
fn segments_and_fragments_share_what_is_kept() {
    for order in [[FRAGMENT, SEGMENT], [SEGMENT, FRAGMENT]] {
        let watched = watched();
        let service = service(&watched, |builder| builder.fragment_cache_bytes(4 << 20));
        let [one, other] = order.map(|target| {
            // The first request may have looked at the head alone.
            get(&service, target);
            get(&service, target)
        });
        watched.watch.taken();
        for (target, before) in order.into_iter().zip([&one, &other]) {
            let again = get(&service, target);
            assert!(again.body == before.body && again.headers == before.headers, "{target}");
        }
        assert_eq!(watched.watch.taken(), (0, 0));
        assert!(samples(&one) == samples(&other));
        let kept = service.origin().fragment_cache();
        assert_eq!(kept.fragments, 1, "{kept:?}");
    }
}

#[test]
fn the_head_of_a_replaced_presentation_is_not_served() {
    let watched = watched();
    let service = service(&watched, |builder| builder.fragment_cache_bytes(4 << 20));
    let before = [(); 3].map(|()| get(&service, SEGMENT));
    watched.objects.put(name("film.ismv"), media(PICTURE + 1));
    service.origin().look_again(&name("film.ism"));
    let after = get(&service, SEGMENT);
    assert_eq!(after.body.len(), before[2].body.len() + 50);
    assert_ne!(after.header("etag"), before[2].header("etag"));
    assert!(after.body == get(&service, SEGMENT).body);
}
