//! Choices for packaging.

use crate::base::{Limits, Timescale};
use crate::captions::TimeBase;
use crate::index::chunk_plan::Wanted;
use crate::manifest::Layout;

/// Choices for [`package`](super::package).
///
/// ```
/// use smooth_origin::package::{Files, PackageOptions};
///
/// let mut options = PackageOptions::default();
/// options.files = Files::InOne;
/// options.chunk = 40_000_000; // four seconds
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PackageOptions {
    /// Wanted duration of a chunk, in units of 100 ns. Chunks begin with the key frames that are
    /// nearest to it. Two seconds by default.
    pub chunk: u64,
    /// Files that tracks are written into.
    pub files: Files,
    /// Each fragment says its start and duration in a `tfxd`. Players do not need it in stored
    /// presentations; tools that find a fragment without its index do. Set by default.
    pub has_tfxd: bool,
    /// The point that the times in documents of captions count from.
    pub text_times: TextTimes,
    /// Form of the chunks in the client manifest.
    pub layout: Layout,
    /// Budgets for what is read.
    pub limits: Limits,
}

/// Files that tracks are written into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Files {
    /// One file a track: `film_video_3500000.ismv`, `film_audio_128000.isma`. The default.
    #[default]
    EachTrack,
    /// All tracks in `film.ismv`, chunk by chunk in the order of their starts.
    InOne,
}

/// The point that the times in documents of captions count from.
///
/// Players of Smooth Streaming read them from the start of the fragment (dash.js by
/// `ttmlTimeIsRelative`, RxPlayer, Kodi), other than those of DASH (ISO/IEC 14496-30, 5). An origin of this
/// crate knows both by the documents, and writes them again for DASH if needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TextTimes {
    /// The start of each fragment. The default.
    #[default]
    Fragment,
    /// The start of the presentation, as encoders of Azure and ffmpeg 8.1 write it.
    Presentation,
}

impl TextTimes {
    pub(super) fn base(self) -> TimeBase {
        match self {
            Self::Fragment => TimeBase::Fragment,
            Self::Presentation => TimeBase::Presentation,
        }
    }
}

impl Default for PackageOptions {
    fn default() -> Self {
        Self {
            chunk: Wanted::SMOOTH.duration,
            files: Files::default(),
            has_tfxd: true,
            text_times: TextTimes::default(),
            layout: Layout::default(),
            limits: Limits {
                // Several qualities of three hours in one file.
                moov: 64 << 20,
                // Captions of a whole film, with their fonts.
                caption_document: 16 << 20,
                caption_bytes: 16 << 20,
                caption_texts: 1 << 19,
                ..Limits::default()
            },
        }
    }
}

impl PackageOptions {
    /// Durations that chunks are planned for.
    pub(super) fn wanted(&self) -> Wanted {
        let longest = self.chunk.saturating_mul(4);
        Wanted { timescale: Timescale::SMOOTH, duration: self.chunk, longest }
    }
}
