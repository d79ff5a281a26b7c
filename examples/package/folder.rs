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
    /// The server manifest, which is locked from the beginning, so that two runs do not mix.
    server_manifest: Option<(String, File)>,
}

/// A file that is written under another name.
pub(crate) struct Unfinished {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

impl Folder {
    /// Creates the folder, unless it is there, for this server manifest and what belongs to it.
    ///
    /// # Errors
    /// If another run writes the same server manifest.
    pub(crate) fn create(root: &Path, server_manifest: &str) -> Result<Self, Failure> {
        let is_created = !root.exists();
        fs::create_dir_all(root).map_err(|error| unwritable(root, &error))?;
        let mut folder =
            Self { root: root.to_owned(), is_created, names: Vec::new(), server_manifest: None };
        let path = folder.unfinished(server_manifest);
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| unwritable(&path, &error))?;
        if !lock(&file, &path) {
            // What is there is that of the other run.
            folder.is_created = false;
            let shown = folder.path(server_manifest).display().to_string();
            return Err(Failure::System(format!(
                "{shown} is being written by another run: wait until it has ended"
            )));
        }
        folder.names.push(server_manifest.to_owned());
        folder.server_manifest = Some((server_manifest.to_owned(), file));
        Ok(folder)
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
        if let Some((server_manifest, file)) = &self.server_manifest
            && server_manifest == name
        {
            // Those of a killed run may be longer.
            file.set_len(0).map_err(|error| unwritable(&path, &error))?;
            let file = file.try_clone().map_err(|error| unwritable(&path, &error))?;
            return Ok(Unfinished { file, path });
        }
        let file = File::create(&path).map_err(|error| unwritable(&path, &error))?;
        // The server manifest comes last.
        let last = self.names.len().saturating_sub(1);
        self.names.insert(last, name.to_owned());
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

/// Locks a file that is open for as long as it is, unless another run has it. False as well if the
/// other run has ended in between, and the path is of another file, or of none.
#[cfg(unix)]
fn lock(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let flags = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    let inode = |metadata: io::Result<fs::Metadata>| metadata.map(|m| (m.dev(), m.ino())).ok();
    match rustix::fs::flock(file, flags) {
        Err(rustix::io::Errno::AGAIN) => false,
        // Some file systems have no locks.
        _ => {
            inode(file.metadata()).is_some_and(|inode_of| inode(path.metadata()) == Some(inode_of))
        }
    }
}

#[cfg(not(unix))]
fn lock(_: &File, _: &Path) -> bool {
    true
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let trouble = Trouble::of(path, error);
    Failure::System(format!("{} cannot be written: {trouble}", path.display()))
}
