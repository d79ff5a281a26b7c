//! How much of an event is served, also when its window has become shorter.

use crate::live::moment::Duration;
use crate::live::{Moment, PointOptions};

/// How much of an event is served: for a while as much as before, if the options say less from now on.
///
/// Players are told of the shorter window at once, and load what they were told of before.
///
/// Spec: RFC 8216, 6.2.2.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// The length that the options said the last time; [`Duration::MAX`] is everything.
    said: Duration,
    served: Duration,
    /// Until then, more is served than what the options say.
    until: Option<Duration>,
}

impl Served {
    /// Returns how much is served; `None` for everything.
    pub(super) fn length(&mut self, options: &PointOptions, now: Moment) -> Option<Duration> {
        let said = options.kept().unwrap_or(Duration::MAX);
        if said < self.said {
            self.until = Some(now.monotonic.saturating_add(BEHIND_CHANGE));
        }
        self.said = said;
        let waits = self.until.is_some_and(|until| now.monotonic < until);
        // Memory that is short does not wait.
        if said >= self.served || !waits || options.longest.is_some() {
            (self.served, self.until) = (said, None);
        }
        (self.served < Duration::MAX).then_some(self.served)
    }
}

/// Chunks are served for so long after the window has become too short for them.
const BEHIND_CHANGE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds that are served at some second, with this window and, if memory is short, no more than `longest`.
    fn at(
        kept: &mut Served,
        second: u64,
        window: Option<u64>,
        longest: Option<u64>,
    ) -> Option<u64> {
        let seconds = Duration::from_secs;
        let mut options = PointOptions::default().window(window.map(seconds));
        options.longest = longest.map(seconds);
        let now = Moment { monotonic: seconds(second), wall: seconds(second) };
        kept.length(&options, now).map(|length| length.as_secs())
    }

    #[test]
    fn a_window_that_becomes_shorter_does_so_after_a_while() {
        let mut kept = Served::default();
        assert_eq!(at(&mut kept, 0, Some(600), None), Some(630));
        for (second, window, served) in [
            (10, 60, 630),
            (30, 60, 630),
            // Neither one that is a bit longer nor the same one makes it later.
            (35, 80, 630),
            (39, 80, 630),
            (40, 80, 110),
            (41, 300, 330),
            (42, 200, 330),
            // What has left the window now has been there until now.
            (60, 100, 330),
            (72, 100, 330),
            (89, 100, 330),
            (90, 100, 130),
            (91, 50, 130),
            (92, 700, 730),
            (200, 700, 730),
        ] {
            assert_eq!(at(&mut kept, second, Some(window), None), Some(served), "at {second}");
        }
    }

    #[test]
    fn everything_is_served_for_a_while_when_there_is_a_window() {
        let mut kept = Served::default();
        let steps =
            [(0, None, None), (1, Some(60), None), (30, Some(60), None), (31, Some(60), Some(90))];
        for (second, window, served) in steps {
            assert_eq!(at(&mut kept, second, window, None), served, "at {second}");
        }
        assert_eq!(at(&mut kept, 32, None, None), None);
    }

    #[test]
    fn memory_that_is_short_does_not_wait() {
        let mut kept = Served::default();
        assert_eq!(at(&mut kept, 0, Some(600), None), Some(630));
        assert_eq!(at(&mut kept, 1, Some(60), None), Some(630));
        assert_eq!(at(&mut kept, 2, Some(60), Some(40)), Some(70));
        assert_eq!(at(&mut kept, 3, Some(60), Some(20)), Some(50));
        assert_eq!(at(&mut kept, 4, Some(60), None), Some(90));
    }
}
