//! Header fields of a representation (RFC 9110, 8).

use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, VARY,
};
use http::{HeaderMap, HeaderValue};

use super::prepared::LastModified;
use crate::presentation::Representation;

/// The values of the header fields of a representation.
pub(super) struct Description<'a> {
    pub(super) content_type: HeaderValue,
    pub(super) length: HeaderValue,
    pub(super) etag: HeaderValue,
    pub(super) last_modified: Option<&'a LastModified>,
    /// Name of the content coding, if there is one.
    pub(super) coding: Option<&'static str>,
    /// Set if other requests for it may get another coding.
    pub(super) varies: bool,
}

pub(super) const TEXT_XML: HeaderValue = HeaderValue::from_static("text/xml");
const BYTES: HeaderValue = HeaderValue::from_static("bytes");

/// Most header fields that a response has.
const RESERVED: usize = 14;

impl Description<'_> {
    pub(super) fn fields(self) -> HeaderMap {
        let mut fields = HeaderMap::with_capacity(RESERVED);
        fields.insert(CONTENT_TYPE, self.content_type);
        fields.insert(CONTENT_LENGTH, self.length);
        fields.insert(ACCEPT_RANGES, BYTES);
        fields.insert(ETAG, self.etag);
        if let Some(LastModified { field, .. }) = self.last_modified {
            fields.insert(LAST_MODIFIED, field.clone());
        }
        if let Some(coding) = self.coding {
            fields.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        if self.varies {
            fields.insert(VARY, ACCEPT_ENCODING.into());
        }
        fields
    }
}

/// Sets the two fields in which media of one type differ, in fields that were made of a description.
/// Their places are known, which takes less time than to find both by their hash.
#[inline]
pub(super) fn set_own(fields: &mut HeaderMap, length: HeaderValue, etag: HeaderValue) {
    let mut places = fields.iter_mut();
    if let (Some((second, of_length)), Some((fourth, of_etag))) = (places.nth(1), places.nth(1))
        && *second == CONTENT_LENGTH
        && *fourth == ETAG
    {
        (*of_length, *of_etag) = (length, etag);
    } else {
        fields.insert(CONTENT_LENGTH, length);
        fields.insert(ETAG, etag);
    }
}

/// Writes a number into one short piece of memory. The conversion of the library takes two.
pub(super) fn decimal(number: u64) -> HeaderValue {
    let mut room = [0; DIGITS];
    HeaderValue::from_bytes(digits(number, &mut room)).unwrap_or_else(|_| number.into())
}

/// No number of 64 bits has more digits.
pub(super) const DIGITS: usize = 20;

/// Writes a number to the end of `room`.
#[inline]
pub(super) fn digits(number: u64, room: &mut [u8; DIGITS]) -> &[u8] {
    let (mut at, mut left) = (DIGITS, number);
    loop {
        at -= 1;
        room[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break &room[at..];
        }
    }
}

/// Returns the media type as a header field has it.
pub(super) fn content_type(representation: &Representation) -> HeaderValue {
    HeaderValue::from_static(representation.media_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 9, 10, 426_128, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
    }
}
