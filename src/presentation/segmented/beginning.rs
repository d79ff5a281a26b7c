//! The beginning of a playlist of sound: with the pictures.

use super::{Form, Moment, Rendition, Segment};
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
    /// A later segment, because the pictures begin then.
    Later {
        first: Segment,
        /// The time, in ticks of the stream, from which on the samples of that segment are there.
        /// `None` if all are.
        cut: Option<u64>,
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

/// Shortest difference that somebody notices, in parts of a second: 40 ms.
const NOTICED: u64 = 25;

/// Longest stretch of sound that is left out, in seconds. More is not by chance.
const LONGEST_CUT: u64 = 10;

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

    /// Returns the silence before a segment: in pieces that are not longer, or not longer than a second.
    fn before(first: &Segment, from: u64, timescale: Timescale) -> Self {
        let longest = first.to_next.max(timescale.get());
        let to = first.start;
        Self { from, to, pieces: to.saturating_sub(from).div_ceil(longest).max(1) }
    }
}

impl Presentation {
    /// Returns the beginning of a rendition in HLS. That of stored sound differs from its first segment
    /// if the first pictures are at another time, by more than somebody would notice.
    ///
    /// Silence is known for AAC-LC that is not encrypted.
    pub(crate) fn beginning(&self, of: Rendition) -> Beginning {
        let stream = &self.streams[of.stream];
        if self.is_live() || of.form != Form::Stored || stream.kind != StreamKind::Audio {
            return Beginning::Stored;
        }
        let Some(pictures) = self.pictures_begin() else { return Beginning::Stored };
        let begin = pictures.rescaled(stream.timescale);
        let Some(first) = stream.timeline.segments().next() else { return Beginning::Stored };
        if begin > first.start {
            return later(stream, begin).unwrap_or(Beginning::Stored);
        }
        let (ticks, second) = (first.start - begin, stream.timescale.get());
        let is_wanted = is_noticed(ticks, stream.timescale)
            && ticks <= second.saturating_mul(LONGEST_SILENCE)
            && stream.tracks[of.track].silence().is_some();
        match is_wanted {
            true => Beginning::Silent(Silent::before(&first, begin, stream.timescale)),
            false => Beginning::Stored,
        }
    }

    /// Returns the start of the first stream of pictures that is listed.
    pub(crate) fn pictures_begin(&self) -> Option<Moment> {
        let is_listed = |of: &&Stream| of.is_listed() && of.tracks.iter().any(|of| of.is_listed());
        let mut pictures = self.streams.iter().filter(|of| of.kind == StreamKind::Video);
        let stream = pictures.find(is_listed)?;
        let first = stream.timeline.segments().next()?;
        Some(Moment { ticks: first.start, timescale: stream.timescale })
    }
}

/// Returns the segment with which sound begins that is stored from earlier times than `begin`.
fn later(stream: &Stream, begin: u64) -> Option<Beginning> {
    let scale = stream.timescale;
    let mut segments = stream.timeline.segments().peekable();
    let ahead = begin.saturating_sub(segments.peek()?.start);
    if !is_noticed(ahead, scale) || ahead > scale.get().saturating_mul(LONGEST_CUT) {
        return None;
    }
    // The rest of a segment is not worth a segment of its own if nobody would miss it.
    let is_heard = |segment: &Segment| is_noticed(segment.end().saturating_sub(begin), scale);
    let first = segments.find(is_heard)?;
    let is_cut = is_noticed(begin.saturating_sub(first.start), scale);
    let is_late = is_noticed(first.start.saturating_sub(begin), scale);
    let beginning = Beginning::Later { first, cut: is_cut.then_some(begin) };
    (!is_late).then_some(beginning)
}

fn is_noticed(ticks: u64, timescale: Timescale) -> bool {
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
