//! The origin keeps what it opened, looks after it, and opens it again when it has changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use smooth_origin::base::{ErrorKind, Name, ReadErrorKind};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Answer, Origin, OriginBuilder, block_on};
use smooth_origin::storage::{MemoryStore, Store};
use testkit::film::{self, Style, Track, ism};
use testkit::{Hands, get, name, status, store};

const VIDEO: (&str, &str, u32, u32, &str) = ("video", "film.ismv", 300, 1, "");
const AUDIO: (&str, &str, u32, u32, &str) = ("audio", "sound.isma", 64, 1, "");

fn media(kind: StreamKind, count: u32) -> Vec<u8> {
    let track = Track::regular(1, kind, count, 20_000_000, 100);
    film::media(&[track], Style::default()).to_bytes()
}

fn objects() -> MemoryStore {
    store([
        ("film.ism", ism(None, &[VIDEO, AUDIO])),
        ("film.ismv", media(StreamKind::Video, 2)),
        ("sound.isma", media(StreamKind::Audio, 2)),
    ])
}

/// A store that counts openings of server manifests, and does not answer at once.
#[derive(Clone)]
struct Counting {
    store: MemoryStore,
    opened: Arc<AtomicUsize>,
}

impl Store for Counting {
    type Source = <MemoryStore as Store>::Source;

    async fn open(&self, name: &Name) -> std::io::Result<Self::Source> {
        if name.as_str().ends_with(".ism") {
            self.opened.fetch_add(1, Ordering::Relaxed);
            let mut waited = false;
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut waited, true) {
                    ().into()
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
        }
        self.store.open(name).await
    }
}

fn counting(store: MemoryStore) -> (Counting, Arc<AtomicUsize>) {
    let opened = Arc::new(AtomicUsize::new(0));
    (Counting { store, opened: Arc::clone(&opened) }, opened)
}

#[test]
fn a_presentation_is_opened_once_for_any_number_of_requests() {
    let (store, opened) = counting(objects());
    let origin = Origin::builder(store).clock(Hands::default().clock()).build();
    let requests = (0..20).map(|_| origin.answer("film.ism/Manifest"));
    let answers = block_on(futures_util::future::join_all(requests));
    assert!(answers.iter().all(Result::is_ok));
    get(&origin, "film.ism/QualityLevels(300)/Fragments(video=0)").unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 1);
}

#[test]
fn a_failed_opening_is_kept_for_a_while_and_then_tried_again() {
    let hands = Hands::default();
    let (store, opened) = counting(MemoryStore::new());
    let objects = store.store.clone();
    let origin = Origin::builder(store).clock(hands.clock()).build();
    for _ in 0..10 {
        assert_eq!(status(&origin, "film.ism/Manifest"), 404);
    }
    assert_eq!(opened.load(Ordering::Relaxed), 1, "a flood of a bad name costs nothing");
    for (path, content) in
        [("film.ism", ism(None, &[VIDEO])), ("film.ismv", media(StreamKind::Video, 2))]
    {
        objects.put(name(path), content);
    }
    assert_eq!(status(&origin, "film.ism/Manifest"), 404, "not looked at again yet");
    hands.pass(5);
    assert_eq!(status(&origin, "film.ism/Manifest"), 200);
}

#[test]
fn a_change_is_noticed_after_the_set_time_and_not_before() {
    let hands = Hands::default();
    let objects = objects();
    let origin = Origin::builder(objects.clone()).clock(hands.clock()).build();
    let chunks = || {
        let opened = block_on(origin.open(&name("film.ism"))).unwrap();
        opened.presentation().streams()[0].timeline().len()
    };
    assert_eq!(chunks(), 2);
    objects.put(name("film.ismv"), media(StreamKind::Video, 3));
    hands.pass(4);
    assert_eq!(chunks(), 2);
    hands.pass(1);
    assert_eq!(chunks(), 3);
}

