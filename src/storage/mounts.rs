//! Several stores under one roof, each below a prefix.

use std::io::{self, ErrorKind};

use super::Store;
use crate::base::Name;

/// Stores that are mounted below prefixes, as file systems are: `vod/film.ism` is `film.ism` of the
/// store that is mounted at `vod`.
///
/// The longest prefix that fits rules alone: what the store there does not have is not looked for
/// in another one. An opened source is that of the mounted store, so that
/// [`Source::downcast_ref`](super::Source::downcast_ref) finds it.
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
    /// The longest prefix first; `None` is the root.
    mounts: Vec<(Option<Name>, S)>,
}

impl<S> Mounts<S> {
    /// Without any store.
    pub fn new() -> Self {
        Self { mounts: Vec::new() }
    }

    /// Mounts a store below `prefix`; at the root where that is empty. A slash before or behind the
    /// prefix changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the prefix is no [`Name`], and
    /// [`ErrorKind::AlreadyExists`] when a store is mounted there.
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
        self.mounts.sort_by_key(|(name, _)| std::cmp::Reverse(len(name.as_ref())));
        Ok(self)
    }

    /// The mount that rules a path, and what follows its prefix: empty for the prefix itself.
    fn find<'a>(&self, path: &'a str) -> Option<(&(Option<Name>, S), &'a str)> {
        self.mounts.iter().find_map(|mount| Some((mount, below(mount.0.as_ref(), path)?)))
    }

    /// Whether a store is mounted at this path or below it.
    fn is_on_the_way(&self, path: &str) -> bool {
        let prefixes = self.mounts.iter().filter_map(|(prefix, _)| prefix.as_ref());
        prefixes.into_iter().any(|prefix| {
            let rest = prefix.as_str().strip_prefix(path);
            rest.is_some_and(|rest| path.is_empty() || rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// What follows a prefix in a path, without the slash.
fn below<'a>(prefix: Option<&Name>, path: &'a str) -> Option<&'a str> {
    let Some(prefix) = prefix else { return Some(path) };
    let rest = path.strip_prefix(prefix.as_str())?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

fn len(prefix: Option<&Name>) -> usize {
    prefix.map_or(0, |prefix| prefix.as_str().len())
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
        if self.is_on_the_way(path.as_str()) {
            return Err(ErrorKind::IsADirectory.into());
        }
        match self.find(path.as_str()) {
            Some(((_, store), rest)) => store.open(&name(rest)?).await,
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        let path = folder.map_or("", Name::as_str);
        let holds_mounts = self.is_on_the_way(path);
        let Some(((prefix, store), rest)) = self.find(path) else {
            let none = if holds_mounts { Ok(Vec::new()) } else { Err(ErrorKind::NotFound.into()) };
            return none;
        };
        let folder = if rest.is_empty() { None } else { Some(name(rest)?) };
        let names = match store.list(folder.as_ref()).await {
            Err(error) if error.kind() == ErrorKind::NotFound && holds_mounts => Vec::new(),
            names => names?,
        };
        let names = names.into_iter().filter_map(|name| above(prefix.as_ref(), name));
        // A mount hides an object of the store above that has its name.
        Ok(names.filter(|name| !self.is_on_the_way(name.as_str())).collect())
    }

    /// Prefixes have one spelling.
    async fn stored_name(&self, path: &Name) -> io::Result<Option<Name>> {
        if self.is_on_the_way(path.as_str()) {
            return Ok(None);
        }
        let Some(((prefix, store), rest)) = self.find(path.as_str()) else { return Ok(None) };
        let stored = store.stored_name(&name(rest)?).await?;
        Ok(stored.and_then(|stored| above(prefix.as_ref(), stored)))
    }
}

impl<S> Default for Mounts<S> {
    fn default() -> Self {
        Self::new()
    }
}
