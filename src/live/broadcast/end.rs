//! The end of an event, and of its encoders.

use std::sync::Arc;

use super::Broadcast;
use crate::base::Error;
use crate::live::feed::Feed;
use crate::live::moment::Duration;
use crate::live::{LiveEvent, Moment, NoticeKind};

impl Broadcast {
    /// A push has ended. `is_lost` if its connection broke.
    pub(in crate::live) fn push_ended(&mut self, feed: usize, is_lost: bool, now: Duration) {
        let of = &mut self.feeds[feed];
        of.open = of.open.saturating_sub(1);
        of.left = Some(now);
        if is_lost && of.open == 0 && !of.has_ended {
            of.is_lost = true;
            of.tracks.iter_mut().for_each(|track| track.next = None);
            if !of.tracks.is_empty() {
                self.notice(Some(feed), None, NoticeKind::EncoderWent { has_ended: false });
            }
        }
    }

    /// An encoder has said that nothing follows.
    pub(in crate::live) fn stream_ended(&mut self, feed: usize, now: Duration) {
        self.end_said = Some(now);
        if !std::mem::replace(&mut self.feeds[feed].has_ended, true) {
            if self.counts(&self.feeds[feed]) {
                self.log_end(feed);
            }
            self.notice(Some(feed), None, NoticeKind::EncoderWent { has_ended: true });
        }
    }

    /// An encoder sends: if it has said that nothing follows, it goes on.
    pub(super) fn goes_on(&mut self, feed: usize) {
        if std::mem::replace(&mut self.feeds[feed].has_ended, false) {
            self.feeds[feed].ended_before = false;
            self.log_end(feed);
        }
    }

    /// Reports whether an encoder has ended, so that the event ends after a restart as it would have ended without.
    fn log_end(&mut self, feed: usize) {
        let of = &self.feeds[feed];
        let (stream, encoder) = (Arc::clone(&of.stream), Arc::clone(&of.encoder));
        self.log.push(LiveEvent::Ended { stream, encoder, has_ended: of.has_ended });
    }

    /// The event began because this encoder began anew.
    pub(in crate::live) fn restarted(&mut self, feed: usize) {
        self.notice(Some(feed), None, NoticeKind::Restarted);
    }

    /// A part of a push cannot be used.
    pub(in crate::live) fn push_refused(&mut self, feed: usize, error: Error) {
        if let Some(count) = self.feeds[feed].refused.count() {
            self.notice(Some(feed), None, NoticeKind::Refused { error, count });
        }
    }

    /// Messages beside the fragments of a push (`emsg`) were passed over.
    pub(in crate::live) fn events_passed(&mut self, feed: usize, messages: u64) {
        let tally = &mut self.feeds[feed].events;
        if let Some(count) = (0..messages).filter_map(|_| tally.count()).last() {
            self.notice(Some(feed), None, NoticeKind::MessagesPassed { count });
        }
    }

    /// Returns true if the event has ended: an encoder said so, and no other one [may go
    /// on](Feed::may_go_on). An event without fragments has not begun. Captions neither end it nor keep it going,
    /// unless there is nothing else: an encoder of captions that is connected has [a moment](LAST_CAPTION) to bring the last ones.
    pub(in crate::live) fn has_ended(&self, now: Moment) -> bool {
        let wait = self.options.reconnect_wait;
        let may_go_on = |of: &&Feed| of.may_go_on(now.monotonic, wait, self.end_said);
        let began = self.began.unwrap_or(now.monotonic);
        let mut counted = self.feeds.iter().filter(|feed| self.counts(feed));
        let said_so = |feed: &Feed| feed.has_ended && (feed.ended_before || self.counts(feed));
        self.feeds.iter().any(|feed| feed.sent.is_some())
            && self.feeds.iter().any(said_so)
            && (self.missing().is_empty() || now.since(began) >= self.options.start_wait)
            && !counted.any(|feed| may_go_on(&feed))
            && !self.waits_for_captions(now)
    }

    /// Returns true if an encoder said a moment ago that nothing follows, and one of captions or commands alone is
    /// connected and has not said so.
    fn waits_for_captions(&self, now: Moment) -> bool {
        let is_open = |feed: &Feed| {
            let feeds_any = || feed.tracks.iter().any(|track| track.line.is_some());
            feed.open > 0 && !feed.has_ended && !feed.is_standby && feeds_any()
        };
        self.end_said.is_some_and(|end| now.since(end) < LAST_CAPTION)
            && self.feeds.iter().any(|feed| is_open(feed) && !self.counts(feed))
    }

    /// Returns true if the end of an event depends on an encoder.
    fn counts(&self, feed: &Feed) -> bool {
        let is_sparse = |line: usize| self.streams[self.lines[line].stream].is_sparse;
        if feed.is_restored {
            // Those that were there before have not all come again.
            let has_come = |line| self.feeds.iter().any(|of| of.track_of_line(line).is_some());
            let is_awaited = |(encoder, line): &(Arc<str>, usize)| {
                let mut own = self.feeds.iter().filter(|of| of.encoder == *encoder);
                let is_there = own.any(|of| of.ended_before || of.track_of_line(*line).is_some());
                !is_sparse(*line) && !is_there
            };
            return (0..self.lines.len()).any(|line| !is_sparse(line) && !has_come(line))
                || self.fed_before.iter().any(is_awaited);
        }
        let mut lines = feed.tracks.iter().filter_map(|track| track.line);
        let is_all_sparse = (0..self.lines.len()).all(is_sparse);
        lines.any(|line| is_all_sparse || !is_sparse(line))
    }

    /// Publishes what is held, and makes the presentation a film.
    pub(in crate::live) fn finish(&mut self, now: Moment) {
        self.is_ending = true;
        self.advance(now);
        self.publish_film(now);
    }
}

/// Captions that are sent in the same moment as the end of all other streams arrive within this time of it.
const LAST_CAPTION: Duration = Duration::from_secs(1);
