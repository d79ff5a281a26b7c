//! Ranges of one file that are so near that one read of all of them costs less than a read of each: the
//! samples of a progressive file, whose pictures and sound are interleaved.

use std::ops::Range;

use bytes::Bytes;

use crate::base::FileId;
use crate::presentation::{Piece, StoredRange};

/// Bytes between two ranges that are read with them, at most.
const GAP: u64 = 64 << 10;

/// The same where each read is a round trip.
const DEAR_GAP: u64 = 256 << 10;

/// Some ranges of a file, in ascending order.
#[derive(Debug)]
pub(super) struct NearRanges {
    pub(super) file: FileId,
    ranges: Vec<Range<u64>>,
}

impl NearRanges {
    /// Takes the ranges that are near to this one off the end of a list, in which they are in reverse
    /// order. `None` if there are none. All of them together, with what is between, are not longer than
    /// `most`.
    pub(super) fn take(
        first: &StoredRange,
        later: &mut Vec<Piece>,
        is_dear: bool,
        most: u64,
    ) -> Option<Self> {
        let gap = if is_dear { DEAR_GAP } else { GAP };
        let (file, start) = (first.file, first.range.start);
        let (mut end, mut ranges) = (first.range.end, Vec::new());
        let is_plain = |of: &StoredRange| of.file == file && of.read.is_empty() && of.before == 0;
        while let Some(Piece::Stored(next)) = later.last()
            && is_plain(first)
            && is_plain(next)
            && (end..=end.saturating_add(gap)).contains(&next.range.start)
            && next.range.end - start <= most
        {
            end = next.range.end;
            if ranges.is_empty() {
                ranges.reserve(later.len() + 1);
                ranges.push(first.range.clone());
            }
            ranges.push(next.range.clone());
            later.pop();
        }
        (!ranges.is_empty()).then_some(Self { file, ranges })
    }

    /// The range that holds all of them.
    pub(super) fn span(&self) -> Range<u64> {
        let start = self.ranges.first().map_or(0, |range| range.start);
        start..self.ranges.last().map_or(start, |range| range.end)
    }

    /// Returns their bytes, one after the other, of the bytes of the [span](Self::span).
    pub(super) fn of(&self, span: &Bytes) -> Bytes {
        let start = self.span().start;
        let len = self.ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        if len == span.len() as u64 {
            return span.clone();
        }
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
        for range in &self.ranges {
            let at = (range.start - start) as usize..(range.end - start) as usize;
            bytes.extend_from_slice(span.get(at).unwrap_or_default());
        }
        bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(file: u32, range: Range<u64>) -> Piece {
        Piece::Stored(StoredRange::new(FileId::new(file), range, &Bytes::new(), 0))
    }

    fn taken(most: u64, is_dear: bool) -> (Option<Range<u64>>, usize) {
        let first = StoredRange::new(FileId::new(1), 10..20, &Bytes::new(), 0);
        let far = 40 + 2 * GAP;
        let mut later = vec![
            piece(2, far + 5..far + 9),
            piece(1, far..far + 5),
            piece(1, 30..40),
            piece(1, 20..25),
        ];
        let near = NearRanges::take(&first, &mut later, is_dear, most);
        (near.map(|near| near.span()), later.len())
    }

    #[test]
    fn ranges_are_read_at_once_if_they_are_near_and_together_not_too_long() {
        assert_eq!(taken(u64::MAX, false), (Some(10..40), 2));
        assert_eq!(taken(u64::MAX, true), (Some(10..45 + 2 * GAP), 1));
        assert_eq!(taken(29, false), (Some(10..25), 3));
        assert_eq!(taken(14, false), (None, 4));
    }

    #[test]
    fn only_their_own_bytes_are_given() {
        let near = NearRanges { file: FileId::new(1), ranges: vec![10..12, 12..13, 15..17] };
        assert_eq!(near.span(), 10..17);
        assert_eq!(near.of(&Bytes::from_static(b"abc--de")), "abcde");
    }
}
