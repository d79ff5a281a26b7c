//! Pushes over HTTP, and the presentation that comes of them: with bodies that a test makes, and no network.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use smooth_origin::Name;
use smooth_origin::live::{PointOptions, PointState};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{LiveOptions, LivePoints, Origin, block_on};
use smooth_origin::service::{Failure, IngestService, OriginService, Peer, ServiceBody, Verdict};
use smooth_origin::storage::{MemoryArchive, MemoryStore, RangeSource, Store};
use testkit::Hands;
use testkit::film::{self, Media, Style, Track};

/// A body of pieces, which may be added while it is read.
#[derive(Clone, Default)]
pub(super) struct Pieces(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    pieces: VecDeque<io::Result<Bytes>>,
    has_ended: bool,
    waker: Option<Waker>,
}

impl Pieces {
    fn of(bytes: &[u8], size: usize) -> Self {
        let body = Self::default();
        for piece in bytes.chunks(size) {
            body.add(piece);
        }
        body.end();
        body
    }

    pub(super) fn add(&self, bytes: &[u8]) {
        self.with(|state| state.pieces.push_back(Ok(Bytes::copy_from_slice(bytes))));
    }

    fn fail(&self) {
        self.with(|state| state.pieces.push_back(Err(io::ErrorKind::ConnectionReset.into())));
    }

    pub(super) fn end(&self) {
        self.with(|state| state.has_ended = true);
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().pieces.len()
    }

    fn with(&self, act: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().unwrap();
        act(&mut state);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let mut state = self.0.lock().unwrap();
        match state.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(piece.map(Frame::data))),
            None if state.has_ended => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let state = self.0.lock().unwrap();
        state.has_ended && state.pieces.is_empty()
    }
}

/// A server of publishing points, without a network.
struct Server {
    points: LivePoints,
    service: IngestService,
}

const VIDEO: u32 = 1;
const SOUND: u32 = 2;

impl Server {
    fn new(options: LiveOptions) -> Self {
        let points = LivePoints::new(options);
        let builder = Origin::builder(MemoryStore::new()).clock(Hands::default().clock());
        let origin = builder.live(points.clone()).build();
        let service = IngestService::new(points.clone()).otherwise(OriginService::new(origin));
        Self { points, service }
    }

    /// A server whose points hold back this many chunks, and are created by the first push.
    fn with_look_ahead(chunks: u32) -> Self {
        let options = PointOptions::default().look_ahead(chunks);
        Self::new(LiveOptions::default().on_first_push(move |_| Some(options.clone())))
    }

    fn send(&self, request: Request<Pieces>) -> Response<ServiceBody> {
        block_on(self.service.respond(request))
    }

    fn push(&self, path: &str, body: &Pieces) -> Response<ServiceBody> {
        self.send(push(path, body))
    }

    /// The status and the body of a request of a player.
    fn get(&self, path: &str) -> (u16, Bytes) {
        let request = Request::get(path).header("host", "x").body(Pieces::default()).unwrap();
        let response = self.send(request);
        let status = response.status().as_u16();
        (status, block_on(collected(response.into_body())))
    }

    fn state(&self, name: &str) -> Option<PointState> {
        self.points.get(&Name::new(name).unwrap()).map(|point| point.state())
    }
}

async fn collected(mut body: ServiceBody) -> Bytes {
    let mut bytes = Vec::new();
    while let Some(frame) =
        std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    bytes.into()
}

pub(super) fn push(path: &str, body: &Pieces) -> Request<Pieces> {
    let mut request = Request::post(path)
        .header("host", "x")
        .header("transfer-encoding", "chunked")
        .body(body.clone())
        .unwrap();
    request.extensions_mut().insert(Peer::new(Ipv4Addr::LOCALHOST.into()));
    request
}

/// An event of so many chunks of 2 s of pictures and sound.
fn event(chunks: u32) -> (Media, Vec<u8>) {
    let tracks = [
        Track::regular(VIDEO, StreamKind::Video, chunks, 20_000_000, 500),
        Track::regular(SOUND, StreamKind::Audio, chunks, 20_000_000, 100),
    ];
    let media = film::media(&tracks, Style { mfra: false, ..Style::default() });
    let bytes = media.filled(7);
    (media, bytes)
}

