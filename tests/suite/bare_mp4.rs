//! Media files without a server manifest: `film.mp4` is the presentation `film.mp4.ism`, if the host allows it.
#![cfg(all(feature = "dash", feature = "hls"))]

use bytes::Bytes;
use smooth_origin::base::Timescale;
use smooth_origin::index::chunk_plan::Wanted;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::FindingCode;
use smooth_origin::storage::MemoryStore;
use testkit::assembled::{self, chunks};
use testkit::film::ism;
use testkit::progressive::{Film, Track, boxed, words};
use testkit::{get, name, status, store};

fn video(bits: u32, seed: u64) -> Track {
    Track { together: 9, ..Track::video((30_000, 1001), 12, 45, bits, seed) }
}

fn sound(seed: u64) -> Track {
    Track { together: 21, ..Track::sound(13, 64_000, seed) }
}

fn film() -> Bytes {
    Film::of([video(300_000, 3), sound(5)]).file()
}

fn origin(store: MemoryStore) -> Origin {
    Origin::builder(store).bare_mp4(true).build()
}

fn of(files: &[(&'static str, Vec<u8>)]) -> Origin {
    origin(store(files.iter().cloned()))
}

fn codes(origin: &Origin, of: &str) -> Vec<FindingCode> {
    let opened = block_on(origin.open(&name(of))).unwrap();
    opened.presentation().findings().iter().map(|finding| finding.code).collect()
}

/// Name, language and number of qualities of each stream.
fn streams(origin: &Origin, of: &str) -> Vec<(String, Option<String>, usize)> {
    let opened = block_on(origin.open(&name(of))).unwrap();
    let streams = opened.presentation().streams().iter();
    let of_stream = |stream: &smooth_origin::presentation::Stream| {
        let language = stream.language().map(str::to_owned);
        (stream.name().to_owned(), language, stream.tracks().len())
    };
    streams.map(of_stream).collect()
}

/// Writes the code of a language into the nth `mdhd`.
fn in_language(file: &[u8], nth: usize, code: &[u8; 3]) -> Vec<u8> {
    let mut file = file.to_vec();
    let at = places(&file, b"mdhd")[nth] + 4 + 20;
    let packed = code.iter().fold(0, |packed: u16, letter| packed << 5 | u16::from(letter - 0x60));
    file[at..at + 2].copy_from_slice(&packed.to_be_bytes());
    file
}

fn places(file: &[u8], word: &[u8; 4]) -> Vec<usize> {
    file.windows(4).enumerate().filter(|(_, four)| four == word).map(|(at, _)| at).collect()
}

fn replaced(file: &[u8], word: &[u8], by: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let at = file.windows(word.len()).rposition(|bytes| bytes == word).unwrap();
    file[at..at + word.len()].copy_from_slice(by);
    file
}

#[test]
fn it_is_served_only_where_the_host_allows_it() {
    let files = || store([("film.mp4", film().to_vec())]);
    assert_eq!(status(&Origin::new(files()), "film.mp4.ism/Manifest"), 404);
    let origin = origin(files());
    assert_eq!(codes(&origin, "film.mp4.ism"), [FindingCode::BitrateComputed; 2]);
    for path in ["Manifest", "manifest.mpd", "master.m3u8"] {
        assert_eq!(status(&origin, &format!("film.mp4.ism/{path}")), 200, "{path}");
    }
    for path in
        ["film.mp4", "film.ism/Manifest", "other.mp4.ism/Manifest", "film.mp4.isml/Manifest"]
    {
        assert_eq!(status(&origin, path), 404, "{path}");
    }
}

#[test]
fn its_answers_are_those_of_a_server_manifest_that_names_it_and_of_the_packaged_film() {
    let file = film();
    let stored = assembled::file(&file, &chunks(&file, Wanted::SMOOTH).unwrap(), Timescale::SMOOTH);
    let text = br#"<smil><body><switch><video src="film.mp4"/><audio src="film.mp4"/></switch></body></smil>"#;
    let named = Origin::new(store([("film.ism", text.to_vec()), ("film.mp4", stored)]));
    let fast = Film::of([video(300_000, 3), sound(5)]).fast_start();
    for file in [file, fast] {
        let bare = of(&[("a b/film.mp4", file.to_vec())]);
        let opened = block_on(bare.open(&name("a b/film.mp4.ism"))).unwrap();
        let mut paths: Vec<String> =
            ["Manifest", "manifest.mpd", "master.m3u8"].map(String::from).into();
        for stream in opened.presentation().streams() {
            for track in stream.tracks() {
                let (stream_name, bitrate) = (stream.name(), track.bitrate());
                paths.push(format!("{stream_name}-{bitrate}/init.mp4"));
                for (start, _) in stream.timeline().iter() {
                    paths
                        .push(format!("QualityLevels({bitrate})/Fragments({stream_name}={start})"));
                    paths.push(format!("{stream_name}-{bitrate}/{start}.m4s"));
                }
            }
        }
        assert!(paths.len() > 20);
        for path in paths {
            let ours = get(&bare, &format!("a%20b/film.mp4.ism/{path}")).unwrap();
            assert!(ours == get(&named, &format!("film.ism/{path}")).unwrap(), "{path}");
        }
    }
}

#[test]
fn a_server_manifest_of_the_name_comes_first_and_so_does_one_that_is_added() {
    let ism = ism(None, &[("video", "film.mp4", 7, 1, "")]);
    let both = of(&[("film.mp4", film().to_vec()), ("film.mp4.ism", ism.clone())]);
    assert_eq!(streams(&both, "film.mp4.ism").len(), 1);
    let store = store([("film.mp4", film().to_vec())]);
    let origin = Origin::builder(store.clone())
        .bare_mp4(true)
        .revalidate_after(std::time::Duration::ZERO)
        .replace_grace(std::time::Duration::ZERO)
        .build();
    assert_eq!(streams(&origin, "film.mp4.ism").len(), 2);
    store.put(name("film.mp4.ism"), ism);
    assert_eq!(streams(&origin, "film.mp4.ism").len(), 1);
}

#[test]
fn a_folder_of_fragments_of_the_name_comes_first() {
    let manifest = br#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" Duration="20000000">
        <StreamIndex Type="video" Name="other" Chunks="1" QualityLevels="1" Url="QualityLevels({bitrate})/Fragments(other={start time})">
        <QualityLevel Index="0" Bitrate="1" FourCC="H264" CodecPrivateData="" MaxWidth="2" MaxHeight="2"/>
        <c t="0" d="20000000"/></StreamIndex></SmoothStreamingMedia>"#;
    let files = [("film.mp4", film().to_vec()), ("film.mp4.ism/Manifest", manifest.to_vec())];
    let origin = of(&files);
    assert_eq!(streams(&origin, "film.mp4.ism")[0].0, "other");
}

#[test]
fn qualities_and_languages_of_one_file_have_the_names_that_a_packager_gives() {
    let file =
        Film::of([video(300_000, 3), sound(5), video(600_000, 8), sound(7), sound(9)]).file();
    let file = in_language(&in_language(&file, 1, b"eng"), 3, b"deu");
    let origin = of(&[("film.mp4", file)]);
    let stream = |name: &str, language: Option<&str>, qualities| {
        (name.to_owned(), language.map(str::to_owned), qualities)
    };
    assert_eq!(
        streams(&origin, "film.mp4.ism"),
        [
            stream("video", None, 2),
            stream("audio_eng", Some("eng"), 1),
            stream("audio_deu", Some("deu"), 1),
            stream("audio", None, 1),
        ]
    );
    let opened = block_on(origin.open(&name("film.mp4.ism"))).unwrap();
    for stream in opened.presentation().streams() {
        for track in stream.tracks() {
            assert_eq!(track.fragment_count(), stream.timeline().len(), "{}", stream.name());
        }
    }
}

#[test]
fn other_endings_and_fragmented_files_are_served_too() {
    let file = film();
    let stored = assembled::file(&file, &chunks(&file, Wanted::SMOOTH).unwrap(), Timescale::SMOOTH);
    let sound = Film::of([sound(5)]).file().to_vec();
    let files =
        [("a.mov", file.to_vec()), ("b.M4V", file.to_vec()), ("c.m4a", sound), ("d.mp4", stored)];
    let origin = of(&files);
    for (name, count) in [("a.mov.ism", 2), ("b.M4V.ism", 2), ("c.m4a.ism", 1), ("d.mp4.ism", 2)] {
        assert_eq!(streams(&origin, name).len(), count, "{name}");
        assert_eq!(status(&origin, &format!("{name}/Manifest")), 200);
    }
    assert_eq!(status(&of(&[("film.bin", film().to_vec())]), "film.bin.ism/Manifest"), 404);
}

#[test]
fn a_file_that_is_broken_or_gone_is_reported() {
    let cut = film()[..film().len() - 20].to_vec();
    let origin = of(&[("film.mp4", cut)]);
    assert_eq!(codes(&origin, "film.mp4.ism"), [FindingCode::FileBroken]);
    assert!(status(&origin, "film.mp4.ism/Manifest") >= 400);
    let origin = of(&[("film.mp4", b"no boxes at all".to_vec())]);
    assert!(codes(&origin, "film.mp4.ism").contains(&FindingCode::FileBroken));
}

#[test]
fn encrypted_samples_and_those_of_other_files_are_refused_and_the_other_tracks_are_served() {
    let file = film();
    for (what, file, code) in [
        ("video", replaced(&file, b"avc1", b"encv"), FindingCode::SamplesEncrypted),
        ("audio", replaced(&file, b"mp4a", b"enca"), FindingCode::SamplesEncrypted),
        ("video", replaced(&file, b"avc1", b"drmi"), FindingCode::SamplesEncrypted),
        (
            "audio",
            replaced(&file, b"url \0\0\0\x01", b"url \0\0\0\0"),
            FindingCode::SamplesElsewhere,
        ),
    ] {
        let origin = of(&[("film.mp4", file)]);
        assert!(codes(&origin, "film.mp4.ism").contains(&code), "{what}: {code}");
        let manifest = String::from_utf8(get(&origin, "film.mp4.ism/Manifest").unwrap()).unwrap();
        assert!(!manifest.contains(&format!("Name=\"{what}\"")), "{what}: {manifest}");
        let kinds = |kind: StreamKind| manifest.contains(&format!("Type=\"{kind}\""));
        assert!(kinds(StreamKind::Video) != kinds(StreamKind::Audio), "the other is served");
    }
    // Of a file that has nothing else, the status says that the server does not serve such media.
    let both = replaced(&replaced(&file, b"avc1", b"encv"), b"mp4a", b"enca");
    assert_eq!(status(&of(&[("film.mp4", both)]), "film.mp4.ism/Manifest"), 415);
}

#[test]
fn what_cslg_sums_up_changes_no_fragment() {
    // Spec: ISO/IEC 14496-12, 8.6.1.4: it repeats what the `ctts` says.
    let file = film();
    let cslg = boxed(b"cslg", &[&words(&[0, 0, 0, 4004, 0, 360_360])]);
    let mut with = file.to_vec();
    for parent in [b"moov", b"trak", b"mdia", b"minf", b"stbl"] {
        let at = places(&with, parent)[0] - 4;
        let size = u32::from_be_bytes(with[at..at + 4].try_into().unwrap()) + cslg.len() as u32;
        with[at..at + 4].copy_from_slice(&size.to_be_bytes());
    }
    let stsc = places(&with, b"stsc")[0] - 4;
    with.splice(stsc..stsc, cslg);
    let (with, without) = (of(&[("film.mp4", with)]), of(&[("film.mp4", file.to_vec())]));
    assert_eq!(codes(&with, "film.mp4.ism"), codes(&without, "film.mp4.ism"));
    let opened = block_on(with.open(&name("film.mp4.ism"))).unwrap();
    let stream = &opened.presentation().streams()[0];
    assert!(stream.timeline().len() > 3);
    for (start, _) in stream.timeline().iter() {
        let bitrate = stream.tracks()[0].bitrate();
        let path = format!("film.mp4.ism/QualityLevels({bitrate})/Fragments(video={start})");
        assert!(get(&with, &path).unwrap() == get(&without, &path).unwrap(), "{path}");
    }
}

#[cfg(feature = "fs")]
#[test]
fn letter_case_counts_where_that_of_files_does_and_all_spellings_share_one_opening() {
    use smooth_origin::storage::LocalStore;

    let folder = std::env::temp_dir().join(format!("smooth-bare-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("Film.mp4"), film()).unwrap();
    let origin = |ignores: bool| {
        let store = LocalStore::new(&folder).unwrap().ignore_case(ignores);
        let builder = Origin::builder(store).bare_mp4(true);
        builder.settling_time(std::time::Duration::ZERO).build()
    };
    let (exact, ignoring) = (origin(false), origin(true));
    assert_eq!(status(&exact, "film.MP4.ism/Manifest"), 404);
    for path in ["Film.mp4.ism", "film.MP4.ism", "FILM.MP4.ISM", "Film.mp4.ISM"] {
        assert_eq!(status(&ignoring, &format!("{path}/Manifest")), 200, "{path}");
    }
    let open = ignoring.presentations().map(|of| of.opened().presentation().name().to_string());
    assert_eq!(open.collect::<Vec<_>>(), ["Film.mp4.ism"]);
    std::fs::remove_dir_all(folder).unwrap();
}
