//! `serve --check`: every presentation is opened, the sick ones are printed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::observed::Observed;
use crate::program::{Ended, program, run};

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");

/// A folder with copies of presentations, which is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, presentations: &[&str]) -> Self {
        let name = format!("smooth-check-{}-{name}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        let _ = fs::remove_dir_all(&folder.0);
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
    assert_eq!((status, errors.as_str()), (3, ""), "{output}");
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "empty.ism (not served)",
            "  the file is empty (0 bytes)",
            "    copy the file again from its source"
        ]
    );
    assert!(!output.contains("os error"), "{output}");
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
    assert_eq!((status, errors.as_str()), (3, ""), "{output}");
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
    for (health, count) in [
        ("fine", 2),
        ("warnings", 1),
        ("errors", 1),
        ("not-served", 1),
        ("not-looked-at", 0),
        ("folders-not-looked-at", 0),
    ] {
        assert_eq!(summary[health], count, "{health}");
    }
}

#[test]
fn the_status_is_the_one_that_inspect_has() {
    let healthy = Folder::new("healthy", &["bframes", "dialects/dense"]).check(&[]);
    assert_eq!(healthy.status, 0, "{}", healthy.output);
    assert!(healthy.output.ends_with("1 fine, 1 with warnings, 0 with errors, 0 not served\n"));
    let empty = Folder::new("empty", &[]).check(&[]);
    assert_eq!(empty.status, 3);
    assert!(empty.output.starts_with("no presentation (a file that ends in .ism) in "));
    let missing = run(&["--check", "no-such-folder"]);
    assert_eq!(missing.status, 3);
    let errors = Folder::new("errors", &["bframes", "dialects/missing"]).check(&[]);
    assert_eq!(errors.status, 1, "{}", errors.output);
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
    assert_eq!(status, 3);
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
    assert_eq!((one.status, one.output.lines().count()), (3, 152));
    for workers in ["2", "8", "50"] {
        let several = folder.check(&["--json", "--workers", workers]);
        assert!(several.output == one.output, "{workers}");
        assert_eq!(several.status, 3);
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

#[test]
fn what_is_not_looked_at_has_lines_of_json_and_a_status() {
    let folder = Folder::new("deep", &["bframes"]);
    let deep = folder.0.join("1/2/3/4/5/6/7/8/9");
    fs::create_dir_all(&deep).unwrap();
    let ended = folder.check(&["--json"]);
    let lines: Vec<Value> =
        ended.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((ended.status, lines.len()), (3, 3), "{}", ended.output);
    assert_eq!(lines[1]["path"], deep.to_str().unwrap());
    assert_eq!(lines[1]["health"], "not-looked-at");
    assert_eq!(lines[1]["error"], "it is more than 8 folders deep");
    assert!(lines[1]["advice"].is_string());
    let summary = &lines[2]["summary"];
    assert_eq!((&summary["fine"], &summary["folders-not-looked-at"]), (&1.into(), &1.into()));
}

/// Contents in place of an `.ism`, and the beginning of the reason for each.
const MISNAMED: [(&str, &str, &str); 5] = [
    (
        "page",
        "\n<!DOCTYPE html><html><p>Log in</html>",
        "this is a web page (HTML), not a presentation",
    ),
    ("xhtml", "<?xml version='1.0'?><html/>", "this is a web page (HTML), not a presentation"),
    (
        "client",
        "<?xml version='1.0'?><SmoothStreamingMedia MajorVersion='2'/>",
        "this is a client manifest (.ismc), not a presentation",
    ),
    ("playlist", "#EXTM3U\n", "this is a playlist of HLS (M3U8), not a presentation"),
    ("cut", "<smil><body>", "line 1: not well-formed XML: "),
];

#[test]
fn other_files_in_the_place_of_an_ism_are_named_with_the_same_words_everywhere() {
    let folder = Folder::new("misnamed", &[]);
    for (name, text, _) in MISNAMED {
        fs::write(folder.0.join(format!("{name}.ism")), text).unwrap();
    }
    let text = folder.check(&[]).output;
    let json = folder.check(&["--json"]).output;
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let server = Observed::start(folder.0.to_str().unwrap(), &[]);
    let listed = Command::new(program())
        .args([folder.0.to_str().unwrap(), "--listen", "127.0.0.1:0", "--settling-time", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut listed = listed.unwrap();
    let list = BufReader::new(listed.stdout.take().unwrap()).lines().map(Result::unwrap);
    let list: Vec<_> = list.take_while(|line| !line.contains("first problem")).collect();
    listed.kill().unwrap();
    listed.wait().unwrap();
    for (name, _, start) in MISNAMED {
        let name = format!("{name}.ism");
        let of_check = lines.iter().find(|line| line["presentation"] == name).unwrap();
        let (what, advice) =
            (of_check["error"].as_str().unwrap(), of_check["advice"].as_str().unwrap());
        assert!(what.starts_with(start), "{what}");
        let lines = format!("{name} (not served)\n  {what}\n    {advice}\n");
        assert!(text.contains(&lines), "{lines} is not in {text}");
        let page = server.ask(&format!("GET /-/api/presentation?name={name}"), &[]);
        let page: Value = serde_json::from_str(&page.body).unwrap();
        assert_eq!(
            (&page["error"]["what"], &page["error"]["advice"]),
            (&what.into(), &advice.into())
        );
        let line = format!("{name} is not served: {what}; {advice}");
        assert!(list.contains(&line), "{line} is not in {list:?}");
        let inspected = inspect(&folder.0.join(&name));
        assert_eq!((&inspected["message"], &inspected["advice"]), (&what.into(), &advice.into()),);
    }
}

#[test]
fn a_presentation_that_is_not_served_has_no_findings_about_its_manifest() {
    let folder = Folder::new("nothing", &[]);
    let server = "<smil><body><video src='gone.ismv' systemBitrate='1'/></body></smil>";
    fs::write(folder.0.join("a.ism"), server).unwrap();
    let json = folder.check(&["--json"]).output;
    let title: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    let codes = |findings: &Value, key: &str| {
        let findings = findings.as_array().unwrap().iter();
        findings.map(|finding| finding[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(title["health"], "not-served");
    assert_eq!(codes(&title["findings"], "code"), ["file-missing"]);
    assert!(!json.contains("os error"), "{json}");
    let inspected = inspect(&folder.0.join("a.ism"));
    assert_eq!(codes(&inspected["findings"], "code"), ["file-missing"]);
    assert_eq!(inspected["message"], title["error"]);
    let server = Observed::start(folder.0.to_str().unwrap(), &[]);
    let page = server.ask("GET /-/api/presentation?name=a.ism", &[]);
    let page: Value = serde_json::from_str(&page.body).unwrap();
    assert_eq!(codes(&page["findings"], "name"), ["file-missing"]);
    assert_eq!(page["error"]["what"], title["error"]);
}

#[cfg(unix)]
#[test]
fn links_that_are_not_followed_are_named_with_what_follows_each() {
    use std::os::unix::fs::symlink;

    let (folder, other) = (Folder::new("links", &[]), Folder::new("links-other", &["bframes"]));
    let own = fs::canonicalize(&folder.0).unwrap();
    let other = fs::canonicalize(&other.0).unwrap();
    fs::create_dir(folder.0.join("films")).unwrap();
    let film = other.join("bframes/bframes.ism");
    for (target, link) in [
        (other.join("bframes"), "out"),
        (film.clone(), "film.ism"),
        (own.join("films"), "absolute"),
        (other.join("gone.ism"), "gone.ism"),
        ("films".into(), "relative"),
    ] {
        symlink(target, folder.0.join(link)).unwrap();
    }
    let json = folder.check(&["--json"]);
    assert_eq!(json.status, 3);
    let lines: Vec<Value> =
        json.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |key: &str, value: &str| {
        let line = lines.iter().find(|line| line[key] == value);
        let line = line.unwrap_or_else(|| panic!("{value} is not in {}", json.output));
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        (text("error"), text("advice"))
    };
    let path = |link: &str| folder.0.join(link).to_str().unwrap().to_owned();
    let (shown, films) = (other.display(), own.join("films"));
    assert_eq!(
        of("path", &path("out")),
        (
            format!(
                "it is a link that leads out of the folder, to {shown}/bframes, so it is not followed"
            ),
            format!(
                "let `serve` follow it with `--links-into {shown}/bframes`, or put the files themselves \
                 there"
            )
        )
    );
    assert_eq!(
        of("presentation", "film.ism").0.replace("/bframes.ism", ""),
        of("path", &path("out")).0
    );
    assert_eq!(of("presentation", "film.ism").1, of("path", &path("out")).1);
    assert_eq!(
        of("path", &path("absolute")),
        (
            "it is an absolute link, which is not followed, although it stays in the folder".into(),
            format!(
                "make it relative (`ln -sfnr {} {}`), or let `serve` follow it with `--links-into {}`",
                films.display(),
                path("absolute"),
                own.display()
            ),
        )
    );
    let (reason, advice) = of("presentation", "gone.ism");
    assert_eq!(reason, format!("it is a link to {shown}/gone.ism, which is not there"));
    assert!(!advice.contains("--links-into"), "{advice}");
    assert!(!json.output.contains(&path("relative")), "{}", json.output);
    // So is media behind a link.
    let server = "<smil><body><video src='bframes.ismv'/></body></smil>";
    fs::write(folder.0.join("films/a.ism"), server).unwrap();
    let media = folder.0.join("films/bframes.ismv");
    symlink(other.join("bframes/bframes.ismv"), &media).unwrap();
    let json = folder.check(&["--json"]).output;
    let title = json.lines().find(|line| line.contains("\"films/a.ism\"")).unwrap();
    let title: Value = serde_json::from_str(title).unwrap();
    let message = format!(
        "it is a link that leads out of the folder, to {shown}/bframes/bframes.ismv, so it is not \
         followed; let `serve` follow it with `--links-into {shown}/bframes`, or put the files \
         themselves there"
    );
    assert_eq!(title["findings"][0]["message"], message);
    assert_eq!(inspect(&folder.0.join("films/a.ism"))["findings"][0]["message"], message);
    // What is advised helps.
    let into = other.join("bframes");
    let followed = folder.check(&["--json", "--links-into", into.to_str().unwrap()]);
    assert!(!followed.output.contains("leads out"), "{}", followed.output);
    let fine = "\"health\":\"fine\",\"notes\":[],\"presentation\":\"out/bframes.ism\"";
    assert!(followed.output.contains(fine), "{}", followed.output);
}

/// The entry of a path, from the example `inspect`.
fn inspect(path: &Path) -> Value {
    let inspect = program().with_file_name(format!("inspect{}", std::env::consts::EXE_SUFFIX));
    let output = Command::new(inspect).arg("--json").arg(path).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}
