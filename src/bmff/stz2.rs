//! `stz2`: sizes of samples in few bits.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, ErrorKind, Sink};

/// Compact sample sizes: of 4, 8 or 16 bits.
///
/// The entries stay bytes; [`Stz2::sizes`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.7.3.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stz2 {
    /// Version 0.
    pub full: FullBox,
    /// 24 reserved bits, then the bits of one size: 4, 8 or 16.
    pub field_size: u32,
    /// Samples.
    pub sample_count: u32,
    /// Their sizes, two a byte if they have four bits, the first one in the high bits.
    pub entries: Bytes,
}

impl Stz2 {
    /// Bits of one size: 4, 8 or 16.
    pub fn bits(&self) -> u32 {
        self.field_size & 0xff
    }

    /// Size of each sample.
    pub fn sizes(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.sample_count as usize).map(|at| self.size(at).unwrap_or(0))
    }

    /// Size of the sample at an index, from 0.
    pub(crate) fn size(&self, at: usize) -> Option<u32> {
        let byte = |at: usize| self.entries.get(at).copied().map(u32::from);
        match self.bits() {
            4 if at & 1 == 0 => byte(at / 2).map(|byte| byte >> 4),
            4 => byte(at / 2).map(|byte| byte & 0xf),
            8 => byte(at),
            _ => Some(byte(2 * at)? << 8 | byte(2 * at + 1)?),
        }
    }
}

impl Content for Stz2 {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let field = body.clone();
        let field_size = body.u32()?;
        let sample_count = body.u32()?;
        let bits = field_size & 0xff;
        let entries = match bits {
            4 => body.entries(sample_count.div_ceil(2), 1)?,
            8 => body.entries(sample_count, 1)?,
            16 => body.entries(sample_count, 2)?,
            _ => {
                let what = format!("sizes of {bits} bits, where 4, 8 or 16 are possible");
                let clause = "ISO/IEC 14496-12, 8.7.3.3";
                return Err(field.error(ErrorKind::Invalid { what, clause }));
            }
        };
        Ok(Self { full, field_size, sample_count, entries })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 8 + self.entries.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.field_size);
        sink.u32(self.sample_count);
        sink.put(&self.entries);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(field_size: u8, count: u8, sizes: &[u8]) -> Result<Stz2, Error> {
        let head = [0, 0, 0, 0, 0, 0, 0, field_size, 0, 0, 0, count];
        let body = Bytes::from([&head[..], sizes].concat());
        Stz2::parse(&mut Cursor::new(&body, 0))
    }

    #[test]
    fn sizes_of_every_width_are_read() {
        for (bits, bytes, sizes) in [
            (4, &[0x12, 0x30][..], &[1, 2, 3][..]),
            (8, &[1, 2, 3], &[1, 2, 3]),
            (16, &[1, 0, 0, 2, 0xff, 0xff], &[256, 2, 65_535]),
        ] {
            let stz2 = parse(bits, 3, bytes).unwrap();
            assert_eq!(stz2.sizes().collect::<Vec<_>>(), sizes);
            assert!(parse(bits, 3, &bytes[..bytes.len() - 1]).is_err(), "{bits}");
        }
        let error = parse(12, 1, &[0; 9]).unwrap_err().to_string();
        assert!(error.starts_with("at byte 4: sizes of 12 bits"), "{error}");
    }
}
