//! Stores in place of folders.

mod client;
mod configured;
mod disk;
mod fake_s3;
mod indexes;
mod inspected;
mod layouts;
mod reads;
mod redirects;
mod troubles;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::observed::{Empty, Observed, TESTDATA, wait_for};
use client::{compare, fetch, fragments};
use fake_s3::FakeS3;
use reads::PATIENT;

/// A store that has the test data in the bucket `films`.
fn store() -> FakeS3 {
    let store = FakeS3::new();
    store.put_all("films", Path::new(TESTDATA));
    store
}

#[test]
fn a_bucket_gives_the_bytes_of_the_folder() {
    let store = store();
    let folder = Observed::start(TESTDATA, &[]);
    let bucket = Observed::start_by(store.command(), &["s3://films"]);
    let mut count = 0;
    for name in [
        "bframes/bframes.ism",
        "ladder/ladder.ism",
        "ntsc/ntsc.ism",
        "split/split.ism",
        "dialects/azure/azure.ism",
        "dialects/unified/unified.ism",
    ] {
        count += compare((&folder, &format!("/{name}")), (&bucket, &format!("/{name}")));
        for other in ["manifest.mpd", "main.m3u8"] {
            let path = format!("/{name}/{other}");
            assert!(fetch(&folder, &path) == fetch(&bucket, &path), "{path}");
        }
    }
    assert!(count > 100, "{count} fragments");
}

#[test]
fn prefixes_of_urls_and_of_keys_meet() {
    let store = store();
    let folder = Observed::start(TESTDATA, &[]);
    let places = ["s=s3://films/split/", &format!("all={TESTDATA}")];
    let both = Observed::start_by(store.command(), &places);
    compare((&folder, "/split/split.ism"), (&both, "/s/split.ism"));
    compare((&folder, "/split/split.ism"), (&both, "/all/split/split.ism"));
    for outside in ["/s/../ladder/ladder.ism/Manifest", "/s/%2e%2e/ladder/ladder.ism/Manifest"] {
        assert!([400, 404].contains(&fetch(&both, outside).0), "{outside}");
    }
    store.asked().iter().for_each(|asked| assert!(asked.contains(" films/split/"), "{asked}"));
}

#[test]
fn a_start_asks_nothing_of_a_store_opening_asks_little_and_a_fragment_once() {
    let store = store();
    let server = Observed::start_by(store.command(), &[&["s3://films"], &PATIENT[..]].concat());
    assert_eq!(store.asked(), Vec::<String>::new());
    // Long beside what a busy machine takes to make the requests of one round.
    store.delay(Duration::from_secs(2));
    let (status, manifest) = fetch(&server, "/ladder/ladder.ism/Manifest");
    assert_eq!(status, 200);
    let asked = store.asked();
    assert!(asked.len() <= 8 && store.rounds() <= 4, "{} {asked:#?}", store.rounds());
    store.delay(Duration::ZERO);
    let paths = fragments(&String::from_utf8(manifest).unwrap());
    for path in &paths {
        assert_eq!(fetch(&server, &format!("/ladder/ladder.ism/{path}")).0, 200);
        let asked = store.asked();
        let reads = asked.iter().filter(|asked| asked.starts_with("GET")).count();
        assert!(reads <= 1, "{path}: {asked:#?}");
    }
}

#[test]
fn metrics_have_the_numbers_of_each_store() {
    let store = store();
    let folder = Empty::new("stores-metrics");
    let cache = folder.path("cache");
    let options = ["s3://films/split", "--operator-listen", "127.0.0.1:0", "--disk-cache", &cache];
    let server = Observed::start_by(store.command(), &options);
    let text = server.ask_at(server.operator(), "GET /metrics", &[]).body;
    // Each is in the guide, and each of the guide is there.
    let guide = include_str!("../../../../docs/serve.md");
    let (_, section) = guide.split_once("\n### Numbers of stores\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.split(" | ").collect();
            (cells[0].trim_end_matches('`'), cells[1])
        })
        .collect();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let recorded: BTreeSet<_> = types
        .filter(|line| line.starts_with("serve_store_") || line.starts_with("serve_disk_"))
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    assert_eq!(recorded, documented);
    for (name, _) in recorded.into_iter().filter(|(name, _)| name.starts_with("serve_store_")) {
        assert!(
            text.contains(&format!("{name}{{store=\"s3://films/split\"}} 0")),
            "{name}: {text}"
        );
    }
}

#[test]
fn the_check_lists_a_bucket_page_by_page() {
    let store = store();
    let mut command = store.command();
    let ended = command.args(["--check", "--settling-time", "0", "s3://films/dialects"]);
    let ended = ended.output().unwrap();
    let text = String::from_utf8(ended.stdout).unwrap() + &String::from_utf8_lossy(&ended.stderr);
    assert!(store.asked().iter().filter(|asked| asked.contains("list-type=2")).count() > 2);
    let folder = format!("{TESTDATA}/dialects");
    let of_folder = crate::program::run(&["--check", "--settling-time", "0", &folder]);
    assert_eq!(ended.status.code(), Some(of_folder.status), "{text}");
    let last = |text: &str| text.lines().last().map(str::to_owned);
    assert_eq!(last(&text), last(&of_folder.output));
}

#[test]
fn the_page_finds_what_a_bucket_has_when_it_is_asked() {
    let store = store();
    let server = Observed::start_by(store.command(), &["s3://films"]);
    let body = wait_for("the list", || {
        let body = server.ask("GET /-/api/presentations?search=ladder", &[]).body;
        body.contains("ladder/ladder.ism").then_some(body)
    });
    assert!(!body.contains("split.ism"), "{body}");
}

#[test]
fn the_list_at_the_start_says_that_stores_are_not_in_it() {
    let store = store();
    let file = Empty::new("stores-list");
    let mut command = store.command();
    let output = std::fs::File::create(file.path("output")).unwrap();
    let mut child =
        command.args(["s3://films", "--listen", "127.0.0.1:0"]).stdout(output).spawn().unwrap();
    let text = wait_for("the line", || {
        let text = std::fs::read_to_string(file.path("output")).unwrap();
        text.contains("not looked at").then_some(text)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(text.contains("not looked at: the store s3://films: "), "{text}");
    assert!(!text.contains("no presentation"), "{text}");
    assert_eq!(store.asked(), Vec::<String>::new());
}
