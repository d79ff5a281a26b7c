//! Clients that are sent to the bucket.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::client::{fetch, fragments};
use super::fake_s3::FakeS3;
use super::store;
use crate::observed::{Observed, TESTDATA};

/// A bucket that also has a presentation with a file per fragment. Returns the paths of its fragments and
/// their bytes.
fn with_fragment_files() -> (FakeS3, Vec<(String, Vec<u8>)>) {
    let (store, folder) = (store(), Observed::start(TESTDATA, &[]));
    let (_, manifest) = fetch(&folder, "/split/split.ism/Manifest");
    store.put("films/parts.ism/Manifest", manifest.clone());
    let paths = fragments(&String::from_utf8(manifest).unwrap());
    let files = paths.into_iter().map(|path| {
        let (status, bytes) = fetch(&folder, &format!("/split/split.ism/{path}"));
        assert_eq!(status, 200, "{path}");
        store.put(&format!("films/parts.ism/{path}"), bytes.clone());
        (format!("/parts.ism/{path}"), bytes)
    });
    let files = files.collect();
    (store, files)
}

/// Follows a redirect, as a client does that has no keys.
fn follow(location: &str) -> Vec<u8> {
    let (host, target) = location.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!("GET /{target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    assert!(bytes.starts_with(b"HTTP/1.1 200"));
    bytes.split_off(end + 4)
}

fn location(server: &Observed, path: &str) -> String {
    let mut text = String::new();
    server.send(&format!("GET {path}"), &[]).read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 307"), "{text}");
    let line = text.lines().find_map(|line| line.strip_prefix("location: "));
    line.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn every_fragment_in_a_file_of_its_own_comes_from_the_bucket() {
    let (store, files) = with_fragment_files();
    let log = std::env::temp_dir().join(format!("redirects-{}.log", std::process::id()));
    let options = ["s3://films", "--redirect", "fragments", "--access-log", log.to_str().unwrap()];
    let server = Observed::start_by(store.command(), &options);
    assert!(files.len() > 5);
    for (path, bytes) in &files {
        let url = location(&server, path);
        assert!(url.contains("X-Amz-Expires=300&") && url.contains("X-Amz-Signature="), "{url}");
        assert!(follow(&url) == *bytes, "{path}");
        assert_eq!(location(&server, path), url);
    }
    // Parts of a file and manifests are sent.
    let (status, _) = fetch(&server, &files[0].0.replace("Fragments(", "FragmentInfo("));
    assert_eq!(status, 200);
    assert_eq!(fetch(&server, "/split/split.ism/Manifest").0, 200);
    let errors = server.errors();
    assert_eq!(errors.matches("switch on versioning").count(), 1, "{errors}");
    drop(server);
    let written = std::fs::read_to_string(&log).unwrap() + &errors;
    let _ = std::fs::remove_file(&log);
    for secret in ["X-Amz", "Signature", "the-key", "the-secret"] {
        assert!(!written.contains(secret), "{written}");
    }
}

#[test]
fn files_are_redirected_if_they_are_named() {
    let store = store();
    store.put("films/poster.jpg", "a picture");
    let options = ["s3://films", "--redirect", "files", "--redirect-life", "60"];
    let server = Observed::start_by(store.command(), &options);
    let url = location(&server, "/poster.jpg");
    assert!(url.contains("X-Amz-Expires=60&"), "{url}");
    assert_eq!(follow(&url), b"a picture");
}

#[test]
fn redirects_that_cannot_be_are_refused() {
    for (options, words) in [
        (&["s3://films", "--redirect", "fragments", "--redirect-life", "604801"][..], "604800"),
        (
            &["s3://films", "--redirect-life", "60"],
            "--redirect-life has no effect without --redirect",
        ),
        (&[TESTDATA, "--redirect", "fragments"], "--redirect has no effect without a bucket"),
    ] {
        let output = store().command().args(options).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(words), "{errors}");
    }
}
