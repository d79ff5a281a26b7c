//! The folders that `export` writes, and its exit statuses: the built example is run.
//!
//! `cargo test` builds the examples before it runs this; `cargo test --test export` alone does not.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use smooth_origin::base::Name;
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::storage::LocalStore;

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");

/// The example beside this test: `target/debug/deps/export-…` and `target/debug/examples/export`.
fn export() -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("examples");
    let program = folder.join(format!("export{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "cargo build -p smooth-origin-examples --example export");
    Command::new(program)
}

/// Exit status, stdout and stderr of an export.
fn run(film: &Path, output: &Path, options: &[&str]) -> (i32, String, String) {
    let mut command = export();
    command.arg(film).arg("--output").arg(output).args(options);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Checks that an export succeeds and returns what it prints.
fn exported(film: &Path, output: &Path, options: &[&str]) -> String {
    let (status, stdout, stderr) = run(film, output, options);
    assert_eq!((status, stderr.as_str()), (0, ""), "{stdout}");
    stdout
}

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn ladder() -> PathBuf {
    Path::new(TESTDATA).join("ladder/ladder.ism")
}

/// Copies the ladder and changes its manifests. Returns its `.ism`.
fn changed_ladder(folder: &Path, old: &str, new: &str) -> PathBuf {
    let film = ladder();
    fs::copy(film.with_extension("ismv"), folder.join("ladder.ismv")).unwrap();
    for extension in ["ism", "ismc"] {
        let manifest = fs::read_to_string(film.with_extension(extension)).unwrap();
        assert!(manifest.contains(old), "{manifest}");
        let changed = folder.join("ladder").with_extension(extension);
        fs::write(changed, manifest.replace(old, new)).unwrap();
    }
    folder.join("ladder.ism")
}

/// The files in a folder by their relative names, which `/` divides.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn add(folder: &Path, before: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{before}{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => add(&entry.path(), &format!("{name}/"), files),
                false => drop(files.insert(name, fs::read(entry.path()).unwrap())),
            }
        }
    }
    let mut found = BTreeMap::new();
    add(root, "", &mut found);
    found
}

/// Returns whether a folder has a file. Another process may write there: names that are gone again are passed over.
fn has_a_file(folder: &Path) -> bool {
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => has_a_file(&entry.path()),
        kind => kind.is_ok(),
    })
}

/// The times of change of the files in a folder.
fn times(root: &Path) -> Vec<(String, SystemTime)> {
    let time = |name: String| {
        let time = root.join(&name).metadata().unwrap().modified().unwrap();
        (name, time)
    };
    files(root).into_keys().map(time).collect()
}

/// Checks that each file is what an origin answers, and that none is missing that a playlist names.
fn check(film: &Path, output: &Path) -> BTreeMap<String, Vec<u8>> {
    let found = files(output);
    check_answers(film, &found);
    let mut playlists = 0;
    for (name, text) in found.iter().filter(|(name, _)| name.ends_with(".m3u8")) {
        playlists += 1;
        for line in std::str::from_utf8(text).unwrap().lines() {
            let named = match line.split_once("URI=\"") {
                Some((_, uri)) if !uri.starts_with("data:") => uri.split('"').next(),
                Some(_) => None,
                None => Some(line).filter(|line| !line.starts_with('#')),
            };
            let is_there =
                |named: &str| found.contains_key(Name::from_url_path(named).unwrap().as_str());
            assert!(named.is_none_or(is_there), "{line} of {name}");
        }
    }
    assert!(playlists > 1 && found.contains_key("manifest.mpd"), "{:?}", found.keys());
    found
}

fn check_answers(film: &Path, found: &BTreeMap<String, Vec<u8>>) {
    let store = LocalStore::new(film.parent().unwrap()).unwrap();
    let origin = Origin::builder(store).settling_time(Duration::ZERO).build();
    let film = Name::new(film.file_name().unwrap().to_str().unwrap()).unwrap();
    for (name, content) in found {
        let url = Name::new(name).unwrap().to_url_path();
        let answer = block_on(async { origin.ask_in(&film, &url, None).await?.answer().await });
        let Ok(Answer::Reply(served)) = answer else { panic!("{name}: {answer:?}") };
        let mut body = served.body();
        let mut bytes = Vec::new();
        while let Some(part) = block_on(body.next()) {
            bytes.extend_from_slice(&part.unwrap());
        }
        assert!(bytes == *content, "{name} is not what the origin answers");
    }
}

