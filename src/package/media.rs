//! The fragments of a track.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::base::{Error, ErrorKind, FileId, Limits, Timescale};
use crate::fragment::written::{Head, Sample};
use crate::index::sample_table::{Clock, Prepared, timed};

/// A track whose fragments are written, in few bytes a sample.
#[derive(Debug)]
pub(super) struct MediaTrack {
    pub(super) file: FileId,
    /// Its number in the output.
    pub(super) track_id: u32,
    pub(super) clock: Clock,
    pub(super) prepared: Prepared,
    /// Start and end of each chunk.
    pub(super) chunks: Arc<[Range<u64>]>,
    /// Ticks that times of the media are more than those prepared, each from a chunk on. The first one
    /// is from chunk 0 on.
    pub(super) shifts: Vec<(usize, i64)>,
    pub(super) has_tfxd: bool,
    pub(super) limits: Limits,
}

/// The fragment of one chunk: its head, and its media in the input.
pub(super) struct Fragment<'a> {
    pub(super) head: Bytes,
    pub(super) ranges: Box<dyn Iterator<Item = Range<u64>> + 'a>,
}

impl MediaTrack {
    /// Number of chunks.
    pub(super) fn len(&self) -> usize {
        self.prepared.len()
    }

    /// Start of a chunk.
    pub(super) fn start(&self, chunk: usize) -> Option<u64> {
        self.chunks.get(chunk).map(|chunk| chunk.start).filter(|_| chunk < self.len())
    }

    /// The fragment of a chunk. `samples` is memory that is used again.
    ///
    /// # Errors
    /// If the fragment is larger than its fields can say.
    pub(super) fn fragment(
        &self,
        chunk: usize,
        samples: &mut Vec<Sample>,
    ) -> Result<Fragment<'_>, Error> {
        let missing = || Error::from(ErrorKind::NoFragment);
        let unpacked = self.prepared.chunk(chunk).ok_or_else(missing)?;
        let Range { start, end } = self.chunks.get(chunk).cloned().ok_or_else(missing)?;
        let at = self.shifts.partition_point(|(first, _)| *first <= chunk).checked_sub(1);
        let shift = at.map_or(0, |at| self.shifts[at].1);
        let composed = unpacked.composed().saturating_add(shift);
        let clock = self.clock.from(composed, Timescale::SMOOTH).ok_or_else(|| {
            let what = format!("track {}: times of more than 62 bits", self.track_id);
            Error::from(ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.6.1" })
        })?;
        // In front of a gap, the last sample has its own duration.
        let next = self.start(chunk + 1).filter(|next| *next == end);
        samples.clear();
        timed(unpacked.clone().map(|sample| sample.media), &clock, start, next, samples)
            .map_err(|kind| Error::from(kind).in_file(self.file))?;
        let head = Head {
            // The plan has fewer chunks than the track has samples, 2^24 at most.
            number: chunk as u32 + 1,
            track_id: self.track_id,
            start,
            duration: end - start,
            samples,
            has_tfxd: self.has_tfxd,
        };
        let head = head.to_bytes(&self.limits).map_err(|error| error.in_file(self.file))?;
        Ok(Fragment { head, ranges: Box::new(unpacked.ranges()) })
    }
}
