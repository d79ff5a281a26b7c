//! The time of a fragment by the clock of the event, whatever clock its encoder has.

use std::sync::Arc;

use super::Broadcast;
use crate::live::clock::{from_smooth, smooth_ticks, to_smooth, turns};
use crate::live::feed::{Feed, FeedTrack, Repeats};
use crate::live::held::Held;
use crate::live::intake::Arrived;
use crate::live::line::Meeting;
use crate::live::moment::Duration;
use crate::live::schedule::Place;
use crate::live::{LiveEvent, Moment, NoticeKind, PushId};
use crate::manifest::StreamKind;

/// The relation of the time of a fragment to the event.
pub(super) enum Reading {
    /// The time by the event's clock, in ticks of the track.
    At(i64),
    /// The clock of the encoder is another one, and nothing of it is used.
    Standby,
    /// The next fragment tells.
    Unsure,
    Restart,
}

/// The fragment whose time is read.
#[derive(Clone, Copy)]
pub(super) struct Timed {
    pub(super) feed: usize,
    pub(super) track: usize,
    pub(super) line: usize,
    pub(super) push: PushId,
    pub(super) time: i64,
    /// The fragment had 32 bits for its time.
    pub(super) is_short: bool,
    pub(super) duration: i64,
}

impl Broadcast {
    /// Reads the time of a fragment by the clock of the event.
    pub(super) fn read(&mut self, timed: Timed, now: Moment) -> Reading {
        let Timed { feed, track, line, time, .. } = timed;
        if self.lines[line].key.kind == StreamKind::Text {
            return self.read_text(timed, now);
        }
        if self.feeds[feed].is_standby {
            return self.read_standby(timed, now);
        }
        let timescale = self.lines[line].timescale;
        let of = &self.feeds[feed];
        let turned = time.saturating_add(of.tracks[track].turned);
        let own = turned.saturating_add(from_smooth(of.shift, timescale));
        if self.is_near(timed, own, now) {
            self.feeds[feed].is_recorded.get_or_insert(false);
            return Reading::At(own);
        }
        if let Some(at) = self.sent_before(timed, own, now) {
            return Reading::At(at);
        }
        // What the same encoder, or the others after a common restart, were moved by.
        let is_near = |&shift: &i64| {
            let at = time.saturating_add(from_smooth(shift, timescale));
            self.is_near(timed, at, now)
        };
        if let Some(shift) = self.other_shifts(feed).into_iter().find(is_near) {
            return self.move_by(timed, shift);
        }
        if self.is_of_the_past(timed, own, now) {
            match self.feeds[feed].is_recorded {
                Some(true) => return Reading::At(own),
                None => return Reading::Unsure,
                Some(false) => {}
            }
        }
        if self.may_have_turned(timed) {
            let newest = self.lines[line].newest_end();
            let expected = newest.or_else(|| Some(from_smooth(self.position(now)?, timescale)));
            let more = turns(own, expected.unwrap_or(0)).saturating_mul(1 << 32);
            let wrapped = own.saturating_add(more);
            if more > 0 && self.is_near(timed, wrapped, now) {
                self.feeds[feed].tracks[track].turned += more;
                self.notice(Some(feed), Some(line), NoticeKind::TimesWrapped);
                return Reading::At(wrapped);
            }
        }
        self.jump(timed, own, now)
    }

    /// Returns the time of a fragment that is older than the newest ones of its encoder: its counter of 32 bits had not
    /// begun anew then, or the track has it by what its times were moved by then. Encoders send fragments again.
    fn sent_before(&self, timed: Timed, own: i64, now: Moment) -> Option<i64> {
        let Timed { feed, track, line, time, is_short, .. } = timed;
        let of = &self.feeds[feed];
        let before_turn = own.saturating_sub(1 << 32);
        if is_short && of.tracks[track].turned > 0 && self.is_near(timed, before_turn, now) {
            return Some(before_turn);
        }
        let timescale = self.lines[line].timescale;
        let mut times =
            of.shifts_before.iter().map(|&of| time.saturating_add(from_smooth(of, timescale)));
        times.find(|&at| self.lines[line].has(at) && self.is_near(timed, at, now))
    }

