//! Encoders with other codec data for one track: the header of the first fragment that is taken rules.

use std::sync::Arc;

use super::names::set_param;
use super::{Broadcast, NoticeKind};
use crate::live::Moment;
use crate::live::intake::HeaderTrack;

impl Broadcast {
    /// Returns the track of the event to which an encoder's track may add a fragment now. One that has waited takes
    /// over a track of which nothing was published, if all encoders that fed it are gone for good.
    pub(super) fn line_to_feed(&mut self, feed: usize, track: usize, now: Moment) -> Option<usize> {
        let of = &self.feeds[feed].tracks[track];
        let Some(line) = of.waits_for else { return of.line };
        let header = of.header.clone()?;
        if self.lines[line].file.is_some() || self.is_held(line, feed, now) {
            return None;
        }
        self.lines[line].counts.dropped += self.clear(line);
        let stream = self.lines[line].stream;
        let others: Vec<i64> = self.streams[stream]
            .lines
            .iter()
            .flat_map(|&line| self.lines[line].held().map(|held| held.time))
            .collect();
        self.streams[stream].schedule.retract(|chunk| !others.contains(&chunk.time));
        self.rule(line, &header);
        Some(line)
    }

    /// Drops all fragments of a track, of which none was published. Returns their number.
    pub(super) fn clear(&mut self, line: usize) -> u64 {
        let dropped = self.lines[line].clear();
        dropped.iter().for_each(|held| self.unhold(line, held));
        self.log_discarded(line, i64::MIN..=i64::MAX);
        dropped.len() as u64
    }

    /// A fragment is about to be the first one of a track: the header that its encoder sent is that of the track.
    pub(super) fn begin_track(&mut self, feed: usize, track: usize, line: usize) {
        let header = self.feeds[feed].tracks[track].header.clone();
        if let Some(header) = header.filter(|_| self.lines[line].is_empty()) {
            self.rule(line, &header);
        }
    }

    /// A track is published: its codec data does not change any more.
    pub(super) fn forget_headers(&mut self, line: usize) {
        for track in self.feeds.iter_mut().flat_map(|feed| &mut feed.tracks) {
            if track.line == Some(line) || track.waits_for == Some(line) {
                track.header = None;
            }
        }
        self.count_headers();
    }

    /// Gives a track the header of an encoder. Encoders with other codec data wait from now on, and those with the
    /// same feed it.
    fn rule(&mut self, line: usize, header: &Arc<HeaderTrack>) {
        let of = &mut self.lines[line];
        if of.codec != header.codec || of.head != header.head {
            let name = Arc::clone(&self.streams[of.stream].name);
            of.set_head(&header.head, header.codec, &header.server);
            set_param(&mut of.server, "trackName", &name);
        }
        let mut refused = Vec::new();
        for (feed, of) in self.feeds.iter_mut().enumerate() {
            for track in &mut of.tracks {
                let Some(codec) = track.header.as_ref().map(|header| header.codec) else {
                    continue;
                };
                let is_same = codec == header.codec;
                if is_same && track.waits_for == Some(line) {
                    (track.line, track.waits_for) = (Some(line), None);
                } else if !is_same && track.line == Some(line) {
                    (track.line, track.waits_for) = (None, Some(line));
                    refused.push(feed);
                }
            }
        }
        for feed in refused {
            self.notice(Some(feed), Some(line), NoticeKind::CodecChanged);
        }
    }

    /// Returns true if another encoder that feeds a track, or has fed it, may come again.
    fn is_held(&self, line: usize, own: usize, now: Moment) -> bool {
        let has_sent = |feed: usize| self.lines[line].held().any(|held| held.feed == feed);
        let feeds = self.feeds.iter().enumerate().filter(|(at, _)| *at != own);
        let mut feeds =
            feeds.filter(|(at, feed)| feed.track_of_line(line).is_some() || has_sent(*at));
        let wait = self.options.reconnect_wait;
        feeds.any(|(_, feed)| feed.may_go_on(now.monotonic, wait, None))
    }
}
