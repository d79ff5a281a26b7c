//! `saiz`: how long each sample's auxiliary information is.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Sample auxiliary information sizes.
///
/// Spec: ISO/IEC 14496-12, 8.7.8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saiz {
    /// Flag 1, set anew when written: type and parameter are there.
    pub full: FullBox,
    /// `aux_info_type` and its parameter.
    pub info_type: Option<(u32, u32)>,
    /// The size of every sample's, or 0 when they differ.
    pub default_sample_info_size: u8,
    /// Samples.
    pub sample_count: u32,
    /// One byte a sample when the default is 0, else none.
    pub sizes: Bytes,
}

impl Content for Saiz {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let info_type = if full.has(1) { Some((body.u32()?, body.u32()?)) } else { None };
        let default_sample_info_size = body.u8()?;
        let sample_count = body.u32()?;
        let sizes = if default_sample_info_size == 0 { sample_count } else { 0 };
        let sizes = body.bytes(sizes as usize)?;
        Ok(Self { full, info_type, default_sample_info_size, sample_count, sizes })
    }

    fn len(&self) -> u64 {
        let info_type = if self.info_type.is_some() { 8 } else { 0 };
        FullBox::LEN + info_type + 5 + self.sizes.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.with_flag(1, self.info_type.is_some()).write(sink);
        if let Some((kind, parameter)) = self.info_type {
            sink.u32(kind);
            sink.u32(parameter);
        }
        sink.u8(self.default_sample_info_size);
        sink.u32(self.sample_count);
        sink.put(&self.sizes);
    }
}
