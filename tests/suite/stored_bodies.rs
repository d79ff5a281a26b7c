//! Bodies that a host sends itself: exactly the bytes of the body, of one version of the file.

#![cfg(all(unix, feature = "fs"))]

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use smooth_origin::base::ErrorKind;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{StoredBody, block_on};
use smooth_origin::storage::{LocalFile, LocalStore, MemoryObject, RangeSource, Store};
use testkit::film::{self, Style, Track, ism};
use testkit::folder::{Folder, trusting};
use testkit::{name, read, served};

const FRAGMENT: &str = "/film.ism/QualityLevels(300)/Fragments(video=20000000)";

/// A presentation of two fragments, whose samples are of this byte.
fn media(value: u8) -> Vec<u8> {
    let track = Track::regular(1, StreamKind::Video, 2, 20_000_000, 2_000_000);
    film::media(&[track], Style::default()).filled(value)
}

fn folder(test: &str) -> (Folder, PathBuf) {
    let root = Folder::new(test);
    root.write("film.ism", &ism(None, &[("video", "film.ismv", 300, 1, "")]));
    let path = root.write("film.ismv", &media(b'A'));
    (root, path)
}

/// Returns the bytes that a host would send, through the descriptor.
fn taken(body: &StoredBody) -> Vec<u8> {
    let source = block_on(body.source()).unwrap();
    assert!(source.downcast_ref::<MemoryObject>().is_none());
    let file = source.downcast_ref::<LocalFile>().unwrap();
    let descriptor = File::from(file.as_fd().try_clone_to_owned().unwrap());
    let range = body.range();
    let mut bytes = vec![0; (range.end - range.start) as usize];
    descriptor.read_exact_at(&mut bytes, range.start).unwrap();
    bytes
}

fn rewrite(path: &PathBuf) {
    std::thread::sleep(Duration::from_millis(20)); // a tick of the file system's clock
    std::fs::write(path, media(b'B')).unwrap();
}

#[test]
fn a_fragment_is_stored_and_so_is_a_range_of_it() {
    let (root, _path) = folder("stored");
    let origin = trusting(LocalStore::new(&root).unwrap());
    // The first answer comes with bytes that were read to make it.
    for _ in 0..2 {
        let fragment = served(&origin, FRAGMENT).unwrap();
        let whole = read(&fragment).unwrap();
        assert_eq!(taken(&fragment.body().stored().unwrap()), whole);
        for range in [0..1, 5..4000, 5000..1_000_000, whole.len() as u64 - 1..whole.len() as u64] {
            let stored = fragment.body_of(range.clone()).stored().unwrap();
            assert_eq!(taken(&stored), whole[range.start as usize..range.end as usize]);
        }
    }
}

#[test]
fn what_is_made_here_or_begun_is_not_stored() {
    let (root, _path) = folder("not-stored");
    let origin = trusting(LocalStore::new(&root).unwrap());
    for made in ["/film.ism/Manifest", "/film.ism/QualityLevels(300)/FragmentInfo(video=0)"] {
        let served = served(&origin, made).unwrap();
        let of_file = made.ends_with(')');
        assert_eq!(served.body().stored().is_some(), of_file && served.reply().stored().is_some());
    }
    // What is left of a body is, as soon as nothing is being read.
    let fragment = served(&origin, FRAGMENT).unwrap();
    let mut body = fragment.body();
    let first = block_on(body.next()).unwrap().unwrap();
    let rest = taken(&body.stored().unwrap());
    assert_eq!([&first[..], &rest].concat(), read(&fragment).unwrap());
    while block_on(body.next()).is_some() {}
    assert!(body.stored().is_none());
}

#[test]
#[cfg(any(feature = "dash", feature = "hls"))]
fn behind_the_head_of_a_segment_all_is_stored() {
    let (root, _path) = folder("segment");
    let origin = trusting(LocalStore::new(&root).unwrap());
    // The first answer writes the head, the second finds it.
    for _ in 0..2 {
        let segment = served(&origin, "/film.ism/video-300/20000000.m4s").unwrap();
        let whole = read(&segment).unwrap();
        let mut body = segment.body();
        assert!(body.stored().is_none());
        let head = block_on(body.next()).unwrap().unwrap();
        assert!(head.len() < 200, "{} bytes", head.len());
        let stored = taken(&body.stored().unwrap());
        assert!([&head[..], &stored].concat() == whole);
    }
}

