//! The number of requests that reach a store, with the options that a server has by itself.

use std::thread;
use std::time::Duration;

use super::client::{fetch, fragments};
use super::fake_s3::FakeS3;
use super::store;
use crate::observed::{Observed, TESTDATA, wait_for};

/// The requests for media since the last call. Looks, by which a server sees that an object is still the
/// same, are none.
pub(super) fn media_reads(store: &FakeS3) -> Vec<String> {
    let is_media = |asked: &String| asked.starts_with("GET") && asked.contains(".ismv");
    store.asked().into_iter().filter(is_media).collect()
}

/// Opens a presentation, and returns the paths of its fragments.
pub(super) fn opened(server: &Observed, at: &str) -> Vec<String> {
    let (status, manifest) = fetch(server, &format!("{at}/Manifest"));
    assert_eq!(status, 200, "{at}");
    let paths = fragments(&String::from_utf8(manifest).unwrap());
    paths.into_iter().map(|path| format!("{at}/{path}")).collect()
}

/// Times that a busy machine does not reach by itself.
pub(super) const PATIENT: [&str; 4] = ["--store-timeout", "20", "--read-timeout", "60"];

/// Nothing is looked at a second time.
const NO_LOOKS: [&str; 2] = ["--revalidate", "3600"];

#[test]
fn a_fragment_is_one_read_the_first_time_and_none_after_that() {
    let store = store();
    let server = Observed::start_by(store.command(), &[&["s3://films"], &PATIENT[..]].concat());
    for at in ["/ladder/ladder.ism", "/ntsc/ntsc.ism"] {
        let paths = opened(&server, at);
        store.asked();
        for path in &paths {
            let (status, bytes) = fetch(&server, path);
            assert_eq!(status, 200, "{path}");
            let reads = media_reads(&store);
            assert_eq!(reads.len(), 1, "{path}: {reads:?}");
            let range = reads[0].split_once("bytes=").unwrap().1;
            let (first, last) = range.split_once('-').unwrap();
            let length = last.parse::<usize>().unwrap() + 1 - first.parse::<usize>().unwrap();
            assert!(length >= bytes.len(), "{path}: {} of {}", length, bytes.len());
        }
        for path in &paths {
            assert_eq!(fetch(&server, path).0, 200);
        }
        assert_eq!(media_reads(&store), Vec::<String>::new(), "{at}");
    }
}

#[test]
fn a_segment_of_hls_or_dash_is_one_read_as_well() {
    let store = store();
    let options = [&["s3://films", "--hot-memory", "0"], &PATIENT[..]].concat();
    let server = Observed::start_by(store.command(), &options);
    let at = "/ladder/ladder.ism";
    let text = |path: &str| String::from_utf8(fetch(&server, &format!("{at}/{path}")).1).unwrap();
    let master = text("master.m3u8");
    let lines = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let playlist = lines(&master).remove(0);
    let segments = lines(&text(&playlist));
    assert!(segments.len() > 2, "{segments:?}");
    let folder = playlist.rsplit_once('/').map_or("", |(folder, _)| folder);
    store.asked();
    for segment in segments {
        let path = match folder {
            "" => format!("{at}/{segment}"),
            folder => format!("{at}/{folder}/{segment}"),
        };
        let (status, bytes) = fetch(&server, &path);
        assert!(status == 200 && bytes.len() > 1000, "{path}: {status}, {} bytes", bytes.len());
        let reads = media_reads(&store);
        assert_eq!(reads.len(), 1, "{path}: {reads:?}");
    }
}

#[test]
fn clients_that_want_one_fragment_at_a_time_cost_one_read() {
    let store = store();
    // Nothing is kept in memory, so that only those at the same time share a read.
    let options = [&["s3://films", "--hot-memory", "0"][..], &PATIENT, &NO_LOOKS].concat();
    let server = Observed::start_by(store.command(), &options);
    let paths = opened(&server, "/ladder/ladder.ism");
    store.asked();
    store.delay(Duration::from_secs(3));
    let bodies: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(|| fetch(&server, &paths[1]))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(bodies.iter().all(|body| body.0 == 200 && *body == bodies[0]));
    let reads = media_reads(&store);
    assert_eq!(reads.len(), 1, "{reads:?}");
}

#[test]
fn a_folder_beside_a_store_gives_the_same_bytes_and_a_fragment_of_the_store_is_one_read() {
    let store = store();
    let places = ["s=s3://films/ladder", &format!("f={TESTDATA}/ladder")];
    let server = Observed::start_by(store.command(), &[&places, &PATIENT[..]].concat());
    let paths = opened(&server, "/s/ladder.ism");
    store.asked();
    for path in &paths {
        let of_folder = fetch(&server, &path.replacen("/s/", "/f/", 1));
        assert!(media_reads(&store).is_empty());
        assert!(fetch(&server, path) == of_folder, "{path}");
        assert_eq!(media_reads(&store).len(), 1, "{path}");
    }
}

