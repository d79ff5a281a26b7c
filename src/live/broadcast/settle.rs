//! The choice of the next fragment of each track: no gap is left that somebody may still fill, and nothing overlaps.

use super::Broadcast;
use crate::live::clock::{duration_of, smooth_ticks, to_smooth};
use crate::live::feed::{Feed, FeedTrack};
use crate::live::held::Held;
use crate::live::schedule::{Chunk, Place};
use crate::live::{Moment, NoticeKind, PointOptions};

impl Broadcast {
    /// Begins to publish if all streams have come, or if the wait for them is over.
    pub(super) fn start(&mut self, now: Moment) -> bool {
        let look_ahead = self.options.look_ahead as usize;
        let lines = || {
            let of_clock = |&line: &usize| !self.streams[self.lines[line].stream].is_sparse;
            (0..self.lines.len()).filter(of_clock)
        };
        let is_ready = |line: usize| {
            let waiting = self.lines[line].waiting();
            waiting > look_ahead || !self.is_fed(line, now)
        };
        let may = |line: usize| self.lines[line].waiting() > 0 && is_ready(line);
        let began = self.began.unwrap_or(now.monotonic);
        let is_over = now.since(began) >= self.options.start_wait || self.is_short();
        let are_all_here = self.missing().is_empty() && lines().all(is_ready);
        let starts = (lines().any(may) && (are_all_here || is_over))
            || (self.is_ending && (0..self.lines.len()).any(|line| self.lines[line].waiting() > 0));
        if !starts {
            return false;
        }
        let streams = self.missing();
        if !streams.is_empty() {
            self.notice(None, None, NoticeKind::StreamsMissing { streams });
        }
        self.is_started = true;
        true
    }

    /// Settles fragments that wait, in the order of their times.
    pub(super) fn settle(&mut self, now: Moment) {
        for stream in 0..self.streams.len() {
            while !self.streams[stream].is_sparse && self.settle_one(stream, now) {}
        }
    }

    /// Settles captions and commands that are visible, in the order of their times.
    pub(super) fn settle_sparse(&mut self, now: Moment) {
        for stream in 0..self.streams.len() {
            while self.streams[stream].is_sparse && self.settle_one(stream, now) {}
        }
    }

    /// Settles or drops the first fragment of a stream that can be. Returns false if there is none.
    fn settle_one(&mut self, stream: usize, now: Moment) -> bool {
        let mut lines: Vec<_> = self.streams[stream].lines.clone();
        let time = |line: &usize| self.lines[*line].first_waiting().map(|first| first.time);
        lines.retain(|line| time(line).is_some());
        lines.sort_by_key(time);
        lines.into_iter().any(|line| self.settle_line(stream, line, now))
    }

    /// Settles or drops the first fragment of a track that waits. Returns false if it waits on.
    fn settle_line(&mut self, stream: usize, line: usize, now: Moment) -> bool {
        let of = &self.lines[line];
        let Some(first) = of.first_waiting() else { return false };
        let (jitter, is_sparse) = (of.jitter(), self.streams[stream].is_sparse);
        if self.is_behind_the_end(stream, first.time)
            || self.is_too_far_ahead(line, first.time, now)
        {
            let why = "it begins where no picture or sound will be";
            return self.drop_first(line, |of| {
                of.dropped.count().map(|count| NoticeKind::Dropped { why, count })
            });
        }
        // Captions that come later may begin before it.
        if !self.is_visible(stream, first.time) {
            return false;
        }
        let place = self.streams[stream].schedule.place(first.time, jitter);
        let end = of.end().filter(|_| !is_sparse);
        let schedule = &self.streams[stream].schedule;
        let is_misaligned = match place {
            Place::Inside => true,
            Place::Chunk(of) if !is_sparse => {
                schedule.is_too_long(of.time, first.end(), jitter)
                    || schedule.is_too_short(of.time, first.end(), jitter)
            }
            _ => false,
        };
        if end.is_some_and(|end| first.time < end - jitter) || is_misaligned {
            let at = duration_of(first.time, of.timescale);
            return self.drop_first(line, |of| {
                of.misaligned.count().map(|count| NoticeKind::Misaligned { at, count })
            });
        }
        if place == Place::Late {
            let at = duration_of(first.time, of.timescale);
            return self.drop_first(line, |of| {
                of.late.count().map(|count| NoticeKind::OutOfOrder { at, count })
            });
        }
        let gap = end.filter(|end| first.time > end + jitter);
        let is_first =
            end.is_none() && !is_sparse && self.streams[stream].schedule.is_before(first.time);
        let is_behind_gap = gap.is_some()
            || place == Place::Next { is_behind_gap: true }
            || (is_first && self.feeds[first.feed].sends_apart(line));
        // A gap that is being filled in order is none, nor one that is still to come.
        let filled = match place {
            Place::Next { is_behind_gap: true } => of.settled_at().max(self.streams[stream].grew),
            _ => of.settled_at(),
        };
        let PointOptions { gap_wait, clock_tolerance, .. } = self.options;
        let since = filled.map_or(first.arrived, |filled| filled.max(first.arrived));
        let is_over = (now.since(since) >= gap_wait && !self.is_early(stream, line, first, now))
            || now.since(first.arrived) >= gap_wait.max(clock_tolerance)
            || self.is_ending
            || self.held_bytes > self.options.held_bytes / 2;
        if is_behind_gap && !is_over && self.may_be_filled(stream, line, first, now) {
            return false;
        }
        if let Some(from) = gap {
            let from = duration_of(from, of.timescale);
            let length = duration_of(first.time, of.timescale).saturating_sub(from);
            self.lines[line].counts.gaps += 1;
            self.notice(None, Some(line), NoticeKind::Gap { from, length });
        }
        let Some(mut held) = self.lines[line].take_waiting() else { return false };
        match place {
            Place::Chunk(chunk) if chunk.time != held.time => {
                held.duration += held.time - chunk.time;
                (held.time, held.is_moved) = (chunk.time, true);
            }
            Place::Chunk(_) => {}
            _ => {
                let schedule = &mut self.streams[stream].schedule;
                let overlap = schedule.overlap_at(held.time, jitter);
                // Within the jitter, nothing overlaps. A chunk that is held back becomes shorter; one that players know
                // stays, and the next one begins later.
                if let Some(end) = schedule.released_end()
                    && held.time < end
                {
                    let moved = end - held.time;
                    if held.duration > moved {
                        held.duration -= moved;
                        (held.time, held.is_moved) = (end, true);
                    }
                }
                let chunk = Chunk { time: held.time, end: held.end() };
                schedule.push(chunk, overlap);
                self.streams[stream].grew = Some(now.monotonic);
            }
        }
        self.lines[line].settle(held, now.monotonic);
        true
    }

