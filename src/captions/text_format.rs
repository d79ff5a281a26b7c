//! Formats of files of captions.

/// Format of a file of captions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TextFormat {
    /// SubRip (`.srt`), which has no standard.
    SubRip,
    /// WebVTT (`.vtt`), by W3C.
    WebVtt,
    /// TTML (`.ttml`, `.dfxp`, `.xml`), by W3C.
    Ttml,
}

impl TextFormat {
    /// Returns the format of a file that begins with these bytes; `None` if it is no file of captions.
    ///
    /// XML is taken for TTML, and a text with an arrow (`-->`) for SubRip.
    pub fn of_head(head: &[u8]) -> Option<Self> {
        // UTF-16 has a zero in each pair of bytes of ASCII. A box of MP4 has several in a row.
        let is_box = head.first_chunk::<3>().is_some_and(|first| *first == [0; 3]);
        if is_box || head.get(4..8) == Some(b"ftyp") {
            return None;
        }
        let marks = |byte: &u8| matches!(byte, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff);
        let mut ascii = head.iter().copied().filter(|byte| !marks(byte));
        let mut start = [0; 6];
        for (at, byte) in ascii.by_ref().skip_while(u8::is_ascii_whitespace).take(6).enumerate() {
            start[at] = byte;
        }
        match start {
            [b'<', ..] => Some(Self::Ttml),
            start if start == *b"WEBVTT" => Some(Self::WebVtt),
            _ => {
                let mut last = [0; 3];
                let mut bytes = head.iter().copied().filter(|byte| !marks(byte));
                let is_arrow = bytes.any(|byte| {
                    last = [last[1], last[2], byte];
                    last == *b"-->"
                });
                is_arrow.then_some(Self::SubRip)
            }
        }
    }

    /// Returns the format that a file extension says, without the dot.
    pub fn of_extension(extension: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|name| extension.eq_ignore_ascii_case(name));
        match () {
            () if is(&["srt"]) => Some(Self::SubRip),
            () if is(&["vtt", "webvtt"]) => Some(Self::WebVtt),
            () if is(&["ttml", "dfxp", "xml"]) => Some(Self::Ttml),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn the_format_is_known_by_the_first_bytes_in_every_encoding() {
        let srt = "\r\n1\r\n00:00:01,000 --> 00:00:02,000\r\na";
        for (text, format) in [
            (srt, Some(TextFormat::SubRip)),
            ("WEBVTT\n\n", Some(TextFormat::WebVtt)),
            (" \n<?xml version='1.0'?><tt/>", Some(TextFormat::Ttml)),
            ("<tt/>", Some(TextFormat::Ttml)),
            ("no captions at all", None),
            ("", None),
            ("\0\0\0\x18ftypisom", None),
            ("\0\0\0\x18free --> ", None),
        ] {
            assert_eq!(TextFormat::of_head(text.as_bytes()), format, "{text:?}");
            if !text.starts_with('\0') {
                let marked = format!("\u{feff}{text}");
                assert_eq!(TextFormat::of_head(marked.as_bytes()), format, "{text:?}");
                assert_eq!(TextFormat::of_head(&wide(&marked)), format, "{text:?}");
                assert_eq!(TextFormat::of_head(&wide(text)), format, "{text:?}");
            }
        }
    }
}
