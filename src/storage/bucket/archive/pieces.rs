//! The pieces of a file: the objects that have its bytes, in order.

use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

/// The objects of a file. Each begins where the one before ends; the first one begins at 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    list: Vec<Piece>,
    /// Offsets of further parts, which have no byte that is not in a piece, and the time since which that is so.
    stale: Vec<(u64, Duration)>,
}

#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) offset: u64,
    pub(super) len: u64,
    /// The object has the name of the file, and is no part.
    pub(super) is_whole: bool,
    /// How often the bytes were joined: with [`JOINED`] pieces of one level, they become one of the next.
    level: u8,
    /// The bytes of a piece that may be joined.
    bytes: Option<Bytes>,
}

impl Piece {
    /// The piece without the bytes from this byte of the file on.
    pub(super) fn up_to(self, offset: u64) -> Self {
        Self { len: offset.saturating_sub(self.offset), bytes: None, ..self }
    }
}

/// Pieces that are joined at a time.
pub(super) const JOINED: usize = 32;
/// Longest piece that is joined with others.
const MOST: u64 = 64 << 10;
/// A piece that was joined so often stays as it is.
const LEVELS: u8 = 2;

impl Pieces {
    /// The pieces of a file of which the store has these objects: the whole file, by its length, and parts, by
    /// their offsets and lengths. `now` is the time.
    pub(super) fn found(whole: Option<u64>, mut parts: Vec<(u64, u64)>, now: Duration) -> Self {
        parts.sort_unstable();
        let mut pieces = Self::default();
        if let Some(len) = whole {
            pieces.replace_by_whole(len, now);
        }
        for (offset, len) in parts {
            match offset == pieces.end() && len > 0 {
                true => pieces.push(Piece { offset, len, is_whole: false, level: 0, bytes: None }),
                false => pieces.stale.push((offset, now)),
            }
        }
        pieces
    }

    fn push(&mut self, piece: Piece) {
        if piece.bytes.is_none() {
            self.forget_bytes();
        }
        self.list.push(piece);
    }

    /// Nothing joins the last pieces any more: a piece that stays as it is follows them.
    fn forget_bytes(&mut self) {
        let bytes = self.list.iter_mut().rev().map(|piece| &mut piece.bytes);
        bytes.take_while(|bytes| bytes.is_some()).for_each(|bytes| *bytes = None);
    }

    /// Length of the file.
    pub(super) fn end(&self) -> u64 {
        self.list.last().map_or(0, |last| last.offset + last.len)
    }

    /// True if the file has no object.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// True if all of the file is one object of its name, and there is no other.
    pub(super) fn is_whole(&self) -> bool {
        matches!(&self.list[..], [only] if only.is_whole)
    }

    pub(super) fn has_whole(&self) -> bool {
        self.list.first().is_some_and(|first| first.is_whole)
    }

    /// Adds a part behind all others.
    pub(super) fn append(&mut self, offset: u64, bytes: &Bytes) {
        let len = bytes.len() as u64;
        let bytes = (len <= MOST).then(|| bytes.clone());
        self.push(Piece { offset, len, is_whole: false, level: 0, bytes });
    }

    /// The pieces with the bytes of a range, and the range of each, counted from its beginning. `None` if the
    /// file does not have all of it.
    pub(super) fn of_range(&self, range: &Range<u64>) -> Option<Vec<(Piece, Range<u64>)>> {
        if range.start > range.end || range.end > self.end() {
            return None;
        }
        let first = self.list.partition_point(|piece| piece.offset + piece.len <= range.start);
        let of_range = self.list.get(first..)?.iter().take_while(|of| of.offset < range.end);
        let part = |piece: &Piece| {
            let from = range.start.saturating_sub(piece.offset);
            let to = (range.end - piece.offset).min(piece.len);
            (Piece { bytes: None, ..piece.clone() }, from..to)
        };
        Some(of_range.map(part).collect())
    }

    /// All pieces.
    pub(super) fn all(&self) -> Vec<Piece> {
        self.list.iter().map(|piece| Piece { bytes: None, ..piece.clone() }).collect()
    }

