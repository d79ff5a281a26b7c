//! Answers of servers: the right one, and others.

use std::ops::Range;
use std::time::Duration;

use super::server::{Asked, Deed};

/// Bytes of the object.
pub const SIZE: u64 = 1000;

pub const TAG: &str = "\"1\"";

pub const MODIFIED: &str = "Sun, 29 Nov 2026 08:00:00 GMT";

/// An hour later: the object has been there for long.
pub const NOW: &str = "Sun, 29 Nov 2026 09:00:00 GMT";

/// A byte that the object does not have.
pub const WRONG: u8 = 0xee;

/// The bytes of a range of the object.
pub fn content(range: Range<u64>) -> Vec<u8> {
    range.map(|at| (at % 199) as u8).collect()
}

/// An answer with these headers and this body, and no length unless the headers have one.
pub fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<Deed> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}\r\n");
    vec![Deed::Send([head.as_bytes(), body].concat())]
}

/// An answer with a body and its length.
pub fn whole(status: &str, headers: &str, body: &str) -> Vec<Deed> {
    answer(status, &format!("{headers}Content-Length: {}\r\n", body.len()), body.as_bytes())
}

/// An answer whose text has a code as S3 and Google write it, and secrets beside.
pub fn coded(asked: &Asked, status: &str, code: &str) -> Vec<Deed> {
    let text = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>the-key at {}</Message><StringToSign>sig=the-token</StringToSign></Error>",
        asked.target
    );
    let azure = if asked.head.contains("x-ms-version") {
        format!("x-ms-error-code: {code}\r\n")
    } else {
        String::new()
    };
    whole(status, &azure, &text)
}

/// The part of the object that is asked for.
pub fn part(asked: &Asked) -> Range<u64> {
    let range = asked.range.clone().unwrap_or(0..SIZE);
    range.start.min(SIZE)..range.end.min(SIZE)
}

/// The headers of an answer about a version of the object.
pub fn version(tag: &str) -> String {
    format!("Date: {NOW}\r\nETag: {tag}\r\nLast-Modified: {MODIFIED}\r\n")
}

/// The headers of an answer with a part of the object.
pub fn headers(asked: &Asked) -> String {
    let Range { start, end } = part(asked);
    let (last, len) = (end - 1, end - start);
    format!(
        "{}Content-Range: bytes {start}-{last}/{SIZE}\r\nContent-Length: {len}\r\n",
        version(TAG)
    )
}

/// The answer of a good server.
pub fn honest(asked: &Asked) -> Vec<Deed> {
    match (asked.method.as_str(), &asked.range) {
        ("HEAD", _) => {
            answer("200 OK", &format!("{}Content-Length: {SIZE}\r\n", version(TAG)), b"")
        }
        (_, Some(range)) if range.start >= SIZE => whole("416 Range Not Satisfiable", "", ""),
        _ => answer("206 Partial Content", &headers(asked), &content(part(asked))),
    }
}

/// As many wrong bytes as are asked for.
pub fn wrong(asked: &Asked) -> Vec<u8> {
    let range = part(asked);
    vec![WRONG; (range.end - range.start) as usize]
}

/// An answer that comes byte by byte.
pub fn dripping(asked: &Asked) -> Vec<Deed> {
    let mut deeds = answer("206 Partial Content", &headers(asked), b"");
    for byte in content(part(asked)) {
        deeds.extend([Deed::Wait(Duration::from_secs(1)), Deed::Send(vec![byte])]);
    }
    deeds
}
