//! Load: what a request may cost the store and the memory, and what happens when too many come.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, OriginBuilder, block_on};
use smooth_origin::service::{OriginService, PassedFiles, ServiceBody, ServiceOptions};

use crate::asked::{ask, collect, get, request};
use crate::stores::{KEY_FRAMES, MANIFEST, POSTER, VIDEO, Watched, film};
use testkit::film::{self as made, Style, Track, ism};
use testkit::store;

const NOUNS: [&str; 4] = ["Fragments", "FragmentInfo", "RawFragments", "KeyFrames"];

/// A probe of a fragment reads its `moof`, and no picture.
const PROBE: u64 = 64 << 10;

/// A request that takes longer hangs. A machine that does much else may stall for seconds.
const HANGS: Duration = Duration::from_secs(60);

fn service(watched: &Watched, set: impl FnOnce(OriginBuilder) -> OriginBuilder) -> OriginService {
    let options = ServiceOptions::default().caching(Default::default()).files(PassedFiles::all());
    OriginService::with_options(set(Origin::builder(watched.clone())).build(), options)
}

fn begin(service: &OriginService, target: &str) -> Response<ServiceBody> {
    block_on(service.respond(&request("GET", target, &[])))
}

fn poll(body: &mut ServiceBody) -> Poll<Option<Option<Bytes>>> {
    let mut context = Context::from_waker(Waker::noop());
    let frame = Pin::new(body).poll_frame(&mut context);
    frame.map(|frame| frame.map(|frame| frame.ok().map(|frame| frame.into_data().unwrap())))
}

#[test]
fn who_has_it_already_costs_no_read() {
    let watched = film();
    let service = service(&watched, |builder| builder);
    let mut targets: Vec<_> = NOUNS
        .iter()
        .map(|noun| format!("/film.ism/QualityLevels(300)/{noun}(video=20000000)"))
        .collect();
    targets.extend([MANIFEST, POSTER].map(str::to_owned));
    let tags: Vec<_> = targets.iter().map(|target| get(&service, target).header("etag")).collect();
    // Another machine, or this one after a restart, has opened the presentation and no more.
    let fresh = self::service(&watched, |builder| builder);
    get(&fresh, MANIFEST);
    for service in [&service, &fresh] {
        watched.watch.taken();
        for (target, tag) in targets.iter().zip(&tags) {
            for method in ["GET", "HEAD"] {
                for (name, value, status) in [
                    ("if-none-match", tag.as_str(), 304),
                    ("if-modified-since", "Thu, 02 Jan 2020 00:00:00 GMT", 304),
                    ("if-match", "\"other\"", 412),
                    ("if-unmodified-since", "Tue, 01 Jan 2019 00:00:00 GMT", 412),
                ] {
                    let asked = ask(service, method, target, &[(name, value)]);
                    assert_eq!(asked.status, status, "{method} {target} {name}");
                    assert_eq!(watched.watch.taken(), (0, 0), "{method} {target} {name}");
                }
            }
        }
    }
}

#[test]
fn a_head_or_a_416_costs_a_probe_at_most() {
    let watched = film();
    for noun in NOUNS {
        for (method, range, status) in [("HEAD", "bytes=0-", 200), ("GET", "bytes=99999999-", 416)]
        {
            let service = service(&watched, |builder| builder);
            get(&service, MANIFEST);
            watched.watch.taken();
            let target = format!("/film.ism/QualityLevels(300)/{noun}(video=0)");
            let asked = ask(&service, method, &target, &[("range", range)]);
            assert_eq!(asked.status, status);
            let (reads, bytes) = watched.watch.taken();
            assert!(reads <= 1 && bytes <= PROBE, "{method} {noun}: {reads} reads, {bytes} bytes");
        }
    }
    let service = service(&watched, |builder| builder);
    for (method, range, status) in [("HEAD", "bytes=0-", 200), ("GET", "bytes=99999999-", 416)] {
        assert_eq!(ask(&service, method, POSTER, &[("range", range)]).status, status);
        assert_eq!(watched.watch.taken(), (0, 0), "a file needs no look at its bytes");
    }
}

#[test]
fn a_small_range_of_a_large_fragment_reads_little() {
    let watched = film();
    let service = service(&watched, |builder| builder);
    get(&service, MANIFEST);
    watched.watch.taken();
    for range in ["bytes=1500000-1500009", "bytes=-10", "bytes=900000-900009,1900000-1900009"] {
        assert_eq!(ask(&service, "GET", VIDEO, &[("range", range)]).status, 206);
        let (_, bytes) = watched.watch.taken();
        assert!(bytes <= PROBE + 100, "{range}: {bytes}");
    }
}

