//! Manifests: what is written is read again as it was meant, what is stored is read in whatever
//! form, and what is no manifest is refused with its place and within its budget.

use std::fs;
use std::num::NonZeroU64;

use proptest::collection::vec;
use proptest::prelude::*;
use smooth_origin::base::{Error, ErrorKind, Limits, Timescale};
use smooth_origin::manifest::{
    Chunk, ClientManifest, CustomAttribute, FragmentData, Layout, QualityLevel, ServerManifest,
    ServerTrack, StreamIndex, StreamKind, runs,
};
use testkit::documents::{any_chunk, broken_manifest, client_manifest, server_manifest};

// What is written is read again.

proptest! {
    #[test]
    fn a_server_manifest_comes_back_as_it_was(manifest in server_manifest()) {
        let text = manifest.to_xml().unwrap();
        prop_assert_eq!(&server(text.as_bytes()).unwrap(), &manifest);
        prop_assert_eq!(manifest.to_xml().unwrap(), text);
    }

    #[test]
    fn a_client_manifest_comes_back_as_it_was(manifest in client_manifest()) {
        let text = write(&manifest, Layout::Full);
        prop_assert_eq!(&client(text.as_bytes()).unwrap(), &manifest);
        prop_assert_eq!(write(&manifest, Layout::Full), text);
        // Runs, and the version that they need, are all that differs.
        let again = client(write(&manifest, Layout::Compact).as_bytes()).unwrap();
        let has_runs = |stream: &StreamIndex| stream.chunks.iter().any(|c| c.repeat.is_some());
        prop_assert!(again.minor_version >= 2 || !again.streams.iter().any(has_runs));
        prop_assert_eq!(without_chunks(again), without_chunks(manifest));
    }

    #[test]
    fn both_layouts_say_the_same_times(chunks in vec(any_chunk(), 0..12)) {
        let mut manifest = ClientManifest::default();
        manifest.streams.push(StreamIndex::new(StreamKind::Video));
        manifest.streams[0].chunks = chunks;
        let expected = times(&manifest.streams[0].chunks);
        for layout in [Layout::Full, Layout::Compact] {
            let text = write(&manifest, layout);
            let again = client(text.as_bytes()).unwrap();
            let stream = &again.streams[0];
            prop_assert_eq!(times(&stream.chunks), expected.clone());
            prop_assert_eq!(data(&stream.chunks), data(&manifest.streams[0].chunks));
            prop_assert_eq!(stream.declared_chunks, Some(expected.len() as u64));
            prop_assert_eq!(write(&again, layout), text, "writing what was written changes it");
        }
    }

    #[test]
    fn any_text_is_a_manifest_that_comes_back_or_an_error(text in broken_manifest()) {
        if let Ok(manifest) = server(text.as_bytes()) {
            prop_assert_eq!(server(manifest.to_xml().unwrap().as_bytes()).unwrap(), manifest);
        }
        if let Ok(manifest) = client(text.as_bytes()) {
            prop_assert!(times_are_sound(&manifest));
        }
    }
}

#[test]
fn every_string_may_hold_what_xml_escapes() {
    for nasty in [
        "<&>\"'",
        "\t\r\n",
        "]]>",
        "&amp; &#10; &lt;",
        " leading and trailing ",
        "--> <!-- <?x?> <![CDATA[",
        "été 𝄞 \u{85}\u{2028}\u{feff}",
        "%20{bitrate}",
        "",
    ] {
        let text = || Some(nasty.to_owned());
        let mut stream = StreamIndex::new(StreamKind::Text);
        (stream.subtype, stream.name, stream.language) = (text(), text(), text());
        (stream.parent, stream.four_cc, stream.scheme, stream.url) =
            (text(), text(), text(), text());
        (stream.declared_chunks, stream.declared_qualities) = (Some(0), Some(1));
        let mut quality = QualityLevel::default();
        (quality.four_cc, quality.codec_private_data) = (text(), text());
        quality.wave_format_ex = text();
        let both = CustomAttribute { name: nasty.into(), value: nasty.into() };
        quality.custom_attributes.push(both.clone());
        quality.other.push(("x".into(), nasty.into()));
        stream.other.push(("x".into(), nasty.into()));
        stream.qualities.push(quality);
        let mut manifest = ClientManifest::default();
        manifest.custom_attributes.push(both);
        manifest.other.push(("x".into(), nasty.into()));
        manifest.streams.push(stream);
        assert_eq!(client(write(&manifest, Layout::Full).as_bytes()).unwrap(), manifest);

        let mut manifest = ServerManifest::default();
        manifest.metas.push((nasty.into(), nasty.into()));
        let mut track = ServerTrack::new(StreamKind::Audio, nasty);
        track.attributes.push(("systemLanguage".into(), nasty.into()));
        track.params.push((nasty.into(), nasty.into()));
        manifest.tracks.push(track);
        assert_eq!(server(manifest.to_xml().unwrap().as_bytes()).unwrap(), manifest);
    }
}

