//! The presentations that an origin keeps open, for its host.

use std::sync::Arc;
use std::time::Duration;

use super::Opened;
use crate::base::Name;

/// A presentation in the cache of an origin: see
/// [`Origin::presentations`](super::Origin::presentations).
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
