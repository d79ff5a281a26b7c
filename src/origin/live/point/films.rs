//! The films of a publishing point, in its archive: those that are to be made, and the one that players get.

use std::time::Duration;

use super::LivePoint;
use crate::base::{Error, ErrorKind, Name};
use crate::live::journal::{Journal, PointRecord};
use crate::origin::live::archiving::{Archiving, MadeFilm, Task};

impl LivePoint {
    /// Takes over the film that the archive has, and those that are to be made.
    pub(super) fn has_films(&self, film: Option<(u64, Name)>, due: Vec<PointRecord>) {
        let Some(archiving) = &self.archiving else { return };
        if let Some((number, film)) = film {
            archiving.film().set(number, film, self.host().clock.now());
        }
        for record in due {
            // It is what players get next.
            archiving.film().shows_at_least(record.number());
            archiving.add_due(record, Vec::new());
        }
    }

    /// Waits until the archive has what was published, and makes the films of events that have ended, if there is an
    /// archive. What fails is tried again by a later call, after a pause. A host calls it about once a second; it may take
    /// long, and pushes to the point go on meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] if the archive does not take it.
    pub async fn make_films(&self) -> Result<(), Error> {
        let Some(archiving) = &self.archiving else { return Ok(()) };
        let busy = |why| Err(ErrorKind::Busy(why).into());
        if !self.write().await {
            return busy("the archive does not take what was published");
        }
        if !archiving.has_due() {
            return Ok(());
        }
        let _turn = archiving.turn_of_films().await;
        let host = self.host();
        // Each is tried once.
        let now = host.clock.now();
        loop {
            match archiving.make(&host.offload, now, || host.clock.now()).await {
                Ok(Some(MadeFilm { number, film })) => {
                    if let Err(error) = &film {
                        host.events.archive_failed(&self.name, error);
                    }
                    self.note_film(archiving, number, film.ok().flatten());
                    if !self.write().await {
                        return busy("the archive does not take what was published");
                    }
                }
                Ok(None) => break,
                Err(error) => host.events.archive_failed(&self.name, &error),
            }
        }
        match archiving.failure() {
            Some(_) => busy("the archive does not take the film of an event"),
            None => Ok(()),
        }
    }

    /// Has the record of the point say that a film is made.
    fn note_film(&self, archiving: &Archiving, number: u64, film: Option<Name>) {
        if film.is_none() && self.showing.presentation().is_none() {
            archiving.film().none(number);
        }
        let mut inner = self.inner();
        let write = inner.journal.as_mut().and_then(|journal| journal.made(number, film));
        write.into_iter().for_each(|write| archiving.add(Task::Other(write)));
    }

    /// Returns whether the newest event has ended in an earlier process, and its film, which players would get, is still to
    /// be made.
    pub(in crate::origin::live) fn awaits_film(&self) -> bool {
        self.showing.presentation().is_none()
            && self.archiving.as_ref().is_some_and(|of| of.has_due() && !of.film().is_there())
    }

    /// The server manifest of the film that the archive has of the event, which has ended.
    pub(in crate::origin::live) fn film(&self) -> Option<Name> {
        self.archiving.as_ref()?.film().name()
    }

    /// Returns whether this is a file of the newest film.
    pub(in crate::origin::live) fn has_film_of(&self, name: &Name) -> bool {
        self.archiving.as_ref().is_some_and(|archiving| archiving.film().has(name))
    }

    /// Time from which a film is known to be there, if this is the server manifest of the newest one.
    pub(in crate::origin::live) fn film_since(&self, name: &str) -> Option<Duration> {
        self.archiving.as_ref()?.film().since(name)
    }

    /// Returns whether this is the server manifest of the event, whose film is not in the archive yet.
    pub(in crate::origin::live) fn is_growing(&self, name: &Name) -> bool {
        let Some(archiving) = &self.archiving else { return false };
        let inner = self.inner();
        let manifests = inner.journal.as_ref().and_then(Journal::manifests);
        manifests.is_some_and(|(server, _)| server == *name)
            && archiving.film().newest().as_ref() != Some(name)
    }
}
