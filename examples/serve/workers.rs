//! Threads that serve, each its own connections: no lock and no wake-up between them.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use smooth_origin::service::OriginService;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::connection;

/// What is being sent when the server is told to stop has so long to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Workers(Vec<Worker>);

struct Worker {
    connections: UnboundedSender<Accepted>,
    /// As many others as it has connections.
    load: Arc<()>,
    thread: JoinHandle<()>,
}

struct Accepted {
    stream: std::net::TcpStream,
    permit: OwnedSemaphorePermit,
    load: Arc<()>,
}

impl Workers {
    /// So many threads, or one a processor.
    pub(crate) fn start(count: Option<NonZeroUsize>, service: &OriginService) -> io::Result<Self> {
        let count = count.map_or_else(thread::available_parallelism, Ok)?;
        (0..count.get()).map(|_| Worker::start(service.clone())).collect::<Result<_, _>>().map(Self)
    }

    /// Gives a connection to the worker that has the fewest.
    pub(crate) fn hand(&mut self, stream: TcpStream, permit: OwnedSemaphorePermit) {
        let Ok(stream) = stream.into_std() else { return };
        if let Some(worker) = self.0.iter().min_by_key(|worker| Arc::strong_count(&worker.load)) {
            let load = Arc::clone(&worker.load);
            let _ = worker.connections.send(Accepted { stream, permit, load });
        }
    }

    /// Lets all end what they are sending, for a while.
    pub(crate) fn stop(self) {
        let threads: Vec<_> = self.0.into_iter().map(|worker| worker.thread).collect();
        for thread in threads {
            let _ = thread.join();
        }
    }
}

impl Worker {
    fn start(service: OriginService) -> io::Result<Self> {
        let (connections, accepted) = unbounded_channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new()
            .name("worker".into())
            .spawn(move || runtime.block_on(serve(accepted, &service)))?;
        Ok(Self { connections, load: Arc::new(()), thread })
    }
}

/// Serves what is handed to this worker, until nobody hands anything any more.
async fn serve(mut accepted: UnboundedReceiver<Accepted>, service: &OriginService) {
    let connections = GracefulShutdown::new();
    while let Some(next) = accepted.recv().await {
        let Ok(stream) = TcpStream::from_std(next.stream) else { continue };
        let connection = connections.watch(connection::serve(stream, service.clone()));
        tokio::spawn(async move {
            // A client that goes away ends its own connection and nothing else.
            let _ = connection.await;
            drop((next.permit, next.load));
        });
    }
    let _ = tokio::time::timeout(STOP_TIMEOUT, connections.shutdown()).await;
}
