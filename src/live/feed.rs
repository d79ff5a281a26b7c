//! One encoder of one pushed stream: its tracks, its clock, and whether it still sends.

use std::sync::Arc;

use super::PushId;
use super::intake::HeaderTrack;
use super::line::Line;
use super::moment::Duration;
use super::tally::Tally;
use crate::bmff::Trex;
use crate::manifest::StreamKind;

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
    /// Ticks by which they were moved before, the last ones first.
    pub(super) shifts_before: Vec<i64>,
    /// True if its first fragments came faster than their clock, with times that the event has had: a recording. `None`
    /// before that is known.
    pub(super) is_recorded: Option<bool>,
    /// Its clock is another one, and another encoder pushes the same tracks: nothing of it is used.
    pub(super) is_standby: bool,
    /// The push in which this was reported.
    pub(super) told: Option<PushId>,
    /// It said that nothing follows.
    pub(super) has_ended: bool,
    /// It said so to a process before this one, and has not come since.
    pub(super) ended_before: bool,
    /// Its connection was lost.
    pub(super) is_lost: bool,
    /// It came again after its connection was lost, and has sent no fragment since.
    pub(super) has_returned: bool,
    /// It has sent the same again and again, with times that begin anew.
    pub(super) loops: bool,
    /// It stands for the encoders of a process before this one.
    pub(super) is_restored: bool,
    /// Pushes that run.
    pub(super) open: usize,
    pub(super) pushes: u64,
    /// The last time at which it sent a header or a fragment.
    pub(super) heard: Option<Duration>,
    /// The last time at which it sent a fragment.
    pub(super) sent: Option<Duration>,
    /// The last time at which one of its pushes ended.
    pub(super) left: Option<Duration>,
    pub(super) bytes: u64,
    pub(super) refused: Tally,
    /// Messages (`emsg`) that were passed over.
    pub(super) events: Tally,
    rate: Rate,
}

/// A track, as an encoder pushes it.
#[derive(Debug)]
pub(super) struct FeedTrack {
    pub(super) track_id: u32,
    /// The defaults of its header, which its fragments may leave out.
    pub(super) defaults: Option<Trex>,
    /// The track of the event; `None` if it is refused.
    pub(super) line: Option<usize>,
    /// The track of the event that has the codec data of another encoder: this one feeds it when the other
    /// one is gone for good, and nothing of it was published.
    pub(super) waits_for: Option<usize>,
    /// The track in its header; `None` once the track of the event is published.
    pub(super) header: Option<Arc<HeaderTrack>>,
    /// Ticks that are added because a counter of 32 bits began anew.
    pub(super) turned: i64,
    /// Start of the newest fragment that came, by the event's clock.
    pub(super) newest: Option<i64>,
    /// Its end.
    pub(super) newest_end: Option<i64>,
    /// Where a fragment without a time begins, by the event's clock: the end of the one before.
    pub(super) next: Option<i64>,
    /// The push that sent the newest one that was new.
    pub(super) push: Option<PushId>,
    /// The arrival and the start of the first fragment of that push.
    pub(super) since: Option<(Duration, i64)>,
    /// Each of its fragments comes in a request of its own.
    pub(super) is_apart: bool,
    /// Its fragments of late are far behind what the track has.
    pub(super) repeats: Option<Repeats>,
    pub(super) duplicates: Tally,
    pub(super) late: Tally,
    pub(super) misaligned: Tally,
    pub(super) dropped: Tally,
}

/// Fragments that an encoder sends though the track has long had them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeats {
    /// The arrival of the first one, and its start.
    pub(super) since: Duration,
    pub(super) from: i64,
    /// The latest start.
    pub(super) until: i64,
}

impl FeedTrack {
    pub(super) fn new(track_id: u32, line: Option<usize>) -> Self {
        Self {
            track_id,
            defaults: None,
            line,
            waits_for: None,
            header: None,
            turned: 0,
            newest: None,
            newest_end: None,
            next: None,
            push: None,
            since: None,
            is_apart: false,
            repeats: None,
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
            shifts_before: Vec::new(),
            is_recorded: None,
            is_standby: false,
            told: None,
            has_ended: false,
            ended_before: false,
            is_lost: false,
            has_returned: false,
            loops: false,
            is_restored: false,
            open: 0,
            pushes: 0,
            heard: None,
            sent: None,
            left: None,
            bytes: 0,
            refused: Tally::default(),
            events: Tally::default(),
            rate: Rate::default(),
        }
    }

