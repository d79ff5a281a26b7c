//! Threads that serve, each its own connections: no lock and no wake-up between them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use common::log::{Level, WithCauses, log, shows};
use common::{Accepted, Failure};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::access::Client;
use crate::connection::{self, Broken, Serving, Stopping};

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
    pub(crate) fn start(count: usize, serving: &Serving) -> io::Result<Self> {
        (0..count).map(|_| Worker::start(serving.clone())).collect::<Result<_, _>>().map(Self)
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
    fn start(serving: Serving) -> io::Result<Self> {
        let (connections, handed) = unbounded_channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name("worker".into()).spawn(move || {
            runtime.block_on(serve(handed, &serving));
            // A disk that does not answer must not hold up the end.
            runtime.shutdown_background();
        })?;
        Ok(Self { connections, load: Arc::new(()), thread })
    }
}

/// Serves what is handed to this worker, until nobody hands anything any more.
async fn serve(mut handed: UnboundedReceiver<Handed>, serving: &Serving) {
    let connections = GracefulShutdown::new();
    let (stop, stopping) = watch::channel(());
    while let Some(next) = handed.recv().await {
        let client = next.client;
        let stream = match TcpStream::from_std(next.stream) {
            Ok(stream) => stream,
            Err(error) => {
                log(Level::Warn, format_args!("{client}: the connection is lost: {error}"));
                continue;
            }
        };
        let (serving, watcher) = (serving.clone(), connections.watcher());
        let stopping = Stopping(stopping.clone());
        tokio::spawn(async move {
            let site = serving.site.now();
            let counted = site.connection();
            let served =
                connection::serve(stream, Client::new(client), serving, watcher, stopping).await;
            // A client that goes away ends its own connection and nothing else.
            if let Err(broken) = served {
                if matches!(broken, Broken::Handshake(_) | Broken::HandshakeTime) {
                    site.tls_failed();
                }
                if shows(Level::Debug) {
                    log(Level::Debug, format_args!("{client}: {}", WithCauses(&broken)));
                }
            }
            drop((next.permit, next.load, counted));
        });
    }
    drop(stop);
    if tokio::time::timeout(serving.times.stop_timeout, connections.shutdown()).await.is_err() {
        log(Level::Info, "responses were cut off, because clients took them too slowly");
    }
}
