//! Files that changed a moment ago: they are not served until they have settled, and the version
//! that was open before continues to be served as far as it is intact.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use smooth_origin::base::{Error, ErrorKind, ReadError, ReadErrorKind};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Level, Origin, OriginBuilder, block_on};
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Style, Track, ism};
use testkit::written::WrittenStore;
use testkit::{Hands, get, name, read, served, status, store};

const VIDEO: (&str, &str, u32, u32, &str) = ("video", "film.ismv", 300, 1, "");
const AUDIO: (&str, &str, u32, u32, &str) = ("audio", "sound.isma", 64, 1, "");

const MANIFEST: &str = "film.ism/Manifest";
const FIRST: &str = "film.ism/QualityLevels(300)/Fragments(video=0)";
const SECOND: &str = "film.ism/QualityLevels(300)/Fragments(video=20000000)";
const INFO: &str = "film.ism/QualityLevels(300)/FragmentInfo(video=0)";
const SOUND: &str = "film.ism/QualityLevels(64)/Fragments(audio=0)";
const ALL: [&str; 4] = [MANIFEST, FIRST, INFO, SOUND];

/// Makes three fragments whose payloads repeat this byte.
fn media(kind: StreamKind, value: u8) -> Vec<u8> {
    let track = Track::regular(1, kind, 3, 20_000_000, 2 << 20);
    film::media(&[track], Style::default()).filled(value)
}

fn put_film(store: &WrittenStore) {
    store.replace("film.ism", ism(None, &[VIDEO, AUDIO]));
    store.replace("film.ismv", media(StreamKind::Video, b'A'));
    store.replace("sound.isma", media(StreamKind::Audio, b'A'));
}

fn builder(store: &WrittenStore, hands: &Hands) -> OriginBuilder {
    let settling = Duration::from_secs(3);
    Origin::builder(store.clone()).settling_time(settling).clock(hands.clock()).timer(hands.timer())
}

/// Opens a film that has not changed for an hour.
fn opened() -> (Hands, WrittenStore, Origin) {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    put_film(&store);
    hands.pass(3600);
    let origin = builder(&store, &hands).build();
    hands.pass(10);
    assert_eq!(ALL.map(|path| status(&origin, path)), [200; 4]);
    (hands, store, origin)
}

/// Returns the last byte of a fragment.
fn version(origin: &Origin, path: &str) -> u8 {
    *get(origin, path).unwrap().last().unwrap()
}

/// Returns how long a request that is refused would have to wait.
fn wait(origin: &Origin, path: &str) -> Option<u64> {
    let error = block_on(origin.answer(path)).err()?;
    assert_eq!((error.kind.status(), error.kind.code()), (503, "unsettled"), "{path}: {error}");
    wait_of(&error)
}

fn wait_of(error: &Error) -> Option<u64> {
    match error.kind {
        ErrorKind::Read(ReadError { kind: ReadErrorKind::Unsettled { wait }, .. }) => {
            Some(wait.as_secs())
        }
        _ => None,
    }
}

#[test]
fn a_presentation_that_was_put_in_place_a_moment_ago_is_opened_when_it_has_settled() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    let origin = builder(&store, &hands).build();
    hands.pass(10);
    assert_eq!(status(&origin, MANIFEST), 404);
    hands.pass(10);
    put_film(&store);
    assert_eq!(ALL.map(|path| wait(&origin, path)), [Some(3); 4]);
    hands.pass(2);
    // One file is put in place later than the others.
    store.replace("sound.isma", media(StreamKind::Audio, b'B'));
    hands.pass(1);
    assert_eq!(wait(&origin, MANIFEST), Some(2));
    hands.pass(2);
    assert_eq!(ALL.map(|path| status(&origin, path)), [200; 4]);
}

#[test]
fn old_content_is_served_at_once() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    put_film(&store);
    hands.pass(3);
    let origin = builder(&store, &hands).build();
    assert_eq!(ALL.map(|path| status(&origin, path)), [200; 4]);
}

#[test]
fn right_after_the_start_a_request_waits_for_files_instead() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    put_film(&store);
    hands.pass(1);
    let origin = builder(&store, &hands).build();
    let mut answer = Box::pin(origin.answer(FIRST));
    let mut poll = || answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending());
    hands.pass(1);
    assert!(poll().is_pending());
    hands.pass(1);
    block_on(answer).unwrap();
}

