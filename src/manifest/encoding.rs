//! From bytes to text: by mark, by what the bytes look like, by declaration.

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::mending::mend;
use crate::base::{Error, ErrorKind, Limits, Place};

/// A manifest's text, and how it was stored.
#[derive(Clone, Debug)]
pub(crate) struct Decoded<'a> {
    /// Without byte order mark, and without what [`stripped`](Self::stripped) names.
    pub(crate) text: Cow<'a, str>,
    /// The encoding in which it was stored.
    pub(crate) encoding: &'static Encoding,
    /// It began with a byte order mark.
    pub(crate) marked: bool,
    /// Descriptions of bytes around the document that make XML readers refuse it.
    pub(crate) stripped: Vec<&'static str>,
    /// True if the bytes are not in the encoding that is declared or that is the default, so that
    /// players cannot read them.
    pub(super) is_misdeclared: bool,
}

impl<'a> Decoded<'a> {
    /// Decodes a whole document.
    ///
    /// The mark decides; without one, a `<` of two bytes means UTF-16, whatever is declared; then
    /// the declaration decides, unless it says UTF-16 of bytes that are not (a file that some tool
    /// saved again as UTF-8). Further marks, whatever precedes the declaration, and padding behind
    /// the end are stripped.
    ///
    /// # Errors
    /// [`ErrorKind::Xml`] when the bytes are no text of that encoding.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::decode(bytes, false)
    }

    /// Decodes leniently: bytes that are not UTF-8 are read as windows-1252, and an odd byte after
    /// UTF-16 is left out.
    pub(crate) fn leniently(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::decode(bytes, true)
    }

    /// Returns whether bytes that are not UTF-8 were read as windows-1252.
    #[cfg(any(feature = "dash", feature = "hls", feature = "package"))]
    pub(crate) fn is_misdeclared(&self) -> bool {
        self.is_misdeclared
    }

    /// Puts another text in the place of this one.
    pub(super) fn with_text<'b>(
        self,
        change: impl FnOnce(Cow<'a, str>) -> Cow<'b, str>,
    ) -> Decoded<'b> {
        let Self { text, encoding, marked, stripped, is_misdeclared } = self;
        Decoded { text: change(text), encoding, marked, stripped, is_misdeclared }
    }

    fn decode(bytes: &'a [u8], is_lenient: bool) -> Result<Self, Error> {
        let (mut encoding, mark) = match Encoding::for_bom(bytes) {
            Some((encoding, len)) => (encoding, len),
            None => (unmarked(bytes), 0),
        };
        let mut body = &bytes[mark..];
        let mut stripped = Vec::new();
        let mut is_misdeclared = false;
        if is_lenient && is_utf16(encoding) && body.len() % 2 == 1 {
            body = &body[..body.len() - 1];
            stripped.push("an odd byte after the end of UTF-16");
        }
        let text = if encoding == UTF_8 {
            match std::str::from_utf8(body) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) if is_lenient => {
                    (encoding, is_misdeclared) = (WINDOWS_1252, true);
                    Cow::Owned(utf8_and_windows_1252(body))
                }
                Err(error) => return Err(not_text("UTF-8", &body[..error.valid_up_to()])),
            }
        } else {
            encoding
                .decode_without_bom_handling_and_without_replacement(body)
                .ok_or_else(|| not_text(encoding.name(), &[]))?
        };
        let front = front(&text, &mut stripped);
        let end = end(&text, &mut stripped).max(front);
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[front..end]),
            Cow::Owned(mut text) => {
                text.truncate(end);
                text.drain(..front);
                Cow::Owned(text)
            }
        };
        Ok(Self { text, encoding, marked: mark > 0, stripped, is_misdeclared })
    }

    /// Makes the text well-formed, if possible, and returns the changes.
    pub(crate) fn mended(mut self, root: &str, limits: &Limits) -> Option<(Self, Vec<String>)> {
        let (text, faults) = mend(&self.text, root, limits.xml_depth)?;
        self.text = Cow::Owned(text);
        Some((self, faults))
    }

    /// Returns whether players understand the encoding of the stored bytes: UTF-16 has a mark, and
    /// the declaration agrees with the bytes.
    pub(crate) fn is_readable_as_stored(&self) -> bool {
        let is_wide = is_utf16(self.encoding);
        let is_declared = match declared(&self.text) {
            // Players refuse an unknown name, whatever the bytes are.
            Some(label) => label_at(&self.text, label.clone()).is_some_and(|encoding| {
                is_utf16(encoding) == is_wide
                    && (self.text.is_ascii() || !is_ascii_label(&self.text[label]))
            }),
            None => true,
        };
        !self.is_misdeclared && is_declared && (self.marked || !is_wide)
    }

    /// Returns a text that was made of this one, to be served: with the mark of a document that was stored in
    /// UTF-8 already; else with a declaration that says UTF-8.
    pub(crate) fn to_utf8(&self, mut text: String) -> String {
        if self.encoding == UTF_8 && self.is_readable_as_stored() {
            if self.marked {
                text.insert(0, '\u{feff}');
            }
        } else if let Some(label) = declared(&text) {
            text.replace_range(label, "utf-8");
        }
        text
    }
}

