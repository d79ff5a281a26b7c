//! `pssh`: what a protection system needs to get a licence.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Guid, Sink};

/// Protection system specific header, inside `moov`.
///
/// Spec: ISO/IEC 23001-7, 8.1. PIFF has the same as an extended type:
/// [`PiffPssh`](super::uuid::PiffPssh).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pssh {
    /// Version 1 has key identifiers.
    pub full: FullBox,
    /// The system.
    pub system_id: Guid,
    /// Keys that it is about, in version 1.
    pub key_ids: Vec<Guid>,
    /// The system's own.
    pub data: Bytes,
}

impl Content for Pssh {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let system_id = body.guid()?;
        let mut key_ids = Vec::new();
        if full.version > 0 {
            for _ in 0..body.u32()? {
                key_ids.push(body.guid()?);
            }
        }
        let len = body.u32()?;
        let data = body.entries(len, 1)?;
        Ok(Self { full, system_id, key_ids, data })
    }

    fn len(&self) -> u64 {
        let key_ids = if self.full.version > 0 { 4 + 16 * self.key_ids.len() as u64 } else { 0 };
        FullBox::LEN + 16 + key_ids + 4 + self.data.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.guid(self.system_id);
        if self.full.version > 0 {
            sink.u32(self.key_ids.len() as u32);
            self.key_ids.iter().for_each(|&key_id| sink.guid(key_id));
        }
        sink.u32(self.data.len() as u32);
        sink.put(&self.data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_between_the_system_and_its_data_in_version_1() {
        for version in [0, 1] {
            let pssh = Pssh {
                full: FullBox { version, flags: 0 },
                system_id: Guid::from_u128(1),
                key_ids: vec![Guid::from_u128(2); version.into()],
                data: Bytes::from_static(b"data"),
            };
            let bytes = crate::bmff::Boxes::from_iter([crate::bmff::AnyBox::new(pssh.clone())]);
            let bytes = bytes.to_bytes().slice(8..);
            assert_eq!(bytes.len(), if version == 0 { 28 } else { 48 });
            assert_eq!(Pssh::parse(&mut Cursor::new(&bytes, 0)).unwrap(), pssh);
            for len in 0..bytes.len() {
                let cut = bytes.slice(..len);
                assert!(Pssh::parse(&mut Cursor::new(&cut, 0)).is_err(), "{len}");
            }
        }
    }

    #[test]
    fn keys_that_are_claimed_and_not_there_take_no_memory() {
        let mut bytes = vec![1, 0, 0, 0];
        bytes.extend([0; 16]);
        bytes.extend([0xff; 4]);
        let error = Pssh::parse(&mut Cursor::new(&bytes.into(), 0)).unwrap_err();
        assert_eq!(error.to_string(), "at byte 24: needs 16 bytes, has 0");
    }
}
