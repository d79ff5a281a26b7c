//! All chunks of a track.

use super::bits::{BitReader, BitWriter};
use super::block::{Block, Blocks};
use super::gaps::Gaps;
use super::kinds::{Finder, Kinds};
use super::rice;
use super::unpacked::Unpacked;
use crate::base::{Error, ErrorKind};
use crate::index::sample_table::{Media, Tables};

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
        let first = cuts.first().copied().unwrap_or(0);
        let learned: Vec<Media> = tables
            .samples()
            .skip(first as usize)
            .take(LEARNED)
            .map_while(Result::ok)
            .map(|sample| Media::from(&sample))
            .collect();
        let mut finder = Finder::default();
        let mut kinds = Kinds::learn(&learned, &mut finder);
        let (mut blocks, mut block) = (Blocks::new(tables), Block::default());
        let mut writer = BitWriter::default();
        let mut starts = Vec::with_capacity(cuts.len().saturating_sub(1));
        let mut fill = |count, kinds: &mut Kinds, block: &mut Block| match blocks.fill(
            count,
            kinds,
            &mut finder,
            block,
        ) {
            true => Ok(()),
            false => Err(tables.outside()),
        };
        fill(first, &mut kinds, &mut block)?;
        for chunk in cuts.windows(2) {
            fill(chunk[1].saturating_sub(chunk[0]), &mut kinds, &mut block)?;
            starts.push(u32::try_from(writer.len()).map_err(|_| too_many(&writer))?);
            put(&mut writer, &block, &kinds);
        }
        fill(u32::MAX, &mut kinds, &mut block)?;
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
fn put(writer: &mut BitWriter, block: &Block, kinds: &Kinds) {
    let Some(&first) = block.kinds.first() else { return };
    let Block { sizes, offset, composed, .. } = block;
    // Times before 0 are rare and near it: the sign is the lowest bit.
    writer.put_wide((composed << 1 ^ composed >> 63) as u64);
    writer.put_wide(*offset);
    let least = sizes.iter().copied().min().unwrap_or(0);
    let is_uniform = !Kinds::is_rare(first) && block.kinds.iter().all(|&kind| kind == first);
    let of_sample = || sizes.iter().zip(&block.kinds);
    let sum = of_sample().map(|(size, &kind)| kinds.scaled(kind, size - least)).sum();
    let k = rice::parameter(sum, sizes.len() as u64);
    writer.put_wide(least.into());
    writer.put(k.into(), 5);
    writer.put(is_uniform.into(), 1);
    let mut rare = block.rare.iter();
    let mut take_rare = |kind| match Kinds::is_rare(kind) {
        true => rare.next().copied().unwrap_or_default(),
        false => Media::default(),
    };
    Kinds::put_first(writer, first, &take_rare(first));
    let gaps = Gaps::of(block.gaps.iter().map(|(_, gap)| *gap));
    gaps.put_head(writer);
    if is_uniform && gaps == Gaps::None {
        let k = kinds.parameter(first, k);
        sizes.iter().for_each(|size| rice::put(writer, size - least, k));
        return;
    }
    let mut places = block.gaps.iter().peekable();
    let mut before = None;
    for (index, (size, &kind)) in of_sample().enumerate() {
        if let Some(before) = before {
            if !is_uniform {
                kinds.put(writer, before, kind, &take_rare(kind));
            }
            let place = places.next_if(|(place, _)| *place as usize == index);
            gaps.put(writer, place.map_or(0, |(_, gap)| *gap));
        }
        rice::put(writer, size - least, kinds.parameter(kind, k));
        before = Some(kind);
    }
}
