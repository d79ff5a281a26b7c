//! The options of publishing points.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::memory::Budget;
use crate::base::Name;
use crate::live::PointOptions;
use crate::storage::{AnyArchive, Archive};

/// The rule about points that a push may create.
pub(super) type FirstPush = dyn Fn(&Name) -> Option<PointOptions> + Send + Sync;

/// Options of [`LivePoints`](super::LivePoints).
///
/// ```
/// use smooth_origin::live::PointOptions;
/// use smooth_origin::origin::LiveOptions;
///
/// // A push to `/events/NAME.isml` creates the publishing point.
/// let options = LiveOptions::default().on_first_push(|name| {
///     name.as_str().starts_with("events/").then(PointOptions::default)
/// });
/// # let _ = options;
/// ```
#[derive(Clone)]
pub struct LiveOptions {
    pub(super) first_push: Option<Arc<FirstPush>>,
    pub(super) max_points: usize,
    pub(super) archive: Option<AnyArchive>,
    pub(super) memory_per_file: u64,
    pub(super) held_in_memory: usize,
    pub(super) budget: Arc<Budget>,
    pub(super) follow: Option<Arc<FirstPush>>,
    pub(super) follow_every: Duration,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            first_push: None,
            max_points: 256,
            archive: None,
            memory_per_file: 32 << 20,
            held_in_memory: 0,
            budget: Budget::new(4 << 30),
            follow: None,
            follow_every: Duration::from_secs(1),
        }
    }
}

impl LiveOptions {
    /// Sets which publishing points the first push to them creates, and with which options; default none.
    /// The rule gets the name of the point and returns `None` if a push must not create it.
    pub fn on_first_push(
        mut self,
        rule: impl Fn(&Name) -> Option<PointOptions> + Send + Sync + 'static,
    ) -> Self {
        self.first_push = Some(Arc::new(rule));
        self
    }

    /// Maximum number of publishing points that pushes may create; default 256. Points that the host
    /// creates are always taken.
    pub fn max_points(mut self, points: usize) -> Self {
        self.max_points = points;
        self
    }

    /// Keeps the files of events in an archive; default: they are in memory alone, and what has left the
    /// window of an event is gone.
    pub fn archive(mut self, archive: impl Archive) -> Self {
        self.archive = Some(AnyArchive::new(archive));
        self
    }

    /// Bytes of memory for the newest fragments of each track, if an [archive](Self::archive) has the older
    /// ones; default 32 MiB. Without an archive, memory has everything in the window.
    pub fn memory_per_file(mut self, bytes: u64) -> Self {
        self.memory_per_file = bytes;
        self
    }

    /// Sets how many of the newest fragments of a track that are held back may be in memory alone, while the push that
    /// brings them goes on; default none. They are written to the [archive](Self::archive) when the push ends, before it is
    /// acknowledged, and after 10 s.
    ///
    /// By default a fragment is written twice: when it has come, and when it is published. With the number of the
    /// [look-ahead](PointOptions::look_ahead), it is written once. If the process is killed, encoders must then send the
    /// last fragments of each track again: this number of them, and those that the process had not read.
    ///
    /// Spec: Azure's specification of ingest, 7: encoders send the last two fragments of each track again.
    pub fn held_in_memory(mut self, fragments: usize) -> Self {
        self.held_in_memory = fragments;
        self
    }

    /// Bytes of memory for all publishing points together: the media in their windows, fragments that are held
    /// back, and bodies that arrive; default 4 GiB.
    ///
    /// When seven eighths are used, the oldest media goes first: points that use more than the average shorten
    /// their windows, by a quarter at a time, and widen them again when less than half is used. Points with an
    /// [archive](Self::archive) keep their windows, and their fragments in the archive alone. When everything is
    /// used, pushes are refused with [`ErrorKind::Busy`](crate::ErrorKind::Busy).
    pub fn memory(mut self, bytes: u64) -> Self {
        self.budget = Budget::new(bytes);
        self
    }

    /// Sets which publishing points are served that another process writes to the [archive](Self::archive), and with
    /// which window and look-ahead; default none. The rule gets the name that a client asks for. Points of
    /// this process, which encoders push to, come first.
    ///
    /// Nothing runs in the background: a request for the point, at most one in [so much
    /// time](Self::follow_every), asks the archive for the next part of the event's journal, and the others
    /// are answered from the snapshot. Requests for something that the snapshot does not have wait for a look of their
    /// own, which they share and which comes at most every 50 ms: another process that follows the point may have listed
    /// it. Fragments are read from the archive, and kept in the
    /// [cache](crate::origin::OriginBuilder::fragment_cache_bytes) of the origin. As many points as
    /// [`max_points`](Self::max_points) are followed at a time: a further one takes the place of one that was not
    /// found, that has ended, or that nobody has asked for in the last minute. When an event has ended, its film in
    /// the archive is served.
    ///
    /// ```
    /// use smooth_origin::live::PointOptions;
    /// use smooth_origin::origin::LiveOptions;
    /// use smooth_origin::storage::MemoryArchive;
    ///
    /// // Any number of origins do this; one process without the last line takes the pushes.
    /// let options = LiveOptions::default()
    ///     .archive(MemoryArchive::new())
    ///     .follow(|name| name.as_str().starts_with("events/").then(PointOptions::default));
    /// # let _ = options;
    /// ```
    pub fn follow(
        mut self,
        rule: impl Fn(&Name) -> Option<PointOptions> + Send + Sync + 'static,
    ) -> Self {
        self.follow = Some(Arc::new(rule));
        self
    }

    /// Sets the time between two looks at the archive for a point that is [followed](Self::follow); default 1 s. It
    /// is the most that following adds to the latency of players, beside the time of the requests. The next event is looked
    /// for as often, while somebody asks for the film of the last.
    pub fn follow_every(mut self, time: Duration) -> Self {
        self.follow_every = time;
        self
    }
}

impl fmt::Debug for LiveOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveOptions")
            .field("on_first_push", &self.first_push.is_some())
            .field("archive", &self.archive.is_some())
            .finish_non_exhaustive()
    }
}
