//! Fragments of which only the next one of their encoder tells what they are: sent again, or the first ones of an encoder that
//! began anew.

use super::Broadcast;
use super::taken::Taken;
use super::times::{Reading, Timed};
use crate::live::clock::{smooth_ticks, to_smooth};
use crate::live::held::Held;
use crate::live::intake::Arrived;
use crate::live::line::Meeting;
use crate::live::{Moment, NoticeKind, PushId};

/// A fragment that is neither taken nor dropped before the next one of its encoder comes.
#[derive(Debug)]
pub(in crate::live) struct Stray {
    /// The number of the feed that sent it.
    pub(in crate::live) feed: usize,
    pub(in crate::live) push: PushId,
    pub(in crate::live) arrived: Arrived,
    /// When it came.
    pub(in crate::live) at: Moment,
    /// By the event's clock, among what its track has. `None` if its encoder may have another clock.
    held: Option<Held>,
}

impl Broadcast {
    /// Waits for the next fragment of an encoder.
    pub(super) fn hold_stray(
        &mut self,
        timed: Timed,
        held: Option<Held>,
        arrived: &Arrived,
        now: Moment,
    ) -> Taken {
        let Timed { feed, push, .. } = timed;
        let bytes = self.stray_bytes().saturating_add(arrived.bytes.len() as u64);
        if self.strays.len() >= MOST_STRAYS || bytes > self.options.held_bytes / 8 {
            self.drop_stray(timed);
            return Taken::Done;
        }
        self.strays.push(Stray { feed, push, arrived: arrived.clone(), at: now, held });
        Taken::Done
    }

    /// Returns the fragment that waits for this one, if this one shows that their encoder began anew with it: it follows
    /// it, and the track has had fragments of its time, too.
    pub(super) fn stray_before(
        &mut self,
        timed: Timed,
        arrived: &Arrived,
        meeting: Meeting,
    ) -> Option<Stray> {
        let before = self.stray_of(timed.feed, arrived.track_id)?;
        let before = self.strays.remove(before);
        let goes_on = match meeting {
            Meeting::New => false,
            Meeting::Same { is_other: false } => self.feeds[timed.feed].loops,
            Meeting::Same { .. } | Meeting::Overlaps | Meeting::Late => true,
        };
        let duration = i64::try_from(before.arrived.duration).unwrap_or(i64::MAX);
        let end = before.arrived.time.saturating_add(duration);
        let is_next = timed.time.abs_diff(end) <= duration.unsigned_abs() / 2;
        if goes_on && is_next && before.held.is_some() {
            return Some(before);
        }
        self.drop_stray(timed);
        None
    }

    /// An encoder began anew with a fragment that waited for the next one, while its times are still near those of the
    /// event.
    pub(super) fn begins_anew(
        &mut self,
        first: Stray,
        next: Timed,
        arrived: &Arrived,
        now: Moment,
    ) -> Taken {
        let Some(held) = first.held.clone() else { return Taken::Done };
        let (time, duration) = (first.arrived.time, held.duration);
        let timed = Timed { push: first.push, time, duration, ..next };
        let reading = match self.fitting_shift(timed, first.at) {
            Some(shift) => self.move_by(timed, shift),
            None => self.jump(timed, held.time, first.at),
        };
        match reading {
            Reading::Restart => {
                self.strays.insert(0, first);
                Taken::Restart
            }
            Reading::Standby | Reading::Unsure => Taken::Done,
            Reading::At(time) => {
                self.feeds[timed.feed].tracks[timed.track].push = Some(timed.push);
                let held = Held { time, is_moved: true, ..held };
                self.take(timed, Some(held), &first.arrived, first.at);
                // Those of other tracks were moved with it.
                self.take_again(timed.feed);
                self.arrive_again(timed.feed, next.push, arrived, now)
            }
        }
    }

    /// Decides whether an encoder whose first fragment waits for this one pushes a recording: this one comes sooner than its
    /// clock says.
    pub(super) fn decide_recording(&mut self, feed: usize, arrived: &Arrived, now: Moment) {
        if self.feeds[feed].is_recorded.is_some() {
            return;
        }
        let Some(first) = self.stray_of(feed, arrived.track_id).map(|at| &self.strays[at]) else {
            return;
        };
        let mut tracks = self.feeds[feed].tracks.iter();
        let line = tracks.find(|of| of.track_id == arrived.track_id).and_then(|of| of.line);
        let Some(line) = line.filter(|_| first.held.is_none()) else { return };
        let passed = smooth_ticks(now.since(first.at.monotonic));
        let media = arrived.time.saturating_sub(first.arrived.time);
        let media = to_smooth(media, self.lines[line].timescale);
        self.feeds[feed].is_recorded = Some(passed < media / 2);
        self.take_again(feed);
    }

    /// Takes the fragments of an encoder that waited for a decision.
    fn take_again(&mut self, feed: usize) {
        for of in self.take_strays(feed) {
            self.arrive_again(feed, of.push, &of.arrived, of.at);
        }
    }

    /// Returns the fragments of an encoder that wait for the next one, which do so no longer.
    pub(in crate::live) fn take_strays(&mut self, feed: usize) -> Vec<Stray> {
        self.strays.extract_if(.., |of| of.feed == feed).collect()
    }

    /// Returns those of other streams of the same encoder.
    pub(in crate::live) fn take_strays_beside(&mut self, feed: usize) -> Vec<Stray> {
        let (feeds, own) = (&self.feeds, &self.feeds[feed].encoder);
        let is_beside = |of: &mut Stray| of.feed != feed && feeds[of.feed].encoder == *own;
        self.strays.extract_if(.., is_beside).collect()
    }

    /// Returns the bytes of memory of fragments that wait for the next one of their encoder.
    pub(in crate::live) fn stray_bytes(&self) -> u64 {
        self.strays.iter().map(|of| of.arrived.bytes.len() as u64).sum()
    }

    fn stray_of(&self, feed: usize, track_id: u32) -> Option<usize> {
        self.strays.iter().position(|of| of.feed == feed && of.arrived.track_id == track_id)
    }

    /// Counts a fragment that was sent again.
    fn drop_stray(&mut self, timed: Timed) {
        let Timed { feed, track, line, .. } = timed;
        self.lines[line].counts.duplicates += 1;
        if let Some(count) = self.feeds[feed].tracks[track].duplicates.count() {
            self.notice(Some(feed), Some(line), NoticeKind::Duplicate { count });
        }
    }
}

/// Fragments that wait for the next one, at most.
const MOST_STRAYS: usize = 256;
