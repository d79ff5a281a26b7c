//! The head of a response, as it goes over the wire.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};

/// What a response says of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    /// What its version of HTTP does where nothing is said.
    Usual,
    /// It is kept, which HTTP/1.0 wants to be told.
    Told,
    /// It is closed, which HTTP/1.1 wants to be told.
    Close,
}

/// Writes the head of a response with a body of so many bytes.
pub(super) fn write_head(
    status: StatusCode,
    headers: &HeaderMap,
    length: u64,
    persistence: Persistence,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
    out.extend_from_slice(b"\r\n");
    // RFC 9110, 8.6: neither has one of its own.
    let mut has_length = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    for (name, value) in headers {
        has_length |= *name == CONTENT_LENGTH;
        field(name.as_str(), value.as_bytes(), out);
    }
    if !has_length {
        field("content-length", length.to_string().as_bytes(), out);
    }
    match persistence {
        Persistence::Usual => {}
        Persistence::Told => field("connection", b"keep-alive", out),
        Persistence::Close => field("connection", b"close", out),
    }
    write_date(out);
    out.extend_from_slice(b"\r\n");
}

fn field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The time of day, which is put into words once a second.
fn write_date(out: &mut Vec<u8>) {
    thread_local!(static DATE: RefCell<(u64, String)> = RefCell::default());
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    DATE.with_borrow_mut(|(known, text)| {
        if *known != second {
            (*known, *text) = (second, httpdate::fmt_http_date(now));
        }
        field("date", text.as_bytes(), out);
    });
}