    /// True if the last piece is a part that begins at this byte, and no other part does so or lies behind.
    pub(super) fn replaces_last(&self, offset: u64) -> bool {
        let is_last = self.list.last().is_some_and(|last| last.offset == offset && !last.is_whole);
        is_last && self.stale.iter().all(|(stale, _)| *stale < offset)
    }

    /// The pieces that end and begin at this byte.
    pub(super) fn around_boundary(&self, offset: u64) -> Option<(Piece, Piece)> {
        let at = self.list.partition_point(|piece| piece.offset < offset);
        let (before, part) = (self.list.get(at.checked_sub(1)?)?, self.list.get(at)?);
        (part.offset == offset).then(|| (before.clone(), part.clone()))
    }

    /// The piece in the middle of which this byte is: its bytes before it have to be kept.
    pub(super) fn around(&self, offset: u64) -> Option<Piece> {
        let before = self.list.partition_point(|piece| piece.offset < offset);
        let piece = self.list.get(before.checked_sub(1)?)?;
        (offset < piece.offset + piece.len).then(|| piece.clone())
    }

    /// Offsets of all parts that begin at this byte or behind it, whether the file needs them or not.
    pub(super) fn parts_from(&self, offset: u64) -> Vec<u64> {
        let parts = self.list.iter().filter(|piece| !piece.is_whole).map(|piece| piece.offset);
        parts
            .chain(self.stale.iter().map(|(part, _)| *part))
            .filter(|part| *part >= offset)
            .collect()
    }

    /// Takes the pieces away that begin at this byte or behind it.
    pub(super) fn cut(&mut self, offset: u64) {
        self.list.retain(|piece| piece.offset < offset);
        self.stale.retain(|(stale, _)| *stale < offset);
    }

    /// The last piece has fewer bytes than before.
    pub(super) fn shorten_last(&mut self, end: u64) {
        self.forget_bytes();
        if let Some(last) = self.list.last_mut() {
            (last.len, last.bytes) = (end - last.offset, None);
        }
    }

    /// One object has the whole file from now on. Its parts are of no use.
    pub(super) fn replace_by_whole(&mut self, len: u64, now: Duration) {
        let parts = self.list.iter().filter(|piece| !piece.is_whole);
        self.stale.extend(parts.map(|piece| (piece.offset, now)));
        self.list.clear();
        self.push(Piece { offset: 0, len, is_whole: true, level: LEVELS, bytes: None });
    }

    /// The last pieces as one, if there are enough of one level: the offset of the first one, and all bytes.
    pub(super) fn joined(&self) -> Option<(u64, Bytes)> {
        let last = self.list.get(self.list.len().checked_sub(JOINED)?..)?;
        let level = last.last()?.level;
        let can_join =
            |piece: &Piece| piece.level == level && !piece.is_whole && piece.bytes.is_some();
        if level >= LEVELS || !last.iter().all(can_join) {
            return None;
        }
        let mut bytes = BytesMut::new();
        last.iter().flat_map(|piece| &piece.bytes).for_each(|of| bytes.extend_from_slice(of));
        Some((last.first()?.offset, bytes.freeze()))
    }

    /// The last pieces are one from now on.
    pub(super) fn join(&mut self, bytes: Bytes, now: Duration) {
        let Some(first) = self.list.len().checked_sub(JOINED) else { return };
        let joined = self.list.split_off(first);
        let Some(Piece { offset, level, .. }) = joined.first().cloned() else { return };
        self.stale.extend(joined.iter().skip(1).map(|piece| (piece.offset, now)));
        let (len, level) = (bytes.len() as u64, level + 1);
        let bytes = (len <= MOST && level < LEVELS).then_some(bytes);
        self.push(Piece { offset, len, is_whole: false, level, bytes });
    }

    /// Offsets of the parts that were of no use at this time.
    pub(super) fn stale_since(&self, time: Duration) -> Vec<u64> {
        let stale = self.stale.iter().filter(|(_, since)| *since <= time);
        stale.map(|(part, _)| *part).collect()
    }

