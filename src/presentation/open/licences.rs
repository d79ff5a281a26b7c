//! Encrypted tracks of a manifest that does not say where players get a licence.

use std::collections::HashSet;

use super::resolve::Resolved;
use crate::base::Limits;
use crate::codec::encryption;
use crate::presentation::finding::{Finding, FindingCode, Findings};

/// Reports each key for which the manifest does not say where to get a licence, because it has no
/// protection header.
pub(super) fn check_keys(resolved: &[Resolved<'_>], limits: &Limits, findings: &mut Findings) {
    let mut known = HashSet::new();
    for resolved in resolved {
        let entry = resolved.media.as_ref().ok().and_then(|media| media.entry.as_ref());
        let Some(key) = entry.and_then(|entry| encryption(entry, limits)?.key_id) else { continue };
        if known.insert(key) {
            let message = format!(
                "samples are encrypted with the key {key}, and the manifest has no protection \
                 header: players do not know where to get a licence"
            );
            let finding = Finding::new(FindingCode::LicenceUnknown, message);
            findings.push(finding.of_track(resolved.server.name()).in_file(&resolved.file_name));
        }
    }
}
