//! Budgets of what encoders push.

use crate::base::Limits;

/// Largest amounts that an encoder may push. What is beyond a limit is refused before there is memory for it.
///
/// ```
/// use smooth_origin::live::LiveLimits;
///
/// let limits = LiveLimits::default().fragment(16 << 20).tracks(8);
/// assert_eq!(limits, LiveLimits::default().fragment(16 << 20).tracks(8));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveLimits {
    pub(crate) header: u64,
    pub(crate) moof: u64,
    pub(crate) fragment: u64,
    pub(crate) samples: u64,
    pub(crate) tracks: usize,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self { header: 1 << 20, moof: 4 << 20, fragment: 64 << 20, samples: 1 << 18, tracks: 64 }
    }
}

impl LiveLimits {
    /// Bytes of a header (`moov`) and of a live server manifest; default 1 MiB.
    #[must_use]
    pub fn header(mut self, bytes: u64) -> Self {
        self.header = bytes;
        self
    }

    /// Bytes of the `moof` of a fragment; default 4 MiB.
    #[must_use]
    pub fn moof(mut self, bytes: u64) -> Self {
        self.moof = bytes;
        self
    }

    /// Bytes of a fragment; default 64 MiB. A connection has at most twice as many in memory.
    #[must_use]
    pub fn fragment(mut self, bytes: u64) -> Self {
        self.fragment = bytes;
        self
    }

    /// Samples of a fragment; default 262,144. They may take no bytes.
    #[must_use]
    pub fn samples(mut self, samples: u64) -> Self {
        self.samples = samples;
        self
    }

    /// Tracks of one header; default 64.
    #[must_use]
    pub fn tracks(mut self, tracks: usize) -> Self {
        self.tracks = tracks;
        self
    }

    /// Returns the same limits as budgets of boxes and manifests.
    pub(crate) fn of_content(&self) -> Limits {
        Limits {
            server_manifest: self.header,
            moov: self.header,
            moof: self.moof,
            samples: self.samples,
            tracks: self.tracks,
            ..Limits::default()
        }
    }
}
