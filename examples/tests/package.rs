//! The example `package`, run as it is built: the files that it writes, and that nothing is left when it fails or is interrupted.
//!
//! `cargo test` builds the examples before it runs this; `cargo test --test package` alone does not.

#[path = "../package/folder.rs"]
mod folder;
#[cfg(any(target_os = "android", target_os = "linux"))]
#[path = "../package/pipe.rs"]
mod pipe;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use smooth_origin::base::Name;
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::storage::LocalStore;
use testkit::progressive::{Film, Track};

/// The example beside this test: `target/debug/deps/package-…` and `target/debug/examples/package`.
fn package() -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("examples");
    let program = folder.join(format!("package{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "cargo build -p smooth-origin-examples --example package");
    Command::new(program)
}

/// Exit status, stdout and stderr.
fn run(inputs: &[&Path], output: &Path, options: &[&str]) -> (i32, String, String) {
    let mut command = package();
    command.args(inputs).arg("--output").arg(output).args(options);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let name =
        |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

fn film(path: &Path, bits: u32) {
    let video = Track { together: 9, ..Track::video((25, 1), 12, 50, bits, 3) };
    let sound = Track { together: 21, ..Track::sound(12, 64_000, 5) };
    fs::write(path, Film::of([video, sound]).file()).unwrap();
}

#[test]
fn a_film_of_two_qualities_is_packaged_and_every_fragment_is_served() {
    let folder = folder("two");
    let (low, high) = (folder.join("low.mp4"), folder.join("high.mp4"));
    film(&low, 300_000);
    // Its pictures are longer than what is copied by the kernel.
    film(&high, 30_000_000);
    let output = folder.join("made/film.ism");
    let (status, stdout, stderr) = run(&[&low, &high], &output, &["--language", "eng"]);
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(
        stderr,
        "note: high.mp4: track 2 is left out: its samples are those of track 2 of low.mp4\n"
    );
    let written = names(output.parent().unwrap());
    assert_eq!(written.len(), 5, "{written:?}");
    assert!(!written.iter().any(|name| name.contains("unfinished")));
    assert_eq!(stdout.lines().count(), 6, "{stdout}");
    assert!(written.iter().all(|name| stdout.contains(name)), "{stdout}");

    let origin = Origin::new(LocalStore::new(output.parent().unwrap()).unwrap());
    let opened = block_on(origin.open(&Name::new("film.ism").unwrap())).unwrap();
    assert!(opened.presentation().findings().is_empty(), "{:?}", opened.presentation().findings());
    let mut bytes = 0;
    for stream in opened.presentation().streams() {
        for track in stream.tracks() {
            for chunk in 0..stream.timeline().len() {
                let (start, _) = stream.timeline().chunk(chunk).unwrap();
                let (bitrate, name) = (track.bitrate(), stream.name());
                let path = format!("/film.ism/QualityLevels({bitrate})/Fragments({name}={start})");
                let Answer::Reply(served) = block_on(origin.answer(&path)).unwrap() else {
                    panic!("{path}")
                };
                let mut body = served.body();
                while let Some(part) = block_on(body.next()) {
                    bytes += part.unwrap().len();
                }
            }
        }
    }
    assert!(bytes > 40_000_000, "{bytes}");

    // Once more, over what is there, in one file.
    let again = run(&[&low, &high], &output, &["--in-one", "--chunk", "4"]);
    assert_eq!(again.0, 0, "{}", again.2);
    assert!(names(output.parent().unwrap()).contains(&"film.ismv".to_owned()));
}

#[test]
fn captions_have_the_language_of_their_name_and_are_served_as_webvtt() {
    let folder = folder("captions");
    let video = folder.join("film.mp4");
    film(&video, 300_000);
    let (english, french) = (folder.join("film.eng.srt"), folder.join("film.fre.forced.vtt"));
    fs::write(&english, "1\n00:00:01,000 --> 00:00:03,000\nA caf\u{e9}\n").unwrap();
    fs::write(&french, b"WEBVTT\n\n00:01.000 --> 00:02.000\nUn caf\xe9\n").unwrap();
    let output = folder.join("made/film.ism");
    let (status, _, stderr) =
        run(&[&video, &english, &french], &output, &["--language", "swe", "--absolute-text-times"]);
    assert_eq!(status, 0, "{stderr}");
    assert!(stderr.contains("film.fre.forced.vtt: it is not UTF-8"), "{stderr}");
    let manifest = fs::read_to_string(folder.join("made/film.ismc")).unwrap();
    for language in ["Language=\"eng\"", "Language=\"fre\"", "Language=\"swe\""] {
        assert_eq!(manifest.matches(language).count(), 1, "{manifest}");
    }
    let text =
        names(&folder.join("made")).into_iter().find(|name| name.contains("text_fre")).unwrap();
    let bitrate = text.trim_end_matches(".ismt").rsplit('_').next().unwrap().to_owned();
    let origin = Origin::new(LocalStore::new(folder.join("made")).unwrap());
    let opened = block_on(origin.open(&Name::new("film.ism").unwrap())).unwrap();
    assert!(opened.presentation().findings().is_empty(), "{:?}", opened.presentation().findings());
    let path = format!("/film.ism/text_fre-{bitrate}.vtt/0.vtt");
    let Answer::Reply(served) = block_on(origin.answer(&path)).unwrap() else { panic!("{path}") };
    let (mut body, mut vtt) = (served.body(), Vec::new());
    while let Some(part) = block_on(body.next()) {
        vtt.extend(part.unwrap());
    }
    let vtt = String::from_utf8(vtt).unwrap();
    assert!(vtt.contains("00:00:01.000 --> 00:00:02.000 size:80%\nUn caf\u{e9}\n"), "{vtt}");

    // A name is declared beside a file, and an error has its path.
    fs::write(&french, "WEBVTTT").unwrap();
    let (status, _, stderr) = run(&[&video, &french], &folder.join("other/film.ism"), &[]);
    assert_eq!(status, 1);
    assert!(stderr.contains("film.fre.forced.vtt: ") && stderr.contains("line 1"), "{stderr}");
    assert!(!folder.join("other").exists());
}

#[test]
fn what_fails_leaves_nothing_and_says_why() {
    let folder = folder("fails");
    let whole = folder.join("whole.mp4");
    film(&whole, 300_000);
    let cut = folder.join("cut.mp4");
    let bytes = fs::read(&whole).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 100]).unwrap();
    let output = folder.join("made/film.ism");
    for (inputs, options, status, text) in [
        (vec![&*cut], vec![], 1, "cut.mp4"),
        (vec![&*folder], vec![], 1, "is no file"),
        (vec![Path::new("missing.mp4")], vec![], 1, "missing.mp4 cannot be read"),
        (vec![&*whole], vec!["--chunk", "0"], 2, "0 seconds"),
        (vec![&*whole], vec!["--language", "a", "--language", "b"], 2, "2 languages for 1 inputs"),
        (vec![&*whole], vec!["--language", "no language"], 2, "RFC 1766"),
    ] {
        let (found, stdout, stderr) = run(&inputs, &output, &options);
        assert_eq!((found, stdout.as_str()), (status, ""), "{stderr}");
        assert!(stderr.contains(text), "{stderr}");
    }
    let (status, _, stderr) = run(&[&whole], &folder.join("film.mp4"), &[]);
    assert_eq!(status, 2);
    assert!(stderr.contains(".ism"), "{stderr}");
    assert_eq!(names(&folder), ["cut.mp4", "whole.mp4"]);

    // A folder in the place of a file.
    fs::create_dir_all(folder.join("taken/film.ism")).unwrap();
    let (status, _, stderr) = run(&[&whole], &folder.join("taken/film.ism"), &[]);
    assert_eq!(
        (status, names(&folder.join("taken"))),
        (1, vec!["film.ism".to_owned()]),
        "{stderr}"
    );
}

