//! All stores around a remote one, together.

use std::io;
use std::time::Duration;

use smooth_origin::base::Name;
use smooth_origin::origin::block_on;
use smooth_origin::storage::conformance::{self, Fixture};
use smooth_origin::storage::{
    AnyStore, BreakerStore, CountingStore, Faults, FaultyStore, HedgeStore, MemoryObject,
    MemoryStore, RangeSource, Resilience, RetryStore, Source, Store,
};
use testkit::virtual_time::VirtualTime;
use testkit::{name, store};

use super::scripted::{Scripted, Turn, opened};
use super::{millis, poll};

/// Writes to objects in memory.
struct Writer(MemoryStore);

impl Fixture for Writer {
    async fn put(&self, name: &Name, content: Vec<u8>) {
        self.0.put(name.clone(), content);
    }

    async fn remove(&self, name: &Name) {
        self.0.remove(name);
    }
}

fn resilience(time: &VirtualTime) -> Resilience {
    Resilience::new().timer(time.timer()).clock(time.clock()).seed(7)
}

#[test]
fn each_store_around_a_store_passes_the_conformance_suite() {
    let delays = Faults { stall: 50, ..Faults::default() };
    for seed in 0..3 {
        let (time, objects) = (VirtualTime::default(), MemoryStore::new());
        let writer = Writer(objects.clone());
        let delayed = FaultyStore::new(objects, seed, delays);
        let retrying = RetryStore::new(delayed.clone()).timer(time.timer()).clock(time.clock());
        block_on(conformance::all(&retrying, &writer));
        block_on(conformance::all(&BreakerStore::new(delayed.clone()), &writer));
        // Each operation that has to wait is made twice.
        let hedging = HedgeStore::new(delayed.clone(), Duration::ZERO).limit(100);
        let hedging = hedging.timer(time.timer()).clock(time.clock());
        block_on(conformance::all(&hedging, &writer));
        assert!(hedging.stats().won > 10, "{:?}", hedging.stats());
        let all = resilience(&time).hedge(Duration::ZERO, 95).around(delayed);
        block_on(conformance::all(&all, &writer));
        block_on(conformance::all(&AnyStore::new(all), &writer));
    }
}

#[test]
fn a_store_that_fails_passes_the_conformance_suite_with_retries_around_it() {
    let faults = Faults { fail: 10, slow_down: 5, shorten: 5, lengthen: 5, ..Faults::default() };
    for seed in 0..3 {
        let (time, objects) = (VirtualTime::default(), MemoryStore::new());
        let failing = FaultyStore::new(objects.clone(), seed, faults);
        let store = resilience(&time).tries(20).total(Duration::MAX).retry_budget(1000, 0);
        let store = store.around(failing);
        time.run(conformance::all(&store, &Writer(objects)));
        assert!(store.stats().retry.retries > 20);
    }
}

#[test]
fn no_operation_takes_longer_than_the_total() {
    let time = VirtualTime::default();
    let objects = store([("object", b"some content".to_vec())]);
    let mut failed = 0;
    for seed in 0..200 {
        let faults = Faults { hang: 60, fail: 20, slow_down: 10, ..Faults::default() };
        let faulty = FaultyStore::new(objects.clone(), seed, faults).retry_after(millis(700));
        let store = resilience(&time).breaker(0, 0, millis(1)).around(faulty);
        let began = time.now();
        failed += usize::from(time.run(store.stat(&name("object"))).is_err());
        assert!(time.now() - began <= millis(9000), "{:?}", time.now() - began);
    }
    assert!(failed > 50, "{failed}");
}

