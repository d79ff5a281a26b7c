//! An origin as its host sees it: numbers, and the presentations that are open.

use super::{CachedPresentation, FragmentCacheStats, Origin, OriginStats};
use crate::base::Name;

impl Origin {
    /// Numbers about this origin and its clones, for monitoring.
    pub fn stats(&self) -> OriginStats {
        let (cache, shared) = (&self.inner.cache, &self.inner.shared);
        let mut stats = OriginStats {
            openings_in_progress: cache.openings_in_progress(),
            in_progress: shared.access.limit.used(),
            waiting: shared.access.limit.waiting() as u64,
            presentations: cache.opened_len(),
            failed_presentations: cache.failed_len(),
            presentation_bytes: cache.bytes(),
            open_files: shared.handles.len(),
            body_bytes: shared.bodies.used(),
            fragments: self.fragment_cache(),
            shared_reads: shared.whole_reads.as_ref().map_or(0, |whole| whole.shared()),
            ..OriginStats::default()
        };
        if let Some(ahead) = &shared.ahead {
            let used = shared.fragments.as_ref().map_or(0, |fragments| fragments.used_ahead());
            stats.ahead_reads = ahead.reads();
            stats.ahead_used = ahead.joined() + used;
        }
        #[cfg(feature = "disk-cache")]
        if let Some(disk) = &shared.disk {
            stats.disk_cache = disk.stats();
        }
        shared.access.host.counters.write(&mut stats);
        stats
    }

    /// Numbers about the cache of fragments; all are 0 if the origin has
    /// [none](super::OriginBuilder::fragment_cache_bytes).
    pub fn fragment_cache(&self) -> FragmentCacheStats {
        let fragments = self.inner.shared.fragments.as_ref();
        fragments.map(|fragments| fragments.stats()).unwrap_or_default()
    }

    /// Brings the metrics that [`OriginBuilder::record_metrics`] lists up to date. Call it before the
    /// metrics are read, for example in the handler of `/metrics`, or in intervals if the recorder
    /// sends them.
    ///
    /// Does nothing without `record_metrics`.
    ///
    /// [`OriginBuilder::record_metrics`]: super::OriginBuilder::record_metrics
    #[cfg(feature = "metrics")]
    pub fn record_metrics(&self) {
        if let Some(meters) = &self.inner.shared.access.host.counters.meters {
            meters.record(&self.stats());
        }
    }

    /// The presentations that are open, in no particular order. Openings that failed are not among
    /// them.
    ///
    /// The iterator copies nothing ahead and holds no lock between two items. A presentation that is
    /// opened, dropped or replaced meanwhile may be missing. Use
    /// [`take`](Iterator::take) to limit a list: within the default
    /// [`cache_bytes`](super::OriginBuilder::cache_bytes), there may be tens of thousands of short
    /// presentations.
    ///
    /// ```
    /// # #[cfg(feature = "fs")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use smooth_origin::base::Name;
    /// use smooth_origin::origin::{Origin, block_on};
    /// use smooth_origin::storage::LocalStore;
    ///
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
    /// let origin = Origin::new(LocalStore::new(root)?);
    /// let film = Name::new("ffmpeg/ffmpeg.ism")?;
    /// block_on(origin.open(&film))?;
    /// for kept in origin.presentations().take(100) {
    ///     println!("{}: {} bytes, opened {:?} ago", kept.name(), kept.memory(), kept.age());
    /// }
    /// assert!(origin.forget(&film));
    /// assert_eq!(origin.presentations().count(), 0);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "fs"))]
    /// # fn main() {}
    /// ```
    pub fn presentations(&self) -> impl Iterator<Item = CachedPresentation> {
        self.inner.cache.presentations()
    }

    /// Drops a presentation, or the error with which it failed to open, from the cache. The next
    /// request opens it anew, without comparing it with what was open before. An opening in progress
    /// answers the requests that wait for it and is not kept. Bodies that have begun continue.
    ///
    /// Returns whether the presentation was open.
    ///
    /// Call it after deleting a presentation, to free its memory and close its files at once. To
    /// replace a presentation, [`look_again`](Self::look_again) is gentler: the old version is served
    /// until the new one can be.
    pub fn forget(&self, name: &Name) -> bool {
        self.inner.cache.forget(name)
    }

    /// Makes the next request for this presentation check its files again, however recent the last
    /// check is. Call it after replacing the presentation.
    pub fn look_again(&self, name: &Name) {
        self.inner.cache.look_again(name);
    }
}
