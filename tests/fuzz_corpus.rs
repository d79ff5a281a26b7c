//! Every committed input of the fuzz targets, replayed through what its target holds true.
//!
//! `fuzz/README.md` says how an input comes here.

use std::any::Any;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[allow(dead_code, unreachable_pub)]
#[path = "../fuzz/bodies/mod.rs"]
mod bodies;

/// Finds that are not mended yet: replayed, and allowed to fail. Take a line out with its mending.
const OPEN: &[&str] = &[];

#[test]
fn boxes() {
    replay("boxes", bodies::boxes::boxes);
}

#[test]
fn request_paths() {
    replay("request_paths", bodies::request_paths::request_paths);
}

#[cfg(feature = "http")]
#[test]
fn http_requests() {
    replay("http_requests", bodies::http_requests::http_requests);
}

#[test]
fn server_manifest() {
    replay("server_manifest", bodies::server_manifest::server_manifest);
}

#[test]
fn client_manifest() {
    replay("client_manifest", bodies::client_manifest::client_manifest);
}

#[test]
fn opening() {
    replay("opening", bodies::opening::opening);
}

#[test]
fn fragments() {
    replay("fragments", bodies::fragments::fragments);
}

#[test]
fn index() {
    replay("index", bodies::index::index);
}

/// Runs a target's body over every file of its corpus, and names those that it fails on.
fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{target}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    let mut failed = Vec::new();
    for file in files {
        let name = format!("{target}/{}", file.file_name().unwrap().to_string_lossy());
        let data = fs::read(&file).unwrap();
        if let Err(panic) = catch_unwind(|| body(&data))
            && !OPEN.contains(&&*name)
        {
            failed.push(format!("{name}: {}", message(&*panic)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message")
}
