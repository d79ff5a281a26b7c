//! The breaker.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::origin::Timer;
use smooth_origin::storage::{
    BreakerOpen, BreakerState, BreakerStore, RangeSource, RetryStore, SlowDown,
};

use super::scripted::OBJECTS;
use super::scripted::Turn::{self, Answer, Changed, Fail, Hang, SlowDown as Slow};
use super::scripted::{Scripted, ScriptedSource, opened, opened_as};
use super::{millis, poll};

const BUSY: Turn = Fail(0, ErrorKind::TimedOut);

type Source = smooth_origin::storage::BreakerSource<ScriptedSource>;

/// A breaker before a store of several objects, which are read in turn.
struct Tested {
    store: Scripted,
    breaker: BreakerStore<Scripted>,
    sources: Vec<Source>,
    reads: Cell<usize>,
}

impl Tested {
    fn new(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self::with(turns, |breaker| breaker)
    }

    fn with(
        turns: impl IntoIterator<Item = Turn>,
        set: impl Fn(BreakerStore<Scripted>) -> BreakerStore<Scripted>,
    ) -> Self {
        let store = Scripted::new(turns);
        let breaker = set(BreakerStore::new(store.clone()).clock(store.time.clock()));
        let sources = OBJECTS.iter().map(|object| opened_as(&breaker, object)).collect();
        let tested = Self { store, breaker, sources, reads: Cell::new(0) };
        // The openings are operations, too.
        tested.pass(millis(10_000));
        tested
    }

    fn source(&self) -> &Source {
        self.reads.set(self.reads.get() + 1);
        &self.sources[self.reads.get() % self.sources.len()]
    }

    fn read(&self) -> io::Result<Bytes> {
        self.store.time.run(self.source().read(0..4))
    }

    /// Reads one and the same object.
    fn read_one(&self) -> io::Result<Bytes> {
        self.store.time.run(self.sources[0].read(0..4))
    }

    fn state(&self) -> BreakerState {
        self.breaker.stats().state
    }

    fn pass(&self, time: Duration) {
        self.store.time.run(self.store.time.sleep(time));
    }

    fn refusal(&self) -> Option<Duration> {
        let before = self.store.asked().len();
        let error = self.read().err()?;
        let open = error.get_ref()?.downcast_ref::<BreakerOpen>()?;
        assert_eq!((error.kind(), self.store.asked().len()), (ErrorKind::ResourceBusy, before));
        Some(open.retry_after)
    }
}

