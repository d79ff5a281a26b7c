//! The folder that is written.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use common::Failure;
use smooth_origin::base::{Error, Name};
use smooth_origin::origin::{Served, block_on};

use crate::digest::{Digest, Digester};
use crate::source::failure;

/// End of the name that a file has until it is whole.
const UNFINISHED: &str = ".unfinished";

/// Ends of the names that an export has.
const OWN: [&str; 5] = [".m4s", ".mp4", ".vtt", ".m3u8", ".mpd"];

/// The folder that is written.
pub(crate) struct Folder {
    root: PathBuf,
    /// Set if written files are read back, and kept ones are compared.
    is_verified: bool,
    /// Set if files that are there may be of another version of the presentation.
    is_doubted: bool,
}

/// The outcome for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was complete already.
    Kept,
    Written,
}

/// The reason why a file is not written.
pub(crate) enum Unwritten {
    /// The presentation cannot be read.
    Source(Error),
    /// The export ends: the folder cannot be written, or the presentation has changed.
    Final(Failure),
}

impl Folder {
    /// Creates a folder, unless it is there.
    ///
    /// # Errors
    /// If that is not possible.
    pub(crate) fn create(root: &Path, is_verified: bool) -> Result<Self, Failure> {
        fs::create_dir_all(root).map_err(|error| unwritable(root, &error))?;
        Ok(Self { root: root.to_owned(), is_verified, is_doubted: false })
    }

    /// Removes the unfinished files that an interrupted export left in this folder and in those of
    /// renditions.
    ///
    /// # Errors
    /// If a folder cannot be read, or a file not be removed.
    pub(crate) fn remove_unfinished<'a>(
        &self,
        renditions: impl Iterator<Item = &'a str>,
    ) -> Result<(), Failure> {
        remove_unfinished(&self.root)?;
        for rendition in renditions {
            remove_unfinished(&self.path(rendition)?)?;
        }
        Ok(())
    }

    /// Compares the content of all files from now on, if this one has another content: then the
    /// folder has an export of another version.
    pub(crate) fn doubt_by(&mut self, url: &str, served: &Served) -> Result<bool, Unwritten> {
        let path = self.path(url).map_err(Unwritten::Final)?;
        self.is_doubted = path.is_file() && !has_content(&path, served)?;
        Ok(self.is_doubted)
    }

    /// Writes the file of a URL, unless it is there and complete.
    pub(crate) fn put(&self, url: &str, served: &Served) -> Result<Outcome, Unwritten> {
        let path = self.path(url).map_err(Unwritten::Final)?;
        match self.is_complete(&path, served)? {
            true => Ok(Outcome::Kept),
            false => self.write(&path, served).map(|()| Outcome::Written),
        }
    }

    /// Returns the path of a URL, which lies in the folder.
    fn path(&self, url: &str) -> Result<PathBuf, Failure> {
        let name = Name::from_url_path(url).map_err(|error| {
            let root = self.root.display();
            let advice = "rename the stream";
            failure(format!("no file in {root} can be called `{url}`: {error}; {advice}"))
        })?;
        // A name is relative, and has no `..`.
        Ok(self.root.join(name.as_str()))
    }

    fn is_complete(&self, path: &Path, served: &Served) -> Result<bool, Unwritten> {
        let Ok(metadata) = path.metadata() else { return Ok(false) };
        if !metadata.is_file() || metadata.len() != served.reply().length() {
            return Ok(false);
        }
        let is_older = match (metadata.modified(), served.modified()) {
            (Ok(written), Some(stored)) => written < stored,
            _ => false,
        };
        match self.is_verified || self.is_doubted || is_older {
            true => has_content(path, served),
            false => Ok(true),
        }
    }

    /// Writes a file under another name, and renames it when it is whole.
    fn write(&self, path: &Path, served: &Served) -> Result<(), Unwritten> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        let written = self.write_unfinished(&unfinished, served).and_then(|()| {
            fs::rename(&unfinished, path)
                .map_err(|error| Unwritten::Final(unwritable(path, &error)))
        });
        if written.is_err() {
            // If it cannot be removed now, the next run removes it.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    fn write_unfinished(&self, path: &Path, served: &Served) -> Result<(), Unwritten> {
        let cannot = |error| Unwritten::Final(unwritable(path, &error));
        let mut file = create(path).map_err(cannot)?;
        let mut digester = Digester::default();
        let mut body = served.body();
        while let Some(bytes) = block_on(body.next()) {
            let bytes = bytes.map_err(Unwritten::Source)?;
            digester.add(&bytes);
            file.write_all(&bytes).map_err(cannot)?;
        }
        let length = file.metadata().map_err(cannot)?.len();
        drop(file);
        let digest = digester.finish();
        let is_whole = digest.length == served.reply().length() && digest.length == length;
        if is_whole && (!self.is_verified || Digest::of_file(path).map_err(cannot)? == digest) {
            return Ok(());
        }
        let message = "has not the content that was written; check the disk, and run this again";
        Err(Unwritten::Final(failure(format!("{} {message}", path.display()))))
    }
}

/// Creates a file and the folder that it lies in.
fn create(path: &Path) -> io::Result<File> {
    let create = || File::options().write(true).create_new(true).open(path);
    match (create(), path.parent()) {
        (Err(error), Some(parent)) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(parent)?;
            create()
        }
        (created, _) => created,
    }
}

fn has_content(path: &Path, served: &Served) -> Result<bool, Unwritten> {
    let stored = Digest::of_file(path).map_err(|e| Unwritten::Final(unwritable(path, &e)))?;
    if stored.length != served.reply().length() {
        return Ok(false);
    }
    Ok(stored == Digest::of_body(served.body()).map_err(Unwritten::Source)?)
}

fn remove_unfinished(folder: &Path) -> Result<(), Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unwritable(folder, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| unwritable(folder, &error))?;
        let name = entry.file_name();
        let whole = name.to_str().and_then(|name| name.strip_suffix(UNFINISHED));
        if whole.is_some_and(|name| OWN.iter().any(|end| name.ends_with(end))) {
            let path = entry.path();
            fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
        }
    }
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        ErrorKind::AlreadyExists => "is another export running there?",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room, and run this again: it continues"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give a folder of --output that you may write"
        }
        ErrorKind::NotADirectory => "a file is in the place of a folder",
        ErrorKind::IsADirectory => "a folder is in the place of a file",
        _ => "check the folder, and run this again: it continues",
    };
    failure(format!("{} cannot be written: {error}; {advice}", path.display()))
}
