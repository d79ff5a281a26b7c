//! The positions of the fragments of an opened track: sixteen bytes each, however long the track.

#[cfg(feature = "live")]
mod growth;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Indexed;
use crate::base::{piece, shared_piece};
use crate::fragment::Lengths;

/// The fragments of a track that its stream's chunks name.
///
/// Lengths that a fragment's first use finds out are kept in place: every writer writes the same
/// value, so that readers need no lock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fragments {
    /// In blocks of [`BLOCK`], of which the last may be shorter. Clones share them.
    blocks: Box<[Arc<[Slot]>]>,
    len: usize,
    /// Chunks that have a fragment, as runs in ascending order.
    runs: Box<[Run]>,
}

/// Pieces of memory of one moderate size fit where others were given back: 4 KiB, however long the
/// track.
const BLOCK: usize = 256;

#[derive(Debug)]
struct Slot {
    start: u64,
    /// See [`Place`].
    state: AtomicU64,
}

/// `len` chunks from number `chunk` have the slots from number `slot`.
#[derive(Clone, Copy, Debug)]
struct Run {
    chunk: usize,
    slot: usize,
    len: usize,
}

/// The position of a fragment, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It begins at `start` and ends before `bound`.
    Bounded {
        /// First byte of its `moof`.
        start: u64,
        /// First byte of something else.
        bound: u64,
    },
    /// It has been looked at.
    Known {
        /// First byte of its `moof`.
        start: u64,
        /// Lengths that were found.
        lengths: Lengths,
    },
    /// It has been looked at, and is not what the index says.
    Broken {
        /// First byte of what should be its `moof`.
        start: u64,
        /// False when it is the one that is meant, but cannot be cut out of its file.
        sliceable: bool,
    },
}

/// Bits of a state: two that say what it is, then what that is.
const KIND: u64 = 0b11 << 62;
const BOUNDED: u64 = 0b00 << 62;
const KNOWN: u64 = 0b01 << 62;
const BROKEN: u64 = 0b10 << 62;
/// Bounded, and with bytes that are those of other tracks. It has 32 bits for its bytes up to the bound,
/// and 30 for those of its own.
const SHARED: u64 = 0b11 << 62;
const OWN_BITS: u32 = 30;
/// A known state has 36 bits of length, 25 of the `moof`'s, and one for an `mdat` of 64-bit size.
const LEN_BITS: u32 = 36;
const MOOF_BITS: u32 = 25;

/// `None` where the lengths do not fit: the fragment is then looked at each time.
fn pack(lengths: Lengths) -> Option<u64> {
    let Lengths { moof, payload, len } = lengths;
    let large = match payload.checked_sub(moof)? {
        8 => 0,
        16 => 1,
        // No `mdat`: the fragment is as long as its `moof`, which it is in no other case.
        0 if len == moof => 0,
        _ => return None,
    };
    let fits = len < 1 << LEN_BITS && moof < 1 << MOOF_BITS;
    fits.then_some(KNOWN | len << (MOOF_BITS + 1) | moof << 1 | large)
}

fn unpack(state: u64) -> Lengths {
    let moof = state >> 1 & ((1 << MOOF_BITS) - 1);
    let len = (state & !KIND) >> (MOOF_BITS + 1);
    let header = if state & 1 == 0 { 8 } else { 16 };
    let payload = if len == moof { moof } else { moof + header };
    Lengths { moof, payload, len }
}

impl Slot {
    /// Returns the bytes of the fragment: up to its bound if it was not looked at, and `None` if it is
    /// broken.
    fn size(&self) -> Option<u64> {
        let state = self.state.load(Ordering::Relaxed);
        match state & KIND {
            KNOWN => Some(unpack(state).len),
            BROKEN => None,
            SHARED => Some((state & !KIND) >> OWN_BITS),
            _ => Some(state & !KIND),
        }
    }

    /// Returns the same, without the bytes of other tracks.
    #[cfg(any(feature = "dash", feature = "hls"))]
    fn own(&self) -> Option<u64> {
        let state = self.state.load(Ordering::Relaxed);
        match state & KIND {
            SHARED => Some(state & ((1 << OWN_BITS) - 1)),
            _ => self.size(),
        }
    }
}