#[test]
fn each_file_is_what_an_origin_answers() {
    for name in ["ladder/ladder", "bframes/bframes", "ntsc/ntsc", "dialects/ffmpeg/ffmpeg"]
        .into_iter()
        .chain(["dialects/playready/playready", "dialects/azure/azure", "dialects/archive/archive"])
    {
        let film = Path::new(TESTDATA).join(format!("{name}.ism"));
        let output = folder(&format!("same-{}", name.replace('/', "-")));
        let text = exported(&film, &output, &[]);
        let found = check(&film, &output);
        assert!(text.contains(&format!("{} files written (", found.len())), "{text}");
        assert!(found.keys().any(|name| name.ends_with("/init.mp4")), "{:?}", found.keys());
    }
}

#[test]
fn captions_are_written_in_the_forms_of_both_formats() {
    let film = Path::new(TESTDATA).join("dialects/archive/archive.ism");
    let output = folder("captions");
    exported(&film, &output, &[]);
    let found = files(&output);
    let has = |begin: &str, end: &str| {
        found.keys().any(|name| name.starts_with(begin) && name.ends_with(end))
    };
    assert!(has("captions-1000.vtt/", ".vtt") && has("captions-1000.vtt.m3u8", ""), "HLS");
    assert!(has("captions-1000/", ".m4s") && has("captions-1000/init.mp4", ""), "DASH");
}

#[test]
fn findings_are_printed_as_inspect_prints_them() {
    let film = Path::new(TESTDATA).join("dialects/missing/missing.ism");
    let text = exported(&film, &folder("findings"), &[]);
    let inspect = export().get_program().to_owned();
    let inspect = Path::new(&inspect)
        .with_file_name("inspect")
        .with_extension(std::env::consts::EXE_EXTENSION);
    let inspected = Command::new(inspect).arg(&film).output().unwrap().stdout;
    let inspected = String::from_utf8(inspected).unwrap();
    let at = inspected.find("error ").expect("a finding");
    assert!(text.contains(&inspected[at..]), "{text}\nis not\n{inspected}");
}

#[test]
fn each_format_can_be_written_alone() {
    let [hls, dash, both] = ["hls", "dash", "both"].map(|name| folder(&format!("only-{name}")));
    exported(&ladder(), &hls, &["--hls"]);
    exported(&ladder(), &dash, &["--dash"]);
    exported(&ladder(), &both, &["--hls", "--dash"]);
    let (mut hls, dash, both) = (files(&hls), files(&dash), files(&both));
    assert!(!hls.contains_key("manifest.mpd") && dash.contains_key("manifest.mpd"));
    assert!(hls.contains_key("master.m3u8") && !dash.keys().any(|name| name.ends_with(".m3u8")));
    // Without captions, both have the same segments, but for the key frames of HLS.
    let media = |files: &BTreeMap<String, Vec<u8>>| {
        let is_shared = |name: &&String| name.contains('/') && !name.contains(".key/");
        files.keys().filter(is_shared).cloned().collect::<Vec<_>>()
    };
    assert_eq!(media(&hls), media(&dash));
    assert!(!dash.keys().any(|name| name.contains(".key/")));
    hls.extend(dash);
    assert!(hls == both);
}

#[test]
fn the_folder_plays() {
    let has_ffmpeg = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).status();
    if !has_ffmpeg.is_ok_and(|status| status.success()) {
        return;
    }
    for name in ["ladder/ladder", "bframes/bframes"] {
        let film = Path::new(TESTDATA).join(format!("{name}.ism"));
        let output = folder(&format!("plays-{}", name.replace('/', "-")));
        exported(&film, &output, &[]);
        let mut play = Command::new("ffmpeg");
        play.args(["-v", "error", "-xerror", "-i"]).arg(output.join("master.m3u8"));
        let played =
            play.args(["-map", "0", "-c", "copy", "-f", "framecrc", "-"]).output().unwrap();
        let errors = String::from_utf8_lossy(&played.stderr);
        assert!(played.status.success(), "{name}: {errors}");
        let frames = String::from_utf8_lossy(&played.stdout);
        assert!(frames.lines().filter(|line| !line.starts_with('#')).count() > 100, "{frames}");
    }
}

