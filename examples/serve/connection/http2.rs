//! HTTP/2 on a connection. Pings keep it alive, so that only its activity says whether it is of use.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use common::client_limits::HEAD_ROOM;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};

use super::activity::{Activity, Verdict, Watchdog};
use super::unsent::Places;
use super::{Broken, Serving, Stopping};
use crate::access::Client;

/// Requests of a connection that are answered at the same time.
const STREAMS: u32 = 128;

/// Requests that a client may take back before they were looked at; more end the connection, because
/// each costs the client nothing.
const RESETS: usize = 20;

/// Requests that the server may reset because of errors of the client; more end the connection.
const OWN_RESETS: usize = 1024;

/// Bytes that a client may send before they are read: requests of players have no body.
const WINDOW: u32 = 65_535;

/// Where encoders push: the bytes in flight of one push, and of all pushes of a connection. Pushes that wait for their header
/// or for the archive leave room for others.
const PUSH_WINDOW: u32 = 1 << 20;
const PUSHES_WINDOW: u32 = 16 << 20;

/// Bytes of a response that wait to be sent: a client that asks for much and takes little costs little.
const SEND_ROOM: usize = 64 << 10;

/// Time between two pings, and to the answer of one.
const PING: Duration = Duration::from_secs(20);

pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    client: Client,
    serving: Serving,
    watcher: Watcher,
    mut stopping: Stopping,
) -> Result<(), Broken> {
    let Serving { site, times, body_memory, .. } = serving;
    let places = Places::of(body_memory);
    let (window, windows) = match site.now().takes_pushes() {
        true => (PUSH_WINDOW, PUSHES_WINDOW),
        false => (WINDOW, WINDOW),
    };
    let activity = Activity::default();
    let of_requests = activity.clone();
    let respond = move |request: Request<Incoming>| {
        let (site, running) = (site.now(), of_requests.begin());
        let (activity, places) = (of_requests.clone(), places.clone());
        async move {
            let response = site.respond(request, &client).await;
            let running = running.answered();
            // The request runs until its body is sent or dropped.
            Ok::<_, Infallible>(response.map(|body| {
                places.hold(body).map_frame(move |frame| {
                    let _ = &running;
                    frame.map_data(|piece| activity.count(piece))
                })
            }))
        }
    };
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_ROOM as u32)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(OWN_RESETS)
        .initial_stream_window_size(window)
        .initial_connection_window_size(windows)
        .max_send_buf_size(SEND_ROOM)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .serve_connection(TokioIo::new(Box::pin(stream)), service_fn(respond));
    let mut connection = pin!(connection);
    let mut watchdog = Watchdog::new(activity, times.header_timeout, times.write_timeout);
    let mut is_ending = false;
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended.map_err(Broken::from),
            () = stopping.begins(), if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            verdict = watchdog.next() => match verdict {
                Verdict::Idle if !is_ending => {
                    is_ending = true;
                    connection.as_mut().graceful_shutdown();
                }
                // A client that does not end an idle connection itself has had its time.
                Verdict::Idle => break Ok(()),
                Verdict::Stuck => break Err(Broken::Stuck),
            },
        }
    };
    // The server waits for connections until then.
    drop(watcher);
    ended
}
