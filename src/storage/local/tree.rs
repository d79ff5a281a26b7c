//! Files beneath a root, found by the kernel, also if a link leads out of it into a folder
//! that the operator allows.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::root::Root;
use super::system::{self, File, Folder, FolderId, OpenFolder};

/// A root, with the other folders that links may lead into.
#[derive(Debug)]
pub(super) struct Tree {
    root: Root,
    links_into: Vec<Root>,
}

/// Why a name beneath a folder was not opened.
#[derive(Debug)]
pub(super) enum NotOpened {
    /// It passes a link that is not followed: one that leads out, or round.
    Link,
    Failed(io::Error),
}

/// A thing in a folder.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: EntryKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    Folder,
    Link,
    Other,
}

/// Which folder it is, and when something was put in it or taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) folder: FolderId,
    pub(super) modified: Option<SystemTime>,
    pub(super) changed: Option<SystemTime>,
}

impl Tree {
    pub(super) fn new(root: &Path) -> io::Result<Self> {
        Ok(Self { root: Root::open(root)?, links_into: Vec::new() })
    }

    pub(super) fn allow_links_into(&mut self, folder: &Path) -> io::Result<()> {
        self.links_into.push(Root::open(folder)?);
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        self.root.path()
    }

    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        self.at(name, Folder::open_file)
    }

    /// A folder of the tree; the root for `.`.
    pub(super) fn open_folder(&self, name: &str) -> io::Result<OpenFolder> {
        self.at(name, Folder::open_folder)
    }

    /// Checks that there is something of this name, and that it may be opened.
    pub(super) fn look_for(&self, name: &str) -> io::Result<()> {
        self.at(name, Folder::look_for)
    }

    /// Returns whether a name passes a link that is not followed.
    pub(super) fn is_refused_link(&self, name: &str) -> bool {
        let root = self.root.current();
        matches!(self.follow(&root.folder, name, Folder::look_for), Err(NotOpened::Link))
    }

    fn at<T>(
        &self,
        name: &str,
        open: impl Fn(&Folder, &str) -> Result<T, NotOpened>,
    ) -> io::Result<T> {
        let root = self.root.current();
        let opened = self.follow(&root.folder, name, open).map_err(io::Error::from);
        // While the root is not there, nothing can be said of what it may hold in a moment.
        opened.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if !root.is_there => {
                io::Error::other("the root folder is not there")
            }
            _ => error,
        })
    }

    /// Opens a name beneath the root, or, where that takes a link out of the root, beneath one of
    /// the folders that links may lead into.
    ///
    /// Follows a link. Its target is only a hint, since it may change at any moment: what is opened
    /// is beneath one of these folders in any case.
    fn follow<T>(
        &self,
        root: &Folder,
        name: &str,
        open: impl Fn(&Folder, &str) -> Result<T, NotOpened>,
    ) -> Result<T, NotOpened> {
        let opened = open(root, name);
        if self.links_into.is_empty() || !matches!(opened, Err(NotOpened::Link)) {
            return opened;
        }
        let target = match self.path().join(name).canonicalize() {
            Err(error) if system::is_link_loop(&error) => return Err(NotOpened::Link),
            target => target?,
        };
        for allowed in &self.links_into {
            let Ok(path) = allowed.path().canonicalize() else { continue };
            let Ok(beneath) = target.strip_prefix(path) else { continue };
            let beneath = beneath.to_str().ok_or(NotOpened::Link)?;
            let beneath =
                system::divided_by_slashes(if beneath.is_empty() { "." } else { beneath });
            return open(&allowed.current().folder, &beneath);
        }
        Err(NotOpened::Link)
    }
}

impl From<io::Error> for NotOpened {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// A link that is not followed is as if it were not there.
impl From<NotOpened> for io::Error {
    fn from(why: NotOpened) -> Self {
        match why {
            NotOpened::Link => Self::new(io::ErrorKind::NotFound, "a link that is not followed"),
            NotOpened::Failed(error) => error,
        }
    }
}
