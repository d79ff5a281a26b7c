//! `frma`: what an encrypted sample entry was called before.

use super::Content;
use crate::base::{Cursor, Error, FourCc, Sink};

/// Original format, inside `sinf`.
///
/// Spec: ISO/IEC 14496-12, 8.12.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frma {
    /// The entry's format without protection: `avc1` behind `encv`.
    pub data_format: FourCc,
}

impl Content for Frma {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { data_format: body.four_cc()? })
    }

    fn len(&self) -> u64 {
        4
    }

    fn write(&self, sink: &mut Sink) {
        sink.four_cc(self.data_format);
    }
}
