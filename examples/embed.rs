//! Presentations under `/vod` of an axum server.
//!
//! ```sh
//! cargo run --example embed
//! ```

use axum::{Router, routing::get};
use smooth_origin::Origin;
use smooth_origin::service::OriginService;
use smooth_origin::storage::LocalStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let origin = Origin::builder(LocalStore::new("testdata")?)
        .on_event(|event| eprintln!("{} {event}", event.level()))
        .build();
    let app = Router::new()
        .route("/", get(|| async { "your own pages" }))
        .nest_service("/vod", OriginService::new(origin));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080")
        .await
        .map_err(|error| format!("127.0.0.1:8080: {error}: choose another port"))?;
    println!("http://{}/vod/ladder/ladder.ism/Manifest", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