#[test]
fn a_slow_request_is_made_a_second_time_if_the_operator_wants_that() {
    let store = store();
    let places = ["s3://films/ladder", "--operator-listen", "127.0.0.1:0"];
    let options = [&places[..], &PATIENT, &NO_LOOKS].concat();
    let hedged = [&options[..], &["--store-hedge", "0.3", "--store-hedge-limit", "100"]].concat();
    let counted = |server: &Observed, name: &str| {
        let text = server.ask_at(server.operator(), "GET /metrics", &[]).body;
        let line = format!("{name}{{store=\"s3://films/ladder\"}} ");
        let value = text.lines().find_map(|line_of| line_of.strip_prefix(&line));
        value.unwrap_or_else(|| panic!("{name}: {text}")).parse::<u64>().unwrap()
    };
    for (options, is_hedged) in [(&hedged, true), (&options, false)] {
        let server = Observed::start_by(store.command(), options);
        let paths = opened(&server, "/ladder.ism");
        store.asked();
        store.delay_once(Duration::from_secs(3));
        assert_eq!(fetch(&server, &paths[0]).0, 200);
        let reads = media_reads(&store);
        assert_eq!(reads.len() > 1, is_hedged, "{reads:?}");
        assert_eq!(counted(&server, "serve_store_hedges_total") > 0, is_hedged);
        assert_eq!(counted(&server, "serve_store_hedges_won_total") > 0, is_hedged);
        assert_eq!(counted(&server, "serve_store_hedges_over_limit_total"), 0);
        assert_eq!(counted(&server, "serve_store_retries_total"), 0);
    }
}

#[test]
fn the_time_and_the_number_of_tries_are_what_the_operator_says() {
    let store = store();
    let times = ["--store-timeout", "3", "--store-tries", "2", "--read-timeout", "30"];
    let options = [&["s3://films"], &times[..], &NO_LOOKS].concat();
    let server = Observed::start_by(store.command(), &options);
    let paths = opened(&server, "/ladder/ladder.ism");
    store.asked();
    // Longer than the time for a fragment of this size.
    store.delay(Duration::from_secs(12));
    assert_eq!(fetch(&server, &paths[0]).0, 503);
    let reads = media_reads(&store);
    assert_eq!(reads.len(), 2, "{reads:?}");
}

#[test]
fn fragments_that_follow_are_read_ahead_if_that_is_asked_for() {
    let store = store();
    let options = [&["s3://films", "--read-ahead", "2"], &PATIENT[..], &NO_LOOKS].concat();
    let server = Observed::start_by(store.command(), &options);
    let mut paths = opened(&server, "/ladder/ladder.ism");
    let of_track = |path: &str| path.split_once('=').unwrap().0.to_owned();
    let first = of_track(&paths[0]);
    paths.retain(|path| of_track(path) == first);
    store.asked();
    assert_eq!(fetch(&server, &paths[0]).0, 200);
    let mut reads = Vec::new();
    wait_for("two more reads", || {
        reads.extend(media_reads(&store));
        (reads.len() >= 3).then_some(())
    });
    assert_eq!(reads.len(), 3, "{reads:?}");
    for path in &paths[1..3] {
        assert_eq!(fetch(&server, path).0, 200);
    }
    // Each was read once: by its request, or before it.
    wait_for("the reads behind the third one", || {
        reads.extend(media_reads(&store));
        (reads.len() >= 5).then_some(())
    });
    reads.sort();
    reads.dedup();
    assert_eq!(reads.len(), 5, "{reads:?}");
}

#[test]
fn checks_leave_media_out_if_that_is_asked_for() {
    let store = store();
    let server = |more: &[&str]| {
        let options = [&["s3://films", "--revalidate", "0"], more].concat();
        Observed::start_by(store.command(), &options)
    };
    let looks = |server: &Observed| {
        fetch(server, "/ladder/ladder.ism/Manifest");
        store.asked();
        assert_eq!(fetch(server, "/ladder/ladder.ism/Manifest").0, 200);
        store.asked()
    };
    let all = looks(&server(&[]));
    assert!(all.iter().any(|asked| asked.contains(".ismv")), "{all:?}");
    let few = looks(&server(&["--revalidate-media", "3600"]));
    assert!(few.iter().any(|asked| asked.contains(".ismc")), "{few:?}");
    assert!(!few.iter().any(|asked| asked.contains(".ismv")), "{few:?}");
}

#[test]
fn options_of_reads_without_effect_are_refused() {
    for (arguments, words) in [
        (&["--read-ahead", "2"][..], "--read-ahead has no effect while only folders"),
        (
            &["s3://films", "--read-ahead", "2", "--hot-memory", "0"],
            "--read-ahead has no effect while --hot-memory is 0",
        ),
        (&["--revalidate-media", "5"], "--revalidate (5 seconds) is not shorter"),
    ] {
        let (status, errors) = crate::program::refused(arguments);
        assert_eq!(status, 2, "{errors}");
        assert!(errors.contains(words), "{errors}");
    }
}
