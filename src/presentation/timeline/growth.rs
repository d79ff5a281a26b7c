//! Timelines that lose their beginning or their end.

use std::sync::Arc;

use super::Timeline;
use super::block::Block;

impl Timeline {
    /// Returns a timeline without the first `count` chunks, which counts from the one behind them. The
    /// two share their memory, except for the first few hundred chunks.
    pub(crate) fn without_first(&self, count: usize) -> Self {
        let is_left = |block: &&Block| block.first() + block.len() > count;
        let blocks: Box<[Block]> =
            self.blocks.iter().filter(is_left).map(|of| of.behind(count)).collect();
        let dropped = self.blocks.len() - blocks.len();
        let left = |ascent: &std::ops::Range<usize>| {
            ascent.start.saturating_sub(dropped)..ascent.end.saturating_sub(dropped)
        };
        let ascents = self.ascents.iter().map(left).filter(|ascent| !ascent.is_empty());
        Self { blocks, ascents: ascents.collect(), len: self.len.saturating_sub(count) }
    }

    /// Returns a timeline of the first `count` chunks. The two share their memory, except for the last few
    /// hundred chunks.
    pub(crate) fn with_first(&self, count: usize) -> Self {
        let is_left = |block: &&Block| block.first() < count;
        let blocks: Box<[Block]> =
            self.blocks.iter().filter(is_left).map(|of| of.before(count)).collect();
        let left =
            |of: &std::ops::Range<usize>| of.start.min(blocks.len())..of.end.min(blocks.len());
        let ascents = self.ascents.iter().map(left).filter(|ascent| !ascent.is_empty());
        Self { ascents: ascents.collect(), len: self.len.min(count), blocks }
    }

    /// Returns the chunks that overlap a stretch of time: all from the first one that does to the last.
    pub(crate) fn overlapping(&self, from: u64, to: u64) -> std::ops::Range<usize> {
        let is_behind = |&(start, duration): &(u64, u64)| start.saturating_add(duration) > from;
        let first = match self.steps_back() {
            true => self.iter().position(|of| is_behind(&of)).unwrap_or(self.len),
            false => self.first_ending_after(from),
        };
        let is_before = |number: usize| self.chunk(number).is_some_and(|(start, _)| start < to);
        let count = match (self.steps_back(), &*self.ascents) {
            (false, [ascent]) => {
                let last = self.at_or_before(ascent, to).map_or(0, |(number, _)| number);
                if is_before(last) { last + 1 } else { last }
            }
            _ => {
                let before = self.iter().enumerate().filter(|(_, (start, _))| *start < to);
                before.last().map_or(0, |(number, _)| number + 1)
            }
        };
        first.min(count)..count
    }

    /// Returns the last chunk, with its number.
    #[cfg_attr(not(feature = "live"), allow(dead_code, reason = "only events grow"))]
    pub(crate) fn last(&self) -> Option<(usize, (u64, u64))> {
        let last = self.len.checked_sub(1)?;
        Some((last, self.chunk(last)?))
    }

    /// Returns the number of the first chunk of a timeline without steps back that ends after a time;
    /// the number of all chunks if there is none.
    pub(crate) fn first_ending_after(&self, time: u64) -> usize {
        let [ascent] = &*self.ascents else { return 0 };
        let ends_before = |number: usize| {
            let chunk = self.chunk(number);
            chunk.is_some_and(|(start, duration)| start.saturating_add(duration) <= time)
        };
        // Chunks overlap by roundings at most: a few steps are enough.
        let mut number = self.at_or_before(ascent, time).map_or(0, |(number, _)| number);
        while ends_before(number) {
            number += 1;
        }
        while number.checked_sub(1).is_some_and(|before| !ends_before(before)) {
            number -= 1;
        }
        number
    }

    /// Returns the bytes of the lists that it does not share with another timeline.
    #[cfg(test)]
    pub(crate) fn bytes_apart_from(&self, other: &Self) -> usize {
        let list = |block: &Block| match block {
            Block::List { chunks, .. } => Some(Arc::clone(chunks)),
            Block::Run { .. } => None,
        };
        let known: Vec<_> = other.blocks.iter().filter_map(list).collect();
        let own = self.blocks.iter().filter_map(list);
        let own = own.filter(|list| !known.iter().any(|of| Arc::ptr_eq(of, list)));
        own.map(|list| size_of_val(&*list)).sum()
    }
}

