//! Names that differ only in letter case, or in how Unicode writes them.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::system::FolderId;
use super::tree::{Stamp, Tree};
use crate::storage::spelling::folded;

/// Finds names under other spellings, by lists of folders that it keeps for a while.
#[derive(Debug)]
pub(super) struct Spellings {
    listings: Cache<FolderId, Arc<Listing>, ByNames>,
}

/// Entries of a folder, by folded names.
#[derive(Debug)]
struct Listing {
    stamp: Stamp,
    made: Instant,
    /// The folder was at rest when the list was made: while its times stay, the list holds.
    is_settled: bool,
    /// `None` for a folder of too many entries.
    names: Option<HashMap<Box<str>, Spelled>>,
}

/// Names of one folded form.
#[derive(Debug)]
enum Spelled {
    Once(Box<str>),
    Several,
}

#[derive(Clone, Copy, Debug)]
struct ByNames;

/// A folder with more entries than these is not searched: a list of it takes milliseconds.
pub(super) const MAX_SEARCHED: usize = 16_384;

/// Names kept of all lists, about 100 bytes each.
const MAX_KEPT: u64 = 1 << 18;

/// Each list takes this and its names.
const A_LISTING: u64 = 4;

/// A folder is listed no more often, however many names are asked for that it does not have.
const AT_LEAST: Duration = Duration::from_secs(1);

/// A change may come this long after another and give the folder the same time.
const SETTLED: Duration = Duration::from_secs(2);

impl Weighter<FolderId, Arc<Listing>> for ByNames {
    fn weight(&self, _: &FolderId, listing: &Arc<Listing>) -> u64 {
        A_LISTING + listing.names.as_ref().map_or(0, HashMap::len) as u64
    }
}

impl Spellings {
    pub(super) fn new() -> Self {
        // A folder of usual size has about this many files.
        let folders = (MAX_KEPT / (A_LISTING + 16)) as usize;
        let sizes = OptionsBuilder::new()
            .weight_capacity(MAX_KEPT)
            .estimated_items_capacity(folders)
            .shards(1)
            .build();
        let listings = match sizes {
            Ok(sizes) => Cache::with_options(
                sizes,
                ByNames,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // All sizes are given above; without them the library's own do as well.
            Err(_) => Cache::with_weighter(folders, MAX_KEPT, ByNames),
        };
        Self { listings }
    }

    /// The path under which a tree has a name that it does not have as it is spelled: for each
    /// segment the one that is spelled so, else the only one that differs in spelling alone.
    pub(super) fn find(&self, tree: &Tree, name: &str) -> io::Result<Option<String>> {
        let mut path = String::with_capacity(name.len());
        for segment in name.split('/') {
            match tree.look_for(&joined(&path, segment)) {
                Ok(()) => path = joined(&path, segment),
                Err(error) if is_gone(&error) => match self.in_folder(tree, &path, segment)? {
                    Some(stored) => path = joined(&path, &stored),
                    None => return Ok(None),
                },
                Err(error) => return Err(error),
            }
        }
        Ok(Some(path))
    }

    /// The only name in a folder that differs from `name` in spelling alone.
    fn in_folder(&self, tree: &Tree, folder: &str, name: &str) -> io::Result<Option<String>> {
        let listing = match self.listing(tree, folder) {
            Err(error) if is_gone(&error) => return Ok(None),
            listing => listing?,
        };
        let Some(names) = &listing.names else {
            let why = format!(
                "no file has exactly this name, and other spellings are not looked for in a folder of more than {MAX_SEARCHED} entries"
            );
            return Err(io::Error::new(ErrorKind::NotFound, why));
        };
        Ok(match names.get(&*folded(name)) {
            Some(Spelled::Once(stored)) if **stored != *name => Some(stored.to_string()),
            // It is there as it is spelled, and is not to be opened; or there are several.
            Some(Spelled::Once(_) | Spelled::Several) | None => None,
        })
    }

    fn listing(&self, tree: &Tree, folder: &str) -> io::Result<Arc<Listing>> {
        let open = tree.open_folder(if folder.is_empty() { "." } else { folder })?;
        let stamp = open.stamp()?;
        if let Some(listing) = self.listings.get(&stamp.folder)
            && listing.holds(&stamp)
        {
            return Ok(listing);
        }
        let made = Instant::now();
        let is_settled = stamp.is_older_than(SETTLED);
        let names = open.entries(MAX_SEARCHED)?.map(|entries| {
            let mut names = HashMap::new();
            for entry in entries {
                let name = entry.name.into_boxed_str();
                let several = |spelled: &mut Spelled| *spelled = Spelled::Several;
                let spelled = names.entry(folded(&name).into());
                spelled.and_modify(several).or_insert(Spelled::Once(name));
            }
            names
        });
        let folder = stamp.folder.clone();
        let listing = Arc::new(Listing { stamp, made, is_settled, names });
        self.listings.insert(folder, Arc::clone(&listing));
        Ok(listing)
    }
}

impl Listing {
    fn holds(&self, now: &Stamp) -> bool {
        self.made.elapsed() < AT_LEAST || self.is_settled && self.stamp == *now
    }
}

impl Stamp {
    fn is_older_than(&self, age: Duration) -> bool {
        let is_older = |time: Option<SystemTime>| {
            time.is_some_and(|time| time.elapsed().is_ok_and(|elapsed| elapsed > age))
        };
        is_older(self.modified.max(self.changed))
    }
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(tree: &Tree, age: Duration, is_settled: bool) -> Listing {
        let stamp = tree.open_folder(".").unwrap().stamp().unwrap();
        let made = Instant::now().checked_sub(age).unwrap();
        Listing { stamp, made, is_settled, names: Some(HashMap::new()) }
    }

    #[test]
    fn a_list_holds_for_a_moment_and_then_while_its_folder_does_not_change() {
        let path = std::env::temp_dir().join(format!("smooth-origin-list-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let tree = Tree::new(&path).unwrap();
        let (new, old) = (Duration::ZERO, AT_LEAST);
        let lists =
            [listing(&tree, new, false), listing(&tree, old, true), listing(&tree, old, false)];
        let stamp = tree.open_folder(".").unwrap().stamp().unwrap();
        assert_eq!(lists.each_ref().map(|list| list.holds(&stamp)), [true, true, false]);
        let later = stamp.modified.map(|time| time + Duration::from_nanos(1));
        let stamp = Stamp { modified: later, ..stamp };
        assert_eq!(lists.each_ref().map(|list| list.holds(&stamp)), [true, false, false]);
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_folder_at_rest_is_one_that_has_not_changed_for_a_while() {
        let tree = Tree::new(&std::env::temp_dir()).unwrap();
        let stamp = tree.open_folder(".").unwrap().stamp().unwrap();
        let since = |age: Duration| SystemTime::now().checked_sub(age);
        let long = Stamp { modified: since(SETTLED * 10), changed: since(SETTLED * 10), ..stamp };
        assert!(long.is_older_than(SETTLED));
        let short = Stamp { changed: since(Duration::ZERO), ..long.clone() };
        assert!(!short.is_older_than(SETTLED));
        assert!(!Stamp { modified: None, changed: None, ..long }.is_older_than(SETTLED));
    }
}
