//! The beginning of a playlist of sound: with the pictures.

use super::{Form, Listed, Moment, Rendition, Segment, captions};
use crate::base::Timescale;
use crate::manifest::StreamKind;
use crate::presentation::{Presentation, Stream};

/// The beginning of a rendition in HLS.
///
/// Chromium's own player puts the first segment of each playlist at 0, whatever its time is. Sound that
/// does not begin with the pictures is then early or late to the end of the film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// The first segment.
    Stored,
    /// The first segment, which begins so near to the pictures that nobody would notice. The playlist
    /// begins with them all the same: Shaka Player 5.2.12 does not end a film whose playlists begin 5 ms
    /// apart.
    Near {
        /// The start of the pictures in ticks of the stream.
        begin: u64,
    },
    /// A later segment, because the pictures begin then.
    Later {
        first: Segment,
        /// The start of the pictures in ticks of the stream.
        begin: u64,
        /// Set if only the samples from then on are there. They all are if the segment begins near to
        /// the pictures.
        is_cut: bool,
    },
    /// Silence before the first segment.
    Silent(Silent),
}

/// A stretch of silence in pieces of about equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Silent {
    /// Start in ticks of the stream.
    from: u64,
    /// End in ticks of the stream.
    to: u64,
    pieces: u64,
}

/// First times of the streams that are listed.
#[derive(Debug)]
pub(super) struct Begins {
    /// The first time of the first stream of pictures.
    pictures: Option<Moment>,
    /// This time, or that of the first sound if there are no pictures.
    media: Option<Moment>,
    /// Number of the stream at whose chunks captions of an event are cut.
    pub(super) guide: Option<usize>,
}

/// Shortest difference that somebody notices, in parts of a second: 40 ms.
const NOTICED: u64 = 25;

/// Longest stretch of sound that is left out, in seconds. More is not by chance.
const LONGEST_CUT: u64 = 10;

/// Longest piece of silence, in seconds.
const LONGEST_PIECE: u64 = 10;

/// Longest stretch of silence, in seconds.
const LONGEST_SILENCE: u64 = 600;

impl Silent {
    /// Returns start and end of each piece, in ticks of the stream.
    pub(crate) fn pieces(self) -> impl Iterator<Item = (u64, u64)> {
        let at = move |piece: u64| {
            let ticks = u128::from(self.to - self.from) * u128::from(piece);
            // Not longer than the whole.
            self.from + (ticks / u128::from(self.pieces)) as u64
        };
        (0..self.pieces).map(move |piece| (at(piece), at(piece + 1)))
    }

    /// Returns the start of the first piece.
    pub(crate) fn from(self) -> u64 {
        self.from
    }

    /// Returns silence in pieces that are not longer than a segment of `segment` ticks, or than a second.
    /// `None` if no silence is known for the track, or if it would be longer than ten minutes.
    pub(super) fn in_stream(
        stream: &Stream,
        track: usize,
        from: u64,
        to: u64,
        segment: u64,
    ) -> Option<Self> {
        let (ticks, second) = (to.checked_sub(from)?, stream.timescale.get());
        let is_short = ticks <= second.saturating_mul(LONGEST_SILENCE);
        let pieces =
            ticks.div_ceil(segment.clamp(second, second.saturating_mul(LONGEST_PIECE))).max(1);
        let is_known = is_short && stream.tracks[track].silence().is_some();
        is_known.then_some(Self { from, to, pieces })
    }
}

impl Presentation {
    /// Returns the beginning of a rendition in HLS. That of stored sound differs from its first segment
    /// if the first pictures are at another time, by more than somebody would notice.
    ///
    /// Silence is known for AAC-LC that is not encrypted.
    pub(crate) fn beginning(&self, of: Rendition) -> Beginning {
        let stream = &self.streams[of.stream];
        if self.has_only_stored_segments()
            || of.form != Form::Stored
            || stream.kind != StreamKind::Audio
        {
            return Beginning::Stored;
        }
        let Some(pictures) = self.pictures_begin() else { return Beginning::Stored };
        let begin = pictures.rescaled(stream.timescale);
        let Some(first) = stream.timeline.segments().next() else { return Beginning::Stored };
        if !is_noticed(first.start.abs_diff(begin), stream.timescale) {
            return Beginning::Near { begin };
        }
        if begin > first.start {
            return later(stream, begin).unwrap_or(Beginning::Stored);
        }
        let silent = Silent::in_stream(stream, of.track, begin, first.start, first.to_next);
        silent.map_or(Beginning::Stored, Beginning::Silent)
    }

    /// Returns the start of the first stream of pictures that is listed.
    pub(crate) fn pictures_begin(&self) -> Option<Moment> {
        self.begins().pictures
    }

    /// Returns the time at which playlists of text begin: with the pictures, or with the first sound if
    /// there are none.
    pub(crate) fn media_begins(&self) -> Option<Moment> {
        self.begins().media
    }

    pub(super) fn begins(&self) -> &Begins {
        self.segmented.begins.get_or_init(|| {
            let listed = self.listed();
            let pictures = listed.iter().find(|of| of.stream.kind == StreamKind::Video);
            let pictures = pictures.map(Listed::begin);
            let media = listed.iter().filter(|of| of.stream.kind != StreamKind::Text);
            let media = pictures.or_else(|| media.map(Listed::begin).min());
            Begins { pictures, media, guide: captions::guide(&listed) }
        })
    }
}

/// Returns the segment with which sound begins that is stored from earlier times than `begin`.
pub(super) fn later(stream: &Stream, begin: u64) -> Option<Beginning> {
    let scale = stream.timescale;
    let mut segments = stream.timeline.segments().peekable();
    let ahead = begin.saturating_sub(segments.peek()?.start);
    if ahead > scale.get().saturating_mul(LONGEST_CUT) {
        return None;
    }
    // The rest of a segment is not worth a segment of its own if nobody would miss it.
    let is_heard = |segment: &Segment| is_noticed(segment.end().saturating_sub(begin), scale);
    let first = segments.find(is_heard)?;
    let is_cut = is_noticed(begin.saturating_sub(first.start), scale);
    let is_late = is_noticed(first.start.saturating_sub(begin), scale);
    (!is_late).then_some(Beginning::Later { first, begin, is_cut })
}

/// Returns whether somebody would notice a difference between pictures and sound.
pub(super) fn is_noticed(ticks: u64, timescale: Timescale) -> bool {
    ticks.saturating_mul(NOTICED) > timescale.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_silence_follow_each_other() {
        let silent = Silent { from: 5, to: 105, pieces: 3 };
        assert_eq!(silent.pieces().collect::<Vec<_>>(), [(5, 38), (38, 71), (71, 105)]);
        let long = Silent { from: u64::MAX - 9, to: u64::MAX, pieces: 2 };
        assert_eq!(long.pieces().last(), Some((u64::MAX - 5, u64::MAX)));
    }
}
