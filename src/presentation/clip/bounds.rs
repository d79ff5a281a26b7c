//! The bounds of a clip in times of the presentation.

use std::ops::Range;

use super::{ClipTime, ClipTimes};
use crate::base::{ErrorKind, Timescale};
use crate::manifest::StreamKind;
use crate::presentation::{Presentation, Stream, Track};

/// Where a clip begins and ends. All times are in ticks of 100 ns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Chunks that end at or before this time are not in the clip.
    from: u64,
    /// Neither are chunks that begin at this time or later.
    to: u64,
    /// Nor chunks that end later.
    edge: u64,
    /// The beginning was asked for.
    pub(super) has_start: bool,
    /// The beginning that was asked for, or that of the whole if it is later.
    pub(super) begin: Option<u64>,
    pub(super) delay: u64,
    /// Nothing will come that belongs to the clip.
    pub(super) is_over: bool,
    /// The times, or some of them, have left the window.
    is_gone: bool,
    /// Chunks at the start were dropped: the clip begins with what is left.
    is_cut: bool,
}

/// A clip is over if one of its streams is so far behind its end, though others are not.
const LATE: u64 = 300_000_000;
/// For so long after its end, a clip of which the start was dropped is there for players that follow it, so that they
/// learn that it is over.
const FOLLOWED: u64 = 2 * LATE;
/// A clip of which the start was dropped begins with a chunk that stays for so long: whoever begins with it has to load
/// it first.
const AHEAD: u64 = 100_000_000;

impl Bounds {
    /// Returns the bounds for these times.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if the end is not behind the start; [`ErrorKind::NoSuchTime`] if chunks at
    /// the start were dropped, unless the clip goes on, or went on a moment ago.
    pub(super) fn of(whole: &Presentation, times: &ClipTimes) -> Result<Self, ErrorKind> {
        let live = whole.live();
        let epoch = i128::from(whole.live_epoch());
        let of_film = || whole.ended.and_then(|ended| ended.begin);
        let begin = whole.grown.as_ref().map(|grown| grown.begin).or_else(of_film);
        let begin = begin.or_else(|| media(whole).filter_map(Stream::begins).min()).unwrap_or(0);
        let resolve = |time: ClipTime| match time {
            ClipTime::Wall(ticks) => u64::try_from((ticks - epoch).max(0)).unwrap_or(u64::MAX),
            ClipTime::SinceBegin(ticks) => begin.saturating_add(ticks),
        };
        let (start, end) = (times.start.map(resolve), times.end.map(resolve));
        let to = end.unwrap_or(u64::MAX);
        if start.is_some_and(|start| start >= to) {
            return Err(ErrorKind::Malformed("the end of a clip is behind its start"));
        }
        let delay = times.delay.filter(|_| live.is_some()).unwrap_or(0);
        let newest = media(whole).map(Stream::ends).max().unwrap_or(0);
        let edge = newest.saturating_sub(delay);
        let left =
            left(whole, newest).filter(|left| start.is_some_and(|start| left.oldest > start));
        if left.is_some() && end.is_some_and(|end| edge >= end.saturating_add(FOLLOWED)) {
            return Err(ErrorKind::NoSuchTime);
        }
        let slowest = media(whole).map(Stream::ends).min().unwrap_or(0).saturating_sub(delay);
        let is_over = live.is_none()
            || slowest >= to
            || end.is_some_and(|end| edge >= end.saturating_add(LATE));
        let window = live.and_then(|live| live.window);
        let window =
            window.map(|window| u64::try_from(window.as_nanos() / 100).unwrap_or(u64::MAX));
        // Without a start, it is the window that begins.
        let from = start.or_else(|| Some(edge.saturating_sub(window?))).unwrap_or(0);
        let from = left.as_ref().map_or(from, |left| left.from);
        Ok(Self {
            from,
            to,
            edge: if delay > 0 { edge } else { u64::MAX },
            has_start: start.is_some(),
            begin: start.map(|start| start.max(begin)),
            delay,
            is_over,
            is_gone: media(whole).any(|of| of.window.dropped > 0),
            is_cut: left.is_some(),
        })
    }

    /// Returns why there is no chunk in the clip.
    pub(super) fn none(&self) -> ErrorKind {
        // A delay may be longer than the event is; a start may be still to come.
        match self.is_over || self.is_cut || self.is_gone && !self.has_start {
            true => ErrorKind::NoSuchTime,
            false => ErrorKind::NotYet,
        }
    }

    /// Returns the numbers of the chunks of a stream that are in the clip.
    pub(super) fn chunks(&self, of: &Stream) -> Range<usize> {
        let (from, to) = self.ticks(of.timescale);
        let Range { start, mut end } = of.timeline.overlapping(from, to);
        // Without a start, chunks that manifests do not show any more are left out.
        let start = match self.has_start || self.delay > 0 {
            true => start,
            false => start.max(of.window.hidden),
        };
        let is_ahead = |number: usize| {
            let chunk = of.timeline.chunk(number);
            let ends = chunk.map_or(0, |(start, duration)| start.saturating_add(duration));
            smooth(ends, of.timescale) > self.edge
        };
        while end > start && self.edge < u64::MAX && is_ahead(end - 1) {
            end -= 1;
        }
        match start.checked_sub(1).filter(|_| start >= end) {
            Some(last) if self.keeps(of, last) => last..start,
            _ => start.min(end)..end,
        }
    }

