//! Fragments of a track that grows at its end and loses its beginning.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{BLOCK, Fragments, Run, Slot, bounded, pack};
use crate::fragment::Lengths;

impl Slot {
    fn copied(&self) -> Self {
        let state = AtomicU64::new(self.state.load(Ordering::Relaxed));
        Self { start: self.start, state }
    }
}

impl Fragments {
    /// Adds the fragment of a chunk behind all others. The last block is copied, and no other one:
    /// clones that were made before share them, and do not see the new fragment.
    ///
    /// Set `is_known` if the fragment is served with these lengths. Else it is looked at when it is
    /// first asked for.
    pub(crate) fn push(&mut self, chunk: usize, start: u64, lengths: Lengths, is_known: bool) {
        let known = if is_known { pack(lengths) } else { None };
        let state = known.unwrap_or_else(|| bounded(lengths.len, lengths.len));
        let slot = Slot { start, state: AtomicU64::new(state) };
        let end = self.runs.last().map_or(0, |run| run.slot + run.len);
        match self.blocks.last_mut().filter(|_| !end.is_multiple_of(BLOCK)) {
            Some(last) => *last = last.iter().map(Slot::copied).chain([slot]).collect(),
            None => push(&mut self.blocks, Arc::from([slot])),
        }
        match self.runs.last_mut() {
            Some(run) if run.chunk + run.len == chunk => run.len += 1,
            _ => push(&mut self.runs, Run { chunk, slot: end, len: 1 }),
        }
        self.len += 1;
    }

    /// Drops the fragments of the first `count` chunks, and counts chunks from the one behind them. No
    /// block is copied: the first may keep slots that nothing leads to.
    pub(crate) fn drop_chunks(&mut self, count: usize) {
        let left = |run: &Run| {
            let gone = count.saturating_sub(run.chunk).min(run.len);
            let chunk = (run.chunk + gone).saturating_sub(count);
            Run { chunk, slot: run.slot + gone, len: run.len - gone }
        };
        let mut runs: Vec<Run> = self.runs.iter().map(left).filter(|run| run.len > 0).collect();
        let blocks = match runs.first() {
            Some(first) => first.slot / BLOCK,
            None => self.blocks.len(),
        };
        if blocks > 0 {
            self.blocks = self.blocks[blocks..].into();
            runs.iter_mut().for_each(|run| run.slot -= blocks * BLOCK);
        }
        self.len = runs.iter().map(|run| run.len).sum();
        self.runs = runs.into();
    }

    /// Returns the first byte of the first fragment.
    pub(crate) fn first_start(&self) -> Option<u64> {
        let slot = self.runs.first()?.slot;
        Some(self.blocks.get(slot / BLOCK)?.get(slot % BLOCK)?.start)
    }

    /// Returns the bytes of the blocks that it does not share with another track.
    #[cfg(test)]
    pub(crate) fn bytes_apart_from(&self, other: &Self) -> usize {
        let is_shared = |block: &Arc<[Slot]>| other.blocks.iter().any(|of| Arc::ptr_eq(of, block));
        let own = self.blocks.iter().filter(|block| !is_shared(block));
        own.map(|block| size_of_val(&**block)).sum()
    }
}

