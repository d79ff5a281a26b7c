//! One event: the tracks that its encoders push become one presentation.
//!
//! ```text
//!  register   a header ─► Line of each track, in its LiveStream
//!  codec      encoders with other codec data for one track: one of them feeds it
//!  times      the time of a fragment by the event's clock; captions: that of their stream
//!  arrive     a fragment ─► waits in its Line, or is a duplicate, late, misaligned
//!  strays     fragments of which the next one tells whether their encoder began anew
//!  longer     a whole one takes the place of a short one of an encoder that has ended
//!  settle     the first that waits, without a gap before it, or when nobody fills the gap ─► Schedule
//!  qualities  a chunk that is due, and that a quality of its stream may still bring, waits
//!  publish    a chunk that enough others follow ─► tfrf ─► Growing, LiveEvent::Append
//! ```

mod arrive;
mod captions;
mod codec;
mod drift;
mod end;
mod longer;
mod names;
mod publish;
mod qualities;
mod register;
mod restore;
mod served;
mod settle;
mod strays;
mod taken;
mod times;

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::clock::{Epoch, duration_of, smooth_ticks, to_smooth};
use super::feed::Feed;
use super::held::Held;
use super::line::Line;
use super::moment::Duration;
use super::schedule::Schedule;
use super::{
    EncoderStatus, LiveEvent, Moment, Notice, NoticeKind, PointOptions, StreamStatus, TrackStatus,
};
use crate::base::{Limits, Name, Timescale};
use crate::live::journal::Began;
use crate::manifest::StreamKind;
use crate::presentation::Presentation;
use crate::presentation::growing::Growing;
use drift::Drift;
pub(super) use register::{Registered, other_codec};
use served::Served;
pub(super) use strays::Stray;
pub(super) use taken::Taken;

/// One event of a publishing point.
pub(super) struct Broadcast {
    name: Name,
    pub(super) options: PointOptions,
    limits: Limits,
    /// Identifier of the event.
    pub(super) event: Option<Arc<str>>,
    pub(super) number: u64,
    /// Wall time of its beginning in nanoseconds since 1970.
    wall: u64,
    pub(super) feeds: Vec<Feed>,
    /// Names of the encoders that pushed to the process before this one, each with the number of a line that it fed.
    fed_before: Vec<(Arc<str>, usize)>,
    lines: Vec<Line>,
    streams: Vec<LiveStream>,
    epoch: Option<Epoch>,
    /// The first arrival of a header.
    began: Option<Duration>,
    /// The last time at which an encoder said that nothing follows.
    end_said: Option<Duration>,
    pub(super) drift: Drift,
    /// The identifiers of streams that were announced: in lower case, and as they were written.
    announced: Vec<(String, Arc<str>)>,
    pub(super) is_started: bool,
    /// Everything is published, whatever may still come.
    is_ending: bool,
    growing: Option<Growing>,
    kept: Served,
    /// Number of the line of each file.
    files: Vec<usize>,
    /// Bytes of the headers of tracks, and of the encoders' tracks.
    header_bytes: u64,
    held_bytes: u64,
    /// Those of captions and commands, which may wait for long.
    held_sparse: u64,
    /// In the order in which they came.
    strays: Vec<Stray>,
    pub(super) published: u64,
    pub(super) snapshot: Option<Arc<Presentation>>,
    pub(super) log: Vec<LiveEvent>,
}

/// A stream of the event.
#[derive(Debug)]
struct LiveStream {
    kind: StreamKind,
    name: Arc<str>,
    timescale: Timescale,
    schedule: Schedule,
    /// When its last chunk was added.
    grew: Option<Duration>,
    lines: Vec<usize>,
    /// Captions and commands: nothing waits for them, and they wait for the stream that they belong to.
    is_sparse: bool,
    /// `parentTrackName`, in lower case.
    parent: Option<String>,
}

impl Broadcast {
    pub(super) fn new(
        name: &Name,
        options: &PointOptions,
        Began { event, number, wall }: Began,
        published: u64,
    ) -> Self {
        let log = vec![LiveEvent::Began { event: event.clone(), number }];
        Self {
            name: name.clone(),
            options: options.clone(),
            limits: options.limits.of_content(),
            event,
            number,
            wall,
            feeds: Vec::new(),
            fed_before: Vec::new(),
            lines: Vec::new(),
            streams: Vec::new(),
            epoch: None,
            began: None,
            end_said: None,
            drift: Drift::default(),
            announced: Vec::new(),
            is_started: false,
            is_ending: false,
            growing: None,
            kept: Served::default(),
            files: Vec::new(),
            header_bytes: 0,
            held_bytes: 0,
            held_sparse: 0,
            strays: Vec::new(),
            published,
            snapshot: None,
            log,
        }
    }

    /// Returns the number of the feed of an encoder, which is new if it has none. `None` if there are too
    /// many.
    pub(super) fn feed(&mut self, stream: &str, encoder: &str) -> Option<usize> {
        let key = stream.to_lowercase();
        let is_it = |feed: &Feed| feed.key == key && &*feed.encoder == encoder;
        if let Some(known) = self.feeds.iter().position(is_it) {
            return Some(known);
        }
        let feed = Feed::new(stream, encoder);
        if self.feeds.len() < MOST_FEEDS {
            self.feeds.push(feed);
            return Some(self.feeds.len() - 1);
        }
        let place = self.longest_gone()?;
        self.lines.iter_mut().for_each(|line| line.forget_feed(place));
        self.take_strays(place);
        self.feeds[place] = feed;
        Some(place)
    }

