//! Heads of fragments that are made, and of segments of DASH and HLS, in memory.

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::origin::weighted::weighted;
use crate::presentation::{HeadKey, KeptHead, KeptHeads};

/// Heads by weight. The least used go first.
#[derive(Debug)]
pub(in crate::origin) struct HeadCache(Cache<HeadKey, KeptHead, ByLength>);

#[derive(Clone, Copy, Debug)]
struct ByLength;

/// Bytes that an entry takes in addition to those of its head.
const ENTRY: u64 = 160;

/// Length of a usual head, for a first guess at the number of entries.
const USUAL: u64 = 1 << 10;

impl Weighter<HeadKey, KeptHead> for ByLength {
    fn weight(&self, _: &HeadKey, head: &KeptHead) -> u64 {
        head.memory() as u64 + ENTRY
    }
}

impl HeadCache {
    /// A cache of so many bytes.
    pub(in crate::origin) fn new(bytes: u64) -> Self {
        Self(weighted(bytes, USUAL, false, ByLength))
    }
}

impl KeptHeads for HeadCache {
    fn get(&self, key: &HeadKey) -> Option<KeptHead> {
        self.0.get(key)
    }

    fn put(&self, key: HeadKey, head: KeptHead) {
        self.0.insert(key, head);
    }
}

#[cfg(all(test, any(feature = "dash", feature = "hls")))]
mod tests {
    use super::*;
    use crate::presentation::Located;

    #[test]
    fn heads_take_no_more_memory_than_they_may() {
        for (bytes, len) in [(4_u64 << 20, 700), (4 << 20, 100), (1 << 20, 9000)] {
            let measured = allocation_counter::measure(|| {
                let cache = HeadCache::new(bytes);
                for chunk in 0..20_000 {
                    let at = Located { stream: 0, track: 0, chunk };
                    let head = KeptHead::Segment(vec![0; len].into());
                    cache.put(HeadKey::of_segment(1, at), head);
                }
                assert!(cache.0.weight() <= bytes);
                assert!(cache.0.weight() > bytes / 2, "{}", cache.0.weight());
            });
            let most = measured.bytes_max;
            assert!(most <= bytes + bytes / 8, "{most} bytes for heads of {len} in {bytes}");
        }
    }
}