    /// The encoders that pushed before this process began: they may come again.
    pub(super) fn before_the_restart(now: Duration) -> Self {
        Self {
            is_restored: true,
            is_lost: true,
            heard: Some(now),
            ..Self::new("", "before the restart")
        }
    }

    /// Returns true if the event waits for it: it has not said that nothing follows, and it is connected, or was
    /// until `wait` ago. One that is connected and silent counts for [`OPEN`] times as long, at least since `end`.
    pub(super) fn may_go_on(&self, now: Duration, wait: Duration, end: Option<Duration>) -> bool {
        let is_of_late = |since: Option<Duration>, wait: Duration| {
            since.is_some_and(|since| now.saturating_sub(since) <= wait)
        };
        let last = self.heard.max(self.left);
        let is_waited_for = is_of_late(last, wait)
            || (self.open > 0 && is_of_late(last.max(end), wait.saturating_mul(OPEN)));
        is_waited_for && !self.has_ended
    }

    /// Returns true if it may send more fragments that are used.
    pub(super) fn is_active(&self, now: Duration, silence: Duration) -> bool {
        let is_heard = self.heard.is_some_and(|heard| now.saturating_sub(heard) <= silence);
        is_heard && !self.has_ended && !self.is_lost && !self.is_standby
    }

    /// Returns true if its connection was lost no longer ago.
    pub(super) fn may_come_again(&self, now: Duration, wait: Duration) -> bool {
        let last = self.heard.max(self.left);
        let is_of_late = last.is_some_and(|last| now.saturating_sub(last) <= wait);
        is_of_late && self.is_lost && !self.has_ended && !self.is_standby
    }

    /// Returns the number of its track that feeds this track of the event.
    pub(super) fn track_of_line(&self, line: usize) -> Option<&FeedTrack> {
        self.tracks.iter().find(|track| track.line == Some(line))
    }

    /// Returns true if it pushes pictures or sound, whose fragments come when their time is live.
    pub(super) fn is_of_clock(&self, lines: &[Line]) -> bool {
        let mut kinds = self.tracks.iter().filter_map(|of| Some(lines[of.line?].key.kind));
        kinds.any(|kind| kind != StreamKind::Text)
    }

    /// Returns true if it sends the fragments of a track of the event in requests of their own, which may overtake each
    /// other.
    pub(super) fn sends_apart(&self, line: usize) -> bool {
        self.track_of_line(line).is_some_and(|track| track.is_apart)
    }

    /// Counts a fragment.
    pub(super) fn count(&mut self, bytes: u64, now: Duration) {
        self.bytes += bytes;
        (self.heard, self.sent) = (Some(now), Some(now));
        self.has_returned = false;
        self.rate.count(bytes, now);
    }

    /// Returns the bits per second of late.
    pub(super) fn bits_per_second(&self, now: Duration) -> u64 {
        self.rate.bits_per_second(now)
    }

    /// Times are moved by so many ticks of 100 ns from now on.
    pub(super) fn shift_to(&mut self, shift: i64) {
        let before = std::mem::replace(&mut self.shift, shift);
        self.shifts_before.retain(|of| ![before, shift].contains(of));
        if before != shift {
            self.shifts_before.insert(0, before);
            self.shifts_before.truncate(SHIFTS);
        }
        (self.is_standby, self.is_recorded) = (false, Some(false));
        for track in &mut self.tracks {
            (track.turned, track.newest, track.newest_end) = (0, None, None);
            (track.repeats, track.next, track.since) = (None, None, None);
        }
    }
}

/// Shifts of before that are remembered.
const SHIFTS: usize = 4;

/// An encoder that is connected and silent is waited for so many times as long as one that was lost.
const OPEN: u32 = 10;

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
