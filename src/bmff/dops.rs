//! `dOps`: what an Opus stream is.

use bytes::Bytes;

use super::Content;
use crate::base::{Cursor, Error, Sink};

/// Opus configuration.
///
/// Spec: Encapsulation of Opus in ISO Base Media File Format, 4.3.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DOps {
    /// Version 0.
    pub version: u8,
    /// Channels.
    pub channels: u8,
    /// Samples at 48 kHz to leave out at the start.
    pub pre_skip: u16,
    /// Hertz before encoding; decoders give 48 kHz.
    pub input_sample_rate: u32,
    /// Gain in 1/256 dB, two's complement.
    pub output_gain: u16,
    /// 0 for mono and stereo; others have a table.
    pub mapping_family: u8,
    /// Mapping of families other than 0: streams, coupled streams, and the decoded channel of each.
    pub mapping: Bytes,
}

impl Content for DOps {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let opus = Self {
            version: body.u8()?,
            channels: body.u8()?,
            pre_skip: body.u16()?,
            input_sample_rate: body.u32()?,
            output_gain: body.u16()?,
            mapping_family: body.u8()?,
            mapping: Bytes::new(),
        };
        match opus.mapping_family {
            0 => Ok(opus),
            _ => Ok(Self { mapping: body.bytes(2 + usize::from(opus.channels))?, ..opus }),
        }
    }

    fn len(&self) -> u64 {
        11 + self.mapping.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        sink.u8(self.version);
        sink.u8(self.channels);
        sink.u16(self.pre_skip);
        sink.u32(self.input_sample_rate);
        sink.u16(self.output_gain);
        sink.u8(self.mapping_family);
        sink.put(&self.mapping);
    }
}
