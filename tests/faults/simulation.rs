//! Many clients of an origin over a store that fails, in virtual time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{Either, join, join_all, select};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Answer, Origin, Timer};
use smooth_origin::storage::{
    BreakerState, CountingStore, Faults, FaultyStore, MemoryStore, Resilience, ResilienceStats,
    Store,
};
use testkit::film::{self, Media, Style, Track, ism};
use testkit::sick::SickStore;
use testkit::virtual_time::VirtualTime;
use testkit::{name, store};

use super::millis;

/// Time for which a client waits for the whole of a fragment.
const PATIENCE: Duration = Duration::from_secs(10);

/// A film, and its store.
struct Film {
    media: Media,
    objects: MemoryStore,
}

impl Film {
    fn new() -> Self {
        let tracks = [
            Track::regular(1, StreamKind::Video, 40, 20_000_000, 2000),
            Track::regular(2, StreamKind::Audio, 40, 20_000_000, 300),
        ];
        let media = film::media(&tracks, Style::default());
        let elements = [("video", "film.ismv", 300, 1, ""), ("audio", "film.ismv", 64, 2, "")];
        let objects = store([("film.ism", ism(None, &elements)), ("film.ismv", media.filled(1))]);
        Self { media, objects }
    }

    /// The path of a fragment, and its bytes in a version of the film.
    fn fragment(&self, number: usize, version: u8) -> (String, Vec<u8>) {
        let (track, time, range) = &self.media.fragments[number];
        let stream = if *track == 1 {
            "QualityLevels(300)/Fragments(video"
        } else {
            "QualityLevels(64)/Fragments(audio"
        };
        let mut bytes = self.media.read(range.clone());
        let moof = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        bytes[moof + 8..].fill(version);
        (format!("film.ism/{stream}={time})"), bytes)
    }

    /// The versions of the film that a whole body is of.
    fn version(&self, number: usize, body: &[u8], versions: u8) -> Option<u8> {
        (1..=versions).find(|version| self.fragment(number, *version).1 == body)
    }
}

/// Numbers of the requests by their ends.
#[derive(Default)]
struct Outcomes {
    counts: BTreeMap<String, u32>,
    slowest: Duration,
}

struct Simulation {
    time: VirtualTime,
    film: Film,
    origin: Origin,
    clients: usize,
    requests: usize,
    versions: Cell<u8>,
    outcomes: RefCell<Outcomes>,
}

impl Simulation {
    fn new(
        time: &VirtualTime,
        film: Film,
        store: impl Store,
        (clients, requests): (usize, usize),
    ) -> Self {
        let origin = Origin::builder(store).clock(time.clock()).timer(time.timer()).build();
        Self {
            time: time.clone(),
            film,
            origin,
            clients,
            requests,
            versions: Cell::new(1),
            outcomes: RefCell::default(),
        }
    }

    /// Runs all clients to their end.
    fn run(&self) {
        self.time.run(join_all((0..self.clients).map(|client| self.client(client))));
    }

    async fn client(&self, client: usize) {
        let mut random = Random(client as u64 + 1);
        for _ in 0..self.requests / self.clients {
            self.time.sleep(millis(random.below(2000))).await;
            let number = random.below(self.film.media.fragments.len() as u64) as usize;
            let began = self.time.now();
            let request = Box::pin(self.request(number));
            let outcome = match select(request, self.time.sleep(PATIENCE)).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(_) => "the client went away".to_owned(),
            };
            let took = self.time.now() - began;
            let mut outcomes = self.outcomes.borrow_mut();
            if outcome == "whole" {
                outcomes.slowest = outcomes.slowest.max(took);
            }
            *outcomes.counts.entry(outcome).or_default() += 1;
        }
    }

    async fn request(&self, number: usize) -> String {
        let (path, _) = self.film.fragment(number, 1);
        let served = match self.origin.answer(&path).await {
            Ok(Answer::Reply(served)) => served,
            Ok(other) => panic!("{path} gave {other:?}"),
            Err(error) => {
                assert_eq!(error.kind.status(), 503, "{error}");
                return format!("refused {}", error.kind.code());
            }
        };
        let (length, mut body) = (served.reply().length(), served.body());
        let mut bytes = Vec::new();
        while let Some(part) = body.next().await {
            match part {
                Ok(part) => bytes.extend_from_slice(&part),
                Err(error) => {
                    // The connection is cut: no cache takes it for the whole.
                    assert!((bytes.len() as u64) < length);
                    return format!("cut {}", error.kind.code());
                }
            }
        }
        assert_eq!(bytes.len() as u64, length);
        let version = self.film.version(number, &bytes, self.versions.get());
        assert!(version.is_some(), "a wrong byte in {path}");
        "whole".to_owned()
    }

    fn rate(&self) -> f64 {
        let outcomes = self.outcomes.borrow();
        let whole = outcomes.counts.get("whole").copied().unwrap_or_default();
        f64::from(whole) / f64::from(outcomes.counts.values().sum::<u32>())
    }

    fn report(&self, what: &str, stats: &ResilienceStats) -> f64 {
        let outcomes = self.outcomes.borrow();
        println!(
            "{what}: {:.3} % within {} s, the slowest in {:.1} s, {:?}, {:.0} s of virtual time, {stats:?}",
            self.rate() * 100.0,
            PATIENCE.as_secs(),
            outcomes.slowest.as_secs_f64(),
            outcomes.counts,
            self.time.now().as_secs_f64(),
        );
        self.rate()
    }
}

