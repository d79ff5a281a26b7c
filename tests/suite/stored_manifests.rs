//! Stored manifests with something wrong in one place: that place is corrected, or its element is
//! left out, and the rest is served byte for byte.

use smooth_origin::manifest::StreamKind;
use smooth_origin::presentation::ManifestSource;
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Fragment, Style, Track, ism};
use testkit::{codes, open, store};

const SERVER: &str = "film.ism";
const CLIENT: &str = "film.ismc";

/// A client manifest of a film with sound and chapters.
const GOOD: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" Duration="60000000">
<StreamIndex Type="video" Name="video" Chunks="3" QualityLevels="1" Url="QualityLevels({bitrate})/Fragments(video={start time})">
<QualityLevel Index="0" Bitrate="300" FourCC="H264" MaxWidth="640" MaxHeight="360"/>
<c t="0" d="20000000"/>
<c d="20000000"/>
<c d="20000000"/>
</StreamIndex>
<StreamIndex Type="audio" Name="audio" Language="en" Url="QualityLevels({bitrate})/Fragments(audio={start time})">
<QualityLevel Index="0" Bitrate="64" FourCC="AACL" SamplingRate="48000" Channels="2"/>
<c t="0" d="20000000" r="3"/>
</StreamIndex>
<Chapters><Chapter Name="One"/></Chapters>
</SmoothStreamingMedia>
"#;

fn film(server: Vec<u8>, client: Vec<u8>) -> MemoryStore {
    let track = |id, kind, size| {
        let fragment =
            |i: i64| Fragment { time: 20_000_000 * i, samples: vec![(20_000_000, size)] };
        Track::new(id, kind, (0..3).map(fragment).collect())
    };
    let tracks = [track(1, StreamKind::Video, 500), track(2, StreamKind::Audio, 50)];
    let media = film::media(&tracks, Style::default()).to_bytes();
    store([(SERVER, server), (CLIENT, client), ("film.ismv", media)])
}

fn server() -> Vec<u8> {
    let tracks = [("video", "film.ismv", 300, 1, ""), ("audio", "film.ismv", 64, 2, "")];
    ism(Some(CLIENT), &tracks)
}

/// Returns the text that is served for a stored client manifest, and the messages of the findings
/// with this code.
fn served(client: Vec<u8>, code: &str) -> (String, Vec<String>) {
    let opened = open(&film(server(), client.clone())).unwrap();
    let presentation = opened.presentation();
    let text = String::from_utf8(presentation.manifest().unwrap().to_vec()).unwrap();
    assert_eq!(presentation.manifest_source(), ManifestSource::Mended, "{text}");
    let findings = presentation.findings().into_iter();
    let findings = findings.filter(|finding| finding.code.as_str() == code);
    (text, findings.map(|finding| finding.message.to_string()).collect())
}

/// Asserts that a stored manifest is served as the manifest it was meant to be.
#[track_caller]
fn assert_corrected(stored: impl AsRef<[u8]>, right: &str, says: &str) {
    let (text, messages) = served(stored.as_ref().to_vec(), "manifest-corrected");
    assert_eq!(text, right);
    assert!(messages.iter().any(|message| message.contains(says)), "{says}: {messages:?}");
}

#[test]
fn a_sound_manifest_is_served_byte_for_byte() {
    let opened = open(&film(server(), GOOD.into())).unwrap();
    let presentation = opened.presentation();
    assert_eq!(presentation.manifest().unwrap()[..], *GOOD.as_bytes());
    assert_eq!(presentation.manifest_source(), ManifestSource::Stored);
    assert_eq!(codes(presentation), [""; 0]);
}

