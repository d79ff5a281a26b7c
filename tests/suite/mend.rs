//! Mending: what is healthy is left alone, each damage is mended, no media byte changes, and every
//! fragment is served as before.

#![cfg(feature = "package")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use smooth_origin::base::{
    Error, ErrorKind, FileEnds, FileId, Got, ReadError, ReadErrorKind, Want,
};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::package::mend::{ChangeKind, MendOptions, Mending, mend};
use testkit::film::{self, Media, Style, Track, ism, ismc};
use testkit::{name, store};

const SECOND: u32 = 10_000_000;

/// Files by name.
type Files = BTreeMap<String, Vec<u8>>;

fn plan(files: &Files, options: MendOptions) -> Result<Mending, Error> {
    let mut opened: BTreeMap<FileId, Vec<u8>> = BTreeMap::new();
    mend(name("film.ism"), options).drive(|want| match want {
        Want::Open { file, name, head, tail } => {
            let bytes = files.get(name.as_str()).ok_or(ReadError::new(ReadErrorKind::Gone))?;
            opened.insert(*file, bytes.clone());
            let head = bytes[..bytes.len().min(*head as usize)].to_vec().into();
            let tail = bytes[bytes.len().saturating_sub(*tail as usize)..].to_vec().into();
            Ok(Got::Opened(FileEnds::new(bytes.len() as u64, head, tail)))
        }
        Want::Range { file, range } => {
            let range = range.start as usize..range.end as usize;
            Ok(Got::Range(opened[file][range].to_vec().into()))
        }
        Want::List { .. } => Ok(Got::Listed(None)),
        want => panic!("{want:?}"),
    })
}

fn apply(files: &Files, mending: &Mending) -> Files {
    let mut files = files.clone();
    for change in mending.changes() {
        let bytes = files.entry(change.file.to_string()).or_default();
        assert_eq!(change.size.unwrap_or(0), bytes.len() as u64, "{change:?}");
        bytes.truncate(change.at as usize);
        bytes.extend(&change.bytes);
    }
    files
}

/// Every fragment that is served, by its path.
fn fragments(files: &Files) -> BTreeMap<String, Vec<u8>> {
    let origin =
        Origin::new(store(files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone()))));
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    let mut fragments = BTreeMap::new();
    for stream in opened.presentation().streams() {
        for track in stream.tracks() {
            for (start, _) in stream.timeline().iter() {
                let (bitrate, name) = (track.bitrate(), stream.name());
                let path = format!("/film.ism/QualityLevels({bitrate})/Fragments({name}={start})");
                if let Ok(bytes) = testkit::get(&origin, &path) {
                    fragments.insert(path, bytes);
                }
            }
        }
    }
    fragments
}

/// Findings of our own origin.
fn findings(files: &Files) -> Vec<String> {
    let store = store(files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())));
    let opened = testkit::open(&store).unwrap();
    opened.presentation().findings().iter().map(ToString::to_string).collect()
}

/// Mends, and checks that nothing is left to mend. Returns the files and the kinds of the changes.
fn mended(files: &Files) -> (Files, Vec<(String, ChangeKind)>) {
    mended_with(files, MendOptions::default())
}

fn mended_with(files: &Files, options: MendOptions) -> (Files, Vec<(String, ChangeKind)>) {
    let mending = plan(files, options.clone()).unwrap();
    assert!(mending.remarks().is_empty(), "{mending:#?}");
    let after = apply(files, &mending);
    let again = plan(&after, options).unwrap();
    assert!(again.changes().is_empty(), "{again:#?}");
    let kinds = mending.changes().iter();
    (after, kinds.map(|change| (change.file.to_string(), change.kind)).collect())
}

fn track(id: u32, kind: StreamKind, count: u32, size: u32) -> Track {
    Track::regular(id, kind, count, 2 * SECOND, size)
}

/// Two qualities and sound in a file of both.
fn whole(count: u32) -> (Files, Media) {
    let high = film::media(
        &[track(1, StreamKind::Video, count, 400), track(2, StreamKind::Audio, count, 90)],
        Style::default(),
    );
    let low = film::media(&[track(1, StreamKind::Video, count, 200)], Style::default());
    let tracks = [
        ("video", "high.ismv", 600, 1, "video"),
        ("video", "low.ismv", 300, 1, "video"),
        ("audio", "high.ismv", 96, 2, "audio"),
    ];
    let mut files: Files = [
        ("film.ism".to_owned(), ism(Some("film.ismc"), &tracks)),
        ("high.ismv".to_owned(), high.to_bytes()),
        ("low.ismv".to_owned(), low.to_bytes()),
    ]
    .into();
    // The client manifest of the media: the one that is generated.
    let made = plan(&files, MendOptions::default()).unwrap();
    assert_eq!(made.changes().len(), 1, "{made:#?}");
    assert_eq!(made.changes()[0].kind, ChangeKind::ClientManifest);
    files = apply(&files, &made);
    assert_eq!(findings(&files), [""; 0]);
    (files, high)
}

