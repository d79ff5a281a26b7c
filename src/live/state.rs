//! The state of a publishing point.

use std::fmt;

/// State of a publishing point, with the names of IIS Live Smooth Streaming.
///
/// ```
/// use smooth_origin::live::PointState;
///
/// assert_eq!(PointState::Started.to_string(), "started");
/// assert!(PointState::Started.accepts() && !PointState::Stopped.accepts());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PointState {
    /// No encoder has pushed yet.
    Idle,
    /// Encoders push, and nothing is published yet: streams that were announced are missing.
    Starting,
    /// Fragments are published as they come.
    Started,
    /// The event ends: what was held back is being published.
    Stopping,
    /// The event has ended. The snapshot is a film.
    Stopped,
}

impl PointState {
    /// Returns true if encoders may push in this state.
    pub fn accepts(self) -> bool {
        matches!(self, Self::Idle | Self::Starting | Self::Started)
    }

    /// Returns the state as a word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::Started => "started",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for PointState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
