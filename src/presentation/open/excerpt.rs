//! The parts of a file that have been read so far.

use std::ops::Range;

use bytes::Bytes;

/// Some blocks of a file.
#[derive(Clone, Debug)]
pub(super) struct Excerpt {
    size: u64,
    /// Offset and bytes, by offset.
    blocks: Vec<(u64, Bytes)>,
}

impl Excerpt {
    /// Makes an excerpt of a file of `size` bytes, whose first and last bytes were read.
    pub(super) fn new(size: u64, head: Bytes, tail: Bytes) -> Self {
        let mut excerpt = Self { size, blocks: Vec::new() };
        excerpt.add(0, head);
        excerpt.add(size.saturating_sub(tail.len() as u64), tail);
        excerpt
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The last bytes that were read.
    pub(super) fn tail(&self) -> (u64, &Bytes) {
        static NONE: Bytes = Bytes::new();
        self.blocks.last().map_or((self.size, &NONE), |(offset, bytes)| (*offset, bytes))
    }

    pub(super) fn add(&mut self, offset: u64, bytes: Bytes) {
        let at = self.blocks.partition_point(|(other, _)| *other <= offset);
        self.blocks.insert(at, (offset, bytes));
    }

    /// The bytes of a range: shared where one block holds it, else put together; `None` where
    /// some are missing.
    pub(super) fn get(&self, range: Range<u64>) -> Option<Bytes> {
        let whole = self.blocks.iter().find_map(|(offset, bytes)| {
            let from = usize::try_from(range.start.checked_sub(*offset)?).ok()?;
            let to = usize::try_from(range.end.checked_sub(*offset)?).ok()?;
            (from <= to && to <= bytes.len()).then(|| bytes.slice(from..to))
        });
        whole.or_else(|| self.join(range))
    }

    fn join(&self, range: Range<u64>) -> Option<Bytes> {
        if self.missing(range.clone()).is_some() {
            return None;
        }
        let mut joined = Vec::with_capacity(usize::try_from(range.end - range.start).ok()?);
        let mut at = range.start;
        for (offset, bytes) in &self.blocks {
            let end = offset + bytes.len() as u64;
            if at < range.end && (*offset..end).contains(&at) {
                let to = range.end.min(end);
                joined.extend_from_slice(&bytes[(at - offset) as usize..(to - offset) as usize]);
                at = to;
            }
        }
        Some(joined.into())
    }

    /// Returns the part of a range that must still be read: from its first missing byte to its last.
    pub(super) fn missing(&self, range: Range<u64>) -> Option<Range<u64>> {
        let Range { mut start, mut end } = range;
        for (offset, bytes) in &self.blocks {
            if *offset <= start {
                start = start.max(offset + bytes.len() as u64);
            }
        }
        for (offset, bytes) in self.blocks.iter().rev() {
            if offset + bytes.len() as u64 >= end {
                end = end.min(*offset);
            }
        }
        (start < end).then_some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file whose bytes are their own offsets, with head 0..10 and tail 90..100.
    fn excerpt() -> Excerpt {
        Excerpt::new(100, (0..10).collect(), (90..100).collect())
    }

    #[test]
    fn what_was_read_is_given_and_what_was_not_is_asked_for() {
        let mut e = excerpt();
        assert_eq!(e.get(2..5).unwrap(), [2, 3, 4][..]);
        assert_eq!(e.get(92..100).unwrap()[0], 92);
        assert_eq!((e.get(8..12), e.get(50..60)), (None, None));
        assert_eq!(e.missing(8..12), Some(10..12));
        assert_eq!(e.missing(50..60), Some(50..60));
        assert_eq!(e.missing(80..95), Some(80..90));
        assert_eq!(e.missing(2..95), Some(10..90));
        assert_eq!((e.missing(2..5), e.missing(95..100), e.missing(5..5)), (None, None, None));
        e.add(10, (10..14).collect());
        assert_eq!(e.get(8..12).unwrap(), [8, 9, 10, 11][..]);
        e.add(14, (14..90).collect());
        assert_eq!(e.get(0..100).unwrap(), (0..100).collect::<Vec<u8>>());
        assert_eq!(e.tail().0, 90);
    }

    #[test]
    fn blocks_that_overlap_are_joined_once() {
        let mut e = excerpt();
        e.add(2, (2..20).collect());
        e.add(15, (15..40).collect());
        assert_eq!(e.get(1..16).unwrap(), (1..16).collect::<Vec<u8>>());
        assert_eq!(e.get(1..12).unwrap(), (1..12).collect::<Vec<u8>>());
        let mut e = excerpt();
        e.add(5, (5..20).collect());
        assert_eq!(e.get(3..18).unwrap(), (3..18).collect::<Vec<u8>>());
        let small = Excerpt::new(4, (0..4).collect(), (0..4).collect());
        assert_eq!(small.get(0..4).unwrap().len(), 4);
    }
}
