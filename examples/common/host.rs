//! A server from its start to the moment when its threads serve.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use smooth_origin::service::OriginService;
use tokio::sync::Semaphore;

use crate::catalogue::Catalogue;
use crate::formats::Format;
use crate::listing::{Listing, Shown};
use crate::roots::Roots;
use crate::signals::Signals;
use crate::{Arguments, Failure, Memory, log, open_files, origin, terminal};

/// The parts of a server that is about to serve.
pub struct Host {
    /// The listening socket, in non-blocking mode.
    pub listener: TcpListener,
    /// Answers requests.
    pub service: OriginService,
    /// Number of serving threads.
    pub workers: usize,
    /// Room for connections, over all threads.
    pub room: Arc<Semaphore>,
    /// The signals that end the server.
    pub signals: Signals,
    address: SocketAddr,
    roots: Roots,
    links_into: Vec<PathBuf>,
    formats: Vec<Format>,
    list: usize,
}

impl Host {
    /// Opens the folders and the port. Clients can connect from then on; the caller starts the threads
    /// that serve them.
    ///
    /// # Errors
    /// A sentence about what the system or the command line does not allow.
    pub async fn open(arguments: &Arguments, memory: Memory) -> Result<Self, Failure> {
        log::show(arguments.level());
        open_files::allow_many(arguments.max_connections);
        let testdata = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata"));
        let roots = Roots::new(arguments.folders.clone(), testdata)?;
        let origin = origin::build(&roots, arguments, memory)?;
        let listener = arguments.listen.bind().await?;
        let cannot = |what| move |error| Failure::system(what, error);
        Ok(Self {
            address: listener.local_addr().map_err(cannot("cannot tell the port"))?,
            listener,
            service: OriginService::with_options(origin, arguments.service.options()?),
            workers: arguments.workers.map_or_else(processors, Ok)?,
            room: Arc::new(Semaphore::new(arguments.max_connections)),
            signals: Signals::new().map_err(cannot("cannot heed signals"))?,
            roots,
            links_into: arguments.links_into.clone(),
            formats: arguments.formats(),
            list: arguments.list,
        })
    }

    /// Returns the address on which the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the formats that are served.
    pub fn formats(&self) -> &[Format] {
        &self.formats
    }

    /// Returns the names of the presentations, which nothing looks for yet.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue::new(self.roots.clone(), self.links_into.clone())
    }

    /// Prints where the server listens, and starts the thread that lists the presentations.
    pub fn announce(&self) -> Listing {
        // A closed stdout is not a failure.
        let _ = terminal::line(&format!("listening on {}; stop with Ctrl-C", self.address));
        let shown = Shown {
            address: self.address,
            roots: self.roots.clone(),
            links_into: self.links_into.clone(),
            formats: self.formats.clone(),
            limit: self.list,
        };
        Listing::start(self.service.origin().clone(), shown)
    }
}

fn processors() -> Result<usize, Failure> {
    let count = std::thread::available_parallelism().map_err(|error| {
        Failure::system("cannot count the processors; give a number of --workers", error)
    })?;
    Ok(count.get())
}
