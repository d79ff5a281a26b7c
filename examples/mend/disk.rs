//! Operations on a disk. Tests let each of them fail.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

/// A disk, which may stop after a number of steps.
pub(crate) struct Disk {
    /// Number of steps before everything fails, as if the process had been killed.
    left: Cell<Option<u32>>,
}

impl Disk {
    /// Returns a disk that fails after so many steps, or never.
    pub(crate) fn new(steps: Option<u32>) -> Self {
        Self { left: Cell::new(steps) }
    }

    fn step(&self) -> io::Result<()> {
        match self.left.get() {
            None => Ok(()),
            Some(0) => Err(io::Error::other("stopped")),
            Some(left) => {
                self.left.set(Some(left - 1));
                Ok(())
            }
        }
    }

    /// Makes an empty file, in place of one that is there.
    pub(crate) fn create(&self, path: &Path) -> io::Result<File> {
        self.step()?;
        File::create(path)
    }

    /// Writes bytes at the position of a file. If it stops here, half of them are written.
    pub(crate) fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.step() {
            file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        file.write_all(bytes)
    }

    /// Writes bytes at the end of a file that exists, and waits until they are stored.
    pub(crate) fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(path)?;
        self.write(&mut file, bytes)?;
        self.sync(&file)
    }

    /// Opens a file to write from an offset on.
    pub(crate) fn open_at(&self, path: &Path, at: u64) -> io::Result<File> {
        self.step()?;
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.seek(SeekFrom::Start(at))?;
        Ok(file)
    }

    pub(crate) fn set_len(&self, file: &File, len: u64) -> io::Result<()> {
        self.step()?;
        file.set_len(len)
    }

    /// Waits until a file is stored.
    pub(crate) fn sync(&self, file: &File) -> io::Result<()> {
        self.step()?;
        file.sync_all()
    }

    /// Gives a file a name, in the place of what has it.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs::rename(from, to)?;
        self.sync_folder_of(to)
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.sync_folder_of(path),
        }
    }

    /// Waits until the names in the folder of a file are stored.
    fn sync_folder_of(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        if cfg!(unix) {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }
}
