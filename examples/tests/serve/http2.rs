//! HTTP/2 without TLS, its end, and clients that do nothing.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty as NoBody, Full};
use hyper::client::conn::http2;
use hyper::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use smooth_origin::manifest::StreamKind;
use testkit::film::{self, Style, Track};

use crate::encrypted::{ask_by_http2, block_on};
use crate::observed::{Empty, Observed, TESTDATA, wait_for};

const FRAGMENT: &str = "/bframes/bframes.ism/QualityLevels(150000)/Fragments(video=800000)";

/// The preface of RFC 9113, 3.4, and an empty SETTINGS frame.
const BEGINNING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[test]
fn a_client_that_knows_gets_the_same_bytes() {
    let server = Observed::start(TESTDATA, &[]);
    let manifest = server.ask("GET /bframes/bframes.ism/Manifest", &[]);
    let got = ask_by_http2(server.address, "/bframes/bframes.ism/Manifest").unwrap();
    assert_eq!((got.status, got.version), (200, Version::HTTP_2));
    assert_eq!(got.body, manifest.body.as_bytes());
}

#[test]
fn a_method_of_http1_that_begins_alike_is_one_of_http1() {
    let server = Observed::start(TESTDATA, &[]);
    let got = server.ask("PROPFIND /bframes/bframes.ism/Manifest", &[]);
    assert_eq!(got.status, 405);
}

#[test]
fn many_requests_of_one_connection_are_answered() {
    let server = Observed::start(TESTDATA, &[]);
    block_on(async {
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let ask = || {
            let mut sender = sender.clone();
            async move {
                let request = Request::get(format!("http://localhost{FRAGMENT}"));
                let request = request.body(NoBody::<Bytes>::new()).unwrap();
                let response = sender.send_request(request).await.unwrap();
                assert_eq!(response.status(), 200);
                response.into_body().collect().await.unwrap().to_bytes()
            }
        };
        let first = ask().await;
        assert!(!first.is_empty());
        let tasks: Vec<_> = (0..300).map(|_| tokio::spawn(ask())).collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), first);
        }
    });
}

