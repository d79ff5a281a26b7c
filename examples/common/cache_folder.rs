//! Folders that a server makes and fills itself.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::{Failure, Trouble};

/// Checks whether a folder is there or can be made, and whether files can be made in it. Nothing is made.
///
/// # Errors
/// The sentence names the option that has the folder.
pub(crate) fn check(folder: &Path, option: &str) -> Result<(), Failure> {
    usable(folder).map_err(|error| cannot_use(folder, option, &error))
}

/// Returns a sentence about a folder that cannot be used.
pub(crate) fn cannot_use(folder: &Path, option: &str, error: &io::Error) -> Failure {
    let what = format!("cannot use the folder {} of {option}", folder.display());
    Failure::system(what, trouble(folder, error))
}

fn trouble(folder: &Path, error: &io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            Trouble::of(folder, &ErrorKind::NotADirectory.into())
        }
        ErrorKind::PermissionDenied => Trouble::of_new_file(&there(folder).join("file"), error),
        ErrorKind::ReadOnlyFilesystem => Trouble::advised(
            "its file system is read-only",
            "name a folder elsewhere, or let the server write there",
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Trouble::advised("the disk is full", "make room, or name a folder on another disk")
        }
        _ => Trouble::of(folder, error),
    }
}

fn usable(folder: &Path) -> io::Result<()> {
    let there = there(folder);
    if !there.metadata()?.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    #[cfg(unix)]
    rustix::fs::access(there, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    Ok(())
}

/// Returns the part of a path that is there.
fn there(folder: &Path) -> &Path {
    let named = |path: &&Path| !path.as_os_str().is_empty();
    let mut above = folder.ancestors().take_while(named);
    above.find(|path| path.symlink_metadata().is_ok()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_can_be_made_is_not_made_and_a_file_in_its_way_is_named() {
        let folder = std::env::temp_dir().join(format!("smooth-cache-{}", std::process::id()));
        let _ = std::fs::remove_file(&folder);
        let below = folder.join("a/b");
        assert!(check(&below, "--index-folder").is_ok());
        assert!(!folder.exists());
        std::fs::write(&folder, "a file").unwrap();
        for path in [&folder, &below] {
            let Err(Failure::System(sentence)) = check(path, "--index-folder") else { panic!() };
            assert!(sentence.contains("of --index-folder: "), "{sentence}");
            assert!(sentence.contains("is a file, not a folder"), "{sentence}");
        }
        std::fs::remove_file(&folder).unwrap();
        assert!(check(Path::new("no-such-folder"), "--index-folder").is_ok());
    }
}
