//! A walk over the tables of a track that passes over many samples at a time.

use super::places::{Places, run};
use crate::index::sample_table::Tables;
use crate::index::sample_table::runs::{RunPlace, Runs};

/// A place in all tables of a track, before a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Index of the sample.
    pub(super) sample: u32,
    /// Sums of the durations and of the sizes before it.
    pub(super) ticks: u64,
    pub(super) total: u64,
    pub(super) durations: RunPlace,
    pub(super) offsets: RunPlace,
    /// Entries of `stss` before it.
    pub(super) sync: u32,
    /// Entry of `stsc` that has the chunk.
    pub(super) run: u32,
    /// Index of its chunk in `stco`, from 0, and the samples of the chunk before it.
    pub(super) chunk: u32,
    pub(super) within: u32,
    /// Bytes of these samples.
    pub(super) bytes: u64,
}

/// Sums and bounds of samples that follow one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Number of samples.
    pub samples: u32,
    /// Sum of their sizes.
    pub bytes: u64,
    /// Time at which the first one is composed, in ticks of the track's media.
    pub composed: i64,
    /// Duration of the first one.
    pub first_duration: u32,
    /// Some of them have another composition offset than the first one.
    pub has_offsets: bool,
    /// The first one is a sync sample.
    pub is_sync: bool,
    /// Number of sync samples behind the first one.
    pub syncs: u32,
}

/// The walk.
pub(super) struct Passage<'a> {
    tables: &'a Tables,
    at: Mark,
    /// The last place that was returned.
    marked: Mark,
    durations: Runs<'a>,
    offsets: Runs<'a>,
    places: Places<'a>,
    syncs: &'a [[u8; 4]],
    stsc: &'a [[u8; 12]],
}

impl<'a> Passage<'a> {
    pub(super) fn new(tables: &'a Tables) -> Self {
        Self {
            tables,
            at: Mark::default(),
            marked: Mark::default(),
            durations: Runs::new(&tables.durations),
            offsets: Runs::counted(&tables.offsets, &tables.offset_counts),
            places: Places::new(tables),
            syncs: tables.syncs.as_deref().unwrap_or_default().as_chunks().0,
            stsc: tables.stsc.entries.as_chunks().0,
        }
    }

    /// Returns the place before the next sample.
    pub(super) fn mark(&mut self) -> Mark {
        let Mark { sample, within, chunk, total, .. } = self.at;
        // A chunk may have all samples of a track: they are not summed up for each mark.
        let bytes = match self.marked.chunk == chunk {
            true => self.marked.bytes + (total - self.marked.total),
            false => self.tables.sizes.sum(sample - within, within),
        };
        self.marked = Mark {
            durations: self.durations.place(),
            offsets: self.offsets.place(),
            bytes,
            ..self.at
        };
        self.marked
    }

    /// Passes over samples up to the one with this index.
    pub(super) fn pass(&mut self, to: u32) -> Extent {
        let count = to.min(self.tables.count).saturating_sub(self.at.sample);
        let bytes = self.pass_sizes(self.at.sample + count);
        let first_duration = self.durations.peek().unwrap_or(0);
        let first_offset = self.offsets.peek().unwrap_or(0) as i32;
        let composed = self.at.ticks as i64 + i64::from(first_offset);
        let has_offsets = match self.tables.offsets.is_empty() {
            true => false,
            false => self.offsets.pass_varying(count),
        };
        self.at.ticks += self.durations.skip(count);
        let (is_sync, syncs) = self.pass_syncs(count);
        self.pass_chunks(count);
        self.at.sample += count;
        self.at.total += bytes;
        Extent { samples: count, bytes, composed, first_duration, has_offsets, is_sync, syncs }
    }

    /// Passes over all further samples, and returns whether every sample of the track is in the file.
    pub(super) fn are_inside(mut self) -> bool {
        self.pass_sizes(self.tables.count);
        self.places.are_inside()
    }

    /// Returns the sum of the sizes up to a sample. Each is looked at once, for this and for the check that
    /// it is in the file.
    fn pass_sizes(&mut self, to: u32) -> u64 {
        let (mut sample, mut bytes) = (self.at.sample, 0);
        while sample < to {
            let stop = self.places.next().clamp(sample + 1, to);
            let sum = self.tables.sizes.sum(sample, stop - sample);
            self.places.add(stop, sum);
            bytes += sum;
            sample = stop;
        }
        bytes
    }

    /// Returns whether the first one is a sync sample, and how many are behind it.
    fn pass_syncs(&mut self, count: u32) -> (bool, u32) {
        if self.tables.syncs.is_none() {
            return (count > 0, count.saturating_sub(1));
        }
        // Numbers count from 1 and ascend.
        let (first, end) = (self.at.sample + 1, self.at.sample + count);
        let from = self.at.sync as usize;
        let numbers = self.syncs.get(from..).unwrap_or_default();
        let numbers = numbers.iter().map(|word| u32::from_be_bytes(*word));
        let is_sync = numbers.clone().next() == Some(first) && count > 0;
        let syncs = numbers.take_while(|&number| number <= end).count() as u32;
        self.at.sync += syncs;
        (is_sync, syncs - u32::from(is_sync))
    }

    fn pass_chunks(&mut self, count: u32) {
        let mut left = u64::from(count);
        while left > 0
            && let Some((end, each)) = run(self.stsc, self.at.run, self.tables.chunks.count())
        {
            let chunks = u64::from(end.saturating_sub(self.at.chunk));
            let samples = (chunks * u64::from(each)).saturating_sub(self.at.within.into());
            if left >= samples {
                left -= samples;
                (self.at.run, self.at.chunk, self.at.within) = (self.at.run + 1, end, 0);
                continue;
            }
            // Fewer than those of the run, which has some.
            let within = u64::from(self.at.within) + left;
            self.at.chunk += (within / u64::from(each)) as u32;
            self.at.within = (within % u64::from(each)) as u32;
            left = 0;
        }
    }
}
