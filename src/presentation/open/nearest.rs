//! Pairs the qualities of a client manifest with the tracks of a server manifest by bitrate.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A quality and a track, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) quality: usize,
    pub(super) track: usize,
    /// True if any other quality or track is more than twice as far away, and the bitrates of one
    /// manifest are not a multiple of the other's.
    pub(super) is_certain: bool,
}

/// A part of the greater of two bitrates.
const WHOLE: u64 = 1 << 32;

/// Bitrates that differ by more than a quarter are not the same quality's.
const FARTHEST: u64 = WHOLE / 4;

/// The nearest of all pairs first, then the nearest of what is left: `O(n log n)`, because the
/// nearest two are neighbours in the order of bitrates. A bitrate of 0 says nothing.
pub(super) fn nearest(qualities: &[u32], tracks: &[u32]) -> Vec<Pair> {
    let of = |bitrates: &[u32], is_track: bool| {
        let known = bitrates.iter().enumerate().filter(|(_, bitrate)| **bitrate > 0);
        known.map(|(number, bitrate)| (*bitrate, is_track, number)).collect::<Vec<_>>()
    };
    let mut all = [of(qualities, false), of(tracks, true)].concat();
    all.sort_unstable();
    let sorted = |is_track: bool| {
        let own = all.iter().filter(|entry| entry.1 == is_track);
        own.map(|entry| entry.0).collect::<Vec<_>>()
    };
    let (sorted_qualities, sorted_tracks) = (sorted(false), sorted(true));

    // A list of those that are left, by place: neighbours before and behind.
    let mut before: Vec<Option<usize>> = (0..all.len()).map(|at| at.checked_sub(1)).collect();
    let mut behind: Vec<Option<usize>> =
        (1..=all.len()).map(|at| (at < all.len()).then_some(at)).collect();
    let mut is_left = vec![true; all.len()];
    let mut heap = BinaryHeap::new();
    let neighbours = |heap: &mut BinaryHeap<_>, one: usize, other: usize| {
        let ((a, of_track, _), (b, of_other, _)) = (all[one], all[other]);
        let far = distance(a, b);
        if of_track != of_other && far <= FARTHEST {
            heap.push(Reverse((far, one, other)));
        }
    };
    (1..all.len()).for_each(|at| neighbours(&mut heap, at - 1, at));
    let mut pairs = Vec::new();
    // Places come from `all`, and the lists are as long as it.
    while let Some(Reverse((far, one, other))) = heap.pop() {
        if !is_left[one] || !is_left[other] {
            continue;
        }
        (is_left[one], is_left[other]) = (false, false);
        let (first, last) = (before[one], behind[other]);
        if let Some(first) = first {
            behind[first] = last;
        }
        if let Some(last) = last {
            before[last] = first;
        }
        if let (Some(first), Some(last)) = (first, last) {
            neighbours(&mut heap, first, last);
        }
        let (quality, track) =
            if all[one].1 { (all[other], all[one]) } else { (all[one], all[other]) };
        let is_alone = |bitrate, sorted: &[u32], paired| {
            others(bitrate, sorted, paired).all(|other| distance(bitrate, other) > 2 * far)
        };
        pairs.push(Pair {
            quality: quality.2,
            track: track.2,
            is_certain: is_alone(quality.0, &sorted_tracks, track.0)
                && is_alone(track.0, &sorted_qualities, quality.0),
        });
    }
    if is_scaled(&sorted_qualities, &sorted_tracks) {
        // Such bitrates can be near to each other one rank off: then no pair is certain.
        let rank = |bitrate: u32, sorted: &[u32]| sorted.partition_point(|other| *other < bitrate);
        // The pairs were made from these lists.
        let has_one_rank = |pair: &Pair| {
            rank(qualities[pair.quality], &sorted_qualities)
                == rank(tracks[pair.track], &sorted_tracks)
        };
        let is_certain = pairs.iter().all(has_one_rank);
        pairs.iter_mut().for_each(|pair| pair.is_certain &= is_certain);
    }
    pairs
}

/// Returns whether there are at least three bitrates, and those of one list are the other's in
/// order, multiplied by one factor or increased by one difference, within a hundredth.
fn is_scaled(qualities: &[u32], tracks: &[u32]) -> bool {
    let (Some(&quality), Some(&track)) = (qualities.first(), tracks.first()) else { return false };
    let pairs = || qualities.iter().zip(tracks).map(|(q, t)| (i128::from(*q), i128::from(*t)));
    let (quality, track) = (i128::from(quality), i128::from(track));
    let is_near = |one: i128, other: i128| (one - other).abs() * 100 <= one.abs().max(other.abs());
    qualities.len() == tracks.len()
        && qualities.len() > 2
        && (pairs().all(|(q, t)| is_near(q * track, t * quality))
            || pairs().all(|(q, t)| is_near(t - q, track - quality)))
}

