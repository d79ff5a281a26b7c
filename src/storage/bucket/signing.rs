//! URLs that a store signs.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use object_store::path::Path;

use crate::storage::Link;

/// A signature that is being made.
pub(super) type Signing = Pin<Box<dyn Future<Output = io::Result<Option<Link>>> + Send>>;

/// Signs URLs.
pub(super) trait Sign: Send + Sync {
    /// Signs a GET of a key, in this version if the store signs versions. `None` if the store would refuse
    /// the URL.
    fn sign(&self, path: Path, version: Option<String>, life: Duration) -> Signing;
}
