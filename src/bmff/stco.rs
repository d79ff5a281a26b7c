//! `stco`: where the samples of a track are stored.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Chunk offsets of 32 bits. A chunk is a group of samples that are stored one after the other, and
/// has nothing to do with the chunks of a manifest.
///
/// The entries stay bytes; [`Stco::offsets`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.7.5.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stco {
    /// Version 0.
    pub full: FullBox,
    /// Entries of [`Stco::ENTRY`] bytes.
    pub entries: Bytes,
}

impl Stco {
    /// Bytes of one entry.
    pub const ENTRY: usize = 4;

    /// Number of entries.
    pub fn count(&self) -> usize {
        self.entries.len() / Self::ENTRY
    }

    /// Absolute offset of each chunk.
    pub fn offsets(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.chunks_exact(Self::ENTRY).map(word)
    }
}

impl Content for Stco {
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
