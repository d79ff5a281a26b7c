//! The house: a module names only lower floors, modules on one floor do not know each other, the
//! files of a module do not name each other in circles, and the floors of the core do no input or
//! output.

use std::collections::{BTreeMap, BTreeSet};
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
    ("package", 5),
    ("live", 5),
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
    ("base/read_error.rs", "std::io"),
    // These tell how long to wait; no clock is read.
    ("base/error.rs", "std::time"),
    ("base/read_error.rs", "std::time"),
    // These are told how long reads took.
    ("base/step.rs", "std::time"),
    ("presentation/open/walking.rs", "std::time"),
    ("live/moment.rs", "std::time"),
    // The host tells the times of a snapshot.
    ("presentation/live.rs", "std::time"),
    ("manifest/publishing_point.rs", "std::time"),
    ("presentation/growing/samples.rs", "std::time"),
    ("base/cursor.rs", "std::io"),
];

/// Libraries that only one place may know.
const WRAPPED: &[(&str, &str)] = &[
    ("quick_xml", "manifest/xml.rs storage/bucket/remote/list_xml.rs"),
    ("encoding_rs", "manifest/encoding.rs"),
    ("itoa", "manifest/xml.rs"),
    ("fastrand", "storage/retry.rs origin/live/recovery/tests.rs"),
    (
        "xxhash_rust",
        "presentation/validator.rs index/index_file.rs live/intake/header.rs live/held.rs live/journal/",
    ),
    ("quick_cache", "origin/ service/kept_links.rs storage/local/"),
    ("rustix", "storage/local/ storage/disk_cache/ origin/read/handles.rs"),
    ("unicode_normalization", "storage/spelling.rs"),
    ("futures_channel", "origin/offload.rs storage/bucket/run.rs storage/local_archive.rs"),
    ("object_store", "storage/bucket/"),
    ("reqwest", "storage/bucket/remote/connector.rs storage/bucket/remote/unreachable.rs"),
    ("rustls", "storage/bucket/remote/tls.rs storage/bucket/remote/unreachable.rs"),
    ("rustls_platform_verifier", "storage/bucket/remote/tls.rs"),
    ("flate2", "service/compression.rs"),
    ("brotli", "service/compression.rs"),
    ("httpdate", "service/conditions/ service/prepared.rs storage/bucket/remote/answer.rs"),
    ("axum", "service/axum.rs"),
    ("tracing", "origin/trace.rs"),
    ("metrics", "origin/meters.rs"),
    ("foyer", "storage/disk_cache/library.rs"),
    ("tokio", "storage/disk_cache/library.rs"),
];

/// Names of one file in another that close a circle. None may be added.
const CIRCLES: &[(&str, &str)] = &[
    ("bmff/reader", "bmff/tree"),
    ("bmff/table", "bmff/tree"),
    ("codec/sound", "codec/aac"),
    ("codec/sound", "codec/eac3"),
    ("fragment/other_time", "fragment/stored"),
    ("manifest/client/stored", "manifest/client/read"),
    ("presentation/fragment_file", "presentation/fragment_view"),
    ("presentation/open/resolve", "presentation/open/assign"),
    ("presentation/open/resolve", "presentation/open/twins"),
    ("presentation/open/served", "presentation/open/complete"),
    ("presentation/open/walk", "presentation/open/complete"),
    ("presentation/open/walking", "presentation/open/complete"),
    ("presentation/probe", "presentation/fragment_view"),
    ("presentation/role", "presentation/stream"),
    ("presentation/validator", "presentation/client_manifest"),
    ("service/precondition", "service/respond"),
    ("service/problem", "service/failure"),
    ("service/reply_fields", "service/respond"),
    ("service/selection", "service/respond"),
    ("storage/local/portable", "storage/local/tree"),
    ("storage/local/root", "storage/local/portable"),
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
        let may = file.starts_with("storage/");
        assert!(may || !code.contains("SystemTime::now"), "{file} reads the clock of the machine");
    }
}

/// A `use` of a file: the path of one name, and the name by which the file knows it.
struct Use {
    is_public: bool,
    path: Vec<String>,
    name: String,
}

/// The files of the crate as modules: `origin/read/access`, and `origin/read` for its `mod.rs`.
struct Modules {
    code: BTreeMap<String, String>,
    uses: BTreeMap<String, Vec<Use>>,
}

impl Modules {
    fn new() -> Self {
        let mut modules = Self { code: BTreeMap::new(), uses: BTreeMap::new() };
        for (file, code) in sources() {
            let module = file.trim_end_matches(".rs");
            let module = module.strip_suffix("/mod").unwrap_or(module).to_owned();
            let (uses, code) = split_uses(&code);
            modules.uses.insert(module.clone(), uses);
            modules.code.insert(module, code);
        }
        modules
    }