fn edit(files: &Files, name: &str, edit: impl FnOnce(&mut Vec<u8>)) -> Files {
    let mut files = files.clone();
    edit(files.get_mut(name).unwrap());
    files
}

#[test]
fn what_is_healthy_is_left_alone() {
    let (files, _) = whole(6);
    let mending = plan(&files, MendOptions::default()).unwrap();
    assert!(mending.changes().is_empty() && mending.remarks().is_empty(), "{mending:#?}");
}

#[test]
fn an_index_is_added_or_rebuilt_as_it_was() {
    let (files, high) = whole(6);
    let before = fragments(&files);
    assert_eq!(before.len(), 18);
    let at = high.mfra as usize;
    let index = film::index(&high);
    let with_index = |change: &dyn Fn(&mut film::Index)| {
        let mut index = index.clone();
        change(&mut index);
        let mut media = Media { parts: Vec::new(), len: high.mfra, ..Media::default() };
        film::push_mfra(&mut media, &index);
        let written = media.parts[0].1.clone();
        edit(&files, "high.ismv", |bytes| {
            bytes.truncate(at);
            bytes.extend(written);
        })
    };
    let rebuilt = ChangeKind::IndexRebuilt;
    let cases: Vec<(&str, Files, ChangeKind)> = vec![
        ("none", edit(&files, "high.ismv", |bytes| bytes.truncate(at)), ChangeKind::IndexAdded),
        ("cut", edit(&files, "high.ismv", |bytes| bytes.truncate(at + 40)), rebuilt),
        (
            "offsets",
            with_index(&|index| index[0].1.iter_mut().for_each(|entry| entry.1 += 8)),
            rebuilt,
        ),
        ("one offset", with_index(&|index| index[0].1[3].1 += 1), rebuilt),
        ("one time", with_index(&|index| index[0].1[3].0 += 15_000_000), rebuilt),
        (
            "scaled times",
            with_index(&|index| {
                index[0].1.iter_mut().for_each(|entry| entry.0 /= 2);
            }),
            rebuilt,
        ),
        (
            "missing entry",
            with_index(&|index| index[0].1.retain(|entry| entry.0 != 40_000_000)),
            rebuilt,
        ),
        ("missing track", with_index(&|index| drop(index.remove(1))), rebuilt),
        ("wrong track", with_index(&|index| index[1].0 = 9), rebuilt),
        ("exchanged tracks", with_index(&|index| (index[0].0, index[1].0) = (2, 1)), rebuilt),
        ("beyond the file", with_index(&|index| index[0].1[5].1 = 1 << 40), rebuilt),
        (
            "not at the end",
            edit(&files, "high.ismv", |bytes| bytes.extend(b"\0\0\0\x10free\0\0\0\0\0\0\0\0")),
            rebuilt,
        ),
    ];
    for (what, damaged, kind) in cases {
        let (after, kinds) = mended(&damaged);
        assert_eq!(kinds, [("high.ismv".to_owned(), kind)], "{what}");
        assert_eq!(after["high.ismv"][..at], files["high.ismv"][..at], "{what}");
        assert_eq!(findings(&after), [""; 0], "{what}");
        assert_eq!(fragments(&after), before, "{what}");
    }
    // Garbage behind the index.
    let damaged = edit(&files, "high.ismv", |bytes| bytes.extend([0; 1000]));
    let (after, kinds) = mended(&damaged);
    assert_eq!(kinds, [("high.ismv".to_owned(), ChangeKind::Cut)]);
    assert_eq!(after, files, "the index is as it was");
}

