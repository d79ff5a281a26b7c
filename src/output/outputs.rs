//! The outputs that are switched on.

use super::mss::ManifestFormat;

/// A switch for each output that is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outputs {
    pub(crate) smooth: bool,
    #[cfg(feature = "dash")]
    pub(crate) dash: bool,
    #[cfg(feature = "hls")]
    pub(crate) hls: bool,
}

impl Outputs {
    /// All outputs.
    pub(crate) const ALL: Self = Self {
        smooth: true,
        #[cfg(feature = "dash")]
        dash: true,
        #[cfg(feature = "hls")]
        hls: true,
    };

    /// Returns whether an output is on that has segments of CMAF.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(super) fn has_segments(self) -> bool {
        #[cfg(feature = "dash")]
        if self.dash {
            return true;
        }
        #[cfg(feature = "hls")]
        if self.hls {
            return true;
        }
        false
    }

    /// Returns whether an output beside Smooth Streaming is on that has manifests of a format.
    pub(super) fn has(self, format: ManifestFormat) -> bool {
        match format {
            #[cfg(feature = "dash")]
            ManifestFormat::Dash => self.dash,
            #[cfg(feature = "hls")]
            ManifestFormat::HlsCmaf => self.hls,
            _ => false,
        }
    }
}
