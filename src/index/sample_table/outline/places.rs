//! The check that all samples are in the file.

use std::ops::Range;

use crate::index::sample_table::Tables;
use crate::index::sample_table::chunks::Offsets;

/// Chunks that are judged at once.
const AT_ONCE: usize = 256;

/// The check, while a walk sums up the sizes of all samples.
///
/// Many chunks are judged by the largest of their offsets and the sum of all their sizes, which nearly
/// always shows it; each by itself where that does not.
pub(super) struct Places<'a> {
    tables: &'a Tables,
    stsc: &'a [[u8; 12]],
    /// The chunks that are judged next, and their samples. The last chunk is in the run before `run` or in
    /// it.
    chunks: Range<u32>,
    samples: Range<u32>,
    run: u32,
    /// Bytes of those of the samples that were passed.
    bytes: u64,
    are_inside: bool,
}

impl<'a> Places<'a> {
    pub(super) fn new(tables: &'a Tables) -> Self {
        let stsc = tables.stsc.entries.as_chunks().0;
        let (chunks, samples) = (0..0, 0..0);
        let mut places = Self { tables, stsc, chunks, samples, run: 0, bytes: 0, are_inside: true };
        places.advance();
        places
    }

    /// Returns the index of the sample at which the walk has to stop next.
    #[inline]
    pub(super) fn next(&self) -> u32 {
        self.samples.end
    }

    /// Takes the bytes of the samples between the last stop and this one.
    #[inline]
    pub(super) fn add(&mut self, stop: u32, bytes: u64) {
        self.bytes += bytes;
        if stop == self.samples.end {
            self.are_inside = self.are_inside && self.are_together_inside();
            (self.chunks.start, self.samples.start) = (self.chunks.end, self.samples.end);
            self.bytes = 0;
            self.advance();
        }
    }

    /// Returns whether every sample that was passed is in the file.
    pub(super) fn are_inside(&self) -> bool {
        self.are_inside
    }

    /// Goes on to the next chunks that are judged at once.
    fn advance(&mut self) {
        let count = self.tables.count;
        while self.samples.end < count && self.chunks.len() < AT_ONCE {
            let Some((end, each)) = run(self.stsc, self.run, self.tables.chunks.count()) else {
                (self.are_inside, self.samples.end) = (false, count);
                return;
            };
            let most = AT_ONCE - self.chunks.len();
            // At most as many as are judged at once.
            let chunks = end.saturating_sub(self.chunks.end).min(most as u32);
            let samples = u64::from(chunks) * u64::from(each);
            // As many as there are.
            let samples = samples.min(u64::from(count - self.samples.end)) as u32;
            self.chunks.end += chunks;
            self.samples.end += samples;
            if self.chunks.end >= end {
                self.run += 1;
            }
        }
    }

    fn are_together_inside(&self) -> bool {
        let Self { tables, stsc, .. } = *self;
        let fits = |offset: u64, bytes: u64| {
            offset.checked_add(bytes).is_some_and(|end| end <= tables.file_len)
        };
        let is_shown = |offset| fits(offset, self.bytes);
        let chunks = || self.chunks.clone();
        if is_shown(tables.chunks.bound(chunks())) || is_shown(tables.chunks.largest(chunks())) {
            return true;
        }
        // The run of the first of them: at most as many runs before as there are chunks.
        let of_chunk = |run: &[u8; 12]| {
            let [a, b, c, d, ..] = *run;
            u32::from_be_bytes([a, b, c, d]) <= self.chunks.start + 1
        };
        let known = stsc.get(..(self.run as usize + 1).min(stsc.len())).unwrap_or_default();
        let mut at = known.iter().rposition(of_chunk).unwrap_or(0) as u32;
        let mut sample = self.samples.start;
        for chunk in self.chunks.clone() {
            while run(stsc, at, tables.chunks.count()).is_some_and(|(behind, _)| behind <= chunk) {
                at += 1;
            }
            let Some((_, each)) = run(stsc, at, tables.chunks.count()) else { return false };
            let samples = each.min(self.samples.end - sample);
            let Some(offset) = tables.chunks.get(chunk) else { return false };
            if !fits(offset, tables.sizes.sum(sample, samples)) {
                return false;
            }
            sample += samples;
        }
        true
    }
}

/// Returns the index of the chunk behind those of a run of `stsc`, and the samples of each of its chunks.
/// There are `chunks` in all.
#[inline]
pub(super) fn run(stsc: &[[u8; 12]], index: u32, chunks: u32) -> Option<(u32, u32)> {
    let index = index as usize;
    let &[_, _, _, _, a, b, c, d, ..] = stsc.get(index)?;
    let end = stsc.get(index + 1).map(|next| {
        let [a, b, c, d, ..] = *next;
        u32::from_be_bytes([a, b, c, d]).saturating_sub(1)
    });
    Some((end.map_or(chunks, |end| end.min(chunks)), u32::from_be_bytes([a, b, c, d])))
}

impl Offsets {
    /// Returns a bound of the offsets of some chunks, which needs no look at which of them is larger: the
    /// bits that any of them has.
    fn bound(&self, chunks: Range<u32>) -> u64 {
        let (start, end) = (chunks.start as usize, chunks.end as usize);
        match self {
            Self::Short(bytes) => {
                let words = bytes.as_chunks().0.get(start..end).unwrap_or_default();
                let all = words.iter().fold(0, |all, word| all | u32::from_ne_bytes(*word));
                u32::from_be(all).into()
            }
            Self::Long(bytes) => {
                let words = bytes.as_chunks().0.get(start..end).unwrap_or_default();
                let all = words.iter().fold(0, |all, word| all | u64::from_ne_bytes(*word));
                u64::from_be(all)
            }
        }
    }

    /// Returns the largest offset of some chunks.
    fn largest(&self, chunks: Range<u32>) -> u64 {
        let (start, end) = (chunks.start as usize, chunks.end as usize);
        match self {
            Self::Short(bytes) => {
                let words = bytes.as_chunks().0.get(start..end).unwrap_or_default();
                words.iter().map(|word| u32::from_be_bytes(*word)).max().unwrap_or(0).into()
            }
            Self::Long(bytes) => {
                let words = bytes.as_chunks().0.get(start..end).unwrap_or_default();
                words.iter().map(|word| u64::from_be_bytes(*word)).max().unwrap_or(0)
            }
        }
    }
}
