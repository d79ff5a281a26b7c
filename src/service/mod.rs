//! Floor 8: an origin in the types of the HTTP ecosystem.

mod body;
mod respond;
#[cfg(feature = "tower")]
mod tower;

pub use body::ServiceBody;

use crate::origin::Origin;

/// Answers `http::Request`s: GET and HEAD of presentations, their manifests and fragments.
///
/// With the feature `tower` it is a `tower_service::Service` as well, for hyper, axum and tonic.
/// Cheap to clone.
///
/// ```
/// # #[cfg(feature = "fs")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use smooth_origin::origin::{Origin, block_on};
/// # use smooth_origin::storage::LocalStore;
/// use smooth_origin::service::OriginService;
///
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
/// let service = OriginService::new(Origin::new(LocalStore::new(root)?));
/// let request = http::Request::get("/ladder/ladder.ism/Manifest").body(())?;
/// let response = block_on(service.respond(&request));
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.headers()["content-type"], "application/vnd.ms-sstr+xml");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "fs"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct OriginService {
    origin: Origin,
}

impl OriginService {
    /// A service for the presentations of an origin.
    pub fn new(origin: Origin) -> Self {
        Self { origin }
    }

    /// The origin behind it.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}