    /// The file that defines what a path in `module` names, if it is one of this crate.
    fn resolve(&self, module: &str, path: &[String]) -> Option<String> {
        let (mut at, mut rest) = (module.to_owned(), path);
        match rest.first()?.as_str() {
            "crate" => (at, rest) = (rest.get(1)?.clone(), &rest[2..]),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|word| word == "super") {
                    (at, rest) = (at.rsplit_once('/')?.0.to_owned(), &rest[1..]);
                }
            }
            first if self.code.contains_key(&format!("{at}/{first}")) => {}
            _ => return None,
        }
        self.code.get(&at)?;
        for word in rest {
            let child = format!("{at}/{word}");
            if self.code.contains_key(&child) {
                at = child;
                continue;
            }
            let mut passed_on = self.uses[&at].iter().filter(|known| known.name == *word);
            return passed_on.find_map(|known| self.resolve(&at, &known.path)).or(Some(at));
        }
        Some(at)
    }

    /// The files of the same module of the crate that a file names. What it only passes on does not
    /// count, and neither does the `mod.rs` of a folder that it is in: a module and its parts
    /// belong together.
    fn named_by(&self, module: &str) -> BTreeSet<String> {
        let used = self.uses[module].iter().filter(|used| !used.is_public);
        let mut paths: Vec<Vec<String>> = used.map(|used| used.path.clone()).collect();
        let code = &self.code[module];
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        for word in code.split(|c| !is_word(c)).filter(|word| word.contains("::")) {
            paths.push(word.split("::").map(str::to_owned).collect());
        }
        let top = |module: &str| module.split('/').next().map(str::to_owned);
        let is_other = |named: &String| {
            top(named) == top(module)
                && named != module
                && !module.starts_with(&format!("{named}/"))
        };
        paths.iter().filter_map(|path| self.resolve(module, path)).filter(is_other).collect()
    }
}

/// The `use` lines of a file, and its code without them.
fn split_uses(code: &str) -> (Vec<Use>, String) {
    let (mut uses, mut rest) = (Vec::new(), String::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let Some((is_public, first)) = use_of(line) else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut tree = first.to_owned();
        while !tree.contains(';') {
            tree.push_str(lines.next().unwrap().trim());
        }
        for path in branches(tree.split(';').next().unwrap()) {
            let mut path: Vec<_> = path.split("::").map(|word| word.trim().to_owned()).collect();
            let last = path.pop().unwrap();
            let (last, name) = last.split_once(" as ").unwrap_or((&last, &last));
            match last {
                "self" => {}
                _ => path.push(last.to_owned()),
            }
            let name = if name == "self" { path.last().unwrap().clone() } else { name.to_owned() };
            uses.push(Use { is_public, path, name });
        }
    }
    (uses, rest)
}

/// Returns the path behind `use` in a line, and whether it is passed on to other files.
fn use_of(line: &str) -> Option<(bool, &str)> {
    let line = line.trim_start();
    if let Some(tree) = line.strip_prefix("use ") {
        return Some((false, tree));
    }
    let rest = line.strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(rest) => rest.split_once(')')?.1,
        None => rest,
    };
    Some((true, rest.trim_start().strip_prefix("use ")?))
}

/// The paths of a tree: `a::b` and `a::c::d` of `a::{b, c::d}`.
fn branches(tree: &str) -> Vec<String> {
    let Some((lead, list)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let list = &list[..list.rfind('}').unwrap()];
    let (mut depth, mut items) = (0, vec![String::new()]);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        items.last_mut().unwrap().push(c);
    }
    let items = items.iter().filter(|item| !item.trim().is_empty());
    let paths = items.flat_map(|item| branches(item.trim()));
    paths.map(|path| format!("{}{path}", lead.trim())).collect()
}

#[test]
fn no_files_of_a_module_name_each_other_in_a_circle() {
    let modules = Modules::new();
    let named: BTreeMap<&str, BTreeSet<String>> =
        modules.code.keys().map(|module| (module.as_str(), modules.named_by(module))).collect();
    let is_known = |from: &str, to: &str| CIRCLES.contains(&(from, to));
    let mut open: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, others) in &named {
        let others = others.iter().map(String::as_str).filter(|other| !is_known(module, other));
        open.insert(module, others.collect());
    }
    assert!(open["origin/ask"].contains("origin/asked"), "the test reads nothing");
    // A file that names none of those that are left, or that none of them names, is in no circle.
    loop {
        let named: BTreeSet<&str> = open.values().flatten().copied().collect();
        let before = open.len();
        open.retain(|module, others| !others.is_empty() && named.contains(module));
        let left: BTreeSet<&str> = open.keys().copied().collect();
        open.values_mut().for_each(|others| others.retain(|other| left.contains(other)));
        if open.len() == before {
            break;
        }
    }
    assert!(open.is_empty(), "circles, with the files that name them: {open:#?}");
}