#[test]
fn an_output_does_not_replace_an_input() {
    let folder = folder("same");
    let input = folder.join("film.ismv");
    film(&input, 300_000);
    let before = fs::read(&input).unwrap();
    let (status, _, stderr) = run(&[&input], &folder.join("film.ism"), &["--in-one"]);
    assert_eq!(status, 2, "{stderr}");
    assert_eq!((names(&folder), fs::read(&input).unwrap()), (vec!["film.ismv".into()], before));
}

#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_leaves_nothing() {
    use std::io::{Seek, SeekFrom, Write};
    use std::time::Duration;

    use rustix::process::{Pid, Signal, kill_process};
    use testkit::progressive::{Sample, boxed, words};

    let folder = folder("interrupted");
    let input = folder.join("large.mp4");
    // Two gigabytes of holes, which take no room until they are copied.
    let sample = |number: u32| Sample {
        size: 40 << 20,
        duration: 1,
        is_sync: number.is_multiple_of(25),
        ..Sample::default()
    };
    let large = Film::of([Track::of(*b"vide", 25, (0..50).map(sample).collect())]);
    let (moov, at, len) = large.moov();
    let mut file = fs::File::create(&input).unwrap();
    file.write_all(&boxed(b"ftyp", &[b"isom", &words(&[512]), b"isommp41"])).unwrap();
    file.write_all(&words(&[1])).unwrap();
    file.write_all(b"mdat").unwrap();
    file.write_all(&(at - 24).to_be_bytes()).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&moov).unwrap();
    assert_eq!(file.metadata().unwrap().len(), len);
    for signal in [Signal::INT, Signal::TERM] {
        let made = folder.join("made");
        let mut child =
            package().arg(&input).arg("--output").arg(made.join("film.ism")).spawn().unwrap();
        // Until it writes.
        let is_writing = || {
            let entries = fs::read_dir(&made).into_iter().flatten().flatten();
            entries.filter_map(|entry| entry.metadata().ok()).any(|metadata| metadata.len() > 0)
        };
        while !is_writing() {
            assert_eq!(child.try_wait().unwrap(), None, "it ended before it wrote");
            std::thread::sleep(Duration::from_millis(1));
        }
        // Another run to the same output does not mix with it. The first one stands still meanwhile, so that
        // it does not end.
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::STOP).unwrap();
        let (status, _, stderr) = run(&[&input], &made.join("film.ism"), &[]);
        let has_ended = child.try_wait().unwrap();
        kill_process(pid, signal).unwrap();
        kill_process(pid, Signal::CONT).unwrap();
        assert_eq!(status, 1, "{stderr}");
        assert!(stderr.contains("written by another run"), "{stderr}");
        assert_eq!(has_ended, None);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(names(&folder), ["large.mp4"], "{signal:?}");
    }
    fs::remove_file(input).unwrap();
}

