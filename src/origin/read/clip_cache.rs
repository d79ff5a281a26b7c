//! Clips of presentations, in memory.

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::origin::weighted::weighted;
use crate::presentation::{ClipKey, KeptClip, KeptClips};

/// Clips by weight. The least used go first.
#[derive(Debug)]
pub(in crate::origin) struct ClipCache(Cache<ClipKey, KeptClip, ByMemory>);

#[derive(Clone, Copy, Debug)]
struct ByMemory;

/// Bytes of all clips.
const MOST: u64 = 16 << 20;

/// Bytes that an entry takes in addition to its clip.
const ENTRY: u64 = 512;

/// Bytes of a usual clip, for a first guess at the number of entries.
const USUAL: u64 = 256 << 10;

impl Weighter<ClipKey, KeptClip> for ByMemory {
    fn weight(&self, _: &ClipKey, clip: &KeptClip) -> u64 {
        clip.memory as u64 + ENTRY
    }
}

impl Default for ClipCache {
    /// A cache of 16 MiB.
    fn default() -> Self {
        Self(weighted(MOST, USUAL, true, ByMemory))
    }
}

impl KeptClips for ClipCache {
    fn get(&self, key: &ClipKey) -> Option<KeptClip> {
        self.0.get(key)
    }

    fn put(&self, key: ClipKey, clip: KeptClip) {
        self.0.insert(key, clip);
    }
}

#[cfg(all(test, feature = "live", feature = "dash", feature = "hls"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Step;
    use crate::output::Request;
    use crate::presentation::growing::samples::{Event, SECOND};
    use crate::presentation::{Piece, Presentation, Validator};

    /// A text of a clip, or the code of the error.
    fn ask(
        of: &Arc<Presentation>,
        target: &str,
    ) -> Result<(bytes::Bytes, Validator), &'static str> {
        let (path, query) = target.split_once('?').unwrap();
        let request = Request::parse(path, Some(query)).unwrap();
        let identity = request.identify(of).map_err(|error| error.kind.code());
        let step = request.answer(of).map_err(|error| error.kind.code());
        assert_eq!(identity.is_ok(), step.is_ok(), "{target}");
        let Step::Ready(reply) = step? else { panic!("{target}") };
        let [Piece::Bytes(text)] = reply.pieces() else { panic!("{target}") };
        Ok((text.clone(), reply.representation().validator()))
    }

    fn keeping(of: Arc<Presentation>, opening: u64, cache: &Arc<ClipCache>) -> Arc<Presentation> {
        of.keep_clips(opening, Arc::clone(cache) as _);
        of
    }

    const NAMES: [&str; 4] = ["Manifest", "manifest.mpd", "master.m3u8", "video-800000.m3u8"];

    #[test]
    fn a_clip_is_made_once_for_each_snapshot_and_says_what_it_would_without() {
        let cache = Arc::new(ClipCache::default());
        let mut event = Event::usual();
        for number in 0..30 {
            event.add_chunk(number);
            let whole = keeping(event.snapshot(None), 1, &cache);
            let other = event.snapshot(None);
            for query in ["start=10&end=20", "start=10", "delay=6", "start=100", "start=9&end=3"] {
                for name in NAMES {
                    let target = format!("{name}?{query}");
                    let (first, again) = (ask(&whole, &target), ask(&whole, &target));
                    let without = ask(&other, &target);
                    assert_eq!(first.as_ref().map(|of| &of.0), without.as_ref().map(|of| &of.0));
                    assert_eq!(first, again, "{target}");
                    if let (Ok(first), Ok(again)) = (first, again) {
                        assert_eq!(first.0.as_ptr(), again.0.as_ptr(), "{target} was made again");
                    }
                }
            }
        }
    }

    #[test]
    fn another_opening_has_none_of_the_clips_of_the_one_before() {
        let cache = Arc::new(ClipCache::default());
        let texts = [40, 20].map(|chunks| {
            let mut event = Event::usual();
            (0..chunks).for_each(|number| event.add_chunk(number));
            let whole = keeping(event.film(), chunks, &cache);
            NAMES.map(|name| ask(&whole, &format!("{name}?start=30&end=50")).unwrap().0)
        });
        let [longer, shorter] = &texts;
        // That of the qualities has no chunks.
        assert!([0, 1, 3].into_iter().all(|name| longer[name] != shorter[name]));
    }

    #[test]
    fn clips_take_no_more_memory_than_they_may() {
        let mut event = Event::usual();
        let mut time = 0;
        for number in 0..3000 {
            // Chunks that are no run.
            let lasts = 2 * SECOND + number % 7;
            (0..3).for_each(|track| event.add(track, time, lasts));
            time += lasts;
        }
        let whole = event.snapshot(None);
        let mut most = 0;
        let measured = allocation_counter::measure(|| {
            let cache = Arc::new(ClipCache::default());
            let whole = keeping(whole, 1, &cache);
            for start in 0..80 {
                ask(&whole, &format!("{}?start={start}", NAMES[start % 2])).unwrap();
                assert!(cache.0.weight() <= MOST);
                most = most.max(cache.0.weight());
            }
        });
        assert!(most > MOST / 2, "{most}");
        let bytes = measured.bytes_max;
        assert!(bytes <= MOST + MOST / 4, "{bytes} bytes for clips in {MOST}");
    }
}
