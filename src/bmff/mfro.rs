//! `mfro`: how far from the end of the file its `mfra` begins.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Movie fragment random access offset: the last box of the `mfra`, and so of the file.
///
/// Spec: ISO/IEC 14496-12, 8.8.11.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mfro {
    /// Version 0.
    pub full: FullBox,
    /// Bytes of the whole `mfra`, this box included.
    pub size: u32,
}

impl Content for Mfro {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { full: FullBox::parse(body)?, size: body.u32()? })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 4
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.size);
    }
}
