//! `inspect`, and `--check` of what cannot be listed.

use std::process::Command;

use serde_json::Value;

use super::fake_s3::FakeS3;
use super::store;
use crate::observed::{TESTDATA, wait_for};

pub(super) fn inspect(store: &FakeS3, arguments: &[&str]) -> (i32, Vec<Value>) {
    let program = crate::program::program();
    let mut command = Command::new(program.with_file_name("inspect"));
    for (name, value) in store.command().get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.arg("--json").args(arguments).output().unwrap();
    let (lines, errors) = (output.stdout, String::from_utf8(output.stderr).unwrap());
    assert_eq!(errors, "");
    let lines = String::from_utf8(lines).unwrap();
    let needed = "cargo build -p smooth-origin-examples --features s3 --example inspect";
    assert!(!lines.contains("was built without s3"), "{needed}");
    let entries = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code().unwrap(), entries)
}

/// Replaces the URL of the store by the folder that has the same, and leaves out the words of the system for a
/// missing file.
fn as_of_folder(entries: &[Value]) -> Vec<Value> {
    let text = Value::from(entries).to_string().replace("s3://films", TESTDATA);
    let mut entries = serde_json::from_str::<Vec<Value>>(&text).unwrap();
    entries.sort_by_key(|entry| entry["path"].to_string());
    let findings = |entry: &mut Value| entry["findings"].as_array_mut().map(std::mem::take);
    for entry in &mut entries {
        let mut all = findings(entry).unwrap_or_default();
        for finding in all.iter_mut().filter(|finding| finding["code"] == "file-missing") {
            let message = finding["message"].as_str().unwrap();
            finding["message"] = message.split(": ").next().unwrap().into();
        }
        entry["findings"] = all.into();
    }
    entries
}

#[test]
fn inspect_says_of_a_store_what_it_says_of_a_folder() {
    let store = store();
    for place in ["/ladder/ladder.ism", "/dialects/azure/azure.ism", "/dialects"] {
        let of_store = inspect(&store, &[&format!("s3://films{place}")]);
        let of_folder = inspect(&store, &[&format!("{TESTDATA}{place}")]);
        assert_eq!(of_store.0, of_folder.0, "{place}");
        let (of_store, of_folder) = (as_of_folder(&of_store.1), as_of_folder(&of_folder.1));
        assert_eq!(of_store.len(), of_folder.len(), "{place}");
        for (one, other) in of_store.iter().zip(&of_folder) {
            assert_eq!(one, other);
        }
    }
    let deep = inspect(&store, &["--deep", "s3://films/split/split.ism"]);
    let of_folder = inspect(&store, &["--deep", &format!("{TESTDATA}/split/split.ism")]);
    assert_eq!((deep.0, as_of_folder(&deep.1)), (of_folder.0, as_of_folder(&of_folder.1)));
}

#[test]
fn what_inspect_cannot_look_at_is_said_with_what_to_do() {
    let store = store();
    let refused = |path: &str| {
        let (status, entries) = inspect(&store, &[path]);
        assert_eq!((status, entries.len()), (3, 1), "{path}: {entries:?}");
        let of = |key: &str| entries[0][key].as_str().unwrap_or_default().to_owned();
        format!("{}: {}; {}", of("outcome"), of("message"), of("advice"))
    };
    for (path, words) in [
        (
            "s3://*",
            "not-looked-at: its buckets or containers cannot be listed: a store lists what is in one of them; name one of them (s3://NAME)",
        ),
        ("s3://films/no.ism", "not-served: there is no presentation of this name; "),
        (
            "s3://films/no",
            "not-served: there is no presentation: no key that is listed ends with .ism",
        ),
        ("s3://absent/a.ism", "not-served: "),
        (
            "s3://films/ladder/ladder.ismv",
            "not-served: by its name this is a file of a presentation",
        ),
        ("s3://films/ladder/ladder.ism/Manifest", "the URL as far as ladder.ism"),
        ("ftp://films/a.ism", "a store begins with s3://"),
    ] {
        let sentence = refused(path);
        assert!(sentence.contains(words), "{path}: {sentence}");
    }
    assert!(refused("s3://absent/a.ism").contains("the bucket does not exist"));
    store.fail(Some((403, "InvalidAccessKeyId")));
    let sentence = refused("s3://films/ladder/ladder.ism");
    assert!(sentence.contains("does not know the access key"), "{sentence}");
    assert!(!sentence.contains("the-key"), "{sentence}");
    let sentence = refused("s3://films");
    assert!(sentence.contains("does not know the access key"), "{sentence}");
}

#[test]
fn buckets_that_cannot_be_listed_are_no_empty_list() {
    let store = store();
    let rule = ["--store", "prefix=*,location=s3://*"];
    let output = store.command().arg("--check").args(rule).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    let line = "not looked at: the store s3://*: its buckets or containers cannot be listed: a store lists \
                what is in one of them; name one of them (s3://NAME), or open a presentation by its name";
    assert!(text.starts_with(line) && !text.contains("no presentation"), "{text}");

    let server = crate::observed::Observed::start_by(store.command(), &rule);
    wait_for("the sentence", || {
        let body = server.ask("GET /-/api/presentations", &[]).body;
        body.contains("its buckets or containers cannot be listed").then_some(())
    });
}
