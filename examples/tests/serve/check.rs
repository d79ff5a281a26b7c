//! `serve --check`: every presentation is opened, the sick ones are printed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Ended, run};

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");

/// A folder with copies of presentations, which is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, presentations: &[&str]) -> Self {
        let name = format!("smooth-check-{}-{name}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&folder.0).unwrap();
        for presentation in presentations {
            let (from, to) = (Path::new(TESTDATA).join(presentation), folder.0.join(presentation));
            fs::create_dir_all(&to).unwrap();
            for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
                if file.file_type().unwrap().is_file() {
                    fs::copy(file.path(), to.join(file.file_name())).unwrap();
                }
            }
        }
        folder
    }

    fn check(&self, options: &[&str]) -> Ended {
        // The files were written a moment ago.
        let folder = self.0.to_str().unwrap();
        run(&[&["--check", folder, "--settling-time", "0"], options].concat())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that is gone need not be removed.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn of_mixed_health(name: &str) -> Folder {
    let folder = Folder::new(name, &["bframes", "ladder", "dialects/missing", "dialects/dense"]);
    fs::write(folder.0.join("empty.ism"), "").unwrap();
    folder
}

#[test]
fn the_sick_are_printed_worst_first_with_what_to_do() {
    let Ended { status, output, errors } = of_mixed_health("mixed").check(&[]);
    assert_eq!((status, errors.as_str()), (1, ""), "{output}");
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines[0], "empty.ism (not served)");
    let place = |text: &str| {
        let place = lines.iter().position(|line| line.starts_with(text));
        place.unwrap_or_else(|| panic!("no {text:?} in {output}"))
    };
    let missing = place("dialects/missing/missing.ism (with errors)");
    let dense = place("dialects/dense/dense.ism (with warnings)");
    assert!(missing < dense, "{output}");
    // An `.ism` that names a missing file: the file, and below it what to do.
    let finding = lines[missing + 1];
    assert!(finding.starts_with("  error file-missing: dialects/missing/"), "{finding}");
    assert!(finding.contains("the file is not there"), "{finding}");
    assert!(lines[missing + 2].starts_with("    ") && lines[missing + 2].len() > 10, "{output}");
    assert!(!output.contains("ladder"), "{output}");
    assert_eq!(lines.last(), Some(&"2 fine, 1 with warnings, 1 with errors, 1 not served"));
}

#[test]
fn json_has_a_line_for_each_presentation_and_a_summary() {
    let Ended { status, output, errors } = of_mixed_health("json").check(&["--json"]);
    assert_eq!((status, errors.as_str()), (1, ""), "{output}");
    let lines: Vec<Value> =
        output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| lines.iter().find(|line| line["presentation"] == name).unwrap();
    assert_eq!(lines.len(), 6);
    assert_eq!(of("ladder/ladder.ism")["health"], "fine");
    assert_eq!(of("ladder/ladder.ism")["findings"], Value::Array(Vec::new()));
    assert_eq!(of("empty.ism")["health"], "not-served");
    assert!(of("empty.ism")["error"].is_string() && of("empty.ism")["advice"].is_string());
    let finding = &of("dialects/missing/missing.ism")["findings"][0];
    assert_eq!(finding["code"], "file-missing");
    assert_eq!(finding["severity"], "error");
    assert!(finding["advice"].as_str().is_some_and(|advice| !advice.is_empty()));
    let summary = &lines[5]["summary"];
    for (health, count) in
        [("fine", 2), ("warnings", 1), ("errors", 1), ("not-served", 1), ("not-looked-at", 0)]
    {
        assert_eq!(summary[health], count, "{health}");
    }
}

#[test]
fn healthy_folders_have_status_0_and_empty_ones_2() {
    let healthy = Folder::new("healthy", &["bframes", "dialects/dense"]).check(&[]);
    assert_eq!(healthy.status, 0, "{}", healthy.output);
    assert!(healthy.output.ends_with("1 fine, 1 with warnings, 0 with errors, 0 not served\n"));
    let empty = Folder::new("empty", &[]).check(&[]);
    assert_eq!(empty.status, 2);
    assert!(empty.output.starts_with("no presentation (a file that ends in .ism) in "));
    let missing = run(&["--check", "no-such-folder"]);
    assert_eq!(missing.status, 2);
    assert!(missing.errors.starts_with("error: cannot serve the folder no-such-folder: "));
    assert_eq!(run(&["--json"]).status, 2);
}

#[test]
fn more_sick_presentations_than_are_kept_are_counted() {
    let folder = Folder::new("many", &[]);
    for number in 0..1100 {
        fs::write(folder.0.join(format!("{number}.ism")), "").unwrap();
    }
    let Ended { status, output, .. } = folder.check(&[]);
    assert_eq!(status, 1);
    assert_eq!(output.matches(".ism (not served)").count(), 1000);
    let end = "and 100 more that are sick; --json prints all\n\
               0 fine, 0 with warnings, 0 with errors, 1100 not served\n";
    assert!(output.ends_with(end), "{}", &output[output.len() - 200..]);
}

#[test]
fn json_is_in_the_same_order_however_many_are_opened_at_a_time() {
    let folder = Folder::new("order", &["bframes"]);
    let bframes = folder.0.join("bframes");
    for number in 0..100 {
        let film = folder.0.join(format!("films/{number}"));
        fs::create_dir_all(&film).unwrap();
        // Every other one is opened in no time.
        match number % 2 {
            0 => fs::hard_link(bframes.join("bframes.ismv"), film.join("bframes.ismv")).unwrap(),
            _ => fs::write(film.join("x.ism"), "").unwrap(),
        }
        fs::hard_link(bframes.join("bframes.ism"), film.join("bframes.ism")).unwrap();
    }
    let one = folder.check(&["--json", "--workers", "1"]);
    assert_eq!((one.status, one.output.lines().count()), (1, 152));
    for workers in ["2", "8", "50"] {
        let several = folder.check(&["--json", "--workers", workers]);
        assert!(several.output == one.output, "{workers}");
        assert_eq!(several.status, 1);
    }
}

#[test]
fn content_that_no_browser_plays_is_noted_and_is_no_fault() {
    let folder = Folder::new("browsers", &[]);
    let level = folder.0.join("old.ism/QualityLevels(300)");
    fs::create_dir_all(&level).unwrap();
    let manifest = "<SmoothStreamingMedia><StreamIndex Type='video' \
        Url='QualityLevels({bitrate})/Fragments(video={start time})'>\
        <QualityLevel Bitrate='300' FourCC='WVC1' MaxWidth='1280' MaxHeight='720' CodecPrivateData=\
        '250000010FD3FE27F1678A27F859E80C9082E948C1CD400000010E5A67F840'/>\
        <c t='0' d='5'/></StreamIndex></SmoothStreamingMedia>";
    fs::write(folder.0.join("old.ism/Manifest"), manifest).unwrap();
    let fragment = b"\0\0\0\x30moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x01\
        \0\0\0\x18traf\0\0\0\x10tfhd\0\0\0\0\0\0\0\x01";
    fs::write(level.join("Fragments(video=0)"), fragment).unwrap();
    let Ended { status, output, .. } = folder.check(&[]);
    assert_eq!(status, 0, "{output}");
    let start = "old.ism (fine)\n  note: no browser plays the video `video`: its codec is VC-1\n    \
                 to play it in browsers, encode it again as H.264";
    assert!(output.starts_with(start), "{output}");
    let json = folder.check(&["--json"]).output;
    let title: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(title["health"], "fine");
    assert_eq!(title["notes"].as_array().unwrap().len(), 1);
}
