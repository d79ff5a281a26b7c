//! Serves the presentations of a folder.
//!
//! ```sh
//! cargo run --release --example serve
//! cargo run --release --example serve -- /srv/media --listen 0.0.0.0:80
//! ```

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use smooth_origin::base::Name;
use smooth_origin::origin::Origin;
use smooth_origin::service::OriginService;
use smooth_origin::storage::LocalStore;
use tokio::net::TcpListener;
use tower_http::cors::Cors;

/// Serves the Smooth Streaming presentations of a folder over HTTP.
#[derive(Parser)]
struct Arguments {
    /// Folder with presentations [default: the testdata/ of this project]
    folder: Option<PathBuf>,
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR:PORT")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let testdata = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");
    let folder = arguments.folder.unwrap_or(testdata.into());
    let store = LocalStore::new(&folder)
        .map_err(|error| format!("{} is no folder to serve: {error}", folder.display()))?;
    let origin = Origin::new(store);
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
        format!("cannot listen on {}: {error}; choose another --listen", arguments.listen)
    })?;
    print_presentations(&origin, &folder, listener.local_addr()?).await;

    // Web players on other sites may read everything.
    let service = TowerToHyperService::new(Cors::permissive(OriginService::new(origin)));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Most often too many open files: others must close before more can come.
                    eprintln!("a connection is not accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(30))
            .serve_connection(TokioIo::new(stream), service.clone());
        // A client that goes away ends its own connection and nothing else.
        tokio::spawn(connection);
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
