//! Puts an origin into an axum server of your own: presentations under `/vod`.
//!
//! ```sh
//! cargo run -p smooth-origin-frameworks --example embed
//! ```
//!
//! README.md shows this file.

use axum::Router;
use axum::routing::get;
use smooth_origin::origin::Origin;
use smooth_origin::service::{Cors, OriginService, ServiceOptions};
use smooth_origin::storage::LocalStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let origin = Origin::new(LocalStore::new("testdata")?);
    let options = ServiceOptions::default().cors(Cors::any()).cross_domain_policies(true);
    let service = OriginService::with_options(origin, options);

    let app =
        Router::new().route("/", get(|| async { "your own pages" })).merge(service.router("/vod"));

    // http://127.0.0.1:8080/vod/ladder/ladder.ism/Manifest
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, app).await?)
}