#[test]
fn a_value_that_xml_cannot_hold_is_not_written() {
    for character in ["\0", "\u{1}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
        let mut manifest = ClientManifest::default();
        manifest.other.push(("x".into(), character.into()));
        let error = manifest.to_xml(Layout::Full, &Limits::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a value holds a character that XML does not allow (XML 1.0, 2.2)"
        );
        let mut manifest = ServerManifest::default();
        manifest.metas.push((character.into(), String::new()));
        assert!(manifest.to_xml().is_err());
    }
}

// What is stored is read.

#[test]
fn the_server_manifests_of_testdata_say_what_their_readme_says() {
    use StreamKind::{Audio, Video};
    let tracks = |name: &str| {
        let manifest = server(&testdata(name)).unwrap();
        let track = |track: &ServerTrack| {
            let (src, name) = (track.src().unwrap().to_owned(), track.name().to_owned());
            (track.kind, src, track.bitrate().unwrap(), track.track_id().unwrap(), name)
        };
        let tracks: Vec<_> = manifest.tracks.iter().map(track).collect();
        (manifest, tracks)
    };
    let of = |kind, src: &str, bitrate, id, name: &str| {
        (kind, src.to_owned(), bitrate, id, name.to_owned())
    };

    let (manifest, found) = tracks("ladder/ladder.ism");
    assert_eq!(
        found,
        [
            of(Video, "ladder.ismv", 60_000, 1, "video"),
            of(Video, "ladder.ismv", 120_000, 2, "video"),
            of(Video, "ladder.ismv", 220_000, 3, "video"),
            of(Audio, "ladder.ismv", 48_000, 4, "audio_eng"),
            of(Audio, "ladder.ismv", 48_000, 5, "audio_fra"),
        ]
    );
    assert_eq!(manifest.client_manifest(), Some("ladder.ismc"));
    assert_eq!(
        (manifest.tracks[0].track_name(), manifest.tracks[3].language()),
        (None, Some("eng"))
    );

    let (manifest, found) = tracks("split/split.ism");
    assert_eq!(
        found,
        [
            of(Video, "split_120.ismv", 120_000, 1, "video"),
            of(Video, "split_60.ismv", 60_000, 1, "video"),
            of(Audio, "split_audio.isma", 48_000, 1, "audio"),
        ]
    );
    assert_eq!(manifest.tracks[2].value("codecprivatedata"), Some("119056E500"));
    assert_eq!(manifest.tracks[0].value("TimeScale"), Some("10000000"));

    let (manifest, found) = tracks("bframes/bframes.ism");
    assert_eq!(
        found,
        [
            of(Video, "bframes.ismv", 150_000, 1, "video"),
            of(Audio, "bframes.ismv", 48_000, 2, "audio")
        ]
    );
    assert_eq!((manifest.client_manifest(), manifest.metas.len()), (None, 0));

    let (manifest, found) = tracks("ntsc/ntsc.ism");
    assert_eq!(
        found,
        [
            of(Audio, "ntsc_low.ismv", 64_000, 1, "audio"),
            of(Video, "ntsc_low.ismv", 80_000, 2, "video"),
            of(Video, "ntsc_high.ismv", 160_000, 1, "video"),
        ]
    );
    assert_eq!(manifest.meta("CLIENTMANIFESTRELATIVEPATH"), Some("ntsc.ismc"));
}

