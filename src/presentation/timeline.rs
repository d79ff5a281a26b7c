//! When the chunks of a stream are.

use std::ops::Range;

use crate::base::{Error, ErrorKind, Limits, Timescale, piece};
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

/// Chunks whose starts ascend.
#[derive(Clone, Debug)]
enum Block {
    Run { first: usize, start: u64, duration: u64, count: usize },
    List { first: usize, mean: u64, chunks: Box<[(u64, u64)]> },
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

/// Shorter runs are listed: a block of its own would take more.
const SHORTEST_RUN: usize = 16;

/// Longer lists are several: pieces of memory of one moderate size fit where others were given back.
const LONGEST_LIST: usize = 256;

impl Timeline {
    /// The times that `c` elements stand for.
    ///
    /// Chunks that overlap, or step back in time, keep their place; of two that start at one time
    /// the first is found.
    ///
    /// # Errors
    /// As [`manifest::runs`], and [`ErrorKind::Budget`] beyond [`Limits::chunks`] or
    /// [`Limits::backward_steps`].
    pub fn new(chunks: &[manifest::Chunk], limits: &Limits) -> Result<Self, Error> {
        let mut builder = Builder::default();
        for run in manifest::runs(chunks) {
            let run = run?;
            let found = (builder.len as u64).saturating_add(run.count.get());
            let limit = limits.chunks;
            let count = match usize::try_from(run.count.get()) {
                Ok(count) if found <= limit => count,
                _ => {
                    let what = "chunks of a stream";
                    return Err(ErrorKind::Budget { what, found, limit }.into());
                }
            };
            builder.push(run.start, run.duration, count);
            builder.check(limits)?;
        }
        Ok(builder.finish())
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

    /// Returns the number of the chunk whose start is the same double as `time`, which is how a
    /// player written in JavaScript requests chunks above 2^53. `None` if the starts of several
    /// chunks are that double, and for times below 2^53. If no start is that double, the chunk is
    /// taken for which such a player adds up durations to it: each addition is off by less than the
    /// distance to the next double.
    ///
    /// Such a player writes the shortest decimal number that stands for its double. Shaka Player
    /// 4.16.50 and RxPlayer 4.5.0 do so for all times, dash.js 5.2.1 for those of `tfrf`.
    ///
    /// ```
    /// # use smooth_origin::base::Limits;
    /// # use smooth_origin::manifest::{ClientManifest};
    /// # use smooth_origin::presentation::Timeline;
    /// # let text = br#"<SmoothStreamingMedia><StreamIndex Type="video"><c t="17959968061234567" d="20000000" r="2"/></StreamIndex></SmoothStreamingMedia>"#;
    /// # let manifest = ClientManifest::parse(text, &Limits::default()).unwrap();
    /// let timeline = Timeline::new(&manifest.streams[0].chunks, &Limits::default()).unwrap();
    /// assert_eq!(timeline.iter().next(), Some((17_959_968_061_234_567, 20_000_000)));
    /// assert_eq!(timeline.locate(17_959_968_061_234_568), None);
    /// assert_eq!(timeline.locate_double(17_959_968_061_234_568), Some(0));
    /// ```
    #[cold]
    pub fn locate_double(&self, time: u64) -> Option<usize> {
        let last = last_of_double(time)?;
        let is_it = |start: u64| start as f64 == time as f64;
        let mut found: Option<(usize, u64)> = None;
        for ascent in &self.ascents {
            let at = self.at_or_before(ascent, last).filter(|&(_, start)| is_it(start));
            let Some((number, start)) = at else { continue };
            let first = self.blocks[ascent.start].first();
            let before = number.checked_sub(1).filter(|&before| before >= first);
            let before = before.and_then(|before| self.chunk(before));
            // Of two chunks that start at one time the first is found, as by `locate`.
            if before.is_some_and(|(start, _)| is_it(start))
                || found.is_some_and(|(_, other)| other != start)
            {
                return None;
            }
            found = found.or(Some((number, start)));
        }
        found.map(|(number, _)| number).or_else(|| self.locate_sum(time))
    }

    /// Returns the number of the chunk whose start, added up in doubles, is `time`. For a chunk
    /// whose `c` has no `t`, players compute the start as the sum of the `d` before it, and each
    /// addition is rounded. With sound in fragments of 94 AAC frames, two of three such sums differ
    /// from the double of the start.
    fn locate_sum(&self, time: u64) -> Option<usize> {
        let double = time as f64;
        // `time` must be written as by a player. A timeline that steps back is not added up.
        if self.ascents.len() != 1 || double.to_string() != time.to_string() {
            return None;
        }
        // The written digits only have to be near enough.
        let time = double as u64;
        // Each rounding, including that of the first start, is off by half a step at most.
        let half_a_step = (double.next_up() - double) as u64 / 2;
        let most = |number: usize| half_a_step.saturating_mul(number as u64 + 1);
        let is_it = |number: &usize| {
            // The first start is no sum.
            let start = self.chunk(*number).filter(|_| *number > 0).map(|chunk| chunk.0);
            start.is_some_and(|start| start.abs_diff(time) <= most(*number))
        };
        let number = self.near(0, time, most(self.len), &mut 0).filter(is_it)?;
        let is_clear = |other: Option<usize>| !other.is_some_and(|other| is_it(&other));
        (is_clear(number.checked_sub(1)) && is_clear(number.checked_add(1))).then_some(number)
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

    /// Where the last chunk ends; 0 if there is none.
    pub fn end(&self) -> u64 {
        let last = self.len.checked_sub(1).and_then(|last| self.chunk(last));
        last.map_or(0, |(start, duration)| start.saturating_add(duration))
    }

    /// The manifest steps back in time somewhere, or names one time twice.
    pub(crate) fn steps_back(&self) -> bool {
        self.ascents.len() > 1
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

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        let lists = self.blocks.iter().map(|block| match block {
            Block::Run { .. } => 0,
            Block::List { chunks, .. } => piece(size_of_val(&**chunks)),
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

impl Block {
    /// Number of its first chunk.
    fn first(&self) -> usize {
        match self {
            Self::Run { first, .. } | Self::List { first, .. } => *first,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Run { count, .. } => *count,
            Self::List { chunks, .. } => chunks.len(),
        }
    }

    fn start(&self) -> u64 {
        match self {
            Self::Run { start, .. } => *start,
            Self::List { chunks, .. } => chunks.first().map_or(0, |chunk| chunk.0),
        }
    }

    fn chunk(&self, at: usize) -> Option<(u64, u64)> {
        match self {
            Self::Run { start, duration, count, .. } => {
                (at < *count).then(|| (start + duration * at as u64, *duration))
            }
            Self::List { chunks, .. } => chunks.get(at).copied(),
        }
    }

    /// Iterates over a run as a whole, or over each chunk of a list, with the first and the last
    /// chunk of each.
    fn pieces(&self) -> impl Iterator<Item = ((u64, u64), (u64, u64))> + '_ {
        let count = match self {
            Self::Run { .. } => 1,
            Self::List { chunks, .. } => chunks.len(),
        };
        let last = self.len() - count;
        (0..count).filter_map(move |at| Some((self.chunk(at)?, self.chunk(at + last)?)))
    }

    fn at_or_before(&self, time: u64) -> Option<usize> {
        match self {
            Self::Run { start, duration, count, .. } => {
                let ticks = time.checked_sub(*start)?;
                // Chunks without a duration start all at once: the first is found.
                let at = ticks.checked_div(*duration).unwrap_or(0);
                Some(usize::try_from(at).unwrap_or(usize::MAX).min(count - 1))
            }
            Self::List { mean, chunks, .. } => last_at_or_before(chunks, *mean, time),
        }
    }
}

/// The last of some ascending starts that is no later than `time`: a guess from the mean
/// distance, steps of growing width away from it, and a search between the last two.
fn last_at_or_before(chunks: &[(u64, u64)], mean: u64, time: u64) -> Option<usize> {
    let ticks = time.checked_sub(chunks.first()?.0)?;
    let guess = usize::try_from(ticks.checked_div(mean)?).unwrap_or(usize::MAX);
    let guess = guess.min(chunks.len() - 1);
    let (mut low, mut high, mut width) = (guess, guess, 1);
    while chunks[low].0 > time {
        high = low;
        low = low.saturating_sub(width);
        width *= 2;
    }
    while high < chunks.len() && chunks[high].0 <= time {
        low = high;
        high += width;
        width *= 2;
    }
    let high = high.min(chunks.len());
    Some(low + chunks[low..high].partition_point(|chunk| chunk.0 <= time) - 1)
}

/// Returns the last time that is the same double as this one; `None` if each time has a double of
/// its own.
fn last_of_double(time: u64) -> Option<u64> {
    const FIRST_THAT_IS_SHARED: u64 = 1 << f64::MANTISSA_DIGITS;
    if time < FIRST_THAT_IS_SHARED {
        return None;
    }
    let double = time as f64;
    // Both are whole numbers of at most 65 bits.
    let middle = (double as u128).midpoint(double.next_up() as u128);
    // The middle is rounded to one of its neighbours.
    let last = if middle as f64 == double { middle } else { middle - 1 };
    Some(u64::try_from(last).unwrap_or(u64::MAX))
}

/// How far two statements of one time may differ, in ticks of `of`, when the other is in ticks of
/// `other`: 3 ticks of 100 ns, which producers lose by rounding, or one tick of the coarser.
pub(crate) fn tolerance(of: Timescale, other: Timescale) -> u64 {
    let lost = Timescale::SMOOTH.rescale_floor(3, of).unwrap_or(3);
    lost.max(of.get().div_ceil(other.get()))
}

/// Puts runs into blocks, and blocks into ascents.
#[derive(Default)]
struct Builder {
    blocks: Vec<Block>,
    ascents: Vec<Range<usize>>,
    list: Vec<(u64, u64)>,
    /// Chunks at the end of the list, each of which begins where the one before it ends, and is as
    /// long.
    alike: usize,
    /// Start of the last chunk.
    last: Option<u64>,
    len: usize,
}

impl Builder {
    fn push(&mut self, start: u64, duration: u64, count: usize) {
        if self.last.is_some_and(|last| start <= last) {
            self.end_ascent();
        }
        self.last = Some(start + duration * (count as u64 - 1));
        if self.list.is_empty() && self.extend_run(start, duration, count) {
            return;
        }
        // Chunks that start all at once are a run, however few: the first is to be found.
        if count >= SHORTEST_RUN || (duration == 0 && count > 1) {
            self.end_list();
            self.push_run(start, duration, count);
            return;
        }
        for at in 0..count as u64 {
            self.push_chunk(start + duration * at, duration);
        }
    }

    fn push_run(&mut self, start: u64, duration: u64, count: usize) {
        self.blocks.push(Block::Run { first: self.len, start, duration, count });
        self.len += count;
    }

    /// Adds chunks that go on as the run before them.
    fn extend_run(&mut self, start: u64, duration: u64, more: usize) -> bool {
        let Some(Block::Run { start: first, duration: each, count, .. }) = self.blocks.last_mut()
        else {
            return false;
        };
        let end = each.checked_mul(*count as u64).and_then(|len| first.checked_add(len));
        let goes_on = duration > 0 && *each == duration && end == Some(start);
        if goes_on {
            *count += more;
            self.len += more;
        }
        goes_on
    }

    fn push_chunk(&mut self, start: u64, duration: u64) {
        if self.list.is_empty() && self.extend_run(start, duration, 1) {
            return;
        }
        let is_alike = self.list.last().is_some_and(|&(before, each)| {
            each == duration && before.checked_add(each) == Some(start)
        });
        self.alike = if is_alike { self.alike + 1 } else { 1 };
        self.list.push((start, duration));
        self.len += 1;
        if self.alike == SHORTEST_RUN {
            let first = self.list.len() - SHORTEST_RUN;
            let (start, duration) = self.list[first];
            self.list.truncate(first);
            self.len -= SHORTEST_RUN;
            self.end_list();
            self.push_run(start, duration, SHORTEST_RUN);
        } else if self.list.len() == LONGEST_LIST {
            self.end_list();
        }
    }

    fn end_list(&mut self) {
        self.alike = 0;
        let chunks: Box<[(u64, u64)]> = self.list.as_slice().into();
        self.list.clear();
        if let (Some(&(first, _)), Some(&(last, duration))) = (chunks.first(), chunks.last()) {
            let mean = match chunks.len() {
                1 => duration,
                len => (last - first) / (len as u64 - 1),
            };
            let first = self.len - chunks.len();
            self.blocks.push(Block::List { first, mean: mean.max(1), chunks });
        }
    }

    fn end_ascent(&mut self) {
        self.end_list();
        let start = self.ascents.last().map_or(0, |ascent| ascent.end);
        if start < self.blocks.len() {
            self.ascents.push(start..self.blocks.len());
        }
    }

    fn check(&self, limits: &Limits) -> Result<(), Error> {
        let (found, limit) = (self.ascents.len() as u64, limits.backward_steps as u64);
        if found > limit {
            let what = "steps backwards in the times of a stream";
            return Err(ErrorKind::Budget { what, found, limit }.into());
        }
        Ok(())
    }

    fn finish(mut self) -> Timeline {
        self.end_ascent();
        Timeline { blocks: self.blocks.into(), ascents: self.ascents.into(), len: self.len }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::manifest::Chunk;

    /// Runs of (start, duration, count).
    fn timeline(runs: &[(u64, u64, u64)]) -> Result<Timeline, Error> {
        let chunk = |&(start, duration, count): &(u64, u64, u64)| Chunk {
            time: Some(start),
            duration: Some(duration),
            repeat: NonZeroU64::new(count),
            ..Chunk::default()
        };
        Timeline::new(&runs.iter().map(chunk).collect::<Vec<_>>(), &Limits::default())
    }

    /// Starts of 44.1 kHz audio in fragments of 93 samples, rounded one by one.
    fn audio(count: u64) -> Vec<(u64, u64, u64)> {
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

    /// A model that compares every start.
    fn model(timeline: &Timeline, time: u64) -> Option<usize> {
        let starts: Vec<u64> = timeline.iter().map(|chunk| chunk.0).collect();
        let alike = |start: u64| start as f64 == time as f64 && time >= 1 << 53;
        let mut found: Vec<u64> = starts.iter().copied().filter(|&start| alike(start)).collect();
        found.sort_unstable();
        found.dedup();
        match found[..] {
            [only] => starts.iter().position(|&start| start == only),
            _ => None,
        }
    }

    #[test]
    fn the_last_time_of_a_double_is_the_last() {
        assert_eq!(last_of_double((1 << 53) - 1), None);
        for bit in 53..64 {
            let power = 1_u64 << bit;
            for time in (power - 3000..power.saturating_add(3000)).step_by(7) {
                let Some(last) = last_of_double(time) else { continue };
                assert!(last >= time && last as f64 == time as f64, "{time}");
                let next = last.checked_add(1);
                assert!(next.is_none_or(|next| next as f64 > time as f64), "{time}");
            }
        }
        assert_eq!(last_of_double(u64::MAX - 1024), Some(u64::MAX - 1024));
        assert_eq!(last_of_double(u64::MAX - 1023), Some(u64::MAX));
    }

    proptest::proptest! {
        #[test]
        fn the_chunk_of_a_double_is_found_as_by_a_look_at_every_start(
            base in 53_u32..64,
            runs in proptest::collection::vec((0_u64..6000, 0_u64..9, 1_u64..40), 1..8),
            steps in proptest::collection::vec(0_u64..6000, 1..40),
        ) {
            let base = (1_u64 << base) - 3000;
            let runs: Vec<_> = runs.iter().map(|run| (base + run.0, run.1 * run.1 * run.1, run.2)).collect();
            let timeline = timeline(&runs).unwrap();
            let starts = timeline.iter().map(|chunk| chunk.0);
            let asked = starts.flat_map(|start| [start, start - 1, start + 1, start as f64 as u64]);
            for time in asked.chain(steps.iter().map(|step| base + step)) {
                let (found, expected) = (timeline.locate_double(time), model(&timeline, time));
                if expected.is_some() || time < 1 << 53 {
                    assert_eq!(found, expected, "{time} in {runs:?}");
                } else if let Some((number, start)) =
                    found.and_then(|number| Some((number, timeline.chunk(number)?.0)))
                {
                    let step = (time as f64).next_up() - time as f64;
                    let most = step as u64 / 2 * (number as u64 + 1);
                    assert!(start.abs_diff(time as f64 as u64) <= most, "{time} in {runs:?} gives {start}");
                    assert!(timeline.iter().all(|other| other.0 as f64 != time as f64));
                }
            }
        }
    }

    #[test]
    fn starts_that_are_added_up_in_doubles_are_found() {
        let aac = |i: u64| i * 94 * 1024 * 10_000_000 / 48_000;
        let durations: [fn(u64) -> u64; 4] =
            [|i| 20_053_333 + i % 3 / 2, |_| 20_000_001, |_| 21_333_333, |i| 9_999_999 + i % 7];
        for first in [15_966_717_588_930_000_u64, 17_959_968_061_234_567, (1 << 54) + 1] {
            for duration in durations {
                let (mut start, mut sum, mut runs, mut sums) =
                    (first, first as f64, vec![], vec![]);
                for i in 0..5400 {
                    runs.push((start, duration(i), 1));
                    sums.push(sum);
                    start += duration(i);
                    sum += duration(i) as f64;
                }
                let timeline = timeline(&runs).unwrap();
                for (number, sum) in sums.iter().enumerate() {
                    // As JavaScript writes it.
                    let time = sum.to_string().parse().unwrap();
                    assert_eq!(timeline.locate_double(time), Some(number), "{first}");
                }
            }
        }
        // The first start is rounded once, the second twice; times that no player writes find
        // nothing.
        let chunks = [(17_959_968_061_234_567, 20_053_333, 1), (17_959_968_081_287_900, aac(1), 1)];
        let timeline = timeline(&chunks).unwrap();
        for (time, expected) in [
            (17_959_968_061_234_566, None),
            (17_959_968_061_234_570, None),
            (17_959_968_081_287_898, Some(1)),
            (17_959_968_081_287_902, Some(1)),
            (17_959_968_081_287_896, None),
            (17_959_968_081_287_904, None),
        ] {
            assert_eq!(timeline.locate_double(time), expected, "{time}");
        }
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

    #[test]
    fn claims_meet_their_budgets() {
        let error = timeline(&[(0, 1, 16_777_217)]).unwrap_err();
        assert!(error.to_string().contains("chunks of a stream: 16777217 is more"));
        assert!(timeline(&[(0, 0, u64::MAX), (0, 0, u64::MAX)]).is_err());
        let back: Vec<_> = (0..70).rev().map(|start| (start, 1, 1)).collect();
        assert!(timeline(&back).unwrap_err().to_string().contains("steps backwards"));
        let million = timeline(&[(0, 1, 1_000_000)]).unwrap();
        assert!(million.memory() < 200);
    }

    #[test]
    fn equal_chunks_are_a_run_however_they_are_written() {
        let each = |runs: &[(u64, u64, u64)]| -> Vec<(u64, u64, u64)> {
            let chunk = |run: &(u64, u64, u64)| {
                let (start, duration) = (run.0, run.1);
                (0..run.2).map(move |at| (start + duration * at, duration, 1)).collect::<Vec<_>>()
            };
            runs.iter().flat_map(chunk).collect()
        };
        for (runs, blocks) in [
            (vec![(7, 20, 1000)], 1),
            // Too few are listed, alone or beside others.
            (vec![(0, 20, 15)], 1),
            (vec![(0, 20, 5), (100, 7, 15), (205, 9, 5)], 1),
            (vec![(0, 20, 5), (100, 7, 16), (212, 9, 5)], 3),
            // The same duration after a gap is another run, and so is one that steps back.
            (vec![(0, 20, 100), (2001, 20, 100)], 2),
            (vec![(0, 20, 100), (1000, 20, 100)], 2),
        ] {
            let (written, short) = (timeline(&each(&runs)).unwrap(), timeline(&runs).unwrap());
            assert_eq!(written.blocks.len(), blocks, "{runs:?}");
            assert!(written.iter().eq(short.iter()) && written.len() == short.len());
            for (number, (start, duration)) in written.iter().enumerate() {
                assert_eq!(written.chunk(number), Some((start, duration)));
                let found = written.locate(start).map(|found| written.chunk(found).unwrap().0);
                assert_eq!(found, Some(start));
                assert!(written.locate(start + 1).is_none() || duration == 1);
            }
        }
        let mixed = timeline(&[(0, 20, 10), (200, 20, 90), (2000, 20, 1)]).unwrap();
        assert_eq!((mixed.len(), mixed.locate(2000)), (101, Some(100)));
    }

    #[test]
    fn a_chunk_takes_no_more_than_sixteen_bytes_and_what_lies_beside_its_list() {
        let alternating: Vec<_> =
            (0..500).flat_map(|i| [(i * 1000, 10, 16), (i * 1000 + 500, 3, 1)]).collect();
        for runs in [audio(5400), alternating] {
            let timeline = timeline(&runs).unwrap();
            let per_chunk = timeline.memory() as f64 / timeline.len() as f64;
            assert!(per_chunk <= 16.3, "{per_chunk}");
        }
    }
}
