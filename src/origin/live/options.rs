//! The options of publishing points.

use std::fmt;
use std::sync::Arc;

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
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self { first_push: None, max_points: 256, archive: None, memory_per_file: 32 << 20 }
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
}

impl fmt::Debug for LiveOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveOptions")
            .field("on_first_push", &self.first_push.is_some())
            .field("archive", &self.archive.is_some())
            .finish_non_exhaustive()
    }
}