    /// Returns true if a fragment is the first one that an encoder sends of a stream, and the event has had a chunk of
    /// its time, while the encoder pushed others of its streams: recordings may come one after the other.
    fn is_of_the_past(&self, timed: Timed, own: i64, now: Moment) -> bool {
        let of = &self.feeds[timed.feed];
        let is_new = |track: &FeedTrack| track.newest.is_none();
        let is_first = match of.is_recorded {
            None => of.tracks.iter().all(is_new),
            Some(_) => is_new(&of.tracks[timed.track]),
        };
        let has_sent = |other: &Feed| {
            other.key != of.key && other.encoder == of.encoder && other.sent.is_some()
        };
        let line = &self.lines[timed.line];
        let schedule = &self.streams[line.stream].schedule;
        is_first
            && of.shift == 0
            && matches!(schedule.place(own, line.jitter()), Place::Chunk(_))
            && self.feeds.iter().any(has_sent)
            && !self.has_rival(timed.feed, now)
    }

    /// Returns true if a fragment is one behind a hole in a recording: it comes in the same push as those before it, which
    /// came faster than their clock, so that they are far ahead of what is live.
    fn is_behind_hole(&self, timed: Timed, at: i64, now: Moment) -> bool {
        let Timed { feed, track, line, push, duration, .. } = timed;
        let of = &self.feeds[feed].tracks[track];
        let (Some(end), Some(position)) = (of.newest_end, self.position(now)) else { return false };
        let smooth = |ticks: i64| to_smooth(ticks, self.lines[line].timescale);
        let ahead = smooth(end).saturating_sub(position);
        let reach = smooth(at.saturating_add(duration)).saturating_sub(smooth(end));
        let is_fast = of.since.is_some_and(|(since, from)| {
            let media = smooth(end).saturating_sub(smooth(from));
            media / 3 * 2 >= smooth_ticks(now.since(since))
        });
        of.push == Some(push)
            && is_fast
            && at > end
            && ahead > smooth_ticks(self.options.clock_tolerance)
            && reach <= smooth_ticks(FAR_AHEAD)
    }

    /// Returns true if the counter of an encoder may have begun anew: it has 32 bits, and was about to, as far as is
    /// known. An encoder that was started again begins at 0, too.
    fn may_have_turned(&self, timed: Timed) -> bool {
        let of = &self.feeds[timed.feed];
        let (track, timescale) = (&of.tracks[timed.track], self.lines[timed.line].timescale);
        let is_near_turn = |end: i64| {
            let moved = track.turned.saturating_add(from_smooth(of.shift, timescale));
            let tolerance = from_smooth(smooth_ticks(self.options.clock_tolerance), timescale);
            end.saturating_sub(moved).abs_diff(1 << 32) <= tolerance.unsigned_abs()
        };
        timed.is_short
            && (0..1 << 32).contains(&timed.time)
            && track.newest_end.is_none_or(is_near_turn)
    }

    /// Returns the time of a fragment that has none: the end of the one before, whatever request that came in. `None` for
    /// other ones, for the first one of a connection, and if that end is far behind what is live now.
    pub(super) fn goes_on_at(&self, timed: Timed, arrived: &Arrived, now: Moment) -> Option<i64> {
        let Timed { feed, track, line, duration, .. } = timed;
        let of = &self.feeds[feed];
        let next = of.tracks[track].next.filter(|_| !arrived.has_time && !of.is_standby)?;
        let live = self.drifted(now)?.saturating_sub(smooth_ticks(self.options.clock_tolerance));
        let end = to_smooth(next.saturating_add(duration), self.lines[line].timescale);
        (end >= live).then_some(next)
    }

