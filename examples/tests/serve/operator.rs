//! Health, metrics and purge.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};

use crate::observed::{Empty, Observed, TESTDATA, refusing, wait_for};
use crate::program::run;

const FILM: &str = "GET /bframes/bframes.ism/Manifest";

#[test]
fn health_is_on_every_listener() {
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let server = Observed::start_on(listen, TESTDATA, &[]);
        for (path, word) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
            // The probe of a load balancer names the server as it likes.
            let got = server.ask(&format!("GET {path}"), &["Host: 10.0.0.9", "Via: 1.1 lb"]);
            assert_eq!((got.status, got.body.as_str()), (200, word));
            assert!(got.head.contains("cache-control: no-store"));
            assert_eq!(server.ask(&format!("HEAD {path}"), &[]).body, "");
            assert_eq!(server.ask(&format!("POST {path}"), &[]).status, 405);
        }
    }
}

#[test]
fn a_server_whose_folder_is_gone_lives_and_is_not_ready() {
    let folder = Empty::new("gone");
    for name in ["a", "b"] {
        fs::create_dir(folder.path(name)).unwrap();
    }
    let (a, b) = (folder.path("a"), folder.path("b"));
    let second = format!("b={b}");
    let server = Observed::start(&format!("a={a}"), &[&second]);
    fs::remove_dir(&b).unwrap();
    let got = server.ask("GET /readyz", &[]);
    assert_eq!(got.status, 503);
    assert!(got.body.starts_with(&format!("the folder {b} cannot be read: ")), "{}", got.body);
    assert_eq!(got.body.lines().count(), 1);
    assert_eq!(server.ask("GET /readyz", &["Via: 1.1 lb"]).body, "not ready\n");
    assert_eq!(server.ask("GET /healthz", &[]).status, 200);
    fs::create_dir(&b).unwrap();
    wait_for("readiness", || (server.ask("GET /readyz", &[]).status == 200).then_some(()));
}

#[test]
fn probes_at_the_same_time_share_one_look() {
    let server = Observed::start(TESTDATA, &[]);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(server.ask("GET /readyz", &[]).status, 200));
        }
    });
}

#[test]
fn a_healthcheck_finds_the_server_and_says_when_there_is_none() {
    let folder = Empty::new("probe");
    let file = folder.path("serve.toml");
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let server = Observed::start_on(listen, TESTDATA, &[]);
        let listen = server.address.to_string();
        fs::write(&file, format!("listen = \":{}\"\n", server.address.port())).unwrap();
        for options in [["--listen", listen.as_str()], ["--config", &file]] {
            let ended = run(&[&options[..], &["--healthcheck"]].concat());
            assert_eq!(
                (ended.status, ended.output),
                (0, format!("the server on {listen} lives\n"))
            );
        }
    }
    // Another program may listen where a server has ended.
    let (address, _socket) = refusing();
    let ended = run(&["--listen", &address.to_string(), "--healthcheck"]);
    let sentence = format!("error: no healthy server answers: {address}: ");
    assert_eq!(ended.status, 1);
    assert!(ended.errors.starts_with(&sentence), "{}", ended.errors);
}

#[test]
fn a_healthcheck_takes_no_other_program_for_the_server() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = listener.local_addr().unwrap().to_string();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 404 \x1b[31mNo\r\n\r\n").unwrap();
    });
    let ended = run(&["--listen", &listen, "--healthcheck"]);
    let sentence =
        format!("error: no healthy server answers: {listen} answered `HTTP/1.1 404 \\x1b[31mNo`\n");
    assert_eq!((ended.status, ended.errors), (1, sentence));
    other.join().unwrap();
}

/// The metrics of the documented table: names and kinds.
fn documented() -> BTreeSet<(String, String)> {
    let guide = include_str!("../../../docs/serve.md");
    let (_, section) = guide.split_once("\n## Metrics\n").unwrap();
    let (table, _) = section.split_once("\n## ").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let mut cells = row.split(" | ");
        let name = cells.next().unwrap().trim_end_matches('`');
        (name.to_owned(), cells.next().unwrap().to_owned())
    })
    .collect()
}

