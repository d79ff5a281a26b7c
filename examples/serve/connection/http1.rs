//! HTTP/1.1 on a connection.

use std::convert::Infallible;

use bytes::Bytes;
use common::client_limits::HEAD_ROOM;
use http::header::{CONNECTION, HeaderValue};
use http::{Response, StatusCode};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};

use super::doubled_length::Watched;
use super::lazy_timer::LazyTimer;
use super::{Broken, Serving};
use crate::access::Client;
use crate::site::SiteBody;

pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    client: Client,
    serving: Serving,
    watcher: Watcher,
) -> Result<(), Broken> {
    let Serving { site, times, .. } = serving;
    // An encoder may end its side behind the body and wait for the answer. Whoever asks for something and does so is gone.
    let may_be_half_closed = site.now().takes_pushes();
    let (stream, doubled) = Watched::new(stream);
    let respond = move |request: Request<Incoming>| {
        let (site, is_refused) = (site.now(), doubled.was_seen());
        async move {
            Ok::<_, Infallible>(match is_refused {
                true => site.record(&request, &client, refusal()),
                false => site.respond(request, &client).await,
            })
        }
    };
    let connection = http1::Builder::new()
        .timer(LazyTimer::new(times.header_timeout))
        .header_read_timeout(times.header_timeout)
        .max_buf_size(HEAD_ROOM)
        .half_close(may_be_half_closed)
        .serve_connection(TokioIo::new(stream), service_fn(respond));
    Ok(watcher.watch(connection).await?)
}

/// The answer to a request that a proxy in front may have read differently.
fn refusal() -> Response<SiteBody> {
    let mut response = Response::new(SiteBody::from(Bytes::new()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
