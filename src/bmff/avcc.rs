//! `avcC`: how an H.264 decoder is set up.

use bytes::Bytes;

use super::Content;
use crate::base::{Cursor, Error, Sink};

/// AVC decoder configuration. What high profiles add behind it stays unread.
///
/// Spec: ISO/IEC 14496-15, 5.3.3.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AvcC {
    /// 1.
    pub configuration_version: u8,
    /// `profile_idc` of the SPS.
    pub profile: u8,
    /// Constraint flags of the SPS.
    pub compatibility: u8,
    /// `level_idc` of the SPS.
    pub level: u8,
    /// Six reserved bits, then the bytes of a NAL unit's length less one.
    pub length_size: u8,
    /// Three reserved bits before the number of SPS.
    pub sps_reserved: u8,
    /// Sequence parameter sets, NAL header included; 31 of them can be counted and written.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets, NAL header included; 255 of them can be counted and written.
    pub pps: Vec<Bytes>,
}

impl AvcC {
    /// Bytes of the length in front of each NAL unit in the samples: 1, 2 or 4.
    pub fn nal_length_size(&self) -> u8 {
        (self.length_size & 3) + 1
    }
}

impl Content for AvcC {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let mut avcc = Self {
            configuration_version: body.u8()?,
            profile: body.u8()?,
            compatibility: body.u8()?,
            level: body.u8()?,
            length_size: body.u8()?,
            ..Self::default()
        };
        let count = body.u8()?;
        avcc.sps_reserved = count & 0xe0;
        avcc.sps = units(body, count & 0x1f)?;
        let count = body.u8()?;
        avcc.pps = units(body, count)?;
        Ok(avcc)
    }

    fn len(&self) -> u64 {
        let units = self.counted().into_iter().flat_map(|(_, units)| units);
        7 + units.map(|unit| 2 + unit.len() as u64).sum::<u64>()
    }

    fn write(&self, sink: &mut Sink) {
        sink.u8(self.configuration_version);
        sink.u8(self.profile);
        sink.u8(self.compatibility);
        sink.u8(self.level);
        sink.u8(self.length_size);
        for (reserved, units) in self.counted() {
            sink.u8(reserved | units.len() as u8);
            for unit in units {
                sink.u16(unit.len() as u16);
                sink.put(unit);
            }
        }
    }
}

impl AvcC {
    /// The parameter sets that their counts can say, with the bits before the count.
    fn counted(&self) -> [(u8, &[Bytes]); 2] {
        let sps = &self.sps[..self.sps.len().min(31)];
        let pps = &self.pps[..self.pps.len().min(255)];
        [(self.sps_reserved & 0xe0, sps), (0, pps)]
    }
}

fn units(body: &mut Cursor<'_>, count: u8) -> Result<Vec<Bytes>, Error> {
    // Most have one: room for two bytes a unit, no more.
    let mut units = Vec::with_capacity(usize::from(count).min(body.remaining() / 2));
    for _ in 0..count {
        let len = body.u16()?;
        units.push(body.bytes(len.into())?);
    }
    Ok(units)
}
