//! Content protection, as an Adaptation Set signals it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::manifest::XmlWriter;
use crate::presentation::{Presentation, Track};

/// Scheme of Common Encryption.
///
/// Spec: ISO/IEC 23009-1, 5.8.5.2; ISO/IEC 23001-7, 11.
const COMMON: &str = "urn:mpeg:dash:mp4protection:2011";

/// Writes how a track is encrypted, and the data of each protection system; nothing if it is not.
///
/// The data of PlayReady is written in two forms, because some players read only one: as a `pssh` and
/// as its object.
pub(super) fn write(xml: &mut XmlWriter, presentation: &Presentation, track: &Track) {
    let Some(encryption) = track.encryption() else { return };
    let Some(key) = encryption.key_id else { return };
    xml.open("ContentProtection");
    xml.attribute("schemeIdUri", COMMON);
    xml.attribute("value", encryption.scheme.as_str());
    xml.attribute("cenc:default_KID", &key.to_string());
    xml.close();
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
