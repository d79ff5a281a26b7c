//! Groups of chunks whose samples are prepared together.

use std::ops::Range;

use bytes::Bytes;

use super::part::{Each, Frame, Part};
use super::passage::{Extent, Mark, Passage};
use crate::base::{Error, ErrorKind};
use crate::index::sample_table::chunks::Offsets;
use crate::index::sample_table::sizes::Sizes;
use crate::index::sample_table::tables::EntriesAt;
use crate::index::sample_table::{Prepared, Tables};

/// A track whose samples are not in memory, by the chunks of a plan.
#[derive(Debug)]
pub struct Outline {
    frame: Frame,
    entries_at: EntriesAt,
    /// Tables that take few bytes.
    kept: Each<Option<Bytes>>,
    /// Index of the first sample of each chunk, and the end of the last one.
    cuts: Box<[u32]>,
    /// The first chunk of each group, and the end of the last one.
    groups: Box<[Start]>,
}

#[derive(Clone, Copy, Debug)]
struct Start {
    chunk: u32,
    mark: Mark,
}

/// A group of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Index of the group.
    pub index: usize,
    /// Index of its first chunk.
    pub first: usize,
}

/// Chunks of a group at most: about two minutes.
const CHUNKS: usize = 64;

/// Samples with which a group ends, however few its chunks are.
const SAMPLES: u32 = 1 << 14;

/// A table is kept if it takes so many bytes, or a byte for so many samples of the track.
const SMALL: usize = 256;
const SAMPLES_A_BYTE: usize = 8;

/// Bytes between two ranges that are read at once.
const NEAR: u64 = 16 << 10;

impl Outline {
    /// Outlines a track for chunks that begin with the samples at these indexes, which ascend; the last
    /// one is the number of samples. `each` gets the chunks in order. The samples of the first and of the
    /// last chunk are returned.
    ///
    /// # Errors
    /// The error of the first sample that is not in the file, whether it is in a chunk or not; errors of
    /// `each`.
    pub fn new(
        tables: &Tables,
        cuts: &[u32],
        mut each: impl FnMut(&Extent) -> Result<(), Error>,
    ) -> Result<(Self, [Prepared; 2]), Error> {
        let frame = Frame::of(tables);
        let chunks = cuts.len().saturating_sub(1);
        let mut walk = Passage::new(tables);
        walk.pass(cuts.first().copied().unwrap_or(0));
        let first = walk.mark();
        let mut groups = vec![Start { chunk: 0, mark: first }];
        let (mut begun, mut ends) = (groups[0], [Part { from: first, to: first }; 2]);
        for (number, &end) in cuts.iter().skip(1).enumerate() {
            let before = (number + 1 == chunks).then(|| walk.mark());
            if let Err(error) = each(&walk.pass(end)) {
                return Err(if walk.are_inside() { error } else { tables.outside() });
            }
            // Chunks are at most as many as samples, which 32 bits count.
            let next = number as u32 + 1;
            let is_full = next - begun.chunk == CHUNKS as u32
                || end.saturating_sub(begun.mark.sample) >= SAMPLES;
            if is_full || next as usize == chunks {
                begun = Start { chunk: next, mark: walk.mark() };
                groups.push(begun);
            }
            if number == 0 {
                ends[0].to = walk.mark();
            }
            if let Some(from) = before {
                ends[1] = Part { from, to: begun.mark };
            }
        }
        if !walk.are_inside() {
            return Err(tables.outside());
        }
        let is_small =
            |bytes: &Bytes| bytes.len() <= SMALL.max(tables.count as usize / SAMPLES_A_BYTE);
        let kept = tables.bytes().map(|bytes| {
            // A copy, which does not hold the whole `moov`.
            is_small(&bytes).then(|| Bytes::copy_from_slice(&bytes))
        });
        let outline = Self {
            frame,
            entries_at: tables.entries_at,
            kept,
            cuts: cuts.into(),
            groups: groups.into(),
        };
        let prepared = |part: &Part| {
            let count = part.to.sample - part.from.sample;
            Prepared::new(&outline.cut_out(tables, part)?, &[0, count])
        };
        let ends = [prepared(&ends[0])?, prepared(&ends[1])?];
        Ok((outline, ends))
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.cuts.len().saturating_sub(1)
    }

    /// Number of groups.
    pub fn groups(&self) -> usize {
        self.groups.len() - 1
    }

    /// Number of samples of the largest group.
    pub fn largest(&self) -> usize {
        let sizes = self.groups.windows(2).map(|of| of[1].mark.sample - of[0].mark.sample);
        sizes.max().unwrap_or(0) as usize
    }

    /// Number of samples in chunks.
    pub fn samples(&self) -> usize {
        match &*self.cuts {
            [first, .., last] => last.saturating_sub(*first) as usize,
            _ => 0,
        }
    }

    /// Returns the group of a chunk; `None` behind the last one.
    pub fn group_of(&self, chunk: usize) -> Option<Group> {
        if chunk >= self.len() {
            return None;
        }
        let behind = self.groups.partition_point(|group| group.chunk as usize <= chunk);
        let index = behind.checked_sub(1)?;
        Some(Group { index, first: self.groups[index].chunk as usize })
    }

