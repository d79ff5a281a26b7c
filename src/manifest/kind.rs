//! The three kinds of stream.

use std::fmt;

/// The kind of media of a stream.
///
/// Spec: [MS-SSTR] 2.2.2.3, attribute `Type`. The set is closed.
///
/// ```
/// use smooth_origin::manifest::StreamKind;
///
/// assert_eq!(StreamKind::Text.as_str(), "text");
/// assert_eq!(StreamKind::Text.element(), "textstream");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Captions, chapters, commands and other timed data.
    Text,
}

impl StreamKind {
    /// As the client manifest's `Type` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Text => "text",
        }
    }

    /// As the server manifest's element spells it; also the default of `trackName`.
    pub fn element(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Text => "textstream",
        }
    }

    /// Reads a `Type`, in any letter case (media3 does so too).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let kinds = [Self::Video, Self::Audio, Self::Text];
        kinds.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

impl fmt::Display for StreamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
