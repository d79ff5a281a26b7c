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
            "config"
                | "print-config"
                | "check"
                | "check-config"
                | "json"
                | "healthcheck"
                | "help"
                | "version"
        ) {
            continue;
        }
        options += 1;
        let starts = ["{} = ", "# {} = ", "[{}]", "# [[{}]]"].map(|at| at.replace("{}", option));
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
    let of_line =
        "       FILE:10:1: `config` is no key of a file: give --config on the command line";
    assert_eq!(line, of_line);
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
fn options_without_effect_are_refused_with_what_to_do() {
    for (options, line) in [
        (
            &["--proxy-header", "forwarded"][..],
            "--proxy-header has no effect without --trust-proxy: ",
        ),
        (
            &["--access-log-format", "json"],
            "--access-log-format has no effect without --access-log: ",
        ),
        (
            &["--handshake-timeout", "3"],
            "--handshake-timeout has no effect without --tls-certificate",
        ),
        (
            &["--allow-credentials"],
            "--allow-credentials has no effect while the pages of all sites ",
        ),
        (
            &["--allow-credentials", "--allow-origin", "*"],
            "--allow-credentials has no effect while ",
        ),
        (
            &["--immutable", "--cache-control", "fragment=max-age=5"],
            "--cache-control has no effect on `fragment`, whose Cache-Control is the one of \
             --immutable: remove one of them",
        ),
        (
            &["--no-caching", "--cache-control", "manifest=no-store"],
            "--cache-control has no effect together with --no-caching: remove one of them",
        ),
        (&["--no-caching", "--immutable"], "--immutable has no effect together with --no-caching"),
        (&["--no-caching", "--surrogate-key", "x"], "--surrogate-key has no effect together with "),
        (
            &["--files", "*.JPG", "--files", "*.ismv"],
            "--files `*.ismv` has no effect without --pass-media",
        ),
        (
            &["--files", "*.ism", "--pass-media"],
            "--files `*.ism` has no effect: manifests are never ",
        ),
        (&["--files", ""], "--files has an empty pattern, "),
        (&["--pass-media"], "--pass-media has no effect without --files: "),
        (
            &["--without", "dash", "--without", "hls", "--without", "smooth"],
            "--without names all formats, so that no presentation would be served: remove one",
        ),
        (
            &["--without", "smooth", "--text-xml"],
            "--text-xml has no effect, because --without names ",
        ),
        (&["--epoch", ""], "--epoch is empty: "),
        (&["--live-point", "a.isml"], "--live-point has no effect without --live, "),
        (
            &["--live-token-file", "no-such-file"],
            "--live-token-file has no effect without --live, ",
        ),
        (&["--live-from", "any"], "--live-from has no effect without --live, "),
        (&["--live-window", "60"], "--live-window has no effect without --live or, "),
        (
            &["--live", "--live-client-ca", "no-such-file"],
            "--live-client-ca has no effect without --tls-certificate: ",
        ),
    ] {
        for print in [&[][..], &["--print-config"]] {
            let Ended { status, output, errors } = run(&[options, print].concat());
            assert_eq!((status, output.as_str()), (2, ""), "{options:?}: {errors}");
            assert!(errors.starts_with(&format!("error: {line}")), "{options:?}: {errors}");
        }
    }
    for options in [
        &["--proxy-header", "forwarded", "--trust-proxy", "::1"][..],
        &["--allow-credentials", "--allow-origin", "https://a.example"],
        &["--immutable", "--cache-control", "live-fragment=max-age=5"],
        &["--files", "*.ismv", "--pass-media"],
        &["--without", "dash", "--without", "hls"],
        // As without them.
        &[
            "--no-caching",
            "--cache-control",
            "manifest=max-age=60",
            "--surrogate-key",
            "surrogate-key",
        ],
    ] {
        let ended = run(&[options, &["--print-config"]].concat());
        assert_eq!((ended.status, ended.errors.as_str()), (0, ""), "{options:?}");
        // What is printed is accepted.
        printed(&File::new("effective", &ended.output), &[]);
    }
}