#[cfg(any(target_os = "android", target_os = "linux"))]
#[test]
fn a_pipe_passes_on_ranges_and_bytes_in_their_order() {
    use pipe::Pipe;
    let folder = folder("pipe");
    let source: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    fs::write(folder.join("source"), &source).unwrap();
    let input = fs::File::open(folder.join("source")).unwrap();
    // Linux gives no pages to files that are appended to: they get bytes.
    for is_appended in [false, true] {
        let path = folder.join(format!("output-{is_appended}"));
        let mut options = fs::File::options();
        let output = &mut options.write(true).append(is_appended).create(true).open(&path).unwrap();
        let (mut pipe, mut wanted) = (Pipe::new().unwrap(), Vec::new());
        let (mut at, len) = (0_u64, source.len() as u64);
        for number in 0_u64.. {
            let mut range = at..at + [1, 350, 4096, 17_001, 90_000][number as usize % 5];
            at = range.end + 333;
            if range.end > len {
                break;
            }
            wanted.extend(&source[range.start as usize..range.end as usize]);
            while range.start < range.end {
                range.start += pipe.pass_on(&input, &range, output).unwrap();
            }
            let written = vec![number as u8; number as usize * 50];
            pipe.put(&written, output).unwrap();
            wanted.extend(written);
        }
        assert!(wanted.len() > 2 << 20, "more than the pipe holds");
        pipe.flush(output).unwrap();
        let error = pipe.pass_on(&input, &(len..len + 5), output).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        assert!(fs::read(&path).unwrap() == wanted, "{is_appended}");
    }
}

#[test]
fn files_that_have_their_names_are_taken_back_if_another_cannot_have_its_own() {
    use folder::Folder;
    use std::io::Write;
    for cause in ["folder", "gone"] {
        let root = folder(&format!("taken-back-{cause}"));
        fs::write(root.join("a.ismv"), "older").unwrap();
        fs::write(root.join("film.ism"), "older manifest").unwrap();
        let mut files = Folder::create(&root, "film.ism", true).ok().unwrap();
        for name in ["a.ismv", "b.isma", "c.isma", "film.ism"] {
            let mut file = files.add(name).ok().unwrap();
            file.file.write_all(b"new").unwrap();
            files.end(&file).ok().unwrap();
        }
        match cause {
            "folder" => fs::create_dir_all(root.join("c.isma/full")).unwrap(),
            _ => fs::remove_file(root.join("c.isma.unfinished")).unwrap(),
        }
        let failure = match files.finish() {
            Err(common::Failure::System(failure)) => failure,
            _ => panic!("it is finished"),
        };
        let is_told = failure.contains("c.isma cannot be written")
            && failure.ends_with(": nothing was changed");
        assert!(is_told, "{failure}");
        let there: Vec<_> = names(&root).into_iter().filter(|name| name != "c.isma").collect();
        assert_eq!(there, ["a.ismv", "film.ism"], "{cause}");
        assert_eq!(fs::read(root.join("a.ismv")).unwrap(), b"older");
        assert_eq!(fs::read(root.join("film.ism")).unwrap(), b"older manifest");
    }
}

#[test]
fn older_files_are_replaced_and_nothing_else_is_left() {
    let root = folder("replaced");
    let source = root.join("source.mp4");
    film(&source, 200_000);
    for bits in [200_000, 250_000] {
        film(&source, bits);
        // As a killed run leaves it.
        fs::write(root.join("film.ism.replaced"), "older").unwrap();
        let (status, _, errors) = run(&[&source], &root.join("film.ism"), &[]);
        assert_eq!(status, 0, "{errors}");
        let names = names(&root);
        assert!(names.iter().all(|name| !name.contains(".replaced")), "{names:?}");
        assert!(names.iter().all(|name| !name.contains(".unfinished")), "{names:?}");
    }
}
