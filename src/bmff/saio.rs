//! `saio`: where the samples' auxiliary information lies.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Sample auxiliary information offsets.
///
/// Spec: ISO/IEC 14496-12, 8.7.9. In a fragment they count from the first byte of the `moof`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saio {
    /// Flag 1, set anew when written: type and parameter are there; version 1 has 64-bit offsets.
    pub full: FullBox,
    /// `aux_info_type` and its parameter.
    pub info_type: Option<(u32, u32)>,
    /// One for all samples, or one a run.
    pub offsets: Vec<u64>,
}

impl Saio {
    fn layout(&self) -> FullBox {
        let full = self.full.with_flag(1, self.info_type.is_some());
        full.holding([self.offsets.iter().copied().max().unwrap_or(0)])
    }
}

impl Content for Saio {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let info_type = if full.has(1) { Some((body.u32()?, body.u32()?)) } else { None };
        let count = body.u32()?;
        let mut offsets = Vec::new();
        for _ in 0..count {
            offsets.push(body.word(full.wide())?);
        }
        Ok(Self { full, info_type, offsets })
    }

    fn len(&self) -> u64 {
        let info_type = if self.info_type.is_some() { 8 } else { 0 };
        FullBox::LEN + info_type + 4 + self.layout().word_len() * self.offsets.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        let full = self.layout();
        full.write(sink);
        if let Some((kind, parameter)) = self.info_type {
            sink.u32(kind);
            sink.u32(parameter);
        }
        sink.u32(self.offsets.len() as u32);
        for &offset in &self.offsets {
            sink.word(offset, full.wide());
        }
    }
}
