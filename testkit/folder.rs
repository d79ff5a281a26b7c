//! A temporary folder, and an origin that trusts files at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use smooth_origin::origin::Origin;
use smooth_origin::storage::Store;

/// Makes an origin that relies on files at once, even if they were written a moment ago.
pub fn trusting(store: impl Store) -> Origin {
    Origin::builder(store).settling_time(Duration::ZERO).build()
}

/// A folder that is removed when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(test: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("smooth-origin-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
