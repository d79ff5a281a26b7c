//! The listeners, and who gets the operator's part on which.

use crate::observed::{Observed, TESTDATA, wait_for};
use crate::program::run;

const OF_OPERATOR: [&str; 3] = ["GET /", "GET /-/api/server", "GET /metrics"];

#[test]
fn a_listener_on_loopback_has_the_operators_part_but_not_for_proxies() {
    let server = Observed::start(TESTDATA, &[]);
    assert_eq!(server.page(), format!("http://{}/", server.address));
    for line in OF_OPERATOR {
        assert_eq!(server.ask(line, &[]).status, 200, "{line}");
        assert_eq!(server.ask(line, &["X-Forwarded-For: 192.0.2.1"]).status, 404, "{line}");
        assert_eq!(server.ask(line, &["Host: evil.example"]).status, 403, "{line}");
    }
}

#[test]
fn a_public_listener_has_no_operators_part_and_says_how_to_get_it() {
    let server = Observed::start_on("0.0.0.0:0", TESTDATA, &[]);
    for line in OF_OPERATOR {
        assert_eq!(server.ask(line, &[]).status, 404, "{line}");
    }
    let advice = "add --operator-listen 127.0.0.1:8081";
    wait_for(advice, || server.errors().contains(advice).then_some(()));
}

#[test]
fn the_operators_listener_has_it_and_the_main_one_no_more() {
    let server = Observed::start(TESTDATA, &["--operator-listen", "127.0.0.1:0"]);
    let operator = server.operator();
    assert_eq!(server.page(), format!("http://{operator}/"));
    for line in OF_OPERATOR {
        assert_eq!(server.ask(line, &[]).status, 404, "{line}");
        assert_eq!(server.ask_at(operator, line, &[]).status, 200, "{line}");
    }
    // The page plays from where it is.
    let manifest = "GET /bframes/bframes.ism/Manifest";
    assert_eq!(server.ask_at(operator, manifest, &[]).body, server.ask(manifest, &[]).body);
}

#[test]
fn the_page_can_be_left_out() {
    let server = Observed::start(TESTDATA, &["--no-page"]);
    assert_eq!(server.ask("GET /", &[]).status, 404);
    assert_eq!(server.ask("GET /-/api/server", &[]).status, 404);
    assert_eq!(server.ask("GET /metrics", &[]).status, 200);
}

#[test]
fn a_port_that_is_taken_is_named_with_its_option() {
    let server = Observed::start(TESTDATA, &["--operator-listen", "127.0.0.1:0"]);
    let (main, operator) = (server.address.to_string(), server.operator().to_string());
    for (options, option) in [
        (vec!["--listen", &main], "--listen"),
        (vec!["--listen", "0", "--operator-listen", &operator], "--operator-listen"),
    ] {
        let ended = run(&[&[TESTDATA], &options[..]].concat());
        let advice = format!("another program listens there: choose another {option}\n");
        assert!(ended.errors.ends_with(&advice), "{}", ended.errors);
        assert_eq!(ended.status, 1);
    }
}
