//! Audio sample entries: `mp4a`, `ec-3`, `enca`, …

use super::{Boxes, SampleEntry};
use crate::base::{Cursor, Error, FourCc, Limits, Sink};

/// Sample entry of an audio track.
///
/// Spec: ISO/IEC 14496-12, 12.2.3; QuickTime's longer versions are read too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioSampleEntry {
    /// The format.
    pub format: FourCc,
    /// Channels; the decoder's configuration may know better.
    pub channel_count: u16,
    /// Bits of a decoded sample.
    pub sample_size: u16,
    /// Samples per second, 16.16 fixed point.
    pub sample_rate: u32,
    /// The decoder's configuration and more: `esds`, `dec3`, `sinf`, …
    pub boxes: Boxes,
}

impl AudioSampleEntry {
    /// Reads the body of a sample entry of an audio track.
    ///
    /// # Errors
    /// As [`Boxes::parse`].
    pub fn parse(entry: &SampleEntry, limits: &Limits) -> Result<Self, Error> {
        let read = || {
            let mut body = Cursor::new(&entry.body, entry.offset);
            let version = body.u16()?;
            body.take(6)?;
            let (channel_count, sample_size) = (body.u16()?, body.u16()?);
            body.take(4)?;
            let sample_rate = body.u32()?;
            let boxes = boxes_behind(version, body, limits)?;
            Ok(Self { format: entry.format(), channel_count, sample_size, sample_rate, boxes })
        };
        read().map_err(|error: Error| error.inside(entry.format()))
    }

    /// A sample entry that says the same, with the usual values in all other fields.
    pub fn to_entry(&self) -> SampleEntry {
        let mut sink = Sink::with_len(20 + self.boxes.len() as usize);
        sink.u64(0);
        sink.u16(self.channel_count);
        sink.u16(self.sample_size);
        sink.u32(0);
        sink.u32(self.sample_rate);
        self.boxes.write(&mut sink);
        SampleEntry::new(self.format, sink.finish())
    }
}

/// The boxes of an entry of `version`. Version 1 is QuickTime's, with 16 more bytes, or ISO's,
/// with none: whichever reads as boxes.
fn boxes_behind(version: u16, body: Cursor<'_>, limits: &Limits) -> Result<Boxes, Error> {
    let after = |len: usize| {
        let mut body = body.clone();
        body.take(len)?;
        Boxes::parse_in(&mut body, limits)
    };
    match version {
        1 => after(0).or_else(|_| after(16)),
        2 => after(36),
        _ => after(0),
    }
}
