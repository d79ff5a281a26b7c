//! The end of an event, and of its encoders.

use super::Broadcast;
use crate::base::Error;
use crate::live::{Moment, NoticeKind};

impl Broadcast {
    /// A push has ended. `is_lost` if its connection broke.
    pub(in crate::live) fn push_ended(&mut self, feed: usize, is_lost: bool) {
        let of = &mut self.feeds[feed];
        of.open = of.open.saturating_sub(1);
        if is_lost && of.open == 0 && !of.has_ended {
            of.is_lost = true;
            if !of.tracks.is_empty() {
                self.notice(Some(feed), None, NoticeKind::EncoderWent { has_ended: false });
            }
        }
    }

    /// An encoder has said that nothing follows.
    pub(in crate::live) fn stream_ended(&mut self, feed: usize) {
        if !std::mem::replace(&mut self.feeds[feed].has_ended, true) {
            self.notice(Some(feed), None, NoticeKind::EncoderWent { has_ended: true });
        }
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

    /// Returns true if all tracks have ended: each has an encoder that said so, and none goes on. An event
    /// without fragments has not begun.
    pub(in crate::live) fn has_ended(&self, now: Moment) -> bool {
        let silence = self.options.silence;
        let is_active = self.feeds.iter().any(|feed| feed.is_active(now.monotonic, silence));
        let mut lines = (0..self.lines.len()).filter(|&line| {
            !self.streams[self.lines[line].stream].is_sparse || self.lines.len() == 1
        });
        let has_ended = |line: usize| {
            let mut feeds = self.feeds.iter().filter(|of| of.track_of_line(line).is_some());
            feeds.any(|feed| feed.has_ended)
        };
        !is_active
            && self.feeds.iter().any(|feed| feed.sent.is_some())
            && self.feeds.iter().any(|feed| feed.has_ended)
            && self.missing().is_empty()
            && lines.all(has_ended)
    }

    /// Publishes what is held, and makes the presentation a film.
    pub(in crate::live) fn finish(&mut self, now: Moment) {
        self.is_ending = true;
        self.advance(now);
        self.publish_film(now);
    }
}
