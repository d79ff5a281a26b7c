//! A longer fragment takes the place of a short one: the last one of an encoder that ended in the middle of a chunk must
//! not keep off the whole one of another encoder.

use super::Broadcast;
use super::times::Timed;
use crate::live::NoticeKind;
use crate::live::clock::duration_of;
use crate::live::held::Held;

impl Broadcast {
    /// Puts a fragment in the place of the last one of its track, which has the same time, ends earlier, and is not
    /// published: it is shorter than its chunk, or the last one of another encoder that has gone. Returns whether it is.
    pub(super) fn replaces_short(&mut self, timed: Timed, held: &Held) -> bool {
        let Timed { feed, line, .. } = timed;
        let of = &self.lines[line];
        let stream = &self.streams[of.stream];
        let (jitter, schedule) = (of.jitter(), &stream.schedule);
        let Some(known) = of.last_held().filter(|_| !stream.is_sparse) else { return false };
        let (time, end, owner) = (known.time, known.end(), known.feed);
        let is_longer = held.end() > end.saturating_add(jitter);
        let is_last = || schedule.at(time).is_none() || schedule.is_last(time);
        let is_left = || is_last() && self.is_left(owner, line);
        if owner == feed
            || time.abs_diff(held.time) > jitter.unsigned_abs()
            || !is_longer
            || of.is_refused
            || !(schedule.is_too_short(time, end, jitter) || is_left())
            || (!is_last() && schedule.is_too_long(time, held.end(), jitter))
        {
            return false;
        }
        let duration = held.end().saturating_sub(time);
        let is_moved = held.is_moved || held.time != time;
        let mut held = Held { time, duration, is_moved, ..held.clone() };
        if self.adopt(timed, &mut held).is_err() || !self.hold(line, &held) {
            return false;
        }
        let (end, bytes) = (held.end(), held.bytes.clone());
        if let Some(short) = self.lines[line].replace_last(held) {
            self.unhold(line, &short);
        }
        let stream = self.lines[line].stream;
        self.streams[stream].schedule.lengthen(time, end);
        self.log_discarded(line, time.saturating_sub(jitter)..=time.saturating_add(jitter));
        self.log_held(line, time, duration, bytes);
        self.lines[line].counts.duplicates += 1;
        let at = duration_of(time, self.lines[line].timescale);
        self.notice(Some(feed), Some(line), NoticeKind::GapFilled { at });
        true
    }

    /// Returns true if an encoder sends no more of a track: it has said so, or its connection has ended. One that sends each
    /// fragment in a request of its own has none in between.
    fn is_left(&self, feed: usize, line: usize) -> bool {
        self.feeds.get(feed).is_some_and(|feed| {
            if feed.is_restored {
                // That of all encoders of before.
                let mut before = self.fed_before.iter().filter(|(_, of)| *of == line).peekable();
                let has_ended = |encoder: &str| {
                    self.feeds.iter().any(|of| of.ended_before && &*of.encoder == encoder)
                };
                return before.peek().is_some() && before.all(|(encoder, _)| has_ended(encoder));
            }
            let has_gone = feed.open == 0 && !feed.sends_apart(line);
            feed.has_ended || has_gone
        })
    }
}
