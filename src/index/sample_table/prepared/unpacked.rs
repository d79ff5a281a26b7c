//! The samples of one chunk, read from their bits.

use std::ops::Range;

use super::bits::BitReader;
use super::gaps::Gaps;
use super::kinds::Kinds;
use super::rice;
use crate::index::sample_table::Media;

/// Walks the samples of one chunk. It allocates nothing.
#[derive(Clone, Debug)]
pub struct Unpacked<'a> {
    reader: BitReader<'a>,
    kinds: &'a Kinds,
    left: u32,
    composed: i64,
    /// End of the sample before.
    position: u64,
    least: u32,
    k: u32,
    is_uniform: bool,
    kind: u32,
    media: Media,
    gaps: Gaps,
    is_first: bool,
}

/// A sample of a chunk, and its first byte in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackedSample {
    /// First byte in the file.
    pub offset: u64,
    /// All that its fragment says of it.
    pub media: Media,
}

impl<'a> Unpacked<'a> {
    pub(super) fn new(mut reader: BitReader<'a>, kinds: &'a Kinds, count: u32) -> Self {
        if count == 0 {
            // Such a chunk has no bits.
            reader = BitReader::new(&[], 0);
        }
        let composed = reader.take_wide();
        let position = reader.take_wide();
        let least = reader.take_wide() as u32;
        let k = reader.take(5) as u32;
        let is_uniform = reader.take(1) == 1;
        let (kind, media) = kinds.take_first(&mut reader);
        let gaps = Gaps::take_head(&mut reader);
        Self {
            reader,
            kinds,
            left: count,
            composed: (composed >> 1) as i64 ^ -((composed & 1) as i64),
            position,
            least,
            k,
            is_uniform,
            kind,
            media,
            gaps,
            is_first: true,
        }
    }

    /// Time at which the first sample is composed, in ticks of the track's media.
    pub fn composed(&self) -> i64 {
        self.composed
    }

    /// Number of samples that are left.
    pub fn len(&self) -> usize {
        self.left as usize
    }

    /// Stretches of the file in which the samples are stored, in the order of the samples. Those that
    /// touch are one.
    pub fn ranges(self) -> impl Iterator<Item = Range<u64>> + use<'a> {
        let mut samples = self.filter(|sample| sample.media.size > 0).peekable();
        std::iter::from_fn(move || {
            let UnpackedSample { offset, media } = samples.next()?;
            let mut range = offset..offset + u64::from(media.size);
            while let Some(next) = samples.next_if(|next| next.offset == range.end) {
                range.end += u64::from(next.media.size);
            }
            Some(range)
        })
    }
}

impl Iterator for Unpacked<'_> {
    type Item = UnpackedSample;

    #[inline]
    fn next(&mut self) -> Option<UnpackedSample> {
        self.left = self.left.checked_sub(1)?;
        if self.is_first {
            self.is_first = false;
        } else {
            if !self.is_uniform {
                (self.kind, self.media) = self.kinds.take(&mut self.reader, self.kind);
            }
            let gap = self.gaps.take(&mut self.reader);
            self.position = self.position.wrapping_add_signed(gap);
        }
        let k = self.kinds.parameter(self.kind, self.k);
        let size = self.least.wrapping_add(rice::take(&mut self.reader, k));
        let offset = self.position;
        self.position = offset.wrapping_add(size.into());
        let media = Media { size, ..self.media };
        Some(UnpackedSample { offset, media })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl ExactSizeIterator for Unpacked<'_> {}
