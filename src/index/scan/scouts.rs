//! Looking at boxes far ahead of a walk, in many places of a long file at one time.
//!
//! A scout begins somewhere in the file, searches for a fragment there, and goes on from box to box
//! until it comes to a box that another scout has seen. It may be misled: media can hold bytes that
//! look like fragments. So nothing that it sees counts before the walk itself arrives at exactly
//! that position.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;

use super::search::{Hit, OVERLAP, Sought, find_fragment};
use super::sight::{Look, Sight};
use super::window_behind;
use crate::base::Limits;
use crate::index::Spent;

/// The scouts of one walk, and the boxes that they have seen.
#[derive(Debug, Default)]
pub(super) struct Scouts {
    running: Vec<Scout>,
    /// Numbers of those that have asked for bytes.
    asked: Vec<usize>,
    /// Boxes by their position.
    ahead: BTreeMap<u64, Ahead>,
    /// Maximum number of these.
    most_ahead: usize,
    /// Searches that found a fragment, and others.
    found: u64,
    failed: u64,
}

/// A box that a scout has seen.
#[derive(Debug)]
struct Ahead {
    sight: Sight,
    /// Bytes of the read, if this was the first box in it.
    read: Option<u64>,
}

#[derive(Debug)]
struct Scout {
    at: u64,
    /// Bytes to be read next.
    window: u64,
    /// Bytes in which a fragment has still to be found; `None` when one was found.
    search: Option<u64>,
}

/// The limits of one walk at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    /// Reads.
    pub(crate) reads: usize,
    /// Bytes that scouts ask for.
    pub(crate) bytes: u64,
    /// Boxes that scouts have seen and the walk has not come to.
    pub(crate) boxes: usize,
}

/// The position of a walk, and what it has learnt of its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Front {
    /// The next box.
    pub(super) at: u64,
    /// Bytes of the file.
    pub(super) size: u64,
    /// Bytes, reads and fragments that led there.
    pub(super) passed: u64,
    pub(super) reads: u64,
    pub(super) fragments: u64,
}

/// Reads of a walk before it sends scouts.
const FIRST_READS: u64 = 8;

/// Reads that are left to a scout, or to the one before it, at least. Fewer are not worth a search.
const LEAST_READS: u64 = 8;

/// Bytes of a window in which a fragment is searched.
const SEARCH: Range<u64> = 16 << 10..128 << 10;

/// Bytes that are searched for one fragment.
const SEARCHED: Range<u64> = 256 << 10..4 << 20;

/// Bytes that a scout reads at once: fragments with a longer `moof` are left to the walk.
const MOST: u64 = 256 << 10;

/// Searches that may fail without one that succeeds.
const FAILURES: u64 = 32;

impl Scouts {
    /// Takes the box at this position, if a scout has seen it, and returns whether it was the first
    /// one in a read.
    pub(super) fn take(&mut self, at: u64, spent: &mut Spent) -> Option<(Sight, bool)> {
        let Ahead { sight, read } = self.ahead.remove(&at)?;
        if let Some(bytes) = read {
            spent.redeem(bytes);
        }
        Some((sight, read.is_some()))
    }

    /// Ends all scouts.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// Sends scouts to where none are, and gives `each` the ranges that they ask for.
    pub(super) fn wanted(
        &mut self,
        front: Front,
        share: &Share,
        limits: &Limits,
        spent: &mut Spent,
        mut each: impl FnMut(Range<u64>),
    ) {
        self.asked.clear();
        self.most_ahead = share.boxes;
        self.running.retain(|scout| scout.at > front.at);
        while let Some(first) = self.ahead.first_entry().filter(|first| *first.key() < front.at) {
            first.remove();
        }
        self.send(front, share.reads.saturating_sub(1), limits);
        if self.ahead.len() >= self.most_ahead {
            return;
        }
        let (mut left, most) = (share.bytes, share.reads.saturating_sub(1));
        // Those that follow fragments have short windows and long ways.
        for is_search in [false, true] {
            for (number, scout) in self.running.iter().enumerate() {
                let end = front.size.min(scout.at.saturating_add(scout.window));
                let bytes = end.saturating_sub(scout.at);
                if scout.search.is_some() != is_search || bytes > left || self.asked.len() >= most {
                    continue;
                }
                if !spent.add_ahead(bytes, limits) {
                    return;
                }
                left -= bytes;
                self.asked.push(number);
                each(scout.at..end);
            }
        }
    }

