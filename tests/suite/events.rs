//! Failures are reported once, in one line with the cause. Healthy presentations give no warning.

use std::sync::{Arc, Mutex, OnceLock};

use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Event, Level, Origin, block_on};
use smooth_origin::storage::{MemoryStore, Store};
use testkit::film::{self, Style, Track, ism};
use testkit::sick::SickStore;
use testkit::{Hands, get, name, served, status, store};

const VIDEO: (&str, &str, u32, u32, &str) = ("video", "film.ismv", 400_000, 1, "");
const AUDIO: (&str, &str, u32, u32, &str) = ("audio", "sound.isma", 64, 1, "");

const MANIFEST: &str = "films/film.ism/Manifest";
const FIRST: &str = "films/film.ism/QualityLevels(400000)/Fragments(video=0)";
const SECOND: &str = "films/film.ism/QualityLevels(400000)/Fragments(video=20000000)";

fn media(kind: StreamKind, count: u32, size: u32) -> film::Media {
    film::media(&[Track::regular(1, kind, count, 20_000_000, size)], Style::default())
}

fn films() -> MemoryStore {
    store([
        ("films/film.ism", ism(None, &[VIDEO, AUDIO])),
        ("films/film.ismv", media(StreamKind::Video, 5, 100_000).to_bytes()),
        ("films/sound.isma", media(StreamKind::Audio, 5, 100).to_bytes()),
        ("films/notes.txt", b"notes".to_vec()),
    ])
}

/// Lines of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn write(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{} {event}", event.level()));
    }

    /// Lines that were written since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct Setup {
    origin: Origin,
    objects: MemoryStore,
    sick: SickStore,
    hands: Hands,
    log: Log,
}

fn setup(objects: MemoryStore) -> Setup {
    let (hands, log) = (Hands::default(), Log::default());
    let sick = SickStore::new(objects.clone());
    let lines = log.clone();
    let origin = Origin::builder(sick.clone())
        .clock(hands.clock())
        .on_event(move |event| lines.write(event))
        .build();
    Setup { origin, objects, sick, hands, log }
}

#[test]
fn a_healthy_presentation_is_reported_once_and_its_requests_are_not() {
    let Setup { origin, log, .. } = setup(films());
    for path in [MANIFEST, FIRST, SECOND, FIRST] {
        get(&origin, path).unwrap();
    }
    assert_eq!(log.take(), ["info films/film.ism: opened in 0 s: tracks served: 2 of 2"]);
    // These are the clients' affair.
    for path in ["films/film.ism/x", "films/none.ism/Manifest", "films/film.ism/QualityLevels(1)"] {
        assert!((400..500).contains(&status(&origin, path)), "{path}");
    }
    assert!(block_on(origin.file(&name("films/none.txt"))).is_err());
    assert_eq!(log.take(), [""; 0]);
}

#[test]
fn a_presentation_that_lost_a_file_is_a_warning_with_the_file_and_one_that_lost_all_an_error() {
    let Setup { origin, objects, log, hands, .. } = setup(films());
    objects.remove(&name("films/sound.isma"));
    assert_eq!(status(&origin, MANIFEST), 200);
    let [line] = &log.take()[..] else { panic!("one line") };
    assert!(
        line.starts_with("warn films/film.ism: opened in 0 s: tracks served: 1 of 2, errors: 1"),
        "{line}"
    );
    assert!(line.contains("first: error file-missing: films/sound.isma"), "{line}");
    objects.remove(&name("films/film.ismv"));
    hands.pass(5);
    assert_eq!(status(&origin, MANIFEST), 200, "served as before");
    let [line] = &log.take()[..] else { panic!("one line") };
    assert!(line.contains("its files have changed, and players would lose by it"), "{line}");
    for _ in 0..5 {
        hands.pass(5);
        assert_eq!(status(&origin, MANIFEST), 200, "served as before");
        assert_eq!(log.take(), [""; 0], "said once");
    }
    hands.pass(5);
    assert_eq!(status(&origin, MANIFEST), 500);
    let lines = log.take();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("error films/film.ism: opened again in 0 s: "), "{lines:?}");
    assert_eq!(lines[0].matches("error file-missing: films/film.ismv").count(), 1, "{lines:?}");
    assert!(lines[1].starts_with("error films/film.ism: a request failed: "), "{lines:?}");
}

#[test]
fn a_set_that_replaces_another_is_reported_as_opened_again() {
    let Setup { origin, objects, log, hands, .. } = setup(films());
    assert_eq!(status(&origin, MANIFEST), 200);
    objects.put(name("films/film.ismv"), media(StreamKind::Video, 6, 100).to_bytes());
    hands.pass(5);
    assert_eq!(status(&origin, MANIFEST), 200);
    let lines = log.take();
    assert_eq!(lines[1..], ["info films/film.ism: opened again in 0 s: tracks served: 2 of 2"]);
}

#[test]
fn an_opening_that_fails_is_one_line_in_each_time_that_it_is_kept() {
    let Setup { origin, log, hands, .. } =
        setup(store([("films/film.ism", b"<smil>\n<nothing".to_vec())]));
    for round in 0..3 {
        for _ in 0..100 {
            assert_eq!(status(&origin, MANIFEST), 500);
        }
        let [line] = &log.take()[..] else { panic!("one line in round {round}") };
        assert!(line.starts_with("error films/film.ism: cannot be opened: line 2"), "{line}");
        hands.pass(5);
    }
}

