//! Links and commands of the documents hold wherever the documents are shown: in the repository, on
//! a registry's page, and on docs.rs.

use std::fs;
use std::path::{Path, PathBuf};

/// Documents that are shown outside the repository, where a link to a file leads nowhere: the README
/// by registries, the others by docs.rs as the modules of `manual`.
const SHOWN_ELSEWHERE: &[&str] = &["README.md", "docs/operating.md", "docs/findings.md"];

/// The documentation of this crate, as docs.rs addresses it.
const DOCS: &str = "https://docs.rs/smooth-origin";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// All Markdown documents of the repository, as paths below its root.
fn documents() -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let is_skipped = name == "target" || name == ".git" || name == "corpus";
            if path.is_dir() && !is_skipped {
                collect(&path, found);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(root(), &mut found);
    let names = found.iter().map(|path| path.strip_prefix(root()).unwrap());
    names.map(|name| name.to_str().unwrap().replace('\\', "/")).collect()
}

/// The README's pictures. Pages that do not find them show their alternative texts.
const PICTURES: &[&str] = &["docs/serve.svg", "docs/page-timeline.png", "docs/page-play.png"];

/// Targets of the links and images of a document, outside of its blocks of code.
fn links(text: &str) -> Vec<&str> {
    let blocks = text.split("\n```").step_by(2);
    let starts = blocks.flat_map(|block| block.split("](").skip(1));
    starts.map(|link| link.split(')').next().unwrap()).collect()
}

fn is_absolute(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://")
}

/// The anchor that renderers give a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_to_files_and_headings_lead_somewhere() {
    let mut checked = 0;
    for document in documents() {
        let text = read(&document);
        for link in links(&text).into_iter().filter(|link| !is_absolute(link)) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let folder = root().join(&document).parent().unwrap().to_owned();
            let path = folder.join(file);
            assert!(file.is_empty() || path.exists(), "{document}: {link} is not there");
            if !heading.is_empty() {
                let target =
                    if file.is_empty() { text.clone() } else { fs::read_to_string(path).unwrap() };
                let mut headings = target.lines().filter_map(|line| line.strip_prefix('#'));
                assert!(
                    headings.any(|line| anchor(line.trim_start_matches('#').trim()) == heading),
                    "{document}: {link} names no heading"
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 5, "only {checked} links were found: the test reads nothing");
}

#[test]
fn documents_that_are_shown_outside_the_repository_link_to_no_files() {
    for document in SHOWN_ELSEWHERE {
        for link in links(&read(document)) {
            let holds = is_absolute(link) || link.starts_with('#') || PICTURES.contains(&link);
            assert!(holds, "{document}: {link} leads nowhere on a registry's page or docs.rs");
        }
    }
}

#[test]
fn links_to_the_crates_documentation_name_its_modules_and_types() {
    let lib = read("src/lib.rs");
    let mut checked = 0;
    for document in documents() {
        for link in links(&read(&document)) {
            let Some(path) = link.strip_prefix(DOCS) else { continue };
            let path = path.strip_prefix("/latest/smooth_origin/").unwrap_or_default();
            let path = path.split('#').next().unwrap();
            let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
            for part in &parts {
                let declared = match part.split('.').collect::<Vec<_>>()[..] {
                    ["index", "html"] => true,
                    [module] => lib.contains(&format!("mod {module}")),
                    ["struct", name, "html"] => {
                        let exports = read(&format!("src/{}/mod.rs", parts[0]));
                        exports.contains(name)
                    }
                    _ => false,
                };
                assert!(declared, "{document}: {link}: the crate has no {part}");
            }
            checked += 1;
        }
    }
    assert!(checked >= 3, "only {checked} links were found: the test reads nothing");
}

#[test]
fn docs_rs_shows_every_document_that_is_not_the_readme() {
    let (lib, manifest) = (read("src/lib.rs"), read("Cargo.toml"));
    for document in SHOWN_ELSEWHERE {
        let is_shown = lib.contains(&format!("include_str!(\"../{document}\")"));
        assert!(is_shown || *document == "README.md", "src/lib.rs does not include {document}");
        let in_docs = document.starts_with("docs/") && manifest.contains("\"/docs/*.md\"");
        let is_packed = in_docs || manifest.contains(&format!("\"/{document}\""));
        assert!(is_packed, "the package does not include {document}");
    }
}

/// Names in code that look like paths: `examples/sendfile`, `.ci/run`, `docs/operating.md`.
#[test]
fn files_and_folders_that_the_readme_names_are_there() {
    let text = read("README.md");
    let tops: Vec<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut checked = 0;
    for code in
        text.split('`').skip(1).step_by(2).filter(|code| !code.contains(char::is_whitespace))
    {
        let (top, rest) = code.split_once('/').unwrap_or((code, ""));
        if tops.iter().any(|name| name == top) || code.ends_with(".md") && !code.starts_with('.') {
            assert!(root().join(code).exists(), "README.md names {code}");
            checked += usize::from(!rest.is_empty() || top == code);
        }
    }
    assert!(checked > 8, "only {checked} paths were found: the test reads nothing");
}

#[test]
fn examples_that_the_documents_run_are_there() {
    let manifests = ["examples/Cargo.toml", "examples/frameworks/Cargo.toml"].map(read);
    let mut checked = 0;
    for document in documents() {
        for rest in read(&document).split("--example ").skip(1) {
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let line = format!("name = \"{name}\"");
            let is_there = manifests.iter().any(|manifest| manifest.contains(&line));
            assert!(is_there, "{document} runs the example {name}");
            checked += 1;
        }
    }
    assert!(checked > 3, "only {checked} commands were found: the test reads nothing");
}
