//! The record that an archive has of a publishing point, beside its events.

use std::collections::VecDeque;

use super::began::Began;
use super::names::{EventNames, Names};
use crate::base::Name;

/// The record of a publishing point: a short file (`NAME.point`) that is put whole before the first file of
/// each event is written, and when an event has ended. Whoever finds an archive begins with it: it says which
/// event is the last one, and so which files it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointRecord {
    pub(crate) point: Name,
    /// The last event. `None` before the first one.
    pub(crate) last: Option<Began>,
    /// True if the operator, or the encoders, have ended it.
    pub(crate) is_ended: bool,
    /// True if encoders may push again without another EventID, though it has ended.
    pub(crate) is_open: bool,
    /// True if the operator has stopped the point, and has not started it again.
    pub(crate) is_shut: bool,
    /// Server manifest of the newest event that has ended and that has fragments.
    pub(crate) film: Option<Name>,
    /// Identifiers of events that have ended, in lower case, the newest last.
    pub(crate) past: VecDeque<String>,
    /// Events that have ended and whose films are still to be made, the oldest first.
    pub(crate) due: VecDeque<Began>,
}

/// Identifiers of events that are remembered.
pub(super) const REMEMBERED: usize = 256;
/// Films that may be due at one time.
const MOST_DUE: usize = 1024;

impl PointRecord {
    /// The record of a point without events.
    pub fn new(point: Name) -> Self {
        Self {
            point,
            last: None,
            is_ended: false,
            is_open: false,
            is_shut: false,
            film: None,
            past: VecDeque::new(),
            due: VecDeque::new(),
        }
    }

    /// Identifier of the last event, as the encoders' URL has it.
    pub fn event(&self) -> Option<&str> {
        self.last.as_ref()?.event.as_deref()
    }

    /// Number of the last event; 0 before the first one.
    pub fn number(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.number)
    }

    /// True if the last event has ended.
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Name of the server manifest of the newest event that has ended.
    pub fn film(&self) -> Option<&Name> {
        self.film.as_ref()
    }

    /// Name of the journal of the last event, and of its held fragments.
    pub fn journal(&self) -> Option<[Name; 2]> {
        let EventNames { journal, held, .. } = self.event_names()?;
        Some([journal, held])
    }

    pub(crate) fn event_names(&self) -> Option<EventNames> {
        Names::of(&self.point)?.event(self.last.as_ref()?.number, self.event())
    }

    /// The files by which an event of this number is known to be there, if nothing else is known of it.
    pub(crate) fn files_of(&self, number: u64) -> Option<[Name; 2]> {
        let EventNames { journal, server, .. } = Names::of(&self.point)?.event(number, None)?;
        Some([journal, server])
    }

    /// Counts an event of which nothing but its number is known.
    pub(crate) fn pass(&mut self, number: u64) {
        self.last = Some(Began { event: None, number, wall: 0 });
        (self.is_ended, self.is_open) = (true, true);
    }

    /// The record after the last event, whose film is there.
    pub(crate) fn ended(&self) -> Self {
        let mut ended = self.clone();
        ended.film = self.event_names().map(|names| names.server);
        ended.end();
        ended
    }

    /// The records by which the films that are due are made: the last event of each is the one of the film.
    pub(crate) fn of_due(&self) -> Vec<Self> {
        let of = |began: &Began| {
            let (last, due) = (Some(began.clone()), VecDeque::new());
            Self { last, due, is_ended: false, ..self.clone() }
        };
        self.due.iter().map(of).collect()
    }

    /// The last event has ended, and its film is to be made.
    pub(crate) fn end_for_film(&mut self) {
        self.end();
        if let Some(last) = self.last.clone() {
            self.add_due(last);
        }
    }

    pub(super) fn add_due(&mut self, began: Began) {
        self.due.retain(|due| due.number != began.number);
        self.due.push_back(began);
        if self.due.len() > MOST_DUE {
            self.due.pop_front();
        }
    }

    /// A film that was due is made, or can never be. A later one stays the newest.
    pub(crate) fn made(&mut self, number: u64, film: Option<Name>) {
        self.due.retain(|due| due.number != number);
        let is_newest = self.film.as_ref().is_none_or(|film| self.number_of(film) <= number);
        if let Some(film) = film.filter(|_| is_newest) {
            self.film = Some(film);
        }
    }

    /// Number of the event that has the newest film, and its server manifest.
    pub(crate) fn numbered_film(&self) -> Option<(u64, Name)> {
        let film = self.film.as_ref()?;
        Some((self.number_of(film), film.clone()))
    }

    /// The number of the event that this is the server manifest of: see [`Names`].
    fn number_of(&self, film: &Name) -> u64 {
        let first = Names::of(&self.point).and_then(|names| names.event(1, None));
        let stem = first.as_ref().and_then(|first| first.server.as_str().strip_suffix("ism"));
        let rest = stem.and_then(|stem| film.as_str().strip_prefix(stem));
        let number = rest.and_then(|rest| rest.split('.').next()?.parse().ok());
        number.unwrap_or(1)
    }

    /// An event begins.
    pub(super) fn begin(&mut self, began: Began) {
        let event = began.event.as_deref().map(str::to_lowercase);
        // With `restartOnEncoderReconnect`, an event has the identifier of the one before.
        self.past.retain(|past| Some(past) != event.as_ref());
        (self.last, self.is_ended, self.is_open) = (Some(began), false, false);
    }

    /// The last event has ended.
    pub(super) fn end(&mut self) {
        self.is_ended = true;
        let event = self.event().map(str::to_lowercase);
        if let Some(event) = event {
            self.remember(&event);
        }
    }

    pub(super) fn remember(&mut self, event: &str) {
        self.past.retain(|past| past != event);
        self.past.push_back(event.to_owned());
        if self.past.len() > REMEMBERED {
            self.past.pop_front();
        }
    }
}