impl Block {
    /// Returns what is left of it if its timeline has only the first `count` chunks, one of which is in it.
    fn before(&self, count: usize) -> Self {
        let left = count.saturating_sub(self.first()).min(self.len());
        match self {
            Self::Run { first, start, duration, .. } => {
                Self::Run { first: *first, start: *start, duration: *duration, count: left }
            }
            Self::List { first, mean, chunks } => Self::List {
                first: *first,
                mean: *mean,
                chunks: match left == chunks.len() {
                    true => Arc::clone(chunks),
                    false => chunks[..left].into(),
                },
            },
        }
    }

    /// Returns what is left of it without the first `count` chunks of its timeline.
    fn behind(&self, count: usize) -> Self {
        let gone = count.saturating_sub(self.first());
        let left = self.first().saturating_sub(count);
        match self {
            Self::Run { start, duration, count, .. } => Self::Run {
                first: left,
                // A chunk of the run starts then.
                start: start + duration * gone as u64,
                duration: *duration,
                count: count - gone,
            },
            Self::List { mean, chunks, .. } => Self::List {
                first: left,
                mean: *mean,
                chunks: match gone {
                    0 => Arc::clone(chunks),
                    gone => chunks[gone..].into(),
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{audio, timeline};
    use crate::base::{Limits, Run};

    #[test]
    fn what_is_left_is_found_as_before() {
        let mixed: Vec<_> = (0..40)
            .flat_map(|i| {
                [(i * 10_000, 20, 200), (i * 10_000 + 5000, 7, 3), (i * 10_000 + 6000, 9, 1)]
            })
            .collect();
        for runs in [vec![(5, 20, 1000)], audio(1000), mixed, vec![(0, 0, 20), (9, 1, 5)]] {
            let whole = timeline(&runs).unwrap();
            let chunks: Vec<_> = whole.iter().collect();
            for count in
                [0, 1, 15, 16, 17, 255, 256, 257, 999, chunks.len() - 1, chunks.len(), 10_000]
            {
                let left = whole.without_first(count);
                let expected = chunks.get(count..).unwrap_or_default();
                assert!(left.iter().eq(expected.iter().copied()), "{count}");
                assert_eq!(left.len(), expected.len());
                for (number, &(start, duration)) in expected.iter().enumerate() {
                    assert_eq!(left.chunk(number), Some((start, duration)));
                    let found = left.locate(start).and_then(|found| expected.get(found));
                    assert_eq!(found.map(|chunk| chunk.0), Some(start));
                }
                assert_eq!(left.last().map(|(_, chunk)| chunk), expected.last().copied());
                assert!(left.bytes_apart_from(&whole) <= 256 * 16);
            }
        }
    }

    #[test]
    fn a_window_moves_over_a_timeline_that_grows() {
        let limits = Limits::default();
        let runs = audio(2000);
        let mut moving = timeline(&runs[..50]).unwrap();
        for next in 50..runs.len() {
            let (start, duration, count) = runs[next];
            let run = Run { start, duration, count: std::num::NonZeroU64::new(count).unwrap() };
            let before = moving.clone();
            moving = moving.extended([run], &limits).unwrap().without_first(1);
            assert!(moving.bytes_apart_from(&before) <= 2 * 256 * 16);
            assert_eq!((moving.len(), moving.chunk(0).unwrap().0), (50, runs[next - 49].0));
            assert_eq!(moving.locate(start), Some(49));
            assert!(moving.memory() < 4000);
        }
    }

    #[test]
    fn the_first_chunk_of_a_window_is_the_one_that_ends_in_it() {
        let found = timeline(&[(100, 20, 3), (200, 5, 20), (400, 5, 1)]).unwrap();
        for (time, number) in [
            (0, 0),
            (119, 0),
            (120, 1),
            (121, 1),
            (160, 3),
            (190, 3),
            (204, 3),
            (205, 4),
            (404, 23),
            (405, 24),
        ] {
            assert_eq!(found.first_ending_after(time), number, "{time}");
        }
        assert_eq!(timeline(&[]).unwrap().first_ending_after(5), 0);
        let overlapping = timeline(&[(0, 30, 1), (20, 30, 1), (40, 30, 1)]).unwrap();
        assert_eq!([29, 30, 49, 50].map(|time| overlapping.first_ending_after(time)), [0, 1, 1, 2]);
    }
}
