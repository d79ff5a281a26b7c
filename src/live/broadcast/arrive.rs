//! Fragments that arrive: their time by the event's clock, and whether they are new.

use super::Broadcast;
use crate::live::clock::{Epoch, duration_of, from_smooth, smooth_ticks, to_smooth, turns};
use crate::live::held::{Held, hash_of_samples};
use crate::live::intake::Arrived;
use crate::live::line::Meeting;
use crate::live::tally::Tally;
use crate::live::{LiveEvent, Moment, NoticeKind, PushId};
use crate::manifest::StreamKind;

/// The result of a fragment that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) enum Taken {
    /// It waits, or was dropped.
    Done,
    /// Its times begin a new event.
    Restart,
}

/// The relation of the time of a fragment to the event.
enum Reading {
    /// The time by the event's clock, in ticks of the track.
    At(i64),
    /// The clock of the encoder is another one, and nothing of it is used.
    Standby,
    Restart,
}

/// The fragment whose time is read.
#[derive(Clone, Copy)]
struct Timed {
    feed: usize,
    track: usize,
    line: usize,
    push: PushId,
    time: i64,
    duration: i64,
}

impl Broadcast {
    /// Takes a fragment.
    pub(in crate::live) fn arrive(
        &mut self,
        feed: usize,
        push: PushId,
        arrived: &Arrived,
        now: Moment,
    ) -> Taken {
        self.feeds[feed].count(arrived.bytes.len() as u64, now.monotonic);
        self.feeds[feed].has_ended = false;
        let tracks = &self.feeds[feed].tracks;
        let Some(track) = tracks.iter().position(|of| of.track_id == arrived.track_id) else {
            return Taken::Done;
        };
        let Some(line) = tracks[track].line else { return Taken::Done };
        let duration = i64::try_from(arrived.duration).unwrap_or(i64::MAX).min(LONGEST);
        let timed = Timed { feed, track, line, push, time: arrived.time, duration };
        let time = match self.read(timed, now) {
            Reading::At(time) => time,
            Reading::Standby => return Taken::Done,
            Reading::Restart => return Taken::Restart,
        };
        let held = self.held(timed, time, arrived, now);
        self.take(timed, held, arrived.is_key, now)
    }

    /// Drops a fragment that cannot be used, or gives it to its track.
    fn take(&mut self, timed: Timed, held: Option<Held>, is_key: bool, now: Moment) -> Taken {
        let Timed { feed, track, line, push, .. } = timed;
        let Some(held) = held else { return Taken::Done };
        let is_sparse = self.streams[self.lines[line].stream].is_sparse;
        let meeting = self.lines[line].meet(&held, is_sparse);
        let at = duration_of(held.time, self.lines[line].timescale);
        let of = &mut self.feeds[feed].tracks[track];
        let is_later_push = of.push.is_some_and(|last| last != push);
        let own = of.newest_end.filter(|&end| held.time > end + self.lines[line].jitter());
        let filled = own.and_then(|end| self.lines[line].between(end, held.time, feed));
        of.newest = of.newest.max(Some(held.time));
        of.newest_end = of.newest_end.max(Some(held.end()));
        if let Some((time, other)) = filled {
            let at = duration_of(time, self.lines[line].timescale);
            self.notice(Some(other), Some(line), NoticeKind::GapFilled { at });
        }
        let of = &mut self.feeds[feed].tracks[track];
        let kind = match meeting {
            Meeting::New => {
                of.push = Some(push);
                self.wait(timed, held, is_key, now);
                return Taken::Done;
            }
            Meeting::Same { is_other: true } if is_later_push => {
                return self.begins_anew(timed, held, is_key, now);
            }
            Meeting::Same { .. } => {
                self.lines[line].counts.duplicates += 1;
                of.duplicates.count().map(|count| NoticeKind::Duplicate { count })
            }
            Meeting::Overlaps => {
                self.lines[line].counts.dropped += 1;
                of.misaligned.count().map(|count| NoticeKind::Misaligned { at, count })
            }
            Meeting::Late => {
                self.lines[line].counts.dropped += 1;
                of.late.count().map(|count| NoticeKind::OutOfOrder { at, count })
            }
        };
        if let Some(kind) = kind {
            self.notice(Some(feed), Some(line), kind);
        }
        Taken::Done
    }

