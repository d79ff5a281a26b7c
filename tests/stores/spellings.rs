//! Names that differ only in letter case, or in how Unicode writes them.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use smooth_origin::base::ErrorKind as Kind;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::block_on;
use smooth_origin::storage::{LocalStore, RangeSource, Store};

use testkit::film::{self, Fragment, Style, Track, ism, ismc};
use testkit::folder::{Folder, trusting};
use testkit::{codes, get, name};

/// Reads the content of a name.
fn read(store: &LocalStore, path: &str) -> Result<String, ErrorKind> {
    let source = block_on(store.open(&name(path))).map_err(|error| error.kind())?;
    let len = block_on(source.stat()).unwrap().size;
    Ok(String::from_utf8(block_on(source.read(0..len)).unwrap().to_vec()).unwrap())
}

fn any_case(folder: &Folder) -> LocalStore {
    LocalStore::new(folder).unwrap().ignore_case(true)
}

fn stored(store: &LocalStore, path: &str) -> Option<String> {
    let stored = block_on(store.stored_name(&name(path)));
    stored.ok().flatten().map(|name| name.to_string())
}

#[test]
fn a_name_is_found_in_other_letter_case_only_if_that_is_asked_for() {
    let folder = Folder::new("case");
    folder.write("Films/Big Buck.ISM", b"content");
    assert_eq!(
        read(&LocalStore::new(&folder).unwrap(), "films/big buck.ism"),
        Err(ErrorKind::NotFound)
    );
    assert_eq!(stored(&LocalStore::new(&folder).unwrap(), "films/big buck.ism"), None);
    let store = any_case(&folder);
    for path in ["Films/Big Buck.ISM", "films/big buck.ism", "FILMS/BIG BUCK.ISM"] {
        assert_eq!(read(&store, path).as_deref(), Ok("content"), "{path}");
    }
    assert_eq!(stored(&store, "films/BIG buck.ism").as_deref(), Some("Films/Big Buck.ISM"));
    assert_eq!(stored(&store, "Films/Big Buck.ISM"), None);
    for path in ["films/big-buck.ism", "film/big buck.ism", "films/big buck.ism/x"] {
        assert!(read(&store, path).is_err(), "{path}");
        assert_eq!(stored(&store, path), None, "{path}");
    }
    let listed = block_on(store.list(Some(&name("films")))).unwrap();
    assert_eq!(listed, [name("films/Big Buck.ISM")]);
}

#[test]
fn the_name_as_it_was_asked_for_comes_first_and_several_others_are_ambiguous() {
    let folder = Folder::new("ambiguous");
    folder.write("film.ism", b"lower");
    folder.write("FILM.ism", b"upper");
    folder.write("A/x", b"in A");
    folder.write("a/y", b"in a");
    let store = any_case(&folder);
    assert_eq!(read(&store, "film.ism").as_deref(), Ok("lower"));
    assert_eq!(read(&store, "FILM.ism").as_deref(), Ok("upper"));
    assert_eq!(read(&store, "Film.ism"), Err(ErrorKind::NotFound));
    // A folder of the exact name is the one that is meant.
    assert_eq!(read(&store, "a/X"), Err(ErrorKind::NotFound));
    assert_eq!(read(&store, "A/X").as_deref(), Ok("in A"));
}

#[test]
fn composed_and_decomposed_letters_are_one_name() {
    for (kept, asked) in
        [("e\u{301}te\u{301}.ism", "\u{e9}t\u{e9}.ism"), ("\u{c9}.ism", "e\u{301}.ISM")]
    {
        let folder = Folder::new("unicode");
        folder.write(kept, b"content");
        assert_eq!(read(&LocalStore::new(&folder).unwrap(), asked), Err(ErrorKind::NotFound));
        assert_eq!(read(&any_case(&folder), asked).as_deref(), Ok("content"));
        assert_eq!(stored(&any_case(&folder), asked).as_deref(), Some(kept));
    }
}

