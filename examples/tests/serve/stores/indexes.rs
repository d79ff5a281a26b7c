//! Index files of media without an `mfra`.

use std::fs;

use super::client::{compare, fetch};
use super::fake_s3::FakeS3;
use super::reads::media_reads;
use crate::observed::{Empty, Observed, TESTDATA};

/// The film of the test data, cut off before its `mfra`, as a recording that was interrupted.
fn without_mfra() -> Vec<u8> {
    let mut media = fs::read(format!("{TESTDATA}/ladder/ladder.ismv")).unwrap();
    let length = u32::from_be_bytes(*media.last_chunk().unwrap()) as usize;
    media.truncate(media.len() - length);
    assert!(!media.windows(4).any(|four| four == b"mfra"));
    media
}

fn files() -> [(&'static str, Vec<u8>); 3] {
    let read = |name: &str| fs::read(format!("{TESTDATA}/ladder/{name}")).unwrap();
    [
        ("ladder.ism", read("ladder.ism")),
        ("ladder.ismc", read("ladder.ismc")),
        ("ladder.ismv", without_mfra()),
    ]
}

#[test]
fn a_second_server_does_not_walk_what_the_first_one_has_walked() {
    let store = FakeS3::new();
    for (name, bytes) in files() {
        store.put(&format!("films/{name}"), bytes);
    }
    let folder = Empty::new("stores-indexes");
    let indexes = folder.path("a/indexes");
    let options = ["s3://films", "--index-folder", &indexes];
    let opened = || {
        store.asked();
        let server = Observed::start_by(store.command(), &options);
        assert_eq!(fetch(&server, "/ladder.ism/Manifest").0, 200);
        (media_reads(&store).len(), server)
    };
    let (walked, _first) = opened();
    let (not_walked, second) = opened();
    assert!(not_walked <= 4 && walked > not_walked + 10, "{walked}, then {not_walked}");
    let plain = Observed::start(TESTDATA, &[]);
    compare((&plain, "/ladder/ladder.ism"), (&second, "/ladder.ism"));

    // A damaged index file is noticed, and the file walked again.
    for file in fs::read_dir(&indexes).unwrap() {
        let path = file.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let (walked_again, third) = opened();
    assert!(walked_again > not_walked + 10, "{walked_again}");
    compare((&plain, "/ladder/ladder.ism"), (&third, "/ladder.ism"));
}

#[test]
fn folders_have_index_files_as_well_and_a_check_makes_none() {
    let folder = Empty::new("folder-indexes");
    fs::create_dir_all(folder.0.join("films")).unwrap();
    for (name, bytes) in files() {
        fs::write(folder.0.join("films").join(name), bytes).unwrap();
    }
    let (films, indexes) = (folder.path("films"), folder.path("indexes"));
    let count = || fs::read_dir(&indexes).map_or(0, Iterator::count);
    let options = ["--index-folder", &indexes, "--settling-time", "0"];
    let checked = crate::program::run(&[&["--check", &films], &options[..]].concat());
    assert!(checked.status < 2, "{}", checked.errors);
    let checked = crate::program::run(&[&["--check-config", &films], &options[..]].concat());
    assert_eq!((checked.status, count()), (0, 0), "{}", checked.errors);
    let server = Observed::start(&films, &options[..2]);
    assert_eq!(fetch(&server, "/ladder.ism/Manifest").0, 200);
    assert_eq!(count(), 1);

    fs::write(folder.path("file"), "").unwrap();
    let ended = crate::program::run(&[
        &films,
        "--index-folder",
        &folder.path("file"),
        "--listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(ended.status, 1);
    assert!(
        ended.errors.contains("of --index-folder: it is a file, not a folder"),
        "{}",
        ended.errors
    );
}
