//! Redirects to the store in place of bytes: what is redirected, for how long, and what is not.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use smooth_origin::origin::{Clock, Origin, block_on};
use smooth_origin::service::{
    CacheClass, CacheControl, Caching, Cors, OriginService, PassedFiles, Redirects, ServiceOptions,
};
use smooth_origin::storage::{Link, Links, MemoryStore, RangeSource, Source};

use crate::asked::{Asked, ask, get, request};
use crate::stores::{VIDEO, Watch, Watched, WatchedObject};
use testkit::fragment_files::{chunks, film, fragment, manifest, put};
use testkit::{Hands, name};

const LARGE: &str = "/film.ism/QualityLevels(300000)/Fragments(video=0)";
const FILE: &str = "film.ism/QualityLevels(300000)/Fragments(video=0)";
const SECRET: &str = "signature=secret";

/// Signs as a store does, and counts the signatures.
#[derive(Clone, Default)]
struct Signer(Arc<State>);

#[derive(Default)]
struct State {
    signed: AtomicU64,
    mood: Mutex<Mood>,
    lives: Mutex<Vec<Duration>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Signs,
    Pins,
    HasNone,
    Fails,
    Hangs,
    IsRelative,
}

impl Signer {
    fn is(&self, mood: Mood) {
        *self.0.mood.lock().unwrap() = mood;
    }

    fn signed(&self) -> u64 {
        self.0.signed.load(Ordering::SeqCst)
    }
}

impl Links for Signer {
    async fn link(&self, source: &Source, life: Duration) -> io::Result<Option<Link>> {
        let number = self.0.signed.fetch_add(1, Ordering::SeqCst);
        self.0.lives.lock().unwrap().push(life);
        let size = source.stat().await?.size;
        let object = source.downcast_ref::<WatchedObject>().unwrap();
        let url = format!("https://store.example/{}?n={number}&size={size}&{SECRET}", object.name);
        let mood = *self.0.mood.lock().unwrap();
        match mood {
            Mood::Signs => Ok(Some(Link::new(url))),
            Mood::Pins => Ok(Some(Link::new(url).pinned())),
            Mood::HasNone => Ok(None),
            Mood::Fails => Err(io::Error::other("no key is there")),
            Mood::Hangs => std::future::pending().await,
            Mood::IsRelative => Ok(Some(Link::new("/relative"))),
        }
    }
}

struct Fixture {
    service: OriginService,
    objects: MemoryStore,
    watch: Arc<Watch>,
    signer: Signer,
    hands: Hands,
    told: Arc<Mutex<Vec<String>>>,
}

/// `film.ism`, with URLs that are valid for 400 s.
fn fixture(options: impl FnOnce(ServiceOptions, Redirects) -> ServiceOptions) -> Fixture {
    let (signer, hands, told) =
        (Signer::default(), Hands::default(), Arc::<Mutex<Vec<_>>>::default());
    let store = Watched::new(film());
    let (objects, watch) = (store.objects.clone(), Arc::clone(&store.watch));
    put(&objects, "poster.jpg", b"a picture".to_vec());
    let (now, since) = (hands.clone(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000));
    let clock = Clock::new(move || Duration::from_secs(now.seconds()));
    let now = hands.clone();
    let clock = clock.wall_time(move || since + Duration::from_secs(now.seconds()));
    // Each fragment is one read, as from a store over a network.
    let origin =
        Origin::builder(store).clock(clock).timer(hands.timer()).whole_read_bytes(1 << 20).build();
    let sentences = Arc::clone(&told);
    let redirects = Redirects::new(signer.clone())
        .life(Duration::from_secs(400))
        .unwrap()
        .notify_by(move |sentence| sentences.lock().unwrap().push(sentence.to_owned()));
    let service =
        OriginService::with_options(origin, options(ServiceOptions::default(), redirects));
    Fixture { service, objects, watch, signer, hands, told }
}

fn plain() -> Fixture {
    fixture(|options, redirects| options.redirects(redirects))
}

fn location(asked: &Asked) -> String {
    assert_eq!((asked.status, asked.body.len()), (307, 0), "{:?}", asked.headers);
    asked.header("location")
}

