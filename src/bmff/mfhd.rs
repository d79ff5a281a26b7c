//! `mfhd`: a fragment's number in its file.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Movie fragment header.
///
/// Spec: ISO/IEC 14496-12, 8.8.5. Numbers grow in file order, over all tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mfhd {
    /// Version 0.
    pub full: FullBox,
    /// Grows from fragment to fragment, not always by one.
    pub sequence_number: u32,
}

impl Content for Mfhd {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { full: FullBox::parse(body)?, sequence_number: body.u32()? })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 4
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.sequence_number);
    }
}