#[test]
fn the_client_manifests_of_testdata_say_what_their_readme_says() {
    /// Name, language, qualities (bitrate, width, sampling rate), chunks, first start, end.
    type Said<'a> = (&'a str, Option<&'a str>, Vec<(u32, u32, u32)>, usize, u64, u64);
    let check = |file: &str, version: (u32, u32), duration: u64, said: &[Said<'_>]| {
        let manifest = client(&testdata(file)).unwrap();
        assert_eq!((manifest.major_version, manifest.minor_version), version, "{file}");
        assert_eq!(manifest.duration, duration, "{file}");
        assert_eq!(manifest.streams.len(), said.len(), "{file}");
        for (stream, said) in manifest.streams.iter().zip(said) {
            let quality = |q: &QualityLevel| {
                (q.bitrate, q.max_width.unwrap_or(0), q.sampling_rate.unwrap_or(0))
            };
            let qualities: Vec<_> = stream.qualities.iter().map(quality).collect();
            let times = times(&stream.chunks);
            let end = times.last().unwrap().0 + times.last().unwrap().1;
            let found: Said<'_> = (
                &stream.name(),
                stream.language.as_deref(),
                qualities,
                times.len(),
                times[0].0,
                end,
            );
            assert_eq!(&found, said, "{file}");
            assert_eq!(stream.declared_chunks, Some(times.len() as u64), "{file}");
            let url =
                format!("QualityLevels({{bitrate}})/Fragments({}={{start time}})", stream.name());
            assert_eq!(stream.url, Some(url), "{file}");
            assert_eq!(manifest.timescale_of(stream), Timescale::SMOOTH);
            assert!(stream.other.is_empty() && stream.qualities.iter().all(|q| q.other.is_empty()));
        }
        manifest
    };
    let audio =
        |name, language| (name, Some(language), vec![(48_000, 0, 48_000)], 12, 0, 239_999_999);
    check(
        "ladder/ladder.ismc",
        (2, 0),
        240_000_000,
        &[
            (
                "video",
                None,
                vec![(60_000, 160, 0), (120_000, 256, 0), (220_000, 320, 0)],
                12,
                0,
                240_000_000,
            ),
            audio("audio_eng", "eng"),
            audio("audio_fra", "fra"),
        ],
    );
    let split = check(
        "split/split.ismc",
        (2, 2),
        240_000_000,
        &[
            ("video", None, vec![(120_000, 256, 0), (60_000, 160, 0)], 12, 0, 240_000_000),
            ("audio", None, vec![(48_000, 0, 48_000)], 13, 0, 239_999_999),
        ],
    );
    assert_eq!(split.streams[0].chunks.len(), 1, "equal chunks are a run");
    check(
        "ntsc/ntsc.ismc",
        (2, 0),
        240_472_109,
        &[
            ("audio", None, vec![(64_000, 0, 44_100)], 12, 0, 240_472_109),
            ("video", None, vec![(80_000, 192, 0), (160_000, 320, 0)], 12, 0, 240_240_000),
        ],
    );
}

#[test]
fn utf_16_in_any_order_with_any_mark_and_declaration_is_the_same_manifest() {
    let ismc = text("ladder/ladder.ismc").replace("\"fra\"", "\"été 𝄞\"");
    let ism = text("ladder/ladder.ism").replace("\"fra\"", "\"été 𝄞\"");
    let expected = (client(ismc.as_bytes()).unwrap(), server(ism.as_bytes()).unwrap());
    assert_eq!(expected.0.streams[2].language.as_deref(), Some("été 𝄞"));

    let mut stored = 0;
    for label in ["utf-8", "UTF-16", "utf-16le", "utf-16be", "us-ascii", "iso-8859-1", "klingon"] {
        let declaring = |text: &str| text.replacen("utf-8", label, 1);
        for encode in [utf16::<true>, utf16::<false>] {
            for mark in ["\u{feff}", ""] {
                let bytes = |text: &str| encode(&format!("{mark}{}", declaring(text)));
                let found = (client(&bytes(&ismc)).unwrap(), server(&bytes(&ism)).unwrap());
                assert_eq!(found, expected, "{label}, {mark:?}");
                stored += 1;
            }
        }
        // The mark of UTF-8 is believed too, and so are its bytes when UTF-16 is declared.
        if label.to_lowercase().starts_with("utf") {
            for mark in ["\u{feff}", ""] {
                let bytes = |text: &str| format!("{mark}{}", declaring(text));
                let found = (
                    client(bytes(&ismc).as_bytes()).unwrap(),
                    server(bytes(&ism).as_bytes()).unwrap(),
                );
                assert_eq!(found, expected, "{label}, {mark:?}");
                stored += 1;
            }
        }
    }
    assert_eq!(stored, 7 * 4 + 4 * 2);
}

