//! The head of a response, as it goes over the wire.

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};

use super::clock::write_date;

/// The statement of a response about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    /// Nothing: the version of HTTP says it.
    Usual,
    /// The connection is kept, which HTTP/1.0 wants to be told.
    Told,
    /// The connection is closed, which HTTP/1.1 wants to be told.
    Close,
}

/// The status line of most responses.
pub(super) const OK: &[u8] = b"HTTP/1.1 200 OK\r\n";

/// Writes the head of a response with a body of this many bytes.
pub(super) fn write_head(
    status: StatusCode,
    headers: &HeaderMap,
    length: u64,
    persistence: Persistence,
    out: &mut Vec<u8>,
) {
    if status == StatusCode::OK {
        out.extend_from_slice(OK);
    } else {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(status.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    // RFC 9110, 8.6: neither has a length of its own.
    let mut has_length = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    for (name, value) in headers {
        has_length |= *name == CONTENT_LENGTH;
        field(name.as_str(), value.as_bytes(), out);
    }
    if !has_length {
        field("content-length", length.to_string().as_bytes(), out);
    }
    end_head(persistence, out);
}

/// Writes the fields that each response of a connection has, and the empty line.
pub(super) fn end_head(persistence: Persistence, out: &mut Vec<u8>) {
    match persistence {
        Persistence::Usual => {}
        Persistence::Told => out.extend_from_slice(b"connection: keep-alive\r\n"),
        Persistence::Close => out.extend_from_slice(b"connection: close\r\n"),
    }
    write_date(out);
}

fn field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