/// The empty box that ends an event.
const END: &[u8] = b"\0\0\0\x08mfra";

/// Bytes of the header of an event.
fn header(media: &Media) -> usize {
    media.fragments[0].2.start as usize
}

/// The streams of a manifest: the URLs of all fragments that it announces.
fn announced(manifest: &str) -> Vec<String> {
    let attribute = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let mut urls = Vec::new();
    for stream in manifest.split("<StreamIndex").skip(1) {
        let url = attribute(stream, "Url").unwrap();
        let bitrate = stream.split("<QualityLevel").nth(1).unwrap();
        let url = url.replace("{bitrate}", &attribute(bitrate, "Bitrate").unwrap());
        let mut time = 0;
        for chunk in stream.split("<c").skip(1) {
            let of = |name| attribute(chunk, name).map(|value| value.parse::<u64>().unwrap());
            time = of("t").unwrap_or(time);
            for _ in 0..of("r").unwrap_or(1) {
                urls.push(url.replace("{start time}", &time.to_string()));
                time += of("d").unwrap();
            }
        }
    }
    urls
}

/// Asserts that the samples of each announced fragment are those that were pushed.
fn serves_what_was_pushed(server: &Server, point: &str, media: &Media, bytes: &[u8]) -> usize {
    let (status, manifest) = server.get(&format!("/{point}/Manifest"));
    assert_eq!(status, 200);
    let urls = announced(std::str::from_utf8(&manifest).unwrap());
    for url in &urls {
        let (status, fragment) = server.get(&format!("/{point}/{url}"));
        assert_eq!(status, 200, "{url}");
        let time: i64 = url.rsplit_once('=').unwrap().1.trim_end_matches(')').parse().unwrap();
        let track = if url.contains("video") { VIDEO } else { SOUND };
        let pushed = media.fragments.iter().find(|(id, at, _)| (*id, *at) == (track, time));
        let (.., range) = pushed.unwrap_or_else(|| panic!("{url} was not pushed"));
        let pushed = &bytes[range.start as usize..range.end as usize];
        assert_eq!(payload(&fragment), payload(pushed), "{url}");
    }
    urls.len()
}

