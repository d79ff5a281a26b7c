//! The signals of a running server.

use std::io;
use std::time::{Duration, Instant};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::log::{Level, log};

/// The signals that a server handles: SIGINT (Ctrl-C) and SIGTERM end it, SIGHUP has it look again at
/// all presentations. None of them has its default effect once this is made.
pub struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    hangup: Signal,
}

/// Signals that follow each other within this time count as one.
const SAME_TIME: Duration = Duration::from_secs(1);

enum Told {
    Stop,
    #[cfg_attr(not(unix), allow(dead_code))]
    LookAgain,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(unix)]
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the signal that ends the server; calls `look_again` for each of the other kind.
    pub async fn stop(&mut self, mut look_again: impl FnMut()) {
        while let Told::LookAgain = self.next().await {
            look_again();
        }
    }

    /// Runs `finish`, which waits for connections to end for so long, in a thread of its own. A second
    /// signal ends the process.
    pub async fn end(&mut self, patience: Duration, finish: impl FnOnce() + Send + 'static) {
        let seconds = patience.as_secs_f64();
        log(
            Level::Info,
            format_args!("stopping: responses have {seconds} s to end; Ctrl-C again ends them now"),
        );
        let finished = tokio::task::spawn_blocking(finish);
        tokio::select! {
            result = finished => if let Err(error) = result {
                log(Level::Error, format_args!("the server did not stop in order: {error}"));
            },
            () = self.stop_again() => std::process::exit(130),
        }
    }

    /// Waits for a second signal. One that follows at once counts as the first: `timeout` sends two.
    async fn stop_again(&mut self) {
        let first = Instant::now();
        while first.elapsed() < SAME_TIME {
            self.stop(|| {}).await;
        }
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.terminate.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::LookAgain,
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> Told {
        if let Err(error) = tokio::signal::ctrl_c().await {
            log(Level::Warn, format_args!("Ctrl-C is not noticed: {error}"));
            std::future::pending::<()>().await;
        }
        Told::Stop
    }
}
