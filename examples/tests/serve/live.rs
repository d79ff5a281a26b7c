//! Encoders push to a running server, and players get what they push.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

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

fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    for piece in bytes.chunks(0x8000) {
        stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
        stream.write_all(piece)?;
        stream.write_all(b"\r\n")?;
    }
    Ok(())
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
    send(&mut push, &bytes).unwrap();
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
    send(&mut push, &bytes).unwrap();
    send(&mut push, b"\0\0\0\x08mfra").unwrap();
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
    let warning = "a push (stream `a` from 127.0.0.1) was refused with 401";
    wait_for(warning, || server.errors().contains(warning).then_some(()));
}

#[test]
fn a_token_and_a_network_may_be_for_some_points_alone() {
    let folder = Empty::new("live-rights");
    let file = folder.path("tokens");
    fs::write(
        &file,
        "a-token-that-nobody-guesses events/*.isml sport.isml\na-token-for-everything\n",
    )
    .unwrap();
    let from = "127.0.0.0/8=local/*.isml";
    let options = ["--live", "--live-token-file", &file, "--live-from", from];
    let server = Observed::start(&folder.path(""), &options);
    let push = |path: &str, fields: &[&str]| {
        let mut push = begin(&server, path, fields);
        let _ = push.write_all(b"0\r\n\r\n");
        status(push)
    };
    let some = "Authorization: Bearer a-token-that-nobody-guesses";
    assert_eq!(push("/events/a.isml/Streams(a)", &[some]), 200);
    assert_eq!(push("/SPORT.isml/Streams(a)", &[some]), 200);
    assert_eq!(push("/news.isml/Streams(a)", &[some]), 403);
    assert_eq!(
        push("/news.isml/Streams(a)", &["Authorization: Bearer a-token-for-everything"]),
        200
    );
    assert_eq!(push("/local/a.isml/Streams(a)", &[]), 200);
    assert_eq!(push("/news.isml/Streams(a)", &[]), 401);
}

#[test]
fn the_operator_stops_and_starts_a_point() {
    let folder = Empty::new("live-stop");
    let server = Observed::start(&folder.path(""), &["--live"]);
    let (_, bytes) = event(4);
    let mut push = begin(&server, "/a/x.isml/Streams(enc1)", &[]);
    send(&mut push, &bytes).unwrap();
    wait_for("the manifest", || {
        (server.ask("GET /a/x.isml/Manifest", &[]).status == 200).then_some(())
    });
    let order = |what: &str, fields: &[&str]| server.ask(what, fields);
    let stop = "POST /-/live/stop?name=a/x.isml";
    assert_eq!(order(stop, &["Origin: http://evil.example"]).status, 403);
    assert_eq!(order(stop, &["Sec-Fetch-Site: cross-site"]).status, 403);
    assert_eq!(order(stop, &["X-Forwarded-For: 192.0.2.1"]).status, 405, "not there for others");
    assert_eq!(order("GET /-/live/stop?name=a/x.isml", &[]).status, 405);
    assert_eq!(order("POST /-/live/stop?name=b.isml", &[]).status, 404);
    assert_eq!(order("POST /-/live/stop", &[]).status, 400);
    let stopped = order(stop, &[]);
    assert_eq!(stopped.status, 200);
    assert!(stopped.body.contains("\"state\":\"stopped\""), "{}", stopped.body);
    assert_eq!(status(push), 503);
    assert!(!server.ask("GET /a/x.isml/Manifest", &[]).body.contains("IsLive"));
    let again = |expected: u16| {
        let mut push = begin(&server, "/a/x.isml/Streams(enc1)", &[]);
        // A server that refuses may end it before.
        let _ = send(&mut push, &bytes);
        let _ = push.write_all(b"0\r\n\r\n");
        assert_eq!(status(push), expected);
    };
    again(503);
    let started = order("POST /-/live/start?name=a/x.isml", &[]);
    assert!(started.body.contains("\"state\":\"idle\""), "{}", started.body);
    again(200);
}

