//! Content protection, as a playlist signals it.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::attributes::Tag;
use super::length::check_length;
use crate::base::Error;
use crate::codec::EncryptionScheme;
use crate::presentation::{Presentation, Track};

/// Writes the session keys of a multivariant playlist: one per key and protection system.
///
/// # Errors
/// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) if they are longer than a client manifest may
/// be.
pub(super) fn write_session<'a>(
    text: &mut String,
    presentation: &Presentation,
    tracks: impl Iterator<Item = &'a Track>,
) -> Result<(), Error> {
    let mut known = HashSet::new();
    for track in tracks {
        let Some(encryption) = track.encryption() else { continue };
        if known.insert((method(encryption.scheme), encryption.key_id)) {
            write(text, "#EXT-X-SESSION-KEY", presentation, track);
        }
        check_length(text, presentation)?;
    }
    Ok(())
}

fn method(scheme: EncryptionScheme) -> &'static str {
    match scheme {
        EncryptionScheme::Cbcs | EncryptionScheme::Cbc1 => "SAMPLE-AES",
        _ => "SAMPLE-AES-CTR",
    }
}

/// Writes a key tag per protection system; nothing if the samples of the track are not encrypted.
///
/// The URI of PlayReady is its object, the URI of other systems a `pssh` box.
///
/// Spec: RFC 8216bis, 4.4.4.4; "HTTP Live Streaming with PlayReady".
pub(super) fn write(text: &mut String, name: &str, presentation: &Presentation, track: &Track) {
    let Some(encryption) = track.encryption() else { return };
    let method = method(encryption.scheme);
    for system in presentation.protection() {
        let (format, data) = match system.is_play_ready() {
            true => ("com.microsoft.playready".to_owned(), system.data.clone()),
            false => (format!("urn:uuid:{}", system.system_id), system.pssh()),
        };
        let tag = Tag::new(text, name).plain("METHOD", method);
        let tag = tag.quoted("URI", &format!("data:text/plain;base64,{}", STANDARD.encode(data)));
        let tag = match encryption.key_id {
            Some(key) => tag.plain("KEYID", format_args!("0x{}", key.to_string().replace('-', ""))),
            None => tag,
        };
        tag.quoted("KEYFORMAT", &format).quoted("KEYFORMATVERSIONS", "1").end();
    }
}
