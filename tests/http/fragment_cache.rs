//! Fragments in memory: what is asked for often is read once, and is what lies in the file.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{FragmentCacheStats, Origin, OriginBuilder, block_on};
use smooth_origin::service::OriginService;

use crate::asked::{Asked, collect, get, request};
use crate::stores::{MANIFEST, Watched};
use testkit::film::{self, Media, Style, Track, ism};
use testkit::{name, store};

const CHUNKS: u32 = 200;
const CHUNK: u64 = 20_000_000;
const PICTURE: u32 = 100_000;
/// Room for forty fragments.
const ROOM: u64 = 4 << 20;

fn media() -> Media {
    let tracks = [
        Track::regular(1, StreamKind::Video, CHUNKS, CHUNK as u32, PICTURE),
        Track::regular(2, StreamKind::Audio, CHUNKS, CHUNK as u32, 500),
    ];
    film::media(&tracks, Style::default())
}

fn long_film() -> Watched {
    let elements = [("video", "film.ismv", 300, 1, ""), ("audio", "film.ismv", 64, 2, "")];
    Watched::new(store([("film.ism", ism(None, &elements)), ("film.ismv", media().to_bytes())]))
}

fn service(watched: &Watched, set: impl FnOnce(OriginBuilder) -> OriginBuilder) -> OriginService {
    let builder = Origin::builder(watched.clone()).fragment_cache_bytes(ROOM);
    OriginService::new(set(builder).build())
}

fn video(chunk: u64) -> String {
    format!("/film.ism/QualityLevels(300)/Fragments(video={})", chunk * CHUNK)
}

fn stats(service: &OriginService) -> FragmentCacheStats {
    service.origin().fragment_cache()
}

/// Fragments as an origin without a cache has them.
fn plain(targets: &[String]) -> Vec<Asked> {
    let service = OriginService::new(Origin::new(long_film()));
    targets.iter().map(|target| get(&service, target)).collect()
}

#[test]
fn what_is_asked_for_again_is_not_read_again() {
    let watched = long_film();
    let service = service(&watched, |builder| builder);
    let audio = "/film.ism/QualityLevels(64)/Fragments(audio=20000000)".to_owned();
    let targets = [video(0), video(7), audio];
    let plain = plain(&targets);
    let ask_all = || targets.iter().map(|target| get(&service, target)).collect::<Vec<_>>();
    let first = ask_all();
    watched.watch.taken();
    let second = ask_all();
    assert_eq!(watched.watch.taken(), (0, 0));
    for asked in [&first, &second] {
        for (asked, plain) in asked.iter().zip(&plain) {
            assert_eq!(asked.status, 200);
            assert!(asked.body == plain.body && asked.headers == plain.headers);
        }
    }
    let FragmentCacheStats { hits, misses, fragments, bytes, .. } = stats(&service);
    assert_eq!((hits, misses, fragments), (3, 3, 3));
    let length: usize = plain.iter().map(|plain| plain.body.len()).sum();
    assert!((length as u64..length as u64 + 4096).contains(&bytes), "{bytes} for {length}");
}

#[test]
fn parts_of_a_kept_fragment_need_no_read() {
    let watched = long_film();
    let service = service(&watched, |builder| builder);
    let whole = get(&service, &video(3)).body;
    watched.watch.taken();
    let asked = crate::asked::ask(&service, "GET", &video(3), &[("range", "bytes=70000-70009")]);
    assert_eq!((asked.status, &asked.body[..]), (206, &whole[70_000..70_010]));
    assert_eq!(watched.watch.taken(), (0, 0));
}

/// Polls all until all are done; in the first rounds the store gives nothing.
fn all_at_once<T>(
    watched: &Watched,
    futures: impl IntoIterator<Item = impl Future<Output = T>>,
) -> Vec<T> {
    let mut futures: Vec<Pin<Box<_>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    watched.watch.stop_reading();
    for round in 0..10 {
        for (future, done) in futures.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            let context = &mut Context::from_waker(Waker::noop());
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        if round == 2 {
            watched.watch.go_on();
        }
    }
    done.into_iter().map(|done| done.expect("it ends")).collect()
}

async fn fetch(service: &OriginService, target: &str) -> Vec<u8> {
    use http_body::Body;
    let mut body = service.respond(&request("GET", target, &[])).await.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|c| Pin::new(&mut body).poll_frame(c)).await {
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    bytes
}

