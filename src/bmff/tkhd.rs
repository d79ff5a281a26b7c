//! `tkhd`: a track's number and its size on the screen.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Track header.
///
/// Spec: ISO/IEC 14496-12, 8.3.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tkhd {
    /// Version 1 has 64-bit times; flag 1 says that the track is enabled.
    pub full: FullBox,
    /// Seconds since 1904.
    pub creation_time: u64,
    /// Seconds since 1904.
    pub modification_time: u64,
    /// The number by which fragments and `tfra` name the track.
    pub track_id: u32,
    /// As read.
    pub reserved: u32,
    /// Length in ticks of the movie; 0 in fragmented files, all ones if unknown.
    pub duration: u64,
    /// Layer, alternate group, volume and matrix: kept.
    pub layout: [u8; 52],
    /// Width in pixels, 16.16 fixed point.
    pub width: u32,
    /// Height in pixels, 16.16 fixed point.
    pub height: u32,
}

impl Content for Tkhd {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let (creation_time, modification_time) = full.times(body)?;
        Ok(Self {
            full,
            creation_time,
            modification_time,
            track_id: body.u32()?,
            reserved: body.u32()?,
            duration: body.word(full.wide())?,
            layout: body.array()?,
            width: body.u32()?,
            height: body.u32()?,
        })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 68 + if self.version().wide() { 24 } else { 12 }
    }

    fn write(&self, sink: &mut Sink) {
        let full = self.version();
        full.write(sink);
        full.write_times(sink, self.creation_time, self.modification_time);
        sink.u32(self.track_id);
        sink.u32(self.reserved);
        sink.word(self.duration, full.wide());
        sink.put(&self.layout);
        sink.u32(self.width);
        sink.u32(self.height);
    }
}

impl Tkhd {
    /// Returns whether the matrix rotates or shears the picture. Some writers then swap width and
    /// height.
    pub(crate) fn is_turned(&self) -> bool {
        // Layer, group, volume and two reserved bytes, then a, b, u, c, d, …
        let zeros = [&self.layout[20..24], &self.layout[28..32]];
        zeros.iter().any(|value| value.iter().any(|&byte| byte != 0))
    }

    fn version(&self) -> FullBox {
        self.full.holding([self.creation_time, self.modification_time, self.duration])
    }
}
