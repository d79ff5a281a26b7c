//! Entity tags, RFC 9110, 8.8.3.

/// A tag as a client sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntityTag<'a> {
    pub(crate) is_weak: bool,
    /// With its quotes.
    pub(crate) quoted: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Reads one tag, and returns it with the bytes that follow it.
    pub(crate) fn read(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (is_weak, text) = match text.strip_prefix(b"W/") {
            Some(text) => (true, text),
            None => (false, text),
        };
        let inside = text.strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', inside)?;
        // A tag contains no space and no control character (`etagc`). To look at all of it takes less
        // time than to stop at the first.
        let is_other = |byte: u8| byte <= 0x20 || byte == 0x7f;
        if inside[..end].iter().fold(false, |other, &byte| other | is_other(byte)) {
            return None;
        }
        let (quoted, rest) = text.split_at(end + 2);
        Some((Self { is_weak, quoted }, rest))
    }

    /// Compares it with a strong tag, by the strong comparison (8.8.3.2).
    #[cfg(feature = "http")]
    pub(crate) fn is_strongly(&self, current: &[u8]) -> bool {
        !self.is_weak && self.quoted == current
    }

    /// Compares it with a strong tag, by the weak comparison.
    pub(crate) fn is_weakly(&self, current: &[u8]) -> bool {
        self.quoted == current
    }
}

/// Returns the tags of a list, up to the first malformed one. A comma inside a tag is part of the tag.
pub(crate) fn list(mut text: &[u8]) -> impl Iterator<Item = EntityTag<'_>> {
    std::iter::from_fn(move || {
        while let [b' ' | b'\t' | b',', rest @ ..] = text {
            text = rest;
        }
        let (tag, rest) = EntityTag::read(text)?;
        text = rest;
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_where_no_tag_is() {
        let tags = |text: &'static str| -> Vec<(bool, &str)> {
            list(text.as_bytes())
                .map(|tag| (tag.is_weak, std::str::from_utf8(tag.quoted).unwrap()))
                .collect()
        };
        assert_eq!(
            tags("\"a\", W/\"b,c\" ,,\t\"\""),
            [(false, "\"a\""), (true, "\"b,c\""), (false, "\"\"")]
        );
        assert_eq!(tags("\"a\", b, \"c\""), [(false, "\"a\"")]);
        for text in ["", ",", "a", "\"a", "w/\"a\"", "W/a", "\"a b\"", "\"a\tb\""] {
            assert_eq!(tags(text), [], "{text}");
        }
    }
}
