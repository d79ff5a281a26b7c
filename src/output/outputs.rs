//! The outputs that are switched on.

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
}