#[test]
fn a_connection_without_requests_ends_although_its_pings_are_answered() {
    let server = Observed::start(TESTDATA, &["--header-timeout", "2"]);
    block_on(async {
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let (_sender, connection) =
            http2::handshake::<_, _, NoBody<Bytes>>(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        // The connection ends by itself, in order.
        tokio::time::timeout(Duration::from_secs(40), connection).await.unwrap().unwrap();
    });
}

#[test]
fn a_client_that_takes_nothing_of_a_response_is_disconnected() {
    let options = ["--write-timeout", "0.5", "--log-level", "debug"];
    let server = Observed::start(TESTDATA, &options);
    let mut stream = TcpStream::connect(server.address).unwrap();
    // A window of no bytes for responses: SETTINGS_INITIAL_WINDOW_SIZE is 0.
    stream.write_all(&BEGINNING[..24]).unwrap();
    stream.write_all(b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0").unwrap();
    // GET by the static table of RFC 7541: `:method`, `:scheme`, and `:path`, `:authority` as literals.
    let path = b"/bframes/bframes.ism/Manifest";
    let mut block = vec![0x82, 0x86, 0x04, path.len() as u8];
    block.extend_from_slice(path);
    block.extend_from_slice(b"\x01\x09localhost");
    let mut frame = vec![0, 0, block.len() as u8, 1, 5, 0, 0, 0, 1];
    frame.extend_from_slice(&block);
    stream.write_all(&frame).unwrap();
    let mut taken = Vec::new();
    // The end comes from the server; what kind of end is the system's.
    let _ = stream.read_to_end(&mut taken);
    assert!(!taken.is_empty());
    let line = "the client takes nothing of its responses";
    wait_for(line, || server.errors().contains(line).then_some(()));
}

#[test]
fn a_client_without_a_window_holds_little_of_the_memory_for_bodies() {
    let folder = Empty::new("windows");
    for file in ["bframes.ism", "bframes.ismv"] {
        fs::copy(format!("{TESTDATA}/bframes/{file}"), folder.path(file)).unwrap();
    }
    fs::File::create(folder.path("poster.jpg")).unwrap().set_len(1 << 20).unwrap();
    let options = ["--body-memory", "64", "--write-timeout", "3600"];
    let server = Observed::start(folder.0.to_str().unwrap(), &options);
    let mut greedy = TcpStream::connect(server.address).unwrap();
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    let mut bytes = BEGINNING[..24].to_vec();
    bytes.extend_from_slice(b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0");
    let block = [&[0x82, 0x86, 0x04, 11][..], b"/poster.jpg", &[1, 9], b"localhost"].concat();
    for number in 0..100_u32 {
        let id = (2 * number + 1).to_be_bytes();
        bytes.extend([&[0, 0, block.len() as u8, 1, 5][..], &id, &block].concat());
    }
    greedy.write_all(&bytes).unwrap();
    // Each request has its head.
    let mut heads = 0;
    while heads < 100 {
        heads += u32::from(frame(&mut greedy).unwrap().0 == 1);
    }
    let mut other = server.send("GET /poster.jpg", &[]);
    other.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut taken = Vec::new();
    other.read_to_end(&mut taken).unwrap();
    assert!(taken.len() > 1 << 20);
    let metrics = server.ask("GET /metrics", &[]).body;
    let held = metrics.lines().find_map(|line| line.strip_prefix("smooth_origin_body_bytes{"));
    let held: u64 = held.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!((1..=4 << 20).contains(&held), "{held}");
}

/// Frames that the server sends until it ends the connection: kind and payload.
fn frames(stream: &mut TcpStream) -> Vec<(u8, Vec<u8>)> {
    std::iter::from_fn(|| frame(stream)).collect()
}

fn frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).ok()?;
    Some((head[3], payload))
}

#[test]
fn the_limits_are_announced() {
    let server = Observed::start(TESTDATA, &[]);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(BEGINNING).unwrap();
    let (kind, settings) = frame(&mut stream).unwrap();
    assert_eq!(kind, 4);
    let has = |name: u8, value: u32| {
        let entry = [&[0, name][..], &value.to_be_bytes()].concat();
        settings.chunks_exact(6).any(|found| found == entry)
    };
    // SETTINGS_MAX_CONCURRENT_STREAMS and SETTINGS_MAX_HEADER_LIST_SIZE.
    assert!(has(3, 128) && has(6, 32 << 10), "{settings:?}");
}

#[test]
fn a_client_that_takes_its_requests_back_by_the_thousand_is_disconnected() {
    let server = Observed::start(TESTDATA, &[]);
    let mut stream = TcpStream::connect(server.address).unwrap();
    // GET http://localhost/ by the static table of RFC 7541.
    let head = [&[0x82, 0x86, 0x84, 0x41, 9][..], b"localhost"].concat();
    let mut bytes = BEGINNING.to_vec();
    for number in 0..2000_u32 {
        let id = (2 * number + 1).to_be_bytes();
        bytes.extend([&[0, 0, head.len() as u8, 1, 5][..], &id, &head].concat());
        bytes.extend([&[0, 0, 4, 3, 0][..], &id, &8_u32.to_be_bytes()].concat());
    }
    // The connection may end while the rest is sent.
    let _ = stream.write_all(&bytes);
    if let Some((_, payload)) = frames(&mut stream).iter().find(|(kind, _)| *kind == 7) {
        // GOAWAY says ENHANCE_YOUR_CALM, if it arrives before the end.
        assert_eq!(payload[4..8], 11_u32.to_be_bytes());
    }
    assert_eq!(server.ask("GET /healthz", &[]).status, 200);
}

#[cfg(unix)]
#[test]
fn a_server_that_stops_ends_connections_that_wait_in_order() {
    let mut server = Observed::start(TESTDATA, &[]);
    let mut idle = TcpStream::connect(server.address).unwrap();
    block_on(async {
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::get(format!("http://localhost{FRAGMENT}"));
        let request = request.body(NoBody::<Bytes>::new()).unwrap();
        sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
        server.signal("TERM");
        connection.await.unwrap().unwrap();
    });
    assert_eq!(idle.read(&mut [0; 9]).unwrap_or(0), 0);
    assert_eq!(server.ended(), 0);
    assert!(!server.errors().contains("cut off"), "{}", server.errors());
}

#[test]
fn a_segment_that_waits_leaves_room_for_its_header() {
    let folder = Empty::new("live-http2");
    let server = Observed::start(&folder.path(""), &["--live"]);
    let tracks = [Track::regular(1, StreamKind::Video, 1, 20_000_000, 200_000)];
    let media = film::media(&tracks, Style { mfra: false, ..Style::default() });
    let bytes = Bytes::from(media.filled(7));
    let begin = media.fragments[0].2.start as usize;
    block_on(async {
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let put = |file: String, body: Bytes| {
            let mut sender = sender.clone();
            let request = Request::put(format!("http://localhost/x.isml/{file}"));
            let request = request.body(Full::new(body)).unwrap();
            async move { sender.send_request(request).await.map_or(0, |got| got.status().as_u16()) }
        };
        let mut answered = Vec::new();
        // A segment waits for a second, in which a machine that is busy may send nothing.
        for track in 0..5 {
            let segment = put(format!("chunk-stream{track}-00001.m4s"), bytes.slice(begin..));
            let segment = tokio::spawn(segment);
            tokio::time::sleep(Duration::from_millis(100)).await;
            let header = put(format!("init-stream{track}.m4s"), bytes.slice(..begin)).await;
            answered.push((segment.await.unwrap(), header));
            if answered.last() == Some(&(200, 200)) {
                return;
            }
        }
        panic!("{answered:?}");
    });
}
