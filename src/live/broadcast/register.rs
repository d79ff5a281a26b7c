//! Headers of pushes: which track of the event each of their tracks is.

use std::sync::Arc;

use super::names::set_param;
use super::{Broadcast, LiveStream};
use crate::base::{Error, ErrorKind};
use crate::live::feed::FeedTrack;
use crate::live::intake::HeaderTrack;
use crate::live::line::Line;
use crate::live::schedule::Schedule;
use crate::live::track_key::TrackKey;
use crate::live::{Moment, NoticeKind};
use crate::manifest::{StreamKind, StreamManifest};

/// The result of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) enum Registered {
    Done,
    /// Its codec data begins a new event.
    Restart,
}

impl Broadcast {
    /// An encoder has announced the streams of the event.
    pub(in crate::live) fn announce(&mut self, manifest: &StreamManifest) {
        let of_this = |event: &Option<String>| match (event, &self.event) {
            (Some(event), Some(own)) => event.eq_ignore_ascii_case(own),
            _ => true,
        };
        let announced = manifest.streams.iter().filter(|stream| of_this(&stream.event));
        let announced: Vec<_> = announced.map(|of| of.stream.as_str()).collect();
        for stream in announced {
            let key = stream.to_lowercase();
            if self.announced.len() < MOST_STREAMS && self.announced.iter().all(|of| of.0 != key) {
                self.announced.push((key, stream.into()));
            }
        }
    }

    /// Takes the header of a push.
    ///
    /// # Errors
    /// No track of it can be used.
    pub(in crate::live) fn register(
        &mut self,
        feed: usize,
        tracks: &[HeaderTrack],
        now: Moment,
    ) -> Result<Registered, Error> {
        if self.codec_begins_anew(feed, tracks, now) {
            return Ok(Registered::Restart);
        }
        self.began.get_or_insert(now.monotonic);
        let is_new = self.feeds[feed].tracks.is_empty() || self.feeds[feed].is_lost;
        let mut keys = Vec::new();
        let mut failure = None;
        let mut is_used = false;
        for track in tracks {
            let place = (self.feeds[feed].key.as_str(), track.track_id);
            let key = TrackKey::new(track.kind, &track.server, place, &keys);
            keys.push(key.clone());
            let line = match self.line_of(feed, key, track) {
                Ok(line) => Some(line),
                Err(error) => {
                    failure = Some(error);
                    None
                }
            };
            is_used |= line.is_some();
            let known = &mut self.feeds[feed].tracks;
            match known.iter_mut().find(|known| known.track_id == track.track_id) {
                Some(known) if known.line == line => {}
                Some(known) => *known = FeedTrack::new(track.track_id, line),
                None => known.push(FeedTrack::new(track.track_id, line)),
            }
        }
        let feed_of = &mut self.feeds[feed];
        feed_of.heard = Some(now.monotonic);
        (feed_of.has_ended, feed_of.is_lost) = (false, false);
        if is_new {
            self.notice(Some(feed), None, NoticeKind::EncoderCame);
        }
        match failure {
            Some(error) if !is_used => Err(error),
            _ => Ok(Registered::Done),
        }
    }

    /// Returns the track of the event that a pushed one feeds: a new one, or one that it shares with other
    /// encoders.
    fn line_of(&mut self, feed: usize, key: TrackKey, track: &HeaderTrack) -> Result<usize, Error> {
        let Some(at) = self.lines.iter().position(|line| line.key == key) else {
            return self.add_line(feed, key, track);
        };
        let line = &mut self.lines[at];
        if line.is_empty() {
            // Nothing was taken with the old header.
            (line.head, line.codec) = (track.head.clone(), track.codec);
            if line.timescale == track.timescale {
                return Ok(at);
            }
        }
        if line.timescale != track.timescale {
            self.notice(Some(feed), Some(at), NoticeKind::TimescaleDiffers);
            return Err(refused("a track has another timescale than the others of its stream"));
        }
        if line.codec != track.codec {
            self.notice(Some(feed), Some(at), NoticeKind::CodecChanged);
            return Err(refused("a track has other codec data than the one with which it began"));
        }
        Ok(at)
    }

    fn add_line(
        &mut self,
        feed: usize,
        key: TrackKey,
        track: &HeaderTrack,
    ) -> Result<usize, Error> {
        if self.lines.len() >= MOST_LINES {
            let (found, limit) = (self.lines.len() as u64 + 1, MOST_LINES as u64);
            return Err(ErrorKind::Budget { what: "tracks of an event", found, limit }.into());
        }
        let of_same = |stream: &LiveStream| {
            stream.lines.iter().any(|&line| self.lines[line].key.is_of_same_stream(&key))
        };
        let stream = match self.streams.iter().position(of_same) {
            Some(stream) => stream,
            None => self.add_stream(&key, track),
        };
        let at = self.lines.len();
        let name = Arc::clone(&self.streams[stream].name);
        let mut server = track.server.clone();
        set_param(&mut server, "trackName", &name);
        let bitrate = key.bitrate;
        let mut line = Line::new(key, stream, server, track.head.clone());
        (line.codec, line.timescale) = (track.codec, track.timescale);
        line.label = label(&name, bitrate);
        self.lines.push(line);
        let timescale = self.streams[stream].timescale;
        if timescale != track.timescale {
            self.notice(Some(feed), Some(at), NoticeKind::TimescaleDiffers);
            self.lines.pop();
            return Err(refused("a track has another timescale than the others of its stream"));
        }
        self.streams[stream].lines.push(at);
        self.notice(None, Some(at), NoticeKind::TrackCame);
        Ok(at)
    }

    fn add_stream(&mut self, key: &TrackKey, track: &HeaderTrack) -> usize {
        let is_sparse = key.kind == StreamKind::Text;
        let parent = track.server.value("parentTrackName").map(str::to_lowercase);
        self.streams.push(LiveStream {
            kind: key.kind,
            name: self.stream_name(key, &track.server),
            timescale: track.timescale,
            schedule: Schedule::new(is_sparse),
            lines: Vec::new(),
            is_sparse,
            parent,
        });
        self.streams.len() - 1
    }

    /// Returns true if a header has other codec data than a track that only this encoder feeds, and a new
    /// event is to begin then.
    fn codec_begins_anew(&self, feed: usize, tracks: &[HeaderTrack], now: Moment) -> bool {
        if !self.options.restart_on_encoder_reconnect {
            return false;
        }
        let mut keys = Vec::new();
        tracks.iter().any(|track| {
            let place = (self.feeds[feed].key.as_str(), track.track_id);
            let key = TrackKey::new(track.kind, &track.server, place, &keys);
            let line = self.lines.iter().position(|line| line.key == key);
            keys.push(key);
            line.is_some_and(|at| {
                let line = &self.lines[at];
                line.codec != track.codec && !line.is_empty() && !self.has_rival(feed, now)
            })
        })
    }
}

pub(super) fn label(stream: &str, bitrate: u32) -> Arc<str> {
    match bitrate {
        0 => stream.into(),
        _ => format!("{stream} {bitrate}").into(),
    }
}

fn refused(what: &str) -> Error {
    ErrorKind::Invalid { what: what.to_owned(), clause: "[MS-SSTR] 3.3" }.into()
}

/// Tracks of an event.
const MOST_LINES: usize = 256;
/// Streams that may be announced.
const MOST_STREAMS: usize = 256;
