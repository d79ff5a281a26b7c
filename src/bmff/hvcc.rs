//! `hvcC`: how an HEVC decoder is set up.

use bytes::Bytes;

use super::{Content, NalUnits};
use crate::base::{Cursor, Error, Sink};

/// HEVC decoder configuration.
///
/// The arrays stay bytes; [`HvcC::arrays`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-15, 8.3.3.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HvcC {
    /// Everything before the arrays: version, profile, tier and level, formats, rates.
    pub general: [u8; 22],
    count: u8,
    bytes: Bytes,
}

/// NAL units of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NalArray {
    /// Completeness (the top bit), a reserved bit, and the type.
    pub header: u8,
    /// The units; 65,535 of them can be counted and written.
    pub units: NalUnits,
}

impl NalArray {
    /// NAL unit type: 32 VPS, 33 SPS, 34 PPS.
    pub fn nal_type(&self) -> u8 {
        self.header & 0x3f
    }

    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let (header, count) = (cursor.u8()?, cursor.u16()?);
        Ok(Self { header, units: NalUnits::parse(cursor, count.into())? })
    }
}

impl HvcC {
    /// A configuration of these arrays; 255 of them can be counted and written.
    pub fn new(general: [u8; 22], arrays: impl IntoIterator<Item = NalArray>) -> Self {
        let (mut count, mut bytes) = (0, Vec::new());
        for array in arrays.into_iter().take(u8::MAX.into()) {
            let (units, of_units) = array.units.counted(u16::MAX.into());
            bytes.push(array.header);
            bytes.extend((units as u16).to_be_bytes());
            bytes.extend(of_units);
            count += 1;
        }
        Self { general, count, bytes: bytes.into() }
    }

    /// Bytes of the length in front of each NAL unit in the samples: 1, 2 or 4.
    pub fn nal_length_size(&self) -> u8 {
        (self.general[21] & 3) + 1
    }

    /// Parameter sets by type, in order.
    pub fn arrays(&self) -> impl Iterator<Item = NalArray> + Clone + '_ {
        let mut left = Cursor::new(&self.bytes, 0);
        (0..self.count).map_while(move |_| NalArray::parse(&mut left).ok())
    }
}

impl Content for HvcC {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let (general, count) = (body.array()?, body.u8()?);
        let mut end = body.clone();
        for _ in 0..count {
            end.u8()?;
            let units = end.u16()?;
            NalUnits::skip(&mut end, units.into())?;
        }
        Ok(Self { general, count, bytes: body.bytes(body.remaining() - end.remaining())? })
    }

    fn len(&self) -> u64 {
        23 + self.bytes.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        sink.put(&self.general);
        sink.u8(self.count);
        sink.put(&self.bytes);
    }
}
