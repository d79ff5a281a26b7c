//! The segments in which HLS has the captions of an event: those of the pictures.

use std::ops::Range;

use super::{Listed, Moment, Rendition};
use crate::base::{ErrorKind, Timescale};
use crate::manifest::StreamKind;
use crate::presentation::{Liveness, Located, Presentation, Stream};

/// A stream that is so far behind others of its kind has stopped: 30 s, in ticks of 100 ns.
const STOPPED: u64 = 300_000_000;

/// A live playlist has so many segments, if they are still served.
///
/// Spec: RFC 8216, 6.2.2.
const FEWEST: usize = 3;

/// No longer segment of captions is made, in seconds, unless a chunk of the event is longer.
const LONGEST: u64 = 60;

impl Presentation {
    /// Returns the number of the stream at whose chunks the captions of an event are cut: the first pictures that
    /// are listed, else the first sound. Streams that have stopped give way to others of their kind that go on, as
    /// captions follow them. If there is neither, it is the stream of the captions.
    pub(crate) fn guide_of_captions(&self, text: usize) -> usize {
        self.begins().guide.unwrap_or(text)
    }

    /// Returns the numbers of the chunks of the guide whose captions a playlist of an event has.
    ///
    /// Captions are published with a chunk of pictures that does not begin before them. So all of a chunk are known
    /// when the next one is there, and the newest chunk is left out of a live playlist, unless it is the only one. The
    /// first ones may have left the window of the pictures, if that is short.
    pub(crate) fn chunks_of_captions(&self, guide: usize) -> Range<usize> {
        let Stream { kind, timeline, window, .. } = &self.streams[guide];
        if *kind == StreamKind::Text {
            return window.hidden..timeline.len();
        }
        let end = match self.live() {
            Some(_) => timeline.len().saturating_sub(1).max(1).min(timeline.len()),
            None => timeline.len(),
        };
        window.hidden.min(end.saturating_sub(FEWEST))..end
    }

    /// Returns how long a segment of captions that ends at a time, in ticks of the stream, stays the same: captions of the
    /// newest chunk may still come.
    pub(crate) fn liveness_of_captions(&self, text: usize, to: u64) -> Liveness {
        let guide = &self.streams[self.guide_of_captions(text)];
        let is_newest = self.newest(guide, text).is_none_or(|newest| to > newest);
        match self.live() {
            Some(_) if guide.kind != StreamKind::Text && is_newest => Liveness::Ahead,
            _ => self.liveness(),
        }
    }

    /// Returns the start of the newest chunk of a stream in ticks of another one.
    fn newest(&self, of: &Stream, other: usize) -> Option<u64> {
        let last = of.timeline.len().checked_sub(1)?;
        let (start, _) = of.timeline.chunk(last)?;
        of.timescale.rescale_round(start, self.streams[other].timescale)
    }

    /// Returns the fragments of a track of captions of an event that have captions of a stretch of time, in ticks of
    /// the stream. The times alone say which they are: a playlist may be from before a restart, or of another origin.
    ///
    /// # Errors
    /// [`ErrorKind::NoFragment`] if it is no event, and for a stretch that is no segment of one;
    /// [`ErrorKind::NotYet`] if captions of the stretch may still come.
    pub(crate) fn captions_between(
        &self,
        of: Rendition,
        from: u64,
        to: u64,
    ) -> Result<Vec<Located>, ErrorKind> {
        let stream = &self.streams[of.stream];
        let (timeline, scale) = (&stream.timeline, stream.timescale);
        let guide = &self.streams[self.guide_of_captions(of.stream)];
        let in_guide =
            |ticks, timescale: Timescale| timescale.rescale_round(ticks, scale).unwrap_or(u64::MAX);
        let longest = in_guide(guide.window.longest, guide.timescale);
        let longest = longest.saturating_add(1).max(scale.get().saturating_mul(LONGEST));
        let is_segment = to.checked_sub(from).is_some_and(|ticks| ticks <= longest);
        if !self.is_of_event() || !is_segment {
            return Err(ErrorKind::NoFragment);
        }
        if self.live().is_some() {
            // A part lists the newest chunk if it is the only one, or if the part ends with it. A playlist that was read a moment
            // ago may have been cut at the chunks of another stream of pictures.
            let guides = self.streams.iter().filter(|of| of.kind == guide.kind);
            let newest = guides.filter_map(|guide| self.newest(guide, of.stream)).max();
            if newest.is_none_or(|newest| from > newest) {
                return Err(ErrorKind::NotYet);
            }
        }
        // Captions that begin earlier may last until then.
        let first = timeline.first_ending_after(from.saturating_sub(stream.window.longest));
        let track = &stream.tracks[of.track];
        let mut found = Vec::new();
        for chunk in first.saturating_sub(1)..timeline.len() {
            let Some((start, duration)) = timeline.chunk(chunk) else { break };
            if start >= to {
                break;
            }
            let is_there = start >= from || start.saturating_add(duration) > from;
            if is_there && !track.lacks(chunk) {
                found.push(Located { stream: of.stream, track: of.track, chunk });
            }
        }
        Ok(found)
    }
}

/// Returns the number of the stream at whose chunks captions are cut, of those that are listed.
pub(super) fn guide(listed: &[Listed<'_>]) -> Option<usize> {
    let of_kind = |kind| listed.iter().filter(move |of| of.stream.kind == kind);
    let first = |kind| {
        let ends = |of: &Listed<'_>| {
            let Stream { timeline, timescale, .. } = of.stream;
            let end = Moment { ticks: timeline.end(), timescale: *timescale };
            end.rescaled(Timescale::SMOOTH)
        };
        let newest = of_kind(kind).map(ends).max()?;
        let goes_on = |of: &&Listed<'_>| ends(of).saturating_add(STOPPED) >= newest;
        of_kind(kind).find(goes_on).map(|of| of.number)
    };
    first(StreamKind::Video).or_else(|| first(StreamKind::Audio))
}
