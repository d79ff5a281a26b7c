//! Configurations: files in TOML, `--print-config`, and the command line, which overrides both.

use std::path::PathBuf;

use crate::program::{Ended, run};

/// A configuration in a file, which is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("smooth-serve-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // A file that is gone need not be removed.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The configuration that a file and some options make.
fn printed(file: &File, options: &[&str]) -> String {
    let ended = run(&[&["--config", file.path(), "--print-config"], options].concat());
    assert_eq!((ended.status, ended.errors.as_str()), (0, ""));
    ended.output
}

/// The sentence about a file that is refused.
fn sentence(name: &str, text: &str) -> String {
    let file = File::new(name, text);
    let Ended { status, output, errors } = run(&["--config", file.path()]);
    assert_eq!((status, output.as_str()), (2, ""), "{errors}");
    errors.replace(file.path(), "FILE")
}

fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|other| other == line)
}

#[test]
fn the_printed_configuration_has_every_option_and_is_accepted() {
    let defaults = run(&["--print-config"]).output;
    let help = run(&["--help"]).output;
    let words = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    let mut options = 0;
    for option in words.filter(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')) {
        if matches!(
            option,
            "config" | "print-config" | "check" | "json" | "healthcheck" | "help" | "version"
        ) {
            continue;
        }
        options += 1;
        let starts = [format!("{option} = "), format!("# {option} = "), format!("[{option}]")];
        let is_start = |line: &str| starts.iter().any(|start| line.starts_with(start.as_str()));
        assert!(defaults.lines().any(is_start), "--{option} is not printed");
    }
    assert!(options > 30, "{options}");
    assert_eq!(printed(&File::new("defaults", &defaults), &[]), defaults);
}

#[test]
fn values_of_a_file_count_and_are_printed_in_a_form_that_is_accepted() {
    let file = File::new(
        "values",
        r#"
        listen = "[::1]:0"
        settling-time = 0.3
        max-reads = 0x10
        immutable = true
        text-xml = false
        without = ["dash"]
        epoch = "a \"word\" \\ \u0001"
        folders = { films = "/srv/films", series = "/srv/a=b" }
        limit = { samples = 9 }
        [cache-control]
        manifest = "max-age=5, s-maxage=60"
        "#,
    );
    let first = printed(&file, &[]);
    for line in [
        r#"listen = "[::1]:0""#,
        "settling-time = 0.3",
        "max-reads = 16",
        "immutable = true",
        "text-xml = false",
        r#"without = ["dash"]"#,
        r#"epoch = "a \"word\" \\ \u0001""#,
        r#"folders = ["films=/srv/films", "series=/srv/a=b"]"#,
        "samples = 9",
        "boxes = 65536",
        r#"manifest = "max-age=5, s-maxage=60""#,
    ] {
        assert!(has_line(&first, line), "{line} is not in {first}");
    }
    assert_eq!(printed(&File::new("again", &first), &[]), first);
}

#[test]
fn the_command_line_overrides_a_file() {
    let file = File::new(
        "overridden",
        r#"
        folders = ["/srv/film"]
        log-level = "debug"
        without = ["dash"]
        max-reads = 3
        limit = { samples = 9, boxes = 10 }
        "#,
    );
    let options = ["/srv/other", "--quiet", "--without", "hls", "--limit", "samples=7"];
    let text = printed(&file, &options);
    for line in [
        r#"folders = ["/srv/other"]"#,
        "quiet = true",
        r#"# log-level = "info""#,
        r#"without = ["hls"]"#,
        "max-reads = 3",
        "samples = 7",
        "boxes = 10",
    ] {
        assert!(has_line(&text, line), "{line} is not in {text}");
    }
}

#[test]
fn wrong_keys_and_values_are_refused_with_their_place_and_what_would_be_right() {
    let all = sentence(
        "wrong",
        "# A comment, é\n\
         lisen = \"x\"\n\
         listen = \"localhost\"\n\
         max_reads = 1\n\
         max-reads = 0\n\
         immutable = \"yes\"\n\
         workers = [1]\n\
         hot-memory = true\n\
         without = [\"dash\", \"flash\"]\n\
         config = \"other.toml\"\n\
         [limit]\n\
         sample = 5\n\
         moov = [1]\n\
         [cache-control]\n\
         manifest = \"private\"\n",
    );
    let mut lines = all.lines();
    for line in [
        "error: FILE:2:1: there is no key `lisen`; the nearest is `listen`",
        "       FILE:3:10: `listen`: give a port as well: localhost:8080",
        "       FILE:4:1: there is no key `max_reads`; the nearest is `max-reads`",
        "       FILE:5:13: `max-reads`: give a whole number of reads from 1 to 1000000",
        "       FILE:6:13: `immutable` takes true or false",
        "       FILE:7:11: `workers` takes one value, not a list or a table",
        "       FILE:8:14: `hot-memory` takes a value, not true or false",
        "       FILE:9:20: `without`: give one of smooth, dash, hls",
    ] {
        assert_eq!(lines.next(), Some(line));
    }
    let line = lines.next().unwrap();
    assert!(line.starts_with("       FILE:10:1: there is no key `config`"), "{line}");
    let line = "       FILE:12:10: `limit`: there is no limit `sample`; the nearest is `samples`";
    assert_eq!(lines.next(), Some(line));
    let rest: Vec<_> = lines.take(2).collect();
    assert!(rest[0].starts_with("       FILE:13:8: `limit` has a value of the wrong kind"));
    assert!(rest[1].starts_with("       FILE:15:12: `cache-control`: write no-store, or begin"));
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_the_place() {
    let text = sentence("no-toml", "listen = \"127.0.0.1:0\"\nlist = \n");
    assert!(text.starts_with("error: FILE:2:8: this is not TOML: "), "{text}");
    let text = sentence("twice", "list = 1\nlist = 2\n");
    assert!(text.starts_with("error: FILE:2:1: this is not TOML: duplicate key"), "{text}");
}

#[test]
fn keys_that_contradict_each_other_are_refused_with_both_lines() {
    let text = sentence("both", "quiet = true\n\nlog-level = \"warn\"\n");
    let first = "error: FILE:3:1: `log-level` cannot be used with `quiet` in line 1: \
                 remove one of them\n";
    assert!(text.starts_with(first), "{text}");
    let all = "pass-media = true\nno-files = true\nfiles = [\"*.jpg\"]\n";
    let text = sentence("three", all);
    let lines: Vec<_> = text.lines().take(2).map(str::trim_start).collect();
    assert_eq!(
        lines,
        [
            "error: FILE:2:1: `no-files` cannot be used with `pass-media` in line 1: \
             remove one of them",
            "FILE:3:1: `files` cannot be used with `no-files` in line 2: remove one of them",
        ]
    );
    let file =
        File::new("apart", "quiet = false\nlog-level = \"warn\"\nfiles = []\nno-files = true\n");
    assert!(has_line(&printed(&file, &[]), r#"log-level = "warn""#));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let Ended { status, errors, .. } = run(&["--config", "no-such.toml"]);
    assert_eq!(status, 1);
    assert!(errors.starts_with("error: cannot read the configuration no-such.toml: "), "{errors}");
}
