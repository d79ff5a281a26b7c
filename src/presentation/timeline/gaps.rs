//! Gaps between the chunks of a timeline.

use super::Timeline;
use super::block::Block;
#[cfg(any(feature = "dash", feature = "hls", feature = "live"))]
use crate::base::Timescale;
#[cfg(any(feature = "dash", feature = "hls", feature = "live"))]
use crate::manifest::StreamKind;

/// Gaps that are shorter are covered by the segment before: a tenth of a second, in parts of one.
#[cfg(any(feature = "dash", feature = "hls", feature = "live"))]
pub(crate) const SHORTEST_GAP: u64 = 10;

/// Returns whether a gap that manifests say is behind a chunk that `lasts` so many ticks, if the next one
/// begins `to_next` ticks after it.
#[cfg(any(feature = "dash", feature = "hls", feature = "live"))]
pub(crate) fn is_gap(lasts: u64, to_next: u64, timescale: Timescale) -> bool {
    to_next.saturating_sub(lasts) > timescale.get() / SHORTEST_GAP
}

/// Length of the longest segment that fills a gap in a playlist of text, in seconds.
#[cfg(any(feature = "dash", feature = "hls", feature = "live"))]
pub(crate) const LONGEST_FILLER: u64 = 10;

/// Most segments that fill a gap. One that needs more is not filled.
#[cfg(any(feature = "dash", feature = "hls", feature = "live"))]
const MOST_FILLERS: u64 = 5000;

/// Returns the number of segments that fill the gap behind a chunk of an event in a playlist. Those of pictures and
/// sound are not longer than the chunk, or a second: no target duration is shorter.
#[cfg(any(feature = "dash", feature = "hls", feature = "live"))]
pub(crate) fn fillers_of(kind: StreamKind, lasts: u64, to_next: u64, timescale: Timescale) -> u64 {
    if !is_gap(lasts, to_next, timescale) {
        return 0;
    }
    let second = timescale.get();
    let longest = match kind {
        StreamKind::Text => second.saturating_mul(LONGEST_FILLER),
        StreamKind::Video | StreamKind::Audio => lasts.max(second),
    };
    let count = to_next.saturating_sub(lasts).div_ceil(longest);
    if count <= MOST_FILLERS { count } else { 0 }
}

/// The gaps of a stream: times that no chunk covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gaps {
    /// Start of the chunk before the first gap.
    pub(crate) after: u64,
    /// Duration of the first gap.
    pub(crate) ticks: u64,
    pub(crate) count: usize,
}

impl Timeline {
    /// Returns the last chunk that does not start after a time, with its number. `None` if there is none,
    /// or if the timeline steps back.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn last_before(&self, time: u64) -> Option<(usize, (u64, u64))> {
        let [ascent] = &*self.ascents else { return None };
        let (number, _) = self.at_or_before(ascent, time)?;
        Some((number, self.chunk(number)?))
    }

    /// Returns the chunks that end more than `most` ticks before the next one begins, if the
    /// durations of all chunks together miss more than that. Steps back in time are no gaps.
    pub(crate) fn gaps(&self, most: u64) -> Option<Gaps> {
        let mut gaps: Option<Gaps> = None;
        let mut missing = 0_i128;
        for ascent in &self.ascents {
            let mut before: Option<(u64, u64)> = None;
            // Inside of a run, each chunk begins where the one before it ends.
            for (next, last) in self.blocks[ascent.clone()].iter().flat_map(Block::pieces) {
                let Some((after, duration)) = before.replace(last) else { continue };
                let ticks = i128::from(next.0) - i128::from(after) - i128::from(duration);
                missing += ticks;
                if ticks > i128::from(most) {
                    gaps.get_or_insert(Gaps { after, ticks: ticks as u64, count: 0 }).count += 1;
                }
            }
        }
        gaps.filter(|_| missing > i128::from(most))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{audio, timeline};
    use super::*;

    #[test]
    fn gaps_are_counted_between_chunks_and_between_runs() {
        let gaps = |runs: &[(u64, u64, u64)], most| timeline(runs).unwrap().gaps(most);
        assert_eq!(gaps(&[], 0), None);
        assert_eq!(gaps(&[(0, 20, 1000)], 0), None);
        assert_eq!(gaps(&audio(1000), 0), None);
        let runs = [(5, 20, 100), (2010, 20, 2), (2053, 20, 2), (2093, 1, 1), (3000, 1, 1)];
        assert_eq!(gaps(&runs, 0), Some(Gaps { after: 1985, ticks: 5, count: 3 }));
        assert_eq!(gaps(&runs, 3), Some(Gaps { after: 1985, ticks: 5, count: 2 }));
        assert_eq!(gaps(&runs, 5), Some(Gaps { after: 2093, ticks: 906, count: 1 }));
        assert_eq!(gaps(&runs, 906), None);
        // Steps back, overlaps, and chunks without a duration that all start at once.
        assert_eq!(gaps(&[(100, 20, 1), (0, 20, 1), (10, 20, 1)], 0), None);
        assert_eq!(gaps(&[(0, 0, 20), (5, 5, 1)], 0), Some(Gaps { after: 0, ticks: 5, count: 1 }));
        assert_eq!(gaps(&[(0, 0, 1), (u64::MAX - 1, 1, 1)], u64::MAX - 2).unwrap().count, 1);
        // The gap and the overlap are equal: the sum is the same.
        assert_eq!(gaps(&[(0, 20, 1), (30, 20, 1), (40, 20, 1)], 5), None);
    }
}
