//! Finding presentations in folders, within bounds.

use std::fmt::Display;
use std::fs::{self, DirEntry, FileType};
use std::path::{Path, PathBuf};

use smooth_origin::base::Name;

use crate::log::{Level, log};
use crate::place::{Place as At, StoreUrl};
use crate::roots::Root;
use crate::{Trouble, refused_link, terminal};

/// Options of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WalkOptions {
    /// Folders that links may lead into.
    pub(crate) links_into: Vec<PathBuf>,
    /// Set if media files are presentations without a server manifest.
    pub(crate) bare_mp4: bool,
}

/// The result of a walk through folders.
pub(crate) struct Found {
    /// The server manifests and folders of fragments, in the order of their names.
    pub(super) names: Vec<Name>,
    /// Media files that were seen.
    media: usize,
    pub(crate) left_out: LeftOut,
}

/// Files and folders that a walk did not look at.
#[derive(Default)]
pub(crate) struct LeftOut {
    /// There are more presentations than these.
    more_than: Option<usize>,
    /// There are more files than [`MAX_ENTRIES`].
    many_entries: bool,
    too_deep: Tally,
    links: Tally,
    unreadable: Tally,
    unnameable: Tally,
    /// Stores that were not listed, and why.
    stores: Vec<String>,
    /// The folders of these, but for names that no URL can have, one by one; no more than [`MAX_PLACES`].
    places: Vec<Place>,
}

/// A folder, or a link to one, that was not looked at.
pub(crate) struct Place {
    /// The path of the folder or link.
    pub(crate) path: PathBuf,
    /// The reason, and what to do.
    pub(crate) trouble: Trouble,
}

/// No more folders that were not looked at are kept one by one.
const MAX_PLACES: usize = 1000;

/// A number of paths, and the first of them.
#[derive(Default)]
struct Tally {
    count: usize,
    first: String,
}

/// Folders deeper than this are not looked into.
const MAX_DEPTH: usize = 8;

/// No more files and folders than these are looked at.
const MAX_ENTRIES: usize = 200_000;

/// No more keys of a store are looked at. A thousand are a request.
#[cfg(feature = "remote")]
const MAX_KEYS: usize = 10_000_000;

/// Number of folders that cannot be read and have a line in the log.
const MAX_LOGGED: usize = 10;

const MEDIA: &[&str] = &[".ismv", ".isma", ".ismt", ".mp4", ".m4v", ".m4a", ".mov"];

/// Media files that may be presentations without a server manifest
/// ([`bare_mp4`](smooth_origin::presentation::OpenOptions::bare_mp4)).
const BARE: &[&str] = &[".mp4", ".m4v", ".m4a", ".mov"];

/// Finds up to `limit` presentations. Links to folders are followed if they lead into one of
/// these folders.
pub(super) fn find(roots: &[Root], options: &WalkOptions, limit: usize) -> Found {
    let mut walk = Walk::new(options, limit, None);
    for root in roots {
        match &root.place {
            At::Folder(_) => walk.folder(root, "", 1),
            At::Store(url) => {
                walk.found.left_out.stores.push(format!(
                    "the store {url}: the page and --check list it, a start does not"
                ))
            }
        }
    }
    walk.found.names.sort();
    // A media file, and the server manifest of the same name.
    walk.found.names.dedup();
    walk.found
}

/// Calls a function for each presentation, as the folders have them, without keeping their names.
/// Returns the files and folders that were not looked at; the number of names in it is 0.
pub(crate) fn visit(roots: &[Root], options: &WalkOptions, each: &mut dyn FnMut(Name)) -> Found {
    let mut walk = Walk::new(options, usize::MAX, Some(each));
    for root in roots {
        match &root.place {
            At::Folder(_) => walk.folder_in_its_order(root, "", 1),
            At::Store(url) => walk.store(root, url),
        }
    }
    walk.found
}

struct Walk<'a> {
    limit: usize,
    /// Without links.
    links_into: Vec<PathBuf>,
    bare_mp4: bool,
    /// Files and folders that were seen.
    entries: usize,
    found: Found,
    /// Takes the presentations, which are kept otherwise.
    each: Option<&'a mut dyn FnMut(Name)>,
}

impl<'a> Walk<'a> {
    fn new(options: &WalkOptions, limit: usize, each: Option<&'a mut dyn FnMut(Name)>) -> Self {
        let WalkOptions { links_into, bare_mp4 } = options;
        let real = links_into.iter().filter_map(|folder| fs::canonicalize(folder).ok());
        let found = Found { names: Vec::new(), media: 0, left_out: LeftOut::default() };
        Self { limit, links_into: real.collect(), bare_mp4: *bare_mp4, entries: 0, found, each }
    }