#[test]
fn the_origin_waits_for_longer_than_all_tries_take() {
    use smooth_origin::Origin;
    use smooth_origin::base::ErrorKind;

    let time = VirtualTime::default();
    let objects = store([("film.ism", b"<smil/>".to_vec())]);
    let hanging = FaultyStore::new(objects, 1, Faults { hang: 100, ..Faults::default() });
    let store = resilience(&time).around(hanging);
    let origin = Origin::builder(store.clone()).timer(time.timer()).clock(time.clock()).build();
    let error = time.run(origin.answer("film.ism/Manifest")).unwrap_err();
    let ErrorKind::Read(read) = &error.kind else { panic!("{error}") };
    // The operator reads what happened, which the origin's own limit could not say.
    let cause = read.source.as_ref().unwrap().to_string();
    assert!(cause.contains("the storage did not answer within"), "{cause}");
    assert!(cause.contains("tries in "), "{cause}");
    assert_eq!((origin.stats().timeouts, store.stats().retry.given_up), (0, 1));
}

#[test]
fn a_read_has_more_time_the_longer_it_is() {
    let time = VirtualTime::default();
    let objects = store([("object", vec![7; 4 << 20])]);
    let all = Faults { stall: 100, ..Faults::default() };
    let slow = FaultyStore::new(objects, 1, all).stalls(millis(2500), time.timer());
    let around = resilience(&time).tries(1).timeout(millis(2000), 1 << 20);
    let source = time.run(async { around.around(slow).open(&name("object")).await });
    assert_eq!(source.err().map(|error| error.kind()), Some(io::ErrorKind::TimedOut));
    let store = Scripted::always(Turn::Answer(2500));
    let around = Resilience::new().tries(1).timer(store.time.timer()).clock(store.time.clock());
    let source = opened(&around.timeout(millis(2000), 8).around(store.clone()));
    // Four bytes at eight bytes per second.
    assert_eq!(store.time.run(source.read(0..4)).unwrap(), "some");
    let error = store.time.run(source.read(0..3)).unwrap_err();
    assert_eq!(error.to_string(), "the storage did not answer within 2.375 s");
}

#[test]
fn the_source_below_is_found() {
    let objects = store([("object", b"some content".to_vec())]);
    let store = CountingStore::new(Resilience::new().around(objects));
    let source = Source::new(opened(&AnyStore::new(store)));
    assert!(source.downcast_ref::<MemoryObject>().is_some());
}

#[test]
fn any_value_of_an_option_leaves_a_store_that_answers() {
    type Set = fn(Resilience) -> Resilience;
    let values: [(&str, Set); 16] = [
        ("timeout(MAX, 0)", |r| r.timeout(Duration::MAX, 0)),
        ("timeout(MAX, 1)", |r| r.timeout(Duration::MAX, 1)),
        ("timeout(1 s, MAX)", |r| r.timeout(millis(1000), u64::MAX)),
        ("tries(MAX)", |r| r.tries(u32::MAX)),
        ("delay(0, 0)", |r| r.delay(Duration::ZERO, Duration::ZERO)),
        ("delay(0, MAX)", |r| r.delay(Duration::ZERO, Duration::MAX)),
        ("total(MAX)", |r| r.total(Duration::MAX)),
        ("retry_budget(MAX, MAX)", |r| r.retry_budget(u32::MAX, u32::MAX)),
        ("hedge(0, 0)", |r| r.hedge(Duration::ZERO, 0)),
        ("hedge(0, 255)", |r| r.hedge(Duration::ZERO, 255)),
        ("hedge(MAX, 100)", |r| r.hedge(Duration::MAX, 100)),
        ("hedge_limit(MAX)", |r| r.hedge(Duration::ZERO, 0).hedge_limit(u32::MAX)),
        ("hedge_limit(0)", |r| r.hedge(Duration::ZERO, 0).hedge_limit(0)),
        ("breaker(MAX, 0)", |r| r.breaker(u32::MAX, u32::MAX, Duration::MAX)),
        ("breaker(0, 0, 0)", |r| r.breaker(0, 0, Duration::ZERO)),
        ("breaker(1, 0, 0)", |r| r.breaker(1, 0, Duration::ZERO)),
    ];
    let fail = |millis| Turn::Fail(millis, io::ErrorKind::ConnectionReset);
    for (what, set) in values {
        let store = Scripted::new([fail(0), fail(3), Turn::Answer(5), fail(7)]);
        let around = set(resilience(&store.time)).around(store.clone());
        let source = opened(&around);
        let reads = (0..10).filter(|_| store.time.run(source.read(0..4)).is_ok()).count();
        assert!(reads >= 7, "{what}: {reads}");
        assert!(store.time.run(source.read_many(&[0..4, 4..8])).is_ok(), "{what}");
        assert_eq!((store.under_way(), store.time.sleeping()), (0, 0), "{what}");
    }
    // Delays without an end leave an operation that ends with its total.
    let store = Scripted::new([fail(0); 100]);
    let around = resilience(&store.time).delay(Duration::MAX, Duration::MAX).around(store.clone());
    let source = opened(&around);
    (0..10).for_each(|_| drop(store.time.run(source.read(0..4))));
    assert!(store.time.now() <= millis(90_000));
}

