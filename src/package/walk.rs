//! A walk over the boxes of an input.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::base::{Cursor, Error, ErrorKind, Limits};
use crate::bmff::Header;
use crate::fragment::{Shared, SharedParsed};

/// Bytes of an input that are read first.
pub(super) const HEAD: u64 = 64 << 10;

/// Longest header of a box.
const HEADER: u64 = 32;

/// Boxes in front of a `moov`. Files have three or four.
const BOXES: u64 = 4096;

/// Bytes that are read from the beginning of a fragment on, at least.
const FRAGMENT: u64 = 4096;

/// Place of the walk.
pub(super) struct Walk {
    /// Bytes of the file.
    pub(super) size: u64,
    /// First byte of the next box.
    pub(super) at: u64,
    boxes: u64,
    /// Bytes that were read, and the offset of the first of them.
    read: (u64, Bytes),
    /// Bytes that the next fragment will likely need.
    guess: u64,
}

/// The next thing in a file.
pub(super) enum Found<T> {
    It(T),
    /// A range that has to be read first.
    Unread(Range<u64>),
}

impl Walk {
    /// Begins with the first bytes of a file.
    pub(super) fn new(size: u64, head: Bytes) -> Self {
        Self { size, at: 0, boxes: 0, read: (0, head), guess: FRAGMENT }
    }

    /// Takes what was read. Bytes that follow those that are there are added to them.
    pub(super) fn take(&mut self, from: u64, bytes: Bytes) {
        let (start, read) = &self.read;
        let is_behind = from == start.saturating_add(read.len() as u64) && self.at >= *start;
        let kept = usize::try_from(self.at.saturating_sub(*start)).ok();
        let kept = kept.filter(|&kept| is_behind && kept < read.len());
        self.read = match kept {
            Some(kept) => {
                let mut both = BytesMut::from(&read[kept..]);
                both.extend_from_slice(&bytes);
                (self.at, both.freeze())
            }
            None => (from, bytes),
        };
    }

    /// Goes on to the `moov`, or to a header that is not read yet.
    pub(super) fn moov(&mut self, limits: &Limits) -> Result<Found<Range<u64>>, Error> {
        while self.at < self.size {
            let needed = self.at..self.size.min(self.at.saturating_add(HEADER));
            let Some(header) = self.bytes(&needed) else { return Ok(Found::Unread(needed)) };
            let (header, end) = self.header(&header)?;
            match &header.kind.0 {
                b"moov" => {
                    Limits::check("bytes of `moov`", end - self.at, limits.moov)
                        .map_err(|kind| Error::at(self.at, kind))?;
                    let moov = self.at..end;
                    self.at = end;
                    return Ok(Found::It(moov));
                }
                b"moof" => {
                    let what =
                        "a `moof` in front of its `moov`: put the initialization segment first";
                    return Err(Error::at(self.at, ErrorKind::NotSliceable(what)));
                }
                _ => {}
            }
            self.pass(end, "boxes in front of a `moov`", BOXES)?;
        }
        let (what, clause) = ("`moov`", "ISO/IEC 14496-12, 8.2.1");
        Err(Error::at(0, ErrorKind::Missing { what, clause }))
    }

    /// Goes on to the next fragment, and behind it; `None` at the end of the file.
    pub(super) fn fragment(
        &mut self,
        limits: &Limits,
    ) -> Result<Found<Option<Box<Shared>>>, Error> {
        while self.at < self.size {
            let needed = self.at..self.size.min(self.at.saturating_add(HEADER));
            let Some(header) = self.bytes(&needed) else { return Ok(Found::Unread(self.more(0))) };
            let (header, end) = self.header(&header)?;
            if header.kind != *b"moof" {
                self.pass(end, "boxes of a fragmented file", limits.fragments)?;
                continue;
            }
            let (start, read) = &self.read;
            // The header is there.
            let block = read.slice((self.at - start) as usize..);
            match Shared::parse(&block, self.at, self.size, limits)? {
                SharedParsed::Needs(len) => return Ok(Found::Unread(self.more(len))),
                SharedParsed::Whole(fragment) => {
                    let head = end - self.at;
                    self.guess = FRAGMENT.max(head.saturating_add(2 * HEADER));
                    let end = fragment.end();
                    self.pass(end, "fragments of an input", limits.fragments)?;
                    return Ok(Found::It(Some(fragment)));
                }
            }
        }
        Ok(Found::It(None))
    }

    /// Reads the header of the next box. Returns the end of the box as well.
    fn header(&self, bytes: &Bytes) -> Result<(Header, u64), Error> {
        let header = Header::parse(&mut Cursor::new(bytes, self.at))?;
        let len = header.total().unwrap_or(self.size - self.at);
        match self.at.checked_add(len).filter(|&end| end <= self.size) {
            Some(end) => Ok((header, end)),
            None => {
                let (needs, has) = (len, self.size - self.at);
                let truncated = Error::at(self.at, ErrorKind::Truncated { needs, has });
                Err(truncated.inside(header.kind))
            }
        }
    }

    fn pass(&mut self, end: u64, what: &'static str, most: u64) -> Result<(), Error> {
        self.boxes += 1;
        Limits::check(what, self.boxes, most).map_err(|kind| Error::at(self.at, kind))?;
        self.at = end;
        Ok(())
    }

    /// The bytes that are missing of the first `len` of the next box, and some more.
    fn more(&self, len: u64) -> Range<u64> {
        let (start, read) = &self.read;
        let read = start.saturating_add(read.len() as u64);
        let from = if self.at >= *start && self.at < read { read } else { self.at };
        let end = self.at.saturating_add(len.max(self.guess)).max(from.saturating_add(HEADER));
        from..end.min(self.size)
    }

    /// Bytes of the file, if they were read.
    pub(super) fn bytes(&self, range: &Range<u64>) -> Option<Bytes> {
        let (from, read) = &self.read;
        let start = usize::try_from(range.start.checked_sub(*from)?).ok()?;
        let end = usize::try_from(range.end.checked_sub(*from)?).ok()?;
        (end <= read.len()).then(|| read.slice(start..end))
    }
}
