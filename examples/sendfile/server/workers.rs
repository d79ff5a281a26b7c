//! Threads that serve, each the connections that it accepts: no lock and no wake-up between them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::client_limits::STOP_TIMEOUT;
use common::log::{Level, log};
use common::{Accepted, Acceptor, Host};
use smooth_origin::service::OriginService;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::connection::Connection;

pub(super) struct Workers {
    threads: Vec<JoinHandle<()>>,
    /// Each thread has a receiver.
    stop: watch::Sender<()>,
}

/// Requests that are being answered.
pub(super) type Busy = Arc<AtomicUsize>;

/// State that the connections of a thread share.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) service: OriginService,
    pub(super) busy: Busy,
    /// Files that changed less than this ago are copied.
    pub(super) copy_younger: Duration,
}

impl Workers {
    /// Starts the workers. Files that changed less than `copy_younger` ago are copied.
    pub(super) fn start(host: &Host, copy_younger: Duration) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(());
        let worker = |_| {
            let (listener, room) = (host.listener.try_clone()?, Arc::clone(&host.room));
            let (service, stopped) = (host.content.service.clone(), stopped.clone());
            let context = Context { service, busy: Busy::default(), copy_younger };
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let acceptor = {
                let _within = runtime.enter();
                Acceptor::new(listener, room)?
            };
            thread::Builder::new()
                .name("worker".into())
                .spawn(move || runtime.block_on(serve(acceptor, context, stopped)))
        };
        let threads = (0..host.workers).map(worker).collect::<io::Result<_>>()?;
        Ok(Self { threads, stop })
    }

    /// Waits until no thread serves any more.
    pub(super) async fn ended(&self) {
        self.stop.closed().await;
    }

    /// Lets all end what they are sending, for a while.
    pub(super) fn stop(self) {
        drop(self.stop);
        for thread in self.threads {
            if thread.join().is_err() {
                log(Level::Error, "a thread that serves has ended before its time");
            }
        }
    }
}

async fn serve(mut acceptor: Acceptor, context: Context, mut stopped: watch::Receiver<()>) {
    tokio::select! {
        () = accept(&mut acceptor, &context) => {}
        _ = stopped.changed() => {}
    }
    drop(acceptor);
    let end = Instant::now() + STOP_TIMEOUT;
    while context.busy.load(Ordering::Relaxed) > 0 {
        if Instant::now() >= end {
            log(Level::Info, "responses were cut off, because clients took them too slowly");
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    // Connections that wait for a request end with the runtime.
}

async fn accept(acceptor: &mut Acceptor, context: &Context) {
    while let Some(Accepted { stream, client, permit }) = acceptor.next().await {
        let connection = Connection::new(stream, context.clone());
        tokio::spawn(async move {
            // A client that goes away ends its own connection and nothing else.
            if let Err(error) = connection.serve().await {
                log(Level::Debug, format_args!("{client}: {error}"));
            }
            drop(permit);
        });
    }
}
