//! The window that memory has room for.

use std::time::Duration;

use super::{LivePoint, now};
use crate::base::{Error, ErrorKind};
use crate::live::{LiveEvent, Notice, NoticeKind};
use crate::origin::live::memory::Pressure;
use crate::presentation::{Presentation, Stream};

/// The window of a publishing point, as the host wants it and as memory allows it.
pub(super) struct Fit {
    /// The window that the host wants.
    window: Option<Duration>,
    /// The window that memory has room for, if it is a shorter one.
    narrow: Option<Duration>,
    /// Time at which that window was last changed.
    narrowed: Option<Duration>,
}

impl Fit {
    pub(super) fn of(window: Option<Duration>) -> Self {
        Self { window, narrow: None, narrowed: None }
    }

    /// A window that is a quarter shorter than what there is, but never shorter than [`SHORTEST`].
    fn narrower(&self, snapshot: Option<&Presentation>) -> Option<Duration> {
        let Some(snapshot) = snapshot else { return self.narrow };
        let there_is = snapshot.streams().iter().map(length_of).max().unwrap_or_default();
        let limit = self.narrow.or(self.window).unwrap_or(Duration::MAX);
        let narrow = (there_is.min(limit) / 4 * 3).max(SHORTEST);
        if narrow < limit { Some(narrow) } else { self.narrow }
    }

    /// A window that is twice as long; `None` if it is as long as the host wants.
    fn wider(&self) -> Option<Duration> {
        let wide = self.narrow?.saturating_mul(2);
        let is_enough = match self.window {
            Some(window) => wide >= window,
            None => wide >= LONGEST,
        };
        (!is_enough).then_some(wide)
    }
}

impl LivePoint {
    /// Says how much memory is used. What has arrived is counted byte for byte between two such calls.
    pub(super) fn measure(&self) {
        let inner = self.inner();
        self.memory.set(self.memory_of(&inner));
    }

    /// Has the window be as long as memory has room for. An archive keeps what memory has not.
    pub(super) fn fit(&self) {
        if self.archiving.is_some() {
            return;
        }
        let pressure = self.memory.budget().pressure();
        let now = now(&self.host()).monotonic;
        let (narrow, window) = {
            let mut inner = self.inner();
            // Bytes go some snapshots after the window that had them.
            if inner.fit.narrowed.is_some_and(|at| now < at.saturating_add(PAUSE)) {
                return;
            }
            let narrow = match inner.fit.narrow {
                _ if pressure >= Pressure::High && self.memory.is_large() => {
                    inner.fit.narrower(inner.point.snapshot().map(|snapshot| &**snapshot))
                }
                Some(_) if pressure == Pressure::Low => inner.fit.wider(),
                narrow => narrow,
            };
            if narrow == inner.fit.narrow {
                return;
            }
            (inner.fit.narrow, inner.fit.narrowed) = (narrow, Some(now));
            (narrow, narrow.or(inner.fit.window))
        };
        self.with(|point, now| point.keep(narrow, now));
        if let Some(window) = window.filter(|_| pressure >= Pressure::High) {
            let notice = Notice::new(NoticeKind::MemoryShort { window });
            let event = LiveEvent::Notice(notice);
            self.note(&event, super::now(&self.host()));
            self.host().events.live(&self.name, &event);
        }
    }
}

/// The shortest window that memory is saved with, which players need to go on.
const SHORTEST: Duration = Duration::from_secs(20);

/// Time between two changes of the window.
const PAUSE: Duration = Duration::from_secs(2);

/// A window so long is none.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn no_memory() -> Error {
    ErrorKind::Busy("the memory for live events is used up").into()
}

/// The length of what a stream has.
fn length_of(stream: &Stream) -> Duration {
    let timeline = stream.timeline();
    let begin = timeline.chunk(0).map_or(0, |(start, _)| start);
    let ticks = timeline.end().saturating_sub(begin);
    let seconds = u128::from(ticks) * 1_000_000_000 / u128::from(stream.timescale().get());
    Duration::from_nanos(u64::try_from(seconds).unwrap_or(u64::MAX))
}
