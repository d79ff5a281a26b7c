//! A server from its start to the moment when its threads serve.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use smooth_origin::origin::LivePoints;
use tokio::sync::Semaphore;

use crate::content::Content;
use crate::signals::Signals;
use crate::{Arguments, Failure, Memory, open_files};

/// The parts of a server that is about to serve.
pub struct Host {
    /// The listening socket, in non-blocking mode.
    pub listener: TcpListener,
    /// The folders, and the service for them.
    pub content: Content,
    /// Number of serving threads.
    pub workers: usize,
    /// Room for connections, over all threads.
    pub room: Arc<Semaphore>,
    /// The signals that end the server.
    pub signals: Signals,
    /// The address of the listening socket.
    pub address: SocketAddr,
}

impl Host {
    /// Opens the folders and the port. Clients can connect from then on; the caller starts the threads
    /// that serve them.
    ///
    /// # Errors
    /// A sentence about what the system or the command line does not allow.
    pub async fn open(
        arguments: &Arguments,
        memory: Memory,
        live: Option<LivePoints>,
    ) -> Result<Self, Failure> {
        arguments.logs.start()?;
        open_files::allow_many(arguments.max_connections);
        #[cfg(feature = "remote")]
        crate::stores::disk::open(&arguments.stores).await?;
        let content = Content::open(arguments, memory, live)?;
        let listener = arguments.listen.bind("--listen").await?;
        let cannot = |what| move |error| Failure::system(what, error);
        Ok(Self {
            address: listener.local_addr().map_err(cannot("cannot tell the port"))?,
            listener,
            content,
            workers: arguments.workers.map_or_else(processors, Ok)?,
            room: Arc::new(Semaphore::new(arguments.max_connections)),
            signals: Signals::new().map_err(cannot("cannot heed signals"))?,
        })
    }
}

/// Checks what [`Host::open`] would refuse, without opening a port or making a file.
///
/// # Errors
/// As those of the start.
pub fn check_host(arguments: &Arguments, memory: Memory) -> Result<(), Failure> {
    arguments.logs.check()?;
    #[cfg(feature = "remote")]
    crate::stores::disk::check(&arguments.stores)?;
    Content::open(arguments, memory, None).map(drop)
}

fn processors() -> Result<usize, Failure> {
    let count = std::thread::available_parallelism().map_err(|error| {
        Failure::system("cannot count the processors; give a number of --workers", error)
    })?;
    Ok(count.get())
}