#[test]
fn a_recording_is_cut_behind_its_last_whole_fragment() {
    let (files, high) = whole(20);
    let before = fragments(&files);
    // Of the interleaved tracks, the last fragment is that of sound.
    let (.., last) = high.fragments[39].clone();
    let moof = 100;
    for (what, end, lost) in [
        ("in the mdat", last.end - 10, "audio=380000000"),
        ("in the header of the mdat", last.end - 94, "audio=380000000"),
        ("in the moof", last.start + moof / 2, "audio=380000000"),
        ("in the header of the moof", last.start + 5, "audio=380000000"),
    ] {
        let damaged = edit(&files, "high.ismv", |bytes| bytes.truncate(end as usize));
        let (after, kinds) = mended(&damaged);
        let expected = [
            ("high.ismv".into(), ChangeKind::Cut),
            ("film.ismc".into(), ChangeKind::ClientManifest),
        ];
        assert_eq!(kinds, expected, "{what}");
        let whole = last.start as usize;
        assert_eq!(after["high.ismv"][..whole], files["high.ismv"][..whole], "{what}");
        assert_eq!(findings(&after), [""; 0], "{what}");
        let mut left = before.clone();
        left.retain(|path, _| !path.contains(lost));
        assert_eq!(left.len(), before.len() - 1);
        assert_eq!(fragments(&after), left, "{what}");
    }
}

#[test]
fn qualities_that_end_at_different_times_end_with_the_last_common_chunk() {
    let (files, high) = whole(20);
    let before = fragments(&files);
    let (.., range) = high.fragments[38].clone();
    let damaged = edit(&files, "high.ismv", |bytes| bytes.truncate(range.end as usize - 1));
    let (after, _) = mended(&damaged);
    let told = findings(&after);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("info fragments-without-chunk: low.ismv"), "{told:?}");
    let mut left = before.clone();
    left.retain(|path, _| !path.contains("=380000000"));
    assert_eq!(fragments(&after), left, "that of the low quality is stored, and not announced");
    assert_eq!(after["low.ismv"], files["low.ismv"]);

    // If that would lose much of the film, its list stays long.
    let (.., range) = high.fragments[10].clone();
    let damaged = edit(&files, "high.ismv", |bytes| bytes.truncate(range.end as usize - 1));
    let mending = plan(&damaged, MendOptions::default()).unwrap();
    let remarks: Vec<_> = mending.remarks().iter().map(|remark| remark.code.as_str()).collect();
    assert!(remarks.contains(&"chunks-without-media"), "{remarks:?}");
    let left = fragments(&apply(&damaged, &mending));
    assert_eq!(left.keys().filter(|path| path.contains("(300)")).count(), 20);
}

#[test]
fn a_client_manifest_that_is_missing_or_contradicts_the_media_is_written_anew() {
    let (files, _) = whole(6);
    let before = fragments(&files);
    let text = String::from_utf8(files["film.ismc"].clone()).unwrap();
    let starts: Vec<u64> = (0..9).map(|i| i * 2 * u64::from(SECOND)).collect();
    let replaced = |from: &str, to: &str| {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        changed.into_bytes()
    };
    let data = text.split("CodecPrivateData=\"0").nth(1).unwrap().split('"').next().unwrap();
    let cases = [
        ("missing", None),
        ("garbage", Some(b"<SmoothStreamingMedia".to_vec())),
        ("too many chunks", Some(ismc(&[(StreamKind::Video, "video", &[600, 300], &starts)]))),
        ("other times", Some(replaced("d=\"20000000\"", "d=\"30000000\""))),
        (
            "codec data",
            Some(replaced(&format!("\"0{data}\""), "\"000000016742C01E550000000168CE\"")),
        ),
        ("codec data that is none", Some(replaced(&format!("\"0{data}\""), "\"(null)\""))),
        ("bitrates", Some(replaced("Bitrate=\"600\"", "Bitrate=\"0x600\""))),
    ];
    for (what, text) in cases {
        let mut damaged = files.clone();
        match text {
            Some(text) => drop(damaged.insert("film.ismc".into(), text)),
            None => drop(damaged.remove("film.ismc")),
        }
        let (after, kinds) = mended(&damaged);
        assert_eq!(kinds, [("film.ismc".to_owned(), ChangeKind::ClientManifest)], "{what}");
        assert_eq!(findings(&after), [""; 0], "{what}");
        assert_eq!(fragments(&after), before, "{what}");
    }
}

