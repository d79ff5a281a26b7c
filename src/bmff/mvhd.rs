//! `mvhd`: the presentation's own clock.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Movie header. Rate, volume, matrix and the next track id stay unread behind it.
///
/// Spec: ISO/IEC 14496-12, 8.2.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mvhd {
    /// Version 1 has 64-bit times.
    pub full: FullBox,
    /// Seconds since 1904.
    pub creation_time: u64,
    /// Seconds since 1904.
    pub modification_time: u64,
    /// Ticks per second of `duration`.
    pub timescale: u32,
    /// Length of the longest track; 0 in fragmented files, all ones if unknown.
    pub duration: u64,
}

impl Content for Mvhd {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let (creation_time, modification_time) = full.times(body)?;
        Ok(Self {
            full,
            creation_time,
            modification_time,
            timescale: body.u32()?,
            duration: body.word(full.wide())?,
        })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + if self.layout().wide() { 28 } else { 16 }
    }

    fn write(&self, sink: &mut Sink) {
        let full = self.layout();
        full.write(sink);
        full.write_times(sink, self.creation_time, self.modification_time);
        sink.u32(self.timescale);
        sink.word(self.duration, full.wide());
    }
}

impl Mvhd {
    fn layout(&self) -> FullBox {
        self.full.holding([self.creation_time, self.modification_time, self.duration])
    }
}
