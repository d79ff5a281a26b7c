//! A walk over all samples of a track.

use super::chunks::{Chunks, Offsets};
use super::runs::Runs;
use super::{Sample, Tables};
use crate::base::Error;
use crate::bmff::Stss;

/// Walks the samples of a track; see [`Tables::samples`].
#[derive(Clone, Debug)]
pub struct Samples<'a> {
    tables: &'a Tables,
    /// Index of the next sample, from 0.
    at: u32,
    durations: Runs<'a>,
    offsets: Runs<'a>,
    chunks: Chunks<'a>,
    /// Samples that are left of the current chunk, and where the next one begins.
    left: u32,
    position: u64,
    decode_time: u64,
    /// Sync samples behind the next one.
    syncs: std::slice::ChunksExact<'a, u8>,
    /// Number of the next sync sample; 0 behind the last one.
    next_sync: u32,
}

impl Tables {
    /// Walks the samples in order. Each is checked to be in the file; the walk ends with the first
    /// one that is not.
    pub fn samples(&self) -> Samples<'_> {
        Samples::new(self)
    }
}

impl<'a> Samples<'a> {
    fn new(tables: &'a Tables) -> Self {
        let syncs = tables.syncs.as_deref().unwrap_or_default().chunks_exact(Stss::ENTRY);
        let mut samples = Self {
            tables,
            at: 0,
            durations: Runs::new(&tables.durations),
            offsets: Runs::new(&tables.offsets),
            chunks: Chunks::new(&tables.stsc, &tables.chunks),
            left: 0,
            position: 0,
            decode_time: tables.before.ticks,
            syncs,
            next_sync: 0,
        };
        samples.read_sync();
        samples
    }

    fn read_sync(&mut self) {
        let word = self.syncs.next().and_then(<[u8]>::first_chunk);
        self.next_sync = word.map_or(0, |word| u32::from_be_bytes(*word));
    }

    /// Returns whether the sample with this number can be decoded on its own.
    fn is_sync(&mut self, number: u32) -> bool {
        if self.tables.syncs.is_none() {
            return true;
        }
        let is_sync = self.next_sync == number;
        if is_sync {
            self.read_sync();
        }
        is_sync
    }

    /// The error of a sample that is beyond the file.
    fn beyond(&self, number: u32, size: u32) -> Error {
        let Tables { chunks, chunks_at, file_len, .. } = self.tables;
        let width = if matches!(chunks, Offsets::Long(_)) { 8 } else { 4 };
        let entry = chunks_at + u64::from(self.chunks.index().saturating_sub(1)) * width;
        let what = format!(
            "its {size} bytes from byte {} on are beyond the end of the file at byte {file_len}",
            self.position
        );
        self.tables.invalid(number, entry, what, "ISO/IEC 14496-12, 8.7.5")
    }
}

impl Iterator for Samples<'_> {
    type Item = Result<Sample, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == self.tables.count {
            return None;
        }
        let size = self.tables.sizes.get(self.at)?;
        while self.left == 0 {
            (self.position, self.left) = self.chunks.next()?;
        }
        let number = self.at + 1;
        let end = self.position.checked_add(size.into());
        let Some(end) = end.filter(|&end| end <= self.tables.file_len) else {
            self.at = self.tables.count;
            return Some(Err(self.beyond(number, size)));
        };
        let duration = self.durations.next().unwrap_or(0);
        let sample = Sample {
            number,
            offset: self.position,
            size,
            decode_time: self.decode_time,
            duration,
            composition_offset: self.offsets.next().unwrap_or(0) as i32,
            is_sync: self.is_sync(number),
            dependencies: self.tables.dependencies.as_ref().map(|bytes| bytes[self.at as usize]),
        };
        self.left -= 1;
        self.position = end;
        self.decode_time += u64::from(duration);
        self.at += 1;
        Some(Ok(sample))
    }
}
