//! Numbers about a cache on local disk.

/// Numbers about a cache on local disk, since it was opened; all are 0 if there is none.
///
/// ```
/// use smooth_origin::storage::DiskCacheStats;
///
/// fn hit_rate(stats: &DiskCacheStats) -> f64 {
///     stats.hits as f64 / (stats.hits + stats.misses).max(1) as f64
/// }
/// # assert_eq!(hit_rate(&DiskCacheStats::default()), 0.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskCacheStats {
    /// Reads whose bytes were on the disk.
    pub hits: u64,
    /// Reads whose bytes came from the store, because they were not on the disk or could not be read
    /// there.
    pub misses: u64,
    /// Misses because the disk failed, or because what it gave was not what had been written.
    pub errors: u64,
    /// Bytes of the hits.
    pub hit_bytes: u64,
}
