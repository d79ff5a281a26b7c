//! Budgets of pushes over HTTP: memory of all points, pushes of an address, points that pushes create; and files of
//! several tracks side by side.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Method, Request};
use http_body::{Body, Frame};
use smooth_origin::Name;
use smooth_origin::live::{PointOptions, PointState, TrackStatus};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{LiveOptions, LivePoints, Origin, block_on};
use smooth_origin::service::{IngestService, OriginService, Peer};
use smooth_origin::storage::{MemoryArchive, MemoryStore};
use testkit::Hands;
use testkit::film::{self, Media, Style, Track};

/// A body of one piece, which may not end behind it.
pub(super) struct One(pub(super) Option<Bytes>, pub(super) bool);

impl Body for One {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match (self.0.take(), self.1) {
            (Some(bytes), _) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            (None, true) => Poll::Ready(None),
            (None, false) => Poll::Pending,
        }
    }
}

pub(super) fn request(method: Method, path: &str, body: One) -> Request<One> {
    let request = Request::builder().method(method).uri(path).header("host", "x");
    let mut request = request.header("transfer-encoding", "chunked").body(body).unwrap();
    request.extensions_mut().insert(Peer::new([127, 0, 0, 1].into()));
    request
}

pub(super) fn service(options: LiveOptions) -> (LivePoints, IngestService) {
    let points = LivePoints::new(options);
    let origin = Origin::builder(MemoryStore::new()).live(points.clone()).build();
    (points.clone(), IngestService::new(points).otherwise(OriginService::new(origin)))
}

pub(super) fn by_anyone(options: PointOptions) -> LiveOptions {
    LiveOptions::default().on_first_push(move |_| Some(options.clone()))
}

