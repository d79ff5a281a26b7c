//! Time expressions of TTML.

use super::seconds::Seconds;

/// Parameters of a document that give its time expressions a meaning.
///
/// Spec: TTML1, 6.2.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    frame_rate: Option<u64>,
    /// Numerator and denominator.
    multiplier: (u64, u64),
    sub_frame_rate: u64,
    tick_rate: Option<u64>,
    is_smpte: bool,
    drop: Drop,
}

/// Frame numbers that a time code leaves out.
///
/// Spec: TTML1, 6.2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drop {
    None,
    Ntsc,
    Pal,
}

/// Digits of a fraction that count; the rest is less than a nanosecond.
const FRACTION_DIGITS: usize = 9;

impl Default for Clock {
    fn default() -> Self {
        Self {
            frame_rate: None,
            multiplier: (1, 1),
            sub_frame_rate: 1,
            tick_rate: None,
            is_smpte: false,
            drop: Drop::None,
        }
    }
}

impl Clock {
    /// Sets a parameter by its local name; returns `None` if the value is unusable. Other parameters
    /// are ignored.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let value = value.trim();
        match name {
            "frameRate" => self.frame_rate = Some(positive(value)?),
            "subFrameRate" => self.sub_frame_rate = positive(value)?,
            "tickRate" => self.tick_rate = Some(positive(value)?),
            "frameRateMultiplier" => {
                // The drafts of 2006 have a colon.
                let (numerator, denominator) =
                    value.split_once([' ', '\t', '\n', '\r', ':']).unwrap_or((value, "1"));
                self.multiplier = (positive(numerator)?, positive(denominator.trim())?);
            }
            "timeBase" => match value {
                "media" => self.is_smpte = false,
                "smpte" => self.is_smpte = true,
                // Times of a clock on a wall have no place on the timeline of a presentation.
                _ => return None,
            },
            "dropMode" => {
                self.drop = match value {
                    "dropNTSC" => Drop::Ntsc,
                    "dropPAL" => Drop::Pal,
                    _ => Drop::None,
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Reads a clock time or an offset; `None` if it is neither, or too large.
    ///
    /// Spec: TTML1, 10.3.1.
    pub(super) fn read(&self, expression: &str) -> Option<Seconds> {
        let expression = expression.trim();
        match expression.split_once(':') {
            Some((hours, rest)) => self.clock_time(number(hours)?, rest),
            None => self.offset(expression),
        }
    }

    /// `hh:mm:ss`, `hh:mm:ss.fraction`, `hh:mm:ss:frames` or `hh:mm:ss:frames.sub-frames`.
    fn clock_time(&self, hours: u64, rest: &str) -> Option<Seconds> {
        let mut parts = rest.splitn(3, ':');
        let minutes = number(parts.next()?)?;
        let (seconds, frames) = (parts.next()?, parts.next());
        if minutes > 59 || hours > u64::from(u32::MAX) {
            return None;
        }
        let whole = hours * 3600 + minutes * 60;
        let Some(frames) = frames else {
            let (seconds, fraction) = decimal(seconds)?;
            if seconds > 60 {
                return None;
            }
            return Seconds::new(u128::from(whole + seconds), 1)?.plus(fraction);
        };
        let seconds = number(seconds).filter(|&seconds| seconds <= 60)?;
        let (frames, sub_frames) = match frames.split_once('.') {
            Some((frames, sub_frames)) => (number(frames)?, number(sub_frames)?),
            None => (number(frames)?, 0),
        };
        let sub_frames = self.frames_and_sub_frames(frames, sub_frames)?;
        if !self.is_smpte {
            return Seconds::new(u128::from(whole + seconds), 1)?.plus(sub_frames);
        }
        // A time code counts frames at their nominal rate.
        let dropped = match self.drop {
            Drop::None => 0,
            Drop::Ntsc => (hours * 54 + minutes - minutes / 10) * 2,
            Drop::Pal => (hours * 27 + minutes / 2 - minutes / 20) * 4,
        };
        let counted = u128::from(whole + seconds) * u128::from(self.frame_rate.unwrap_or(30));
        let counted = counted.saturating_sub(dropped.into());
        self.frames(counted, 1)?.plus(sub_frames)
    }

    /// A decimal number and one of the metrics `h`, `m`, `s`, `ms`, `f` and `t`.
    fn offset(&self, expression: &str) -> Option<Seconds> {
        let metric = expression.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, metric) = expression.split_at(metric);
        let (whole, fraction) = decimal(number)?;
        let (ticks, per_second) = match metric {
            "h" => (3600, 1),
            "m" => (60, 1),
            "s" => (1, 1),
            "ms" => (1, 1000),
            "f" => {
                let (rate, divisor) = self.effective_frame_rate()?;
                (divisor, rate)
            }
            "t" => self.seconds_per_tick()?,
            _ => return None,
        };
        let (ticks, per_second) = (u128::from(ticks), u128::from(per_second));
        let whole = Seconds::new(u128::from(whole).checked_mul(ticks)?, per_second)?;
        whole.plus(fraction.times(ticks, per_second)?)
    }

    fn frames_and_sub_frames(&self, frames: u64, sub_frames: u64) -> Option<Seconds> {
        let sub_frames = self.frames(sub_frames.into(), self.sub_frame_rate)?;
        self.frames(frames.into(), 1)?.plus(sub_frames)
    }

    /// Returns the time that `count / parts` frames take.
    fn frames(&self, count: u128, parts: u64) -> Option<Seconds> {
        let (rate, divisor) = self.effective_frame_rate()?;
        let rate = u128::from(rate) * u128::from(parts);
        Seconds::new(count.checked_mul(divisor.into())?, rate)
    }

    /// Returns frames per second as numerator and denominator.
    fn effective_frame_rate(&self) -> Option<(u64, u64)> {
        let (numerator, denominator) = self.multiplier;
        Some((self.frame_rate.unwrap_or(30).checked_mul(numerator)?, denominator))
    }

    fn seconds_per_tick(&self) -> Option<(u64, u64)> {
        match (self.tick_rate, self.frame_rate) {
            (Some(rate), _) => Some((1, rate)),
            (None, None) => Some((1, 1)),
            (None, Some(_)) => {
                let (rate, divisor) = self.effective_frame_rate()?;
                Some((divisor, rate.checked_mul(self.sub_frame_rate)?))
            }
        }
    }
}

/// Reads a number of at most 18 digits.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.len() <= 18;
    (is_number && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn positive(digits: &str) -> Option<u64> {
    number(digits).filter(|&value| value > 0 && value <= u64::from(u32::MAX))
}

/// Reads a decimal number as its whole part and its fraction.
fn decimal(text: &str) -> Option<(u64, Seconds)> {
    let Some((whole, fraction)) = text.split_once('.') else {
        return Some((number(text)?, Seconds::ZERO));
    };
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(FRACTION_DIGITS)];
    // At most nine digits: the power fits.
    let fraction = Seconds::new(number(kept)?.into(), 10_u128.pow(kept.len() as u32))?;
    Some((number(whole)?, fraction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timescale;

    fn clock(parameters: &[(&str, &str)]) -> Clock {
        let mut clock = Clock::default();
        for (name, value) in parameters {
            clock.set(name, value).unwrap();
        }
        clock
    }

    fn ticks(clock: &Clock, expression: &str) -> Option<u64> {
        clock.read(expression)?.to_ticks(Timescale::SMOOTH)
    }

    #[test]
    fn times_without_parameters_are_read() {
        let clock = clock(&[]);
        for (expression, expected) in [
            ("00:00:01", 10_000_000),
            ("00:00:01.5", 15_000_000),
            ("00:00:01.1234567", 11_234_567),
            ("00:00:01.12345678901234567890", 11_234_568),
            ("1:00:00", 36_000_000_000),
            ("100:00:00.000", 3_600_000_000_000),
            ("00:00:00:15", 5_000_000),
            ("1h", 36_000_000_000),
            ("1.5m", 900_000_000),
            (" 3s ", 30_000_000),
            ("3.25s", 32_500_000),
            ("250ms", 2_500_000),
            ("0.5ms", 5_000),
            ("15f", 5_000_000),
            ("2t", 20_000_000),
            ("00:00:60", 600_000_000),
        ] {
            assert_eq!(ticks(&clock, expression), Some(expected), "{expression}");
        }
    }

    #[test]
    fn frames_and_ticks_follow_the_parameters() {
        let ntsc = [("frameRate", "30"), ("frameRateMultiplier", "1000 1001")];
        let ntsc = clock(&ntsc);
        assert_eq!(ticks(&ntsc, "00:00:01:15"), Some(15_005_000));
        assert_eq!(ticks(&ntsc, "30f"), Some(10_010_000));
        assert_eq!(ticks(&ntsc, "30t"), Some(10_010_000));
        let sub = clock(&[("frameRate", "25"), ("subFrameRate", "4"), ("tickRate", "1000")]);
        assert_eq!(ticks(&sub, "00:00:00:10.2"), Some(4_200_000));
        assert_eq!(ticks(&sub, "1500t"), Some(15_000_000));
        let old = clock(&[("frameRate", "24"), ("frameRateMultiplier", "1000:1001")]);
        assert_eq!(ticks(&old, "24f"), Some(10_010_000));
        let smooth = clock(&[("tickRate", "10000000")]);
        assert_eq!(ticks(&smooth, "123456789t"), Some(123_456_789));
    }

    #[test]
    fn a_time_code_counts_frames_and_those_that_it_drops() {
        let mut parameters = vec![
            ("timeBase", "smpte"),
            ("frameRate", "30"),
            ("frameRateMultiplier", "1000 1001"),
            ("dropMode", "dropNTSC"),
        ];
        let drop = clock(&parameters);
        // An hour of drop-frame time code is an hour less 3.6 ms.
        assert_eq!(ticks(&drop, "01:00:00:00"), Some(35_999_964_000));
        assert_eq!(ticks(&drop, "00:01:00:02"), Some(600_600_000));
        parameters.truncate(3);
        assert_eq!(ticks(&clock(&parameters), "01:00:00:00"), Some(36_036_000_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let clock = clock(&[]);
        for expression in [
            "",
            "1",
            "1.5",
            "s",
            ".5s",
            "1.s",
            "-1s",
            "+1s",
            "1:2",
            "1:2:",
            "00:60:00",
            "00:00:61",
            "00:00:01.",
            "00:00:01:",
            "00:00:01:1.",
            "00:00:01.5:1",
            "a:00:00",
            "1d",
            "1 s",
            "wallclock(2006-01-01)",
            "99999999999999999999s",
            "999999999999999999h",
            "1:0:0:0:0",
            "١s",
        ] {
            assert!(ticks(&clock, expression).is_none(), "{expression}");
        }
    }

    #[test]
    fn unusable_parameters_are_reported() {
        for (name, value) in [
            ("frameRate", "0"),
            ("frameRate", "25.5"),
            ("tickRate", ""),
            ("tickRate", "99999999999"),
            ("frameRateMultiplier", "1000 0"),
            ("subFrameRate", "-1"),
            ("timeBase", "clock"),
        ] {
            assert!(Clock::default().set(name, value).is_none(), "{name} {value}");
        }
        assert!(Clock::default().set("profile", "x").is_some());
    }
}
