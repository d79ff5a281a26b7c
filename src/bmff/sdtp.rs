//! `sdtp`: what each sample depends on.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Independent and disposable samples: one byte a sample, in the order of the runs.
///
/// Spec: ISO/IEC 14496-12, 8.6.4. Bits from the top: is_leading, depends_on, is_depended_on,
/// redundancy, two each. Expression Encoder writes 0x24 for key frames, 0x14 for others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sdtp {
    /// Version 0.
    pub full: FullBox,
    /// One byte a sample.
    pub samples: Bytes,
}

impl Sdtp {
    /// Returns whether a sample with this byte depends on no other; `None` if the byte does not
    /// say.
    pub fn is_independent(byte: u8) -> Option<bool> {
        match byte >> 4 & 3 {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        }
    }
}

impl Content for Sdtp {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { full: FullBox::parse(body)?, samples: body.rest() })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + self.samples.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.put(&self.samples);
    }
}
