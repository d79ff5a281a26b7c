//! `tfra`: where a track's random access points lie.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Track fragment random access: times and the `moof`s that hold them.
///
/// It lists random access points, not fragments: several entries may name one `moof`. The entries
/// stay bytes; [`Tfra::entries`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.8.10.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tfra {
    /// Version 1 has 64-bit times and offsets.
    pub full: FullBox,
    /// The track.
    pub track_id: u32,
    /// 26 reserved bits, then the widths less one of the three numbers, two bits each.
    pub widths: u32,
    /// Entries, each of [`Tfra::entry_len`] bytes.
    pub bytes: Bytes,
}

/// One random access point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TfraEntry {
    /// Presentation time of the sample, in ticks of the track.
    pub time: u64,
    /// Absolute offset of its `moof`.
    pub moof_offset: u64,
    /// Number of the `traf` in the `moof`, from 1.
    pub traf_number: u32,
    /// Number of the `trun` in the `traf`, from 1.
    pub trun_number: u32,
    /// Number of the sample in the `trun`, from 1.
    pub sample_number: u32,
}

impl TfraEntry {
    /// It is the first sample of its fragment, so its time is the fragment's.
    pub fn starts_fragment(&self) -> bool {
        self.traf_number > 0 && (self.trun_number, self.sample_number) == (1, 1)
    }
}

impl Tfra {
    /// Bytes of one entry: 11 to 28.
    pub fn entry_len(&self) -> usize {
        let [traf, trun, sample] = self.number_widths();
        2 * self.time_width() + traf + trun + sample
    }

    /// Number of entries.
    pub fn count(&self) -> usize {
        self.bytes.len() / self.entry_len()
    }

    /// The entries in order.
    pub fn entries(&self) -> impl Iterator<Item = TfraEntry> + '_ {
        let time_width = self.time_width();
        let [traf, trun, sample] = self.number_widths();
        self.bytes.chunks_exact(self.entry_len()).map(move |entry| {
            let mut left = entry;
            let mut number = |width: usize| {
                let (number, rest) = left.split_at(width);
                left = rest;
                number.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte))
            };
            TfraEntry {
                time: number(time_width),
                moof_offset: number(time_width),
                traf_number: number(traf) as u32,
                trun_number: number(trun) as u32,
                sample_number: number(sample) as u32,
            }
        })
    }

    fn time_width(&self) -> usize {
        self.full.word_len() as usize
    }

    fn number_widths(&self) -> [usize; 3] {
        [4, 2, 0].map(|shift| (self.widths >> shift & 3) as usize + 1)
    }
}

impl Content for Tfra {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let track_id = body.u32()?;
        let widths = body.u32()?;
        let count = body.u32()?;
        let mut tfra = Self { full, track_id, widths, bytes: Bytes::new() };
        tfra.bytes = body.entries(count, tfra.entry_len())?;
        Ok(tfra)
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 12 + self.bytes.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.track_id);
        sink.u32(self.widths);
        sink.u32(self.count() as u32);
        sink.put(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tfra(version: u8, widths: u32, bytes: Vec<u8>) -> Tfra {
        let full = FullBox { version, flags: 0 };
        Tfra { full, track_id: 1, widths, bytes: bytes.into() }
    }

    #[test]
    fn every_width_of_the_three_numbers_is_read() {
        for widths in 0..64 {
            let mut bytes = [0_u8, 0, 0, 5, 0, 0, 1, 0].to_vec();
            for (shift, number) in [(4, 1_u32), (2, 2), (0, 3)] {
                let width = (widths >> shift & 3) as usize + 1;
                bytes.extend(&number.to_be_bytes()[4 - width..]);
            }
            let tfra = tfra(0, widths, bytes.repeat(3));
            assert_eq!(tfra.count(), 3);
            for entry in tfra.entries() {
                assert_eq!((entry.time, entry.moof_offset), (5, 256), "widths {widths:06b}");
                let numbers = (entry.traf_number, entry.trun_number, entry.sample_number);
                assert_eq!(numbers, (1, 2, 3), "widths {widths:06b}");
            }
        }
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused() {
        let mut body = vec![1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff, 0xff];
        body.extend([0; 28]);
        let body = Bytes::from(body);
        let error = Tfra::parse(&mut Cursor::new(&body, 0)).unwrap_err();
        assert_eq!(error.to_string(), "at byte 16: needs 120259084260 bytes, has 28");
    }
}