/// The timer and the clock that need no runtime.
#[test]
fn without_a_timer_of_the_host_everything_works_as_well() {
    let objects = store([("object", b"some content".to_vec())]);
    let faults = Faults { hang: 5, fail: 20, ..Faults::default() };
    // A busy machine does not stall so long at each try.
    let resilience = Resilience::new().timeout(millis(500), 0);
    let resilience = resilience.delay(millis(1), millis(2)).tries(50);
    let store = resilience.hedge(millis(2), 0).around(FaultyStore::new(objects, 3, faults));
    let source = opened(&store);
    for _ in 0..50 {
        assert_eq!(block_on(source.read(0..4)).unwrap(), "some");
    }
    let stats = store.stats();
    assert!(stats.retry.recovered > 5 && stats.hedge.won > 0, "{stats:?}");
}

#[test]
fn without_hedges_no_timer_but_that_of_the_limits_is_set() {
    let store = Scripted::always(Turn::Hang);
    let source = opened(&resilience(&store.time).around(store.clone()));
    let mut reading = Box::pin(source.read(0..4));
    assert!(poll(reading.as_mut()).is_none());
    // One for the try, one for all tries.
    assert_eq!(store.time.sleeping(), 2);
    drop(reading);
    assert_eq!((store.time.sleeping(), store.under_way()), (0, 0));
}

#[cfg(feature = "http")]
#[test]
fn a_client_learns_when_to_come_back() {
    use smooth_origin::Origin;
    use smooth_origin::origin::Timer;
    use smooth_origin::service::OriginService;

    let retry_after = |time: &VirtualTime, store: AnyStore| {
        let origin = Origin::builder(store).timer(time.timer()).clock(time.clock()).build();
        let service = OriginService::new(origin);
        let request = http::Request::get("http://localhost/film.ism/Manifest").body(()).unwrap();
        let response = time.run(service.respond(&request));
        assert_eq!(response.status(), 503);
        response.headers()["retry-after"].to_str().unwrap().to_owned()
    };
    let (time, objects) = (VirtualTime::default(), store([("film.ism", b"<smil/>".to_vec())]));
    let failing = |faults| FaultyStore::new(objects.clone(), 1, faults);
    let slow = Faults { slow_down: 100, ..Faults::default() };
    let slow_down = failing(slow).retry_after(millis(7000));
    assert_eq!(retry_after(&time, AnyStore::new(slow_down.clone())), "7");
    // After tries that fit into the total.
    assert_eq!(retry_after(&time, AnyStore::new(resilience(&time).around(slow_down))), "7");
    // If the store says nothing, a second.
    assert_eq!(retry_after(&time, AnyStore::new(failing(slow))), "1");
    // If the breaker is open, until it is not.
    let down = failing(Faults { fail: 100, ..Faults::default() });
    let down = resilience(&time).breaker(1, 100, millis(4000)).around(down);
    time.run(down.stat(&name("film.ism"))).unwrap_err();
    time.run(time.sleep(millis(500)));
    assert_eq!(retry_after(&time, AnyStore::new(down)), "4");
}
