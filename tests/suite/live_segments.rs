//! Segments that come in requests of their own: their paths, their headers, and their end.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Method, Response};
use smooth_origin::Origin;
use smooth_origin::live::{PointOptions, PointState};
use smooth_origin::origin::{LivePoints, block_on};
use smooth_origin::service::{IngestService, ServiceBody};
use smooth_origin::storage::MemoryStore;
use testkit::Hands;

use super::live_ingest_limits::{One, by_anyone, film, name, parts, put, request, service};

/// A server whose time a test moves.
struct Server {
    hands: Hands,
    points: LivePoints,
    service: IngestService,
    _origin: Origin,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Response<ServiceBody>> + 'a>>;

impl Server {
    fn new() -> Self {
        let hands = Hands::default();
        let points = LivePoints::new(by_anyone(PointOptions::default().look_ahead(0)));
        let origin = Origin::builder(MemoryStore::new()).clock(hands.clock()).timer(hands.timer());
        let _origin = origin.live(points.clone()).build();
        Self { hands, service: IngestService::new(points.clone()), points, _origin }
    }

    /// Begins a push, of which the end comes, or does not.
    fn begin(&self, path: &str, bytes: &[u8], ends: bool) -> Answer<'_> {
        let body = One(Some(Bytes::copy_from_slice(bytes)), ends);
        Box::pin(self.service.respond(request(Method::PUT, path, body)))
    }

    fn state(&self) -> PointState {
        self.points.get(&name("x.isml")).unwrap().state()
    }
}

/// The status, if it is there.
fn status(answer: &mut Answer<'_>) -> Option<u16> {
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => Some(response.status().as_u16()),
        Poll::Pending => None,
    }
}

/// Makes a fragment one that cannot be used.
fn broken(fragment: &[u8]) -> Vec<u8> {
    let mut bytes = fragment.to_vec();
    let run = bytes.windows(4).position(|at| at == b"trun").unwrap();
    bytes[run + 8..run + 12].copy_from_slice(&7000_u32.to_be_bytes());
    bytes
}

#[test]
fn a_header_is_known_if_the_fragment_behind_it_is_broken() {
    let server = Server::new();
    let (media, bytes) = film(1, 3);
    let (header, segments) = parts(&media, &bytes);
    let body = [&header[..], &broken(&segments[0])].concat();
    assert_eq!(put(&server.service, "/x.isml/init-stream0.m4s", &body), 400);
    for number in [0, 1, 2] {
        // At once: its header is there.
        let path = format!("/x.isml/chunk-stream0-{number}.m4s");
        assert_eq!(status(&mut server.begin(&path, &segments[number], true)), Some(200), "{path}");
    }
}

#[test]
fn paths_of_the_interface_lead_to_their_streams() {
    let (media, bytes) = film(1, 1);
    let (header, segments) = parts(&media, &bytes);
    for (of_header, of_segment, stream) in [
        ("video.init", "video-1.m4s", "video"),
        ("video.header", "video-1.cmfv", "video"),
        ("v/1.init", "v/1.m4s", "v"),
        ("hd/v/init.mp4", "hd/v/1.m4s", "hd/v"),
        ("video_1.mp4", "Video_1/1.m4s", "video1"),
        ("a-2.init", "a-2/1.m4s", "a2"),
        ("Switching(v)/Streams(v1)", "Switching(v)/Streams(v1)", "v1"),
    ] {
        let (points, service) = service(by_anyone(PointOptions::default().look_ahead(0)));
        for (path, body) in [(of_header, &header), (of_segment, &segments[0])] {
            assert_eq!(put(&service, &format!("/x.isml/{path}"), body), 200, "{path}");
        }
        let status = points.get(&name("x.isml")).unwrap().status();
        let streams: Vec<_> = status.encoders.iter().map(|of| &*of.stream).collect();
        assert_eq!((streams, status.streams[0].chunks), (vec![stream], 1), "{of_header}");
        let deletes = matches!(of_segment.rsplit_once('.'), Some((_, "m4s" | "cmfv")));
        let delete = request(Method::DELETE, &format!("/x.isml/{of_segment}"), One(None, true));
        assert!(!deletes || block_on(service.respond(delete)).status() == 200, "{of_segment}");
    }
}

