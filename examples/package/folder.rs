//! The folder that is written: files under other names until all of them are whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use common::{Failure, Trouble};

/// End of the name that a file has until all are whole.
const UNFINISHED: &str = ".unfinished";

/// The folder. When it is dropped before [`finish`](Self::finish), what was written is removed.
pub(crate) struct Folder {
    root: PathBuf,
    is_created: bool,
    /// Names of the files that are written under other names.
    names: Vec<String>,
}

/// A file that is written under another name.
pub(crate) struct Unfinished {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

impl Folder {
    /// Creates the folder, unless it is there.
    pub(crate) fn create(root: &Path) -> Result<Self, Failure> {
        let is_created = !root.exists();
        fs::create_dir_all(root).map_err(|error| unwritable(root, &error))?;
        Ok(Self { root: root.to_owned(), is_created, names: Vec::new() })
    }

    /// The path of a file when it is finished.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Begins a file. One that a killed run left under the other name is replaced.
    pub(crate) fn add(&mut self, name: &str) -> Result<Unfinished, Failure> {
        let finished = self.path(name);
        if finished.is_dir() {
            let shown = finished.display();
            return Err(Failure::System(format!("{shown} is a folder: remove or rename it")));
        }
        let path = self.unfinished(name);
        let file = File::create(&path).map_err(|error| unwritable(&path, &error))?;
        self.names.push(name.to_owned());
        Ok(Unfinished { file, path })
    }

    fn unfinished(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}{UNFINISHED}"))
    }

    /// Gives the files their names, in the order in which they were begun.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        for name in &self.names {
            let path = self.path(name);
            fs::rename(self.unfinished(name), &path).map_err(|error| unwritable(&path, &error))?;
        }
        (self.names, self.is_created) = (Vec::new(), false);
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for name in &self.names {
            // It may be gone, or have its name already.
            let _ = fs::remove_file(self.unfinished(name));
        }
        if self.is_created {
            // It stays if someone else wrote into it.
            let _ = fs::remove_dir(&self.root);
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let trouble = Trouble::of(path, error);
    Failure::System(format!("{} cannot be written: {trouble}", path.display()))
}