    /// Drops the first fragment of a track that waits.
    fn drop_first(
        &mut self,
        line: usize,
        count: impl FnOnce(&mut FeedTrack) -> Option<NoticeKind>,
    ) -> bool {
        let Some(held) = self.lines[line].take_waiting() else { return false };
        self.unhold(line, &held);
        self.log_discarded(line, held.time..=held.time);
        self.count_dropped(line, held.feed, count);
        true
    }

    /// Counts a fragment that is dropped, and reports what is to be reported of it.
    pub(super) fn count_dropped(
        &mut self,
        line: usize,
        feed: usize,
        count: impl FnOnce(&mut FeedTrack) -> Option<NoticeKind>,
    ) {
        self.lines[line].counts.dropped += 1;
        let mut tracks = self.feeds[feed].tracks.iter_mut();
        let kind = tracks.find(|track| track.line == Some(line)).and_then(count);
        if let Some(kind) = kind {
            self.notice(Some(feed), Some(line), kind);
        }
    }

    /// Returns true if somebody may still send what is missing before a fragment.
    fn may_be_filled(&self, stream: usize, line: usize, first: &Held, now: Moment) -> bool {
        self.feeds.iter().any(|feed| self.may_fill(feed, stream, line, first, now))
    }

    /// Returns true if a fragment came before its time, and another encoder than its own may still send what is missing
    /// before it when that is live, however far both have drifted away from the host.
    fn is_early(&self, stream: usize, line: usize, first: &Held, now: Moment) -> bool {
        let live = to_smooth(first.time, self.lines[line].timescale);
        let due = live.saturating_add(smooth_ticks(self.options.gap_wait));
        let mut others = self.feeds.iter().enumerate().filter(|(at, _)| *at != first.feed);
        self.steady(now).is_some_and(|position| position < due)
            && others.any(|(_, feed)| self.may_fill(feed, stream, line, first, now))
    }

    /// Returns true if an encoder may still send what is missing before a fragment: one of its track,
    /// or of another track of its stream, that has sent nothing later, or sends each fragment in a request of its
    /// own: these overtake each other. An encoder whose connection was lost
    /// a moment ago may come again and send its last fragments again, and so may any that pushed before a restart.
    fn may_fill(&self, feed: &Feed, stream: usize, line: usize, first: &Held, now: Moment) -> bool {
        let own = feed.track_of_line(line).and_then(|track| track.newest);
        let is_behind = |newest: i64| newest <= first.time || feed.sends_apart(line);
        let others = || {
            let tracks = feed.tracks.iter().filter(|track| {
                track.line.is_some_and(|at| at != line && self.lines[at].stream == stream)
            });
            tracks.filter_map(|track| track.newest).any(|newest| newest < first.time)
        };
        self.is_expected(feed, now) && (feed.is_restored || own.is_some_and(is_behind) || others())
    }

    /// Returns true if an encoder pushes this track and has not ended, or if one that pushed before a restart may come
    /// again.
    fn is_fed(&self, line: usize, now: Moment) -> bool {
        let PointOptions { silence, gap_wait, .. } = self.options;
        self.feeds.iter().any(|feed| match feed.is_restored {
            true => feed.may_come_again(now.monotonic, gap_wait),
            false => feed.track_of_line(line).is_some() && feed.is_active(now.monotonic, silence),
        })
    }
}
