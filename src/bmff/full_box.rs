//! Version and flags, with which most boxes begin.

use crate::base::{Cursor, Error, Sink};

/// The first four bytes of a full box.
///
/// Spec: ISO/IEC 14496-12, 4.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FullBox {
    /// Which layout follows; as read.
    pub version: u8,
    /// 24 bits, whose meaning is the box's; as read.
    pub flags: u32,
}

impl FullBox {
    /// Bytes it takes.
    pub(crate) const LEN: u64 = 4;

    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { version: cursor.u8()?, flags: cursor.u24()? })
    }

    pub(crate) fn write(self, sink: &mut Sink) {
        sink.u8(self.version);
        sink.u24(self.flags);
    }

    /// A flag is set.
    pub fn has(self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Returns this header with a flag set or cleared.
    pub(crate) fn with_flag(mut self, flag: u32, set: bool) -> Self {
        self.flags = if set { self.flags | flag } else { self.flags & !flag };
        self
    }

    /// Times are stored in 64 bits: always in versions above 0.
    pub(crate) fn wide(self) -> bool {
        self.version > 0
    }

    /// Bytes of a number that is stored in four bytes or in eight.
    pub(crate) fn word_len(self) -> u64 {
        if self.wide() { 8 } else { 4 }
    }

    /// Reads the times with which `mvhd`, `tkhd` and `mdhd` begin: of creation and of modification.
    pub(crate) fn times(self, body: &mut Cursor<'_>) -> Result<(u64, u64), Error> {
        Ok((body.word(self.wide())?, body.word(self.wide())?))
    }

    /// Writes what [`times`](Self::times) reads.
    pub(crate) fn write_times(self, sink: &mut Sink, creation: u64, modification: u64) {
        sink.word(creation, self.wide());
        sink.word(modification, self.wide());
    }

    /// Returns this header, in version 1 if version 0 cannot hold `times`.
    pub(crate) fn holding<const N: usize>(mut self, times: [u64; N]) -> Self {
        if self.version == 0 && times.iter().any(|&time| time > u32::MAX.into()) {
            self.version = 1;
        }
        self
    }
}
