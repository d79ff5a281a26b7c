//! A lock against two runs that change one presentation at a time.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use common::Failure;

/// The lock: a file beside the server manifest, which is there as long as a run changes anything.
pub(crate) struct Lock {
    path: PathBuf,
    /// The system locks it as well, so that a lock that a killed run left can be told from one in use.
    _file: File,
}

impl Lock {
    /// Takes the lock of a server manifest.
    ///
    /// # Errors
    /// If another run has it, or seems to have it.
    pub(crate) fn take(manifest: &Path) -> Result<Self, Failure> {
        let mut path = manifest.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let shown = path.display();
        let unwritable = |error: io::Error| Failure::system(&shown, error);
        let file = match File::options().write(true).create_new(true).open(&path) {
            Ok(file) => {
                // No other run can have it yet, or it has it in the moment between these calls.
                if is_held(&file, &path) == Some(true) {
                    return Err(in_use(manifest, &path));
                }
                file
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let file = File::options().write(true).open(&path).map_err(unwritable)?;
                if is_held(&file, &path) != Some(false) {
                    return Err(in_use(manifest, &path));
                }
                file
            }
            Err(error) => return Err(unwritable(error)),
        };
        Ok(Self { path, _file: file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn in_use(manifest: &Path, lock: &Path) -> Failure {
    Failure::System(format!(
        "{} is being changed by another run, as {} says: wait until it has ended, or remove that file if \
         no run is there",
        manifest.display(),
        lock.display()
    ))
}

/// Returns whether another run holds the lock file, which is open; takes it if none does. `None` where
/// the system does not tell.
#[cfg(unix)]
fn is_held(file: &File, path: &Path) -> Option<bool> {
    use std::os::unix::fs::MetadataExt;
    let flags = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    match rustix::fs::flock(file, flags) {
        Ok(()) => {
            // The other run may have removed it in between, and a third one made another.
            let inode = |metadata: io::Result<fs::Metadata>| metadata.map(|m| (m.dev(), m.ino()));
            let (of, at) = (inode(file.metadata()).ok()?, inode(path.metadata()).ok());
            Some(at != Some(of))
        }
        Err(rustix::io::Errno::AGAIN) => Some(true),
        // Some file systems have no locks.
        Err(_) => None,
    }
}

#[cfg(not(unix))]
fn is_held(_: &File, _: &Path) -> Option<bool> {
    None
}
