//! Serves the presentations of a folder, as a CDN wants its origin.
//!
//! ```sh
//! cargo run --release --example serve
//! cargo run --release --example serve -- /srv/media --listen 0.0.0.0:80
//! ```
//!
//! Everything that the service can do is on: caching, pages of other sites, cross-domain policies,
//! files beside the presentations, compressed manifests. What only a host can do is here: time-outs
//! for clients that send or read nothing, a limit of connections, an end without broken downloads.

mod connection;
mod lazy_timer;
mod listing;
mod workers;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use smooth_origin::origin::Origin;
use smooth_origin::service::{
    Caching, Cors, InvalidOrigin, OriginService, PassedFiles, ServiceOptions,
};
use smooth_origin::storage::LocalStore;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use listing::print_presentations;
use workers::Workers;

/// Serves the Smooth Streaming presentations of a folder over HTTP.
#[derive(Parser)]
struct Arguments {
    /// Folder with presentations [default: the testdata/ of this project]
    folder: Option<PathBuf>,
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// Sites whose pages may play, as https://tv.example.com or https://*.example.com; may be given
    /// several times [default: all]
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// No presentation is ever replaced by another of its name: fragments are kept for a year
    #[arg(long)]
    immutable: bool,
    /// How old what is known of a presentation may be before its files are looked at again
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    revalidate: u64,
    /// Call manifests text/xml, as IIS did (Shaka Player refuses that)
    #[arg(long)]
    text_xml: bool,
    /// Threads that serve, each its own connections [default: as many as processors]
    #[arg(long, value_name = "NUMBER")]
    workers: Option<NonZeroUsize>,
    /// Connections at one time; more wait
    #[arg(long, default_value_t = 16_384, value_name = "NUMBER")]
    max_connections: usize,
    /// Memory for what was read and clients have not taken yet
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    body_memory: u64,
    /// Memory for fragments that are asked for often; 0 reads each from its file
    #[arg(long, default_value_t = 64, value_name = "MIB")]
    hot_memory: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    allow_many_open_files();
    let testdata = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");
    let folder = arguments.folder.clone().unwrap_or(testdata.into());
    let store = LocalStore::new(&folder)
        .map_err(|error| format!("{} is no folder to serve: {error}", folder.display()))?
        // What a disk must be waited for holds up no other request of the worker.
        .cold_reads(|read| async { tokio::task::spawn_blocking(read).await? });
    let origin = Origin::builder(store)
        .revalidate_after(Duration::from_secs(arguments.revalidate))
        .body_bytes(arguments.body_memory << 20)
        .fragment_cache_bytes(arguments.hot_memory << 20)
        .build();
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
        format!("cannot listen on {}: {error}; choose another --listen", arguments.listen)
    })?;
    print_presentations(&origin, &folder, listener.local_addr()?).await;
    let service = OriginService::with_options(origin, options(&arguments)?);
    let origin = service.origin().clone();
    let mut workers = Workers::start(arguments.workers, &service)?;
    accept(listener, &mut workers, arguments.max_connections).await;
    workers.stop();
    let stats = origin.fragment_cache();
    println!("{} of {} fragments came from memory", stats.hits, stats.hits + stats.misses);
    Ok(())
}

fn options(arguments: &Arguments) -> Result<ServiceOptions, InvalidOrigin> {
    let caching = match arguments.immutable {
        true => Caching::default().content_never_changes(),
        false => Caching::default(),
    };
    let cors = match &arguments.allow_origin[..] {
        [] => Cors::any(),
        origins => Cors::origins(origins)?,
    };
    Ok(ServiceOptions::default()
        .caching(caching)
        .cors(cors)
        .cross_domain_policies(true)
        .files(PassedFiles::all())
        .text_xml(arguments.text_xml)
        .compression(true))
}

/// Accepts connections until the process is told to stop.
async fn accept(listener: TcpListener, workers: &mut Workers, max_connections: usize) {
    let room = Arc::new(Semaphore::new(max_connections));
    let mut stop = std::pin::pin!(stop());
    loop {
        let accepted = async {
            // First room, then a connection: who finds none waits in the system's queue.
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            (permit, accepted) = accepted => match (permit, accepted) {
                (Ok(permit), Ok((stream, _))) => workers.hand(stream, permit),
                (_, Err(error)) => {
                    // Most often too many open files: others must close before more can come.
                    eprintln!("a connection is not accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                (Err(_), _) => break,
            },
            () = &mut stop => break,
        }
    }
}

/// Ctrl-C, and what service managers send.
async fn stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Each connection is a file, and so is each media file that is held open.
fn allow_many_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        let _ = setrlimit(Resource::Nofile, limit);
    }
}