#[test]
fn attributes_in_any_order_and_children_behind_others_are_the_same_manifest() {
    let usual = r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="1" Duration="5" IsLive="TRUE">
        <Protection><ProtectionHeader SystemID="9A04F079-9840-4286-AB92-E65BE0885F95">QUJD</ProtectionHeader></Protection>
        <StreamIndex Type="audio" Name="a" TimeScale="1000">
            <QualityLevel Bitrate="64000" FourCC="AACL" Channels="2"/><c t="0" d="5"/>
        </StreamIndex></SmoothStreamingMedia>"#;
    let other = r#"<?xml version="1.0"?><!-- a packager's --><SmoothStreamingMedia IsLive = 'true'
        Duration=' 5 ' MinorVersion="01" MajorVersion="&#50;"><StreamIndex TimeScale="1000" Name="a" Type="AUDIO">
            <c d="5" t="0"></c><Unknown><QualityLevel Bitrate="1"/></Unknown><QualityLevel Channels="2" FourCC="AACL" Bitrate="64000"></QualityLevel>
        </StreamIndex><Protection>
            <ProtectionHeader SystemID=" {9a04f079-9840-4286-ab92-e65be0885f95}">QU
                <![CDATA[JD]]></ProtectionHeader></Protection></SmoothStreamingMedia>"#;
    assert_eq!(client(usual.as_bytes()).unwrap(), client(other.as_bytes()).unwrap());
}

