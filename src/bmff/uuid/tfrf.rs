//! `tfrf`: which fragments follow.

use crate::base::{Cursor, Error, Guid, Sink};
use crate::bmff::{Content, FullBox};

/// Times of the next fragments of a live stream, nearest first: inside `traf`.
///
/// Spec: [MS-SSTR] 2.2.4.5. The count is one byte, as all producers write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tfrf {
    /// Version 0 has 32-bit times.
    pub full: FullBox,
    /// The fragments that follow; 255 of them can be counted and written.
    pub entries: Vec<TfrfEntry>,
}

/// A fragment to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TfrfEntry {
    /// Start, in ticks of the track.
    pub time: u64,
    /// Ticks of the track.
    pub duration: u64,
}

impl Tfrf {
    /// Extended type that marks the box.
    pub const UUID: Guid = Guid::from_u128(0xd4807ef2_ca39_4695_8e54_26cb9e46a79f);

    fn counted(&self) -> &[TfrfEntry] {
        &self.entries[..self.entries.len().min(255)]
    }

    fn layout(&self) -> FullBox {
        let times = self.counted().iter().flat_map(|entry| [entry.time, entry.duration]);
        self.full.holding([times.max().unwrap_or(0)])
    }
}

impl Content for Tfrf {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let count = body.u8()?;
        let entry =
            |_| Ok(TfrfEntry { time: body.word(full.wide())?, duration: body.word(full.wide())? });
        Ok(Self { full, entries: (0..count).map(entry).collect::<Result<_, Error>>()? })
    }

    fn len(&self) -> u64 {
        let width = if self.layout().wide() { 16 } else { 8 };
        FullBox::LEN + 1 + width * self.counted().len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        let full = self.layout();
        full.write(sink);
        sink.u8(self.counted().len() as u8);
        for entry in self.counted() {
            sink.word(entry.time, full.wide());
            sink.word(entry.duration, full.wide());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::AnyBox;

    #[test]
    fn version_1_is_29_bytes_and_16_an_entry() {
        let entries = [(60_060_000, 20_020_000), (80_080_000, 20_020_000)];
        let entries = entries.map(|(time, duration)| TfrfEntry { time, duration }).to_vec();
        let tfrf = Tfrf { full: FullBox { version: 1, flags: 0 }, entries };
        assert_eq!(AnyBox::new(tfrf).len(), 61);
    }
}
