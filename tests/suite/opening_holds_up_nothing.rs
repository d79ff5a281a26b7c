//! Opening a presentation holds up no other request, and does not go on for ever.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::FindingCode;
use smooth_origin::storage::{MemoryObject, MemoryStore, RangeSource, Stat, Store};
use testkit::film::{self, Style, Track, ism};
use testkit::{Hands, get, name, status, store};

const LARGE: &str = "large.ism/Manifest";
const OTHER: &str = "other.ism/Manifest";
const SMALL: &str = "small.ism/Manifest";

fn video(file: &str) -> Vec<u8> {
    ism(None, &[("video", file, 300, 1, "")])
}

fn media(fragments: u32, samples: u32) -> Vec<u8> {
    let mut track = Track::regular(1, StreamKind::Video, fragments, 20_000_000, 100);
    for fragment in &mut track.fragments {
        fragment.samples = vec![(20_000_000 / samples, 10); samples as usize];
    }
    film::media(&[track], Style::default()).to_bytes()
}

/// Two presentations with a long index, and one with a short one.
fn films() -> MemoryStore {
    store([
        ("large.ism", video("large.ismv")),
        ("other.ism", video("large.ismv")),
        ("large.ismv", media(8_000, 1)),
        ("small.ism", video("small.ismv")),
        ("small.ismv", media(5, 1)),
    ])
}

type Work = Box<dyn FnOnce() + Send>;

/// What a host does with the work that it is given: it keeps it until a test asks for it.
#[derive(Clone, Default)]
struct Pile(Arc<Mutex<Vec<Work>>>);

impl Pile {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn take(&self) -> Vec<Work> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn run(&self) {
        self.take().into_iter().for_each(|work| work());
    }
}

fn with_pile(store: impl Store) -> (smooth_origin::origin::OriginBuilder, Pile) {
    let pile = Pile::default();
    let kept = pile.clone();
    let builder = Origin::builder(store).offload(move |work| kept.0.lock().unwrap().push(work));
    (builder.clock(Hands::default().clock()), pile)
}

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// How often somebody was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_large_opening_is_handed_over_and_others_are_answered_meanwhile() {
    let (builder, pile) = with_pile(films());
    let origin = builder.build();
    let mut large = Box::pin(origin.answer(LARGE));
    assert!(poll(&mut large).is_pending());
    assert_eq!(pile.len(), 1);
    assert_eq!(status(&origin, SMALL), 200, "a small one needs no thread of the host's");
    assert_eq!(pile.len(), 1);
    for _ in 0..10 {
        pile.run();
        if let Poll::Ready(answer) = poll(&mut large) {
            answer.unwrap();
            assert_eq!(status(&origin, LARGE), 200);
            return;
        }
    }
    panic!("the large one is never opened");
}

#[test]
fn an_opening_whose_request_goes_away_serves_those_that_wait_and_counts_until_its_work_ends() {
    let (builder, pile) = with_pile(films());
    let origin = builder.max_openings(1).build();
    let mut first = Box::pin(origin.answer(LARGE));
    let mut second = Box::pin(origin.answer(LARGE));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    drop(first);
    // The work of the first is still there, and takes the only place.
    let busy = block_on(origin.answer(SMALL)).unwrap_err();
    assert_eq!(busy.kind.code(), "busy");
    pile.run();
    for _ in 0..10 {
        if let Poll::Ready(answer) = poll(&mut second) {
            answer.unwrap();
            assert_eq!(status(&origin, SMALL), 200);
            return;
        }
        pile.run();
    }
    panic!("who waited is never answered");
}

#[test]
fn no_more_work_is_handed_over_at_a_time_than_there_are_processors() {
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get()).max(2);
    let objects = films();
    let names: Vec<_> = (0..processors + 3).map(|number| format!("{number}.ism")).collect();
    for file in &names {
        objects.put(name(file), video("large.ismv"));
    }
    let (builder, pile) = with_pile(objects);
    let origin = builder.build();
    let paths: Vec<_> = names.iter().map(|name| format!("{name}/Manifest")).collect();
    let mut answers: Vec<_> = paths.iter().map(|path| Box::pin(origin.answer(path))).collect();
    for answer in &mut answers {
        assert!(poll(answer).is_pending());
    }
    assert_eq!(pile.len(), processors);
    // Whoever gives up leaves nothing behind.
    answers.truncate(processors + 1);
    let mut done = 0;
    for _ in 0..10 * answers.len() {
        pile.run();
        answers.retain_mut(|answer| match poll(answer) {
            Poll::Ready(answer) => {
                done += usize::from(answer.is_ok());
                false
            }
            Poll::Pending => true,
        });
        assert!(pile.len() <= processors);
    }
    assert_eq!(done, processors + 1);
}

