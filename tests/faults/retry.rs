//! Retries.

use std::io::{self, ErrorKind};
use std::time::Duration;

use smooth_origin::origin::Timer;
use smooth_origin::storage::{ChangedError, RangeSource, RetryStore, SlowDown, TimeoutStore};

use super::scripted::Turn::{Answer, Changed, Fail, Hang, Short, SlowDown as Slow};
use super::scripted::{Scripted, opened};
use super::{millis, poll};

fn retrying(store: &Scripted) -> RetryStore<Scripted> {
    let time = &store.time;
    RetryStore::new(store.clone()).timer(time.timer()).clock(time.clock()).seed(7)
}

/// Reads once.
fn read<S>(store: &Scripted, around: &S) -> io::Result<bytes::Bytes>
where
    S: smooth_origin::storage::Store,
{
    let source = opened(around);
    store.time.run(source.read(0..4))
}

const BUSY: super::scripted::Turn = Fail(0, ErrorKind::ConnectionReset);

#[test]
fn a_failure_that_may_pass_is_tried_again_after_waits_that_grow() {
    let mut longest = [Duration::ZERO; 5];
    for seed in 0..200 {
        let store = Scripted::new([BUSY; 5]);
        let around = retrying(&store).seed(seed);
        assert_eq!(read(&store, &around).unwrap(), "some");
        let asked = store.asked();
        assert_eq!(asked.len(), 6);
        for (longest, pair) in longest.iter_mut().zip(asked.windows(2)) {
            *longest = (*longest).max(pair[1] - pair[0]);
        }
        let stats = around.stats();
        assert_eq!((stats.retries, stats.recovered, stats.given_up), (5, 1, 0));
    }
    for (longest, limit) in longest.into_iter().zip([50, 100, 200, 400, 800].map(millis)) {
        assert!(longest > limit * 9 / 10 && longest <= limit, "{longest:?} of {limit:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_waits_and_another_seed_others() {
    let asked = |seed| {
        let store = Scripted::new([BUSY; 5]);
        read(&store, &retrying(&store).seed(seed)).unwrap();
        store.asked()
    };
    assert_eq!(asked(1), asked(1));
    assert_ne!(asked(1), asked(2));
}

#[test]
fn an_error_that_is_an_answer_is_returned_at_once() {
    let kinds = [
        ErrorKind::NotFound,
        ErrorKind::IsADirectory,
        ErrorKind::NotADirectory,
        ErrorKind::InvalidFilename,
        ErrorKind::PermissionDenied,
        ErrorKind::UnexpectedEof,
        ErrorKind::Unsupported,
        ErrorKind::InvalidInput,
    ];
    for kind in kinds {
        let store = Scripted::always(Fail(0, kind));
        let around = retrying(&store);
        assert_eq!(read(&store, &around).unwrap_err().kind(), kind);
        assert_eq!((store.asked().len(), around.stats().given_up), (1, 0), "{kind}");
    }
    let store = Scripted::always(Changed);
    let error = read(&store, &retrying(&store)).unwrap_err();
    assert!(error.get_ref().unwrap().is::<ChangedError>());
    assert_eq!(store.asked().len(), 1);
    // Also if it comes later.
    let store = Scripted::new([BUSY, Changed]);
    let error = read(&store, &retrying(&store)).unwrap_err();
    assert!(error.get_ref().unwrap().is::<ChangedError>());
}

#[test]
fn an_answer_of_the_wrong_length_is_asked_for_again() {
    let store = Scripted::new([Short, Short]);
    let around = retrying(&store);
    assert_eq!(read(&store, &around).unwrap(), "some");
    assert_eq!(around.stats().retries, 2);
    let store = Scripted::always(Short);
    let error = read(&store, &retrying(&store)).unwrap_err();
    assert!(error.to_string().contains("0 bytes of 4"), "{error}");
}

#[test]
fn after_the_last_try_the_error_is_that_of_the_store_and_says_how_many_there_were() {
    let store = Scripted::always(BUSY);
    let around = retrying(&store).tries(3);
    let error = read(&store, &around).unwrap_err();
    assert_eq!((error.kind(), store.asked().len()), (ErrorKind::ConnectionReset, 3));
    assert!(error.to_string().contains("after 3 tries in 0."), "{error}");
    assert_eq!(around.stats().given_up, 1);
    let store = Scripted::always(BUSY);
    let error = read(&store, &retrying(&store).tries(0)).unwrap_err();
    assert_eq!((error.to_string().contains("tries"), store.asked().len()), (false, 1));
}

#[test]
fn all_tries_end_within_the_total() {
    let store = Scripted::always(Hang);
    let error = read(&store, &retrying(&store)).unwrap_err();
    assert_eq!((error.kind(), store.time.now()), (ErrorKind::TimedOut, millis(9000)));
    assert!(error.to_string().contains("within the 9 s of all tries"), "{error}");
    assert_eq!((store.asked().len(), store.under_way(), store.time.sleeping()), (1, 0, 0));
    // With a limit for each try, four fit into it and the last one is cut.
    let store = Scripted::always(Hang);
    let timed = TimeoutStore::new(store.clone(), millis(2000)).timer(store.time.timer());
    let around = RetryStore::new(timed).timer(store.time.timer()).clock(store.time.clock());
    assert_eq!(read(&store, &around).unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(store.time.now() <= millis(9000));
    assert!((4..=5).contains(&store.asked().len()), "{:?}", store.asked());
}

#[test]
fn all_operations_share_one_budget() {
    let store = Scripted::always(BUSY);
    let around = retrying(&store).budget(0, 0);
    for _ in 0..100 {
        read(&store, &around.clone()).unwrap_err();
    }
    // 20 operations of six tries have used it up.
    assert_eq!(store.asked().len(), 200);
    let stats = around.stats();
    assert_eq!((stats.retries, stats.given_up, stats.out_of_budget), (100, 100, 80));
}

#[test]
fn the_budget_grows_with_the_operations() {
    let store = Scripted::always(BUSY);
    let source = opened(&retrying(&store).budget(20, 0));
    for _ in 0..1000 {
        store.time.run(source.read(0..4)).unwrap_err();
    }
    let retries = store.asked().len() - 1000;
    assert!((295..=300).contains(&retries), "{retries}: 100 and a fifth of 1,000");
}

#[test]
fn the_budget_grows_with_time() {
    let store = Scripted::always(BUSY);
    let none = Duration::ZERO;
    let around = retrying(&store).budget(0, 10).delay(none, none);
    let asked = || {
        let before = store.asked().len();
        read(&store, &around).unwrap_err();
        store.asked().len() - before
    };
    (0..20).for_each(|_| assert_eq!(asked(), 6));
    assert_eq!(asked(), 1);
    store.time.run(store.time.sleep(millis(700)));
    assert_eq!([asked(), asked(), asked()], [6, 3, 1], "seven retries");
}

#[test]
fn a_dropped_operation_gives_back_the_retry_that_it_waits_to_make() {
    let store = Scripted::always(BUSY);
    let around = retrying(&store).budget(0, 0);
    let source = opened(&around);
    for _ in 0..1000 {
        let mut reading = Box::pin(source.read(0..4));
        assert!(poll(reading.as_mut()).is_none(), "it waits");
    }
    assert_eq!((store.asked().len(), around.stats().retries), (1000, 0));
    assert_eq!((store.time.sleeping(), store.under_way()), (0, 0));
    for _ in 0..20 {
        read(&store, &around).unwrap_err();
    }
    assert_eq!(around.stats().retries, 100);
}

#[test]
fn a_store_that_asks_for_a_pause_gets_it() {
    let pause = millis(1500);
    let store = Scripted::new([Slow(Some(pause))]);
    let around = retrying(&store);
    assert_eq!(read(&store, &around).unwrap(), "some");
    let asked = store.asked();
    assert!((pause..=pause + millis(50)).contains(&asked[1]), "{asked:?}");
    assert_eq!(around.stats().slow_downs, 1);
    // If it does not say how long, the pause is ten times the usual one.
    let longest = (0..100).map(|seed| {
        let store = Scripted::new([Slow(None)]);
        read(&store, &retrying(&store).seed(seed)).unwrap();
        store.asked()[1]
    });
    let longest = longest.max().unwrap();
    assert!((millis(450)..=millis(500)).contains(&longest), "{longest:?}");
}

#[test]
fn a_pause_that_is_too_long_is_passed_on() {
    for pause in [millis(9000), Duration::MAX] {
        let store = Scripted::always(Slow(Some(pause)));
        let error = read(&store, &retrying(&store)).unwrap_err();
        assert_eq!((error.kind(), store.asked().len()), (ErrorKind::ResourceBusy, 1));
        let slow_down = error.get_ref().unwrap().downcast_ref::<SlowDown>();
        assert_eq!(slow_down.unwrap().retry_after, Some(pause));
    }
}

#[test]
fn ranges_that_failed_together_are_read_one_by_one() {
    let store = Scripted::new([BUSY]);
    let around = retrying(&store);
    let source = opened(&around);
    let ranges: Vec<_> = (0..8).map(|at| at..at + 4).collect();
    store.then([Answer(5), Answer(5), BUSY, BUSY, Short]);
    // All eight are made at once by the store; one of them fails.
    let read = store.time.run(source.read_many(&ranges)).unwrap();
    assert!(read.iter().zip(&ranges).all(|(bytes, range)| {
        bytes == &b"some content"[range.start as usize..range.end as usize]
    }));
    assert!(around.stats().retries >= 1);
    // Answers are returned at once here, too.
    store.then([Changed]);
    let error = store.time.run(source.read_many(&ranges)).unwrap_err();
    assert!(error.get_ref().unwrap().is::<ChangedError>());
    assert!(store.time.run(source.read_many(&[])).unwrap().is_empty());
    assert_eq!(store.time.run(source.read_many(&ranges[..1])).unwrap().len(), 1);
}
