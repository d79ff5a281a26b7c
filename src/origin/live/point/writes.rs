//! The writes of a publishing point to its archive, and those who wait for them.

use super::{LivePoint, now};
use crate::base::{Error, ErrorKind};
use crate::live::journal::{ArchiveWrite, Journal};
use crate::live::{Moment, PointState};
use crate::origin::live::archiving::{Archiving, Task};

/// Bytes that may wait for the archive of one point before encoders have to wait, too.
const WAITING: u64 = 64 << 20;

impl LivePoint {
    /// Has the archive take all that was pushed, also what is not published yet.
    pub(super) fn hold(&self) {
        self.write_held(|journal, _| journal.hold());
    }

    pub(super) fn write_held(
        &self,
        writes: impl FnOnce(&mut Journal, Moment) -> Vec<ArchiveWrite>,
    ) {
        let Some(archiving) = &self.archiving else { return };
        let now = now(&self.host());
        let mut inner = self.inner();
        let Some(journal) = &mut inner.journal else { return };
        for write in writes(journal, now) {
            archiving.add(Task::Other(write));
        }
    }

    /// Waits until the archive has what was published, if there is one; and if the event has ended, until it is a film.
    /// Nobody waits for the film once the next event has begun.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] if the archive does not take it.
    pub async fn acknowledge(&self) -> Result<(), Error> {
        if !self.write().await {
            return Err(ErrorKind::Busy("the archive does not take what was published").into());
        }
        match self.state() {
            PointState::Stopping | PointState::Stopped => self.make_films().await,
            _ => Ok(()),
        }
    }

    /// Waits until the archive has what was published. If it fails, encoders may go on for a while.
    pub(in crate::origin::live) async fn settle(&self) -> Result<(), Error> {
        if self.write().await { Ok(()) } else { self.check_waiting() }
    }

    /// Checks that no more waits for an archive that fails than there is room for.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] if too much does.
    pub(super) fn check_waiting(&self) -> Result<(), Error> {
        match &self.archiving {
            Some(archiving) if archiving.is_failing() && archiving.waiting() > WAITING => {
                Err(ErrorKind::Busy("too much waits for the archive").into())
            }
            _ => Ok(()),
        }
    }

    /// Has the archive take what was published. Returns whether it has.
    pub(in crate::origin::live) async fn write(&self) -> bool {
        let Some(archiving) = &self.archiving else { return true };
        let host = self.host();
        let written = archiving.write(|| self.show_written()).await;
        match &written {
            // Another call may have written it, and be about to show it.
            Ok(()) => {
                archiving.has_written();
                self.show_written();
            }
            Err(error) => {
                archiving.has_failed(error, host.clock.now());
                host.events.archive_failed(&self.name, error);
                // Players go on with what memory has.
                self.show(u64::MAX);
            }
        }
        written.is_ok()
    }

    /// Shows the newest snapshot of which the archive has everything.
    pub(super) fn show_written(&self) {
        self.show(self.archiving.as_ref().map_or(0, Archiving::written));
    }

    /// Shows the newest snapshot for which the archive has so many writes.
    pub(super) fn show(&self, written: u64) {
        let now = self.host().clock.now();
        self.showing.show(written, now, |number| {
            if let Some(archiving) = &self.archiving {
                archiving.film().shows(number);
            }
        });
    }
}
