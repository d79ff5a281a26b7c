//! The times of the chunks of a stream.

mod block;
mod builder;
mod doubles;
mod gaps;
mod growth;

pub(crate) use gaps::Gaps;
#[cfg(feature = "hls")]
pub(crate) use gaps::LONGEST_FILLER;
#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use gaps::SHORTEST_GAP;
#[cfg(any(feature = "dash", feature = "hls", feature = "live"))]
pub(crate) use gaps::fillers_of;
#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use gaps::is_gap;

use std::ops::Range;

use block::Block;
use builder::Builder;

use crate::base::{Error, Limits, Run, Timescale, piece, shared_piece};
use crate::manifest;

/// The chunks of a stream, in the order of its manifest: when each starts and how long it is, in
/// ticks of the stream.
///
/// Equal chunks are a run, so that a manifest's `r` costs nothing, nor does a stream of equal chunks
/// that names each; other chunks take sixteen bytes each. Finding one guesses from the mean duration
/// before it searches.
///
/// ```
/// # use smooth_origin::base::Limits;
/// # use smooth_origin::manifest::{ClientManifest};
/// # use smooth_origin::presentation::Timeline;
/// # let text = br#"<SmoothStreamingMedia><StreamIndex Type="video"><c t="0" d="20" r="1000"/><c d="7"/></StreamIndex></SmoothStreamingMedia>"#;
/// # let manifest = ClientManifest::parse(text, &Limits::default()).unwrap();
/// let timeline = Timeline::new(&manifest.streams[0].chunks, &Limits::default()).unwrap();
/// assert_eq!(timeline.len(), 1001);
/// assert_eq!(timeline.locate(20_000), Some(1000));
/// assert_eq!(timeline.locate(20_001), None);
/// assert_eq!(timeline.iter().last(), Some((20_000, 7)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    blocks: Box<[Block]>,
    /// Blocks whose starts ascend; more than one where the manifest steps back in time.
    ascents: Box<[Range<usize>]>,
    len: usize,
}

impl Timeline {
    /// Returns the timeline that `c` elements stand for.
    ///
    /// Chunks that overlap, or step back in time, keep their place; of two that start at one time
    /// the first is found.
    ///
    /// # Errors
    /// As [`manifest::runs`], and as [`from_runs`](Self::from_runs).
    #[cfg_attr(not(feature = "unstable-formats"), doc(hidden))]
    pub fn new(chunks: &[manifest::Chunk], limits: &Limits) -> Result<Self, Error> {
        Builder::default().build(manifest::runs(chunks), limits)
    }

    /// Returns a timeline of these runs of chunks.
    ///
    /// # Errors
    /// [`Invalid`](crate::base::ErrorKind::Invalid) for times beyond 64 bits, and
    /// [`Budget`](crate::base::ErrorKind::Budget) beyond [`Limits::chunks`] or
    /// [`Limits::backward_steps`].
    ///
    /// ```
    /// # #[cfg(feature = "unstable-formats")] {
    /// use std::num::NonZeroU64;
    /// use smooth_origin::{Limits, base::Run, presentation::Timeline};
    ///
    /// let run = Run { start: 0, duration: 20, count: NonZeroU64::new(3).unwrap() };
    /// let timeline = Timeline::from_runs([run], &Limits::default()).unwrap();
    /// assert_eq!(timeline.locate(40), Some(2));
    ///
    /// let more = Run { start: 60, ..run };
    /// let timeline = timeline.extended([more], &Limits::default()).unwrap();
    /// assert_eq!(timeline.locate(100), Some(5));
    /// # }
    /// ```
    #[cfg_attr(not(feature = "unstable-formats"), doc(hidden))]
    pub fn from_runs(runs: impl IntoIterator<Item = Run>, limits: &Limits) -> Result<Self, Error> {
        Builder::default().build(runs.into_iter().map(Ok), limits)
    }

    /// Returns a timeline of these chunks and of further ones. The two share their memory, except
    /// for the last few hundred chunks.
    ///
    /// # Errors
    /// As [`from_runs`](Self::from_runs).
    #[cfg_attr(not(feature = "unstable-formats"), doc(hidden))]
    pub fn extended(
        &self,
        runs: impl IntoIterator<Item = Run>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        Builder::going_on(self).build(runs.into_iter().map(Ok), limits)
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.len
    }

