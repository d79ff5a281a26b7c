//! Protection systems: the data from which players get a licence, of manifests and files.

use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::base::Guid;
use crate::bmff::{Boxes, Pssh, uuid::PiffPssh};
use crate::codec::ProtectionSystem;
use crate::manifest::ProtectionHeader;
use crate::presentation::finding::{Finding, FindingCode, Findings};

/// Maximum systems that are kept, and bytes of the data of each.
const MOST_SYSTEMS: usize = 32;
const LONGEST_DATA: usize = 64 << 10;

/// Maximum keys that the list of a system may have.
const MOST_KEYS: usize = 64;

/// The protection systems of a `moov`, in its order: of PIFF and of Common Encryption.
pub(super) fn of_moov(moov: &Boxes) -> Vec<ProtectionSystem> {
    let piff = moov.all::<PiffPssh>().map(ProtectionSystem::from);
    piff.chain(moov.all::<Pssh>().map(ProtectionSystem::from)).collect()
}

/// Returns the systems of a presentation: those of a client manifest, then those that only files
/// have. Of one system, files may have data for different keys.
pub(super) fn systems(
    headers: &[ProtectionHeader],
    of_files: &[&ProtectionSystem],
) -> Box<[ProtectionSystem]> {
    let of_header = |header: &ProtectionHeader| {
        let data = STANDARD.decode(&header.data).ok()?;
        Some(ProtectionSystem::new(header.system_id?, data.into()))
    };
    let mut systems: Vec<_> = headers.iter().filter_map(of_header).collect();
    let announced: HashSet<Guid> = systems.iter().map(|system| system.system_id).collect();
    for system in of_files {
        let is_short = system.data.len() <= LONGEST_DATA && system.key_ids.len() <= MOST_KEYS;
        if is_short && !announced.contains(&system.system_id) && systems.len() < MOST_SYSTEMS {
            let is_same = |known: &ProtectionSystem| {
                known.system_id == system.system_id && known.data == system.data
            };
            // The block that it was read from is not held on to.
            let copy = || {
                let data = Bytes::copy_from_slice(&system.data);
                ProtectionSystem { data, ..(*system).clone() }
            };
            let is_known = systems.iter().any(is_same);
            systems.extend((!is_known).then(copy));
        }
    }
    systems.retain(|system| system.data.len() <= LONGEST_DATA);
    systems.truncate(MOST_SYSTEMS);
    systems.into()
}

/// The header of PlayReady alone where there is one, since players of Smooth Streaming know no other
/// system, and some take the first header whatever it is; else one header per system. Of each, that
/// of the first file that has it.
pub(super) fn headers<'a>(
    of_files: impl Iterator<Item = &'a ProtectionSystem>,
    findings: &mut Findings,
) -> Vec<ProtectionHeader> {
    let mut systems: Vec<&ProtectionSystem> = Vec::new();
    let mut known: HashMap<Guid, &ProtectionSystem> = HashMap::new();
    for system in of_files {
        match known.insert(system.system_id, system) {
            None => systems.push(system),
            Some(first) => {
                known.insert(system.system_id, first);
                if first.data == system.data {
                    continue;
                }
                let message =
                    format!("the files differ in what they have for {}", system.system_id);
                findings.push(Finding::new(FindingCode::ProtectionDiffers, message));
            }
        }
    }
    let header = |system: &ProtectionSystem| ProtectionHeader {
        system_id: Some(system.system_id),
        data: STANDARD.encode(&system.data),
        ..ProtectionHeader::default()
    };
    match systems.iter().copied().find(|system| system.is_play_ready()) {
        Some(play_ready) => vec![header(play_ready)],
        None => systems.into_iter().map(header).collect(),
    }
}
