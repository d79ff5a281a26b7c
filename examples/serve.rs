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

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use smooth_origin::base::Name;
use smooth_origin::origin::Origin;
use smooth_origin::service::{Caching, Cors, OriginService, PassedFiles, ServiceOptions};
use smooth_origin::storage::LocalStore;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

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
    /// Connections at one time; more wait
    #[arg(long, default_value_t = 16_384, value_name = "NUMBER")]
    max_connections: usize,
    /// Memory for what was read and clients have not taken yet
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    body_memory: u64,
}

/// A client that sends no request for so long is sent away; between two requests as well.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// A client that takes nothing of its response for so long is, too.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What is being sent when the server is told to stop has so long to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Room for a request's head: more is answered with 431.
const HEAD_ROOM: usize = 32 << 10;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    allow_many_open_files();
    let testdata = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");
    let folder = arguments.folder.clone().unwrap_or(testdata.into());
    let store = LocalStore::new(&folder)
        .map_err(|error| format!("{} is no folder to serve: {error}", folder.display()))?;
    let origin = Origin::builder(store)
        .revalidate_after(Duration::from_secs(arguments.revalidate))
        .body_bytes(arguments.body_memory << 20)
        .build();
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
        format!("cannot listen on {}: {error}; choose another --listen", arguments.listen)
    })?;
    print_presentations(&origin, &folder, listener.local_addr()?).await;
    let service = OriginService::with_options(origin, options(&arguments));
    serve(listener, service, arguments.max_connections).await
}

fn options(arguments: &Arguments) -> ServiceOptions {
    let caching = match arguments.immutable {
        true => Caching::default().content_never_changes(),
        false => Caching::default(),
    };
    let cors = match &arguments.allow_origin[..] {
        [] => Cors::any(),
        origins => Cors::origins(origins.iter().cloned()),
    };
    ServiceOptions::default()
        .caching(caching)
        .cors(cors)
        .cross_domain_policies(true)
        .files(PassedFiles::all())
        .text_xml(arguments.text_xml)
        .compression(true)
}

/// Accepts connections until the process is told to stop.
async fn serve(
    listener: TcpListener,
    service: OriginService,
    max_connections: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let room = Arc::new(Semaphore::new(max_connections));
    let connections = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop());
    loop {
        let accepted = async {
            // First room, then a connection: who finds none waits in the system's queue.
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            (permit, accepted) = accepted => match accepted {
                Ok((stream, _)) => start(stream, service.clone(), &connections, permit?),
                Err(error) => {
                    // Most often too many open files: others must close before more can come.
                    eprintln!("a connection is not accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(STOP_TIMEOUT, connections.shutdown()).await;
    Ok(())
}

fn start(
    stream: TcpStream,
    service: OriginService,
    connections: &GracefulShutdown,
    permit: OwnedSemaphorePermit,
) {
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let respond = move |request: Request<Incoming>| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.respond(&request).await) }
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEAD_ROOM)
        .serve_connection(TokioIo::new(Box::pin(stream)), service_fn(respond));
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // A client that goes away ends its own connection and nothing else.
        let _ = connection.await;
        drop(permit);
    });
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

/// What there is to play, for people to try, and what is wrong with it.
async fn print_presentations(origin: &Origin, folder: &Path, address: SocketAddr) {
    let mut names = Vec::new();
    find_presentations(folder, "", &mut names);
    names.sort();
    if names.is_empty() {
        println!("no presentation (.ism) in {}", folder.display());
    }
    for name in names {
        match origin.open(&name).await {
            Ok(opened) => {
                match opened.presentation().manifest() {
                    Ok(_) => println!("http://{address}/{}/Manifest", in_url(name.as_str())),
                    Err(error) => println!("{name} cannot be served: {error}"),
                }
                for finding in opened.presentation().findings() {
                    println!("  {finding}");
                }
            }
            Err(error) => println!("{name} cannot be served: {error}"),
        }
    }
    println!("listening on {address}; stop with Ctrl-C");
}

/// Folders deeper than this are not looked into for a list to print.
const MAX_DEPTH: usize = 8;

/// More presentations than these are not listed.
const MAX_LISTED: usize = 100;

fn find_presentations(root: &Path, below: &str, names: &mut Vec<Name>) {
    let Ok(entries) = std::fs::read_dir(root.join(below)) else { return };
    for entry in entries.flatten() {
        let Ok(file_name) = entry.file_name().into_string() else { continue };
        let path = if below.is_empty() { file_name } else { format!("{below}/{file_name}") };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && path.matches('/').count() < MAX_DEPTH => {
                find_presentations(root, &path, names);
            }
            Ok(_) if path.to_ascii_lowercase().ends_with(".ism") && names.len() < MAX_LISTED => {
                names.extend(Name::new(&path));
            }
            _ => {}
        }
    }
}

/// A path as a URL has it.
fn in_url(path: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~/()".contains(byte);
    path.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}