    fn wait(&mut self, timed: Timed, held: Held, is_key: bool, now: Moment) {
        let Timed { feed, line, .. } = timed;
        if !self.lines[line].has_room() {
            return self.drop_one(timed, "too many fragments wait in order", |of| &mut of.dropped);
        }
        if !self.hold(line, &held) {
            let why = "too much waits to be published; raise `held_bytes` or lower the look-ahead";
            return self.drop_one(timed, why, |of| &mut of.dropped);
        }
        let of = &mut self.lines[line];
        let first = of.first_waiting();
        let fills = first.is_some_and(|first| held.time < first.time && first.feed != feed);
        let lacks_key = of.key.kind == StreamKind::Video && !is_key && !of.has_told_key;
        of.has_told_key |= lacks_key;
        let (time, timescale) = (held.time, of.timescale);
        let (file, bytes) = (of.file.as_ref().map(|file| file.id), held.bytes.clone());
        let end = held.end();
        of.wait(held);
        if of_clock(self.lines[line].key.kind) && self.epoch.is_none() {
            self.epoch = Some(Epoch::new(now, to_smooth(end, timescale)));
        }
        if fills && self.is_started {
            let at = duration_of(time, timescale);
            self.notice(Some(feed), Some(line), NoticeKind::GapFilled { at });
        }
        if lacks_key {
            self.notice(Some(feed), Some(line), NoticeKind::WithoutKeyFrame);
        }
        self.log.push(match file {
            Some(file) => LiveEvent::Held { file, time, bytes },
            None => {
                let of = &self.lines[line];
                let (key, head) = (of.identity(), of.head.clone());
                LiveEvent::Early { key, track: Box::new(of.server.clone()), head, time, bytes }
            }
        });
    }

    /// Makes what waits of a fragment, at its time of the event. `None` if none of it lies behind time 0.
    fn held(&mut self, timed: Timed, time: i64, arrived: &Arrived, now: Moment) -> Option<Held> {
        let Timed { line, duration, .. } = timed;
        if duration == 0 && self.lines[line].key.kind != StreamKind::Text {
            self.drop_one(timed, "it has no duration", |of| &mut of.dropped);
            return None;
        }
        let end = time.saturating_add(duration);
        if time < 0 && end <= 0 {
            self.drop_one(timed, "it ends before media time 0", |of| &mut of.dropped);
            return None;
        }
        if end > LATEST {
            self.drop_one(timed, "its time is out of range", |of| &mut of.dropped);
            return None;
        }
        if time < 0 {
            self.notice(Some(timed.feed), Some(line), NoticeKind::Cut);
        }
        Some(Held {
            time: time.max(0),
            duration: end - time.max(0),
            bytes: arrived.bytes.clone(),
            is_moved: time < 0 || time != arrived.time,
            feed: timed.feed,
            push: timed.push,
            hash: hash_of_samples(&arrived.bytes, arrived.moof),
            arrived: now.monotonic,
        })
    }

    fn drop_one(
        &mut self,
        timed: Timed,
        why: &'static str,
        tally: impl FnOnce(&mut crate::live::feed::FeedTrack) -> &mut Tally,
    ) {
        self.lines[timed.line].counts.dropped += 1;
        if let Some(count) = tally(&mut self.feeds[timed.feed].tracks[timed.track]).count() {
            let kind = NoticeKind::Dropped { why, count };
            self.notice(Some(timed.feed), Some(timed.line), kind);
        }
    }

    /// Reads the time of a fragment by the clock of the event.
    fn read(&mut self, timed: Timed, now: Moment) -> Reading {
        let Timed { feed, track, line, time, .. } = timed;
        let timescale = self.lines[line].timescale;
        let of = &self.feeds[feed];
        let at = |shift: i64| {
            let turned = time.saturating_add(of.tracks[track].turned);
            turned.saturating_add(from_smooth(shift, timescale))
        };
        if !of.is_standby && self.is_near(timed, at(of.shift), now) {
            return Reading::At(at(of.shift));
        }
        // What the same encoder, or the others after a common restart, were moved by.
        let others = self.feeds.iter().filter(|other| !other.is_standby && other.sent.is_some());
        let shifts = others.map(|other| other.shift).filter(|&shift| shift != of.shift);
        let own = (!of.is_standby && of.shift != 0).then_some(0);
        let found = shifts.chain(own).find(|&shift| self.is_near(timed, at(shift), now));
        if let Some(shift) = found {
            return self.move_by(timed, shift);
        }
        if !of.is_standby && (0..1 << 32).contains(&time) {
            let own = self.lines[line].newest_end();
            let expected = own.or_else(|| Some(from_smooth(self.position(now)?, timescale)));
            let turned = turns(at(of.shift), expected.unwrap_or(0));
            let turned = turned.saturating_mul(1 << 32);
            let wrapped = at(of.shift).saturating_add(turned);
            if turned > 0 && self.is_near(timed, wrapped, now) {
                self.feeds[feed].tracks[track].turned += turned;
                self.notice(Some(feed), Some(line), NoticeKind::TimesWrapped);
                return Reading::At(wrapped);
            }
        }
        self.jump(timed, at(self.feeds[feed].shift), now)
    }

