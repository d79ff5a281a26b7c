//! What a generated manifest tells players of licences: the protection boxes of the files.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::media::MediaFile;
use crate::base::{FileId, Guid};
use crate::bmff::{Boxes, Pssh, uuid::PiffPssh};
use crate::manifest::ProtectionHeader;
use crate::presentation::finding::{Finding, FindingCode, Findings};

/// A protection system and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct System {
    pub(super) id: Guid,
    data: Bytes,
}

/// The protection systems of a `moov`, in its order: of PIFF and of Common Encryption.
pub(super) fn of_moov(moov: &Boxes) -> Vec<System> {
    let piff = moov.all::<PiffPssh>().map(|b| System { id: b.system_id, data: b.data.clone() });
    let cenc = moov.all::<Pssh>().map(|b| System { id: b.system_id, data: b.data.clone() });
    piff.chain(cenc).collect()
}

/// One header a system: players take one of each. That of the first file that has it.
pub(super) fn headers(
    media: &[(FileId, MediaFile)],
    findings: &mut Findings,
) -> Vec<ProtectionHeader> {
    let (mut systems, mut known) = (Vec::new(), BTreeMap::new());
    for system in media.iter().flat_map(|(_, file)| &file.protection) {
        match known.entry(system.id) {
            Entry::Vacant(free) => systems.push(*free.insert(system)),
            Entry::Occupied(known) if **known.get() == *system => {}
            Entry::Occupied(_) => {
                let message = format!("the files differ in what they have for {}", system.id);
                findings.push(Finding::new(FindingCode::ProtectionDiffers, message));
            }
        }
    }
    let header = |system: &System| ProtectionHeader {
        system_id: Some(system.id),
        data: STANDARD.encode(&system.data),
        ..ProtectionHeader::default()
    };
    systems.into_iter().map(header).collect()
}
