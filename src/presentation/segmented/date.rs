//! Wall times as manifests write them.

use std::fmt;

/// A wall time, to the millisecond: `2026-11-24T00:00:00.000Z`.
///
/// Players align the playlists of a presentation by it, and find the live edge. A live recording may
/// count from 1970 itself; a film that begins at 0 begins on the first of January 1970.
///
/// Spec: RFC 8216, 4.3.2.6; ISO 8601.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    /// Milliseconds since 1970.
    millis: u64,
}

impl Date {
    /// The date of so many ticks of 100 ns since 1970; that of 1970 if it is earlier.
    pub(crate) fn new(ticks: i128) -> Self {
        let millis = ticks.max(0) / 10_000;
        Self { millis: u64::try_from(millis).unwrap_or(u64::MAX) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.millis / 1000, self.millis % 1000);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let date = |ticks| Date::new(ticks).to_string();
        for (ticks, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1970-01-01T00:00:00.000Z"),
            (17_954_784_000_000_000, "2026-11-24T00:00:00.000Z"),
            (9_517_823_999_999_999, "2000-02-28T23:59:59.999Z"),
            (9_517_824_000_000_000, "2000-02-29T00:00:00.000Z"),
            (9_518_688_000_000_000, "2000-03-01T00:00:00.000Z"),
            (41_075_424_000_000_000, "2100-03-01T00:00:00.000Z"),
            (17_091_648_000_000_000, "2024-02-29T00:00:00.000Z"),
            (17_356_895_990_000_000, "2024-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(date(ticks), text);
        }
        assert!(date(i128::MAX).ends_with('Z'));
    }
}
