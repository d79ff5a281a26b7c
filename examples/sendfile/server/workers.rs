//! Threads that serve, each the connections that it accepts: no lock and no wake-up between them.

use std::io;
use std::net::TcpListener as StdListener;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use smooth_origin::service::OriginService;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};

use super::connection::Connection;

/// What is being sent when the server is told to stop has so long to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Workers {
    threads: Vec<JoinHandle<()>>,
    stop: watch::Sender<()>,
}

/// Requests that are being answered.
pub(super) type Busy = Arc<AtomicUsize>;

impl Workers {
    /// So many threads, or one a processor.
    pub(super) fn start(
        count: Option<NonZeroUsize>,
        listener: &StdListener,
        service: &OriginService,
        max_connections: usize,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let count = count.map_or_else(thread::available_parallelism, Ok)?;
        let (stop, stopped) = watch::channel(());
        let worker = |_| {
            let (listener, service) = (listener.try_clone()?, service.clone());
            let room = Arc::new(Semaphore::new(max_connections));
            let stopped = stopped.clone();
            let runtime = Builder::new_current_thread().enable_all().build()?;
            thread::Builder::new().name("worker".into()).spawn(move || {
                if let Err(error) = runtime.block_on(serve(listener, service, room, stopped)) {
                    eprintln!("a worker cannot accept: {error}");
                }
            })
        };
        let threads = (0..count.get()).map(worker).collect::<io::Result<_>>()?;
        Ok(Self { threads, stop })
    }

    /// Lets all end what they are sending, for a while.
    pub(super) fn stop(self) {
        drop(self.stop);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

async fn serve(
    listener: StdListener,
    service: OriginService,
    room: Arc<Semaphore>,
    mut stopped: watch::Receiver<()>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let busy = Busy::default();
    tokio::select! {
        () = accept(&listener, &service, &room, &busy) => {}
        _ = stopped.changed() => {}
    }
    drop(listener);
    let end = Instant::now() + STOP_TIMEOUT;
    while busy.load(Ordering::Relaxed) > 0 && Instant::now() < end {
        sleep(Duration::from_millis(10)).await;
    }
    // Connections that wait for a request end with the runtime.
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    service: &OriginService,
    room: &Arc<Semaphore>,
    busy: &Busy,
) {
    // First room, then a connection: who finds none waits in the system's queue.
    while let Ok(permit) = Arc::clone(room).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = Connection::new(stream, service.clone(), Arc::clone(busy));
                tokio::spawn(async move {
                    // A client that goes away ends its own connection and nothing else.
                    let _ = connection.serve().await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Most often too many open files: others must close before more can come.
                eprintln!("a connection is not accepted: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
