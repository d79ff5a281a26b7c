//! Comparing the chunks of a stream with the files that exist.

use crate::presentation::Timeline;

/// The result of comparing the chunks of a stream with the files that exist.
pub(super) struct Present {
    pub(super) count: usize,
    /// The start of the first chunk without a file.
    pub(super) first_missing: Option<u64>,
    /// The start of the first chunk without a file that comes after a chunk with a file.
    pub(super) gap: Option<u64>,
    /// Number of files that belong to no chunk.
    pub(super) unannounced: usize,
}

impl Present {
    /// Compares a timeline with the times of files, ascending.
    pub(super) fn new(timeline: &Timeline, files: impl Iterator<Item = u64>) -> Self {
        let mut found: Vec<usize> = Vec::new();
        let (mut unannounced, mut before) = (0, None);
        for time in files {
            if before.replace(time) == Some(time) {
                continue;
            }
            match timeline.locate(time) {
                Some(chunk) => found.push(chunk),
                None => unannounced += 1,
            }
        }
        found.sort_unstable();
        let start = |chunk: usize| timeline.chunk(chunk).map(|(start, _)| start);
        let expected = found.iter().enumerate().find(|(number, chunk)| number != *chunk);
        let missing = expected.map_or(found.len(), |(number, _)| number);
        let begin = found.first().copied().unwrap_or(0);
        let gap = found.iter().zip(begin..).find(|(chunk, expected)| **chunk != *expected);
        let gap = gap.map_or(begin + found.len(), |(_, expected)| expected);
        Self { count: found.len(), first_missing: start(missing), gap: start(gap), unannounced }
    }
}
