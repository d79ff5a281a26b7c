//! `stss`: which samples of a track can be decoded on their own.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Sync samples. All samples of a track without this box are sync samples; none of a track with an
/// empty one is.
///
/// The entries stay bytes; [`Stss::numbers`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.6.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stss {
    /// Version 0.
    pub full: FullBox,
    /// Entries of [`Stss::ENTRY`] bytes.
    pub entries: Bytes,
}

impl Stss {
    /// Bytes of one entry.
    pub const ENTRY: usize = 4;

    /// Number of entries.
    pub fn count(&self) -> usize {
        self.entries.len() / Self::ENTRY
    }

    /// Number of each sync sample, from 1.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.chunks_exact(Self::ENTRY).map(word)
    }
}

impl Content for Stss {
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