    /// A folder, by its path below the root.
    fn folder(&mut self, root: &Root, below: &str, depth: usize) {
        if self.each.is_some() {
            return self.folder_in_its_order(root, below, depth);
        }
        let path = path_of(root, below);
        let read = match fs::read_dir(&path) {
            Ok(read) => read,
            Err(error) => return self.unreadable(&path, &error),
        };
        let mut names = Names::default();
        for entry in read {
            if self.entries == MAX_ENTRIES {
                self.found.left_out.many_entries = true;
                break;
            }
            self.entries += 1;
            match entry {
                Ok(entry) => self.add(&entry, &mut names),
                Err(error) => self.unreadable(&path, &error),
            }
        }
        for (name, kind) in names.sorted() {
            if self.found.left_out.more_than.is_some() {
                return;
            }
            self.entry(root, below, depth, name, kind);
        }
    }

    /// Adds an entry that may be or have a presentation; others are only counted.
    fn add(&mut self, entry: &DirEntry, names: &mut Names) {
        let name = entry.file_name();
        match (name.to_str(), entry.file_type()) {
            (None, _) => self.found.left_out.unnameable.add(entry.path().display()),
            (_, Err(error)) => self.unreadable(&entry.path(), &error),
            (Some(name), Ok(kind))
                if kind.is_file() && !is_server_manifest(name) && !self.is_bare(name) =>
            {
                self.found.media += usize::from(is_media(name));
            }
            (Some(name), Ok(kind)) => names.add(name, kind),
        }
    }

    /// A folder, one entry at a time.
    fn folder_in_its_order(&mut self, root: &Root, below: &str, depth: usize) {
        let path = path_of(root, below);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(&path, &error),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.unreadable(&path, &error),
            };
            match (entry.file_name().to_str(), entry.file_type()) {
                (None, _) => self.found.left_out.unnameable.add(entry.path().display()),
                (_, Err(error)) => self.unreadable(&entry.path(), &error),
                (Some(name), Ok(kind)) => self.entry(root, below, depth, name, kind),
            }
        }
    }

    fn entry(&mut self, root: &Root, below: &str, depth: usize, name: &str, kind: FileType) {
        let count = self.found.names.len();
        if self.each.is_none() {
            terminal::show_status(|| format!("looking for presentations: {count} found"));
        }
        let path = match below {
            "" => name.into(),
            _ => format!("{below}/{name}"),
        };
        let full = || path_of(root, &path);
        if kind.is_dir() && is_presentation(&full()) {
            self.presentation(&root.in_urls(&path));
        } else if kind.is_dir() && depth > MAX_DEPTH {
            let trouble = Trouble::advised(
                format!("it is more than {MAX_DEPTH} folders deep"),
                "name this folder itself, to look at it",
            );
            self.found.left_out.place(full(), trouble);
            self.found.left_out.too_deep.add(root.in_urls(&path));
        } else if kind.is_dir() {
            self.folder(root, &path, depth + 1);
        } else if kind.is_symlink() && full().is_dir() {
            // A link to a file is opened like a file.
            self.link(root, &path, depth, &full());
        } else {
            self.file(&root.in_urls(&path));
        }
    }

    /// A store, as far as it lists what it has.
    #[cfg(feature = "remote")]
    fn store(&mut self, root: &Root, url: &StoreUrl) {
        let mut keys = 0;
        let listed = crate::stores::visit(url, &mut |name| {
            keys += 1;
            if keys > MAX_KEYS {
                let what = format!("the keys of {url} beyond the first {MAX_KEYS}");
                self.found.left_out.stores.push(what);
                return false;
            }
            match presentation_of(name) {
                Some(name) => self.presentation(&root.in_urls(name.as_str())),
                None => self.file(&root.in_urls(name.as_str())),
            }
            self.found.left_out.more_than.is_none()
        });
        if let Err(trouble) = listed {
            self.found.left_out.stores.push(format!("the store {url}: {trouble}"));
            self.found.left_out.place(PathBuf::from(url.as_str()), trouble);
        }
    }

    #[cfg(not(feature = "remote"))]
    fn store(&mut self, _: &Root, _: &StoreUrl) {}

    /// A link to a folder.
    fn link(&mut self, root: &Root, path: &str, depth: usize, link: &Path) {
        let target = fs::canonicalize(link);
        let leads_into = |folder: &Path| target.as_ref().is_ok_and(|t| t.starts_with(folder));
        if self.links_into.iter().any(|folder| leads_into(folder)) && depth <= MAX_DEPTH {
            match is_presentation(link) {
                true => self.presentation(&root.in_urls(path)),
                false => self.folder(root, path, depth + 1),
            }
        } else if let Some(trouble) = refused_link::explain(root.folder().unwrap_or(link), link) {
            self.found.left_out.links.add(format_args!("{}: {trouble}", root.in_urls(path)));
            self.found.left_out.place(link.to_owned(), trouble);
        }
        // A relative link that stays beneath the root is served; its folder is listed in its place.
    }

    fn file(&mut self, path: &str) {
        match (is_server_manifest(path), self.is_bare(path)) {
            (true, _) => self.presentation(path),
            (false, true) => self.presentation(&format!("{path}.ism")),
            (false, false) => self.found.media += usize::from(is_media(path)),
        }
    }

    /// Returns whether a file is a presentation without a server manifest. Files of macOS beside others
    /// (`._film.mp4`) are not.
    fn is_bare(&self, path: &str) -> bool {
        let file_name = path.rsplit('/').next().unwrap_or(path);
        let has_ending = || BARE.iter().any(|ending| has_ending(file_name, ending));
        self.bare_mp4 && !file_name.starts_with('.') && has_ending()
    }

    fn presentation(&mut self, path: &str) {
        match Name::new(path) {
            Ok(_) if self.found.names.len() == self.limit => {
                self.found.left_out.more_than = Some(self.limit);
            }
            Ok(name) => match &mut self.each {
                Some(each) => each(name),
                None => self.found.names.push(name),
            },
            Err(_) => self.found.left_out.unnameable.add(path),
        }
    }

    fn unreadable(&mut self, folder: &Path, error: &std::io::Error) {
        let trouble = Trouble::of(folder, error);
        let text = format!("{}: {trouble}", folder.display());
        if self.found.left_out.unreadable.count < MAX_LOGGED {
            log(Level::Warn, format_args!("a folder cannot be read: {text}"));
        }
        self.found.left_out.unreadable.add(text);
        self.found.left_out.place(folder.to_owned(), trouble);
    }
}