    /// Returns the ranges of the file that have the tables of a group, in ascending order: those that are
    /// not kept. There are none if all are.
    pub fn ranges(&self, group: Group) -> Vec<Range<u64>> {
        let Some(part) = self.part(group) else { return Vec::new() };
        let ranges = self.frame.ranges(&part).into_iter().zip(self.starts()).zip(&self.kept);
        let ranges = ranges.filter(|((range, _), kept)| kept.is_none() && !range.is_empty());
        let mut ranges: Vec<_> =
            ranges.map(|((range, at), _)| at + range.start..at + range.end).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        ranges.dedup_by(|next, before| {
            let is_near = next.start <= before.end.saturating_add(NEAR);
            if is_near {
                before.end = before.end.max(next.end);
            }
            is_near
        });
        ranges
    }

    /// Prepares the chunks of a group from the bytes of its [ranges](Self::ranges), each with its offset
    /// in the file.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the bytes are not those that were there when the file was opened.
    pub fn prepare(&self, group: Group, read: &[(u64, Bytes)]) -> Result<Prepared, Error> {
        let part = self.part(group).ok_or(ErrorKind::NoMedia)?;
        let (ranges, starts) = (self.frame.ranges(&part), self.starts());
        let bytes = std::array::from_fn(|table| {
            let Range { start, end } = ranges[table].clone();
            // Kept ones begin with their first entry; what was read, anywhere.
            let slice = |bytes: &Bytes, at: u64, from: u64| {
                let from = usize::try_from(from.checked_sub(at)?).ok()?;
                let to = from.checked_add(usize::try_from(end - start).ok()?)?;
                (to <= bytes.len()).then(|| bytes.slice(from..to))
            };
            let found = match &self.kept[table] {
                _ if start == end => None,
                Some(kept) => slice(kept, 0, start),
                None => read.iter().find_map(|(at, b)| slice(b, *at, starts[table] + start)),
            };
            // Too few bytes are noticed where the tables are made.
            found.unwrap_or_default()
        });
        let tables = self.frame.tables(&part, bytes, self.entries_at)?;
        Prepared::new(&tables, &self.cuts_of(group))
    }

    /// Prepares the chunks of a group from the tables of the track.
    ///
    /// # Errors
    /// As [`Prepared::new`].
    pub fn prepare_from(&self, group: Group, tables: &Tables) -> Result<Prepared, Error> {
        let part = self.part(group).ok_or(ErrorKind::NoMedia)?;
        Prepared::new(&self.cut_out(tables, &part)?, &self.cuts_of(group))
    }

    /// Bytes of memory on the heap.
    pub fn heap(&self) -> usize {
        let kept = self.kept.iter().flatten().map(Bytes::len).sum::<usize>();
        size_of_val(&*self.cuts) + size_of_val(&*self.groups) + kept
    }

    fn starts(&self) -> Each<u64> {
        let EntriesAt { durations, offsets, sizes, stsc, chunks, syncs, dependencies } =
            self.entries_at;
        [durations, offsets, sizes, stsc, chunks, syncs, dependencies]
    }

    fn part(&self, group: Group) -> Option<Part> {
        let [from, to] = self.groups.get(group.index..)?.first_chunk()?;
        Some(Part { from: from.mark, to: to.mark })
    }

    /// Cuts of the chunks of a group, counted from its first sample.
    fn cuts_of(&self, group: Group) -> Vec<u32> {
        let end = self.groups.get(group.index + 1).map_or(group.first, |end| end.chunk as usize);
        let cuts = self.cuts.get(group.first..=end).unwrap_or_default();
        let first = cuts.first().copied().unwrap_or(0);
        cuts.iter().map(|cut| cut - first).collect()
    }

    fn cut_out(&self, tables: &Tables, part: &Part) -> Result<Tables, Error> {
        let mut ranges = self.frame.ranges(part).into_iter();
        let bytes = tables.bytes().map(|bytes| {
            let range = ranges.next().unwrap_or_default();
            // They are tables that are in memory.
            bytes.slice(range.start as usize..range.end as usize)
        });
        self.frame.tables(part, bytes, self.entries_at)
    }
}

impl Tables {
    /// The entries of all tables.
    fn bytes(&self) -> Each<Bytes> {
        [
            self.durations.clone(),
            self.offsets.clone(),
            match &self.sizes {
                Sizes::Constant { .. } => Bytes::new(),
                Sizes::Words(words) => words.clone(),
                Sizes::Compact(stz2) => stz2.entries.clone(),
            },
            self.stsc.entries.clone(),
            match &self.chunks {
                Offsets::Short(bytes) | Offsets::Long(bytes) => bytes.clone(),
            },
            self.syncs.clone().unwrap_or_default(),
            self.dependencies.clone().unwrap_or_default(),
        ]
    }

    /// The error of the first sample that is not in the file. A walk sample by sample finds it.
    #[cold]
    pub(in crate::index::sample_table) fn outside(&self) -> Error {
        self.samples().find_map(Result::err).unwrap_or_else(|| {
            let (what, clause) = ("place of a sample", "ISO/IEC 14496-12, 8.7.5");
            ErrorKind::Missing { what, clause }.into()
        })
    }
}
