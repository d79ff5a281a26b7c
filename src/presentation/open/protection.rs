//! What a generated manifest tells players of licences: the protection boxes of the files.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::base::Guid;
use crate::bmff::{Boxes, Pssh, uuid::PiffPssh};
use crate::manifest::ProtectionHeader;
use crate::presentation::finding::{Finding, FindingCode, Findings};

/// PlayReady's system identifier.
const PLAY_READY: Guid = Guid::from_u128(0x9a04f079_9840_4286_ab92_e65be0885f95);

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

/// The header of PlayReady alone where there is one, since players of Smooth Streaming know no other
/// system, and some take the first header whatever it is; else one header per system. Of each, that
/// of the first file that has it.
pub(super) fn headers<'a>(
    of_files: impl Iterator<Item = &'a System>,
    findings: &mut Findings,
) -> Vec<ProtectionHeader> {
    let mut systems: Vec<&System> = Vec::new();
    let mut known: HashMap<Guid, &System> = HashMap::new();
    for system in of_files {
        match known.insert(system.id, system) {
            None => systems.push(system),
            Some(first) => {
                known.insert(system.id, first);
                if first == system {
                    continue;
                }
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
    let is_play_ready = |system: &&System| system.id == PLAY_READY;
    match systems.iter().copied().find(is_play_ready) {
        Some(play_ready) => vec![header(play_ready)],
        None => systems.into_iter().map(header).collect(),
    }
}
