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
        for field in [
            "X-Forwarded-For: 192.0.2.1",
            "Forwarded: for=192.0.2.1",
            "Via: 1.1 proxy",
            "X-Real-IP: 192.0.2.1",
            "X-Forwarded-Host: films.example",
            "CF-Connecting-IP: 192.0.2.1",
        ] {
            assert_eq!(server.ask(line, &[field]).status, 404, "{line}, {field}");
        }
        assert_eq!(server.ask(line, &["Host: evil.example"]).status, 403, "{line}");
    }
}

#[test]
fn a_listener_behind_a_trusted_proxy_has_no_operators_part() {
    let server = Observed::start(TESTDATA, &["--trust-proxy", "127.0.0.1"]);
    for line in OF_OPERATOR {
        assert_eq!(server.ask(line, &[]).status, 404, "{line}");
    }
}

#[test]
fn pages_of_other_sites_do_not_have_the_api_work() {
    let server = Observed::start(TESTDATA, &[]);
    let line = "GET /-/api/server";
    assert_eq!(server.ask(line, &["Sec-Fetch-Site: same-origin"]).status, 200);
    assert_eq!(server.ask(line, &["Sec-Fetch-Site: cross-site"]).status, 403);
}

#[test]
fn an_operators_listener_that_others_reach_is_a_warning() {
    let server = Observed::start(TESTDATA, &["--operator-listen", "0.0.0.0:0"]);
    let warning = "may purge and see the page: let a firewall close it";
    wait_for(warning, || server.errors().contains(warning).then_some(()));
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