#[test]
fn a_fragment_in_a_file_of_its_own_is_redirected_after_a_short_look() {
    let film = plain();
    get(&film.service, "/film.ism/Manifest");
    film.watch.taken();
    let first = get(&film.service, LARGE);
    let size = fragment(300_000, 0).len();
    let expected = format!("https://store.example/{FILE}?n=0&size={size}&{SECRET}");
    assert_eq!(location(&first), expected);
    let (reads, bytes) = film.watch.taken();
    assert!(reads <= 2 && bytes < 5000, "{reads} reads of {bytes} bytes");
    // The store's address is all that it says: the ETag, the type and the length are those of the store.
    for field in ["etag", "content-type", "last-modified", "accept-ranges"] {
        assert_eq!(first.header(field), "", "{field}");
    }
    assert_eq!(first.header("surrogate-key"), "film.ism");
    assert_eq!(first.header("cache-control"), "max-age=300");
    // A second request costs the store nothing, in whatever spelling of the URL.
    for target in [LARGE, "/film.ism/qualitylevels(300000)/fragments(video%3d0)"] {
        assert_eq!(location(&get(&film.service, target)), expected);
    }
    assert_eq!((film.watch.taken(), film.signer.signed()), ((0, 0), 1));
    assert_eq!(*film.signer.0.lives.lock().unwrap(), [Duration::from_secs(400)]);
}

#[test]
fn a_url_is_given_out_for_half_of_its_life_and_is_cached_for_less_than_is_left() {
    let film = plain();
    let first = location(&get(&film.service, LARGE));
    for (passed, fresh) in [(100, "max-age=200"), (99, "max-age=101")] {
        film.hands.pass(passed);
        let again = get(&film.service, LARGE);
        assert_eq!(
            (location(&again), again.header("cache-control")),
            (first.clone(), fresh.into())
        );
    }
    film.hands.pass(1);
    let second = get(&film.service, LARGE);
    assert_ne!(location(&second), first);
    assert_eq!((second.header("cache-control"), film.signer.signed()), ("max-age=300".into(), 2));
}

#[test]
fn caches_keep_redirects_no_longer_than_the_policy_says() {
    let class = |control: CacheControl| {
        let caching = Caching::default().class(CacheClass::Fragment, control);
        let film = fixture(|options, redirects| options.redirects(redirects).caching(caching));
        get(&film.service, LARGE).header("cache-control")
    };
    let seconds = Duration::from_secs;
    assert_eq!(class(CacheControl::max_age(seconds(20))), "max-age=20");
    assert_eq!(class(CacheControl::no_store()), "no-store");
    let long = CacheControl::max_age(seconds(9999)).s_maxage(seconds(9999)).public().immutable();
    assert_eq!(class(long.stale_if_error(seconds(9999))), "max-age=300, s-maxage=300, public");
    let film = fixture(|options, redirects| options.redirects(redirects).no_caching());
    assert_eq!(get(&film.service, LARGE).header("cache-control"), "max-age=300");
}

#[test]
fn what_is_no_whole_object_or_is_asked_under_a_condition_is_sent() {
    let film = plain();
    let whole = fragment(300_000, 0);
    let sent = |method: &str, target: &str, fields: &[(&str, &str)], status: u16| {
        let asked = ask(&film.service, method, target, fields);
        assert_eq!(
            (asked.status, asked.header("location")),
            (status, String::new()),
            "{method} {fields:?}"
        );
        asked
    };
    // Its headers are those of the bytes.
    let head = sent("HEAD", LARGE, &[], 200);
    assert_eq!(head.header("content-length"), whole.len().to_string());
    let tag = head.header("etag");
    for (field, value, status) in [
        ("if-none-match", &*tag, 304),
        ("if-none-match", "\"other\"", 200),
        ("if-match", &tag, 200),
        ("if-match", "\"other\"", 412),
        ("if-modified-since", "Tue, 31 Dec 2019 23:59:59 GMT", 200),
        ("if-unmodified-since", "Tue, 31 Dec 2019 23:59:59 GMT", 412),
    ] {
        let asked = sent("GET", LARGE, &[(field, value)], status);
        assert!(status != 200 || asked.body == whole, "{field}");
    }
    sent("GET", LARGE, &[("range", "bytes=0-9"), ("if-range", &tag)], 206);
    // The client asks the store for the range again.
    location(&ask(&film.service, "GET", LARGE, &[("range", "bytes=0-9")]));
    for noun in ["FragmentInfo", "RawFragments", "KeyFrames"] {
        sent("GET", &LARGE.replace("Fragments", noun), &[], 200);
    }
    sent("GET", "/film.ism/Manifest", &[], 200);
    sent("GET", "/poster.jpg", &[], 404);
    sent("GET", "/film.ism/QualityLevels(300000)/Fragments(video=5)", &[], 404);
    #[cfg(feature = "hls")]
    sent("GET", "/film.ism/video-300000/0.m4s", &[], 200);
}

