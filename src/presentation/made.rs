//! Fragments that are made of the samples of a file, which has them in another form: a written head, and
//! ranges of the file.
//!
//! Opening a progressive file finds out how long each fragment is, by arithmetic, and prepares no samples
//! but those of the first and of the last one. The first request in a [group](Group) of chunks, of about two
//! minutes, reads the part of the sample tables that has them once more, and prepares the group; further
//! requests in it read nothing before their answer. Groups that were prepared are kept within the room that
//! [`MadeTrack::memory`] counts from the beginning. Heads that were written are kept as those of segments are,
//! so that the next request for the same fragment writes nothing.

use std::ops::Range;

use bytes::Bytes;

use super::made_length::Measure;
use super::prepared_groups::PreparedGroups;
use super::{Piece, StoredRange};
use crate::base::{Error, ErrorKind, FileId, Limits, Timescale, piece, shared_piece};
use crate::fragment::written::Head;
use crate::fragment::{Lengths, Parsed, Rewritten, Stored};
use crate::index::Indexed;
use crate::index::sample_table::{Clock, Group, Outline, Prepared, Track, Unpacked, timed};

/// A track of a progressive file, and the chunks that it was planned for.
///
/// Each fragment has a place of its own in a file that does not exist: the number of the chunk tells
/// where it begins. So indexes and manifests treat it as one that is stored.
#[derive(Debug)]
pub(crate) struct MadeTrack {
    track_id: u32,
    clock: Clock,
    outline: Outline,
    /// Start of each chunk, and the end of the last one.
    times: Box<[u64]>,
    groups: PreparedGroups,
}

/// A track as it was opened.
pub(super) struct OpenedTrack {
    pub(super) track: MadeTrack,
    /// The index entry of each fragment.
    pub(super) fragments: Vec<Indexed>,
    pub(super) first: MadeFragment,
    pub(super) last: MadeFragment,
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
    /// Opens a track whose chunks start at `times` with the samples at `cuts`.
    ///
    /// # Errors
    /// The error of the first sample that is not in the file; errors of the first fragment that cannot be
    /// made: [`ErrorKind::Budget`] beyond [`Limits::samples`], or beyond those that the length of the file
    /// allows; [`ErrorKind::NotSliceable`] if a sample lasts longer than a fragment can say.
    pub(super) fn open(
        track: &Track,
        cuts: &[u32],
        times: &[u64],
        limits: &Limits,
    ) -> Result<OpenedTrack, Error> {
        let measure = Measure::new(&track.tables, &track.clock, TIMESCALE, limits)?;
        let (mut fragments, mut unmeasured) = (Vec::with_capacity(times.len()), Vec::new());
        let (outline, [first, last]) = Outline::new(&track.tables, cuts, |extent| {
            let number = fragments.len();
            let missing = || Error::from(ErrorKind::NoMedia);
            let time: &[u64; 2] =
                times.get(number..).and_then(<[u64]>::first_chunk).ok_or_else(missing)?;
            let len = measure.len(extent, time[0]..time[1])?;
            if len.is_none() {
                unmeasured.push(number);
            }
            fragments.push(indexed(number, time[0], len.unwrap_or(0))?);
            Ok(())
        })?;
        let groups = PreparedGroups::new(&outline, outline.heap() + size_of_val(times));
        let (track_id, clock) = (track.track_id, track.clock);
        let made = Self { track_id, clock, outline, times: times.into(), groups };
        // What arithmetic does not tell, the samples do.
        let mut prepared: Option<(Group, Prepared)> = None;
        for number in unmeasured {
            let group = made.group_of(number)?;
            let (_, of_group) = match prepared.take() {
                Some((of, there)) if of == group => prepared.insert((of, there)),
                _ => prepared.insert((group, made.outline.prepare_from(group, &track.tables)?)),
            };
            let len = made.made_of(of_group, group, number, limits)?.len;
            fragments[number] = indexed(number, made.times[number], len)?;
        }
        if made.outline.groups() == 1 {
            // Its tables are short and at hand.
            let group = made.group_of(0)?;
            made.groups.keep(group.index, made.outline.prepare_from(group, &track.tables)?);
        }
        let missing = || Error::from(ErrorKind::NoMedia);
        let first = made.written(first.chunk(0).ok_or_else(missing)?, 0, limits)?;
        let last = made.written(last.chunk(0).ok_or_else(missing)?, made.len() - 1, limits)?;
        Ok(OpenedTrack { track: made, fragments, first, last })
    }

    /// Number of fragments.
    fn len(&self) -> usize {
        self.outline.len()
    }

