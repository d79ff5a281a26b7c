//! What `inspect` reports, and its exit statuses: the built example is run.
//!
//! `cargo test` builds the examples before it runs this; `cargo test --test inspect` alone does not.

mod paths;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");

/// The example beside this test: `target/debug/deps/inspect-…` and `target/debug/examples/inspect`.
fn inspect() -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("examples");
    let program = folder.join(format!("inspect{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "cargo build -p smooth-origin-examples --example inspect");
    Command::new(program)
}

/// Exit status and text.
fn text(arguments: &[&str]) -> (i32, String) {
    let output = inspect().args(arguments).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Exit status and entries.
fn json(arguments: &[&str]) -> (i32, Vec<Value>) {
    let output = inspect().arg("--json").args(arguments).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let lines = String::from_utf8(output.stdout).unwrap();
    let entries = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code().unwrap(), entries)
}

/// The one entry of a path that is not served: message and advice.
fn refused(path: &str) -> (String, String) {
    let (status, entries) = json(&[path]);
    assert_eq!((status, entries.len()), (3, 1), "{path}: {entries:?}");
    assert_eq!(entries[0]["path"], path);
    assert_eq!(entries[0]["outcome"], "not-served");
    let (status, text) = text(&[path]);
    assert_eq!(status, 3);
    let message = entries[0]["message"].as_str().unwrap().to_owned();
    assert!(text.contains(&message), "{text}");
    (message, entries[0]["advice"].as_str().unwrap_or_default().to_owned())
}

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("inspect").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

const LADDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/ladder/ladder.ism");

/// The boxes of an MP4 file that has no fragments, without content.
const PROGRESSIVE: &[u8] = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08moov\0\0\0\x08mdat";

const REFS: &str = "<smil><body><switch><ref src='a.ismv'/></switch></body></smil>";

#[test]
fn a_healthy_presentation_is_fine() {
    let (status, text) = text(&[LADDER]);
    assert_eq!(status, 0, "{text}");
    assert!(text.starts_with(&format!("{LADDER}\nmanifest: stored, ")), "{text}");
    assert!(text.contains("ladder.ismv, track 5"), "{text}");

    for url in [
        "smooth: ladder.ism/Manifest",
        "dash: ladder.ism/manifest.mpd",
        "hls: ladder.ism/master.m3u8",
    ] {
        assert!(text.contains(&format!("\n{url}\n")), "{text}");
    }

    let (status, entries) = json(&[LADDER]);
    assert_eq!((status, entries.len()), (0, 1));
    let urls = &entries[0]["urls"];
    assert_eq!(urls["smooth"], "ladder.ism/Manifest");
    assert_eq!(
        (&urls["dash"], &urls["hls"]),
        (&"ladder.ism/manifest.mpd".into(), &"ladder.ism/master.m3u8".into())
    );
    assert_eq!((&entries[0]["path"], &entries[0]["outcome"]), (&LADDER.into(), &"served".into()));
    let file = entries[0]["streams"][0]["tracks"][0]["file"].as_str().unwrap();
    assert_eq!(Path::new(file), Path::new(TESTDATA).join("ladder/ladder.ismv"));
    assert_eq!(entries[0]["severity"], "info");
    assert!(codes(&entries[0]).iter().all(|code| code == "aac-data-long"), "{entries:?}");
}

/// The codes of an entry's findings.
fn codes(entry: &Value) -> Vec<String> {
    let findings = entry["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn warnings_are_fine_and_errors_are_not() {
    let of = |name: &str| {
        let (status, entries) = json(&[&format!("{TESTDATA}/dialects/{name}/{name}.ism")]);
        (status, entries[0]["severity"].clone())
    };
    assert_eq!(of("dense"), (0, "warning".into()));
    assert_eq!(of("recording"), (1, "error".into()), "its file was cut off");
    assert_eq!(of("missing"), (1, "error".into()));
}

#[test]
fn a_stream_or_quality_that_is_left_out_is_an_error() {
    let ladder = Path::new(TESTDATA).join("ladder");
    let client = fs::read_to_string(ladder.join("ladder.ismc")).unwrap();
    let of = |name: &str, good: &str, odd: &str| {
        assert!(client.contains(good), "{good}");
        let folder = folder(name);
        fs::copy(ladder.join("ladder.ismv"), folder.join("ladder.ismv")).unwrap();
        write(&folder, "ladder.ismc", client.replacen(good, odd, 1));
        let server = fs::read(ladder.join("ladder.ism")).unwrap();
        let (status, entries) = json(&[&write(&folder, "ladder.ism", server)]);
        (status, codes(&entries[0]))
    };
    for (name, good, odd) in [
        ("left-out-type", "Type=\"audio\"", "Type=\"data\""),
        ("left-out-bitrate", "Bitrate=\"", "Bitrate=\"x"),
        ("left-out-time", "d=\"", "d=\"-"),
    ] {
        let (status, codes) = of(name, good, odd);
        assert_eq!(status, 1, "{name}: {codes:?}");
        assert!(codes.iter().any(|code| code == "manifest-part-left-out"), "{name}: {codes:?}");
    }
    let (status, codes) = of("corrected", "Bitrate=\"", "Bitrate=\" ");
    assert_eq!(status, 0);
    assert!(codes.iter().any(|code| code == "manifest-corrected"), "{codes:?}");
}

#[test]
fn a_finding_names_the_path_of_its_file() {
    let (_, entries) = json(&[&format!("{TESTDATA}/dialects/missing")]);
    let findings = entries[0]["findings"].as_array().unwrap();
    let missing = findings.iter().find(|finding| finding["code"] == "file-missing").unwrap();
    let file = Path::new(missing["file"].as_str().unwrap());
    assert_eq!(file.parent().unwrap(), Path::new(TESTDATA).join("dialects/missing"));
    assert!(!file.exists());
}

#[test]
fn of_a_folder_every_server_manifest_is_looked_at() {
    fn servers(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                servers(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "ism") {
                found.push(path);
            }
        }
    }
    let mut expected = Vec::new();
    servers(Path::new(TESTDATA), &mut expected);
    expected.sort();

    let (status, entries) = json(&[TESTDATA]);
    let mut paths: Vec<_> =
        entries.iter().map(|entry| PathBuf::from(entry["path"].as_str().unwrap())).collect();
    paths.sort();
    assert_eq!(paths, expected);
    assert_eq!(status, 1, "two have errors");

    let (_, text) = text(&[TESTDATA]);
    let summary = format!("\n{} fine, 2 with errors\n", expected.len() - 2);
    assert!(text.ends_with(&summary), "{text}");
}

#[test]
fn what_lies_beyond_the_bounds_of_a_folder_is_named() {
    let folder = folder("bounds");
    for name in ["a/b", "c"] {
        fs::create_dir_all(folder.join(name)).unwrap();
        write(&folder.join(name), "x.ism", REFS);
    }
    let root = folder.to_str().unwrap();
    let not_looked_at = |arguments: &[&str]| {
        let (status, entries) = json(arguments);
        let of = entries.iter().filter(|entry| entry["outcome"] == "not-looked-at");
        let of: Vec<_> = of.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect();
        (status, entries.len(), of)
    };
    assert_eq!(not_looked_at(&[root]), (3, 2, vec![]));
    assert_eq!(not_looked_at(&[root, "--depth", "1"]), (3, 2, vec![format!("{root}/a/b")]));
    assert_eq!(not_looked_at(&[root, "--most", "1"]), (3, 2, vec![root.to_owned()]));
    let split = format!("{TESTDATA}/split");
    assert_eq!(not_looked_at(&[&split, "--depth", "0", "--most", "1"]), (0, 1, vec![]));
}

#[test]
fn of_thousands_each_has_a_line_also_those_that_cannot_be_opened() {
    let folder = folder("thousands");
    for number in 0..3000 {
        write(&folder, &format!("{number:04}.ism"), if number % 2 == 0 { REFS } else { "" });
    }
    let output = inspect().args(["--json", folder.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    // Progress is for terminals.
    assert!(output.stderr.is_empty());
    let lines = String::from_utf8(output.stdout).unwrap();
    for (number, line) in lines.lines().enumerate() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let name = format!("{number:04}.ism");
        assert!(entry["path"].as_str().unwrap().ends_with(&name), "{entry}");
        assert_eq!(entry["outcome"], "not-served");
        assert!(entry["message"].is_string() && entry["advice"].is_string(), "{entry}");
    }
    assert_eq!(lines.lines().count(), 3000);
}

#[test]
fn content_that_no_browser_plays_has_a_note_and_is_fine() {
    let film = folder("browsers").join("film.ism");
    let stream = |kind: &str, quality: &str| {
        format!(
            "<StreamIndex Type='{kind}' Url='QualityLevels({{bitrate}})/Fragments({kind}={{start time}})'>\
             <QualityLevel Bitrate='300' {quality}/><c t='0' d='5'/></StreamIndex>"
        )
    };
    let video = stream(
        "video",
        "FourCC='WVC1' MaxWidth='1280' MaxHeight='720' CodecPrivateData=\
         '250000010FD3FE27F1678A27F859E80C9082E948C1CD400000010E5A67F840'",
    );
    let audio = stream(
        "audio",
        "FourCC='WMAP' CodecPrivateData='1000030000000000000000000000E00042C0' \
         SamplingRate='48000' Channels='2' AudioTag='354' BitsPerSample='16' PacketSize='5462'",
    );
    let level = film.join("QualityLevels(300)");
    fs::create_dir_all(&level).unwrap();
    for kind in ["video", "audio"] {
        fs::write(level.join(format!("Fragments({kind}=0)")), EMPTY_FRAGMENT).unwrap();
    }
    let manifest = format!("<SmoothStreamingMedia>{video}{audio}</SmoothStreamingMedia>");
    write(&film, "Manifest", manifest);
    let path = film.to_str().unwrap();
    let (status, entries) = json(&[path]);
    assert_eq!(status, 0, "{entries:?}");
    let notes = entries[0]["notes"].as_array().unwrap();
    let messages: Vec<_> = notes.iter().map(|note| note["message"].as_str().unwrap()).collect();
    let expected = [
        "no browser plays the video `video`: its codec is VC-1",
        "no browser plays the audio `audio`: its codec is Windows Media Audio",
    ];
    assert_eq!(messages, expected);
    assert!(notes[0]["advice"].as_str().unwrap().contains("encode it again as H.264"));
    let (_, text) = text(&[path]);
    assert!(
        text.contains(&format!("\nnote: {}\n  to play it in browsers, ", expected[0])),
        "{text}"
    );
    assert_eq!(json(&[LADDER]).1[0]["notes"], Value::Array(Vec::new()));
}

#[test]
fn of_several_paths_each_has_an_entry_in_their_order_and_the_worst_gives_the_status() {
    let folder = folder("several");
    let mp4 = write(&folder, "film.mp4", PROGRESSIVE);
    let missing = format!("{TESTDATA}/dialects/missing/missing.ism");
    let paths = [LADDER, &missing, &mp4, "/no/such", LADDER];
    let (status, entries) = json(&paths);
    let reported: Vec<_> = entries.iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    assert_eq!(reported, paths);
    assert_eq!(status, 3);
    assert_eq!(json(&paths[..2]).0, 1);
    let (status, text) = text(&paths);
    assert_eq!(status, 3);
    assert!(text.ends_with("\n2 fine, 1 with errors, 2 not served\n"), "{text}");
}

#[test]
fn usage_errors_have_a_status_of_their_own_and_the_help_has_all_of_them() {
    let run = |arguments: &[&str]| inspect().args(arguments).output().unwrap();
    for arguments in [&[][..], &["--none", LADDER], &["--most", "0", LADDER]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    let (_, statuses) = help.split_once("Exit status, also of serve --check:").unwrap();
    for status in 0..=4 {
        assert!(statuses.contains(&format!("\n  {status}  ")), "{statuses}");
    }
}

#[test]
fn a_closed_pipe_ends_the_report_without_a_panic() {
    for arguments in [&[TESTDATA][..], &["--json", TESTDATA], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = inspect();
        let child = command.args(arguments).stdout(writer).stderr(Stdio::piped()).spawn();
        // It holds the other end of the pipe.
        drop(command);
        let output = child.unwrap().wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn names_of_any_characters_break_neither_lines_nor_json() {
    let folder = folder("names");
    let path = write(&folder, "a\"b\n\x1b[31m.ism", REFS);
    let (status, entries) = json(&[folder.to_str().unwrap()]);
    assert_eq!((status, &entries[0]["path"]), (3, &path.into()));
    let (_, text) = text(&[folder.to_str().unwrap()]);
    assert!(text.contains("/a\"b\\n\\u{1b}[31m.ism\n"), "{text}");
    assert!(!text.contains('\x1b'));
}

#[cfg(unix)]
#[test]
fn links_out_of_a_folder_are_not_followed_and_named() {
    use std::os::unix::fs::symlink;

    let folder = folder("links");
    symlink(Path::new(TESTDATA).join("ladder"), folder.join("out")).unwrap();
    symlink(LADDER, folder.join("out.ism")).unwrap();
    fs::create_dir(folder.join("within")).unwrap();
    symlink("within", folder.join("alias")).unwrap();
    symlink(folder.join("within"), folder.join("absolute")).unwrap();
    symlink("nothing", folder.join("dangling.ism")).unwrap();
    let (status, entries) = json(&[folder.to_str().unwrap()]);
    let mut entries: Vec<_> = entries
        .iter()
        .map(|entry| {
            let path = Path::new(entry["path"].as_str().unwrap());
            (path.file_name().unwrap().to_str().unwrap(), entry["outcome"].as_str().unwrap())
        })
        .collect();
    let expected = [
        ("absolute", "not-looked-at"),
        ("out", "not-looked-at"),
        ("dangling.ism", "not-served"),
        ("out.ism", "not-served"),
    ];
    entries[..2].sort_unstable();
    assert_eq!((status, &entries[..]), (3, &expected[..]));
}

#[cfg(unix)]
#[test]
fn names_in_other_letter_case_are_found_as_by_the_server() {
    let folder = folder("spelling");
    let manifest = fs::read_to_string(Path::new(TESTDATA).join("bframes/bframes.ism")).unwrap();
    let path = write(&folder, "film.ism", manifest.replace("bframes.ismv", "BFrames.ISMV"));
    fs::copy(Path::new(TESTDATA).join("bframes/bframes.ismv"), folder.join("bframes.ismv"))
        .unwrap();
    for named in [&path, folder.to_str().unwrap()] {
        let (status, entries) = json(&[named]);
        assert_eq!((status, &entries[0]["outcome"]), (0, &"served".into()), "{entries:?}");
        let codes: Vec<_> =
            entries[0]["findings"].as_array().unwrap().iter().map(|f| f["code"].clone()).collect();
        assert!(codes.contains(&"name-spelled-otherwise".into()), "{codes:?}");
    }
    // A file system that ignores letter case has no other names.
    if !folder.join("BFRAMES.ISMV").exists() {
        assert_eq!(json(&["--exact-names", &path]).0, 3);
    }
}

#[test]
fn a_fifo_does_not_hold_it_up() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let folder = folder("fifo");
    for name in ["a.mp4", "a.ism"] {
        let path = folder.join(name);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (message, _) = refused(path.to_str().unwrap());
        assert_eq!(message, "this is neither a file nor a folder");
    }
    let (status, entries) = json(&[folder.to_str().unwrap()]);
    assert_eq!((status, entries.len()), (3, 1), "{entries:?}");
}

/// Copies the ladder into a folder of its own, and changes its media.
fn changed_ladder(name: &str, change: impl Fn(&mut Vec<u8>)) -> String {
    let folder = folder(name);
    let source = Path::new(TESTDATA).join("ladder");
    for file in ["ladder.ism", "ladder.ismc", "ladder.ismv"] {
        fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    let media = folder.join("ladder.ismv");
    let mut bytes = fs::read(&media).unwrap();
    change(&mut bytes);
    fs::write(&media, bytes).unwrap();
    folder.join("ladder.ism").to_str().unwrap().to_owned()
}

/// Returns the offsets of the `moof`s of the first track.
fn fragments_of_track_1(bytes: &[u8]) -> Vec<usize> {
    let tfhds = memchr::memmem::find_iter(bytes, b"tfhd");
    let own = tfhds.filter(|at| bytes[at + 8..at + 12] == 1_u32.to_be_bytes());
    own.map(|at| memchr::memmem::rfind(&bytes[..at], b"moof").unwrap()).collect()
}

#[test]
fn deep_finds_nothing_in_a_healthy_presentation_and_draws_no_bar_without_a_terminal() {
    let (status, shallow) = text(&[LADDER]);
    assert_eq!(status, 0);
    assert_eq!(text(&["--deep", LADDER]), (0, shallow));
    let (status, entries) = json(&["--deep", LADDER]);
    assert_eq!(status, 0);
    assert!(codes(&entries[0]).iter().all(|code| code == "aac-data-long"), "{entries:?}");
}

#[test]
fn deep_finds_what_is_wrong_in_the_middle_of_a_file_and_the_exit_status_says_so() {
    let ism = changed_ladder("lying", |bytes| {
        let moof = fragments_of_track_1(bytes)[5];
        let tfhd = moof + memchr::memmem::find(&bytes[moof..], b"tfhd").unwrap();
        bytes[tfhd + 11] = 2;
    });
    assert_eq!(json(&[&ism]).0, 0, "opening does not look at it");
    let (status, entries) = json(&["--deep", &ism]);
    assert_eq!(status, 1, "{entries:?}");
    let finding = &entries[0]["findings"][0];
    assert_eq!(finding["code"], "fragment-broken");
    assert_eq!(finding["chunk"], 100_000_000);
    assert!(finding["file"].as_str().unwrap().ends_with("lying/ladder.ismv"), "{finding}");
    assert_eq!(finding["track"], "video at 60000");
    assert_eq!((&finding["stream"], &finding["bitrate"]), (&"video".into(), &60_000.into()));
    let (status, text) = text(&["--deep", &ism]);
    assert_eq!(status, 1);
    let says = "chunk 100000000: at byte ";
    assert!(text.contains(says) || text.contains("of track 2 where the index says 1"), "{text}");
}

#[test]
fn json_says_how_tracks_are_coded() {
    let protected = format!("{TESTDATA}/dialects/playready/playready.ism");
    for (path, is_encrypted) in [(LADDER, false), (protected.as_str(), true)] {
        let (_, entries) = json(&[path]);
        let video = &entries[0]["streams"][0]["tracks"][0];
        assert!(video["codec"].as_str().unwrap().starts_with("avc1."), "{video}");
        assert!(video["width"].as_u64() > Some(0) && video["height"].as_u64() > Some(0));
        assert_eq!(video["key_id"].is_string(), is_encrypted, "{video}");
    }
}

#[test]
fn deep_sums_up_what_many_fragments_say() {
    let ism = changed_ladder("times", |bytes| {
        let uuid = [0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44, 0xe6];
        for moof in fragments_of_track_1(&bytes.clone()) {
            let Some(tfxd) = memchr::memmem::find(&bytes[moof..moof + 2000], &uuid) else {
                panic!("the ladder has tfxd")
            };
            // The last byte of a 64-bit time.
            bytes[moof + tfxd + 27] ^= 0x40;
        }
    });
    let (status, text) = text(&["--deep", &ism]);
    assert_eq!(status, 0, "{text}");
    let lines: Vec<_> = text.lines().filter(|line| line.contains("time-in-fragment")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert!(lines[0].contains("chunk 0: 12 of 12 fragments; the first: "), "{text}");
}

/// A fragment without samples.
const EMPTY_FRAGMENT: &[u8] = b"\0\0\0\x30moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x01\
    \0\0\0\x18traf\0\0\0\x10tfhd\0\0\0\0\0\0\0\x01";

/// Writes a folder of fragments with two chunks and with files of these times.
fn fragments(folder: &Path, times: &[u64]) -> PathBuf {
    let level = folder.join("QualityLevels(300)");
    fs::create_dir_all(&level).unwrap();
    let manifest = "<SmoothStreamingMedia><StreamIndex Type='video' \
        Url='QualityLevels({bitrate})/Fragments(video={start time})'>\
        <QualityLevel Bitrate='300'/><c t='0' d='5'/><c t='5' d='5'/></StreamIndex></SmoothStreamingMedia>";
    write(folder, "Manifest", manifest);
    for time in times {
        fs::write(level.join(format!("Fragments(video={time})")), EMPTY_FRAGMENT).unwrap();
    }
    level
}

#[test]
fn a_folder_of_fragments_is_one_presentation() {
    let top = folder("fragments");
    let film = top.join("films/film.ism");
    let level = fragments(&film, &[0, 5]);
    let path = film.to_str().unwrap();
    let (status, text) = text(&[path]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("2 fragments  film.ism/QualityLevels(300)/"), "{text}");
    for named in [path, &format!("{path}/"), top.to_str().unwrap()] {
        let (status, entries) = json(&[named]);
        assert_eq!((status, entries.len()), (0, 1), "{named}: {entries:?}");
        assert_eq!(entries[0]["live"], false);
        let track = &entries[0]["streams"][0]["tracks"][0];
        assert_eq!(Path::new(track["folder"].as_str().unwrap()), level);
        // Its manifest says nothing about the codec.
        assert!(codes(&entries[0]).iter().all(|code| code == "player-refuses"), "{entries:?}");
    }
}

#[test]
fn a_finding_of_a_folder_names_the_path_of_the_fragments_file() {
    let film = folder("fragments-missing").join("film.isml");
    let level = fragments(&film, &[0]);
    let (status, entries) = json(&[film.to_str().unwrap()]);
    assert_eq!(status, 1);
    let finding = &entries[0]["findings"][0];
    assert_eq!(finding["code"], "fragment-file-missing");
    assert_eq!(Path::new(finding["file"].as_str().unwrap()), level.join("Fragments(video=5)"));
    fs::write(level.join("Fragments(video=5)"), [EMPTY_FRAGMENT, EMPTY_FRAGMENT].concat()).unwrap();
    let (status, entries) = json(&[film.to_str().unwrap()]);
    assert_eq!((status, &entries[0]["findings"][0]["code"]), (1, &"fragment-broken".into()));
    write(&film, "Manifest", "<SmoothStreamingMedia");
    let (message, _) = refused(film.to_str().unwrap());
    assert!(message.contains("line 1"), "{message}");
}