#[test]
fn the_page_says_what_players_get_and_what_the_log_said() {
    let (folder, archive) = (Empty::new("live-json"), Empty::new("live-json-archive"));
    let options = ["--live", "--live-archive", &archive.path("")];
    let server = Observed::start(&folder.path(""), &options);
    let json = |path: &str| -> serde_json::Value {
        serde_json::from_str(&server.ask(&format!("GET /-/api/{path}"), &[]).body).unwrap()
    };
    let (_, bytes) = event(6);
    let mut push = begin(&server, "/x.isml/Streams(enc1)", &[]);
    send(&mut push, &bytes).unwrap();
    let point = wait_for("what players get", || {
        let point = json("live")["points"][0].clone();
        let (shown, newest) = (point["shown_snapshot"].as_u64(), point["snapshot"].as_u64());
        (shown > Some(0) && shown == newest).then_some(point)
    });
    assert!(point["waits_seconds"].is_null(), "{point}");
    assert!(point["shown_seconds"].as_f64() < Some(60.0), "{point}");
    let track = &point["streams"][0]["tracks"][0];
    assert!(track["newest_seconds"].as_f64() < Some(60.0), "{point}");
    assert_eq!(point["archive"]["films_due"], 0, "{point}");
    assert!(point["archive"]["failure"].is_null(), "{point}");
    let notices = |point: &serde_json::Value| point["notices"].to_string();
    assert!(notices(&point).contains("encoder 127.0.0.1 (Streams(enc1)) pushes"), "{point}");
    let epoch = json("presentation?name=x.isml")["epoch_seconds"].as_f64();
    assert!(epoch > Some(1.6e9), "{epoch:?}");
    let evil = "Origin: http://evil.example";
    assert_eq!(status(begin(&server, "/x.isml/Streams(enc1)", &[evil])), 403);
    let live = json("live");
    assert!(notices(&live["points"][0]).contains("was refused with 403"), "{live}");
}

#[cfg(unix)]
#[test]
fn a_reload_keeps_what_encoders_have_announced() {
    let folder = Empty::new("live-reload");
    let server = Observed::start(&folder.path(""), &["--live"]);
    let (media, bytes) = event(3);
    let push = |file: &str, range: std::ops::Range<u64>| {
        let mut push = begin(&server, &format!("/x.isml/{file}"), &[]);
        send(&mut push, &bytes[range.start as usize..range.end as usize]).unwrap();
        let _ = push.write_all(b"0\r\n\r\n");
        status(push)
    };
    let ranges: Vec<_> = media.fragments.iter().map(|(.., range)| range.clone()).collect();
    assert_eq!(push("init-stream0.m4s", 0..ranges[0].start), 200);
    assert_eq!(push("chunk-stream0-00001.m4s", ranges[0].clone()), 200);
    fs::write(folder.path("late.isml"), "<smil><head/><body/></smil>").unwrap();
    server.signal("HUP");
    wait_for("the reload", || {
        server.ask("GET /-/api/live", &[]).body.contains("late.isml").then_some(())
    });
    assert_eq!(push("chunk-stream0-00002.m4s", ranges[1].clone()), 200);
}

