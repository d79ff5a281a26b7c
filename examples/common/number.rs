//! Numbers of the command line, each with its range and unit.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::builder::TypedValueParser;

/// Parses a whole number of this range; the failure is a sentence that names the range and the unit.
fn number(
    range: RangeInclusive<u64>,
    unit: &'static str,
) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    move |text| {
        let found = text.parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        found.ok_or_else(|| format!("give a whole number of {unit} from {least} to {most}"))
    }
}

/// A count of something.
pub(crate) fn count(
    range: RangeInclusive<u64>,
    unit: &'static str,
) -> impl TypedValueParser<Value = usize> {
    // The ranges end far below what `usize` holds.
    clap::builder::StringValueParser::new().try_map(move |text| {
        number(range.clone(), unit)(&text)
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX))
    })
}

/// A time in seconds, of at most a year.
pub fn seconds(text: &str) -> Result<u64, String> {
    number(0..=31_536_000, "seconds")(text)
}

/// A time in seconds, of at most a year, with fractions: `0.3`.
pub fn fractional_seconds(text: &str) -> Result<Duration, String> {
    // `parse` would also take `1e3`, `inf` and `nan`.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds =
        text.parse().ok().filter(|seconds| is_plain && (0.0..=31_536_000.0).contains(seconds));
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "give a number of seconds from 0 to 31536000, such as 0.3".to_owned())
}

/// A time as [`fractional_seconds`], which is not 0.
pub fn positive_seconds(text: &str) -> Result<Duration, String> {
    let duration = fractional_seconds(text)?;
    match duration.is_zero() {
        true => Err("0 seconds leave no time for anything; give more, such as 0.3".into()),
        false => Ok(duration),
    }
}

/// Memory in MiB, of at least `least` and at most 1 TiB. More is a mistake, and the number of bytes
/// must fit 64 bits.
pub fn mebibytes(
    least: u64,
) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    number(least..=1 << 20, "MiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_what_does_not_fit_are_refused_with_the_range() {
        for text in ["0", "-1", "", "x", "1.5", "99999999999999", "99999999999999999999999"] {
            let sentence = mebibytes(1)(text).unwrap_err();
            assert_eq!(sentence, "give a whole number of MiB from 1 to 1048576", "{text}");
        }
        assert_eq!(mebibytes(0)("0"), Ok(0));
        assert_eq!(mebibytes(1)("1048576"), Ok(1 << 20));
    }

    #[test]
    fn seconds_may_have_fractions_and_nothing_else() {
        assert_eq!(fractional_seconds("0.3"), Ok(Duration::from_millis(300)));
        assert_eq!(fractional_seconds("0"), Ok(Duration::ZERO));
        assert_eq!(fractional_seconds("60"), Ok(Duration::from_secs(60)));
        for text in ["", ".", "-1", "+1", "1e3", "inf", "nan", "1s", "1,5", "1.5.2", "31536001"] {
            let sentence = fractional_seconds(text).unwrap_err();
            assert_eq!(
                sentence, "give a number of seconds from 0 to 31536000, such as 0.3",
                "{text}"
            );
        }
    }
}
