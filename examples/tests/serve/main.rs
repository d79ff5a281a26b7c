//! The command line of `serve`: the built example is run.
//!
//! `cargo test` builds the examples before it runs this; `cargo test --test serve` alone does not.

mod check;
mod configuration;
mod encrypted;
mod http2;
mod listeners;
mod logs;
mod observed;
mod operator;
mod page_api;
mod program;
#[cfg(unix)]
mod reload;
mod tls;

use program::{refused, run};

#[test]
fn the_settling_time_takes_fractions_of_a_second() {
    for time in ["0.3", "0", "2"] {
        let (_, text) = refused(&["--settling-time", time]);
        assert!(text.contains("no-such-folder"), "{time} was refused: {text}");
    }
    for time in ["0,3", "-1", "1s", "inf"] {
        let (status, text) = refused(&[&format!("--settling-time={time}")]);
        assert_eq!(status, 2, "{time}");
        assert!(text.contains("give a number of seconds from 0 to 31536000"), "{text}");
    }
}

#[test]
fn formats_can_be_switched_off_by_name() {
    let (_, text) = refused(&["--without", "dash", "--without", "hls"]);
    assert!(text.contains("no-such-folder"), "it was refused: {text}");
    let (status, text) = refused(&["--without", "flash"]);
    assert_eq!(status, 2);
    assert!(text.contains("smooth, dash, hls"), "{text}");
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(&[env!("CARGO_MANIFEST_DIR"), "--listen", &address]);
    assert_eq!(ended.status, 1);
    let sentence = format!("error: cannot listen on {address}: ");
    assert!(ended.errors.starts_with(&sentence), "{}", ended.errors);
    assert!(ended.errors.contains("another program listens there: choose another --listen"));
}

#[test]
fn a_root_that_is_missing_or_a_file_is_named_with_what_to_do() {
    let (status, text) = refused(&[]);
    assert_eq!(status, 1);
    assert!(text.starts_with("error: cannot serve the folder no-such-folder: "), "{text}");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let ended = run(&[file]);
    assert_eq!(ended.status, 1);
    let advice = format!("; name its folder: {}", env!("CARGO_MANIFEST_DIR"));
    assert!(ended.errors.contains(&advice), "{}", ended.errors);
}
