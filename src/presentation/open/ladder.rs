//! The common order of the bitrates of paired qualities and tracks.

use std::collections::BTreeSet;

/// Bitrates of qualities, each with the bitrate of its track. No two pairs cross: a higher quality
/// has a higher or equal track.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder(BTreeSet<(u32, u32)>);

impl Ladder {
    /// Adds a pair, unless it crosses an existing one; returns `false` in that case. Takes `O(log
    /// n)` steps: if a pair crosses any pair of a set that has no crossing pairs, it crosses one of
    /// its neighbours.
    pub(super) fn add(&mut self, quality: u32, track: u32) -> bool {
        let lower = self.0.range(..(quality, 0)).next_back();
        let higher = match quality.checked_add(1) {
            Some(next) => self.0.range((next, 0)..).next(),
            None => None,
        };
        let crosses =
            lower.is_some_and(|pair| pair.1 > track) || higher.is_some_and(|pair| pair.1 < track);
        if !crosses {
            self.0.insert((quality, track));
        }
        !crosses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_quality_has_a_higher_track() {
        let mut ladder = Ladder::default();
        assert!(ladder.add(1000, 1100) && ladder.add(u32::MAX, u32::MAX));
        assert!(!ladder.add(1200, 1000), "a higher quality of a lower track");
        assert!(!ladder.add(900, 1200), "a lower quality of a higher track");
        assert!(ladder.add(1000, 1300), "of one bitrate, none is higher");
        assert!(!ladder.add(1100, 1200) && ladder.add(1100, 1300));
    }

    proptest::proptest! {
        #[test]
        fn pairs_cross_as_if_each_were_compared(
            pairs in proptest::collection::vec((0..9_u32, 0..9_u32), 0..20),
        ) {
            let (mut ladder, mut known) = (Ladder::default(), Vec::new());
            for (quality, track) in pairs {
                let crosses = |&(q, t): &(u32, u32)| q < quality && t > track || q > quality && t < track;
                let crosses = known.iter().any(crosses);
                proptest::prop_assert_eq!(ladder.add(quality, track), !crosses);
                if !crosses {
                    known.push((quality, track));
                }
            }
        }
    }
}
