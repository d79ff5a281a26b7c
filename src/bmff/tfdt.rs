//! `tfdt`: when a fragment's first sample is decoded.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Track fragment decode time. Most Smooth files have none.
///
/// Spec: ISO/IEC 14496-12, 8.8.12.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tfdt {
    /// Version 1 has a 64-bit time.
    pub full: FullBox,
    /// Sum of all earlier sample durations, in ticks of the track.
    pub base_media_decode_time: u64,
}

impl Content for Tfdt {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let base_media_decode_time = body.word(full.wide())?;
        Ok(Self { full, base_media_decode_time })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + self.full.holding([self.base_media_decode_time]).word_len()
    }

    fn write(&self, sink: &mut Sink) {
        let full = self.full.holding([self.base_media_decode_time]);
        full.write(sink);
        sink.word(self.base_media_decode_time, full.wide());
    }
}