#[test]
fn requests_that_the_storage_fails_are_one_line_with_the_file_and_the_rest_is_counted() {
    let Setup { origin, log, hands, sick, .. } = setup(films());
    get(&origin, MANIFEST).unwrap();
    log.take();
    sick.set_sick(true);
    for _ in 0..10 {
        assert_eq!(status(&origin, FIRST), 503);
    }
    let failed =
        "error films/film.ism: a request failed: films/film.ismv: reading failed: the disk is sick";
    assert_eq!(log.take(), [failed]);
    hands.pass(1000);
    sick.set_sick(false);
    let body = served(&origin, FIRST).unwrap();
    sick.set_sick(true);
    assert!(testkit::read(&body).is_err());
    let lines = log.take();
    let left_out = "warn 9 more failures, like those reported or too many to report";
    assert_eq!(lines, [left_out, failed], "of a body alike");
}

/// A store in which one file cannot be read.
struct Broken(MemoryStore);

impl Store for Broken {
    type Source = <MemoryStore as Store>::Source;

    async fn open(&self, name: &Name) -> std::io::Result<Self::Source> {
        match name.as_str() {
            "films/film.ismv" => Err(std::io::Error::other("the disk is sick")),
            _ => self.0.open(name).await,
        }
    }
}

#[test]
fn a_request_for_a_track_that_could_not_be_opened_names_the_file_and_the_reason() {
    let log = Log::default();
    let lines = log.clone();
    let origin = Origin::builder(Broken(films())).on_event(move |event| lines.write(event)).build();
    assert_eq!(status(&origin, FIRST), 503);
    let failed = "error films/film.ism: a request failed: reading failed: films/film.ismv could not be \
                  read when it was opened: reading failed: the disk is sick";
    assert_eq!(log.take().last().map(String::as_str), Some(failed));
}

#[test]
fn a_file_beside_the_presentations_that_cannot_be_read_is_reported_with_its_name() {
    let Setup { origin, log, sick, .. } = setup(films());
    let notes = block_on(origin.file(&name("films/notes.txt"))).unwrap();
    sick.set_sick(true);
    assert!(testkit::read(&notes).is_err());
    let line = "error films/notes.txt: a request failed: reading failed: the disk is sick";
    assert_eq!(log.take(), [line]);
}

#[test]
fn what_answering_notices_is_reported_once_with_its_place() {
    let film = media(StreamKind::Video, 5, 100_000);
    let mut bytes = film.to_bytes();
    let third = film.fragments[2].2.start as usize;
    bytes[third + 4..third + 8].copy_from_slice(b"oops");
    let objects = films();
    objects.put(name("films/film.ismv"), bytes);
    let Setup { origin, log, .. } = setup(objects);
    let path = "films/film.ism/QualityLevels(400000)/Fragments(video=40000000)";
    for _ in 0..10 {
        assert!(status(&origin, path) >= 400);
    }
    let lines = log.take();
    let late: Vec<_> = lines.iter().filter(|line| line.contains("fragment-broken")).collect();
    let place =
        "films/film.ism: error fragment-broken: films/film.ismv, video at 400000, chunk 40000000";
    assert!(late[0].starts_with(&format!("error {place}")), "{lines:?}");
    let again = late.iter().filter(|line| line.contains("films/film.ism: error")).count();
    assert_eq!(again, 1, "{lines:?}");
}

#[test]
fn requests_that_are_refused_because_there_is_too_much_to_do_are_one_warning() {
    let (hands, log) = (Hands::default(), Log::default());
    let lines = log.clone();
    let objects = films();
    objects.put(name("films/large.ism"), ism(None, &[VIDEO]));
    objects.put(name("films/film.ismv"), media(StreamKind::Video, 8_000, 1).to_bytes());
    // Nobody does the work: the opening never ends.
    let kept = Mutex::new(Vec::new());
    let origin = Origin::builder(objects)
        .clock(hands.clock())
        .max_openings(1)
        .offload(move |work| kept.lock().unwrap().push(work))
        .on_event(move |event| lines.write(event))
        .build();
    let mut large = Box::pin(origin.answer("films/large.ism/Manifest"));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(large.as_mut().poll(&mut context).is_pending());
    for _ in 0..10 {
        assert_eq!(status(&origin, MANIFEST), 503);
    }
    let busy =
        "warn films/film.ism: a request failed: busy: too many presentations are being opened";
    assert_eq!(log.take(), [busy]);
}

#[test]
fn a_host_may_ask_the_origin_while_it_is_told_of_an_event() {
    let origin: Arc<OnceLock<Origin>> = Arc::default();
    let (inside, asked) = (Arc::clone(&origin), Arc::new(Mutex::new(Vec::new())));
    let answers = Arc::clone(&asked);
    let built = Origin::builder(films()).clock(Hands::default().clock()).on_event(move |event| {
        if let (Event::Opened { name, .. }, Some(origin)) = (event, inside.get()) {
            assert_eq!(event.level(), Level::Info);
            let opened = block_on(origin.open(name)).unwrap();
            answers.lock().unwrap().push(opened.presentation().streams().len());
        }
    });
    let origin = origin.get_or_init(|| built.build());
    assert_eq!(status(origin, MANIFEST), 200);
    assert_eq!(*asked.lock().unwrap(), [2]);
}
