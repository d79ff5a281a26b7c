//! Durations as playlists write them.

use std::fmt;

use crate::base::Timescale;
use crate::presentation::Moment;

/// A stretch of time in seconds, in units of 100 ns: `2.0053333`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seconds(u64);

impl Seconds {
    /// Returns the length of so many ticks.
    pub(super) fn of(ticks: u64, timescale: Timescale) -> Self {
        Self::between(0, ticks, timescale)
    }

    /// Returns the time between two ticks of a timescale. Each end is rounded by itself, so that
    /// roundings do not add up.
    pub(super) fn between(from: u64, to: u64, timescale: Timescale) -> Self {
        let rounded = |ticks| Moment { ticks, timescale }.rescaled(Timescale::SMOOTH);
        Self(rounded(to).saturating_sub(rounded(from)))
    }

    /// Returns whole seconds, rounded to the nearest (halves up).
    pub(super) fn round(self) -> u64 {
        self.0.saturating_add(5_000_000) / 10_000_000
    }

    /// Returns whole seconds, rounded up.
    pub(super) fn ceil(self) -> u64 {
        self.0.div_ceil(10_000_000)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:07}", self.0 / 10_000_000, self.0 % 10_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roundings_do_not_add_up() {
        let scale = Timescale::new(44_100).unwrap();
        let of = |i: u64| Seconds::between(i * 1024, (i + 1) * 1024, scale);
        assert_eq!(of(0).to_string(), "0.0232200");
        let sum: u64 = (0..44_100).map(|i| of(i).0).sum();
        assert_eq!(sum, 1024 * 10_000_000);
        assert_eq!((of(0).ceil(), Seconds(20_000_000).ceil(), Seconds(0).ceil()), (1, 2, 0));
    }
}
