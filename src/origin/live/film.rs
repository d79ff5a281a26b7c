//! The film that is left of an event, in the archive of its publishing point.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::base::Name;

/// The film of the newest event that has ended, and whether a later event is shown in its place.
#[derive(Debug, Default)]
pub(super) struct Film {
    newest: RwLock<Option<Newest>>,
    /// Number of the event whose snapshot is shown while it goes on.
    shown: AtomicU64,
}

impl Film {
    /// The archive has the film of this event, as is known from `now` on.
    pub(super) fn set(&self, number: u64, film: Name, now: Duration) {
        let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
        let (known, since) = match &*newest {
            Some(newest) if newest.server == film => (newest.number, newest.since),
            Some(newest) => (newest.number, now),
            None => (0, now),
        };
        if known <= number {
            *newest = Some(Newest { number, server: film, since });
        }
    }

    /// The event of this number, which was shown, will have no film.
    pub(super) fn none(&self, number: u64) {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        let before = newest.as_ref().map_or(0, |newest| newest.number);
        let (is, relaxed) = (Ordering::AcqRel, Ordering::Acquire);
        let _ = self.shown.compare_exchange(number, before.min(number), is, relaxed);
    }

    /// The archive has no film.
    pub(super) fn clear(&self) {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The snapshot of an event that goes on is shown from now on.
    pub(super) fn shows(&self, number: u64) {
        self.shown.store(number, Ordering::Release);
    }

    /// The snapshots of this event and of later ones may be shown, and no film of an earlier one.
    pub(super) fn shows_at_least(&self, number: u64) {
        self.shown.fetch_max(number, Ordering::AcqRel);
    }

    /// The server manifest of what the point has now, if that is a film in the archive.
    pub(super) fn name(&self) -> Option<Name> {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        let newest = newest.as_ref()?;
        (newest.number >= self.shown.load(Ordering::Acquire)).then(|| newest.server.clone())
    }

    /// Returns whether this is a file of the newest film.
    pub(super) fn has(&self, name: &Name) -> bool {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        let stem = newest.as_ref().and_then(|newest| newest.server.as_str().strip_suffix("ism"));
        let rest = stem.and_then(|stem| name.as_str().strip_prefix(stem));
        // A number is that of another event: see `live::journal::Names`.
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        rest.is_some_and(|rest| !rest.split('.').next().is_some_and(is_number))
    }

    /// The server manifest of the newest film.
    pub(super) fn newest(&self) -> Option<Name> {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        newest.as_ref().map(|newest| newest.server.clone())
    }

    /// Time from which a film is known to be there, if this is the server manifest of the newest one.
    pub(super) fn since(&self, name: &str) -> Option<Duration> {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        let newest = newest.as_ref()?;
        newest.server.as_str().eq_ignore_ascii_case(name).then_some(newest.since)
    }

    /// Returns whether the point has a film now.
    pub(super) fn is_there(&self) -> bool {
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        let shown = self.shown.load(Ordering::Acquire);
        newest.as_ref().is_some_and(|newest| newest.number >= shown)
    }
}

/// The film of the newest event that has one.
#[derive(Debug)]
struct Newest {
    /// Number of the event.
    number: u64,
    server: Name,
    /// Time at which it was there.
    since: Duration,
}

/// Name of the client manifest of a film.
pub(super) fn client_of(server: &Name) -> Option<Name> {
    Name::new(&format!("{}c", server.as_str())).ok()
}

/// Returns whether an error of an archive or a store says that there is no such file.
pub(super) fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | IsADirectory | NotADirectory | InvalidFilename)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_film_are_not_those_of_a_later_event() {
        let name = |text: &str| Name::new(text).unwrap();
        let film = Film::default();
        assert!(!film.is_there() && !film.has(&name("news.ism")));
        film.set(1, name("news.ism"), Duration::from_secs(1));
        for (file, is_its) in [
            ("news.ism", true),
            ("news.ismc", true),
            ("news.video-2-300.ismv", true),
            ("news.2.ism", false),
            ("news.2.finale.video-300.ismv", false),
            ("newsroom.ism", false),
        ] {
            assert_eq!(film.has(&name(file)), is_its, "{file}");
        }
        assert_eq!(film.name(), Some(name("news.ism")));
        film.shows(2);
        assert_eq!((film.name(), film.is_there()), (None, false));
        // A film that is made late takes the place of no later one.
        film.set(2, name("news.2.ism"), Duration::from_secs(2));
        film.set(1, name("news.ism"), Duration::from_secs(3));
        assert_eq!(film.name(), Some(name("news.2.ism")));
        film.set(2, name("news.2.ism"), Duration::from_secs(9));
        assert_eq!(film.since("NEWS.2.ism"), Some(Duration::from_secs(2)));
        assert_eq!(film.since("news.ism"), None);
        film.shows(3);
        assert_eq!(film.name(), None);
        film.none(3);
        assert_eq!(film.name(), Some(name("news.2.ism")));
    }
}
