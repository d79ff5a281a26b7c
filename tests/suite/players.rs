//! Requests that web players really make, and manifests that they cannot play.

use bytes::Bytes;
use smooth_origin::base::{FourCc, Guid, Limits};
use smooth_origin::bmff::{AnyBox, Boxes, FullBox, uuid::PiffPssh};
use smooth_origin::manifest::{ClientManifest, StreamKind};
use smooth_origin::origin::Origin;
use smooth_origin::output::mss::Noun;
use smooth_origin::presentation::{Finding, ManifestSource, OpenOptions};
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Fragment, Style, Track, ism, ismc};
use testkit::{codes, get, manifest, open, served, status, store};

/// Starts in units of 100 ns since 1970, in 2026, and the numbers that JavaScript writes for them:
/// the output of `String(Number("17959968061234567"))` and so on in node 20.20.2.
const STARTS: [(u64, &str); 6] = [
    (17_959_968_061_234_567, "17959968061234568"),
    (17_959_968_081_234_567, "17959968081234568"),
    (17_959_968_101_234_568, "17959968101234568"),
    (17_959_968_122_567_901, "17959968122567900"),
    (17_959_968_142_567_899, "17959968142567900"),
    (17_959_968_163_901_233, "17959968163901232"),
];

/// Makes a film whose video has these starts, with its own manifest.
fn epoch(starts: &[u64]) -> MemoryStore {
    let fragment = |(number, &start): (usize, &u64)| Fragment {
        time: start as i64,
        samples: vec![(20_000_000, 100 + number as u32)],
    };
    let fragments = starts.iter().enumerate().map(fragment).collect();
    let media = film::media(&[Track::new(1, StreamKind::Video, fragments)], Style::default());
    store([
        ("film.ism", ism(Some("film.ismc"), &[("video", "film.ismv", 300, 1, "")])),
        ("film.ismv", media.to_bytes()),
        ("film.ismc", ismc(&[(StreamKind::Video, "video", &[300], starts)])),
    ])
}

fn url(noun: Noun, time: impl std::fmt::Display) -> String {
    format!("/film.ism/QualityLevels(300)/{noun}(video={time})")
}

#[test]
fn times_above_2_to_the_53_are_found_by_the_doubles_that_players_ask_for() {
    let starts = STARTS.map(|(start, _)| start);
    let origin = Origin::new(epoch(&starts));
    for (start, written) in STARTS {
        for noun in Noun::ALL.iter().copied() {
            let exact = served(&origin, &url(noun, start)).unwrap();
            let rounded = served(&origin, &url(noun, written)).unwrap();
            assert_eq!(exact.reply().validator(), rounded.reply().validator(), "{noun} {written}");
            let (exact, rounded) = (url(noun, start), url(noun, written));
            assert_eq!(get(&origin, &exact).unwrap(), get(&origin, &rounded).unwrap(), "{rounded}");
        }
    }
    // Other doubles are not the start of any chunk.
    for beside in [17_959_968_061_234_564_u64, 17_959_968_061_234_570, 1 << 60, u64::MAX] {
        assert_eq!(status(&origin, &url(Noun::Fragments, beside)), 404, "{beside}");
    }
}

/// Requests of Shaka Player 4.16.50 and RxPlayer 4.5.0 for `c` elements without `t`: the output of
/// `String(t)` and `t += d` in node 20.20.2, for sound in fragments of 94 AAC frames.
#[test]
fn starts_that_players_add_up_are_found() {
    let durations = [20_053_333, 20_053_333, 20_053_334, 20_053_333, 20_053_333];
    let written = [
        "15966717588930000",
        "15966717608983332",
        "15966717629036664",
        "15966717649089998",
        "15966717669143332",
        "15966717689196664",
    ];
    let sum = |start: &mut u64, duration: &u64| {
        *start += duration;
        Some(*start)
    };
    let first = 15_966_717_588_930_000;
    let starts: Vec<u64> = [first].into_iter().chain(durations.iter().scan(first, sum)).collect();
    let origin = Origin::new(epoch(&starts));
    for (start, written) in starts.iter().zip(written) {
        let (exact, asked) = (url(Noun::Fragments, start), url(Noun::Fragments, written));
        assert_eq!(get(&origin, &exact).unwrap(), get(&origin, &asked).unwrap(), "{written}");
    }
}

