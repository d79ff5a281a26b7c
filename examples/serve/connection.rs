//! One connection, and how long a client may keep it without doing anything.

use std::convert::Infallible;

use bytes::Bytes;
use common::client_limits::{HEAD_ROOM, HEADER_TIMEOUT, WRITE_TIMEOUT};
use http::header::{CONNECTION, HeaderValue};
use http::{Response, StatusCode};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

use crate::access::Client;
use crate::doubled_length::Watched;
use crate::lazy_timer::LazyTimer;
use crate::site::{Site, SiteBody};

pub(crate) fn serve(
    stream: TcpStream,
    client: Client,
    site: Site,
) -> impl GracefulConnection<Error = hyper::Error> {
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    let (stream, doubled) = Watched::new(stream);
    let counted = site.connection();
    let respond = move |request: Request<Incoming>| {
        let _ = &counted;
        let (site, is_refused) = (site.clone(), doubled.was_seen());
        async move {
            Ok::<_, Infallible>(match is_refused {
                true => site.record(&request, &client, refusal()),
                false => site.respond(request, &client).await,
            })
        }
    };
    http1::Builder::new()
        .timer(LazyTimer::new(HEADER_TIMEOUT))
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEAD_ROOM)
        .serve_connection(TokioIo::new(stream), service_fn(respond))
}

/// The answer to a request that a proxy in front may have read differently.
fn refusal() -> Response<SiteBody> {
    let mut response = Response::new(SiteBody::from(Bytes::new()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
