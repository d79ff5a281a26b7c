//! The chunk of a fragmented file whose samples are in its header: plain `ffmpeg -movflags
//! frag_keyframe` describes the first samples in the `moov`, and only the others in fragments.

use std::ops::Range;

use bytes::Bytes;

use super::made::MadeFragment;
use crate::base::{Error, ErrorKind, Limits, piece};
use crate::fragment::written::{self, Head};
use crate::fragment::{Rewritten, Stored};
use crate::index::Indexed;
use crate::index::sample_table::Track;

/// A fragment that is made of all samples in the header of a fragmented file.
///
/// Times and composition offsets are those of the media, before any edit, as in the fragments that
/// follow it. Its place in the file is that of its samples.
#[derive(Debug)]
pub(crate) struct HeaderChunk {
    made: MadeFragment,
    head: Box<Stored>,
    place: Range<u64>,
    time: i64,
    ticks: u64,
}

/// Maximum number of ranges, because each is an operation of its own when it is read.
const MAX_RANGES: u64 = 4096;

impl HeaderChunk {
    /// Makes the chunk of the samples of a track.
    ///
    /// # Errors
    /// Errors of the sample tables; [`ErrorKind::Budget`] beyond [`Limits::samples`];
    /// [`ErrorKind::Missing`] if there are no samples.
    pub(super) fn new(track: &Track, limits: &Limits) -> Result<Self, Error> {
        let count = u64::from(track.tables.count());
        Limits::check("samples of a fragment", count, limits.samples)?;
        let mut samples = Vec::with_capacity(track.tables.count() as usize);
        let (mut ranges, mut time, mut ticks) = (Vec::<Range<u64>>::new(), None, 0_u64);
        for sample in track.tables.samples() {
            let sample = sample?;
            time.get_or_insert(sample.composition_time());
            ticks += u64::from(sample.duration);
            let end = sample.offset + u64::from(sample.size);
            match ranges.last_mut() {
                Some(last) if last.end == sample.offset => last.end = end,
                _ if sample.size == 0 => {}
                _ => ranges.push(sample.offset..end),
            }
            samples.push(written::Sample {
                duration: sample.duration,
                size: sample.size,
                composition_offset: sample.composition_offset,
                is_sync: sample.is_sync,
                dependencies: sample.dependencies.unwrap_or(0),
            });
        }
        Limits::check("ranges of a fragment", ranges.len() as u64, MAX_RANGES)?;
        let missing = ErrorKind::Missing { what: "samples", clause: "ISO/IEC 14496-12, 8.7" };
        let start = ranges.iter().map(|range| range.start).min();
        let end = ranges.iter().map(|range| range.end).max();
        let (Some(time), Some(start), Some(end)) = (time, start, end) else {
            return Err(missing.into());
        };
        let head = Head {
            number: 1,
            track_id: track.track_id,
            // A start before 0 is two's complement.
            start: time as u64,
            duration: ticks,
            samples: &samples,
            has_tfxd: true,
        };
        let head = head.to_bytes(limits)?;
        let made = MadeFragment::of(Rewritten { head, ranges }, &Bytes::new(), 0);
        let head = made.stored(limits)?;
        Ok(Self { made, head, place: start..end, time, ticks })
    }

    /// Returns the fragment, and its head.
    pub(super) fn fragment(&self) -> (&MadeFragment, &Stored) {
        (&self.made, &self.head)
    }

    /// Returns whether it begins at this byte of its file.
    pub(super) fn is_at(&self, start: u64) -> bool {
        self.place.start == start
    }

    /// Returns its place among the fragments of the track.
    pub(super) fn indexed(&self) -> Indexed {
        Indexed { time: self.time, start: self.place.start, bound: self.place.end }
    }

    /// Returns the time at which the next chunk should start, in ticks of the track.
    pub(super) fn end(&self) -> i64 {
        self.time.saturating_add_unsigned(self.ticks)
    }

    /// Bytes of its samples.
    pub(super) fn bytes(&self) -> u64 {
        let lengths = self.made.lengths();
        lengths.len - lengths.payload
    }

    /// Bytes of memory that it takes, about: the head is there as bytes and as boxes.
    pub(super) fn memory(&self) -> usize {
        piece(size_of::<Self>()) + 3 * piece(self.made.lengths().payload as usize)
    }
}