#[test]
fn a_server_manifest_is_written_for_the_media() {
    let (files, _) = whole(6);
    let before = fragments(&files);
    let mut options = MendOptions::default();
    options.media = vec![name("high.ismv"), name("low.ismv")];
    for text in [None, Some("<smil><body><switch><video src="), Some("")] {
        let mut damaged = files.clone();
        damaged.remove("film.ism");
        damaged.extend(text.map(|text| ("film.ism".to_owned(), text.as_bytes().to_vec())));
        let (after, kinds) = mended_with(&damaged, options.clone());
        assert_eq!(kinds, [("film.ism".to_owned(), ChangeKind::ServerManifest)], "{text:?}");
        assert_eq!(findings(&after), [""; 0], "{text:?}");
        assert_eq!(fragments(&after), before, "{text:?}");
    }
    // Without both manifests, bitrates are those of the media.
    let mut damaged = files.clone();
    damaged.remove("film.ism");
    damaged.remove("film.ismc");
    let (after, kinds) = mended_with(&damaged, options.clone());
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    let all = |fragments: &BTreeMap<String, Vec<u8>>| {
        let mut bytes: Vec<_> = fragments.values().cloned().collect();
        bytes.sort();
        bytes
    };
    assert_eq!(all(&fragments(&after)), all(&before));
    // A file that was renamed.
    let mut damaged = files.clone();
    let low = damaged.remove("low.ismv").unwrap();
    damaged.insert("film_300.ismv".into(), low);
    options.media = vec![name("high.ismv"), name("film_300.ismv")];
    let (after, kinds) = mended_with(&damaged, options);
    assert_eq!(kinds, [("film.ism".to_owned(), ChangeKind::ServerManifest)]);
    assert_eq!(fragments(&after), before);
    // Nothing to write one for.
    let error = plan(&Files::new(), MendOptions::default()).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NoPresentation), "{error}");
}

#[test]
fn what_cannot_be_mended_is_said_and_left_alone() {
    let (files, high) = whole(6);
    let (.., middle) = high.fragments[5].clone();
    let in_middle = edit(&files, "high.ismv", |bytes| {
        bytes[middle.start as usize..middle.start as usize + 60].fill(0x55);
    });
    let without_moov = edit(&files, "high.ismv", |bytes| bytes[28..32].fill(b'x'));
    let mut missing = files.clone();
    missing.remove("low.ismv");
    for (damaged, file, says) in [
        (in_middle, "high.ismv", "copy the file again"),
        (without_moov, "high.ismv", "without its header"),
        (missing, "low.ismv", "put the file back"),
    ] {
        let mending = plan(&damaged, MendOptions::default()).unwrap();
        let remarks = mending.remarks();
        let of = remarks.iter().find(|remark| remark.file.as_deref() == Some(file));
        assert!(of.is_some_and(|remark| remark.advice.contains(says)), "{remarks:#?}");
        let media = mending.changes().iter().filter(|change| change.file.as_str() == file);
        assert_eq!(media.count(), 0, "{mending:#?}");
    }
}

#[test]
fn presentations_of_known_producers_lose_no_fragment_and_media_stay() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut looked = 0;
    let mut folders = vec![root];
    let mut healthy = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        folders.extend(entries.iter().filter(|path| path.is_dir()).cloned());
        for manifest in entries.iter().filter(|path| path.extension().is_some_and(|e| e == "ism")) {
            if manifest.is_dir() {
                continue;
            }
            let mut files = Files::new();
            for path in entries.iter().filter(|path| path.is_file()) {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
            files.insert("film.ism".into(), fs::read(manifest).unwrap());
            let mending = plan(&files, MendOptions::default()).unwrap();
            let after = apply(&files, &mending);
            let (before, now) = (fragments(&files), fragments(&after));
            let shown = manifest.display();
            assert!(before.len() <= now.len(), "{shown}: {mending:#?}");
            if findings(&files).iter().all(|finding| finding.starts_with("info ")) {
                // Our origin finds an index that is not at the end; others look for it from the end.
                let is_other = |reason: &str| !reason.contains("not found from the end");
                let changes = mending.changes().iter().filter(|change| is_other(&change.reason));
                assert_eq!(changes.count(), 0, "{shown}: {mending:#?}");
                healthy.push(shown.to_string());
            }
            for change in mending.changes() {
                println!("{shown}: {} {}: {}", change.file, change.kind.as_str(), change.reason);
            }
            let again = plan(&after, MendOptions::default()).unwrap();
            assert!(again.changes().is_empty(), "{shown}: {again:#?}");
            looked += 1;
        }
    }
    assert!(looked >= 15 && healthy.len() >= 5, "{looked} {healthy:?}");
}
