//! The times of captions and commands: they follow the clock of the stream that they belong to.

use super::times::{FAR_AHEAD, Reading, Timed, of_clock};
use super::{Broadcast, LiveStream};
use crate::live::Moment;
use crate::live::clock::{from_smooth, smooth_ticks, to_smooth};
use crate::live::feed::Feed;
use crate::live::intake::HeaderTrack;
use crate::live::line::Line;
use crate::manifest::StreamKind;

impl Broadcast {
    /// Reads the time of a caption. It may be far from what is live, so it does not show whether the clock of its
    /// encoder is another one: it is moved as the stream that it belongs to is.
    pub(super) fn read_text(&mut self, timed: Timed, now: Moment) -> Reading {
        let Timed { feed, line, time, .. } = timed;
        let timescale = self.lines[line].timescale;
        let Some(guide) = self.guide(feed, line) else { return Reading::At(time) };
        let guide = &self.feeds[guide];
        if guide.is_standby && guide.encoder == self.feeds[feed].encoder {
            self.feeds[feed].is_standby = true;
            return Reading::Standby;
        }
        let Some(position) = self.position(now) else { return Reading::At(time) };
        let has_turned = guide.tracks.iter().any(|track| track.turned > 0);
        let at = |shift: i64| {
            let at = time.saturating_add(from_smooth(shift, timescale));
            match has_turned && (0..1 << 32).contains(&time) {
                true => with_turns(at, from_smooth(position, timescale)),
                false => at,
            }
        };
        let near = smooth_ticks(FAR_AHEAD).unsigned_abs();
        let is_near = |&shift: &i64| to_smooth(at(shift), timescale).abs_diff(position) <= near;
        let own = match guide.encoder == self.feeds[feed].encoder {
            true => [guide.shift, 0],
            false => [0, guide.shift],
        };
        let shift = own.into_iter().find(is_near).unwrap_or(own[0]);
        let at = at(shift);
        let of = &mut self.feeds[feed];
        if !of.is_of_clock(&self.lines) {
            (of.shift, of.is_standby) = (shift, false);
        }
        Reading::At(at)
    }

    /// Returns the encoder whose clock captions have: that which pushes their parent, of the same encoder if there is
    /// one.
    fn guide(&self, feed: usize, line: usize) -> Option<usize> {
        let own = &self.feeds[feed];
        if own.is_of_clock(&self.lines) {
            return Some(feed);
        }
        let parent = self.parent_of(self.lines[line].stream);
        let rank = |of: &Feed| {
            let has_parent = parent.is_some_and(|parent| {
                self.streams[parent].lines.iter().any(|&line| of.track_of_line(line).is_some())
            });
            (of.encoder == own.encoder, has_parent, !of.is_standby, of.sent)
        };
        let feeds = self.feeds.iter().enumerate();
        let feeds = feeds.filter(|(_, of)| of.sent.is_some() && of.is_of_clock(&self.lines));
        feeds.max_by_key(|(_, of)| rank(of)).map(|(at, _)| at)
    }

    /// Returns the stream that captions belong to: that which they name, else the first pictures, else the first
    /// sound. One that has stopped while another one of its kind goes on gives way to that. One that cannot be served
    /// has no chunks.
    pub(super) fn parent_of(&self, stream: usize) -> Option<usize> {
        let named = self.streams[stream].parent.as_deref();
        let is_served = |of: &LiveStream| of.lines.iter().any(|&line| !self.lines[line].is_refused);
        let first = |is_it: &dyn Fn(&LiveStream) -> bool| {
            let may_be = |of: &LiveStream| of_clock(of.kind) && is_served(of) && is_it(of);
            self.streams.iter().position(may_be)
        };
        let is_named = |of: &LiveStream| {
            let has_name = |&line: &usize| named == Some(self.lines[line].key.name.as_str());
            of.lines.iter().any(has_name)
        };
        let of_kind = |kind| first(&|of| of.kind == kind);
        let known = first(&is_named).or_else(|| of_kind(StreamKind::Video));
        let known = known.or_else(|| of_kind(StreamKind::Audio))?;
        let kind = self.streams[known].kind;
        // No chunk waits for one that is farther behind.
        let newest = self.newest_end().unwrap_or(i64::MIN);
        let since = newest.saturating_sub(smooth_ticks(self.options.silence));
        let is_new = |end: i64, of: &LiveStream| to_smooth(end, of.timescale) >= since;
        let goes_on = |of: &LiveStream| {
            of.kind == kind && of.schedule.end().is_some_and(|end| is_new(end, of))
        };
        let going = first(&|of| is_named(of) && goes_on(of)).or_else(|| first(&goes_on));
        going.or(Some(known))
    }

