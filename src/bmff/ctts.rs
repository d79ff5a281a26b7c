//! `ctts`: how much later than they are decoded samples are shown.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Composition times to samples: runs of samples of one offset.
///
/// The entries stay bytes; [`Ctts::runs`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.6.1.3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ctts {
    /// Version 1 has signed offsets; writers also store them in version 0.
    pub full: FullBox,
    /// Entries of [`Ctts::ENTRY`] bytes: samples, and the offset of each.
    pub entries: Bytes,
}

impl Ctts {
    /// Bytes of one entry.
    pub const ENTRY: usize = 8;

    /// Number of entries.
    pub fn count(&self) -> usize {
        self.entries.len() / Self::ENTRY
    }

    /// Samples of each run, and their presentation time less their decode time, in ticks of the
    /// track. The offset is read as signed in every version: QuickTime and old encoders write
    /// negative offsets in version 0, and an unsigned one of more than 31 bits would be hours.
    pub fn runs(&self) -> impl Iterator<Item = (u32, i32)> + '_ {
        self.entries.chunks_exact(Self::ENTRY).map(|entry| {
            let (first, second) = entry.split_at(4);
            (word(first), word(second) as i32)
        })
    }
}

impl Content for Ctts {
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
    fn offsets_are_signed_in_every_version() {
        for version in [0, 1] {
            let body = [[version << 24, 2], [3, 512], [1, u32::MAX - 1023]].concat();
            let body: Bytes = body.into_iter().flat_map(u32::to_be_bytes).collect();
            let ctts = Ctts::parse(&mut Cursor::new(&body, 0)).unwrap();
            assert_eq!(ctts.runs().collect::<Vec<_>>(), [(3, 512), (1, -1024)]);
        }
    }
}
