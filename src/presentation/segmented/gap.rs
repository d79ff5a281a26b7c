//! Gaps between segments, as HLS has them.

use super::beginning::Silent;
use super::{Form, Moment, Rendition, Segment};
use crate::manifest::StreamKind;
use crate::presentation::{Presentation, Stream};

/// A gap behind a segment of pictures or sound.
///
/// After a discontinuity, hls.js, Shaka Player and Chromium's own player continue without the gap. If only
/// some of the streams have it, the others are then as far from them as the gap was long, to the end of
/// the film; and hls.js 1.7.4 does not start to play a film with a gap in its sound alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// All streams of pictures and sound have it, or it cannot be filled: a discontinuity.
    Open,
    /// The last picture is shown until the next segment begins, in ticks of the stream.
    Held { until: u64 },
    /// Silence.
    Silent(Silent),
}

impl Gap {
    /// Returns the silence in it.
    pub(crate) fn silent(self) -> Option<Silent> {
        match self {
            Self::Silent(silent) => Some(silent),
            Self::Open | Self::Held { .. } => None,
        }
    }
}

/// Gaps that are shorter are covered by the segment before: a tenth of a second, in parts of one.
const SHORTEST: u64 = 10;

impl Presentation {
    /// Returns the gap between a segment and the next one. Text has none, because a segment of it may
    /// have no cue.
    ///
    /// A stream has a gap if none of its chunks is there in the middle of it. A picture is held for as
    /// long as the duration of a sample can be; key frames alone always last to the next one. Silence is
    /// that of [`beginning`](Self::beginning).
    pub(crate) fn gap_after(&self, of: Rendition, segment: &Segment) -> Option<Gap> {
        let stream = &self.streams[of.stream];
        let (from, until) = (segment.end(), segment.start.saturating_add(segment.to_next));
        let ticks = until.saturating_sub(from);
        if stream.kind == StreamKind::Text || ticks <= stream.timescale.get() / SHORTEST {
            return None;
        }
        let middle = Moment { ticks: from + ticks / 2, timescale: stream.timescale };
        if self.is_live() || stream.timeline.steps_back() || !self.is_filled(middle) {
            return Some(Gap::Open);
        }
        match (stream.kind, of.form) {
            (StreamKind::Video, Form::Stored) => {
                let scale = self.segment_track(of).timescale;
                let lasts = stream.timescale.rescale_round(until - segment.start, scale);
                let is_short = lasts.is_some_and(|lasts| u32::try_from(lasts).is_ok());
                Some(if is_short { Gap::Held { until } } else { Gap::Open })
            }
            (StreamKind::Video, _) => None,
            (StreamKind::Audio, _) => {
                let silent = Silent::in_stream(stream, of.track, from, until, segment.to_next);
                Some(silent.map_or(Gap::Open, Gap::Silent))
            }
            (StreamKind::Text, _) => None,
        }
    }

    /// Returns whether a stream of pictures or sound that is listed has a chunk at a time.
    fn is_filled(&self, at: Moment) -> bool {
        let is_media = |of: &&Stream| of.kind != StreamKind::Text && of.is_listed_with_tracks();
        let has_chunk = |of: &Stream| {
            let time = at.rescaled(of.timescale);
            let last = of.timeline.last_before(time);
            last.is_some_and(|(_, (start, duration))| time - start < duration)
        };
        self.streams.iter().filter(is_media).any(has_chunk)
    }

    /// Returns the segment that a piece of silence from `time` on follows.
    pub(crate) fn segment_before(&self, of: Rendition, time: u64) -> Option<Segment> {
        let timeline = &self.streams[of.stream].timeline;
        let (chunk, (start, duration)) = timeline.last_before(time)?;
        let next = timeline.chunk(chunk + 1);
        let to_next = next.map_or(duration, |(next, _)| next.saturating_sub(start));
        Some(Segment { chunk, start, duration, to_next })
    }
}
