//! Fragments that arrive: their time by the event's clock, and whether they are new.

use std::sync::Arc;

use bytes::Bytes;

use super::Broadcast;
use super::taken::Taken;
use super::times::{FAR_AHEAD, Reading, Timed, of_clock};
use crate::base::Error;
use crate::fragment::{Parsed, Stored, of_other_track};
use crate::live::clock::{Epoch, duration_of, smooth_ticks, to_smooth};
use crate::live::feed::{Feed, FeedTrack};
use crate::live::held::{Held, hash_of_samples};
use crate::live::intake::Arrived;
use crate::live::line::Meeting;
use crate::live::moment::Duration;
use crate::live::tally::Tally;
use crate::live::{LiveEvent, Moment, NoticeKind, PushId};
use crate::manifest::StreamKind;

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
        self.goes_on(feed);
        self.decide_recording(feed, arrived, now);
        self.arrive_again(feed, push, arrived, now)
    }

    /// Takes a fragment that is counted.
    pub(super) fn arrive_again(
        &mut self,
        feed: usize,
        push: PushId,
        arrived: &Arrived,
        now: Moment,
    ) -> Taken {
        let tracks = &self.feeds[feed].tracks;
        let Some(track) = tracks.iter().position(|of| of.track_id == arrived.track_id) else {
            return Taken::Done;
        };
        let Some(line) = self.line_to_feed(feed, track, now) else {
            return self.not_used(feed, track);
        };
        let duration = i64::try_from(arrived.duration).unwrap_or(i64::MAX).min(LONGEST);
        let (time, is_short) = (arrived.time, arrived.has_short_time);
        let timed = Timed { feed, track, line, push, time, is_short, duration };
        if self.position(now).is_none() && self.lasts_too_long(line, arrived) {
            let why = "it is the first one, and its samples last longer than a minute each; check the \
                encoder's sample durations";
            self.drop_one(timed, why, |of| &mut of.dropped);
            return Taken::Done;
        }
        let goes_on = self.goes_on_at(timed, arrived, now);
        let time = match goes_on.map_or_else(|| self.read(timed, now), Reading::At) {
            Reading::At(time) => time,
            Reading::Standby => return Taken::Done,
            Reading::Unsure => return self.hold_stray(timed, None, arrived, now),
            Reading::Restart => {
                self.take_strays(feed);
                return Taken::Restart;
            }
        };
        if self.ends_too_far_ahead(timed, time, now) {
            let why = "it ends more than 10 minutes ahead of the event; check the encoder's clock and \
                sample durations";
            self.drop_one(timed, why, |of| &mut of.dropped);
            return Taken::Done;
        }
        self.feeds[feed].tracks[track].next = Some(time.saturating_add(duration));
        let held = self.held(timed, time, arrived, now);
        self.take(timed, held, arrived, now)
    }

    /// A fragment came of a track that has the codec data of another encoder.
    fn not_used(&mut self, feed: usize, track: usize) -> Taken {
        let Some(line) = self.feeds[feed].tracks[track].waits_for else { return Taken::Done };
        self.lines[line].counts.dropped += 1;
        let may_be = |of: &FeedTrack| {
            of.line.is_some() || of.waits_for.is_some_and(|line| self.lines[line].file.is_none())
        };
        if self.feeds[feed].tracks.iter().any(may_be) { Taken::Done } else { Taken::OtherCodec }
    }

    /// Drops a fragment that cannot be used, or gives it to its track.
    pub(super) fn take(
        &mut self,
        timed: Timed,
        held: Option<Held>,
        arrived: &Arrived,
        now: Moment,
    ) -> Taken {
        let Timed { feed, track, line, push, .. } = timed;
        let Some(held) = held else { return Taken::Done };
        let is_sparse = self.streams[self.lines[line].stream].is_sparse;
        let meeting = self.lines[line].meet(&held, is_sparse);
        if !is_sparse {
            if let Some(first) = self.stray_before(timed, arrived, meeting) {
                return self.begins_anew(first, timed, arrived, now);
            }
            // One alone may be sent again for whatever reason.
            if self.is_anew(timed, &held, meeting, now) {
                return self.hold_stray(timed, Some(held), arrived, now);
            }
        }
        let at = duration_of(held.time, self.lines[line].timescale);
        let of = &mut self.feeds[feed].tracks[track];
        let own = of.newest_end.filter(|&end| held.time > end + self.lines[line].jitter());
        let filled = own.and_then(|end| self.lines[line].between(end, held.time, feed));
        of.newest = of.newest.max(Some(held.time));
        of.newest_end = of.newest_end.max(Some(held.end()));
        if let Some((time, other)) = filled {
            let at = duration_of(time, self.lines[line].timescale);
            self.notice(Some(other), Some(line), NoticeKind::GapFilled { at });
        }
        let has_pushed = self.feeds[feed].pushes > 1;
        let kind = match meeting {
            Meeting::New => {
                let of = &mut self.feeds[feed].tracks[track];
                of.is_apart = of.push.map_or(has_pushed, |before| before != push);
                if of.push.replace(push) != Some(push) || of.since.is_none() {
                    of.since = Some((now.monotonic, held.time));
                }
                self.wait(timed, held, arrived.is_key, now);
                return Taken::Done;
            }
            Meeting::Same { .. } if self.replaces_short(timed, &held) => return Taken::Done,
            Meeting::Same { .. } => {
                self.lines[line].counts.duplicates += 1;
                let of = &mut self.feeds[feed].tracks[track];
                of.duplicates.count().map(|count| NoticeKind::Duplicate { count })
            }
            Meeting::Overlaps => {
                self.lines[line].counts.dropped += 1;
                let of = &mut self.feeds[feed].tracks[track];
                of.misaligned.count().map(|count| NoticeKind::Misaligned { at, count })
            }
            Meeting::Late => {
                self.lines[line].counts.dropped += 1;
                let of = &mut self.feeds[feed].tracks[track];
                of.late.count().map(|count| NoticeKind::OutOfOrder { at, count })
            }
        };
        if let Some(kind) = kind {
            self.notice(Some(feed), Some(line), kind);
        }
        Taken::Done
    }

    /// Writes a fragment as one of the track that it feeds, whose number and defaults may be those of another encoder.
    pub(super) fn adopt(&self, timed: Timed, held: &mut Held) -> Result<(), Error> {
        let from = &self.feeds[timed.feed].tracks[timed.track].defaults;
        let to = &self.lines[timed.line].defaults;
        if let (Some(from), Some(to)) = (from, to)
            && from != to
        {
            (held.bytes, _) = of_other_track(&held.bytes, from, to, &self.limits)?;
        }
        Ok(())
    }

    fn wait(&mut self, timed: Timed, mut held: Held, is_key: bool, now: Moment) {
        let Timed { feed, track, line, .. } = timed;
        if self.lines[line].is_refused {
            self.lines[line].counts.dropped += 1;
            return;
        }
        if !self.lines[line].has_room() {
            return self.drop_one(timed, "too many fragments wait in order", |of| &mut of.dropped);
        }
        self.begin_track(feed, track, line);
        if let Err(error) = self.adopt(timed, &mut held) {
            return self.refuse(Some(feed), line, error);
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
        let (bytes, end, duration) = (held.bytes.clone(), held.end(), held.duration);
        of.wait(held);
        if of_clock(self.lines[line].key.kind) && self.epoch.is_none() {
            self.epoch = Some(Epoch::new(now, to_smooth(end, timescale)));
        }
        if of_clock(self.lines[line].key.kind) {
            self.measure_drift(line, end, now);
        }
        if fills && self.is_started {
            let at = duration_of(time, timescale);
            self.notice(Some(feed), Some(line), NoticeKind::GapFilled { at });
        }
        if lacks_key {
            self.notice(Some(feed), Some(line), NoticeKind::WithoutKeyFrame);
        }
        self.log_held(line, time, duration, bytes);
    }

    /// Reports that a fragment is held.
    pub(super) fn log_held(&mut self, line: usize, time: i64, duration: i64, bytes: Bytes) {
        let of = &self.lines[line];
        self.log.push(match of.file.as_ref().map(|file| file.id) {
            Some(file) => LiveEvent::Held { file, time, duration, bytes },
            None => {
                let (key, head) = (of.identity(), of.head.clone());
                let track = Box::new(of.server.clone());
                LiveEvent::Early { key, track, head, time, duration, bytes }
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
        if self.is_too_far_ahead(line, time, now) {
            let why =
                "it begins more than 10 minutes ahead of the event; check the encoder's clock";
            self.drop_one(timed, why, |of| &mut of.dropped);
            return None;
        }
        Some(Held {
            time: time.max(0),
            duration: end - time.max(0),
            bytes: arrived.bytes.clone(),
            is_moved: time < 0 || time != arrived.time,
            feed: timed.feed,
            hash: hash_of_samples(&arrived.bytes, arrived.moof),
            arrived: now.monotonic,
            head: self.lines[line].early_head(),
        })
    }

    /// Returns true if a fragment of pictures or sound lasts so long that its samples must have wrong durations: there
    /// is no other one yet by which that could be told, and it would keep off all that is sent for that time.
    fn lasts_too_long(&self, line: usize, arrived: &Arrived) -> bool {
        let of = &self.lines[line];
        if !of_clock(of.key.kind) {
            return false;
        }
        let duration = i64::try_from(arrived.duration).unwrap_or(i64::MAX);
        let bytes = &arrived.bytes;
        let samples = match Stored::parse(bytes, 0, bytes.len() as u64, &self.limits) {
            Ok(Parsed::Whole(stored)) => i64::try_from(stored.samples()).unwrap_or(i64::MAX),
            _ => return false,
        };
        to_smooth(duration, of.timescale) / samples.max(1) > smooth_ticks(LONGEST_SAMPLE)
    }

    /// Returns true if a fragment of pictures or sound ends so far ahead of all others that its duration must be wrong:
    /// it would keep off all that is sent for that time. Sound may come in one piece behind the pictures.
    fn ends_too_far_ahead(&self, timed: Timed, time: i64, now: Moment) -> bool {
        let of = &self.lines[timed.line];
        let Some(position) = self.position(now).filter(|_| of_clock(of.key.kind)) else {
            return false;
        };
        let lines = self.lines.iter().filter(|line| of_clock(line.key.kind));
        let ends = lines.filter_map(|line| Some(to_smooth(line.newest_end()?, line.timescale)));
        let far = smooth_ticks(FAR_AHEAD.max(self.options.clock_tolerance));
        let latest = ends.fold(position, i64::max).saturating_add(far);
        to_smooth(time.saturating_add(timed.duration), of.timescale) > latest
    }

    fn drop_one(
        &mut self,
        timed: Timed,
        why: &'static str,
        tally: impl FnOnce(&mut FeedTrack) -> &mut Tally,
    ) {
        self.lines[timed.line].counts.dropped += 1;
        if let Some(count) = tally(&mut self.feeds[timed.feed].tracks[timed.track]).count() {
            let kind = NoticeKind::Dropped { why, count };
            self.notice(Some(timed.feed), Some(timed.line), kind);
        }
    }

    /// Returns true if another encoder pushes a track that this one feeds, by the event's clock.
    pub(super) fn has_rival(&self, feed: usize, now: Moment) -> bool {
        let mut lines = self.feeds[feed].tracks.iter().filter_map(|track| track.line);
        lines.any(|line| self.has_rival_on(line, feed, now))
    }

    /// Returns true if another encoder than this one pushes a track of the event by the event's clock.
    pub(super) fn has_rival_on(&self, line: usize, feed: usize, now: Moment) -> bool {
        let pushes = |other: &Feed| {
            let has_sent = other.sent.is_some() && !other.has_returned;
            other.encoder != self.feeds[feed].encoder
                && has_sent
                && other.is_active(now.monotonic, self.options.silence)
                && other.track_of_line(line).is_some()
        };
        self.feeds.iter().any(pushes) || self.may_have_rival_on(line, feed, now)
    }

    /// Returns true if the process began a moment ago, and another encoder than this one, which pushed the track before
    /// that, has not sent since: it is as likely to have the event's clock.
    fn may_have_rival_on(&self, line: usize, feed: usize, now: Moment) -> bool {
        let has_come = |encoder: &Arc<str>| {
            let sends = |of: &Feed| of.sent.is_some() && of.track_of_line(line).is_some();
            let mut feeds = self.feeds.iter().filter(|of| of.encoder == *encoder);
            feeds.any(|of| of.ended_before || sends(of))
        };
        let silence = self.options.silence;
        let may_come = |of: &Feed| of.is_restored && of.may_come_again(now.monotonic, silence);
        let own = &self.feeds[feed].encoder;
        let mut before = self.fed_before.iter();
        self.feeds.iter().any(may_come)
            && before.any(|(encoder, of)| *of == line && encoder != own && !has_come(encoder))
    }
}

/// Longest time of a sample in the first fragment of an event: slides may be shown for long.
const LONGEST_SAMPLE: Duration = Duration::from_secs(60);
/// Ticks of the longest fragment, so that no sum of times is out of range.
const LONGEST: i64 = 1 << 60;
/// Ticks of the latest time.
const LATEST: i64 = 1 << 61;
