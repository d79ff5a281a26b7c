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
    pub(super) start_over: Duration,
    /// The most of the event that memory has room for, if that is less.
    pub(super) longest: Option<Duration>,
    /// True if an archive has the media, so that chunks that are served longer cost their index alone.
    pub(super) is_archived: bool,
    pub(super) restart_on_encoder_reconnect: bool,
    pub(super) start_wait: Duration,
    pub(super) gap_wait: Duration,
    pub(super) silence: Duration,
    pub(super) reconnect_wait: Duration,
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
            start_over: Duration::ZERO,
            longest: None,
            is_archived: false,
            restart_on_encoder_reconnect: false,
            start_wait: Duration::from_secs(10),
            gap_wait: Duration::from_secs(4),
            silence: Duration::from_secs(12),
            reconnect_wait: Duration::from_secs(30),
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

    /// Sets how much of the event stays available to players that ask for an earlier start than that of the
    /// window (`Manifest?start=…`) or for a delay; default: no more than the window. It costs the index of so
    /// much, and without an archive its media.
    pub fn start_over(mut self, length: Duration) -> Self {
        self.start_over = length;
        self
    }

    /// Returns the window that manifests have.
    pub(super) fn shown(&self) -> Option<Duration> {
        [self.window, self.longest].into_iter().flatten().min()
    }

    /// Returns how much of the event is served: what players may ask for, and what playlists had a while ago.
    pub(super) fn kept(&self) -> Option<Duration> {
        let listed = self.shown().map(|window| window.saturating_add(self.behind(window)));
        let over = self.window.map(|_| self.start_over.saturating_add(BEHIND_WINDOW));
        let longest = self.longest.map(|longest| longest.saturating_add(BEHIND_WINDOW));
        let kept = listed.max(over);
        [kept, longest].into_iter().flatten().min()
    }

    /// Returns how long chunks are served after they have left a window of this length.
    fn behind(&self, window: Duration) -> Duration {
        match self.is_archived {
            true => window.clamp(BEHIND_WINDOW, BEHIND_WINDOW_OF_ARCHIVE),
            false => BEHIND_WINDOW,
        }
    }

    /// Sets whether an archive has the media of the event.
    pub(crate) fn archived(mut self, is_archived: bool) -> Self {
        self.is_archived = is_archived;
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
    /// of its stream, to fill it; default 4 s. Fragments without a gap before them never wait. While the gap is filled in
    /// order, or is not live yet, it waits longer: up to [`clock_tolerance`](Self::clock_tolerance).
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

    /// Sets how long an encoder that was lost is expected to come again; default 30 s. Until then, it keeps an
    /// event going that others have ended, and the track of which it has sent the first fragments. One that is
    /// connected and silent does so for ten times as long.
    pub fn reconnect_wait(mut self, wait: Duration) -> Self {
        self.reconnect_wait = wait;
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

/// Chunks are served for so long after they have left the window, for players that are about to ask for them.
const BEHIND_WINDOW: Duration = Duration::from_secs(30);

/// With an archive, they are served for as long again as playlists had them, and no longer than this.
///
/// Spec: RFC 8216, 6.2.2.
const BEHIND_WINDOW_OF_ARCHIVE: Duration = Duration::from_secs(900);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_an_archive_chunks_are_served_as_long_as_a_playlist_had_them() {
        let seconds = Duration::from_secs;
        let of = |window, start_over| {
            PointOptions::default().window(Some(seconds(window))).start_over(seconds(start_over))
        };
        let kept = |options: PointOptions| options.kept().unwrap().as_secs();
        for (window, start_over, without, with) in [
            (10, 0, 40, 40),
            (600, 0, 630, 1200),
            (600, 3600, 3630, 3630),
            (86_400, 0, 86_430, 87_300),
        ] {
            let options = of(window, start_over);
            assert_eq!(kept(options.clone()), without);
            assert_eq!(kept(options.archived(true)), with);
        }
        assert_eq!(PointOptions::default().archived(true).kept(), None);
        let mut short = of(600, 3600).archived(true);
        short.longest = Some(seconds(20));
        assert_eq!(kept(short), 50);
    }
}