#[test]
fn a_set_that_arrives_file_by_file_does_not_break_what_is_served() {
    let hands = Hands::default();
    let objects = objects();
    let origin = Origin::builder(objects.clone()).clock(hands.clock()).build();
    let both = || {
        ["QualityLevels(300)/Fragments(video=0)", "QualityLevels(64)/Fragments(audio=0)"]
            .map(|path| status(&origin, &format!("film.ism/{path}")))
    };
    assert_eq!(both(), [200, 200]);
    // The new sound is not there yet.
    objects.put(name("film.ismv"), media(StreamKind::Video, 3));
    objects.remove(&name("sound.isma"));
    hands.pass(5);
    assert_eq!(both(), [200, 200], "what was opened is served on");
    objects.put(name("sound.isma"), media(StreamKind::Audio, 3));
    hands.pass(5);
    assert_eq!(both(), [200, 200]);
    assert_eq!(status(&origin, "film.ism/QualityLevels(300)/Fragments(video=40000000)"), 200);

    // Where it stays broken, it is served so after the grace.
    objects.remove(&name("sound.isma"));
    hands.pass(5);
    assert_eq!(both(), [200, 200]);
    hands.pass(29);
    assert_eq!(both(), [200, 200]);
    hands.pass(30);
    assert_eq!(both(), [200, 404]);
    objects.remove(&name("film.ism"));
    for _ in 0..20 {
        hands.pass(5);
        let _ = both();
    }
    assert_eq!(both(), [404, 404]);
}

#[test]
fn a_folder_of_a_presentations_name_is_walked_on() {
    let objects = objects();
    objects.put(name("show.ism/film.ism"), ism(None, &[VIDEO]));
    objects.put(name("show.ism/film.ismv"), media(StreamKind::Video, 2));
    let origin = Origin::new(objects);
    assert_eq!(status(&origin, "/show.ism/film.ism/Manifest"), 200);
    assert_eq!(status(&origin, "/show.ism/other.ism/Manifest"), 404);
    assert_eq!(status(&origin, "/film.ism/film.ism/Manifest"), 400, "that one is a presentation");
}

#[test]
fn the_presentation_itself_leads_to_its_manifest() {
    let objects = objects();
    objects.put(name("a b/é:1.ism"), ism(None, &[("video", "../film.ismv", 300, 1, "")]));
    let origin = Origin::new(objects);
    let redirect = |path: &str| match block_on(origin.answer(path)).unwrap() {
        Answer::Redirect(redirect) => redirect.location().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(redirect("/film.ism"), "film.ism/Manifest");
    assert_eq!(redirect("/film.ism/"), "Manifest");
    assert_eq!(redirect("/a%20b/%C3%A9:1.ism"), "%C3%A9%3A1.ism/Manifest");
}

#[test]
fn names_with_spaces_and_letters_of_any_script_are_found() {
    let objects = store([
        ("ünï code/фильм 1.ISM", ism(None, &[("video", "film%201.ismv", 300, 1, "vidéo 1")])),
        ("ünï code/film 1.ismv", media(StreamKind::Video, 2)),
    ]);
    let origin = Origin::new(objects);
    let folder = "/%C3%BCn%C3%AF%20code/%D1%84%D0%B8%D0%BB%D1%8C%D0%BC%201.ISM";
    assert_eq!(status(&origin, &format!("{folder}/Manifest")), 200);
    assert_eq!(
        status(&origin, &format!("{folder}/QualityLevels(300)/Fragments(vid%C3%A9o%201=20000000)")),
        200
    );
    assert_eq!(status(&origin, "/ünï code/фильм 1.ISM/Manifest"), 200);
    let text = get(&origin, &format!("{folder}/Manifest")).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("Fragments(vid%C3%A9o%201={start time})"), "{text}");
}

#[test]
fn openings_beyond_the_limit_are_refused_as_busy_and_not_kept() {
    let (store, _) = counting(objects());
    store.store.put(name("other.ism"), ism(None, &[VIDEO]));
    let origin = Origin::builder(store).max_openings(1).clock(Hands::default().clock()).build();
    let both = [origin.answer("film.ism/Manifest"), origin.answer("other.ism/Manifest")];
    let [first, second] = block_on(futures_util::future::join_all(both)).try_into().unwrap();
    assert!(first.is_ok());
    let error = second.unwrap_err();
    assert_eq!((error.kind.status(), error.kind.code()), (503, "busy"));
    assert_eq!(status(&origin, "other.ism/Manifest"), 200, "tried again at once");
}

