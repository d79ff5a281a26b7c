//! The way of a publishing point's snapshots to players: each is shown once the archive has what it lists, so that no
//! end of the process takes back what a player was told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::held::HeldFile;
use super::shown::{EventFiles, Shown};
use crate::origin::Opened;
use crate::origin::read::Shared;
use crate::presentation::Presentation;

/// The snapshot that players get, and those that wait for the archive.
#[derive(Debug, Default)]
pub(super) struct Showing {
    shown: Shown,
    turn: Mutex<Turn>,
}

/// A snapshot that is to be shown.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) presentation: Arc<Presentation>,
    pub(super) files: EventFiles,
    /// Number of its event.
    pub(super) number: u64,
    /// Number of the snapshot.
    pub(super) snapshot: u64,
    /// Time at which it was made.
    pub(super) made: Duration,
    /// Bytes that it and all later ones need no more: what ends at or before this offset of a file.
    pub(super) forgets: Vec<(HeldFile, u64)>,
    /// Writes of the point that the archive has before it is shown.
    pub(super) after: u64,
}

#[derive(Debug, Default)]
struct Turn {
    /// Those that wait, in order.
    next: VecDeque<Next>,
    /// Number of the event whose snapshot is shown.
    number: u64,
    /// Number of that snapshot, and the time at which it was shown.
    shown: Option<(u64, Duration)>,
    /// Bytes that the snapshot which is shown does not need. A request may have found its fragment in the one before,
    /// so they are forgotten when the next one is shown.
    due: Vec<(HeldFile, u64)>,
}

/// How far players are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Number of the snapshot that is shown, and the time at which that began.
    pub(super) shown: Option<(u64, Duration)>,
    /// Time at which the first snapshot was made that waits for the archive.
    pub(super) waits_since: Option<Duration>,
}

/// Snapshots that wait at a time. A further one takes the place of the last: an archive that hangs takes no more memory.
const MOST: usize = 16;

impl Showing {
    /// Adds a snapshot behind all that wait.
    pub(super) fn add(&self, mut next: Next) {
        let mut turn = self.turn();
        if turn.next.len() >= MOST
            && let Some(mut last) = turn.next.pop_back()
        {
            last.forgets.append(&mut next.forgets);
            next.forgets = last.forgets;
        }
        turn.next.push_back(next);
    }

    /// Shows the newest snapshot for which the archive has so many writes, from `now` on, and says the number of its event while no
    /// other one can be shown.
    pub(super) fn show(&self, written: u64, now: Duration, is_shown: impl FnOnce(u64)) {
        let mut turn = self.turn();
        let count = turn.next.iter().take_while(|next| next.after <= written).count();
        let mut forgets = Vec::new();
        let take = |mut next: Next| {
            forgets.append(&mut next.forgets);
            next
        };
        let Some(next) = turn.next.drain(..count).map(take).last() else { return };
        self.shown.replace(next.presentation, &next.files);
        turn.number = next.number;
        turn.shown = Some((next.snapshot, now));
        for (file, before) in std::mem::replace(&mut turn.due, forgets) {
            file.forget(before);
        }
        is_shown(next.number);
    }

    /// Number of the event whose snapshot is shown; 0 before the first one.
    pub(super) fn number(&self) -> u64 {
        self.turn().number
    }

    /// How far players are.
    pub(super) fn progress(&self) -> Progress {
        let turn = self.turn();
        let waits_since = turn.next.front().map(|next| next.made);
        Progress { shown: turn.shown, waits_since }
    }

    pub(super) fn presentation(&self) -> Option<Arc<Presentation>> {
        self.shown.presentation()
    }

    /// The snapshot that is shown, as an origin answers from it.
    pub(super) fn opened(&self, shared: &Arc<Shared>) -> Option<Arc<Opened>> {
        self.shown.opened(shared)
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
