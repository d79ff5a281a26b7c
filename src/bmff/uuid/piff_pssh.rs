//! PIFF's protection system specific header.

use bytes::Bytes;

use crate::base::{Cursor, Error, Guid, Sink};
use crate::bmff::{Content, FullBox};

/// Data that a protection system needs to get a licence; inside `moov`. For PlayReady, its object.
///
/// Spec: PIFF 1.1, 5.3.1; [MS-SSTR] calls the same a `ProtectionHeader`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PiffPssh {
    /// Version and flags; 0.
    pub full: FullBox,
    /// The system.
    pub system_id: Guid,
    /// The system's own.
    pub data: Bytes,
}

impl PiffPssh {
    /// Extended type that marks the box.
    pub const UUID: Guid = Guid::from_u128(0xd08a4f18_10f3_4a82_b6c8_32d8aba183d3);
}

impl Content for PiffPssh {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let (full, system_id) = (FullBox::parse(body)?, body.guid()?);
        let len = body.u32()?;
        let data = body.entries(len, 1)?;
        Ok(Self { full, system_id, data })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 20 + self.data.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.guid(self.system_id);
        sink.u32(self.data.len() as u32);
        sink.put(&self.data);
    }
}
