//! PIFF's track encryption box, the model of `tenc`.

use crate::base::{Cursor, Error, Guid, Sink};
use crate::bmff::{Content, FullBox};

/// Encryption of the samples of a track; inside `schi`.
///
/// Spec: PIFF 1.1, 5.3.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PiffTenc {
    /// Version 0.
    pub full: FullBox,
    /// 24 bits: 0 for clear, 1 for AES-CTR, 2 for AES-CBC.
    pub algorithm_id: u32,
    /// Bytes of the IV that each sample has: 8 or 16.
    pub iv_size: u8,
    /// The key, in printed order.
    pub key_id: Guid,
}

impl PiffTenc {
    /// Extended type that marks the box.
    pub const UUID: Guid = Guid::from_u128(0x8974dbce_7be7_4c51_84f9_7148f9882554);
}

impl Content for PiffTenc {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let (algorithm_id, iv_size) = (body.u24()?, body.u8()?);
        Ok(Self { full, algorithm_id, iv_size, key_id: body.guid()? })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 20
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u24(self.algorithm_id);
        sink.u8(self.iv_size);
        sink.guid(self.key_id);
    }
}
