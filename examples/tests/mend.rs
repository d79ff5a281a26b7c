//! The example `mend`, run as it is built, and its undo file when the disk stops at any step.
//!
//! `cargo test` builds the examples before it runs this; `cargo test --test mend` alone does not.

#[path = "../mend/disk.rs"]
mod disk;
#[cfg(unix)]
#[path = "../mend/lock.rs"]
mod lock;
#[path = "../mend/undo.rs"]
mod undo;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use disk::Disk;
use smooth_origin::base::{FileEnds, FileId, Got, Name, ReadError, ReadErrorKind, Want};
use smooth_origin::manifest::StreamKind;
use smooth_origin::package::mend::{MendOptions, Mending};
use testkit::film::{self, Style, Track, ism};

/// Exit status, stdout and stderr.
fn run(path: &Path, options: &[&str]) -> (i32, String, String) {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap().join("examples");
    let program = folder.join(format!("mend{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "cargo build -p smooth-origin-examples --example mend");
    let output = Command::new(program).arg(path).args(options).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mend").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

type Files = BTreeMap<String, Vec<u8>>;

fn files(folder: &Path) -> Files {
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
    };
    fs::read_dir(folder).unwrap().map(read).collect()
}

fn write(folder: &Path, files: &Files) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// A film of a recording that was cut off: two files to mend, and a client manifest that is missing.
fn damaged() -> Files {
    let track = |id, kind, size| Track::regular(id, kind, 6, 20_000_000, size);
    let high = film::media(&[track(1, StreamKind::Video, 4000)], Style::default());
    let sound = film::media(&[track(1, StreamKind::Audio, 90)], Style::default());
    let tracks = [("video", "film.ismv", 600, 1, "video"), ("audio", "film.isma", 96, 1, "audio")];
    let (high_bytes, sound_bytes) = (high.to_bytes(), sound.to_bytes());
    let end = high.fragments[5].2.end as usize - 7;
    [
        ("film.ism".to_owned(), ism(Some("film.ismc"), &tracks)),
        ("film.ismv".to_owned(), high_bytes[..end].to_vec()),
        ("film.isma".to_owned(), sound_bytes[..sound.mfra as usize].to_vec()),
    ]
    .into()
}

fn plan(folder: &Path) -> Mending {
    let mut opened: BTreeMap<FileId, Vec<u8>> = BTreeMap::new();
    let name = Name::new("film.ism").unwrap();
    let step = smooth_origin::package::mend::mend(name, MendOptions::default());
    let mending = step.drive(|want| match want {
        Want::Open { file, name, head, tail } => {
            let bytes = fs::read(folder.join(name.as_str()))
                .map_err(|_| ReadError::new(ReadErrorKind::Gone))?;
            let head = bytes[..bytes.len().min(*head as usize)].to_vec().into();
            let tail = bytes[bytes.len().saturating_sub(*tail as usize)..].to_vec().into();
            let ends = FileEnds::new(bytes.len() as u64, head, tail);
            opened.insert(*file, bytes);
            Ok(Got::Opened(ends))
        }
        Want::Range { file, range } => {
            let range = range.start as usize..range.end as usize;
            Ok(Got::Range(opened[file][range].to_vec().into()))
        }
        _ => Ok(Got::Listed(None)),
    });
    mending.unwrap()
}

#[test]
fn a_dry_run_says_what_writing_does_and_undo_puts_it_back() {
    let folder = folder("whole");
    let before = damaged();
    write(&folder, &before);
    let path = folder.join("film.ism");
    let (status, stdout, stderr) = run(&path, &[]);
    assert_eq!((status, stderr.as_str()), (3, ""), "{stdout}");
    for text in [
        "film.ismv: cut: fragment 6 is not whole: it begins at byte ",
        "film.isma: index-added: it has no index (`mfra`)",
        "film.ismc: client-manifest: it is missing",
        "nothing was written",
    ] {
        assert!(stdout.contains(text), "{stdout}");
    }
    assert_eq!(files(&folder), before, "a dry run writes nothing");

    // The dry run may have taken a while.
    for name in before.keys() {
        let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
        file.set_modified(SystemTime::now()).unwrap();
    }
    let (status, stdout, stderr) = run(&path, &["--write"]);
    assert_eq!((status, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.contains("was written a moment ago"), "{stderr}");
    assert_eq!(files(&folder), before);

    let (status, stdout, stderr) = run(&path, &["--write", "--even-if-recent", "--json"]);
    assert_eq!(status, 0, "{stderr}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&report["written"], report["changes"].as_array().unwrap().len()),
        (&true.into(), 3)
    );
    let mended = files(&folder);
    assert_eq!(
        mended.keys().collect::<Vec<_>>(),
        ["film.ism", "film.ism.undo", "film.isma", "film.ismc", "film.ismv"]
    );
    let (status, stdout, _) = run(&path, &[]);
    assert_eq!((status, stdout.contains("nothing is to be mended")), (0, true), "{stdout}");

    let (status, _, stderr) = run(&path, &["--undo"]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    assert_eq!(files(&folder), before);
    let (status, _, stderr) = run(&path, &["--undo"]);
    assert_eq!((status, stderr.contains("nothing is to be undone")), (1, true), "{stderr}");

    // Something that was changed after it had been mended is not put back.
    assert_eq!(run(&path, &["--write", "--even-if-recent"]).0, 0);
    fs::write(folder.join("film.ismc"), "by hand").unwrap();
    let (status, _, stderr) = run(&path, &["--undo"]);
    assert_eq!((status, stderr.contains("film.ismc was changed")), (1, true), "{stderr}");
    let (status, _, stderr) = run(&path, &["--write", "--even-if-recent"]);
    assert_eq!(
        (status, stderr.contains("keeps what an earlier run replaced")),
        (1, true),
        "{stderr}"
    );
}

#[test]
fn a_server_manifest_is_written_for_a_media_file_and_what_makes_no_sense_is_refused() {
    let folder = folder("server");
    let mut before = damaged();
    before.remove("film.ism");
    write(&folder, &before);
    for path in [folder.join("film.ismv"), folder.join("film.ism"), folder.clone()] {
        let (status, stdout, stderr) = run(&path, &[]);
        assert_eq!(status, 3, "{stderr}");
        assert!(stdout.contains("film.ism: server-manifest: it is missing"), "{stdout}");
    }
    for (path, options, status) in [
        (folder.join("film.txt"), vec![], 2),
        (folder.join("other.ism"), vec![], 1),
        (folder.join("other.ismv"), vec![], 1),
        (folder.join("film.ism"), vec!["--even-if-recent"], 2),
    ] {
        let (found, stdout, stderr) = run(&path, &options);
        assert_eq!((found, stdout.as_str()), (status, ""), "{stderr}");
    }
    assert_eq!(files(&folder), before);
}

/// Each number of steps after which the disk stops.
#[test]
fn a_run_that_stops_at_any_step_can_be_undone_and_repeated() {
    let folder = folder("stopped");
    let before = damaged();
    write(&folder, &before);
    let changes = plan(&folder);
    let undo = undo::path_of(&folder.join("film.ism"));
    undo::write(&Disk::new(None), &folder, &undo, changes.changes()).unwrap();
    let mended = files(&folder);
    let without_kept = |mut files: Files| {
        files.retain(|name, _| !name.ends_with(".undo") && !name.ends_with(".unfinished"));
        files
    };
    let mut stops = 0;
    for steps in 0.. {
        write(&folder, &before);
        let disk = Disk::new(Some(steps));
        if undo::write(&disk, &folder, &undo, changes.changes()).is_ok() {
            break;
        }
        stops += 1;
        let stopped = files(&folder);
        // Undone: as it was.
        match undo::state(&undo).unwrap() {
            None => assert_eq!(without_kept(stopped.clone()), before, "{steps}"),
            Some(_) => {
                undo::restore(&Disk::new(None), &folder, &undo).unwrap();
                assert_eq!(files(&folder), before, "{steps}");
            }
        }
        // Undone, while the disk stops once more at any step.
        for again in 0.. {
            write(&folder, &stopped);
            if undo::state(&undo).unwrap().is_none() {
                break;
            }
            let whole = undo::restore(&Disk::new(Some(again)), &folder, &undo).is_ok();
            if undo::state(&undo).unwrap().is_some() {
                undo::restore(&Disk::new(None), &folder, &undo).unwrap();
            }
            assert_eq!(files(&folder), before, "{steps} {again}");
            if whole {
                break;
            }
        }
        // Repeated, as the program does: first undone.
        write(&folder, &stopped);
        if undo::state(&undo).unwrap().is_some_and(|state| state != undo::State::Done) {
            undo::restore(&Disk::new(None), &folder, &undo).unwrap();
        }
        if undo::state(&undo).unwrap().is_none() {
            let again = plan(&folder);
            undo::write(&Disk::new(None), &folder, &undo, again.changes()).unwrap();
        }
        assert_eq!(without_kept(files(&folder)), without_kept(mended.clone()), "{steps}");
    }
    assert!(stops > 25, "{stops}");

    // What was done is undone, also if that stops and goes on.
    for steps in 0.. {
        write(&folder, &mended);
        let whole = undo::restore(&Disk::new(Some(steps)), &folder, &undo).is_ok();
        if undo::state(&undo).unwrap().is_some() {
            undo::restore(&Disk::new(None), &folder, &undo).unwrap();
        }
        assert_eq!(files(&folder), before, "{steps}");
        if whole {
            break;
        }
    }
}

#[test]
fn an_undo_file_that_is_damaged_puts_nothing_back() {
    let folder = folder("damaged");
    write(&folder, &damaged());
    let undo = undo::path_of(&folder.join("film.ism"));
    undo::write(&Disk::new(None), &folder, &undo, plan(&folder).changes()).unwrap();
    let mended = files(&folder);
    let kept = &mended["film.ism.undo"];
    for at in [0, 25, 100, kept.len() / 2] {
        let mut bytes = kept.clone();
        bytes[at] ^= 0x40;
        fs::write(&undo, &bytes).unwrap();
        undo::restore(&Disk::new(None), &folder, &undo).unwrap_err();
        let mut now = files(&folder);
        now.insert("film.ism.undo".into(), kept.clone());
        assert_eq!(now, mended, "{at}");
    }
}

#[cfg(unix)]
#[test]
fn a_run_that_another_one_would_meet_changes_nothing() {
    let folder = folder("locked");
    let before = damaged();
    write(&folder, &before);
    let path = folder.join("film.ism");
    let lock = lock::Lock::take(&path).ok().unwrap();
    for option in ["--write", "--undo"] {
        let (status, stdout, stderr) = run(&path, &[option]);
        assert_eq!((status, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains("film.ism is being changed by another run"), "{stderr}");
        assert!(stderr.contains("film.ism.lock says: wait until it has ended"), "{stderr}");
    }
    // A dry run needs none.
    assert_eq!(run(&path, &[]).0, 3);
    let mut now = files(&folder);
    assert!(now.remove("film.ism.lock").is_some());
    assert_eq!(now, before);
    drop(lock);
    assert_eq!(files(&folder), before);
    // What a killed run leaves is in nobody's way.
    fs::write(folder.join("film.ism.lock"), "").unwrap();
    let (status, _, stderr) = run(&path, &["--write", "--even-if-recent"]);
    assert_eq!(status, 0, "{stderr}");
    assert!(!files(&folder).contains_key("film.ism.lock"));
    assert_eq!(run(&path, &["--undo"]).0, 0);
    assert_eq!(files(&folder), before);
}
