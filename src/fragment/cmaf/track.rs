//! Properties of the track that a fragment of CMAF belongs to.

use crate::base::Guid;
use crate::bmff::Trex;
use crate::fragment::Defaults;
use crate::manifest::StreamKind;

/// The track that a fragment belongs to, as its initialisation segment describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    pub(super) id: u32,
    pub(super) kind: StreamKind,
    pub(super) defaults: Defaults,
    pub(super) delay: u32,
    pub(super) iv_size: Option<u8>,
    pub(super) key_id: Option<Guid>,
}

/// The start of a fragment, in ticks of its samples' durations. It may be before 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// The time at which its first sample is shown. This is the start of a chunk in a Smooth
    /// manifest.
    Shown(i64),
    /// The time at which its first sample is decoded.
    Decoded(i64),
}

impl Track {
    /// Creates a track with this number in the initialisation segment.
    pub fn new(id: u32, kind: StreamKind) -> Self {
        Self { id, kind, defaults: Defaults::default(), delay: 0, iv_size: None, key_id: None }
    }

    /// Sets the defaults of the file that the fragment is stored in. Fragments that depend on them
    /// get them as defaults of their own, so that the initialisation segment need not have them.
    ///
    /// Spec: ISO/IEC 14496-12, 8.8.3.
    #[must_use]
    pub fn defaults(self, trex: &Trex) -> Self {
        self.with_defaults(trex.into())
    }

    pub(crate) fn with_defaults(mut self, defaults: Defaults) -> Self {
        self.defaults = defaults;
        self
    }

    /// Sets how many ticks later than stored all samples are decoded; default 0. The times at which
    /// they are shown stay the same.
    ///
    /// A film whose first picture is shown at 0 and decoded before that needs a delay, because no
    /// `tfdt` can be before 0: the composition offset of its first sample. Without it, only those
    /// fragments that begin before 0 are delayed, and the next one is decoded too early to follow
    /// them.
    #[must_use]
    pub fn delay(mut self, ticks: u32) -> Self {
        self.delay = ticks;
        self
    }

    /// Sets the size of the IVs and the key that the initialisation segment declares. A fragment
    /// with an IV size or a key of its own gets a sample group that says so.
    ///
    /// Spec: ISO/IEC 23001-7, 8.2.
    #[must_use]
    pub fn protection(mut self, iv_size: u8, key_id: Guid) -> Self {
        (self.iv_size, self.key_id) = (Some(iv_size), Some(key_id));
        self
    }
}

impl Start {
    /// Returns a start that is this much later.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn later(self, ticks: u64) -> Self {
        let later = |start: i64| start.saturating_add_unsigned(ticks);
        match self {
            Self::Shown(start) => Self::Shown(later(start)),
            Self::Decoded(start) => Self::Decoded(later(start)),
        }
    }

    /// Returns the time at which the first sample is decoded.
    pub(super) fn decoded(self, first_offset: i32) -> i128 {
        match self {
            Self::Shown(ticks) => i128::from(ticks) - i128::from(first_offset),
            Self::Decoded(ticks) => ticks.into(),
        }
    }
}