#[test]
fn isml_files_are_settings_of_points() {
    let folder = Empty::new("live-isml");
    let smil = |metas: &str| format!("<smil><head>{metas}</head><body/></smil>");
    let metas = "<meta name='lookaheadChunks' content='1'/><meta name='archivePath' content='D:'/>";
    fs::write(folder.path("news.isml"), smil(metas)).unwrap();
    let server = Observed::start(&folder.path(""), &["--live", "--live-point", "other.isml"]);
    let warning = "change nothing: archivePath";
    wait_for(warning, || server.errors().contains(warning).then_some(()));
    let (_, bytes) = event(4);
    let mut push = begin(&server, "/NEWS.isml/Streams(enc1)", &[]);
    send(&mut push, &bytes).unwrap();
    let manifest = wait_for("the manifest", || {
        let got = server.ask("GET /news.isml/Manifest", &[]);
        (got.status == 200).then_some(got.body)
    });
    assert!(manifest.contains("LookAheadFragmentCount=\"1\""), "{manifest}");
    #[cfg(unix)]
    {
        let window = "<meta name='manifestWindowLength' content='30'/>";
        fs::write(folder.path("news.isml"), smil(window)).unwrap();
        fs::write(folder.path("late.isml"), smil("<meta name='lookaheadChunks' content='x'/>"))
            .unwrap();
        server.signal("HUP");
        wait_for("the new window", || {
            let body = server.ask("GET /news.isml/Manifest", &[]).body;
            body.contains("DVRWindowLength=\"300000000\"").then_some(())
        });
        let live = server.ask("GET /-/api/live", &[]).body;
        assert!(live.contains("late.isml"), "{live}");
        assert!(live.contains("\"drift_seconds\":null"), "not measured yet: {live}");
        wait_for("the fault", || {
            server.errors().contains("lookaheadChunks makes no sense").then_some(())
        });
    }
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

/// A push by HTTP/1.0, as nginx asks unless told otherwise.
fn push_by_http10(server: &Observed, path: &str, fields: &[&str]) -> u16 {
    let (_, bytes) = event(2);
    let mut stream = TcpStream::connect(server.address).unwrap();
    let mut head = format!("POST {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n");
    for field in fields {
        head += &format!("{field}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", bytes.len());
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(&bytes);
    status(stream)
}

#[test]
fn by_http10_an_address_gives_no_rights_unless_a_trusted_proxy_names_it() {
    let folder = Empty::new("live-http10");
    let file = folder.path("tokens");
    fs::write(&file, "a-token-that-nobody-guesses\n").unwrap();
    let server = Observed::start(&folder.path(""), &["--live"]);
    assert_eq!(push_by_http10(&server, "/x.isml/Streams(a)", &[]), 403);
    let options = ["--live", "--live-from", "127.0.0.1", "--live-token-file", &file];
    let server = Observed::start(&folder.path(""), &options);
    assert_eq!(push_by_http10(&server, "/x.isml/Streams(a)", &[]), 403);
    let token = "Authorization: Bearer a-token-that-nobody-guesses";
    assert_eq!(push_by_http10(&server, "/x.isml/Streams(a)", &[token]), 200);
    let (from, trust) = (["--live-from", "192.0.2.0/24"], ["--trust-proxy", "127.0.0.1"]);
    let options = [&["--live", "--live-from", "127.0.0.1"][..], &from, &trust].concat();
    let server = Observed::start(&folder.path(""), &options);
    assert_eq!(push_by_http10(&server, "/x.isml/Streams(a)", &[]), 403, "it names nobody");
    let named = "X-Forwarded-For: 192.0.2.1";
    assert_eq!(push_by_http10(&server, "/x.isml/Streams(a)", &[named]), 200);
}

#[test]
fn an_encoder_that_ends_its_side_behind_the_body_is_answered() {
    let folder = Empty::new("live-half-closed");
    let server = Observed::start(&folder.path(""), &["--live"]);
    let (media, bytes) = event(2);
    let push = |file: &str, bytes: &[u8]| {
        let mut push = begin(&server, &format!("/x.isml/{file}"), &[]);
        send(&mut push, bytes).unwrap();
        push.write_all(b"0\r\n\r\n").unwrap();
        push.shutdown(Shutdown::Write).unwrap();
        status(push)
    };
    let range = &media.fragments[0].2;
    let (header, segment) = bytes.split_at(range.start as usize);
    // It waits for its header for a second.
    assert_eq!(push("chunk-stream0-00001.m4s", segment), 412);
    assert_eq!(push("init-stream0.m4s", header), 200);
    assert_eq!(push("chunk-stream0-00001.m4s", segment), 200);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_changes_no_window() {
    let folder = Empty::new("live-broken-isml");
    let window =
        "<smil><head><meta name='manifestWindowLength' content='3600'/></head><body/></smil>";
    fs::write(folder.path("news.isml"), window).unwrap();
    let server = Observed::start(&folder.path(""), &["--live", "--live-window", "6"]);
    let (_, bytes) = event(20);
    let mut push = begin(&server, "/news.isml/Streams(enc1)", &[]);
    send(&mut push, &bytes).unwrap();
    let chunks = || server.ask("GET /news.isml/Manifest", &[]).body.matches("<c ").count();
    // Two are held back.
    wait_for("the chunks", || (chunks() == 18).then_some(()));
    let before = server.ask("GET /news.isml/Manifest", &[]).body;
    assert!(before.contains("DVRWindowLength=\"36000000000\""), "{before}");
    fs::write(folder.path("news.isml"), &window[..40]).unwrap();
    for reloads in 1..=2 {
        server.signal("HUP");
        wait_for("the fault", || {
            let faults = server.errors().matches("makes no publishing point").count();
            (faults >= reloads).then_some(())
        });
    }
    let after = server.ask("GET /news.isml/Manifest", &[]).body;
    assert_eq!(after.matches("<c ").count(), before.matches("<c ").count());
    assert!(after.contains("DVRWindowLength=\"36000000000\""), "{after}");
}

#[cfg(unix)]
#[test]
fn a_new_window_is_that_of_later_points_too() {
    let folder = Empty::new("live-later");
    let file = folder.path("serve.toml");
    fs::write(&file, "live-window = 600\n").unwrap();
    let server = Observed::start(&folder.path(""), &["--live", "--config", &file]);
    fs::write(&file, "live-window = 60\nlive-start-over = 90\n").unwrap();
    server.signal("HUP");
    for line in ["SIGHUP: changed: live-start-over, live-window", "`live-start-over` changes with"]
    {
        wait_for(line, || server.errors().contains(line).then_some(()));
    }
    let (_, bytes) = event(4);
    let mut push = begin(&server, "/new.isml/Streams(enc1)", &[]);
    send(&mut push, &bytes).unwrap();
    let manifest = wait_for("the manifest", || {
        let got = server.ask("GET /new.isml/Manifest", &[]);
        (got.status == 200).then_some(got.body)
    });
    assert!(manifest.contains("DVRWindowLength=\"600000000\""), "{manifest}");
}

#[test]
fn a_server_that_only_follows_takes_no_pushes() {
    let folder = Empty::new("live-follows");
    let archive = Empty::new("live-followed");
    let options = ["--live-archive", &archive.path(""), "--live-follow", "*.isml"];
    let server = Observed::start(&folder.path(""), &options);
    let live = server.ask("GET /-/api/live", &[]).body;
    assert!(live.contains("\"is_on\":false"), "{live}");
    assert_eq!(status(begin(&server, "/x.isml/Streams(enc1)", &[])), 405);
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