/// Numbers of a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn resilience(time: &VirtualTime) -> Resilience {
    Resilience::new().timer(time.timer()).clock(time.clock()).seed(7)
}

/// Each operation takes 20 ms.
fn distant(objects: &MemoryStore, time: &VirtualTime) -> FaultyStore<MemoryStore> {
    let all = Faults { stall: 100, ..Faults::default() };
    FaultyStore::new(objects.clone(), 1, all).stalls(millis(20), time.timer())
}

/// A store that fails 20 % of all operations and stalls for 2 s on 5 %.
fn failing(objects: &MemoryStore, time: &VirtualTime) -> FaultyStore<FaultyStore<MemoryStore>> {
    let faults = Faults { fail: 20, stall: 5, ..Faults::default() };
    FaultyStore::new(distant(objects, time), 2, faults).stalls(millis(2000), time.timer())
}

#[test]
fn of_100_000_requests_over_a_failing_store_nearly_all_succeed_and_none_is_wrong() {
    let (time, film) = (VirtualTime::default(), Film::new());
    let store = resilience(&time).around(failing(&film.objects, &time));
    let simulation = Simulation::new(&time, film, store.clone(), (200, 100_000));
    simulation.run();
    let rate = simulation.report("20 % fail, 5 % stall", &store.stats());
    assert!(rate >= 0.999, "{rate}");
    assert_eq!(store.stats().breaker.openings, 0);
}

#[test]
fn a_store_that_asks_a_fifth_of_the_requests_to_slow_down_serves_nearly_all() {
    for retry_after in [None, Some(millis(1000))] {
        let (time, film) = (VirtualTime::default(), Film::new());
        let faults = Faults { slow_down: 20, stall: 5, ..Faults::default() };
        let mut slow = FaultyStore::new(distant(&film.objects, &time), 2, faults)
            .stalls(millis(2000), time.timer());
        if let Some(retry_after) = retry_after {
            slow = slow.retry_after(retry_after);
        }
        let store = resilience(&time).around(slow);
        let simulation = Simulation::new(&time, film, store.clone(), (200, 20_000));
        simulation.run();
        let rate = simulation.report(&format!("slow down, {retry_after:?}"), &store.stats());
        assert!(rate >= 0.999, "{rate}");
    }
}

#[test]
fn clients_that_wait_for_the_read_of_another_get_their_fragment_too() {
    let (time, film) = (VirtualTime::default(), Film::new());
    let store = resilience(&time).around(failing(&film.objects, &time));
    let mut simulation = Simulation::new(&time, film, store.clone(), (200, 20_000));
    // Room for a few fragments: most reads are shared, and few fragments are kept.
    let origin = Origin::builder(store.clone()).fragment_cache_bytes(10_000);
    simulation.origin = origin.clock(time.clock()).timer(time.timer()).build();
    simulation.run();
    let rate = simulation.report("with a cache of fragments", &store.stats());
    assert!(simulation.origin.stats().fragments.hits > 100);
    assert!(rate >= 0.999, "{rate}");
}

