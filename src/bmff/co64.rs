//! `co64`: where the samples of a track are stored, in files beyond 4 GiB.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Chunk offsets of 64 bits; see [`Stco`](super::Stco).
///
/// The entries stay bytes; [`Co64::offsets`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.7.5.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Co64 {
    /// Version 0.
    pub full: FullBox,
    /// Entries of [`Co64::ENTRY`] bytes.
    pub entries: Bytes,
}

impl Co64 {
    /// Bytes of one entry.
    pub const ENTRY: usize = 8;

    /// Number of entries.
    pub fn count(&self) -> usize {
        self.entries.len() / Self::ENTRY
    }

    /// Absolute offset of each chunk.
    pub fn offsets(&self) -> impl Iterator<Item = u64> + '_ {
        let word = |entry: &[u8]| entry.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
        self.entries.chunks_exact(Self::ENTRY).map(word)
    }
}

impl Content for Co64 {
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
