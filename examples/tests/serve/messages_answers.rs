//! Sentences and statuses of answers for operators.

use std::io::{Read, Write};
use std::net::TcpStream;

#[cfg(unix)]
use crate::observed::{Empty, wait_for};
use crate::observed::{Observed, TESTDATA};

const LADDER: &str = "ladder/ladder.ism";

#[test]
fn a_request_without_a_host_or_with_two_is_malformed_whatever_it_asks_for() {
    let server = Observed::start(TESTDATA, &[]);
    let status = |head: &str| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response[9..12].to_owned()
    };
    for path in ["/", "/-/api/server", "/metrics", "/-/purge?all", "/ladder/ladder.ism/Manifest"] {
        for method in ["GET", "POST"] {
            let line = format!("{method} {path} HTTP/1.1\r\n");
            assert_eq!(status(&line), "400", "{line}");
            let twice = "Host: localhost\r\n".repeat(2);
            assert_eq!(status(&format!("{line}{twice}")), "400", "{line}");
        }
    }
    // Another host is no fault of form: it has no page.
    assert_eq!(status("GET / HTTP/1.1\r\nHost: evil.example\r\n"), "403");
    assert_eq!(status("GET / HTTP/1.1\r\nHost: localhost\r\n"), "200");
    // Probes of load balancers may be short.
    assert_eq!(status("GET /healthz HTTP/1.1\r\n"), "200");
}

#[test]
fn looking_again_at_what_is_not_there_is_no_success() {
    let server = Observed::start(TESTDATA, &[]);
    let got = server.ask("POST /-/look-again?name=no.ism", &[]);
    assert_eq!((got.status, got.body.as_str()), (404, "there is no presentation `no.ism`\n"));
    let got = server.ask(&format!("POST /-/look-again?name=no.ism&name={LADDER}"), &[]);
    let both = "there is no presentation `no.ism`; the others are looked at again\n";
    assert_eq!((got.status, got.body.as_str()), (404, both));
    for _ in 0..2 {
        let got = server.ask(&format!("POST /-/look-again?name={LADDER}"), &[]);
        let text = format!("{{\"looked_at_again\":[\"{LADDER}\"]}}\n");
        assert_eq!((got.status, got.body), (200, text));
    }
    let got = server.ask("POST /-/look-again?name=../x.ism", &[]);
    let sentence = "`../x.ism` is no name of a presentation: a name holds a `.` or `..` segment\n";
    assert_eq!((got.status, got.body.as_str()), (400, sentence));
    let got = server.ask("GET /-/look-again?all", &[]);
    assert_eq!((got.status, got.body.as_str()), (405, "this path takes POST alone\n"));
}

#[test]
fn an_answer_of_no_names_is_refused_with_the_numbers_that_are_right() {
    let server = Observed::start(TESTDATA, &[]);
    for limit in ["0", "1001"] {
        let got = server.ask(&format!("GET /-/api/presentations?limit={limit}"), &[]);
        assert_eq!(got.status, 400);
        let what = format!("\"what\":\"`limit` is {limit}: an answer has 1 to 1000 names\"");
        assert!(got.body.contains(&what), "{}", got.body);
    }
    assert_eq!(server.ask("GET /-/api/presentations?limit=1000", &[]).status, 200);
}

#[cfg(unix)]
#[test]
fn a_root_that_was_renamed_is_logged_and_not_ready_and_its_files_are_still_served() {
    let folder = Empty::new("renamed");
    let (old, new) = (folder.path("films"), folder.path("moved"));
    std::fs::create_dir(&old).unwrap();
    for file in ["bframes.ism", "bframes.ismv"] {
        std::fs::copy(format!("{TESTDATA}/bframes/{file}"), format!("{old}/{file}")).unwrap();
    }
    // With --list 0.
    let server = Observed::start(&old, &["--revalidate", "0"]);
    let film = "GET /bframes.ism/Manifest";
    assert_eq!(server.ask(film, &[]).status, 200);
    std::fs::rename(&old, &new).unwrap();
    server.signal("HUP");
    let line =
        format!("the folder {old} is gone: if it was renamed, its files are served from where ");
    wait_for("the line of the log", || server.errors().contains(&line).then_some(()));
    let ready = wait_for("no readiness", || {
        Some(server.ask("GET /readyz", &[])).filter(|got| got.status == 503)
    });
    let sentence = format!("the folder {old} cannot be read: there is no such file or folder");
    assert!(ready.body.starts_with(&sentence), "{}", ready.body);
    assert!(!ready.body.contains("os error"), "{}", ready.body);
    assert_eq!(server.ask(film, &[]).status, 200);
    std::fs::rename(&new, &old).unwrap();
    wait_for("readiness", || (server.ask("GET /readyz", &[]).status == 200).then_some(()));
    server.signal("HUP");
    let line = format!("the folder {old} is back, and served again");
    wait_for("the line of the log", || server.errors().contains(&line).then_some(()));
}
