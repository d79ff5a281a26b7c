//! Connections that come in, no more at one time than there is room for.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use crate::log::{Level, log};

/// Accepts connections of a listener; several may share its socket and the room.
pub struct Acceptor {
    listener: TcpListener,
    room: Arc<Semaphore>,
    /// Time at which a failure was last logged.
    logged: Option<Instant>,
}

/// A connection, and its share of the room.
pub struct Accepted {
    /// The connection.
    pub stream: TcpStream,
    /// The client's address.
    pub client: SocketAddr,
    /// The room is taken until this is dropped.
    pub permit: OwnedSemaphorePermit,
}

/// Pause after a failure. Most often there are too many open files, and connections must close
/// before more can be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Shortest time between two lines about a failure that lasts.
const LOGGED_EACH: Duration = Duration::from_secs(5);

impl Acceptor {
    /// # Errors
    /// The runtime cannot watch the socket.
    pub fn new(listener: std::net::TcpListener, room: Arc<Semaphore>) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::from_std(listener)?, room, logged: None })
    }

    /// The next connection; `None` when the room was closed. Dropping the future loses no connection.
    pub async fn next(&mut self) -> Option<Accepted> {
        loop {
            // First room, then a connection: without room, clients wait in the system's queue.
            let permit = Arc::clone(&self.room).acquire_owned().await.ok()?;
            match self.listener.accept().await {
                Ok((stream, client)) => return Some(Accepted { stream, client, permit }),
                Err(error) => {
                    drop(permit);
                    self.note(&error);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn note(&mut self, error: &io::Error) {
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOGGED_EACH) {
            log(Level::Error, format_args!("a connection is not accepted: {error}"));
            self.logged = Some(Instant::now());
        }
    }
}
