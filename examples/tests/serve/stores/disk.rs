//! The cache of a store on local disk.

use std::fs;

use super::client::{compare, fetch};
use super::reads::{media_reads, opened};
use super::store;
use crate::observed::{Empty, Observed, TESTDATA, wait_for};

/// Shorter fragments are not kept on disk.
const SHORTEST: usize = 4096;

#[test]
#[cfg(unix)]
fn a_server_that_starts_again_reads_no_fragment_from_the_store() {
    let store = store();
    let folder = Empty::new("stores-disk");
    let cache = folder.path("a/cache");
    let options = [
        "s3://films",
        "--disk-cache",
        &cache,
        "--disk-cache-size",
        "64",
        "--hot-memory",
        "0",
        "--operator-listen",
        "127.0.0.1:0",
        "--revalidate",
        "1",
    ];
    let at = "/ladder/ladder.ism";
    let mut server = Observed::start_by(store.command(), &options);
    let paths = opened(&server, at);
    let bodies: Vec<_> = paths.iter().map(|path| fetch(&server, path)).collect();
    let kept = || paths.iter().zip(&bodies).filter(|(_, body)| body.1.len() > SHORTEST);
    assert!(kept().count() > 10);
    server.signal("TERM");
    assert_eq!(server.ended(), 0);

    let server = Observed::start_by(store.command(), &options);
    assert_eq!(opened(&server, at), paths);
    store.asked();
    for (path, body) in kept() {
        assert!(fetch(&server, path) == *body, "{path}");
    }
    assert_eq!(media_reads(&store), Vec::<String>::new());
    let text = server.ask_at(server.operator(), "GET /metrics", &[]).body;
    let counted = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{name}: {text}")).parse::<f64>().unwrap()
    };
    assert!(
        counted("smooth_origin_disk_cache_hits_total{origin=\"main\"}") >= kept().count() as f64
    );
    assert!(counted("smooth_origin_disk_cache_hit_bytes_total{origin=\"main\"}") > 100_000.0);
    assert!(counted("serve_disk_cache_free_bytes") > 0.0);

    // What is replaced is not served from the disk.
    let mut media = fs::read(format!("{TESTDATA}/ladder/ladder.ismv")).unwrap();
    let body = &bodies[3].1;
    let at = media.windows(body.len()).position(|bytes| bytes == body).unwrap();
    media[at + body.len() - 1] ^= 1;
    store.put("films/ladder/ladder.ismv", media);
    wait_for("the new version", || (fetch(&server, &paths[3]) != bodies[3]).then_some(()));
    let (status, new) = fetch(&server, &paths[3]);
    assert!(status == 200 && new.len() == body.len() && new[..4096] == body[..4096], "{status}");
}

#[test]
fn a_folder_beside_a_store_is_not_kept_on_disk() {
    let store = store();
    let folder = Empty::new("stores-disk-beside");
    let cache = folder.path("cache");
    let places = ["s=s3://films/split", &format!("f={TESTDATA}/split"), "--disk-cache", &cache];
    let options = ["--disk-cache-size", "16", "--operator-listen", "127.0.0.1:0"];
    let server = Observed::start_by(store.command(), &[&places[..], &options].concat());
    let missed = || {
        let text = server.ask_at(server.operator(), "GET /metrics", &[]).body;
        let name = "smooth_origin_disk_cache_misses_total{origin=\"main\"} ";
        text.lines().find_map(|line| line.strip_prefix(name)?.parse::<u64>().ok()).unwrap()
    };
    let paths = opened(&server, "/f/split.ism");
    paths.iter().for_each(|path| assert_eq!(fetch(&server, path).0, 200));
    assert_eq!(missed(), 0);
    let plain = Observed::start(TESTDATA, &[]);
    compare((&plain, "/split/split.ism"), (&server, "/s/split.ism"));
    assert!(missed() > 0);
}

#[test]
#[cfg(unix)]
fn a_folder_that_another_server_uses_is_refused_and_one_that_is_no_folder_too() {
    let store = store();
    let folder = Empty::new("stores-disk-shared");
    let cache = folder.path("cache");
    let options = ["s3://films", "--disk-cache", &cache, "--disk-cache-size", "16"];
    let server = Observed::start_by(store.command(), &options);
    let refused = |options: &[&str]| {
        let output = store.command().args(["--listen", "127.0.0.1:0"]).args(options).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, errors) = refused(&options);
    assert_eq!(status, Some(1), "{errors}");
    let sentence = format!(
        "error: cannot use the folder {cache} of --disk-cache: another process uses it; give each server a \
         folder of its own, or end the other one\n"
    );
    assert_eq!(errors, sentence);
    // A check of the configuration, or of the titles, does not need it.
    for check in ["--check-config", "--check"] {
        let output = store
            .command()
            .args([check, "--settling-time", "0", "s3://films/split"])
            .args(&options[1..])
            .output();
        let output = output.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|code| code < 2), "{check}: {errors}");
    }
    drop(server);
    wait_for("the folder", || {
        let server = Observed::try_start_by(store.command(), &options);
        server.is_ok().then_some(())
    });

    fs::write(folder.path("file"), "").unwrap();
    for place in ["file", "file/cache"] {
        let path = folder.path(place);
        for check in [&["--check-config"][..], &[]] {
            let (status, errors) =
                refused(&[&["s3://films", "--disk-cache", &path], check].concat());
            assert_eq!(status, Some(1), "{errors}");
            let start = format!("error: cannot use the folder {path} of --disk-cache: ");
            assert!(errors.starts_with(&start), "{errors}");
            assert!(errors.contains("is a file, not a folder; name "), "{errors}");
        }
    }
    assert!(!folder.0.join("no").exists());
    let path = folder.path("no");
    let (status, _) = refused(&["s3://films", "--disk-cache", &path, "--check-config"]);
    assert!(status == Some(0) && !folder.0.join("no").exists());
}

#[test]
fn options_about_stores_have_no_effect_on_folders_alone() {
    for (option, sentence) in [
        (&["--store-reads", "3"][..], "--store-reads has no effect while only folders"),
        (&["--store-timeout", "3"], "--store-timeout has no effect while only folders"),
        (&["--store-tries", "3"], "--store-tries has no effect while only folders"),
        (&["--store-hedge", "0.3"], "--store-hedge has no effect while only folders"),
        (&["--store-hedge-limit", "3"], "--store-hedge-limit has no effect without `store-hedge`"),
        (&["--disk-cache", "/no"], "--disk-cache has no effect while only folders"),
        (&["--disk-cache-size", "64"], "--disk-cache-size has no effect without `disk-cache`"),
    ] {
        let (status, errors) = crate::program::refused(option);
        assert_eq!(status, 2, "{errors}");
        let errors = errors.replace("without --", "without `").replace("hedge:", "hedge`:");
        let errors = errors.replace("disk-cache:", "disk-cache`:");
        assert!(errors.contains(sentence), "{errors}");
    }
    let store = store();
    for (option, sentence) in [
        (&["--store-timeout", "9"][..], "leaves no time for a second try"),
        (&["--store-hedge", "2"], "has no effect, because a request is given up after"),
        (&["--store-tries", "0"], "give a whole number of tries from 1 to 20"),
        (&["--disk-cache-size", "8", "--disk-cache", "/no"], "from 16 to 1048576"),
    ] {
        let output = store.command().arg("s3://films").args(option).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(sentence), "{errors}");
    }
}
