//! `hvcC`: how an HEVC decoder is set up.

use bytes::Bytes;

use super::Content;
use crate::base::{Cursor, Error, ErrorKind, Sink};

/// HEVC decoder configuration.
///
/// Spec: ISO/IEC 14496-15, 8.3.3.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HvcC {
    /// Everything before the arrays: version, profile, tier and level, formats, rates.
    pub general: [u8; 22],
    /// Parameter sets by type.
    pub arrays: Vec<NalArray>,
}

/// Real ones hold three to a dozen. A unit of two bytes here takes sixteen times as many in memory.
const MAX_UNITS: u64 = 1024;

/// NAL units of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NalArray {
    /// Completeness (the top bit), a reserved bit, and the type.
    pub header: u8,
    /// The units, NAL headers included.
    pub units: Vec<Bytes>,
}

impl NalArray {
    /// NAL unit type: 32 VPS, 33 SPS, 34 PPS.
    pub fn nal_type(&self) -> u8 {
        self.header & 0x3f
    }
}

impl HvcC {
    /// Bytes of the length in front of each NAL unit in the samples: 1, 2 or 4.
    pub fn nal_length_size(&self) -> u8 {
        (self.general[21] & 3) + 1
    }

    /// All units of one type, in order.
    pub fn units(&self, nal_type: u8) -> impl Iterator<Item = &Bytes> {
        let arrays = self.arrays.iter().filter(move |array| array.nal_type() == nal_type);
        arrays.flat_map(|array| &array.units)
    }
}

impl Content for HvcC {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let general = body.array()?;
        let (mut arrays, mut found) = (Vec::new(), 0);
        for _ in 0..body.u8()? {
            let header = body.u8()?;
            let count = body.u16()?;
            let mut units = Vec::with_capacity(usize::from(count).min(body.remaining() / 2));
            for _ in 0..count {
                let len = body.u16()?;
                units.push(body.bytes(len.into())?);
                found += 1;
                if found > MAX_UNITS {
                    let (what, limit) = ("parameter sets of `hvcC`", MAX_UNITS);
                    return Err(body.error(ErrorKind::Budget { what, found, limit }));
                }
            }
            arrays.push(NalArray { header, units });
        }
        Ok(Self { general, arrays })
    }

    fn len(&self) -> u64 {
        let units = self.arrays.iter().flat_map(|array| &array.units);
        23 + 3 * self.arrays.len() as u64 + units.map(|unit| 2 + unit.len() as u64).sum::<u64>()
    }

    fn write(&self, sink: &mut Sink) {
        sink.put(&self.general);
        sink.u8(self.arrays.len() as u8);
        for array in &self.arrays {
            sink.u8(array.header);
            sink.u16(array.units.len() as u16);
            for unit in &array.units {
                sink.u16(unit.len() as u16);
                sink.put(unit);
            }
        }
    }
}
