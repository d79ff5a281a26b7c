//! Kinds of samples, and the order in which they usually follow one another.

use std::collections::HashMap;

use super::bits::{BitReader, BitWriter};
use super::rice::MOST;
use crate::index::sample_table::Media;

/// All kinds of the samples of a track.
#[derive(Debug)]
pub(super) struct Kinds {
    /// Each kind with size 0, and what is usual for it.
    list: Vec<Kind>,
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    media: Media,
    /// Index of the kind that usually comes next.
    next: u32,
    /// The Rice parameter of its sizes, less that of the chunk.
    larger: i8,
}

/// Finds the kind of a sample while a track is prepared.
#[derive(Debug, Default)]
pub(super) struct Finder {
    indexes: HashMap<Media, u32>,
}

/// Number of kinds that are compared one by one before they are looked up.
const FEW: usize = 8;

/// Number of kinds that are kept. Samples of others are written with all that they are: a film whose
/// every picture lasts differently long would have as many kinds as samples.
const MOST_KINDS: u32 = 1024;

impl Kinds {
    /// Learns what is usual from the first samples of a track.
    pub(super) fn learn(samples: &[Media], finder: &mut Finder) -> Self {
        let mut kinds = Self { list: Vec::new() };
        let indexes: Vec<u32> =
            samples.iter().map(|media| finder.find(&mut kinds, *media)).collect();
        let mut followers: HashMap<(u32, u32), u32> = HashMap::new();
        for pair in indexes.windows(2).filter(|pair| !pair.iter().any(|&i| Self::is_rare(i))) {
            *followers.entry((pair[0], pair[1])).or_default() += 1;
        }
        let mut best = vec![0; kinds.list.len()];
        let mut pairs: Vec<_> = followers.into_iter().collect();
        // The order of a map differs from run to run.
        pairs.sort_unstable();
        for ((kind, next), count) in pairs {
            if count > best[kind as usize] {
                best[kind as usize] = count;
                kinds.list[kind as usize].next = next;
            }
        }
        let mut sums = vec![(0_u64, 0_u64); kinds.list.len()];
        for (media, &index) in samples.iter().zip(&indexes) {
            if let Some((sum, count)) = sums.get_mut(index as usize) {
                (*sum, *count) = (*sum + u64::from(media.size), *count + 1);
            }
        }
        let width = |sum: u64, count: u64| (sum / count.max(1)).max(1).ilog2() as i8;
        let all = width(sums.iter().map(|s| s.0).sum(), samples.len() as u64);
        for (kind, (sum, count)) in kinds.list.iter_mut().zip(sums) {
            kind.larger = width(sum, count) - all;
        }
        kinds
    }

    #[inline]
    fn media(&self, index: u32) -> Media {
        self.list.get(index as usize).map_or_else(Media::default, |kind| kind.media)
    }

    /// The Rice parameter of sizes of this kind in a chunk with parameter `k`.
    #[inline]
    pub(super) fn parameter(&self, index: u32, k: u32) -> u32 {
        let larger = self.list.get(index as usize).map_or(0, |kind| kind.larger);
        k.saturating_add_signed(larger.into()).min(MOST)
    }

    /// A size as the chunk's parameter sees it.
    #[inline]
    pub(super) fn scaled(&self, index: u32, size: u32) -> u64 {
        let larger = self.list.get(index as usize).map_or(0, |kind| kind.larger);
        // Without a branch, which would mostly be mistaken: the kinds of neighbours differ.
        let (left, right) = ((-larger).max(0), larger.max(0));
        u64::from(size) << left >> right
    }

    fn next(&self, index: u32) -> u32 {
        self.list.get(index as usize).map_or(0, |kind| kind.next)
    }

    /// Returns whether samples of this kind are written with all that they are.
    pub(super) fn is_rare(index: u32) -> bool {
        index >= MOST_KINDS
    }

    /// Writes the kind of the first sample of a chunk.
    pub(super) fn put_first(writer: &mut BitWriter, index: u32, media: &Media) {
        let width = 32 - index.leading_zeros();
        writer.put(width.into(), 4);
        writer.put(index.into(), width);
        if Self::is_rare(index) {
            let rest = u64::from(media.is_sync) | u64::from(media.dependencies) << 1;
            writer.put(media.duration.into(), 32);
            writer.put((media.composition_offset as u32).into(), 32);
            writer.put(rest, 9);
        }
    }

    pub(super) fn take_first(&self, reader: &mut BitReader<'_>) -> (u32, Media) {
        let width = reader.take(4) as u32;
        let index = reader.take(width) as u32;
        if !Self::is_rare(index) {
            return (index, self.media(index));
        }
        let (duration, offset) = (reader.take(32) as u32, reader.take(32) as u32);
        let rest = reader.take(9);
        let media = Media {
            size: 0,
            duration,
            composition_offset: offset as i32,
            is_sync: rest & 1 == 1,
            dependencies: (rest >> 1) as u8,
        };
        (index, media)
    }

    /// Writes the kind of a sample behind another.
    #[inline]
    pub(super) fn put(&self, writer: &mut BitWriter, before: u32, index: u32, media: &Media) {
        if self.next(before) == index && !Self::is_rare(index) {
            writer.put(0, 1);
        } else {
            writer.put(1, 1);
            Self::put_first(writer, index, media);
        }
    }

    #[inline]
    pub(super) fn take(&self, reader: &mut BitReader<'_>, before: u32) -> (u32, Media) {
        match reader.take(1) {
            0 => (self.next(before), self.media(self.next(before))),
            _ => self.take_first(reader),
        }
    }

    pub(super) fn shrink(&mut self) {
        self.list.shrink_to_fit();
    }

    /// Bytes of memory.
    pub(super) fn heap(&self) -> usize {
        self.list.capacity() * size_of::<Kind>()
    }
}

impl Finder {
    /// Index of a sample's kind, which is new if it was not met before, or rare.
    #[inline]
    pub(super) fn find(&mut self, kinds: &mut Kinds, media: Media) -> u32 {
        let media = Media { size: 0, ..media };
        let few = &kinds.list[..kinds.list.len().min(FEW)];
        if let Some(index) = few.iter().position(|kind| kind.media == media) {
            return index as u32;
        }
        let new = kinds.list.len() as u32;
        if Kinds::is_rare(new) {
            return self.indexes.get(&media).copied().unwrap_or(new);
        }
        let index = *self.indexes.entry(media).or_insert(new);
        if index == new {
            // It is usual for a kind to be repeated.
            kinds.list.push(Kind { media, next: new, larger: 0 });
        }
        index
    }
}
