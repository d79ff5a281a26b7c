//! The way from a bucket and its objects to the store.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::path::Path;

use super::notice::Notice;
use super::run::Runner;
use super::signing::Sign;
use crate::base::Name;

/// A store, where it is asked, and below which prefix.
#[derive(Clone)]
pub(super) struct Reach {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) runner: Runner,
    pub(super) notice: Notice,
    pub(super) prefix: Option<Name>,
    pub(super) is_written_in_place: bool,
    /// Objects written in place that are younger than this are looked at again after each read.
    pub(super) look_again: Duration,
    /// Set if URLs can be signed.
    pub(super) signing: Option<Arc<dyn Sign>>,
}

impl Reach {
    /// The key of a name. Names have no segment that leads out of the prefix.
    pub(super) fn path(&self, name: Option<&Name>) -> io::Result<Path> {
        let key = match (&self.prefix, name) {
            (Some(prefix), Some(name)) => format!("{prefix}/{name}"),
            (Some(only), None) | (None, Some(only)) => only.as_str().to_owned(),
            (None, None) => String::new(),
        };
        // `Path::from` would encode some letters; the keys are what uploaders wrote.
        Path::parse(key).map_err(|_| io::ErrorKind::InvalidFilename.into())
    }

    /// The name of a key that lies directly in this folder.
    pub(super) fn name(&self, key: &Path, folder: Option<&Name>) -> Option<Name> {
        self.below(key).filter(|name| name.folder().as_ref() == folder)
    }

    /// The name of a key below the prefix.
    pub(super) fn below(&self, key: &Path) -> Option<Name> {
        let key = key.as_ref();
        let below = match &self.prefix {
            Some(prefix) => key.strip_prefix(prefix.as_str())?.strip_prefix('/')?,
            None => key,
        };
        Name::new(below).ok()
    }
}
