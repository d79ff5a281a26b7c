//! The log and the access log.

use std::fs;
use std::io::Read;

use serde_json::Value;

use crate::observed::{Empty, Observed, TESTDATA, lines_of, wait_for};
use crate::program::run;

const FILM: &str = "GET /bframes/bframes.ism/Manifest";

/// A presentation that has a missing file, so that its opening is logged.
const SICK: &str = "GET /dialects/missing/missing.ism/Manifest";

#[test]
fn lines_of_the_access_log_are_those_of_apache_and_cannot_be_forged() {
    let folder = Empty::new("combined");
    let log = folder.path("access.log");
    let server = Observed::start(TESTDATA, &["--access-log", &log]);
    let agent = "User-Agent: x\" 200 0\\ \u{e9}\u{7}";
    // A control character is refused before there is a request.
    assert_eq!(server.ask(FILM, &[agent]).status, 400);
    let agent = "User-Agent: x\" 200 0\\ \u{e9}";
    let manifest = server.ask(&format!("{FILM}?a=%22b"), &["Referer: http://a/\t", agent]);
    assert_eq!(manifest.status, 200);
    server.ask("HEAD /%62frames/bframes.ism/Manifest", &[]);
    server.ask("GET /no.ism/Manifest", &[]);
    let lines = lines_of(&log, 3);
    assert_eq!(lines.len(), 3, "{lines:?}");
    let length = manifest.body.len();
    let middle = format!(
        "] \"GET /bframes/bframes.ism/Manifest?a=%22b HTTP/1.1\" 200 {length} \
         \"http://a/\" \"x\\x22 200 0\\x5C \\xC3\\xA9\" "
    );
    assert!(lines[0].starts_with("127.0.0.1 - - [") && lines[0].contains(&middle), "{}", lines[0]);
    assert!(lines[0].ends_with(" \"bframes/bframes.ism\" complete"), "{}", lines[0]);
    assert!(
        lines[1].contains("\"HEAD /%62frames/bframes.ism/Manifest HTTP/1.1\" 200 0 \"-\" \"-\" ")
    );
    assert!(lines[1].ends_with(" \"bframes/bframes.ism\" complete"), "{}", lines[1]);
    assert!(lines[2].contains("\" 404 ") && lines[2].ends_with(" \"-\" complete"), "{}", lines[2]);
}

