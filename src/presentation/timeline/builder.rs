//! Putting the chunks of a stream into the blocks of a timeline.

use std::ops::Range;
use std::sync::Arc;

use super::Timeline;
use super::block::Block;
use crate::base::{Error, ErrorKind, Limits, Run};

/// Shorter runs are listed: a block of its own would take more.
const SHORTEST_RUN: usize = 16;

/// Longer lists are several: pieces of memory of one moderate size fit where others were given back.
const LONGEST_LIST: usize = 256;

/// Puts runs into blocks, and blocks into ascents.
#[derive(Default)]
pub(super) struct Builder {
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
    /// Starts behind the last chunk of a timeline.
    pub(super) fn going_on(timeline: &Timeline) -> Self {
        let (mut blocks, mut ascents) = (timeline.blocks.to_vec(), timeline.ascents.to_vec());
        let last = timeline.len.checked_sub(1).and_then(|last| timeline.chunk(last));
        // The last ascent is open, and so is the last list if it has room.
        ascents.pop();
        let open = |block: &mut Block| block.is_list() && block.len() < LONGEST_LIST;
        let list = match blocks.pop_if(open) {
            Some(Block::List { chunks, .. }) => chunks.to_vec(),
            _ => Vec::new(),
        };
        let goes_on = |pair: &[(u64, u64)]| {
            pair[0].1 == pair[1].1 && pair[0].0.checked_add(pair[0].1) == Some(pair[1].0)
        };
        let alike = list.windows(2).rev().take_while(|pair| goes_on(pair)).count();
        let alike = if list.is_empty() { 0 } else { alike + 1 };
        Self { blocks, ascents, list, alike, last: last.map(|chunk| chunk.0), len: timeline.len }
    }

    /// Adds runs, and makes a timeline of all.
    pub(super) fn build(
        mut self,
        runs: impl Iterator<Item = Result<Run, Error>>,
        limits: &Limits,
    ) -> Result<Timeline, Error> {
        for run in runs {
            let run = run?;
            if run.checked_end().is_none() {
                let (what, clause) = ("a time beyond 64 bits".into(), "[MS-SSTR] 2.2.2.6");
                return Err(ErrorKind::Invalid { what, clause }.into());
            }
            let found = (self.len as u64).saturating_add(run.count.get());
            // No more than a `usize` can count.
            let limit = limits.chunks.min(usize::MAX as u64);
            Limits::check("chunks of a stream", found, limit)?;
            self.push(run.start, run.duration, run.count.get() as usize);
            self.check(limits)?;
        }
        Ok(self.finish())
    }

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
        let chunks: Arc<[(u64, u64)]> = self.list.as_slice().into();
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
        Ok(Limits::check("steps backwards in the times of a stream", found, limit)?)
    }

    fn finish(mut self) -> Timeline {
        self.end_ascent();
        Timeline { blocks: self.blocks.into(), ascents: self.ascents.into(), len: self.len }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{audio, timeline};
    use super::*;

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

    fn run(&(start, duration, count): &(u64, u64, u64)) -> Run {
        Run { start, duration, count: std::num::NonZeroU64::new(count).unwrap() }
    }

    proptest::proptest! {
        #[test]
        fn a_timeline_that_is_extended_is_one_that_was_made_at_once(
            runs in proptest::collection::vec((0_u64..9, 0_u64..4, 1_u64..40), 1..60),
            first in 0_usize..60,
            steps_back in 0_u64..2,
        ) {
            let mut next = 1000;
            let runs: Vec<Run> = runs
                .iter()
                .map(|&(gap, duration, count)| {
                    let start = next + gap / 6 - steps_back * (gap / 8);
                    next = start + duration * count;
                    run(&(start, duration, count))
                })
                .collect();
            let (before, after) = runs.split_at(first.min(runs.len()));
            let limits = Limits { backward_steps: 1000, ..Limits::default() };
            let whole = Timeline::from_runs(runs.clone(), &limits).unwrap();
            let part = Timeline::from_runs(before.to_vec(), &limits).unwrap();
            let extended = part.extended(after.to_vec(), &limits).unwrap();
            assert!(extended.iter().eq(whole.iter()) && extended.len() == whole.len());
            assert_eq!(extended.ascents, whole.ascents);
            assert_eq!(extended.memory(), whole.memory());
            for (start, _) in whole.iter() {
                assert_eq!(extended.locate(start), whole.locate(start));
            }
        }
    }

    #[test]
    fn an_extended_timeline_shares_all_full_lists() {
        let chunks = audio(1000);
        let part = timeline(&chunks[..900]).unwrap();
        let limits = Limits::default();
        let whole = part.extended(chunks[900..].iter().map(run), &limits).unwrap();
        let lists = |timeline: &Timeline| -> Vec<*const (u64, u64)> {
            let of = |block: &Block| match block {
                Block::List { chunks, .. } => chunks.as_ptr(),
                Block::Run { .. } => panic!("no two of these chunks are equal"),
            };
            timeline.blocks.iter().map(of).collect()
        };
        let (old, new) = (lists(&part), lists(&whole));
        assert_eq!((old.len(), new.len()), (4, 4));
        assert_eq!(old[..3], new[..3]);
        let beyond = Run { start: u64::MAX, ..run(&(0, 1, 1)) };
        assert!(part.extended([beyond], &limits).is_err());
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
            assert!(per_chunk <= 16.35, "{per_chunk}");
        }
    }
}