#[test]
fn a_file_is_stored_whole() {
    let (root, _path) = folder("stored-file");
    root.write("cover.jpg", b"a picture");
    let origin = trusting(LocalStore::new(&root).unwrap());
    let file = block_on(origin.file(&name("cover.jpg"))).unwrap();
    assert_eq!(taken(&file.body().stored().unwrap()), b"a picture");
}

#[test]
fn a_file_that_is_rewritten_is_noticed_and_opened_again() {
    let (root, path) = folder("stored-rewritten");
    let origin = trusting(LocalStore::new(&root).unwrap());
    let body = served(&origin, FRAGMENT).unwrap().body().stored().unwrap();
    let source = block_on(body.source()).unwrap();
    let file = source.downcast_ref::<LocalFile>().unwrap();
    file.check().unwrap();
    rewrite(&path);
    let error = body.failed(file.check().unwrap_err());
    assert!(matches!(error.kind, ErrorKind::Read(_)), "{error}");
    // Told of it, the origin looks at once.
    let fragment = served(&origin, FRAGMENT).unwrap();
    assert!(read(&fragment).unwrap().ends_with(&[b'B'; 1000]));
}

#[test]
fn the_age_of_a_file_is_that_of_its_last_change_whatever_its_time_of_modification_says() {
    let (root, path) = folder("stored-age");
    let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(86_400));
    for modified in [SystemTime::now() - 1000 * day, SystemTime::now() + day] {
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        let file = block_on(LocalStore::new(&root).unwrap().open(&name("film.ismv"))).unwrap();
        let stat = block_on(file.stat()).unwrap();
        assert_eq!(stat.modified, Some(modified));
        assert!(stat.age.unwrap().at_least < hour && file.age().at_least < hour);
    }
}

#[test]
fn what_has_nothing_to_do_with_the_file_changes_nothing() {
    let (root, path) = folder("stored-failed");
    let origin = trusting(LocalStore::new(&root).unwrap());
    let old = served(&origin, FRAGMENT).unwrap().reply().validator();
    let body = served(&origin, FRAGMENT).unwrap().body().stored().unwrap();
    body.failed(io::ErrorKind::BrokenPipe.into());
    // By rename: the old one goes on to be sent as long as it is not looked for.
    root.write("new.ismv", &media(b'B'));
    std::fs::rename(root.0.join("new.ismv"), path).unwrap();
    assert!(taken(&body).ends_with(&[b'A'; 1000]));
    assert_eq!(served(&origin, FRAGMENT).unwrap().reply().validator(), old);
}

#[cfg(feature = "http")]
#[test]
fn the_service_gives_it_for_a_whole_and_for_one_range() {
    use http::Request;
    use smooth_origin::service::OriginService;

    let (root, _path) = folder("stored-service");
    let origin = trusting(LocalStore::new(&root).unwrap());
    let whole = read(&served(&origin, FRAGMENT).unwrap()).unwrap();
    let service = OriginService::new(origin);
    let stored = |method: &str, range: &str| {
        let request = Request::builder().method(method).uri(FRAGMENT);
        let request = request.header("host", "localhost").header("range", range);
        let request = request.body(()).unwrap();
        let response = block_on(service.respond(&request));
        (response.status().as_u16(), response.body().stored().map(|stored| taken(&stored)))
    };
    assert_eq!(stored("GET", ""), (200, Some(whole.clone())));
    assert_eq!(stored("GET", "bytes=7-99"), (206, Some(whole[7..100].to_vec())));
    assert_eq!(stored("GET", "bytes=0-1,500-501"), (206, None));
    assert_eq!(stored("GET", "bytes=99999999-"), (416, None));
    assert_eq!(stored("HEAD", ""), (200, None));
}
