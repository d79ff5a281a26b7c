//! Files of logs, which another program may move away while they are written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{Level, log};
use crate::Trouble;
use crate::trouble::folder_of;

/// A file that lines are appended to.
pub struct LogFile {
    path: PathBuf,
    file: Mutex<File>,
}

/// All files that are open.
static OPEN: Mutex<Vec<Weak<LogFile>>> = Mutex::new(Vec::new());

/// Opens all files of logs again by their names: `logrotate` has moved the old ones away. A file that
/// cannot be opened stays the old one.
pub fn reopen() {
    let files: Vec<_> = lock(&OPEN).iter().filter_map(Weak::upgrade).collect();
    for file in files {
        if let Err(error) = file.reopen() {
            let path = file.path.display();
            let trouble = Trouble::of_new_file(&file.path, &error);
            log(
                Level::Error,
                format_args!(
                    "cannot open the log {path} again, so its lines still go to the old file: {trouble}"
                ),
            );
        }
    }
}

impl LogFile {
    /// Opens a file, or makes it. [`reopen`] opens it again.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(path: &Path) -> io::Result<Arc<Self>> {
        let file = Arc::new(Self { path: path.to_owned(), file: Mutex::new(append_to(path)?) });
        let mut open = lock(&OPEN);
        open.retain(|file| file.strong_count() > 0);
        open.push(Arc::downgrade(&file));
        Ok(file)
    }

    /// Appends whole lines.
    ///
    /// # Errors
    /// Those of the system.
    pub fn write(&self, lines: &[u8]) -> io::Result<()> {
        lock(&self.file).write_all(lines)
    }

    fn reopen(&self) -> io::Result<()> {
        let file = append_to(&self.path)?;
        *lock(&self.file) = file;
        Ok(())
    }
}

/// Fails if [`LogFile::open`] would. Makes no file.
pub(super) fn check(path: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened.map(drop),
    }
    let folder = folder_of(path).unwrap_or_default();
    if !folder.metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    #[cfg(unix)]
    rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    Ok(())
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let folder = std::env::temp_dir().join(format!("smooth-log-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (path, moved) = (folder.join("log"), folder.join("log.1"));
        let file = LogFile::open(&path).unwrap();
        file.write(b"one\n").unwrap();
        std::fs::rename(&path, &moved).unwrap();
        file.write(b"two\n").unwrap();
        reopen();
        file.write(b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
