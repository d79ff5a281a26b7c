//! Codecs in words, by the string of RFC 6381 or by the `FourCC`.

/// Returns a codec in words: `H.264 High, level 3.1`. `None` if it is not known.
pub(super) fn words(rfc6381: Option<&str>, four_cc: Option<&str>) -> Option<String> {
    rfc6381.and_then(of_string).or_else(|| of_four_cc(four_cc?).map(str::to_owned))
}

fn of_string(codec: &str) -> Option<String> {
    let mut parts = codec.split('.');
    let format = parts.next()?;
    let parts: Vec<_> = parts.collect();
    Some(match (&*format.to_ascii_lowercase(), &*parts) {
        ("avc1" | "avc3", [profile]) => h264(profile),
        ("hvc1" | "hev1", parts) => hevc(parts),
        ("dvh1" | "dvhe" | "dvav" | "dva1", [profile, level]) => {
            format!("Dolby Vision, profile {}, level {}", plain(profile), plain(level))
        }
        ("mp4a", ["40", kind]) => aac(kind),
        ("mp4a", [kind]) if kind.eq_ignore_ascii_case("6b") || *kind == "69" => "MP3".into(),
        ("mp4a", _) => "MPEG-4 audio".into(),
        (format, _) => of_four_cc(format)?.into(),
    })
}

/// A number without zeros in front.
fn plain(number: &str) -> &str {
    number.trim_start_matches('0')
}

/// Spec: ISO/IEC 14496-10, annex A.
fn h264(profile: &str) -> String {
    let number = u32::from_str_radix(profile, 16).ok().filter(|_| profile.len() == 6);
    let Some(number) = number else { return "H.264".into() };
    let [_, profile, constraints, level] = number.to_be_bytes();
    let name = match (profile, constraints) {
        (66, constraints) if constraints & 0x40 != 0 => "Constrained Baseline",
        (66, _) => "Baseline",
        (77, _) => "Main",
        (88, _) => "Extended",
        (100, constraints) if constraints & 0x0c == 0x0c => "Constrained High",
        (100, _) => "High",
        (110, _) => "High 10",
        (122, _) => "High 4:2:2",
        (244, _) => "High 4:4:4 Predictive",
        (44, _) => "CAVLC 4:4:4 Intra",
        _ => return format!("H.264, profile {profile}, level {}", level_of(level)),
    };
    // Level 1b of the oldest profiles is 1.1 with a mark.
    let is_1b = level == 11 && constraints & 0x10 != 0 && matches!(profile, 66 | 77 | 88);
    match is_1b || level == 9 {
        true => format!("H.264 {name}, level 1b"),
        false => format!("H.264 {name}, level {}", level_of(level)),
    }
}

/// 31 is 3.1, and 40 is 4.
fn level_of(tenths: u8) -> String {
    match (tenths / 10, tenths % 10) {
        (whole, 0) => whole.to_string(),
        (whole, part) => format!("{whole}.{part}"),
    }
}

/// Spec: ISO/IEC 14496-15, annex E; ISO/IEC 23008-2, annex A.
fn hevc(parts: &[&str]) -> String {
    let [profile, _, level, ..] = parts else { return "HEVC".into() };
    let name = match profile.trim_start_matches(['A', 'B', 'C']) {
        "1" => "Main",
        "2" => "Main 10",
        "3" => "Main Still Picture",
        "4" => "Range Extensions",
        _ => return "HEVC".into(),
    };
    let tier = if level.starts_with('H') { ", High tier" } else { "" };
    match level.get(1..).and_then(|level| level.parse::<u8>().ok()) {
        // 30 per level: 93 is 3.1.
        Some(level) => format!("HEVC {name}, level {}{tier}", level_of(level / 3)),
        None => format!("HEVC {name}{tier}"),
    }
}

/// Spec: ISO/IEC 14496-3, 1.5.1.1.
fn aac(kind: &str) -> String {
    match kind {
        "2" | "02" => "AAC-LC".into(),
        "1" => "AAC Main".into(),
        "5" | "05" => "HE-AAC".into(),
        "29" => "HE-AAC v2".into(),
        "42" => "xHE-AAC".into(),
        "33" | "34" => "MP3".into(),
        _ => format!("MPEG-4 audio, type {}", plain(kind)),
    }
}

fn of_four_cc(four_cc: &str) -> Option<&'static str> {
    Some(match &*four_cc.to_ascii_lowercase() {
        "h264" | "avc1" | "avc3" => "H.264",
        "hvc1" | "hev1" | "hevc" => "HEVC",
        "dvh1" | "dvhe" => "HEVC with Dolby Vision",
        "wvc1" | "vc-1" => "VC-1 Advanced",
        "av01" => "AV1",
        "aacl" => "AAC-LC",
        "aach" => "HE-AAC",
        "aacp" => "HE-AAC v2",
        "aac" => "AAC",
        "mp3" => "MP3",
        "wmap" => "Windows Media Audio Professional",
        "wma2" | "wma" => "Windows Media Audio",
        "ac-3" | "dac3" => "Dolby Digital (AC-3)",
        "ec-3" | "dec3" => "Dolby Digital Plus (E-AC-3)",
        "ac-4" => "Dolby AC-4",
        "dtsc" => "DTS",
        "dtse" => "DTS Express",
        "dtsh" | "dtsl" => "DTS-HD",
        "dtsx" => "DTS:X",
        "opus" => "Opus",
        "flac" => "FLAC",
        "alac" => "Apple Lossless",
        "stpp" | "ttml" | "dfxp" => "TTML",
        "wvtt" => "WebVTT",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_have_names() {
        for (codec, name) in [
            ("avc1.64001f", "H.264 High, level 3.1"),
            ("avc1.42C01E", "H.264 Constrained Baseline, level 3"),
            ("avc1.42100b", "H.264 Baseline, level 1b"),
            ("avc1.4d4028", "H.264 Main, level 4"),
            ("hvc1.1.6.L93.B0", "HEVC Main, level 3.1"),
            ("hev1.2.4.H150.90", "HEVC Main 10, level 5, High tier"),
            ("dvh1.05.06", "Dolby Vision, profile 5, level 6"),
            ("mp4a.40.2", "AAC-LC"),
            ("mp4a.40.29", "HE-AAC v2"),
            ("ec-3", "Dolby Digital Plus (E-AC-3)"),
            ("stpp.ttml.im1t", "TTML"),
            ("avc1.xyz", "H.264"),
            ("avc1", "H.264"),
        ] {
            assert_eq!(words(Some(codec), None).as_deref(), Some(name), "{codec}");
        }
        assert_eq!(words(None, Some("WVC1")).as_deref(), Some("VC-1 Advanced"));
        assert_eq!(words(Some("x.y"), Some("z")), None);
        assert_eq!(words(None, None), None);
    }
}
