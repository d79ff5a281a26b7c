//! `tenc`: how the samples of a track are encrypted, where a fragment does not say otherwise.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Guid, Sink};

/// Track encryption of CENC, inside `schi`.
///
/// Spec: ISO/IEC 23001-7, 8.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenc {
    /// Version 1 has a pattern.
    pub full: FullBox,
    /// As read; zero.
    pub reserved: u8,
    /// Version 1: blocks encrypted (the upper four bits) and then left clear; version 0: zero.
    pub pattern: u8,
    /// 1 when samples are encrypted, 0 when they are not.
    pub is_protected: u8,
    /// Bytes of the IV that each sample has: 8, 16, or 0 where all share one.
    pub iv_size: u8,
    /// The key, in printed order.
    pub key_id: Guid,
    /// The IV that all samples share; at most 255 bytes can be counted and written.
    pub constant_iv: Option<Bytes>,
}

impl Tenc {
    fn constant_iv(&self) -> Option<&[u8]> {
        self.constant_iv.as_ref().map(|iv| &iv[..iv.len().min(255)])
    }
}

impl Content for Tenc {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let (reserved, pattern) = (body.u8()?, body.u8()?);
        let (is_protected, iv_size, key_id) = (body.u8()?, body.u8()?, body.guid()?);
        // A box that ends here although it owes the IV is still worth its key.
        let constant_iv = if is_protected == 1 && iv_size == 0 && !body.is_empty() {
            let len = body.u8()?;
            Some(body.bytes(len.into())?)
        } else {
            None
        };
        Ok(Self { full, reserved, pattern, is_protected, iv_size, key_id, constant_iv })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 20 + self.constant_iv().map_or(0, |iv| 1 + iv.len() as u64)
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u8(self.reserved);
        sink.u8(self.pattern);
        sink.u8(self.is_protected);
        sink.u8(self.iv_size);
        sink.guid(self.key_id);
        if let Some(iv) = self.constant_iv() {
            sink.u8(iv.len() as u8);
            sink.put(iv);
        }
    }
}