/// Returns the state of a fragment of `room` bytes up to its bound, of which some are its `own`.
fn bounded(room: u64, own: u64) -> u64 {
    let fits = room < 1 << 32 && own < room.min(1 << OWN_BITS);
    if fits { SHARED | room << OWN_BITS | own } else { BOUNDED | room.min(!KIND) }
}

impl Fragments {
    /// Fragments with the number of the chunk each belongs to, ascending.
    #[cfg(test)]
    pub(crate) fn new(matched: impl IntoIterator<Item = (usize, Indexed)>) -> Self {
        Self::of_shared(matched, |fragment| fragment.bound.saturating_sub(fragment.start))
    }

    /// Fragments with the number of the chunk each belongs to, ascending. `own` gives the bytes of one
    /// that are not those of other tracks.
    pub(crate) fn of_shared(
        matched: impl IntoIterator<Item = (usize, Indexed)>,
        own: impl Fn(&Indexed) -> u64,
    ) -> Self {
        let (mut blocks, mut runs) = (Vec::<Arc<[Slot]>>::new(), Vec::<Run>::new());
        let (mut slots, mut len) = (Vec::new(), 0);
        for (chunk, fragment) in matched {
            match runs.last_mut() {
                Some(run) if run.chunk + run.len == chunk => run.len += 1,
                _ => runs.push(Run { chunk, slot: len, len: 1 }),
            }
            let room = fragment.bound.saturating_sub(fragment.start);
            let state = AtomicU64::new(bounded(room, own(&fragment)));
            slots.push(Slot { start: fragment.start, state });
            len += 1;
            if slots.len() == BLOCK {
                blocks.push(std::mem::take(&mut slots).into());
            }
        }
        if !slots.is_empty() {
            blocks.push(slots.into());
        }
        Self { blocks: blocks.into(), len, runs: runs.into() }
    }

    /// Returns the number of fragments.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The first of `chunks` chunks that has no fragment.
    pub(crate) fn first_missing(&self, chunks: usize) -> Option<usize> {
        let first = match self.runs.first() {
            Some(run) if run.chunk == 0 => run.len,
            _ => 0,
        };
        (first < chunks).then_some(first)
    }

    /// Returns the first chunk that has a fragment, starting with this one.
    pub(crate) fn at_or_behind(&self, chunk: usize) -> Option<usize> {
        let behind = self.runs.partition_point(|run| run.chunk + run.len <= chunk);
        self.runs.get(behind).map(|run| run.chunk.max(chunk))
    }

    /// Returns the last chunk that has a fragment.
    pub(crate) fn last_chunk(&self) -> Option<usize> {
        self.runs.last().map(|run| run.chunk + run.len - 1)
    }

    /// Returns the position of the fragment of this chunk; `None` if there is none.
    pub(crate) fn place(&self, chunk: usize) -> Option<Place> {
        let slot = self.slot(chunk)?;
        let (start, state) = (slot.start, slot.state.load(Ordering::Relaxed));
        Some(match state & KIND {
            KNOWN => Place::Known { start, lengths: unpack(state) },
            BROKEN => Place::Broken { start, sliceable: state & 1 == 1 },
            SHARED => {
                let room = (state & !KIND) >> OWN_BITS;
                Place::Bounded { start, bound: start.saturating_add(room) }
            }
            _ => Place::Bounded { start, bound: start.saturating_add(state & !KIND) },
        })
    }

