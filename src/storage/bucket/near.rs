//! Ranges that are read by one request because they are near each other.

use std::ops::Range;

/// Longest gap between two ranges that is read along, in bytes: about what a connection brings in
/// the time of a round trip.
const GAP: u64 = 64 << 10;

/// Longest range that is made of several, in bytes.
const JOINED: u64 = 8 << 20;

/// A range that is read, and the ranges that lie in it, by their places in the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) range: Range<u64>,
    pub(super) parts: Vec<usize>,
}

/// Joins ranges. Those of no bytes are left out.
pub(super) fn joined(ranges: &[Range<u64>]) -> Vec<Joined> {
    let mut order: Vec<usize> = (0..ranges.len()).filter(|at| !ranges[*at].is_empty()).collect();
    order.sort_by_key(|at| (ranges[*at].start, ranges[*at].end));
    let mut all: Vec<Joined> = Vec::new();
    for at in order {
        let range = &ranges[at];
        if let Some(last) = all.last_mut() {
            let end = last.range.end.max(range.end);
            let is_inside = range.end <= last.range.end;
            let is_near = range.start.saturating_sub(last.range.end) <= GAP
                && end - last.range.start <= JOINED;
            if is_inside || is_near {
                last.range.end = end;
                last.parts.push(at);
                continue;
            }
        }
        all.push(Joined { range: range.clone(), parts: vec![at] });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ranges: &[Range<u64>]) -> Vec<(Range<u64>, Vec<usize>)> {
        joined(ranges).into_iter().map(|joined| (joined.range, joined.parts)).collect()
    }

    #[test]
    fn near_ranges_are_joined_and_far_ones_are_not() {
        let far = GAP + 100;
        let ranges = [far + 20..far + 30, 0..10, 20..30, 5..5];
        assert_eq!(of(&ranges), [(0..30, vec![1, 2]), (far + 20..far + 30, vec![0])]);
        assert_eq!(of(&[0..10, 10 + GAP..11 + GAP]), [(0..11 + GAP, vec![0, 1])]);
        assert_eq!(of(&[0..10, 11 + GAP..12 + GAP]).len(), 2);
    }

    #[test]
    fn what_is_joined_has_a_bound() {
        let many: Vec<_> = (0..1000).map(|n| n * GAP..n * GAP + 10).collect();
        let all = joined(&many);
        assert!(all.iter().all(|joined| joined.range.end - joined.range.start <= JOINED));
        assert_eq!(all.len(), 8);
        assert_eq!(all.iter().map(|joined| joined.parts.len()).sum::<usize>(), 1000);
    }

    #[test]
    fn a_long_range_is_read_once_for_all_that_lie_in_it() {
        let long = 0..JOINED * 3;
        let ranges = [long.clone(), 5..10, long.clone()];
        assert_eq!(of(&ranges), [(long, vec![0, 2, 1])]);
    }
}
