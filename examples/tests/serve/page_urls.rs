//! The URLs that the page gives to copy.

use serde_json::Value;

use crate::observed::{Observed, TESTDATA};
use crate::program::refused;

const PRESENTATION: &str = "GET /-/api/presentation?name=ladder/ladder.ism";

fn base(got: &str) -> Value {
    serde_json::from_str::<Value>(got).unwrap()["base"].clone()
}

#[test]
fn a_page_on_the_operators_listener_gives_the_urls_of_the_main_one() {
    let server = Observed::start(TESTDATA, &["--operator-listen", "127.0.0.1:0"]);
    let (operator, port) = (server.operator(), server.address.port());
    let got = server.ask_at(operator, PRESENTATION, &[]).body;
    assert_eq!(base(&got), format!("http://localhost:{port}"));
    let film: Value = serde_json::from_str(&got).unwrap();
    let url = film["urls"][0]["url"].as_str().unwrap();
    assert_eq!(server.ask(&format!("GET {url}"), &[]).status, 200);
    let got = server.ask_at(operator, PRESENTATION, &["Host: 127.0.0.1:1"]).body;
    assert_eq!(base(&got), format!("http://127.0.0.1:{port}"));
}

#[test]
fn a_page_on_the_main_listener_gives_its_own_urls() {
    let server = Observed::start(TESTDATA, &[]);
    assert_eq!(base(&server.ask(PRESENTATION, &[]).body), Value::Null);
}

#[test]
fn an_option_names_the_host_of_the_urls() {
    let options = ["--media-url", "https://media.example.org"];
    let server = Observed::start(TESTDATA, &options);
    let got = server.ask(PRESENTATION, &[]).body;
    assert_eq!(base(&got), "https://media.example.org");
    let (status, errors) = refused(&["--media-url", "media.example.org/films"]);
    assert_eq!(status, 2, "{errors}");
    assert!(errors.contains("give a scheme and a host"), "{errors}");
}
