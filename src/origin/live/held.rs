//! The bytes of the files of a live event, as far as they are in memory.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::{Bytes, BytesMut};

use crate::base::Name;
use crate::storage::{RangeSource, Source, Stat, Version};

/// The file of one track of a live event. It grows at its end, and what no player may ask for any more is
/// forgotten. Clones share the file.
#[derive(Clone)]
pub(in crate::origin) struct HeldFile(Arc<Shared>);

struct Shared {
    name: Name,
    version: Version,
    pieces: RwLock<Pieces>,
    /// The file in the archive, which has what memory has forgotten.
    archived: OnceLock<Source>,
}

#[derive(Debug, Default)]
struct Pieces {
    /// The beginning of the file, which is never forgotten.
    head: Bytes,
    /// Pieces that follow, in order. Bytes may be missing before the first of them.
    list: VecDeque<Piece>,
    size: u64,
    /// Bytes of the pieces in the list.
    held: u64,
}

#[derive(Debug)]
struct Piece {
    offset: u64,
    bytes: Bytes,
}

impl HeldFile {
    /// A file without bytes. `version` differs from that of all other files.
    pub(in crate::origin) fn new(name: Name, version: u128) -> Self {
        let version = Version::new(version.to_be_bytes().to_vec());
        let (pieces, archived) = (RwLock::default(), OnceLock::new());
        Self(Arc::new(Shared { name, version, pieces, archived }))
    }

    /// A file of which the archive has the first `size` bytes, and memory none but the header.
    pub(super) fn restored(
        name: Name,
        version: u128,
        head: Bytes,
        size: u64,
        file: Source,
    ) -> Self {
        let restored = Self::new(name, version);
        restored.append(0, head);
        restored.pieces_mut().size = size;
        restored.archived_in(file);
        restored
    }

    /// The archive has `size` bytes of the file, if it had fewer before.
    pub(super) fn grow(&self, size: u64) {
        let mut pieces = self.pieces_mut();
        pieces.size = pieces.size.max(size);
    }

    pub(in crate::origin) fn name(&self) -> &Name {
        &self.0.name
    }

    pub(in crate::origin) fn version(&self) -> &Version {
        &self.0.version
    }

    pub(in crate::origin) fn size(&self) -> u64 {
        self.pieces().size
    }

    /// Returns whether it has had more than the header.
    pub(super) fn has_media(&self) -> bool {
        let pieces = self.pieces();
        pieces.size > pieces.head.len() as u64
    }

    /// Bytes of memory that its content takes.
    pub(in crate::origin) fn memory(&self) -> u64 {
        let pieces = self.pieces();
        pieces.held + pieces.head.len() as u64
    }

    /// Appends bytes. Returns whether they begin where the file ends: others are not taken.
    pub(in crate::origin) fn append(&self, offset: u64, bytes: Bytes) -> bool {
        let mut pieces = self.pieces_mut();
        if offset != pieces.size {
            return false;
        }
        pieces.size += bytes.len() as u64;
        if offset == 0 {
            pieces.head = bytes;
        } else if !bytes.is_empty() {
            pieces.held += bytes.len() as u64;
            pieces.list.push_back(Piece { offset, bytes });
        }
        true
    }

    /// Forgets what ends at or before this offset, but for the header.
    pub(in crate::origin) fn forget(&self, before: u64) {
        let mut pieces = self.pieces_mut();
        while let Some(first) = pieces.list.front()
            && first.end() <= before
        {
            pieces.held -= first.bytes.len() as u64;
            pieces.list.pop_front();
        }
        // A long event that keeps a short window must not keep the room of a long one.
        if pieces.list.len() < pieces.list.capacity() / 4 {
            let room = pieces.list.len() * 2;
            pieces.list.shrink_to(room);
        }
    }

    /// Forgets the oldest bytes that the archive has, `archived` in number, until no more than `most` are in
    /// memory.
    pub(in crate::origin) fn forget_archived(&self, archived: u64, most: u64) {
        if self.0.archived.get().is_some() {
            self.forget(archived.min(self.size().saturating_sub(most)));
        }
    }

    /// Sets where the bytes are read that memory has forgotten.
    pub(in crate::origin) fn archived_in(&self, source: Source) {
        let _ = self.0.archived.set(source);
    }

    pub(in crate::origin) fn is_archived(&self) -> bool {
        self.0.archived.get().is_some()
    }

    /// The bytes of a range, if all of them are in memory: those of one piece without a copy.
    pub(in crate::origin) fn held(&self, range: &Range<u64>) -> Option<Bytes> {
        let pieces = self.pieces();
        if range.start > range.end || range.end > pieces.size {
            return None;
        }
        if range.is_empty() {
            return Some(Bytes::new());
        }
        let (found, piece) = pieces.at(range.start)?;
        if range.end <= found + piece.len() as u64 {
            return part(found, piece, range);
        }
        let len = usize::try_from(range.end - range.start).ok()?;
        let mut bytes = BytesMut::with_capacity(len);
        let mut at = range.start;
        while at < range.end {
            let (offset, piece) = pieces.at(at)?;
            let end = range.end.min(offset + piece.len() as u64);
            bytes.extend_from_slice(&part(offset, piece, &(at..end))?);
            at = end;
        }
        Some(bytes.freeze())
    }

