//! `stsc`: how the samples of a track are grouped.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Samples to chunks: runs of chunks that have the same number of samples.
///
/// The entries stay bytes; [`Stsc::runs`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.7.4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stsc {
    /// Version 0.
    pub full: FullBox,
    /// Entries of [`Stsc::ENTRY`] bytes: three numbers each, see [`StscRun`].
    pub entries: Bytes,
}

/// Chunks that have the same number of samples, up to the first chunk of the next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StscRun {
    /// Number of the first chunk, from 1.
    pub first_chunk: u32,
    /// Samples of each chunk.
    pub samples_per_chunk: u32,
    /// Entry of `stsd`, from 1.
    pub sample_description_index: u32,
}

impl Stsc {
    /// Bytes of one entry.
    pub const ENTRY: usize = 12;

    /// Number of entries.
    pub fn count(&self) -> usize {
        self.entries.len() / Self::ENTRY
    }

    /// The runs in order.
    pub fn runs(&self) -> impl Iterator<Item = StscRun> + '_ {
        self.entries.chunks_exact(Self::ENTRY).map(|entry| StscRun {
            first_chunk: word(&entry[..4]),
            samples_per_chunk: word(&entry[4..8]),
            sample_description_index: word(&entry[8..]),
        })
    }
}

impl Content for Stsc {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let count = body.u32()?;
        Ok(Self { full, entries: body.entries(count, Self::ENTRY)? })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 4 + self.entries.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.count() as u32);
        sink.put(&self.entries);
    }
}

/// Reads four bytes, which `chunks_exact` has cut.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_in_order() {
        let body = [[0_u32, 1, 3], [9, 1, 0]].concat();
        let body: Bytes = body[..5].iter().flat_map(|word| word.to_be_bytes()).collect();
        let stsc = Stsc::parse(&mut Cursor::new(&body, 0)).unwrap();
        let run = StscRun { first_chunk: 3, samples_per_chunk: 9, sample_description_index: 1 };
        assert_eq!(stsc.runs().collect::<Vec<_>>(), [run]);
    }
}
