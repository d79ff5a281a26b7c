//! An input of the packager.

use crate::base::Name;
use crate::captions::TextFormat;

/// A file that is packaged: a progressive or fragmented MP4, or captions (SubRip, WebVTT or TTML).
///
/// The first bytes of a file say which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Input {
    /// Name for reading and for errors. Its place in the list of inputs is its
    /// [`FileId`](crate::base::FileId), from 0.
    pub name: Name,
    /// Language of its sound or captions, as RFC 1766 writes it, in place of the one that the file says.
    pub language: Option<String>,
    /// Format of its captions, if its first bytes do not say it.
    pub captions: Option<Captions>,
}

/// Format of a file of captions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Captions {
    /// SubRip (`.srt`).
    SubRip,
    /// WebVTT (`.vtt`).
    WebVtt,
    /// TTML (`.ttml`, `.dfxp`, `.xml`).
    Ttml,
}

impl Captions {
    /// Returns the format that a file extension, without the dot, stands for.
    ///
    /// ```
    /// use smooth_origin::package::Captions;
    /// assert_eq!(Captions::of_extension("SRT"), Some(Captions::SubRip));
    /// assert_eq!(Captions::of_extension("mp4"), None);
    /// ```
    pub fn of_extension(extension: &str) -> Option<Self> {
        Some(match TextFormat::of_extension(extension)? {
            TextFormat::SubRip => Self::SubRip,
            TextFormat::WebVtt => Self::WebVtt,
            TextFormat::Ttml => Self::Ttml,
        })
    }
}

impl Input {
    /// A file whose sound or captions have the language that the file says.
    pub fn new(name: Name) -> Self {
        Self { name, language: None, captions: None }
    }

    /// Declares that the file has captions, of this format unless its first bytes say another one.
    #[must_use]
    pub fn captions(mut self, format: Captions) -> Self {
        self.captions = Some(format);
        self
    }

    pub(super) fn text_format(&self) -> Option<TextFormat> {
        Some(match self.captions? {
            Captions::SubRip => TextFormat::SubRip,
            Captions::WebVtt => TextFormat::WebVtt,
            Captions::Ttml => TextFormat::Ttml,
        })
    }

    /// Declares the language of its sound or captions.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }
}