    /// Returns whether the last captions or commands that have left the part of an event stay in it until others come:
    /// as in the whole, a stream that was announced is not without any. Those that end before the start were never in
    /// the part.
    fn keeps(&self, of: &Stream, last: usize) -> bool {
        let is_shown = self.has_start || self.delay > 0 || last >= of.window.hidden;
        let is_of_part = || {
            let (start, duration) = of.timeline.chunk(last)?;
            let ends = smooth(start.saturating_add(duration), of.timescale);
            Some(ends > self.begin.unwrap_or(0) && smooth(start, of.timescale) < self.to)
        };
        let is_sparse = of.kind == StreamKind::Text && of.window.is_of_event;
        is_sparse && is_shown && is_of_part().unwrap_or(false)
    }

    /// Returns whether chunks of the clip may be at this time.
    pub(super) fn overlaps(&self, time: u64) -> bool {
        // A chunk may begin before the clip, or end behind it.
        (self.from.saturating_sub(LATE)..self.to.saturating_add(LATE)).contains(&time)
    }

    /// Returns the bounds in ticks of a timescale: a chunk is in the clip if it ends after the first and
    /// begins before the second.
    pub(super) fn ticks(&self, timescale: Timescale) -> (u64, u64) {
        let product = |ticks: u64| u128::from(ticks) * u128::from(timescale.get());
        let smooth = u128::from(Timescale::SMOOTH.get());
        let ticks = |wide: u128| u64::try_from(wide).unwrap_or(u64::MAX);
        (ticks(product(self.from) / smooth), ticks(product(self.to).div_ceil(smooth)))
    }
}

impl Stream {
    /// Returns the start of its first chunk, in ticks of 100 ns.
    pub(super) fn begins(&self) -> Option<u64> {
        let (start, _) = self.timeline.chunk(0)?;
        Some(smooth(start, self.timescale))
    }

    /// Returns the end of its last chunk, in ticks of 100 ns.
    fn ends(&self) -> u64 {
        smooth(self.timeline.end(), self.timescale)
    }

    /// Returns a time of it in ticks of 100 ns.
    #[cfg_attr(
        not(all(feature = "live", any(feature = "dash", feature = "hls"))),
        allow(dead_code, reason = "nothing limits the chunks of a part")
    )]
    pub(super) fn smooth(&self, ticks: u64) -> u64 {
        smooth(ticks, self.timescale)
    }

    /// Returns a time in ticks of 100 ns in its own.
    pub(super) fn ticks(&self, smooth: u64) -> u64 {
        Timescale::SMOOTH.rescale_floor(smooth, self.timescale).unwrap_or(u64::MAX)
    }

    /// Returns whether manifests leave it out, because none of its tracks has media.
    fn is_gone(&self) -> bool {
        self.tracks.iter().all(Track::is_gone)
    }
}

/// The chunks that are left of an event of which others were dropped, in ticks of 100 ns.
struct Left {
    /// Start of the oldest chunk.
    oldest: u64,
    /// Begin of a clip whose start is before that.
    from: u64,
}

/// Returns what is left of an event that has chunks until `newest`. `None` if nothing was dropped.
fn left(whole: &Presentation, newest: u64) -> Option<Left> {
    // A stream that has stopped may have older ones, and one that came again a moment ago has none.
    let goes_on = |of: &&Stream| of.ends().saturating_add(LATE) >= newest;
    let streams = || media(whole).filter(|of| of.window.dropped > 0).filter(goes_on);
    let announced =
        |of: &Stream| Some(smooth(of.timeline.chunk(of.window.hidden)?.0, of.timescale));
    let oldest = streams().filter_map(Stream::begins).min()?;
    let announced = streams().filter_map(announced).min().unwrap_or(oldest);
    Some(Left { oldest, from: oldest.saturating_add(AHEAD).min(announced) })
}

fn smooth(ticks: u64, timescale: Timescale) -> u64 {
    timescale.rescale_floor(ticks, Timescale::SMOOTH).unwrap_or(u64::MAX)
}

/// Returns the streams whose times count.
fn media(of: &Presentation) -> impl Iterator<Item = &Stream> {
    of.streams.iter().filter(counts(of))
}

/// Returns whether times of a stream count, if it is one of a presentation, or of a clip of it: captions may be sparse,
/// and end long after they begin.
pub(super) fn counts(whole: &Presentation) -> impl Fn(&&Stream) -> bool + use<> {
    let is_media = |of: &Stream| of.kind != StreamKind::Text && !of.is_gone();
    let has_media = whole.streams.iter().any(is_media);
    move |of| (is_media(of) || !has_media) && !of.timeline.is_empty()
}
