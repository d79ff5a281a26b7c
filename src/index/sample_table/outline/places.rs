//! The check that all samples are in the file.

use super::passage::run;
use crate::index::sample_table::Tables;
use crate::index::sample_table::chunks::Offsets;

/// Chunks that are judged at once.
const AT_ONCE: u32 = 256;

impl Tables {
    /// Returns whether every sample is in the file.
    ///
    /// Many chunks are judged by the largest of their offsets and the sum of all their sizes, which nearly
    /// always shows it; each by itself where that does not.
    pub(super) fn are_inside(&self) -> bool {
        let stsc = self.stsc.entries.as_chunks().0;
        let (mut index, mut chunk, mut sample) = (0, 0, 0_u32);
        // Chunks and samples that are not judged yet.
        let (mut first, mut start) = (0, 0);
        while sample < self.count {
            let Some((end, each)) = run(stsc, index, self.chunks.count()) else { return false };
            let chunks = end.saturating_sub(chunk).min(AT_ONCE - (chunk - first));
            let samples = u64::from(chunks) * u64::from(each);
            // As many as there are.
            let samples = samples.min(u64::from(self.count - sample)) as u32;
            (chunk, sample) = (chunk + chunks, sample + samples);
            if chunk >= end {
                index += 1;
            }
            if chunk - first == AT_ONCE || sample == self.count {
                if !self.are_together_inside(first..chunk, start, sample, stsc, index) {
                    return false;
                }
                (first, start) = (chunk, sample);
            }
        }
        true
    }

    /// Judges samples `start..end`, which are in these chunks, of which the last one is in the run before
    /// `index` or in it.
    fn are_together_inside(
        &self,
        chunks: std::ops::Range<u32>,
        start: u32,
        end: u32,
        stsc: &[[u8; 12]],
        index: u32,
    ) -> bool {
        let bytes = self.sizes.sum(start, end - start);
        let fits = |offset: u64, bytes: u64| {
            offset.checked_add(bytes).is_some_and(|end| end <= self.file_len)
        };
        if fits(self.chunks.largest(chunks.clone()), bytes) {
            return true;
        }
        // The run of the first of them: at most as many runs before as there are chunks.
        let of_chunk = |run: &[u8; 12]| {
            let [a, b, c, d, ..] = *run;
            u32::from_be_bytes([a, b, c, d]) <= chunks.start + 1
        };
        let known = stsc.get(..(index as usize + 1).min(stsc.len())).unwrap_or_default();
        let mut at = known.iter().rposition(of_chunk).unwrap_or(0) as u32;
        let mut sample = start;
        for chunk in chunks {
            while run(stsc, at, self.chunks.count()).is_some_and(|(behind, _)| behind <= chunk) {
                at += 1;
            }
            let Some((_, each)) = run(stsc, at, self.chunks.count()) else { return false };
            let samples = each.min(end - sample);
            let Some(offset) = self.chunks.get(chunk) else { return false };
            if !fits(offset, self.sizes.sum(sample, samples)) {
                return false;
            }
            sample += samples;
        }
        true
    }
}

impl Offsets {
    /// Returns the largest offset of some chunks.
    fn largest(&self, chunks: std::ops::Range<u32>) -> u64 {
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