#[test]
fn numbers_with_blanks_or_a_plus_are_served_as_digits() {
    for odd in [" 300 ", "+300", "300&#160;", "\t300", "300.0"] {
        let stored = GOOD.replace("Bitrate=\"300\"", &format!("Bitrate=\"{odd}\""));
        assert_corrected(stored, GOOD, "line 4, QualityLevel: `Bitrate` is ");
    }
    for (good, odd) in [("d=\"20000000\" r=", "d=\" 20000000\" r="), ("t=\"0\"", "t=\"+0\"")] {
        assert_corrected(GOOD.replace(good, odd), GOOD, "served as");
    }
}

/// Asserts what is served for a manifest in which one part of [`GOOD`] is another.
#[track_caller]
fn assert_replaced(good: &str, odd: &str, right: &str) {
    assert!(GOOD.contains(good), "{good}");
    let says = format!("`{}` is ", odd.trim_start().split('=').next().unwrap());
    assert_corrected(GOOD.replacen(good, odd, 1), &GOOD.replacen(good, right, 1), &says);
}

/// Values that no attribute for a number can have.
const NO_NUMBERS: [&str; 5] = ["", "-1", "x", "1e3", "123456789012345678901234567890"];

#[test]
fn a_timescale_of_the_presentation_that_cannot_be_is_served_as_ten_million() {
    for odd in NO_NUMBERS.into_iter().chain(["0"]) {
        let odd = format!(" TimeScale=\"{odd}\" Duration");
        assert_replaced(" Duration", &odd, " TimeScale=\"10000000\" Duration");
    }
}

#[test]
fn a_timescale_of_a_stream_that_cannot_be_is_served_as_that_of_the_presentation() {
    for odd in NO_NUMBERS.into_iter().chain(["0"]) {
        let odd = format!(" TimeScale=\"{odd}\" Language=\"en\"");
        let right = " TimeScale=\"10000000\" Language=\"en\"";
        assert_replaced(" Language=\"en\"", &odd, right);
    }
}

#[test]
fn a_duration_that_cannot_be_is_served_as_that_of_the_longest_stream() {
    for odd in NO_NUMBERS {
        assert_replaced(
            "Duration=\"60000000\"",
            &format!("Duration=\"{odd}\""),
            "Duration=\"60000000\"",
        );
    }
    // The same in other units.
    let wide = |text: &str| text.replace("0000000\"", "0000\"");
    let wide = |text: &str| wide(text).replace("Duration", "TimeScale=\"10000\" Duration");
    let stored = GOOD.replace("Duration=\"60000000\"", "Duration=\"-1\"");
    let (text, _) = served(wide(&stored).into(), "manifest-corrected");
    assert_eq!(text, wide(GOOD));
}

#[test]
fn a_duration_of_a_live_manifest_that_cannot_be_is_served_as_0() {
    let live = GOOD.replace("Duration=\"60000000\"", "Duration=\"-1\" IsLive=\"TRUE\"");
    assert_corrected(&live, &live.replace("-1", "0"), "`Duration` is \"-1\"");
}

#[test]
fn a_duration_of_0_is_served_as_that_of_the_longest_stream_unless_the_manifest_is_live() {
    for zero in ["0", "0.0", " 00 "] {
        let stored = GOOD.replace("Duration=\"60000000\"", &format!("Duration=\"{zero}\""));
        assert_corrected(stored, GOOD, "`Duration` is 0, served as 60000000");
    }
    let live = GOOD.replace("Duration=\"60000000\"", "Duration=\"0\" IsLive=\"TRUE\"");
    let opened = open(&film(server(), live.clone().into())).unwrap();
    assert_eq!(opened.presentation().manifest().unwrap()[..], *live.as_bytes());
}

#[test]
fn a_type_in_other_letters_or_with_blanks_is_served_as_players_know_it() {
    for odd in ["VIDEO", "Video", "video ", " viDeo"] {
        assert_replaced("Type=\"video\"", &format!("Type=\"{odd}\""), "Type=\"video\"");
    }
}