    /// Returns the tracks of captions that are opened without a fragment, so that players that read a manifest once
    /// know of them: one of each stream that has none, as soon as there are pictures or sound. `due` are the tracks
    /// that have a fragment to publish.
    pub(super) fn announced(&self, due: &[usize]) -> Vec<usize> {
        let is_media = |&line: &usize| of_clock(self.lines[line].key.kind);
        if self.is_ending || (self.growing.is_none() && !due.iter().any(is_media)) {
            return Vec::new();
        }
        let of_stream = |stream: &LiveStream| {
            let has_file = |line: &usize| self.lines[*line].file.is_some() || due.contains(line);
            let is_new = stream.is_sparse && !stream.lines.iter().any(has_file);
            stream.lines.iter().copied().find(|&line| is_new && self.may_be_announced(line))
        };
        let is_known = |line: &&Line| line.key.kind == StreamKind::Text && line.file.is_some();
        let known = self.lines.iter().filter(is_known).count();
        let most = MOST_ANNOUNCED.saturating_sub(known);
        self.streams.iter().filter_map(of_stream).take(most).collect()
    }

    /// Returns true if a track has captions, and if all of its encoders have sent one header: the first fragment of one
    /// of them would decide otherwise.
    fn may_be_announced(&self, line: usize) -> bool {
        let of = &self.lines[line];
        let mut tracks = self.feeds.iter().flat_map(|feed| &feed.tracks);
        let is_other = |header: &HeaderTrack| header.codec != of.codec;
        of.has_captions
            && !of.is_refused
            && !of.is_data()
            && !tracks.any(|track| {
                track.line == Some(line) && track.header.as_deref().is_none_or(is_other)
            })
    }

    /// Returns true if a caption begins so far ahead that its clock must be wrong.
    pub(super) fn is_too_far_ahead(&self, line: usize, time: i64, now: Moment) -> bool {
        let line = &self.lines[line];
        if line.key.kind != StreamKind::Text {
            return false;
        }
        let Some(position) = self.position(now) else { return false };
        let latest = position.max(self.newest_end().unwrap_or(0));
        let latest = latest.saturating_add(smooth_ticks(FAR_AHEAD));
        to_smooth(time, line.timescale) > latest
    }

    /// Returns true if a caption begins behind the end of the stream that it belongs to, and of all others of that kind,
    /// which have ended.
    pub(super) fn is_behind_the_end(&self, stream: usize, time: i64) -> bool {
        let of = &self.streams[stream];
        if !of.is_sparse || !self.is_ending {
            return false;
        }
        let Some(parent) = self.parent_of(stream) else { return false };
        let kind = self.streams[parent].kind;
        let ends = self.streams.iter().filter(|of| of.kind == kind);
        let ends = ends.filter_map(|of| Some(to_smooth(of.schedule.end()?, of.timescale)));
        ends.max().is_some_and(|end| to_smooth(time, of.timescale) >= end)
    }
}

/// Adds the turns of a counter of 32 bits with which a time is nearest to what is live.
fn with_turns(at: i64, live: i64) -> i64 {
    let behind = i128::from(live) - i128::from(at) + (1 << 31);
    let turns = i64::try_from((behind >> 32).max(0)).unwrap_or(0);
    at.saturating_add(turns.saturating_mul(1 << 32))
}

/// Streams of captions without a fragment, of which an archive has a file.
const MOST_ANNOUNCED: usize = 32;
