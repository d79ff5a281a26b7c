//! Looking for what the players' rules say.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::{PlayerRule, asked_for};
use crate::codec::{ProtectionSystem, hex};
use crate::manifest::{ClientManifest, QualityLevel, StreamIndex, StreamKind};
use crate::presentation::finding::{Finding, Findings};

/// Reports attributes that a named player does not take: one finding per rule and stream.
pub(super) fn check(client: &ClientManifest, findings: &mut Findings) {
    for rule in of_film(client) {
        findings.push(finding(rule, None));
    }
    for index in asked_for(client).filter(|index| !index.is_of_events()) {
        for rule in of_stream(index) {
            findings.push(finding(rule, None).of_track(&index.name()));
        }
        for &rule in PlayerRule::ALL {
            let broken = |quality: &&QualityLevel| is_broken_by(rule, index, quality);
            let count = index.qualities.iter().filter(broken).count();
            if let Some(first) = index.qualities.iter().find(broken) {
                let which = Which { count, of: index.qualities.len(), first: first.bitrate };
                findings.push(finding(rule, Some(which)).of_track(&index.name()));
            }
        }
    }
}

/// The qualities of a stream that a finding is about.
struct Which {
    count: usize,
    of: usize,
    first: u32,
}

/// Makes the finding of a rule: the player, what it does, the place, and what to do.
fn finding(rule: PlayerRule, which: Option<Which>) -> Finding {
    let mut message = format!("{} {}: {}", rule.player(), rule.effect(), rule.place());
    if let Some(Which { count, of, first }) = which.filter(|which| which.of > 1) {
        // Writing to a `String` does not fail.
        let _ = write!(message, " ({count} of {of} qualities, first that of {first} bit/s)");
    }
    let _ = write!(message, "; {}", rule.cure());
    Finding::new(rule.code(), message)
}

fn of_film(client: &ClientManifest) -> Vec<PlayerRule> {
    let mut rules = Vec::new();
    if client.major_version != 2 || client.minor_version > 2 {
        rules.push(PlayerRule::RxVersion);
    }
    let is_play_ready = |header: &&crate::manifest::ProtectionHeader| {
        header.system_id == Some(ProtectionSystem::PLAY_READY)
    };
    if let Some(play_ready) = client.protection.iter().find(is_play_ready) {
        if !client.protection.last().as_ref().is_some_and(is_play_ready) {
            rules.push(PlayerRule::LastProtection);
        }
        // The text is UTF-16.
        let key: Vec<u8> = b"<KID>".iter().flat_map(|&byte| [byte, 0]).collect();
        let object = STANDARD.decode(&play_ready.data).unwrap_or_default();
        if !object.is_empty() && memmem::find(&object, &key).is_none() {
            rules.push(PlayerRule::KeyInHeader);
        }
    }
    rules
}

fn of_stream(index: &StreamIndex) -> Vec<PlayerRule> {
    let mut rules = Vec::new();
    let url = index.url.as_deref().unwrap_or_default();
    if url.contains("{Bitrate}") || url.contains("{start_time}") {
        rules.push(PlayerRule::Placeholders);
    }
    if url.contains(CUSTOM) {
        rules.push(PlayerRule::CustomAttributes);
    }
    if index.kind == StreamKind::Text {
        // An empty one is taken.
        if index.subtype.is_none() {
            rules.push(PlayerRule::TextSubtype);
        }
        return rules;
    }
    if index.qualities.iter().all(|quality| !is_taken_by_rx(quality)) {
        rules.push(PlayerRule::RxStream);
    }
    rules
}

/// The placeholder of attributes in a `Url`.
const CUSTOM: &str = "{CustomAttributes}";

/// Codecs that dash.js and Shaka Player take for pictures and sound.
const BROWSERS: [&str; 6] = ["H264", "AVC1", "AAC", "AACL", "AACH", "AACP"];
/// Those that RxPlayer takes.
const RX: [&str; 3] = ["AACL", "AVC1", "H264"];

/// Returns the codec of a quality in capitals, by its own attribute or by that of its stream.
fn four_cc(index: &StreamIndex, quality: &QualityLevel) -> Option<String> {
    let own = quality.four_cc.as_deref().filter(|text| !text.trim().is_empty());
    let text = own.or(index.four_cc.as_deref())?.trim().to_ascii_uppercase();
    Some(text).filter(|text| !text.is_empty())
}

/// RxPlayer leaves out what has another `FourCC`; one without any is taken.
fn is_taken_by_rx(quality: &QualityLevel) -> bool {
    // Small letters have a rule of their own.
    let own = quality.four_cc.as_deref().map(str::to_ascii_uppercase);
    own.is_none_or(|own| RX.contains(&&*own))
}

fn is_broken_by(rule: PlayerRule, index: &StreamIndex, quality: &QualityLevel) -> bool {
    let (kind, codec) = (index.kind, four_cc(index, quality));
    let is_media = kind != StreamKind::Text;
    let is_h264 = matches!(codec.as_deref(), Some("H264" | "AVC1"));
    let data = quality.codec_private_data.as_deref().map(str::trim);
    match rule {
        PlayerRule::RxQuality => {
            let taken = || index.qualities.iter().any(is_taken_by_rx);
            is_media && !is_taken_by_rx(quality) && taken()
        }
        PlayerRule::FourCcCase => quality.four_cc.as_deref().is_some_and(|own| {
            let capitals = own.to_ascii_uppercase();
            own != capitals
                && (BROWSERS.contains(&&*capitals) || ["TTML", "DFXP"].contains(&&*capitals))
        }),
        PlayerRule::FourCcNone => is_media && codec.is_none(),
        PlayerRule::BrowserCodec => {
            is_media && codec.is_some_and(|codec| !BROWSERS.contains(&&*codec))
        }
        PlayerRule::PictureSize => {
            kind == StreamKind::Video
                && (quality.max_width.is_none() || quality.max_height.is_none())
        }
        PlayerRule::SoundFormat => {
            kind == StreamKind::Audio
                && (quality.sampling_rate.is_none() || quality.channels.is_none())
        }
        PlayerRule::SeveralAttributes => {
            let has_place = index.url.as_deref().is_some_and(|url| url.contains(CUSTOM));
            has_place && quality.custom_attributes.len() > 1
        }
        PlayerRule::NalLength => {
            is_h264 && quality.nal_unit_length_field.is_some_and(|bytes| bytes != 4)
        }
        PlayerRule::PictureData => kind == StreamKind::Video && data.is_none_or(str::is_empty),
        // The older form says the same.
        PlayerRule::SoundData => {
            kind == StreamKind::Audio && data.is_none() && quality.wave_format_ex.is_none()
        }
        PlayerRule::ParameterSets => {
            is_h264 && data.is_some_and(|data| !data.is_empty() && !has_one_of_each(data))
        }
        _ => false,
    }
}

/// Returns whether the data is one SPS and one PPS, each behind a start code of four bytes. What is
/// not hexadecimal has a finding of its own.
fn has_one_of_each(data: &str) -> bool {
    const START: [u8; 4] = [0, 0, 0, 1];
    let Ok(bytes) = hex(data) else { return true };
    let mut kinds = memmem::find_iter(&bytes, &START)
        .map(|at| bytes.get(at + START.len()).map(|byte| byte & 0x1f));
    bytes.starts_with(&START)
        && (kinds.next(), kinds.next(), kinds.next()) == (Some(Some(7)), Some(Some(8)), None)
}
