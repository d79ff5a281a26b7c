//! Puts an origin into a server that is there already: presentations under `/vod`.
//!
//! ```sh
//! cargo run -p smooth-origin-frameworks --example embed
//! ```

use axum::Router;
use axum::routing::get;
use smooth_origin::origin::Origin;
use smooth_origin::service::{Caching, Cors, OriginService, ServiceOptions};
use smooth_origin::storage::LocalStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata");
    let origin = Origin::new(LocalStore::new(root)?);

    let options = ServiceOptions::default()
        .caching(Caching::default())
        .cors(Cors::any())
        .cross_domain_policies(true);
    let service = OriginService::with_options(origin, options);

    let app = Router::new()
        .route("/", get(|| async { "http://127.0.0.1:8080/vod/ladder/ladder.ism/Manifest\n" }))
        .merge(service.router("/vod"));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://127.0.0.1:8080/vod/ladder/ladder.ism/Manifest");
    Ok(axum::serve(listener, app).await?)
}
