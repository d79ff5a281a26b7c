//! A relay: a server that asks for the range of each fragment and passes on what comes, as it comes. It keeps
//! nothing, checks nothing and knows one version. What it takes, no server with the same libraries saves.

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, RANGE};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::Mutex;
use tokio::sync::mpsc::unbounded_channel;

use crate::BUCKET;
use crate::fragments::Fragments;

type Ranges = HashMap<String, (String, String)>;

/// Serves for ever. Each thread has connections of its own, each of which has one to the store.
pub(crate) fn run(store: u16, threads: usize, fragments: Arc<Fragments>) {
    let ranges: Ranges = fragments
        .all()
        .iter()
        .map(|fragment| {
            let range = format!("bytes={}-{}", fragment.range.start, fragment.range.end - 1);
            (fragment.path.clone(), (format!("/{BUCKET}/{}", fragment.key), range))
        })
        .collect();
    let ranges = Arc::new(ranges);
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    println!("listening on {}", listener.local_addr().expect("it is bound"));
    let workers: Vec<_> = (0..threads).map(|_| worker(store, Arc::clone(&ranges))).collect();
    let turn = AtomicUsize::new(0);
    for stream in listener.incoming() {
        let worker = &workers[turn.fetch_add(1, Ordering::Relaxed) % threads];
        worker.send(stream.expect("a client connects")).expect("the worker runs");
    }
}

fn worker(store: u16, ranges: Arc<Ranges>) -> tokio::sync::mpsc::UnboundedSender<TcpStream> {
    let (sender, mut streams) = unbounded_channel::<TcpStream>();
    std::thread::spawn(move || {
        crate::runtime(1).block_on(async move {
            while let Some(stream) = streams.recv().await {
                stream.set_nonblocking(true).expect("a socket");
                stream.set_nodelay(true).expect("a socket of TCP");
                let stream = tokio::net::TcpStream::from_std(stream).expect("a runtime");
                tokio::spawn(connection(stream, store, Arc::clone(&ranges)));
            }
        });
    });
    sender
}

async fn connection(stream: tokio::net::TcpStream, store: u16, ranges: Arc<Ranges>) {
    let to_store = tokio::net::TcpStream::connect(("127.0.0.1", store)).await;
    let to_store = to_store.expect("the store listens");
    to_store.set_nodelay(true).expect("a socket of TCP");
    let (sender, driver) = handshake(TokioIo::new(to_store)).await.expect("the store speaks HTTP");
    tokio::spawn(driver);
    let sender = Mutex::new(sender);
    let service = service_fn(|request: Request<Incoming>| pass(request, &ranges, &sender));
    // A client that goes away ends its own connection.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn pass(
    request: Request<Incoming>,
    ranges: &Ranges,
    sender: &Mutex<SendRequest<Empty<Bytes>>>,
) -> hyper::Result<Response<Incoming>> {
    let (path, range) = &ranges[request.uri().path()];
    let request = Request::get(path).header(HOST, "127.0.0.1").header(RANGE, range);
    let request = request.body(Empty::new()).expect("a request");
    let mut sender = sender.lock().await;
    sender.ready().await?;
    let answer = sender.send_request(request).await?;
    let length = answer.headers()[CONTENT_LENGTH].clone();
    let response = Response::builder().header(CONTENT_LENGTH, length);
    Ok(response.body(answer.into_body()).expect("a response"))
}
