//! Opening several presentations at a time.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use smooth_origin::base::Name;

use super::health::Title;
use crate::listing::look;
use crate::listing::opener::Opener;
use crate::roots::Roots;

/// Presentations that wait for an opener or for the result of one before them, per opener.
const WAITING: usize = 8;

/// A presentation by its place in the walk.
type Asked = (usize, Name);

/// A presentation that was opened; `None` if it was not looked at, because too many of the others
/// take too long.
type Answer = (usize, Option<Title>);

/// Opens the presentations that a walk gives, in threads with an opener each, and gives the results to
/// `each` in the order of the walk.
///
/// The walk waits while one presentation holds up many that come after it, so that the results that wait
/// for their turn are few.
pub(super) fn open_all<T>(
    roots: &Roots,
    openers: Vec<Opener>,
    walk: impl FnOnce(&mut dyn FnMut(Name)) -> T,
    each: impl FnMut(Option<Title>),
) -> T {
    let most = openers.len() * WAITING;
    let (ask, asked) = sync_channel(most);
    let (answer, answers) = channel();
    let asked = &Mutex::new(asked);
    thread::scope(|scope| {
        for opener in openers {
            let answer = answer.clone();
            scope.spawn(move || open(roots, opener, asked, &answer));
        }
        drop(answer);
        let mut ordered = Ordered { answers, next: 0, early: BTreeMap::new(), each };
        let mut place = 0;
        let walked = walk(&mut |name| {
            while place - ordered.next >= most && ordered.wait() {}
            // Openers end after this has ended.
            let _ = ask.send((place, name));
            place += 1;
        });
        drop(ask);
        while ordered.wait() {}
        walked
    })
}

/// Opens what is asked for, until nothing is asked any more.
fn open(
    roots: &Roots,
    mut opener: Opener,
    asked: &Mutex<Receiver<Asked>>,
    answer: &Sender<Answer>,
) {
    loop {
        let next = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((place, name)) = next else { return };
        let title = (!opener.is_stuck()).then(|| {
            let outcome = look(&mut opener, &name);
            Title::of(&name, &outcome, roots.stored(name.as_str()).as_ref())
        });
        if answer.send((place, title)).is_err() {
            return;
        }
    }
}

/// Answers in any order, given on in that of their places.
struct Ordered<F> {
    answers: Receiver<Answer>,
    /// Place of the next one that is given on.
    next: usize,
    /// Those whose turn has not come.
    early: BTreeMap<usize, Option<Title>>,
    each: F,
}

impl<F: FnMut(Option<Title>)> Ordered<F> {
    /// Waits for an answer; `false` if none comes any more.
    fn wait(&mut self) -> bool {
        let Ok((place, title)) = self.answers.recv() else { return false };
        self.early.insert(place, title);
        while let Some(title) = self.early.remove(&self.next) {
            self.next += 1;
            (self.each)(title);
        }
        true
    }
}