#[test]
fn work_that_the_host_drops_makes_the_request_busy_and_is_not_kept() {
    let (builder, pile) = with_pile(films());
    let origin = builder.build();
    let mut large = Box::pin(origin.answer(LARGE));
    assert!(poll(&mut large).is_pending());
    drop(pile.take());
    let Poll::Ready(Err(error)) = poll(&mut large) else { panic!("it waits for nothing") };
    assert_eq!((error.kind.status(), error.kind.code()), (503, "busy"));
    let mut again = Box::pin(origin.answer(LARGE));
    assert!(poll(&mut again).is_pending());
    assert_eq!(pile.len(), 1);
}

#[test]
fn without_threads_of_the_host_a_large_opening_gives_way_to_other_tasks_and_wakes_itself() {
    let origin = Origin::builder(films()).clock(Hands::default().clock()).build();
    let mut small = Box::pin(origin.answer(SMALL));
    assert!(poll(&mut small).is_ready());
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut large = Box::pin(origin.answer(LARGE));
    let mut ways = 0;
    while large.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        ways += 1;
        assert_eq!(woken.0.load(Ordering::Relaxed), ways, "it would never be polled again");
    }
    assert!(ways > 0);
}

#[test]
fn a_walk_through_a_long_recording_is_not_handed_over_step_by_step_and_gives_way() {
    let track = Track::regular(1, StreamKind::Video, 2_000, 20_000_000, 10_000);
    let walked = film::media(&[track], Style { mfra: false, ..Style::default() }).to_bytes();
    let objects = store([("large.ism", video("large.ismv")), ("large.ismv", walked)]);
    let (builder, pile) = with_pile(objects);
    let origin = builder.build();
    let mut large = Box::pin(origin.answer(LARGE));
    let (mut polls, mut handed_over) = (0, 0);
    while poll(&mut large).is_pending() {
        polls += 1;
        handed_over += pile.len();
        pile.run();
    }
    assert!(polls > 20, "{polls}");
    assert!(polls < 2_000 / 4, "{polls}");
    assert_eq!(handed_over, polls, "the host wakes it each time, and is given the end");
    let opened = block_on(origin.open(&name("large.ism"))).unwrap();
    assert_eq!(opened.presentation().streams()[0].timeline().len(), 2_000);
}

#[test]
fn a_batch_of_many_files_gives_way_to_other_tasks() {
    let names: Vec<String> = (0..100).map(|number| format!("{number}.ismv")).collect();
    let tracks: Vec<_> = names.iter().map(|name| ("video", name.as_str(), 300, 1, "")).collect();
    let mut objects = vec![("large.ism".to_owned(), ism(None, &tracks))];
    objects.extend(names.iter().map(|name| (name.clone(), media(1, 1))));
    let objects = objects.iter().map(|(name, bytes)| (name.as_str(), bytes.clone()));
    let (builder, pile) = with_pile(store(objects));
    let origin = builder.build();
    let mut large = Box::pin(origin.answer(LARGE));
    let mut polls = 0;
    while poll(&mut large).is_pending() {
        polls += 1;
        pile.run();
    }
    assert!(polls > 100 / 16, "{polls}");
}

#[test]
fn a_long_head_of_one_fragment_is_parsed_where_the_host_wants_it() {
    let objects = store([("large.ism", video("large.ismv")), ("large.ismv", media(3, 50_000))]);
    let (builder, pile) = with_pile(objects);
    let origin = builder.build();
    let path = "large.ism/QualityLevels(300)/KeyFrames(video=20000000)";
    let mut answer = Box::pin(origin.answer(path));
    let mut handed_over = 0;
    while poll(&mut answer).is_pending() {
        handed_over += pile.len();
        pile.run();
    }
    let opening = handed_over;
    assert!(opening > 0);
    let mut answer = Box::pin(origin.answer(path));
    while poll(&mut answer).is_pending() {
        assert_eq!(pile.len(), 1);
        handed_over += pile.len();
        pile.run();
    }
    assert!(handed_over > opening);
}

#[test]
fn a_large_server_manifest_beside_a_file_is_parsed_where_the_host_wants_it() {
    let mut long = video("large.ismv");
    long.extend_from_slice(&b" ".repeat(100_000));
    let (builder, pile) = with_pile(store([("large.ism", long), ("large.ismv", Vec::new())]));
    let origin = builder.build();
    let file = name("large.ismv");
    let mut is_media = Box::pin(origin.is_media(&file));
    assert!(poll(&mut is_media).is_pending());
    assert_eq!(pile.len(), 1);
    pile.run();
    assert_eq!(poll(&mut is_media), Poll::Ready(true));
}

/// A store in which reads take time, and some files are never opened.
#[derive(Clone, Default)]
struct Slow {
    store: MemoryStore,
    hands: Hands,
    /// Seconds of each read.
    seconds: Arc<AtomicUsize>,
    stuck: Arc<Mutex<BTreeSet<&'static str>>>,
    opened: Arc<AtomicUsize>,
}

struct SlowSource(MemoryObject, Slow);

impl Store for Slow {
    type Source = SlowSource;

    async fn open(&self, name: &Name) -> io::Result<SlowSource> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        if self.stuck.lock().unwrap().contains(name.as_str()) {
            std::future::pending::<()>().await;
        }
        Ok(SlowSource(self.store.open(name).await?, self.clone()))
    }
}