    /// Reads the time of an encoder whose clock was another one: it may be right again.
    fn read_standby(&mut self, timed: Timed, now: Moment) -> Reading {
        let Timed { feed, track, line, time, .. } = timed;
        let timescale = self.lines[line].timescale;
        let of = &self.feeds[feed];
        let turned = time.saturating_add(of.tracks[track].turned);
        let own = turned.saturating_add(from_smooth(of.shift, timescale));
        if self.fits(timed, own, now) {
            let of = &mut self.feeds[feed];
            (of.is_standby, of.told) = (false, None);
            self.notice(Some(feed), None, NoticeKind::ClocksAgree);
            return Reading::At(own);
        }
        match self.fitting_shift(timed, now) {
            Some(shift) => self.move_by(timed, shift),
            None => self.jump(timed, own, now),
        }
    }

    /// Returns the times by which other encoders are moved, those of the same encoder first, then those by which this
    /// one was moved before, and none at last.
    fn other_shifts(&self, feed: usize) -> Vec<i64> {
        let own = &self.feeds[feed];
        let is_used =
            |of: &&Feed| !of.is_standby && of.sent.is_some() && of.is_of_clock(&self.lines);
        let (same, others): (Vec<_>, Vec<_>) = self
            .feeds
            .iter()
            .filter(is_used)
            .map(|of| (of.encoder == own.encoder, of.shift))
            .partition(|(is_same, _)| *is_same);
        let mut shifts: Vec<i64> = Vec::new();
        let of_others = same.into_iter().chain(others).map(|(_, shift)| shift);
        for shift in of_others.chain(own.shifts_before.iter().copied()).chain([0]) {
            if shift != own.shift && !shifts.contains(&shift) {
                shifts.push(shift);
            }
        }
        shifts
    }

    /// Returns what other encoders are moved by if a fragment belongs to the newest ones then.
    pub(super) fn fitting_shift(&self, timed: Timed, now: Moment) -> Option<i64> {
        let timescale = self.lines[timed.line].timescale;
        let at = |shift: i64| timed.time.saturating_add(from_smooth(shift, timescale));
        let fits = |&shift: &i64| self.fits(timed, at(shift), now);
        self.other_shifts(timed.feed).into_iter().find(fits)
    }

    /// Returns true if a time fits the event, and is not behind more fragments than encoders send again.
    fn fits(&self, timed: Timed, at: i64, now: Moment) -> bool {
        self.is_near(timed, at, now) && self.lines[timed.line].later_than(at) < SENT_AGAIN
    }

    /// Returns true if an encoder that sends what its track has had for some time has begun anew: with other samples
    /// than it sent for that time before, or for the second time in a row at the pace of its clock, as one that loops a film.
    pub(super) fn is_anew(
        &mut self,
        timed: Timed,
        held: &Held,
        meeting: Meeting,
        now: Moment,
    ) -> bool {
        let Timed { feed, track, line, .. } = timed;
        let is_far_behind = self.lines[line].later_than(held.time) >= SENT_AGAIN;
        let timescale = self.lines[line].timescale;
        let loops = self.feeds[feed].loops;
        let of = &mut self.feeds[feed].tracks[track];
        if meeting == Meeting::New {
            of.repeats = None;
        }
        if meeting == Meeting::New || !is_far_behind {
            return false;
        }
        if loops || meeting == (Meeting::Same { is_other: true }) {
            return true;
        }
        let first = Repeats { since: now.monotonic, from: held.time, until: held.time };
        let repeats = of.repeats.get_or_insert(first);
        let length = smooth_ticks(now.since(repeats.since));
        let media = to_smooth(repeats.until.saturating_sub(repeats.from), timescale);
        let is_again = held.time <= repeats.from && repeats.until > repeats.from;
        repeats.until = repeats.until.max(held.time);
        // What is sent again from a cache comes faster.
        let loops = is_again && length >= media / 4 * 3;
        self.feeds[feed].loops |= loops;
        loops
    }

