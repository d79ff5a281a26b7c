//! The names of all presentations below the served folders, for people who look for one.
//!
//! Nothing is walked before the first question. A walk has a thread of its own, and questions are answered
//! from what it has found so far.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use smooth_origin::base::Name;

use crate::Stored;
use crate::listing::walk::{self, WalkOptions};
use crate::log::{Level, log};
use crate::roots::Roots;

/// The names of all presentations below the served folders. Cheap to clone.
#[derive(Clone)]
pub struct Catalogue(Arc<Shared>);

/// Names, sorted, and how far the walk has come.
pub struct Names {
    /// The names, in the order of their bytes.
    pub names: Vec<String>,
    /// The last of them, if there are more.
    pub next: Option<String>,
    /// Number of presentations that are known.
    pub walked: usize,
    /// Set if no walk is under way: otherwise another answer may have more.
    pub is_complete: bool,
    /// Folders, files and links that were not looked at, a sentence for each kind.
    pub problems: Vec<String>,
}

struct Shared {
    roots: Roots,
    walk: WalkOptions,
    state: Mutex<State>,
    /// Tells that a walk has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// The result of the last walk that has ended.
    whole: Option<Arc<Whole>>,
    /// Names that the first walk has found so far.
    so_far: Packed,
    is_walking: bool,
    /// Set if the result is to be replaced, however young it is.
    is_old: bool,
}

/// The result of a walk.
struct Whole {
    names: Packed,
    problems: Vec<String>,
    ended: Instant,
    /// Time that the walk has taken.
    took: Duration,
}

/// Names in one text, each where the one before it ends: some bytes less than a `String` each.
#[derive(Default)]
struct Packed {
    text: String,
    ends: Vec<u32>,
    /// Places of the names, in the order of the names, once that is known.
    order: Vec<u32>,
}

/// A result that is older is replaced when somebody asks, if so many times the time of the walk have passed as
/// well: walks take a small part of the time, however slow the disk is.
const LOOKED_AT_AGAIN: Duration = Duration::from_secs(2);
const REST: u32 = 20;

/// Time that a question waits for a walk to end.
const PATIENCE: Duration = Duration::from_millis(100);

/// Maximum bytes of all names.
const MOST_BYTES: usize = 256 << 20;

