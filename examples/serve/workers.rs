//! Threads that serve, each its own connections: no lock and no wake-up between them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use common::client_limits::STOP_TIMEOUT;
use common::log::{Level, WithCauses, log, shows};
use common::{Accepted, Failure};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::access::Client;
use crate::connection;
use crate::site::Site;

pub(crate) struct Workers(Vec<Worker>);

struct Worker {
    connections: UnboundedSender<Handed>,
    /// As many others as it has connections.
    load: Arc<()>,
    thread: JoinHandle<()>,
}

struct Handed {
    stream: std::net::TcpStream,
    client: SocketAddr,
    permit: OwnedSemaphorePermit,
    load: Arc<()>,
}

impl Workers {
    pub(crate) fn start(count: usize, site: &Site) -> io::Result<Self> {
        (0..count).map(|_| Worker::start(site.clone())).collect::<Result<_, _>>().map(Self)
    }

    /// Gives a connection to the worker that has the fewest.
    ///
    /// # Errors
    /// Fails if no worker is left.
    pub(crate) fn hand(&mut self, accepted: Accepted) -> Result<(), Failure> {
        let Accepted { stream, client, permit } = accepted;
        let stream = match stream.into_std() {
            Ok(stream) => stream,
            Err(error) => {
                log(Level::Warn, format_args!("{client}: the connection is lost: {error}"));
                return Ok(());
            }
        };
        let loads = self.0.iter().map(|worker| Arc::strong_count(&worker.load)).enumerate();
        let Some((place, _)) = loads.min_by_key(|(_, load)| *load) else {
            return Err(Failure::System("every thread that serves has ended".into()));
        };
        let worker = &self.0[place];
        let load = Arc::clone(&worker.load);
        if worker.connections.send(Handed { stream, client, permit, load }).is_err() {
            self.0.swap_remove(place);
            let left = self.0.len();
            log(Level::Error, format_args!("a thread that serves has ended; {left} are left"));
        }
        Ok(())
    }

    /// Lets all end what they are sending, for a while.
    pub(crate) fn stop(self) {
        // All of them are told before the first is waited for.
        let threads: Vec<_> = self.0.into_iter().map(|worker| worker.thread).collect();
        for thread in threads {
            if thread.join().is_err() {
                log(Level::Error, "a thread that serves has ended before its time");
            }
        }
    }
}

impl Worker {
    fn start(site: Site) -> io::Result<Self> {
        let (connections, handed) = unbounded_channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new()
            .name("worker".into())
            .spawn(move || runtime.block_on(serve(handed, &site)))?;
        Ok(Self { connections, load: Arc::new(()), thread })
    }
}

/// Serves what is handed to this worker, until nobody hands anything any more.
async fn serve(mut handed: UnboundedReceiver<Handed>, site: &Site) {
    let connections = GracefulShutdown::new();
    while let Some(next) = handed.recv().await {
        let client = next.client;
        let stream = match TcpStream::from_std(next.stream) {
            Ok(stream) => stream,
            Err(error) => {
                log(Level::Warn, format_args!("{client}: the connection is lost: {error}"));
                continue;
            }
        };
        let connection =
            connections.watch(connection::serve(stream, Client::new(client), site.clone()));
        tokio::spawn(async move {
            // A client that goes away ends its own connection and nothing else.
            if let Err(error) = connection.await
                && shows(Level::Debug)
            {
                log(Level::Debug, format_args!("{client}: {}", WithCauses(&error)));
            }
            drop((next.permit, next.load));
        });
    }
    if tokio::time::timeout(STOP_TIMEOUT, connections.shutdown()).await.is_err() {
        log(Level::Info, "responses were cut off, because clients took them too slowly");
    }
}