/// The status of a push of a body that ends.
pub(super) fn put(service: &IngestService, path: &str, bytes: &[u8]) -> u16 {
    let body = One(Some(Bytes::copy_from_slice(bytes)), true);
    block_on(service.respond(request(Method::PUT, path, body))).status().as_u16()
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// One track of so many chunks of 2 s, of about 40 kB each.
pub(super) fn film(track: u32, chunks: u32) -> (Media, Vec<u8>) {
    let track = Track::regular(track, StreamKind::Video, chunks, 20_000_000, 40_000);
    let media = film::media(&[track], Style { mfra: false, ..Style::default() });
    let bytes = media.filled(7);
    (media, bytes)
}

pub(super) fn parts(media: &Media, bytes: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let header = media.fragments[0].2.start as usize;
    let segment = |range: &std::ops::Range<u64>| &bytes[range.start as usize..range.end as usize];
    let segments = media.fragments.iter().map(|(.., range)| segment(range).to_vec());
    (bytes[..header].to_vec(), segments.collect())
}

#[test]
fn a_refused_push_uses_up_no_point() {
    let (points, service) = service(by_anyone(PointOptions::default()).max_points(2));
    for number in 0..5 {
        let path = format!("/{number}.isml/Streams(a)");
        assert_eq!(put(&service, &path, b"no boxes at all"), 400);
    }
    assert!(points.list().is_empty());
    let (_, bytes) = film(1, 2);
    assert_eq!(put(&service, "/a.isml/Streams(a)", &bytes), 200);
    // What has taken something stays, and so does what the host has made.
    points.create(name("mine.isml"), PointOptions::default()).unwrap();
    for path in ["/a.isml/Streams(b)", "/mine.isml/Streams(b)"] {
        assert_eq!(put(&service, path, b"no boxes at all"), 400);
    }
    assert_eq!(points.list().len(), 2);
    assert_eq!(put(&service, "/b.isml/Streams(a)", &bytes), 200);
    assert_eq!(put(&service, "/c.isml/Streams(a)", &bytes), 503);
    assert!(block_on(points.remove(&name("a.isml"))));
    assert_eq!(put(&service, "/c.isml/Streams(a)", &bytes), 200, "a removed point makes room");
}

#[test]
fn one_address_has_so_many_pushes() {
    let (_, service) = service(by_anyone(PointOptions::default()));
    let service = service.pushes_per_address(1);
    let (media, bytes) = film(1, 2);
    let open =
        One(Some(Bytes::copy_from_slice(&bytes[..media.fragments[0].2.start as usize])), false);
    let mut first = Box::pin(service.respond(request(Method::POST, "/a.isml/Streams(a)", open)));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(put(&service, "/b.isml/Streams(b)", &bytes), 503);
    drop(first);
    assert_eq!(put(&service, "/b.isml/Streams(b)", &bytes), 200);
}

#[test]
fn an_event_that_has_ended_makes_room_for_those_that_go_on() {
    let hands = Hands::default();
    let options = PointOptions::default().look_ahead(0).window(None);
    let points = LivePoints::new(by_anyone(options).memory(2_000_000));
    let origin = Origin::builder(MemoryStore::new()).clock(hands.clock()).live(points.clone());
    let _origin = origin.build();
    let service = IngestService::new(points.clone());
    let (media, bytes) = film(1, 150);
    let (header, segments) = parts(&media, &bytes);
    assert_eq!(put(&service, "/a.isml/Streams(a)", &header), 200);
    let ended = points.get(&name("a.isml")).unwrap();
    for segment in segments.iter().take_while(|_| ended.memory() < 1_700_000) {
        assert_eq!(put(&service, "/a.isml/Streams(a)", segment), 200);
    }
    ended.stop();
    let before = ended.memory();
    assert!(before > 1_600_000, "{before}");
    assert_eq!(put(&service, "/b.isml/Streams(b)", &header), 200);
    for segment in &segments {
        put(&service, "/b.isml/Streams(b)", segment);
        hands.pass(2);
        points.tick();
    }
    assert!(ended.memory() < before * 3 / 4, "{} of {before}", ended.memory());
    let presentation = ended.presentation().unwrap();
    assert!(!presentation.is_live() && !presentation.streams()[0].timeline().is_empty());
}

#[test]
fn when_memory_is_short_the_oldest_goes_first() {
    const LIMIT: u64 = 2_000_000;
    let hands = Hands::default();
    let options = PointOptions::default().look_ahead(0).window(None);
    let points = LivePoints::new(by_anyone(options).memory(LIMIT));
    let origin = Origin::builder(MemoryStore::new()).clock(hands.clock()).live(points.clone());
    let _origin = origin.build();
    let service = IngestService::new(points.clone());
    let (media, bytes) = film(1, 150);
    let (header, segments) = parts(&media, &bytes);
    assert_eq!(put(&service, "/a.isml/Streams(a)", &header), 200);
    let point = points.get(&name("a.isml")).unwrap();
    let (mut refused, mut first) = (0, 0);
    // 6 MB in all.
    for segment in &segments {
        while put(&service, "/a.isml/Streams(a)", segment) != 200 {
            refused += 1;
            assert!(refused < 10, "there is room for a part of the event");
            hands.pass(2);
        }
        hands.pass(2);
        points.tick();
        assert!(point.memory() <= LIMIT, "{}", point.memory());
        let presentation = point.presentation().unwrap();
        let start = presentation.streams()[0].timeline().chunk(0).unwrap().0;
        assert!(start >= first, "what has gone does not come back");
        first = start;
    }
    assert!(first > 0);
    let window = || point.presentation().unwrap().live().unwrap().window;
    assert!(window().is_some_and(|window| window.as_secs() >= 20), "{:?}", window());
}

#[test]
fn when_memory_is_used_up_pushes_are_refused_until_there_is_room() {
    let options = PointOptions::default().look_ahead(0);
    let (points, service) = service(by_anyone(options).memory(200_000));
    let (media, bytes) = film(1, 8);
    let (header, segments) = parts(&media, &bytes);
    assert_eq!(put(&service, "/a.isml/Streams(a)", &header), 200);
    let statuses: Vec<_> =
        segments.iter().map(|segment| put(&service, "/a.isml/Streams(a)", segment)).collect();
    assert_eq!((statuses[0], statuses[7]), (200, 503), "{statuses:?}");
    assert_eq!(put(&service, "/b.isml/Streams(a)", &bytes), 503);
    assert_eq!(points.list().len(), 1, "the refused push has left no point");
    assert!(block_on(points.remove(&name("a.isml"))));
    assert_eq!(put(&service, "/b.isml/Streams(a)", &header), 200);
}

#[test]
fn a_body_that_never_ends_counts() {
    let (points, service) = service(by_anyone(PointOptions::default()).memory(100_000));
    let (media, bytes) = film(1, 8);
    let part = Bytes::copy_from_slice(&bytes[..media.fragments[2].2.end as usize - 10]);
    let body = One(Some(part), false);
    let mut first = Box::pin(service.respond(request(Method::POST, "/a.isml/Streams(a)", body)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    points.tick();
    assert_eq!(put(&service, "/b.isml/Streams(a)", &bytes), 503);
    drop(first);
    block_on(points.remove(&name("a.isml")));
    assert_eq!(put(&service, "/b.isml/Streams(a)", &bytes[..1000]), 400, "its end is missing");
}

#[test]
fn with_an_archive_the_window_stays_when_memory_is_short() {
    let options = PointOptions::default().look_ahead(0).window(None);
    let options = by_anyone(options).memory(400_000).archive(MemoryArchive::new());
    let (points, service) = service(options);
    let (media, bytes) = film(1, 50);
    let (header, segments) = parts(&media, &bytes);
    assert_eq!(put(&service, "/a.isml/Streams(a)", &header), 200);
    for segment in &segments {
        assert_eq!(put(&service, "/a.isml/Streams(a)", segment), 200);
    }
    let point = points.get(&name("a.isml")).unwrap();
    assert!(point.memory() < 400_000, "{}", point.memory());
    let chunks = point.presentation().unwrap().streams()[0].timeline().len();
    assert_eq!(chunks, 50, "2 MB are served from the archive");
}

#[test]
fn files_of_several_tracks_may_lie_side_by_side() {
    let (points, service) = service(by_anyone(PointOptions::default().look_ahead(0)));
    let tracks: Vec<_> = [1, 2].map(|track| film(track, 3)).into_iter().collect();
    let tracks: Vec<_> = tracks.iter().map(|(media, bytes)| parts(media, bytes)).collect();
    let dynamic = br#"<?xml version="1.0"?><MPD type="dynamic" />"#;
    for (number, (header, _)) in tracks.iter().enumerate() {
        assert_eq!(put(&service, &format!("/x.isml/init-stream{number}.m4s"), header), 200);
    }
    for segment in 0..3 {
        for (number, (_, segments)) in tracks.iter().enumerate() {
            let path = format!("/x.isml/chunk-stream{number}-{:05}.m4s", segment + 1);
            assert_eq!(put(&service, &path, &segments[segment]), 200, "{path}");
        }
        assert_eq!(put(&service, "/x.isml/manifest.mpd", dynamic), 200);
    }
    let point = points.get(&name("x.isml")).unwrap();
    let streams: Vec<_> =
        point.status().encoders.iter().map(|encoder| encoder.stream.to_string()).collect();
    assert_eq!(streams, ["stream0", "stream1"]);
    assert_eq!(point.state(), PointState::Started);
    // Its own window moves on: the segments stay.
    let delete = request(Method::DELETE, "/x.isml/chunk-stream0-00001.m4s", One(None, true));
    assert_eq!(block_on(service.respond(delete)).status(), 200);
    let mut far = request(Method::DELETE, "/x.isml/chunk-stream0-00001.m4s", One(None, true));
    far.extensions_mut().insert(Peer::new([192, 0, 2, 1].into()));
    assert_eq!(block_on(service.respond(far)).status(), 403);
    let before = point.presentation().unwrap().streams()[0].timeline().len();
    assert_eq!(before, 3);
    // The MPD of a film ends the event.
    let film = br#"<?xml version="1.0"?><MPD type="static" />"#;
    assert_eq!(put(&service, "/x.isml/manifest.mpd", film), 200);
    assert_eq!(point.state(), PointState::Stopped);
}

#[test]
fn a_long_playlist_in_the_folder_of_a_track_ends_its_stream() {
    let (points, service) = service(by_anyone(PointOptions::default().look_ahead(0)));
    let (media, bytes) = film(1, 3);
    let (header, segments) = parts(&media, &bytes);
    let put = |file: &str, bytes: &[u8]| {
        assert_eq!(put(&service, &format!("/x.isml/v/{file}"), bytes), 200, "{file}");
        points.get(&name("x.isml")).unwrap().state()
    };
    put("init.mp4", &header);
    for (number, segment) in segments.iter().enumerate() {
        put(&format!("{number}.m4s"), segment);
    }
    let mut list = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n".to_owned();
    list.push_str(&"#EXTINF:2,\n0.m4s\n".repeat(10_000));
    assert_eq!(put("index.m3u8", list.as_bytes()), PointState::Started);
    list.push_str("#EXT-X-ENDLIST\n");
    assert_eq!(put("index.m3u8", list.as_bytes()), PointState::Stopped);
}

#[test]
fn a_segment_waits_for_its_header_on_another_connection() {
    let hands = Hands::default();
    let points = LivePoints::new(by_anyone(PointOptions::default().look_ahead(0)));
    let origin = Origin::builder(MemoryStore::new()).clock(hands.clock()).timer(hands.timer());
    let _origin = origin.live(points.clone()).build();
    let service = IngestService::new(points.clone());
    let (media, bytes) = film(1, 2);
    let (header, segments) = parts(&media, &bytes);
    let segment = |number: usize| {
        let path = format!("/x.isml/chunk-stream0-{number}.m4s");
        let body = One(Some(Bytes::from(segments[number].clone())), true);
        Box::pin(service.respond(request(Method::PUT, &path, body)))
    };
    let mut context = Context::from_waker(Waker::noop());
    let mut early = segment(0);
    assert!(early.as_mut().poll(&mut context).is_pending());
    assert_eq!(put(&service, "/x.isml/init-stream0.m4s", &header), 200);
    hands.pass(1);
    let Poll::Ready(response) = early.as_mut().poll(&mut context) else { panic!("it is there") };
    assert_eq!(response.status(), 200);
    assert_eq!(block_on(segment(1)).status(), 200);
    // Without a header, it waits a while.
    let body = One(Some(Bytes::from(segments[0].clone())), true);
    let other = request(Method::PUT, "/y.isml/chunk-stream0-1.m4s", body);
    let mut refused = Box::pin(service.respond(other));
    for _ in 0..20 {
        assert!(refused.as_mut().poll(&mut context).is_pending());
        hands.pass(1);
    }
    let Poll::Ready(response) = refused.as_mut().poll(&mut context) else { panic!("a second") };
    assert_eq!(response.status(), 412);
    assert!(points.get(&name("y.isml")).is_none(), "it has left no point");
}

#[test]
fn a_segment_whose_number_is_that_of_another_track_waits_for_its_header() {
    let hands = Hands::default();
    let points = LivePoints::new(by_anyone(PointOptions::default().look_ahead(0)));
    let origin = Origin::builder(MemoryStore::new()).clock(hands.clock()).timer(hands.timer());
    let _origin = origin.live(points.clone()).build();
    let service = IngestService::new(points.clone());
    let tracks: Vec<_> = [1, 2].map(|track| film(track, 2)).into_iter().collect();
    let tracks: Vec<_> = tracks.iter().map(|(media, bytes)| parts(media, bytes)).collect();
    let push = |name: String, bytes: &[u8]| {
        let body = One(Some(Bytes::copy_from_slice(bytes)), true);
        Box::pin(service.respond(request(Method::PUT, &format!("/x.isml/{name}"), body)))
    };
    assert_eq!(put(&service, "/x.isml/init_0.mp4", &tracks[0].0), 200);
    let mut context = Context::from_waker(Waker::noop());
    // Segment 0 of `init_1`, or of a track `s_1`, whose number is that of `init_0`.
    let mut early = push("s_1_0.m4s".into(), &tracks[1].1[0]);
    assert!(early.as_mut().poll(&mut context).is_pending());
    assert_eq!(put(&service, "/x.isml/init_1.mp4", &tracks[1].0), 200);
    hands.pass(1);
    let Poll::Ready(response) = early.as_mut().poll(&mut context) else { panic!("it is there") };
    assert_eq!(response.status(), 200);
    for name in ["s_0_0", "s_0_1", "s_1_1"] {
        let (track, segment) = (&name[2..3], &name[4..]);
        let (track, segment): (usize, usize) = (track.parse().unwrap(), segment.parse().unwrap());
        let status = put(&service, &format!("/x.isml/{name}.m4s"), &tracks[track].1[segment]);
        assert_eq!(status, 200, "{name}");
    }
    let status = points.get(&name("x.isml")).unwrap().status();
    let of_track = |of: &TrackStatus| (of.fragments, of.duplicates, of.dropped);
    let streams = status.streams.iter();
    let counts: Vec<_> = streams.flat_map(|of| of.tracks.iter().map(of_track)).collect();
    assert_eq!(counts, [(2, 0, 0); 2], "{status:#?}");
    // What is like no other for a second is of the track that it is like.
    let mut odd = push("s_7_0.m4s".into(), &tracks[0].1[1]);
    for _ in 0..20 {
        assert!(odd.as_mut().poll(&mut context).is_pending());
        hands.pass(1);
    }
    let Poll::Ready(response) = odd.as_mut().poll(&mut context) else { panic!("a second") };
    assert_eq!(response.status(), 200);
    assert_eq!(put(&service, "/x.isml/s_7_0.m4s", &tracks[0].1[1]), 200, "at once now");
}

#[test]
fn a_push_that_begins_when_its_point_stops_is_ended_too() {
    let (points, _) = service(by_anyone(PointOptions::default()));
    let point = block_on(points.for_push(&name("a.isml"))).unwrap();
    let push = point.begin(None, "a", "b").unwrap();
    let mut closed = pin!(push.closed());
    let mut context = Context::from_waker(Waker::noop());
    assert!(closed.as_mut().poll(&mut context).is_pending());
    point.stop();
    assert!(closed.as_mut().poll(&mut context).is_ready());
    assert!(point.begin(None, "a", "b").is_err());
}
