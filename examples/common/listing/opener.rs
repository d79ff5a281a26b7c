//! Opening presentations one after the other, each within its time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use smooth_origin::base::{Error, Name};
use smooth_origin::origin::{Opened, Origin};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// A presentation that takes longer is reported, and the next one is opened.
pub(crate) const OPENING_TIME: Duration = Duration::from_secs(20);

/// An opening that waits ends in time. One that computes, or that a disk blocks, is abandoned with
/// its thread after this additional time.
const GRACE: Duration = Duration::from_secs(1);

/// Nothing more is opened once this many threads are abandoned.
const MAX_STUCK: usize = 3;

/// The result of an opening that ended in its time.
type Outcome = Result<Arc<Opened>, Error>;

/// Opens presentations of an origin in a thread, which is replaced when it gets stuck.
pub(crate) struct Opener {
    origin: Origin,
    time: Duration,
    thread: Option<Thread>,
    /// Number of threads that were abandoned, also those of openers that share it.
    stuck: Arc<AtomicUsize>,
}

struct Thread {
    names: Sender<Name>,
    outcomes: Receiver<Option<Outcome>>,
}

impl Opener {
    pub(crate) fn new(origin: Origin, time: Duration) -> Self {
        Self { origin, time, thread: None, stuck: Arc::default() }
    }

    /// Returns another opener for the same presentations; both count the threads that get stuck together.
    pub(crate) fn another(&self) -> Self {
        let (origin, stuck) = (self.origin.clone(), Arc::clone(&self.stuck));
        Self { origin, time: self.time, thread: None, stuck }
    }

    /// Too many presentations cannot be opened in their time: it is useless to go on.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed) >= MAX_STUCK
    }

    /// Opens a presentation.
    ///
    /// # Errors
    /// The reason why the outcome is not known.
    pub(crate) fn open(&mut self, name: &Name) -> Result<Outcome, String> {
        let late = || format!("opening it takes more than {} s", self.time.as_secs_f32());
        let thread = match self.thread.take() {
            Some(thread) => thread,
            None => Thread::start(self.origin.clone(), self.time)
                .map_err(|error| format!("it cannot be opened: {error}"))?,
        };
        // A thread that has ended is noticed below.
        let _ = thread.names.send(name.clone());
        match thread.outcomes.recv_timeout(self.time + GRACE) {
            Ok(outcome) => {
                self.thread = Some(thread);
                outcome.ok_or_else(late)
            }
            Err(RecvTimeoutError::Timeout) => {
                let late = late();
                self.stuck.fetch_add(1, Ordering::Relaxed);
                Err(late)
            }
            Err(RecvTimeoutError::Disconnected) => Err("opening it has failed".into()),
        }
    }
}

impl Thread {
    fn start(origin: Origin, time: Duration) -> io::Result<Self> {
        let (names, asked) = channel();
        let (done, outcomes) = channel();
        let runtime =
            Builder::new_current_thread().enable_time().max_blocking_threads(2).build()?;
        thread::Builder::new()
            .name("opener".into())
            .spawn(move || open_all(runtime, &origin, time, &asked, &done))?;
        Ok(Self { names, outcomes })
    }
}

fn open_all(
    runtime: Runtime,
    origin: &Origin,
    time: Duration,
    asked: &Receiver<Name>,
    done: &Sender<Option<Outcome>>,
) {
    for name in asked {
        let outcome = runtime.block_on(async { timeout(time, origin.open(&name)).await });
        if done.send(outcome.ok()).is_err() {
            break;
        }
    }
    // Does not wait for a read that a disk blocks.
    runtime.shutdown_background();
}

#[cfg(test)]
mod tests {
    use smooth_origin::base::ErrorKind;
    use smooth_origin::storage::{MemoryObject, Store};

    use super::*;

    /// Files that are never opened: `waits.ism` waits, what begins with `stops` stops its
    /// thread, `panics.ism` ends it; no others are there.
    struct Sick;

    impl Store for Sick {
        type Source = MemoryObject;

        async fn open(&self, name: &Name) -> io::Result<MemoryObject> {
            match name.as_str() {
                "waits.ism" => std::future::pending().await,
                name if name.starts_with("stops") => loop {
                    thread::park();
                },
                "panics.ism" => panic!("as it should"),
                _ => Err(io::ErrorKind::NotFound.into()),
            }
        }
    }

    fn open(opener: &mut Opener, name: &str) -> Result<Outcome, String> {
        opener.open(&Name::new(name).unwrap())
    }

    fn opener() -> Opener {
        Opener::new(Origin::new(Sick), Duration::from_secs(1))
    }

    fn is_missing(outcome: Result<Outcome, String>) -> bool {
        matches!(outcome, Ok(Err(error)) if matches!(error.kind, ErrorKind::NoPresentation))
    }

    #[test]
    fn a_presentation_that_cannot_be_opened_in_its_time_does_not_hold_up_the_next() {
        for name in ["waits.ism", "stops.ism", "panics.ism"] {
            let mut opener = opener();
            assert!(open(&mut opener, name).is_err(), "{name}");
            assert!(is_missing(open(&mut opener, "none.ism")), "{name}");
            assert!(!opener.is_stuck(), "{name}");
        }
    }

    #[test]
    fn few_threads_are_abandoned() {
        let mut opener = opener();
        for number in 0..MAX_STUCK {
            assert!(!opener.is_stuck());
            // Another name each time: openings of one name wait for each other.
            assert!(open(&mut opener, &format!("stops{number}.ism")).is_err());
        }
        assert!(opener.is_stuck() && opener.another().is_stuck());
    }
}
