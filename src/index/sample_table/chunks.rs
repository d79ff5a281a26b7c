//! A walk over the places of samples: `stsc`, and `stco` or `co64`.

use bytes::Bytes;

use crate::bmff::{Co64, Stco, Stsc, StscRun};

/// Offsets of chunks, in either width.
#[derive(Clone, Debug)]
pub(super) enum Offsets {
    Short(Bytes),
    Long(Bytes),
}

impl Offsets {
    pub(super) fn count(&self) -> u32 {
        // The bytes of a table were counted by 32 bits.
        match self {
            Self::Short(bytes) => (bytes.len() / Stco::ENTRY) as u32,
            Self::Long(bytes) => (bytes.len() / Co64::ENTRY) as u32,
        }
    }

    /// Offset of the chunk at an index, from 0.
    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<u64> {
        let at = at as usize;
        match self {
            Self::Short(bytes) => {
                let word = bytes.get(at * 4..at * 4 + 4)?.first_chunk()?;
                Some(u32::from_be_bytes(*word).into())
            }
            Self::Long(bytes) => {
                let word = bytes.get(at * 8..at * 8 + 8)?.first_chunk()?;
                Some(u64::from_be_bytes(*word))
            }
        }
    }
}

/// Chunks of a track in order: the offset of each, and the number of its samples.
#[derive(Clone, Debug)]
pub(super) struct Chunks<'a> {
    offsets: &'a Offsets,
    runs: std::slice::ChunksExact<'a, u8>,
    /// Samples of each chunk of this run.
    samples: u32,
    /// Index of the first chunk of the next run, from 0.
    next_run: u32,
    /// The next run, as `stsc` has it.
    following: Option<StscRun>,
    /// Index of the next chunk.
    at: u32,
}

impl<'a> Chunks<'a> {
    /// The tables have been checked: runs begin with the first chunk and ascend.
    pub(super) fn new(stsc: &'a Stsc, offsets: &'a Offsets) -> Self {
        let mut chunks = Self {
            offsets,
            runs: stsc.entries.chunks_exact(Stsc::ENTRY),
            samples: 0,
            next_run: 0,
            following: None,
            at: 0,
        };
        chunks.read_run();
        chunks
    }

    /// Index of the next chunk, from 0.
    pub(super) fn index(&self) -> u32 {
        self.at
    }

    fn read_run(&mut self) {
        let word = |bytes: &[u8]| bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
        self.following = self.runs.next().map(|entry| StscRun {
            first_chunk: word(&entry[..4]),
            samples_per_chunk: word(&entry[4..8]),
            sample_description_index: word(&entry[8..]),
        });
        let next = self.following.map(|run| run.first_chunk.saturating_sub(1));
        self.next_run = next.unwrap_or(u32::MAX);
    }
}

impl Iterator for Chunks<'_> {
    type Item = (u64, u32);

    #[inline]
    fn next(&mut self) -> Option<(u64, u32)> {
        let offset = self.offsets.get(self.at)?;
        if self.at == self.next_run {
            self.samples = self.following.map_or(0, |run| run.samples_per_chunk);
            self.read_run();
        }
        self.at += 1;
        Some((offset, self.samples))
    }
}