    /// Sends scouts, up to `most`, into the longest stretches in which no box was seen.
    fn send(&mut self, front: Front, most: usize, limits: &Limits) {
        let Front { at, size, passed, reads, fragments } = front;
        let mean = passed / fragments.max(1);
        let is_early = reads < FIRST_READS || fragments < FIRST_READS;
        if is_early || mean > SEARCHED.end || self.failed > FAILURES + 2 * self.found {
            return;
        }
        // A search takes half a fragment in the mean.
        let affordable = usize::try_from(limits.scan_bytes / 4 / mean.max(1)).unwrap_or(usize::MAX);
        let free = most.min(affordable).saturating_sub(self.running.len());
        let least = LEAST_READS * (passed / reads).max(1);
        if free == 0 || size - at < 2 * least {
            return;
        }
        let mut gaps = self.gaps(at, size);
        for _ in 0..free {
            let longest = gaps.iter_mut().max_by_key(|gap| gap.piece());
            let Some(gap) = longest.filter(|gap| gap.len / (gap.scouts + 2) >= least) else {
                break;
            };
            gap.scouts += 1;
        }
        let window = mean.next_multiple_of(4 << 10).clamp(SEARCH.start, SEARCH.end);
        let search = (8 * mean).clamp(SEARCHED.start, SEARCHED.end);
        for gap in gaps {
            let piece = gap.piece();
            let starts = (1..=gap.scouts).map(|number| gap.at + number * piece);
            self.running.extend(starts.map(|at| Scout { at, window, search: Some(search) }));
        }
    }

    /// Returns the stretches from the walk and from each scout to the next box that was seen, or to
    /// the next scout.
    fn gaps(&self, at: u64, size: u64) -> Vec<Gap> {
        let mut starts: Vec<u64> = self.running.iter().map(|scout| scout.at).collect();
        starts.push(at);
        starts.sort_unstable();
        let ends = starts.iter().skip(1).copied().chain([size]);
        let gap = |(&at, next): (&u64, u64)| {
            let seen = self.ahead.range(at..).next().map_or(size, |(at, _)| *at);
            Gap { at, len: seen.min(next).saturating_sub(at), scouts: 0 }
        };
        starts.iter().zip(ends).map(gap).collect()
    }

    /// Takes the bytes that scouts asked for, in their order.
    pub(super) fn feed(&mut self, windows: impl Iterator<Item = Bytes>, sought: Sought<'_>) {
        let asked = std::mem::take(&mut self.asked);
        let mut ended = Vec::new();
        for (&number, window) in asked.iter().zip(windows) {
            if self.feed_one(number, &window, sought).is_none() {
                ended.push(number);
            }
        }
        ended.sort_unstable();
        for number in ended.into_iter().rev() {
            self.running.swap_remove(number);
        }
    }

    /// Moves a scout on. Returns `None` at its end.
    fn feed_one(&mut self, number: usize, window: &Bytes, sought: Sought<'_>) -> Option<()> {
        let scout = self.running.get_mut(number)?;
        let start = scout.at;
        if let Some(left) = scout.search {
            let left = left.checked_sub(window.len() as u64);
            match find_fragment(window, start, sought) {
                Hit::At(at) => {
                    (scout.at, scout.search) = (start + at as u64, None);
                    self.found += 1;
                }
                Hit::Needs { at, bytes } if bytes <= MOST && left.is_some() => {
                    let twice = if at == 0 { 2 * window.len() as u64 } else { 0 };
                    (scout.at, scout.search) = (start + at as u64, left);
                    scout.window = bytes.max(twice).min(MOST);
                    return Some(());
                }
                Hit::Needs { .. } | Hit::Nothing => {
                    let next = window.len().checked_sub(OVERLAP).filter(|next| *next > 0);
                    let at = next.map(|next| start + next as u64);
                    let (Some(at), Some(left)) = (at, left) else {
                        self.failed += 1;
                        return None;
                    };
                    (scout.at, scout.search) = (at, Some(left));
                    scout.window = scout.window.min(SEARCH.end);
                    // Another scout has been here.
                    return (!self.ahead.contains_key(&at)).then_some(());
                }
            }
        }
        self.follow(number, start, window, sought)
    }

    /// Moves a scout from box to box, through a window that begins at byte `start`.
    fn follow(
        &mut self,
        number: usize,
        start: u64,
        window: &Bytes,
        sought: Sought<'_>,
    ) -> Option<()> {
        let scout = self.running.get_mut(number)?;
        let mut read = Some(window.len() as u64);
        loop {
            let passed = usize::try_from(scout.at - start).unwrap_or(usize::MAX);
            if passed >= window.len() || self.ahead.len() >= self.most_ahead {
                return Some(());
            }
            if self.ahead.contains_key(&scout.at) {
                return None;
            }
            let Sought { size, tracks, limits, .. } = sought;
            match Sight::of(&window.slice(passed..), scout.at, size, tracks, limits) {
                Look::Seen(sight) => {
                    if let Sight::Fragment(fragment) = &sight {
                        scout.window = window_behind(fragment);
                    }
                    let next = sight.step().and_then(|len| scout.at.checked_add(len));
                    self.ahead.insert(scout.at, Ahead { sight, read: read.take() });
                    scout.at = next.filter(|&next| next < size && scout.window <= MOST)?;
                }
                Look::Needs(bytes) => {
                    let twice = 2 * (window.len() - passed) as u64;
                    let least = if passed == 0 { twice } else { scout.window };
                    scout.window = bytes.max(least);
                    return (scout.window <= MOST).then_some(());
                }
            }
        }
    }
}

/// A stretch in which no box was seen.
#[derive(Debug)]
struct Gap {
    at: u64,
    len: u64,
    /// Scouts that are sent into it.
    scouts: u64,
}

impl Gap {
    /// Returns the length of each part.
    fn piece(&self) -> u64 {
        self.len / (self.scouts + 1)
    }
}

#[cfg(test)]
mod tests;
