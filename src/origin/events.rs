//! Events on their way to the host: each failure once per period, and a limited number of them.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::counters::Counters;
use super::{Clock, Event};
use crate::base::{Error, ErrorGroup, ErrorKind, Name, ReadError};
#[cfg(feature = "live")]
use crate::live::LiveEvent;
use crate::presentation::{Finding, FindingCode, Presentation};

pub(super) type Report = dyn Fn(&Event<'_>) + Send + Sync;

/// Counts failures, and reports events to the host, if the host wants them.
#[derive(Clone, Default)]
pub(super) struct Events {
    reporting: Option<Arc<Reporting>>,
    counters: Arc<Counters>,
}

struct Reporting {
    report: Arc<Report>,
    clock: Clock,
    /// Time in which one failure is reported once.
    period: Duration,
    hasher: RandomState,
    reported: Mutex<Reported>,
}

/// The failures of the current period.
#[derive(Debug, Default)]
struct Reported {
    since: Duration,
    seen: HashSet<u64>,
    left_out: u64,
}

/// Number of different failures that are reported in one period.
const MOST: usize = 256;

/// A period is no shorter than this.
const SHORTEST: Duration = Duration::from_secs(1);

impl Events {
    pub(super) fn new(
        report: Arc<Report>,
        clock: Clock,
        period: Duration,
        counters: Arc<Counters>,
    ) -> Self {
        let (hasher, reported) = (RandomState::new(), Mutex::default());
        let period = period.max(SHORTEST);
        let reporting = Reporting { report, clock, period, hasher, reported };
        Self { reporting: Some(Arc::new(reporting)), counters }
    }

    /// Reports nothing.
    pub(super) fn silent(counters: Arc<Counters>) -> Self {
        Self { reporting: None, counters }
    }

    /// Returns whether the host wants events.
    pub(super) fn are_wanted(&self) -> bool {
        self.reporting.is_some()
    }

    /// Reports an event that is rare by itself.
    pub(super) fn report(&self, event: &Event<'_>) {
        if let Some(reporting) = &self.reporting {
            (reporting.report)(event);
        }
    }

    /// Reports an opening that failed. `was_open` if there is, or was, such a presentation.
    #[cold]
    pub(super) fn opening_failed(
        &self,
        name: &Name,
        error: &Error,
        took: Duration,
        was_open: bool,
    ) {
        // Clients can make up any number of names: failures of these are theirs.
        if was_open || error.kind.group() != ErrorGroup::Request {
            let event = Event::OpeningFailed { name, error, took };
            self.failure(&event, &("opening", name, error.kind.code()));
        }
    }

    /// Reports an opening that was given up because a file changed a moment ago.
    #[cold]
    pub(super) fn unsettled(&self, name: &Name, error: &Error, is_served: bool) {
        let event = Event::Unsettled { name, error, is_served };
        self.failure(&event, &("unsettled", name, is_served));
    }

    /// Reports a request, or a body, for a presentation that is open.
    #[cold]
    pub(super) fn request_failed(&self, presentation: &Presentation, error: &Error) {
        // A file that must settle was reported when its opening was given up.
        if error.settles_in().is_some() {
            return;
        }
        if let Some(error) = self.unread_at_opening(presentation, error) {
            return self.request_for_failed(presentation.name(), None, &error);
        }
        let files = presentation.files();
        let file = error.file().and_then(|file| files.get(file.index()));
        self.request_for_failed(presentation.name(), file, error);
    }

    /// Returns the error of a track whose file could not be read when the presentation was opened, with what
    /// is known of that.
    fn unread_at_opening(&self, presentation: &Presentation, error: &Error) -> Option<Error> {
        let ErrorKind::Read(ReadError { kind, source: None, .. }) = &error.kind else {
            return None;
        };
        if !self.are_wanted() || error.file().is_some() {
            return None;
        }
        let findings = presentation.findings();
        let unread = findings.iter().find(|one| one.code == FindingCode::FileUnreadable)?;
        let file = unread.file.as_deref().unwrap_or_default();
        let why = format!("{file} could not be read when it was opened: {}", unread.message);
        let source = Some(Arc::new(io::Error::other(why)));
        Some(ReadError { source, ..ReadError::new(*kind) }.into())
    }

    /// Reports a request, or a body, for the presentation or file of this name.
    #[cold]
    pub(super) fn request_for_failed(&self, name: &Name, file: Option<&Name>, error: &Error) {
        if matches!(error.kind.group(), ErrorGroup::Content | ErrorGroup::Storage) {
            if !matches!(error.kind, ErrorKind::Busy(_)) {
                self.counters.failure();
            }
            let event = Event::RequestFailed { name, file, error };
            self.failure(&event, &("request", name, file, error.kind.code()));
        }
    }

    /// Reports a request that was refused before its presentation was open. The opening itself
    /// reports why it failed.
    #[cold]
    pub(super) fn refused(&self, name: &str, error: &Error) {
        if self.are_wanted()
            && matches!(error.kind, ErrorKind::Busy(_))
            && let Ok(name) = Name::new(name)
        {
            self.request_for_failed(&name, None, error);
        }
    }

    /// Reports a finding that a request has added.
    pub(super) fn late_finding(&self, name: &Name, finding: &Finding) {
        let event = Event::LateFinding { name, finding };
        let place = (&finding.file, &finding.stream, finding.bitrate, finding.chunk);
        self.failure(&event, &("finding", name, finding.code, place));
    }

    /// Reports an event of a publishing point, if it is one for the log.
    #[cfg(feature = "live")]
    pub(super) fn live(&self, name: &Name, event: &LiveEvent) {
        match event {
            LiveEvent::File { .. }
            | LiveEvent::Early { .. }
            | LiveEvent::Moved { .. }
            | LiveEvent::Ended { .. }
            | LiveEvent::Header { .. }
            | LiveEvent::Append { .. }
            | LiveEvent::Discarded { .. }
            | LiveEvent::Forget { .. }
            | LiveEvent::Held { .. }
            | LiveEvent::Published { .. } => {}
            LiveEvent::Notice(notice) if notice.kind.is_warning() => {
                let of = (&notice.encoder, &notice.stream, &notice.track);
                self.failure(&Event::Live { name, event }, &("live", name, event.kind(), of));
            }
            _ => self.report(&Event::Live { name, event }),
        }
    }

    /// Reports a push that was refused.
    #[cfg(all(feature = "http", feature = "live"))]
    #[cold]
    pub(super) fn push_refused(&self, name: Option<&Name>, what: &str, status: u16, why: &str) {
        self.counters.live_refusal();
        let event = Event::PushRefused { name, what, status, why };
        self.failure(&event, &("push", name, status, why));
    }

    /// Reports an archive that does not take what was published.
    #[cfg(feature = "live")]
    #[cold]
    pub(super) fn archive_failed(&self, name: &Name, error: &io::Error) {
        self.failure(&Event::ArchiveFailed { name, error }, &("archive", name));
    }

    /// Reports a failure, unless the same was reported in this period or too many were.
    fn failure(&self, event: &Event<'_>, what: &impl Hash) {
        let Some(reporting) = &self.reporting else { return };
        let (what, now) = (reporting.hasher.hash_one(what), reporting.clock.now());
        let mut reported = reporting.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let (is_new, left_out) = reported.take(what, now, reporting.period);
        // The host may ask the origin something, or panic: not while the lock is held.
        drop(reported);
        if left_out > 0 {
            (reporting.report)(&Event::LeftOut { count: left_out });
        }
        if is_new {
            (reporting.report)(event);
        }
    }
}

impl Reported {
    /// Returns whether a failure is to be reported, and how many of the period before were not.
    fn take(&mut self, what: u64, now: Duration, period: Duration) -> (bool, u64) {
        let mut left_out = 0;
        if now.saturating_sub(self.since) >= period {
            self.seen.clear();
            self.since = now;
            left_out = std::mem::take(&mut self.left_out);
        }
        let is_new = self.seen.len() < MOST && self.seen.insert(what);
        self.left_out += u64::from(!is_new);
        (is_new, left_out)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Events").field(&self.are_wanted()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_new_once_in_a_period_and_no_more_than_so_many_are() {
        let (mut reported, period) = (Reported::default(), Duration::from_secs(5));
        let at = Duration::from_secs;
        assert_eq!(reported.take(1, at(10), period), (true, 0));
        assert_eq!(reported.take(1, at(14), period), (false, 0));
        assert_eq!(reported.take(1, at(15), period), (true, 1));
        let new = (0..1000).filter(|&what| reported.take(what, at(16), period).0).count();
        assert_eq!(new, MOST - 1);
        assert_eq!(reported.take(1, at(20), period), (true, 1000 - new as u64));
        assert_eq!(reported.take(1, Duration::MAX, period), (true, 0));
    }
}