/// The nearest in a sorted list on both sides of a bitrate, and of the one that it is paired with.
fn others(bitrate: u32, sorted: &[u32], paired: u32) -> impl Iterator<Item = u32> {
    let at = sorted.partition_point(|other| *other < paired);
    let skipped = sorted.partition_point(|other| *other < bitrate);
    // The one at `at` is the paired one: its equals and neighbours lie beside it.
    let beside = [at.checked_sub(1), Some(at + 1), skipped.checked_sub(1), Some(skipped)];
    let beside = beside.into_iter().flatten().filter(move |other| *other != at);
    beside.filter_map(|other| sorted.get(other).copied())
}

/// Returns the difference of two bitrates as a part of the greater one; `WHOLE` if one is 0.
fn distance(one: u32, other: u32) -> u64 {
    let most = u64::from(one.max(other)).max(1);
    u64::from(one.abs_diff(other)) * WHOLE / most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(qualities: &[u32], tracks: &[u32]) -> Vec<(usize, usize, bool)> {
        let mut pairs: Vec<_> = nearest(qualities, tracks)
            .into_iter()
            .map(|pair| (pair.quality, pair.track, pair.is_certain))
            .collect();
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn the_nearest_are_paired_whatever_their_order() {
        assert_eq!(
            run(&[3000, 1500, 800], &[805, 1502, 3005]),
            [(0, 2, true), (1, 1, true), (2, 0, true)]
        );
        assert_eq!(run(&[800, 1500], &[1502, 3005, 6000]), [(1, 0, true)]);
        assert_eq!(run(&[800], &[]), []);
        assert_eq!(run(&[0, 800], &[0, 0]), []);
        assert_eq!(run(&[800], &[2000]), []);
        // Those in between are paired first; then the outer ones are neighbours.
        assert_eq!(run(&[1000, 1010], &[1011, 1150]), [(0, 1, false), (1, 0, true)]);
    }

    #[test]
    fn pairs_that_could_be_others_are_not_certain() {
        // All bitrates of one manifest are 1.5 times the other's.
        let pairs = run(&[800, 1500, 3000], &[533, 1000, 2000]);
        assert!(!pairs.is_empty() && pairs.iter().all(|pair| !pair.2), "{pairs:?}");
        // All are 1.5 times the other's, and near to the next higher one.
        let pairs = run(&[230, 331, 477, 688], &[345, 496, 715, 1032]);
        assert!(pairs.len() == 3 && pairs.iter().all(|pair| !pair.2), "{pairs:?}");
        let pairs = run(&[230, 331, 477, 688], &[358, 459, 605, 816]);
        assert!(!pairs.is_empty() && pairs.iter().all(|pair| !pair.2), "{pairs:?}");
        let pairs = run(&[230, 331, 477, 688], &[231, 332, 478, 689]);
        assert!(pairs.len() == 4 && pairs.iter().all(|pair| pair.2), "{pairs:?}");
        assert!(run(&[800, 800], &[805, 805]).iter().all(|pair| !pair.2));
        assert!(run(&[800, 800], &[805]).iter().all(|pair| !pair.2));
    }

    proptest::proptest! {
        #[test]
        fn neighbours_are_paired_as_if_all_were_compared(
            qualities in proptest::collection::vec(1..60_u32, 0..12),
            tracks in proptest::collection::vec(1..60_u32, 0..12),
        ) {
            // Distances, ascending, of repeatedly taking the nearest two of all.
            let (mut q, mut t) = (qualities.clone(), tracks.clone());
            let mut wanted = Vec::new();
            loop {
                let all = (0..q.len()).flat_map(|i| (0..t.len()).map(move |j| (i, j)));
                let near = all.map(|(i, j)| (distance(q[i], t[j]), q[i], t[j])).min();
                let Some((far, a, b)) = near.filter(|near| near.0 <= FARTHEST) else { break };
                wanted.push(far);
                q.remove(q.iter().position(|x| *x == a).unwrap());
                t.remove(t.iter().position(|x| *x == b).unwrap());
            }
            let pairs = nearest(&qualities, &tracks);
            let found: Vec<u64> =
                pairs.iter().map(|p| distance(qualities[p.quality], tracks[p.track])).collect();
            proptest::prop_assert_eq!(found.first(), wanted.first());
            proptest::prop_assert!(found.is_sorted());
            proptest::prop_assert!(nearest(&tracks, &qualities).len() == pairs.len());
        }
    }
}
