//! Links that a store does not follow.

use std::io;
use std::path::PathBuf;

use super::tree::{EntryKind, Tree};

/// The links beneath a root that are not followed, so that nothing behind them is served.
///
/// ```
/// # fn example(store: &smooth_origin::storage::LocalStore) -> std::io::Result<()> {
/// let refused = store.refused_links(100_000)?;
/// if !refused.is_complete {
///     eprintln!("not all folders were looked at");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedLinks {
    /// The links, by name.
    pub links: Vec<RefusedLink>,
    /// Set if the whole tree was looked at.
    pub is_complete: bool,
}

/// A link that is not followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct RefusedLink {
    /// The path of the link, relative to the root.
    pub name: PathBuf,
    /// The target, as it is written in the link.
    pub target: PathBuf,
}

impl RefusedLinks {
    /// Looks at no more than `most` files, folders and links.
    pub(super) fn find(tree: &Tree, most: usize) -> io::Result<Self> {
        let mut found = Self { is_complete: true, ..Self::default() };
        let mut left = most;
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let opened = tree.open_folder(if folder.is_empty() { "." } else { &folder });
            let entries = match opened.and_then(|open| open.entries(left)) {
                Ok(Some(entries)) => entries,
                Ok(None) => {
                    found.is_complete = false;
                    continue;
                }
                Err(error) if folder.is_empty() => return Err(error),
                // The folder is gone or cannot be read: nothing in it is served either.
                Err(_) => {
                    found.is_complete = false;
                    continue;
                }
            };
            left -= entries.len();
            for entry in entries {
                let name = match folder.is_empty() {
                    true => entry.name,
                    false => format!("{folder}/{}", entry.name),
                };
                match entry.kind {
                    EntryKind::Folder => folders.push(name),
                    EntryKind::Link if tree.is_refused_link(&name) => {
                        let target = tree.path().join(&name).read_link().unwrap_or_default();
                        found.links.push(RefusedLink { name: name.into(), target });
                    }
                    EntryKind::Link | EntryKind::Other => {}
                }
            }
        }
        found.links.sort_unstable();
        Ok(found)
    }
}