/// The `mdat` behind the `moof`.
fn payload(fragment: &[u8]) -> &[u8] {
    let moof = u32::from_be_bytes(fragment[..4].try_into().unwrap()) as usize;
    &fragment[moof..]
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn an_event_is_served_while_it_is_pushed_and_is_a_film_at_its_end() {
    let server = Server::with_look_ahead(2);
    let (media, bytes) = event(8);
    let body = Pieces::default();
    let mut pushing = pin!(server.service.respond(push("/x.isml/Streams(enc1)", &body)));
    for piece in bytes.chunks(97) {
        body.add(piece);
        assert!(poll(pushing.as_mut()).is_pending());
    }
    assert_eq!(server.state("x.isml"), Some(PointState::Started));
    let (status, manifest) = server.get("/x.isml/Manifest");
    let text = std::str::from_utf8(&manifest).unwrap();
    assert_eq!(status, 200);
    assert!(text.to_lowercase().contains("islive=\"true\""), "{text}");
    // Two chunks of each stream are held back.
    assert_eq!(serves_what_was_pushed(&server, "x.isml", &media, &bytes), 2 * 6);
    let urls = announced(text);
    let video = urls.iter().find(|url| url.contains("video")).unwrap().clone();
    let at = |time: u64| format!("/x.isml/{}", video.replace("=0)", &format!("={time})")));
    assert_eq!(server.get(&at(6 * 20_000_000)).0, 412, "it is held back");
    assert_eq!(server.get(&at(50 * 20_000_000)).0, 412, "it may come");
    assert_eq!(server.get(&at(1)).0, 404, "it never was");

    body.add(END);
    body.end();
    let Poll::Ready(response) = poll(pushing.as_mut()) else { panic!("the body has ended") };
    assert_eq!(response.status(), 200);
    assert_eq!(server.state("x.isml"), Some(PointState::Stopped));
    let (_, manifest) = server.get("/x.isml/Manifest");
    let text = std::str::from_utf8(&manifest).unwrap();
    assert!(!text.to_lowercase().contains("islive=\"true\""), "{text}");
    assert_eq!(serves_what_was_pushed(&server, "x.isml", &media, &bytes), 2 * 8);
    // Letter case of the name does not matter.
    assert_eq!(server.get("/X.ISML/Manifest").0, 200);
}

#[test]
fn a_probe_creates_nothing() {
    let server = Server::with_look_ahead(2);
    let empty = Pieces::default();
    empty.end();
    let mut probe = push("/x.isml/Streams(enc1)", &empty);
    probe.headers_mut().remove("transfer-encoding");
    probe.headers_mut().insert("content-length", "0".parse().unwrap());
    assert_eq!(server.send(probe).status(), 200);
    // A chunked body without bytes, as ffmpeg sends it when it fails at its start.
    // And to the point itself, as encoders of IIS send it before they push.
    for path in ["/x.isml/Streams(enc1)", "/x.isml", "/x.isml/Events(e1)"] {
        assert_eq!(server.push(path, &empty).status(), 200, "{path}");
    }
    assert!(server.points.list().is_empty());
    let body = Pieces::default();
    body.add(b"\0\0\0\x08moov");
    body.end();
    assert_eq!(server.push("/x.isml", &body).status(), 400, "media needs a stream");
    assert_eq!(server.get("/x.isml/Manifest").0, 404);
}

#[test]
fn a_probe_is_answered_as_a_push_would_be() {
    let server = Server::with_look_ahead(0);
    let (_, bytes) = event(2);
    let empty = Pieces::default();
    empty.end();
    let probe = || server.push("/x.isml/Streams(enc1)", &empty).status().as_u16();
    let body = Pieces::default();
    let mut pushing = pin!(server.service.respond(push("/x.isml/Streams(enc1)", &body)));
    body.add(&bytes);
    assert!(poll(pushing.as_mut()).is_pending());
    assert_eq!(probe(), 200);
    assert!(poll(pushing.as_mut()).is_pending(), "no push is replaced");
    server.points.stop();
    assert_eq!(probe(), 503);
}

#[test]
fn the_end_of_the_process_ends_bodies_that_are_no_push_yet() {
    let server = Server::with_look_ahead(0);
    let bodies = [Pieces::default(), Pieces::default(), Pieces::default()];
    bodies[1].add(b"\0\0\0");
    let begin = |path, body| Box::pin(server.service.respond(push(path, body)));
    let mut waiting = [
        begin("/x.isml/Streams(enc1)", &bodies[0]),
        begin("/x.isml/video/1.m4s", &bodies[1]),
        begin("/x.isml/manifest.mpd", &bodies[2]),
    ];
    assert!(waiting.iter_mut().all(|body| poll(body.as_mut()).is_pending()));
    server.points.suspend();
    for body in &mut waiting {
        let Poll::Ready(response) = poll(body.as_mut()) else { panic!("the process ends") };
        assert_eq!(response.status(), 503);
    }
    let late = Pieces::default();
    let Poll::Ready(response) = poll(begin("/x.isml/Streams(enc1)", &late).as_mut()) else {
        panic!("the process ends")
    };
    assert_eq!(response.status(), 503);
}

#[test]
fn each_refusal_has_its_status_and_closes_the_connection() {
    let server = Server::new(LiveOptions::default());
    let name = Name::new("x.isml").unwrap();
    server.points.create(name, PointOptions::default()).unwrap();
    let (_, bytes) = event(2);
    let body = || Pieces::of(&bytes, 1000);
    let with = |path: &str, change: &dyn Fn(&mut Request<Pieces>)| {
        let mut request = push(path, &body());
        change(&mut request);
        server.send(request)
    };
    let refused = |response: &Response<ServiceBody>, status: u16| {
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["connection"], "close");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(response.extensions().get::<Failure>().is_some());
    };
    refused(&with("/y.isml/Streams(a)", &|_| {}), 404);
    refused(&with("/x.isml/Strems(a)", &|_| {}), 400);
    refused(&with("/x.isml/Streams(a)", &|r| r.extensions_mut().clear()), 403);
    let far: IpAddr = [192, 0, 2, 1].into();
    refused(&with("/x.isml/Streams(a)", &|r| drop(r.extensions_mut().insert(Peer::new(far)))), 403);
    refused(
        &with("/x.isml/Streams(a)", &|r| drop(r.headers_mut().remove("transfer-encoding"))),
        411,
    );
    let gzip = |r: &mut Request<Pieces>| {
        r.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    };
    refused(&with("/x.isml/Streams(a)", &gzip), 415);
    refused(&with("/x.isml/Streams(a)", &|r| drop(r.headers_mut().remove("host"))), 400);
    refused(&server.push("/x.isml/Streams(a)", &Pieces::of(b"no boxes at all", 4)), 400);
    // Other methods are the origin's, which does not know them either.
    let delete = with("/x.isml/Streams(a)", &|r| *r.method_mut() = http::Method::DELETE);
    assert_eq!(delete.status(), 405);
    // A service without an origin beside it.
    let alone = IngestService::new(server.points.clone());
    let mut get = push("/x.isml/Streams(a)", &Pieces::default());
    *get.method_mut() = http::Method::GET;
    let response = block_on(alone.respond(get));
    assert_eq!(
        (response.status().as_u16(), &response.headers()["allow"]),
        (405, &"POST, PUT".parse().unwrap())
    );
    assert_eq!(server.state("x.isml"), Some(PointState::Idle));
}