#[test]
fn a_client_that_goes_away_stops_its_reads() {
    let watched = film();
    let service = service(&watched, |builder| builder);
    // While its body is read.
    for target in [VIDEO, POSTER, KEY_FRAMES] {
        get(&service, target);
        let mut body = begin(&service, target).into_body();
        watched.watch.stop_reading();
        watched.watch.taken();
        while poll(&mut body).is_ready() {}
        assert!(watched.watch.under_way() <= 1, "{target}");
        drop(body);
        assert_eq!(watched.watch.under_way(), 0, "{target}");
        let (reads, _) = watched.watch.taken();
        assert!(reads <= 1, "{target}: {reads}");
        watched.watch.go_on();
        assert_eq!(watched.watch.taken(), (0, 0), "{target}: nothing goes on");
    }
    // While it waits for an answer.
    for (target, method) in [("/folder/gone.ism/Manifest", "GET"), ("/art/clip.jpg", "HEAD")] {
        watched.watch.stop_opening();
        let asked = request(method, target, &[]);
        let mut answer = Box::pin(service.respond(&asked));
        let mut context = Context::from_waker(Waker::noop());
        assert!(answer.as_mut().poll(&mut context).is_pending());
        assert!(watched.watch.under_way() > 0, "{target}");
        drop(answer);
        assert_eq!(watched.watch.under_way(), 0, "{target}");
        watched.watch.go_on();
    }
    assert_eq!(watched.watch.held.load(Ordering::SeqCst), 0);
}

/// A film whose fragments, and a file that, are larger than what many bodies may hold together.
fn large() -> Watched {
    let track = Track::regular(1, StreamKind::Video, 2, 20_000_000, 4 << 20);
    let media = made::media(&[track], Style::default());
    Watched::new(store([
        ("film.ism", ism(None, &[("video", "film.ismv", 300, 1, "")])),
        ("film.ismv", media.to_bytes()),
        ("large.txt", vec![7; 8 << 20]),
    ]))
}

const LARGE: &str = "/large.txt";

/// Readers that take nothing, or one piece now and then: what was read for them stays within the
/// budget, but for what each looked at before its head went out.
#[test]
fn five_hundred_slow_readers_never_hold_more_than_they_may() {
    const BUDGET: u64 = 16 << 20;
    for target in [VIDEO, LARGE] {
        let watched = large();
        let service = service(&watched, |builder| builder.body_bytes(BUDGET));
        get(&service, MANIFEST);
        let at_rest = watched.watch.held.load(Ordering::SeqCst);
        watched.watch.most_held.store(at_rest, Ordering::SeqCst);
        let mut readers: Vec<_> =
            (0..500).map(|_| (begin(&service, target).into_body(), Vec::<Bytes>::new())).collect();
        // All take as much as they are given, and let nothing go.
        for _ in 0..6 {
            for (body, taken) in &mut readers {
                if let Poll::Ready(Some(Some(bytes))) = poll(body) {
                    taken.push(bytes);
                }
            }
        }
        // Then each sends one piece at a time.
        for _ in 0..4 {
            for (body, taken) in &mut readers {
                taken.clear();
                if let Poll::Ready(Some(Some(bytes))) = poll(body) {
                    taken.push(bytes);
                }
            }
        }
        let most = watched.watch.most_held.load(Ordering::SeqCst) - at_rest;
        assert!(most <= BUDGET, "{target}: {most} of {BUDGET}");
        assert!(most > BUDGET / 4, "{target}: {most}: what there is is used");
        // Everybody has got on: nobody holds all of the room.
        let moved = readers.iter().filter(|(_, taken)| !taken.is_empty()).count();
        assert!(moved > 250, "{target}: {moved} of 500");
        drop(readers);
        let left = watched.watch.held.load(Ordering::SeqCst);
        assert!(left <= at_rest, "{target}: {left}");
        assert!(get(&service, target).status == 200, "and all is well again");
    }
}

#[test]
fn slow_storage_is_a_503_before_the_head_and_a_cut_after_it() {
    let watched = film();
    let limit = Duration::from_millis(60);
    let slow = || service(&watched, |builder| builder.read_timeout(limit));
    let service = slow();
    assert_eq!(get(&service, VIDEO).status, 200);
    watched.watch.stop_reading();
    let began = Instant::now();
    let (asked, whole) = collect(begin(&service, VIDEO));
    assert_eq!((asked.status, whole), (200, false), "the head has gone out");
    let (asked, whole) = collect(begin(&service, POSTER));
    assert_eq!((asked.status, whole), (200, false));
    // What cannot be told yet: a fragment not looked at, and a presentation not opened.
    let unseen = "/film.ism/QualityLevels(300)/KeyFrames(video=40000000)";
    for (service, target) in [(&service, unseen), (&slow(), MANIFEST)] {
        let asked = get(service, target);
        assert_eq!((asked.status, asked.code().as_str()), (503, "read-failed"), "{target}");
        assert_eq!(asked.header("cache-control"), "no-store");
    }
    watched.watch.stop_opening();
    let asked = get(&slow(), POSTER);
    assert_eq!((asked.status, asked.header("cache-control")), (503, "no-store".to_owned()));
    assert!(began.elapsed() < HANGS, "{:?}", began.elapsed());
    assert_eq!(watched.watch.under_way(), 0, "what timed out is given up");
    watched.watch.go_on();
    assert_eq!(get(&service, VIDEO).status, 200);
    assert_eq!(get(&service, unseen).status, 200);
}