#[test]
fn versions_that_cannot_be_are_served_as_those_that_are_assumed() {
    for odd in NO_NUMBERS {
        let odd = format!("MajorVersion=\"{odd}\"");
        assert_replaced("MajorVersion=\"2\"", &odd, "MajorVersion=\"2\"");
        let odd = odd.replace("Major", "Minor");
        assert_replaced("MinorVersion=\"2\"", &odd, "MinorVersion=\"0\"");
    }
}

#[test]
fn counts_that_cannot_be_are_served_as_what_is_there() {
    for odd in NO_NUMBERS {
        assert_replaced("Chunks=\"3\"", &format!("Chunks=\"{odd}\""), "Chunks=\"3\"");
        let odd = format!("QualityLevels=\"{odd}\" Url=");
        let right = "QualityLevels=\"1\" Url=";
        assert_replaced("QualityLevels=\"1\" Url=", &odd, right);
        // A run counts with its repeats.
        let odd = odd.replace("QualityLevels", "Chunks").replace("Url", "Language");
        let right = "Chunks=\"3\" Language=";
        assert_replaced("Language=", &odd, right);
    }
}

#[test]
fn a_count_of_qualities_that_cannot_be_counts_those_that_are_served() {
    let with = |count: &str, more: &str| {
        let text = GOOD.replacen("QualityLevels=\"1\"", &format!("QualityLevels=\"{count}\""), 1);
        text.replacen("<QualityLevel ", &format!("{more}<QualityLevel "), 1)
    };
    let stored = with("x", "<QualityLevel Bitrate=\"-5\"/>");
    assert_corrected(stored, &with("1", ""), "`QualityLevels` is \"x\"");
}

#[test]
fn numbers_of_a_stream_or_quality_that_cannot_be_are_taken_out() {
    let too_large = ["4294967296", "99999999999999999999", " 4294967296 "];
    for odd in NO_NUMBERS.into_iter().chain(too_large) {
        for (good, name) in [
            ("SamplingRate=\"48000\"", "SamplingRate"),
            ("Channels=\"2\"", "Channels"),
            ("MaxWidth=\"640\"", "MaxWidth"),
            ("MaxHeight=\"360\"", "MaxHeight"),
            ("Index=\"0\"", "Index"),
        ] {
            assert_replaced(good, &format!("{name}=\"{odd}\""), "");
        }
        for name in ["MaxWidth", "MaxHeight", "DisplayWidth", "DisplayHeight", "Index"] {
            let odd = format!("{name}=\"{odd}\" Language=");
            assert_replaced("Language=", &odd, " Language=");
        }
        for name in ["BitsPerSample", "PacketSize", "AudioTag", "NALUnitLengthField", "BufferTime"]
        {
            let odd = format!("{name}=\"{odd}\" FourCC=");
            assert_replaced("FourCC=", &odd, " FourCC=");
        }
    }
    for name in ["LookaheadCount", "LookAheadFragmentCount", "DVRWindowLength"] {
        assert_replaced("Duration=", &format!("{name}=\"-1\" Duration="), " Duration=");
    }
}

#[test]
fn a_stream_or_quality_that_is_left_out_is_an_error() {
    let quality = "<QualityLevel Bitrate=\"4e5\"/>";
    let spare = GOOD.replacen("<QualityLevel ", &format!("{quality}\n<QualityLevel "), 1);
    for (stored, says) in [
        (GOOD.replace("Type=\"audio\"", "Type=\"data\""), "line 9, StreamIndex: `Type` is not"),
        (GOOD.replacen("d=\"20000000\" r", "d=\"-1\" r", 1), "line 11, c: `d` is not a number"),
        (spare, "line 4, QualityLevel: `Bitrate` is not"),
    ] {
        let opened = open(&film(server(), stored.clone().into())).unwrap();
        let codes = codes(opened.presentation());
        assert!(codes.contains(&"error manifest-part-left-out".into()), "{codes:?}");
        assert!(!codes.contains(&"warning manifest-corrected".into()), "{codes:?}");
        let (_, messages) = served(stored.into(), "manifest-part-left-out");
        assert!(messages[0].contains(says), "{messages:?}");
    }
}