#[test]
fn no_spelling_leads_out_of_the_root_or_to_what_is_no_file() {
    let (folder, outside) = (Folder::new("case-root"), Folder::new("case-outside"));
    outside.write("Secret", b"secret");
    symlink(outside.0.join("Secret"), folder.0.join("Link")).unwrap();
    symlink(&outside.0, folder.0.join("Out")).unwrap();
    fs::create_dir(folder.0.join("Folder")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(folder.0.join("Fifo")).status().unwrap();
    assert!(fifo.success());
    let store = any_case(&folder);
    for path in ["link", "Link", "out/secret", "Out/secret", "OUT/Secret", "fifo", "FIFO"] {
        assert_eq!(read(&store, path), Err(ErrorKind::NotFound), "{path}");
    }
    assert_eq!(read(&store, "folder"), Err(ErrorKind::IsADirectory));
}

#[test]
fn a_file_that_is_renamed_to_the_name_that_is_asked_for_is_found_at_once() {
    let folder = Folder::new("case-renamed");
    folder.write("Film.ism", b"content");
    let store = any_case(&folder);
    assert_eq!(read(&store, "film.ism").as_deref(), Ok("content"));
    fs::rename(folder.0.join("Film.ism"), folder.0.join("film.ism")).unwrap();
    assert_eq!(read(&store, "film.ism").as_deref(), Ok("content"));
}

#[test]
fn a_folder_with_very_many_entries_is_not_searched() {
    let folder = Folder::new("case-many");
    folder.write("Film.ism", b"content");
    let store = any_case(&folder);
    assert!(read(&store, "film.ism").is_ok());
    for number in 0..16_384 {
        fs::File::create(folder.0.join(number.to_string())).unwrap();
    }
    let store = any_case(&folder);
    assert_eq!(read(&store, "film.ism"), Err(ErrorKind::NotFound));
    let why = block_on(store.open(&name("film.ism"))).unwrap_err().to_string();
    assert!(why.contains("more than 16384 entries"), "{why}");
    assert_eq!(read(&store, "Film.ism").as_deref(), Ok("content"));
}

/// A film whose server manifest spells every name otherwise than the folder does.
fn film(folder: &Folder) {
    let fragments =
        (0..3).map(|i| Fragment { time: i * 20_000_000, samples: vec![(20_000_000, 100)] });
    let track = Track::new(1, StreamKind::Video, fragments.collect());
    let media = film::media(&[track], Style::default());
    let server = ism(None, &[("video", "VIDEO.ismv", 300, 1, "")]);
    let server = String::from_utf8(server).unwrap().replace(
        "<smil>",
        "<smil><head><meta name=\"clientManifestRelativePath\" content=\"Film.ISMC\"/></head>",
    );
    folder.write("Films/Film.ism", server.as_bytes());
    let client = ismc(&[(StreamKind::Video, "video", &[300], &[0, 20_000_000, 40_000_000])]);
    folder.write("Films/film.ismc", &client);
    folder.write("Films/Video.ismv", &media.to_bytes());
}

#[test]
fn a_finding_says_if_two_names_differ_only_in_their_unicode_form() {
    let folder = Folder::new("unicode-film");
    film(&folder);
    let ism = std::fs::read_to_string(folder.0.join("Films/Film.ism")).unwrap();
    folder.write("Films/Film.ism", ism.replace("VIDEO.ismv", "\u{e9}.ismv").as_bytes());
    let media = folder.0.join("Films/Video.ismv");
    std::fs::rename(media, folder.0.join("Films/e\u{301}.ismv")).unwrap();
    let opened = block_on(trusting(any_case(&folder)).open(&name("Films/Film.ism"))).unwrap();
    let findings = opened.presentation().findings();
    let found: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
    let form = "it is stored as `e\u{301}.ismv`, in another Unicode form (NFC or NFD)";
    assert_eq!(found, ["it is stored as `film.ismc`", form]);
}

#[test]
fn a_presentation_from_windows_is_served_with_a_finding_per_file() {
    let folder = Folder::new("case-film");
    film(&folder);
    let origin = trusting(any_case(&folder));
    let opened = block_on(origin.open(&name("Films/Film.ism"))).unwrap();
    let findings = opened.presentation().findings();
    let found: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "info name-spelled-otherwise: Films/Film.ISMC: it is stored as `film.ismc`",
            "info name-spelled-otherwise: Films/VIDEO.ismv: it is stored as `Video.ismv`",
        ]
    );
    let path = "Films/Film.ism/QualityLevels(300)/Fragments(video=20000000)";
    assert!(get(&origin, path).is_ok());
    // Without the option both are missing.
    let opened =
        block_on(trusting(LocalStore::new(&folder).unwrap()).open(&name("Films/Film.ism")))
            .unwrap();
    assert!(codes(opened.presentation()).contains(&"error file-missing".to_owned()));
}

