//! The folder that is written: files under other names until all of them are whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use common::{Failure, Trouble};

/// End of the name that a file has until all are whole.
const UNFINISHED: &str = ".unfinished";

/// End of the name that an older file has until all new ones have their names.
const REPLACED: &str = ".replaced";

/// The folder. When it is dropped before [`finish`](Self::finish), what was written is removed.
pub(crate) struct Folder {
    root: PathBuf,
    is_created: bool,
    /// Names of the files that are written under other names.
    names: Vec<String>,
    /// The server manifest, which is locked from the beginning, so that two runs do not mix.
    server_manifest: Option<(String, File)>,
    /// Files and names reach the disk before the run ends.
    is_synced: bool,
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
    pub(crate) fn create(
        root: &Path,
        server_manifest: &str,
        is_synced: bool,
    ) -> Result<Self, Failure> {
        let is_created = !root.exists();
        fs::create_dir_all(root).map_err(|error| unwritable(root, &error))?;
        let (root, names) = (root.to_owned(), Vec::new());
        let mut folder = Self { root, is_created, names, server_manifest: None, is_synced };
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

    fn replaced(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}{REPLACED}"))
    }

    /// Ends a file that is whole.
    pub(crate) fn end(&self, file: &Unfinished) -> Result<(), Failure> {
        match self.is_synced {
            true => file.file.sync_all().map_err(|error| unwritable(&file.path, &error)),
            false => Ok(()),
        }
    }

    /// Gives the files their names, in the order in which they were begun. If one cannot be given, the
    /// earlier ones are taken back, so that what was there before is there again.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.sync()?;
        for (number, name) in self.names.iter().enumerate() {
            let Err(error) = self.give(name) else { continue };
            let mut failure =
                format!("{}: nothing was changed", describe(&self.path(name), &error));
            let stuck = self.names[..number].iter().rev().filter_map(|name| self.take_back(name));
            let stuck: Vec<String> = stuck.collect();
            if !stuck.is_empty() {
                failure = describe(&self.path(name), &error);
                failure +=
                    &format!("; and what was changed cannot be taken back: {}", stuck.join("; "));
            }
            return Err(Failure::System(failure));
        }
        self.sync()?;
        for name in &self.names {
            // Only older files that were replaced have one.
            let _ = fs::remove_file(self.replaced(name));
        }
        (self.names, self.is_created) = (Vec::new(), false);
        Ok(())
    }

    /// Gives a file its name. A file that has it is kept under another one.
    fn give(&self, name: &str) -> io::Result<()> {
        let (path, replaced) = (self.path(name), self.replaced(name));
        // One that a killed run left.
        remove(&replaced)?;
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if path.exists() {
            // At no time is there no file of this name; but some file systems have no links.
            fs::hard_link(&path, &replaced).or_else(|_| fs::rename(&path, &replaced))?;
        }
        let given = fs::rename(self.unfinished(name), &path);
        if given.is_err() {
            // A link goes, and a file that was moved comes back.
            match path.exists() {
                true => remove(&replaced)?,
                false if replaced.exists() => fs::rename(&replaced, &path)?,
                false => {}
            }
        }
        given
    }

    /// Takes a file back that was given its name, and puts back the one that it replaced. A sentence says
    /// what is where if that fails.
    fn take_back(&self, name: &str) -> Option<String> {
        let (path, replaced) = (self.path(name), self.replaced(name));
        match replaced.exists() {
            true => fs::rename(&replaced, &path).err().map(|error| {
                format!(
                    "{} is the new file, and {} the older one: {error}",
                    path.display(),
                    replaced.display()
                )
            }),
            false => remove(&path)
                .err()
                .map(|error| format!("{} is a new file: {error}", path.display())),
        }
    }

    /// Waits until the names in the folder are stored.
    fn sync(&self) -> Result<(), Failure> {
        if self.is_synced && cfg!(unix) {
            let synced = File::open(&self.root).and_then(|folder| folder.sync_all());
            synced.map_err(|error| unwritable(&self.root, &error))?;
        }
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

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::System(describe(path, error))
}

fn describe(path: &Path, error: &io::Error) -> String {
    let trouble = Trouble::of(path, error);
    format!("{} cannot be written: {trouble}", path.display())
}
