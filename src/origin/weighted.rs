//! Caches whose entries have weights.

use std::hash::Hash;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

/// Returns a cache of `capacity`, in units of `weighter`. `usual` is the weight of a usual entry, for a
/// first guess at their number. With `is_whole`, the cache has one part, so that a heavy entry is kept as
/// long as it fits into the whole; else it has several, which threads use at one time.
pub(super) fn weighted<K, V, W>(
    capacity: u64,
    usual: u64,
    is_whole: bool,
    weighter: W,
) -> Cache<K, V, W>
where
    K: Eq + Hash,
    V: Clone,
    W: Weighter<K, V> + Clone,
{
    let entries = usize::try_from(capacity / usual.max(1)).unwrap_or(1).max(1);
    let mut options = OptionsBuilder::new();
    options.weight_capacity(capacity).estimated_items_capacity(entries);
    if is_whole {
        options.shards(1);
    }
    match options.build() {
        Ok(options) => {
            let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
            Cache::with_options(options, weighter, hasher, lifecycle)
        }
        // All sizes are set above. If they are refused, the library's own serve as well.
        Err(_) => Cache::with_weighter(entries, capacity, weighter),
    }
}
