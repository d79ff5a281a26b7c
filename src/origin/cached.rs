//! The presentations that an origin keeps open, for its host.

use std::sync::Arc;
use std::time::Duration;

use super::{Opened, Origin};
use crate::base::Name;

/// A presentation in the cache of an origin: see [`Origin::presentations`].
///
/// ```
/// # fn example(origin: &smooth_origin::Origin) {
/// let largest = origin.presentations().max_by_key(|cached| cached.memory());
/// if let Some(cached) = largest {
///     println!("{} takes {} bytes", cached.name(), cached.memory());
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CachedPresentation {
    pub(super) opened: Arc<Opened>,
    pub(super) age: Duration,
    pub(super) bytes: u64,
}

impl CachedPresentation {
    /// The name of the server manifest, as it is stored.
    pub fn name(&self) -> &Name {
        self.opened.presentation().name()
    }

    /// The presentation. While the host holds it, its memory is in use even if the cache drops it.
    pub fn opened(&self) -> &Arc<Opened> {
        &self.opened
    }

    /// The time since it was opened, by the origin's clock.
    pub fn age(&self) -> Duration {
        self.age
    }

    /// Bytes of memory that it takes in the cache.
    pub fn memory(&self) -> u64 {
        self.bytes
    }
}

impl Origin {
    /// The presentations that are open, in no particular order. Openings that failed are not among
    /// them.
    ///
    /// The iterator copies nothing ahead and holds no lock between two items. A presentation that is
    /// opened, dropped or replaced meanwhile may be missing. Use
    /// [`take`](Iterator::take) to limit a list: within the default
    /// [`cache_bytes`](super::OriginBuilder::cache_bytes), there may be tens of thousands of short
    /// presentations.
    ///
    /// ```
    /// # #[cfg(feature = "fs")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use smooth_origin::base::Name;
    /// use smooth_origin::origin::{Origin, block_on};
    /// use smooth_origin::storage::LocalStore;
    ///
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
    /// let origin = Origin::new(LocalStore::new(root)?);
    /// let film = Name::new("ffmpeg/ffmpeg.ism")?;
    /// block_on(origin.open(&film))?;
    /// for kept in origin.presentations().take(100) {
    ///     println!("{}: {} bytes, opened {:?} ago", kept.name(), kept.memory(), kept.age());
    /// }
    /// assert!(origin.forget(&film));
    /// assert_eq!(origin.presentations().count(), 0);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "fs"))]
    /// # fn main() {}
    /// ```
    pub fn presentations(&self) -> impl Iterator<Item = CachedPresentation> {
        self.inner.cache.presentations(&self.inner.clock)
    }

    /// Drops a presentation, or the error with which it failed to open, from the cache. The next
    /// request opens it anew, without comparing it with what was open before. An opening in progress
    /// answers the requests that wait for it and is not kept. Bodies that have begun continue.
    ///
    /// Returns whether the presentation was open.
    ///
    /// Call it after deleting a presentation, to free its memory and close its files at once. To
    /// replace a presentation, [`look_again`](Self::look_again) is gentler: the old version is served
    /// until the new one can be.
    pub fn forget(&self, name: &Name) -> bool {
        self.inner.cache.forget(name)
    }
}