#[test]
fn a_value_that_ends_like_an_attribute_hides_none() {
    let text = r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" Duration="5" A="x B=" B="kept"/>"#;
    let manifest = client(text.as_bytes()).unwrap();
    let written = manifest.to_xml(Layout::Full, &Limits::default()).unwrap();
    assert!(written.contains(r#"A="x B=" B="kept""#), "{written}");
    assert_eq!(client(written.as_bytes()).unwrap().other, manifest.other);
}

// What is no manifest is refused.

#[test]
fn any_prefix_of_a_manifest_is_refused() {
    let (ismc, ism) = (text("split/split.ismc"), text("bframes/bframes.ism"));
    let whole = |text: &str| text.rfind('>').unwrap() + 1;
    for len in 0..whole(&ismc) {
        assert!(client(&ismc.as_bytes()[..len]).is_err(), "{len}");
    }
    for len in 0..whole(&ism) {
        assert!(server(&ism.as_bytes()[..len]).is_err(), "{len}");
    }
    assert!(client(&ismc.as_bytes()[..whole(&ismc)]).is_ok());
    assert!(server(&ism.as_bytes()[..whole(&ism)]).is_ok());

    for mark in ["\u{feff}", ""] {
        let bytes = utf16::<true>(&format!("{mark}{ismc}"));
        let end = 2 * (whole(&ismc) + mark.chars().count());
        for len in 0..end {
            assert!(client(&bytes[..len]).is_err(), "{len}");
        }
        assert!(client(&bytes[..end]).is_ok());
    }
}

#[test]
fn what_is_no_client_manifest_is_refused_with_its_place() {
    let stream = |inside: &str| {
        format!(
            "<SmoothStreamingMedia>\n<StreamIndex Type='video'>\n{inside}</StreamIndex></SmoothStreamingMedia>"
        )
    };
    let broken = |document: &str, says: &str| {
        let error = client(document.as_bytes()).expect_err(document);
        assert_eq!(error.to_string(), says, "{document}");
    };
    let xml = |document: &str, place: &str, says: &str| {
        broken(document, &format!("{place}: not well-formed XML: {says}"));
    };
    xml("", "line 1", "no element at all");
    xml(" \n<!-- -->\n", "line 3", "no element at all");
    xml("\n<smil/>", "line 2, smil", "the root is `smil`, not `SmoothStreamingMedia`");
    xml("<SmoothStreamingMedia/>\n<a/>", "line 2, a", "a second root element");
    xml("<SmoothStreamingMedia/>\nx", "line 2", "text outside of the root element");
    xml("<SmoothStreamingMedia>\n", "line 2", "an unclosed element");
    xml(
        "<SmoothStreamingMedia>&nbsp;</SmoothStreamingMedia>",
        "line 1",
        "the reference `&nbsp;` stands for nothing",
    );
    xml(
        "<!DOCTYPE a [<!ENTITY b 'c'>]>\n<SmoothStreamingMedia/>",
        "line 1",
        "a document type definition",
    );
    assert!(client(b"<!DOCTYPE a>\n<SmoothStreamingMedia/>").is_ok());
    xml(
        "<SmoothStreamingMedia/>\n<?xml version='1.0'?>",
        "line 2",
        "an XML declaration that is not at the start",
    );
    let no_character = "a character that XML does not allow";
    xml("<SmoothStreamingMedia>\n\u{8}</SmoothStreamingMedia>", "line 2", no_character);
    xml("<SmoothStreamingMedia>\n\u{fffe}</SmoothStreamingMedia>", "line 2", no_character);
    xml(&stream("<c t='&#1;'/>"), "line 3, c", no_character);

    let clause = "([MS-SSTR] 2.2.2)";
    let stream_type = format!("StreamIndex: `Type` is not video, audio or text {clause}");
    broken(
        "<SmoothStreamingMedia>\n<StreamIndex Type='film'/></SmoothStreamingMedia>",
        &format!("line 2, {stream_type}"),
    );
    broken(
        "<SmoothStreamingMedia><StreamIndex/></SmoothStreamingMedia>",
        &format!("line 1, {stream_type}"),
    );
    for bitrate in ["Bitrate=''", "Bitrate='-1'", "Bitrate='4294967296'", "Bitrate='1k'"] {
        let says = format!("line 3, QualityLevel: `Bitrate` is not a 32-bit number {clause}");
        broken(&stream(&format!("<QualityLevel {bitrate}/>")), &says);
    }
    for (name, value) in
        [("t", "-1"), ("d", ""), ("d", "1.5"), ("r", "x"), ("t", "18446744073709551616")]
    {
        let says = format!("line 3, c: `{name}` is not a number {clause}");
        broken(&stream(&format!("<c {name}='{value}'/>")), &says);
    }
}

#[test]
fn what_the_xml_library_says_names_the_line() {
    for (document, place) in [
        ("<SmoothStreamingMedia>\n</StreamIndex>", "line 2: "),
        ("<SmoothStreamingMedia/>\n</SmoothStreamingMedia>", "line 2: "),
        (
            "<SmoothStreamingMedia>\n<StreamIndex Type='video' Type='audio'/>",
            "line 2, StreamIndex: ",
        ),
        ("<SmoothStreamingMedia>\n<StreamIndex Type=video/>", "line 2, StreamIndex: "),
        ("<SmoothStreamingMedia>\n<StreamIndex Type='&video;'/>", "line 2, StreamIndex: "),
        ("<SmoothStreamingMedia>\n<StreamIndex Type/>", "line 2, StreamIndex: "),
        ("<SmoothStreamingMedia>\n<![CDATA[ ", "line 2: "),
        ("<SmoothStreamingMedia>\n<!-- ", "line 2: "),
        ("\n<SmoothStreamingMedia", "line 2: "),
    ] {
        let error = client(document.as_bytes()).expect_err(document);
        assert!(matches!(error.kind, ErrorKind::Xml(_)), "{document}: {error}");
        assert!(error.to_string().starts_with(place), "{document}: {error}");
    }
}

#[test]
fn what_is_no_server_manifest_is_refused_with_its_place() {
    for (document, says) in [
        ("", "line 1: not well-formed XML: no element at all"),
        ("<SMIL/>", "line 1, SMIL: not well-formed XML: the root is `SMIL`, not `smil`"),
        ("<smil>\n<body>", "line 2: not well-formed XML: an unclosed element"),
        ("<smil/>\n<smil/>", "line 2, smil: not well-formed XML: a second root element"),
        ("<smil>&x;</smil>", "line 1: not well-formed XML: the reference `&x;` stands for nothing"),
        (
            "<!DOCTYPE smil SYSTEM 'http://x/y' []><smil/>",
            "line 1: not well-formed XML: a document type definition",
        ),
    ] {
        assert_eq!(server(document.as_bytes()).unwrap_err().to_string(), says, "{document}");
    }
    let error = server(b"<smil>\n<head>\n<meta name='\xff'/></head></smil>").unwrap_err();
    assert_eq!(error.to_string(), "line 3: not well-formed XML: bytes that are not UTF-8");
}

#[test]
fn times_that_cannot_be_are_neither_expanded_nor_written() {
    let stream = |chunks: &str| {
        let text = format!(
            "<SmoothStreamingMedia><StreamIndex Type='video'>{chunks}</StreamIndex></SmoothStreamingMedia>"
        );
        client(text.as_bytes()).unwrap()
    };
    for (chunks, says) in [
        ("<c t='0' r='2'/>", "a run (`r`) without a duration (`d`) ([MS-SSTR] 2.2.2.6)"),
        ("<c t='18446744073709551615' d='1'/>", "a time beyond 64 bits ([MS-SSTR] 2.2.2.6)"),
        ("<c d='4294967296' r='4294967296'/>", "a time beyond 64 bits ([MS-SSTR] 2.2.2.6)"),
        ("<c t='9' d='9223372036854775808' r='2'/>", "a time beyond 64 bits ([MS-SSTR] 2.2.2.6)"),
    ] {
        let manifest = stream(chunks);
        let error = runs(&manifest.streams[0].chunks).find_map(Result::err).unwrap();
        assert_eq!(error.to_string(), says, "{chunks}");
        for layout in [Layout::Full, Layout::Compact] {
            let error = manifest.to_xml(layout, &Limits::default()).unwrap_err();
            assert_eq!(error.to_string(), says, "{chunks}");
        }
    }
}

// Budgets.

#[test]
fn documents_beyond_their_budgets_are_refused() {
    let mut limits = Limits::default();
    (limits.client_manifest, limits.server_manifest) = (50_000, 40_000);
    let over = |result: Result<(), Error>, what: &str, found: u64, limit: u64| {
        let error = result.unwrap_err();
        let says = format!("{what}: {found} is more than the budget of {limit}");
        assert!(matches!(error.kind, ErrorKind::Budget { .. }), "{error}");
        assert!(error.to_string().ends_with(&says), "{error}");
    };
    let client = |text: String| ClientManifest::parse(text.as_bytes(), &limits).map(drop);
    let server = |text: String| ServerManifest::parse(text.as_bytes(), &limits).map(drop);
    let media = |inside: &str| format!("<SmoothStreamingMedia>{inside}</SmoothStreamingMedia>");
    let body = |inside: &str| format!("<smil><body>{inside}</body></smil>");

    let padded =
        |len: u64, text: String| format!("{text}{}", " ".repeat(len as usize - text.len()));
    assert!(client(padded(limits.client_manifest, media(""))).is_ok());
    let long = limits.client_manifest + 1;
    over(client(padded(long, media(""))), "bytes of a client manifest", long, long - 1);
    assert!(server(padded(limits.server_manifest, body(""))).is_ok());
    let long = limits.server_manifest + 1;
    over(server(padded(long, body(""))), "bytes of a server manifest", long, long - 1);

    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(client(media(&nested(63))).is_ok());
    over(client(media(&nested(64))), "elements inside one another", 65, 64);
    // More of them are no deeper to us than that: nothing recurses by the document's will.
    over(client(media(&"<a>".repeat(10_000))), "elements inside one another", 65, 64);
    assert!(server(body(&nested(62))).is_ok());
    over(server(body(&nested(63))), "elements inside one another", 65, 64);

    let attributes = |count: usize| (0..count).map(|i| format!(" a{i}=''")).collect::<String>();
    let element = |count: usize| format!("<StreamIndex Type='text'{}/>", attributes(count - 1));
    assert!(client(media(&element(256))).is_ok());
    over(client(media(&element(257))), "attributes of one element", 257, 256);
    assert!(server(body(&format!("<video{}/>", attributes(256)))).is_ok());
    over(
        server(body(&format!("<video{}/>", attributes(257)))),
        "attributes of one element",
        257,
        256,
    );

    // Over all streams together.
    let streams = |count: usize| {
        let half = "<QualityLevel Bitrate='1'/>".repeat(count / 2);
        let stream = format!("<StreamIndex Type='video'>{half}</StreamIndex>");
        media(&(stream.clone() + &stream))
    };
    assert!(client(streams(1024)).is_ok());
    over(client(streams(1026)), "qualities of a client manifest", 1025, 1024);
    assert!(server(body(&"<video/>".repeat(1024))).is_ok());
    over(server(body(&"<video/>".repeat(1025))), "tracks of a server manifest", 1025, 1024);
}

#[test]
fn a_manifest_beyond_its_budget_is_not_written() {
    let mut limits = Limits::default();
    limits.client_manifest = 200;
    let mut manifest = ClientManifest::default();
    assert!(manifest.to_xml(Layout::Full, &limits).is_ok());
    let run =
        Chunk { duration: Some(1), repeat: NonZeroU64::new(u64::MAX / 2), ..Chunk::default() };
    let mut stream = StreamIndex::new(StreamKind::Video);
    stream.chunks.push(run);
    manifest.streams.push(stream);
    let error = manifest.to_xml(Layout::Full, &limits).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Budget { found: 201..300, limit: 200, .. }), "{error}");
}