#[test]
fn a_file_that_cannot_be_read_for_a_moment_is_tried_again() {
    use smooth_origin::storage::{Faults, FaultyStore};
    let hands = Hands::default();
    let mut recovered = 0;
    for seed in 0..40 {
        let faults = Faults { fail: 8, ..Faults::default() };
        let origin =
            Origin::builder(FaultyStore::new(objects(), seed, faults)).clock(hands.clock()).build();
        let whole = || match block_on(origin.open(&name("film.ism"))) {
            Ok(opened) => {
                opened.presentation().streams().iter().all(|s| s.tracks()[0].source().is_some())
            }
            Err(error) => {
                assert!(
                    format!("{error:?}").contains(&format!("{:?}", ReadErrorKind::Transient)),
                    "{error:?}"
                );
                false
            }
        };
        if !whole() {
            let again = (0..100).any(|_| {
                hands.pass(5);
                whole()
            });
            assert!(again, "seed {seed} never recovered");
            recovered += 1;
        }
    }
    assert!(recovered > 5, "{recovered}");
}

#[test]
fn any_value_of_an_option_leaves_an_origin_that_serves() {
    type Set = fn(OriginBuilder) -> OriginBuilder;
    let values: [(&str, Set); 22] = [
        ("max_reads(0)", |b| b.max_reads(0)),
        ("max_reads(MAX)", |b| b.max_reads(usize::MAX)),
        ("max_waiting(0)", |b| b.max_waiting(0)),
        ("max_waiting(MAX)", |b| b.max_waiting(usize::MAX)),
        ("max_openings(0)", |b| b.max_openings(0)),
        ("max_openings(MAX)", |b| b.max_openings(usize::MAX)),
        ("max_open_files(0)", |b| b.max_open_files(0)),
        ("max_open_files(MAX)", |b| b.max_open_files(usize::MAX)),
        ("body_bytes(0)", |b| b.body_bytes(0)),
        ("body_bytes(MAX)", |b| b.body_bytes(u64::MAX)),
        ("cache_bytes(0)", |b| b.cache_bytes(0)),
        ("cache_bytes(MAX)", |b| b.cache_bytes(u64::MAX)),
        ("fragment_cache_bytes(1)", |b| b.fragment_cache_bytes(1)),
        ("fragment_cache_bytes(MAX)", |b| b.fragment_cache_bytes(u64::MAX)),
        ("revalidate_after(0)", |b| b.revalidate_after(Duration::ZERO)),
        ("revalidate_after(MAX)", |b| b.revalidate_after(Duration::MAX)),
        ("replace_grace(0)", |b| b.replace_grace(Duration::ZERO)),
        ("replace_grace(MAX)", |b| b.replace_grace(Duration::MAX)),
        ("read_timeout(0)", |b| b.read_timeout(Duration::ZERO)),
        ("read_timeout(MAX)", |b| b.read_timeout(Duration::MAX)),
        ("opening_timeout(0)", |b| b.opening_timeout(Duration::ZERO)),
        ("opening_timeout(MAX)", |b| b.opening_timeout(Duration::MAX)),
    ];
    for (value, set) in values {
        let hands = Hands::default();
        let objects = objects();
        // Longer than any budget that a value of 0 leaves.
        let large = Track::regular(1, StreamKind::Video, 2, 20_000_000, 3 << 20);
        let large = film::media(&[large], Style::default()).to_bytes();
        objects.put(name("film.ismv"), large);
        let (store, _) = counting(objects.clone());
        let origin = set(Origin::builder(store)).clock(hands.clock()).timer(hands.timer()).build();
        for round in 0..3 {
            let paths = [
                "film.ism/Manifest",
                "film.ism/QualityLevels(300)/Fragments(video=0)",
                "film.ism/QualityLevels(64)/Fragments(audio=20000000)",
            ];
            for path in paths {
                assert!(get(&origin, path).is_ok(), "{value}, round {round}: {path}");
            }
            assert!(block_on(origin.is_media(&name("film.ismv"))), "{value}");
            objects.put(name("sound.isma"), media(StreamKind::Audio, 3 + round));
            hands.pass(5);
        }
    }
}

#[test]
fn an_age_beyond_all_time_makes_only_a_call_look_again() {
    let hands = Hands::default();
    let objects = objects();
    let builder = Origin::builder(objects.clone()).revalidate_after(Duration::MAX);
    let origin = builder.clock(hands.clock()).build();
    let third = "film.ism/QualityLevels(300)/Fragments(video=40000000)";
    assert_eq!(status(&origin, third), 404);
    objects.put(name("film.ismv"), media(StreamKind::Video, 3));
    hands.pass(1 << 40);
    assert_eq!(status(&origin, third), 404);
    origin.look_again(&name("film.ism"));
    assert_eq!(status(&origin, third), 200);
}

