//! Files and folders that cannot be opened: the reason in words, and what to do.

use std::fmt::{self, Display};
use std::io;
use std::path::{Path, PathBuf};

use crate::nearest;

/// The reason why a path cannot be opened, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The reason, as the end of a sentence about the path.
    pub reason: String,
    /// The next step, if one is known.
    pub advice: Option<String>,
}

/// No more names of a folder are compared with one that is missing.
const MAX_NAMES: usize = 10_000;

impl Trouble {
    /// Explains the failure of opening a file or folder.
    pub fn of(path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind::{InvalidData, IsADirectory, NotADirectory, NotFound, PermissionDenied};
        let text = path.to_string_lossy();
        if text.contains("://") && !path.exists() {
            let reason = "this is a URL, not a file or folder of this machine";
            let advice = match text.starts_with("http") {
                true => "URLs are not read: name the files from which it is served",
                false => "objects of a bucket are not read: copy them here, or mount the bucket",
            };
            return Self::new(reason, Some(advice.into()));
        }
        match error.kind() {
            NotFound => match path.symlink_metadata() {
                Ok(_) => Self::dangling(path),
                Err(_) => Self::new("there is no such file or folder", nearest_to(path)),
            },
            PermissionDenied => Self::denied(path),
            NotADirectory => Self::in_file(path),
            IsADirectory => {
                Self::advised("it is a folder, not a file", "name the file, perhaps one in it")
            }
            // Of texts alone.
            InvalidData => Self::advised("it is not text in UTF-8", "write it again as UTF-8"),
            _ if is_loop(error) => Self::new(
                "its symbolic links lead in a circle",
                Some("name the file or folder itself, or correct the link".into()),
            ),
            _ => Self::new(reason(error), None),
        }
    }

    /// Explains the failure of opening a file that would be made if it were not there.
    pub fn of_new_file(path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind::{IsADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
        let folder = folder_of(path).unwrap_or_default();
        let shown = folder.display();
        match error.kind() {
            NotFound => Self::new(
                format!("there is no folder {shown}"),
                Some(format!("make it (`mkdir -p {shown}`), or name another file")),
            ),
            IsADirectory => {
                let advice = format!("name a file in it, such as {}", path.join("log").display());
                Self::new("it is a folder", Some(advice))
            }
            PermissionDenied if !path.exists() => {
                let advice = format!(
                    "let {} write to the folder {shown} (`ls -ld {shown}` shows who may)",
                    this_user()
                );
                Self::new("permission denied", Some(advice))
            }
            PermissionDenied => {
                let advice = format!(
                    "let {} write to it (`ls -l {}` shows who may)",
                    this_user(),
                    path.display()
                );
                Self::new("permission denied", Some(advice))
            }
            ReadOnlyFilesystem => Self::new(
                "its file system is read-only",
                Some("name a file elsewhere, or let the server write there".into()),
            ),
            _ => Self::of(path, error),
        }
    }

    /// A reason with what to do.
    pub(crate) fn advised(reason: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(reason, Some(advice.into()))
    }

    pub(crate) fn new(reason: impl Into<String>, advice: Option<String>) -> Self {
        Self { reason: reason.into(), advice }
    }

    /// A link to something that is not there.
    fn dangling(path: &Path) -> Self {
        match path.read_link() {
            Ok(target) => Self::new(
                format!("it is a link to {}, which is not there", target.display()),
                Some("correct the link, or put back what it leads to".into()),
            ),
            Err(_) => Self::new("there is no such file or folder", None),
        }
    }

    /// A file, or a folder on the way to it, that this user may not read.
    fn denied(path: &Path) -> Self {
        let (closed, right) = match closed_folder(path) {
            Some(folder) => (folder, "enter"),
            None if path.is_dir() => (path, "read and enter"),
            None => (path, "read"),
        };
        let reason = match closed == path {
            true => "permission denied".to_owned(),
            false => format!("permission denied at the folder {}", closed.display()),
        };
        let closed = closed.display();
        let advice = format!("let {} {right} it (`ls -ld {closed}` shows who may)", this_user());
        Self::new(reason, Some(advice))
    }

    /// A path that goes on behind a file, or a file in place of a folder.
    fn in_file(path: &Path) -> Self {
        let file = path.ancestors().find(|path| path.is_file());
        match file {
            Some(file) if file != path => {
                let file = file.display();
                let advice = Some(format!("name {file} itself"));
                Self::new(format!("{file} is a file, not a folder"), advice)
            }
            _ => {
                let folder = file.and_then(folder_of);
                let advice = folder.map(|folder| format!("name its folder: {}", folder.display()));
                Self::new("it is a file, not a folder", advice)
            }
        }
    }
}

impl Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        self.advice.iter().try_for_each(|advice| write!(f, "; {advice}"))
    }
}

