//! The snapshot that players get of a publishing point, and the state of its archive.

use std::sync::Arc;
use std::time::Duration;

use super::LivePoint;
use crate::origin::live::archiving::Archiving;
use crate::origin::live::showing::Progress;

/// The snapshot that players get of a publishing point, and the state of its archive, for an operator.
///
/// [`LivePoint::delivery`] has an example.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// Number of the snapshot that players get, counted as [`PointStatus::published`](crate::live::PointStatus::published) is; 0
    /// before the first one.
    pub snapshot: u64,
    /// Time since players get it; `None` before the first one.
    pub shown: Option<Duration>,
    /// Time for which the first of the snapshots behind it waits for the archive; `None` if players get the newest one.
    pub waits: Option<Duration>,
    /// The archive, if the point has one.
    pub archive: Option<ArchiveStatus>,
}

/// The state of the archive of a publishing point: bytes that it lacks, its last failure, and films that are due.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ArchiveStatus {
    /// Bytes that are still to be written.
    pub waiting_bytes: u64,
    /// The last write that failed, if one did since the process began.
    pub failure: Option<ArchiveFailure>,
    /// Number of events that have ended and whose film is still to be made.
    pub films_due: usize,
    /// Why the last try to make one of these films failed, if it did.
    pub film_failure: Option<Arc<str>>,
}

/// A write to an archive that failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ArchiveFailure {
    /// The error, as the archive says it.
    pub error: Arc<str>,
    /// Time since then.
    pub ago: Duration,
    /// True if the archive has taken everything since.
    pub is_past: bool,
}

impl LivePoint {
    /// Returns the snapshot that players get, and the state of the archive.
    ///
    /// ```
    /// use smooth_origin::Name;
    /// use smooth_origin::live::PointOptions;
    /// use smooth_origin::origin::LivePoints;
    ///
    /// # fn main() -> Result<(), smooth_origin::Error> {
    /// let points = LivePoints::default();
    /// let point = points.create(Name::new("news.isml")?, PointOptions::default())?;
    /// let delivery = point.delivery();
    /// assert_eq!((delivery.snapshot, delivery.waits), (0, None));
    /// assert!(delivery.archive.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn delivery(&self) -> Delivery {
        let now = self.host().clock.now();
        let since = |at: Duration| now.saturating_sub(at);
        let Progress { shown, waits_since } = self.showing.progress();
        Delivery {
            snapshot: shown.map_or(0, |(number, _)| number),
            shown: shown.map(|(_, at)| since(at)),
            waits: waits_since.map(since),
            archive: self.archiving.as_ref().map(|archiving| of_archive(archiving, now)),
        }
    }
}

fn of_archive(archiving: &Archiving, now: Duration) -> ArchiveStatus {
    let failure = archiving.last_failed().map(|failed| ArchiveFailure {
        error: failed.error,
        ago: now.saturating_sub(failed.at),
        is_past: failed.is_past,
    });
    ArchiveStatus {
        waiting_bytes: archiving.waiting(),
        failure,
        films_due: archiving.count_due(),
        film_failure: archiving.failure().map(|error| error.to_string().into()),
    }
}