#[test]
fn a_second_run_writes_nothing() {
    let output = folder("second");
    exported(&ladder(), &output, &[]);
    let (before, count) = (times(&output), files(&output).len());
    for options in [&[][..], &["--verify"]] {
        let text = exported(&ladder(), &output, options);
        assert!(text.contains(&format!("0 files written (0 B), {count} were complete")), "{text}");
        assert_eq!(times(&output), before);
    }
}

#[test]
fn an_interrupted_export_is_completed() {
    let output = folder("interrupted");
    exported(&ladder(), &output, &[]);
    let whole = check(&ladder(), &output);
    let segment = whole.keys().find(|name| name.ends_with(".m4s")).unwrap();
    let (track, _) = segment.split_once('/').unwrap();
    // One file is cut, one is missing, and one was being written; so was a manifest.
    File::options().write(true).open(output.join(segment)).unwrap().set_len(100).unwrap();
    fs::remove_file(output.join("manifest.mpd")).unwrap();
    fs::remove_file(output.join(track).join("init.mp4")).unwrap();
    fs::write(output.join(track).join("init.mp4.unfinished"), &whole[segment][..50]).unwrap();
    fs::write(output.join("manifest.mpd.unfinished"), "<MPD").unwrap();
    // Other files are nobody's business.
    fs::write(output.join("mine.txt.unfinished"), "mine").unwrap();

    let text = exported(&ladder(), &output, &[]);
    assert!(text.contains("3 files written ("), "{text}");
    assert_eq!(fs::read(output.join("mine.txt.unfinished")).unwrap(), b"mine");
    fs::remove_file(output.join("mine.txt.unfinished")).unwrap();
    assert!(files(&output) == whole);
}

#[test]
fn an_export_that_was_killed_leaves_only_whole_files_and_is_completed() {
    let output = folder("killed");
    let mut command = export();
    command.arg(ladder()).arg("--output").arg(&output).stdout(Stdio::null());
    let mut running = command.spawn().unwrap();
    while !has_a_file(&output) && running.try_wait().unwrap().is_none() {}
    running.kill().unwrap();
    running.wait().unwrap();
    let mut left = files(&output);
    left.retain(|name, _| !name.ends_with(".unfinished"));
    check_answers(&ladder(), &left);
    exported(&ladder(), &output, &[]);
    check(&ladder(), &output);
}

/// Changes the last byte of a segment. Returns its path.
fn damaged(output: &Path) -> PathBuf {
    let found = files(output);
    let (name, content) = found.iter().find(|(name, _)| name.ends_with(".m4s")).unwrap();
    let path = output.join(name);
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::End(-1)).unwrap();
    file.write_all(&[!content.last().unwrap()]).unwrap();
    path
}

