//! All chunks of a track.

use super::bits::{BitReader, BitWriter};
use super::gaps::Gaps;
use super::kinds::{Finder, Kinds};
use super::rice;
use super::unpacked::Unpacked;
use crate::base::{Error, ErrorKind};
use crate::index::sample_table::{Media, Sample, Tables};

/// The samples of a track by the chunks of a plan, as they are kept while a presentation is open.
#[derive(Debug)]
pub struct Prepared {
    /// Index of the first sample of each chunk, and the end of the last one.
    cuts: Box<[u32]>,
    /// First bit of each chunk.
    starts: Box<[u32]>,
    bits: Box<[u64]>,
    kinds: Kinds,
}

/// Samples from which the usual order of kinds is learned.
const LEARNED: usize = 2048;

impl Prepared {
    /// Prepares the samples of a track for chunks that begin with the samples at these indexes, which
    /// ascend; the last one is the number of samples.
    ///
    /// # Errors
    /// The error of the first sample that is not in the file, whether it is in a chunk or not, and
    /// [`ErrorKind::Budget`] beyond 512 MiB.
    pub fn new(tables: &Tables, cuts: &[u32]) -> Result<Self, Error> {
        let mut samples = tables.samples();
        let mut block: Vec<Sample> = Vec::new();
        let first = cuts.first().map_or(0, |&first| first as usize);
        for sample in samples.by_ref().take(first) {
            sample?;
        }
        let learned: Vec<Media> =
            samples.clone().take(LEARNED).map_while(Result::ok).map(|s| Media::from(&s)).collect();
        let mut finder = Finder::default();
        let mut kinds = Kinds::learn(&learned, &mut finder);
        let mut writer = BitWriter::default();
        let mut starts = Vec::with_capacity(cuts.len());
        let mut indexes = Vec::new();
        for chunk in cuts.windows(2) {
            block.clear();
            indexes.clear();
            let count = chunk[1].saturating_sub(chunk[0]) as usize;
            for sample in samples.by_ref().take(count) {
                let sample = sample?;
                indexes.push(finder.find(&mut kinds, Media::from(&sample)));
                block.push(sample);
            }
            let start = u32::try_from(writer.len()).map_err(|_| too_many(&writer))?;
            starts.push(start);
            put(&mut writer, &block, &indexes, &kinds);
        }
        samples.try_for_each(|sample| sample.map(drop))?;
        kinds.shrink();
        Ok(Self { cuts: cuts.into(), starts: starts.into(), bits: writer.finish(), kinds })
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// The samples of a chunk, by its index.
    pub fn chunk(&self, index: usize) -> Option<Unpacked<'_>> {
        let start = *self.starts.get(index)?;
        let count = self.cuts.get(index + 1)?.saturating_sub(self.cuts[index]);
        let reader = BitReader::new(&self.bits, start.into());
        Some(Unpacked::new(reader, &self.kinds, count))
    }

    /// Bytes of memory on the heap.
    pub fn heap(&self) -> usize {
        4 * (self.cuts.len() + self.starts.len()) + 8 * self.bits.len() + self.kinds.heap()
    }
}

#[cold]
fn too_many(writer: &BitWriter) -> Error {
    let (found, limit) = (writer.len(), u32::MAX.into());
    ErrorKind::Budget { what: "bits of the samples of a track", found, limit }.into()
}

/// Writes a chunk.
fn put(writer: &mut BitWriter, samples: &[Sample], indexes: &[u32], kinds: &Kinds) {
    let (Some(first), Some(&kind)) = (samples.first(), indexes.first()) else { return };
    let composed = first.composition_time();
    // Times before 0 are rare and near it: the sign is the lowest bit.
    writer.put_wide((composed << 1 ^ composed >> 63) as u64);
    writer.put_wide(first.offset);
    let least = samples.iter().map(|sample| sample.size).min().unwrap_or(0);
    let sizes = samples.iter().zip(indexes);
    let sum = sizes.clone().map(|(sample, &index)| kinds.scaled(index, sample.size - least)).sum();
    let k = rice::parameter(sum, samples.len() as u64);
    writer.put_wide(least.into());
    writer.put(k.into(), 5);
    let is_uniform = !Kinds::is_rare(kind) && indexes.iter().all(|&index| index == kind);
    writer.put(is_uniform.into(), 1);
    Kinds::put_first(writer, kind, &Media::from(first));
    let gaps = samples.windows(2).map(|pair| gap(&pair[0], &pair[1]));
    let form = Gaps::of(gaps);
    form.put_head(writer);
    let mut before: Option<(&Sample, u32)> = None;
    for (sample, &index) in sizes {
        if let Some((last, kind)) = before {
            if !is_uniform {
                kinds.put(writer, kind, index, &Media::from(sample));
            }
            form.put(writer, gap(last, sample));
        }
        rice::put(writer, sample.size - least, kinds.parameter(index, k));
        before = Some((sample, index));
    }
}

/// Bytes between two samples. Both are in the file, so it has 63 bits or is wrapped and unwrapped.
fn gap(one: &Sample, next: &Sample) -> i64 {
    next.offset.wrapping_sub(one.offset + u64::from(one.size)) as i64
}
