//! Opening what a path names.

use std::cmp::Reverse;
use std::io;
use std::path::Path;
use std::time::Duration;

use common::{Stored, Trouble, other_file};
use smooth_origin::base::Name;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::storage::LocalStore;

use crate::deep::{Depth, Seen};
use crate::entry::{self, Entry, Outcome};
use crate::folder::Bounds;

/// Returns whether a folder is a folder of fragments, by its name and by that of its manifest.
pub(crate) fn is_folder_presentation(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).is_file();
    other_file::is_server_manifest(folder) && (has("Manifest") || has("manifest"))
}

/// Inspects a folder of fragments.
pub(crate) fn folder(path: &Path, bounds: Bounds) -> Entry {
    // A path such as `.` has no file name, so it is resolved first.
    let path = &match path.file_name() {
        Some(_) => path.to_owned(),
        None => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
    };
    named(path, bounds)
}

/// A path that is no folder.
pub(crate) fn file(path: &Path, bounds: Bounds) -> Entry {
    match path.metadata() {
        Err(error) => return Entry::troubled(path, Trouble::of(path, &error)),
        Ok(metadata) if !metadata.is_file() => {
            return Entry::troubled(path, other_file::neither());
        }
        Ok(_) if !other_file::is_server_manifest(path) => {
            return Entry::troubled(path, other_file::file(path));
        }
        Ok(_) if std::fs::File::open(path).is_err_and(|error| error.kind() == DENIED) => {
            return Entry::troubled(path, Trouble::of(path, &DENIED.into()));
        }
        Ok(_) => {}
    }
    named(path, bounds)
}

const DENIED: io::ErrorKind = io::ErrorKind::PermissionDenied;

/// Inspects the presentation that a path names.
fn named(path: &Path, bounds: Bounds) -> Entry {
    let (Some(name), Some(root)) = (path.file_name(), path.parent()) else {
        return Entry::not_opened(path, "the path does not end with the name of a file");
    };
    match name.to_str() {
        Some(name) => match store(root, bounds.ignore_case) {
            Ok(origin) => presentation(&origin, root, name, bounds.of_each),
            Err(error) => Entry::troubled(path, Trouble::of(path, &error)),
        },
        None => Entry::not_opened(path, NOT_UTF8),
    }
}

/// An origin over a folder, which finds the same files as `serve` does.
pub(crate) fn store(root: &Path, ignore_case: bool) -> io::Result<Origin> {
    let folder = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let store = LocalStore::new(folder)?.ignore_case(ignore_case);
    // Files that were written a moment ago are inspected, too.
    let builder = Origin::builder(store).settling_time(Duration::ZERO);
    // Each presentation is looked at once: none is kept, however many there are.
    Ok(builder.cache_bytes(0).build())
}

/// The presentation of this name beneath `root`, a folder or the URL of a store.
pub(crate) fn presentation(origin: &Origin, root: &Path, name: &str, depth: Depth) -> Entry {
    let path = root.join(name);
    let stored =
        (!common::is_url(root)).then(|| Stored { root: root.to_owned(), path: path.clone() });
    let opened = Name::new(name).and_then(|name| block_on(origin.open(&name)));
    match opened {
        Ok(opened) => {
            let presentation = opened.presentation().clone();
            let is_point = path.is_file() && other_file::is_publishing_point(&path);
            if presentation.manifest().is_err() && is_point {
                return Entry::troubled(path, other_file::publishing_point());
            }
            let Seen { mut findings, looked } = match depth.look(&opened, &path) {
                Ok(seen) => seen,
                Err(error) => {
                    return Entry::not_looked_at(
                        path,
                        format!("not all of it: {}", common::reason(&error)),
                    );
                }
            };
            findings.extend(presentation.lint());
            // Those of opening come first among equally grave ones.
            findings.sort_by_key(|finding| Reverse(finding.severity()));
            let mut findings = common::for_people(&presentation, findings);
            if let Some(stored) = &stored {
                common::explain_links(&mut findings, name, stored);
            }
            let findings = entry::with_paths(root, &presentation, findings);
            let root = root.to_owned();
            Entry { path, outcome: Outcome::Opened { root, presentation, findings, looked } }
        }
        Err(error) => Entry::troubled(path, Trouble::of_opening(&error, stored.as_ref())),
    }
}

/// Why a name that is no text cannot be opened.
pub(crate) const NOT_UTF8: &str = "its name is not UTF-8: no URL can name it";