#[test]
fn clients_who_ask_at_one_time_cost_one_read() {
    let target = video(5);
    let plain = plain(std::slice::from_ref(&target));
    for is_known in [false, true] {
        let watched = long_film();
        let service = service(&watched, |builder| builder);
        let method = if is_known { "HEAD" } else { "OPTIONS" };
        crate::asked::ask(&service, method, &target, &[]);
        get(&service, MANIFEST);
        watched.watch.taken();
        let bodies = all_at_once(&watched, (0..100).map(|_| fetch(&service, &target)));
        assert!(bodies.iter().all(|body| *body == plain[0].body));
        let (reads, bytes) = watched.watch.taken();
        // A look at its head, where that is not known, and all of it.
        assert_eq!(reads, if is_known { 1 } else { 2 });
        assert!(bytes <= plain[0].body.len() as u64 + 4096, "{bytes}");
    }
}

#[test]
fn a_client_who_leaves_while_it_reads_for_others_leaves_them_no_worse() {
    let watched = long_film();
    let service = service(&watched, |builder| builder);
    let plain = plain(&[video(5)]);
    // Its head is known.
    crate::asked::ask(&service, "HEAD", &video(5), &[]);
    let target = video(5);
    let mut first = pin!(fetch(&service, &target));
    watched.watch.stop_reading();
    {
        let mut leaving = Box::pin(fetch(&service, &target));
        let context = &mut Context::from_waker(Waker::noop());
        assert!(leaving.as_mut().poll(context).is_pending());
        assert!(first.as_mut().poll(context).is_pending());
    }
    assert_eq!(watched.watch.under_way(), 0, "who has left reads no more");
    watched.watch.go_on();
    assert!(block_on(first) == plain[0].body);
}

#[test]
fn one_film_from_end_to_end_does_not_drive_out_what_many_watch() {
    let watched = long_film();
    let service = service(&watched, |builder| builder);
    let many: Vec<String> = (0..20).map(video).collect();
    for target in many.iter().cycle().take(60) {
        get(&service, target);
    }
    for chunk in 20..u64::from(CHUNKS) {
        get(&service, &video(chunk));
    }
    let before = stats(&service);
    for target in &many {
        get(&service, target);
    }
    let hits = stats(&service).hits - before.hits;
    assert!(hits >= 18, "{hits} of 20 are still there");
    assert!(before.bytes <= ROOM, "{before:?}");
}

#[test]
fn what_is_kept_of_a_replaced_presentation_is_not_served() {
    let watched = long_film();
    let service = service(&watched, |builder| builder);
    let before = (get(&service, &video(0)), get(&service, &video(0)));
    assert_eq!(before.0.body, before.1.body);
    let tracks = [
        Track::regular(1, StreamKind::Video, CHUNKS, CHUNK as u32, PICTURE + 1),
        Track::regular(2, StreamKind::Audio, CHUNKS, CHUNK as u32, 500),
    ];
    let media = film::media(&tracks, Style::default()).to_bytes();
    watched.objects.put(name("film.ismv"), media);
    service.origin().look_again(&name("film.ism"));
    let after = get(&service, &video(0));
    assert_eq!(after.body.len(), before.0.body.len() + 1);
    assert_ne!(after.header("etag"), before.0.header("etag"));
}

/// Bytes that many send are in memory once, and count once.
#[test]
fn one_fragment_for_many_readers_takes_the_room_of_one() {
    let watched = long_film();
    let service = service(&watched, |builder| builder.body_bytes(400_000));
    get(&service, &video(0));
    let responses: Vec<_> =
        (0..50).map(|_| block_on(service.respond(&request("GET", &video(0), &[])))).collect();
    // There is room for others all the same.
    let other = get(&service, &video(1));
    assert_eq!(
        other.body.len(),
        responses[0].headers()["content-length"].to_str().unwrap().parse::<usize>().unwrap()
    );
    for response in responses {
        let (asked, whole) = collect(response);
        assert!(whole && asked.body.len() == other.body.len());
    }
}

#[test]
fn nothing_is_kept_where_no_memory_is_given() {
    let watched = long_film();
    let service = OriginService::new(Origin::new(watched.clone()));
    get(&service, &video(0));
    watched.watch.taken();
    get(&service, &video(0));
    assert_eq!(watched.watch.taken().0, 1);
    assert_eq!(stats(&service), FragmentCacheStats::default());
}
