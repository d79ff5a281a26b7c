//! Secrets in files, which are read again: whoever renews them writes the file anew.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::super::ConnectError;
use crate::storage::Clock;

/// A file, and what its text meant when it was last read. The old meaning stands while the file is
/// missing, or cut because it is just being written.
pub(super) struct SecretFile<T> {
    path: PathBuf,
    parse: fn(&str, &str) -> Option<T>,
    /// The name that is looked for in the file, if it has more than one secret.
    part: String,
    kept: Mutex<(Duration, T)>,
    clock: Clock,
}

/// Time for which a file is not read again.
const KEPT: Duration = Duration::from_secs(1);

/// Longest file, in bytes.
const MOST: u64 = 64 << 10;

impl<T: Clone> SecretFile<T> {
    /// Reads the file that a variable names. `parse` gets its text and the part.
    pub(super) fn open(
        variable: &str,
        path: String,
        part: String,
        parse: fn(&str, &str) -> Option<T>,
        clock: Clock,
    ) -> Result<Self, ConnectError> {
        let refused =
            |why: &str| ConnectError::new(format!("{path}, the file of {variable}, {why}"));
        let text = read(&path).map_err(|_| refused("cannot be read"))?;
        let value = parse(&text, &part).ok_or_else(|| refused("does not have what it should"))?;
        let kept = Mutex::new((clock.now(), value));
        Ok(Self { path: path.into(), parse, part, kept, clock })
    }

    /// The meaning of the file as it is now, or was a second ago.
    pub(super) fn value(&self) -> T {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if now.saturating_sub(kept.0) >= KEPT {
            kept.0 = now;
            let text = read(&self.path).ok();
            if let Some(value) = text.and_then(|text| (self.parse)(&text, &self.part)) {
                kept.1 = value;
            }
        }
        kept.1.clone()
    }
}

/// A system call or three, as local files take: the file is small.
fn read(path: impl AsRef<std::path::Path>) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

impl<T> fmt::Debug for SecretFile<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretFile").field(&self.path).finish()
    }
}