/// Adds an item at the end of a list without room for more.
fn push<T>(list: &mut Box<[T]>, item: T) {
    let mut items = std::mem::take(list).into_vec();
    items.reserve_exact(1);
    items.push(item);
    *list = items.into();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Place;

    fn lengths(chunk: usize) -> Lengths {
        Lengths { moof: 100, payload: 108, len: 200 + chunk as u64 }
    }

    fn start(chunk: usize) -> u64 {
        1000 * (chunk as u64 + 1)
    }

    fn grown(chunks: impl IntoIterator<Item = usize>) -> Fragments {
        let mut grown = Fragments::default();
        chunks.into_iter().for_each(|at| grown.push(at, start(at), lengths(at), true));
        grown
    }

    /// The chunk that was number `at` before `dropped` chunks were dropped.
    fn assert_there(found: &Fragments, at: usize, dropped: usize) {
        let (start, lengths) = (start(at), lengths(at));
        assert_eq!(found.place(at - dropped), Some(Place::Known { start, lengths }), "{at}");
        assert_eq!(found.chunk_at(start + 5), Some(at - dropped));
    }

    #[test]
    fn fragments_that_are_added_are_found_and_older_clones_stay_as_they_were() {
        let chunks: Vec<usize> = (0..3 * BLOCK).filter(|at| at % 100 != 7).collect();
        let (mut grown, mut older) = (Fragments::default(), Vec::new());
        for &at in &chunks {
            older.push(grown.clone());
            grown.push(at, start(at), lengths(at), true);
            let before = older.last().unwrap();
            assert!(grown.bytes_apart_from(before) <= BLOCK * size_of::<Slot>());
            assert_eq!((grown.last_chunk(), before.place(at)), (Some(at), None));
        }
        chunks.iter().for_each(|&at| assert_there(&grown, at, 0));
        assert_eq!((grown.len(), grown.place(7), grown.place(107)), (chunks.len(), None, None));
        for (count, older) in older.iter().enumerate() {
            assert_eq!(older.len(), count);
            assert_eq!(older.last_chunk(), count.checked_sub(1).map(|last| chunks[last]));
        }
        assert_eq!(grown.memory(), Fragments::new(chunks.iter().map(|&at| indexed(at))).memory());
    }

    fn indexed(at: usize) -> (usize, crate::index::Indexed) {
        let start = start(at);
        (at, crate::index::Indexed { time: 0, start, bound: start + lengths(at).len })
    }

    #[test]
    fn the_first_chunks_are_dropped_and_the_others_are_counted_anew() {
        for step in [1, 3, 100, BLOCK, BLOCK + 1] {
            let has = |at: usize| at % 50 != 20;
            let mut grown = grown((0..1000).filter(|&at| has(at)));
            for dropped in (step..1000).step_by(step) {
                let before = grown.clone();
                grown.drop_chunks(step);
                assert_eq!(grown.bytes_apart_from(&before), 0);
                assert_eq!(grown.len(), (dropped..1000).filter(|&at| has(at)).count());
                let first = (dropped..1000).find(|&at| has(at));
                assert_eq!(grown.first_start(), first.map(start));
                for at in (dropped..1000).step_by(17).filter(|&at| has(at)) {
                    assert_there(&grown, at, dropped);
                }
                assert_eq!(grown.chunk_at(start(dropped - 1) + 5), None);
                assert!(grown.memory() <= grown.len() * 16 + 2 * BLOCK * 16 + 30 * 40);
            }
        }
    }

    #[test]
    fn a_track_goes_on_after_all_its_chunks_were_dropped() {
        let mut grown = grown(0..300);
        grown.drop_chunks(300);
        assert_eq!((grown.len(), grown.last_chunk(), grown.first_start()), (0, None, None));
        // A gap of two chunks.
        grown.drop_chunks(2);
        for at in 302..700 {
            grown.push(at - 302, start(at), lengths(at), true);
        }
        grown.drop_chunks(1);
        (303..700).for_each(|at| assert_there(&grown, at, 303));
    }

    #[test]
    fn a_fragment_that_is_not_served_as_it_is_stored_is_looked_at() {
        let mut grown = Fragments::default();
        grown.push(0, 40, lengths(0), false);
        assert_eq!(grown.place(0), Some(Place::Bounded { start: 40, bound: 240 }));
        let long = Lengths { moof: 1 << 26, payload: (1 << 26) + 8, len: 1 << 27 };
        grown.push(1, 240, long, true);
        assert_eq!(grown.place(1), Some(Place::Bounded { start: 240, bound: 240 + (1 << 27) }));
    }
}
