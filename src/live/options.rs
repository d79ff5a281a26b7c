//! Options of a publishing point.

use super::LiveLimits;
use super::moment::Duration;

/// Options of a publishing point.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::live::PointOptions;
///
/// let options = PointOptions::default()
///     .look_ahead(2)
///     .window(Some(Duration::from_secs(3600)))
///     .restart_on_encoder_reconnect(true);
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
pub struct PointOptions {
    pub(super) look_ahead: u32,
    pub(super) window: Option<Duration>,
    pub(super) restart_on_encoder_reconnect: bool,
    pub(super) start_wait: Duration,
    pub(super) gap_wait: Duration,
    pub(super) silence: Duration,
    pub(super) clock_tolerance: Duration,
    pub(super) held_bytes: u64,
    pub(super) pushes: usize,
    pub(super) limits: LiveLimits,
}

impl Default for PointOptions {
    fn default() -> Self {
        Self {
            look_ahead: 2,
            window: None,
            restart_on_encoder_reconnect: false,
            start_wait: Duration::from_secs(10),
            gap_wait: Duration::from_secs(4),
            silence: Duration::from_secs(12),
            clock_tolerance: Duration::from_secs(30),
            held_bytes: 512 << 20,
            pushes: 256,
            limits: LiveLimits::default(),
        }
    }
}

impl PointOptions {
    /// Sets the number of chunks of each stream that are held back, so that fragments can announce them;
    /// default 2, at most 255. Players of live Smooth Streaming that learn of chunks from fragments need
    /// at least 1. Each costs the latency of one chunk.
    ///
    /// Spec: `lookaheadChunks` of an `.isml`; [MS-SSTR] 2.2.4.5.
    pub fn look_ahead(mut self, chunks: u32) -> Self {
        self.look_ahead = chunks.min(255);
        self
    }

    /// Sets how much of the event players can go back; default `None`, everything.
    ///
    /// Spec: `manifestWindowLength` of an `.isml`; [MS-SSTR] 2.2.2.1, `DVRWindowLength`.
    pub fn window(mut self, window: Option<Duration>) -> Self {
        self.window = window;
        self
    }

    /// Sets whether an encoder begins a new event if it pushes to a point whose event has ended, or begins
    /// anew with other codec data or other times while no other encoder pushes; default: no. Without it, a
    /// point that has stopped refuses pushes, other codec data is refused, and times that begin anew are
    /// moved so that the event goes on.
    ///
    /// Spec: `restartOnEncoderReconnect` of an `.isml`.
    pub fn restart_on_encoder_reconnect(mut self, restart: bool) -> Self {
        self.restart_on_encoder_reconnect = restart;
        self
    }

    /// Sets the longest time for which the start waits for streams that were announced and for the first
    /// fragment of each track; default 10 s.
    pub fn start_wait(mut self, wait: Duration) -> Self {
        self.start_wait = wait;
        self
    }

    /// Sets the longest time for which a fragment behind a gap waits for another encoder, or another track
    /// of its stream, to fill it; default 4 s. Fragments without a gap before them never wait.
    pub fn gap_wait(mut self, wait: Duration) -> Self {
        self.gap_wait = wait;
        self
    }

    /// Sets the time after which an encoder that sends no fragment no longer counts as one that may fill
    /// gaps; default 12 s. It should be some times the length of a fragment.
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// Sets how far the times of an encoder may be from those of the event, by the time that has passed,
    /// or from the last fragment of the track, before its clock counts as another one; default 30 s.
    pub fn clock_tolerance(mut self, tolerance: Duration) -> Self {
        self.clock_tolerance = tolerance;
        self
    }

    /// Sets the memory for fragments that are not published yet; default 512 MiB. If it is used up,
    /// fragments behind gaps wait no longer.
    pub fn held_bytes(mut self, bytes: u64) -> Self {
        self.held_bytes = bytes;
        self
    }

    /// Sets the number of pushes that may run at one time; default 256.
    pub fn pushes(mut self, pushes: usize) -> Self {
        self.pushes = pushes;
        self
    }

    /// Sets the budgets of what encoders push.
    pub fn limits(mut self, limits: LiveLimits) -> Self {
        self.limits = limits;
        self
    }
}
