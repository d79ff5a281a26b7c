//! The server: its options, its threads, its end.

mod connection;
mod request;
mod response;
mod socket;
mod timer;
mod workers;

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use smooth_origin::origin::Origin;
use smooth_origin::service::{
    Caching, Cors, InvalidOrigin, OriginService, PassedFiles, ServiceOptions,
};
use smooth_origin::storage::LocalStore;
use tokio::signal::unix::{SignalKind, signal};

use workers::Workers;

/// Serves the Smooth Streaming presentations of a folder over HTTP, by sendfile.
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
    /// How old what is known of a presentation may be before its files are looked at again
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    revalidate: u64,
    /// Threads that serve, each its own connections [default: as many as processors]
    #[arg(long, value_name = "NUMBER")]
    workers: Option<NonZeroUsize>,
    /// Connections of a thread at one time; more wait
    #[arg(long, default_value_t = 8_192, value_name = "NUMBER")]
    max_connections: usize,
}

pub(crate) fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    allow_many_open_files();
    let testdata = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");
    let folder = arguments.folder.clone().unwrap_or(testdata.into());
    let store = LocalStore::new(&folder)
        .map_err(|error| format!("{} is no folder to serve: {error}", folder.display()))?
        .cold_reads(|read| async { tokio::task::spawn_blocking(read).await? });
    let origin =
        Origin::builder(store).revalidate_after(Duration::from_secs(arguments.revalidate)).build();
    let service = OriginService::with_options(origin, options(&arguments)?);
    let listener = TcpListener::bind(arguments.listen).map_err(|error| {
        format!("cannot listen on {}: {error}; choose another --listen", arguments.listen)
    })?;
    println!("listening on {}; stop with Ctrl-C", listener.local_addr()?);
    let workers =
        Workers::start(arguments.workers, &listener, &service, arguments.max_connections)?;
    wait_for_the_end()?;
    workers.stop();
    Ok(())
}

fn options(arguments: &Arguments) -> Result<ServiceOptions, InvalidOrigin> {
    let cors = match &arguments.allow_origin[..] {
        [] => Cors::any(),
        origins => Cors::origins(origins)?,
    };
    Ok(ServiceOptions::default()
        .caching(Caching::default())
        .cors(cors)
        .cross_domain_policies(true)
        .files(PassedFiles::all())
        .compression(true))
}

/// Ctrl-C, and what service managers send.
#[tokio::main(flavor = "current_thread")]
async fn wait_for_the_end() -> std::io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
    Ok(())
}

/// Each connection is a file, and so is each media file that is held open.
fn allow_many_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
