//! `hdlr`: what kind of media a track is.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, FourCc, Sink};

/// Handler reference. The name behind it stays unread.
///
/// Spec: ISO/IEC 14496-12, 8.4.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hdlr {
    /// Version 0.
    pub full: FullBox,
    /// 0, or QuickTime's component type.
    pub pre_defined: u32,
    /// `vide`, `soun`, `text`, `subt`, `meta`, …
    pub handler_type: FourCc,
}

impl Content for Hdlr {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self {
            full: FullBox::parse(body)?,
            pre_defined: body.u32()?,
            handler_type: body.four_cc()?,
        })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 8
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.pre_defined);
        sink.four_cc(self.handler_type);
    }
}