#[test]
fn a_double_of_two_starts_is_found_only_where_it_is_one_of_them() {
    let two = [17_959_968_061_234_567, 17_959_968_061_234_569, 17_959_968_081_234_567];
    let origin = Origin::new(epoch(&two));
    assert_eq!(two.map(|start| start as f64)[..2], [17_959_968_061_234_568_f64; 2]);
    assert_eq!(status(&origin, &url(Noun::Fragments, 17_959_968_061_234_568_u64)), 404);
    assert_eq!(status(&origin, &url(Noun::Fragments, 17_959_968_081_234_568_u64)), 200);
    let one_is_exact = [17_959_968_061_234_567, 17_959_968_061_234_568];
    let origin = Origin::new(epoch(&one_is_exact));
    let info = get(&origin, &url(Noun::RawFragments, 17_959_968_061_234_568_u64)).unwrap();
    assert_eq!(info.len(), 101, "the second chunk");
}

#[test]
fn times_below_2_to_the_53_are_found_by_nothing_but_themselves() {
    let origin = Origin::new(epoch(&[0, 20_000_000, (1 << 53) - 2, (1 << 53) + 1]));
    for (time, expected) in [
        (0, 200),
        (1, 404),
        (20_000_001, 404),
        ((1 << 53) - 3, 404),
        ((1 << 53) - 1, 404),
        (1 << 53, 200),
        ((1 << 53) + 100, 404),
        (u64::MAX, 404),
    ] {
        assert_eq!(status(&origin, &url(Noun::Fragments, time)), expected, "{time}");
    }
}

#[test]
fn the_longest_time_that_a_player_writes_is_a_time() {
    let origin = Origin::new(epoch(&[0]));
    // `String(Number("18446744073709551615"))` exceeds 64 bits.
    assert_eq!(status(&origin, &url(Noun::Fragments, "18446744073709552000")), 404);
    for time in ["18446744073709552001", "18446744073709553000", "1.7959968061234568e16"] {
        assert_eq!(status(&origin, &url(Noun::Fragments, time)), 400, "{time}");
    }
}

const SECOND: u64 = 10_000_000;

/// Makes a track whose fragments start at these seconds and last two seconds.
fn track(id: u32, kind: StreamKind, starts: &[u64]) -> Track {
    let fragment = |&start: &u64| Fragment {
        time: (start * SECOND) as i64,
        samples: vec![(2 * SECOND as u32, 100)],
    };
    Track::new(id, kind, starts.iter().map(fragment).collect())
}

/// Video and text in one file, without a client manifest.
fn generated(text: (&str, &str), file: Vec<u8>) -> MemoryStore {
    let (element, params) = text;
    let server = format!(
        r#"<smil><body><switch><video src="film.ismv" systemBitrate="300"><param name="trackID" value="1"/></video>
           <{element} src="film.ismv" systemBitrate="0"><param name="trackID" value="2"/>{params}</{element}></switch></body></smil>"#
    );
    store([("film.ism", server.into_bytes()), ("film.ismv", file)])
}

