//! The cheapest reader: a socket and one buffer.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fragments::{Fragment, Fragments};
use crate::{BUCKET, Times};

/// As much as `object_store` reads at a time at most.
const BUFFER: usize = 400 << 10;

/// Reads fragments over one connection: by their paths, or as ranges of their objects.
pub(crate) async fn read_all(port: u16, by_path: bool, fragments: &Fragments) -> Vec<Times> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server listens");
    stream.set_nodelay(true).expect("a socket of TCP");
    let mut buffer = vec![0; BUFFER];
    let mut times = Vec::new();
    while let Some(fragment) = fragments.next() {
        let began = Instant::now();
        stream.write_all(request(fragment, by_path).as_bytes()).await.expect("the server reads");
        let (head, mut filled) = head(&mut stream, &mut buffer).await;
        let status = if by_path { "HTTP/1.1 200 " } else { "HTTP/1.1 206 " };
        let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
        assert!(text.starts_with(status), "{}: {text}", fragment.path);
        assert_eq!(length(&text), fragment.len(), "{}: {text}", fragment.path);
        let (mut at, mut from) = (0, head);
        let mut first = None;
        while at < fragment.len() {
            if from == filled {
                (from, filled) = (0, stream.read(&mut buffer).await.expect("the server writes"));
                assert!(filled > 0, "{}: the body ends after {at} bytes", fragment.path);
            }
            first.get_or_insert_with(|| began.elapsed());
            fragments.compare(fragment, at, &buffer[from..filled]);
            at += (filled - from) as u64;
            from = filled;
        }
        let whole = began.elapsed();
        times.push(Times { first: first.unwrap_or(whole), whole });
    }
    times
}

fn request(fragment: &Fragment, by_path: bool) -> String {
    let Fragment { path, key, range } = fragment;
    match by_path {
        true => format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        false => format!(
            "GET /{BUCKET}/{key} HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes={}-{}\r\n\r\n",
            range.start,
            range.end - 1
        ),
    }
}

/// Reads the head of a response; returns its length, and how much of the buffer is filled.
async fn head(stream: &mut TcpStream, buffer: &mut [u8]) -> (usize, usize) {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.expect("the server writes");
        assert!(read > 0, "the head of a response ends after {filled} bytes");
        filled += read;
        if let Some(end) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
            return (end + 4, filled);
        }
    }
}

fn length(head: &str) -> u64 {
    let field = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    field.map_or(0, crate::number)
}