/// Returns the system's reason without its number: `Permission denied`.
pub fn reason(error: &io::Error) -> String {
    without_numbers(error.to_string())
}

/// Returns a sentence without the numbers that the system's reasons end with: `(os error 13)`.
pub fn without_numbers(mut text: String) -> String {
    const START: &str = " (os error ";
    let mut from = 0;
    while let Some(start) = text[from..].find(START).map(|at| from + at) {
        let digits = &text[start + START.len()..];
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        from = start + START.len();
        if digits[count..].starts_with(')') {
            text.replace_range(start..=from + count, "");
            from = start;
        }
    }
    text
}

/// Returns the folder of a file: `.` for a name alone.
pub(crate) fn folder_of(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    Some(if folder.as_os_str().is_empty() { ".".into() } else { folder.into() })
}

/// Returns the folder above a path that this user may not enter, the outermost one.
fn closed_folder(path: &Path) -> Option<&Path> {
    let folders: Vec<_> = path.ancestors().collect();
    let is_denied = |path: &Path| {
        path.metadata().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    };
    // What is in a closed folder cannot be asked about.
    let pairs = folders.iter().zip(folders.iter().skip(1)).rev();
    pairs
        .map(|(inner, outer)| (*inner, *outer))
        .find(|(inner, _)| is_denied(inner))
        .map(|(_, outer)| outer)
}

/// Returns the part of a path that is missing, or the name nearest to it.
fn nearest_to(path: &Path) -> Option<String> {
    let mut missing = path;
    let folder = loop {
        let folder = folder_of(missing)?;
        if folder.exists() {
            break folder;
        }
        missing = missing.parent()?;
    };
    let name = missing.file_name()?.to_str()?;
    if missing != path && !missing.as_os_str().is_empty() {
        return Some(format!("there is no folder {} either", missing.display()));
    }
    let entries = std::fs::read_dir(&folder).ok()?.take(MAX_NAMES).flatten();
    let names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let near = nearest::misspelled(name, names.iter().map(String::as_str))?;
    let folder = if folder == Path::new(".") { PathBuf::new() } else { folder };
    Some(format!("did you mean {}?", folder.join(near).display()))
}

/// Returns whether symbolic links lead in a circle.
fn is_loop(error: &io::Error) -> bool {
    #[cfg(unix)]
    return rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP)
        // Errors with a path in their text have no number.
        || error.to_string().contains("Too many levels of symbolic links");
    #[cfg(not(unix))]
    return {
        let _ = error;
        false
    };
}

/// Returns the user who runs the process.
fn this_user() -> String {
    #[cfg(unix)]
    return format!("the user who runs this (uid {})", rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    return "the user who runs this".into();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_no_number() {
        assert_eq!(reason(&io::Error::from_raw_os_error(13)), "Permission denied");
        assert_eq!(reason(&io::Error::other("x (y)")), "x (y)");
        let several = "a: b (os error 1), c (os error x), d (os error 22)";
        assert_eq!(without_numbers(several.into()), "a: b, c (os error x), d");
        assert_eq!(without_numbers(" (os error 1".into()), " (os error 1");
    }

    #[test]
    fn the_nearest_name_is_proposed() {
        let error = io::ErrorKind::NotFound.into();
        let of = |path: &str| Trouble::of(Path::new(path), &error);
        let src = env!("CARGO_MANIFEST_DIR");
        let trouble = of(&format!("{src}/Cargo.tmol"));
        assert_eq!(
            trouble.to_string(),
            format!("there is no such file or folder; did you mean {src}/Cargo.toml?")
        );
        let trouble = of(&format!("{src}/serv/tls/a.rs"));
        assert_eq!(trouble.advice, Some(format!("there is no folder {src}/serv either")));
        assert_eq!(of(&format!("{src}/zzzzzzzzzzzz")).advice, None);
    }

    #[test]
    fn a_url_is_no_path() {
        let error = io::ErrorKind::NotFound.into();
        let of = |path: &str| Trouble::of(Path::new(path), &error).advice.unwrap();
        assert!(of("http://127.0.0.1/film.ism/Manifest").starts_with("URLs are not read"));
        assert!(of("s3://films/film.ism").contains("copy them here"));
    }
}