#[test]
fn the_host_says_who_may_push_before_the_body_is_read() {
    let server = Server::with_look_ahead(2);
    let service = IngestService::new(server.points.clone()).authorize(|request| {
        assert_eq!((request.stream, request.event), (Some("enc1"), Some("e")));
        match request.token().as_deref() {
            Some("secret") => Verdict::Allow,
            Some(_) => Verdict::Forbid("it has another token"),
            None => Verdict::Challenge("Basic realm=\"live\"".parse().unwrap()),
        }
    });
    let (_, bytes) = event(2);
    let send = |query: &str| {
        let body = Pieces::of(&bytes, 1000);
        let request = push(&format!("/x.isml/Events(e)/Streams(enc1){query}"), &body);
        let response = block_on(service.respond(request));
        (response.status().as_u16(), response.headers().get("www-authenticate").cloned(), body)
    };
    let (status, challenge, body) = send("");
    assert_eq!((status, challenge.unwrap()), (401, "Basic realm=\"live\"".parse().unwrap()));
    assert_eq!(body.left(), bytes.len().div_ceil(1000), "nothing of the body is read");
    assert_eq!(send("?token=other").0, 403);
    assert!(server.points.list().is_empty());
    assert_eq!(send("?token=secret").0, 200);
    assert_eq!(server.points.list().len(), 1);
}

#[test]
fn a_broken_body_hurts_no_other_stream() {
    let server = Server::with_look_ahead(0);
    let (media, bytes) = event(6);
    let good = Pieces::default();
    let mut pushing = pin!(server.service.respond(push("/x.isml/Streams(good)", &good)));
    good.add(&bytes[..media.fragments[5].2.end as usize]);
    assert!(poll(pushing.as_mut()).is_pending());
    let mut broken = bytes[..header(&media)].to_vec();
    broken.extend_from_slice(&[0, 0, 0, 3]);
    broken.extend_from_slice(b"moofand so on");
    assert_eq!(server.push("/x.isml/Streams(bad)", &Pieces::of(&broken, 10)).status(), 400);
    // One that breaks off is no end of the event.
    let lost = Pieces::of(&bytes[..header(&media) + 50], 10);
    lost.fail();
    assert_eq!(server.push("/x.isml/Streams(lost)", &lost).status(), 400);
    good.add(&bytes[media.fragments[5].2.end as usize..]);
    assert!(poll(pushing.as_mut()).is_pending());
    assert!(serves_what_was_pushed(&server, "x.isml", &media, &bytes) >= 12);
}