#[test]
fn a_client_that_breaks_off_is_logged_with_the_bytes_that_were_sent() {
    const LENGTH: usize = 64 << 20;
    let folder = Empty::new("aborted");
    fs::write(folder.path("large.jpg"), vec![0; LENGTH]).unwrap();
    let log = folder.path("access.log");
    let options = ["--access-log", &log, "--access-log-format", "json"];
    let server = Observed::start(folder.0.to_str().unwrap(), &options);
    let mut stream = server.send("GET /large.jpg", &["User-Agent: a\u{2028}\"b"]);
    stream.read_exact(&mut [0; 100_000]).unwrap();
    drop(stream);
    let line: Value = serde_json::from_str(&lines_of(&log, 1)[0]).unwrap();
    assert_eq!((&line["end"], &line["status"]), (&"aborted".into(), &200.into()), "{line}");
    let bytes = line["bytes"].as_u64().unwrap() as usize;
    assert!((100_000 - 1000..LENGTH).contains(&bytes), "{bytes}");
    assert_eq!(server.ask("GET /large.jpg", &["Range: bytes=0-9"]).status, 206);
    let line: Value = serde_json::from_str(&lines_of(&log, 2)[1]).unwrap();
    for (key, value) in [
        ("client", Value::from("127.0.0.1")),
        ("method", "GET".into()),
        ("path", "/large.jpg".into()),
        ("query", Value::Null),
        ("protocol", "HTTP/1.1".into()),
        ("tls", false.into()),
        ("status", 206.into()),
        ("bytes", 10.into()),
        ("referer", Value::Null),
        ("user_agent", Value::Null),
        ("presentation", Value::Null),
        ("end", "complete".into()),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    assert!(line["seconds"].as_f64().is_some() && line["time"].as_str().is_some());
    assert_eq!(line["request"].as_str().map(str::len), Some(16));
}

#[test]
fn only_trusted_proxies_say_who_the_client_is_and_name_the_request() {
    let folder = Empty::new("trust");
    let log = folder.path("access.log");
    let fields = ["X-Forwarded-For: 10.9.9.9, 192.0.2.7, 10.0.0.1", "X-Request-Id: from-a-proxy"];
    let answers = |trusted: &[&str]| {
        // A log of before is appended to.
        let before = fs::read_to_string(&log).unwrap_or_default().lines().count();
        let options = [&["--access-log", &log, "--send-request-id"], trusted].concat();
        let server = Observed::start(TESTDATA, &options);
        let got = server.ask(FILM, &fields);
        let bad = server.ask(FILM, &["X-Request-Id: a b"]);
        assert!(!bad.head.contains("x-request-id: a b"), "{}", bad.head);
        (got.head, lines_of(&log, before + 1)[before].clone())
    };
    let (head, line) = answers(&["--trust-proxy", "127.0.0.1", "--trust-proxy", "10.0.0.0/8"]);
    assert!(head.contains("\r\nx-request-id: from-a-proxy"), "{head}");
    assert!(line.starts_with("192.0.2.7 ") && line.contains(" from-a-proxy "), "{line}");
    let (head, line) = answers(&[]);
    let id = head.split("x-request-id: ").nth(1).unwrap().split('\r').next().unwrap();
    assert!(id.len() == 16 && line.contains(&format!(" {id} ")), "{line}");
    assert!(line.starts_with("127.0.0.1 "), "{line}");
    let refused = run(&["no-such-folder", "--trust-proxy", "10.0.0.1/8"]);
    assert!(
        refused.errors.contains("the network of 10.0.0.1/8 is 10.0.0.0/8"),
        "{}",
        refused.errors
    );
}

#[test]
fn a_failure_is_logged_once_with_its_request() {
    let options = ["--trust-proxy", "127.0.0.1", "--no-page"];
    let server = Observed::start(TESTDATA, &options);
    server.ask(SICK, &["X-Request-Id: the-one"]);
    let lines = wait_for("a line about the presentation", || {
        let errors = server.errors();
        errors.contains("missing.ism").then_some(errors)
    });
    server.ask(SICK, &["X-Request-Id: the-other"]);
    let about: Vec<_> = server.errors().lines().map(str::to_owned).collect();
    assert_eq!(about.len(), 1, "{about:?}");
    assert!(lines.contains("Z warn  dialects/missing/missing.ism: opened in "), "{lines}");
    assert!(lines.ends_with(" (request the-one)\n"), "{lines}");
}

#[test]
fn the_log_has_a_form_for_machines_and_goes_to_a_file() {
    let folder = Empty::new("log-file");
    let log = folder.path("serve.log");
    let options = ["--log-format", "json", "--log-file", &log, "--log-level", "debug"];
    let server = Observed::start(TESTDATA, &options);
    server.ask(SICK, &[]);
    server.ask(FILM, &[]);
    let lines: Vec<Value> =
        lines_of(&log, 2).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = &lines[0];
    for (key, value) in [
        ("level", "warn"),
        ("target", "smooth_origin"),
        ("event", "opened"),
        ("name", "dialects/missing/missing.ism"),
    ] {
        assert_eq!(line[key], value, "{line}");
    }
    assert!(line["message"].as_str().unwrap().starts_with("dialects/missing/missing.ism: opened"));
    assert!(line["took_seconds"].as_f64().is_some() && line["request"].as_str().is_some());
    assert!(line["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(lines[1]["level"], "debug");
    assert_eq!(server.errors(), "");
}

#[test]
fn a_log_that_cannot_be_written_is_named_at_the_start() {
    for (option, what) in [("--log-file", "log"), ("--access-log", "access log")] {
        let ended = run(&[TESTDATA, "--listen", "127.0.0.1:0", option, "no-such-folder/x.log"]);
        let sentence = format!("error: cannot write the {what} no-such-folder/x.log: ");
        assert_eq!(ended.status, 1);
        assert!(ended.errors.starts_with(&sentence), "{}", ended.errors);
    }
}

#[cfg(unix)]
#[test]
fn logs_are_opened_again_on_sighup_and_complete_at_the_end() {
    let folder = Empty::new("rotated");
    let (log, access) = (folder.path("serve.log"), folder.path("access.log"));
    let options = ["--log-file", &log, "--access-log", &access];
    let mut server = Observed::start(TESTDATA, &options);
    server.ask(FILM, &[]);
    lines_of(&access, 1);
    for file in [&log, &access] {
        fs::rename(file, format!("{file}.1")).unwrap();
    }
    server.signal("HUP");
    // Both files are open again before the presentations are looked at.
    wait_for("a new log", || {
        let text = fs::read_to_string(&log).unwrap_or_default();
        (text.contains("SIGHUP: ") && fs::metadata(&access).is_ok()).then_some(())
    });
    server.ask(SICK, &[]);
    server.signal("TERM");
    assert_eq!(server.ended(), 0);
    assert_eq!(lines_of(format!("{access}.1"), 1).len(), 1);
    let lines = lines_of(&access, 1);
    assert!(lines.len() == 1 && lines[0].contains("missing.ism"), "{lines:?}");
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.contains(" warn  dialects/missing/missing.ism: "), "{text}");
    assert!(text.contains(" info  stopping: "), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn lines_that_cannot_be_written_are_counted_and_reported() {
    let server = Observed::start(TESTDATA, &["--access-log", "/dev/full"]);
    assert_eq!(server.ask(FILM, &[]).status, 200);
    let line = wait_for("a report", || {
        let errors = server.errors();
        errors.contains("access log").then_some(errors)
    });
    let sentence = " error lines of the access log that were dropped: 1: No space left on device";
    assert!(line.contains(sentence), "{line}");
    let metrics = server.ask("GET /metrics", &[]).body;
    assert!(metrics.contains("\nserve_access_log_dropped_lines_total 1\n"), "{metrics}");
}

#[test]
fn a_request_that_the_connection_refuses_is_logged() {
    let folder = Empty::new("refused");
    let log = folder.path("access.log");
    let server = Observed::start(TESTDATA, &["--access-log", &log]);
    let twice = ["Content-Length: 0", "Content-Length: 0"];
    assert_eq!(server.ask(FILM, &twice).status, 400);
    let line = &lines_of(&log, 1)[0];
    assert!(line.contains("\"GET /bframes/bframes.ism/Manifest HTTP/1.1\" 400 0 "), "{line}");
}
