//! Visual sample entries: `avc1`, `hvc1`, `encv`, …

use super::{Boxes, SampleEntry};
use crate::base::{Cursor, Error, FourCc, Limits, Sink};

/// Sample entry of a video track.
///
/// Spec: ISO/IEC 14496-12, 12.1.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisualSampleEntry {
    /// The format.
    pub format: FourCc,
    /// Width of the coded picture, in pixels.
    pub width: u16,
    /// Height of the coded picture, in pixels.
    pub height: u16,
    /// The decoder's configuration and more: `avcC`, `hvcC`, `sinf`, `pasp`, …
    pub boxes: Boxes,
}

impl VisualSampleEntry {
    /// Reads the body of a sample entry of a video track.
    ///
    /// # Errors
    /// As [`Boxes::parse`].
    pub fn parse(entry: &SampleEntry, limits: &Limits) -> Result<Self, Error> {
        let read = || {
            let mut body = Cursor::new(&entry.body, entry.offset);
            body.take(16)?;
            let (width, height) = (body.u16()?, body.u16()?);
            // Resolution, frame count, compressor's name, depth.
            body.take(4 + 4 + 4 + 2 + 32 + 2 + 2)?;
            let boxes = Boxes::parse_in(&mut body, limits)?;
            Ok(Self { format: entry.format(), width, height, boxes })
        };
        read().map_err(|error: Error| error.inside(entry.format()))
    }

    /// Returns width and height of the coded picture, without reading the boxes.
    pub(crate) fn picture_size(entry: &SampleEntry) -> Option<(u16, u16)> {
        let mut body = Cursor::new(&entry.body, entry.offset);
        body.take(16).ok()?;
        Some((body.u16().ok()?, body.u16().ok()?))
    }

    /// A sample entry that says the same, with the usual values in all other fields.
    pub fn to_entry(&self) -> SampleEntry {
        let mut sink = Sink::with_len(70 + self.boxes.len() as usize);
        sink.put(&[0; 16]);
        sink.u16(self.width);
        sink.u16(self.height);
        sink.u32(0x0048_0000); // 72 dpi
        sink.u32(0x0048_0000);
        sink.u32(0);
        sink.u16(1); // one frame a sample
        sink.put(&[0; 32]);
        sink.u16(0x18); // colour, no alpha
        sink.u16(0xffff);
        self.boxes.write(&mut sink);
        SampleEntry::new(self.format, sink.finish())
    }
}
