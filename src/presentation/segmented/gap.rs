//! Gaps between segments, as HLS has them.

use super::beginning::Silent;
use super::{Form, Moment, Rendition, Segment};
use crate::base::piece;
use crate::manifest::StreamKind;
use crate::presentation::timeline::SHORTEST_GAP;
use crate::presentation::{Presentation, Stream};

/// A gap behind a segment of pictures or sound.
///
/// After a discontinuity, hls.js 1.7.4, Shaka Player 5.2.12 and Chromium 156's own player continue without
/// the gap. If only some of the streams have it, the others are then as far from them as the gap was
/// long, to the end of the film; and hls.js does not start to play a film with a gap in its sound alone.
///
/// An event has none: its gaps are segments that are marked as such. Discontinuities have to be the same in all
/// playlists, also in those of text, and the gaps of a stream are no other's: hls.js 1.7.4 plays no sound and shows no
/// text whose count of them is not that of the pictures. Nor is a date enough: Shaka Player 5.2.12 has sound and
/// pictures apart behind a gap that nothing but a date shows.
///
/// Spec: RFC 8216, 6.2.4.
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

/// Longest gap of all streams that is filled, in seconds.
///
/// At a discontinuity, Shaka Player 5.2.12 keeps gaps of up to about a second, and does not count them: the
/// end of the film is lost.
const LONGEST_OF_ALL: u64 = 2;

/// Most gaps of a stream that are filled.
const MOST: usize = 1000;

/// The properties of a presentation by which its gaps are filled.
#[derive(Debug)]
pub(super) struct Filling {
    /// For each stream, `true` if it has gaps that may be filled.
    is_filled: Box<[bool]>,
    /// Numbers of the streams of pictures and sound that are listed. Empty if no gap is filled.
    media: Box<[usize]>,
    /// Set if silence is known for all sound that is listed.
    is_all_silent: bool,
}

impl Filling {
    /// Returns the properties. No gap of a presentation that grows is filled.
    fn of(presentation: &Presentation) -> Self {
        let is_filled = |stream: &Stream| {
            let gaps = || stream.timeline.gaps(stream.timescale.get() / SHORTEST_GAP);
            let is_few = || gaps().is_some_and(|gaps| gaps.count <= MOST);
            // A timeline may be long: that of an event is not looked at.
            !presentation.has_only_stored_segments() && is_few() && !stream.timeline.steps_back()
        };
        let is_filled: Box<[bool]> = presentation.streams.iter().map(is_filled).collect();
        let mut media = match is_filled.contains(&true) {
            true => presentation.listed(),
            false => Vec::new(),
        };
        media.retain(|of| of.stream.kind != StreamKind::Text);
        let mut sound = media.iter().filter(|of| of.stream.kind == StreamKind::Audio);
        let is_all_silent =
            sound.all(|of| of.tracks.iter().all(|(_, track)| track.silence().is_some()));
        Self { is_filled, media: media.iter().map(|of| of.number).collect(), is_all_silent }
    }

    /// Returns bytes of memory that it takes once it is found.
    pub(super) fn memory(streams: &[Stream]) -> usize {
        piece(streams.len()) + piece(streams.len() * size_of::<usize>())
    }
}

/// The gaps of a rendition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gaps<'a> {
    presentation: &'a Presentation,
    of: Rendition,
    filling: &'a Filling,
}

impl Presentation {
    /// Returns the gaps of a rendition.
    pub(crate) fn gaps(&self, of: Rendition) -> Gaps<'_> {
        let filling = self.segmented.filling.get_or_init(|| Filling::of(self));
        Gaps { presentation: self, of, filling }
    }

    /// Returns the segment that a piece of silence from `time` on follows.
    pub(crate) fn segment_before(&self, of: Rendition, time: u64) -> Option<Segment> {
        let timeline = &self.streams[of.stream].timeline;
        let (chunk, (start, duration)) = timeline.last_before(time)?;
        let next = timeline.chunk(chunk + 1);
        let to_next = next.map_or(duration, |(next, _)| next.saturating_sub(start));
        Some(Segment { chunk, start, duration, to_next, lasts: to_next })
    }
}

impl Gaps<'_> {
    /// Returns the gap between a segment and the next one. Text has none, because a segment of it may
    /// have no cue; an event has none either.
    ///
    /// A stream has a gap if none of its chunks is there in the middle of it. A picture is held for as
    /// long as the duration of a sample can be; key frames alone always last to the next one. Silence is
    /// that of [`Presentation::beginning`].
    pub(crate) fn after(&self, segment: &Segment) -> Option<Gap> {
        let Self { presentation, of, filling } = *self;
        let stream = &presentation.streams[of.stream];
        let scale = stream.timescale;
        let is_told = stream.kind != StreamKind::Text && !presentation.is_of_event();
        if !is_told || !segment.has_gap(scale) {
            return None;
        }
        let (from, until) = (segment.end(), segment.start.saturating_add(segment.to_next));
        let ticks = until.saturating_sub(from);
        let middle = Moment { ticks: from + ticks / 2, timescale: scale };
        let is_short = filling.is_all_silent && ticks <= scale.get().saturating_mul(LONGEST_OF_ALL);
        // Chunks without a duration may start all at once.
        let is_clear = segment.duration > 0 && filling.is_filled[of.stream];
        if !is_clear || !(is_short || self.is_of_some(middle)) {
            return Some(Gap::Open);
        }
        match (stream.kind, of.form) {
            (StreamKind::Video, Form::Stored) => {
                let lasts = until - segment.start;
                let lasts = scale.rescale_round(lasts, presentation.segment_track(of).timescale);
                let is_possible = lasts.is_some_and(|lasts| u32::try_from(lasts).is_ok());
                Some(if is_possible { Gap::Held { until } } else { Gap::Open })
            }
            (StreamKind::Video | StreamKind::Text, _) => None,
            (StreamKind::Audio, _) => {
                let silent = Silent::in_stream(stream, of.track, from, until, segment.to_next);
                Some(silent.map_or(Gap::Open, Gap::Silent))
            }
        }
    }

    /// Returns whether a stream has a chunk at a time.
    fn is_of_some(&self, at: Moment) -> bool {
        self.filling.media.iter().any(|&number| {
            let stream = &self.presentation.streams[number];
            let time = at.rescaled(stream.timescale);
            let last = stream.timeline.last_before(time);
            last.is_some_and(|(_, (start, duration))| time - start < duration)
        })
    }
}
