//! One connection, and how long a client may keep it without doing anything.

use std::convert::Infallible;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulConnection;
use smooth_origin::service::OriginService;
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

use crate::lazy_timer::LazyTimer;

/// A client that sends no request for so long is sent away; between two requests as well.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// A client that takes nothing of its response for so long is, too.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Room for a request's head: more is answered with 431.
const HEAD_ROOM: usize = 32 << 10;

pub(crate) fn serve(stream: TcpStream, service: OriginService) -> impl GracefulConnection {
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let respond = move |request: Request<Incoming>| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.respond(&request).await) }
    };
    http1::Builder::new()
        .timer(LazyTimer::new(HEADER_TIMEOUT))
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEAD_ROOM)
        .serve_connection(TokioIo::new(Box::pin(stream)), service_fn(respond))
}
