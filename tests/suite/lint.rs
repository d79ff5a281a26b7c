//! The lint of the manifest finds each fault in a set that has it, and none in healthy sets.

use std::collections::BTreeMap;
use std::path::Path;

use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::{Finding, FindingCode, PlayerRule};
use smooth_origin::storage::MemoryStore;
use testkit::{name, store};

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");

/// The files of a folder, with the texts of manifests changed.
fn set(folder: &str, change: impl Fn(&str) -> String) -> MemoryStore {
    let files = std::fs::read_dir(Path::new(TESTDATA).join(folder)).unwrap().map(Result::unwrap);
    let files = files.map(|entry| {
        let (name, mut content) =
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap());
        if name.ends_with(".ismc") {
            content = change(std::str::from_utf8(&content).unwrap()).into_bytes();
        }
        (name, content)
    });
    let files: Vec<_> = files.collect();
    store(files.iter().map(|(name, content)| (name.as_str(), content.clone())))
}

fn lint(store: &MemoryStore, presentation: &str) -> Vec<Finding> {
    let opened = block_on(Origin::new(store.clone()).open(&name(presentation))).unwrap();
    opened.presentation().lint()
}

/// The findings of the ladder with one text of its manifest replaced wherever it is.
fn ladder(from: &str, to: &str) -> Vec<Finding> {
    let changed = set("ladder", |text| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    lint(&changed, "ladder.ism")
}

/// Code, and stream or track, of each finding.
fn codes(findings: &[Finding]) -> Vec<String> {
    let text = |of: &Finding| format!("{} {}", of.code, of.track().unwrap_or_default());
    findings.iter().map(|finding| text(finding).trim_end().to_owned()).collect()
}

#[test]
fn nothing_is_found_in_healthy_sets() {
    for (folder, presentation) in [
        ("ladder", "ladder.ism"),
        ("split", "split.ism"),
        ("ntsc", "ntsc.ism"),
        ("bframes", "bframes.ism"),
        ("dialects/azure", "azure.ism"),
        ("dialects/bento4", "bento4.ism"),
        ("dialects/captions", "captions.ism"),
        ("dialects/cmaf", "cmaf.ism"),
        ("dialects/encoder", "encoder.ism"),
        ("dialects/ffmpeg", "ffmpeg.ism"),
        ("dialects/playready", "playready.ism"),
        ("dialects/unified", "unified.ism"),
        ("dialects/wide", "wide.ism"),
    ] {
        let found = lint(&set(folder, str::to_owned), presentation);
        assert_eq!(codes(&found), [""; 0], "{folder}: {found:?}");
    }
}

#[test]
fn streams_that_viewers_cannot_tell_apart_are_found() {
    let found = ladder("Language=\"fra\" ", "");
    assert_eq!(codes(&found), ["language-missing audio_fra"]);
    assert_eq!(found[0].message, "1 of 2 streams of audio have no `Language`");
    assert_eq!(
        codes(&ladder("Language=\"fra\"", "Language=\"und\"")),
        ["language-missing audio_fra"]
    );
    let found = ladder("Name=\"audio_fra\"", "Name=\"audio_eng\"");
    assert_eq!(codes(&found), ["names-equal audio_fra"], "{found:?}");
}

#[test]
fn starts_and_durations_that_do_not_fit_are_found() {
    // The sound begins two seconds late: its first chunk is left out.
    let changed = set("ladder", |text| {
        let (before, audio) = text.split_at(text.find("Name=\"audio_eng\"").unwrap());
        let audio = audio.replacen("<c t=\"0\" d=\"20053333\" />\n", "", 1);
        format!(
            "{before}{}",
            audio.replacen("<c d=\"20053333\"", "<c t=\"20053333\" d=\"20053333\"", 1)
        )
    });
    let found = lint(&changed, "ladder.ism");
    assert_eq!(codes(&found), ["starts-differ audio_eng"], "{found:?}");
    assert_eq!(found[0].chunk, Some(20_053_333));
    assert_eq!(
        found[0].message,
        "its first chunk begins 2.005 s later than that of the video `video`"
    );

    for (duration, count) in [("240000000", 0), ("249000000", 0), ("300000000", 1), ("24000000", 1)]
    {
        let found = ladder("Duration=\"240000000\"", &format!("Duration=\"{duration}\""));
        assert_eq!(codes(&found), vec!["duration-contradicted"; count], "{duration}");
    }
}

#[test]
fn codec_data_that_contradicts_the_file_is_found() {
    let found = ladder("6764000BACB2051BF260", "6764000BACB2051BF261");
    assert_eq!(codes(&found), ["codec-data-contradicted video at 60000"], "{found:?}");
    assert_eq!(found[0].file.as_deref(), Some("ladder.ismv"));
    let found = ladder("118856E500", "1208");
    assert_eq!(
        codes(&found),
        [
            "codec-data-contradicted audio_eng at 48000",
            "codec-data-contradicted audio_fra at 48000"
        ]
    );
    assert!(found[0].message.contains("sampling frequency"), "{}", found[0]);
    // Two bytes say as much as five.
    assert!(ladder("118856E500", "1188").is_empty());
}

/// A change of the ladder's manifest that breaks one rule, and the stream that the finding is about.
fn broken(rule: PlayerRule) -> (&'static str, &'static str, &'static str) {
    match rule {
        PlayerRule::RxVersion => ("MajorVersion=\"2\"", "MajorVersion=\"1\"", ""),
        PlayerRule::RxStream => ("FourCC=\"AACL\"", "FourCC=\"WMAP\"", "audio_eng"),
        PlayerRule::RxQuality => (
            "Index=\"2\" Bitrate=\"220000\" FourCC=\"H264\"",
            "Index=\"2\" Bitrate=\"220000\" FourCC=\"HVC1\"",
            "video",
        ),
        PlayerRule::FourCcCase => ("FourCC=\"H264\"", "FourCC=\"h264\"", "video"),
        PlayerRule::FourCcNone => ("FourCC=\"H264\" ", "", "video"),
        PlayerRule::BrowserCodec => ("FourCC=\"AACL\"", "FourCC=\"EC-3\"", "audio_eng"),
        PlayerRule::PictureSize => (" MaxHeight=\"90\"", "", "video"),
        PlayerRule::SoundFormat => ("Channels=\"1\" ", "", "audio_eng"),
        PlayerRule::TextSubtype => ("Subtype=\"CAPT\" ", "", "english"),
        PlayerRule::Placeholders => ("video={start time}", "video={start_time}", "video"),
        PlayerRule::CustomAttributes => (
            "({bitrate})/Fragments(video",
            "({bitrate},{CustomAttributes})/Fragments(video",
            "video",
        ),
        PlayerRule::SeveralAttributes => {
            ("<Attribute ", "<Attribute Name=\"x\" Value=\"y\" /><Attribute ", "video")
        }
        PlayerRule::NalLength => {
            ("FourCC=\"H264\"", "NALUnitLengthField=\"2\" FourCC=\"H264\"", "video")
        }
        PlayerRule::LastProtection => (
            "</Protection>",
            "<ProtectionHeader SystemID=\"edef8ba9-79d6-4ace-a3c8-27dcd51d21ed\">AAAA</ProtectionHeader></Protection>",
            "",
        ),
        PlayerRule::KeyInHeader => ("", "", ""),
        PlayerRule::PictureData => ("CodecPrivateData=\"000000016764000B", "Data=\"", "video"),
        PlayerRule::SoundData => ("CodecPrivateData=\"118856E500\" ", "", "audio_eng"),
        PlayerRule::ParameterSets => (
            "0000000168EBCCB22C\" MaxWidth=\"160\"",
            "0000000168EBCCB22C0000000168EBCCB22C\" MaxWidth=\"160\"",
            "video",
        ),
        _ => panic!("a rule without a test: {rule:?}"),
    }
}

#[test]
fn each_rule_of_a_player_is_found_in_a_set_that_breaks_it() {
    for &rule in PlayerRule::ALL {
        let (from, to, stream) = broken(rule);
        let (folder, presentation) = match rule {
            PlayerRule::TextSubtype => ("dialects/captions", "captions.ism"),
            PlayerRule::SeveralAttributes => ("dialects/attributes", "attributes.ism"),
            PlayerRule::LastProtection | PlayerRule::KeyInHeader => {
                ("dialects/playready", "playready.ism")
            }
            _ => ("ladder", "ladder.ism"),
        };
        let changed = set(folder, |text| match rule {
            // An object without a header.
            PlayerRule::KeyInHeader => {
                let start = text.find("<ProtectionHeader").unwrap();
                let start = start + text[start..].find('>').unwrap() + 1;
                let end = start + text[start..].find('<').unwrap();
                format!("{}AAECAwQF{}", &text[..start], &text[end..])
            }
            _ => {
                assert!(text.contains(from), "{rule:?}: {from}");
                text.replace(from, to)
            }
        });
        let found = lint(&changed, presentation);
        let words = (rule.player(), rule.place(), rule.cure());
        let own = found.iter().find(|finding| {
            let message = &finding.message;
            [words.0, words.1, words.2].iter().all(|word| message.contains(word))
        });
        let own = own.unwrap_or_else(|| panic!("{rule:?}: {found:?}"));
        assert_eq!(
            (own.code, own.stream.as_deref().unwrap_or("")),
            (rule.code(), stream),
            "{rule:?}"
        );
    }
}

#[test]
fn the_page_of_players_has_a_row_for_each_rule_and_no_other() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/players.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.contains("| `player-"));
    let mut rows: BTreeMap<(String, String), Vec<String>> = rows
        .map(|row| {
            let columns = row.trim_matches('|').split(" | ").map(|c| c.trim().to_owned());
            let columns: Vec<String> = columns.collect();
            ((columns[0].clone(), columns[1].clone()), columns)
        })
        .collect();
    for rule in PlayerRule::ALL {
        let key = (rule.player().to_owned(), rule.place().to_owned());
        let row = rows.remove(&key).unwrap_or_else(|| panic!("no row for {key:?}"));
        let code = format!("`{}`", rule.code());
        assert_eq!(row[2..], [rule.effect(), &code, rule.cure()], "{rule:?}");
    }
    assert!(rows.is_empty(), "rows of no rule: {rows:?}");
}

#[test]
fn opening_reports_none_of_it() {
    let changed = set("ladder", |text| text.replace("Language=\"fra\" ", ""));
    let opened = block_on(Origin::new(changed).open(&name("ladder.ism"))).unwrap();
    let presentation = opened.presentation();
    assert!(presentation.findings().iter().all(|of| of.code != FindingCode::LanguageMissing));
    assert_eq!(presentation.lint().len(), 1);
}

#[test]
fn nothing_is_found_in_the_sets_of_azure() {
    let corpus = std::env::var_os("SMOOTH_ORIGIN_CORPUS").map(std::path::PathBuf::from);
    let Some(corpus) = corpus.filter(|corpus| corpus.is_dir()) else {
        eprintln!("not run: there is no corpus");
        return;
    };
    for (folder, presentation) in [("small", "small.ism"), ("mbr", "MBRtoSmooth.ism")] {
        let folder = corpus.join("azure-media-services").join(folder);
        let found = lint(&set(folder.to_str().unwrap(), str::to_owned), presentation);
        assert_eq!(codes(&found), [""; 0], "{presentation}: {found:?}");
    }
}
