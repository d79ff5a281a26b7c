//! One event: the tracks that its encoders push become one presentation.
//!
//! ```text
//!  register   a header ─► Line of each track, in its LiveStream
//!  arrive     a fragment ─► the event's clock ─► waits in its Line, or is a duplicate, late, misaligned
//!  settle     the first that waits, without a gap before it, or when nobody fills the gap ─► Schedule
//!  publish    a chunk that enough others follow ─► tfrf ─► Growing, LiveEvent::Append
//! ```

mod arrive;
mod end;
mod names;
mod publish;
mod register;
mod settle;

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
use crate::manifest::StreamKind;
use crate::presentation::Presentation;
use crate::presentation::growing::Growing;
pub(super) use arrive::Taken;
pub(super) use register::Registered;

/// One event of a publishing point.
pub(super) struct Broadcast {
    name: Name,
    pub(super) options: PointOptions,
    limits: Limits,
    /// Identifier of the event.
    pub(super) event: Option<Arc<str>>,
    pub(super) number: u64,
    pub(super) feeds: Vec<Feed>,
    lines: Vec<Line>,
    streams: Vec<LiveStream>,
    epoch: Option<Epoch>,
    /// The first arrival of a header.
    began: Option<Duration>,
    /// The identifiers of streams that were announced: in lower case, and as they were written.
    announced: Vec<(String, Arc<str>)>,
    pub(super) is_started: bool,
    /// Everything is published, whatever may still come.
    is_ending: bool,
    growing: Option<Growing>,
    /// Number of the line of each file.
    files: Vec<usize>,
    held_bytes: u64,
    /// Those of captions and commands, which may wait for long.
    held_sparse: u64,
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
        event: Option<Arc<str>>,
        number: u64,
        published: u64,
    ) -> Self {
        let log = vec![LiveEvent::Began { event: event.clone(), number }];
        Self {
            name: name.clone(),
            options: options.clone(),
            limits: options.limits.of_content(),
            event,
            number,
            feeds: Vec::new(),
            lines: Vec::new(),
            streams: Vec::new(),
            epoch: None,
            began: None,
            announced: Vec::new(),
            is_started: false,
            is_ending: false,
            growing: None,
            files: Vec::new(),
            held_bytes: 0,
            held_sparse: 0,
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
        let known = self.feeds.iter().position(is_it);
        if known.is_none() && self.feeds.len() < MOST_FEEDS {
            self.feeds.push(Feed::new(stream, encoder));
            return Some(self.feeds.len() - 1);
        }
        known
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

    /// A fragment is held no more.
    fn unhold(&mut self, line: usize, held: &Held) {
        self.held_bytes = self.held_bytes.saturating_sub(held.cost());
        if self.streams[self.lines[line].stream].is_sparse {
            self.held_sparse = self.held_sparse.saturating_sub(held.cost());
        }
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

    pub(super) fn stream_statuses(&self) -> Vec<StreamStatus> {
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
    fn window_begin(&self) -> Option<i64> {
        let window = self.options.window?;
        let kept = smooth_ticks(window).saturating_add(smooth_ticks(BEHIND_WINDOW));
        Some(self.newest_end()?.saturating_sub(kept))
    }
}

/// Chunks are served for so long after they have left the window, for players that are about to ask for them.
const BEHIND_WINDOW: Duration = Duration::from_secs(30);
/// Encoders of an event, each with the stream that it pushes.
const MOST_FEEDS: usize = 1024;