/// Allocations and their bytes can be counted; instructions cannot, without tools that are not
/// everywhere. So this says nothing of a loop that allocates nothing.
#[test]
fn a_document_of_twice_the_length_takes_twice_the_memory() {
    let document = |chunks: usize| {
        let chunks = "<c t=\"20000000\" d=\"20000000\"><f i=\"0\" s=\"1\"/></c>\n".repeat(chunks);
        let stream = format!("<StreamIndex Type=\"video\">{chunks}</StreamIndex>");
        format!("<SmoothStreamingMedia MajorVersion=\"2\">{stream}</SmoothStreamingMedia>")
    };
    let (one, two) = (document(10_000), document(20_000));
    assert!(two.len() > 900_000);
    let measure = |text: &str| {
        allocation_counter::measure(|| {
            assert_eq!(client(text.as_bytes()).unwrap().streams.len(), 1)
        })
    };
    let (one, two) = (measure(&one), measure(&two));
    assert!(two.count_total <= one.count_total * 21 / 10, "{one:?} {two:?}");
    // A list that grows by doubling may stand anywhere between two sizes.
    assert!(two.bytes_total <= one.bytes_total * 3, "{one:?} {two:?}");
}

// Helpers.

fn client(bytes: &[u8]) -> Result<ClientManifest, Error> {
    ClientManifest::parse(bytes, &Limits::default())
}

