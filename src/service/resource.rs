//! The resource that a request asks for, with its header fields and its bytes.

use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::ETAG;
use http::{HeaderMap, HeaderValue};

use super::body::{Part, ServiceBody};
use super::conditions::Current;
use crate::base::Error;
use crate::origin::Served;
use crate::presentation::{ContentText, Piece, Validator, ValidatorText};

/// A selected representation (RFC 9110, 3.2).
pub(super) struct Resource {
    /// Header fields of a response with all of it, as far as they are the same for all pages.
    pub(super) fields: HeaderMap,
    pub(super) modified: Option<SystemTime>,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// Bytes in memory.
    Text(Bytes),
    Served(Served),
}

impl Resource {
    pub(super) fn current(&self) -> Current<'_> {
        let etag = self.fields.get(ETAG).map_or(&b""[..], HeaderValue::as_bytes);
        Current { etag, modified: self.modified }
    }
}

impl Content {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Served(served) => served.reply().length(),
        }
    }

    /// Checks that its bytes can be read soon.
    pub(super) fn admit(&self) -> Result<(), Error> {
        match self {
            Self::Served(served) if served.reply().pieces().iter().any(is_read) => served.admit(),
            // A manifest lies in memory: storage that is busy does not concern it.
            _ => Ok(()),
        }
    }

    pub(super) fn into_body(self) -> ServiceBody {
        match self {
            Self::Text(text) => ServiceBody::text(text),
            Self::Served(served) => ServiceBody::reply(served.into_body()),
        }
    }

    /// Returns a range of it, which is within its length.
    pub(super) fn range(&self, range: Range<u64>) -> Part {
        match self {
            Self::Text(text) => Part::Text(text.slice(range.start as usize..range.end as usize)),
            Self::Served(served) => Part::Reply(served.body_of(range)),
        }
    }
}

/// Returns whether the piece is read from the storage.
fn is_read(piece: &Piece) -> bool {
    matches!(piece, Piece::Stored(_))
}

/// Returns the ETag of a validator in a coding.
pub(super) fn etag(validator: Validator, coding: Option<&'static str>) -> HeaderValue {
    let mut text = validator.text();
    if let Some(coding) = coding {
        text.push_coding(coding);
    }
    quoted(text)
}

/// Returns the ETag of a validator in no coding. The validator probably is of this content.
#[inline]
pub(super) fn etag_after(content: &ContentText, validator: Validator) -> HeaderValue {
    quoted(validator.text_after(content))
}

#[inline]
fn quoted(mut text: ValidatorText) -> HeaderValue {
    // Hexadecimal digits, letters and dashes.
    HeaderValue::from_bytes(text.quoted()).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Returns the ETag of a generated text. Services with the same options have the same.
pub(super) fn etag_of_text(text: &str) -> HeaderValue {
    etag(Validator::of_file(text.len() as u64, text.as_bytes()), None)
}
