//! The tables of some samples, cut out of those of their track.

use std::ops::Range;

use bytes::Bytes;

use super::passage::Mark;
use super::places::run;
use crate::base::{Error, ErrorKind};
use crate::bmff::Stsc;
use crate::index::sample_table::Tables;
use crate::index::sample_table::chunks::Offsets;
use crate::index::sample_table::runs::{Counts, RunPlace, Runs};
use crate::index::sample_table::sizes::Sizes;
use crate::index::sample_table::tables::{Before, EntriesAt};

/// Samples that follow one another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) from: Mark,
    pub(super) to: Mark,
}

/// Facts about the tables of a track that stay in memory once the tables have been read.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) track_id: u32,
    pub(super) file_len: u64,
    pub(super) sizes: SizeForm,
    has_long_offsets: bool,
    chunks: u32,
    /// Number of entries of `stts`, `ctts` and `stsc`.
    entries: [u32; 3],
    has_syncs: bool,
    has_dependencies: bool,
}

/// The form of a table of sizes.
#[derive(Clone, Copy, Debug)]
pub(super) enum SizeForm {
    Constant(u32),
    Words,
    /// So many bits each.
    Compact(u32),
}

/// Something of each table, in the order `stts`, `ctts`, sizes, `stsc`, offsets of chunks, `stss`, `sdtp`.
pub(super) type Each<T> = [T; 7];

impl Frame {
    pub(super) fn of(tables: &Tables) -> Self {
        let count = |bytes: &Bytes, entry: usize| (bytes.len() / entry) as u32;
        Self {
            track_id: tables.track_id,
            file_len: tables.file_len,
            sizes: match &tables.sizes {
                Sizes::Constant { size, .. } => SizeForm::Constant(*size),
                Sizes::Words(_) => SizeForm::Words,
                Sizes::Compact(stz2) => SizeForm::Compact(stz2.bits()),
            },
            has_long_offsets: matches!(tables.chunks, Offsets::Long(_)),
            chunks: tables.chunks.count(),
            entries: [
                count(&tables.durations, 8),
                count(&tables.offsets, 8),
                count(&tables.stsc.entries, Stsc::ENTRY),
            ],
            has_syncs: tables.syncs.is_some(),
            has_dependencies: tables.dependencies.is_some(),
        }
    }

    /// Returns the bytes of each table that a part needs, counted from the first entry of the table.
    pub(super) fn ranges(&self, part: &Part) -> Each<Range<u64>> {
        let Part { from, to } = part;
        let entries = |from: u32, to: u32, len: u64| u64::from(from) * len..u64::from(to) * len;
        let runs = |from: RunPlace, to: RunPlace, all: u32| {
            let end = (to.entry + u32::from(to.passed > 0)).min(all);
            entries(from.entry.min(end), end, 8)
        };
        let [durations, offsets, stsc] = self.entries;
        let (first, end) = (u64::from(from.sample), u64::from(to.sample));
        let sizes = match self.sizes {
            SizeForm::Constant(_) => 0..0,
            SizeForm::Words => 4 * first..4 * end,
            SizeForm::Compact(4) => first / 2..end.div_ceil(2),
            SizeForm::Compact(bits) => first * u64::from(bits / 8)..end * u64::from(bits / 8),
        };
        let width = if self.has_long_offsets { 8 } else { 4 };
        let chunks_end = (to.chunk + u32::from(to.within > 0)).min(self.chunks);
        [
            runs(from.durations, to.durations, durations),
            runs(from.offsets, to.offsets, offsets),
            sizes,
            entries(from.run.min(stsc), to.run.saturating_add(1).min(stsc), Stsc::ENTRY as u64),
            entries(from.chunk.min(chunks_end), chunks_end, width),
            if self.has_syncs { entries(from.sync, to.sync, 4) } else { 0..0 },
            if self.has_dependencies { first..end } else { 0..0 },
        ]
    }

