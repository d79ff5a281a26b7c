//! Data of a protection system, from which players get a licence.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use memchr::memmem;

use crate::base::Guid;
use crate::bmff::uuid::PiffPssh;
use crate::bmff::{AnyBox, Boxes, FullBox, Pssh};

/// Maximum keys that are read of a header.
const MOST_KEYS: usize = 64;

/// A protection system, and what it needs to get a licence.
///
/// ```
/// use bytes::Bytes;
/// use smooth_origin::codec::ProtectionSystem;
///
/// let data = Bytes::from_static(b"a PlayReady object");
/// let system = ProtectionSystem::new(ProtectionSystem::PLAY_READY, data);
/// assert_eq!(&system.pssh()[4..8], b"pssh");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectionSystem {
    /// The identifier of the system.
    pub system_id: Guid,
    /// Keys that the data is about, if it is stored with a list of them.
    pub key_ids: Vec<Guid>,
    /// The system's own data: of PlayReady its object.
    pub data: Bytes,
}

impl ProtectionSystem {
    /// The identifier of PlayReady.
    pub const PLAY_READY: Guid = Guid::from_u128(0x9a04f079_9840_4286_ab92_e65be0885f95);

    /// Returns a system with data that has no list of keys.
    pub fn new(system_id: Guid, data: Bytes) -> Self {
        Self { system_id, key_ids: Vec::new(), data }
    }

    /// Returns whether it is PlayReady, whose data is the object that `mspr:pro` of DASH and
    /// `EXT-X-KEY` of HLS contain.
    pub fn is_play_ready(&self) -> bool {
        self.system_id == Self::PLAY_READY
    }

    /// Returns a `pssh` box with the data: `cenc:pssh` of DASH. It is of version 1 if there is a
    /// list of keys.
    ///
    /// Spec: ISO/IEC 23001-7, 8.1.
    pub fn pssh(&self) -> Bytes {
        Boxes::from_iter([AnyBox::new(self.as_box())]).to_bytes()
    }

    /// Returns the keys that the data is about: by its list, or by the header in a PlayReady object.
    ///
    /// Spec: PlayReady Header Specification, 4.0 to 4.3.
    pub fn keys(&self) -> Vec<Guid> {
        match self.is_play_ready() && self.key_ids.is_empty() {
            true => keys_of_object(&self.data),
            false => self.key_ids.clone(),
        }
    }

    pub(super) fn as_box(&self) -> Pssh {
        Pssh {
            full: FullBox { version: u8::from(!self.key_ids.is_empty()), flags: 0 },
            system_id: self.system_id,
            key_ids: self.key_ids.clone(),
            data: self.data.clone(),
        }
    }
}

impl From<&Pssh> for ProtectionSystem {
    fn from(pssh: &Pssh) -> Self {
        let (key_ids, data) = (pssh.key_ids.clone(), pssh.data.clone());
        Self { system_id: pssh.system_id, key_ids, data }
    }
}

impl From<&PiffPssh> for ProtectionSystem {
    fn from(pssh: &PiffPssh) -> Self {
        Self::new(pssh.system_id, pssh.data.clone())
    }
}

/// Returns the keys that the headers in a PlayReady object name. Their text is UTF-16; all that is
/// looked for is ASCII.
fn keys_of_object(object: &[u8]) -> Vec<Guid> {
    let text: Vec<u8> =
        object.chunks_exact(2).map(|unit| if unit[1] == 0 { unit[0] } else { 0 }).collect();
    let mut keys = Vec::new();
    // `<KID>…</KID>` up to version 4.0, `<KID … VALUE="…">` since.
    for at in memmem::find_iter(&text, b"<KID") {
        let rest = &text[at + 4..];
        let tag = &rest[..memchr::memchr(b'>', rest).unwrap_or(rest.len())];
        let value = match memmem::find(tag, b"VALUE=") {
            Some(at) => &tag[(at + 7).min(tag.len())..],
            None => &rest[(tag.len() + 1).min(rest.len())..],
        };
        let end = memchr::memchr3(b'<', b'"', b'\'', value).unwrap_or(value.len());
        let key = STANDARD.decode(value[..end].trim_ascii()).ok();
        let Some(key) = key.and_then(|key| <[u8; 16]>::try_from(key).ok()) else { continue };
        let key = Guid::from_le_bytes(key);
        if !keys.contains(&key) && keys.len() < MOST_KEYS {
            keys.push(key);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Limits;

    fn object(header: &str) -> Bytes {
        let text: Vec<u8> = header.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (all, len) = (text.len() as u32 + 10, text.len() as u16);
        let head = [&all.to_le_bytes()[..], &[1, 0, 1, 0], &len.to_le_bytes()].concat();
        [head, text].concat().into()
    }

    const KEY: Guid = Guid::from_u128(0x09e36702_8f33_436c_a5dd_60ffe6671e70);

    #[test]
    fn keys_of_a_playready_object_are_read_in_every_version() {
        for header in [
            "<WRMHEADER version=\"4.0.0.0\"><DATA><KID>AmfjCTOPbEOl3WD/5mcecA==</KID></DATA></WRMHEADER>",
            "<DATA><PROTECTINFO><KID ALGID=\"AESCTR\" VALUE=\"AmfjCTOPbEOl3WD/5mcecA==\"></KID></PROTECTINFO></DATA>",
            "<KIDS><KID VALUE='AmfjCTOPbEOl3WD/5mcecA=='/><KID VALUE='AmfjCTOPbEOl3WD/5mcecA=='/><KID VALUE='x'/></KIDS>",
        ] {
            let system = ProtectionSystem::new(ProtectionSystem::PLAY_READY, object(header));
            assert_eq!(system.keys(), [KEY], "{header}");
        }
        for header in ["", "<KID", "<KID>", "<KID VALUE=", "<KID VALUE=\"", "<KID>AAAA</KID>"] {
            let system = ProtectionSystem::new(ProtectionSystem::PLAY_READY, object(header));
            assert_eq!(system.keys(), [], "{header}");
        }
    }

    #[test]
    fn the_box_has_the_data_and_the_list_of_keys() {
        let mut system = ProtectionSystem::new(Guid::from_u128(7), Bytes::from_static(b"data"));
        let back = |system: &ProtectionSystem| {
            let boxes = Boxes::parse(&system.pssh(), 0, &Limits::default()).unwrap();
            ProtectionSystem::from(boxes.get::<Pssh>().unwrap())
        };
        assert_eq!((back(&system), system.pssh()[8]), (system.clone(), 0));
        system.key_ids = vec![KEY];
        assert_eq!((back(&system), system.pssh()[8]), (system.clone(), 1));
        assert_eq!(system.keys(), [KEY]);
    }
}
