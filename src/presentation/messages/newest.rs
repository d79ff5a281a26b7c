//! The fragments whose messages are read when a presentation is opened: the newest ones.

use std::ops::Range;

use super::MOST;

/// The ranges of a file in which the newest fragments of a stream of events lie, each in one piece. Fragments are
/// given from the last to the first.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    /// From the last to the first, with those that are side by side as one.
    ranges: Vec<Range<u64>>,
    fragments: usize,
    bytes: u64,
}

impl Newest {
    /// Longest fragment. It has a few messages.
    pub(crate) const LONGEST: u64 = 64 << 10;
    /// Bytes of all.
    const BYTES: u64 = 4 << 20;
    /// Reads that are made for them.
    const READS: usize = 240;

    /// Adds a fragment that is in front of those before. Returns false if no more are read.
    pub(crate) fn add(&mut self, range: Range<u64>) -> bool {
        let len = range.end.saturating_sub(range.start);
        if len > Self::LONGEST {
            return true;
        }
        let is_beside = self.ranges.last().is_some_and(|last| last.start == range.end);
        let is_full = self.fragments >= MOST || self.bytes.saturating_add(len) > Self::BYTES;
        if is_full || (!is_beside && self.ranges.len() >= Self::READS) {
            return false;
        }
        match self.ranges.last_mut().filter(|_| is_beside) {
            Some(last) => last.start = range.start,
            None => self.ranges.push(range),
        }
        (self.fragments, self.bytes) = (self.fragments + 1, self.bytes + len);
        true
    }

    /// Returns the ranges to read, from the last to the first.
    pub(crate) fn ranges(self) -> Vec<Range<u64>> {
        self.ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_read_together_and_only_so_many() {
        let mut newest = Newest::default();
        for at in [50, 40, 20, 10] {
            assert!(newest.add(at..at + 10));
        }
        assert!(newest.add(0..1 << 40), "one that is too long is passed over");
        assert_eq!(newest.ranges(), [40..60, 10..30]);
        let added = |len: u64, apart: u64| {
            let mut newest = Newest::default();
            let ranges = (0..5000).rev().map(|at| at * (len + apart)..at * (len + apart) + len);
            ranges.take_while(|range| newest.add(range.clone())).count()
        };
        assert_eq!(added(100, 0), 1024);
        assert_eq!(added(100, 1), 240);
        assert_eq!(added(64 << 10, 0), 64);
    }
}
