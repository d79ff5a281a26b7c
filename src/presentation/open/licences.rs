//! Encrypted tracks for which players get no licence, or which they cannot decrypt.

use std::collections::HashSet;

use super::resolve::Resolved;
use crate::base::Limits;
use crate::codec::{EncryptionScheme, encryption};
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

/// Reports tracks that are encrypted by a scheme with a pattern.
///
/// Spec: PIFF 1.1, 5.3.3 has AES-CTR and AES-CBC of whole samples.
pub(super) fn check_schemes(resolved: &[Resolved<'_>], limits: &Limits, findings: &mut Findings) {
    for resolved in resolved {
        let entry = resolved.media.as_ref().ok().and_then(|media| media.entry.as_ref());
        let scheme = entry.and_then(|entry| encryption(entry, limits)).map(|found| found.scheme);
        if let Some(scheme @ (EncryptionScheme::Cbcs | EncryptionScheme::Cens)) = scheme {
            let message = format!("its samples are encrypted by `{}`", scheme.as_str());
            let finding = Finding::new(FindingCode::SchemeNotSmooth, message);
            findings.push(finding.of_track(resolved.server.name()).in_file(&resolved.file_name));
        }
    }
}