#[test]
fn a_presentation_that_the_host_chose_is_asked_without_its_name_in_the_path() {
    let origin = Origin::new(objects());
    let film = name("film.ism");
    for (rest, query, status) in [
        ("Manifest", None, 200),
        ("/Manifest", Some("token=a"), 200),
        ("QualityLevels(300)/Fragments(video=0)", None, 200),
        ("", None, 302),
        ("Manifest", Some("filter=a"), 415),
        ("other.ism/Manifest", None, 400),
        ("QualityLevels(300)/Fragments(video=1)", None, 404),
    ] {
        let answer = block_on(async { origin.ask_in(&film, rest, query).await?.answer().await });
        let found = match answer {
            Ok(Answer::Reply(_)) => 200,
            Ok(_) => 302,
            Err(error) => error.kind.status(),
        };
        assert_eq!(found, status, "{rest} {query:?}");
    }
    let none = name("none.ism");
    let error = block_on(origin.ask_in(&none, "Manifest", None)).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NoPresentation));
}

#[test]
fn a_redirect_of_a_presentation_that_the_host_chose_names_no_file() {
    let origin = Origin::new(objects());
    let film = name("film.ism");
    for (rest, location) in [("", None), ("/", Some("Manifest"))] {
        let asked = block_on(origin.ask_in(&film, rest, None)).unwrap();
        let Answer::Redirect(redirect) = block_on(asked.answer()).unwrap() else {
            panic!("{rest}")
        };
        assert_eq!((redirect.path(), redirect.location()), ("Manifest", location), "{rest}");
        assert_eq!(redirect.to_string(), "Manifest");
    }
}

#[test]
fn the_debugging_output_of_an_origin_and_its_answers_does_not_grow_with_the_film() {
    let origin = Origin::new(objects());
    let mut texts = vec![];
    for path in ["film.ism", "film.ism/Manifest", "film.ism/QualityLevels(300)/Fragments(video=0)"]
    {
        let asked = block_on(origin.ask(path)).unwrap();
        texts.push(format!("{asked:?}"));
        texts.push(format!("{:?}", block_on(asked.answer()).unwrap()));
    }
    texts.push(format!("{:?}", block_on(origin.open(&name("film.ism"))).unwrap()));
    for text in &texts {
        assert!(text.len() < 200, "{text}");
        assert!(text.contains("film.ism"), "{text}");
    }
    let text = format!("{origin:?}");
    assert!(text.starts_with("Origin") && text.len() < 1000, "{text}");
}

#[test]
fn the_identity_of_an_answer_is_known_before_its_media_is_looked_at() {
    let origin = Origin::new(objects());
    for path in [
        "film.ism/Manifest",
        "film.ism/QualityLevels(300)/Fragments(video=20000000)",
        "film.ism/QualityLevels(300)/KeyFrames(video=0)",
        "film.ism/QualityLevels(64)/RawFragments(audio=0)",
    ] {
        // The second time, it is known where the fragment ends.
        for _ in 0..2 {
            let asked = block_on(origin.ask(path)).unwrap();
            assert_eq!(asked.opened().presentation().name().as_str(), "film.ism");
            let identity = asked.identity().unwrap();
            let Ok(Answer::Reply(served)) = block_on(asked.answer()) else { panic!("{path}") };
            assert_eq!(identity.validator(), served.reply().validator(), "{path}");
            assert_eq!(identity.representation(), served.reply().representation(), "{path}");
        }
    }
    assert!(block_on(origin.ask("film.ism")).unwrap().identity().is_none());
}

#[test]
fn a_path_that_is_no_request_to_a_presentation_is_told_from_one_to_none() {
    let origin = Origin::new(objects());
    for (path, is_addressed) in [
        ("none.ism/Manifest", true),
        ("none/manifest(format=m3u8-aapl)", true),
        ("none.isml/", true),
        ("none/QualityLevels(300)/Fragments(video=0)", true),
        ("none.ism/poster.jpg", false),
        ("art/poster.jpg", false),
        ("Manifesto", false),
        ("", false),
    ] {
        let error = block_on(origin.ask(path)).unwrap_err();
        assert_eq!((error.kind.status(), error.kind.code()), (404, "no-presentation"), "{path}");
        assert_eq!(matches!(error.kind, ErrorKind::NoPresentation), is_addressed, "{path}");
        assert_eq!(matches!(error.kind, ErrorKind::NotAddressed), !is_addressed, "{path}");
    }
}
