//! Server manifests: what is read is written, and read again as the same.

use smooth_origin::base::{ErrorGroup, Limits};
use smooth_origin::manifest::ServerManifest;

/// Reads any bytes as a server manifest.
pub fn server_manifest(data: &[u8]) {
    let limits = Limits::default();
    let manifest = match ServerManifest::parse(data, &limits) {
        Ok(manifest) => manifest,
        Err(error) => return assert_eq!(error.kind.group(), ErrorGroup::Content, "{error}"),
    };
    let text = manifest.to_xml().expect("what was read can be written");
    // A quote becomes six bytes, and no element less than what it is written as.
    assert!(text.len() <= 8 * data.len() + 300, "{} bytes of {}", text.len(), data.len());
    let again = ServerManifest::parse(text.as_bytes(), &limits)
        .unwrap_or_else(|error| panic!("{error} in what was written: {text}"));
    assert_eq!(again, manifest, "{text}");
    assert_eq!(again.to_xml().unwrap(), text);

    assert!(manifest.client_manifest().is_none_or(|path| !path.trim().is_empty()));
    for track in &manifest.tracks {
        assert!(!track.name().is_empty());
        assert!(track.src().is_none_or(|src| !src.trim().is_empty()));
        assert!(track.language().is_none_or(|tag| !tag.is_empty()));
        let _ = (track.bitrate(), track.track_id());
    }
}