#[test]
fn nearly_all_presentations_open_over_a_failing_store() {
    let (time, film) = (VirtualTime::default(), Film::new());
    // An opening takes two requests there, either of which may fail or stall.
    let faults = Faults { fail: 11, stall: 3, ..Faults::default() };
    let failing = FaultyStore::new(distant(&film.objects, &time), 2, faults);
    let store = resilience(&time).around(failing.stalls(millis(2000), time.timer()));
    let (mut opened, mut slowest) = (0, Duration::ZERO);
    const OPENINGS: usize = 2000;
    for _ in 0..OPENINGS {
        let origin = Origin::builder(store.clone()).clock(time.clock()).timer(time.timer());
        let origin = origin.build();
        let began = time.now();
        let manifest = time.run(origin.answer("film.ism/Manifest"));
        let is_whole = manifest.is_ok()
            && time.run(origin.open(&name("film.ism"))).is_ok_and(|o| {
                o.presentation().streams().iter().all(|s| s.tracks()[0].source().is_some())
            });
        let took = time.now() - began;
        slowest = slowest.max(took);
        opened += usize::from(is_whole && took <= PATIENCE);
    }
    println!(
        "{opened} of {OPENINGS} openings, the slowest in {:.1} s, {:?}",
        slowest.as_secs_f64(),
        store.stats()
    );
    assert!(opened >= OPENINGS * 999 / 1000, "{opened}");
}

#[test]
fn hedges_take_the_stalls_out_of_sight() {
    let (time, film) = (VirtualTime::default(), Film::new());
    let hedged = resilience(&time).hedge(millis(100), 95);
    let store = hedged.around(failing(&film.objects, &time));
    let simulation = Simulation::new(&time, film, store.clone(), (200, 20_000));
    simulation.run();
    let rate = simulation.report("the same, hedged", &store.stats());
    assert!(rate >= 0.999, "{rate}");
    let stats = store.stats();
    assert!(stats.hedge.won > stats.hedge.sent / 2, "{stats:?}");
}

#[test]
fn without_anything_around_the_store_far_fewer_succeed() {
    let (time, film) = (VirtualTime::default(), Film::new());
    let store = failing(&film.objects, &time);
    let simulation = Simulation::new(&time, film, store, (200, 2000));
    simulation.run();
    let rate = simulation.report("nothing around it", &ResilienceStats::default());
    assert!(rate < 0.85, "{rate}");
}

#[test]
fn a_store_with_every_fault_whose_film_is_replaced_gives_no_wrong_byte() {
    let (time, film) = (VirtualTime::default(), Film::new());
    let faults = Faults {
        fail: 5,
        stall: 5,
        hang: 2,
        slow_down: 5,
        shorten: 2,
        lengthen: 2,
        change: 1,
        wrong_version: 1,
    };
    let faulty = FaultyStore::new(distant(&film.objects, &time), 3, faults);
    let faulty = faulty.stalls(millis(2000), time.timer()).retry_after(millis(1000));
    let store = resilience(&time).around(faulty);
    let simulation = Simulation::new(&time, film, store.clone(), (200, 20_000));
    let replacing = async {
        for version in 2..10 {
            simulation.time.sleep(millis(8000)).await;
            simulation.versions.set(version);
            let media = simulation.film.media.filled(version);
            simulation.film.objects.put(name("film.ismv"), media);
        }
    };
    let clients = join_all((0..200).map(|client| simulation.client(client)));
    time.run(join(replacing, clients));
    let rate = simulation.report("every fault", &store.stats());
    assert!(rate > 0.9, "{rate}");
}

#[test]
fn a_store_that_is_down_is_left_alone_and_found_again() {
    let (time, film) = (VirtualTime::default(), Film::new());
    let sick = SickStore::new(film.objects.clone());
    let counting = CountingStore::new(sick.clone());
    let store = resilience(&time).around(counting.clone());
    let simulation = Simulation::new(&time, film, store.clone(), (200, 20_000));
    let outage = async {
        time.sleep(millis(20_000)).await;
        sick.set_sick(true);
        time.sleep(millis(1000)).await;
        // Its two objects are too few to tell that it is the store.
        assert_eq!(store.stats().breaker.state, BreakerState::Closed);
        assert!(store.stats().breaker.objects > 0);
        let before = counting.counts();
        time.sleep(millis(29_000)).await;
        // The reads that found out now and then whether it is back.
        let reads = counting.counts().failures - before.failures;
        assert!((1..=20).contains(&reads), "{reads}");
        sick.set_sick(false);
        time.sleep(millis(6000)).await;
        assert_eq!(store.stats().breaker.objects, 0);
        simulation.outcomes.borrow_mut().counts.clear();
    };
    let clients = join_all((0..200).map(|client| simulation.client(client)));
    time.run(join(outage, clients));
    let rate = simulation.report("after 30 s without a store", &store.stats());
    assert_eq!(rate, 1.0);
}
