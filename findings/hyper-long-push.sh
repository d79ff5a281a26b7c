#!/usr/bin/env bash
# hyper: a long push ends after 16 KiB of chunk extensions, and one that is shut down behind its body gets no answer
#
# Version: hyper 1.12.0, hyper-util 0.1.21, http-body-util 0.1.5, tokio 1.54.1 (crates.io).
#
# Expected: a recipient ignores the extensions of chunks that it does not know (RFC 9112, 7.1.1), and a limit on
# them is one for each chunk. An encoder that has sent the last chunk may shut down its side of the connection, and
# reads the answer.
#
# Observed: hyper's server adds up the extensions of all chunks of a body, and reading fails once they have 16,384
# bytes: a body whose chunks are `7;a=b` ends after 5,461 of them (the semicolon is not counted), whatever it carries, and no
# setting changes that. And when the end of the connection is seen while the handler still works, the handler is dropped
# and the connection closed without an answer, unless `half_close(true)` is set; its default is off.
#
# Why it matters: a push to a live origin is one request that lasts for hours, in chunks of any size. An encoder, or a
# proxy in front, that marks its chunks is cut off in the middle of the event, again and again, and the error
# looks like a lost connection. Specifications of ingest have the encoder end the body and wait for the status: one that
# shuts down its side before it waits takes the missing answer for a failure, and pushes again what was taken.
#
# Output on 2026-11-30:
#   4,000 chunks with 4 bytes of extension: 200 OK
#   6,000 chunks with 4 bytes of extension: 400 Bad Request
#   shut down behind the body, default: no answer
#   shut down behind the body, half_close(true): 200 OK
#   PASS: extensions are counted for the whole body, and a half-closed connection gets no answer
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "long-push"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
http-body-util = "=0.1.5"
hyper = { version = "=1.12.0", features = ["http1", "server"] }
hyper-util = { version = "=0.1.21", features = ["tokio"] }
tokio = { version = "=1.54.1", features = ["io-util", "net", "rt", "time"] }

[profile.dev]
debug = 0
TOML
cat > "$work/src/main.rs" <<'RUST'
use std::convert::Infallible;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Reads the whole body, works for a moment, and answers.
async fn take(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let taken = request.into_body().collect().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let status = if taken.is_ok() { 200 } else { 400 };
    Ok(Response::builder().status(status).body(Empty::new()).expect("a response"))
}

/// The first line of the answer to a push.
async fn push(chunks: usize, half_close: bool, shut_down: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::task::spawn_local(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut server = http1::Builder::new();
        let _ = server.half_close(half_close).serve_connection(TokioIo::new(stream), service_fn(take)).await;
    });
    let mut client = TcpStream::connect(address).await.expect("the server");
    let head = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let extension = if chunks > 1 { ";a=b" } else { "" };
    let body = format!("7{extension}\r\npayload\r\n").repeat(chunks);
    // The server may refuse in the middle.
    let _ = client.write_all(format!("{head}{body}0\r\n\r\n").as_bytes()).await;
    if shut_down {
        client.shutdown().await.expect("a connection");
    }
    let mut answer = vec![0; 200];
    let len = tokio::time::timeout(Duration::from_secs(10), client.read(&mut answer)).await;
    let len = len.map_or(0, |len| len.unwrap_or(0));
    drop(client);
    let _ = server.await;
    let line = String::from_utf8_lossy(&answer[..len]).lines().next().unwrap_or("").to_owned();
    line.strip_prefix("HTTP/1.1 ").map_or("no answer".to_owned(), str::to_owned)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    let found = local.block_on(&runtime, async {
        [
            ("4,000 chunks with 4 bytes of extension", push(4000, false, false).await, "200 OK"),
            ("6,000 chunks with 4 bytes of extension", push(6000, false, false).await, "400 Bad Request"),
            ("shut down behind the body, default", push(1, false, true).await, "no answer"),
            ("shut down behind the body, half_close(true)", push(1, true, true).await, "200 OK"),
        ]
    });
    for (what, answer, _) in &found {
        println!("{what}: {answer}");
    }
    if found.iter().any(|(_, answer, expected)| answer != expected) {
        println!("FAIL: the behaviour has changed");
        std::process::exit(1);
    }
    println!("PASS: extensions are counted for the whole body, and a half-closed connection gets no answer");
}
RUST
cd "$work"
CARGO_TARGET_DIR="$work/target" cargo run --quiet
