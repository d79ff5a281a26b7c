//! `mehd`: how long the fragments are together.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Movie extends header.
///
/// Spec: ISO/IEC 14496-12, 8.8.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mehd {
    /// Version 1 has a 64-bit duration.
    pub full: FullBox,
    /// Length of the longest track with its fragments, in ticks of the movie.
    pub fragment_duration: u64,
}

impl Content for Mehd {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let fragment_duration = body.word(full.wide())?;
        Ok(Self { full, fragment_duration })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + self.full.holding([self.fragment_duration]).word_len()
    }

    fn write(&self, sink: &mut Sink) {
        let full = self.full.holding([self.fragment_duration]);
        full.write(sink);
        sink.word(self.fragment_duration, full.wide());
    }
}
