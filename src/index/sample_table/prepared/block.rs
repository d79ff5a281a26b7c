//! The samples of one chunk while it is prepared, read from the tables by their runs.

use super::kinds::{Finder, Kinds};
use crate::bmff::Stss;
use crate::index::sample_table::chunks::Chunks;
use crate::index::sample_table::runs::Runs;
use crate::index::sample_table::{Media, Tables};

/// The samples of one chunk.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) sizes: Vec<u32>,
    /// Kind of each sample.
    pub(super) kinds: Vec<u32>,
    /// Samples of rare kinds, in order.
    pub(super) rare: Vec<Media>,
    /// Samples that do not follow the one before them in the file: index, and bytes between.
    pub(super) gaps: Vec<(u32, i64)>,
    /// Place of the first sample.
    pub(super) offset: u64,
    /// Time at which the first sample is composed.
    pub(super) composed: i64,
}

/// A walk over the tables of a track, some samples at a time. It gives what
/// [`Samples`](crate::index::sample_table::Samples) gives, several times as fast.
pub(super) struct Blocks<'a> {
    tables: &'a Tables,
    at: u32,
    durations: Runs<'a>,
    offsets: Runs<'a>,
    syncs: std::slice::ChunksExact<'a, u8>,
    /// Index of the next sync sample; the number of samples behind the last one.
    next_sync: u32,
    chunks: Chunks<'a>,
    left: u32,
    position: u64,
    decode_time: u64,
    recent: Box<[Recent; RECENT]>,
}

/// A kind that was found lately.
#[derive(Clone, Copy, Default)]
struct Recent {
    media: Media,
    kind: Option<u32>,
}

const RECENT: usize = 64;

impl<'a> Blocks<'a> {
    pub(super) fn new(tables: &'a Tables) -> Self {
        let syncs = tables.syncs.as_deref().unwrap_or_default().chunks_exact(Stss::ENTRY);
        let mut blocks = Self {
            tables,
            at: 0,
            durations: Runs::new(&tables.durations),
            offsets: Runs::new(&tables.offsets),
            syncs,
            next_sync: 0,
            chunks: Chunks::new(&tables.stsc, &tables.chunks),
            left: 0,
            position: 0,
            decode_time: tables.before.ticks,
            recent: Box::new([Recent::default(); RECENT]),
        };
        blocks.read_sync();
        blocks
    }

    fn read_sync(&mut self) {
        let word = self.syncs.next().and_then(<[u8]>::first_chunk);
        // Numbers count from 1.
        let index = word.and_then(|word| u32::from_be_bytes(*word).checked_sub(1));
        self.next_sync = index.unwrap_or(self.tables.count);
    }

    /// Reads up to `count` samples. False if one of them is not in the file.
    pub(super) fn fill(
        &mut self,
        count: u32,
        kinds: &mut Kinds,
        finder: &mut Finder,
        block: &mut Block,
    ) -> bool {
        let count = count.min(self.tables.count - self.at);
        block.sizes.clear();
        self.tables.sizes.copy(self.at, count, &mut block.sizes);
        let is_inside = self.fill_places(block);
        self.fill_kinds(count, kinds, finder, block);
        self.at += count;
        is_inside && block.sizes.len() == count as usize
    }

    fn fill_places(&mut self, block: &mut Block) -> bool {
        block.gaps.clear();
        let mut done = 0;
        while done < block.sizes.len() {
            let before = self.position;
            while self.left == 0 {
                let Some(next) = self.chunks.next() else { return false };
                (self.position, self.left) = next;
            }
            if done == 0 {
                block.offset = self.position;
            } else if self.position != before {
                // The bytes between have 63 bits, or are wrapped and unwrapped.
                block.gaps.push((done as u32, self.position.wrapping_sub(before) as i64));
            }
            let sizes = &block.sizes[done..];
            let sizes = &sizes[..sizes.len().min(self.left as usize)];
            let bytes: u64 = sizes.iter().map(|&size| u64::from(size)).sum();
            match self.position.checked_add(bytes) {
                Some(end) if end <= self.tables.file_len => self.position = end,
                _ => return false,
            }
            self.left -= sizes.len() as u32;
            done += sizes.len();
        }
        true
    }

    fn fill_kinds(
        &mut self,
        count: u32,
        kinds: &mut Kinds,
        finder: &mut Finder,
        block: &mut Block,
    ) {
        block.kinds.clear();
        block.rare.clear();
        let start = self.decode_time;
        let mut done = 0;
        while done < count {
            let (alike, duration) = self.durations.take(count - done).unwrap_or((count - done, 0));
            self.decode_time += u64::from(alike) * u64::from(duration);
            let end = done + alike;
            while done < end {
                let (alike, offset) = self.offsets.take(end - done).unwrap_or((end - done, 0));
                let media =
                    Media { duration, composition_offset: offset as i32, ..Media::default() };
                if done == 0 {
                    block.composed = start as i64 + i64::from(media.composition_offset);
                }
                self.fill_alike(done, alike, media, kinds, finder, block);
                done += alike;
            }
        }
    }

    /// Adds samples that differ in their dependencies alone.
    fn fill_alike(
        &mut self,
        from: u32,
        count: u32,
        media: Media,
        kinds: &mut Kinds,
        finder: &mut Finder,
        block: &mut Block,
    ) {
        let (mut done, tables) = (0, self.tables);
        while done < count {
            let index = self.at + from + done;
            let (alike, is_sync) = match (&tables.syncs, self.next_sync.saturating_sub(index)) {
                (None, _) => (count - done, true),
                (Some(_), 0) => {
                    self.read_sync();
                    (1, true)
                }
                (Some(_), others) => (others.min(count - done), false),
            };
            let media = Media { is_sync, ..media };
            match &tables.dependencies {
                None => self.push(media, alike, kinds, finder, block),
                Some(bytes) => {
                    for &dependencies in &bytes[index as usize..(index + alike) as usize] {
                        self.push(Media { dependencies, ..media }, 1, kinds, finder, block);
                    }
                }
            }
            done += alike;
        }
    }

    #[inline]
    fn push(
        &mut self,
        media: Media,
        count: u32,
        kinds: &mut Kinds,
        finder: &mut Finder,
        block: &mut Block,
    ) {
        let hash = (media.composition_offset as u32 ^ media.duration.rotate_left(16))
            .wrapping_add(u32::from(media.dependencies) << 8 | u32::from(media.is_sync))
            .wrapping_mul(0x9e37_79b1);
        let recent = &mut self.recent[(hash >> 26) as usize % RECENT];
        let kind = match recent.kind {
            Some(kind) if recent.media == media => kind,
            _ => {
                let kind = finder.find(kinds, media);
                *recent = Recent { media, kind: Some(kind) };
                kind
            }
        };
        for _ in 0..count {
            block.kinds.push(kind);
        }
        if Kinds::is_rare(kind) {
            block.rare.extend(std::iter::repeat_n(media, count as usize));
        }
    }
}