/// Returns the encoding of a document without a mark.
fn unmarked(bytes: &[u8]) -> &'static Encoding {
    match bytes {
        [b'<', 0, ..] => UTF_16LE,
        // One zero alone is junk before a document of single bytes.
        [0, b'<', 0, ..] => UTF_16BE,
        _ => {
            let head = bytes[..bytes.len().min(256)].utf8_chunks().next();
            let head = head.map_or("", |chunk| chunk.valid());
            let head = &head[front(head, &mut Vec::new())..];
            // ASCII is a subset of UTF-8, and bytes that follow may be beyond ASCII.
            let label = declared(head).filter(|label| !is_ascii_label(&head[label.clone()]));
            let label = label.and_then(|label| label_at(head, label));
            label.filter(|&encoding| encoding.is_ascii_compatible()).unwrap_or(UTF_8)
        }
    }
}

/// Returns the offset of the document: behind repeated byte order marks, and behind white space and comments
/// if an XML declaration follows, which must come first (XML 1.0, 2.8).
fn front(text: &str, stripped: &mut Vec<&'static str>) -> usize {
    const MARK: char = '\u{feff}';
    let is_ignored = |c: char| c == MARK || c.is_ascii_whitespace();
    let mut rest = text.trim_start_matches(is_ignored);
    while let Some((_, behind)) = rest.strip_prefix("<!--").and_then(|rest| rest.split_once("-->"))
    {
        rest = behind.trim_start_matches(is_ignored);
    }
    let unmarked = text.trim_start_matches(MARK);
    if unmarked.len() < text.len() {
        stripped.push("a second byte order mark");
    }
    let is_declaration = rest.starts_with("<?xml") && rest[5..].starts_with(is_ignored);
    if is_declaration && rest.len() < unmarked.len() {
        stripped.push("white space or a comment before the XML declaration");
        return text.len() - rest.len();
    }
    text.len() - unmarked.len()
}

/// Returns the end of the document: before NUL or Ctrl-Z characters that pad it to a block.
fn end(text: &str, stripped: &mut Vec<&'static str>) -> usize {
    let is_padding = |c: char| matches!(c, '\0' | '\x1a');
    let document = text.trim_end_matches(|c: char| is_padding(c) || c.is_ascii_whitespace());
    let Some(padding) = text[document.len()..].find(is_padding) else { return text.len() };
    stripped.push("padding (NUL or Ctrl-Z) behind the end");
    document.len() + padding
}

fn is_utf16(encoding: &Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

fn is_ascii_label(label: &str) -> bool {
    label.eq_ignore_ascii_case("us-ascii") || label.eq_ignore_ascii_case("ascii")
}

/// Decodes UTF-8 that contains bytes of windows-1252, as a Windows editor writes it.
fn utf8_and_windows_1252(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
    text
}

fn label_at(text: &str, label: Range<usize>) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(text.get(label)?.as_bytes())
}

/// Returns the range of the encoding that the XML declaration names.
fn declared(text: &str) -> Option<Range<usize>> {
    let declaration = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"))?.0;
    let start = "<?xml".len();
    let after = start + declaration.find("encoding")? + "encoding".len();
    let value = text[after..start + declaration.len()].trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let len = value[1..].find(quote)?;
    let at = start + declaration.len() - value.len() + 1;
    Some(at..at + len)
}