#[test]
fn right_after_the_start_an_opening_waits_for_all_its_files_together_for_a_limited_time() {
    // The store does not know the age of its files: each settles after it is first seen, and the
    // media is first seen when the server manifest has settled.
    for (settling, is_opened) in [(1, true), (2, false)] {
        let hands = Hands::default();
        let store = WrittenStore::new(&hands);
        store.lose_times();
        put_film(&store);
        let settling = Duration::from_secs(settling);
        let origin = builder(&store, &hands).settling_time(settling).build();
        let mut answer = Box::pin(origin.answer(FIRST));
        let answer = loop {
            match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(answer) => break answer,
                Poll::Pending => hands.pass(1),
            }
        };
        match answer {
            Ok(_) => assert!(is_opened),
            Err(error) => assert_eq!((wait_of(&error), is_opened), (Some(2), false), "{error}"),
        }
        hands.pass(2);
        assert_eq!(ALL.map(|path| status(&origin, path)), [200; 4]);
    }
}

#[test]
fn a_file_that_still_changes_right_after_the_start_is_waited_for_once() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    put_film(&store);
    hands.pass(1);
    let origin = builder(&store, &hands).build();
    let mut answer = Box::pin(origin.answer(FIRST));
    let mut poll = || answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending());
    hands.pass(2);
    store.rewrite("film.ism", ism(None, &[VIDEO]));
    let error = block_on(answer).unwrap_err();
    assert_eq!(wait_of(&error), Some(3));
}

#[test]
fn a_body_of_a_file_that_is_rewritten_is_cut_and_then_nothing_of_the_file_is_promised() {
    let (hands, store, origin) = opened();
    let reply = served(&origin, FIRST).unwrap();
    let mut body = reply.body();
    block_on(body.next()).unwrap().unwrap();
    store.rewrite("film.ismv", media(StreamKind::Video, b'B'));
    let cut = std::iter::from_fn(|| block_on(body.next())).find_map(Result::err).unwrap();
    assert!(matches!(&cut.kind, ErrorKind::Read(read) if read.kind == ReadErrorKind::Changed));
    for path in [FIRST, SECOND, INFO] {
        assert_eq!(wait(&origin, path), Some(3), "{path}");
    }
    // The other file and the manifest are unchanged.
    assert_eq!((status(&origin, MANIFEST), version(&origin, SOUND)), (200, b'A'));
    // The file changes again before it has settled.
    hands.pass(2);
    store.rewrite("film.ismv", media(StreamKind::Video, b'C'));
    hands.pass(2);
    assert_eq!(wait(&origin, FIRST), Some(1));
    hands.pass(1);
    assert_eq!((version(&origin, FIRST), version(&origin, INFO)), (b'C', version(&origin, INFO)));
    assert_eq!(version(&origin, SOUND), b'A');
}

#[test]
fn a_rewrite_that_no_read_has_met_is_found_by_the_next_look_and_nothing_is_promised() {
    let (hands, store, origin) = opened();
    // The first three seconds have passed when the files are looked at.
    hands.pass(4);
    store.rewrite("film.ismv", media(StreamKind::Video, b'B'));
    hands.pass(1);
    assert_eq!([FIRST, SECOND].map(|path| wait(&origin, path)), [Some(2); 2]);
    hands.pass(2);
    assert_eq!(version(&origin, FIRST), b'B');
}

#[test]
fn a_file_that_was_replaced_is_served_from_the_old_one_until_the_new_one_has_settled() {
    let (hands, store, origin) = opened();
    hands.pass(4);
    store.replace("film.ismv", media(StreamKind::Video, b'B'));
    for after in [1, 1] {
        hands.pass(after);
        assert_eq!([FIRST, SECOND].map(|path| version(&origin, path)), [b'A'; 2]);
    }
    hands.pass(1);
    assert_eq!([FIRST, SECOND].map(|path| version(&origin, path)), [b'B'; 2]);
}

#[test]
fn an_old_file_that_was_replaced_and_is_closed_cannot_be_served() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    put_film(&store);
    hands.pass(3600);
    let origin = builder(&store, &hands).max_open_files(1).build();
    hands.pass(10);
    assert_eq!(ALL.map(|path| status(&origin, path)), [200; 4]);
    store.replace("film.ismv", media(StreamKind::Video, b'B'));
    // The only open file is that of the sound.
    assert_eq!(wait(&origin, SECOND), Some(3));
    hands.pass(3);
    assert_eq!(version(&origin, SECOND), b'B');
}