#[test]
fn a_new_push_of_an_encoder_ends_its_earlier_one() {
    let server = Server::with_look_ahead(0);
    let (media, bytes) = event(6);
    let half = media.fragments[6].2.start as usize;
    let first = Pieces::default();
    let mut pushing = pin!(server.service.respond(push("/x.isml/Streams(enc1)", &first)));
    first.add(&bytes[..half]);
    assert!(poll(pushing.as_mut()).is_pending());
    // It comes again with its header, as after a killed connection.
    let second = Pieces::default();
    let mut again = pin!(server.service.respond(push("/x.isml/Streams(enc1)", &second)));
    second.add(&bytes[..header(&media)]);
    second.add(&bytes[half..half + 20]);
    assert!(poll(again.as_mut()).is_pending());
    let Poll::Ready(response) = poll(pushing.as_mut()) else { panic!("it was replaced") };
    assert_eq!(response.status(), 503);
    second.add(&bytes[half + 20..]);
    assert!(poll(again.as_mut()).is_pending());
    assert_eq!(serves_what_was_pushed(&server, "x.isml", &media, &bytes), 12);
    // Another encoder of the same stream replaces nobody.
    let other = Pieces::default();
    let path = "/x.isml/Streams(enc1)?encoder=b";
    let mut beside = pin!(server.service.respond(push(path, &other)));
    other.add(&bytes[..half]);
    assert!(poll(beside.as_mut()).is_pending() && poll(again.as_mut()).is_pending());
    assert_eq!(serves_what_was_pushed(&server, "x.isml", &media, &bytes), 12);
}

#[test]
fn a_stop_publishes_what_was_held_back_and_ends_pushes() {
    let server = Server::with_look_ahead(2);
    let (media, bytes) = event(6);
    let body = Pieces::default();
    let mut pushing = pin!(server.service.respond(push("/x.isml/Streams(enc1)", &body)));
    body.add(&bytes);
    assert!(poll(pushing.as_mut()).is_pending());
    server.points.stop();
    let Poll::Ready(response) = poll(pushing.as_mut()) else { panic!("the point has stopped") };
    assert_eq!(response.status(), 503);
    assert_eq!(server.state("x.isml"), Some(PointState::Stopped));
    assert_eq!(serves_what_was_pushed(&server, "x.isml", &media, &bytes), 12);
    assert_eq!(server.push("/x.isml/Streams(enc1)", &Pieces::of(&bytes, 1000)).status(), 503);
}

#[test]
fn fragments_come_one_a_request_behind_their_header() {
    let server = Server::with_look_ahead(0);
    let (media, bytes) = event(4);
    let sized = |bytes: &[u8]| {
        let body = Pieces::of(bytes, 300);
        let mut request = push("/x.isml/Streams(enc1)", &body);
        request.headers_mut().remove("transfer-encoding");
        request.headers_mut().insert("content-length", bytes.len().into());
        *request.method_mut() = http::Method::PUT;
        server.send(request).status().as_u16()
    };
    assert_eq!(sized(&bytes[media.fragments[0].2.start as usize..]), 412, "there is no header");
    assert_eq!(sized(&bytes[..header(&media)]), 200);
    for (.., range) in &media.fragments {
        assert_eq!(sized(&bytes[range.start as usize..range.end as usize]), 200);
    }
    assert_eq!(serves_what_was_pushed(&server, "x.isml", &media, &bytes), 8);
}

#[test]
fn a_segment_that_is_dropped_is_refused() {
    let server = Server::with_look_ahead(0);
    let (media, bytes) = event(4);
    let put = |bytes: &[u8]| {
        server.push("/x.isml/Streams(enc1)", &Pieces::of(bytes, 300)).status().as_u16()
    };
    let part = |number: usize| {
        let range = &media.fragments[number].2;
        bytes[range.start as usize..range.end as usize].to_vec()
    };
    let broken = |number: usize| {
        let mut bytes = part(number);
        let run = bytes.windows(4).position(|at| at == b"trun").unwrap();
        bytes[run + 8..run + 12].copy_from_slice(&7000_u32.to_be_bytes());
        bytes
    };
    assert_eq!(put(&bytes[..header(&media)]), 200);
    assert_eq!(put(&part(0)), 200);
    assert_eq!(put(&broken(1)), 400);
    assert_eq!(put(&part(1)), 200);
    // Neither is one that is dropped behind its header, which is known from then on.
    assert_eq!(put(&[&bytes[..header(&media)], &broken(2)].concat()), 400);
    // A push that brings another one goes on.
    assert_eq!(put(&[broken(2), part(3)].concat()), 200);
    assert_eq!(server.state("x.isml"), Some(PointState::Started));
}