#[test]
fn the_content_of_files_is_compared_if_it_is_asked_for_or_in_doubt() {
    let output = folder("compared");
    exported(&ladder(), &output, &[]);
    let whole = check(&ladder(), &output);

    damaged(&output);
    let text = exported(&ladder(), &output, &[]);
    assert!(text.contains("0 files written"), "the length is the same: {text}");
    let text = exported(&ladder(), &output, &["--verify"]);
    assert!(text.contains("1 files written") && files(&output) == whole, "{text}");

    // A file that is older than the presentation.
    let path = damaged(&output);
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    drop(file);
    let text = exported(&ladder(), &output, &[]);
    assert!(text.contains("1 files written") && files(&output) == whole, "{text}");

    // A folder that has another film's manifest.
    damaged(&output);
    fs::write(output.join("master.m3u8"), "#EXTM3U\n").unwrap();
    let (status, text, said) = run(&ladder(), &output, &[]);
    assert!(said.contains("the folder has another master.m3u8"), "{said}");
    assert_eq!(status, 0);
    assert!(text.contains("2 files written") && files(&output) == whole, "{text}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let place = folder("unwritable");
    let file = place.join("file");
    fs::write(&file, "").unwrap();
    let (status, _, said) = run(&ladder(), &file.join("folder"), &[]);
    assert_eq!(status, 1);
    let output = file.join("folder");
    assert!(
        said.starts_with(&format!("error: {} cannot be written: ", output.display())),
        "{said}"
    );
    assert!(said.contains("a file is in the place of a folder"), "{said}");

    // A folder in the place of a segment.
    let output = place.join("output");
    fs::create_dir_all(output.join("video-60000/init.mp4")).unwrap();
    let (status, _, said) = run(&ladder(), &output, &[]);
    assert_eq!(status, 1);
    assert!(said.contains("a folder is in the place of a file"), "{said}");
    assert!(files(&output).keys().all(|name| !name.ends_with(".unfinished")));
}

#[test]
fn a_presentation_of_which_nothing_is_served_is_refused() {
    let place = folder("nothing");
    let film = place.join("a.ism");
    let output = place.join("output");
    for (ism, why) in [
        ("<smil><body><switch></switch></body></smil>", "nothing of "),
        ("<smil><body><switch><video src='gone.ismv'/></switch></body></smil>", "nothing of "),
        ("no XML at all", "cannot be opened: "),
    ] {
        fs::write(&film, ism).unwrap();
        let (status, _, said) = run(&film, &output, &[]);
        assert_eq!(status, 1, "{ism}");
        assert!(said.starts_with("error: ") && said.contains(why), "{said}");
        assert!(said.contains("a.ism"), "{said}");
    }
    let (status, _, said) = run(&place.join("b.ism"), &output, &[]);
    assert!(status == 1 && said.contains("b.ism cannot be read: "), "{said}");
    let (status, _, said) = run(&ladder().with_extension("ismv"), &output, &[]);
    assert!(status == 1 && said.contains("name the .ism"), "{said}");
    assert!(!output.exists());
}

#[test]
fn a_recording_in_progress_is_refused() {
    let place = folder("live");
    let film = place.join("live.ism");
    let client = fs::read_to_string(ladder().with_extension("ismc")).unwrap();
    let live = "<SmoothStreamingMedia IsLive=\"TRUE\" ";
    fs::create_dir_all(film.join("QualityLevels(60000)")).unwrap();
    fs::write(film.join("Manifest"), client.replace("<SmoothStreamingMedia ", live)).unwrap();
    let (status, text, said) = run(&film, &place.join("output"), &[]);
    assert!(status == 1 && said.contains("is being recorded"), "{text}{said}");
}

#[test]
fn names_are_those_of_the_urls_and_stay_inside() {
    let place = folder("names");
    let film = changed_ladder(&place, "audio_eng", "sound é");
    let output = place.join("output");
    exported(&film, &output, &[]);
    let found = check(&film, &output);
    assert!(found.contains_key("sound é-48000/init.mp4"), "{:?}", found.keys());

    let film = changed_ladder(&place, "audio_eng", "../../out");
    let output = place.join("a/b/output");
    let (status, _, said) = run(&film, &output, &[]);
    assert_eq!(status, 1);
    assert!(said.contains("can be called `..%2F..%2Fout-48000"), "{said}");
    assert!(files(&place.join("a")).is_empty());
}

#[test]
fn segments_that_the_presentation_lacks_are_named() {
    let place = folder("lacks");
    let film = changed_ladder(&place, "encoding", "encoding");
    let mut media = fs::read(film.with_extension("ismv")).unwrap();
    let moofs: Vec<_> = media.windows(4).enumerate().filter(|(_, four)| four == b"moof").collect();
    let (at, _) = moofs[moofs.len() / 2];
    media[at..at + 4].copy_from_slice(b"free");
    fs::write(film.with_extension("ismv"), media).unwrap();
    let output = place.join("output");
    let (status, text, said) = run(&film, &output, &[]);
    assert_eq!(status, 1, "{text}{said}");
    assert!(said.contains(".m4s is left out: "), "{said}");
    assert!(said.contains("files are missing in"), "{said}");
    assert!(text.contains("are missing"), "{text}");
    let mut found = files(&output);
    assert!(found.contains_key("master.m3u8") && found.contains_key("manifest.mpd"));
    // Rates and gaps depend on what the origin has found out so far of media that is broken.
    let gap = b"#EXT-X-GAP";
    let has_gap = |text: &[u8]| text.windows(gap.len()).any(|part| part == gap);
    assert_eq!(
        found.values().filter(|text| has_gap(text)).count(),
        2,
        "the quality and its key frames"
    );
    found.retain(|name, _| !name.ends_with(".m3u8") && name != "manifest.mpd");
    check_answers(&film, &found);
}