    /// There is no chunk.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of the chunk that starts at this time.
    pub fn locate(&self, time: u64) -> Option<usize> {
        self.ascents.iter().find_map(|ascent| {
            let (number, start) = self.at_or_before(ascent, time)?;
            (start == time).then_some(number)
        })
    }

    /// Number of a chunk, `from` or a later one, that starts no further than `tolerance` from this
    /// time: in the first ascent that has one, the nearest.
    ///
    /// `searches` bounds the work of many such calls: each ascent beyond the first takes one.
    pub(crate) fn near(
        &self,
        from: usize,
        time: u64,
        tolerance: u64,
        searches: &mut usize,
    ) -> Option<usize> {
        let first_of = |ascent: &Range<usize>| self.blocks[ascent.start].first();
        let begun = self.ascents.partition_point(|ascent| first_of(ascent) <= from);
        let ascents = self.ascents.get(begun.saturating_sub(1)..)?;
        for (number, ascent) in ascents.iter().enumerate() {
            if number > 0 {
                *searches = searches.checked_sub(1)?;
            }
            let at = self.at_or_before(ascent, time).map_or(first_of(ascent), |(number, _)| number);
            let candidates = [at, at + 1].into_iter().filter(|&number| number >= from);
            let distance = |number: usize| Some((self.chunk(number)?.0.abs_diff(time), number));
            let nearest = candidates.filter_map(distance).min();
            if let Some((_, number)) = nearest.filter(|&(distance, _)| distance <= tolerance) {
                return Some(number);
            }
        }
        None
    }

    /// Start and duration of a chunk.
    pub fn chunk(&self, number: usize) -> Option<(u64, u64)> {
        let after = self.blocks.partition_point(|block| block.first() <= number);
        let block = self.blocks.get(after.checked_sub(1)?)?;
        block.chunk(number - block.first())
    }

    /// Start and duration of every chunk, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.blocks.iter().flat_map(|block| (0..block.len()).filter_map(|at| block.chunk(at)))
    }

    /// Returns the end of the last chunk; 0 if there is none.
    pub fn end(&self) -> u64 {
        let last = self.len.checked_sub(1).and_then(|last| self.chunk(last));
        last.map_or(0, |(start, duration)| start.saturating_add(duration))
    }

    /// The manifest steps back in time somewhere, or names one time twice.
    pub(crate) fn steps_back(&self) -> bool {
        self.ascents.len() > 1
    }

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        let lists = self.blocks.iter().map(|block| match block {
            Block::Run { .. } => 0,
            Block::List { chunks, .. } => shared_piece(size_of_val(&**chunks)),
        });
        let (blocks, ascents) = (size_of_val(&*self.blocks), size_of_val(&*self.ascents));
        piece(blocks) + piece(ascents) + lists.sum::<usize>()
    }

    /// Number and start of the last chunk of an ascent that starts no later.
    fn at_or_before(&self, ascent: &Range<usize>, time: u64) -> Option<(usize, u64)> {
        let blocks = &self.blocks[ascent.clone()];
        let block = match blocks {
            [block] => block,
            _ => &blocks[blocks.partition_point(|block| block.start() <= time).checked_sub(1)?],
        };
        let at = block.at_or_before(time)?;
        Some((block.first() + at, block.chunk(at)?.0))
    }
}

/// Returns by how much two statements of one time may differ, in ticks of `of`, when the other is in ticks of
/// `other`: 3 ticks of 100 ns, which producers lose by rounding, or one tick of the coarser.
pub(crate) fn tolerance(of: Timescale, other: Timescale) -> u64 {
    let lost = Timescale::SMOOTH.rescale_floor(3, of).unwrap_or(3);
    lost.max(of.get().div_ceil(other.get()))
}

