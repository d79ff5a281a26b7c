//! The house: a module names only lower floors, modules on one floor do not know each other, and
//! the floors of the core do no input or output.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Floor of every module of the crate; see the drawing in `src/lib.rs`.
const FLOORS: &[(&str, u8)] = &[
    ("base", 0),
    ("bmff", 1),
    ("manifest", 1),
    ("fragment", 2),
    ("codec", 2),
    ("captions", 2),
    ("index", 3),
    ("presentation", 4),
    ("output", 5),
    ("storage", 6),
    ("origin", 7),
    ("service", 8),
];

/// Floors up to this one are pure.
const CORE: u8 = 5;

/// What a pure floor may not name: what reads, waits, or differs from run to run.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time",
    "std::env",
    "std::io",
    "std::os",
    "std::future",
    "std::task",
    "SystemTime",
    "Instant",
    "rustix",
    "futures_util",
    "quick_cache",
    "http::",
    "async fn",
    ".await",
];

/// `std::io::Error` is the cause that a store gives, and what `byteorder` reads a slice with.
const ALLOWED: &[(&str, &str)] = &[
    ("base/error.rs", "std::io"),
    // These tell how long to wait; no clock is read.
    ("base/error.rs", "std::time"),
    ("base/cursor.rs", "std::io"),
];

/// Libraries that only one place may know.
const WRAPPED: &[(&str, &str)] = &[
    ("quick_xml", "manifest/xml.rs"),
    ("encoding_rs", "manifest/encoding.rs"),
    ("itoa", "manifest/xml.rs"),
    ("xxhash_rust", "presentation/validator.rs"),
    ("quick_cache", "origin/ storage/local/"),
    ("rustix", "storage/local/ origin/handles.rs"),
    ("unicode_normalization", "storage/spelling.rs"),
    ("futures_channel", "origin/offload.rs"),
    ("flate2", "service/compression.rs"),
    ("brotli", "service/compression.rs"),
    ("httpdate", "service/conditions/ service/prepared.rs"),
    ("axum", "service/axum.rs"),
    ("tracing", "origin/trace.rs"),
    ("metrics", "origin/meters.rs"),
];

/// Code of every source file by its path below `src/`, without comments and tests.
fn sources() -> BTreeMap<String, String> {
    fn collect(root: &Path, folder: PathBuf, sources: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, path, sources);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                sources.insert(name, code(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = BTreeMap::new();
    collect(&root, root.clone(), &mut sources);
    sources
}

fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// Modules that follow `crate::`, also in braces: `crate::{base, bmff::Boxes}`.
fn named_modules(code: &str) -> Vec<String> {
    let mut named = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let words = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').collect(),
            None => vec![rest],
        };
        for word in words {
            let word: String =
                word.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            named.push(word);
        }
    }
    named
}

#[test]
fn a_module_names_only_lower_floors() {
    let mut checked = 0;
    for (file, code) in sources() {
        let module = file.split(['/', '.']).next().unwrap();
        if module == "lib" {
            continue;
        }
        let floor = floor_of(module).unwrap_or_else(|| panic!("{file}: no floor for `{module}`"));
        for named in named_modules(&code) {
            let below = floor_of(&named)
                .unwrap_or_else(|| panic!("{file} names `crate::{named}`, which has no floor"));
            assert!(
                named == module || below < floor,
                "{file} (floor {floor}) names `{named}` (floor {below})"
            );
            checked += 1;
        }
        // `super::super::` could leave the module unseen.
        let depth = file.matches('/').count();
        let ups = (1..8).filter(|n| code.contains(&"super::".repeat(*n))).max().unwrap_or(0);
        assert!(ups <= depth, "{file} leaves its module by `super::`");
    }
    assert!(checked > 100, "only {checked} names were found: the test reads nothing");
}

#[test]
fn every_module_of_the_crate_has_a_floor_and_the_drawing_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(root.join("lib.rs")).unwrap();
    for entry in fs::read_dir(&root).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        if module != "lib" {
            assert!(floor_of(module).is_some(), "{module} has no floor");
        }
    }
    for (module, floor) in FLOORS {
        assert!(root.join(module).is_dir(), "{module} is gone");
        let drawn =
            lib.lines().any(|line| line.contains(&format!("[{floor} ")) && line.contains(module));
        assert!(drawn, "the drawing in lib.rs does not show {module} on floor {floor}");
    }
}

#[test]
fn the_core_reads_nothing_waits_for_nothing_and_knows_no_clock() {
    let mut checked = 0;
    for (file, code) in sources() {
        let module = file.split(['/', '.']).next().unwrap();
        if floor_of(module).is_none_or(|floor| floor > CORE) {
            continue;
        }
        for word in IMPURE {
            let allowed = ALLOWED.contains(&(file.as_str(), word));
            assert!(allowed || !code.contains(word), "{file} names `{word}`");
        }
        checked += 1;
    }
    assert!(checked > 50);
}

#[test]
fn a_library_whose_api_moves_is_known_in_one_place() {
    for (file, code) in sources() {
        for (library, places) in WRAPPED {
            let known = places.split(' ').any(|place| file.starts_with(place));
            assert!(known || !code.contains(&format!("{library}::")), "{file} names `{library}`");
        }
    }
}

#[test]
fn the_time_of_day_comes_from_the_clock_of_the_origin() {
    for (file, code) in sources() {
        // A store compares its files with the clock of the machine.
        let may = file == "origin/clock.rs" || file.starts_with("storage/");
        assert!(may || !code.contains("SystemTime::now"), "{file} reads the clock of the machine");
    }
}