#[test]
fn more_than_may_wait_are_sent_away_at_once_and_told_when_to_come_back() {
    let watched = film();
    let forever = Duration::from_secs(600);
    let service =
        service(&watched, |builder| builder.max_reads(1).max_waiting(2).read_timeout(forever));
    let tag = get(&service, VIDEO).header("etag");
    get(&service, KEY_FRAMES);
    watched.watch.stop_reading();
    let mut bodies: Vec<_> = (0..4).map(|_| begin(&service, POSTER).into_body()).collect();
    for body in &mut bodies {
        while poll(body).is_ready() {}
    }
    assert_eq!(watched.watch.under_way(), 1, "one read at a time");
    let began = Instant::now();
    for target in [VIDEO, POSTER] {
        let asked = get(&service, target);
        assert_eq!((asked.status, asked.code().as_str()), (503, "busy"), "{target}");
        assert_eq!(asked.header("cache-control"), "no-store");
        assert!(asked.header("retry-after").parse::<u32>().unwrap() >= 1);
    }
    // What needs no read is answered.
    assert_eq!(ask(&service, "GET", VIDEO, &[("if-none-match", &tag)]).status, 304);
    assert_eq!(ask(&service, "GET", VIDEO, &[("if-match", "\"x\"")]).status, 412);
    assert_eq!(get(&service, "/film.ism/QualityLevels(1)/Fragments(video=0)").status, 404);
    assert_eq!(get(&service, "/film.ism/x").status, 400);
    assert_eq!(ask(&service, "OPTIONS", VIDEO, &[]).status, 204);
    // Nobody waited for a read.
    assert!(began.elapsed() < HANGS, "{:?}", began.elapsed());
    // Who waited goes on, and so does everyone else.
    watched.watch.go_on();
    for mut body in bodies {
        while let Some(frame) = block_on(poll_fn(|context| Pin::new(&mut body).poll_frame(context)))
        {
            frame.unwrap();
        }
    }
    assert_eq!(get(&service, VIDEO).status, 200);
}

/// A manifest lies in memory: it waits for no storage, so storage that is busy is no reason to
/// refuse it.
#[test]
fn a_manifest_that_is_in_memory_is_served_while_the_storage_is_busy() {
    let watched = film();
    let service = service(&watched, |builder| builder.max_reads(1).max_waiting(0));
    get(&service, MANIFEST);
    watched.watch.stop_reading();
    let mut bodies: Vec<_> = (0..2).map(|_| begin(&service, POSTER).into_body()).collect();
    for body in &mut bodies {
        while poll(body).is_ready() {}
    }
    assert_eq!(get(&service, POSTER).status, 503);
    assert_eq!(get(&service, MANIFEST).status, 200);
}

/// A reader that keeps all bytes, as a collector does, comes to the end or to an error, and never
/// waits forever.
#[test]
fn a_collector_of_a_whole_large_body_ends_in_bounded_time() {
    let watched = large();
    for (budget, fits) in [(1 << 20, false), (4 << 20, false), (64 << 20, true)] {
        for target in [VIDEO, LARGE] {
            let limit = Duration::from_millis(100);
            let service =
                service(&watched, |builder| builder.body_bytes(budget).read_timeout(limit));
            let mut body = pin!(begin(&service, target).into_body());
            let (mut kept, mut whole) = (Vec::new(), true);
            let began = Instant::now();
            while let Some(frame) = block_on(poll_fn(|context| body.as_mut().poll_frame(context))) {
                match frame {
                    Ok(frame) => kept.push(frame.into_data().unwrap()),
                    Err(_) => whole = false,
                }
            }
            assert_eq!(whole, fits, "{target} {budget}");
            assert!(began.elapsed() < HANGS, "{target} {budget}: {:?}", began.elapsed());
            drop(kept);
            // What it held is free again.
            assert_eq!(get(&service, target).status, 200);
        }
    }
}

/// No more operations of the store at one time than were allowed, whoever asks for how much.
#[test]
fn reads_at_one_time_are_bounded() {
    let watched = film();
    let service = service(&watched, |builder| builder.max_reads(3));
    get(&service, VIDEO);
    watched.watch.stop_reading();
    let mut bodies: Vec<_> = (0..50).map(|_| begin(&service, VIDEO).into_body()).collect();
    for body in &mut bodies {
        while poll(body).is_ready() {}
    }
    assert_eq!(watched.watch.under_way(), 3);
    // Those in front go away, and those behind take their place.
    bodies.drain(..25);
    for body in &mut bodies {
        assert!(poll(body).is_pending());
    }
    assert_eq!(watched.watch.under_way(), 3);
}