    /// Returns the number of the encoder that has been gone for longest. One of which fragments are held is not gone.
    fn longest_gone(&self) -> Option<usize> {
        let is_held = |feed| self.lines.iter().any(|line| line.held().any(|of| of.feed == feed));
        let mut gone: Vec<_> =
            (0..self.feeds.len()).filter(|&feed| self.feeds[feed].open == 0).collect();
        gone.sort_by_key(|&feed| self.feeds[feed].heard.max(self.feeds[feed].left));
        gone.into_iter().find(|&feed| !is_held(feed))
    }

    /// Does what is due.
    pub(super) fn advance(&mut self, now: Moment) {
        if !self.is_started && !self.start(now) {
            return;
        }
        self.settle(now);
        self.publish(now);
    }

    /// Counts the memory of a fragment that is held from now on. Returns false if there is none left.
    fn hold(&mut self, line: usize, held: &Held) -> bool {
        let is_sparse = self.streams[self.lines[line].stream].is_sparse;
        let bytes = self.held_bytes.saturating_add(held.cost());
        let sparse = self.held_sparse.saturating_add(held.cost());
        let limit = self.options.held_bytes;
        if bytes > limit || (is_sparse && sparse > limit / 4) {
            return false;
        }
        self.held_bytes = bytes;
        if is_sparse {
            self.held_sparse = sparse;
        }
        true
    }

    /// Returns true if half of what may be held is: nothing waits any longer then.
    fn is_short(&self) -> bool {
        self.held_bytes > self.options.held_bytes / 2 || self.lines.iter().any(Line::is_half_full)
    }

    /// A fragment is held no more.
    fn unhold(&mut self, line: usize, held: &Held) {
        self.held_bytes = self.held_bytes.saturating_sub(held.cost());
        if self.streams[self.lines[line].stream].is_sparse {
            self.held_sparse = self.held_sparse.saturating_sub(held.cost());
        }
    }

    /// Reports that fragments of a track are not held any more and will not be published.
    fn log_discarded(&mut self, line: usize, times: RangeInclusive<i64>) {
        let of = &self.lines[line];
        let (file, key) = (of.file.as_ref().map(|file| file.id), of.identity());
        self.log.push(LiveEvent::Discarded { file, key, times });
    }

    fn notice(&mut self, feed: Option<usize>, line: Option<usize>, kind: NoticeKind) {
        let mut notice = Notice::new(kind);
        if let Some(feed) = feed.map(|feed| &self.feeds[feed]) {
            notice = notice.of(&feed.encoder, &feed.stream);
        }
        if let Some(line) = line.map(|line| &self.lines[line]) {
            notice = notice.on(&line.label);
        }
        self.log.push(LiveEvent::Notice(notice));
    }

    /// Adds to what status says of an encoder that it is, or is not, used.
    pub(super) fn encoders(&self, now: Duration) -> Vec<EncoderStatus> {
        let status = |feed: &Feed| EncoderStatus {
            encoder: Arc::clone(&feed.encoder),
            stream: Arc::clone(&feed.stream),
            is_connected: feed.open > 0,
            pushes: feed.pushes,
            bytes: feed.bytes,
            bits_per_second: feed.bits_per_second(now),
            silent: feed.sent.map(|sent| now.saturating_sub(sent)),
            moved: (!feed.is_standby).then_some(feed.shift as f64 / 1e7),
        };
        self.feeds.iter().map(status).collect()
    }

    pub(super) fn stream_statuses(&self, now: Duration) -> Vec<StreamStatus> {
        let track = |line: &usize| {
            let line = &self.lines[*line];
            TrackStatus {
                bitrate: line.server.bitrate().unwrap_or(0),
                language: line.server.language().map(Into::into),
                fragments: line.counts.fragments,
                bytes: line.counts.bytes,
                gaps: line.counts.gaps,
                duplicates: line.counts.duplicates,
                dropped: line.counts.dropped,
                latency: line.counts.latency,
                newest: line.counts.published.map(|at| now.saturating_sub(at)),
            }
        };
        let status = |stream: &LiveStream| StreamStatus {
            kind: stream.kind,
            name: Arc::clone(&stream.name),
            tracks: stream.lines.iter().map(track).collect(),
            chunks: stream.schedule.count(),
            end: stream
                .schedule
                .newest()
                .map_or(Duration::ZERO, |chunk| duration_of(chunk.end, stream.timescale)),
        };
        self.streams.iter().map(status).collect()
    }

    pub(super) fn held_bytes(&self) -> u64 {
        self.held_bytes
    }

    pub(super) fn header_bytes(&self) -> u64 {
        self.header_bytes
    }

    /// Returns the announced streams that have not come.
    pub(super) fn missing(&self) -> Vec<Arc<str>> {
        let has_come =
            |key: &str| self.feeds.iter().any(|feed| feed.key == key && !feed.tracks.is_empty());
        let missing = self.announced.iter().filter(|(key, _)| !has_come(key));
        missing.map(|(_, stream)| Arc::clone(stream)).collect()
    }

    /// Returns the media time that is live now, in ticks of 100 ns.
    fn position(&self, now: Moment) -> Option<i64> {
        self.epoch.map(|epoch| epoch.position(now))
    }

    /// Returns the end of the newest released chunk of streams that are not sparse, in ticks of 100 ns.
    fn newest_end(&self) -> Option<i64> {
        let streams = self.streams.iter().filter(|stream| !stream.is_sparse);
        let ends = streams
            .filter_map(|stream| Some(to_smooth(stream.schedule.newest()?.end, stream.timescale)));
        ends.max()
    }

    /// Returns the start of what the snapshot keeps, in ticks of 100 ns.
    fn window_begin(&mut self, now: Moment) -> Option<i64> {
        let kept = smooth_ticks(self.kept.length(&self.options, now)?);
        Some(self.newest_end()?.saturating_sub(kept))
    }
}

/// Encoders of an event, each with the stream that it pushes.
const MOST_FEEDS: usize = 1024;
