//! Protection systems, keys and licences: `--protection`.

use std::io::{self, Write};

use serde_json::{Value, json};
use smooth_origin::codec::ProtectionSystem;
use smooth_origin::presentation::{Encryption, Presentation, Stream, Track};

use crate::text::line;

/// Names of systems that are often met.
const NAMES: [(&str, &str); 4] = [
    ("9a04f079-9840-4286-ab92-e65be0885f95", "PlayReady"),
    ("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", "Widevine"),
    ("1077efec-c0b2-4d02-ace3-3c1e52e2fb4b", "W3C Common"),
    ("94ce86fb-07ff-4f43-adb8-93d2fa968ca2", "FairPlay"),
];

fn name(system: &ProtectionSystem) -> Option<&'static str> {
    let id = system.system_id.to_string();
    NAMES.iter().find(|(known, _)| id.eq_ignore_ascii_case(known)).map(|(_, name)| *name)
}

/// Returns the content of an element of the header in a PlayReady object, whose text is UTF-16:
/// `LA_URL` is where players get licences, `LUI_URL` where people do.
fn element(system: &ProtectionSystem, element: &str) -> Option<String> {
    if !system.is_play_ready() {
        return None;
    }
    // The header follows 10 bytes of lengths and types, so units begin at even offsets.
    let units = system.data.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
    let (_, rest) = text.split_once(&format!("<{element}>"))?;
    let (content, _) = rest.split_once(&format!("</{element}>"))?;
    Some(content.trim().replace("&amp;", "&"))
}

fn keys(system: &ProtectionSystem) -> Vec<String> {
    system.keys().iter().map(ToString::to_string).collect()
}

/// Returns a remark if the key of a track contradicts the systems.
fn remark(presentation: &Presentation, encryption: &Encryption) -> Option<&'static str> {
    let key = encryption.key_id?;
    let systems = presentation.protection();
    if systems.is_empty() {
        return Some("no system says where its licence is");
    }
    let says_keys = |system: &&ProtectionSystem| !system.keys().is_empty();
    let is_named = systems.iter().any(|system| system.keys().contains(&key));
    (!is_named && systems.iter().any(|system| says_keys(&system)))
        .then_some("no system names this key")
}

/// Writes the systems, each with its keys and the URL of its licences, and what each track says.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(out: &mut impl Write, presentation: &Presentation) -> io::Result<()> {
    if presentation.protection().is_empty() {
        line(out, format_args!("protection: no system"))?;
    }
    for system in presentation.protection() {
        let name = name(system).unwrap_or("unknown system");
        let (id, len) = (system.system_id, system.data.len());
        line(out, format_args!("protection: {name} ({id}), {len} bytes"))?;
        for key in keys(system) {
            line(out, format_args!("  key {key}"))?;
        }
        for element_name in ["LA_URL", "LUI_URL"] {
            if let Some(url) = element(system, element_name) {
                line(out, format_args!("  {element_name} {url}"))?;
            }
        }
    }
    for stream in presentation.streams() {
        for track in stream.tracks() {
            let (name, bitrate) = (stream.name(), track.bitrate());
            let says = says(presentation, track);
            line(out, format_args!("  {name} at {bitrate}: {says}"))?;
        }
    }
    Ok(())
}

fn says(presentation: &Presentation, track: &Track) -> String {
    let Some(encryption) = track.encryption() else {
        return match track.sample_entry() {
            Some(_) => "not encrypted".into(),
            None => "its file does not say".into(),
        };
    };
    let scheme = format!("{:?}", encryption.scheme).to_lowercase();
    let key = encryption.key_id.map_or("no key".into(), |key| format!("key {key}"));
    let ivs = match encryption.iv_size {
        0 => "one initialization vector for all samples".into(),
        size => format!("initialization vectors of {size} bytes"),
    };
    let remark = remark(presentation, &encryption);
    let remark = remark.map(|remark| format!("; {remark}")).unwrap_or_default();
    format!("{scheme}, {key}, {ivs}{remark}")
}

/// Returns the protection as JSON, with `systems` and `tracks`. Unknown values are `null`.
pub(crate) fn value(presentation: &Presentation) -> Value {
    let system = |system: &ProtectionSystem| {
        json!({
            "system_id": system.system_id.to_string(),
            "name": name(system),
            "bytes": system.data.len(),
            "keys": keys(system),
            "licence_url": element(system, "LA_URL"),
            "licence_page": element(system, "LUI_URL"),
        })
    };
    let of_stream = |stream: &Stream| -> Vec<Value> {
        let of_track = |track: &Track| {
            let encryption = track.encryption();
            let of = encryption.as_ref();
            json!({
                "stream": stream.name(),
                "bitrate": track.bitrate(),
                "encrypted": track.sample_entry().map(|_| of.is_some()),
                "scheme": of.map(|of| format!("{:?}", of.scheme).to_lowercase()),
                "key_id": of.and_then(|of| of.key_id).map(|key| key.to_string()),
                "iv_size": of.map(|of| of.iv_size),
                "remark": of.and_then(|of| remark(presentation, of)),
            })
        };
        stream.tracks().iter().map(of_track).collect()
    };
    json!({
        "systems": presentation.protection().iter().map(system).collect::<Value>(),
        "tracks": presentation.streams().iter().flat_map(of_stream).collect::<Value>(),
    })
}
