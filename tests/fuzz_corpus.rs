//! Every committed input of the fuzz targets, replayed through what its target holds true.
//!
//! `fuzz/README.md` says how an input comes here.

use std::any::Any;
use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[allow(dead_code, unreachable_pub)]
#[path = "../fuzz/bodies/mod.rs"]
mod bodies;

/// Inputs that still fail: the tests replay them and allow the failure. Remove a line with its fix.
const OPEN: &[&str] = &[];

#[test]
fn boxes() {
    replay("boxes", bodies::boxes::boxes);
}

#[cfg(feature = "object-store")]
#[test]
fn bucket() {
    replay("bucket", bodies::bucket::bucket);
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
fn sample_tables() {
    replay("sample_tables", bodies::sample_tables::sample_tables);
}

#[test]
fn index_file() {
    replay("index_file", bodies::index_file::index_file);
}

#[cfg(feature = "live")]
#[test]
fn live_journal() {
    replay("live_journal", bodies::live_journal::live_journal);
}

#[test]
fn fragments() {
    replay("fragments", bodies::fragments::fragments);
}

#[cfg(any(feature = "dash", feature = "hls"))]
#[test]
fn captions() {
    replay("captions", bodies::captions::captions);
}

#[cfg(any(feature = "dash", feature = "hls"))]
#[test]
fn subtitles() {
    replay("subtitles", bodies::subtitles::subtitles);
}

#[test]
fn cmaf() {
    replay("cmaf", bodies::cmaf::cmaf);
}

#[test]
fn rewritten() {
    replay("rewritten", bodies::rewritten::rewritten);
}

#[cfg(feature = "live")]
#[test]
fn live_push() {
    replay("live_push", bodies::live_push::live_push);
}

#[test]
fn index() {
    replay("index", bodies::index::index);
}

#[test]
fn every_target_has_a_replay_a_corpus_a_binary_and_a_row_in_the_readme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let names = |below: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(folder.join(below)).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let (manifest, readme, replays) =
        (read("Cargo.toml"), read("README.md"), include_str!("fuzz_corpus.rs"));
    let between = |text: &str, before: &str, after: &str| -> BTreeSet<String> {
        let names = text.split(before).skip(1).filter_map(|rest| rest.split(after).next());
        names.map(str::to_owned).collect()
    };

    let targets = names("fuzz_targets");
    assert!(!targets.is_empty(), "no target was found: the test reads nothing");
    assert_eq!(between(&manifest, "[[bin]]\nname = \"", "\""), targets, "in fuzz/Cargo.toml");
    assert_eq!(between(&readme, "\n| `", "` |"), targets, "in the table of fuzz/README.md");
    assert_eq!(between(replays, "    replay(\"", "\","), targets, "replayed by this test");
    assert_eq!(names("corpus"), targets, "in fuzz/corpus");
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