    /// Times are those of another clock: they are not used, begin a new event, or are moved.
    fn jump(&mut self, timed: Timed, at: i64, now: Moment) -> Reading {
        let Timed { feed, track, line, push, time, duration } = timed;
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
        let is_reconnect = self.feeds[feed].tracks[track].push != Some(push);
        if self.options.restart_on_encoder_reconnect && is_reconnect {
            return Reading::Restart;
        }
        let lines = self.feeds[feed].tracks.iter().filter_map(|of| of.line);
        let ends = lines.filter_map(|line| {
            let line = &self.lines[line];
            Some(to_smooth(line.newest_end()?, line.timescale))
        });
        let live = position.saturating_sub(to_smooth(duration, timescale));
        let begin = ends.max().unwrap_or(0).max(live);
        self.move_by(timed, begin.saturating_sub(to_smooth(time, timescale)))
    }

    fn move_by(&mut self, timed: Timed, shift: i64) -> Reading {
        let Timed { feed, line, time, .. } = timed;
        self.feeds[feed].shift_to(shift);
        self.notice(Some(feed), None, NoticeKind::TimesMoved { seconds: shift as f64 / 1e7 });
        let timescale = self.lines[line].timescale;
        Reading::At(time.saturating_add(from_smooth(shift, timescale)))
    }

    /// An encoder that came again sent other samples for a time that it had sent before.
    fn begins_anew(&mut self, timed: Timed, held: Held, is_key: bool, now: Moment) -> Taken {
        match self.jump(timed, held.time, now) {
            Reading::Restart => Taken::Restart,
            Reading::Standby => Taken::Done,
            Reading::At(time) => {
                self.feeds[timed.feed].tracks[timed.track].push = Some(timed.push);
                let held = Held { time, is_moved: true, duration: timed.duration, ..held };
                self.take(timed, Some(held), is_key, now)
            }
        }
    }

    /// Returns true if a time fits the event: it is near what the track has, what the encoder sent before,
    /// or what is live now.
    fn is_near(&self, timed: Timed, at: i64, now: Moment) -> bool {
        let Timed { feed, track, line, duration, .. } = timed;
        let line = &self.lines[line];
        let Some(position) = self.position(now) else { return true };
        if line.key.kind == StreamKind::Text {
            return true;
        }
        let tolerance = smooth_ticks(self.options.clock_tolerance);
        let at_smooth = to_smooth(at, line.timescale);
        let is_near = |smooth: i64| smooth.abs_diff(at_smooth) <= tolerance.unsigned_abs();
        let of_track = line.newest_end().or(self.feeds[feed].tracks[track].newest_end);
        let ends = [line.newest_end(), self.feeds[feed].tracks[track].newest_end];
        let mut ends = ends.into_iter().flatten().map(|end| to_smooth(end, line.timescale));
        let live = position.saturating_sub(to_smooth(duration, line.timescale));
        // A track without fragments begins where the others are.
        let others = || {
            let of_event = self.lines.iter().filter(|line| of_clock(line.key.kind));
            let ends = of_event.filter_map(|of| Some(to_smooth(of.newest_end()?, of.timescale)));
            ends.max()
        };
        ends.any(is_near) || is_near(live) || (of_track.is_none() && others().is_some_and(is_near))
    }

    /// Returns true if another encoder pushes a track that this one feeds, by the event's clock.
    pub(super) fn has_rival(&self, feed: usize, now: Moment) -> bool {
        let own = &self.feeds[feed];
        self.feeds.iter().enumerate().any(|(at, other)| {
            let is_other = at != feed && other.encoder != own.encoder && other.sent.is_some();
            let shares = || {
                let mut lines = own.tracks.iter().filter_map(|track| track.line);
                lines.any(|line| other.track_of_line(line).is_some())
            };
            is_other && other.is_active(now.monotonic, self.options.silence) && shares()
        })
    }
}

/// Returns true if fragments of this kind come when their time is live. Captions may come at any time.
pub(super) fn of_clock(kind: StreamKind) -> bool {
    kind != StreamKind::Text
}

/// Ticks of the longest fragment, so that no sum of times is out of range.
const LONGEST: i64 = 1 << 60;
/// Ticks of the latest time.
const LATEST: i64 = 1 << 61;