    /// Makes the tables of a part of the bytes of its [ranges](Self::ranges). They count from its first
    /// sample.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the bytes are not those that were there when the file was opened.
    pub(super) fn tables(
        &self,
        part: &Part,
        bytes: Each<Bytes>,
        entries_at: EntriesAt,
    ) -> Result<Tables, Error> {
        let changed = || {
            let what = format!("the sample tables of track {} have changed", self.track_id);
            let clause = "ISO/IEC 14496-12, 8.5.1";
            Error::at(entries_at.sizes, ErrorKind::Invalid { what, clause })
        };
        let Part { from, to } = part;
        let wanted = self.ranges(part);
        if bytes.iter().zip(&wanted).any(|(b, range)| b.len() as u64 != range.end - range.start) {
            return Err(changed());
        }
        let [durations, offsets, sizes, stsc, chunks, syncs, dependencies] = bytes;
        let count = to.sample - from.sample;
        let durations = without(&durations, from.durations.passed);
        if Runs::new(&durations).skip(count) != to.ticks - from.ticks {
            return Err(changed());
        }
        let sizes = self.sizes(part, sizes);
        if sizes.sum(0, count) != to.total - from.total {
            return Err(changed());
        }
        let (stsc, chunks) = self.chunks(part, &stsc, &chunks).ok_or_else(changed)?;
        // Numbers of sync samples count from the first one of the part.
        let number = |word: &[u8; 4]| u32::from_be_bytes(*word).saturating_sub(from.sample);
        let numbers = syncs.as_chunks().0.iter().flat_map(|word| number(word).to_be_bytes());
        Ok(Tables {
            track_id: self.track_id,
            count,
            before: Before { samples: from.sample, ticks: from.ticks },
            ticks: to.ticks - from.ticks,
            // They have met these bounds.
            longest: 0,
            farthest: 0,
            file_len: self.file_len,
            durations,
            offsets: without(&offsets, from.offsets.passed),
            offset_counts: Counts::default(),
            sizes,
            stsc,
            chunks,
            syncs: self.has_syncs.then(|| numbers.collect()),
            dependencies: self.has_dependencies.then_some(dependencies),
            description: 1,
            chunks_at: entries_at.chunks,
            durations_at: entries_at.durations,
            syncs_at: entries_at.syncs,
            entries_at,
            oddities: Vec::new(),
        })
    }

    fn sizes(&self, part: &Part, bytes: Bytes) -> Sizes {
        let count = part.to.sample - part.from.sample;
        match self.sizes {
            SizeForm::Constant(size) => Sizes::Constant { size, count },
            SizeForm::Words => Sizes::Words(bytes),
            SizeForm::Compact(bits) => {
                let packed = crate::bmff::Stz2 {
                    full: crate::bmff::FullBox::default(),
                    field_size: bits,
                    // Two sizes of four bits are a byte.
                    sample_count: count + part.from.sample % 2,
                    entries: bytes,
                };
                let skip = if bits == 4 { part.from.sample as usize % 2 } else { 0 };
                let sizes = (skip..).take(count as usize).map_while(|at| packed.size(at));
                Sizes::Words(sizes.flat_map(u32::to_be_bytes).collect())
            }
        }
    }

    /// Makes `stsc` and `co64` of a part. The first chunk begins with the first sample.
    fn chunks(&self, part: &Part, stsc: &[u8], chunks: &[u8]) -> Option<(Stsc, Offsets)> {
        let Part { from, to } = part;
        let (runs, count) = (stsc.as_chunks().0, to.sample - from.sample);
        let (mut entries, mut offsets) = (Vec::new(), Vec::new());
        let (mut index, mut left, mut last) = (0, count, None);
        for (number, chunk) in (1_u32..).zip(from.chunk..) {
            if left == 0 {
                break;
            }
            while run(runs, index, self.chunks)?.0 <= chunk {
                index += 1;
            }
            let (_, each) = run(runs, index, self.chunks)?;
            let at = (chunk - from.chunk) as usize;
            let offset = match self.has_long_offsets {
                true => u64::from_be_bytes(*chunks.as_chunks().0.get(at)?),
                false => u32::from_be_bytes(*chunks.as_chunks().0.get(at)?).into(),
            };
            let (passed, bytes) = if number == 1 { (from.within, from.bytes) } else { (0, 0) };
            offsets.extend(offset.checked_add(bytes)?.to_be_bytes());
            let samples = each.checked_sub(passed).filter(|&samples| samples > 0)?;
            if last.replace(samples) != Some(samples) {
                entries.extend([number, samples, 1].into_iter().flat_map(u32::to_be_bytes));
            }
            left = left.saturating_sub(samples);
        }
        let stsc = Stsc { entries: entries.into(), ..Stsc::default() };
        Some((stsc, Offsets::Long(offsets.into())))
    }
}

/// Runs of which the first one has so many samples less.
fn without(entries: &Bytes, passed: u32) -> Bytes {
    if passed == 0 {
        return entries.clone();
    }
    let mut entries = entries.to_vec();
    if let Some(count) = entries.first_chunk_mut() {
        *count = u32::from_be_bytes(*count).saturating_sub(passed).to_be_bytes();
    }
    entries.into()
}