#[test]
fn every_metric_is_documented_and_every_documented_one_is_there() {
    let server = Observed::start(TESTDATA, &[]);
    assert_eq!(server.ask(FILM, &[]).status, 200);
    assert_eq!(server.ask("GET /no.ism/Manifest", &[]).status, 404);
    // A request is counted when its last byte has been sent, which may be after it was received.
    let text = wait_for("the metrics of two requests", || {
        let got = server.ask("GET /metrics", &[]);
        assert_eq!(got.status, 200);
        assert!(got.head.contains("content-type: text/plain; version=0.0.4"), "{}", got.head);
        let is_there = got.body.contains(r#"class="manifest",status="404"} 1"#);
        is_there.then_some(got.body)
    });
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let exported: BTreeSet<_> = types
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect();
    assert_eq!(exported, documented());
    for line in [
        r#"serve_requests_total{class="manifest",status="200"} 1"#,
        r#"serve_request_seconds_count{class="manifest"} 2"#,
        r#"smooth_origin_openings_total{origin="main",outcome="opened"} 1"#,
        r#"serve_unfinished_responses_total{end="aborted"} 0"#,
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in {text}");
    }
}

#[test]
fn metrics_are_for_the_operator_alone() {
    let server = Observed::start(TESTDATA, &[]);
    let status = |fields: &[&str]| server.ask("GET /metrics", fields).status;
    assert_eq!(status(&["Host: localhost:1234"]), 200);
    assert_eq!(status(&["Host: evil.example"]), 403);
    for field in ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Via: 1.1 proxy"] {
        assert_eq!(status(&[field]), 404, "{field}");
    }
    assert_eq!(Observed::start(TESTDATA, &["--no-metrics"]).ask("GET /metrics", &[]).status, 404);
    let named = Observed::start(TESTDATA, &["--page-host", "origin.example"]);
    assert_eq!(named.ask("GET /metrics", &["Host: Origin.Example:80"]).status, 200);
    let public = Observed::start_on("0.0.0.0:0", TESTDATA, &[]);
    assert_eq!(public.ask("GET /metrics", &[]).status, 404);
}

#[test]
fn a_purge_drops_a_presentation_and_all_below_its_name() {
    let server = Observed::start(TESTDATA, &[]);
    let was_open = |line: &str| {
        assert_eq!(server.ask(FILM, &[]).status, 200);
        let got = server.ask(line, &[]);
        assert_eq!(got.status, 200, "{line}: {}", got.body);
        got.body.trim_end().to_owned()
    };
    let purged = r#"{"purged":[{"name":"bframes/bframes.ism","was_open":true}]}"#;
    for line in [
        "PURGE /bframes/bframes.ism",
        "PURGE /bframes/bframes.ism/QualityLevels(1)/Fragments(video=0)",
        "POST /-/purge?name=bframes/bframes.ism",
        "POST /-/purge?name=bframes%2Fbframes.ism",
        "POST /-/purge?all",
    ] {
        assert_eq!(was_open(line), purged, "{line}");
    }
    let again = r#"{"looked_at_again":["bframes/bframes.ism"]}"#;
    assert_eq!(was_open("POST /-/look-again?name=bframes/bframes.ism"), again);
    assert_eq!(was_open("POST /-/look-again?all"), again);
    assert_eq!(was_open("PURGE /bframes/poster.jpg"), r#"{"purged":[]}"#);
    for wrong in ["POST /-/purge", "POST /-/purge?name=", "PURGE /%2e%2e/a.ism"] {
        assert_eq!(server.ask(wrong, &[]).status, 400, "{wrong}");
    }
    assert_eq!(server.ask("GET /-/purge?all", &[]).status, 405);
}

#[test]
fn a_changed_presentation_is_seen_after_look_again() {
    let folder = Empty::new("changed");
    for file in fs::read_dir(format!("{TESTDATA}/bframes")).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), folder.0.join(file.file_name())).unwrap();
    }
    let options = ["--revalidate", "3600", "--replace-grace", "0"];
    let server = Observed::start(folder.0.to_str().unwrap(), &options);
    let status = || server.ask("GET /bframes.ism/Manifest", &[]).status;
    assert_eq!(status(), 200);
    fs::remove_file(folder.path("bframes.ism")).unwrap();
    assert_eq!(status(), 200);
    assert_eq!(server.ask("POST /-/look-again?name=bframes.ism", &[]).status, 200);
    assert_eq!(status(), 404);
}