impl Catalogue {
    pub(crate) fn new(roots: Roots, walk: WalkOptions) -> Self {
        let (state, ended) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { roots, walk, state, ended }))
    }

    /// Returns the served folders, each with the prefix of its URLs.
    pub fn folders(&self) -> impl Iterator<Item = (Option<&str>, String)> {
        let roots = self.0.roots.as_slice().iter();
        roots.map(|root| (root.prefix.as_deref(), root.place.to_string()))
    }

    /// Returns where the presentation of a name is stored.
    pub fn stored(&self, name: &Name) -> Option<Stored> {
        self.0.roots.stored(name.as_str())
    }

    /// Has the folders walked again when the next question comes.
    pub fn look_again(&self) {
        self.lock().is_old = true;
    }

    /// Returns up to `limit` names behind `after` that have `search` in them, whatever its letter case, and that `fits` takes.
    /// Starts a walk if none has ended lately. It may block for some time: a tenth of a second for
    /// a walk, and the time of a search.
    pub fn find(
        &self,
        search: &str,
        fits: &dyn Fn(&str) -> bool,
        after: Option<&str>,
        limit: usize,
    ) -> Names {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.lock();
        self.walk_if_due(&mut state);
        while state.is_walking {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.0.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let (search, is_complete) = (Search::new(search, fits), !state.is_walking);
        if let Some(whole) = state.whole.clone() {
            drop(state);
            let all = whole.names.sorted();
            let (names, next) = first(all, &search, after, limit);
            let (walked, problems) = (whole.names.order.len(), whole.problems.clone());
            return Names { names, next, walked, is_complete, problems };
        }
        let (names, next) = least(state.so_far.iter(), &search, after, limit);
        let walked = state.so_far.len();
        Names { names, next, walked, is_complete, problems: Vec::new() }
    }

    /// Starts a walk, unless one is under way or the last one has ended lately.
    fn walk_if_due(&self, state: &mut State) {
        let is_young = state.whole.as_ref().is_some_and(|whole| {
            whole.ended.elapsed() < LOOKED_AT_AGAIN.max(whole.took.saturating_mul(REST))
        });
        if state.is_walking || is_young && !state.is_old {
            return;
        }
        let shared = Arc::clone(&self.0);
        let walk = move || shared.walk();
        match thread::Builder::new().name("catalogue".into()).spawn(walk) {
            Ok(_) => (state.is_walking, state.is_old) = (true, false),
            Err(error) => {
                log(Level::Error, format_args!("presentations cannot be looked for: {error}"));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Walks all folders, and replaces what is known.
    fn walk(&self) {
        // Whatever happens, another walk may begin.
        struct End<'a>(&'a Shared);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.lock().is_walking = false;
                self.0.ended.notify_all();
            }
        }
        let _end = End(self);
        let began = Instant::now();
        let is_first = self.lock().whole.is_none();
        let (mut names, mut batch, mut left_out) = (Packed::default(), Packed::default(), 0);
        let found = walk::visit(self.roots.as_slice(), &self.walk, &mut |name: Name| {
            batch.push(name.as_str());
            if batch.len() == BATCH {
                // The names of the first walk are shown from the start.
                left_out += match is_first {
                    true => self.lock().so_far.take_from(&mut batch),
                    false => names.take_from(&mut batch),
                };
            }
        });
        let mut state = is_first.then(|| self.lock());
        if let Some(state) = &mut state {
            names = mem::take(&mut state.so_far);
        }
        left_out += names.take_from(&mut batch);
        names.sort();
        let mut problems: Vec<_> = found.left_out.lines().collect();
        if left_out > 0 {
            problems.push(format!("not looked at: {left_out} more presentations"));
        }
        let whole = Whole { names, problems, ended: Instant::now(), took: began.elapsed() };
        state.unwrap_or_else(|| self.lock()).whole = Some(Arc::new(whole));
    }
}

/// Names that a walk finds before it shows them.
const BATCH: usize = 1000;

impl Packed {
    fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds a name; `false` if there is no room.
    fn push(&mut self, name: &str) -> bool {
        let end = self.text.len() + name.len();
        match u32::try_from(end) {
            Ok(position) if end <= MOST_BYTES => {
                self.text.push_str(name);
                self.ends.push(position);
                true
            }
            _ => false,
        }
    }

    fn get(&self, place: usize) -> &str {
        let end = |place: usize| self.ends.get(place).map_or(0, |&end| end as usize);
        let begin = place.checked_sub(1).map_or(0, end);
        self.text.get(begin..end(place)).unwrap_or_default()
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|place| self.get(place))
    }

    /// Moves the names of a batch here. Returns the number of those for which there is no room.
    fn take_from(&mut self, batch: &mut Self) -> usize {
        let left_out = batch.iter().filter(|name| !self.push(name)).count();
        batch.text.clear();
        batch.ends.clear();
        left_out
    }

    /// Finds the order of the names.
    fn sort(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
        let mut order: Vec<u32> = (0..self.ends.len() as u32).collect();
        order.sort_unstable_by_key(|&place| self.get(place as usize));
        // One name has one place, however often folders inside each other are served.
        order.dedup_by_key(|place| self.get(*place as usize));
        self.order = order;
    }

    /// Returns the names in their order, which is known.
    fn sorted(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(|&place| self.get(place as usize))
    }
}

/// A text that names are searched for.
struct Search<'a> {
    text: String,
    /// Whatever else names must fit.
    fits: &'a dyn Fn(&str) -> bool,
}

impl<'a> Search<'a> {
    fn new(text: &str, fits: &'a dyn Fn(&str) -> bool) -> Self {
        Self { text: text.to_lowercase(), fits }
    }

    fn takes(&self, name: &str) -> bool {
        self.is_in(name) && (self.fits)(name)
    }

