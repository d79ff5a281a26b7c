//! The head of a request, read in one pass over its fields.

use http::header::{CONTENT_LENGTH, HOST, RANGE};
use http::{HeaderMap, HeaderValue, Uri, Version};

use super::conditions::Present;

/// The facts about a request that must be known before it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// The conditions that are among the fields.
    pub(super) conditions: Present,
    /// Set if the request has a `Range` field.
    pub(super) has_range: bool,
}

impl Head {
    /// Reads the fields of a request.
    ///
    /// # Errors
    /// Says what is wrong with a request that servers must refuse, or that another server could read
    /// differently: RFC 9112, 3.2 (`Host`) and 6.3 (`Content-Length`). The value of `Host` is not
    /// looked at: nothing depends on it.
    pub(super) fn read(
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Self, &'static str> {
        let (mut conditions, mut has_range) = (Present::default(), false);
        let (mut has_host, mut has_length) = (false, false);
        for name in headers.keys() {
            // Most names are told apart by their first letter.
            match name.as_str().as_bytes().first() {
                Some(b'h') => has_host |= *name == HOST,
                Some(b'r') => has_range |= *name == RANGE,
                Some(b'c') => has_length |= *name == CONTENT_LENGTH,
                Some(b'i') => conditions.note(name),
                _ => {}
            }
        }
        // Only fields of several lines make the map longer than its keys.
        let is_doubled = headers.len() > headers.keys_len();
        if has_host && is_doubled && headers.get_all(HOST).iter().count() > 1 {
            return Err("there is more than one `Host` field");
        }
        if has_length {
            let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
            if !lengths.next().is_some_and(is_number) || lengths.next().is_some() {
                return Err("its `Content-Length` is not one number");
            }
        }
        // A host that has read the target of another form keeps the authority in the URI.
        if !has_host && version == Version::HTTP_11 && uri.authority().is_none() {
            return Err("an HTTP/1.1 request needs a `Host` field");
        }
        Ok(Self { conditions, has_range })
    }
}

fn is_number(value: &HeaderValue) -> bool {
    !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit)
}
