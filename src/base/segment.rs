//! Segments of a URL's path.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{Error, ErrorKind};

/// Decodes one segment of a URL's path, once.
///
/// # Errors
/// [`ErrorKind::Malformed`] if the segment does not decode to text, or decodes to text with a slash,
/// a backslash or a zero byte: a separator would make two segments of it.
pub(crate) fn decode_segment(segment: &str) -> Result<Cow<'_, str>, Error> {
    let malformed = |why| Error::request("path", ErrorKind::Malformed(why));
    let decoded = percent_decode_str(segment).decode_utf8();
    let decoded = decoded.map_err(|_| malformed("its percent-encoding is not UTF-8"))?;
    if decoded.contains(['/', '\\', '\0']) {
        return Err(malformed(
            "a path segment contains an encoded slash, a backslash or a NUL byte",
        ));
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_decoded_once_and_holds_no_separator() {
        assert_eq!(decode_segment("a%20b%252F").unwrap(), "a b%2F");
        assert!(matches!(decode_segment("a b").unwrap(), Cow::Borrowed(_)));
        for segment in ["a%2Fb", "a%5Cb", "a\\b", "a%00", "%FF"] {
            assert_eq!(decode_segment(segment).unwrap_err().kind.status(), 400, "{segment}");
        }
    }
}
