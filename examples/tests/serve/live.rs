//! Encoders push to a running server, and players get what they push.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use smooth_origin::manifest::StreamKind;
use testkit::film::{self, Media, Style, Track};

use crate::observed::{Empty, Observed, wait_for};
use crate::program::refused;

/// An event of so many chunks of 2 s.
fn event(chunks: u32) -> (Media, Vec<u8>) {
    let tracks = [Track::regular(1, StreamKind::Video, chunks, 20_000_000, 5000)];
    let media = film::media(&tracks, Style { mfra: false, ..Style::default() });
    let bytes = media.filled(7);
    (media, bytes)
}

/// The head of a push whose body comes in chunks, as ffmpeg sends it.
fn begin(server: &Observed, path: &str, fields: &[&str]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\nUser-Agent: Lavf/59.27.100\r\n\
         Accept: */*\r\nConnection: close\r\nHost: {}\r\nIcy-MetaData: 1\r\n",
        server.address
    );
    for field in fields {
        head += &format!("{field}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream
}

fn send(stream: &mut TcpStream, bytes: &[u8]) {
    for piece in bytes.chunks(0x8000) {
        stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).unwrap();
        stream.write_all(piece).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
}

fn status(mut stream: TcpStream) -> u16 {
    let mut response = Vec::new();
    // A server that refuses closes its side while bytes come.
    let _ = stream.read_to_end(&mut response);
    let text = String::from_utf8_lossy(&response);
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[test]
fn an_encoder_pushes_and_a_player_follows() {
    let folder = Empty::new("live");
    let mut server = Observed::start(&folder.path(""), &["--live"]);
    let (media, bytes) = event(6);
    let mut push = begin(&server, "/x.isml/Streams(enc1)", &[]);
    send(&mut push, &bytes);
    let manifest = wait_for("the manifest", || {
        let got = server.ask("GET /x.isml/Manifest", &[]);
        // Two of six are held back.
        let has_all = got.body.matches("<c ").count() >= 1 && got.body.contains("LookAhead");
        (got.status == 200 && has_all).then_some(got.body)
    });
    let bitrate = manifest.split("Bitrate=\"").nth(1).unwrap().split('"').next().unwrap();
    let name = manifest.split("Fragments(").nth(1).unwrap().split('=').next().unwrap();
    let url = format!("/x.isml/QualityLevels({bitrate})/Fragments({name}=20000000)");
    wait_for("the second chunk", || {
        (server.ask(&format!("HEAD {url}"), &[]).status == 200).then_some(())
    });
    let mut taken = server.send(&format!("GET {url}"), &[]);
    let mut response = Vec::new();
    taken.read_to_end(&mut response).unwrap();
    let range = media.fragments[1].2.clone();
    let pushed = &bytes[range.start as usize..range.end as usize];
    assert_eq!(&response[response.len() - 5008..], &pushed[pushed.len() - 5008..]);
    assert_eq!(server.ask("GET /y.isml/Manifest", &[]).status, 404);

    #[cfg(unix)]
    {
        server.signal("TERM");
        assert_eq!(status(push), 503);
        assert_eq!(server.ended(), 0);
    }
}

#[test]
fn the_end_of_an_event_makes_a_film() {
    let folder = Empty::new("live-end");
    let server = Observed::start(&folder.path(""), &["--live", "--live-point", "events/news.isml"]);
    let (_, bytes) = event(4);
    // No other point is created.
    assert_eq!(status(begin(&server, "/x.isml/Streams(enc1)", &[])), 404);
    let mut push = begin(&server, "/Events/NEWS.isml/streams(enc1)", &[]);
    send(&mut push, &bytes);
    send(&mut push, b"\0\0\0\x08mfra");
    push.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(status(push), 200);
    let got = server.ask("GET /events/news.isml/Manifest", &[]);
    assert_eq!(got.status, 200);
    assert!(!got.body.contains("IsLive"), "{}", got.body);
}

#[test]
fn who_has_a_token_may_push() {
    let folder = Empty::new("live-token");
    let file = folder.path("tokens");
    fs::write(&file, "a-token-that-nobody-guesses\n").unwrap();
    let server = Observed::start(&folder.path(""), &["--live", "--live-token-file", &file]);
    let push = |path: &str, fields: &[&str]| {
        let mut push = begin(&server, path, fields);
        let _ = push.write_all(b"0\r\n\r\n");
        status(push)
    };
    assert_eq!(push("/x.isml/Streams(a)", &[]), 401);
    assert_eq!(push("/x.isml/Streams(a)", &["Authorization: Bearer wrong"]), 401);
    let right = "Authorization: Bearer a-token-that-nobody-guesses";
    assert_eq!(push("/x.isml/Streams(a)", &[right]), 200);
    assert_eq!(push("/x.isml/Streams(a)?token=a-token-that-nobody-guesses", &[]), 200);
    let basic = "Authorization: Basic dTphLXRva2VuLXRoYXQtbm9ib2R5LWd1ZXNzZXM=";
    assert_eq!(push("/x.isml/Streams(a)", &[basic]), 200);
    assert!(server.errors().contains("a push (stream `a` from 127.0.0.1) was refused with 401"));
}

#[test]
fn a_browser_on_this_machine_and_a_proxy_push_nothing() {
    let folder = Empty::new("live-page");
    let server = Observed::start(&folder.path(""), &["--live"]);
    for field in
        ["Origin: http://evil.example", "Sec-Fetch-Site: cross-site", "X-Forwarded-For: 192.0.2.1"]
    {
        assert_eq!(status(begin(&server, "/x.isml/Streams(a)", &[field])), 403, "{field}");
    }
}

#[test]
fn without_the_option_nothing_is_pushed() {
    let folder = Empty::new("not-live");
    let server = Observed::start(&folder.path(""), &[]);
    assert_eq!(status(begin(&server, "/x.isml/Streams(enc1)", &[])), 405);
    let (status, text) = refused(&["--live", "--live-point", "film.ism"]);
    assert_eq!(status, 2);
    assert!(text.contains("ends in .isml"), "{text}");
}