#[test]
fn a_file_with_more_than_its_fragment_is_sent() {
    let film = plain();
    let whole = fragment(300_000, 0);
    let free = [&b"\0\0\0\x08free"[..], &whole].concat();
    let behind = [&whole, &b"\0\0\0\x08free"[..]].concat();
    for file in [free, behind] {
        put(&film.objects, FILE, file);
        film.hands.pass(1000);
        let asked = get(&film.service, LARGE);
        assert!(asked.status == 200 && asked.body == whole, "{}", asked.status);
    }
    assert_eq!(film.signer.signed(), 0);
    // What is broken has its error, and no URL.
    put(&film.objects, FILE, whole[..200].to_vec());
    assert_eq!(get(&film.service, LARGE).status, 500);
    film.objects.remove(&name(FILE));
    assert_eq!(get(&film.service, LARGE).code(), "no-media");
}

#[test]
fn fragments_in_a_file_with_others_are_sent() {
    let signer = Signer::default();
    let options = ServiceOptions::default().redirects(Redirects::new(signer.clone()));
    let service = OriginService::with_options(Origin::new(crate::stores::film()), options);
    assert_eq!((get(&service, VIDEO).status, signer.signed()), (200, 0));
}

#[test]
fn live_fragments_are_sent() {
    let film = plain();
    let streams = [("video", "video", &[3000][..], &*chunks(&[0]))];
    let live = manifest(" IsLive=\"true\"", &streams);
    put(&film.objects, "live.isml/Manifest", live.into_bytes());
    put(&film.objects, "live.isml/QualityLevels(3000)/Fragments(video=0)", fragment(3000, 0));
    let asked = get(&film.service, "/live.isml/QualityLevels(3000)/Fragments(video=0)");
    assert_eq!((asked.status, film.signer.signed()), (200, 0));
}

#[test]
fn files_beside_the_presentations_are_redirected_only_if_that_is_switched_on() {
    let files = |redirected: bool| {
        fixture(|options, redirects| {
            options
                .files(PassedFiles::all())
                .redirects(redirects.files(redirected).fragments(!redirected))
        })
    };
    let film = files(false);
    assert_eq!(get(&film.service, "/poster.jpg").body, b"a picture");
    assert_eq!(get(&film.service, LARGE).status, 307);
    let film = files(true);
    let asked = get(&film.service, "/poster.jpg");
    assert!(location(&asked).starts_with("https://store.example/poster.jpg?n=0&size=9"));
    assert_eq!(asked.header("cache-control"), "max-age=60");
    assert_eq!(get(&film.service, "/poster.jpg").header("location"), asked.header("location"));
    assert_eq!(ask(&film.service, "HEAD", "/poster.jpg", &[]).status, 200);
    assert_eq!(get(&film.service, LARGE).status, 200);
    // Another version has another URL at once.
    put(&film.objects, "poster.jpg", b"another picture".to_vec());
    assert!(location(&get(&film.service, "/poster.jpg")).contains("size=15"));
}

