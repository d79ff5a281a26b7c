//! `schm`: by which scheme samples are protected.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, FourCc, Sink};

/// Protection scheme, inside `sinf`. The address that flag 1 adds stays unread.
///
/// Spec: ISO/IEC 14496-12, 8.12.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schm {
    /// Version 0; flag 1 says that an address of the scheme follows.
    pub full: FullBox,
    /// `cenc`, `cbcs`, …; `piff` in files of PIFF 1.1.
    pub scheme_type: FourCc,
    /// 0x00010000 in CENC; in PIFF 0x00010000 or 0x00010001.
    pub scheme_version: u32,
}

impl Content for Schm {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        Ok(Self { full, scheme_type: body.four_cc()?, scheme_version: body.u32()? })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 8
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.four_cc(self.scheme_type);
        sink.u32(self.scheme_version);
    }
}
