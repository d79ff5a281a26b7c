//! Chunks that are due wait for the qualities of their stream that may still bring them.

use super::Broadcast;
use crate::live::Moment;
use crate::live::clock::{from_smooth, smooth_ticks};
use crate::live::feed::Feed;
use crate::live::moment::Duration;
use crate::live::schedule::Chunk;

impl Broadcast {
    /// Returns true if a chunk that is due is not published yet, because a quality lacks it and may still bring it. It
    /// waits no longer than `gap_wait` since it became due. Sparse streams wait for nothing.
    pub(super) fn waits_for_quality(&self, stream: usize, chunk: Chunk, now: Moment) -> bool {
        let of = &self.streams[stream];
        let is_short = self.held_bytes > self.options.held_bytes / 2;
        if of.is_sparse || self.is_ending || is_short {
            return false;
        }
        let is_over = |since: Duration| now.since(since) >= self.options.gap_wait;
        !self.due_since(stream, chunk).is_none_or(is_over)
            && of.lines.iter().any(|&line| self.may_bring(line, chunk, now))
    }

    /// Returns when the last of the chunks that a chunk announces arrived.
    fn due_since(&self, stream: usize, chunk: Chunk) -> Option<Duration> {
        let of = &self.streams[stream];
        let following = of.schedule.following(chunk.time, self.options.look_ahead as usize);
        let last = following.last().map_or(chunk.time, |last| last.time);
        let lines = of.lines.iter().map(|&line| &self.lines[line]);
        let arrived = lines
            .filter_map(|line| line.held().find(|held| held.time == last))
            .map(|of| of.arrived);
        arrived.min()
    }

    /// Returns true if a quality lacks a chunk, and has it in order, or an encoder of it may still send it. Nothing
    /// waits for a quality of which no fragment has come.
    fn may_bring(&self, line: usize, chunk: Chunk, now: Moment) -> bool {
        let of = &self.lines[line];
        let jitter = of.jitter();
        let has_gone_on = of.end().is_some_and(|end| end > chunk.time + jitter);
        if of.is_refused || has_gone_on {
            return false;
        }
        if of.end().is_none() {
            return of.first_waiting().is_some_and(|first| first.time <= chunk.time + jitter);
        }
        // What overtook it waits in order. An encoder may go on without one of its qualities.
        let silence = from_smooth(smooth_ticks(self.options.silence), of.timescale);
        let before = chunk.time.saturating_sub(chunk.end.saturating_sub(chunk.time));
        let late = before.saturating_sub(silence)..chunk.time - jitter;
        let is_short = |end: i64| end <= chunk.time + jitter;
        let may_send = |feed: &Feed| {
            if feed.is_restored {
                // It stands for any encoder that pushed before a restart.
                return of.end().is_some_and(|end| end >= late.start);
            }
            // A fragment that is longer than the chunks has what they have.
            let track = feed.track_of_line(line);
            track.is_some_and(|track| {
                track.newest.is_some_and(|newest| late.contains(&newest))
                    && track.newest_end.is_none_or(is_short)
            })
        };
        of.waiting() > 0
            || self.feeds.iter().any(|feed| self.is_expected(feed, now) && may_send(feed))
    }

    /// Returns true if an encoder sends, or was lost a moment ago and may come again.
    pub(super) fn is_expected(&self, feed: &Feed, now: Moment) -> bool {
        feed.is_active(now.monotonic, self.options.silence)
            || feed.may_come_again(now.monotonic, self.options.gap_wait)
    }
}
