//! One connection, from its first byte to its end, and how long a client may keep it without doing
//! anything.
//!
//! ```text
//!  TCP ─► protocol (first bytes) ─┬─► TLS ─┬─► http1 (doubled_length, lazy_timer) ─► site
//!                                 └────────┴─► http2 (activity, unsent) ────────► site
//! ```

mod activity;
mod doubled_length;
mod http1;
mod http2;
mod lazy_timer;
mod protocol;
mod unsent;

use std::io;
use std::time::Duration;

use common::client_limits::HEAD_ROOM;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

use crate::access::Client;
use crate::current::Current;
use crate::times::Times;
use crate::tls::Tls;
use protocol::First;

/// The parts of a listener that its connections need. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) site: Current,
    pub(crate) tls: Option<Tls>,
    pub(crate) times: Times,
    /// Bytes of memory for bodies, of all connections.
    pub(crate) body_memory: u64,
}

/// Tells connections that the server stops.
#[derive(Clone)]
pub(crate) struct Stopping(pub(crate) watch::Receiver<()>);

/// The reason why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the handshake of TLS failed: {0}")]
    Handshake(io::Error),
    #[error("the handshake of TLS did not end in time")]
    HandshakeTime,
    #[error("no request came in time")]
    Silent,
    #[error("the client asks by http:// where only https:// is served")]
    Unencrypted,
    #[error("the client takes nothing of its responses")]
    Stuck,
    #[error(transparent)]
    System(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

/// The response to a request without TLS on a port with TLS.
const USE_HTTPS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 52\r\n\
connection: close\r\n\r\nThis port takes HTTPS: begin the URL with https://.\n";

/// Time to tell a client why its connection ends.
const PARTING: Duration = Duration::from_secs(2);

impl Stopping {
    /// Ends when the server begins to stop.
    async fn begins(&mut self) {
        // The sender sends nothing: it is dropped.
        let _ = self.0.changed().await;
    }
}

/// Serves a connection until one side ends it.
///
/// # Errors
/// The client breaks off, is too slow, or breaks a protocol.
pub(crate) async fn serve(
    stream: TcpStream,
    client: Client,
    serving: Serving,
    watcher: Watcher,
    mut stopping: Stopping,
) -> Result<(), Broken> {
    let _ = stream.set_nodelay(true);
    let Times { header_timeout, handshake_timeout, write_timeout, .. } = serving.times;
    let patience = if serving.tls.is_some() { handshake_timeout } else { header_timeout };
    let first = tokio::select! {
        first = tokio::time::timeout(patience, First::of(&stream)) => first,
        () = stopping.begins() => return Ok(()),
    };
    let first = first.map_err(|_| Broken::Silent)??;
    let Some(tls) = serving.tls.clone() else {
        let stream = timed(stream, write_timeout);
        return match first {
            First::Http2 => http2::serve(stream, client, serving, watcher, stopping).await,
            _ => http1::serve(stream, client, serving, watcher).await,
        };
    };
    let mut stream = Box::pin(timed(stream, write_timeout));
    if first == First::Letters {
        let _ = tokio::time::timeout(PARTING, tell_https(&mut stream)).await;
        return Err(Broken::Unencrypted);
    }
    let handshake = tokio::time::timeout(handshake_timeout, tls.acceptor().accept(stream));
    let stream = tokio::select! {
        ended = handshake => ended.map_err(|_| Broken::HandshakeTime)?.map_err(Broken::Handshake)?,
        () = stopping.begins() => return Ok(()),
    };
    let has_certificate = stream.get_ref().1.peer_certificates().is_some();
    let client = client.over_tls(has_certificate);
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => http2::serve(stream, client, serving, watcher, stopping).await,
        _ => http1::serve(stream, client, serving, watcher).await,
    }
}

/// Tells a client without TLS what to do.
async fn tell_https(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    stream.write_all(USE_HTTPS).await?;
    stream.shutdown().await?;
    // With bytes unread, the system would take back what the client has not read yet.
    let mut rest = [0; 1024];
    for _ in 0..HEAD_ROOM / rest.len() {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// Returns the stream as one that fails if nothing can be written to it for this time.
fn timed(stream: TcpStream, write_timeout: Duration) -> TimeoutStream<TcpStream> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(write_timeout));
    stream
}