#[test]
fn only_those_who_may_purge() {
    let folder = Empty::new("token");
    let file = folder.path("tokens");
    fs::write(&file, "\nan-old-token-0123\na-new-token-45678\n").unwrap();
    let purge = "PURGE /bframes/bframes.ism";
    let status = |server: &Observed, fields: &[&str]| {
        let by_post = server.ask("POST /-/purge?all", fields).status;
        assert_eq!(server.ask(purge, fields).status, by_post, "{fields:?}");
        by_post
    };
    let other_site = "Origin: http://evil.example";
    let proxied = "X-Forwarded-For: 192.0.2.1";

    let loopback = Observed::start(TESTDATA, &[]);
    assert_eq!(status(&loopback, &[]), 200);
    assert_eq!(status(&loopback, &["Origin: http://localhost"]), 200);
    assert_eq!(status(&loopback, &["Sec-Fetch-Site: cross-site"]), 403);
    assert_eq!(status(&loopback, &[other_site]), 403);
    assert_eq!(status(&loopback, &["Host: evil.example"]), 403);
    // A proxy on this machine passes on what anybody asks: purge is not on.
    assert_eq!(status(&loopback, &[proxied]), 405);

    let public = Observed::start_on("0.0.0.0:0", TESTDATA, &[]);
    assert_eq!(status(&public, &[]), 405);

    let near = Observed::start_on("0.0.0.0:0", TESTDATA, &["--purge-from", "127.0.0.0/8"]);
    assert_eq!(status(&near, &["Host: origin.example"]), 200);
    assert_eq!(status(&near, &[proxied]), 403);
    assert_eq!(status(&near, &[other_site]), 403);

    let far = Observed::start_on("0.0.0.0:0", TESTDATA, &["--purge-from", "192.0.2.0/24"]);
    assert_eq!(status(&far, &[]), 403);
    let options = ["--purge-from", "192.0.2.0/24", "--trust-proxy", "127.0.0.1"];
    let behind = Observed::start_on("0.0.0.0:0", TESTDATA, &options);
    assert_eq!(status(&behind, &[proxied]), 200);
    assert_eq!(status(&behind, &["X-Forwarded-For: 192.0.2.1, 198.51.100.1"]), 403);
    assert_eq!(status(&behind, &["X-Forwarded-For: 192.0.2.1, junk"]), 403);

    let secret = Observed::start_on("0.0.0.0:0", TESTDATA, &["--purge-token-file", &file]);
    assert_eq!(status(&secret, &["Authorization: Bearer a-new-token-45678"]), 200);
    assert_eq!(status(&secret, &["Authorization: Bearer an-old-token-0123", proxied]), 200);
    assert_eq!(status(&secret, &["Authorization: Bearer a-new-token-4567"]), 403);
    assert_eq!(status(&secret, &[]), 403);
    let sentence = "this needs a token: Authorization: Bearer TOKEN\n";
    assert_eq!(secret.ask(purge, &[]).body, sentence);
}

#[test]
fn tokens_that_can_be_guessed_are_refused_at_the_start() {
    let folder = Empty::new("weak");
    let file = folder.path("tokens");
    let options = [TESTDATA, "--listen", "127.0.0.1:0", "--purge-token-file", &file];
    let sentence = |text: Option<&str>| {
        if let Some(text) = text {
            fs::write(&file, text).unwrap();
        }
        let ended = run(&options);
        assert_ne!(ended.status, 0);
        ended.errors.replace(&file, "FILE")
    };
    assert!(sentence(None).starts_with("error: cannot read the tokens in FILE: "));
    assert!(sentence(Some("\n")).starts_with("error: FILE has no token; make one: "));
    assert!(sentence(Some("a-new-token-45678\nsecret\n")).contains("FILE:2: a token has at least"));
}