#[test]
fn a_stream_with_a_misspelt_start_tag_is_an_error() {
    let both = |text: &str| text.replacen("</StreamIndex>", "</StreamIndx>", 1);
    for start in ["<StreamIndx", "<streamindex"] {
        let stored = GOOD.replacen("<StreamIndex", start, 1);
        for stored in [both(&stored), stored.clone()] {
            let opened = open(&film(server(), stored.into())).unwrap();
            let findings = opened.presentation().findings();
            let mut findings = findings.iter();
            let finding = findings.find(|f| f.code.as_str() == "manifest-part-left-out").unwrap();
            assert!(finding.message.starts_with("line 3, "), "{}", finding.message);
        }
    }
}

#[test]
fn a_stream_with_chunks_and_no_quality_is_an_error() {
    let quality = GOOD.lines().nth(9).unwrap();
    let stored = GOOD.replacen(quality, "", 1);
    let (text, messages) = served(stored.into(), "manifest-part-left-out");
    assert!(!text.contains("Type=\"audio\"") && text.contains("Type=\"video\""), "{text}");
    assert!(messages[0].contains("it has chunks and no `QualityLevel`"), "{messages:?}");
}

#[test]
fn text_behind_the_root_is_left_out() {
    let tail = &GOOD[GOOD.len() - 60..];
    for junk in ["xyz", "eamingMedia>\n", "\u{feff}", tail, "<a/>"] {
        let (text, messages) = served([GOOD, junk].concat().into(), "manifest-corrected");
        assert_eq!(text.trim_end(), GOOD.trim_end(), "{junk}");
        assert!(messages[0].starts_with("line 15: "), "{messages:?}");
    }
}

#[test]
fn junk_before_the_root_is_left_out() {
    for junk in ["junk", "\u{ef}\u{bb}\u{bf}", "\0", "\0\0", "\0\0\0"] {
        assert_corrected([junk, GOOD].concat(), GOOD, "before the root element");
    }
    for junk in ["hello ", "\u{200b}", "\u{feff}"] {
        let stored = GOOD.replace("<Smooth", &format!("{junk}<Smooth"));
        let (text, _) = served(stored.into(), "manifest-corrected");
        assert_eq!(text.replace("?><", "?>\n<"), GOOD);
    }
    let (_, root) = GOOD.split_once('\n').unwrap();
    let right = format!("<?x y?>\n\n{root}");
    assert_corrected(format!("<?x y?>\n{GOOD}"), &right, "declaration that is not at the start");
}

#[test]
fn utf_16_with_an_odd_byte_behind_it_is_read() {
    let wide = GOOD.replace("utf-8", "utf-16");
    for odd in [0, b'\n'] {
        let mut stored = vec![0xff, 0xfe];
        stored.extend(wide.encode_utf16().flat_map(u16::to_le_bytes));
        stored.push(odd);
        assert_corrected(stored, GOOD, "an odd byte after the end of UTF-16");
    }
}

#[test]
fn what_strict_readers_refuse_is_corrected_in_its_place() {
    for (good, odd, right) in [
        ("\"One\"", "\"One & Two\"", "\"One &amp; Two\""),
        ("\"One\"", "\"1 < 2\"", "\"1 &lt; 2\""),
        ("\"One\"", "\"&eacute;\"", "\"&amp;eacute;\""),
        ("\"One\"", "\"O\u{1}ne\"", "\"One\""),
        ("\"One\"", "\"One\"Time=\"0\"", "\"One\" Time=\"0\""),
        ("Language=\"en\"", "Language=\"en\" Language=\"en\"", "Language=\"en\""),
        ("Index=\"0\" Bitrate=\"300\"", "Index=0 Bitrate=\"300\"", "Index=\"0\" Bitrate=\"300\""),
        ("start time})", "start time})?a=1&b=2", "start time})?a=1&amp;b=2"),
        ("</Chapters>", "&</Chapters>", "&amp;</Chapters>"),
        ("</Chapters>", "\0</Chapters>", "</Chapters>"),
        ("<Chapters>", "<!-- a -- b --><Chapters>", "<Chapters>"),
        ("<Chapters>", "</x><Chapters>", "<Chapters>"),
        (" version=\"1.0\"", "", " version=\"1.0\""),
        ("\n</SmoothStreamingMedia>\n", "\n", "\n</SmoothStreamingMedia>"),
    ] {
        assert_ne!(GOOD, GOOD.replace(good, odd));
        assert_corrected(GOOD.replace(good, odd), &GOOD.replace(good, right), "line ");
    }
}