fn not_text(encoding: &str, before: &[u8]) -> Error {
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count() as u32;
    let kind = ErrorKind::Xml(format!("bytes that are not {encoding}"));
    Error { kind, place: Place::Xml { file: None, line, element: String::new() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let bytes = if little { u16::to_le_bytes } else { u16::to_be_bytes };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_way_a_manifest_is_stored_gives_the_same_text() {
        let text = "<?xml version=\"1.0\" encoding='utf-16' ?><a b=\"é\"/>";
        let with = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
        for (bytes, readable) in [
            (with(b"\xff\xfe", utf16(text, true)), true),
            (with(b"\xfe\xff", utf16(text, false)), true),
            (utf16(text, true), false),
            (utf16(text, false), false),
            (with(b"\xef\xbb\xbf", text.into()), false), // declares utf-16 and is UTF-8
            (text.into(), false),                        // declares utf-16 and is UTF-8
        ] {
            let decoded = Decoded::new(&bytes).unwrap();
            assert_eq!(decoded.text, text);
            assert_eq!(decoded.is_readable_as_stored(), readable, "{bytes:?}");
            let served = decoded.to_utf8(decoded.text.clone().into_owned());
            assert_eq!(served, text.replace("utf-16", "utf-8"));
        }
    }

    #[test]
    fn a_declared_encoding_is_followed_and_an_unknown_one_is_taken_for_utf_8() {
        let latin = b"<?xml version='1.0' encoding=\"iso-8859-1\"?><a b='\xe9'/>";
        let decoded = Decoded::new(latin).unwrap();
        assert!(decoded.text.ends_with("<a b='é'/>"));
        assert!(decoded.is_readable_as_stored());
        for (declared, is_readable) in [("klingon", false), ("us-ascii", false), ("UTF-8", true)] {
            let text = format!("<?xml version='1.0' encoding='{declared}'?><a b='é'/>");
            let decoded = Decoded::new(text.as_bytes()).unwrap();
            assert_eq!(
                (decoded.text.as_ref(), decoded.is_readable_as_stored()),
                (text.as_str(), is_readable)
            );
            assert_eq!(
                decoded.to_utf8(text.clone()),
                text.replace(declared, if is_readable { declared } else { "utf-8" })
            );
        }
    }

    #[test]
    fn what_lies_around_the_document_is_stripped_and_named() {
        const XML: &str = "<?xml version='1.0'?><a/>\n";
        const MARK: &str = "a second byte order mark";
        const FRONT: &str = "white space or a comment before the XML declaration";
        const PADDING: &str = "padding (NUL or Ctrl-Z) behind the end";
        for (front, behind, stripped) in [
            ("\u{feff}", "", &[][..]),
            ("\u{feff}\u{feff}", "", &[MARK]),
            ("\u{feff}\u{feff}\u{feff} \n", "", &[MARK, FRONT]),
            (" <!-- <?xml ?> --> <!--x-->\n", "", &[FRONT]),
            ("\n\u{feff}", "", &[FRONT]),
            ("", "\0\0\0", &[PADDING]),
            ("", "\x1a\r\n", &[PADDING]),
            ("", " \n", &[]),
        ] {
            let text = format!("{front}{XML}{behind}");
            let decoded = Decoded::new(text.as_bytes()).unwrap();
            assert_eq!(decoded.text.trim_ascii_end(), XML.trim_ascii_end(), "{text:?}");
            assert_eq!(decoded.stripped, stripped, "{text:?}");
            let wide = [b"\xff\xfe", &utf16(&text, true)[..]].concat();
            assert!(Decoded::new(&wide).unwrap().text.ends_with(decoded.text.as_ref()));
        }
        // Legal without a declaration.
        for text in ["\n<!-- x --><a/>", "<a/>", "", "\0", "<!--", "<?xml"] {
            let decoded = Decoded::new(text.as_bytes()).unwrap();
            assert_eq!(decoded.text, text.trim_end_matches('\0'));
        }
    }

    #[test]
    fn odd_bytes_are_read_leniently_and_only_then() {
        let odd = [b"\xff\xfe", &utf16("<a/>", true)[..], b"\n"].concat();
        assert!(Decoded::new(&odd).is_err());
        let decoded = Decoded::leniently(&odd).unwrap();
        assert_eq!((decoded.text.as_ref(), decoded.stripped.len()), ("<a/>", 1));
        for mark in [&b""[..], b"\xef\xbb\xbf"] {
            let mixed =
                [mark, b"<?xml version='1.0' encoding='utf-8'?><a b='\xe9 \xc3\xa9 \x96'/>"];
            let mixed = mixed.concat();
            assert!(Decoded::new(&mixed).is_err());
            let decoded = Decoded::leniently(&mixed).unwrap();
            let text = "<?xml version='1.0' encoding='utf-8'?><a b='é é –'/>";
            assert_eq!((decoded.text.as_ref(), decoded.is_readable_as_stored()), (text, false));
            assert_eq!(decoded.to_utf8(text.to_owned()), text);
        }
    }

    #[test]
    fn bytes_that_are_no_text_say_on_which_line() {
        let error = Decoded::new(b"<a>\n<b c='\xe9'/></a>").unwrap_err();
        assert_eq!(error.to_string(), "line 2: not well-formed XML: bytes that are not UTF-8");
        assert!(Decoded::new(b"\xff\xfe<\0a\0\x00\xd8").is_err());
        assert_eq!(Decoded::new(b"").unwrap().text, "");
    }
}