#[test]
fn a_header_is_one_however_small_its_first_piece_is() {
    for size in [1, 7, 8] {
        let server = Server::with_look_ahead(0);
        let (media, bytes) = event(2);
        let push = |bytes: &[u8]| server.push("/x.isml/video-1.cmfv", &Pieces::of(bytes, size));
        assert_eq!(push(&bytes[..header(&media)]).status(), 200);
        for (.., range) in &media.fragments {
            assert_eq!(push(&bytes[range.start as usize..range.end as usize]).status(), 200);
        }
        let status = server.points.get(&Name::new("x.isml").unwrap()).unwrap().status();
        let streams: Vec<_> = status.encoders.iter().map(|of| &*of.stream).collect();
        assert_eq!(streams, ["video1"], "pieces of {size}");
        assert_eq!(server.push("/x.isml/video-1.cmfv", &Pieces::of(b"\0\0\0", 1)).status(), 400);
    }
}

#[test]
fn a_body_in_flight_keeps_its_bytes_when_they_leave_the_window() {
    let window = std::time::Duration::from_secs(6);
    let options = PointOptions::default().look_ahead(0).window(Some(window));
    let server = Server::new(LiveOptions::default().on_first_push(move |_| Some(options.clone())));
    let (media, bytes) = event(400);
    let body = Pieces::default();
    let mut pushing = pin!(server.service.respond(push("/x.isml/Streams(enc1)", &body)));
    body.add(&bytes[..media.fragments[8].2.start as usize]);
    assert!(poll(pushing.as_mut()).is_pending());
    let (_, manifest) = server.get("/x.isml/Manifest");
    let urls = announced(std::str::from_utf8(&manifest).unwrap());
    let video = urls.iter().find(|url| url.contains("video")).unwrap();
    let path = format!("/x.isml/{video}");
    let request = Request::get(&path).header("host", "x").body(Pieces::default()).unwrap();
    let taken = server.send(request);
    assert_eq!(taken.status(), 200);
    for piece in bytes[media.fragments[8].2.start as usize..].chunks(1000) {
        body.add(piece);
    }
    assert!(poll(pushing.as_mut()).is_pending());
    assert_eq!(server.get(&path).0, 404, "it has left the window");
    let fragment = block_on(collected(taken.into_body()));
    assert_eq!(
        payload(&fragment),
        payload(&bytes[media.fragments[0].2.start as usize..media.fragments[0].2.end as usize])
    );
    // The memory is that of the window, not of the event.
    let point = server.points.get(&Name::new("x.isml").unwrap()).unwrap();
    assert!(point.memory() < bytes.len() as u64 / 2, "{}", point.memory());
}

#[test]
fn the_archive_has_what_was_served() {
    let archive = MemoryArchive::new();
    let options = LiveOptions::default()
        .archive(archive.clone())
        .memory_per_file(0)
        .on_first_push(|_| Some(PointOptions::default().look_ahead(1)));
    let server = Server::new(options);
    let (media, bytes) = event(5);
    let body = Pieces::of(&[&bytes[..], END].concat(), 777);
    assert_eq!(server.push("/x.isml/Streams(enc1)", &body).status(), 200);
    // Memory has nothing but headers: the bytes are read from the archive.
    assert_eq!(serves_what_was_pushed(&server, "x.isml", &media, &bytes), 10);
    let point = server.points.get(&Name::new("x.isml").unwrap()).unwrap();
    let presentation = point.presentation().unwrap();
    let mut files = 0;
    for name in &presentation.files()[1..] {
        let file = block_on(archive.store().open(name)).unwrap();
        let size = block_on(file.stat()).unwrap().size;
        let content = block_on(file.read(0..size)).unwrap();
        assert_eq!(&content[4..8], b"ftyp");
        assert!(content.len() > 5 * 100, "{name}: {size}");
        files += 1;
    }
    assert_eq!(files, 2);
}
