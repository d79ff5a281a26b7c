//! Code that tests and benchmarks share: presentations that are written from a plan, stores that
//! record or change, a clock that a test moves, and functions that drive an origin to its end.
//!
//! The crate does not choose features of `smooth-origin`, so that tests without features stay
//! without them.

pub mod assembled;
pub mod corpus;
pub mod documents;
pub mod film;
pub mod folder;
pub mod fragment_files;
pub mod fragmented;
pub mod progressive;
pub mod record;
pub mod remote;
pub mod rounds;
pub mod segment_index;
pub mod shared_moofs;
pub mod sick;
pub mod trees;
pub mod virtual_time;
pub mod written;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use smooth_origin::base::{Error, Name};
use smooth_origin::origin::{Answer, Clock, Opened, Origin, Served, Timer, block_on};
use smooth_origin::presentation::{Finding, Presentation, Survey};
use smooth_origin::storage::MemoryStore;

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A store of these objects.
pub fn store<'a>(objects: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> MemoryStore {
    let store = MemoryStore::new();
    for (object, content) in objects {
        store.put(name(object), content);
    }
    store
}

/// Opens `film.ism` of a store.
pub fn open(store: &MemoryStore) -> Result<Arc<Opened>, Error> {
    block_on(Origin::new(store.clone()).open(&name("film.ism")))
}

/// The answer to a path, which must be a reply.
pub fn served(origin: &Origin, path: &str) -> Result<Served, Error> {
    match block_on(origin.answer(path))? {
        Answer::Reply(served) => Ok(served),
        other => panic!("{path} gave {other:?}"),
    }
}

/// The whole body of the answer to a path.
pub fn get(origin: &Origin, path: &str) -> Result<Vec<u8>, Error> {
    let served = served(origin, path)?;
    let body = read(&served)?;
    assert_eq!(body.len() as u64, served.reply().length(), "{path}");
    Ok(body)
}

/// The whole body of a reply.
pub fn read(served: &Served) -> Result<Vec<u8>, Error> {
    let mut body = served.body();
    let mut bytes = Vec::new();
    while let Some(part) = block_on(body.next()) {
        bytes.extend_from_slice(&part?);
    }
    Ok(bytes)
}

/// The HTTP status of the answer to a path.
pub fn status(origin: &Origin, path: &str) -> u16 {
    match block_on(origin.answer(path)) {
        Ok(Answer::Redirect(_)) => 302,
        Ok(_) => 200,
        Err(error) => error.kind.status(),
    }
}

/// `error file-missing` and the like, one a finding.
pub fn codes(presentation: &Presentation) -> Vec<String> {
    let findings = presentation.findings();
    findings.iter().map(|f| format!("{} {}", f.severity(), f.code)).collect()
}

/// The manifest as text.
pub fn manifest(presentation: &Presentation) -> String {
    String::from_utf8(presentation.manifest().unwrap().to_vec()).unwrap()
}

/// A clock that a test moves.
#[derive(Clone, Default)]
pub struct Hands(Arc<Time>);

#[derive(Default)]
struct Time {
    seconds: AtomicU64,
    sleeping: Mutex<Vec<Waker>>,
}

impl Hands {
    pub fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::new(move || Duration::from_secs(hands.seconds()))
    }

    /// A timer by the same hands.
    pub fn timer(&self) -> impl Timer + use<> {
        HandsTimer(self.clone())
    }

    pub fn pass(&self, seconds: u64) {
        self.0.seconds.fetch_add(seconds, Ordering::Relaxed);
        let sleeping = std::mem::take(&mut *self.0.sleeping.lock().unwrap());
        sleeping.into_iter().for_each(Waker::wake);
    }

    pub fn seconds(&self) -> u64 {
        self.0.seconds.load(Ordering::Relaxed)
    }
}

struct HandsTimer(Hands);

impl Timer for HandsTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let Self(hands) = self;
        let (hands, start) = (hands.clone(), hands.seconds());
        Box::pin(poll_fn(move |context| {
            if Duration::from_secs(hands.seconds() - start) >= duration {
                return Poll::Ready(());
            }
            hands.0.sleeping.lock().unwrap().push(context.waker().clone());
            Poll::Pending
        }))
    }
}

/// Returns the findings of a survey of `film.ism`, which looks at every fragment.
pub fn surveyed(store: &MemoryStore) -> Vec<Finding> {
    let opened = open(store).unwrap();
    let mut survey = Survey::new(opened.presentation());
    while !survey.is_over() {
        survey = block_on(opened.survey(survey)).unwrap();
    }
    assert_eq!(survey.looked_at(), survey.fragments());
    survey.findings()
}
