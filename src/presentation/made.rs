//! Fragments that are made of the samples of a file, which has them in another form: a written head, and
//! ranges of the file.

use std::ops::Range;

use bytes::Bytes;

use super::{Piece, StoredRange};
use crate::base::{Error, ErrorKind, FileId, Limits, Timescale, piece};
use crate::fragment::written::Head;
use crate::fragment::{Lengths, Parsed, Rewritten, Stored};
use crate::index::Indexed;
use crate::index::sample_table::{Clock, Prepared, Track, timed};

/// A track of a progressive file, and the chunks that it was planned for.
///
/// Each fragment has a place of its own in a file that does not exist: the number of the chunk tells
/// where it begins. So indexes and manifests treat it as one that is stored.
#[derive(Debug)]
pub(crate) struct MadeTrack {
    track_id: u32,
    clock: Clock,
    prepared: Prepared,
    /// Start of each chunk, and the end of the last one.
    times: Box<[u64]>,
}

/// A fragment that was made.
#[derive(Debug)]
pub(crate) struct MadeFragment {
    /// Its `moof`, and the header of its `mdat`.
    head: Bytes,
    /// Its samples in the file of the track.
    ranges: Vec<Range<u64>>,
    len: u64,
    /// Bytes of the file from this position on, which need not be read again.
    read: (Bytes, u64),
}

/// Ticks per second of all fragments that are made.
pub(crate) const TIMESCALE: Timescale = Timescale::SMOOTH;

/// Bits of the length of a fragment. A file has fewer than 2^24 samples and so as many chunks.
const LEN_BITS: u32 = 40;

/// Bytes behind the head of a fragment that its parser wants to see: the header of a box at most.
const BEHIND: usize = 32;

impl MadeTrack {
    /// Prepares the fragments of a track whose chunks start at `times` with the samples at `cuts`.
    ///
    /// # Errors
    /// The error of the first sample that is not in the file.
    pub(super) fn new(track: &Track, cuts: &[u32], times: &[u64]) -> Result<Self, Error> {
        let prepared = Prepared::new(&track.tables, cuts)?;
        Ok(Self { track_id: track.track_id, clock: track.clock, prepared, times: times.into() })
    }

    /// Number of fragments.
    pub(super) fn len(&self) -> usize {
        self.prepared.len()
    }

    /// Bytes of memory on the heap.
    pub(super) fn memory(&self) -> usize {
        piece(size_of::<Self>()) + self.prepared.heap() + piece(size_of_val(&*self.times))
    }

    /// Returns the index entry of a fragment.
    ///
    /// # Errors
    /// As [`fragment`](Self::fragment).
    pub(super) fn indexed(&self, number: usize, limits: &Limits) -> Result<Indexed, Error> {
        let len = self.fragment(number, limits)?.len;
        if len >= 1 << LEN_BITS {
            return Err(ErrorKind::NotSliceable("a fragment of more than 1 TiB").into());
        }
        let start = (number as u64) << LEN_BITS;
        // Times of a plan have 62 bits.
        Ok(Indexed { time: self.times[number] as i64, start, bound: start + len })
    }

    /// Makes the fragment whose index entry starts at this byte.
    ///
    /// # Errors
    /// As [`fragment`](Self::fragment).
    pub(super) fn fragment_at(&self, start: u64, limits: &Limits) -> Result<MadeFragment, Error> {
        self.fragment(usize::try_from(start >> LEN_BITS).unwrap_or(usize::MAX), limits)
    }

    /// Makes a fragment. Its head is written, and its samples stay where they are.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`] beyond [`Limits::samples`]; [`ErrorKind::NotSliceable`] if a sample lasts
    /// longer than a fragment can say.
    pub(super) fn fragment(&self, number: usize, limits: &Limits) -> Result<MadeFragment, Error> {
        let missing = || Error::from(ErrorKind::NoMedia);
        let unpacked = self.prepared.chunk(number).ok_or_else(missing)?;
        let (Some(&start), Some(&end)) = (self.times.get(number), self.times.get(number + 1))
        else {
            return Err(missing());
        };
        Limits::check("samples of a fragment", unpacked.len() as u64, limits.samples)?;
        let clock = self.clock.from(unpacked.composed(), TIMESCALE).ok_or_else(missing)?;
        let next = (number + 1 < self.len()).then_some(end);
        let mut samples = Vec::with_capacity(unpacked.len());
        timed(unpacked.clone().map(|sample| sample.media), &clock, start, next, &mut samples)?;
        let head = Head {
            // Fewer than 2^24.
            number: number as u32 + 1,
            track_id: self.track_id,
            start,
            duration: end.saturating_sub(start),
            samples: &samples,
            has_tfxd: true,
        };
        let head = head.to_bytes(limits)?;
        let ranges: Vec<_> = unpacked.ranges().collect();
        let payload: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        let read = (Bytes::new(), 0);
        Ok(MadeFragment { len: head.len() as u64 + payload, head, ranges, read })
    }
}

impl MadeFragment {
    /// Takes a fragment whose `moof` was rewritten. `read` has bytes of its file from `read_from` on.
    pub(super) fn of(rewritten: Rewritten, read: &Bytes, read_from: u64) -> Self {
        let len = rewritten.length();
        let Rewritten { head, ranges } = rewritten;
        Self { head, ranges, len, read: (read.clone(), read_from) }
    }

    /// Returns its lengths.
    pub(super) fn lengths(&self) -> Lengths {
        let moof = self.head.first_chunk().map_or(0, |size| u32::from_be_bytes(*size).into());
        Lengths { moof, payload: self.head.len() as u64, len: self.len }
    }

    /// Returns its head as that of a stored fragment.
    ///
    /// # Errors
    /// As [`Stored::parse`].
    pub(super) fn stored(&self, limits: &Limits) -> Result<Box<Stored>, Error> {
        let behind = usize::try_from(self.len).unwrap_or(usize::MAX) - self.head.len();
        let block = [&self.head[..], &[0; BEHIND][..behind.min(BEHIND)]].concat();
        match Stored::parse(&block.into(), 0, self.len, limits)? {
            Parsed::Whole(stored) => Ok(stored),
            Parsed::Needs(found) => {
                let (what, limit) = ("bytes of a written head", self.head.len() as u64);
                Err(ErrorKind::Budget { what, found, limit }.into())
            }
        }
    }

    /// Returns some of its bytes: of the written head, and as ranges of the file.
    pub(super) fn pieces(&self, file: FileId, bytes: Range<u64>) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(self.ranges.len() + 1);
        let mut from = self.head.len() as u64;
        let (start, end) = (bytes.start, bytes.end.min(from));
        if start < end {
            pieces.push(Piece::Bytes(self.head.slice(start as usize..end as usize)));
        }
        for range in &self.ranges {
            let to = from + (range.end - range.start);
            let (start, end) = (bytes.start.max(from), bytes.end.min(to));
            if start < end {
                let stored = range.start + (start - from)..range.start + (end - from);
                pieces.push(Piece::Stored(StoredRange::new(
                    file,
                    stored,
                    &self.read.0,
                    self.read.1,
                )));
            }
            from = to;
        }
        pieces
    }
}