#[test]
fn a_start_tag_that_cannot_be_understood_costs_its_element() {
    let chapter = "<Chapter Name=\"One\"/>";
    for odd in ["<Chapter Name=\"One/>", "<Chapter Name/>"] {
        assert_corrected(GOOD.replace(chapter, odd), &GOOD.replace(chapter, ""), "line 13: ");
    }
    // The times of later chunks are then unknown: this stream is left out, and no other.
    let odd = GOOD.replace("<c d=\"20000000\"/>\n<c", "<c d=\"1\" d/>\n<c");
    let (text, messages) = served(odd.into(), "manifest-corrected");
    assert!(text.contains(chapter) && text.contains("Type=\"audio\""), "{text}");
    assert!(!messages.is_empty());
    assert!(!text.contains("d=\"1\""));
}

#[test]
fn a_repeated_attribute_keeps_its_first_value_and_costs_nothing_else() {
    for (good, more) in [
        ("MinorVersion=\"2\"", " MinorVersion=\"1\""),
        ("Name=\"video\"", " Name=\"film\""),
        ("Bitrate=\"300\"", " Bitrate=\"400\""),
        ("d=\"20000000\"", "\nd=\"1\""),
        ("Chapter Name=\"One\"", " Name='2 & 3'"),
    ] {
        let stored = GOOD.replacen(good, &format!("{good}{more}"), 1);
        assert_ne!(stored, GOOD);
        assert_corrected(stored, GOOD, "is repeated: its first value is kept");
    }
}

#[test]
fn bytes_of_windows_1252_are_served_as_utf_8() {
    let (before, after) = GOOD.split_once("One").unwrap();
    let stored = [before.as_bytes(), b"\xc9t\xc3\xa9 \x96", after.as_bytes()].concat();
    let (text, messages) = served(stored, "manifest-reencoded");
    assert_eq!(text, GOOD.replace("One", "Été –"));
    assert_eq!(messages.len(), 1);
    for label in ["utf8mb4", "us-ascii"] {
        let good = GOOD.replace("One", "Été");
        let (text, messages) = served(good.replace("utf-8", label).into(), "manifest-reencoded");
        assert_eq!((text, messages.len()), (good, 1));
    }
}

#[test]
fn a_quality_without_a_bitrate_is_reported_as_such() {
    let with = |more: &str| {
        GOOD.replace("<c t=\"0\" d=\"20000000\"/>", &format!("{more}<c t=\"0\" d=\"20000000\"/>"))
    };
    let stored = with("<QualityLevel Index=\"1\"/>").into();
    let (text, messages) = served(stored, "manifest-part-left-out");
    assert_eq!(text, GOOD);
    assert!(messages[0].starts_with("line 5, QualityLevel: it has no `Bitrate`"), "{messages:?}");
}

#[test]
fn codec_data_that_is_not_whole_bytes_in_hexadecimal_is_reported() {
    for (data, expected) in [
        ("(null)", &["warning codec-data-invalid"][..]),
        ("119", &["warning codec-data-invalid"]),
        ("1190", &[]),
        ("", &[]),
    ] {
        let four_cc = "FourCC=\"AACL\"";
        let stored = GOOD.replace(four_cc, &format!("{four_cc} CodecPrivateData=\"{data}\""));
        let opened = open(&film(server(), stored.clone().into())).unwrap();
        assert_eq!(codes(opened.presentation()), expected, "{data}");
        assert_eq!(opened.presentation().manifest().unwrap()[..], *stored.as_bytes());
    }
}