/// Returns the presentation that a key of a store is the manifest of.
#[cfg(feature = "remote")]
pub(crate) fn presentation_of(key: &Name) -> Option<Name> {
    match key.as_str().rsplit_once('/') {
        // A folder of fragments.
        Some((folder, last))
            if last.eq_ignore_ascii_case("Manifest")
                && (has_ending(folder, ".ism") || has_ending(folder, ".isml")) =>
        {
            Name::new(folder).ok()
        }
        _ => is_server_manifest(key.as_str()).then(|| key.clone()),
    }
}

/// Names of a folder, in little memory: a folder may have a hundred thousand.
#[derive(Default)]
struct Names {
    text: String,
    /// Start and length of each name in the text.
    places: Vec<(u32, u16, FileType)>,
}

impl Names {
    fn add(&mut self, name: &str, kind: FileType) {
        // No more names than MAX_ENTRIES are added, and a file system has none of 64 KiB.
        let place = u32::try_from(self.text.len()).ok().zip(u16::try_from(name.len()).ok());
        if let Some((start, length)) = place {
            self.text.push_str(name);
            self.places.push((start, length, kind));
        }
    }

    fn sorted(&mut self) -> impl Iterator<Item = (&str, FileType)> {
        let Self { text, places } = self;
        let text: &str = text;
        let name = move |start: u32, length: u16| {
            let start = start as usize;
            text.get(start..start + usize::from(length)).unwrap_or_default()
        };
        places.sort_unstable_by_key(|(start, length, _)| name(*start, *length));
        places.iter().map(move |(start, length, kind)| (name(*start, *length), *kind))
    }
}

/// Returns the path of a folder below a root.
fn path_of(root: &Root, below: &str) -> PathBuf {
    let folder = root.folder().unwrap_or(Path::new(""));
    match below {
        // No slash is added at the end.
        "" => folder.to_owned(),
        below => folder.join(below),
    }
}

fn is_server_manifest(name: &str) -> bool {
    has_ending(name, ".ism")
}

fn is_media(name: &str) -> bool {
    MEDIA.iter().any(|ending| has_ending(name, ending))
}

/// Returns whether a name ends so, in any letter case.
fn has_ending(name: &str, ending: &str) -> bool {
    let start = name.len().checked_sub(ending.len());
    start.and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

/// Returns whether a folder is a folder of fragments, by its name and by that of its manifest.
pub(crate) fn is_presentation(folder: &Path) -> bool {
    let named = |name: &str| {
        folder.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(name))
    };
    let has = |name: &str| folder.join(name).is_file();
    (named("ism") || named("isml")) && (has("Manifest") || has("manifest"))
}

