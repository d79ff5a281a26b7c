//! Several origins follow one event: what one of them has listed, each of them serves at once.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::join_all;
use smooth_origin::live::PointOptions;
use smooth_origin::origin::{Origin, Timer, block_on};
use testkit::name;

use super::live_follow::{Encoder, Ingest, POINT, TICKS, Way, World, encoders, fragments};
use super::live_point::encoder::{Spec, audio, header};

/// A timer that moves a clock. Long sleeps do not end.
struct Sleeps(Arc<AtomicU64>);

impl Timer for Sleeps {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (millis, mut is_begun) = (Arc::clone(&self.0), false);
        Box::pin(async move {
            // Others get their turn meanwhile.
            poll_fn(move |context| match duration < Duration::from_secs(1) {
                true if std::mem::replace(&mut is_begun, true) => Poll::Ready(()),
                true => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                false => Poll::Pending,
            })
            .await;
            millis.fetch_add(duration.as_millis() as u64, Relaxed);
        })
    }
}

/// An origin that follows the event. Its sleeps take no time.
fn follower(world: &World, way: &Way) -> Origin {
    world.builder(way, 256).timer(Sleeps(Arc::default())).build()
}

/// So many origins that have looked at the archive, and are not to look again before time passes.
fn followers(world: &World, count: usize, expected: u16) -> Vec<Origin> {
    let manifest = format!("/{POINT}/Manifest");
    let new = || follower(world, &Way::to(&world.store));
    let all: Vec<_> = std::iter::repeat_with(new).take(count).collect();
    for origin in &all {
        assert_eq!(testkit::status(origin, &manifest), expected);
    }
    all
}

/// Everything that manifests of an origin list: fragments, playlists, and what is in them.
fn listed(origin: &Origin) -> BTreeSet<String> {
    let text = |path: &str| String::from_utf8(testkit::get(origin, path).unwrap()).unwrap();
    let in_playlist = |path: &str| {
        let uris = |line: &str| {
            let uri = line.split_once("URI=\"").and_then(|(_, uri)| uri.split_once('"'));
            let uri = uri.map(|(uri, _)| uri.to_owned());
            uri.or_else(|| (!line.starts_with('#') && !line.is_empty()).then(|| line.to_owned()))
        };
        text(path).lines().filter_map(uris).collect::<Vec<_>>()
    };
    let mut found = BTreeSet::new();
    for playlist in in_playlist(&format!("/{POINT}/master.m3u8")) {
        let playlist = format!("/{POINT}/{playlist}");
        let of_playlist = in_playlist(&playlist);
        found.extend(of_playlist.iter().map(|uri| format!("/{POINT}/{uri}")));
        found.insert(playlist);
    }
    let opened = block_on(origin.open(&name(POINT))).unwrap();
    for stream in opened.presentation().streams() {
        for (time, _) in stream.timeline().iter() {
            let (bitrate, stream) = (stream.tracks()[0].bitrate(), stream.name());
            let noun = format!("Fragments({stream}={time})");
            found.insert(format!("/{POINT}/QualityLevels({bitrate})/{noun}"));
        }
    }
    found
}

/// Asks each of these origins for one of the paths, and compares what it serves.
fn assert_served(paths: &BTreeSet<String>, ahead: &Origin, behind: &[Origin]) {
    assert!(paths.len() <= behind.len(), "{}", paths.len());
    for (path, behind) in paths.iter().zip(behind) {
        let expected = testkit::get(ahead, path).unwrap();
        let served = testkit::get(behind, path);
        let served = served.map_err(|error| (path, error.kind.status(), error));
        assert!(served.unwrap() == expected, "{path}");
    }
}

fn push_sound(ingest: &Ingest, number: i64) {
    let spec = Spec { name: "sound", ..audio(1, 64_000) };
    let mut push = ingest.point.begin(None, spec.name, "192.0.2.1").unwrap();
    push.push(&header(std::slice::from_ref(&spec))).unwrap();
    push.push(&spec.fragment(number * i64::from(TICKS), TICKS, 0)).unwrap();
    block_on(push.end()).unwrap();
}

#[test]
fn what_one_origin_lists_another_one_serves_at_once() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(9));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    ingest.push_both(&encoders, 0..5);
    let behind = followers(&world, 120, 200);
    let known = listed(&behind[0]);
    for number in 5..9 {
        ingest.push_both(&encoders, number..number + 1);
        push_sound(&ingest, number as i64);
    }
    // No time passes: only the new origin sees it by itself.
    assert_eq!(fragments(&behind[1], POINT).len(), 6);
    let ahead = follower(&world, &Way::to(&world.store));
    let new: BTreeSet<_> = listed(&ahead).difference(&known).cloned().collect();
    let has = |what: &str| new.iter().any(|path| path.contains(what));
    let kinds =
        ["Fragments(video=", "Fragments(sound=", "/sound-64000.m3u8", "/video-", "init.mp4"];
    for kind in kinds {
        assert!(has(kind), "{kind} in {new:?}");
    }
    assert_served(&new, &ahead, &behind[2..]);
}

