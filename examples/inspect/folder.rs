//! Every presentation beneath a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use common::other_file::{self, Sort};
use common::{Trouble, refused_link};
use smooth_origin::origin::Origin;

use crate::deep::Depth;
use crate::entry::Entry;
use crate::open;

/// The depth to which a folder is looked into, and the comparison of its names.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Levels of folders beneath it.
    pub(crate) depth: usize,
    /// Presentations.
    pub(crate) presentations: usize,
    /// Names that differ in spelling alone are found.
    pub(crate) ignore_case: bool,
    /// The part of each presentation that is looked at.
    pub(crate) of_each: Depth,
}

/// More names than these are not read beneath one folder.
const MAX_NAMES: usize = 1_000_000;

/// Gives `each` an entry per presentation beneath `root`, and one per folder that was not looked into.
///
/// # Errors
/// Those of `each`.
pub(crate) fn entries(
    root: &Path,
    bounds: Bounds,
    each: impl FnMut(Entry) -> io::Result<()>,
) -> io::Result<()> {
    let origin = match open::store(root, bounds.ignore_case) {
        Ok(origin) => origin,
        Err(error) => {
            let mut each = each;
            return each(Entry::troubled(root, Trouble::of(root, &error)));
        }
    };
    let mut walk = Walk {
        root,
        origin,
        bounds,
        each,
        entries: 0,
        presentations: 0,
        names: 0,
        media: Vec::new(),
        is_over: false,
    };
    walk.folder("", 0)?;
    if walk.entries > 0 {
        return Ok(());
    }
    let without = Entry::troubled(root, other_file::folder(root, walk.media));
    (walk.each)(without)
}

struct Walk<'a, F> {
    root: &'a Path,
    origin: Origin,
    bounds: Bounds,
    each: F,
    /// The results that `each` was given.
    entries: usize,
    presentations: usize,
    names: usize,
    /// The first file of each other sort, to say what to do with a folder that has no `.ism`.
    media: Vec<(Sort, PathBuf)>,
    /// A budget is used up.
    is_over: bool,
}

impl<F: FnMut(Entry) -> io::Result<()>> Walk<'_, F> {
    /// Files first, then folders, each by name. `below` is relative to the root; its depth is
    /// bounded, and so is the recursion.
    fn folder(&mut self, below: &str, depth: usize) -> io::Result<()> {
        let path = self.path(below);
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => {
                let Trouble { reason, advice } = Trouble::of(&path, &error);
                let entry = Entry::not_looked_at(path, reason);
                return self.give(match advice {
                    Some(advice) => entry.advise(advice),
                    None => entry,
                });
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let reason = common::without_numbers(error.to_string());
                    self.not_looked_at(&path, format!("it cannot be read to its end: {reason}"))?;
                    break;
                }
            };
            self.names += 1;
            if self.names > MAX_NAMES {
                self.is_over = true;
                let message = format!("not all of it: there are more than {MAX_NAMES} names");
                self.not_looked_at(&path, message)?;
                break;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let is_folder = kind.is_dir() || kind.is_symlink() && entry.path().is_dir();
            match (is_folder, entry.file_name().into_string()) {
                (true, _) if kind.is_symlink() => self.linked_folder(&entry.path())?,
                (true, Ok(name)) => folders.push(name),
                (false, Ok(name)) => files.push(name),
                (true, Err(_)) => self.not_looked_at(&entry.path(), open::NOT_UTF8.into())?,
                (false, Err(_)) if has_server_manifest_name(&entry.path()) => {
                    self.give(Entry::not_opened(entry.path(), open::NOT_UTF8))?;
                }
                (false, Err(_)) => {}
            }
        }
        files.sort_unstable();
        folders.sort_unstable();
        for name in files {
            self.file(join(below, &name))?;
        }
        for name in folders {
            if self.is_over {
                return Ok(());
            }
            let name = join(below, &name);
            if open::is_folder_presentation(&self.path(&name)) {
                self.presentation(name)?;
            } else if depth < self.bounds.depth {
                self.folder(&name, depth + 1)?;
            } else {
                let message = format!("it is more than {} folders deep", self.bounds.depth);
                let entry = Entry::not_looked_at(self.path(&name), message);
                self.give(entry.advise("raise --depth, or name this folder"))?;
            }
        }
        Ok(())
    }

    fn file(&mut self, name: String) -> io::Result<()> {
        let path = self.path(&name);
        if self.is_over || !has_server_manifest_name(&path) {
            if let Some(sort) = Sort::by_name(&path)
                && self.media.iter().all(|(other, _)| *other != sort)
            {
                self.media.push((sort, path));
            }
            return Ok(());
        }
        self.presentation(name)
    }

    fn presentation(&mut self, name: String) -> io::Result<()> {
        if self.presentations == self.bounds.presentations {
            self.is_over = true;
            let message =
                format!("not all of it: there are more than {} presentations", self.presentations);
            let entry = Entry::not_looked_at(self.root, message);
            return self.give(entry.advise("raise --most, or name the folders one by one"));
        }
        self.presentations += 1;
        let entry = open::presentation(&self.origin, self.root, &name, self.bounds.of_each);
        self.give(entry)
    }

    /// A link to a folder is not looked into: where it stays beneath the root, its folder is looked into
    /// under its own name.
    fn linked_folder(&mut self, link: &Path) -> io::Result<()> {
        let Some(Trouble { reason, advice }) = refused_link::explain(self.root, link) else {
            return Ok(());
        };
        let entry = Entry::not_looked_at(link, reason);
        let target = link.canonicalize().unwrap_or_else(|_| link.to_owned());
        let advice = advice.map(|advice| format!("{advice}; ")).unwrap_or_default();
        self.give(entry.advise(format!("{advice}to look at it, name {}", target.display())))
    }

    fn not_looked_at(&mut self, path: &Path, message: String) -> io::Result<()> {
        self.give(Entry::not_looked_at(path, message))
    }

    fn give(&mut self, entry: Entry) -> io::Result<()> {
        self.entries += 1;
        (self.each)(entry)
    }

    fn path(&self, below: &str) -> PathBuf {
        if below.is_empty() { self.root.to_owned() } else { self.root.join(below) }
    }
}

fn has_server_manifest_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ism"))
}

/// Names are divided by `/` on every system.
fn join(below: &str, name: &str) -> String {
    if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") }
}
