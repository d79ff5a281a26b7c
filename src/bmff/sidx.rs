//! `sidx`: where the subsegments of a file are, and how long each lasts.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Segment index: the subsegments of one stream, in order, without a gap between them.
///
/// A subsegment is one fragment or several; a reference may also lead to another `sidx`. The
/// entries stay bytes; [`Sidx::references`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.16.3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sidx {
    /// Version 1 has a 64-bit time and offset.
    pub full: FullBox,
    /// The stream of which times and access points are given: mostly the number of a track.
    pub reference_id: u32,
    /// Ticks per second of all times in this box. It should be that of the track.
    pub timescale: u32,
    /// The earliest time at which anything in the first subsegment is shown.
    pub earliest_presentation_time: u64,
    /// Bytes from the end of this box to the first subsegment.
    pub first_offset: u64,
    /// Reserved: 0.
    pub reserved: u16,
    /// Entries of [`Sidx::ENTRY`] bytes: see [`SidxReference`].
    pub entries: Bytes,
}

/// A reference to a subsegment, or to the `sidx` of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SidxReference {
    /// True if it leads to another `sidx`.
    pub is_index: bool,
    /// Bytes up to the next reference: 31 bits.
    pub size: u32,
    /// Ticks from the earliest time of this subsegment to that of the next one.
    pub duration: u32,
    /// True if the subsegment begins with a stream access point.
    pub starts_with_sap: bool,
    /// Type of the first stream access point, from 1 to 6; 0 if it is not known: 3 bits.
    pub sap_type: u8,
    /// Ticks from the earliest time to the first stream access point: 28 bits.
    pub sap_delta_time: u32,
}

impl SidxReference {
    /// The reference as it is stored.
    pub fn to_bytes(self) -> [u8; Sidx::ENTRY] {
        let size = u32::from(self.is_index) << 31 | self.size & (u32::MAX >> 1);
        let sap = u32::from(self.starts_with_sap) << 31
            | u32::from(self.sap_type & 7) << 28
            | self.sap_delta_time & (u32::MAX >> 4);
        let mut bytes = [0; Sidx::ENTRY];
        for (to, word) in bytes.chunks_exact_mut(4).zip([size, self.duration, sap]) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }
}

impl Sidx {
    /// Bytes of one entry.
    pub const ENTRY: usize = 12;

    /// Number of entries.
    pub fn count(&self) -> usize {
        self.entries.len() / Self::ENTRY
    }

    /// The references in order.
    pub fn references(&self) -> impl Iterator<Item = SidxReference> + '_ {
        self.entries.chunks_exact(Self::ENTRY).map(|entry| {
            let [size, duration, sap] = [0, 4, 8].map(|at| word(&entry[at..at + 4]));
            SidxReference {
                is_index: size >> 31 == 1,
                size: size & (u32::MAX >> 1),
                duration,
                starts_with_sap: sap >> 31 == 1,
                sap_type: (sap >> 28 & 7) as u8,
                sap_delta_time: sap & (u32::MAX >> 4),
            }
        })
    }
}

impl Content for Sidx {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let (reference_id, timescale) = (body.u32()?, body.u32()?);
        let is_wide = full.word_len() == 8;
        let earliest_presentation_time = body.word(is_wide)?;
        let first_offset = body.word(is_wide)?;
        let (reserved, count) = (body.u16()?, body.u16()?);
        let entries = body.entries(count.into(), Self::ENTRY)?;
        Ok(Self {
            full,
            reference_id,
            timescale,
            earliest_presentation_time,
            first_offset,
            reserved,
            entries,
        })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 12 + 2 * self.full.word_len() + self.entries.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.reference_id);
        sink.u32(self.timescale);
        let is_wide = self.full.word_len() == 8;
        sink.word(self.earliest_presentation_time, is_wide);
        sink.word(self.first_offset, is_wide);
        sink.u16(self.reserved);
        sink.u16(self.count() as u16);
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
    fn references_are_read_in_order_and_written_again() {
        let media = SidxReference {
            is_index: false,
            size: u32::MAX >> 1,
            duration: 5,
            starts_with_sap: true,
            sap_type: 1,
            sap_delta_time: 0,
        };
        let index = SidxReference {
            is_index: true,
            size: 7,
            starts_with_sap: false,
            sap_type: 6,
            sap_delta_time: u32::MAX >> 4,
            ..media
        };
        let entries = [media.to_bytes(), index.to_bytes()].concat();
        let sidx = Sidx { entries: entries.into(), ..Sidx::default() };
        assert_eq!(sidx.references().collect::<Vec<_>>(), [media, index]);
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused() {
        for (version, place) in [(0, 24), (1, 32)] {
            let mut body = vec![version];
            body.resize(place - 2, 0);
            body.extend([0xff, 0xff]);
            body.extend([0; 24]);
            let body = Bytes::from(body);
            let error = Sidx::parse(&mut Cursor::new(&body, 0)).unwrap_err();
            assert_eq!(error.to_string(), format!("at byte {place}: needs 786420 bytes, has 24"));
        }
    }
}
