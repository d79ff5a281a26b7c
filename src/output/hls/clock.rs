//! Times and durations as playlists write them.

use std::fmt;

use crate::base::Timescale;
use crate::presentation::Moment;

/// A time of the presentation as a date: ticks since 1970.
///
/// Players align the playlists of a presentation by it. A live recording counts from 1970 already;
/// a film that begins at 0 begins on the first of January 1970.
///
/// Spec: RFC 8216, 4.3.2.6; ISO 8601.
pub(super) struct Date(pub(super) Moment);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Moment { ticks, timescale } = self.0;
        let (seconds, rest) = (ticks / timescale.get(), ticks % timescale.get());
        let millis = u128::from(rest) * 1000 / u128::from(timescale.get());
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Returns year, month and day of a day since 1970 in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March here, so that the day of leap years comes last. 719,468 days lie between
    // the first of March of the year 0 and 1970; 146,097 are 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..10 => (era * 400 + year, month + 3),
        _ => (era * 400 + year + 1, month - 9),
    };
    (year, month, day)
}

/// A stretch of time in seconds, in units of 100 ns: `2.0053333`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seconds(u64);

impl Seconds {
    /// Returns the time between two ticks of a timescale. Each end is rounded by itself, so that
    /// roundings do not add up.
    pub(super) fn between(from: u64, to: u64, timescale: Timescale) -> Self {
        let rounded = |ticks| Moment { ticks, timescale }.rescaled(Timescale::SMOOTH);
        Self(rounded(to).saturating_sub(rounded(from)))
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
    fn dates_are_those_of_the_calendar() {
        let date = |ticks, scale| {
            Date(Moment { ticks, timescale: Timescale::new(scale).unwrap() }).to_string()
        };
        assert_eq!(date(0, 1), "1970-01-01T00:00:00.000Z");
        assert_eq!(date(17_954_784_000_000_000, 10_000_000), "2026-11-24T00:00:00.000Z");
        assert_eq!(date(951_782_399_999, 1000), "2000-02-28T23:59:59.999Z");
        assert_eq!(date(951_782_400, 1), "2000-02-29T00:00:00.000Z");
        assert_eq!(date(951_868_800, 1), "2000-03-01T00:00:00.000Z");
        assert_eq!(date(4_107_542_400, 1), "2100-03-01T00:00:00.000Z");
        assert_eq!(date(1_709_164_800, 1), "2024-02-29T00:00:00.000Z");
        assert_eq!(date(1_735_689_599, 1), "2024-12-31T23:59:59.000Z");
        assert!(date(u64::MAX, 1).ends_with('Z'));
    }

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
