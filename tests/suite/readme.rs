//! The README shows commands and code that exist.

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::presentation::{FindingCode, Severity};
use smooth_origin::storage::MemoryStore;

fn read(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    // A checkout on Windows may have other ends of lines.
    std::fs::read_to_string(path).unwrap().replace("\r\n", "\n")
}

/// The README's section of this title, without the ones after it.
fn section(title: &str) -> String {
    let readme = read("README.md");
    let heading = format!("\n## {title}\n");
    let at = readme.find(&heading).unwrap_or_else(|| panic!("README.md has no section `{title}`"));
    let section = &readme[at + heading.len()..];
    section.split("\n## ").next().unwrap().to_owned()
}

/// The first block of code in this language.
fn block(section: &str, language: &str) -> String {
    let (_, block) = section
        .split_once(&format!("```{language}\n"))
        .unwrap_or_else(|| panic!("there is no block of {language}"));
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_readme_shows_the_embed_example_as_it_is() {
    let file = read("examples/embed.rs");
    let code: Vec<_> = file.lines().skip_while(|line| line.starts_with("//!")).collect();
    let shown = block(&section("In your own server"), "rust");
    assert_eq!(shown.trim(), code.join("\n").trim());
}

#[test]
fn the_readme_shows_the_dependencies_of_the_embed_example() {
    let manifest = read("examples/frameworks/Cargo.toml");
    let shown = block(&section("In your own server"), "toml");
    let mut names = Vec::new();
    for line in shown.lines().filter(|line| line.contains(" = ")) {
        let (name, value) = line.split_once(" = ").unwrap();
        let own = manifest.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")));
        let own = own.unwrap_or_else(|| panic!("the example does not use {name}"));
        let features = |value: &str| value.split_once("features = [").map(|(_, f)| f.to_owned());
        if value.contains("features") {
            assert_eq!(features(value), features(own), "{name}");
        }
        names.push(name.to_owned());
    }
    names.sort();
    assert_eq!(names, ["axum", "smooth-origin", "tokio"]);
}

#[test]
fn the_packaging_command_of_the_readme_is_the_one_that_the_finding_advises() {
    let command = block(&section("The smallest presentation"), "sh");
    let advice = FindingCode::NeedsPackaging.advice();
    assert!(advice.contains(&format!("`{}`", command.trim())), "{command:?} is not in {advice:?}");
}

#[test]
fn the_smallest_presentation_of_the_readme_is_served_whole() {
    let text = block(&section("The smallest presentation"), "xml");
    let media =
        std::fs::read(format!("{}/testdata/bframes/bframes.ismv", env!("CARGO_MANIFEST_DIR")));
    let store = MemoryStore::new();
    store.put(Name::new("film.ism").unwrap(), text);
    // It was made by ffmpeg, and has the same tracks as what the printed command makes.
    store.put(Name::new("out.ismv").unwrap(), media.unwrap());
    let origin = Origin::new(store);

    let opened = block_on(origin.open(&Name::new("film.ism").unwrap())).unwrap();
    let presentation = opened.presentation();
    let findings = presentation.findings();
    assert!(findings.iter().all(|f| f.severity() == Severity::Info), "{findings:?}");
    let kinds: Vec<_> = presentation.streams().iter().map(|stream| stream.kind()).collect();
    assert_eq!(kinds, [StreamKind::Video, StreamKind::Audio]);
    for stream in presentation.streams() {
        let track = &stream.tracks()[0];
        assert!(!stream.timeline().is_empty());
        assert_eq!(track.fragment_count(), stream.timeline().len());
        let (start, _) = stream.timeline().chunk(0).unwrap();
        let path = format!(
            "/film.ism/QualityLevels({})/Fragments({}={start})",
            track.bitrate(),
            stream.name()
        );
        assert_eq!(&get(&origin, &path)[4..8], b"moof", "{path}");
    }
    assert!(get(&origin, "/film.ism/Manifest").starts_with(b"<?xml"));
}

fn get(origin: &Origin, path: &str) -> Bytes {
    let Answer::Reply(served) = block_on(origin.answer(path)).unwrap() else {
        panic!("{path} is a redirect")
    };
    let (mut body, mut all) = (served.body(), Vec::new());
    while let Some(bytes) = block_on(body.next()) {
        all.extend_from_slice(&bytes.unwrap());
    }
    all.into()
}
