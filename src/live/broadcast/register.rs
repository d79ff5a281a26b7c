//! Headers of pushes: which track of the event each of their tracks is.

use std::sync::Arc;

use super::names::set_param;
use super::{Broadcast, LiveStream};
use crate::base::{Error, ErrorKind};
use crate::live::feed::FeedTrack;
use crate::live::intake::{HeaderTrack, defaults_of};
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

/// The track of the event that a pushed one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    feeds: Option<usize>,
    /// See [`FeedTrack::waits_for`].
    waits_for: Option<usize>,
}

impl Place {
    fn any(self) -> Option<usize> {
        self.feeds.or(self.waits_for)
    }
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
            let key = TrackKey::new(track.kind, &track.server, &track.coding, place, &keys);
            keys.push(key.clone());
            let place = match self.line_of(feed, key, track) {
                Ok(place) => place,
                Err(error) => {
                    failure = Some(error);
                    Place::default()
                }
            };
            is_used |= place != Place::default();
            self.add_track(feed, track, place, tracks);
        }
        self.count_headers();
        let feed_of = &mut self.feeds[feed];
        feed_of.heard = Some(now.monotonic);
        feed_of.has_returned |= feed_of.is_lost;
        feed_of.is_lost = false;
        self.goes_on(feed);
        if is_new {
            self.notice(Some(feed), None, NoticeKind::EncoderCame);
        }
        match failure {
            Some(error) if !is_used => Err(error),
            _ => Ok(Registered::Done),
        }
    }

    /// Counts the bytes of headers.
    pub(super) fn count_headers(&mut self) {
        let of_encoders = self.feeds.iter().flat_map(|feed| &feed.tracks);
        let of_encoders = of_encoders.filter_map(|track| Some(track.header.as_ref()?.memory()));
        let of_tracks = self.lines.iter().map(Line::header_memory);
        self.header_bytes = of_encoders.chain(of_tracks).sum();
    }

    /// Gives an encoder a track of its header.
    fn add_track(&mut self, feed: usize, track: &HeaderTrack, place: Place, all: &[HeaderTrack]) {
        let is_published = place.any().is_some_and(|at| self.lines[at].file.is_some());
        // Without it, the track cannot take over from an encoder with other codec data.
        let is_kept = !is_published && self.header_bytes < MOST_HEADERS;
        let header = is_kept.then(|| Arc::new(track.clone()));
        let known = &mut self.feeds[feed].tracks;
        let Place { feeds: line, waits_for } = place;
        if let Some(known) = known.iter_mut().find(|known| known.track_id == track.track_id) {
            if known.line != line {
                *known = FeedTrack::new(track.track_id, line);
            }
            (known.waits_for, known.header) = (waits_for, header);
            known.defaults = defaults_of(&track.head);
            return;
        }
        if known.len() >= MOST_TRACKS {
            // An encoder that numbers its tracks anew with each header.
            let is_old = |of: &FeedTrack| all.iter().all(|track| track.track_id != of.track_id);
            if let Some(oldest) = known.iter().position(is_old) {
                known.remove(oldest);
            }
        }
        let defaults = defaults_of(&track.head);
        let new = FeedTrack::new(track.track_id, line);
        known.push(FeedTrack { waits_for, header, defaults, ..new });
    }

    /// Returns the track of the event that a pushed one feeds, or waits for: a new one, or one that it shares with
    /// other encoders.
    fn line_of(&mut self, feed: usize, key: TrackKey, track: &HeaderTrack) -> Result<Place, Error> {
        let Some(at) = self.lines.iter().position(|line| line.key == key) else {
            let added = self.add_line(key, track)?;
            return Ok(Place { feeds: Some(added), waits_for: None });
        };
        let line = &self.lines[at];
        if line.timescale != track.timescale {
            self.notice_misfit(feed, at, NoticeKind::TimescaleDiffers);
            return Err(refused("a track has another timescale than the one with which it began"));
        }
        // Without fragments, either header may rule. One with which captions are announced stays.
        if line.fits(track) || (line.is_empty() && line.file.is_none()) {
            return Ok(Place { feeds: Some(at), waits_for: None });
        }
        let is_published = line.file.is_some();
        self.notice_misfit(feed, at, NoticeKind::CodecChanged);
        match is_published {
            true => Err(other_codec()),
            false => Ok(Place { feeds: None, waits_for: Some(at) }),
        }
    }

    /// Reports a header that does not fit a track. An encoder may send it with each fragment.
    fn notice_misfit(&mut self, feed: usize, line: usize, kind: NoticeKind) {
        if self.lines[line].misfits.count().is_some() {
            self.notice(Some(feed), Some(line), kind);
        }
    }

    fn add_line(&mut self, key: TrackKey, track: &HeaderTrack) -> Result<usize, Error> {
        if self.lines.len() >= MOST_LINES {
            let (found, limit) = (self.lines.len() as u64 + 1, MOST_LINES as u64);
            return Err(ErrorKind::Budget { what: "tracks of an event", found, limit }.into());
        }
        // Another timescale is that of another set, and so is another coding (CMAF, 7.3.4).
        let of_same = |stream: &LiveStream| {
            stream.timescale == track.timescale
                && stream.lines.iter().any(|&line| self.lines[line].key.is_of_same_stream(&key))
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
        self.streams[stream].lines.push(at);
        self.notice(None, Some(at), NoticeKind::TrackCame);
        if self.lines[at].has_unread_events() {
            self.notice(None, Some(at), NoticeKind::EventsUnread);
        }
        Ok(at)
    }

    fn add_stream(&mut self, key: &TrackKey, track: &HeaderTrack) -> usize {
        let is_sparse = key.kind == StreamKind::Text;
        let parent = track.server.value("parentTrackName").map(str::to_lowercase);
        self.streams.push(LiveStream {
            kind: key.kind,
            name: self.stream_name(key, track),
            timescale: track.timescale,
            schedule: Schedule::new(is_sparse),
            grew: None,
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
            let key = TrackKey::new(track.kind, &track.server, &track.coding, place, &keys);
            let line = self.lines.iter().position(|line| line.key == key);
            // One that goes on with another codec.
            let fed = self.feeds[feed].tracks.iter().find(|of| of.track_id == track.track_id);
            let fed = fed.and_then(|of| of.line);
            // Before a restart of the process, it fed one.
            let encoder = &self.feeds[feed].encoder;
            let before = self.fed_before.iter().filter(|(of, _)| of == encoder);
            let mut fed = fed.into_iter().chain(before.map(|(_, line)| *line));
            let fed = fed.find(|&at| self.lines[at].key.is_other_coding(&key));
            let line = line.or(fed);
            keys.push(key);
            line.is_some_and(|at| {
                let line = &self.lines[at];
                !line.fits(track) && !line.is_empty() && !self.has_rival_on(at, feed, now)
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

/// The error of a push of which no track can be used because of its codec data.
pub(in crate::live) fn other_codec() -> Error {
    refused("a track has other codec data than the one with which it began")
}

/// Bytes of headers, behind which those of further encoders are not kept.
const MOST_HEADERS: u64 = 16 << 20;
/// Tracks of an encoder.
const MOST_TRACKS: usize = 256;
/// Tracks of an event.
const MOST_LINES: usize = 256;
/// Streams that may be announced.
const MOST_STREAMS: usize = 256;