impl Found {
    /// Returns the advice for folders without a presentation.
    pub(crate) fn advice(&self, folders: &str) -> String {
        let none = format!("no presentation (a file that ends in .ism) in {folders}");
        match self.media {
            0 => format!("{none}: copy some there, or name another folder on the command line"),
            1 => format!("{none}, but a media file: it needs an .ism that names it"),
            media => format!(
                "{none}, but {media} media files: each presentation needs an .ism that names its files"
            ),
        }
    }
}

impl LeftOut {
    /// Returns whether a folder was not looked at that may have presentations.
    pub(crate) fn has_places(&self) -> bool {
        !self.places.is_empty()
    }

    /// Returns the number of folders that were not looked at.
    pub(crate) fn count(&self) -> usize {
        self.too_deep.count + self.links.count + self.unreadable.count + self.stores.len()
    }

    /// Returns the folders that were not looked at, one by one; the first of very many.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    fn place(&mut self, path: PathBuf, trouble: Trouble) {
        if self.places.len() < MAX_PLACES {
            self.places.push(Place { path, trouble });
        }
    }

    /// A line for each kind.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let more =
            self.more_than.map(|limit| format!("presentations beyond the first {limit} (--list)"));
        let entries = self
            .many_entries
            .then(|| format!("files beyond the first {MAX_ENTRIES} that the folders list"));
        let depth = format!("folders deeper than {MAX_DEPTH}");
        let tallies = [
            self.too_deep.line(&depth),
            self.links.line("links to folders that are not followed"),
            self.unreadable.line("folders that cannot be read"),
            self.unnameable.line("names that no URL can have"),
        ];
        let all = [more, entries].into_iter().chain(tallies).flatten();
        let all = all.chain(self.stores.iter().cloned());
        all.map(|what| format!("not looked at: {what}"))
    }
}

impl Tally {
    fn add(&mut self, what: impl Display) {
        if self.count == 0 {
            self.first = what.to_string();
        }
        self.count += 1;
    }

    fn line(&self, what: &str) -> Option<String> {
        let Self { count, first } = self;
        (*count > 0).then(|| format!("{what}: {count}, the first is {first}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str], limit: usize) -> Found {
        let mut walk = Walk::new(&WalkOptions::default(), limit, None);
        names.iter().for_each(|name| walk.file(name));
        walk.found
    }

    #[test]
    fn more_presentations_than_the_limit_are_said_to_be_left_out() {
        assert_eq!(found(&["a.ism", "b.ISM"], 2).left_out.lines().count(), 0);
        let found = found(&["a.ism", "b.ism", "c.ism"], 2);
        assert_eq!(found.names.len(), 2);
        let lines: Vec<_> = found.left_out.lines().collect();
        assert_eq!(lines, ["not looked at: presentations beyond the first 2 (--list)"]);
    }

    #[test]
    fn a_folder_of_fragments_is_one_presentation_and_not_looked_into() {
        let top = std::env::temp_dir().join(format!("smooth-walk-{}", std::process::id()));
        let _ = fs::remove_dir_all(&top);
        for path in ["a.ism/Manifest", "a.ism/QualityLevels(1)/x.ism", "b.ism/c.ISML/manifest"] {
            let path = top.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut walk = Walk::new(&WalkOptions::default(), 9, None);
        walk.folder(&Root { prefix: None, place: At::Folder(top.clone()) }, "", 1);
        let names: Vec<_> = walk.found.names.iter().map(Name::as_str).collect();
        assert_eq!(names, ["a.ism", "b.ism/c.ISML"]);
        fs::remove_dir_all(top).unwrap();
    }

    #[test]
    fn media_files_are_presentations_where_they_may_be_without_a_server_manifest() {
        let options = WalkOptions { bare_mp4: true, ..WalkOptions::default() };
        let mut walk = Walk::new(&options, 9, None);
        for name in ["a.mp4", "b/C.MOV", "._a.mp4", "b/.mp4", "d.ismv", "e.ism"] {
            walk.file(name);
        }
        let names: Vec<_> = walk.found.names.iter().map(Name::as_str).collect();
        assert_eq!(names, ["a.mp4.ism", "b/C.MOV.ism", "e.ism"]);
        assert_eq!(walk.found.media, 3);
    }

    #[test]
    fn without_presentations_the_advice_depends_on_the_files() {
        assert!(found(&["a.txt"], 1).advice("/srv").contains("copy some there"));
        assert!(found(&["a.mp4"], 1).advice("/srv").contains("but a media file: "));
    }
}