#[test]
fn a_store_that_keeps_failing_is_left_alone_and_asked_again_after_a_while() {
    let tested = Tested::new([BUSY; 21]);
    for _ in 0..20 {
        assert_eq!(tested.state(), BreakerState::Closed);
        assert_eq!(tested.read().unwrap_err().kind(), ErrorKind::TimedOut);
    }
    assert_eq!(tested.state(), BreakerState::Open);
    assert_eq!(tested.refusal(), Some(millis(5000)));
    tested.pass(millis(4000));
    assert_eq!(tested.refusal(), Some(millis(1000)));
    tested.pass(millis(1000));
    assert_eq!(tested.state(), BreakerState::HalfOpen);
    // It still fails.
    assert_eq!(tested.read().unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(tested.refusal(), Some(millis(5000)));
    tested.pass(millis(5000));
    assert_eq!(tested.read().unwrap(), "some");
    assert_eq!(tested.state(), BreakerState::Closed);
    assert_eq!(tested.read().unwrap(), "some");
    let stats = tested.breaker.stats();
    assert_eq!((stats.openings, stats.refused), (2, 3));
}

#[test]
fn an_object_that_keeps_failing_is_left_alone_and_the_others_are_read() {
    let tested = Tested::new([BUSY; 20]);
    for _ in 0..20 {
        assert_eq!(tested.read_one().unwrap_err().kind(), ErrorKind::TimedOut);
    }
    let asked = tested.store.asked().len();
    let refused = tested.read_one().unwrap_err();
    assert!(refused.get_ref().unwrap().is::<BreakerOpen>());
    assert_eq!(tested.store.asked().len(), asked);
    let stats = tested.breaker.stats();
    assert_eq!((stats.state, stats.openings, stats.objects), (BreakerState::Closed, 0, 1));
    assert_eq!(tested.read().unwrap(), "some", "another one");
    // One operation finds out whether it answers again.
    tested.pass(millis(5000));
    tested.store.then([BUSY]);
    assert_eq!(tested.read_one().unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(tested.read_one().unwrap_err().get_ref().unwrap().is::<BreakerOpen>());
    tested.pass(millis(5000));
    assert_eq!(tested.breaker.stats().objects, 0);
    assert_eq!(tested.read_one().unwrap(), "some");
    assert_eq!(tested.read_one().unwrap(), "some");
}

#[test]
fn a_sick_object_does_not_end_a_store_that_is_asked_for_little_else() {
    let tested = Tested::new([]);
    tested.store.later_on(BUSY);
    // Of 500 failures of one object in a minute, those that reach the store are few.
    for _ in 0..500 {
        tested.read_one().unwrap_err();
        tested.pass(millis(120));
    }
    tested.store.later_on(Answer(0));
    assert_eq!(tested.breaker.stats().openings, 0);
    assert_eq!(tested.read().unwrap(), "some");
    assert!(tested.store.asked().len() < 40, "{}", tested.store.asked().len());
}

#[test]
fn one_operation_at_a_time_finds_out_whether_the_store_is_back() {
    let tested = Tested::new([BUSY; 20]);
    (0..20).for_each(|_| drop(tested.read()));
    tested.pass(millis(5000));
    tested.store.then([Hang, Answer(10)]);
    let mut probe = Box::pin(tested.source().read(0..4));
    assert!(poll(probe.as_mut()).is_none());
    assert_eq!(tested.refusal(), Some(millis(1000)));
    assert_eq!(tested.state(), BreakerState::HalfOpen);
    // Its client goes away: another one may find out.
    drop(probe);
    assert_eq!(tested.read().unwrap(), "some");
    assert_eq!(tested.state(), BreakerState::Closed);
}

#[test]
fn answers_are_successes() {
    let kinds = [
        ErrorKind::NotFound,
        ErrorKind::PermissionDenied,
        ErrorKind::UnexpectedEof,
        ErrorKind::Unsupported,
        ErrorKind::InvalidInput,
    ];
    let answers = kinds.map(|kind| Fail(0, kind)).into_iter().chain([Changed]);
    for answer in answers {
        let tested = Tested::new([answer; 100]);
        (0..100).for_each(|_| drop(tested.read().unwrap_err()));
        assert_eq!(tested.state(), BreakerState::Closed, "{answer:?}");
        // Nor do others count that come between them.
        let tested = Tested::new([[BUSY; 3].as_slice(), &[answer]].concat().repeat(4));
        (0..16).for_each(|_| drop(tested.read().unwrap_err()));
        assert_eq!(tested.state(), BreakerState::Closed, "{answer:?}");
    }
}

#[test]
fn a_store_that_answers_now_and_then_is_left_alone_all_the_same() {
    // Four of five fail, never more than eight in a row.
    let turns = [[BUSY; 8].as_slice(), &[Answer(0); 2]].concat();
    let tested = Tested::new(turns.repeat(2));
    (0..20).for_each(|_| drop(tested.read()));
    assert_eq!(tested.state(), BreakerState::Closed, "16 of 20, and the last was a success");
    tested.store.then([BUSY]);
    tested.read().unwrap_err();
    assert_eq!(tested.state(), BreakerState::Open);
    // Three of four are below the share.
    let turns = [[BUSY; 3].as_slice(), &[Answer(0)]].concat();
    let tested = Tested::new(turns.repeat(50));
    (0..200).for_each(|_| drop(tested.read()));
    assert_eq!(tested.state(), BreakerState::Closed);
    // What was long ago does not count.
    let tested = Tested::new([[BUSY; 19].as_slice(), &[Answer(0), BUSY]].concat());
    (0..19).for_each(|_| drop(tested.read()));
    tested.pass(millis(10_000));
    (0..2).for_each(|_| drop(tested.read()));
    assert_eq!(tested.state(), BreakerState::Closed);
}

#[test]
fn failures_that_come_sooner_than_successes_do_not_open_it() {
    let tested =
        Tested::new([[Fail(1, ErrorKind::TimedOut); 25].as_slice(), &[Answer(20); 75]].concat());
    let reads = (0..100).map(|_| tested.source().read(0..4));
    let read = tested.store.time.run(futures_util::future::join_all(reads));
    assert_eq!(read.iter().filter(|read| read.is_ok()).count(), 75);
    assert_eq!(tested.state(), BreakerState::Closed);
    // Dropped ones are no longer under way.
    tested.store.then([Hang; 100]);
    let mut hanging: Vec<_> = (0..100).map(|_| Box::pin(tested.source().read(0..4))).collect();
    assert!(hanging.iter_mut().all(|read| poll(read.as_mut()).is_none()));
    tested.store.later_on(BUSY);
    (0..99).for_each(|_| drop(tested.read().unwrap_err()));
    assert_eq!(tested.state(), BreakerState::Closed);
    drop(hanging);
    tested.read().unwrap_err();
    assert_eq!(tested.state(), BreakerState::Open);
}

#[test]
fn failures_that_come_later_than_successes_do_not_open_it() {
    let late = Fail(2000, ErrorKind::TimedOut);
    let tested = Tested::new([[late; 30].as_slice(), &[Answer(20); 70]].concat());
    let reads = (0..100).map(|_| tested.source().read(0..4));
    tested.store.time.run(futures_util::future::join_all(reads));
    assert_eq!(tested.state(), BreakerState::Closed);
    // If none succeeds that began later, they are a row.
    let tested = Tested::new([[Answer(20); 70].as_slice(), &[late; 70]].concat());
    let reads = (0..140).map(|_| tested.source().read(0..4));
    tested.store.time.run(futures_util::future::join_all(reads));
    assert_eq!(tested.state(), BreakerState::Open);
}

#[test]
fn an_operation_that_began_before_the_breaker_opened_does_not_close_it() {
    let tested = Tested::new([Answer(2000)]);
    let mut early = Box::pin(tested.source().read(0..4));
    assert!(poll(early.as_mut()).is_none());
    tested.store.then([BUSY; 20]);
    (0..20).for_each(|_| drop(tested.read()));
    assert_eq!(tested.store.time.run(early).unwrap(), "some");
    assert_eq!(tested.state(), BreakerState::Open);
}

#[test]
fn a_store_that_asks_for_a_longer_pause_gets_it_but_not_for_ever() {
    for (asked_for, given) in
        [(millis(20_000), 20_000), (millis(100), 5000), (Duration::MAX, 60_000)]
    {
        let tested = Tested::new([Slow(Some(asked_for)); 20]);
        (0..20).for_each(|_| drop(tested.read()));
        assert_eq!(tested.refusal(), Some(millis(given)));
    }
}

#[test]
fn the_options_say_when_it_opens() {
    let tested = Tested::with([BUSY; 3], |b| b.failures(3, 100).open_for(millis(1)));
    (0..3).for_each(|_| drop(tested.read()));
    assert_eq!(tested.refusal(), Some(millis(1)));
    let tested = Tested::with([BUSY; 100], |b| b.failures(0, 0));
    (0..100).for_each(|_| drop(tested.read()));
    assert_eq!(tested.state(), BreakerState::Closed);
}

#[test]
fn an_open_breaker_is_not_asked_again_and_again() {
    let store = Scripted::new([BUSY; 20]);
    let breaker = BreakerStore::new(store.clone()).clock(store.time.clock());
    let around = RetryStore::new(breaker.clone()).timer(store.time.timer());
    let source = opened(&around.clock(store.time.clock()));
    store.time.run(store.time.sleep(millis(10_000)));
    for _ in 0..4 {
        store.time.run(source.read(0..4)).unwrap_err();
    }
    let (asked, now) = (store.asked().len(), store.time.now());
    assert_eq!(asked, 20);
    let error = store.time.run(source.read(0..4)).unwrap_err();
    assert_eq!((store.asked().len(), store.time.now()), (asked, now));
    let open = error.get_ref().unwrap().downcast_ref::<BreakerOpen>().unwrap();
    let cause = std::error::Error::source(open).unwrap();
    assert_eq!(cause.downcast_ref::<SlowDown>().unwrap().retry_after, Some(open.retry_after));
    // Whole seconds: the same failure has the same words for a while.
    let (words, seconds) =
        ("the storage keeps failing and is asked again in ", open.retry_after.as_secs_f64().ceil());
    assert_eq!(error.to_string(), format!("{words}{seconds} s"));
}

#[test]
fn the_operator_learns_of_each_change_and_of_its_cause() {
    use std::sync::{Arc, Mutex};

    let reports = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&reports);
    let tested = Tested::with([BUSY; 21], |breaker| {
        let kept = Arc::clone(&kept);
        breaker.on_change(move |state, error| {
            kept.lock().unwrap().push((state, error.map(io::Error::kind)));
        })
    });
    (0..40).for_each(|_| drop(tested.read()));
    tested.pass(millis(5000));
    tested.read().unwrap_err();
    tested.pass(millis(5000));
    tested.read().unwrap();
    let opened = (BreakerState::Open, Some(ErrorKind::TimedOut));
    assert_eq!(*reports.lock().unwrap(), [opened, opened, (BreakerState::Closed, None)]);
}
