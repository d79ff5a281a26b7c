//! What a request is for: something with a validator, a media type and a length.

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
    /// What a response with all of it has, as far as that depends on no page.
    pub(super) fields: HeaderMap,
    pub(super) modified: Option<SystemTime>,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// Bytes that are here.
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

    /// That its bytes can be read soon.
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

    /// A range of it: bytes that there are.
    pub(super) fn range(&self, range: Range<u64>) -> Part {
        match self {
            Self::Text(text) => Part::Text(text.slice(range.start as usize..range.end as usize)),
            Self::Served(served) => Part::Reply(served.body_of(range)),
        }
    }
}

/// That the storage is asked for it.
fn is_read(piece: &Piece) -> bool {
    matches!(piece, Piece::Stored(_))
}

/// A validator as an ETag has it, with the coding that it is sent in.
pub(super) fn etag(validator: Validator, coding: Option<&'static str>) -> HeaderValue {
    let mut text = validator.text();
    if let Some(coding) = coding {
        text.push_coding(coding);
    }
    quoted(text)
}

/// The same in no coding, for a validator that probably is of this content.
#[inline]
pub(super) fn etag_after(content: &ContentText, validator: Validator) -> HeaderValue {
    quoted(validator.text_after(content))
}

#[inline]
fn quoted(mut text: ValidatorText) -> HeaderValue {
    // Hexadecimal digits, letters and dashes.
    HeaderValue::from_bytes(text.quoted()).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Of a text that is made here: it is the same wherever the options are.
pub(super) fn etag_of_text(text: &str) -> HeaderValue {
    etag(Validator::of_file(text.len() as u64, text.as_bytes()), None)
}