    /// Bytes of memory on the heap, with room for the groups that are prepared later.
    pub(super) fn memory(&self) -> usize {
        let times = piece(size_of_val(&*self.times));
        piece(size_of::<Self>()) + self.outline.heap() + times + self.groups.memory()
    }

    /// Returns the group of a chunk.
    ///
    /// # Errors
    /// [`ErrorKind::NoMedia`] if there is no such chunk.
    fn group_of(&self, number: usize) -> Result<Group, Error> {
        Ok(self.outline.group_of(number).ok_or(ErrorKind::NoMedia)?)
    }

    /// Makes the fragment with this place, if its group has been prepared; else returns what has to be read
    /// of the file for that.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    pub(super) fn fragment_at(
        &self,
        place: Range<u64>,
        limits: &Limits,
    ) -> Result<Result<MadeFragment, Vec<Range<u64>>>, Error> {
        let number = number_of(place.start);
        let group = self.group_of(number)?;
        if let Some(prepared) = self.groups.get(group.index) {
            return self.made_of(&prepared, group, number, limits).map(Ok);
        }
        let ranges = self.outline.ranges(group);
        match ranges.is_empty() {
            true => self.feed(place, &[], limits).map(Ok),
            false => Ok(Err(ranges)),
        }
    }

    /// Makes the fragment with this place of what was read, with the offset of each range. Its head is
    /// written, and its samples stay where they are. The group is kept.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the tables are not those with which the file was opened;
    /// [`ErrorKind::Budget`] and [`ErrorKind::NotSliceable`] as [`open`](Self::open).
    pub(super) fn feed(
        &self,
        place: Range<u64>,
        read: &[(u64, Bytes)],
        limits: &Limits,
    ) -> Result<MadeFragment, Error> {
        let number = number_of(place.start);
        let group = self.group_of(number)?;
        let prepared = self.outline.prepare(group, read)?;
        let fragment = self.made_of(&prepared, group, number, limits)?;
        if fragment.len != place.end - place.start {
            // Opening has found out its length from the same tables.
            let what = format!("the sample tables of track {} have changed", self.track_id);
            let clause = "ISO/IEC 14496-12, 8.5.1";
            return Err(ErrorKind::Invalid { what, clause }.into());
        }
        self.groups.keep(group.index, prepared);
        Ok(fragment)
    }

    fn made_of(
        &self,
        prepared: &Prepared,
        group: Group,
        number: usize,
        limits: &Limits,
    ) -> Result<MadeFragment, Error> {
        let unpacked = number.checked_sub(group.first).and_then(|at| prepared.chunk(at));
        self.written(unpacked.ok_or(ErrorKind::NoMedia)?, number, limits)
    }

    fn written(
        &self,
        unpacked: Unpacked<'_>,
        number: usize,
        limits: &Limits,
    ) -> Result<MadeFragment, Error> {
        let missing = || Error::from(ErrorKind::NoMedia);
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

/// Returns the index entry of a fragment.
fn indexed(number: usize, time: u64, len: u64) -> Result<Indexed, Error> {
    if len >= 1 << LEN_BITS {
        return Err(ErrorKind::NotSliceable("a fragment of more than 1 TiB").into());
    }
    let start = (number as u64) << LEN_BITS;
    // Times of a plan have 62 bits.
    Ok(Indexed { time: time as i64, start, bound: start + len })
}

/// Returns the number of the fragment whose index entry starts at this byte.
fn number_of(start: u64) -> usize {
    usize::try_from(start >> LEN_BITS).unwrap_or(usize::MAX)
}

impl MadeFragment {
    /// Takes a fragment whose `moof` was rewritten. `read` has bytes of its file from `read_from` on.
    pub(super) fn of(rewritten: Rewritten, read: &Bytes, read_from: u64) -> Self {
        let len = rewritten.length();
        let Rewritten { head, ranges } = rewritten;
        Self { head, ranges, len, read: (read.clone(), read_from) }
    }

    /// Returns it as it is kept for other requests: without the bytes that one of them read.
    pub(super) fn kept(&self) -> Self {
        let Self { head, ranges, len, .. } = self;
        Self { head: head.clone(), ranges: ranges.clone(), len: *len, read: (Bytes::new(), 0) }
    }

    /// Bytes of memory, with what two counters beside it take.
    pub(super) fn memory(&self) -> usize {
        let ranges = piece(self.ranges.capacity() * size_of::<Range<u64>>());
        shared_piece(size_of::<Self>()) + shared_piece(self.head.len()) + ranges
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
