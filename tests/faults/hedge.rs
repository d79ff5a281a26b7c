//! Hedged reads.

use std::io::ErrorKind;

use smooth_origin::storage::{HedgeStore, RangeSource};

use super::scripted::Turn::{Answer, Fail, Hang, SlowDown};
use super::scripted::{Scripted, opened};
use super::{millis, poll};

fn hedging(store: &Scripted) -> HedgeStore<Scripted> {
    HedgeStore::new(store.clone(), millis(200)).timer(store.time.timer()).clock(store.time.clock())
}

#[test]
fn a_slow_read_is_made_twice_and_the_slower_one_dropped() {
    for (turns, end, wins) in [
        ([Answer(2000), Answer(30)], 230, 1),
        ([Answer(250), Answer(2000)], 250, 0),
        ([Hang, Answer(0)], 200, 1),
    ] {
        let store = Scripted::new(turns);
        let around = hedging(&store);
        let source = opened(&around);
        assert_eq!(store.time.run(source.read(0..4)).unwrap(), "some");
        assert_eq!((store.time.now(), store.under_way()), (millis(end), 0));
        assert_eq!(store.asked(), [millis(0), millis(200)]);
        assert_eq!((around.stats().sent, around.stats().won), (1, wins));
        assert_eq!(store.time.sleeping(), 0);
    }
}

#[test]
fn a_read_that_answers_or_fails_in_time_is_made_once() {
    let failing = Fail(199, ErrorKind::ConnectionReset);
    let store = Scripted::new([Answer(0), Answer(199), failing]);
    let around = hedging(&store);
    let source = opened(&around);
    store.time.run(source.read(0..4)).unwrap();
    store.time.run(source.read(0..4)).unwrap();
    store.time.run(source.read(0..4)).unwrap_err();
    assert_eq!((store.asked().len(), around.stats().sent), (3, 0));
}

#[test]
fn if_one_of_the_two_fails_the_other_one_is_waited_for() {
    let reset = |millis| Fail(millis, ErrorKind::ConnectionReset);
    for (turns, end) in [
        ([reset(300), Answer(300)], Some(500)),
        ([Answer(500), reset(10)], Some(500)),
        ([reset(300), reset(300)], None),
        // An answer is one, whoever gives it.
        ([Fail(300, ErrorKind::NotFound), Answer(300)], None),
        ([Hang, Fail(10, ErrorKind::NotFound)], None),
    ] {
        let store = Scripted::new(turns);
        let read = store.time.run(opened(&hedging(&store)).read(0..4));
        assert_eq!(read.is_ok(), end.is_some(), "{turns:?}");
        if let Some(end) = end {
            assert_eq!(store.time.now(), millis(end), "{turns:?}");
        }
        assert_eq!(store.under_way(), 0);
    }
}

#[test]
fn a_store_that_is_slow_as_a_whole_gets_few_second_reads() {
    let store = Scripted::always(Answer(1000));
    let around = hedging(&store);
    let source = opened(&around);
    // The opening counts, too.
    for _ in 0..999 {
        store.time.run(source.read(0..4)).unwrap();
    }
    let stats = around.stats();
    assert_eq!(stats.sent, 10 + 49, "ten are kept, and 5 % of the others");
    assert_eq!(stats.over_limit, 999 - stats.sent);
    let store = Scripted::always(Answer(1000));
    let around = hedging(&store).limit(0);
    store.time.run(opened(&around).read(0..4)).unwrap();
    assert_eq!((store.asked().len(), store.time.now()), (1, millis(1000)));
}

#[test]
fn the_delay_follows_the_recent_reads_of_similar_size() {
    let store = Scripted::always(Answer(600));
    let around = hedging(&store).percentile(95).limit(100);
    let source = opened(&around);
    for _ in 0..100 {
        store.time.run(source.read(0..4)).unwrap();
    }
    let before = around.stats().sent;
    assert!((30..=50).contains(&before), "{before}: until it was known that 600 ms are usual");
    for _ in 0..100 {
        store.time.run(source.read(0..4)).unwrap();
    }
    assert_eq!(around.stats().sent, before);
    // What takes longer than they do is made twice.
    store.then([Hang, Answer(0)]);
    let began = store.time.now();
    store.time.run(source.read(0..4)).unwrap();
    assert_eq!(store.time.now() - began, millis(600));
    // Fast ones never bring it below the delay.
    store.later_on(Answer(1));
    (0..200).for_each(|_| drop(store.time.run(source.read(0..4)).unwrap()));
    store.then([Hang, Answer(0)]);
    let began = store.time.now();
    store.time.run(source.read(0..4)).unwrap();
    assert_eq!(store.time.now() - began, millis(200));
}

#[test]
fn a_store_that_asks_for_fewer_requests_gets_no_second_ones() {
    let store = Scripted::new([SlowDown(None)]);
    let around = hedging(&store);
    let source = opened(&around);
    store.time.run(source.read(0..4)).unwrap_err();
    store.later_on(Answer(1000));
    (0..19).for_each(|_| drop(store.time.run(source.read(0..4)).unwrap()));
    assert_eq!(around.stats().sent, 0);
    store.time.run(source.read(0..4)).unwrap();
    assert_eq!(around.stats().sent, 1, "20 operations bring one");
}

#[test]
fn dropped_reads_leave_the_limit_and_the_store_as_they_were() {
    let store = Scripted::always(Hang);
    let around = hedging(&store).limit(1);
    let source = opened(&around);
    for _ in 0..50 {
        let mut reading = Box::pin(source.read(0..4));
        assert!(poll(reading.as_mut()).is_none());
    }
    assert_eq!((store.under_way(), store.time.sleeping(), around.stats().sent), (0, 0, 0));
    store.later_on(Answer(1000));
    (0..20).for_each(|_| drop(store.time.run(source.read(0..4)).unwrap()));
    assert_eq!(around.stats().sent, 10);
}