    /// These parts are no more.
    pub(super) fn forget_stale(&mut self, until: Duration) {
        self.stale.retain(|(_, since)| *since > until);
    }

    /// True if there is nothing but one object, with the name of the file.
    pub(super) fn is_at_rest(&self) -> bool {
        self.is_whole() && self.stale.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    fn found(whole: Option<u64>, parts: Vec<(u64, u64)>) -> Pieces {
        Pieces::found(whole, parts, NOW)
    }

    fn ranges(pieces: &Pieces, range: Range<u64>) -> Option<Vec<(u64, Range<u64>)>> {
        let found = pieces.of_range(&range)?;
        Some(found.into_iter().map(|(piece, range)| (piece.offset, range)).collect())
    }

    #[test]
    fn objects_that_do_not_follow_each_other_are_stale() {
        let parts = vec![(20, 5), (0, 10), (3, 2), (10, 10), (30, 5)];
        let pieces = found(None, parts.clone());
        assert_eq!((pieces.end(), pieces.stale_since(NOW)), (25, vec![3, 30]));
        let pieces = found(Some(20), parts);
        assert_eq!((pieces.end(), pieces.stale_since(NOW)), (25, vec![0, 3, 10, 30]));
        assert!(pieces.has_whole() && !pieces.is_whole());
    }

    #[test]
    fn a_range_is_found_in_its_pieces() {
        let pieces = found(None, vec![(0, 4), (4, 6), (10, 2)]);
        assert_eq!(ranges(&pieces, 3..11), Some(vec![(0, 3..4), (4, 0..6), (10, 0..1)]));
        assert_eq!(ranges(&pieces, 4..10), Some(vec![(4, 0..6)]));
        assert_eq!(ranges(&pieces, 12..12), Some(vec![]));
        assert_eq!(ranges(&pieces, 11..13), None);
        assert_eq!(pieces.around(4).map(|piece| piece.offset), None);
        assert_eq!(pieces.around(5).map(|piece| piece.offset), Some(4));
    }

    #[test]
    fn small_pieces_are_joined_and_long_ones_are_not() {
        let mut pieces = Pieces::default();
        let mut joins = 0;
        for _ in 0..JOINED * JOINED {
            pieces.append(pieces.end(), &Bytes::from_static(b"record"));
            while let Some((offset, bytes)) = pieces.joined() {
                assert_eq!(bytes.len() as u64, pieces.end() - offset);
                pieces.join(bytes, NOW);
                joins += 1;
            }
        }
        assert_eq!((pieces.list.len(), joins), (1, JOINED + 1));
        assert_eq!(pieces.end(), 6 * (JOINED * JOINED) as u64);
        let mut pieces = Pieces::default();
        for _ in 0..JOINED {
            pieces.append(pieces.end(), &Bytes::from(vec![0; MOST as usize + 1]));
        }
        assert!(pieces.joined().is_none());
    }

    #[test]
    fn the_bytes_of_pieces_that_are_never_joined_do_not_stay() {
        let (mut pieces, mut joins, mut most) = (Pieces::default(), 0, 0);
        for number in 0..10_000 {
            // Most are short enough to be joined; of 32 of them, one is not, and later none.
            let is_long = number % 31 == 0 && number < 5_000;
            let len = if is_long { MOST as usize + 1 } else { 1_000 };
            pieces.append(pieces.end(), &Bytes::from(vec![0; len]));
            while let Some((_, bytes)) = pieces.joined() {
                pieces.join(bytes, NOW);
                joins += 1;
            }
            most = most.max(bytes(&pieces));
        }
        assert!(most <= 2 * JOINED * 32_000 && joins > 100, "{most} bytes, {joins} joins");
        pieces.append(pieces.end(), &Bytes::from_static(b"short"));
        pieces.shorten_last(pieces.end() - 1);
        assert_eq!(bytes(&pieces), 0);
    }

    /// Bytes in memory.
    fn bytes(pieces: &Pieces) -> usize {
        pieces.list.iter().flat_map(|piece| &piece.bytes).map(Bytes::len).sum()
    }
}
