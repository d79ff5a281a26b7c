//! `avcC`: how an H.264 decoder is set up.

use super::{Content, NalUnits};
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
    pub sps: NalUnits,
    /// Picture parameter sets, NAL header included; 255 of them can be counted and written.
    pub pps: NalUnits,
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
        avcc.sps = NalUnits::parse(body, usize::from(count & 0x1f))?;
        let count = body.u8()?;
        avcc.pps = NalUnits::parse(body, count.into())?;
        Ok(avcc)
    }

    fn len(&self) -> u64 {
        7 + self.counted().iter().map(|(_, (_, bytes))| bytes.len() as u64).sum::<u64>()
    }

    fn write(&self, sink: &mut Sink) {
        sink.u8(self.configuration_version);
        sink.u8(self.profile);
        sink.u8(self.compatibility);
        sink.u8(self.level);
        sink.u8(self.length_size);
        for (reserved, (count, bytes)) in self.counted() {
            sink.u8(reserved | count as u8);
            sink.put(bytes);
        }
    }
}

impl AvcC {
    /// The parameter sets that their counts can say, with the bits before the count.
    fn counted(&self) -> [(u8, (usize, &[u8])); 2] {
        [(self.sps_reserved & 0xe0, self.sps.counted(31)), (0, self.pps.counted(255))]
    }
}
