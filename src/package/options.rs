//! Choices for packaging.

use crate::base::{Limits, Timescale};
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

impl Default for PackageOptions {
    fn default() -> Self {
        Self {
            chunk: Wanted::SMOOTH.duration,
            files: Files::default(),
            has_tfxd: true,
            layout: Layout::default(),
            // Several qualities of three hours in one file.
            limits: Limits { moov: 64 << 20, ..Limits::default() },
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
