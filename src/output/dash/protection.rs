//! Content protection, as an Adaptation Set signals it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::Guid;
use crate::codec::{Encryption, EncryptionScheme};
use crate::manifest::XmlWriter;
use crate::presentation::{Presentation, Track};

/// Scheme of Common Encryption.
///
/// Spec: ISO/IEC 23009-1, 5.8.5.2; ISO/IEC 23001-7, 11.
const COMMON: &str = "urn:mpeg:dash:mp4protection:2011";

/// Writes how the tracks of an Adaptation Set are encrypted, and the data of each protection system;
/// nothing if they are not.
///
/// The data of PlayReady is written in two forms, because some players read only one: as a `pssh` and
/// as its object. If the tracks have different keys, each Representation [has its own](write_key), and
/// the set has none: Shaka Player refuses a set with two.
pub(super) fn write(xml: &mut XmlWriter, presentation: &Presentation, tracks: &[(usize, &Track)]) {
    let encryption = tracks.first().and_then(|(_, track)| track.encryption());
    let Some(Encryption { scheme, key_id: Some(key), .. }) = encryption else { return };
    write_common(xml, scheme, (!has_own_keys(tracks)).then_some(key));
    for system in presentation.protection() {
        xml.open("ContentProtection");
        xml.attribute("schemeIdUri", &format!("urn:uuid:{}", system.system_id));
        if system.is_play_ready() {
            xml.attribute("value", "MSPR 2.0");
        }
        xml.children();
        xml.open("cenc:pssh");
        xml.content(&STANDARD.encode(system.pssh()), "cenc:pssh");
        if system.is_play_ready() {
            xml.open("mspr:pro");
            xml.content(&STANDARD.encode(&system.data), "mspr:pro");
        }
        xml.end("ContentProtection");
    }
}

/// Returns whether the tracks of an Adaptation Set have different keys.
pub(super) fn has_own_keys(tracks: &[(usize, &Track)]) -> bool {
    let mut keys = tracks.iter().map(|(_, track)| key(track));
    let first = keys.next();
    keys.any(|key| Some(key) != first)
}

/// Writes the key of a Representation.
pub(super) fn write_key(xml: &mut XmlWriter, track: &Track) {
    if let Some(Encryption { scheme, key_id, .. }) = track.encryption() {
        write_common(xml, scheme, key_id);
    }
}

fn key(track: &Track) -> Option<Guid> {
    track.encryption().and_then(|encryption| encryption.key_id)
}

fn write_common(xml: &mut XmlWriter, scheme: EncryptionScheme, key: Option<Guid>) {
    xml.open("ContentProtection");
    xml.attribute("schemeIdUri", COMMON);
    xml.attribute("value", scheme.as_str());
    xml.attribute_if("cenc:default_KID", key.map(|key| key.to_string()));
    xml.close();
}
