//! A client manifest that owns its text, so that it can be kept while files are read.

use std::borrow::Cow;

use bytes::Bytes;

use super::ClientManifest;
use super::stored::Stored;
use crate::base::{Error, Limits};
use crate::manifest::encoding::Decoded;

/// A stored client manifest with its bytes. It is parsed once.
#[derive(Clone, Debug)]
pub(crate) struct ClientDocument {
    bytes: Bytes,
    /// The part of the bytes that is the text. `None` if the text was decoded or mended: then `read`
    /// has it.
    text: Option<Bytes>,
    read: Stored<'static>,
}

impl ClientDocument {
    /// Reads everything that can be used.
    ///
    /// # Errors
    /// As [`Stored::parse`].
    pub(crate) fn parse(bytes: Bytes, limits: &Limits) -> Result<Self, Error> {
        let mut stored = None;
        let read = Stored::parse(&bytes, limits)?.with_text(|text| match text {
            Cow::Owned(text) => Cow::Owned(text),
            Cow::Borrowed(text) => {
                // This does not panic, because borrowed text is a part of the bytes.
                stored = Some(bytes.slice_ref(text.as_bytes()));
                Cow::Borrowed("")
            }
        });
        Ok(Self { text: stored, read, bytes })
    }

    /// Returns the manifest.
    pub(crate) fn manifest(&self) -> &ClientManifest {
        &self.read.manifest
    }

    /// Returns the bytes, as they are stored.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns what was read beside the manifest. Its text is empty if it is stored as it was read:
    /// [`decoded`](Self::decoded) has it.
    pub(crate) fn stored(&self) -> &Stored<'static> {
        &self.read
    }

    /// Returns the text that was read. The stored bytes are checked again, without a copy.
    pub(crate) fn decoded(&self) -> Decoded<'_> {
        let Decoded { encoding, marked, ref stripped, is_misdeclared, ref text } =
            self.read.decoded;
        let stored = self.text.as_deref().and_then(|bytes| str::from_utf8(bytes).ok());
        let text = Cow::Borrowed(stored.unwrap_or(text));
        Decoded { text, encoding, marked, stripped: stripped.clone(), is_misdeclared }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_the_text_that_was_read_however_it_is_stored() {
        const TEXT: &str = "<SmoothStreamingMedia><!-- é --></SmoothStreamingMedia>";
        let wide: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [
            TEXT.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", TEXT.as_bytes(), b"\0\0"].concat(),
            [b"\xff\xfe", &wide[..]].concat(),
        ] {
            let borrowed = Stored::parse(&bytes, &Limits::default()).unwrap();
            let owned = ClientDocument::parse(bytes.clone().into(), &Limits::default()).unwrap();
            assert_eq!(owned.decoded().text, TEXT);
            assert_eq!(owned.decoded().text, borrowed.decoded.text);
            assert_eq!(owned.decoded().stripped, borrowed.decoded.stripped);
            assert_eq!(owned.bytes(), &bytes);
        }
    }
}
