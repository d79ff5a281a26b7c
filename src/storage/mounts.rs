//! Several stores under one roof, each below a prefix.

use std::io::{self, ErrorKind};

use super::spelling::folded;
use super::{Ends, Opening, Stat, Store};
use crate::base::Name;

/// Stores that are mounted below prefixes, as file systems are: `vod/film.ism` is `film.ism` of the
/// store that is mounted at `vod`.
///
/// Only the store with the longest prefix that matches a name is asked for it: if that store does
/// not have the name, no other store is tried. An opened source is the mounted store's own, so
/// [`Source::downcast_ref`](super::Source::downcast_ref) finds its type.
///
/// ```
/// # use smooth_origin::base::Name;
/// use smooth_origin::storage::{MemoryStore, Mounts};
/// let (vod, archive) = (MemoryStore::new(), MemoryStore::new());
/// let store = Mounts::new().mount("vod", vod)?.mount("vod/archive", archive)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mounts<S> {
    /// Prefixes and stores; `None` is the root.
    mounts: Vec<(Option<Name>, S)>,
    ignores_case: bool,
}

/// The mount that has a path.
struct Found<'a, S> {
    prefix: Option<&'a Name>,
    store: &'a S,
    /// Path after the prefix; empty for the prefix itself.
    rest: &'a str,
    /// The path spells the prefix as it was mounted.
    is_exact: bool,
}

impl<S> Mounts<S> {
    /// No stores yet; [`mount`](Self::mount) adds them.
    pub fn new() -> Self {
        Self { mounts: Vec::new(), ignores_case: false }
    }

    /// Mounts a store below `prefix`, or at the root if `prefix` is empty. A slash at the beginning
    /// or end of `prefix` changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if `prefix` is not a valid [`Name`], and
    /// [`ErrorKind::AlreadyExists`] if a store is already mounted there.
    pub fn mount(mut self, prefix: &str, store: S) -> io::Result<Self> {
        let trimmed = prefix.strip_prefix('/').unwrap_or(prefix);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        let name = match trimmed {
            "" => None,
            path => Some(Name::new(path).map_err(|why| {
                io::Error::new(ErrorKind::InvalidInput, format!("`{prefix}` is no prefix: {why}"))
            })?),
        };
        if self.mounts.iter().any(|(known, _)| *known == name) {
            let message = format!("a store is mounted at `{prefix}` already");
            return Err(io::Error::new(ErrorKind::AlreadyExists, message));
        }
        self.mounts.push((name, store));
        Ok(self)
    }

    /// Sets whether prefixes match in any spelling: in other letter case, or in the other Unicode
    /// form of their letters (with the feature `fs`). Default: no. The mounted stores have their
    /// own setting for the rest of a name (`LocalStore::ignore_case`).
    ///
    /// If several prefixes match equally well, the one that is spelled as in the name is used, or
    /// else one of them.
    #[must_use]
    pub fn ignore_case(mut self, ignored: bool) -> Self {
        self.ignores_case = ignored;
        self
    }

    /// The mount with the longest prefix that matches a path.
    fn find<'a>(&'a self, path: &'a str) -> Option<Found<'a, S>> {
        let matching = self.mounts.iter().filter_map(|(prefix, store)| {
            let prefix = prefix.as_ref();
            let (head, rest) = split(path, prefix.map_or("", Name::as_str));
            let is_exact = prefix.is_none_or(|prefix| prefix.as_str() == head);
            let found = Found { prefix, store, rest, is_exact };
            (is_exact || self.is_same(prefix.map_or("", Name::as_str), head)).then_some(found)
        });
        matching.min_by_key(|found| (found.rest.len(), !found.is_exact))
    }

    /// Returns the store that has an object, and the object's name in it.
    fn place<'a>(&'a self, path: &'a Name) -> io::Result<(&'a S, Name)> {
        if self.is_on_the_way(path.as_str()) {
            return Err(ErrorKind::IsADirectory.into());
        }
        let Found { store, rest, .. } = self.find(path.as_str()).ok_or(ErrorKind::NotFound)?;
        Ok((store, name(rest)?))
    }

    /// Returns whether a store is mounted at this path or below it.
    fn is_on_the_way(&self, path: &str) -> bool {
        let mut prefixes = self.mounts.iter().filter_map(|(prefix, _)| prefix.as_ref());
        prefixes.any(|prefix| self.is_same(split(prefix.as_str(), path).0, path))
    }

    fn is_same(&self, prefix: &str, path: &str) -> bool {
        prefix == path || self.ignores_case && folded(prefix) == folded(path)
    }
}

/// The first segments of a path, as many as `like` has, and the rest without the slash between
/// them.
fn split<'a>(path: &'a str, like: &str) -> (&'a str, &'a str) {
    if like.is_empty() {
        return ("", path);
    }
    let slash = path.match_indices('/').nth(like.matches('/').count());
    slash.and_then(|(at, _)| Some((path.get(..at)?, path.get(at + 1..)?))).unwrap_or((path, ""))
}

/// A name of a mounted store as a name of all.
fn above(prefix: Option<&Name>, name: Name) -> Option<Name> {
    match prefix {
        Some(prefix) => Name::new(&format!("{prefix}/{name}")).ok(),
        None => Some(name),
    }
}

/// The rest of a path as a name. It is the end of one, but may begin with what no name begins with:
/// a scheme.
fn name(rest: &str) -> io::Result<Name> {
    Name::new(rest).map_err(|_| ErrorKind::NotFound.into())
}

impl<S: Store> Store for Mounts<S> {
    type Source = S::Source;

    async fn open(&self, path: &Name) -> io::Result<S::Source> {
        let (store, name) = self.place(path)?;
        store.open(&name).await
    }

    async fn open_with(&self, path: &Name, ends: Ends) -> io::Result<Opening<S::Source>> {
        let (store, name) = self.place(path)?;
        store.open_with(&name, ends).await
    }

    async fn stat(&self, path: &Name) -> io::Result<Stat> {
        let (store, name) = self.place(path)?;
        store.stat(&name).await
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        let path = folder.map_or("", Name::as_str);
        let holds_mounts = self.is_on_the_way(path);
        let Some(Found { prefix, store, rest, .. }) = self.find(path) else {
            let none = if holds_mounts { Ok(Vec::new()) } else { Err(ErrorKind::NotFound.into()) };
            return none;
        };
        let folder = if rest.is_empty() { None } else { Some(name(rest)?) };
        let names = match store.list(folder.as_ref()).await {
            Err(error) if error.kind() == ErrorKind::NotFound && holds_mounts => Vec::new(),
            names => names?,
        };
        let names = names.into_iter().filter_map(|name| above(prefix, name));
        // A mount hides an object of the store above that has its name.
        Ok(names.filter(|name| !self.is_on_the_way(name.as_str())).collect())
    }

    /// A prefix is spelled as it was mounted.
    async fn stored_name(&self, path: &Name) -> io::Result<Option<Name>> {
        if self.is_on_the_way(path.as_str()) {
            return Ok(None);
        }
        let Some(found) = self.find(path.as_str()) else { return Ok(None) };
        let below = name(found.rest)?;
        match found.store.stored_name(&below).await? {
            Some(stored) => Ok(above(found.prefix, stored)),
            None if found.is_exact => Ok(None),
            None => Ok(above(found.prefix, below)),
        }
    }
}

impl<S> Default for Mounts<S> {
    fn default() -> Self {
        Self::new()
    }
}
