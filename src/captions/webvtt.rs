//! A WebVTT segment.

use std::fmt::Write;

use super::cue::Cue;
use crate::base::{Error, Limits, Timescale};

/// Ticks per second of an MPEG-2 timestamp.
const MPEG: Timescale = Timescale::new(90_000).unwrap();

const MILLISECONDS: Timescale = Timescale::new(1000).unwrap();

/// The form in which the text of a segment is written.
///
/// Times are those of the presentation, in hours, minutes, seconds and milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebVttSegment {
    /// Timescale of the cues.
    pub timescale: Timescale,
    /// The header `X-TIMESTAMP-MAP`, if the segment has one.
    pub map: Option<TimestampMap>,
    /// `true` if a cue has the times of the whole cue in every segment in which it appears, as HLS
    /// demands (RFC 8216, 3.5); `false` if it is clipped to the segment.
    pub has_whole_times: bool,
}

/// The header `X-TIMESTAMP-MAP` of a WebVTT segment: two names of one time.
///
/// Spec: RFC 8216, 3.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimestampMap {
    /// The MPEG-2 timestamp: units of 1/90,000 s, modulo 2^33.
    pub mpegts: u64,
    /// The time of the cues that it stands for, in milliseconds.
    pub local_ms: u64,
}

impl TimestampMap {
    /// Returns the header for a time on the timeline of the presentation, such as the start of the
    /// segment. The timestamps of the media count from the start of the presentation too.
    ///
    /// `LOCAL` has milliseconds: both values name the last whole one.
    ///
    /// ```
    /// use smooth_origin::base::Timescale;
    /// use smooth_origin::captions::TimestampMap;
    ///
    /// let day = TimestampMap::at(27 * 3600 * 10_000_000, Timescale::SMOOTH);
    /// assert_eq!(day.local_ms, 97_200_000);
    /// assert_eq!(day.mpegts, 97_200 * 90_000 - (1 << 33));
    /// ```
    pub fn at(ticks: u64, timescale: Timescale) -> Self {
        let local_ms = timescale.rescale_floor(ticks, MILLISECONDS).unwrap_or(u64::MAX);
        Self { mpegts: mpegts(local_ms, MILLISECONDS), local_ms }
    }
}

/// Returns a time as an MPEG-2 timestamp: rounded to 1/90,000 s, modulo 2^33.
fn mpegts(ticks: u64, timescale: Timescale) -> u64 {
    // The whole seconds are reduced first, so that no time is too large.
    let (seconds, rest) = (ticks / timescale.get(), ticks % timescale.get());
    let rest = timescale.rescale_round(rest, MPEG).unwrap_or(0);
    (seconds.wrapping_mul(MPEG.get()).wrapping_add(rest)) % (1 << 33)
}

impl WebVttSegment {
    /// Returns the form without a header and with cues clipped to the segment.
    pub fn new(timescale: Timescale) -> Self {
        Self { timescale, map: None, has_whole_times: false }
    }

    /// Sets the header.
    #[must_use]
    pub fn with_map(mut self, map: TimestampMap) -> Self {
        self.map = Some(map);
        self
    }

    /// Sets whether cues have the times of the whole cue.
    #[must_use]
    pub fn with_whole_times(mut self, has_whole_times: bool) -> Self {
        self.has_whole_times = has_whole_times;
        self
    }

    /// Writes the segment. Cues that are shorter than a millisecond are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) if the text exceeds
    /// [`Limits::caption_bytes`].
    pub fn write(&self, cues: &[Cue], limits: &Limits) -> Result<String, Error> {
        let mut text = String::from("WEBVTT\n");
        if let Some(TimestampMap { mpegts, local_ms }) = self.map {
            put(&mut text, format_args!("X-TIMESTAMP-MAP=MPEGTS:{mpegts},LOCAL:"));
            time(&mut text, local_ms);
            text.push('\n');
        }
        text.push('\n');
        for cue in cues {
            let (start, end) = if self.has_whole_times {
                (cue.whole_start, cue.whole_end)
            } else {
                (cue.start, cue.end)
            };
            let ms = |ticks| self.timescale.rescale_round(ticks, MILLISECONDS).unwrap_or(u64::MAX);
            let (start, end) = (ms(start), ms(end));
            if start >= end {
                continue;
            }
            time(&mut text, start);
            text.push_str(" --> ");
            time(&mut text, end);
            if !cue.settings.is_default() {
                put(&mut text, format_args!(" {}", cue.settings));
            }
            text.extend(["\n", &cue.text, "\n\n"]);
            Limits::check("bytes of captions", text.len() as u64, limits.caption_bytes)?;
        }
        Ok(text)
    }
}

/// Hours have at least two digits (WebVTT, 4.1).
fn time(text: &mut String, ms: u64) {
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, ms) = (ms / 1000 % 60, ms % 1000);
    put(text, format_args!("{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"));
}

fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a `String` does not fail.
    let _ = text.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captions::cue::{CueSettings, Percent};

    fn cue(start: u64, end: u64, text: &str) -> Cue {
        let settings = CueSettings::default();
        Cue { start, end, whole_start: 5_000_000, whole_end: end, settings, text: text.into() }
    }

    #[test]
    fn mpeg_timestamps_are_rounded_and_reduced() {
        let scale = Timescale::SMOOTH;
        assert_eq!(mpegts(0, scale), 0);
        assert_eq!(mpegts(56, scale), 1);
        assert_eq!(mpegts(10_000_000, scale), 90_000);
        let wraps_at = (1_u64 << 33) * 1000 / 9;
        assert_eq!(mpegts(wraps_at + 112, scale), 1);
        // The start of a live stream that counts from 1970.
        assert_eq!(mpegts(17_640_000_000_000_000, scale), 1_764_000_000 * 90_000 % (1 << 33));
        let most = (u128::from(u64::MAX) * 90_000 % (1 << 33)) as u64;
        assert_eq!(mpegts(u64::MAX, Timescale::new(1).unwrap()), most);
    }

    #[test]
    fn a_segment_has_its_header_and_its_cues() {
        let mut first = cue(10_000_000, 15_004_999, "a\nb");
        first.settings.size = Some(Percent::from_hundredths(5000));
        let cues =
            [first, cue(15_003_000, 15_004_999, "too short"), cue(15_005_000, u64::MAX, "c")];
        let map = TimestampMap::at(10_009_999, Timescale::SMOOTH);
        let segment = WebVttSegment::new(Timescale::SMOOTH).with_map(map);
        let text = segment.write(&cues, &Limits::default()).unwrap();
        let expected = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:90000,LOCAL:00:00:01.000\n\n\
                        00:00:01.000 --> 00:00:01.500 size:50%\na\nb\n\n\
                        00:00:01.501 --> 512409557:36:10.955\nc\n\n";
        assert_eq!(text, expected);
        let whole = segment.with_whole_times(true).write(&cues[..1], &Limits::default()).unwrap();
        assert!(whole.contains("\n00:00:00.500 --> 00:00:01.500 size:50%\n"));
        assert_eq!(segment.write(&[], &Limits::default()).unwrap().lines().count(), 3);
    }

    #[test]
    fn a_segment_that_is_too_long_is_refused() {
        let limits = Limits { caption_bytes: 40, ..Limits::default() };
        let error = WebVttSegment::new(Timescale::SMOOTH).write(&[cue(0, 10_000, "abc")], &limits);
        assert!(error.unwrap_err().to_string().contains("budget of 40"));
    }
}
