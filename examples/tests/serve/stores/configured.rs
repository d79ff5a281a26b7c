//! Stores in a configuration.

use std::fs;

use super::client::{compare, fetch, fetch_as};
use super::store;
use crate::observed::{Empty, Observed, TESTDATA, wait_for};

#[test]
fn rules_map_hosts_and_prefixes_to_stores() {
    let store = store();
    let folder = Empty::new("stores-rules");
    let file = folder.path("serve.toml");
    let rules = "[[store]]\nhost = \"split.example\"\nlocation = \"s3://films/split\"\n\
                 [[store]]\nprefix = \"archive/old\"\nlocation = \"s3://films/ntsc\"\n\
                 [[store]]\nhost = \"*.vod.example\"\nprefix = \"vod\"\nlocation = \"s3://*/ladder\"\n";
    fs::write(&file, rules).unwrap();
    let server = Observed::start_by(store.command(), &["--config", &file]);
    let plain = Observed::start(TESTDATA, &[]);
    compare((&plain, "/ntsc/ntsc.ism"), (&server, "/archive/old/ntsc.ism"));
    let of_folder = fetch(&plain, "/split/split.ism/Manifest");
    for host in ["Host: split.example", "Host: SPLIT.example:8080"] {
        assert!(fetch_as(&server, "/split.ism/Manifest", &[host]) == of_folder, "{host}");
    }
    let of_folder = fetch(&plain, "/ladder/ladder.ism/Manifest");
    let of_host = |host: &str| fetch_as(&server, "/ladder.ism/Manifest", &[host]);
    assert!(of_host("Host: films.vod.example") == of_folder);
    for host in ["Host: other.vod.example", "Host: vod.example", "Host: a.films.vod.example"] {
        assert_eq!(of_host(host).0, 404, "{host}");
    }
}

#[test]
fn a_configuration_with_rules_is_printed_and_read_again() {
    let store = store();
    let folder = Empty::new("stores-printed");
    let file = folder.path("serve.toml");
    fs::write(&file, "[[store]]\nprefix = \"a\"\nlocation = \"s3://films/a,b\"\n").unwrap();
    let print = || {
        let output = store.command().args(["--config", &file, "--print-config"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let printed = print();
    let table = "[[store]]\nprefix = \"a\"\nlocation = \"s3://films/a,b\"\n";
    assert!(printed.contains(table), "{printed}");
    fs::write(&file, &printed).unwrap();
    assert_eq!(print(), printed);
}

#[test]
fn what_is_wrong_with_a_rule_is_said_with_its_place() {
    let folder = Empty::new("stores-wrong");
    let file = folder.path("serve.toml");
    for (lines, sentence) in [
        ("[[store]]\nprefix = \"a\"\n", "a rule needs a `location`"),
        ("[[store]]\ntenant = \"a\"\nlocation = \"/srv\"\n", "a rule has no `tenant`"),
        ("[[store]]\nprefix = 1\nlocation = \"/srv\"\n", "take texts in quotes"),
        ("store = [\"a\"]\n", "`store` takes tables"),
        ("[[store]]\nprefix = \"a\"\nlocation = \"s3://u:p@x\"\n", "no user or password"),
    ] {
        fs::write(&file, lines).unwrap();
        let (status, errors) = crate::program::refused(&["--config", &file]);
        assert_eq!(status, 2, "{errors}");
        assert!(errors.contains("serve.toml:1:") && errors.contains(sentence), "{errors}");
    }
}

#[test]
#[cfg(unix)]
fn a_reload_serves_another_store() {
    let store = store();
    let folder = Empty::new("stores-reload");
    let file = folder.path("serve.toml");
    let configure = |url: &str| fs::write(&file, format!("folders = [\"{url}\"]\n")).unwrap();
    configure("s3://films/split");
    let server = Observed::start_by(store.command(), &["--config", &file]);
    assert_eq!(fetch(&server, "/split.ism/Manifest").0, 200);
    configure("s3://films/ladder");
    server.signal("HUP");
    wait_for("the other store", || (fetch(&server, "/ladder.ism/Manifest").0 == 200).then_some(()));
    assert_eq!(fetch(&server, "/split.ism/Manifest").0, 404);
}
