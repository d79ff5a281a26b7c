//! Times as a query has them.

use crate::base::ErrorKind;
use crate::presentation::ClipTime;

/// Smallest number that is seconds since 1970, in 2001. No presentation lasts so long.
const SINCE_1970: u64 = 1_000_000_000;
/// Smallest number that is milliseconds since 1970, in 1973. As seconds it would be in the year 5138.
const MILLISECONDS: u64 = 100_000_000_000;
/// Largest number: milliseconds in the year 5138.
const LARGEST: u64 = 100_000_000_000_000;
/// Longest delay in seconds: a week.
const LONGEST_DELAY: u64 = 7 * 86_400;

const SECOND: u64 = 10_000_000;
/// Reads a time: a date, seconds since 1970, or seconds since the begin.
pub(super) fn time(text: &str) -> Result<ClipTime, ErrorKind> {
    let malformed = ErrorKind::Malformed(
        "a time is an ISO 8601 date and time, seconds since 1970, or seconds since the begin",
    );
    match seconds(text) {
        Some(ticks) if ticks / SECOND < SINCE_1970 => Ok(ClipTime::SinceBegin(ticks)),
        Some(ticks) if ticks / SECOND < MILLISECONDS => Ok(ClipTime::Wall(ticks.into())),
        Some(ticks) if ticks / SECOND < LARGEST => Ok(ClipTime::Wall(i128::from(ticks / 1000))),
        Some(_) => Err(malformed),
        None => wall(text).map(ClipTime::Wall).ok_or(malformed),
    }
}

/// Reads a delay, in ticks of 100 ns.
pub(super) fn delay(text: &str) -> Result<u64, ErrorKind> {
    let ticks = seconds(text).filter(|&ticks| ticks <= LONGEST_DELAY * SECOND);
    ticks.ok_or(ErrorKind::Malformed("a delay is a number of seconds, at most a week"))
}

/// Reads seconds, with or without a fraction, as ticks of 100 ns. Digits behind the seventh do not count.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    whole.parse::<u64>().ok()?.checked_mul(SECOND)?.checked_add(ticks(fraction))
}

/// Returns ticks of 100 ns of the digits behind a decimal point.
fn ticks(fraction: &str) -> u64 {
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(7);
    digits.fold(0, |ticks, digit| ticks * 10 + u64::from(digit - b'0'))
}

/// Reads an ISO 8601 date, with or without a time and a zone (UTC if there is none), as ticks of 100 ns since
/// 1970.
fn wall(text: &str) -> Option<i128> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let day = day(date)?;
    let (of_day, zone) = match time {
        Some(time) => time_and_zone(time)?,
        None => (0, 0),
    };
    Some(i128::from(day * 86_400 - zone) * i128::from(SECOND) + i128::from(of_day))
}

/// Reads `hh:mm:ss.fff` with a zone, as ticks of 100 ns and seconds that the zone is ahead of UTC.
fn time_and_zone(text: &str) -> Option<(u64, i64)> {
    let (time, zone) = match text.find(['Z', 'z', '+', '-', ' ']) {
        Some(at) => (&text[..at], zone(&text[at..])?),
        None => (text, 0),
    };
    let (time, fraction) = match time.split_once('.') {
        Some((time, digits))
            if !digits.is_empty() && digits.bytes().all(|d| d.is_ascii_digit()) =>
        {
            (time, ticks(digits))
        }
        Some(_) => return None,
        None => (time, 0),
    };
    let mut parts = time.split(':');
    let hour = number(parts.next()?, 2, 24)?;
    let minute = number(parts.next()?, 2, 59)?;
    let second = parts.next().map_or(Some(0), |second| number(second, 2, 60))?;
    let seconds = hour * 3600 + minute * 60 + second;
    (parts.next().is_none() && seconds <= 86_400)
        .then(|| (seconds.unsigned_abs() * SECOND + fraction, zone))
}