#[test]
fn a_file_whose_times_say_nothing_has_settled_when_it_was_seen_unchanged_for_so_long() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    store.lose_times();
    put_film(&store);
    let origin = builder(&store, &hands).build();
    hands.pass(3600);
    // The server manifest is seen first; the files that it names are seen once it has settled.
    assert_eq!(wait(&origin, MANIFEST), Some(3));
    hands.pass(3);
    assert_eq!(wait(&origin, MANIFEST), Some(3));
    hands.pass(2);
    store.rewrite("film.ismv", media(StreamKind::Video, b'B'));
    hands.pass(1);
    assert_eq!(wait(&origin, FIRST), Some(3), "another version is there now");
    hands.pass(3);
    assert_eq!(version(&origin, FIRST), b'B');
    // The file does not have to settle again for each opening.
    origin.look_again(&name("film.ism"));
    assert_eq!(status(&origin, SECOND), 200);
}

#[test]
fn without_a_settling_time_files_are_served_at_once() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    let origin = builder(&store, &hands).settling_time(Duration::ZERO).build();
    hands.pass(10);
    put_film(&store);
    assert_eq!(ALL.map(|path| status(&origin, path)), [200; 4]);
    hands.pass(1);
    store.rewrite("film.ismv", media(StreamKind::Video, b'B'));
    assert!(read(&served(&origin, FIRST).unwrap()).is_err());
    assert_eq!(version(&origin, FIRST), b'B');
}

#[test]
fn objects_that_are_never_written_to_need_not_settle() {
    let hands = Hands::default();
    let objects = store([("film.ism", ism(None, &[VIDEO]))]);
    objects.put(name("film.ismv"), media(StreamKind::Video, b'A'));
    let builder = Origin::builder(MemoryStore::clone(&objects)).settling_time(Duration::MAX);
    let origin = builder.clock(hands.clock()).build();
    assert_eq!(status(&origin, FIRST), 200);
}

#[test]
fn a_settling_presentation_is_tried_again_only_when_it_may_have_settled() {
    let hands = Hands::default();
    let store = WrittenStore::new(&hands);
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let report = move |event: &smooth_origin::origin::Event<'_>| {
        log.lock().unwrap().push((event.level(), event.to_string()));
    };
    let origin = builder(&store, &hands).on_event(report).build();
    hands.pass(10);
    put_film(&store);
    for _ in 0..10 {
        assert_eq!(wait(&origin, FIRST), Some(3));
    }
    hands.pass(3);
    assert_eq!(status(&origin, FIRST), 200);
    hands.pass(3600);
    store.rewrite("film.ismv", media(StreamKind::Video, b'B'));
    for _ in 0..10 {
        assert_eq!(wait(&origin, FIRST), Some(3));
    }
    let events = events.lock().unwrap();
    let lines: Vec<_> = events.iter().map(|(level, line)| (*level, line.as_str())).collect();
    let why = "the file changed a moment ago: film.ism is served once it has not changed for 3 s \
               (`settling_time`)";
    assert_eq!(lines[0], (Level::Warn, &*format!("film.ism: not served yet: {why}")));
    assert!(lines[1].1.starts_with("film.ism: opened in "), "{lines:?}");
    let why = why.replace("film.ism ", "film.ismv ");
    let served = format!("film.ism: served as before, as far as its files are intact: {why}");
    assert_eq!(lines[2..], [(Level::Info, &*served)]);
}

#[test]
fn a_file_beside_the_presentations_settles_too() {
    let (hands, store, origin) = opened();
    let file = || block_on(origin.file(&name("poster.jpg")));
    store.replace("poster.jpg", "half");
    assert_eq!(wait_of(&file().unwrap_err()), Some(3));
    hands.pass(2);
    store.rewrite("poster.jpg", "whole");
    hands.pass(1);
    assert_eq!(wait_of(&file().unwrap_err()), Some(2));
    hands.pass(2);
    assert_eq!(read(&file().unwrap()).unwrap(), b"whole");
}

#[test]
fn a_file_that_is_rewritten_for_the_worse_is_not_waited_for_since_the_old_one_is_gone() {
    let (hands, store, origin) = opened();
    // The last fragment and the index are missing: a finding that the old version did not have.
    let whole = media(StreamKind::Video, b'B');
    store.rewrite("film.ismv", whole[..whole.len() - (1 << 20)].to_vec());
    assert!(read(&served(&origin, FIRST).unwrap()).is_err());
    assert_eq!(wait(&origin, FIRST), Some(3));
    hands.pass(3);
    assert_eq!((version(&origin, FIRST), version(&origin, SOUND)), (b'B', b'A'));
}
