//! One encoder of one pushed stream: its tracks, its clock, and whether it still sends.

use std::sync::Arc;

use super::PushId;
use super::moment::Duration;
use super::tally::Tally;

/// An encoder that pushes one stream. It outlives the pushes.
#[derive(Debug)]
pub(super) struct Feed {
    /// As the URL has it.
    pub(super) stream: Arc<str>,
    /// In lower case.
    pub(super) key: String,
    pub(super) encoder: Arc<str>,
    pub(super) tracks: Vec<FeedTrack>,
    /// Ticks of 100 ns by which its times are moved.
    pub(super) shift: i64,
    /// Its clock is another one, and another encoder pushes the same tracks: nothing of it is used.
    pub(super) is_standby: bool,
    /// The push in which this was reported.
    pub(super) told: Option<PushId>,
    /// It said that nothing follows.
    pub(super) has_ended: bool,
    /// Its connection was lost.
    pub(super) is_lost: bool,
    /// Pushes that run.
    pub(super) open: usize,
    pub(super) pushes: u64,
    /// The last time at which it sent a header or a fragment.
    pub(super) heard: Option<Duration>,
    /// The last time at which it sent a fragment.
    pub(super) sent: Option<Duration>,
    pub(super) bytes: u64,
    pub(super) refused: Tally,
    rate: Rate,
}

/// A track, as an encoder pushes it.
#[derive(Debug)]
pub(super) struct FeedTrack {
    pub(super) track_id: u32,
    /// The track of the event; `None` if it is refused.
    pub(super) line: Option<usize>,
    /// Ticks that are added because a counter of 32 bits began anew.
    pub(super) turned: i64,
    /// Start of the newest fragment that came, by the event's clock.
    pub(super) newest: Option<i64>,
    /// Its end.
    pub(super) newest_end: Option<i64>,
    /// The push that sent it.
    pub(super) push: Option<PushId>,
    pub(super) duplicates: Tally,
    pub(super) late: Tally,
    pub(super) misaligned: Tally,
    pub(super) dropped: Tally,
}

impl FeedTrack {
    pub(super) fn new(track_id: u32, line: Option<usize>) -> Self {
        Self {
            track_id,
            line,
            turned: 0,
            newest: None,
            newest_end: None,
            push: None,
            duplicates: Tally::default(),
            late: Tally::default(),
            misaligned: Tally::default(),
            dropped: Tally::default(),
        }
    }
}

impl Feed {
    pub(super) fn new(stream: &str, encoder: &str) -> Self {
        Self {
            stream: stream.into(),
            key: stream.to_lowercase(),
            encoder: encoder.into(),
            tracks: Vec::new(),
            shift: 0,
            is_standby: false,
            told: None,
            has_ended: false,
            is_lost: false,
            open: 0,
            pushes: 0,
            heard: None,
            sent: None,
            bytes: 0,
            refused: Tally::default(),
            rate: Rate::default(),
        }
    }

    /// Returns true if it may send more fragments that are used.
    pub(super) fn is_active(&self, now: Duration, silence: Duration) -> bool {
        let is_heard = self.heard.is_some_and(|heard| now.saturating_sub(heard) <= silence);
        is_heard && !self.has_ended && !self.is_lost && !self.is_standby
    }

    /// Returns true if its connection was lost no longer ago.
    pub(super) fn may_come_again(&self, now: Duration, wait: Duration) -> bool {
        let is_heard = self.heard.is_some_and(|heard| now.saturating_sub(heard) <= wait);
        is_heard && self.is_lost && !self.has_ended && !self.is_standby
    }

    /// Returns the number of its track that feeds this track of the event.
    pub(super) fn track_of_line(&self, line: usize) -> Option<&FeedTrack> {
        self.tracks.iter().find(|track| track.line == Some(line))
    }

    /// Counts a fragment.
    pub(super) fn count(&mut self, bytes: u64, now: Duration) {
        self.bytes += bytes;
        (self.heard, self.sent) = (Some(now), Some(now));
        self.rate.count(bytes, now);
    }

    /// Returns the bits per second of late.
    pub(super) fn bits_per_second(&self, now: Duration) -> u64 {
        self.rate.bits_per_second(now)
    }

    /// Times are moved by so many ticks of 100 ns from now on.
    pub(super) fn shift_to(&mut self, shift: i64) {
        self.shift = shift;
        self.is_standby = false;
        for track in &mut self.tracks {
            (track.turned, track.newest, track.newest_end) = (0, None, None);
        }
    }
}

/// Bytes of the last two periods. Those of a fragment came in the time before it was whole.
#[derive(Debug, Default)]
struct Rate {
    /// The begin of the period; `None` before the first fragment.
    begin: Option<Duration>,
    bytes: u64,
    /// Bytes of the period before, and its length.
    before: Option<(u64, Duration)>,
}

const PERIOD: Duration = Duration::from_secs(10);

impl Rate {
    fn count(&mut self, bytes: u64, now: Duration) {
        // How long the first one took is not known.
        let Some(begin) = self.begin else {
            self.begin = Some(now);
            return;
        };
        self.bytes += bytes;
        let passed = now.saturating_sub(begin);
        if passed >= PERIOD {
            self.before = (passed < PERIOD * 2).then_some((self.bytes, passed));
            (self.begin, self.bytes) = (Some(now), 0);
        }
    }

    fn bits_per_second(&self, now: Duration) -> u64 {
        let passed = self.begin.map_or(Duration::MAX, |begin| now.saturating_sub(begin));
        if passed >= PERIOD * 2 {
            return 0;
        }
        let (bytes, time) = match self.before {
            Some((before, length)) => (before + self.bytes, passed + length),
            None => (self.bytes, passed.max(Duration::from_secs(1))),
        };
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
        bytes.saturating_mul(8000) / millis
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut rate = Rate::default();
        let at = |second: u64| Duration::from_secs(second);
        for second in 0..40 {
            rate.count(if second < 20 { 1000 } else { 2000 }, at(second));
        }
        assert_eq!(rate.bits_per_second(at(39)), 16_000);
        assert_eq!(rate.bits_per_second(at(60)), 0);
    }
}