#[test]
fn what_is_listed_of_an_event_that_has_just_begun_is_served_at_once() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(5));
    let way = Way::to(&world.store);
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    let waiting = follower(&world, &way);
    let manifests = ["Manifest", "manifest.mpd", "master.m3u8"].map(|of| format!("/{POINT}/{of}"));
    assert_eq!(testkit::status(&waiting, &manifests[0]), 404);
    way.counts();
    // Whoever waits for the begin costs no more than before.
    for manifest in manifests.iter().cycle().take(99) {
        assert_eq!(testkit::status(&waiting, manifest), 404);
    }
    assert_eq!(way.counts(), [0, 0, 0]);
    let behind = followers(&world, 40, 404);
    ingest.push_both(&encoders, 0..5);
    let ahead = follower(&world, &Way::to(&world.store));
    assert_served(&listed(&ahead), &ahead, &behind);
    assert_eq!(testkit::status(&waiting, &manifests[0]), 404);
    world.pass(1);
    assert_eq!(testkit::status(&waiting, &manifests[0]), 200);
}

#[test]
fn what_is_listed_of_the_next_event_is_served_at_once_in_place_of_the_film() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(20));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    ingest.push_both(&encoders, 0..5);
    assert!(ingest.stop());
    world.pass(20);
    let behind = followers(&world, 20, 200);
    let film = fragments(&behind[0], POINT);
    assert_eq!(film.len(), 10);
    ingest.point.start();
    let pushed = |stream: &Encoder, number: usize| {
        let mut push = ingest.point.begin(Some("2"), stream.stream, "192.0.2.1").unwrap();
        push.push(&stream.head).unwrap();
        push.push(&stream.fragments[number]).unwrap();
        block_on(push.end()).unwrap();
    };
    (10..16).for_each(|number| encoders.iter().for_each(|of| pushed(of, number)));
    let ahead = follower(&world, &Way::to(&world.store));
    let of_next: BTreeSet<_> =
        listed(&ahead).into_iter().filter(|path| path.contains("Fragments(")).collect();
    assert_eq!(of_next.len(), 8);
    assert_served(&of_next, &ahead, &behind[2..]);
    // Whoever asks for a manifest waits no longer than during an event.
    let manifest = format!("/{POINT}/master.m3u8");
    world.pass(1);
    assert!(fragments(&behind[1], POINT) == fragments(&ahead, POINT));
    let manifests = [&behind[1], &ahead].map(|origin| testkit::get(origin, &manifest).unwrap());
    assert!(manifests[0] == manifests[1]);
}

/// Requests for what is not there, and their statuses.
fn nonsense() -> Vec<(String, u16)> {
    let far = 1000 * u64::from(TICKS);
    let of = |rest: &str, status| (format!("/{POINT}/{rest}"), status);
    let mut all = vec![
        of("QualityLevels(1)/Fragments(video=0)", 404),
        of("QualityLevels(1)/Fragments(nothing=0)", 404),
        of("nothing-1.m3u8", 404),
        of("nothing-1/0.m4s", 404),
    ];
    let (world, encoders) = (World::new(PointOptions::default()), encoders(5));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    ingest.push_both(&encoders, 0..5);
    let opened = block_on(ingest.origin.open(&name(POINT))).unwrap();
    let bitrate = opened.presentation().streams()[0].tracks()[0].bitrate();
    let stream = opened.presentation().streams()[0].name();
    all.push(of(&format!("QualityLevels({bitrate})/Fragments({stream}={far})"), 412));
    all.push(of(&format!("QualityLevels({bitrate})/Fragments({stream}=7)"), 404));
    all
}

#[test]
fn requests_for_nonsense_share_looks_and_cause_few() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(5));
    let of_ingest = Way::to(&world.store);
    let ingest = world.ingest(&of_ingest).unwrap();
    ingest.push_both(&encoders, 0..5);
    let (way, nonsense) = (Way::to(&world.store), nonsense());
    let timer = Sleeps(Arc::clone(&world.millis));
    let origin = world.builder(&way, 256).timer(timer).build();
    assert_eq!(fragments(&origin, POINT).len(), 6);
    way.counts();
    // At the same time.
    let all: Vec<_> = nonsense.iter().cycle().take(300).collect();
    let answers = block_on(join_all(all.iter().map(|(path, _)| origin.answer(path))));
    for ((path, status), answer) in all.iter().zip(answers) {
        assert_eq!(answer.err().unwrap().kind.status(), *status, "{path}");
    }
    assert_eq!(way.counts(), [1, 0, 0]);
    // One after the other.
    let begin = world.millis.load(Relaxed);
    for (path, status) in nonsense.iter().cycle().take(1200) {
        assert_eq!(testkit::status(&origin, path), *status, "{path}");
    }
    let millis = world.millis.load(Relaxed) - begin;
    let [gets, puts, others] = way.counts();
    // One look in 50 ms and one in a second; and each ten seconds one at the record of the point.
    assert!(gets <= millis / 50 + millis / 1000 + 2 * millis / 10_000 + 2, "{gets} in {millis} ms");
    assert!(millis > 50_000 && puts == 0 && others <= 3 * (millis / 10_000 + 1), "{others}");
    // What is there is served without a look.
    let there = listed(&origin);
    let playlists: Vec<_> = there.iter().filter(|path| path.ends_with(".m3u8")).collect();
    way.counts();
    for path in playlists.into_iter().cycle().take(200) {
        assert_eq!(testkit::status(&origin, path), 200, "{path}");
    }
    assert_eq!(way.counts(), [0, 0, 0]);
    // The process that takes the pushes knows what is there.
    of_ingest.counts();
    for (path, status) in &nonsense {
        assert_eq!(testkit::status(&ingest.origin, path), *status, "{path}");
    }
    assert_eq!(of_ingest.counts(), [0, 0, 0]);
}

