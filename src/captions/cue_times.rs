//! Lines of times of SubRip and WebVTT.

/// Start and end of a cue, in units of 100 ns, and what follows them in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CueTimes<'t> {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) settings: &'t str,
}

/// Digits of a fraction of a second that count: units of 100 ns.
const FRACTION: usize = 7;

/// Digits of hours.
const HOURS: usize = 7;

impl<'t> CueTimes<'t> {
    /// Reads a line of times, `00:00:01.000 --> 00:00:02.000`, with a point or a comma and with or without
    /// hours. `None` if it is another line; an error if it should be one, but its times cannot be
    /// read or do not ascend.
    ///
    /// Spec: WebVTT, 4.1.
    pub(super) fn of_line(line: &'t str) -> Option<Result<Self, ()>> {
        let (before, after) = line.split_once("-->")?;
        // A number of the cue may precede it in the same line.
        let start = before.split_ascii_whitespace().next_back()?;
        let is_time = start.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        if !is_time || !start.contains(':') {
            return None;
        }
        let after = after.trim_start();
        let len = after.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ',')));
        let (end, settings) = after.split_at(len.unwrap_or(after.len()));
        let times = time(start).zip(time(end)).filter(|(start, end)| start < end);
        Some(times.ok_or(()).map(|(start, end)| Self { start, end, settings }))
    }
}

fn time(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.splitn(5, ':').collect();
    // Some write a colon before the milliseconds.
    let (hours, minutes, seconds, fraction) = match parts[..] {
        [minutes, seconds] => ("0", minutes, seconds, None),
        [hours, minutes, seconds] => (hours, minutes, seconds, None),
        [hours, minutes, seconds, fraction] => (hours, minutes, seconds, Some(fraction)),
        _ => return None,
    };
    let (seconds, fraction) = match (seconds.split_once(['.', ',']), fraction) {
        (Some((seconds, fraction)), None) => (seconds, fraction),
        (None, fraction) => (seconds, fraction.unwrap_or("0")),
        _ => return None,
    };
    let number = |digits: &str, most: usize| {
        let is_number = (1..=most).contains(&digits.len());
        (is_number && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| digits.parse::<u64>())?
            .ok()
    };
    let kept = fraction.get(..fraction.len().min(FRACTION))?;
    let fraction = number(kept, FRACTION)? * 10_u64.pow((FRACTION - kept.len()) as u32);
    let minutes = number(hours, HOURS)? * 60 + number(minutes, 2)?;
    // At most 10^7 hours.
    Some((minutes * 60 + number(seconds, 2)?) * 10_000_000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_met() {
        let read =
            |line| CueTimes::of_line(line).map(|times| times.map(|t| (t.start, t.end, t.settings)));
        let (one, two) = (10_000_000, 20_000_000);
        for (line, expected) in [
            ("00:00:01,000 --> 00:00:02,000", Some(Ok((one, two, "")))),
            ("00:00:01.000-->00:00:02.000", Some(Ok((one, two, "")))),
            ("00:01.000 --> 00:02.000 align:start", Some(Ok((one, two, " align:start")))),
            ("0:0:1,0 --> 0:0:2", Some(Ok((one, two, "")))),
            ("7 00:00:01,000 --> 00:00:02,000", Some(Ok((one, two, "")))),
            ("00:00:01:000 --> 00:00:02:000  X1:5 X2:9", Some(Ok((one, two, "  X1:5 X2:9")))),
            ("00:00:01,5 --> 00:00:02,12345678", Some(Ok((15_000_000, 21_234_567, "")))),
            (
                "100:00:00.000 --> 9999999:59:59.999",
                Some(Ok((3_600_000_000_000, 359_999_999_999_990_000, ""))),
            ),
            ("00:00:02,000 --> 00:00:02,000", Some(Err(()))),
            ("-00:00:01,000 --> 00:00:02,000", Some(Err(()))),
            ("00:00:01,000 --> soon", Some(Err(()))),
            ("12345678:00:00 --> 99999999:00:00", Some(Err(()))),
            ("00:00:01,é --> 00:00:02", Some(Err(()))),
            ("look --> there", None),
            ("3 --> 4", None),
            ("-->", None),
            ("00:00:01,000", None),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }
}
