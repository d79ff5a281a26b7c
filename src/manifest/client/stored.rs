//! A client manifest with the text it was read from, and the positions of its parts in that text.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::ClientManifest;
use super::read::{Beside, Document};
use crate::base::{Error, ErrorKind, Limits};
use crate::manifest::StreamKind;
use crate::manifest::encoding::Decoded;

/// A client manifest with the text it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) manifest: ClientManifest,
    pub(crate) decoded: Decoded<'a>,
    /// Positions of the streams in the text.
    pub(crate) spans: Vec<Spans>,
    /// Edits that make the text equal to the manifest as it was read.
    pub(crate) edits: Vec<Edit>,
    /// Descriptions of the first few edits, with line and element.
    pub(crate) corrections: Vec<String>,
    /// Descriptions of the first few streams and qualities that are left out.
    pub(crate) left_out: Vec<String>,
    /// Number of protection systems that are named in braces.
    pub(crate) braced_systems: usize,
    /// True if the text was ill-formed and was rewritten, so that it is not the stored one.
    pub(crate) is_rewritten: bool,
}

/// A part of the text that is replaced or cut out.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) at: Range<usize>,
    pub(crate) instead: Option<Replacement>,
}

/// The value that an attribute gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replacement {
    Number(u64),
    Kind(StreamKind),
}

impl fmt::Display for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Kind(kind) => kind.fmt(f),
        }
    }
}

/// Positions of a stream in the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spans {
    /// The whole `StreamIndex` element.
    pub(crate) element: Range<usize>,
    /// The value of its `QualityLevels` attribute.
    pub(crate) declared_qualities: Option<Range<usize>>,
    /// Each `QualityLevel` element that was read.
    pub(crate) qualities: Vec<Range<usize>>,
    /// True if some `QualityLevel` elements cannot be used and are cut out by edits.
    pub(crate) has_unusable_qualities: bool,
}

impl<'a> Stored<'a> {
    /// Reads everything that can be used: an ill-formed document is made well-formed, a number with
    /// a fraction is rounded, and a quality or stream with an unusable value is left out.
    ///
    /// # Errors
    /// As [`ClientManifest::parse`], but [`ErrorKind::Invalid`] only if too much is unusable.
    pub(crate) fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        Self::read(bytes, limits, true)
    }

    /// Copies the text if it is borrowed.
    pub(crate) fn into_owned(self) -> Stored<'static> {
        self.with_text(|text| Cow::Owned(text.into_owned()))
    }

    /// Puts another text in the place of this one.
    pub(super) fn with_text<'b>(
        self,
        change: impl FnOnce(Cow<'a, str>) -> Cow<'b, str>,
    ) -> Stored<'b> {
        Stored {
            manifest: self.manifest,
            decoded: self.decoded.with_text(change),
            spans: self.spans,
            edits: self.edits,
            corrections: self.corrections,
            left_out: self.left_out,
            braced_systems: self.braced_systems,
            is_rewritten: self.is_rewritten,
        }
    }

    /// Reads a document in which every unusable value is an error.
    pub(super) fn parse_strictly(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        Self::read(bytes, limits, false)
    }

    fn read(bytes: &'a [u8], limits: &Limits, is_lenient: bool) -> Result<Self, Error> {
        let (found, limit) = (bytes.len() as u64, limits.client_manifest);
        Limits::check("bytes of a client manifest", found, limit)?;
        if !is_lenient {
            return Self::read_text(Decoded::new(bytes)?, limits, false).map_err(|failed| failed.1);
        }
        let (decoded, error) = match Self::read_text(Decoded::leniently(bytes)?, limits, true) {
            Err(failed) if matches!(failed.1.kind, ErrorKind::Xml(_)) => *failed,
            read => return read.map_err(|failed| failed.1),
        };
        // Only what is ill-formed is read a second time.
        let Some((decoded, faults)) = decoded.mended("SmoothStreamingMedia", limits) else {
            return Err(error);
        };
        let mut read = Self::read_text(decoded, limits, true).map_err(|failed| failed.1)?;
        if read.manifest.streams.is_empty() {
            return Err(error);
        }
        read.corrections.splice(0..0, faults);
        read.is_rewritten = true;
        Ok(read)
    }

    fn read_text(
        decoded: Decoded<'a>,
        limits: &Limits,
        is_lenient: bool,
    ) -> Result<Self, Box<(Decoded<'a>, Error)>> {
        let read = Document::read(&decoded.text, limits, is_lenient);
        match read {
            Ok((manifest, Beside { spans, edits, corrections, left_out, braced_systems })) => {
                Ok(Self {
                    manifest,
                    decoded,
                    spans,
                    edits,
                    corrections,
                    left_out,
                    braced_systems,
                    is_rewritten: false,
                })
            }
            Err(error) => Err(Box::new((decoded, error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::client::read::tests::ODD;

    #[test]
    fn spans_cut_the_elements_out_of_the_text() {
        let stored = Stored::parse(ODD.as_bytes(), &Limits::default()).unwrap();
        let text = &stored.decoded.text;
        let [video, scte] = &stored.spans[..] else { panic!("two streams") };
        assert!(text[video.element.clone()].starts_with("<StreamIndex Type = \"Video\""));
        assert!(text[video.element.clone()].ends_with("</StreamIndex>"));
        assert_eq!(&text[video.declared_qualities.clone().unwrap()], "2");
        assert!(text[video.qualities[0].clone()].ends_with("</QualityLevel>"));
        assert_eq!(
            &text[video.qualities[1].clone()],
            r#"<QualityLevel Bitrate="400" MaxWidth="1280" Width="640"/>"#
        );
        assert!(text[scte.element.clone()].ends_with("ManifestOutput=\"TRUE\"/>"));
    }
}