fn server(bytes: &[u8]) -> Result<ServerManifest, Error> {
    ServerManifest::parse(bytes, &Limits::default())
}

fn write(manifest: &ClientManifest, layout: Layout) -> String {
    manifest.to_xml(layout, &Limits::default()).unwrap()
}

fn testdata(name: &str) -> Vec<u8> {
    fs::read(format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(testdata(name)).unwrap()
}

fn utf16<const LITTLE: bool>(text: &str) -> Vec<u8> {
    let bytes = if LITTLE { u16::to_le_bytes } else { u16::to_be_bytes };
    text.encode_utf16().flat_map(bytes).collect()
}

/// Start and duration of every chunk that the elements stand for.
fn times(chunks: &[Chunk]) -> Vec<(u64, u64)> {
    let runs = runs(chunks).map(Result::unwrap);
    runs.flat_map(|run| {
        (0..run.count.get()).map(move |i| (run.start + i * run.duration, run.duration))
    })
    .collect()
}

/// What `f` elements say, by the start of their chunk.
fn data(chunks: &[Chunk]) -> Vec<(u64, Vec<FragmentData>)> {
    let of_runs = runs(chunks).map(Result::unwrap).zip(chunks);
    let some = of_runs.filter(|(_, chunk)| !chunk.fragments().is_empty());
    some.map(|(run, chunk)| (run.start, chunk.fragments().to_vec())).collect()
}

/// Runs come to an end, and say so where a time cannot be.
fn times_are_sound(manifest: &ClientManifest) -> bool {
    manifest.streams.iter().all(|stream| runs(&stream.chunks).count() == stream.chunks.len())
}

fn without_chunks(mut manifest: ClientManifest) -> ClientManifest {
    (manifest.major_version, manifest.minor_version) = (0, 0);
    manifest.streams.iter_mut().for_each(|stream| stream.chunks.clear());
    manifest
}
