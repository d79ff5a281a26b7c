//! The command line of `serve`: the built example is run.
//!
//! `cargo test` builds the examples before it runs this; `cargo test --test serve` alone does not.

mod bare;
mod check;
mod configuration;
mod encrypted;
mod http2;
mod listeners;
mod live;
mod logs;
mod messages;
mod messages_answers;
mod messages_start;
mod observed;
mod operator;
mod page_api;
mod page_health;
mod page_urls;
mod program;
#[cfg(unix)]
mod reload;
#[cfg(feature = "s3")]
mod stores;
#[cfg(target_os = "linux")]
mod timeouts;
mod tls;

use program::refused;

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
#[cfg(not(feature = "s3"))]
fn a_server_without_stores_says_how_to_build_one_that_has_them() {
    let ended = program::run(&["s3://films", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.status, 2, "{}", ended.errors);
    let sentence = "built without s3://: build it with `--features s3`";
    assert!(ended.errors.contains(sentence), "{}", ended.errors);
}