#[cfg(test)]
pub(super) mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::manifest::Chunk;

    /// Runs of (start, duration, count).
    pub(in crate::presentation) fn timeline(runs: &[(u64, u64, u64)]) -> Result<Timeline, Error> {
        let chunk = |&(start, duration, count): &(u64, u64, u64)| Chunk {
            time: Some(start),
            duration: Some(duration),
            repeat: NonZeroU64::new(count),
            ..Chunk::default()
        };
        Timeline::new(&runs.iter().map(chunk).collect::<Vec<_>>(), &Limits::default())
    }

    /// Starts of 44.1 kHz audio in fragments of 93 samples, rounded one by one.
    pub(super) fn audio(count: u64) -> Vec<(u64, u64, u64)> {
        let start = |i: u64| i * 93 * 1024 * 10_000_000 / 44_100;
        (0..count).map(|i| (start(i), start(i + 1) - start(i), 1)).collect()
    }

    #[test]
    fn every_chunk_is_found_by_its_start_and_by_nothing_else() {
        for runs in [
            vec![(0, 20, 1000)],
            vec![(5, 20, 3), (65, 7, 40), (1000, 1, 1), (2000, 3, 17), (2051, 1, 2)],
            audio(3000),
            vec![(7, 0, 1)],
            vec![(0, 1, 1), (u64::MAX - 1, 1, 1)],
        ] {
            let timeline = timeline(&runs).unwrap();
            let starts: Vec<u64> = timeline.iter().map(|chunk| chunk.0).collect();
            assert_eq!(starts.len(), timeline.len());
            for (i, &start) in starts.iter().enumerate() {
                assert_eq!(timeline.locate(start), Some(i), "{runs:?}");
                assert_eq!(timeline.chunk(i).unwrap().0, start);
                let gap = starts.get(i + 1).is_some_and(|&next| next != start + 1);
                assert!(!gap || timeline.locate(start + 1).is_none());
            }
            assert_eq!(timeline.chunk(timeline.len()), None);
            assert_eq!(timeline.locate(starts[0].wrapping_sub(1)), None);
        }
        assert_eq!(timeline(&[]).unwrap().locate(0), None);
        assert_eq!(timeline(&[]).unwrap().end(), 0);
    }

    #[test]
    fn the_nearest_chunk_is_found_within_the_tolerance() {
        let timeline = timeline(&[(100, 20, 3), (200, 5, 20), (400, 5, 1)]).unwrap();
        for (time, tolerance, expected) in [
            (100, 0, Some(0)),
            (97, 3, Some(0)),
            (96, 3, None),
            (123, 3, Some(1)),
            (118, 3, Some(1)),
            (198, 3, Some(3)),
            (202, 3, Some(3)),
            (203, 3, Some(4)),
            (403, 3, Some(23)),
            (404, 3, None),
            (u64::MAX, 3, None),
        ] {
            assert_eq!(timeline.near(0, time, tolerance, &mut 100), expected, "{time}");
        }
    }

    #[test]
    fn chunks_that_step_back_are_found_and_the_first_of_two_wins() {
        let timeline = timeline(&[(100, 20, 2), (110, 20, 1), (50, 10, 1), (100, 1, 1)]).unwrap();
        assert!(timeline.steps_back());
        let found = [100, 120, 110, 50].map(|time| timeline.locate(time));
        assert_eq!(found, [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(timeline.near(0, 49, 1, &mut 100), Some(3));
        assert_eq!(timeline.near(4, 49, 1, &mut 100), None, "a later one is asked for");
        let few = super::tests::timeline(&[(0, 5, 1), (5, 0, 3), (9, 1, 1)]).unwrap();
        assert_eq!((few.locate(5), few.locate(9)), (Some(1), Some(4)));
        let twice = super::tests::timeline(&[(0, 0, 20), (0, 5, 2)]).unwrap();
        assert_eq!((twice.locate(0), twice.locate(5), twice.len()), (Some(0), Some(21), 22));
    }

    #[test]
    fn the_tolerance_is_what_rounding_loses() {
        let scale = |ticks| Timescale::new(ticks).unwrap();
        let smooth = Timescale::SMOOTH;
        assert_eq!(tolerance(smooth, smooth), 3);
        assert_eq!(tolerance(smooth, scale(1000)), 10_000);
        assert_eq!(tolerance(scale(1000), smooth), 1);
        assert_eq!(tolerance(scale(90_000), scale(48_000)), 2);
    }
}