fn parsed(store: &MemoryStore) -> ClientManifest {
    let text = manifest(open(store).unwrap().presentation());
    ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn a_generated_manifest_has_a_four_cc_on_every_quality_of_text() {
    let tracks = [track(1, StreamKind::Video, &[0, 2]), track(2, StreamKind::Text, &[0, 2])];
    let whole = film::media(&tracks, Style::default()).to_bytes();
    let subtype = |subtype: &str| format!(r#"<param name="Subtype" value="{subtype}"/>"#);
    let of = |element, params: &str, file: &[u8]| {
        let manifest = parsed(&generated((element, params), file.to_vec()));
        let text = manifest.streams.iter().find(|stream| stream.kind == StreamKind::Text).unwrap();
        assert_eq!(text.qualities.len(), 1);
        text.qualities[0].four_cc.clone()
    };
    for entry in [*b"stpp", *b"dfxp"] {
        let found = of("textstream", "", &with_entry(&whole, entry));
        assert_eq!(found.as_deref(), Some("TTML"));
    }
    let found = of("textstream", &subtype("SCMD"), &with_entry(&whole, *b"SCMD"));
    assert_eq!(found.as_deref(), Some("SCMD"), "the name that it has in the file");
    // Without a sample entry, the server manifest decides, or else the name for documents.
    let bare = without_entry(&whole);
    for (params, expected) in [
        ("".to_owned(), "TTML"),
        (subtype("CAPT"), "TTML"),
        (subtype(""), "TTML"),
        (subtype("SCMD"), "SCMD"),
        (r#"<param name="FourCC" value="DFXP"/>"#.to_owned(), "DFXP"),
        (r#"<param name="FourCC" value=""/>"#.to_owned(), "TTML"),
        (r#"<param name="FourCC" value=" "/>"#.to_owned() + &subtype("CHAP"), "CHAP"),
    ] {
        assert_eq!(of("textstream", &params, &bare).as_deref(), Some(expected), "{params}");
    }
}

/// Returns the film with another type of the sample entry of its text.
fn with_entry(file: &[u8], name: [u8; 4]) -> Vec<u8> {
    let mut file = file.to_vec();
    let at = file.windows(4).position(|four| four == b"stpp").unwrap();
    file[at..at + 4].copy_from_slice(&name);
    file
}

/// Returns the film with an empty table of sample entries for its text.
fn without_entry(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let entry = file.windows(4).position(|four| four == b"stpp").unwrap();
    let table = file[..entry].windows(4).rposition(|four| four == b"stsd").unwrap();
    file[table + 8..table + 12].fill(0);
    file[entry..entry + 4].copy_from_slice(b"free");
    file
}

#[test]
fn a_generated_manifest_names_the_protection_system_without_braces() {
    let system_id = Guid::from_u128(0x9a04f079_9840_4286_ab92_e65be0885f95);
    let data = Bytes::from_static(b"a header");
    let pssh = AnyBox::new(PiffPssh { full: FullBox::default(), system_id, data });
    let pssh = Boxes::from_iter([pssh]).to_bytes();
    let media = film::media(
        &[track(1, StreamKind::Video, &[0, 2])],
        Style { mfra: false, ..Style::default() },
    );
    let (mut file, end) = (media.to_bytes(), 24 + media.moov as usize);
    file.splice(end..end, pssh.iter().copied());
    file[24..28].copy_from_slice(&(media.moov as u32 + pssh.len() as u32).to_be_bytes());
    assert_eq!(FourCc(file[28..32].try_into().unwrap()), *b"moov");
    let store = store([
        ("film.ism", ism(None, &[("video", "film.ismv", 300, 1, "")])),
        ("film.ismv", file),
    ]);
    let text = manifest(open(&store).unwrap().presentation());
    assert!(text.contains(r#"SystemID="9A04F079-9840-4286-AB92-E65BE0885F95""#), "{text}");
}

#[test]
fn a_generated_manifest_stretches_the_chunk_before_a_gap() {
    let starts = [0, 2, 10, 12];
    let file = film::media(&[track(1, StreamKind::Video, &starts)], Style::default()).to_bytes();
    let store = store([
        ("film.ism", ism(None, &[("video", "film.ismv", 300, 1, "")])),
        ("film.ismv", file),
    ]);
    let opened = open(&store).unwrap();
    let chunks: Vec<_> = opened.presentation().streams()[0].timeline().iter().collect();
    let seconds = [(0, 2), (2, 8), (10, 2), (12, 2)];
    assert_eq!(chunks, seconds.map(|(start, length)| (start * SECOND, length * SECOND)));
    assert_eq!(parsed(&store).duration, 14 * SECOND);
    assert_eq!(codes(opened.presentation()), [""; 0]);
    let text = manifest(opened.presentation());
    assert_eq!(text.matches(" t=").count(), 1, "no chunk jumps: {text}");
}

/// Makes a film of video, sound and text with the streams of this client manifest.
fn stored(streams: &str) -> MemoryStore {
    let tracks = [
        track(1, StreamKind::Video, &[0, 2, 4, 10, 12, 20]),
        track(2, StreamKind::Audio, &[0, 2, 4, 10, 12, 20]),
        track(3, StreamKind::Text, &[0, 2, 4, 10, 12, 20]),
    ];
    let names = [
        ("video", "film.ismv", 300, 1, ""),
        ("audio", "film.ismv", 64, 2, ""),
        ("textstream", "film.ismv", 1, 3, "text"),
    ];
    let client = format!(
        r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" Duration="220000000">{streams}</SmoothStreamingMedia>"#
    );
    store([
        ("film.ism", ism(Some("film.ismc"), &names)),
        ("film.ismc", client.into_bytes()),
        ("film.ismv", film::media(&tracks, Style::default()).to_bytes()),
    ])
}

/// Makes a stream of these attributes, qualities and chunks, with start and duration in seconds.
fn stream(kind: &str, attributes: &str, qualities: &str, chunks: &[(u64, u64)]) -> String {
    let chunk = |(start, length): &(u64, u64)| {
        format!(r#"<c t="{}" d="{}"/>"#, start * SECOND, length * SECOND)
    };
    let chunks: String = chunks.iter().map(chunk).collect();
    format!(
        r#"<StreamIndex Type="{kind}" {attributes} Url="QualityLevels({{bitrate}})/Fragments({kind}={{start time}})">{qualities}{chunks}</StreamIndex>"#
    )
}

const STRETCHED: [(u64, u64); 6] = [(0, 2), (2, 2), (4, 6), (10, 2), (12, 8), (20, 2)];
const HOLED: [(u64, u64); 6] = [(0, 2), (2, 2), (4, 2), (10, 2), (12, 2), (20, 2)];
const VIDEO: &str = r#"<QualityLevel Bitrate="300" FourCC="H264"/>"#;
const AUDIO: &str = r#"<QualityLevel Bitrate="64" FourCC="AACL"/>"#;

fn sound_and_picture() -> String {
    stream("video", "", VIDEO, &STRETCHED) + &stream("audio", "", AUDIO, &STRETCHED)
}

fn findings(streams: &str) -> Vec<Finding> {
    let found = open(&stored(streams)).unwrap().presentation().findings();
    found.into_iter().filter(|finding| finding.code.as_str() != "track-not-announced").collect()
}

#[test]
fn text_without_a_four_cc_is_a_finding_with_a_cure_that_cures() {
    let text = |attributes: &str, quality: &str| {
        let quality = format!(r#"<QualityLevel Bitrate="1" {quality}/>"#);
        sound_and_picture() + &stream("text", attributes, &quality, &STRETCHED)
    };
    for (attributes, quality) in [
        ("", ""),
        ("", r#"FourCC="""#),
        ("", r#"FourCC=" ""#),
        (r#"FourCC="""#, r#"FourCC="""#),
        // Shaka Player looks here only if the quality's own is empty.
        (r#"FourCC="TTML""#, ""),
        (r#"Subtype="SCMD" ParentStreamIndex="video""#, r#"FourCC="""#),
    ] {
        let found: Vec<_> =
            findings(&text(attributes, quality)).iter().map(Finding::to_string).collect();
        let expected =
            "warning fourcc-missing: text: its only quality, of 1 bit/s, has no `FourCC`";
        assert_eq!(found, [expected], "{attributes} {quality}");
    }
    for (attributes, quality) in [
        ("", r#"FourCC="TTML""#),
        ("", r#"FourCC="DFXP""#),
        (r#"FourCC="TTML""#, r#"FourCC="""#),
        (r#"Subtype="SCMD" ParentStreamIndex="video""#, r#"FourCC="SCMD""#),
    ] {
        assert_eq!(findings(&text(attributes, quality)), [], "{attributes} {quality}");
    }
    // Players take sound without a `FourCC` for AAC.
    let sound = stream("audio", "", r#"<QualityLevel Bitrate="64"/>"#, &STRETCHED);
    assert_eq!(findings(&(stream("video", "", VIDEO, &STRETCHED) + &sound)), []);
}

#[test]
fn more_than_the_configuration_of_aac_lc_is_a_finding_with_a_cure_that_cures() {
    let with = |data: &str| {
        let audio =
            format!(r#"<QualityLevel Bitrate="64" FourCC="AACL" CodecPrivateData="{data}"/>"#);
        let streams = stream("video", "", VIDEO, &STRETCHED);
        findings(&(streams + &stream("audio", "", &audio, &STRETCHED)))
    };
    let found = with("119056E500");
    let expected =
        "info aac-data-long: audio: `CodecPrivateData` is 119056E500, of which 1190 is enough";
    assert!(found.len() == 1 && found[0].to_string() == expected, "{found:?}");
    // The corrected data, HE-AAC with its signalling, and data that is no configuration.
    for data in ["1190", "131056E598", "", "11"] {
        assert_eq!(with(data), [], "{data}");
    }
}

#[test]
fn braces_around_a_system_id_are_a_finding() {
    let protected = |id: &str| {
        let header = |id| format!(r#"<ProtectionHeader SystemID="{id}">AAH/</ProtectionHeader>"#);
        let other = header("edef8ba9-79d6-4ace-a3c8-27dcd51d21ed");
        sound_and_picture() + &format!("<Protection>{}{other}</Protection>", header(id))
    };
    for id in ["{9A04F079-9840-4286-AB92-E65BE0885F95}", " {9a04f079-9840-4286-ab92-e65be0885f95} "]
    {
        let found: Vec<_> = findings(&protected(id)).iter().map(Finding::to_string).collect();
        let expected = "warning system-id-braced: film.ismc: `SystemID` values in braces: 1";
        assert_eq!(found, [expected], "{id}");
    }
    assert_eq!(findings(&protected("9A04F079-9840-4286-AB92-E65BE0885F95")), []);
}

#[test]
fn gaps_between_chunks_are_told_once_per_stream_with_the_first_of_them() {
    let found =
        findings(&(stream("video", "", VIDEO, &HOLED) + &stream("audio", "", AUDIO, &STRETCHED)));
    let found: Vec<_> = found.iter().map(Finding::to_string).collect();
    let expected = "warning gap-between-chunks: video, chunk 40000000: 2 chunks end before the next begins, this one 40000000 ticks";
    assert_eq!(found, [expected]);
    // The cure: the gap is added to the `d` of the chunk before it.
    assert_eq!(findings(&sound_and_picture()), []);
}

#[test]
fn gaps_of_text_of_events_and_of_rounding_are_not_told() {
    let quality = r#"<QualityLevel Bitrate="1" FourCC="TTML"/>"#;
    for attributes in ["", r#"Subtype="CAPT""#, r#"Subtype="SCMD" ParentStreamIndex="video""#] {
        let text = stream("text", attributes, quality, &HOLED);
        assert_eq!(findings(&(sound_and_picture() + &text)), [], "{attributes}");
    }
    let sparse = stream("audio", r#"ParentStreamIndex="video""#, AUDIO, &HOLED);
    assert_eq!(findings(&(stream("video", "", VIDEO, &STRETCHED) + &sparse)), []);
    // Durations in milliseconds with exact times, and a duration that reaches to the next chunk
    // because it is not declared.
    let rounded =
        stream("video", "", VIDEO, &STRETCHED).replace(r#"d="20000000""#, r#"d="19990001""#);
    assert_eq!(findings(&rounded), []);
    let unsaid = stream("video", "", VIDEO, &HOLED).replace(r#" d="20000000""#, "");
    assert_eq!(findings(&unsaid), []);
}

/// Makes an origin that leaves event streams out, over the same store.
fn without_events(store: &MemoryStore) -> Origin {
    let options = OpenOptions::default().without_event_streams();
    Origin::builder(store.clone()).open_options(options).build()
}

fn etag(origin: &Origin, path: &str) -> String {
    served(origin, path).unwrap().reply().validator().to_string()
}

const EMBEDDED: &str = r#"<StreamIndex Type="text" Subtype="CTRL" Name="control" ManifestOutput="TRUE"><QualityLevel Bitrate="0" FourCC=""/><c t="0"><f i="0">YQ==</f></c></StreamIndex>"#;

#[test]
fn streams_of_events_are_left_out_of_a_stored_manifest_and_nothing_else_changes() {
    let captions = stream(
        "text",
        r#"Subtype="CAPT" Name="words""#,
        r#"<QualityLevel Bitrate="1" FourCC="TTML"/>"#,
        &HOLED,
    )
    .replace("(text=", "(words=");
    let event = |attributes: &str| {
        stream("text", attributes, r#"<QualityLevel Bitrate="1" FourCC=""/>"#, &HOLED)
    };
    for events in [
        event(r#"Subtype="SCMD""#),
        event(r#"subtype="x" Subtype="chap""#),
        event(r#"Subtype="DATA" ParentStreamIndex="video""#),
        event(r#"ParentStreamIndex="video""#),
        event(r#"Subtype="EVENT""#) + "\n" + EMBEDDED,
    ] {
        let store = stored(&(sound_and_picture() + &events + "\n <!-- kept -->"));
        let (all, few) = (Origin::new(store.clone()), without_events(&store));
        let manifest = "/film.ism/Manifest";
        let [whole, left] = [&all, &few].map(|origin| get(origin, manifest).unwrap());
        let [whole, left] = [whole, left].map(|text| String::from_utf8(text).unwrap());
        let expected =
            events.split('\n').fold(whole.clone(), |text, event| text.replace(event, ""));
        assert_eq!(left, expected);
        assert!(left.len() < whole.len() && left.contains("<!-- kept -->"));
        assert_ne!(etag(&all, manifest), etag(&few, manifest));
        // Active players still request these, and caches keep their copies.
        for fragment in [
            "/film.ism/QualityLevels(1)/Fragments(text=20000000)",
            "/film.ism/QualityLevels(300)/Fragments(video=20000000)",
            "/film.ism/QualityLevels(64)/RawFragments(audio=0)",
        ] {
            assert_eq!(get(&all, fragment).unwrap(), get(&few, fragment).unwrap(), "{fragment}");
            assert_eq!(etag(&all, fragment), etag(&few, fragment), "{fragment}");
        }
        let opened = smooth_origin::origin::block_on(few.open(&testkit::name("film.ism"))).unwrap();
        assert_eq!(opened.presentation().manifest_source(), ManifestSource::Mended);
        assert_eq!(codes(opened.presentation()), [""; 0], "{events}");
    }
    // Subtitles stay, sparse ones included, and a manifest without changes keeps its validator.
    let sparse = captions.replace("Subtype=", r#"ParentStreamIndex="video" Subtype="#);
    for text in [&captions, &sparse] {
        let store = stored(&(sound_and_picture() + text));
        let (all, few) = (Origin::new(store.clone()), without_events(&store));
        let manifest = "/film.ism/Manifest";
        assert_eq!(get(&all, manifest).unwrap(), get(&few, manifest).unwrap());
        assert_eq!(etag(&all, manifest), etag(&few, manifest));
    }
}

#[test]
fn a_manifest_that_is_mended_anyway_has_another_validator_without_events() {
    let streams = sound_and_picture().replace(r#"Bitrate="300""#, r#"Bitrate="300.0""#) + EMBEDDED;
    let store = stored(&streams);
    let (all, few) = (Origin::new(store.clone()), without_events(&store));
    let manifest = "/film.ism/Manifest";
    assert!(get(&all, manifest).unwrap().len() > get(&few, manifest).unwrap().len());
    assert_ne!(etag(&all, manifest), etag(&few, manifest));
}

#[test]
fn streams_of_events_are_left_out_of_a_generated_manifest() {
    let tracks = [track(1, StreamKind::Video, &[0, 2]), track(2, StreamKind::Text, &[0, 60])];
    let file = with_entry(&film::media(&tracks, Style::default()).to_bytes(), *b"SCMD");
    let params =
        r#"<param name="Subtype" value="SCMD"/><param name="parentTrackName" value="video"/>"#;
    let store = generated(("textstream", params), file);
    let (all, few) = (Origin::new(store.clone()), without_events(&store));
    let text =
        |origin: &Origin| String::from_utf8(get(origin, "/film.ism/Manifest").unwrap()).unwrap();
    assert!(text(&all).contains("SCMD") && text(&all).contains(r#"Duration="620000000""#));
    assert!(!text(&few).contains("text") && text(&few).contains(r#"Duration="40000000""#));
    assert_ne!(etag(&all, "/film.ism/Manifest"), etag(&few, "/film.ism/Manifest"));
    let fragment = "/film.ism/QualityLevels(0)/Fragments(textstream=600000000)";
    assert_eq!(get(&all, fragment).unwrap(), get(&few, fragment).unwrap());
    assert_eq!(etag(&all, fragment), etag(&few, fragment));
}