    fn is_in(&self, name: &str) -> bool {
        let text = &self.text;
        if text.is_empty() {
            return true;
        }
        if !name.is_ascii() {
            return name.to_lowercase().contains(text.as_str());
        }
        let (text, name) = (text.as_bytes(), name.as_bytes());
        text.len() <= name.len()
            && name.windows(text.len()).any(|part| {
                // The first byte decides most.
                part[0].eq_ignore_ascii_case(&text[0]) && part.eq_ignore_ascii_case(text)
            })
    }
}

/// Returns the first names of a sorted list, and the last of them if there are more.
fn first<'a>(
    names: impl Iterator<Item = &'a str>,
    search: &Search<'_>,
    after: Option<&str>,
    limit: usize,
) -> (Vec<String>, Option<String>) {
    let behind = names.skip_while(|name| after.is_some_and(|after| *name <= after));
    let mut fitting = behind.filter(|name| search.takes(name));
    let shown: Vec<String> = fitting.by_ref().take(limit).map(str::to_owned).collect();
    let next = fitting.next().and_then(|_| shown.last().cloned());
    (shown, next)
}

/// Returns the least names of a list in any order, and the last of them if there are more.
fn least<'a>(
    names: impl Iterator<Item = &'a str>,
    search: &Search<'_>,
    after: Option<&str>,
    limit: usize,
) -> (Vec<String>, Option<String>) {
    let mut least = BTreeSet::new();
    let mut has_more = false;
    for name in names.filter(|name| after.is_none_or(|after| *name > after)) {
        let is_beyond = least.len() >= limit && least.last().is_none_or(|last| name >= *last);
        if search.takes(name) && (is_beyond || least.insert(name) && least.len() > limit) {
            has_more = true;
            if least.len() > limit {
                least.pop_last();
            }
        }
    }
    let next = least.last().filter(|_| has_more).map(|last| (*last).to_owned());
    (least.into_iter().map(str::to_owned).collect(), next)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::place::Place;
    use crate::roots::Root;

    fn packed(names: &[&str]) -> Packed {
        let mut packed = Packed::default();
        assert!(names.iter().all(|name| packed.push(name)));
        packed
    }

    #[test]
    fn names_are_sorted_and_paged() {
        let mut names = packed(&["c.ism", "a.ism", "é.ism", "b.ism", "a.ism"]);
        names.sort();
        assert_eq!(names.sorted().collect::<Vec<_>>(), ["a.ism", "b.ism", "c.ism", "é.ism"]);
        for (search, after, limit, wanted, next) in [
            ("", None, 2, &["a.ism", "b.ism"][..], Some("b.ism")),
            ("", Some("b.ism"), 2, &["c.ism", "é.ism"], None),
            ("É", None, 2, &["é.ism"], None),
            ("C.I", None, 2, &["c.ism"], None),
            ("", Some("bb"), 1, &["c.ism"], Some("c.ism")),
            ("x", None, 1, &[], None),
            ("", None, 0, &[], None),
        ] {
            let search = Search::new(search, &|_| true);
            let wanted = (wanted.iter().map(|&name| name.into()).collect(), next.map(Into::into));
            assert_eq!(first(names.sorted(), &search, after, limit), wanted);
            assert_eq!(least(names.iter(), &search, after, limit), wanted);
        }
    }

    #[test]
    fn a_walk_begins_with_the_first_question_and_ends() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata"));
        let root = Root { prefix: Some("films".into()), place: Place::Folder(root.into()) };
        let roots = Roots::new(vec![root], Path::new("")).unwrap_or_else(|f| panic!("{f}"));
        let catalogue = Catalogue::new(roots, WalkOptions::default());
        assert!(!catalogue.lock().is_walking);
        let names = loop {
            let names = catalogue.find("LADDER", &|_| true, None, 10);
            if names.is_complete {
                break names;
            }
        };
        assert_eq!((&*names.names, names.next), (&["films/ladder/ladder.ism".into()][..], None));
        assert!(names.walked > 5);
        catalogue.look_again();
        catalogue.find("", &|_| true, None, 1);
        assert!(catalogue.lock().is_walking || catalogue.lock().whole.is_some());
    }
}