impl RangeSource for SlowSource {
    async fn stat(&self) -> io::Result<Stat> {
        self.0.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let Self(object, slow) = self;
        slow.hands.pass(slow.seconds.load(Ordering::Relaxed) as u64);
        object.read(range).await
    }
}

fn slow() -> (Origin, Slow) {
    let slow = Slow { store: films(), ..Slow::default() };
    let builder = Origin::builder(slow.clone()).read_timeout(Duration::MAX);
    let builder = builder.clock(slow.hands.clock()).timer(slow.hands.timer());
    (builder.build(), slow)
}

fn has_timed_out(origin: &Origin, presentation: &str) -> bool {
    let opened = block_on(origin.open(&name(presentation))).unwrap();
    let findings = opened.presentation().findings();
    let budget = "the opening took longer than 30 s (`opening_timeout`)";
    let unreadable = findings.iter().filter(|f| f.code == FindingCode::FileUnreadable);
    unreadable.filter(|finding| finding.message.contains(budget)).count() == 1
}

#[test]
fn an_opening_whose_store_never_answers_ends_with_a_finding_and_is_kept_for_a_while() {
    let (origin, slow) = slow();
    slow.stuck.lock().unwrap().insert("small.ismv");
    let mut answer = Box::pin(origin.answer(SMALL));
    assert!(poll(&mut answer).is_pending());
    slow.hands.pass(29);
    assert!(poll(&mut answer).is_pending());
    slow.hands.pass(1);
    let Poll::Ready(Err(error)) = poll(&mut answer) else { panic!("it goes on") };
    assert_eq!(error.kind.status(), 503);
    assert!(has_timed_out(&origin, "small.ism"));
    let opened = slow.opened.load(Ordering::Relaxed);
    assert_eq!(status(&origin, SMALL), 503);
    assert_eq!(slow.opened.load(Ordering::Relaxed), opened, "a flood of it costs nothing");
    slow.stuck.lock().unwrap().clear();
    slow.hands.pass(5);
    assert_eq!(status(&origin, SMALL), 200);
}

#[test]
fn an_opening_of_which_every_read_is_slow_reads_nothing_after_its_time() {
    let (origin, slow) = slow();
    slow.seconds.store(12, Ordering::Relaxed);
    assert_eq!(status(&origin, LARGE), 503);
    assert!(has_timed_out(&origin, "large.ism"));
    slow.seconds.store(1, Ordering::Relaxed);
    slow.hands.pass(5);
    assert_eq!(status(&origin, LARGE), 200);
}

#[test]
fn a_walk_of_which_every_read_is_slow_ends_in_its_time_too() {
    let (origin, slow) = slow();
    let track = Track::regular(1, StreamKind::Video, 2_000, 20_000_000, 10_000);
    let walked = film::media(&[track], Style { mfra: false, ..Style::default() }).to_bytes();
    slow.store.put(name("large.ismv"), walked);
    slow.seconds.store(1, Ordering::Relaxed);
    assert_eq!(status(&origin, LARGE), 503);
    assert!(has_timed_out(&origin, "large.ism"));
}

#[test]
fn a_server_manifest_that_is_never_read_is_an_error_that_names_the_budget() {
    let (origin, slow) = slow();
    slow.stuck.lock().unwrap().insert("small.ism");
    let mut answer = Box::pin(origin.answer(SMALL));
    assert!(poll(&mut answer).is_pending());
    slow.hands.pass(30);
    let Poll::Ready(Err(error)) = poll(&mut answer) else { panic!("it goes on") };
    assert_eq!(error.kind.status(), 503);
    assert!(error.to_string().contains("took longer than 30 s (`opening_timeout`)"), "{error}");
}

#[test]
fn a_look_at_files_that_never_ends_leaves_what_was_opened() {
    let (origin, slow) = slow();
    assert_eq!(status(&origin, SMALL), 200);
    slow.stuck.lock().unwrap().insert("small.ismv");
    slow.hands.pass(5);
    let mut answer = Box::pin(origin.answer(SMALL));
    assert!(poll(&mut answer).is_pending());
    assert_eq!(status(&origin, SMALL), 200, "others do not wait for it");
    slow.hands.pass(30);
    let Poll::Ready(answer) = poll(&mut answer) else { panic!("it goes on") };
    answer.unwrap();
}

#[test]
fn the_default_timer_ends_a_read_that_never_ends() {
    let slow = Slow { store: films(), ..Slow::default() };
    slow.stuck.lock().unwrap().insert("small.ism");
    let builder = Origin::builder(slow).read_timeout(Duration::from_millis(20));
    assert_eq!(status(&builder.build(), SMALL), 503);
}

#[test]
fn what_is_handed_over_is_opened_alike() {
    let elsewhere = Origin::builder(films()).offload(|work| {
        std::thread::spawn(work);
    });
    let (here, elsewhere) = (Origin::new(films()), elsewhere.build());
    for path in [LARGE, OTHER, SMALL] {
        assert_eq!(get(&here, path).unwrap(), get(&elsewhere, path).unwrap());
    }
}
