//! Live presentations: what they say beside their streams, and which of their chunks they announce.

use std::time::Duration;

/// The state of a live presentation when a snapshot of it was taken.
///
/// ```
/// # fn example(presentation: &smooth_origin::presentation::Presentation) {
/// if let Some(live) = presentation.live() {
///     println!("{} fragments of each track are held back", live.look_ahead);
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Live {
    /// Number of fragments by which each track is held back, so that a fragment can announce those
    /// that follow it.
    ///
    /// Spec: [MS-SSTR] 2.2.2.1, `LookaheadCount`.
    pub look_ahead: u32,
    /// Length of the window that manifests announce, up to the last chunk; everything if `None`.
    ///
    /// Spec: [MS-SSTR] 2.2.2.1, `DVRWindowLength`.
    pub window: Option<Duration>,
    /// Wall time at which media of time 0 was live, or would have been: ticks of 100 ns since 1970,
    /// below 0 if it was before 1970. It stays the same for the whole event.
    pub epoch: i64,
    /// Wall time of the snapshot, since 1970.
    pub published: Duration,
    /// Wall time of the snapshot by the clock of the event, in ticks of 100 ns since 1970: media of time `t` is live at
    /// `epoch + t`, however far the clocks of the encoders have drifted away from that of the host.
    #[cfg_attr(not(feature = "dash"), allow(dead_code))]
    pub(crate) clock: i64,
}

/// The part of a stream's timeline that manifests announce, and what was before it. Of a film it is the
/// whole timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// Number of chunks that are not in the timeline any more.
    pub(crate) dropped: u64,
    /// Number of chunks at the beginning of the timeline that are served and not announced.
    pub(crate) hidden: usize,
    /// Number of segments that fill gaps behind chunks that are not in the timeline any more, in a playlist.
    pub(crate) fillers: u64,
    /// Ticks of the longest chunk that was ever in the timeline.
    pub(crate) longest: u64,
    /// The chunks are those of an event: manifests have said how long each lasts before they knew the next one.
    pub(crate) is_of_event: bool,
}

impl Window {
    /// Returns the number of chunks before the first one that is announced.
    pub(crate) fn before(&self) -> u64 {
        self.dropped.saturating_add(self.hidden as u64)
    }
}
