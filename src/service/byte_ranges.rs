//! `multipart/byteranges`, RFC 9110, 14.6.

use std::collections::VecDeque;
use std::ops::Range;

use http::HeaderValue;

use super::body::{Part, ServiceBody};

/// A body that consists of several ranges of another body.
pub(super) struct ByteRanges {
    pub(super) body: ServiceBody,
    pub(super) length: u64,
    pub(super) content_type: HeaderValue,
}

impl ByteRanges {
    /// Puts ranges together. The boundary comes from the ETag, a hash of 128 bits, so that every
    /// machine sends the same, and no content has it but by intent.
    pub(super) fn new(
        ranges: Vec<Range<u64>>,
        total: u64,
        content_type: &HeaderValue,
        etag: &[u8],
        part: impl Fn(Range<u64>) -> Part,
    ) -> Self {
        let boundary: String = etag
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric())
            .take(40)
            .map(|&byte| char::from(byte))
            .collect();
        let media_type = content_type.to_str().unwrap_or("application/octet-stream");
        let mut parts = VecDeque::with_capacity(2 * ranges.len() + 1);
        for range in ranges {
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {}\r\n\r\n",
                content_range(&range, total)
            );
            parts.push_back(Part::Text(head.into()));
            parts.push_back(part(range));
        }
        parts.push_back(Part::Text(format!("\r\n--{boundary}--\r\n").into()));
        let content_type = format!("multipart/byteranges; boundary={boundary}");
        Self {
            length: parts.iter().map(Part::len).sum(),
            body: ServiceBody::parts(parts),
            // Letters and digits.
            content_type: HeaderValue::from_maybe_shared(content_type)
                .unwrap_or(HeaderValue::from_static("multipart/byteranges")),
        }
    }
}

/// Returns the value of `Content-Range`: `bytes first-last/total`.
pub(super) fn content_range(range: &Range<u64>, total: u64) -> String {
    format!("bytes {}-{}/{total}", range.start, range.end.saturating_sub(1))
}