#[test]
fn a_url_with_one_bitrate_for_several_qualities_is_reported() {
    let fixed = GOOD.replacen("({bitrate})", "(300)", 1);
    let opened = open(&film(server(), fixed.clone().into())).unwrap();
    assert_eq!(codes(opened.presentation()), [""; 0]);
    let more = "<QualityLevel Bitrate=\"600\" FourCC=\"H264\"/>\n<c t=\"0\" d=\"20000000\"/>";
    let two = fixed.replacen("<c t=\"0\" d=\"20000000\"/>", more, 1);
    let opened = open(&film(server(), two.into())).unwrap();
    let findings = opened.presentation().findings();
    let finding = findings.iter().find(|finding| finding.code.as_str() == "url-unanswered");
    let message = finding.unwrap().message.to_string();
    assert!(
        message.contains("asks for 300 bit/s in place of each of its 2 qualities"),
        "{message}"
    );
}

#[test]
fn a_url_that_leads_to_another_place_is_reported() {
    for place in ["http://old.example/a.ism/", "//old.example/a.ism/", "/", "../other.ism/"] {
        let stored = GOOD.replacen("Url=\"", &format!("Url=\"{place}"), 1);
        let opened = open(&film(server(), stored.into())).unwrap();
        assert_eq!(codes(opened.presentation()), ["error url-unanswered"], "{place}");
    }
}

#[test]
fn a_manifest_of_faults_alone_is_not_served() {
    for stored in [GOOD.replace("One", &"&".repeat(2000)), "<".repeat(5000)] {
        let opened = open(&film(server(), stored.into())).unwrap();
        assert_eq!(opened.presentation().manifest_source(), ManifestSource::Generated);
    }
}

#[test]
fn the_same_faults_do_not_cost_a_server_manifest() {
    let good = String::from_utf8(server()).unwrap();
    let good = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{good}");
    let (head, tail) = good.split_at(good.find("<smil").unwrap());
    let meta = |content: &str| {
        good.replace("<head>", &format!("<head><meta name=\"t\" content=\"{content}\"/>"))
    };
    assert_ne!(meta(""), good);
    let wide: Vec<u8> =
        good.replace("utf-8", "utf-16").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for stored in [
        [b"\xff\xfe", &wide[..], b"\0"].concat(),
        [good.as_bytes(), b"xyz"].concat(),
        [good.as_bytes(), b"</smil>"].concat(),
        [head.as_bytes(), b"junk", tail.as_bytes()].concat(),
        ["<?xml version=\"1.0\"?>\n", head, tail].concat().into(),
        meta("Tom & Jerry").into(),
        meta("a\u{1}b").into(),
        meta("x\" name=\"t").into(),
        meta("x\" name=\"u").into(),
        good.replacen("systemBitrate=\"300\"", "systemBitrate=\"300\" systemBitrate=\"400\"", 1)
            .into(),
        good.trim_end().trim_end_matches("</smil>").into(),
    ] {
        let opened = open(&film(stored.clone(), GOOD.into())).unwrap();
        let text = String::from_utf8_lossy(&stored);
        let presentation = opened.presentation();
        assert_eq!(codes(presentation), ["warning manifest-corrected"], "{text}");
        assert_eq!(presentation.findings()[0].file.as_deref(), Some(SERVER));
        assert_eq!(presentation.manifest().unwrap()[..], *GOOD.as_bytes(), "{text}");
    }
    let latin = meta("Caf\u{1}").replace('\u{1}', "\u{e9}");
    let latin: Vec<u8> = latin.chars().map(|c| c as u8).collect();
    let opened = open(&film(latin, GOOD.into())).unwrap();
    assert_eq!(codes(opened.presentation()), ["warning manifest-corrected"]);
}
