//! Index files in a local folder.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;

use super::{IndexStore, Version};
use crate::base::Name;
use crate::index::{MOST_OF_INDEX_FILE, index_file_number};

/// A local folder of index files: a limited number of them, of which the oldest are removed.
///
/// Each file is written under another name first and then renamed, so none is ever seen half
/// written, and several origins of one machine may share the folder. Nothing else should be in it.
///
/// ```no_run
/// use smooth_origin::origin::Origin;
/// use smooth_origin::storage::{IndexFolder, LocalStore};
///
/// # fn main() -> std::io::Result<()> {
/// let indexes = IndexFolder::new("/var/cache/smooth-origin/indexes").max_files(50_000);
/// let origin = Origin::builder(LocalStore::new("/srv/vod")?).index_store(indexes).build();
/// # let _ = origin;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct IndexFolder {
    folder: PathBuf,
    max_files: usize,
    max_bytes: u64,
}

const EXTENSION: &str = "soix";

impl IndexFolder {
    /// Index files in this folder, which is created when the first one is kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), max_files: 10_000, max_bytes: 1 << 30 }
    }

    /// Sets the maximum number of files; default 10,000.
    #[must_use]
    pub fn max_files(mut self, files: usize) -> Self {
        self.max_files = files.max(1);
        self
    }

    /// Sets the maximum bytes of all files together; default 1 GiB.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.folder.join(format!("{:032x}.{EXTENSION}", index_file_number(name.as_str())))
    }

    fn write(&self, name: &Name, index: &[u8]) -> io::Result<()> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(&self.folder)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let temporary = self.folder.join(format!("{}-{number}.tmp", std::process::id()));
        let written = File::create_new(&temporary)
            .and_then(|mut file| file.write_all(index))
            .and_then(|()| fs::rename(&temporary, self.path(name)));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written?;
        self.tidy()
    }

    /// Removes the oldest files beyond the limits.
    fn tidy(&self) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            let is_ours = |path: &Path| path.extension().is_some_and(|of| of == EXTENSION);
            // Another process may have removed it.
            if is_ours(&path)
                && let Ok(of) = entry.metadata()
            {
                files.push((of.modified().unwrap_or(SystemTime::UNIX_EPOCH), of.len(), path));
            }
        }
        files.sort_unstable();
        let mut bytes: u64 = files.iter().map(|(_, len, _)| len).sum();
        let mut count = files.len();
        for (_, len, path) in files {
            if count <= self.max_files && bytes <= self.max_bytes {
                break;
            }
            if let Err(error) = fs::remove_file(path)
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
            (count, bytes) = (count - 1, bytes - len);
        }
        Ok(())
    }
}

impl IndexStore for IndexFolder {
    async fn load(&self, name: &Name, _: &Version) -> io::Result<Option<Bytes>> {
        let file = match File::open(self.path(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        // A longer one is not used.
        file.take(MOST_OF_INDEX_FILE as u64 + 1024).read_to_end(&mut bytes)?;
        Ok(Some(bytes.into()))
    }

    async fn keep(&self, name: &Name, _: &Version, index: Bytes) -> io::Result<()> {
        self.write(name, &index)
    }
}