    /// Gives `each` the chunks that have a fragment, in ascending order, with its bytes: up to its bound
    /// if it was not looked at, without those of other tracks. Broken fragments are left out.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn each_size(&self, mut each: impl FnMut(usize, u64)) {
        self.each_slot(|chunk, slot| {
            if let Some(bytes) = slot.own() {
                each(chunk, bytes);
            }
        });
    }

    /// Gives `each` the chunks that have a fragment, in ascending order, with the range of its file:
    /// up to its bound if it was not looked at, and an empty one if it is broken.
    pub(crate) fn each_range(&self, mut each: impl FnMut(usize, Range<u64>)) {
        self.each_slot(|chunk, slot| {
            let end = slot.start.saturating_add(slot.size().unwrap_or(0));
            each(chunk, slot.start..end);
        });
    }

    #[inline]
    fn each_slot(&self, mut each: impl FnMut(usize, &Slot)) {
        for run in &*self.runs {
            let (mut chunk, mut slot, end) = (run.chunk, run.slot, run.slot + run.len);
            while slot < end {
                let slots = self.blocks.get(slot / BLOCK).and_then(|of| of.get(slot % BLOCK..));
                let slots = slots.unwrap_or_default();
                let slots = &slots[..slots.len().min(end - slot)];
                if slots.is_empty() {
                    return;
                }
                (chunk..).zip(slots).for_each(|(chunk, slot)| each(chunk, slot));
                (chunk, slot) = (chunk + slots.len(), slot + slots.len());
            }
        }
    }

    /// Returns the chunk whose fragment has this byte of the file. `None` if there is none, or if
    /// fragments are not stored in the order of their chunks.
    pub(crate) fn chunk_at(&self, byte: u64) -> Option<usize> {
        let block = self
            .blocks
            .partition_point(|block| block.first().is_some_and(|slot| slot.start <= byte))
            .checked_sub(1)?;
        let slots = self.blocks.get(block)?;
        let at = slots.partition_point(|slot| slot.start <= byte).checked_sub(1)?;
        let slot = slots.get(at)?;
        let is_in = byte.checked_sub(slot.start)? < slot.size()?;
        let number = block * BLOCK + at;
        let run = self.runs.partition_point(|run| run.slot <= number).checked_sub(1)?;
        let run = self.runs.get(run)?;
        is_in.then_some(run.chunk + (number - run.slot))
    }

    /// Keeps what was found of the fragment of this chunk.
    pub(crate) fn found(&self, chunk: usize, lengths: Lengths) {
        if let (Some(slot), Some(state)) = (self.slot(chunk), pack(lengths)) {
            slot.state.store(state, Ordering::Relaxed);
        }
    }

    /// Keeps that the fragment of this chunk is not what the index says, or not `sliceable`.
    pub(crate) fn broken(&self, chunk: usize, sliceable: bool) {
        if let Some(slot) = self.slot(chunk) {
            slot.state.store(BROKEN | u64::from(sliceable), Ordering::Relaxed);
        }
    }

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        let slots = self.blocks.iter().map(|block| shared_piece(size_of_val(&**block)));
        let (blocks, runs) = (size_of_val(&*self.blocks), size_of_val(&*self.runs));
        piece(blocks) + slots.sum::<usize>() + piece(runs)
    }

    fn slot(&self, chunk: usize) -> Option<&Slot> {
        let run = match &*self.runs {
            [run] => run,
            runs => runs.get(runs.partition_point(|run| run.chunk <= chunk).checked_sub(1)?)?,
        };
        let at = chunk.checked_sub(run.chunk).filter(|&at| at < run.len)?;
        let slot = run.slot + at;
        self.blocks.get(slot / BLOCK)?.get(slot % BLOCK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragments(chunks: &[usize]) -> Fragments {
        let one = |&chunk: &usize| {
            let start = 100 * (chunk as u64 + 1);
            (chunk, Indexed { time: 0, start, bound: start + 90 })
        };
        Fragments::new(chunks.iter().map(one))
    }

    #[test]
    fn chunks_without_a_fragment_are_told_apart_and_take_no_memory() {
        let some = fragments(&[0, 1, 4, 5, 6, 1_000_000]);
        let has = |chunk| some.place(chunk).is_some();
        assert!([0, 1, 4, 5, 6, 1_000_000].map(has).iter().all(|&has| has));
        assert!(![2, 3, 7, 999_999, 1_000_001].map(has).iter().any(|&has| has));
        assert_eq!(some.place(4), Some(Place::Bounded { start: 500, bound: 590 }));
        assert_eq!((some.first_missing(10), some.first_missing(2)), (Some(2), None));
        assert!(some.memory() <= 6 * 16 + 3 * 24 + 3 * 32);
        let behind = [0, 2, 4, 6, 7, 1_000_000, 1_000_001].map(|chunk| some.at_or_behind(chunk));
        let wanted = [0, 4, 4, 6, 1_000_000, 1_000_000];
        assert_eq!(behind[..6], wanted.map(Some));
        assert_eq!((behind[6], fragments(&[]).at_or_behind(0)), (None, None));
        assert_eq!(fragments(&[]).first_missing(1), Some(0));
        assert_eq!(fragments(&[3]).first_missing(9), Some(0));
    }

    #[test]
    fn the_fragments_of_a_long_track_are_found_in_every_block() {
        for len in [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let all = fragments(&(0..len).collect::<Vec<_>>());
            let starts = |place| matches!(place, Some(Place::Bounded { start, .. }) if start > 0);
            assert!((0..len).all(|chunk| starts(all.place(chunk))), "{len}");
            assert_eq!((all.len(), all.place(len)), (len, None));
            let last = len as u64 * 100;
            assert_eq!(all.place(len - 1), Some(Place::Bounded { start: last, bound: last + 90 }));
            assert!(all.memory() <= len * 16 + (len / BLOCK + 3) * 40);
        }
    }

    #[test]
    fn what_was_found_is_kept() {
        let some = fragments(&[0, 1]);
        for payload in [1008, 1016] {
            let lengths = Lengths { moof: 1000, payload, len: (1 << LEN_BITS) - 1 };
            some.found(1, lengths);
            assert_eq!(some.place(1), Some(Place::Known { start: 200, lengths }));
        }
        let lengths = Lengths { moof: 1000, payload: 1000, len: 1000 };
        some.found(1, lengths);
        assert_eq!(some.place(1), Some(Place::Known { start: 200, lengths }));
        let clone = some.clone();
        some.broken(0, false);
        assert_eq!(clone.place(0), Some(Place::Broken { start: 100, sliceable: false }));
        assert_eq!(some.place(0), Some(Place::Broken { start: 100, sliceable: false }));
        some.broken(0, true);
        assert_eq!(some.place(0), Some(Place::Broken { start: 100, sliceable: true }));
    }

    #[test]
    fn a_byte_leads_to_the_chunk_whose_fragment_has_it() {
        let chunks: Vec<_> = (0..3 * BLOCK).map(|i| if i < 300 { i } else { i + 7 }).collect();
        let some = fragments(&chunks);
        for &chunk in &chunks {
            let start = 100 * (chunk as u64 + 1);
            let found = [start, start + 89, start + 90].map(|byte| some.chunk_at(byte));
            assert_eq!(found, [Some(chunk), Some(chunk), None]);
        }
        assert_eq!((some.chunk_at(99), some.chunk_at(100 * 304)), (None, None));
        assert_eq!((fragments(&[]).chunk_at(0), some.chunk_at(u64::MAX)), (None, None));
        some.broken(1, true);
        assert_eq!(some.chunk_at(200), None);
    }

    #[cfg(any(feature = "dash", feature = "hls"))]
    #[test]
    fn bytes_of_other_tracks_do_not_count() {
        let indexed = |len: u64| Indexed { time: 0, start: 100, bound: 100 + len };
        let long = 1 << 32;
        for (len, own, wanted) in
            [(90, 30, 30), (90, 90, 90), (90, 91, 90), (90, 0, 0), (long, 30, long)]
        {
            let some = Fragments::of_shared([(0, indexed(len))], |_| own);
            let mut sizes = Vec::new();
            some.each_size(|_, size| sizes.push(size));
            assert_eq!(sizes, [wanted], "{own} of {len}");
            assert_eq!(some.place(0), Some(Place::Bounded { start: 100, bound: 100 + len }));
            assert_eq!(some.chunk_at(100 + len - 1), Some(0));
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_not_kept_wrongly() {
        let some = fragments(&[0]);
        let fits = Lengths { moof: 1000, payload: 1008, len: 5000 };
        for lengths in [
            Lengths { payload: 1009, ..fits },
            Lengths { payload: 1000, ..fits },
            Lengths { len: 1 << LEN_BITS, ..fits },
            Lengths { moof: 1 << MOOF_BITS, payload: (1 << MOOF_BITS) + 8, ..fits },
        ] {
            some.found(0, lengths);
            assert_eq!(some.place(0), Some(Place::Bounded { start: 100, bound: 190 }));
        }
    }
}
