//! `mdhd`: a track's clock and language.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Media header.
///
/// Spec: ISO/IEC 14496-12, 8.4.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mdhd {
    /// Version 1 has 64-bit times.
    pub full: FullBox,
    /// Seconds since 1904.
    pub creation_time: u64,
    /// Seconds since 1904.
    pub modification_time: u64,
    /// Ticks per second of every time of this track.
    pub timescale: u32,
    /// Length; 0 in fragmented files, all ones if unknown.
    pub duration: u64,
    /// Three letters of five bits each, as stored: see [`Mdhd::language`].
    pub packed_language: u16,
}

impl Mdhd {
    /// The ISO 639-2/T code, or `None` when what is stored is no code (old QuickTime numbers).
    ///
    /// ```
    /// # #[cfg(feature = "unstable-formats")] {
    /// let mdhd = smooth_origin::bmff::Mdhd { packed_language: 0x55c4, ..Default::default() };
    /// assert_eq!(mdhd.language().unwrap(), "und");
    /// # }
    /// ```
    pub fn language(&self) -> Option<String> {
        let letters = [10, 5, 0].map(|shift| (self.packed_language >> shift & 0x1f) as u8 + 0x60);
        let code = letters.iter().all(u8::is_ascii_lowercase);
        code.then(|| letters.iter().map(|&letter| char::from(letter)).collect())
    }

    fn layout(&self) -> FullBox {
        self.full.holding([self.creation_time, self.modification_time, self.duration])
    }
}

impl Content for Mdhd {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let (creation_time, modification_time) = full.times(body)?;
        Ok(Self {
            full,
            creation_time,
            modification_time,
            timescale: body.u32()?,
            duration: body.word(full.wide())?,
            packed_language: body.u16()?,
        })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 2 + if self.layout().wide() { 28 } else { 16 }
    }

    fn write(&self, sink: &mut Sink) {
        let full = self.layout();
        full.write(sink);
        full.write_times(sink, self.creation_time, self.modification_time);
        sink.u32(self.timescale);
        sink.word(self.duration, full.wide());
        sink.u16(self.packed_language);
    }
}
