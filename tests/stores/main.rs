//! Stores keep their promises; and no complete reply mixes two versions of a file.

use std::collections::BTreeMap;

use smooth_origin::base::{ErrorKind, ReadErrorKind};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::storage::{Faults, FaultyStore, MemoryStore, conformance};
use testkit::film::{self, Fragment, Style, Track, ism, ismc};
use testkit::{get, name, read, served, store};

#[test]
fn memory_keeps_the_promises_of_a_store() {
    let store = store([("folder/object", b"some content".to_vec())]);
    block_on(conformance::store(&store, &name("folder/object"), b"some content"));
}

#[test]
fn a_store_without_faults_behind_faults_keeps_them_too() {
    let faults = Faults { stall: 50, ..Faults::default() };
    let store = store([("object", b"some content".to_vec())]);
    let store = FaultyStore::new(store, 1, faults);
    block_on(conformance::store(&store, &name("object"), b"some content"));
}

/// A presentation whose fragments are of one byte value each: 0x11 in the first version.
fn versioned(value: u8) -> (Vec<u8>, Vec<u8>) {
    let fragments =
        (0..3).map(|i| Fragment { time: i * 20_000_000, samples: vec![(20_000_000, 3_000_000)] });
    let track = Track::new(1, StreamKind::Video, fragments.collect());
    let media = film::media(&[track], Style::default());
    let elements = [("video", "film.ismv", 300, 1, "")];
    (ism(None, &elements), media.filled(value))
}

const FRAGMENT: &str = "film.ism/QualityLevels(300)/Fragments(video=20000000)";

/// The payload's value, where all of it has one.
fn value(body: &[u8]) -> Option<u8> {
    let payload = &body[body.len() - 3_000_000..];
    payload.iter().all(|byte| *byte == payload[0]).then_some(payload[0])
}