#[test]
fn a_playlist_in_a_folder_ends_the_stream_of_its_header_in_another_one() {
    let (points, service) = service(by_anyone(PointOptions::default().look_ahead(0)));
    let (media, bytes) = film(1, 1);
    let (header, segments) = parts(&media, &bytes);
    for (file, body) in [("init.mp4", &header), ("1.m4s", &segments[0])] {
        assert_eq!(put(&service, &format!("/x.isml/media/v/{file}"), body), 200);
    }
    let map = "#EXTM3U\n#EXT-X-MAP:BYTERANGE=\"9@0\",URI=\"../../media/v/init.mp4\"\n";
    for (end, state) in [("", PointState::Started), ("#EXT-X-ENDLIST", PointState::Stopped)] {
        let list = format!("{map}{end}");
        assert_eq!(put(&service, "/x.isml/hls/en/v.m3u8", list.as_bytes()), 200);
        assert_eq!(points.get(&name("x.isml")).unwrap().state(), state);
    }
}

#[test]
fn a_manifest_in_a_folder_ends_no_tracks_of_other_folders() {
    let (points, service) = service(by_anyone(PointOptions::default().look_ahead(0)));
    let (media, bytes) = film(1, 2);
    let (header, segments) = parts(&media, &bytes);
    let put = |path: &str, body: &[u8]| put(&service, &format!("/x.isml/{path}"), body);
    for (folder, kind) in [("hd", "dynamic"), ("sd", "dynamic"), ("hd", "static")] {
        let mpd = format!("<MPD type=\"{kind}\"/>");
        if kind == "dynamic" {
            assert_eq!(put(&format!("{folder}/video/init.mp4"), &header), 200);
            assert_eq!(put(&format!("{folder}/video/1.m4s"), &segments[0]), 200);
        }
        assert_eq!(put(&format!("{folder}/manifest.mpd"), mpd.as_bytes()), 200);
    }
    let state = || points.get(&name("x.isml")).unwrap().state();
    assert_eq!(put("sd/video/2.m4s", &segments[1]), 200);
    assert_eq!(state(), PointState::Started);
    assert_eq!(put("sd/manifest.mpd", b"<MPD type='static'/>"), 200);
    assert_eq!(state(), PointState::Stopped);
}

#[test]
fn an_mpd_ends_no_event_while_the_last_segments_come() {
    let server = Server::new();
    let (media, bytes) = film(1, 3);
    let (header, segments) = parts(&media, &bytes);
    let path = |number: usize| format!("/x.isml/chunk-stream0-{number}.m4s");
    let mpd = |kind: &str| format!("<MPD type=\"{kind}\"/>").into_bytes();
    assert_eq!(put(&server.service, "/x.isml/init-stream0.m4s", &header), 200);
    assert_eq!(put(&server.service, &path(0), &segments[0]), 200);
    assert_eq!(put(&server.service, "/x.isml/manifest.mpd", &mpd("dynamic")), 200);
    // The last segment takes its time.
    let (first, rest) = segments[1].split_at(1000);
    let body = super::live_ingest::Pieces::default();
    body.add(first);
    let slow = super::live_ingest::push(&path(1), &body);
    let mut slow: Answer<'_> = Box::pin(server.service.respond(slow));
    assert_eq!(status(&mut slow), None);
    let mut end = server.begin("/x.isml/manifest.mpd", &mpd("static"), true);
    for _ in 0..10 {
        assert_eq!((status(&mut end), status(&mut slow)), (None, None));
        server.hands.pass(1);
    }
    body.add(rest);
    body.end();
    assert_eq!(status(&mut slow), Some(200));
    assert_eq!(server.state(), PointState::Started);
    server.hands.pass(1);
    assert_eq!(status(&mut end), Some(200));
    assert_eq!(server.state(), PointState::Stopped);
    let point = server.points.get(&name("x.isml")).unwrap();
    assert_eq!(point.presentation().unwrap().streams()[0].timeline().len(), 2);
}