#[test]
fn a_store_that_has_failed_is_left_alone_until_the_next_look() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(6));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    ingest.push_both(&encoders, 0..5);
    let way = Way::to(&world.store);
    let origin = follower(&world, &way);
    let video = |chunk: u64| {
        let opened = block_on(origin.open(&name(POINT))).unwrap();
        let mut streams = opened.presentation().streams().iter();
        let bitrate = streams.find(|of| of.name() == "video").unwrap().tracks()[0].bitrate();
        let time = chunk * u64::from(TICKS);
        let path = format!("/{POINT}/QualityLevels({bitrate})/Fragments(video={time})");
        testkit::status(&origin, &path)
    };
    assert_eq!((video(0), video(3)), (200, 412));
    way.left.store(0, Relaxed);
    world.pass(1);
    assert_eq!(video(3), 412);
    assert!(way.counts()[0] > 0);
    ingest.push_both(&encoders, 5..6);
    for _ in 0..50 {
        assert_eq!(video(3), 412);
    }
    assert_eq!(way.counts(), [0, 0, 0]);
    way.left.store(i64::MAX, Relaxed);
    world.pass(1);
    assert_eq!(video(3), 200);
}

#[test]
fn no_request_waits_for_a_look_behind_one_that_has_failed() {
    let (world, encoders) = (World::new(PointOptions::default()), encoders(5));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    ingest.push_both(&encoders, 0..5);
    let way = Way::to(&world.store);
    let (origin, point) = (follower(&world, &way), name(POINT));
    let opened = block_on(origin.open(&point)).unwrap();
    let mut streams = opened.presentation().streams().iter();
    let bitrate = streams.find(|of| of.name() == "video").unwrap().tracks()[0].bitrate();
    let path =
        format!("/{POINT}/QualityLevels({bitrate})/Fragments(video={})", 3 * u64::from(TICKS));
    let mut context = Context::from_waker(Waker::noop());
    way.left.store(0, Relaxed);
    world.pass(1);
    assert_eq!(testkit::status(&origin, &path), 412);
    // The next look hangs.
    way.left.store(i64::MAX, Relaxed);
    way.hangs_after.store(0, Relaxed);
    world.pass(1);
    let mut looking = pin!(origin.open(&point));
    assert!(looking.as_mut().poll(&mut context).is_pending());
    let Poll::Ready(answer) = pin!(origin.answer(&path)).poll(&mut context) else {
        panic!("the store is known to fail")
    };
    assert_eq!(answer.err().unwrap().kind.status(), 412);
}

#[cfg(feature = "http")]
#[test]
fn caches_keep_a_404_of_a_followed_point_for_a_second() {
    use smooth_origin::service::OriginService;

    let (world, encoders) = (World::new(PointOptions::default()), encoders(5));
    let ingest = world.ingest(&Way::to(&world.store)).unwrap();
    let followed = follower(&world, &Way::to(&world.store));
    let get = |origin: &Origin, path: &str| {
        let service = OriginService::new(origin.clone());
        let request = http::Request::get(path).header("host", "x").body(()).unwrap();
        let response = block_on(service.respond(&request));
        let control = response.headers()["cache-control"].to_str().unwrap().to_owned();
        (response.status().as_u16(), control)
    };
    let second = |status: u16| (status, "max-age=1".to_owned());
    let five = |status: u16| (status, "max-age=5".to_owned());
    assert_eq!(get(&followed, &format!("/{POINT}/Manifest")), second(404));
    ingest.push_both(&encoders, 0..5);
    world.pass(1);
    for (path, status) in nonsense() {
        assert_eq!(get(&followed, &path), second(status), "{path}");
        let own = if status == 412 { second(412) } else { five(404) };
        assert_eq!(get(&ingest.origin, &path), own, "{path}");
    }
    assert_eq!(get(&followed, "/films/other.ism/Manifest"), five(404));
    assert_eq!(get(&followed, &format!("/{POINT}/nothing.mpd")), five(404));
}
