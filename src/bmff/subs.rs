//! `subs`: parts of samples, such as the pictures of a text sample.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Sub-sample information.
///
/// Spec: ISO/IEC 14496-12, 8.7.7.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subs {
    /// Version 1 has 32-bit sizes.
    pub full: FullBox,
    /// Samples that have parts.
    pub entries: Vec<SubsEntry>,
}

/// A sample that has parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubsEntry {
    /// How many samples after the entry before it (or before the first sample).
    pub sample_delta: u32,
    /// The parts, of 8 bytes each, of 10 in version 1.
    pub subsamples: Bytes,
}

impl Subs {
    fn part_len(full: FullBox) -> usize {
        if full.wide() { 10 } else { 8 }
    }
}

impl Content for Subs {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let count = body.u32()?;
        // An entry takes 6 bytes at least.
        let mut entries = Vec::with_capacity((body.remaining() / 6).min(count as usize));
        for _ in 0..count {
            let sample_delta = body.u32()?;
            let parts = usize::from(body.u16()?);
            let subsamples = body.bytes(parts * Self::part_len(full))?;
            entries.push(SubsEntry { sample_delta, subsamples });
        }
        Ok(Self { full, entries })
    }

    fn len(&self) -> u64 {
        let entries = self.entries.iter().map(|entry| 6 + entry.subsamples.len() as u64);
        FullBox::LEN + 4 + entries.sum::<u64>()
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.entries.len() as u32);
        for entry in &self.entries {
            sink.u32(entry.sample_delta);
            sink.u16((entry.subsamples.len() / Self::part_len(self.full)) as u16);
            sink.put(&entry.subsamples);
        }
    }
}