#[test]
fn pages_may_read_redirects_as_they_may_read_bytes() {
    let site = ("origin", "https://tv.example.com");
    let any = fixture(|options, redirects| options.redirects(redirects).cors(Cors::any()));
    // Also the second one, which is made in advance.
    for _ in 0..2 {
        let asked = ask(&any.service, "GET", LARGE, &[site]);
        location(&asked);
        assert_eq!(asked.header("access-control-allow-origin"), "*");
    }
    let cors = Cors::origins([site.1]).unwrap();
    let listed = fixture(|options, redirects| options.redirects(redirects).cors(cors));
    let asked = ask(&listed.service, "GET", LARGE, &[site]);
    location(&asked);
    assert_eq!(asked.header("access-control-allow-origin"), site.1);
    assert_eq!(asked.header("vary"), "origin");
}

#[test]
fn another_version_of_the_presentation_has_other_urls() {
    let film = plain();
    let first = location(&get(&film.service, LARGE));
    let text =
        manifest(" Some=\"thing\"", &[("video", "video", &[3000, 300_000][..], &*chunks(&[0]))]);
    put(&film.objects, "film.ism/Manifest", text.into_bytes());
    film.service.origin().forget(&name("film.ism"));
    assert_ne!(location(&get(&film.service, LARGE)), first);
}

#[test]
fn an_object_without_a_url_is_sent_and_not_asked_about_again() {
    let film = plain();
    film.signer.is(Mood::HasNone);
    for _ in 0..3 {
        assert!(get(&film.service, LARGE).body == fragment(300_000, 0));
    }
    assert_eq!(film.signer.signed(), 1);
    let told = film.told.lock().unwrap().clone();
    assert!(told.len() == 1 && told[0].contains(FILE), "{told:?}");
    film.signer.is(Mood::Pins);
    film.hands.pass(200);
    location(&get(&film.service, LARGE));
    assert_eq!(film.told.lock().unwrap().len(), 1, "a URL of a version needs no remark");
}

#[test]
fn if_signing_fails_the_bytes_are_sent_and_the_operator_is_told_once_a_minute() {
    let film = plain();
    for (mood, passes) in [(Mood::Fails, 10), (Mood::IsRelative, 10), (Mood::Fails, 60)] {
        film.signer.is(mood);
        let before = film.signer.signed();
        for _ in 0..3 {
            assert!(get(&film.service, LARGE).body == fragment(300_000, 0));
        }
        // No other object is tried either.
        assert_eq!(get(&film.service, &LARGE.replace("=0", "=10000000")).status, 200);
        assert_eq!(film.signer.signed(), before + 1);
        film.hands.pass(passes);
    }
    let told = film.told.lock().unwrap().clone();
    assert!(told.len() == 1 && told[0].ends_with("cannot be signed: no key is there"), "{told:?}");
    film.signer.is(Mood::Signs);
    location(&get(&film.service, LARGE));
    let told = film.told.lock().unwrap().clone();
    assert!(told.len() == 2 && told[1].contains("switch on versioning"), "{told:?}");
    assert!(!told.iter().any(|sentence| sentence.contains(SECRET)));
}

#[test]
fn a_signature_that_does_not_come_is_not_waited_for_longer_than_a_read() {
    let film = plain();
    film.signer.is(Mood::Hangs);
    let request = request("GET", LARGE, &[]);
    let mut response = Box::pin(film.service.respond(&request));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(response.as_mut().poll(&mut context).is_pending());
    film.hands.pass(11);
    assert_eq!(block_on(response).status(), 200);
}

#[test]
fn a_signed_url_is_not_shown_by_debug() {
    let film = plain();
    let response = block_on(film.service.respond(&request("GET", LARGE, &[])));
    assert!(response.headers()["location"].is_sensitive());
    assert!(!format!("{response:?} {:?}", film.service).contains(SECRET));
}

#[test]
fn a_life_that_stores_refuse_is_refused() {
    for (seconds, is_valid) in [(9, false), (10, true), (604_800, true), (604_801, false)] {
        let redirects = Redirects::new(Signer::default()).life(Duration::from_secs(seconds));
        assert_eq!(redirects.is_ok(), is_valid, "{seconds}");
    }
}

#[test]
fn by_default_nothing_is_redirected() {
    let service = OriginService::new(Origin::new(film()));
    assert_eq!(get(&service, LARGE).status, 200);
}
