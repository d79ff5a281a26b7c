//! `dec3`: what an E-AC-3 stream is.

use bytes::Bytes;

use super::Content;
use crate::base::{Cursor, Error, Sink};

/// E-AC-3 configuration: the bytes that a `CodecPrivateData` has too.
///
/// Spec: ETSI TS 102 366, F.6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dec3 {
    /// `data_rate` 13 bits, `num_ind_sub` 3 (one less than there are), then the substreams.
    pub payload: Bytes,
}

/// An independent substream, with the channels that dependent ones add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dec3Substream {
    /// Which sampling rate: 0 for 48 kHz, 1 for 44.1, 2 for 32; 3 is half of one of these.
    pub fscod: u8,
    /// Which channels, the one for low frequencies aside.
    pub acmod: u8,
    /// There is a channel for low frequencies.
    pub lfe_on: bool,
    /// Nine bits, one for each place where dependent substreams add channels; 0 without any.
    pub chan_loc: u16,
}

impl Dec3 {
    /// Kilobits per second.
    pub fn data_rate(&self) -> Option<u16> {
        let first = self.payload.get(..2)?;
        Some(u16::from_be_bytes([first[0], first[1]]) >> 3)
    }

    /// The first independent substream, which is the programme.
    pub fn substream(&self) -> Option<Dec3Substream> {
        let fields = self.payload.get(2..5)?;
        let [a, b, c] = [fields[0], fields[1], fields[2]];
        let dependent = c >> 1 & 0xf;
        let more = if dependent > 0 { Some(*self.payload.get(5)?) } else { None };
        Some(Dec3Substream {
            fscod: a >> 6,
            acmod: b >> 1 & 7,
            lfe_on: b & 1 == 1,
            chan_loc: more.map_or(0, |low| u16::from(c & 1) << 8 | u16::from(low)),
        })
    }
}

impl Dec3 {
    /// Returns the complexity of the objects that extend the programme (Dolby Atmos); `None` if
    /// there are none.
    ///
    /// Spec: ETSI TS 103 420, 8.3.
    pub fn objects(&self) -> Option<u8> {
        let substreams = (self.payload.get(1)? & 7) + 1;
        let mut at = 2;
        for _ in 0..substreams {
            let has_dependent = self.payload.get(at + 2)? >> 1 & 0xf > 0;
            at += if has_dependent { 4 } else { 3 };
        }
        let has_objects = self.payload.get(at)? & 1 == 1;
        self.payload.get(at + 1).copied().filter(|_| has_objects)
    }
}

impl Content for Dec3 {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { payload: body.rest() })
    }

    fn len(&self) -> u64 {
        self.payload.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        sink.put(&self.payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_substream_is_read_bit_by_bit() {
        // 224 kbit/s, one substream: 48 kHz, bsid 16, acmod 7 and LFE (a real packager's).
        let real = Dec3 { payload: Bytes::from_static(&[0x07, 0x00, 0x20, 0x0f, 0x00]) };
        let substream = Dec3Substream { fscod: 0, acmod: 7, lfe_on: true, chan_loc: 0 };
        assert_eq!((real.data_rate(), real.substream()), (Some(224), Some(substream)));
        // The same with a dependent substream that adds the places of bits 8 and 1.
        let more = Dec3 { payload: Bytes::from_static(&[0x07, 0x00, 0x20, 0x0f, 0x03, 0x02]) };
        assert_eq!(more.substream(), Some(Dec3Substream { chan_loc: 0x102, ..substream }));
        for len in 0..6 {
            let cut = Dec3 { payload: more.payload.slice(..len) };
            assert_eq!(cut.substream(), None, "{len}");
            assert_eq!(cut.data_rate().is_some(), len >= 2, "{len}");
        }
    }
}
