//! A moment, as the host's clocks have it.

pub(super) use std::time::Duration;

/// The time at which something happened, by the host's clocks.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::live::Moment;
///
/// let wall = Duration::from_secs(1_700_000_000);
/// let begin = Moment { monotonic: Duration::ZERO, wall };
/// let later = begin.after(Duration::from_secs(2));
/// assert_eq!(later.monotonic.as_secs(), 2);
/// assert_eq!(later.wall.as_secs(), 1_700_000_002);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Time of a clock that never goes back, since any moment. All waiting is measured by it.
    pub monotonic: Duration,
    /// Time since the Unix epoch. It goes into snapshots and is used for nothing else.
    pub wall: Duration,
}

impl Moment {
    /// Returns the moment that is this much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self { monotonic: self.monotonic + time, wall: self.wall + time }
    }

    /// Returns the time that has passed since an earlier moment.
    pub(super) fn since(self, earlier: Duration) -> Duration {
        self.monotonic.saturating_sub(earlier)
    }
}
