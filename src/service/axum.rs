//! The service as a router of axum.

use axum::Router;

use super::OriginService;

impl OriginService {
    /// Returns a router that has the service below `path` (`/vod`), and the files that plug-ins
    /// request at the root alone: `/clientaccesspolicy.xml` and `/crossdomain.xml`.
    ///
    /// ```
    /// # #[cfg(feature = "fs")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use smooth_origin::origin::Origin;
    /// # use smooth_origin::service::OriginService;
    /// # use smooth_origin::storage::LocalStore;
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
    /// let service = OriginService::new(Origin::new(LocalStore::new(root)?));
    /// let app: axum::Router = axum::Router::new().merge(service.router("/vod"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "fs"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Panics
    /// Like [`Router::nest_service`], if `path` is empty or the root itself: there the service is
    /// a [`fallback_service`](Router::fallback_service).
    pub fn router(&self, path: &str) -> Router {
        Router::new()
            .route_service("/clientaccesspolicy.xml", self.clone())
            .route_service("/crossdomain.xml", self.clone())
            .nest_service(path, self.clone())
    }
}