/// Reads `Z`, `+01:00`, `-0130` or `+02`. In a query, a plus sign that is not escaped may have become a space.
fn zone(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'Z' | b'z' => return (text.len() == 1).then_some(0),
        b'-' => -1,
        _ => 1,
    };
    let digits = &text[1..];
    let (hour, minute) = match digits.split_once(':') {
        Some(both) => both,
        None => digits.split_at_checked(2)?,
    };
    let minute = if minute.is_empty() { 0 } else { number(minute, 2, 59)? };
    Some(sign * (number(hour, 2, 14)? * 3600 + minute * 60))
}

/// Reads `YYYY-MM-DD` as days since 1970.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4, 9999)?;
    let month = number(parts.next()?, 2, 12)?;
    let day = number(parts.next()?, 2, 31)?;
    if parts.next().is_some() || month == 0 || day == 0 {
        return None;
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day > days {
        return None;
    }
    // Years begin in March here, so that the day of leap years comes last. 719,468 days lie between the first
    // of March of the year 0 and 1970.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_years = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(of_years + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// Reads a number of so many digits.
fn number(text: &str, digits: usize, most: i64) -> Option<i64> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&number| is_number && number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_or_seconds_since_1970_or_since_the_begin() {
        let wall = |seconds: i128| ClipTime::Wall(seconds * 10_000_000);
        for (text, expected) in [
            ("0", ClipTime::SinceBegin(0)),
            ("90.5", ClipTime::SinceBegin(905_000_000)),
            ("999999999", ClipTime::SinceBegin(9_999_999_990_000_000)),
            ("1000000000", wall(1_000_000_000)),
            ("1795478400", wall(1_795_478_400)),
            ("1795478400000", wall(1_795_478_400)),
            ("2026-11-24T00:00:00Z", wall(1_795_478_400)),
            ("2026-11-24t00:00:00z", wall(1_795_478_400)),
            ("2026-11-24T00:00:00", wall(1_795_478_400)),
            ("2026-11-24", wall(1_795_478_400)),
            ("2026-11-24T00:00", wall(1_795_478_400)),
            ("2026-11-24T01:00:00+01:00", wall(1_795_478_400)),
            ("2026-11-24T01:00:00 01:00", wall(1_795_478_400)),
            ("2026-11-23T22:30:00-0130", wall(1_795_478_400)),
            ("2026-11-24T02:00:00+02", wall(1_795_478_400)),
            ("2026-11-23T24:00:00Z", wall(1_795_478_400)),
            ("1970-01-01T00:00:00.0000001Z", ClipTime::Wall(1)),
            ("1969-12-31T23:59:59Z", wall(-1)),
            ("2000-02-29T00:00:00Z", wall(951_782_400)),
            ("2100-03-01T00:00:00Z", wall(4_107_542_400)),
        ] {
            assert_eq!(time(text).ok(), Some(expected), "{text}");
        }
        for text in [
            "",
            "-1",
            "+1",
            "1.",
            ".5",
            "1e3",
            "٣",
            "now",
            "12:00",
            "2026-13-01",
            "2026-00-01",
            "2026-02-29",
            "2026-11-31",
            "2026-11-24T",
            "2026-11-24T25:00",
            "2026-11-24T24:00:01",
            "2026-11-24T00:61",
            "2026-11-24T00:00:00+",
            "2026-11-24T00:00:00+15:00",
            "2026-11-24T00:00:00.Z",
            "2026-11-24T00:00:00Zx",
            "2026-11-24T00:00:00é",
            "1.5.5",
            "100000000000000",
            "99999999999999999999",
            "2026-11-24T00:00:00:00",
        ] {
            assert!(matches!(time(text), Err(ErrorKind::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn a_delay_is_at_most_a_week() {
        assert_eq!(delay("30").ok(), Some(300_000_000));
        assert_eq!(delay("604800").ok(), Some(6_048_000_000_000));
        for text in ["604801", "-5", "PT30S", "", "99999999999999999999"] {
            assert!(delay(text).is_err(), "{text}");
        }
    }
}