#[test]
fn keys_without_effect_are_refused_with_their_line_unless_the_command_line_overrides_them() {
    let text = "immutable = true\n\
                proxy-header = \"forwarded\"\n\
                files = [\"*.jpg\", \"*.ismv\"]\n\
                [cache-control]\n\
                fragment = \"max-age=7\"\n";
    let all = sentence("idle", text);
    for line in [
        "FILE:2:1: `proxy-header` has no effect without `trust-proxy`: ",
        "FILE:5:12: `cache-control` has no effect on `fragment`, whose Cache-Control is the one of \
         `immutable`: remove one of them\n",
        "FILE:3:19: `files` `*.ismv` has no effect without `pass-media`: ",
    ] {
        assert!(all.contains(line), "{line} is not in {all}");
    }
    let file = File::new("idle-overridden", text);
    let others = ["--trust-proxy", "::1", "--pass-media"];
    printed(&file, &[&others[..], &["--no-caching"]].concat());
    let line = ["--config", file.path(), "--cache-control", "fragment=no-store"];
    let ended = run(&[&others[..], &line].concat());
    let of_both = format!("whose Cache-Control is the one of --immutable ({}:1): ", file.path());
    assert!(ended.status == 2 && ended.errors.contains(&of_both), "{}", ended.errors);
}

#[test]
fn folders_of_a_file_that_cannot_be_served_together_are_named_with_their_line() {
    for (folders, wrong) in [
        ("[\"/a\", \"/b\"]", "where several folders are served, each has a prefix: films=/a\n"),
        ("[\"a=/a\", \"a=/b\"]", "two folders have the prefix `a`\n"),
    ] {
        let text = sentence("folders", &format!("list = 0\nfolders = {folders}\n"));
        let start = format!("error: FILE:2:1: `folders` cannot be served together: {wrong}");
        assert!(text.starts_with(&start), "{text}");
    }
}

#[test]
fn a_value_has_one_sentence() {
    let text = sentence("long", "max-openings = 99999999999999999999999\n");
    let first =
        "error: FILE:1:16: `max-openings` has a value of the wrong kind: write a smaller number";
    assert_eq!(text.lines().next(), Some(first));
    assert!(!text.contains("takes one value"), "{text}");
}

#[test]
fn a_configuration_that_is_no_text_is_named() {
    let folder = std::env::temp_dir();
    let ended = run(&["--config", folder.to_str().unwrap()]);
    assert!(ended.errors.contains(": it is a folder, not a file; "), "{}", ended.errors);
    let file = File::new("latin", "");
    std::fs::write(&file.0, b"# caf\xe9\n").unwrap();
    let ended = run(&["--config", file.path()]);
    assert!(ended.errors.contains(": it is not text in UTF-8; "), "{}", ended.errors);
}

#[test]
fn a_negative_number_is_a_value_that_is_refused() {
    for (option, wanted) in [
        ("--settling-time", "give a number of seconds from 0 to 31536000, such as 0.3"),
        ("--list", "give a whole number of presentations from 0 to 1000000"),
    ] {
        let ended = run(&[option, "-1"]);
        assert!(ended.status == 2 && ended.errors.contains(wanted), "{}", ended.errors);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let Ended { status, errors, .. } = run(&["--config", "no-such.toml"]);
    assert_eq!(status, 1);
    assert!(errors.starts_with("error: cannot read the configuration no-such.toml: "), "{errors}");
}

#[test]
fn a_timeout_of_no_time_is_refused() {
    for option in ["--read-timeout", "--opening-timeout", "--header-timeout", "--write-timeout"] {
        for value in ["0", "0.0"] {
            let (status, sentence) = crate::program::refused(&[option, value]);
            assert_eq!(status, 2, "{option} {value}");
            assert!(sentence.contains("0 seconds leave no time"), "{sentence}");
        }
    }
}