#[test]
fn a_reply_over_a_store_with_faults_is_whole_and_right_or_an_error() {
    let (server, media) = versioned(0x11);
    let client = ismc(&[(StreamKind::Video, "video", &[300], &[0, 20_000_000, 40_000_000])]);
    let server = String::from_utf8(server).unwrap().replace(
        "<smil>",
        "<smil><head><meta name=\"clientManifestRelativePath\" content=\"film.ismc\"/></head>",
    );
    let store =
        store([("film.ism", server.into_bytes()), ("film.ismc", client), ("film.ismv", media)]);
    let right = get(&Origin::new(store.clone()), FRAGMENT).unwrap();
    let mut outcomes = BTreeMap::<String, usize>::new();
    for seed in 0..600 {
        let faults = match seed % 3 {
            0 => Faults { fail: 10, stall: 20, ..Faults::default() },
            1 => Faults { shorten: 10, stall: 20, ..Faults::default() },
            _ => Faults { change: 10, fail: 2, ..Faults::default() },
        };
        let origin = Origin::new(FaultyStore::new(store.clone(), seed, faults));
        let outcome = match served(&origin, FRAGMENT) {
            Ok(served) => match read(&served) {
                Ok(body) => {
                    assert_eq!(body, right, "seed {seed}");
                    "whole".to_owned()
                }
                Err(error) => format!("cut {}", error.kind.code()),
            },
            Err(error) => format!("refused {}", error.kind.code()),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    // What is there is never said to be missing, or broken, because it could not be read.
    let known = ["whole", "cut read-failed", "refused read-failed", "refused unsettled"];
    assert_eq!(
        outcomes.keys().map(String::as_str).collect::<Vec<_>>(),
        ["cut read-failed", "refused read-failed", "refused unsettled", "whole"]
    );
    assert!(known.iter().all(|outcome| outcomes[*outcome] > 50), "{outcomes:?}");
}

#[test]
fn a_new_version_of_an_object_in_memory_does_not_touch_a_body_in_flight() {
    let (server, old) = versioned(0x11);
    let store = store([("film.ism", server), ("film.ismv", old)]);
    let origin = Origin::new(store.clone());
    let mut body = served(&origin, FRAGMENT).unwrap().body();
    let first = block_on(body.next()).unwrap().unwrap();
    store.put(name("film.ismv"), versioned(0x22).1);
    let mut bytes = first.to_vec();
    while let Some(part) = block_on(body.next()) {
        bytes.extend_from_slice(&part.unwrap());
    }
    assert_eq!(value(&bytes), Some(0x11));
}

#[test]
fn more_files_than_may_be_open_are_opened_again_in_the_same_version() {
    let one = |id| {
        let fragment =
            |i: i64| Fragment { time: i * 20_000_000, samples: vec![(20_000_000, 100_000)] };
        film::media(
            &[Track::new(id, StreamKind::Video, (0..3).map(fragment).collect())],
            Style::default(),
        )
    };
    let files: Vec<String> = (1..=8).map(|id| format!("{id}.ismv")).collect();
    let elements: Vec<_> = files
        .iter()
        .zip(1..)
        .map(|(file, id)| ("video", file.as_str(), id * 100, id, ""))
        .collect();
    let store = MemoryStore::new();
    store.put(name("film.ism"), ism(None, &elements));
    for (file, id) in files.iter().zip(1..) {
        store.put(name(file), one(id).to_bytes());
    }
    let origin = Origin::builder(store.clone()).max_open_files(2).build();
    for round in 0..2 {
        for (id, file) in (1..=8).zip(&files) {
            let path = format!("film.ism/QualityLevels({})/Fragments(video=20000000)", id * 100);
            let body = get(&origin, &path).unwrap();
            let range = one(id).fragments[1].2.clone();
            assert_eq!(body.len() as u64, range.end - range.start, "{round} {file}");
        }
    }
    // A file that is another by the time it is opened again is not served as the old one: the
    // answer is of the new one, and a body of the old one is cut.
    let path = "film.ism/QualityLevels(100)/Fragments(video=40000000)";
    let old = served(&origin, path).unwrap();
    get(&origin, "film.ism/QualityLevels(700)/Fragments(video=0)").unwrap();
    get(&origin, "film.ism/QualityLevels(800)/Fragments(video=0)").unwrap();
    store.put(name("1.ismv"), one(1).to_bytes());
    let ErrorKind::Read(error) = read(&old).unwrap_err().kind else { panic!("a read failed") };
    assert_eq!(error.kind, ReadErrorKind::Changed);
    assert!(get(&origin, path).is_ok());
}

#[cfg(all(unix, feature = "fs"))]
mod links;
mod mounts;
#[cfg(all(unix, feature = "fs"))]
mod root;
mod round_trips;
#[cfg(all(unix, feature = "fs"))]
mod spellings;
mod wrapping;

#[cfg(all(unix, feature = "fs"))]
mod local {
    use std::fs;
    use std::io::{ErrorKind, Write};
    use std::os::unix::fs::symlink;
    use std::path::Path;
    #[cfg(target_os = "linux")]
    use std::sync::Arc;
    #[cfg(target_os = "linux")]
    use std::sync::atomic::{AtomicUsize, Ordering};
    #[cfg(target_os = "linux")]
    use std::time::Duration;

    use smooth_origin::storage::{LocalStore, RangeSource, Store};
    use testkit::folder::{Folder, trusting};

    use super::*;

    #[test]
    fn local_files_keep_the_promises_of_a_store() {
        let folder = Folder::new("promises");
        folder.write("folder/été.bin", b"some content");
        block_on(conformance::store(
            &LocalStore::new(&folder).unwrap(),
            &name("folder/été.bin"),
            b"some content",
        ));
        assert!(LocalStore::new(folder.0.join("missing")).is_err());
        assert!(LocalStore::new(folder.0.join("folder/été.bin")).is_err());
    }

    fn refused(store: &LocalStore, path: &str) -> ErrorKind {
        match block_on(store.open(&name(path))) {
            Ok(_) => panic!("{path} was opened"),
            Err(error) => error.kind(),
        }
    }

    #[test]
    fn links_are_followed_below_the_root_and_never_out_of_it() {
        let outside = Folder::new("outside");
        outside.write("secret", b"secret");
        let folder = Folder::new("links");
        folder.write("inside/file", b"content");
        symlink("inside/file", folder.0.join("to-file")).unwrap();
        symlink("inside", folder.0.join("to-folder")).unwrap();
        symlink(outside.0.join("secret"), folder.0.join("out")).unwrap();
        symlink(&outside.0, folder.0.join("out-folder")).unwrap();
        let beside = Path::new("..").join(outside.0.file_name().unwrap());
        symlink(beside.join("secret"), folder.0.join("out-relative")).unwrap();
        symlink("round", folder.0.join("round")).unwrap();
        symlink("/proc/self/environ", folder.0.join("magic")).unwrap();
        let store = LocalStore::new(&folder).unwrap();
        for path in ["to-file", "to-folder/file"] {
            let source = block_on(store.open(&name(path))).unwrap();
            assert_eq!(block_on(source.read(0..7)).unwrap(), b"content"[..], "{path}");
        }
        for path in ["out", "out-folder/secret", "out-relative", "round", "magic"] {
            assert_eq!(refused(&store, path), ErrorKind::NotFound, "{path}");
        }
    }

    #[test]
    fn only_regular_files_are_opened_and_a_fifo_stops_nobody() {
        let folder = Folder::new("special");
        folder.write("folder/file", b"content");
        let fifo = folder.0.join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        let _socket = std::os::unix::net::UnixListener::bind(folder.0.join("socket")).unwrap();
        let store = LocalStore::new(&folder).unwrap();
        assert_eq!(refused(&store, "folder"), ErrorKind::IsADirectory);
        assert_eq!(refused(&store, "fifo"), ErrorKind::NotFound);
        assert_eq!(refused(&store, "socket"), ErrorKind::NotFound);
        assert_eq!(refused(&LocalStore::new("/dev").unwrap(), "null"), ErrorKind::NotFound);
    }

    /// A store that counts the reads that it makes elsewhere, of a file that no cache holds.
    #[cfg(target_os = "linux")]
    fn cold(folder: &Folder, content: &[u8]) -> (LocalStore, Arc<AtomicUsize>) {
        use rustix::fs::{Advice, fadvise};

        let file = fs::File::open(folder.write("file", content)).unwrap();
        file.sync_all().unwrap();
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        let elsewhere = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&elsewhere);
        let store = LocalStore::new(folder).unwrap().cold_reads(move |read| {
            count.fetch_add(1, Ordering::Relaxed);
            async { std::thread::spawn(read).join().unwrap() }
        });
        (store, elsewhere)
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_the_page_cache_does_not_hold_is_read_elsewhere() {
        let folder = Folder::new("cold");
        let content: Vec<u8> =
            (0..1_000_000_u32).flat_map(|n| n.to_be_bytes()[2..].to_vec()).collect();
        let (store, elsewhere) = cold(&folder, &content);
        let file = block_on(store.open(&name("file"))).unwrap();
        // Looking at a page has the system read it: this one is not the last of the read.
        let was_cached = file.is_cached(&(0..500_000));
        assert_eq!(block_on(file.read(0..1_000_000)).unwrap(), content[..1_000_000]);
        assert_eq!(elsewhere.load(Ordering::Relaxed), usize::from(!was_cached));
        // Now it is there, unless the file system cannot tell, as one in memory.
        let is_cached = file.is_cached(&(0..1_000_000));
        assert_eq!(block_on(file.read(0..1_000_000)).unwrap(), content[..1_000_000]);
        let reads = usize::from(!was_cached) + usize::from(!is_cached);
        assert_eq!(elsewhere.load(Ordering::Relaxed), reads);
        // Of what the file does not have nothing is asked.
        assert_eq!(block_on(file.read(0..2_000_000)).unwrap(), content);
        assert_eq!(file.is_cached(&(0..u64::MAX)), file.is_cached(&(0..2_000_000)));
        eprintln!("cached before: {was_cached}, after: {is_cached}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_store_that_reads_elsewhere_keeps_its_promises() {
        let folder = Folder::new("cold-promises");
        let (store, _) = cold(&folder, b"some content");
        block_on(conformance::store(&store, &name("file"), b"some content"));
        let file = block_on(store.open(&name("file"))).unwrap();
        let (store, elsewhere) = cold(&folder, b"OTHER content");
        // Written in place, so that it is another version of the file that was opened.
        let error = block_on(file.read(0..4)).unwrap_err();
        assert!(error.to_string().contains("changed"), "{error}");
        drop((store, elsewhere));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_disk_that_never_answers_is_given_up() {
        let folder = Folder::new("hangs");
        let (server, media) = versioned(1);
        folder.write("film.ism", &server);
        let media = fs::File::open(folder.write("film.ismv", &media)).unwrap();
        media.sync_all().unwrap();
        rustix::fs::fadvise(&media, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        let store = LocalStore::new(&folder).unwrap().cold_reads(|_| std::future::pending());
        let origin = Origin::builder(store).read_timeout(Duration::from_millis(500)).build();
        let file = block_on(origin.file(&name("film.ismv"))).unwrap();
        let read = block_on(file.body().next()).unwrap();
        assert_eq!(read.unwrap_err().kind.status(), 503);
    }

    fn served_from(folder: &Folder, value: u8) -> (Origin, Vec<u8>) {
        let (server, media) = versioned(value);
        folder.write("film.ism", &server);
        folder.write("film.ismv", &media);
        (trusting(LocalStore::new(folder).unwrap()), media)
    }

    #[test]
    fn a_file_replaced_by_rename_during_a_body_does_not_change_the_body() {
        let folder = Folder::new("rename");
        let (origin, _) = served_from(&folder, 0x11);
        let mut body = served(&origin, FRAGMENT).unwrap().body();
        let mut bytes = block_on(body.next()).unwrap().unwrap().to_vec();
        let new = folder.write("new.ismv", &versioned(0x22).1);
        fs::rename(new, folder.0.join("film.ismv")).unwrap();
        while let Some(part) = block_on(body.next()) {
            bytes.extend_from_slice(&part.unwrap());
        }
        assert_eq!(value(&bytes), Some(0x11));
    }

    #[test]
    fn a_file_removed_during_a_body_does_not_change_the_body() {
        let folder = Folder::new("remove");
        let (origin, _) = served_from(&folder, 0x11);
        let mut body = served(&origin, FRAGMENT).unwrap().body();
        let mut bytes = block_on(body.next()).unwrap().unwrap().to_vec();
        fs::remove_file(folder.0.join("film.ismv")).unwrap();
        while let Some(part) = block_on(body.next()) {
            bytes.extend_from_slice(&part.unwrap());
        }
        assert_eq!(value(&bytes), Some(0x11));
    }

    #[test]
    fn a_file_rewritten_in_place_during_a_body_cuts_the_body_and_the_next_is_new() {
        // Parts of the body that are read before the file is rewritten: none, one, some.
        for parts in 0..4 {
            let folder = Folder::new(&format!("rewrite-{parts}"));
            let (origin, old) = served_from(&folder, 0x11);
            // The first answer reads the head; this one knows where the fragment lies.
            served(&origin, FRAGMENT).unwrap();
            let mut body = served(&origin, FRAGMENT).unwrap().body();
            for _ in 0..parts {
                block_on(body.next()).unwrap().unwrap();
            }
            // Same place, same length, other bytes.
            let new = versioned(0x22).1;
            assert_eq!(new.len(), old.len());
            let file = fs::OpenOptions::new().write(true).open(folder.0.join("film.ismv"));
            file.unwrap().write_all(&new).unwrap();

            let error = block_on(body.next()).unwrap().unwrap_err();
            assert_eq!(error.kind.code(), "read-failed", "{error}");
            assert!(body.remaining() > 0, "a cut body is not taken for a whole one");
            assert!(block_on(body.next()).is_none());
            assert_eq!(value(&get(&origin, FRAGMENT).unwrap()), Some(0x22));
        }
    }

    #[test]
    fn a_file_that_shrinks_during_a_body_cuts_it() {
        let folder = Folder::new("shrink");
        let (origin, _) = served_from(&folder, 0x11);
        let mut body = served(&origin, FRAGMENT).unwrap().body();
        block_on(body.next()).unwrap().unwrap();
        let file = fs::OpenOptions::new().write(true).open(folder.0.join("film.ismv")).unwrap();
        file.set_len(100).unwrap();
        assert!(block_on(body.next()).unwrap().is_err());
    }
}
