//! `dac3`: what an AC-3 stream is.

use super::Content;
use crate::base::{Cursor, Error, Sink};

/// AC-3 configuration.
///
/// Spec: ETSI TS 102 366, F.4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dac3 {
    /// 24 bits: `fscod` 2, `bsid` 5, `bsmod` 3, `acmod` 3, `lfeon` 1, `bit_rate_code` 5,
    /// reserved 5.
    pub fields: u32,
}

impl Dac3 {
    /// Which sampling rate: 0 for 48 kHz, 1 for 44.1, 2 for 32; 3 is reserved.
    pub fn fscod(&self) -> u8 {
        (self.fields >> 22 & 3) as u8
    }

    /// Which channels, the one for low frequencies aside.
    pub fn acmod(&self) -> u8 {
        (self.fields >> 11 & 7) as u8
    }

    /// There is a channel for low frequencies.
    pub fn lfe_on(&self) -> bool {
        self.fields >> 10 & 1 == 1
    }

    /// Which bitrate.
    pub fn bit_rate_code(&self) -> u8 {
        (self.fields >> 5 & 0x1f) as u8
    }
}

impl Content for Dac3 {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { fields: body.u24()? })
    }

    fn len(&self) -> u64 {
        3
    }

    fn write(&self, sink: &mut Sink) {
        sink.u24(self.fields);
    }
}