    /// Times are those of another clock: they are not used, begin a new event, or are moved.
    pub(super) fn jump(&mut self, timed: Timed, at: i64, now: Moment) -> Reading {
        let Timed { feed, track, line, push, time, duration, .. } = timed;
        let timescale = self.lines[line].timescale;
        let position = self.position(now).unwrap_or(0);
        if self.has_rival(feed, now) {
            let end = to_smooth(at.saturating_add(duration), timescale);
            let seconds = end.saturating_sub(position) as f64 / 1e7;
            let of = &mut self.feeds[feed];
            of.is_standby = true;
            if of.told != Some(push) {
                of.told = Some(push);
                self.notice(Some(feed), None, NoticeKind::ClocksDisagree { seconds });
            }
            return Reading::Standby;
        }
        if self.is_behind_hole(timed, at, now) {
            return Reading::At(at);
        }
        // One that has sent nothing to this event has not come again.
        let before = self.feeds[feed].tracks[track].push;
        let is_reconnect = before.is_some_and(|before| before != push);
        if self.options.restart_on_encoder_reconnect && is_reconnect {
            return Reading::Restart;
        }
        // All streams of the encoder are moved alike.
        let of_encoder = self.feeds.iter().filter(|of| of.encoder == self.feeds[feed].encoder);
        let lines = of_encoder.flat_map(|of| of.tracks.iter().filter_map(|of| of.line));
        let ends = lines.map(|line| &self.lines[line]).filter(|line| of_clock(line.key.kind));
        let ends = ends.filter_map(|line| Some(to_smooth(line.newest_end()?, line.timescale)));
        let live = self.drifted(now).unwrap_or(0).saturating_sub(to_smooth(duration, timescale));
        let begin = ends.max().unwrap_or(0).max(live);
        self.move_by(timed, begin.saturating_sub(to_smooth(time, timescale)))
    }

    pub(super) fn move_by(&mut self, timed: Timed, shift: i64) -> Reading {
        let Timed { feed, line, time, .. } = timed;
        self.feeds[feed].shift_to(shift);
        let of = &self.feeds[feed];
        let (stream, encoder) = (Arc::clone(&of.stream), Arc::clone(&of.encoder));
        self.log.push(LiveEvent::Moved { stream, encoder, shift });
        self.notice(Some(feed), None, NoticeKind::TimesMoved { seconds: shift as f64 / 1e7 });
        let timescale = self.lines[line].timescale;
        Reading::At(time.saturating_add(from_smooth(shift, timescale)))
    }

    /// Returns true if a time fits the event: it is near what the track has, what the encoder sent before,
    /// or what is live now.
    fn is_near(&self, timed: Timed, at: i64, now: Moment) -> bool {
        let Timed { feed, track, line, duration, .. } = timed;
        let line = &self.lines[line];
        let (Some(position), Some(drifted)) = (self.position(now), self.drifted(now)) else {
            return true;
        };
        let tolerance = smooth_ticks(self.options.clock_tolerance);
        let at_smooth = to_smooth(at, line.timescale);
        let is_near = |smooth: i64| smooth.abs_diff(at_smooth) <= tolerance.unsigned_abs();
        let of_track = line.newest_end().or(self.feeds[feed].tracks[track].newest_end);
        let ends = [line.newest_end(), self.feeds[feed].tracks[track].newest_end];
        let mut ends = ends.into_iter().flatten().map(|end| to_smooth(end, line.timescale));
        // The drift may be that of a backlog.
        let mut live = [position, drifted]
            .map(|live| live.saturating_sub(to_smooth(duration, line.timescale)))
            .into_iter();
        // A track without fragments begins where the others are.
        let others = || {
            let of_event = self.lines.iter().filter(|line| of_clock(line.key.kind));
            let ends = of_event.filter_map(|of| Some(to_smooth(of.newest_end()?, of.timescale)));
            ends.max()
        };
        ends.any(is_near)
            || live.any(is_near)
            || (of_track.is_none() && others().is_some_and(is_near))
    }
}

/// Returns true if fragments of this kind come when their time is live. Captions may come at any time.
pub(super) fn of_clock(kind: StreamKind) -> bool {
    kind != StreamKind::Text
}

/// Fragments of a track that encoders send again when they come again: two by Azure's specification of ingest, fewer
/// than three by that of DASH-IF. What is behind more of them is told apart by its samples.
const SENT_AGAIN: usize = 4;

/// How far ahead of the event captions may begin, and other fragments may end.
pub(super) const FAR_AHEAD: Duration = Duration::from_secs(600);
