//! `stts`: how long the samples of a track last.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Decoding times to samples: runs of samples of one duration.
///
/// The entries stay bytes; [`Stts::runs`] decodes them as it walks. A run takes eight bytes, whatever
/// number of samples it claims.
///
/// Spec: ISO/IEC 14496-12, 8.6.1.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stts {
    /// Version 0.
    pub full: FullBox,
    /// Entries of [`Stts::ENTRY`] bytes: samples, and the duration of each.
    pub entries: Bytes,
}

impl Stts {
    /// Bytes of one entry.
    pub const ENTRY: usize = 8;

    /// Number of entries.
    pub fn count(&self) -> usize {
        self.entries.len() / Self::ENTRY
    }

    /// Samples of each run, and the duration of each of them in ticks of the track.
    pub fn runs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.entries.chunks_exact(Self::ENTRY).map(|entry| {
            let (first, second) = entry.split_at(4);
            (word(first), word(second))
        })
    }
}

impl Content for Stts {
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
    fn runs_are_read_in_order_and_a_count_beyond_the_bytes_is_refused() {
        let body = [[0_u32, 2], [3, 1024], [1, 0]].concat();
        let body: Bytes = body.into_iter().flat_map(u32::to_be_bytes).collect();
        let stts = Stts::parse(&mut Cursor::new(&body, 0)).unwrap();
        assert_eq!(stts.runs().collect::<Vec<_>>(), [(3, 1024), (1, 0)]);
        let cut = body.slice(..23);
        let error = Stts::parse(&mut Cursor::new(&cut, 100)).unwrap_err();
        assert_eq!(error.to_string(), "at byte 108: needs 16 bytes, has 15");
    }
}