#[test]
fn a_segment_that_never_ends_holds_up_the_end_for_half_a_minute() {
    let server = Server::new();
    let (media, bytes) = film(1, 2);
    let (header, segments) = parts(&media, &bytes);
    for (path, body) in [("init-stream0", &header), ("chunk-stream0-1", &segments[0])] {
        assert_eq!(put(&server.service, &format!("/x.isml/{path}.m4s"), body), 200);
    }
    let mpd = |kind: &str| format!("<MPD type=\"{kind}\"/>").into_bytes();
    assert_eq!(put(&server.service, "/x.isml/manifest.mpd", &mpd("dynamic")), 200);
    let mut open = server.begin("/x.isml/chunk-stream0-2.m4s", &segments[1][..1000], false);
    assert_eq!(status(&mut open), None);
    let mut end = server.begin("/x.isml/manifest.mpd", &mpd("static"), true);
    let mut looks = 0;
    while status(&mut end).is_none() {
        // Each look passes at least 50 ms.
        assert!(looks < 1000, "it is given up");
        looks += 1;
        server.hands.pass(1);
    }
    assert!(looks > 500, "{looks}");
    assert_eq!(server.state(), PointState::Stopped);
}

#[test]
fn a_segment_in_a_folder_waits_for_its_header_on_another_connection() {
    let server = Server::new();
    let (media, bytes) = film(1, 2);
    let (header, segments) = parts(&media, &bytes);
    let mut early = server.begin("/x.isml/v/1.m4s", &segments[0], true);
    assert_eq!(status(&mut early), None);
    assert_eq!(put(&server.service, "/x.isml/V/init.mp4", &header), 200);
    server.hands.pass(1);
    assert_eq!(status(&mut early), Some(200));
    assert_eq!(status(&mut server.begin("/x.isml/v/2.m4s", &segments[1], true)), Some(200));
    // Without a header, it waits for a second.
    let mut none = server.begin("/x.isml/w/1.m4s", &segments[0], true);
    for _ in 0..20 {
        assert_eq!(status(&mut none), None);
        server.hands.pass(1);
    }
    assert_eq!(status(&mut none), Some(412));
    // A stream of one long request has its header in it.
    let mut stream = server.begin("/x.isml/Streams(s)", &segments[0], true);
    assert_eq!(status(&mut stream), Some(412));
}

#[test]
fn a_segment_in_a_folder_waits_for_its_header_beside_the_folder() {
    let server = Server::new();
    let (media, bytes) = film(1, 2);
    let (header, segments) = parts(&media, &bytes);
    let mut early = server.begin("/x.isml/video_1/1.m4s", &segments[0], true);
    assert_eq!(status(&mut early), None);
    assert_eq!(put(&server.service, "/x.isml/video_1.mp4", &header), 200);
    server.hands.pass(1);
    assert_eq!(status(&mut early), Some(200));
    let mut next = server.begin("/x.isml/video_1/2.m4s", &segments[1], true);
    assert_eq!(status(&mut next), Some(200));
    // Another folder has no header.
    let mut other = server.begin("/x.isml/video_2/1.m4s", &segments[1], true);
    assert_eq!(status(&mut other), None);
}

#[test]
fn a_segment_that_waits_for_leave_to_send_waits_for_its_header_too() {
    let server = Server::new();
    let (media, bytes) = film(1, 1);
    let (header, segments) = parts(&media, &bytes);
    let body = One(Some(Bytes::copy_from_slice(&segments[0])), true);
    let mut expecting = request(Method::PUT, "/x.isml/v/1.m4s", body);
    expecting.headers_mut().insert("expect", "100-continue".parse().unwrap());
    let mut early: Answer<'_> = Box::pin(server.service.respond(expecting));
    for _ in 0..4 {
        assert_eq!(status(&mut early), None);
        server.hands.pass(1);
    }
    assert_eq!(put(&server.service, "/x.isml/v/init.mp4", &header), 200);
    server.hands.pass(1);
    assert_eq!(status(&mut early), Some(200));
}

#[test]
fn a_fragment_of_a_track_that_no_header_has_is_told_so() {
    let (_, service) = service(by_anyone(PointOptions::default().look_ahead(0)));
    let ((media, bytes), (other, of_other)) = (film(1, 1), film(2, 1));
    let (header, _) = parts(&media, &bytes);
    let (_, segments) = parts(&other, &of_other);
    assert_eq!(put(&service, "/x.isml/v/init.mp4", &header), 200);
    assert_eq!(put(&service, "/x.isml/v/1.m4s", &segments[0]), 412);
}
