//! `--bare-mp4`: media files without an `.ism`.

use std::fs;

use serde_json::Value;

use crate::observed::{Empty, Observed, TESTDATA, wait_for};
use crate::program::run;

/// A folder with media files and no server manifest.
fn folder(name: &str) -> Empty {
    let folder = Empty::new(&format!("bare-{name}"));
    fs::create_dir_all(folder.path("more")).unwrap();
    for file in ["Film.mp4", "more/other.m4v", "more/._other.m4v"] {
        fs::copy(format!("{TESTDATA}/bframes/bframes.ismv"), folder.path(file)).unwrap();
    }
    folder
}

fn names(server: &Observed) -> Vec<String> {
    let got = wait_for("the list", || {
        let got = server.ask("GET /-/api/presentations", &[]);
        let list: Value = serde_json::from_str(&got.body).unwrap();
        (list["complete"] == true).then_some(list)
    });
    let names = got["presentations"].as_array().unwrap().iter();
    names.map(|named| named["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn media_files_are_listed_and_served_in_all_formats_if_the_option_says_so() {
    let folder = folder("served");
    let server = Observed::start(&folder.path(""), &["--bare-mp4"]);
    for target in [
        "/Film.mp4.ism/Manifest",
        "/film.MP4.ism/Manifest",
        "/Film.mp4.ism/manifest.mpd",
        "/Film.mp4.ism/master.m3u8",
        "/more/other.m4v.ism/Manifest",
    ] {
        assert_eq!(server.ask(&format!("GET {target}"), &[]).status, 200, "{target}");
    }
    for target in ["/Film.mp4", "/Film.ism/Manifest", "/none.mp4.ism/Manifest"] {
        assert_eq!(server.ask(&format!("GET {target}"), &[]).status, 404, "{target}");
    }
    assert_eq!(names(&server), ["Film.mp4.ism", "more/other.m4v.ism"]);
}

#[test]
fn without_the_option_they_are_neither_listed_nor_served() {
    let folder = folder("not");
    let server = Observed::start(&folder.path(""), &[]);
    assert_eq!(server.ask("GET /Film.mp4.ism/Manifest", &[]).status, 404);
    assert_eq!(names(&server), [""; 0]);
}

#[test]
fn letter_case_counts_with_exact_names() {
    let folder = folder("exact");
    let server = Observed::start(&folder.path(""), &["--bare-mp4", "--exact-names"]);
    assert_eq!(server.ask("GET /Film.mp4.ism/Manifest", &[]).status, 200);
    assert_eq!(server.ask("GET /film.mp4.ism/Manifest", &[]).status, 404);
}

#[test]
fn the_check_opens_them() {
    let folder = folder("check");
    let ended = run(&["--check", &folder.path(""), "--settling-time", "0", "--bare-mp4"]);
    let all =
        ["2 fine, 0 with warnings, ", "1 fine, 1 with warnings, ", "0 fine, 2 with warnings, "];
    assert!(all.iter().any(|all| ended.output.contains(all)), "{}{}", ended.output, ended.errors);
    assert!(ended.output.ends_with("0 with errors, 0 not served\n"), "{}", ended.output);
    let file = folder.path("serve.toml");
    fs::write(&file, "bare-mp4 = true\n").unwrap();
    let ended = run(&["--config", &file, "--print-config"]);
    assert!(ended.output.contains("\nbare-mp4 = true\n"), "{}", ended.output);
}
