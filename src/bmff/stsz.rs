//! `stsz`: how many samples a track has outside of fragments.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Sample sizes. A fragmented track has none; the table behind the count stays unread.
///
/// Spec: ISO/IEC 14496-12, 8.7.3.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stsz {
    /// Version 0.
    pub full: FullBox,
    /// The size of every sample, or 0 when the table says.
    pub sample_size: u32,
    /// Samples.
    pub sample_count: u32,
}

impl Content for Stsz {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self {
            full: FullBox::parse(body)?,
            sample_size: body.u32()?,
            sample_count: body.u32()?,
        })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 8
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.sample_size);
        sink.u32(self.sample_count);
    }
}