#[test]
fn all_spellings_of_a_url_share_one_opening() {
    let folder = Folder::new("case-shared");
    film(&folder);
    let origin = trusting(any_case(&folder));
    let first = block_on(origin.open(&name("films/FILM.ism"))).unwrap();
    assert_eq!(first.presentation().name().as_str(), "Films/Film.ism");
    for path in ["Films/Film.ism", "FILMS/FILM.ISM", "films/FILM.ism"] {
        let opened = block_on(origin.open(&name(path))).unwrap();
        assert!(Arc::ptr_eq(&first, &opened), "{path}");
    }
    let fragment = "/QualityLevels(300)/Fragments(video=0)";
    let right = get(&origin, &format!("Films/Film.ism{fragment}")).unwrap();
    assert_eq!(get(&origin, &format!("films/film.ISM{fragment}")).unwrap(), right);
    let missing = block_on(origin.open(&name("films/other.ism"))).unwrap_err();
    assert!(matches!(missing.kind, Kind::NoPresentation));
}

#[test]
fn a_media_file_is_known_as_one_under_every_spelling() {
    let folder = Folder::new("case-media");
    folder.write("Films/film.ism", &ism(None, &[("video", "Caf\u{e9}.mp4", 300, 1, "")]));
    folder.write("Films/Cafe\u{301}.mp4", b"media");
    folder.write("Films/other.mp4", b"clip");
    let origin = trusting(any_case(&folder));
    for path in ["Films/Caf\u{e9}.mp4", "films/cafe\u{301}.MP4", "FILMS/CAF\u{c9}.mp4"] {
        assert!(block_on(origin.is_media(&name(path))), "{path}");
        assert!(block_on(origin.file(&name(path))).is_ok(), "{path}");
    }
    assert!(!block_on(origin.is_media(&name("films/OTHER.mp4"))));
}

#[test]
fn a_file_that_is_named_under_several_spellings_is_opened_once() {
    let folder = Folder::new("spelled-often");
    let tracks = [1, 2].map(|id| Track::regular(id, StreamKind::Video, 3, 20_000_000, 100));
    folder.write("video.ismv", &film::media(&tracks, Style::default()).to_bytes());
    let named = [
        ("video", "VIDEO.ismv", 100, 1, ""),
        ("video", "video.ismv", 200, 2, ""),
        ("video", "Video.ISMV", 300, 1, ""),
    ];
    folder.write("film.ism", &ism(None, &named));
    let origin = trusting(any_case(&folder));
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    let sources = opened.presentation().streams()[0].tracks().iter().map(|track| track.source());
    let sources: Vec<_> = sources.map(Option::unwrap).collect();
    assert_eq!(sources.len(), 3);
    assert!(sources.iter().all(|(file, _)| *file == sources[0].0), "{sources:?}");
    for (bitrate, like) in [(100, 300), (200, 200)] {
        let path = |bitrate| format!("film.ism/QualityLevels({bitrate})/Fragments(video=0)");
        let ask = |bitrate| get(&origin, &path(bitrate)).unwrap();
        assert_eq!(ask(bitrate), ask(like));
    }
}