    /// The source of the file, as an opened presentation has it.
    pub(in crate::origin) fn source(&self) -> Source {
        Source::new(self.clone())
    }

    fn pieces(&self) -> RwLockReadGuard<'_, Pieces> {
        self.0.pieces.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn pieces_mut(&self) -> RwLockWriteGuard<'_, Pieces> {
        self.0.pieces.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Piece {
    fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

impl Pieces {
    /// The piece that has this byte, and its offset.
    fn at(&self, offset: u64) -> Option<(u64, &Bytes)> {
        if offset < self.head.len() as u64 {
            return Some((0, &self.head));
        }
        let after = self.list.partition_point(|piece| piece.offset <= offset);
        let piece = self.list.get(after.checked_sub(1)?)?;
        (offset < piece.end()).then_some((piece.offset, &piece.bytes))
    }
}

/// A part of a piece that begins at `offset` of the file.
fn part(offset: u64, piece: &Bytes, range: &Range<u64>) -> Option<Bytes> {
    let from = usize::try_from(range.start.checked_sub(offset)?).ok()?;
    let to = usize::try_from(range.end.checked_sub(offset)?).ok()?;
    (from <= to && to <= piece.len()).then(|| piece.slice(from..to))
}

impl RangeSource for HeldFile {
    /// The version stays the same while the file grows: no byte of it changes.
    async fn stat(&self) -> io::Result<Stat> {
        Ok(Stat::immutable(self.size(), self.0.version.clone()))
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.end > self.size() || range.start > range.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(bytes) = self.held(&range) {
            return Ok(bytes);
        }
        match self.0.archived.get() {
            Some(source) => source.read(range).await,
            None => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "these bytes have left the window of the event",
            )),
        }
    }
}

impl fmt::Debug for HeldFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldFile").field("name", &self.0.name).field("size", &self.size()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::block_on;
    use crate::storage::conformance;

    fn file(parts: &[&'static [u8]]) -> HeldFile {
        let file = HeldFile::new(Name::new("video.ismv").unwrap(), 1);
        for part in parts {
            assert!(file.append(file.size(), Bytes::from_static(part)));
        }
        file
    }

    #[test]
    fn a_file_of_pieces_is_a_source_of_their_bytes() {
        let file = file(&[b"head", b"one", b"two", b"three"]);
        block_on(conformance::range_source(&file.source(), b"headonetwothree"));
    }

    #[test]
    fn a_range_of_one_piece_is_not_copied() {
        static FRAGMENT: &[u8] = b"fragment";
        let file = file(&[b"head", FRAGMENT]);
        let held = file.held(&(6..12)).unwrap();
        assert_eq!((&held[..], held.as_ptr()), (&b"agment"[..], FRAGMENT[2..].as_ptr()));
    }

    #[test]
    fn what_is_forgotten_is_gone_and_what_was_taken_before_stays() {
        let file = file(&[b"head", b"one", b"two", b"three"]);
        let taken = file.held(&(4..7)).unwrap();
        file.forget(9);
        assert_eq!(taken, "one");
        // The first byte that is still needed is in the second piece.
        assert_eq!((file.held(&(4..7)), file.held(&(7..10)).unwrap()), (None, "two".into()));
        assert_eq!(block_on(file.read(4..7)).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(file.held(&(2..4)).unwrap(), "ad");
        assert_eq!(file.held(&(2..9)), None);
        assert_eq!((file.size(), file.memory()), (15, 12));
        file.forget(u64::MAX);
        assert_eq!((file.size(), file.memory()), (15, 4));
        assert!(file.append(15, Bytes::from_static(b"four")));
        assert_eq!(file.held(&(15..19)).unwrap(), "four");
    }

    #[test]
    fn bytes_that_do_not_follow_are_not_taken() {
        let file = file(&[b"head"]);
        assert!(!file.append(3, Bytes::from_static(b"x")) && !file.append(5, Bytes::new()));
        assert_eq!(file.size(), 4);
    }

    #[test]
    fn what_memory_has_forgotten_is_read_from_the_archive() {
        let (file, archived) = (file(&[b"head", b"one", b"two"]), file(&[b"headonetwo"]));
        // Without an archive, nothing is forgotten for its sake.
        file.forget_archived(10, 0);
        assert_eq!(file.memory(), 10);
        file.archived_in(archived.source());
        file.forget_archived(7, 0);
        assert_eq!(file.memory(), 7);
        assert_eq!(block_on(file.read(2..9)).unwrap(), "adonetw");
        file.forget_archived(10, 3);
        assert_eq!(file.memory(), 7);
        assert_eq!(block_on(file.read(0..10)).unwrap(), "headonetwo");
    }
}
