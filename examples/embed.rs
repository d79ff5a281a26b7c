//! Puts an origin into a server that is there already: presentations under `/vod`.
//!
//! ```sh
//! cargo run -p smooth-origin-frameworks --example embed
//! ```

use axum::Router;
use axum::routing::get;
use smooth_origin::origin::Origin;
use smooth_origin::service::OriginService;
use smooth_origin::storage::LocalStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata");
    let origin = Origin::new(LocalStore::new(root)?);

    let app = Router::new()
        .route("/", get(|| async { "http://127.0.0.1:8080/vod/ladder/ladder.ism/Manifest\n" }))
        .nest_service("/vod", OriginService::new(origin));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://127.0.0.1:8080/vod/ladder/ladder.ism/Manifest");
    Ok(axum::serve(listener, app).await?)
}
